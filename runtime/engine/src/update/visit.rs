//! Calling the hooks of a group for entities, and gathering what they leave.

use tenter_model::host::{CallCause, HookCall};
use tenter_model::task::{Origin, Queue, Task, TaskBody, TaskId};
use tenter_model::{EntityRef, HookHost, HookKind, MasterRecord};
use tenter_store::{Produced, Reader, StoreError};

use super::group::Group;
use crate::call::{Desk, Notes, Subject, check};
use crate::registry::Bound;
use crate::stats::LaneStats;
use crate::worker::Shared;

/// A call that failed in a way that may pass.
struct Failed<'a> {
    entity: EntityRef,
    hook: (&'a Bound, HookKind),
}

/// Visits entities of one portion.
pub(super) struct Visit<'a> {
    sweep: TaskId,
    shared: &'a Shared,
    stats: &'a LaneStats,
    host: &'a mut dyn HookHost,
    notes: Notes,
    tasks: Vec<Task>,
    failed: Vec<Failed<'a>>,
    failures: u64,
}

impl<'a> Visit<'a> {
    pub(super) fn new(sweep: TaskId, shared: &'a Shared, stats: &'a LaneStats, host: &'a mut dyn HookHost) -> Self {
        let (notes, tasks, failed) = (Notes::default(), Vec::new(), Vec::new());
        Self { sweep, shared, stats, host, notes, tasks, failed, failures: 0 }
    }

    /// Tasks gathered so far.
    pub(super) fn tasks(&self) -> usize {
        self.tasks.len()
    }

    /// Whether some calls are to be tried again.
    pub(super) fn has_failed(&self) -> bool {
        !self.failed.is_empty()
    }

    /// How many calls failed in the end, and what is to be stored.
    pub(super) fn finish(self) -> (u64, Produced) {
        let Notes { errors, state, invocations } = self.notes;
        let produced = Produced { tasks: self.tasks, dead: Vec::new(), errors, state, invocations };
        (self.failures + self.failed.len() as u64, produced)
    }

    /// Calls all hooks of the group for an entity. One that was removed meanwhile is passed over.
    pub(super) fn entity(&mut self, group: &Group<'a>, entity: &EntityRef, reader: &Reader) -> Result<(), StoreError> {
        let record = if group.key.eid_only {
            None
        } else {
            match reader.record(entity) {
                Ok(Some(record)) => Some(record),
                Ok(None) => return Ok(()),
                Err(error @ StoreError::Unreadable { .. }) => {
                    tracing::error!(%entity, "left out of the sweep: {error}");
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        };
        for hook in &group.hooks {
            self.call(*hook, entity, record.as_ref(), 1);
        }
        Ok(())
    }

    /// Tries calls again that failed in a way that may pass.
    pub(super) fn again(&mut self, attempt: u32, reader: &Reader) -> Result<(), StoreError> {
        for Failed { entity, hook } in std::mem::take(&mut self.failed) {
            let record = if hook.1 == HookKind::UpdateRecord { reader.record(&entity)? } else { None };
            if record.is_some() || hook.1 == HookKind::UpdateEntity {
                self.call(hook, &entity, record.as_ref(), attempt);
            }
        }
        Ok(())
    }

    fn call(
        &mut self,
        (bound, kind): (&'a Bound, HookKind),
        entity: &EntityRef,
        record: Option<&MasterRecord>,
        attempt: u32,
    ) {
        let Shared { schema, clock, breakers, pace, .. } = self.shared;
        let desk = Desk { schema, stats: self.stats, breakers, pace, now: clock.now() };
        if desk.paused(bound, kind).is_some() {
            return;
        }
        let work = TaskId::part_of(self.sweep, entity);
        let call = HookCall {
            module: &bound.module,
            kind,
            subscription: &bound.subscription,
            id: format!("{work}:{}:{}:{kind}", bound.module.name, bound.subscription),
            time: desk.now,
            cause: if attempt == 1 { CallCause::Normal } else { CallCause::Retry },
        };
        let invocation = match record {
            Some(record) => self.host.update_record(&call, entity, record),
            None => self.host.update_entity(&call, entity),
        };
        let subject = Subject { work, task: None, entity: Some(entity), stage: 0, attempt };
        let check = |schema: &_, bodies| check::tasks(schema, &call, bodies);
        match desk.finish(&mut self.notes, subject, (bound, &call), invocation, check) {
            Ok(bodies) => self.take((bound, kind), work, attempt, bodies),
            Err(failure) if failure.reason.is_transient() => {
                self.failed.push(Failed { entity: entity.clone(), hook: (bound, kind) });
            }
            Err(_) => self.failures += 1,
        }
    }

    /// Each task is the root of its own family, so that no entity's hooks use up the budget of another's.
    fn take(&mut self, (bound, kind): (&Bound, HookKind), work: TaskId, attempt: u32, bodies: Vec<TaskBody>) {
        let (name, count) = (&bound.module.name, bodies.len() as u64);
        self.stats.tasks(name, kind, &bound.subscription, count);
        for (ordinal, body) in (0u32..).zip(bodies) {
            let id = TaskId::follow_up(work, name, &bound.subscription, 0, ordinal);
            let origin = Origin {
                module: name.clone(),
                version: bound.module.descriptor.version.clone(),
                hook: kind,
                subscription: bound.subscription.clone(),
                parent: work,
                number: 0,
                attempt: u16::try_from(attempt).unwrap_or(u16::MAX),
            };
            self.tasks.push(Task { id, root: id, depth: 1, queue: Queue::Normal, origin: Some(origin), body });
        }
    }
}
