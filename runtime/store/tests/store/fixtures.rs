//! Short ways to tasks, outcomes and stores.

use std::path::Path;

use tenter_model::host::Usage;
use tenter_model::task::{Origin, Queue};
use tenter_model::value::Link;
use tenter_model::{
    AttrName, DataPoint, EntityId, EntityRef, EntityType, HookKind, MasterRecord, ModuleName, Scalar, SubscriptionId,
    Task, TaskBody, TaskId, Timestamp, Value,
};
use tenter_store::{
    Admission, CommitResult, DeadKind, DeadLetter, Effect, ErrorRow, PendingTask, RawPoint, Reader, Store,
    StoreOptions, Synchronous, TaskOutcome,
};

pub(crate) const NOW: Timestamp = Timestamp(1_700_000_000_000_000);
pub(crate) const DAY: i64 = 86_400_000_000;

pub(crate) fn quick() -> StoreOptions {
    StoreOptions { synchronous: Synchronous::Normal, ..StoreOptions::default() }
}

pub(crate) fn store() -> Store {
    Store::temporary(StoreOptions::default(), NOW).unwrap()
}

pub(crate) fn open(dir: &Path) -> Store {
    Store::open(dir, quick(), NOW).unwrap()
}

pub(crate) fn entity(eid: &str) -> EntityRef {
    EntityRef { etype: EntityType::new("ip").unwrap(), eid: EntityId::new(eid).unwrap() }
}

pub(crate) fn id(n: u8) -> TaskId {
    TaskId::root(NOW, [n; 10])
}

pub(crate) fn module(name: &str) -> ModuleName {
    ModuleName::new(name).unwrap()
}

pub(crate) fn attr(name: &str) -> AttrName {
    AttrName::new(name).unwrap()
}

pub(crate) fn task(n: u8, eid: &str) -> Task {
    Task { id: id(n), root: id(n), depth: 0, queue: Queue::Normal, origin: None, body: TaskBody::new(entity(eid)) }
}

/// A task whose id is none of [`id`].
pub(crate) fn other_task(n: u8, entity: EntityRef) -> Task {
    let id = TaskId::root(NOW, [n, 0, 0, 0, 0, 0, 0, 0, 0, 255]);
    Task { id, root: id, depth: 0, queue: Queue::Normal, origin: None, body: TaskBody::new(entity) }
}

pub(crate) fn link_point(name: &str, target: &EntityRef) -> RawPoint {
    let link = Link { target: target.clone(), data: None };
    let mut point = point(name, 0);
    point.datapoint = DataPoint { value: Value::Link(link), t1: None, t2: None, ..point.datapoint };
    point
}

/// Waits for what a call answers.
pub(crate) fn answered<T: Send + 'static>(
    call: impl FnOnce(tenter_store::Done<T>),
) -> Result<T, tenter_store::StoreError> {
    let (sender, receiver) = std::sync::mpsc::channel();
    call(Box::new(move |result| sender.send(result).unwrap()));
    receiver.recv().unwrap()
}

pub(crate) fn follow_up(parent: &Task, ordinal: u32, eid: &str) -> Task {
    let (label, subscription) = (module("label"), SubscriptionId::new("a").unwrap());
    Task {
        id: TaskId::follow_up(parent.id, &label, &subscription, 0, ordinal),
        root: parent.root,
        depth: parent.depth + 1,
        queue: Queue::Priority,
        origin: Some(Origin {
            module: label,
            version: "1.0.0".into(),
            hook: HookKind::OnNewAttribute,
            subscription,
            parent: parent.id,
            number: 0,
            attempt: 1,
        }),
        body: TaskBody::new(entity(eid)),
    }
}

pub(crate) fn point(name: &str, value: i64) -> RawPoint {
    RawPoint {
        datapoint: DataPoint {
            attr: attr(name),
            value: Value::Scalar(Scalar::Int(value)),
            src: Some("probe".into()),
            t1: Some(Timestamp(5)),
            t2: Some(Timestamp(9)),
            confidence: Some(0.5),
        },
        module: None,
    }
}

pub(crate) fn apply(record: MasterRecord, raw: Vec<RawPoint>) -> Effect {
    let created = record.revision == 0;
    Effect::Apply { record, raw, links: Vec::new(), created }
}

/// An outcome without effect, to be filled in.
pub(crate) fn outcome(pending: &PendingTask) -> TaskOutcome {
    TaskOutcome {
        seq: pending.seq,
        id: pending.task.id,
        entity: pending.task.body.entity.clone(),
        at: NOW,
        seen_revision: None,
        origin: None,
        effect: Effect::Nothing,
        follow_ups: Vec::new(),
        dead: Vec::new(),
        errors: Vec::new(),
        state: Vec::new(),
        invocations: Vec::new(),
    }
}

/// An outcome that applies datapoints to what is stored now.
pub(crate) fn applying(reader: &Reader, pending: &PendingTask, raw: Vec<RawPoint>) -> TaskOutcome {
    let stored = reader.record(&pending.task.body.entity).unwrap();
    let seen_revision = stored.as_ref().map(|r| r.revision);
    let mut record = stored.unwrap_or_else(|| MasterRecord::new(NOW));
    for point in &raw {
        record.stage(&point.datapoint, NOW);
    }
    record.extend_ttl(&[("base".into(), Some(NOW.saturating_add(DAY)))]);
    TaskOutcome { seen_revision, effect: apply(record, raw), ..outcome(pending) }
}

pub(crate) fn letter(task: &Task, kind: DeadKind) -> DeadLetter {
    DeadLetter {
        task: task.clone(),
        kind,
        module: Some(module("label")),
        hook: Some(HookKind::OnNewAttribute),
        reason: "trap".into(),
        message: "it crashed".into(),
        at: NOW,
    }
}

pub(crate) fn error(name: &str, reason: &'static str) -> ErrorRow {
    ErrorRow {
        module: module(name),
        digest: "0".repeat(64),
        version: "1.0.0".into(),
        hook: HookKind::OnTaskStart,
        subscription: None,
        task: Some(id(1)),
        entity: Some(entity("a")),
        reason: reason.into(),
        message: "no".into(),
        detail: None,
        usage: Usage { fuel: 7, ..Usage::default() },
        attempt: 1,
        at: NOW,
        logs: Vec::new(),
        invocation: None,
    }
}

pub(crate) fn admit(store: &Store, tasks: Vec<Task>) -> Vec<Admission> {
    store.admit_blocking(tasks, NOW).unwrap()
}

pub(crate) fn pending(reader: &Reader, queue: Queue) -> Vec<PendingTask> {
    reader.pending(queue, None, 0, 1, 1_000_000).unwrap()
}

/// Admits one task and gives it as it waits.
pub(crate) fn waiting(store: &Store, reader: &Reader, n: u8, eid: &str) -> PendingTask {
    assert_eq!(admit(store, vec![task(n, eid)]), [Admission::Accepted]);
    pending(reader, Queue::Normal).into_iter().find(|p| p.task.id == id(n)).unwrap()
}

pub(crate) fn committed(follow_ups: usize, duplicates: usize, over_budget: usize) -> CommitResult {
    CommitResult::Committed { follow_ups, duplicates, over_budget }
}
