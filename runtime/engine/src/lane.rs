//! One lane: a thread that takes tasks of its entities from the queue, runs them, and hands the outcomes to the store.
//!
//! The lane does not wait for a commit: while one task's outcome is on its way to the disk the lane works on other
//! entities, and the store gathers many outcomes into one transaction. An entity whose task is in flight waits, so the
//! record that a task reads always holds what the task before it wrote. Tasks that would call a slow module are run
//! aside.

mod ahead;
mod waiting;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use tenter_model::limits::GROUP_COMMIT_TASKS;
use tenter_model::task::{Queue, TaskBody};
use tenter_store::{CommitNews, PendingTask, StoreError};

use crate::aside::{Job, Jobs};
use crate::pace::Beside;
use crate::registry::SharedRegistry;
use crate::schedule::Firing;
use crate::worker::{Handled, Report, Worker};
pub(crate) use ahead::Known;
use ahead::{AT_ONCE, Ahead};
use waiting::Waiting;

/// Outcomes on their way to the disk, per lane; enough to fill group commits.
const MAX_IN_FLIGHT: usize = 2 * GROUP_COMMIT_TASKS;
/// Tasks of one lane that may be aside, for each reason to be there; more wait, and let others by.
const MAX_ASIDE: usize = 64;
/// How long such a task waits before it is looked at again, in microseconds.
const ASIDE_PAUSE_US: i64 = 20_000;
/// Tasks read ahead from the store, per queue.
const READ_AHEAD: usize = 2 * GROUP_COMMIT_TASKS;
/// A lane looks at the clock at least this often while a task is parked.
const PARK_POLL: Duration = Duration::from_millis(20);
/// Pause after the store refused, before the lane tries again.
const STORE_PAUSE: Duration = Duration::from_millis(500);

/// What a lane works with.
pub(crate) struct Context {
    pub(crate) worker: Worker,
    pub(crate) registry: SharedRegistry,
    pub(crate) aside: Jobs,
    pub(crate) number: u32,
    pub(crate) count: u32,
}

/// What happens to a lane.
pub(crate) enum Event {
    /// An outcome was handled by the store; the task was run in the lane.
    Handled(Report),
    /// The same, of a task that was run aside.
    HandledAside(Report, Beside),
    /// A slot of a timer.
    Fire(Arc<Firing>),
    /// There may be new tasks, or a new registry.
    Wake,
    /// Finish.
    Stop,
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

    pub(crate) fn fire(&self, firing: &Arc<Firing>) {
        self.send(Event::Fire(firing.clone()));
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
pub(crate) fn prepare(context: Context) -> (Handle, impl FnOnce() + Send + 'static) {
    let (sender, events) = channel();
    let handle = Handle { events: sender.clone(), number: context.number, count: context.count };
    let lane = Lane {
        context,
        events,
        sender,
        waiting: Waiting::default(),
        ahead: Ahead::default(),
        in_flight: 0,
        aside: Away::default(),
        fresh: [true, true],
        cursor: [None, None],
        stopping: false,
    };
    (handle, move || lane.run())
}

struct Lane {
    context: Context,
    events: Receiver<Event>,
    sender: Sender<Event>,
    waiting: Waiting,
    ahead: Ahead,
    /// Tasks given out and not yet handled by the store.
    in_flight: usize,
    /// Of these, the ones that are run aside.
    aside: Away,
    /// Whether the store may have tasks beyond the cursor: priority, normal.
    fresh: [bool; 2],
    /// Last sequence number read: priority, normal.
    cursor: [Option<u64>; 2],
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
            if !self.stopping && self.in_flight < MAX_IN_FLIGHT + self.aside.slow + self.aside.waiting {
                if let Err(error) = self.refill() {
                    tracing::error!(lane = self.context.number, "cannot read the queue: {error}");
                    self.wait(Some(STORE_PAUSE));
                    continue;
                }
                self.waiting.unpark(self.context.worker.shared.clock.now());
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
            Event::Fire(firing) => {
                let registry = self.context.registry.current();
                self.context.worker.fire(&firing.slot, self.context.number, &registry);
            }
            Event::Handled(report) => self.settle(report),
            Event::HandledAside(report, beside) => {
                *self.aside.of(beside) -= 1;
                self.settle(report);
            }
        }
    }

    fn settle(&mut self, Report { pending, result }: Report) {
        self.in_flight -= 1;
        match result {
            Ok(Handled::Done) => self.waiting.release(&pending.task.body.entity),
            Ok(Handled::Again) => self.waiting.put_back(*pending),
            Ok(Handled::Parked(until)) => self.waiting.park(*pending, until),
            Err(error) => {
                tracing::error!(
                    lane = self.context.number, task = %pending.task.id,
                    "the store refused, the task is tried again: {error}"
                );
                let pause = i64::try_from(STORE_PAUSE.as_micros()).unwrap_or(i64::MAX);
                self.pause(*pending, pause);
            }
        }
    }

    fn pause(&mut self, pending: PendingTask, micros: i64) {
        let until = self.context.worker.shared.clock.now().saturating_add(micros);
        self.waiting.park(pending, until);
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
            let reader = &self.context.worker.reader;
            let tasks = reader.pending(queue, *cursor, self.context.number, self.context.count, limit)?;
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

    /// What was read ahead of the entity of a task that was just given out. If nothing was, it is read now, and with it
    /// what the tasks behind it will need.
    fn known(&mut self, body: &TaskBody) -> Option<Known> {
        if !self.ahead.has(&body.entity) {
            let mut entities = vec![body.entity.clone()];
            entities.extend(self.waiting.upcoming(AT_ONCE, |entity| self.ahead.has(entity)));
            if let Err(error) = self.ahead.fill(&self.context.worker.reader, entities) {
                // The worker reads the record itself, and reports.
                tracing::debug!(lane = self.context.number, "nothing was read ahead: {error}");
            }
        }
        self.ahead.take(&body.entity)
    }

    fn process(&mut self, pending: PendingTask) {
        let known = self.known(&pending.task.body);
        let registry = self.context.registry.current();
        let worker = &mut self.context.worker;
        let body = &pending.task.body;
        // A store that cannot be read is the worker's to report.
        let is_known = || worker.reader.is_known(&body.entity).unwrap_or(true);
        let Some(beside) = worker.shared.pace.beside(&registry, body, is_known) else {
            self.in_flight += 1;
            worker.run(pending, known, &registry, tell(&self.sender));
            return;
        };
        if *self.aside.of(beside) >= MAX_ASIDE {
            self.pause(pending, ASIDE_PAUSE_US);
            return;
        }
        self.in_flight += 1;
        *self.aside.of(beside) += 1;
        let job = Job { pending, registry, events: self.sender.clone(), beside };
        if let Err(refused) = self.context.aside.of(beside).send(job) {
            // The threads aside have ended, which they do only after the lanes; run it here.
            *self.aside.of(beside) -= 1;
            let Job { pending, registry, events, .. } = refused.0;
            self.context.worker.run(pending, None, &registry, tell(&events));
        }
    }
}

/// Tasks that are run aside, by the reason.
#[derive(Default)]
struct Away {
    slow: usize,
    waiting: usize,
}

impl Away {
    fn of(&mut self, beside: Beside) -> &mut usize {
        match beside {
            Beside::Slow => &mut self.slow,
            Beside::Waiting => &mut self.waiting,
        }
    }
}

/// Tells the lane that a task it ran was handled.
fn tell(events: &Sender<Event>) -> impl FnOnce(Report) + Send + 'static {
    let events = events.clone();
    move |report| {
        // The lane waits for its tasks in flight before it ends.
        let _gone = events.send(Event::Handled(report));
    }
}
