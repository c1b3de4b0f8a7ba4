//! One method for each kind of hook: what goes to the guest, which function is called, what is made of its answer.

use std::sync::Arc;

use tenter_model::case::CaseEvent;
use tenter_model::case::call::{
    CallContext, CaseOutcome, Judgement, ManualOutcome, Proposal, Resume, SeenChange, SeenObject,
};
use tenter_model::hook::HookKind;
use tenter_model::host::{HookCall, HookFailure, HookHost, Invocation, Verdict};
use tenter_model::id::{AttrName, EntityRef, ModuleName};
use tenter_model::limits::CallLimits;
use tenter_model::record::{Chunk, MasterRecord};
use tenter_model::task::TaskBody;
use tenter_model::view::{Correlated, RunContext, View, ViewSource};
use tenter_model::{DataPoint, TaskId};
use wasmtime::Store;

use super::{Answer, Lane};
use crate::bindings::exports::tenter::hooks::{cases, ingest, schedule, snapshot, update};
use crate::bindings::tenter::hooks::types as wit;
use crate::capability::call::Resumption;
use crate::capability::tasks::Submission;
use crate::convert::case::{
    change_to_wit, context_to_wit, event_to_wit, judgement_from_wit, manual_from_wit, object_to_wit, outcome_from_wit,
    proposal_to_wit,
};
use crate::convert::record::{chunk_to_wit, record_to_wit};
use crate::convert::task::{datapoint_into_wit, output_from_wit, task_to_wit};
use crate::convert::value::{entity_into_wit, entity_to_wit};
use crate::convert::view::{correlated_from_wit, no_record, run_to_wit, view_to_wit};
use crate::guest::{Guest, Offer};
use crate::text::message;

/// Arguments of a call, kept for the room in their texts.
pub(super) struct Arguments {
    id: String,
    entity: wit::EntityRef,
    datapoint: wit::Datapoint,
}

impl Default for Arguments {
    fn default() -> Self {
        let datapoint = wit::Datapoint {
            attr: String::new(),
            value: wit::Value::Boolean(false),
            src: None,
            t1: None,
            t2: None,
            confidence: None,
        };
        let entity = wit::EntityRef { etype: String::new(), eid: String::new() };
        Self { id: String::new(), entity, datapoint }
    }
}

impl Arguments {
    /// Whether it is worth keeping: one huge text is not held for ever.
    fn is_small(&self) -> bool {
        match &self.datapoint.value {
            wit::Value::Text(text) => text.capacity() <= 4 << 10,
            wit::Value::Boolean(_) | wit::Value::Integer(_) | wit::Value::Real(_) | wit::Value::Time(_) => true,
            _ => false,
        }
    }
}

/// The families whose hooks take and return data alone.
impl Lane {
    fn ingest<R, T>(
        &mut self,
        call: &HookCall<'_>,
        kind: HookKind,
        work: impl FnOnce(&ingest::Guest, &mut Store<Guest>) -> Answer<R>,
        accept: impl FnOnce(R, &CallLimits) -> Result<T, HookFailure>,
    ) -> Invocation<T> {
        let accept = |answer, _: Offer, limits: &CallLimits| accept(answer, limits);
        self.invoke(call, kind, |_| Offer::default(), |exports| exports.ingest.as_ref(), work, accept)
    }

    fn snapshot<R, T>(
        &mut self,
        call: &HookCall<'_>,
        kind: HookKind,
        deeper: Option<Arc<dyn ViewSource>>,
        work: impl FnOnce(&snapshot::Guest, &mut Store<Guest>) -> Answer<R>,
        accept: impl FnOnce(R, &CallLimits) -> Result<T, HookFailure>,
    ) -> Invocation<T> {
        let offer = |_: &mut CallLimits| Offer { views: deeper, ..Offer::default() };
        let accept = |answer, _: Offer, limits: &CallLimits| accept(answer, limits);
        self.invoke(call, kind, offer, |exports| exports.snapshot.as_ref(), work, accept)
    }

    fn update(
        &mut self,
        call: &HookCall<'_>,
        kind: HookKind,
        work: impl FnOnce(&update::Guest, &mut Store<Guest>) -> Answer<Vec<wit::Task>>,
    ) -> Invocation<Vec<TaskBody>> {
        let accept = |answer, _: Offer, limits: &CallLimits| output_from_wit(answer, limits);
        self.invoke(call, kind, |_| Offer::default(), |exports| exports.update.as_ref(), work, accept)
    }

    /// Case hooks have less time than their family where somebody waits for them. Those that are jobs may ask to be
    /// called again.
    fn case<R, T>(
        &mut self,
        call: &HookCall<'_>,
        kind: HookKind,
        (within_ms, resumption): (u64, Option<Resumption>),
        work: impl FnOnce(&cases::Guest, &mut Store<Guest>) -> Answer<R>,
        accept: impl FnOnce(R, Option<Resume>, &CallLimits) -> Result<T, HookFailure>,
    ) -> Invocation<T> {
        let offer = |limits: &mut CallLimits| {
            limits.deadline_ms = limits.deadline_ms.min(within_ms);
            Offer { resumption, ..Offer::default() }
        };
        let accept = |answer, offer: Offer, limits: &CallLimits| {
            accept(answer, offer.resumption.and_then(Resumption::finish), limits)
        };
        self.invoke(call, kind, offer, |exports| exports.cases.as_ref(), work, accept)
    }
}

impl HookHost for Lane {
    fn on_task_start(&mut self, call: &HookCall<'_>, task: &TaskBody) -> Invocation<()> {
        let (id, task) = (call.subscription.to_string(), task_to_wit(task));
        let work = |guest: &ingest::Guest, store: &mut Store<Guest>| guest.call_on_task_start(store, &id, &task);
        self.ingest(call, HookKind::OnTaskStart, work, |(), _| Ok(()))
    }

    fn allow_entity_creation(&mut self, call: &HookCall<'_>, task: &TaskBody) -> Invocation<Verdict> {
        let (id, task) = (call.subscription.to_string(), task_to_wit(task));
        let work =
            |guest: &ingest::Guest, store: &mut Store<Guest>| guest.call_allow_entity_creation(store, &id, &task);
        self.ingest(call, HookKind::AllowEntityCreation, work, |verdict, _| {
            Ok(match verdict {
                wit::Verdict::Allow => Verdict::Allow,
                wit::Verdict::Deny(reason) => Verdict::Deny(message(&reason)),
            })
        })
    }

    fn on_entity_creation(&mut self, call: &HookCall<'_>, task: &TaskBody) -> Invocation<Vec<TaskBody>> {
        let (id, task) = (call.subscription.to_string(), task_to_wit(task));
        let work = |guest: &ingest::Guest, store: &mut Store<Guest>| guest.call_on_entity_creation(store, &id, &task);
        self.ingest(call, HookKind::OnEntityCreation, work, output_from_wit)
    }

    fn on_new_attribute(
        &mut self,
        call: &HookCall<'_>,
        entity: &EntityRef,
        datapoint: &DataPoint,
    ) -> Invocation<Vec<TaskBody>> {
        // The hook that is called most by far: its arguments are written over those of the call before.
        let mut room = std::mem::take(&mut self.room);
        call.subscription.as_str().clone_into(&mut room.id);
        entity_into_wit(entity, &mut room.entity);
        datapoint_into_wit(datapoint, &mut room.datapoint);
        let work = |guest: &ingest::Guest, store: &mut Store<Guest>| {
            guest.call_on_new_attribute(store, &room.id, &room.entity, &room.datapoint)
        };
        let done = self.ingest(call, HookKind::OnNewAttribute, work, output_from_wit);
        if room.is_small() {
            self.room = room;
        }
        done
    }

    fn snapshot_init(&mut self, call: &HookCall<'_>, run: &RunContext) -> Invocation<Vec<TaskBody>> {
        let (id, wit) = (call.subscription.to_string(), run_to_wit(run));
        let work = |guest: &snapshot::Guest, store: &mut Store<Guest>| guest.call_snapshot_init(store, &id, &wit);
        let done = self.snapshot(call, HookKind::SnapshotInit, None, work, output_from_wit);
        if done.outcome.is_ok() {
            self.prepared.init(call, run);
        }
        done
    }

    fn snapshot_finalize(&mut self, call: &HookCall<'_>, run: &RunContext) -> Invocation<Vec<TaskBody>> {
        let (id, run) = (call.subscription.to_string(), run_to_wit(run));
        let work = |guest: &snapshot::Guest, store: &mut Store<Guest>| guest.call_snapshot_finalize(store, &id, &run);
        self.snapshot(call, HookKind::SnapshotFinalize, None, work, output_from_wit)
    }

    fn timeseries(
        &mut self,
        call: &HookCall<'_>,
        entity: &EntityRef,
        attr: &AttrName,
        history: &[Chunk],
    ) -> Invocation<Vec<TaskBody>> {
        let (id, entity) = (call.subscription.to_string(), entity_to_wit(entity));
        let history: Vec<wit::Chunk> = history.iter().map(chunk_to_wit).collect();
        let work = |guest: &snapshot::Guest, store: &mut Store<Guest>| {
            guest.call_timeseries(store, &id, &entity, attr.as_str(), &history)
        };
        self.snapshot(call, HookKind::Timeseries, None, work, output_from_wit)
    }

    fn correlate(
        &mut self,
        call: &HookCall<'_>,
        view: &View,
        deeper: Option<Arc<dyn ViewSource>>,
    ) -> Invocation<Correlated> {
        let (id, view) = (call.subscription.to_string(), view_to_wit(view));
        let work = |guest: &snapshot::Guest, store: &mut Store<Guest>| guest.call_correlate(store, &id, &view);
        self.snapshot(call, HookKind::Correlate, deeper, work, correlated_from_wit)
    }

    fn correlate_with_record(
        &mut self,
        call: &HookCall<'_>,
        view: &View,
        record: Option<&MasterRecord>,
        deeper: Option<Arc<dyn ViewSource>>,
    ) -> Invocation<Correlated> {
        let root = &view.root.entity;
        let record = record.map_or_else(|| no_record(root), |record| record_to_wit(root, record));
        let (id, view) = (call.subscription.to_string(), view_to_wit(view));
        let work = |guest: &snapshot::Guest, store: &mut Store<Guest>| {
            guest.call_correlate_with_record(store, &id, &view, &record)
        };
        self.snapshot(call, HookKind::CorrelateWithRecord, deeper, work, correlated_from_wit)
    }

    fn update_record(
        &mut self,
        call: &HookCall<'_>,
        entity: &EntityRef,
        record: &MasterRecord,
    ) -> Invocation<Vec<TaskBody>> {
        let (id, record) = (call.subscription.to_string(), record_to_wit(entity, record));
        let work = |guest: &update::Guest, store: &mut Store<Guest>| guest.call_update_record(store, &id, &record);
        self.update(call, HookKind::UpdateRecord, work)
    }

    fn update_entity(&mut self, call: &HookCall<'_>, entity: &EntityRef) -> Invocation<Vec<TaskBody>> {
        let (id, entity) = (call.subscription.to_string(), entity_to_wit(entity));
        let work = |guest: &update::Guest, store: &mut Store<Guest>| guest.call_update_entity(store, &id, &entity);
        self.update(call, HookKind::UpdateEntity, work)
    }

    fn cron(&mut self, call: &HookCall<'_>, arguments: &str) -> Invocation<Vec<Vec<TaskBody>>> {
        let id = call.subscription.to_string();
        let slot = TaskId::of_slot(&call.module.name, call.subscription, call.time);
        let offer = |limits: &mut CallLimits| Offer {
            tasks: Some(Submission::new(slot, &call.module.name, call.subscription, limits.output_tasks)),
            ..Offer::default()
        };
        let work = |guest: &schedule::Guest, store: &mut Store<Guest>| guest.call_cron(store, &id, arguments);
        let accept = |(), offer: Offer, _: &CallLimits| Ok(offer.tasks.map(Submission::finish).unwrap_or_default());
        let done = self.invoke(call, HookKind::Cron, offer, |exports| exports.schedule.as_ref(), work, accept);
        if done.outcome.is_ok() {
            self.prepared.cron(call, arguments);
        }
        done
    }

    fn before(
        &mut self,
        call: &HookCall<'_>,
        context: &CallContext,
        event: CaseEvent,
        proposal: &Proposal,
        within_ms: u64,
    ) -> Invocation<Judgement> {
        let id = call.subscription.to_string();
        let (context, event, proposal) = (context_to_wit(context), event_to_wit(event), proposal_to_wit(proposal));
        let work =
            |guest: &cases::Guest, store: &mut Store<Guest>| guest.call_before(store, &id, &context, &event, &proposal);
        self.case(call, HookKind::Before, (within_ms, None), work, |judgement, _, _| judgement_from_wit(judgement))
    }

    fn after(
        &mut self,
        call: &HookCall<'_>,
        context: &CallContext,
        event: CaseEvent,
        objects: &[SeenChange],
        within_ms: u64,
    ) -> Invocation<CaseOutcome> {
        let id = call.subscription.to_string();
        let resumption = Resumption::new(context.resumable.clone());
        let (context, event) = (context_to_wit(context), event_to_wit(event));
        let objects: Vec<cases::Written> = objects.iter().map(change_to_wit).collect();
        let work =
            |guest: &cases::Guest, store: &mut Store<Guest>| guest.call_after(store, &id, &context, &event, &objects);
        self.case(call, HookKind::After, (within_ms, Some(resumption)), work, |outcome, resume, limits| {
            Ok(CaseOutcome { resume, ..outcome_from_wit(outcome, limits)? })
        })
    }

    fn manual(
        &mut self,
        call: &HookCall<'_>,
        context: &CallContext,
        event: CaseEvent,
        objects: &[SeenObject],
    ) -> Invocation<ManualOutcome> {
        let id = call.subscription.to_string();
        let resumption = Resumption::new(context.resumable.clone());
        let (context, event) = (context_to_wit(context), event_to_wit(event));
        let objects: Vec<cases::CaseObject> = objects.iter().map(object_to_wit).collect();
        let work =
            |guest: &cases::Guest, store: &mut Store<Guest>| guest.call_manual(store, &id, &context, &event, &objects);
        self.case(call, HookKind::Manual, (u64::MAX, Some(resumption)), work, |outcome, resume, limits| {
            let ManualOutcome { outcome, report } = manual_from_wit(outcome, limits)?;
            Ok(ManualOutcome { outcome: CaseOutcome { resume, ..outcome }, report })
        })
    }

    fn run_ended(&mut self) {
        self.prepared.run_ended();
    }

    fn retain(&mut self, keep: &dyn Fn(&ModuleName, u64) -> bool) {
        self.places.retain(|place| keep(&place.module, place.generation));
        self.prepared.retain(keep);
    }
}
