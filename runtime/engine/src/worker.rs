//! Runs one task after another for a lane: reads the record, calls the hooks, hands the outcome to the store.
//!
//! A lane has one for itself, and the threads aside have one each. Who gave the task hears of its end through the
//! lane's channel, so it does not matter where it ran.

use std::cell::Cell;
use std::sync::Arc;

use tenter_model::time::Clock;
use tenter_model::{HookHost, Schema, Timestamp};
use tenter_store::{CommitResult, PendingTask, Reader, Store, StoreError};

use crate::breakers::Breakers;
use crate::ingest::{Ingest, Processed};
use crate::lane::Known;
use crate::listening::Slot;
use crate::pace::Pace;
use crate::registry::{LastTold, Registry};
use crate::schedule::fire;
use crate::stats::LaneStats;

/// Tasks of a lane that are run with care after a stop that was not in order. Tasks that call nothing do not count: the
/// follow-ups that a queue often begins with would use the care up before the first call.
const CAREFUL_TASKS: u32 = 64;

/// What lanes share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) schema: Arc<Schema>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) breakers: Breakers,
    pub(crate) pace: Pace,
}

/// How a task's run ended.
pub(crate) enum Handled {
    /// It is done.
    Done,
    /// Something changed meanwhile: run it again at once.
    Again,
    /// Run it again after this time.
    Parked(Timestamp),
}

/// Tells a lane that a task was handled.
pub(crate) struct Report {
    pub(crate) pending: Box<PendingTask>,
    pub(crate) result: Result<Handled, StoreError>,
}

/// Runs tasks.
pub(crate) struct Worker {
    pub(crate) shared: Shared,
    pub(crate) stats: LaneStats,
    pub(crate) reader: Reader,
    host: Box<dyn HookHost>,
    told: LastTold,
    /// Tasks whose calls are still written down before they are made.
    careful_left: u32,
}

impl Worker {
    pub(crate) fn new(shared: Shared, stats: LaneStats, reader: Reader, host: Box<dyn HookHost>) -> Self {
        let careful_left = if shared.store.is_careful() { CAREFUL_TASKS } else { 0 };
        Self { shared, stats, reader, host, told: LastTold::default(), careful_left }
    }

    /// Runs a task; the report is sent when the store has handled the outcome. `known` is what was read of its entity
    /// since the task before it, if anything was.
    pub(crate) fn run(
        &mut self,
        pending: PendingTask,
        known: Option<Known>,
        registry: &Arc<Registry>,
        report: impl FnOnce(Report) + Send + 'static,
    ) {
        self.told.tell(self.host.as_mut(), registry);
        let entity = &pending.task.body.entity;
        let record = match known.map_or_else(|| self.reader.record(entity), Ok) {
            Ok(record) => record,
            Err(error) => {
                // Treated like a refused commit: the lane waits a little and tries again.
                report(Report { pending: Box::new(pending), result: Err(error) });
                return;
            }
        };
        let span = tracing::debug_span!(
            "task", task = %pending.task.id, root = %pending.task.root,
            parent = pending.task.origin.as_ref().map(|origin| tracing::field::display(origin.parent)),
            entity = %entity, depth = pending.task.depth, outcome = tracing::field::Empty
        );
        let _entered = span.enter();
        let mut ingest = Ingest {
            schema: &self.shared.schema,
            registry,
            host: self.host.as_mut(),
            stats: &self.stats,
            breakers: &self.shared.breakers,
            pace: &self.shared.pace,
            careful: (self.careful_left > 0).then_some(&self.shared.store),
            written_down: Cell::new(false),
            now: self.shared.clock.now(),
        };
        let processed = ingest.run(&pending, record);
        span.record("outcome", processed.name());
        self.careful_left = self.careful_left.saturating_sub(u32::from(ingest.written_down.get()));
        if matches!(processed, Processed::Commit(_)) {
            self.stats.processed(&pending.task.body.datapoints);
        }
        self.hand_over(pending, processed, report);
    }

    /// Calls a slot of a timer, unless its module was replaced meanwhile; `lane` is the number that it is stored by.
    pub(crate) fn fire(&mut self, slot: &Arc<Slot>, lane: u32, registry: &Arc<Registry>) {
        self.told.tell(self.host.as_mut(), registry);
        let module = &slot.bound.module;
        if registry.has(&module.name, module.generation) {
            fire::run(slot, lane, self.host.as_mut(), &self.shared, &self.stats);
        }
    }

    fn hand_over(&self, pending: PendingTask, processed: Processed, report: impl FnOnce(Report) + Send + 'static) {
        let mut pending = Box::new(pending);
        match processed {
            Processed::Commit(outcome) => self.shared.store.commit(
                *outcome,
                Box::new(move |result| {
                    let result = result.map(|result| match result {
                        CommitResult::Conflict => Handled::Again,
                        CommitResult::Committed { .. } | CommitResult::Gone => Handled::Done,
                    });
                    report(Report { pending, result });
                }),
            ),
            Processed::Postpone { not_before, errors } => {
                pending.attempts += 1;
                pending.not_before = Some(not_before);
                let (seq, id, attempts) = (pending.seq, pending.task.id, pending.attempts);
                let done = Box::new(move |result: Result<CommitResult, StoreError>| {
                    let result = result.map(|result| match result {
                        CommitResult::Gone => Handled::Done,
                        CommitResult::Committed { .. } | CommitResult::Conflict => Handled::Parked(not_before),
                    });
                    report(Report { pending, result });
                });
                self.shared.store.postpone(seq, id, attempts, not_before, errors, done);
            }
        }
    }
}
