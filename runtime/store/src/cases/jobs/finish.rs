//! How a job ends, and what operators do to one.

use serde_json::json;
use tenter_model::Timestamp;

use super::{HookJob, JobResult, JobState, enqueue, find};
use crate::cases::{CaseActor, NewJob, NewObject, ObjectChange, create, log, update};
use crate::codec;
use crate::commit::column;
use crate::error::StoreError;
use crate::produce::{self, Produced};
use crate::store::Store;
use crate::tx::Tx;

/// From this code on a status is a failure.
const FAILURE: u32 = 0xFF00;

/// The end of an attempt.
#[derive(Debug, Clone, PartialEq)]
pub enum JobEnd {
    /// The module returned; its code says whether it succeeded.
    Returned,
    /// It did not in time, and is not tried again.
    TimedOut,
    /// It is tried again, not before a time.
    Again(Timestamp),
    /// It failed for the last time.
    GivenUp,
}

/// The end of an attempt with all that comes of it.
#[derive(Debug, Clone, PartialEq)]
pub struct FinishJob {
    /// The job.
    pub id: u64,
    /// Its attempt, as it was claimed. An attempt of before a restart cannot end any more.
    pub attempt: u32,
    /// How it ended.
    pub end: JobEnd,
    /// What came of it.
    pub result: JobResult,
    /// What the module wants changed.
    pub changes: Vec<ObjectChange>,
    /// What the module wants created.
    pub creations: Vec<NewObject>,
    /// What its calls left beside: tasks, state, notes.
    pub produced: Produced,
    /// The job that goes on with the same objects later, for the same user.
    pub next: Option<NewJob>,
}

impl Store {
    /// Ends an attempt, with its effects: all of it or nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Conflict`] when that attempt is not running, and whatever an effect is
    /// refused for; the job then still runs and can be ended without effects.
    pub fn finish_job(&self, finish: FinishJob, by: CaseActor) -> Result<HookJob, StoreError> {
        self.call(move |tx| {
            let job = find(tx.conn, finish.id)?.ok_or_else(|| missing(finish.id))?;
            if job.state != JobState::Running || job.attempts != finish.attempt {
                return Err(StoreError::Conflict(format!("attempt {} of job {}", finish.attempt, finish.id)));
            }
            for change in &finish.changes {
                update::update(tx, change, &by)?;
            }
            for creation in &finish.creations {
                create::create(tx, creation, &by)?;
            }
            let now = by.acting.now;
            produce::store(tx, &finish.produced, now)?;
            enqueue(tx, finish.next.as_slice(), &job.spec.written, job.case_id, &by)?;
            let (state, not_before, ended) = match finish.end {
                JobEnd::Returned if finish.result.code < FAILURE => (JobState::Succeeded, job.not_before, Some(now)),
                JobEnd::Returned => (JobState::Failed, job.not_before, Some(now)),
                JobEnd::TimedOut => (JobState::TimedOut, job.not_before, Some(now)),
                JobEnd::Again(when) => (JobState::Queued, when, None),
                JobEnd::GivenUp => (JobState::Dead, job.not_before, Some(now)),
            };
            let end = HookJob { state, not_before, ended, result: Some(finish.result.clone()), ..job };
            write(tx, &end)?;
            tx.crash.at("hook-job-finished");
            Ok(end)
        })
    }

    /// Forgets jobs that ended before a time. Gives their number.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn prune_hook_jobs(&self, before: Timestamp) -> Result<u64, StoreError> {
        let sql = "DELETE FROM hook_job WHERE ended < ?1 AND state NOT IN ('queued', 'running')";
        self.call(move |tx| Ok(tx.conn.execute(sql, [before.0])? as u64))
    }

    /// Lets a job run again that has ended without success.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Conflict`] for one that has not.
    pub fn retry_job(&self, id: u64, by: CaseActor) -> Result<HookJob, StoreError> {
        self.call(move |tx| {
            let job = find(tx.conn, id)?.ok_or_else(|| missing(id))?;
            if !matches!(job.state, JobState::Failed | JobState::TimedOut | JobState::Dead) {
                return Err(StoreError::Conflict(format!("job {id}, which is {},", job.state.name())));
            }
            let now = by.acting.now;
            let again = HookJob { state: JobState::Queued, attempts: 0, not_before: now, ended: None, ..job };
            write(tx, &again)?;
            log::audit(tx, &by, "hook-job.retry", &format!("job {id}"), &json!({"hook": again.hook}))?;
            Ok(again)
        })
    }

    /// Gives a job up that waits.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Conflict`] for one that does not wait.
    pub fn cancel_job(&self, id: u64, by: CaseActor) -> Result<HookJob, StoreError> {
        self.call(move |tx| {
            let job = find(tx.conn, id)?.ok_or_else(|| missing(id))?;
            if job.state != JobState::Queued {
                return Err(StoreError::Conflict(format!("job {id}, which is {},", job.state.name())));
            }
            let result = JobResult {
                code: 0xFFFF,
                message: format!("cancelled by {}", by.name),
                reason: Some("cancelled".into()),
                ..job.result.clone().unwrap_or_default()
            };
            let ended = Some(by.acting.now);
            let gone = HookJob { state: JobState::Dead, ended, result: Some(result), ..job };
            write(tx, &gone)?;
            log::audit(tx, &by, "hook-job.cancel", &format!("job {id}"), &json!({"hook": gone.hook}))?;
            Ok(gone)
        })
    }
}

fn missing(id: u64) -> StoreError {
    StoreError::NotFound(format!("job {id}"))
}

/// Writes what of a job changes in its life.
fn write(tx: &mut Tx<'_>, job: &HookJob) -> Result<(), StoreError> {
    let result = job.result.as_ref().map(|result| {
        codec::encode_into(tx.room, result)?;
        Ok::<_, StoreError>(&tx.room[..])
    });
    tx.conn
        .prepare_cached(
            "UPDATE hook_job SET state = ?2, attempts = ?3, not_before = ?4, ended = ?5, result = ?6 WHERE id = ?1",
        )?
        .execute((
            column(job.id),
            job.state.name(),
            job.attempts,
            job.not_before.0,
            job.ended.map(|t| t.0),
            result.transpose()?,
        ))?;
    tx.news.jobs |= job.state == JobState::Queued;
    Ok(())
}
