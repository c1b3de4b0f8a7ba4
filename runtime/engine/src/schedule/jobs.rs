//! The platform's own work by the clock: snapshots, sweeps, the care of histories.
//!
//! A job runs on a thread of its own, one run at a time: a time that comes while it runs is left out and counted, and
//! of several that have passed one is run. Unlike slots of modules, times that pass while the process is down are not
//! made up for, unless the job asks for it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use tenter_model::Timestamp;
use tenter_model::cron::{Cron, CronError, Schedule};
use tenter_model::time::Clock;

/// What a run of a job may ask.
#[derive(Clone)]
pub struct JobContext {
    /// The time for which it runs; for a run by hand that of the request.
    pub at: Timestamp,
    /// What a request by hand gave; `null` for a run by the clock.
    pub arguments: Value,
    clock: Arc<dyn Clock>,
    stopping: Arc<AtomicBool>,
}

impl JobContext {
    /// For a run outside the scheduler, such as in tests and commands.
    #[must_use]
    pub fn by_hand(clock: Arc<dyn Clock>) -> Self {
        Self::stoppable(clock, Arc::default())
    }

    /// The same, of work that is to end when `stopping` is set.
    #[must_use]
    pub fn stoppable(clock: Arc<dyn Clock>, stopping: Arc<AtomicBool>) -> Self {
        Self { at: clock.now(), arguments: Value::Null, clock, stopping }
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whether the process is about to end: return after the batch at hand.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}

/// Does the work; gives numbers for people, or why it failed.
pub type RunJob = Arc<dyn Fn(&JobContext) -> Result<Value, String> + Send + Sync>;

/// Work by the clock.
#[derive(Clone)]
pub struct Job {
    /// Its name, unique.
    pub name: String,
    /// When it runs; `None`: by request alone.
    pub cron: Option<Cron>,
    /// The last time for which it ran before this process, when a time that was missed since is to be made up for.
    pub after: Option<Timestamp>,
    /// The work.
    pub run: RunJob,
}

/// A job for people.
#[derive(Debug, Clone, PartialEq)]
pub struct JobInfo {
    /// Its name.
    pub name: String,
    /// When it runs.
    pub schedule: Option<String>,
    /// Since when it runs, if it does.
    pub running_since: Option<Timestamp>,
    /// When it runs next.
    pub next: Option<Timestamp>,
    /// Runs that ended since the start.
    pub runs: u64,
    /// Times left out because it was running.
    pub skipped: u64,
    /// The last run that ended since the start.
    pub last: Option<JobRun>,
}

/// A run that ended.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRun {
    /// The time for which it ran.
    pub at: Timestamp,
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// Its numbers, or why it failed.
    pub result: Result<Value, String>,
}

/// Why a job was not started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// There is none of that name.
    #[error("there is no job {0:?}; the jobs are {1}")]
    Unknown(String, String),
    /// It runs.
    #[error("the job {0:?} is running; wait for its end")]
    Running(String),
    /// Its name is taken.
    #[error("there are two jobs {0:?}")]
    Twice(String),
    /// Its schedule cannot be read.
    #[error("the job {0:?} has no schedule: {1}")]
    Schedule(String, CronError),
    /// The scheduler has ended.
    #[error("the scheduler has ended")]
    Ended,
}

struct Entry {
    job: Job,
    schedule: Option<Schedule>,
    dealt: Timestamp,
    next: Option<Timestamp>,
    running_since: Option<Timestamp>,
    runs: u64,
    skipped: u64,
    last: Option<JobRun>,
}

/// A run that is to be started.
pub(super) struct Start {
    pub(super) name: String,
    pub(super) run: RunJob,
    pub(super) context: JobContext,
}

/// All jobs.
pub(super) struct Jobs {
    entries: BTreeMap<String, Entry>,
    clock: Arc<dyn Clock>,
    pub(super) stopping: Arc<AtomicBool>,
}

impl Jobs {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { entries: BTreeMap::new(), clock, stopping: Arc::default() }
    }

    pub(super) fn add(&mut self, job: Job, now: Timestamp) -> Result<(), JobError> {
        if self.entries.contains_key(&job.name) {
            return Err(JobError::Twice(job.name));
        }
        let schedule = job.cron.as_ref().map(Schedule::of).transpose();
        let schedule = schedule.map_err(|error| JobError::Schedule(job.name.clone(), error))?;
        // What lies ahead of the clock was noted by a clock that was wrong.
        let dealt = job.after.filter(|after| *after <= now).unwrap_or(now);
        let next = schedule.as_ref().and_then(|schedule| schedule.next(dealt));
        let entry = Entry { schedule, dealt, next, running_since: None, runs: 0, skipped: 0, last: None, job };
        self.entries.insert(entry.job.name.clone(), entry);
        Ok(())
    }

    /// The runs that are to be started now.
    pub(super) fn due(&mut self, now: Timestamp) -> Vec<Start> {
        let mut due = Vec::new();
        for entry in self.entries.values_mut() {
            // A clock that was put back is believed at once: a job does no harm when it runs once more.
            if entry.dealt > now {
                entry.dealt = now;
                entry.next = entry.schedule.as_ref().and_then(|schedule| schedule.next(now));
            }
            let (Some(schedule), Some(_)) = (&entry.schedule, entry.next.filter(|next| *next <= now)) else { continue };
            let Some(at) = schedule.latest(entry.dealt, now) else { continue };
            entry.dealt = at;
            entry.next = schedule.next(at);
            if entry.running_since.is_some() {
                entry.skipped += 1;
                tracing::warn!(job = entry.job.name, "the job is still running, this time is left out");
                continue;
            }
            entry.running_since = Some(now);
            due.push(entry.start(at, Value::Null, &self.clock, &self.stopping));
        }
        due
    }

    pub(super) fn request(&mut self, name: &str, arguments: Value, now: Timestamp) -> Result<Start, JobError> {
        let names = || self.entries.keys().cloned().collect::<Vec<_>>().join(", ");
        if !self.entries.contains_key(name) {
            return Err(JobError::Unknown(name.to_owned(), names()));
        }
        let entry = self.entries.get_mut(name).filter(|entry| entry.running_since.is_none());
        let entry = entry.ok_or_else(|| JobError::Running(name.to_owned()))?;
        entry.running_since = Some(now);
        Ok(entry.start(now, arguments, &self.clock, &self.stopping))
    }

    /// Takes note of the end of a run.
    pub(super) fn ended(&mut self, name: &str, at: Timestamp, result: Result<Value, String>) {
        let ended = self.clock.now();
        let Some(entry) = self.entries.get_mut(name) else { return };
        let began = entry.running_since.take().unwrap_or(at);
        match &result {
            Ok(numbers) => tracing::info!(job = name, %numbers, "the job is done"),
            Err(error) => tracing::error!(job = name, "the job failed: {error}"),
        }
        entry.runs += 1;
        entry.last = Some(JobRun { at, began, ended, result });
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.entries.values().filter_map(|entry| entry.next).min()
    }

    pub(super) fn info(&self) -> Vec<JobInfo> {
        let info = |entry: &Entry| JobInfo {
            name: entry.job.name.clone(),
            schedule: entry.job.cron.as_ref().map(ToString::to_string),
            running_since: entry.running_since,
            next: entry.next,
            runs: entry.runs,
            skipped: entry.skipped,
            last: entry.last.clone(),
        };
        self.entries.values().map(info).collect()
    }
}

impl Entry {
    fn start(&self, at: Timestamp, arguments: Value, clock: &Arc<dyn Clock>, stopping: &Arc<AtomicBool>) -> Start {
        let context = JobContext { at, arguments, clock: clock.clone(), stopping: stopping.clone() };
        Start { name: self.job.name.clone(), run: self.job.run.clone(), context }
    }
}
