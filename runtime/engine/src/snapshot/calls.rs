//! Calling hooks on the lanes of snapshots: what they return is checked, their tasks get ids, and all that they leave is
//! gathered for the batch that is saved.

use tenter_model::host::{CallCause, HookCall, HookFailure, Invocation};
use tenter_model::task::{Origin, Queue, Task, TaskBody, TaskId};
use tenter_model::{EntityRef, HookHost, HookKind, Schema, Timestamp};
use tenter_store::Produced;

use crate::call::note::Shown;
use crate::call::{Desk, Notes, Subject, check};
use crate::registry::Bound;

/// What a call is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct About<'a> {
    /// Names the work; a function of the run and the entity or lane.
    pub(super) work: TaskId,
    /// The entity, if it is about one.
    pub(super) entity: Option<&'a EntityRef>,
    /// Tells calls of one subscription in this work apart.
    pub(super) stage: u32,
    /// Why.
    pub(super) cause: CallCause,
}

/// Calls hooks and gathers what they leave.
pub(super) struct Caller<'a> {
    pub(super) desk: Desk<'a>,
    pub(super) host: &'a mut dyn HookHost,
    /// The time that guests see: that of the run.
    pub(super) time: Timestamp,
    /// Where tasks go.
    queue: Queue,
    pub(super) tasks: Vec<Task>,
    pub(super) notes: Notes,
}

impl<'a> Caller<'a> {
    pub(super) fn new(desk: Desk<'a>, host: &'a mut dyn HookHost, time: Timestamp, queue: Queue) -> Self {
        Self { desk, host, time, queue, tasks: Vec::new(), notes: Notes::default() }
    }

    /// All that was left, for the store.
    pub(super) fn produced(self) -> Produced {
        let Notes { errors, state, invocations } = self.notes;
        Produced { tasks: self.tasks, dead: Vec::new(), errors, state, invocations }
    }

    /// Calls a hook. `None`: it is paused, or failed, which is written down.
    pub(super) fn call<T, U: Shown>(
        &mut self,
        (bound, kind): (&Bound, HookKind),
        about: About<'_>,
        enter: impl FnOnce(&mut dyn HookHost, &HookCall<'_>) -> Invocation<T>,
        check: impl FnOnce(&Schema, &HookCall<'_>, T) -> Result<U, HookFailure>,
    ) -> Option<U> {
        if self.desk.paused(bound, kind).is_some() {
            return None;
        }
        let call = HookCall {
            module: &bound.module,
            kind,
            subscription: &bound.subscription,
            id: format!("{}:{}:{}:{kind}:{}", about.work, bound.module.name, bound.subscription, about.stage),
            time: self.time,
            cause: about.cause,
        };
        let invocation = enter(self.host, &call);
        let subject = Subject { work: about.work, task: None, entity: about.entity, stage: about.stage, attempt: 1 };
        let check = |schema: &Schema, value| check(schema, &call, value);
        self.desk.finish(&mut self.notes, subject, (bound, &call), invocation, check).ok()
    }

    /// Calls a hook that returns tasks alone, and takes them. What it gives is a copy for those who look at them.
    pub(super) fn call_for_tasks(
        &mut self,
        hook: (&Bound, HookKind),
        about: About<'_>,
        enter: impl FnOnce(&mut dyn HookHost, &HookCall<'_>) -> Invocation<Vec<TaskBody>>,
    ) -> Option<Vec<TaskBody>> {
        let bodies = self.call(hook, about, enter, check::tasks)?;
        self.take(hook, about, bodies.clone());
        Some(bodies)
    }

    /// Takes checked tasks. Each is the root of its own family, so that no entity's hooks use up
    /// the budget of another's; depth counts the hook between.
    pub(super) fn take(&mut self, (bound, kind): (&Bound, HookKind), about: About<'_>, bodies: Vec<TaskBody>) {
        let name = &bound.module.name;
        let count = bodies.len() as u64;
        if count == 0 {
            return;
        }
        self.desk.stats.tasks(name, kind, &bound.subscription, count);
        for (ordinal, body) in (0u32..).zip(bodies) {
            let id = TaskId::follow_up(about.work, name, &bound.subscription, about.stage, ordinal);
            self.tasks.push(Task {
                id,
                root: id,
                depth: 1,
                queue: self.queue,
                origin: Some(Origin {
                    module: name.clone(),
                    version: bound.module.descriptor.version.clone(),
                    hook: kind,
                    subscription: bound.subscription.clone(),
                    parent: about.work,
                    number: about.stage,
                    attempt: 1,
                }),
                body,
            });
        }
    }
}
