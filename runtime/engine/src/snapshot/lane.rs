//! A lane of snapshot runs: warm instances of its own, and one portion after another.
//!
//! Ingest lanes never run snapshots, so that a long run holds up no task. A snapshot lane keeps its instances between
//! runs, as an ingest lane does between tasks: what `snapshot-init` prepared in an instance is there for the hooks that
//! the same lane calls in this run.
//!
//! While one portion is on its way to the disk the lane computes the next. A portion is saved whole, with everything its
//! hooks left. When module state that its hooks read was changed meanwhile, it is computed again.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};

use tenter_model::host::CallCause;
use tenter_model::snapshot::components::Component;
use tenter_model::task::Queue;
use tenter_model::{EntityId, EntityRef, HookHost, HookKind, MasterRecord};
use tenter_store::{Document, Entered, Produced, Reader, RunBatch, RunCounts, Share, StoreError};

use super::calls::{About, Caller};
use super::component::Work;
use super::feed::Job;
use super::{Run, SnapshotError};
use crate::call::Desk;
use crate::registry::{Bound, LastTold, Registry};
use crate::stats::LaneStats;
use crate::worker::Shared;

/// Portions of a lane on their way to the disk.
const MAX_IN_FLIGHT: usize = 4;
/// Documents in one transaction. A component of more is saved in several, its effects with the last.
const MAX_DOCUMENTS: usize = 2_000;
/// Components of more entities than this are computed one at a time, whatever the number of lanes.
const LARGE: usize = 1_000;
/// Times that a portion is computed before its changes of module state are given up.
pub(super) const MAX_TRIES: u32 = 8;

/// A lane.
pub(crate) struct Lane {
    pub(super) number: u32,
    pub(super) host: Box<dyn HookHost>,
    pub(super) reader: Reader,
    pub(super) stats: LaneStats,
    told: LastTold,
}

/// A portion that was saved or refused.
struct Answer {
    job: Job,
    tries: u32,
    result: Result<Entered, StoreError>,
}

impl Lane {
    pub(crate) fn new(number: u32, host: Box<dyn HookHost>, reader: Reader, stats: LaneStats) -> Self {
        Self { number, host, reader, stats, told: LastTold::default() }
    }

    /// Lets the host drop instances of modules that were replaced.
    pub(super) fn keep_up(&mut self, registry: &Arc<Registry>) {
        self.told.tell(self.host.as_mut(), registry);
    }

    /// Calls `snapshot-init` of all modules and saves what they leave. In a run that goes on after a restart they are
    /// called for the sake of their new instances, and what was saved before does not count twice.
    pub(super) fn init(&mut self, run: &Run<'_>) -> Result<(), SnapshotError> {
        let name = format!("init-{}", self.number);
        let was_saved = run.resumed && self.reader.run_cursor(run.number, &name)?.is_some();
        for tries in 1.. {
            let hooks = &run.registry.snapshot().init;
            let mut produced = self.at_ends(run, hooks, HookKind::SnapshotInit);
            if was_saved || (produced == Produced::default()) {
                return Ok(());
            }
            if tries > MAX_TRIES {
                produced.state.clear();
            }
            let batch = RunBatch { produced, cursor: Some((name.clone(), Vec::new())), ..RunBatch::default() };
            match run.shared.store.save_batch_blocking(run.number, batch, run.shared.clock.now()) {
                Ok(_) => return Ok(()),
                Err(StoreError::Conflict(_)) if tries <= MAX_TRIES => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Calls `snapshot-finalize` of all modules.
    pub(super) fn finalize(&mut self, run: &Run<'_>) -> Produced {
        self.at_ends(run, &run.registry.snapshot().finalize, HookKind::SnapshotFinalize)
    }

    /// Tells the host that the run is over, however it ended.
    pub(super) fn ended(&mut self) {
        self.host.run_ended();
    }

    fn at_ends(&mut self, run: &Run<'_>, hooks: &[Bound], kind: HookKind) -> Produced {
        let mut caller =
            Caller::new(desk(&self.stats, run.shared), self.host.as_mut(), run.context.time, Queue::Normal);
        for bound in hooks {
            let about = About { work: run.id, entity: None, stage: self.number, cause: CallCause::Normal };
            caller.call_for_tasks((bound, kind), about, |host, call| match kind {
                HookKind::SnapshotFinalize => host.snapshot_finalize(call, &run.context),
                _ => host.snapshot_init(call, &run.context),
            });
        }
        caller.produced()
    }

    /// Takes one portion after another until there are no more.
    pub(super) fn serve(&mut self, run: &Run<'_>, jobs: &Mutex<Receiver<Job>>) -> Result<(), SnapshotError> {
        let (sender, answers) = mpsc::channel();
        let mut in_flight = 0;
        let mut result = Ok(());
        while let Some(job) = next(jobs) {
            if result.is_err() {
                // The others learn of it by `Run::go_on`; the feeder must not wait for ever.
                continue;
            }
            result = self.guarded(|lane| lane.portion(run, job, 1, &sender));
            in_flight += 1;
            while result.is_ok() && in_flight >= MAX_IN_FLIGHT {
                result = self.guarded(|lane| lane.settle(run, &answers, &sender, &mut in_flight));
            }
            if result.is_err() {
                run.give_up();
            }
        }
        while result.is_ok() && in_flight > 0 {
            result = self.guarded(|lane| lane.settle(run, &answers, &sender, &mut in_flight));
        }
        if result.is_err() {
            run.give_up();
        }
        result
    }

    /// A panic must not leave the feeder waiting for a lane that is gone.
    fn guarded(&mut self, work: impl FnOnce(&mut Self) -> Result<(), SnapshotError>) -> Result<(), SnapshotError> {
        catch_unwind(AssertUnwindSafe(|| work(self))).unwrap_or(Err(SnapshotError::Panicked))
    }

    fn settle(
        &mut self,
        run: &Run<'_>,
        answers: &Receiver<Answer>,
        sender: &Sender<Answer>,
        in_flight: &mut usize,
    ) -> Result<(), SnapshotError> {
        // The lane holds a sender of its own, so an answer comes.
        let Ok(Answer { job, tries, result }) = answers.recv() else { return Err(SnapshotError::Stopped) };
        match result {
            Ok(_) => {
                *in_flight -= 1;
                Ok(())
            }
            Err(StoreError::Conflict(what)) if tries <= MAX_TRIES => {
                tracing::debug!(run = run.context.id, "{what} was changed meanwhile; a portion is computed again");
                self.portion(run, job, tries + 1, sender)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Computes a portion and sends it to the store.
    fn portion(&mut self, run: &Run<'_>, job: Job, tries: u32, answers: &Sender<Answer>) -> Result<(), SnapshotError> {
        let mut batch = self.compute(run, &job)?;
        if tries > MAX_TRIES {
            tracing::error!(run = run.context.id, "changes of module state are given up: the state is in too much use");
            batch.produced.state.clear();
        }
        let store = &run.shared.store;
        while batch.documents.len() > MAX_DOCUMENTS {
            let rest = batch.documents.split_off(MAX_DOCUMENTS);
            let documents = std::mem::replace(&mut batch.documents, rest);
            let part = RunBatch { documents, ..RunBatch::default() };
            store.save_batch_blocking(run.number, part, run.shared.clock.now())?;
        }
        let answers = answers.clone();
        let done = move |result| {
            // A lane that gave up needs no answer.
            let _gone = answers.send(Answer { job, tries, result });
        };
        store.save_batch(run.number, batch, run.shared.clock.now(), Box::new(done));
        Ok(())
    }

    fn compute(&mut self, run: &Run<'_>, job: &Job) -> Result<RunBatch, SnapshotError> {
        let mut caller =
            Caller::new(desk(&self.stats, run.shared), self.host.as_mut(), run.context.time, Queue::Normal);
        let mut work = Work { run, reader: &self.reader, caller: &mut caller };
        let mut counts = RunCounts::new();
        let (documents, unchanged) = match job {
            Job::Components(components) => (linked(&mut work, components, &mut counts)?, Vec::new()),
            Job::Page { etype, after, limit, compute, unchanged } => {
                let wanted: HashSet<&EntityId> = compute.iter().collect();
                let mut documents = Vec::with_capacity(compute.len());
                if !wanted.is_empty() {
                    let page = self.reader.records(etype, Share::ALL, after.as_ref(), *limit)?;
                    for (eid, record) in page.items.into_iter().filter(|(eid, _)| wanted.contains(eid)) {
                        run.go_on()?;
                        let entity = EntityRef { etype: etype.clone(), eid };
                        documents.extend(work.documents(vec![(entity, Some(record))], false)?);
                    }
                }
                let of_type = |eid: &EntityId| EntityRef { etype: etype.clone(), eid: eid.clone() };
                (documents, unchanged.iter().map(of_type).collect::<Vec<_>>())
            }
        };
        run.progress.add((documents.len() + unchanged.len()) as u64);
        let produced = caller.produced();
        Ok(RunBatch { documents, unchanged, produced, counts, cursor: None })
    }
}

pub(super) fn desk<'a>(stats: &'a LaneStats, shared: &'a Shared) -> Desk<'a> {
    Desk { schema: &shared.schema, stats, breakers: &shared.breakers, pace: &shared.pace, now: shared.clock.now() }
}

fn next(jobs: &Mutex<Receiver<Job>>) -> Option<Job> {
    // The lock is held while waiting: the lanes take turns.
    jobs.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

/// The documents of components.
fn linked(
    work: &mut Work<'_, '_>,
    components: &[Component],
    counts: &mut RunCounts,
) -> Result<Vec<Document>, SnapshotError> {
    let run = work.run;
    let mut documents = Vec::new();
    for component in components {
        run.go_on()?;
        let size = component.members.len();
        let _alone = (size > LARGE).then(|| run.large.lock().unwrap_or_else(PoisonError::into_inner));
        let mut records: Vec<(EntityRef, Option<MasterRecord>)> = Vec::with_capacity(size);
        for member in &component.members {
            match work.reader.record(member) {
                Ok(record) => records.push((member.clone(), record)),
                Err(error @ StoreError::Unreadable { .. }) => tracing::error!(%error, "a record is left out"),
                Err(error) => return Err(error.into()),
            }
        }
        documents.extend(work.documents(records, component.is_part)?);
        let mut count = |name: &str, n: usize| *counts.entry(name.to_owned()).or_default() += n as u64;
        count("components", 1);
        count("linked", size);
        count("split", usize::from(component.is_part));
    }
    Ok(documents)
}

/// What the finalize hooks of all lanes left, as one.
pub(super) fn merged(all: impl IntoIterator<Item = Produced>) -> Produced {
    let mut out = Produced::default();
    for mut produced in all {
        out.tasks.append(&mut produced.tasks);
        out.dead.append(&mut produced.dead);
        out.errors.append(&mut produced.errors);
        out.state.append(&mut produced.state);
        out.invocations.append(&mut produced.invocations);
    }
    out
}
