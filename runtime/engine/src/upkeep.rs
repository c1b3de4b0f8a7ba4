//! The care of what is stored: histories merged and cleaned, old datapoints archived, entities removed that have come to
//! their end.
//!
//! What is right is decided by [`tenter_model::upkeep`]; here is how to get through everything that is stored. Each job
//! goes in batches, each batch is one transaction on the condition that nothing changed since it was read, and may be
//! done twice without harm: a job that was cut short simply begins again. Between batches other work goes on, and a stop
//! is heard.

mod archive;
mod garbage;
mod histories;

use std::sync::mpsc::channel;
use std::sync::{Arc, Weak};

use serde_json::Value;
use tenter_model::Timestamp;
use tenter_model::config::SiteConfig;
use tenter_model::cron::Cron;
use tenter_store::StoreError;

use crate::schedule::{Job, JobContext, JobError};
use crate::snapshot::SnapshotOptions;
use crate::{Engine, SnapshotError};
pub use archive::ArchiveReport;
pub use garbage::GarbageReport;
pub use histories::HistoryReport;

/// Rows about runs of jobs, and jobs of case hooks that have ended, are kept for so long, in microseconds; DP³'s 30 days.
const JOB_ROWS_US: i64 = 30 * 86_400_000_000;
/// Batches of sweeps are made each minute where the configuration says nothing.
const BATCH_PERIOD_US: i64 = 60_000_000;

/// Why a job ended early.
#[derive(Debug, thiserror::Error)]
pub enum UpkeepError {
    /// The engine stops; the job begins again at its next time.
    #[error("the server is stopping; the job begins again at its next time")]
    Stopped,
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file could not be written.
    #[error("cannot write the archive {path}: {source}; nothing was removed that is not in a finished archive")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

/// [`UpkeepError::Stopped`] when the process is about to end.
fn go_on(context: &JobContext) -> Result<(), UpkeepError> {
    if context.is_stopping() { Err(UpkeepError::Stopped) } else { Ok(()) }
}

/// The time between two batches of sweeps, in microseconds, by the configuration.
#[must_use]
pub fn batch_period(site: &SiteConfig) -> i64 {
    site.updater.as_ref().map_or(BATCH_PERIOD_US, |updater| updater.update_batch_period)
}

impl Engine {
    /// Gives the scheduler the jobs that the configuration asks for: `snapshots`, `updater`, `updater-cache`,
    /// `aggregation`, `datapoint-cleaning`, `snapshot-cleaning`, `archiving` and `garbage-collector`. What each run did is
    /// kept in the store for 30 days.
    ///
    /// # Errors
    /// When a schedule cannot be read.
    pub fn add_platform_jobs(self: &Arc<Self>, site: &SiteConfig) -> Result<(), JobError> {
        let keep_empty = site.snapshots.keep_empty;
        self.add("snapshots", &site.snapshots.creation_rate, move |engine, context| {
            // What a request by hand may ask for.
            let asked = |name: &str| context.arguments.get(name);
            let options = SnapshotOptions {
                keep_empty,
                full: asked("full").and_then(Value::as_bool).unwrap_or(false),
                time: asked("time").and_then(Value::as_str).and_then(Timestamp::parse),
                ..SnapshotOptions::default()
            };
            match engine.run_snapshot(options) {
                Ok(report) => json(&report.run.counts),
                // One that was asked for by hand is under way: this time is left out.
                Err(error @ SnapshotError::Active { .. }) => Ok(Value::String(error.to_string())),
                Err(error) => Err(error.to_string()),
            }
        })?;
        self.take_up_snapshot()?;
        let period = batch_period(site);
        let each_minute = Cron::of(&[("second", "0")]);
        let batches = site.updater.as_ref().map_or(&each_minute, |updater| &updater.update_batch_cron);
        self.add("updater", batches, move |engine, context| {
            engine.run_updates(period, context).map_err(|e| e.to_string()).and_then(|report| json(&report))
        })?;
        let (cache, kept) = match &site.updater {
            Some(updater) => (updater.cache_management_cron.clone(), updater.cache_max_entries),
            None => (Cron::daily(2, 0, 0), 32),
        };
        self.add("updater-cache", &cache, move |engine, context| {
            let sweeps = engine.store.prune_sweeps(u32::try_from(kept).unwrap_or(u32::MAX));
            let since = context.now().saturating_add(-JOB_ROWS_US);
            let (jobs, hooks) = (engine.store.prune_jobs(since), engine.store.prune_hook_jobs(since));
            let told = |error: StoreError| error.to_string();
            let hooks = hooks.map_err(told)?;
            Ok(serde_json::json!({"sweeps": sweeps.map_err(told)?, "jobs": jobs.map_err(told)?, "hook_jobs": hooks}))
        })?;
        self.add("garbage-collector", &site.garbage_collector.collection_rate, |engine, context| {
            engine.collect_garbage(context).map_err(|e| e.to_string()).and_then(|report| json(&report))
        })?;
        let Some(history) = &site.history_manager else { return Ok(()) };
        self.add("aggregation", &history.aggregation_schedule, |engine, context| {
            engine.aggregate_histories(context).map_err(|e| e.to_string()).and_then(|report| json(&report))
        })?;
        self.add("datapoint-cleaning", &history.datapoint_cleaning_schedule, |engine, context| {
            engine.clean_histories(context).map_err(|e| e.to_string()).and_then(|report| json(&report))
        })?;
        let older_than = history.snapshot_cleaning.older_than;
        self.add("snapshot-cleaning", &history.snapshot_cleaning.schedule, move |engine, context| {
            let limit = context.now().saturating_add(older_than.saturating_neg());
            let removed = engine.store.clean_snapshots(limit).map_err(|e| e.to_string())?;
            Ok(serde_json::json!({"removed": removed}))
        })?;
        let archivation = history.datapoint_archivation.clone();
        self.add("archiving", &history.datapoint_archivation.schedule, move |engine, context| {
            let folder = archivation.archive_dir.as_ref().map(std::path::Path::new);
            engine.archive(archivation.older_than, folder, context).map_err(|e| e.to_string()).and_then(|r| json(&r))
        })
    }

    /// A job that notes in the store what it did. It holds the engine only while it runs.
    fn add(
        self: &Arc<Self>,
        name: &'static str,
        cron: &Cron,
        run: impl Fn(&Self, &JobContext) -> Result<Value, String> + Send + Sync + 'static,
    ) -> Result<(), JobError> {
        let engine: Weak<Self> = Arc::downgrade(self);
        let run = move |context: &JobContext| {
            let Some(engine) = engine.upgrade() else { return Err("the engine has ended".to_owned()) };
            let began = engine.store.begin_job(name, serde_json::json!({}), context.now());
            let result = run(&engine, context);
            match began {
                Ok(number) => {
                    let body = match &result {
                        Ok(report) => serde_json::json!({"result": report}),
                        Err(error) => serde_json::json!({"error": error}),
                    };
                    let (sender, stored) = channel();
                    let done = move |result| {
                        // The job waits for it below.
                        let _waits = sender.send(result);
                    };
                    engine.store.update_job(number, body, true, context.now(), Box::new(done));
                    told(stored.recv().unwrap_or(Err(StoreError::Closed)));
                }
                Err(error) => told(Err(error)),
            }
            result
        };
        self.scheduler().add_job(Job {
            name: name.to_owned(),
            cron: Some(cron.clone()),
            after: None,
            run: Arc::new(run),
        })
    }
}

fn told(result: Result<(), StoreError>) {
    if let Err(error) = result {
        tracing::error!("what a job did is not stored: {error}");
    }
}

fn json(report: &impl serde::Serialize) -> Result<Value, String> {
    serde_json::to_value(report).map_err(|error| error.to_string())
}
