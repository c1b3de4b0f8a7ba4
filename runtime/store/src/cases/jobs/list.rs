//! Looking at jobs.

use tenter_model::Timestamp;
use tenter_model::case::ObjectRef;

use super::{COLUMNS, HookJob, JobState, find, job};
use crate::cases::CaseWorld;
use crate::cases::world::one;
use crate::commit::column;
use crate::error::StoreError;

/// Which jobs are wanted; an absent field means all.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// In this state.
    pub state: Option<JobState>,
    /// Of this case.
    pub case_id: Option<i64>,
    /// About this object first of all.
    pub target: Option<ObjectRef>,
    /// Of this module.
    pub module: Option<String>,
    /// Numbers below this one.
    pub before: Option<u64>,
}

impl CaseWorld<'_> {
    /// The job of that number.
    #[must_use]
    pub fn job(&self, id: u64) -> Option<HookJob> {
        self.ask(find(self.conn, id))
    }

    /// The job of that id for clients.
    #[must_use]
    pub fn job_of_uuid(&self, uuid: &str) -> Option<HookJob> {
        let sql = "SELECT id FROM hook_job WHERE uuid = ?1";
        let id: Option<i64> = self.ask(one(self.conn, sql, [uuid]));
        id.and_then(|id| self.job(u64::try_from(id).unwrap_or(0)))
    }

    /// Jobs, newest first.
    #[must_use]
    pub fn jobs(&self, filter: &JobFilter, limit: u32) -> Vec<HookJob> {
        let read = || -> Result<Vec<HookJob>, StoreError> {
            let sql = format!(
                "SELECT {COLUMNS} FROM hook_job WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR case_id = ?2) AND \
                 (?3 IS NULL OR (kind = ?3 AND object = ?4)) AND (?5 IS NULL OR module = ?5) AND id < ?6 \
                 ORDER BY id DESC LIMIT ?7"
            );
            let mut statement = self.conn.prepare_cached(&sql)?;
            let mut rows = statement.query((
                filter.state.map(JobState::name),
                filter.case_id,
                filter.target.map(|target| target.kind.name()),
                filter.target.map(|target| target.id),
                filter.module.as_deref(),
                filter.before.map_or(i64::MAX, column),
                limit,
            ))?;
            let mut out = Vec::new();
            while let Some(row) = rows.next()? {
                out.push(job(row)?);
            }
            Ok(out)
        };
        self.ask(read())
    }

    /// When the next job may run; `None`: there is none.
    #[must_use]
    pub fn next_job(&self) -> Option<Timestamp> {
        let sql = "SELECT not_before FROM hook_job WHERE state = 'queued' ORDER BY not_before LIMIT 1";
        self.ask(one::<i64>(self.conn, sql, [])).map(Timestamp)
    }
}
