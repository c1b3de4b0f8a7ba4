//! One lane: a thread that takes tasks of its entities from the queue, runs them, and hands the outcomes to the store.
//!
//! The lane does not wait for a commit: while one task's outcome is on its way to the disk the lane works on other
//! entities, and the store gathers many outcomes into one transaction. An entity whose task is in flight waits, so the
//! record that a task reads always holds what the task before it wrote.

mod waiting;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use tenter_model::limits::GROUP_COMMIT_TASKS;
use tenter_model::task::Queue;
use tenter_model::time::Clock;
use tenter_model::{EntityRef, HookHost, Schema, Timestamp};
use tenter_store::{CommitNews, CommitResult, PendingTask, Reader, Store, StoreError};

use crate::breakers::Breakers;
use crate::ingest::{Ingest, Processed};
use crate::registry::SharedRegistry;
use crate::stats::LaneStats;
use waiting::Waiting;

/// Outcomes on their way to the disk, per lane; enough to fill group commits.
const MAX_IN_FLIGHT: usize = 2 * GROUP_COMMIT_TASKS;
/// Tasks read ahead from the store, per queue.
const READ_AHEAD: usize = 2 * GROUP_COMMIT_TASKS;
/// A lane looks at the clock at least this often while a task is parked.
const PARK_POLL: Duration = Duration::from_millis(50);
/// Pause after the store refused, before the lane tries again.
const STORE_PAUSE: Duration = Duration::from_millis(500);

/// What a lane works with.
pub(crate) struct Context {
    pub(crate) store: Store,
    pub(crate) schema: Arc<Schema>,
    pub(crate) registry: SharedRegistry,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stats: LaneStats,
    pub(crate) breakers: Breakers,
    pub(crate) number: u32,
    pub(crate) count: u32,
}

enum Event {
    /// An outcome was handled by the store.
    Handled { pending: Box<PendingTask>, result: Result<Handled, StoreError> },
    /// There may be new tasks, or a new registry.
    Wake,
    /// Finish.
    Stop,
}

enum Handled {
    Done,
    Again,
    Parked(Timestamp),
}

/// Talks to a running lane.
#[derive(Clone)]
pub(crate) struct Handle {
    events: Sender<Event>,
    number: u32,
    count: u32,
}

impl Handle {
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    pub(crate) fn news(&self, news: &CommitNews) {
        if news.concerns(self.number, self.count) {
            self.send(Event::Wake);
        }
    }

    pub(crate) fn wake(&self) {
        self.send(Event::Wake);
    }

    pub(crate) fn stop(&self) {
        self.send(Event::Stop);
    }

    fn send(&self, event: Event) {
        // A lane that has ended needs no news.
        let _gone = self.events.send(event);
    }
}

/// Makes a lane and the function that its thread is to run.
pub(crate) fn prepare(
    context: Context,
    reader: Reader,
    host: Box<dyn HookHost>,
) -> (Handle, impl FnOnce() + Send + 'static) {
    let (sender, events) = channel();
    let handle = Handle { events: sender.clone(), number: context.number, count: context.count };
    let lane = Lane {
        context,
        reader,
        host,
        events,
        sender,
        waiting: Waiting::default(),
        in_flight: 0,
        fresh: [true, true],
        cursor: [None, None],
        generation: 0,
        stopping: false,
    };
    (handle, move || lane.run())
}

struct Lane {
    context: Context,
    reader: Reader,
    host: Box<dyn HookHost>,
    events: Receiver<Event>,
    sender: Sender<Event>,
    waiting: Waiting,
    in_flight: usize,
    /// Whether the store may have tasks beyond the cursor: priority, normal.
    fresh: [bool; 2],
    /// Last sequence number read: priority, normal.
    cursor: [Option<u64>; 2],
    /// Address of the registry that the host was last told of.
    generation: usize,
    stopping: bool,
}

impl Lane {
    fn run(mut self) {
        loop {
            while let Ok(event) = self.events.try_recv() {
                self.handle(event);
            }
            if self.stopping && self.in_flight == 0 {
                return;
            }
            if !self.stopping && self.in_flight < MAX_IN_FLIGHT {
                if let Err(error) = self.refill() {
                    tracing::error!(lane = self.context.number, "cannot read the queue: {error}");
                    self.wait(Some(STORE_PAUSE));
                    continue;
                }
                self.waiting.unpark(self.context.clock.now());
                if let Some(pending) = self.waiting.next() {
                    self.process(pending);
                    continue;
                }
            }
            let timeout = self.waiting.has_parked().then_some(PARK_POLL);
            self.wait(timeout);
        }
    }

    fn wait(&mut self, timeout: Option<Duration>) {
        let event = match timeout {
            Some(timeout) => self.events.recv_timeout(timeout),
            None => self.events.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match event {
            Ok(event) => self.handle(event),
            Err(RecvTimeoutError::Timeout) => {}
            // The lane holds a sender of its own, so this cannot be; ending is the safe answer.
            Err(RecvTimeoutError::Disconnected) => self.stopping = true,
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Wake => self.fresh = [true, true],
            Event::Stop => self.stopping = true,
            Event::Handled { pending, result } => {
                self.in_flight -= 1;
                match result {
                    Ok(Handled::Done) => self.waiting.release(&pending.task.body.entity),
                    Ok(Handled::Again) => self.waiting.put_back(*pending),
                    Ok(Handled::Parked(until)) => self.waiting.park(*pending, until),
                    Err(error) => {
                        tracing::error!(
                            lane = self.context.number, task = %pending.task.id,
                            "the store refused an outcome, the task is tried again: {error}"
                        );
                        let pause = i64::try_from(STORE_PAUSE.as_micros()).unwrap_or(i64::MAX);
                        let until = self.context.clock.now().saturating_add(pause);
                        self.waiting.park(*pending, until);
                    }
                }
            }
        }
    }

    /// Reads ahead from the store where there may be more.
    fn refill(&mut self) -> Result<(), StoreError> {
        for (slot, queue) in [Queue::Priority, Queue::Normal].into_iter().enumerate() {
            let (Some(fresh), Some(cursor)) = (self.fresh.get_mut(slot), self.cursor.get_mut(slot)) else { continue };
            let room = READ_AHEAD.saturating_sub(self.waiting.len(queue));
            if !*fresh || room < READ_AHEAD / 4 {
                continue;
            }
            let limit = u32::try_from(room).unwrap_or(u32::MAX);
            let tasks = self.reader.pending(queue, *cursor, self.context.number, self.context.count, limit)?;
            *fresh = tasks.len() == room;
            for pending in tasks {
                *cursor = Some(pending.seq);
                match pending.not_before {
                    Some(until) => self.waiting.add_parked(pending, until),
                    None => self.waiting.add(pending),
                }
            }
        }
        Ok(())
    }

    fn process(&mut self, pending: PendingTask) {
        let registry = self.context.registry.current();
        let generation = Arc::as_ptr(&registry) as usize;
        if generation != self.generation {
            self.generation = generation;
            let current = registry.clone();
            self.host.retain(&move |name, generation| current.has(name, generation));
        }
        let entity = pending.task.body.entity.clone();
        let record = match self.reader.record(&entity) {
            Ok(record) => record,
            Err(error) => {
                self.refused(pending, &entity, error);
                return;
            }
        };
        let span = tracing::debug_span!("task", task = %pending.task.id, entity = %entity);
        let _entered = span.enter();
        let mut ingest = Ingest {
            schema: &self.context.schema,
            registry: &registry,
            host: self.host.as_mut(),
            stats: &self.context.stats,
            breakers: &self.context.breakers,
            now: self.context.clock.now(),
        };
        let processed = ingest.run(&pending, record);
        self.in_flight += 1;
        let events = self.sender.clone();
        match processed {
            Processed::Commit(outcome) => {
                let pending = Box::new(pending);
                self.context.store.commit(
                    *outcome,
                    Box::new(move |result| {
                        let result = result.map(|result| match result {
                            CommitResult::Conflict => Handled::Again,
                            CommitResult::Committed { .. } | CommitResult::Gone => Handled::Done,
                        });
                        let _gone = events.send(Event::Handled { pending, result });
                    }),
                );
            }
            Processed::Postpone { not_before, errors } => {
                let mut pending = Box::new(pending);
                pending.attempts += 1;
                pending.not_before = Some(not_before);
                let (seq, id, attempts) = (pending.seq, pending.task.id, pending.attempts);
                self.context.store.postpone(
                    seq,
                    id,
                    attempts,
                    not_before,
                    errors,
                    Box::new(move |result| {
                        let result = result.map(|result| match result {
                            CommitResult::Gone => Handled::Done,
                            CommitResult::Committed { .. } | CommitResult::Conflict => Handled::Parked(not_before),
                        });
                        let _gone = events.send(Event::Handled { pending, result });
                    }),
                );
            }
        }
    }

    /// Treats a failed read like a refused commit.
    fn refused(&mut self, pending: PendingTask, entity: &EntityRef, error: StoreError) {
        tracing::debug!(entity = %entity, "cannot read the record");
        self.in_flight += 1;
        self.handle(Event::Handled { pending: Box::new(pending), result: Err(error) });
    }
}
