use super::*;
use tenter_sdk::case::{ObjectRef, Trigger};
use tenter_sdk::testing::{Group, Harness, expect_tasks, host, json};
use tenter_sdk::view::CurrentValue;

fn object() -> CaseObject {
    let target = ObjectRef { object: "ioc".into(), id: 7 };
    CaseObject { target, uuid: None, version: 3, body: json!({"value": "x"}).to_string() }
}

#[test]
fn every_kind_leaves_its_mark() {
    let mut m = Harness::<EveryKind>::new(json!({})).unwrap();
    let ip = EntityRef::new("ip", "192.0.2.9");
    let run = Run { id: "r".into(), time: 0 };
    let values = vec![CurrentValue { attr: "open_ports".into(), value: 22.into(), confidence: Some(1.0) }];
    let view = View { root: EntityView { entity: ip.clone(), values }, linked: vec![] };
    let record =
        MasterRecord { entity: ip.clone(), created: None, revision: 1, ttl_tokens: vec![], attributes: vec![] };
    let context = Context { case_id: Some(1), case_name: None, user: None, trigger: Trigger::Api };
    let event = Event { object: "ioc".into(), action: Some("create".into()) };
    let proposal = Proposal { id: None, body: "{}".into() };

    m.on_task_start(Task::on(ip.clone())).unwrap();
    assert_eq!(m.allow_entity_creation(Task::on(ip.clone())), Ok(Verdict::Allow));
    let mut marked = vec![
        m.on_entity_creation(Task::on(ip.clone())).unwrap(),
        m.on_new_attribute(ip.clone(), Datapoint::observation("open_ports", 22, 1, 2)).unwrap(),
        m.snapshot_init(&run).unwrap(),
        m.snapshot_finalize(&run).unwrap(),
        m.timeseries(ip.clone(), "activity", &[]).unwrap(),
        m.update_record(&record).unwrap(),
        m.update_entity(ip).unwrap(),
        m.cron("cron:mi.any.by.5").unwrap(),
    ];
    for correlated in [m.correlate(&view).unwrap(), m.correlate_with_record(&view, &record).unwrap()] {
        assert_eq!(correlated.changes[0].attr, "label");
        assert_eq!(correlated.changes[0].entity, view.root.entity);
        marked.push(correlated.tasks);
    }
    let kinds = [
        "on-entity-creation",
        "on-new-attribute",
        "snapshot-init",
        "snapshot-finalize",
        "timeseries",
        "update-record",
        "update-entity",
        "cron",
        "correlate",
        "correlate-with-record",
    ];
    for (tasks, kind) in marked.iter().zip(kinds) {
        expect_tasks(tasks, json!([{"etype": "ip", "data_points": [{"attr": "label", "v": kind}]}]));
    }
    assert_eq!(m.before(&context, &event, &proposal), Ok(Judgement::Replaced(r#"{"seen":"before"}"#.into())));
    let written = Written { old: None, new: Some(object()), attachments: vec![] };
    assert_eq!(m.after(&context, &event, &[written]).unwrap().effects.len(), 1);
    let manual = m.manual("manual:ioc:mark-it", &context, &event, &[object()]).unwrap();
    assert_eq!(manual.report.map(|r| r.message).as_deref(), Some("marked 1"));

    let counted = host(|h| h.state.keys().filter(|k| k.starts_with("calls/")).count());
    assert_eq!((counted, m.subscriptions().len()), (15, 15));
}

#[test]
fn marks_are_collected_those_of_silent_kinds_too() {
    let mut m = Harness::<EveryKind>::new(json!({"marks": "marks"})).unwrap();
    let ip = EntityRef::new("ip", "192.0.2.9");
    m.on_task_start(Task::on(ip.clone())).unwrap();
    m.on_task_start(Task::on(ip.clone())).unwrap();
    m.allow_entity_creation(Task::on(ip.clone())).unwrap();
    let tasks = m.on_entity_creation(Task::on(ip.clone())).unwrap();
    let marks: Vec<_> = tasks[0].of_attr("marks").filter_map(|dp| dp.value.as_str()).collect();
    assert_eq!(marks, ["on-task-start", "allow-entity-creation", "on-entity-creation"]);
    assert_eq!(m.update_entity(ip).unwrap()[0].of_attr("marks").count(), 1);

    let mut group = Group::new(json!({"ip/192.0.2.9": {"marks": ["cron"], "marks#c": [0.5]}}));
    m.snapshot(&mut group).unwrap();
    let marks = json!(["cron", "correlate", "correlate-with-record"]);
    group.expect(json!({"ip/192.0.2.9": {"marks": marks, "marks#c": [0.5, 1, 1]}}));
}

#[test]
fn default_ids_are_stable() {
    let m = Harness::<EveryKind>::new(json!({"etype": "Host"})).unwrap();
    assert_eq!(
        m.subscriptions(),
        [
            "on-task-start",
            "allow-entity-creation:host",
            "on-entity-creation:host",
            "on-new-attribute:host.open_ports",
            "snapshot-init",
            "snapshot-finalize",
            "timeseries:host.activity",
            "correlate:host",
            "correlate-with-record:host",
            "update-record:host",
            "update-entity:host",
            "cron:mi.any.by.5",
            "before:ioc.create",
            "after:ioc.any",
            "manual:ioc:mark-it",
        ]
    );
}

#[test]
fn an_operators_registration_is_served() {
    let mut m = Harness::<EveryKind>::new(json!({})).unwrap();
    let context = Context { case_id: None, case_name: None, user: None, trigger: Trigger::Manual };
    let event = Event { object: "ioc".into(), action: None };
    assert!(m.manual("operator:on_manual_trigger_ioc", &context, &event, &[object()]).is_ok());
    let unknown = m.manual("no-such-id", &context, &event, &[]).unwrap_err();
    assert_eq!(unknown.to_string(), "failed: no handler for manual subscription \"no-such-id\"");
}

#[test]
fn each_subject_is_configuration() {
    let mut m = Harness::<EveryKind>::new(json!({"etype": "host"})).unwrap();
    assert!(m.on_entity_creation(Task::of("host", "a")).is_ok());
    let error = m.on_entity_creation(Task::of("ip", "a")).unwrap_err();
    assert_eq!(
        error.message(),
        "no on-entity-creation subscription of the module fits; it has on-entity-creation:host"
    );
}

#[test]
fn no_kind_of_the_table_is_missing() {
    let ids = Harness::<EveryKind>::new(json!({})).unwrap().subscriptions();
    let kinds: Vec<_> = ids.iter().map(|id| id.split(':').next().unwrap_or_default()).collect();
    let table: Vec<_> = tenter_model::hook::TABLE.iter().map(|row| row.name).collect();
    assert_eq!(kinds, table, "the SDK offers each kind of hook, in the order of the table");
}
