//! What there is to do in a run, handed to the lanes in portions of bounded size.
//!
//! First the components that used links make, then all other entities of the types that take part. The list of
//! components stays in memory for the length of the run, at about 150 bytes for each entity that a used link touches;
//! records are read by the lanes, portion by portion.

use std::collections::{HashSet, VecDeque};
use std::sync::mpsc::SyncSender;

use tenter_model::snapshot::components::{Component, Edge, components};
use tenter_model::{EntityId, EntityRef, EntityType};
use tenter_store::{Reader, RunNumber, Share, SnapshotMark, StoreError};

use super::{Run, SnapshotError};

/// Entities in one portion, and marks read at once.
pub(super) const PORTION: u32 = 256;

/// A portion.
pub(super) enum Job {
    /// Entities that links connect.
    Components(Vec<Component>),
    /// Entities of one type, in byte order of the ids.
    Page {
        /// The type.
        etype: EntityType,
        /// The id before the page.
        after: Option<EntityId>,
        /// Entities to look at from there on.
        limit: u32,
        /// Those of the page to compute.
        compute: Vec<EntityId>,
        /// Those whose document of the run before holds still.
        unchanged: Vec<EntityId>,
    },
}

/// Hands out everything. Ends early when the lanes are gone or the run is to stop.
pub(super) fn feed(run: &Run<'_>, reader: &Reader, jobs: &SyncSender<Job>) -> Result<(), SnapshotError> {
    let linked = feed_components(run, reader, jobs)?;
    for spec in run.schema().entities().iter().filter(|spec| spec.snapshot) {
        feed_type(run, reader, jobs, &spec.id, &linked)?;
    }
    Ok(())
}

fn send(jobs: &SyncSender<Job>, job: Job) -> Result<(), SnapshotError> {
    // Lanes end before the last portion only when they were told to stop.
    jobs.send(job).map_err(|_| SnapshotError::Stopped)
}

/// Gives the entities that are in components.
fn feed_components(
    run: &Run<'_>,
    reader: &Reader,
    jobs: &SyncSender<Job>,
) -> Result<HashSet<EntityRef>, SnapshotError> {
    let used = &run.plan.used;
    if used.is_empty() {
        return Ok(HashSet::new());
    }
    let attributes: Vec<_> = used.stored().map(|(etype, attr)| (etype.clone(), attr.clone())).collect();
    let mut edges = Vec::new();
    reader.each_link(&attributes, run.context.time, &mut |from, attr, to| {
        edges.push(Edge { from: from.clone(), attr: attr.clone(), to });
        Ok(())
    })?;
    let found = components(edges, used, run.max_members);
    let linked = found.iter().flat_map(|component| component.members.iter().cloned()).collect();
    let mut portion: Vec<Component> = Vec::new();
    let mut size = 0;
    for component in found {
        run.go_on()?;
        if run.resumed && is_saved(run, reader, &component)? {
            continue;
        }
        size += component.members.len();
        portion.push(component);
        if size >= PORTION as usize {
            send(jobs, Job::Components(std::mem::take(&mut portion)))?;
            size = 0;
        }
    }
    if !portion.is_empty() {
        send(jobs, Job::Components(portion))?;
    }
    Ok(linked)
}

fn is_saved(run: &Run<'_>, reader: &Reader, component: &Component) -> Result<bool, StoreError> {
    for member in &component.members {
        // What is only kept was not come by.
        if reader.snapshot_mark(run.number, member)?.is_none_or(|mark| mark.kept) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn feed_type(
    run: &Run<'_>,
    reader: &Reader,
    jobs: &SyncSender<Job>,
    etype: &EntityType,
    linked: &HashSet<EntityRef>,
) -> Result<(), SnapshotError> {
    let base = run.base.filter(|_| run.plan.is_idle(etype));
    let mut before = Marks::new(reader, base, etype);
    let mut saved = Marks::new(reader, Some(run.number).filter(|_| run.resumed), etype);
    let mut after: Option<EntityId> = None;
    loop {
        run.go_on()?;
        let page = reader.revisions(etype, Share::ALL, after.as_ref(), PORTION)?;
        let (mut compute, mut unchanged) = (Vec::new(), Vec::new());
        for (eid, revision) in page.items {
            if !linked.is_empty() && linked.contains(&EntityRef { etype: etype.clone(), eid: eid.clone() }) {
                continue;
            }
            if saved.find(&eid)?.is_some_and(|mark| !mark.kept) {
                continue;
            }
            match before.find(&eid)? {
                Some(mark) if holds(run, &mark, revision) => unchanged.push(eid),
                _ => compute.push(eid),
            }
        }
        if !compute.is_empty() || !unchanged.is_empty() {
            let job = Job::Page { etype: etype.clone(), after, limit: PORTION, compute, unchanged };
            send(jobs, job)?;
        }
        if page.next.is_none() {
            return Ok(());
        }
        after = page.next;
    }
}

/// Whether a document would come out the same again.
fn holds(run: &Run<'_>, mark: &SnapshotMark, revision: u64) -> bool {
    mark.revision == Some(revision)
        && !mark.partial
        && !mark.kept
        && mark.unchanged_until.is_none_or(|until| run.context.time <= until)
}

/// What a run holds of a type, read along with a walk over the type in byte order.
struct Marks<'a> {
    reader: &'a Reader,
    run: Option<RunNumber>,
    etype: &'a EntityType,
    read: VecDeque<SnapshotMark>,
    last: Option<EntityId>,
}

impl<'a> Marks<'a> {
    /// Of a run, or of none, which holds nothing.
    fn new(reader: &'a Reader, run: Option<RunNumber>, etype: &'a EntityType) -> Self {
        Self { reader, run, etype, read: VecDeque::new(), last: None }
    }

    /// The mark of an entity. Ids must come in byte order.
    fn find(&mut self, eid: &EntityId) -> Result<Option<SnapshotMark>, StoreError> {
        loop {
            let Some(mark) = self.read.pop_front() else {
                let Some(run) = self.run else { return Ok(None) };
                self.read = self.reader.snapshot_marks(run, self.etype, self.last.as_ref(), PORTION)?.into();
                match self.read.back() {
                    Some(last) => self.last = Some(last.eid.clone()),
                    None => {
                        self.run = None;
                        return Ok(None);
                    }
                }
                continue;
            };
            match mark.eid.as_str().cmp(eid.as_str()) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => return Ok(Some(mark)),
                std::cmp::Ordering::Greater => {
                    self.read.push_front(mark);
                    return Ok(None);
                }
            }
        }
    }
}
