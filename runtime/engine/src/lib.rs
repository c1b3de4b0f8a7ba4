//! What happens when: the queue's lanes, the flow of one task, and which module is called at which moment.
//!
//! The engine knows the domain ([`tenter_model`]) and the store, but neither wasm nor HTTP: guests are entered through
//! the trait [`HookHost`], so the whole flow is tested with a scripted one. Everything here is synchronous and runs on
//! plain threads:
//!
//! * each *lane* is one thread with its own warm instances and its own read connection; an entity belongs to one lane,
//!   so one task of an entity is in flight at a time,
//! * the store's writer thread commits what lanes hand over, many tasks in one transaction.
//!
//! No transaction is open while a guest runs. The [`Registry`] is immutable; loading a module builds a new one and
//! swaps it, and a running task finishes on the one it began with.

mod aside;
pub mod breakers;
mod call;
pub mod case;
pub mod ingest;
mod lane;
pub mod links;
mod listening;
pub mod pace;
pub mod registry;
pub mod schedule;
mod snapshot;
pub mod stats;
pub mod update;
pub mod upkeep;
mod worker;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tenter_model::host::HostData;
use tenter_model::task::{Queue, Task, TaskBody, TaskId};
use tenter_model::time::Clock;
use tenter_model::{HookHost, HookKind, ModuleName, Schema};
use tenter_store::{Admission, Store, StoreError};

pub use breakers::Breakers;
pub use pace::Pace;
pub use registry::{Registry, SharedRegistry};
pub use schedule::{Job, JobContext, JobError, JobInfo, JobRun, Scheduler, TimerInfo};
pub use snapshot::{CreationReport, SnapshotError, SnapshotOptions, SnapshotProgress, SnapshotReport, UNDECLARED};
pub use stats::{HookStats, OTHER_SOURCES, Stats, SubscriptionStats};
pub use update::{UpdateError, UpdateReport};
pub use upkeep::{ArchiveReport, GarbageReport, HistoryReport, UpkeepError};

use aside::Aside;
pub use aside::WAITING;
use schedule::Targets;
use snapshot::Snapshots;
use worker::{Shared, Worker};

/// The kinds of hook that this engine calls, which are all.
pub const DRIVEN: &[HookKind] = &[
    HookKind::OnTaskStart,
    HookKind::AllowEntityCreation,
    HookKind::OnEntityCreation,
    HookKind::OnNewAttribute,
    HookKind::SnapshotInit,
    HookKind::SnapshotFinalize,
    HookKind::Timeseries,
    HookKind::Correlate,
    HookKind::CorrelateWithRecord,
    HookKind::UpdateRecord,
    HookKind::UpdateEntity,
    HookKind::Cron,
    HookKind::Before,
    HookKind::After,
    HookKind::Manual,
];

/// Makes the host of one lane.
pub type MakeHost = Box<dyn Fn(Arc<dyn HostData>) -> Box<dyn HookHost> + Send + Sync>;
/// Makes ids for tasks from outside.
pub type MakeId = Box<dyn Fn(tenter_model::Timestamp) -> TaskId + Send + Sync>;

/// Called once, on the store's writer thread, when tasks from outside are on disk or were refused.
pub type Admitted = Box<dyn FnOnce(Result<Vec<(TaskId, Admission)>, StoreError>) + Send>;

/// What an engine is built from.
pub struct Parts {
    /// Where everything is kept.
    pub store: Store,
    /// The entity specification.
    pub schema: Arc<Schema>,
    /// Which modules are called when.
    pub registry: SharedRegistry,
    /// Enters guests.
    pub make_host: MakeHost,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub make_id: MakeId,
    /// Number of lanes, at least 1.
    pub lanes: u32,
}

/// Why the engine could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store refused a read connection.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The operating system refused a thread.
    #[error("cannot start a thread for lane {lane}: {source}")]
    Thread {
        /// Number of the lane.
        lane: u32,
        /// Why.
        source: std::io::Error,
    },
    /// Something that is started once was to be started again.
    #[error("the service for case objects is started already")]
    Twice,
}

/// The running engine.
pub struct Engine {
    store: Store,
    schema: Arc<Schema>,
    registry: SharedRegistry,
    clock: Arc<dyn Clock>,
    make_id: MakeId,
    stats: Stats,
    breakers: Breakers,
    pace: Pace,
    lanes: u32,
    scheduler: Scheduler,
    running: Mutex<Vec<(lane::Handle, JoinHandle<()>)>>,
    aside: Mutex<Option<Aside>>,
    shared: Shared,
    snapshots: Snapshots,
    updater: update::Updater,
    cases: Mutex<Option<case::Kit>>,
}

impl Engine {
    /// Starts the lanes; tasks that wait in the store are taken up at once.
    ///
    /// # Errors
    /// [`StartError`] when the store or the operating system refuses.
    pub fn start(parts: Parts) -> Result<Self, StartError> {
        let Parts { store, schema, registry, make_host, clock, make_id, lanes } = parts;
        let count = lanes.max(1);
        let stats = Stats::default();
        let breakers = breakers::stored(&store)?;
        let pace = Pace::default();
        let shared = Shared {
            store: store.clone(),
            schema: schema.clone(),
            clock: clock.clone(),
            breakers: breakers.clone(),
            pace: pace.clone(),
        };
        let new_host = || -> Result<Box<dyn HookHost>, StoreError> { Ok(make_host(Arc::new(store.reader()?))) };
        let worker = |host| -> Result<Worker, StoreError> {
            Ok(Worker::new(shared.clone(), stats.lane(), store.reader()?, host))
        };
        let mut targets = Targets::default();
        let mut beside = |threads: usize| -> Result<Vec<Worker>, StoreError> {
            (0..threads).map(|_| worker(targets.listening(new_host()?))).collect()
        };
        let (slow, waiting) = (beside(usize::try_from(count / 2).unwrap_or(1).max(1))?, beside(WAITING)?);
        let aside = Aside::start(slow, waiting).map_err(|source| StartError::Thread { lane: count, source })?;
        let mut snapshot_lanes = Vec::new();
        for number in 0..count {
            let host = targets.listening(new_host()?);
            snapshot_lanes.push(snapshot::Lane::new(number, host, store.reader()?, stats.lane()));
        }
        let sweeper = targets.listening(new_host()?);
        let updater = update::Updater::new(shared.clone(), sweeper, store.reader()?, stats.lane());
        let mut seats = Vec::new();
        for _ in 0..case::seats(count) {
            seats.push(case::Seat::new(targets.listening(new_host()?), stats.lane()));
        }
        let kit = case::Kit { shared: shared.clone(), registry: registry.clone(), seats };
        let mut running = Vec::new();
        for number in 0..count {
            let context = lane::Context {
                worker: worker(new_host()?)?,
                registry: registry.clone(),
                aside: aside.jobs.clone(),
                number,
                count,
            };
            let (handle, run) = lane::prepare(context);
            let thread = std::thread::Builder::new()
                .name(format!("lane-{number}"))
                .spawn(run)
                .map_err(|source| StartError::Thread { lane: number, source })?;
            let told = handle.clone();
            targets.lane(number, Box::new(move |firing| told.fire(firing)));
            running.push((handle, thread));
        }
        let handles: Vec<lane::Handle> = running.iter().map(|(handle, _)| handle.clone()).collect();
        store.subscribe_commits(Box::new(move |news| {
            for handle in &handles {
                handle.news(news);
            }
        }));
        for (handle, _) in &running {
            handle.wake();
        }
        let context = schedule::Context { store: store.clone(), clock: clock.clone(), registry: registry.clone() };
        let scheduler = Scheduler::start(context, targets)?;
        Ok(Self {
            store,
            schema,
            registry,
            clock,
            make_id,
            stats,
            breakers,
            pace,
            lanes: count,
            scheduler,
            running: Mutex::new(running),
            aside: Mutex::new(Some(aside)),
            shared,
            snapshots: Snapshots::new(snapshot_lanes),
            updater,
            cases: Mutex::new(Some(kit)),
        })
    }

    /// Starts the service for case objects, once; `random` makes bytes for uuids.
    ///
    /// # Errors
    /// [`StartError`] when the operating system refuses, or when it is started a second time.
    pub fn start_cases(&self, random: case::MakeRandom) -> Result<case::Cases, StartError> {
        let kit = self.cases.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or(StartError::Twice)?;
        case::Cases::start(kit, random).map_err(|source| StartError::Thread { lane: self.lanes, source })
    }

    /// Takes tasks from outside: all or none. `done` is called on the store's writer thread once they are on disk.
    pub fn admit(&self, bodies: Vec<TaskBody>, done: Admitted) {
        let now = self.clock.now();
        let tasks: Vec<Task> = bodies
            .into_iter()
            .map(|body| {
                let id = (self.make_id)(now);
                Task { id, root: id, depth: 0, queue: Queue::Normal, origin: None, body }
            })
            .collect();
        let ids: Vec<TaskId> = tasks.iter().map(|task| task.id).collect();
        self.store.admit(
            tasks,
            now,
            Box::new(move |result| done(result.map(|admissions| ids.into_iter().zip(admissions).collect()))),
        );
    }

    /// The entity specification.
    #[must_use]
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// Which modules are called when.
    #[must_use]
    pub fn registry(&self) -> &SharedRegistry {
        &self.registry
    }

    /// What hooks did since the start.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Which hooks are paused.
    #[must_use]
    pub fn breakers(&self) -> &Breakers {
        &self.breakers
    }

    /// Lets paused hooks of a module go, or one of them; the audit log names `actor`. Returns how many were paused.
    ///
    /// # Errors
    /// What the store says; the hooks are released all the same until a restart.
    pub fn release(&self, module: &ModuleName, kind: Option<HookKind>, actor: &str) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let paused = self.breakers.release(module, kind, now);
        let store = self.store.acting(actor, now);
        for row in self.store.reader()?.breakers()? {
            if row.module == *module && kind.is_none_or(|kind| kind.name() == row.hook) {
                store.release_breaker(module, &row.hook)?;
            }
        }
        Ok(paused)
    }

    /// Which modules are slow.
    #[must_use]
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    /// Makes every lane look for work and for a changed registry, such as after a swap.
    pub fn wake(&self) {
        for (handle, _) in self.running.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            handle.wake();
        }
        self.scheduler.look();
    }

    /// What happens by the clock.
    #[must_use]
    pub fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }

    /// Number of lanes.
    #[must_use]
    pub fn lanes(&self) -> u32 {
        self.lanes
    }

    /// Whether every lane's thread runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        !running.is_empty() && running.iter().all(|(_, thread)| !thread.is_finished())
    }

    /// Lets each lane finish and commit the task it is at, then stops them. What waits stays on disk, and a
    /// snapshot run goes on after the next start. Later calls do nothing.
    pub fn drain(&self) {
        self.scheduler.halt();
        self.snapshots.stop();
        self.scheduler.join_jobs();
        let running = std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
        for (handle, _) in &running {
            handle.stop();
        }
        for (handle, thread) in running {
            if thread.join().is_err() {
                tracing::error!(lane = handle.number(), "the lane ended by a panic");
            }
        }
        let aside = self.aside.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Aside { jobs, threads }) = aside {
            drop(jobs);
            for thread in threads {
                if thread.join().is_err() {
                    tracing::error!("a thread aside ended by a panic");
                }
            }
        }
    }
}
