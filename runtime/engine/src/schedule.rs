//! What happens by the clock: slots of modules' timers, and the platform's jobs.
//!
//! One thread looks at the clock and at what is due. It calls nothing itself: a slot goes to every lane, which calls the
//! hook in its own instance between two tasks, so that what the hook prepares in memory serves the later hooks of that
//! lane; a job runs on a thread of its own. A lane commits its slot with all that the call left, so a slot that was cut
//! short by a stop is called again after the start, in the lanes that had not got to it; tasks have ids that are a
//! function of the slot and enter once.
//!
//! The thread waits for the earliest time, and never longer than [`LONGEST_WAIT`], since the clock may be moved. Tests
//! move theirs and call [`Scheduler::settle`].

pub(crate) mod fire;
mod jobs;
mod timers;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use tenter_model::time::Clock;
use tenter_model::{HookHost, Timestamp};
use tenter_store::{Entered, Produced, Store, StoreError, TimerKey};

use crate::listening::{Listening, Slot};
use crate::registry::SharedRegistry;
pub use jobs::{Job, JobContext, JobError, JobInfo, JobRun, RunJob};
use jobs::{Jobs, Start};
pub use timers::TimerInfo;
use timers::{Dealt, Due, Key, Timers};

/// The clock is looked at least this often.
pub const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// A slot on its way through the lanes; it is at work as long as anyone has it.
pub(crate) struct Firing {
    pub(crate) slot: Arc<Slot>,
    _busy: Busy,
}

/// Gives a slot to a lane.
pub(crate) type Tell = Box<dyn Fn(&Arc<Firing>) + Send + Sync>;

struct Target {
    /// Slots are stored by this number; `None`: the lane hears of slots and stores none.
    lane: Option<u32>,
    tell: Tell,
}

enum Message {
    /// Something may be due.
    Look,
    /// The same; tell how much was started or waits.
    Settle(Sender<usize>),
    Stop,
}

/// Runs what is due.
pub struct Scheduler {
    inner: Arc<Inner>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Inner {
    store: Store,
    clock: Arc<dyn Clock>,
    registry: SharedRegistry,
    targets: Vec<Target>,
    state: Mutex<State>,
    messages: Sender<Message>,
    activity: Arc<Activity>,
}

struct State {
    timers: Timers,
    jobs: Jobs,
    /// What lanes had dealt with when this process began.
    stored: HashMap<Key, Dealt>,
    threads: Vec<JoinHandle<()>>,
}

/// How much is at work.
#[derive(Default)]
struct Activity {
    count: Mutex<usize>,
    less: Condvar,
}

/// Counts as work as long as it lives; its end lets the scheduler look again.
struct Busy {
    activity: Arc<Activity>,
    messages: Sender<Message>,
}

impl Drop for Busy {
    fn drop(&mut self) {
        *self.activity.count.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.activity.less.notify_all();
        // A scheduler that has ended needs no news.
        let _gone = self.messages.send(Message::Look);
    }
}

/// What a scheduler is built from.
pub(crate) struct Context {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) registry: SharedRegistry,
}

/// The lanes that a scheduler is to tell; filled before its start.
#[derive(Default)]
pub(crate) struct Targets(Vec<Target>);

impl Targets {
    /// A lane that calls each slot and stores that it did.
    pub(crate) fn lane(&mut self, lane: u32, tell: Tell) {
        self.0.push(Target { lane: Some(lane), tell });
    }

    /// A host that hears of slots for the memory of its instances alone.
    pub(crate) fn listening(&mut self, host: Box<dyn HookHost>) -> Box<dyn HookHost> {
        let (host, inbox) = Listening::around(host);
        self.0.push(Target { lane: None, tell: Box::new(move |firing| inbox.put(firing.slot.clone())) });
        host
    }
}

impl Scheduler {
    /// Starts the thread. What was missed while the process was down is made up for at once, within its grace.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) fn start(context: Context, targets: Targets) -> Result<Self, StoreError> {
        let Context { store, clock, registry } = context;
        let mut stored: HashMap<Key, Dealt> = HashMap::new();
        for row in store.reader()?.slots()? {
            let TimerKey { module, subscription, lane } = row.timer;
            stored.entry((module, subscription)).or_default().insert(lane, row.slot);
        }
        let (messages, inbox) = channel();
        let state = State { timers: Timers::default(), jobs: Jobs::new(clock.clone()), stored, threads: Vec::new() };
        let inner = Arc::new(Inner {
            store,
            clock,
            registry,
            targets: targets.0,
            state: Mutex::new(state),
            messages,
            activity: Arc::default(),
        });
        // Timers count from now, and not from when the thread gets to it.
        inner.due();
        let working = inner.clone();
        let thread = std::thread::Builder::new().name("scheduler".to_owned()).spawn(move || working.run(&inbox));
        let thread =
            thread.map_err(|error| StoreError::Io(format!("cannot start the thread of the scheduler: {error}")))?;
        Ok(Self { inner, thread: Mutex::new(Some(thread)) })
    }

    /// Adds a job.
    ///
    /// # Errors
    /// When its name is taken or its schedule cannot be read.
    pub fn add_job(&self, job: Job) -> Result<(), JobError> {
        let now = self.inner.clock.now();
        self.inner.state().jobs.add(job, now)?;
        self.look();
        Ok(())
    }

    /// Starts a job now, beside its schedule. It has begun when this returns, and not ended.
    ///
    /// # Errors
    /// When there is none of that name, or it runs, or the scheduler has ended.
    pub fn run_job(&self, name: &str, arguments: Value) -> Result<(), JobError> {
        let now = self.inner.clock.now();
        let mut state = self.inner.state();
        if state.jobs.stopping.load(Ordering::Relaxed) {
            return Err(JobError::Ended);
        }
        let start = state.jobs.request(name, arguments, now)?;
        self.inner.start_job(&mut state, start);
        Ok(())
    }

    /// All jobs.
    #[must_use]
    pub fn jobs(&self) -> Vec<JobInfo> {
        self.inner.state().jobs.info()
    }

    /// All timers of loaded modules.
    #[must_use]
    pub fn timers(&self) -> Vec<TimerInfo> {
        self.inner.state().timers.info()
    }

    /// Lets the thread look at the clock and at the loaded modules.
    pub fn look(&self) {
        // A scheduler that has ended looks at nothing.
        let _gone = self.inner.messages.send(Message::Look);
    }

    /// Starts what is due and waits until it, and what comes due meanwhile, has ended.
    pub fn settle(&self) {
        loop {
            let (sender, answer) = channel();
            if self.inner.messages.send(Message::Settle(sender)).is_err() {
                return;
            }
            let Ok(started) = answer.recv() else { return };
            let activity = &self.inner.activity;
            let mut count = activity.count.lock().unwrap_or_else(PoisonError::into_inner);
            let had_work = *count > 0;
            while *count > 0 {
                count = activity.less.wait(count).unwrap_or_else(PoisonError::into_inner);
            }
            if started == 0 && !had_work {
                return;
            }
        }
    }

    /// Starts nothing more, and tells jobs to end.
    pub(crate) fn halt(&self) {
        self.inner.state().jobs.stopping.store(true, Ordering::Relaxed);
        let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        // Joined below whether or not it still listens.
        let _gone = self.inner.messages.send(Message::Stop);
        if thread.join().is_err() {
            tracing::error!("the scheduler ended by a panic");
        }
    }

    /// Waits for the jobs that run.
    pub(crate) fn join_jobs(&self) {
        let threads = std::mem::take(&mut self.inner.state().threads);
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("the thread of a job ended by a panic");
            }
        }
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        self.halt();
    }
}

impl Inner {
    fn run(self: &Arc<Self>, inbox: &Receiver<Message>) {
        loop {
            self.due();
            match inbox.recv_timeout(self.wait()) {
                Ok(Message::Look) | Err(RecvTimeoutError::Timeout) => {}
                Ok(Message::Settle(answer)) => {
                    // Whoever asked may have gone.
                    let _gone = answer.send(self.due());
                }
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Starts what is due; gives how much that was, with what waits for something earlier.
    fn due(self: &Arc<Self>) -> usize {
        let now = self.clock.now();
        let registry = self.registry.current();
        let mut state = self.state();
        let State { timers, jobs, stored, .. } = &mut *state;
        let new = timers.update(&registry, &|key| stored.get(key).cloned().unwrap_or_default(), now);
        let slots = timers.due(now);
        let starts = jobs.due(now);
        let count = slots.len() + starts.len() + timers.waiting(now);
        for Due { key, slot, lanes } in slots {
            let firing = Arc::new(Firing { slot: Arc::new(slot), _busy: self.busy() });
            timers.started(&key, &firing);
            for target in &self.targets {
                let told = target.lane.and_then(|lane| lanes.get(&lane)).is_some_and(|dealt| *dealt >= firing.slot.at);
                if !told {
                    (target.tell)(&firing);
                }
            }
        }
        for start in starts {
            self.start_job(&mut state, start);
        }
        drop(state);
        for (key, from) in new {
            self.note(key, from);
        }
        count
    }

    /// Stores from when a new timer counts, so that a slot that is missed before its first one is known to be.
    fn note(&self, (module, subscription): Key, from: Timestamp) {
        for lane in self.targets.iter().filter_map(|target| target.lane) {
            let timer = TimerKey { module: module.clone(), subscription: subscription.clone(), lane };
            let told = |result: Result<Option<Entered>, StoreError>| {
                if let Err(error) = result {
                    tracing::error!("cannot store from when a timer counts: {error}");
                }
            };
            self.store.fire_slot(timer, from, Produced::default(), from, Box::new(told));
        }
    }

    fn start_job(self: &Arc<Self>, state: &mut State, start: Start) {
        let Start { name, run, context } = start;
        let (busy, inner, at) = (self.busy(), self.clone(), context.at);
        state.threads.retain(|thread| !thread.is_finished());
        tracing::info!(job = name, %at, "the job begins");
        let job = name.clone();
        let work = move || {
            let result = std::panic::catch_unwind(AssertUnwindSafe(|| run(&context)));
            let result = result.unwrap_or_else(|_| Err("it panicked; please report it with the log".to_owned()));
            inner.state().jobs.ended(&job, at, result);
            drop(busy);
        };
        match std::thread::Builder::new().name(format!("job-{name}")).spawn(work) {
            Ok(thread) => state.threads.push(thread),
            Err(error) => state.jobs.ended(&name, at, Err(format!("cannot start a thread: {error}"))),
        }
    }

    fn wait(&self) -> Duration {
        let now = self.clock.now();
        let state = self.state();
        let next = [state.timers.next(), state.jobs.next()].into_iter().flatten().min();
        let micros = next.map_or(i64::MAX, |next| next.since(now).max(0));
        Duration::from_micros(micros.unsigned_abs()).min(LONGEST_WAIT)
    }

    fn busy(&self) -> Busy {
        *self.activity.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Busy { activity: self.activity.clone(), messages: self.messages.clone() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
