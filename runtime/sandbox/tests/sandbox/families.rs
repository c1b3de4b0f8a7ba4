//! Every kind of hook of the families snapshot, update and schedule, through the lane, in a guest that leaves a mark at
//! each call.

use serde_json::json;
use tenter_model::capability::Grant;
use tenter_model::hook::HookKind;
use tenter_model::host::{HookHost, Invocation, StateWrite};
use tenter_model::id::EntityRef;
use tenter_model::module::ModuleSettings;
use tenter_model::record::{Chunk, MasterRecord};
use tenter_model::task::TaskBody;
use tenter_model::value::{Column, Scalar, Series, Value};
use tenter_model::view::{CurrentValue, EntityView, RunContext, View};

use crate::support::{Host, NOW, entity};

fn every_kind() -> Host {
    let config = json!({ "attr": "hostname", "series": "traffic", "depends_on": "hostname" });
    let grants = vec![Grant { capability: "state".into(), scope: String::new() }];
    Host::of("test-every-kind", ModuleSettings { config, grants, ..ModuleSettings::default() })
}

fn run() -> RunContext {
    RunContext { id: "run-7".into(), time: NOW }
}

fn view() -> View {
    let hostname = Value::Scalar(Scalar::Text("a.example".into()));
    let value = CurrentValue { attr: "hostname".parse().unwrap(), value: hostname, confidence: Some(0.5) };
    View { root: EntityView { entity: entity(), values: vec![value] }, linked: Vec::new() }
}

/// The mark that a call leaves: in its log, in the module's state, and as the label of this entity.
#[track_caller]
fn marked<T>(done: &Invocation<T>, tasks: &[TaskBody], kind: HookKind, whose: &EntityRef) {
    assert_eq!(done.logs.last().map(|line| line.message.as_str()), Some(kind.name()));
    assert_eq!(done.state, [StateWrite::Add { key: format!("calls/{kind}"), by: 1 }]);
    let [task] = tasks else { panic!("{kind}: {tasks:?}") };
    assert_eq!((&task.entity, task.datapoints.len()), (whose, 1));
    assert_eq!(task.datapoints[0].attr.as_str(), "label");
    assert_eq!(task.datapoints[0].value, Value::Scalar(Scalar::Text(kind.name().into())));
}

#[test]
fn hooks_of_a_run_are_called() {
    let mut host = every_kind();
    let (run, home) = (run(), entity());
    for kind in [HookKind::SnapshotInit, HookKind::SnapshotFinalize] {
        let done = host.call(kind, kind.name(), |lane, call| match kind {
            HookKind::SnapshotInit => lane.snapshot_init(call, &run),
            _ => lane.snapshot_finalize(call, &run),
        });
        marked(&done, done.outcome.as_ref().unwrap(), kind, &home);
    }
    let column = |name: &str| Series { name: name.into(), column: Column::Times(vec![NOW]) };
    let chunk = Chunk { t1: NOW, t2: NOW, series: vec![column("time")] };
    let (kind, other) = (HookKind::Timeseries, EntityRef { eid: "192.0.2.9".parse().unwrap(), ..entity() });
    let attr = "traffic".parse().unwrap();
    let done = host.call(kind, "timeseries:ip.traffic", |lane, call| {
        lane.timeseries(call, &other, &attr, &[chunk.clone(), chunk])
    });
    marked(&done, done.outcome.as_ref().unwrap(), kind, &other);
}

#[test]
fn correlations_change_values_and_return_tasks() {
    let mut host = every_kind();
    let (view, record) = (view(), MasterRecord::new(NOW));
    for (kind, record) in [
        (HookKind::Correlate, None),
        // The guest fails when the record is not the root's.
        (HookKind::CorrelateWithRecord, Some(&record)),
        (HookKind::CorrelateWithRecord, None),
    ] {
        let done = host.call(kind, &format!("{kind}:ip"), |lane, call| match kind {
            HookKind::Correlate => lane.correlate(call, &view, None),
            _ => lane.correlate_with_record(call, &view, record, None),
        });
        let correlated = done.outcome.clone().unwrap();
        marked(&done, &correlated.tasks, kind, &view.root.entity);
        let [change] = &correlated.changes[..] else { panic!("{correlated:?}") };
        assert_eq!((&change.entity, change.attr.as_str()), (&view.root.entity, "label"));
        assert_eq!(change.values, [(Value::Scalar(Scalar::Text(kind.name().into())), None)]);
    }
}

#[test]
fn sweeps_are_called() {
    let mut host = every_kind();
    let (entity, record) = (entity(), MasterRecord::new(NOW));
    for kind in [HookKind::UpdateRecord, HookKind::UpdateEntity] {
        let done = host.call(kind, &format!("{kind}:ip"), |lane, call| match kind {
            HookKind::UpdateRecord => lane.update_record(call, &entity, &record),
            _ => lane.update_entity(call, &entity),
        });
        marked(&done, done.outcome.as_ref().unwrap(), kind, &entity);
    }
}

const CRON: &str = "cron:mi.any.by.5";

#[test]
fn what_a_timer_submits_comes_with_the_call() {
    let mut host = every_kind();
    let done = host.call(HookKind::Cron, CRON, |lane, call| lane.cron(call, r#"{"n":1}"#));
    let submitted = done.outcome.clone().unwrap();
    assert_eq!(submitted.len(), 1);
    marked(&done, &submitted[0], HookKind::Cron, &entity());
    assert_eq!(done.logs[0].message, r#"arguments {"n":1}"#);
}
