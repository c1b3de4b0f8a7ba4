//! Snapshot runs: the current values of all entities at one time, fused by correlation hooks, visible together when the
//! run is complete (G9).
//!
//! [`Snapshots::run`] reads from top to bottom in the order of a run: `snapshot-init` on every lane, then components and
//! all other entities in portions, `snapshot-finalize` on every lane, completion. Each portion is saved in one
//! transaction with all that its hooks left, and ids of tasks are a function of run, module, subscription, entity and
//! place in the output, so a run that was interrupted goes on where it was: what is saved is passed over, what is not is
//! computed again at the run's own time, and no task enters twice.
//!
//! A run works on the registry that it began with. It has lanes of its own, as many as there are ingest lanes, whose
//! threads live as long as the run and whose instances live as long as the process. One run at a time.
//!
//! Memory holds the identities of linked entities (see [`feed`]), at most four portions for each lane, and of components
//! with more than a thousand entities one at a time; a component of more than
//! [`MAX_MEMBERS`] entities is split, see [`tenter_model::snapshot::components`].

mod calls;
mod component;
mod feed;
mod lane;
mod plan;
mod run;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use serde_json::json;
use tenter_model::snapshot::components::MAX_MEMBERS;
use tenter_model::snapshot::plan::PlanError;
use tenter_model::view::RunContext;
use tenter_model::{ModuleName, TaskId, Timestamp};
use tenter_store::{BeginRun, Produced, Reader, RunBatch, RunRow, StoreError};

use crate::registry::Registry;
use crate::worker::Shared;
pub(crate) use lane::Lane;
use plan::RunPlan;
use run::Run;
pub use run::UNDECLARED;

/// Portions that wait for a lane, for each lane.
const WAITING: usize = 2;
/// Times that finalize hooks are called before their changes of module state are given up.
const MAX_FINALIZE: u32 = 8;

/// How a run is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotOptions {
    /// The time that values are computed for; `None` = now.
    pub time: Option<Timestamp>,
    /// Compute entities anew whose values cannot have changed.
    pub full: bool,
    /// Whether entities with nothing but an id get documents (`snapshots.keep_empty`).
    pub keep_empty: bool,
    /// Entities of one component at most.
    pub max_members: usize,
}

impl Default for SnapshotOptions {
    fn default() -> Self {
        Self { time: None, full: false, keep_empty: true, max_members: MAX_MEMBERS }
    }
}

/// A run that is complete.
#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotReport {
    /// The run as stored, with its counts.
    pub run: RunRow,
    /// Whether it was begun before by a process that did not finish it.
    pub resumed: bool,
}

/// A run that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotProgress {
    /// Its id.
    pub id: String,
    /// The time that values are computed for.
    pub time: Timestamp,
    /// When this process took it up.
    pub since: Timestamp,
    /// Entities done by this process.
    pub entities: u64,
}

/// Why there is no complete run.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Another one is under way.
    #[error(
        "a snapshot run is under way since {since}, and one runs at a time; wait for it (`tenter snapshot list` shows \
         where it is) and ask again"
    )]
    Active {
        /// When it was taken up.
        since: Timestamp,
    },
    /// The engine stops. The run goes on after the next start.
    #[error("the server is stopping; the run goes on after the next start")]
    Stopped,
    /// The hooks of all modules together make no sense.
    #[error("the correlation hooks of the loaded modules cannot be put in order: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Plan(Vec<PlanError>),
    /// The store refused. What is saved stays, and the next run goes on from there.
    #[error("the snapshot run is interrupted and the next one goes on with it: {0}")]
    Store(#[from] StoreError),
    /// A fault of the runtime itself.
    #[error(
        "a lane of the snapshot run panicked, which is a fault of the runtime: please report it; the next run goes on"
    )]
    Panicked,
    /// The operating system refused a thread.
    #[error("cannot start a thread for the snapshot run: {0}")]
    Thread(std::io::Error),
}

/// Makes runs, one at a time.
pub(crate) struct Snapshots {
    lanes: Mutex<Vec<Lane>>,
    active: Mutex<Option<Active>>,
    ended: Condvar,
    stopping: AtomicBool,
    reported: Mutex<HashSet<(ModuleName, u64)>>,
}

struct Active {
    since: Timestamp,
    run: Option<RunContext>,
    done: Arc<Progress>,
}

/// Entities that the running run has done.
#[derive(Debug, Default)]
pub(crate) struct Progress(AtomicU64);

impl Progress {
    fn add(&self, entities: u64) {
        self.0.fetch_add(entities, Ordering::Relaxed);
    }
}

/// Gives the place free when a run ends, however it ends.
struct Turn<'a>(&'a Snapshots);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.active() = None;
        self.0.ended.notify_all();
    }
}

impl Snapshots {
    pub(crate) fn new(lanes: Vec<Lane>) -> Self {
        Self {
            lanes: Mutex::new(lanes),
            active: Mutex::new(None),
            ended: Condvar::new(),
            stopping: AtomicBool::new(false),
            reported: Mutex::new(HashSet::new()),
        }
    }

    fn active(&self) -> MutexGuard<'_, Option<Active>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The run that is under way.
    pub(crate) fn progress(&self) -> Option<SnapshotProgress> {
        let active = self.active();
        let Active { since, run, done } = active.as_ref()?;
        let RunContext { id, time } = run.clone()?;
        Some(SnapshotProgress { id, time, since: *since, entities: done.0.load(Ordering::Relaxed) })
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Makes the run that is under way stop between two calls, and waits until it has. There are no runs afterwards.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        let mut active = self.active();
        while active.is_some() {
            active = self.ended.wait(active).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Makes a run, or goes on with the one that was left unfinished, and waits until it is complete.
    pub(crate) fn run(
        &self,
        shared: &Shared,
        registry: Arc<Registry>,
        new_id: impl Fn(Timestamp) -> TaskId,
        options: SnapshotOptions,
    ) -> Result<SnapshotReport, SnapshotError> {
        let done = Arc::new(Progress::default());
        let since = shared.clock.now();
        let _turn = {
            let mut active = self.active();
            if let Some(Active { since, .. }) = *active {
                return Err(SnapshotError::Active { since });
            }
            *active = Some(Active { since, run: None, done: done.clone() });
            Turn(self)
        };
        let reader = shared.store.reader()?;
        let refreshed = HashSet::new();
        let plan =
            RunPlan::new(&shared.schema, &registry, &refreshed, options.keep_empty).map_err(SnapshotError::Plan)?;
        let (row, resumed) = begin(shared, &reader, &plan, new_id, options)?;
        let context = RunContext { id: row.id.clone(), time: row.time };
        if let Some(active) = self.active().as_mut() {
            active.run = Some(context.clone());
        }
        let base = match row.base {
            Some(base) if !options.full && row.settings["full"] != json!(true) => {
                let before = reader.runs(Some(base + 1), 1)?.into_iter().next();
                before.filter(|b| b.settings["signature"] == json!(plan.signature) && b.time <= row.time)
            }
            _ => None,
        };
        let run = Run {
            shared,
            registry,
            plan,
            number: row.number,
            base: base.map(|row| row.number),
            id: TaskId::parse(&row.id).unwrap_or_else(|| TaskId::root(row.time, [0; 10])),
            context,
            keep_empty: options.keep_empty,
            max_members: options.max_members,
            resumed,
            progress: &done,
            large: Mutex::new(()),
            stopping: &self.stopping,
            given_up: AtomicBool::new(false),
            reported: &self.reported,
        };
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let result = work(&run, &reader, &mut lanes);
        lanes.iter_mut().for_each(Lane::ended);
        let row = result?;
        tracing::info!(run = row.id, time = %row.time, resumed, counts = ?row.counts, "snapshot run complete");
        Ok(SnapshotReport { run: row, resumed })
    }
}

/// A new run, or the unfinished one. An unfinished one that began with other modules, another specification or other
/// settings is given up: half of its documents would say one thing and half another.
fn begin(
    shared: &Shared,
    reader: &Reader,
    plan: &RunPlan,
    new_id: impl Fn(Timestamp) -> TaskId,
    options: SnapshotOptions,
) -> Result<(RunRow, bool), SnapshotError> {
    let now = shared.clock.now();
    let settings = json!({"signature": plan.signature, "full": options.full, "keep_empty": options.keep_empty});
    if let Some(unfinished) = reader.unfinished_run()? {
        let same = unfinished.settings["signature"] == settings["signature"]
            && (!options.full || unfinished.settings["full"] == settings["full"]);
        if same {
            tracing::info!(run = unfinished.id, time = %unfinished.time, "an unfinished snapshot run goes on");
            return Ok((unfinished, true));
        }
        let reason = "modules, specification or settings changed before it was complete";
        tracing::warn!(run = unfinished.id, "an unfinished snapshot run is given up: {reason}");
        shared.store.abort_run(unfinished.number, reason, now)?;
    }
    let begin = BeginRun { id: new_id(now).to_string(), time: options.time.unwrap_or(now), settings };
    Ok((shared.store.begin_run(begin, now)?, false))
}

/// Init, portions, finalize, completion.
fn work(run: &Run<'_>, reader: &Reader, lanes: &mut [Lane]) -> Result<RunRow, SnapshotError> {
    for lane in &mut *lanes {
        lane.keep_up(&run.registry);
    }
    on_each(lanes, |lane| lane.init(run), || Ok(()))?;
    let (sender, receiver) = sync_channel(lanes.len().max(1) * WAITING);
    let jobs = Mutex::new(receiver);
    on_each(
        lanes,
        |lane| lane.serve(run, &jobs),
        || {
            let result = feed::feed(run, reader, &sender);
            drop(sender);
            result
        },
    )?;
    for tries in 1.. {
        run.go_on()?;
        let left: Mutex<Vec<(u32, Produced)>> = Mutex::new(Vec::new());
        let finalize = |lane: &mut Lane| {
            let produced = lane.finalize(run);
            left.lock().unwrap_or_else(PoisonError::into_inner).push((lane.number, produced));
            Ok(())
        };
        on_each(lanes, finalize, || Ok(()))?;
        let mut left = left.into_inner().unwrap_or_else(PoisonError::into_inner);
        left.sort_by_key(|(number, _)| *number);
        let mut produced = lane::merged(left.into_iter().map(|(_, produced)| produced));
        if tries > MAX_FINALIZE {
            produced.state.clear();
        }
        let last = RunBatch { produced, ..RunBatch::default() };
        match run.shared.store.complete_run(run.number, last, run.shared.clock.now()) {
            Err(StoreError::Conflict(_)) if tries <= MAX_FINALIZE => {}
            other => return Ok(other?),
        }
    }
    Err(SnapshotError::Stopped)
}

/// Does something on a thread for each lane and something on this one, and waits for all. The first error counts.
fn on_each(
    lanes: &mut [Lane],
    each: impl Fn(&mut Lane) -> Result<(), SnapshotError> + Sync,
    meanwhile: impl FnOnce() -> Result<(), SnapshotError>,
) -> Result<(), SnapshotError> {
    let each = &each;
    std::thread::scope(|scope| {
        let mut threads = Vec::with_capacity(lanes.len());
        let mut refused = None;
        for lane in lanes {
            let name = format!("snapshot-{}", lane.number);
            match std::thread::Builder::new().name(name).spawn_scoped(scope, move || each(lane)) {
                Ok(thread) => threads.push(thread),
                Err(error) => refused = Some(SnapshotError::Thread(error)),
            }
        }
        let mine = match refused {
            // With one lane at least the others do its part, but `init` must run on all.
            Some(error) => Err(error),
            None => meanwhile(),
        };
        let mut result = Ok(());
        for thread in threads {
            let ended = thread.join().unwrap_or(Err(SnapshotError::Panicked));
            // That a lane was told to stop says less than why another one gave up.
            if matches!(result, Ok(()) | Err(SnapshotError::Stopped)) && ended.is_err() {
                result = ended;
            }
        }
        // What a lane says is nearer to the cause than the feeder's word that the lanes are gone.
        result.and(mine)
    })
}
