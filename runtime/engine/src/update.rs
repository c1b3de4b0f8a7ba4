//! The updater: every stored entity visited once in a period, the visits spread over it.
//!
//! Hooks with the same period, entity type and kind (with record or by identity alone) form a *group* and share a
//! *sweep*. A sweep has as many steps as batches fit into the period; a step visits the entities whose stable hash falls
//! into its share, and calls for each all hooks of the group in the order of registration. Each portion of a step is
//! stored with its tasks, its state and the place that it reached, in one transaction, and ids of tasks are a function
//! of sweep, entity, subscription and place: after a crash the sweep goes on where it was and no task enters twice.
//!
//! The updater has instances of its own, in which timers are heard of, and one thread at a time: that of its job. Faults
//! that pass are tried again three times at the end of a portion, so that they hold up the portion and not each other;
//! then the output is left out, as at any other fault.

mod group;
mod visit;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tenter_model::limits::{MAX_ATTEMPTS, RETRY_BACKOFF_MS};
use tenter_model::module::LoadedModule;
use tenter_model::{EntityId, EntityRef, HookHost, TaskId, Timestamp};
use tenter_store::{Produced, Reader, Share, StoreError, SweepRow, SweepState};

use crate::Engine;
use crate::registry::{LastTold, Registry};
use crate::schedule::JobContext;
use crate::stats::LaneStats;
use crate::worker::Shared;
pub use group::TooShort;
use group::{Group, groups, steps};
use visit::Visit;

/// Entities looked at in one read.
const LOOKED_AT: u32 = 4096;
/// Entities visited in one portion.
const PORTION: usize = 512;
/// Tasks after which a portion ends early.
const PORTION_TASKS: usize = 10_000;
/// Steps of one group in one batch: one, and one more where batches were left out before.
const STEPS_PER_BATCH: u32 = 2;
/// Times that a portion is done before its changes of module state are given up.
const MAX_TRIES: u32 = 8;
/// The clock is looked at this often while a retry waits.
const RETRY_POLL: Duration = Duration::from_millis(5);

/// What a batch did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct UpdateReport {
    /// Group by group.
    pub groups: Vec<GroupReport>,
    /// Sweeps that were given up because no loaded module has hooks in them any more.
    pub abandoned: u64,
}

/// What a batch did in one group.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct GroupReport {
    /// The entity type.
    pub etype: String,
    /// The period.
    pub period_seconds: u64,
    /// Whether hooks get identities alone.
    pub eid_only: bool,
    /// Entities visited in this batch.
    pub visited: u64,
    /// Entities visited in this sweep so far, and how many there were at its begin.
    pub processed: u64,
    /// See above.
    pub total: u64,
    /// Steps of this sweep that are done, and how many it has.
    pub iteration: u32,
    /// See above.
    pub total_iterations: u32,
    /// Tasks that entered the queue.
    pub tasks: u64,
    /// Calls that failed.
    pub failures: u64,
    /// Whether the sweep is at its end.
    pub finished: bool,
}

/// Why a batch ended early.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// The engine stops. The sweep goes on after the next start.
    #[error("the server is stopping; the sweep goes on after the next start")]
    Stopped,
    /// The store refused. What is stored stays, and the next batch goes on from there.
    #[error("the sweep is interrupted and the next batch goes on with it: {0}")]
    Store(#[from] StoreError),
}

/// Checks that the periods of a module's sweeps are not shorter than that of batches, in microseconds.
///
/// # Errors
/// [`TooShort`] names the subscription.
pub fn check_periods(module: &LoadedModule, batch_period: i64) -> Result<(), TooShort> {
    group::check_periods(module, batch_period)
}

impl Engine {
    /// Does one batch of the sweeps of `update-record` and `update-entity`: a step of each group. `batch_period` is the
    /// time between two batches, in microseconds.
    ///
    /// # Errors
    /// [`UpdateError`]. What was stored by then stays, and the next batch goes on from there.
    pub fn run_updates(&self, batch_period: i64, context: &JobContext) -> Result<UpdateReport, UpdateError> {
        self.updater.batch(&self.registry.current(), batch_period, context)
    }
}

/// Visits entities, one batch at a time.
pub(crate) struct Updater(Mutex<Hands>);

/// What visits are made with.
struct Hands {
    shared: Shared,
    host: Box<dyn HookHost>,
    reader: Reader,
    stats: LaneStats,
    told: LastTold,
}

impl Updater {
    pub(crate) fn new(shared: Shared, host: Box<dyn HookHost>, reader: Reader, stats: LaneStats) -> Self {
        Self(Mutex::new(Hands { shared, host, reader, stats, told: LastTold::default() }))
    }

    /// Does one step of each group's sweep. One batch at a time; a second waits for the first.
    pub(crate) fn batch(
        &self,
        registry: &Arc<Registry>,
        batch_period: i64,
        context: &JobContext,
    ) -> Result<UpdateReport, UpdateError> {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let hands = &mut *guard;
        hands.told.tell(hands.host.as_mut(), registry);
        let mut report = UpdateReport::default();
        let groups = groups(registry, batch_period);
        for row in hands.reader.sweeps(true, u32::MAX)? {
            if !groups.iter().any(|group| group.key == row.state.group) {
                hands.abandon(row)?;
                report.abandoned += 1;
            }
        }
        for group in &groups {
            report.groups.push(hands.steps_of(group, batch_period, context)?);
        }
        Ok(report)
    }
}

impl Hands {
    fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    fn abandon(&self, row: SweepRow) -> Result<(), StoreError> {
        let now = self.now();
        let state = SweepState { finished: true, ended: Some(now), updated: now, ..row.state };
        self.shared.store.save_sweep_blocking(row.number, state, Produced::default(), now).map(drop)
    }

    fn steps_of(
        &mut self,
        group: &Group<'_>,
        batch_period: i64,
        context: &JobContext,
    ) -> Result<GroupReport, UpdateError> {
        let began = self.now();
        let total_iterations = steps(group.key.period_seconds, batch_period);
        let mut row = self.shared.store.begin_sweep(SweepState {
            group: group.key.clone(),
            hooks: group.hook_names(),
            began,
            updated: began,
            ended: None,
            processed: 0,
            total: self.reader.entity_count(&group.key.etype)?,
            iteration: 0,
            total_iterations,
            cursor: None,
            runtime: 0,
            finished: false,
        })?;
        if row.state.total_iterations != total_iterations {
            // The shares are other ones now: what was visited says nothing about them.
            row.state = SweepState { total_iterations, iteration: 0, cursor: None, processed: 0, ..row.state };
        }
        row.state.hooks = group.hook_names();
        let mut report = GroupReport {
            etype: group.key.etype.to_string(),
            period_seconds: group.key.period_seconds,
            eid_only: group.key.eid_only,
            ..GroupReport::default()
        };
        let passed = began.since(row.state.began).max(0).checked_div(batch_period.max(1)).unwrap_or(0);
        for extra in 0..STEPS_PER_BATCH {
            // Where batches were left out, the sweep is behind: a second step makes up for one of them.
            if extra > 0 && (row.state.finished || i64::from(row.state.iteration) > passed) {
                break;
            }
            self.step(group, &mut row, &mut report, context)?;
        }
        let SweepState { processed, total, iteration, finished, runtime, .. } = row.state;
        let took = self.now().since(began);
        if took > batch_period {
            tracing::warn!(sweep = %report.etype, took_s = took / 1_000_000, "a batch took longer than the period of batches");
        }
        if finished && runtime / 1_000_000 > i64::try_from(group.key.period_seconds).unwrap_or(i64::MAX) {
            tracing::warn!(sweep = %report.etype, runtime_s = runtime / 1_000_000, "a sweep worked for longer than its period");
        }
        Ok(GroupReport { processed, total, iteration, total_iterations, finished, ..report })
    }

    /// Visits one share of the entities, from where the cursor is.
    fn step(
        &mut self,
        group: &Group<'_>,
        row: &mut SweepRow,
        report: &mut GroupReport,
        context: &JobContext,
    ) -> Result<(), UpdateError> {
        let share = Share { part: row.state.iteration, of: row.state.total_iterations };
        let sweep = TaskId::of_sweep(&group.name(), row.number, row.state.began);
        let mut after = row.state.cursor.clone();
        loop {
            let page = self.reader.revisions(&group.key.etype, share, after.as_ref(), LOOKED_AT)?;
            let ids: Vec<EntityId> = page.items.into_iter().map(|(eid, _)| eid).collect();
            let mut rest = ids.as_slice();
            while !rest.is_empty() {
                if context.is_stopping() {
                    return Err(UpdateError::Stopped);
                }
                let done = self.portion(group, sweep, rest, row, report, context)?;
                rest = rest.get(done..).unwrap_or_default();
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        row.state.iteration += 1;
        row.state.cursor = None;
        row.state.finished = row.state.iteration >= row.state.total_iterations;
        row.state.ended = row.state.finished.then(|| self.now());
        self.save(row, Produced::default())?;
        report.finished = row.state.finished;
        Ok(())
    }

    /// Visits some entities and stores what came of it. Gives how many.
    fn portion(
        &mut self,
        group: &Group<'_>,
        sweep: TaskId,
        ids: &[EntityId],
        row: &mut SweepRow,
        report: &mut GroupReport,
        context: &JobContext,
    ) -> Result<usize, UpdateError> {
        for tries in 1.. {
            let began = self.now();
            let mut visit = Visit::new(sweep, &self.shared, &self.stats, self.host.as_mut());
            let mut done = 0usize;
            for eid in ids.iter().take(PORTION) {
                let entity = EntityRef { etype: group.key.etype.clone(), eid: eid.clone() };
                visit.entity(group, &entity, &self.reader)?;
                done += 1;
                if visit.tasks() >= PORTION_TASKS {
                    break;
                }
            }
            for attempt in 2..=MAX_ATTEMPTS {
                if !visit.has_failed() {
                    break;
                }
                let pause_us = i64::try_from(RETRY_BACKOFF_MS << (attempt - 2).min(10)).unwrap_or(i64::MAX) * 1000;
                wait_until(self.shared.clock.now().saturating_add(pause_us), context)?;
                visit.again(attempt, &self.reader)?;
            }
            let (failures, mut produced) = visit.finish();
            if tries > MAX_TRIES {
                produced.state.clear();
            }
            let mut state = row.state.clone();
            state.cursor = ids.get(done.saturating_sub(1)).cloned();
            state.processed += done as u64;
            state.runtime += self.now().since(began).max(0);
            let before = std::mem::replace(&mut row.state, state);
            match self.save(row, produced) {
                Ok(tasks) => {
                    report.visited += done as u64;
                    report.tasks += tasks;
                    report.failures += failures;
                    return Ok(done);
                }
                Err(StoreError::Conflict(_)) if tries <= MAX_TRIES => row.state = before,
                Err(error) => {
                    row.state = before;
                    return Err(error.into());
                }
            }
        }
        Err(UpdateError::Stopped)
    }

    fn save(&self, row: &mut SweepRow, produced: Produced) -> Result<u64, StoreError> {
        let now = self.now();
        row.state.updated = now;
        let entered = self.shared.store.save_sweep_blocking(row.number, row.state.clone(), produced, now)?;
        Ok(entered.tasks as u64)
    }
}

/// Waits for a time by the clock of the engine.
fn wait_until(time: Timestamp, context: &JobContext) -> Result<(), UpdateError> {
    while context.now() < time {
        if context.is_stopping() {
            return Err(UpdateError::Stopped);
        }
        std::thread::park_timeout(RETRY_POLL);
    }
    Ok(())
}
