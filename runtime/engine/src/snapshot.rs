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
//! Memory holds the identities of linked entities (see [`feed`]), at most seven portions for each lane (two that wait, one
//! that is computed, four on their way to the disk), and of components with more than a thousand entities one at a time; a
//! component of more than [`tenter_model::snapshot::components::MAX_MEMBERS`] entities is split.

mod begin;
mod calls;
mod component;
mod creations;
mod feed;
mod lane;
mod plan;
mod refresh;
mod run;
mod surface;
mod words;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tenter_model::view::RunContext;
use tenter_model::{EntityType, ModuleName, TaskId, Timestamp};
use tenter_store::{Produced, Reader, RunBatch, RunRow, StoreError};

use crate::registry::Registry;
use crate::worker::Shared;
use begin::Begun;
pub use creations::CreationReport;
use creations::Creations;
pub(crate) use lane::Lane;
use run::Run;
pub use run::UNDECLARED;
pub use words::{SnapshotError, SnapshotOptions, SnapshotProgress, SnapshotReport};

/// Portions that wait for a lane, for each lane.
const WAITING: usize = 2;
/// Times that finalize hooks are called before their changes of module state are given up.
const MAX_FINALIZE: u32 = 8;

/// Makes runs, one at a time.
pub(crate) struct Snapshots {
    lanes: Mutex<Vec<Lane>>,
    active: Mutex<Option<Active>>,
    ended: Condvar,
    stopping: AtomicBool,
    reported: Mutex<HashSet<(ModuleName, u64)>>,
    /// Held while what operators asked for is read and written.
    asking: Mutex<()>,
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
            asking: Mutex::new(()),
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

    /// Takes the turn, or tells who has it.
    fn turn(&self, shared: &Shared) -> Result<(Turn<'_>, Arc<Progress>), SnapshotError> {
        let (since, done) = (shared.clock.now(), Arc::new(Progress::default()));
        let mut active = self.active();
        if self.is_stopping() {
            return Err(SnapshotError::Stopped);
        }
        if let Some(Active { since, .. }) = *active {
            return Err(SnapshotError::Active { since });
        }
        *active = Some(Active { since, run: None, done: done.clone() });
        Ok((Turn(self), done))
    }

    /// Has the next run call a module's `refresh` hooks.
    pub(crate) fn ask_refresh(&self, shared: &Shared, module: &ModuleName) -> Result<(), StoreError> {
        let _one_at_a_time = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        refresh::ask(&shared.store, module, shared.clock.now())
    }

    /// Calls the creation hooks of all entities of a type again.
    pub(crate) fn refresh_creations(
        &self,
        shared: &Shared,
        registry: &Arc<Registry>,
        id: TaskId,
        etype: &EntityType,
    ) -> Result<CreationReport, SnapshotError> {
        if shared.schema.entity(etype.as_str()).is_none() {
            return Err(SnapshotError::NoEntityType(etype.clone()));
        }
        let _turn = self.turn(shared)?;
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.iter_mut().for_each(|lane| lane.keep_up(registry));
        let creations = Creations {
            shared,
            etype,
            hooks: registry.on_entity_creation(etype),
            id,
            lanes: u32::try_from(lanes.len()).unwrap_or(u32::MAX),
            stopping: &self.stopping,
            entities: AtomicU64::new(0),
            tasks: AtomicU64::new(0),
        };
        if !creations.hooks.is_empty() {
            on_each(&mut lanes, |lane| creations.serve(lane), || Ok(()))?;
        }
        let Creations { entities, tasks, .. } = creations;
        Ok(CreationReport { entities: entities.into_inner(), tasks: tasks.into_inner() })
    }

    /// Makes a run, or goes on with the one that was left unfinished, and waits until it is complete.
    pub(crate) fn run(
        &self,
        shared: &Shared,
        registry: Arc<Registry>,
        new_id: impl Fn(Timestamp) -> TaskId,
        options: SnapshotOptions,
    ) -> Result<SnapshotReport, SnapshotError> {
        let (_turn, done) = self.turn(shared)?;
        let reader = shared.store.reader()?;
        let Begun { row, plan, resumed, base } = begin::begin(shared, &reader, &registry, new_id, options)?;
        let context = RunContext { id: row.id.clone(), time: row.time };
        if let Some(active) = self.active().as_mut() {
            active.run = Some(context.clone());
        }
        let run = Run {
            shared,
            registry,
            plan,
            number: row.number,
            base,
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
        {
            let _one_at_a_time = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
            refresh::done(&shared.store, &reader, &row, shared.clock.now())?;
        }
        tracing::info!(run = row.id, time = %row.time, resumed, counts = ?row.counts, "snapshot run complete");
        Ok(SnapshotReport { run: row, resumed })
    }
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
