//! Slots of timers, and hosts beside the ingest lanes that hear of them.
//!
//! A `cron` hook may prepare things in the memory of its instance that later hooks use. Ingest lanes call each slot when
//! it is due and store what came of it. The threads aside and the lanes of snapshots have instances of their own: these
//! are called for the latest slot before the module's next hook there, for the sake of their memory alone. What such a
//! call returns is left out, since the tasks entered and the state was stored when the slot was dealt with.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tenter_model::case::CaseEvent;
use tenter_model::case::call::{CallContext, CaseOutcome, Judgement, ManualOutcome, Proposal, SeenChange, SeenObject};
use tenter_model::host::{CallCause, HookCall, HookHost, Invocation, Verdict};
use tenter_model::record::{Chunk, MasterRecord};
use tenter_model::view::{Correlated, RunContext, View, ViewSource};
use tenter_model::{AttrName, DataPoint, EntityRef, HookKind, ModuleName, TaskBody, TaskId, Timestamp};

use crate::call::note;
use crate::registry::Bound;

/// One time at which a subscription to `cron` is called.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) bound: Bound,
    /// The time of the slot, which is the time that guests see.
    pub(crate) at: Timestamp,
    /// Handed back at each call.
    pub(crate) arguments: String,
}

impl Slot {
    /// Stands for the slot, as parent of what it submits.
    pub(crate) fn id(&self) -> TaskId {
        TaskId::of_slot(&self.bound.module.name, &self.bound.subscription, self.at)
    }

    /// The call. The lane is left out of its id, so that a guest that draws lots draws the same in every lane.
    pub(crate) fn call(&self, cause: CallCause) -> HookCall<'_> {
        let Bound { module, subscription } = &self.bound;
        let id = format!("{}:{}:{subscription}:cron", self.id(), module.name);
        HookCall { module, kind: HookKind::Cron, subscription, id, time: self.at, cause }
    }

    /// Whether it is a slot of this subscription, of whichever version.
    pub(crate) fn is_of(&self, other: &Bound) -> bool {
        self.bound.module.name == other.module.name && self.bound.subscription == other.subscription
    }
}

/// The latest slot of each subscription that a host has not taken note of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inbox(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    slots: Mutex<Vec<Arc<Slot>>>,
    /// So that a host that has nothing to hear takes no lock.
    count: AtomicUsize,
}

impl Inbox {
    /// Puts a slot in the place of an earlier one of its subscription.
    pub(crate) fn put(&self, slot: Arc<Slot>) {
        let mut slots = self.lock();
        slots.retain(|earlier| !earlier.is_of(&slot.bound));
        slots.push(slot);
        self.0.count.store(slots.len(), Ordering::Release);
    }

    /// Takes out the slots of a module.
    fn take(&self, module: &ModuleName, generation: u64) -> Vec<Arc<Slot>> {
        if self.0.count.load(Ordering::Acquire) == 0 {
            return Vec::new();
        }
        let mut slots = self.lock();
        let is_of = |slot: &Arc<Slot>| {
            let loaded = &slot.bound.module;
            loaded.generation == generation && loaded.name == *module
        };
        let (found, rest) = std::mem::take(&mut *slots).into_iter().partition(is_of);
        *slots = rest;
        self.0.count.store(slots.len(), Ordering::Release);
        found
    }

    fn retain(&self, keep: &dyn Fn(&ModuleName, u64) -> bool) {
        let mut slots = self.lock();
        slots.retain(|slot| keep(&slot.bound.module.name, slot.bound.module.generation));
        self.0.count.store(slots.len(), Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Slot>>> {
        self.0.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A host that calls slots it heard of before the module's next hook.
pub(crate) struct Listening {
    inner: Box<dyn HookHost>,
    inbox: Inbox,
}

impl Listening {
    /// The host, and where it hears of slots.
    pub(crate) fn around(inner: Box<dyn HookHost>) -> (Box<dyn HookHost>, Inbox) {
        let inbox = Inbox::default();
        (Box::new(Self { inner, inbox: inbox.clone() }), inbox)
    }

    fn prepare(&mut self, call: &HookCall<'_>) {
        for slot in self.inbox.take(&call.module.name, call.module.generation) {
            let known = slot.call(CallCause::Normal);
            let Invocation { outcome, logs, logs_dropped, .. } = self.inner.cron(&known, &slot.arguments);
            note::forward_logs(&known, &logs, logs_dropped);
            if let Err(failure) = outcome {
                // The lanes that dealt with the slot have written it down, if it fails there too.
                tracing::warn!(module = %call.module.name, slot = %slot.at, "an instance is not prepared: {failure}");
            }
        }
    }
}

impl HookHost for Listening {
    fn on_task_start(&mut self, call: &HookCall<'_>, task: &TaskBody) -> Invocation<()> {
        self.prepare(call);
        self.inner.on_task_start(call, task)
    }

    fn allow_entity_creation(&mut self, call: &HookCall<'_>, task: &TaskBody) -> Invocation<Verdict> {
        self.prepare(call);
        self.inner.allow_entity_creation(call, task)
    }

    fn on_entity_creation(&mut self, call: &HookCall<'_>, task: &TaskBody) -> Invocation<Vec<TaskBody>> {
        self.prepare(call);
        self.inner.on_entity_creation(call, task)
    }

    fn on_new_attribute(
        &mut self,
        call: &HookCall<'_>,
        entity: &EntityRef,
        datapoint: &DataPoint,
    ) -> Invocation<Vec<TaskBody>> {
        self.prepare(call);
        self.inner.on_new_attribute(call, entity, datapoint)
    }

    fn snapshot_init(&mut self, call: &HookCall<'_>, run: &RunContext) -> Invocation<Vec<TaskBody>> {
        self.prepare(call);
        self.inner.snapshot_init(call, run)
    }

    fn snapshot_finalize(&mut self, call: &HookCall<'_>, run: &RunContext) -> Invocation<Vec<TaskBody>> {
        self.prepare(call);
        self.inner.snapshot_finalize(call, run)
    }

    fn timeseries(
        &mut self,
        call: &HookCall<'_>,
        entity: &EntityRef,
        attr: &AttrName,
        history: &[Chunk],
    ) -> Invocation<Vec<TaskBody>> {
        self.prepare(call);
        self.inner.timeseries(call, entity, attr, history)
    }

    fn correlate(
        &mut self,
        call: &HookCall<'_>,
        view: &View,
        deeper: Option<Arc<dyn ViewSource>>,
    ) -> Invocation<Correlated> {
        self.prepare(call);
        self.inner.correlate(call, view, deeper)
    }

    fn correlate_with_record(
        &mut self,
        call: &HookCall<'_>,
        view: &View,
        record: Option<&MasterRecord>,
        deeper: Option<Arc<dyn ViewSource>>,
    ) -> Invocation<Correlated> {
        self.prepare(call);
        self.inner.correlate_with_record(call, view, record, deeper)
    }

    fn update_record(
        &mut self,
        call: &HookCall<'_>,
        entity: &EntityRef,
        record: &MasterRecord,
    ) -> Invocation<Vec<TaskBody>> {
        self.prepare(call);
        self.inner.update_record(call, entity, record)
    }

    fn update_entity(&mut self, call: &HookCall<'_>, entity: &EntityRef) -> Invocation<Vec<TaskBody>> {
        self.prepare(call);
        self.inner.update_entity(call, entity)
    }

    fn cron(&mut self, call: &HookCall<'_>, arguments: &str) -> Invocation<Vec<Vec<TaskBody>>> {
        self.prepare(call);
        self.inner.cron(call, arguments)
    }

    fn before(
        &mut self,
        call: &HookCall<'_>,
        context: &CallContext,
        event: CaseEvent,
        proposal: &Proposal,
        within_ms: u64,
    ) -> Invocation<Judgement> {
        self.prepare(call);
        self.inner.before(call, context, event, proposal, within_ms)
    }

    fn after(
        &mut self,
        call: &HookCall<'_>,
        context: &CallContext,
        event: CaseEvent,
        objects: &[SeenChange],
        within_ms: u64,
    ) -> Invocation<CaseOutcome> {
        self.prepare(call);
        self.inner.after(call, context, event, objects, within_ms)
    }

    fn manual(
        &mut self,
        call: &HookCall<'_>,
        context: &CallContext,
        event: CaseEvent,
        objects: &[SeenObject],
    ) -> Invocation<ManualOutcome> {
        self.prepare(call);
        self.inner.manual(call, context, event, objects)
    }

    fn run_ended(&mut self) {
        self.inner.run_ended();
    }

    fn retain(&mut self, keep: &dyn Fn(&ModuleName, u64) -> bool) {
        self.inbox.retain(keep);
        self.inner.retain(keep);
    }
}
