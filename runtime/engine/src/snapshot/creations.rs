//! Calling the creation hooks of all entities of a type again, for the control action `refresh_on_entity_creation`.
//!
//! It is no part of a snapshot run, but it uses the lanes of these and takes their turn: a sweep over all entities must not
//! stand in the way of ingestion. Tasks go into the priority queue, as those of creation do, page by page.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tenter_model::host::CallCause;
use tenter_model::task::Queue;
use tenter_model::{EntityRef, EntityType, HookKind, TaskBody, TaskId};
use tenter_store::{Share, StoreError};

use super::SnapshotError;
use super::calls::{About, Caller};
use super::feed::PORTION;
use super::lane::{Lane, MAX_TRIES, desk};
use crate::registry::Bound;
use crate::worker::Shared;

/// What came of calling creation hooks again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CreationReport {
    /// Entities visited.
    pub entities: u64,
    /// Tasks that entered the queue.
    pub tasks: u64,
}

/// One such sweep, shared by the lanes.
pub(super) struct Creations<'a> {
    pub(super) shared: &'a Shared,
    pub(super) etype: &'a EntityType,
    pub(super) hooks: &'a [Bound],
    /// Names the sweep.
    pub(super) id: TaskId,
    pub(super) lanes: u32,
    pub(super) stopping: &'a AtomicBool,
    pub(super) entities: AtomicU64,
    pub(super) tasks: AtomicU64,
}

impl Creations<'_> {
    /// Serves a lane's share of the entities.
    pub(super) fn serve(&self, lane: &mut Lane) -> Result<(), SnapshotError> {
        let share = Share { part: lane.number, of: self.lanes };
        let mut after = None;
        loop {
            let page = lane.reader.revisions(self.etype, share, after.as_ref(), PORTION)?;
            let entities: Vec<EntityRef> =
                page.items.into_iter().map(|(eid, _)| EntityRef { etype: self.etype.clone(), eid }).collect();
            self.page(lane, &entities)?;
            if page.next.is_none() {
                return Ok(());
            }
            after = page.next;
        }
    }

    fn page(&self, lane: &mut Lane, entities: &[EntityRef]) -> Result<(), SnapshotError> {
        let now = self.shared.clock.now();
        for tries in 1.. {
            let mut caller = Caller::new(desk(&lane.stats, self.shared), lane.host.as_mut(), now, Queue::Priority);
            for entity in entities {
                if self.stopping.load(Ordering::Relaxed) {
                    return Err(SnapshotError::Stopped);
                }
                let task = TaskBody::new(entity.clone());
                let work = TaskId::part_of(self.id, entity);
                for bound in self.hooks {
                    let about = About { work, entity: Some(entity), stage: 0, cause: CallCause::Refresh };
                    caller.call_for_tasks((bound, HookKind::OnEntityCreation), about, |host, call| {
                        host.on_entity_creation(call, &task)
                    });
                }
            }
            let mut produced = caller.produced();
            if tries > MAX_TRIES {
                produced.state.clear();
            }
            match self.shared.store.save_produced_blocking(produced, now) {
                Ok(entered) => {
                    self.entities.fetch_add(entities.len() as u64, Ordering::Relaxed);
                    self.tasks.fetch_add(entered.tasks as u64, Ordering::Relaxed);
                    return Ok(());
                }
                Err(StoreError::Conflict(_)) if tries <= MAX_TRIES => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
