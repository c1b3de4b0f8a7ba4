//! Jobs of hooks: what is to be called because of a change, and what came of it.
//!
//! A job is written with the change that brings it. It names versions of objects instead of holding copies. Whoever
//! works it off claims it, calls the module with no transaction open, and hands in the result together with what the
//! module wants changed and the job that goes on later, if it asked for one, which is one transaction again: effects of
//! a job enter once or not at all. A claim goes with the process; the next start puts such jobs back, and one that was running at several deaths becomes dead.

mod finish;
mod list;

use rusqlite::{Connection, OptionalExtension, Row};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tenter_model::case::object::uuid;
use tenter_model::case::{ObjectKind, ObjectRef};
use tenter_model::{Timestamp, limits};

use super::{CaseActor, NewJob, log, rows};
use crate::codec;
use crate::commit::column;
use crate::error::StoreError;
use crate::store::Store;
use crate::tx::Tx;

pub use finish::{FinishJob, JobEnd};
pub use list::JobFilter;

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobState {
    /// It waits for its time and for a worker.
    Queued,
    /// A worker has it.
    Running,
    /// The module said so.
    Succeeded,
    /// The module said so, or failed.
    Failed,
    /// The module did not end in time.
    TimedOut,
    /// It is given up: too many attempts, or somebody cancelled it. Its result says which.
    Dead,
}

impl JobState {
    /// All states.
    pub const ALL: [Self; 6] = [Self::Queued, Self::Running, Self::Succeeded, Self::Failed, Self::TimedOut, Self::Dead];

    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::TimedOut => "timed-out",
            Self::Dead => "dead",
        }
    }
}

/// An object that a hook is about, by its versions. Both are `None` for one that hooks get as it is at the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Which one.
    pub target: ObjectRef,
    /// The version before; `None`: it was created, or did not change.
    pub old: Option<u64>,
    /// The version after; `None`: it was deleted.
    pub new: Option<u64>,
}

/// What is to be called, with what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobSpec {
    /// The module's subscription.
    pub subscription: String,
    /// The menu entry, for manual triggers.
    pub entry: Option<String>,
    /// What caused it.
    pub trigger: String,
    /// The objects.
    pub written: Vec<Written>,
    /// What the hook gets beside the objects.
    pub payload: Value,
}

/// What came of a job.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct JobResult {
    /// IRIS's code of the status; from 0xFF00 it is a failure.
    pub code: u32,
    /// In a sentence.
    pub message: String,
    /// What the module gave.
    pub data: Value,
    /// What the module logged.
    pub logs: Vec<String>,
    /// The stable code of a failure, if the host knows one.
    pub reason: Option<String>,
    /// The module's version.
    pub version: String,
    /// SHA-256 of its component, in hexadecimal digits.
    pub digest: String,
    /// Fuel that the call used.
    pub fuel: u64,
    /// Microseconds that it took.
    pub micros: u64,
}

/// A job.
#[derive(Debug, Clone, PartialEq)]
pub struct HookJob {
    /// Its number; later ones have higher ones.
    pub id: u64,
    /// Its id for clients.
    pub uuid: String,
    /// How far it is.
    pub state: JobState,
    /// The name of the hook in IRIS.
    pub hook: String,
    /// The module.
    pub module: String,
    /// The case, if it is about one.
    pub case_id: Option<i64>,
    /// Who caused it.
    pub user_id: i64,
    /// Attempts so far, the running one too.
    pub attempts: u32,
    /// When it may run.
    pub not_before: Timestamp,
    /// When it was written.
    pub queued: Timestamp,
    /// When its latest attempt began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// What is to be called.
    pub spec: JobSpec,
    /// What came of its latest attempt.
    pub result: Option<JobResult>,
}

const COLUMNS: &str = "id, uuid, state, hook, module, case_id, user_id, attempts, not_before, queued, started, ended, \
     body, result";

fn job(row: &Row<'_>) -> Result<HookJob, StoreError> {
    let id = u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0);
    let name: String = row.get(2)?;
    let what = || format!("job {id}");
    let state = JobState::ALL.into_iter().find(|state| state.name() == name);
    let time =
        |n: usize| -> Result<Option<Timestamp>, rusqlite::Error> { Ok(row.get::<_, Option<i64>>(n)?.map(Timestamp)) };
    let result = row.get_ref(13)?.as_blob_or_null().unwrap_or_default();
    Ok(HookJob {
        id,
        uuid: row.get(1)?,
        state: state.ok_or_else(|| StoreError::Unreadable { what: what(), why: format!("no state {name:?}") })?,
        hook: row.get(3)?,
        module: row.get(4)?,
        case_id: row.get(5)?,
        user_id: row.get(6)?,
        attempts: row.get(7)?,
        not_before: Timestamp(row.get(8)?),
        queued: Timestamp(row.get(9)?),
        started: time(10)?,
        ended: time(11)?,
        spec: codec::decode(row.get_ref(12)?.as_blob().unwrap_or_default(), what)?,
        result: result.map(|blob| codec::decode(blob, what)).transpose()?,
    })
}

fn find(conn: &Connection, id: u64) -> Result<Option<HookJob>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM hook_job WHERE id = ?1");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([column(id)])?;
    rows.next()?.map(job).transpose()
}

impl Store {
    /// Writes jobs that no change brings, such as those of a manual trigger on some objects. Gives their numbers.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an object that does not exist.
    pub fn queue_jobs(
        &self,
        jobs: Vec<NewJob>,
        targets: Vec<ObjectRef>,
        case_id: Option<i64>,
        by: CaseActor,
    ) -> Result<Vec<u64>, StoreError> {
        self.call(move |tx| {
            let mut written = Vec::new();
            for target in &targets {
                let object = rows::find_in(tx.conn, *target, None)?;
                written.push(Written { target: *target, old: None, new: Some(object.version) });
            }
            for new in &jobs {
                let detail = json!({"module": new.module, "case": case_id, "objects": targets.len()});
                log::audit(tx, &by, "hook-job.queue", &new.hook, &detail)?;
            }
            enqueue(tx, &jobs, &written, case_id, &by)
        })
    }

    /// Takes the job that has waited longest of those whose time has come, but none of these modules: they are busy,
    /// paused or off.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn claim_job(&self, except: &[&str], now: Timestamp) -> Result<Option<HookJob>, StoreError> {
        let except = json!(except).to_string();
        self.call(move |tx| {
            let id: Option<i64> = tx
                .conn
                .prepare_cached(
                    "UPDATE hook_job SET state = 'running', attempts = attempts + 1, started = ?1 WHERE id = \
                     (SELECT id FROM hook_job WHERE state = 'queued' AND not_before <= ?1 AND \
                      module NOT IN (SELECT value FROM json_each(?2)) ORDER BY not_before, id \
                      LIMIT 1) RETURNING id",
                )?
                .query_row((now.0, &except), |r| r.get(0))
                .optional()?;
            tx.crash.at("hook-job-claimed");
            match id {
                Some(id) => find(tx.conn, u64::try_from(id).unwrap_or(0)),
                None => Ok(None),
            }
        })
    }
}

/// Writes jobs in the transaction of what brings them.
pub(super) fn enqueue(
    tx: &mut Tx<'_>,
    jobs: &[NewJob],
    written: &[Written],
    case_id: Option<i64>,
    by: &CaseActor,
) -> Result<Vec<u64>, StoreError> {
    let first = written.first().map(|written| written.target);
    let mut ids = Vec::new();
    for new in jobs {
        let spec = JobSpec {
            subscription: new.subscription.clone(),
            entry: new.entry.clone(),
            trigger: new.trigger.clone(),
            written: written.to_vec(),
            payload: new.payload.clone(),
        };
        codec::encode_into(tx.room, &spec)?;
        tx.conn
            .prepare_cached(
                "INSERT INTO hook_job (uuid, state, hook, module, kind, object, case_id, user_id, attempts, \
                 not_before, queued, body, started) VALUES (?1, ?11, ?2, ?3, ?4, ?5, ?6, ?7, ?12, ?8, ?9, ?10, ?13)",
            )?
            .execute((
                uuid(new.random),
                &new.hook,
                &new.module,
                first.map(|target| ObjectKind::name(target.kind)),
                first.map(|target| target.id),
                case_id,
                by.acting.user_id,
                new.not_before.unwrap_or(by.acting.now).0,
                by.acting.now.0,
                &tx.room[..],
                if new.waited { JobState::Running } else { JobState::Queued }.name(),
                u32::from(new.waited),
                new.waited.then_some(by.acting.now.0),
            ))?;
        tx.news.jobs |= !new.waited;
        ids.push(u64::try_from(tx.conn.last_insert_rowid()).unwrap_or(0));
        tx.crash.at("hook-job-queued");
    }
    Ok(ids)
}

/// Puts jobs back that were running when the process ended. One that was running each time is given up.
pub(super) fn restart(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    let given_up = JobResult {
        code: 0xFFFF,
        message: format!("the process ended in each of {} attempts", limits::MAX_ATTEMPTS),
        reason: Some("process-ended".into()),
        ..JobResult::default()
    };
    codec::encode_into(tx.room, &given_up)?;
    tx.conn
        .prepare_cached(
            "UPDATE hook_job SET state = 'dead', ended = ?1, result = ?2 WHERE state = 'running' AND attempts >= ?3",
        )?
        .execute((now.0, &tx.room[..], limits::MAX_ATTEMPTS))?;
    tx.conn.prepare_cached("UPDATE hook_job SET state = 'queued' WHERE state = 'running'")?.execute([])?;
    Ok(())
}
