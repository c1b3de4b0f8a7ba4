//! Calling one slot in one lane.

use std::sync::Arc;

use tenter_model::host::{CallCause, HookCall};
use tenter_model::task::{Origin, Queue, Task, TaskBody, TaskId};
use tenter_model::{HookHost, HookKind, Schema};
use tenter_store::{Produced, StoreError, TimerKey};

use crate::call::{Desk, Notes, Subject, check};
use crate::listening::Slot;
use crate::stats::LaneStats;
use crate::worker::Shared;

/// How often a call is repeated whose state changed meanwhile, before it is left.
const CONFLICTS: u32 = 3;

/// Calls the hook and stores what it left together with the fact that this lane has dealt with the slot. A failure is
/// written down and the slot counts as dealt with.
pub(crate) fn run(slot: &Arc<Slot>, lane: u32, host: &mut dyn HookHost, shared: &Shared, stats: &LaneStats) {
    let bound = &slot.bound;
    let (module, subscription) = (&bound.module.name, &bound.subscription);
    let timer = TimerKey { module: module.clone(), subscription: subscription.clone(), lane };
    for _ in 0..CONFLICTS {
        let now = shared.clock.now();
        let desk = Desk { schema: &shared.schema, stats, breakers: &shared.breakers, pace: &shared.pace, now };
        let produced = if desk.paused(bound, HookKind::Cron).is_some() {
            Produced::default()
        } else {
            call(slot, lane, host, &desk)
        };
        match shared.store.fire_slot_blocking(timer.clone(), slot.at, produced, now) {
            Ok(_) => return,
            Err(StoreError::Conflict(what)) => tracing::debug!(%module, %subscription, "{what} changed: again"),
            Err(error) => {
                // The slot stays open in the store and is called again after a restart, within its grace.
                tracing::error!(%module, %subscription, slot = %slot.at, "the slot is not stored: {error}");
                return;
            }
        }
    }
    tracing::error!(%module, %subscription, slot = %slot.at, "the slot is not stored: its state keeps changing");
}

fn call(slot: &Arc<Slot>, lane: u32, host: &mut dyn HookHost, desk: &Desk<'_>) -> Produced {
    let call = slot.call(CallCause::Normal);
    let invocation = host.cron(&call, &slot.arguments);
    let mut notes = Notes::default();
    let subject = Subject { work: slot.id(), task: None, entity: None, stage: lane, attempt: 1 };
    let check = |schema: &Schema, submitted: Vec<Vec<TaskBody>>| {
        // The limit counts all that a call submits, in however many portions.
        let sizes: Vec<usize> = submitted.iter().map(Vec::len).collect();
        check::tasks(schema, &call, submitted.into_iter().flatten().collect()).map(|bodies| Submitted { sizes, bodies })
    };
    let submitted = desk.finish(&mut notes, subject, (&slot.bound, &call), invocation, check);
    let tasks = submitted.map(|submitted| tasks(&call, slot.id(), lane, submitted)).unwrap_or_default();
    let count = tasks.len() as u64;
    desk.stats.tasks(&call.module.name, HookKind::Cron, call.subscription, count);
    let Notes { errors, state, invocations } = notes;
    Produced { tasks, dead: Vec::new(), errors, state, invocations }
}

/// What a call submitted, checked.
struct Submitted {
    /// How many tasks each submission had.
    sizes: Vec<usize>,
    bodies: Vec<TaskBody>,
}

impl crate::call::note::Shown for Submitted {
    fn json(&self, schema: &Schema) -> serde_json::Value {
        self.bodies.json(schema)
    }
}

/// The ids are a function of the slot and the place in what was submitted, not of the lane: whichever lane is first
/// brings the tasks in, and the others' are known already.
fn tasks(call: &HookCall<'_>, slot: TaskId, lane: u32, submitted: Submitted) -> Vec<Task> {
    let Submitted { sizes, bodies } = submitted;
    let places = (0u32..).zip(sizes).flat_map(|(part, size)| (0u32..).take(size).map(move |place| (part, place)));
    let task = |((part, place), body)| {
        let id = TaskId::follow_up(slot, &call.module.name, call.subscription, part, place);
        let origin = Origin {
            module: call.module.name.clone(),
            version: call.module.descriptor.version.clone(),
            hook: HookKind::Cron,
            subscription: call.subscription.clone(),
            parent: slot,
            number: lane,
            attempt: 1,
        };
        Task { id, root: id, depth: 1, queue: Queue::Normal, origin: Some(origin), body }
    };
    places.zip(bodies).map(task).collect()
}
