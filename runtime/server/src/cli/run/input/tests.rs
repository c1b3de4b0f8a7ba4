use super::*;
use serde_json::json;
use tenter_model::Timestamp;
use tenter_model::record::History;
use tenter_model::value::{Scalar, Value};
use tenter_model::view::EntityView;

fn read(kind: HookKind, json: &Json) -> Result<Input, String> {
    Reading { site: None }.input(kind, json).map_err(|e| e.message)
}

fn one(v: Json, form: Option<&str>) -> Result<Value, String> {
    let mut dp = json!({"attr": "a", "v": v});
    if let Some(form) = form {
        dp["as"] = form.into();
    }
    let input = json!({"entity": {"etype": "ip", "eid": "192.0.2.1"}, "datapoint": dp});
    match read(HookKind::OnNewAttribute, &input)? {
        Input::Datapoint(_, dp) => Ok(dp.value),
        other => Err(format!("{other:?}")),
    }
}

#[test]
fn a_task_has_all_its_members() {
    let input = json!({"task": {"etype": "ip", "eid": "192.0.2.1", "tags": ["x"], "delete": true,
        "ttl_tokens": {"base": "1970-01-01T00:00:01Z", "none": null},
        "data_points": [{"attr": "a", "v": 1, "t1": "1970-01-01T00:00:02Z", "t2": null, "c": 0.5, "src": "s"}]}});
    let Ok(Input::Task(task)) = read(HookKind::OnTaskStart, &input) else { panic!("no task") };
    assert_eq!(task.entity.to_string(), "ip/192.0.2.1");
    assert_eq!((task.tags.as_slice(), task.delete), (&["x".to_owned()][..], true));
    assert_eq!(task.ttl_tokens, [("base".to_owned(), Some(Timestamp(1_000_000))), ("none".to_owned(), None)]);
    let want = DataPoint {
        attr: AttrName::new("a").unwrap(),
        value: Value::Scalar(Scalar::Int(1)),
        src: Some("s".into()),
        t1: Some(Timestamp(2_000_000)),
        t2: None,
        confidence: Some(0.5),
    };
    assert_eq!(task.datapoints, [want]);
}

#[test]
fn forms_are_told_or_taken_from_json() {
    assert_eq!(one(json!("x"), None), Ok(Value::Scalar(Scalar::Text("x".into()))));
    assert_eq!(one(json!(1.5), None), Ok(Value::Scalar(Scalar::Float(1.5))));
    assert_eq!(one(json!(1), Some("real")), Ok(Value::Scalar(Scalar::Float(1.0))));
    assert_eq!(one(json!([true, 2]), None), Ok(Value::Items(vec![Scalar::Bool(true), Scalar::Int(2)])));
    assert_eq!(one(json!({"k": 2}), None), Ok(Value::Members(vec![("k".into(), Scalar::Int(2))])));
    assert_eq!(one(json!({"k": 2}), Some("json")), Ok(Value::Scalar(Scalar::Json(json!({"k": 2})))));
    assert_eq!(one(json!("::1"), Some("address")), Ok(Value::Scalar(Scalar::Ip("::1".parse().unwrap()))));
    assert!(matches!(one(json!("02:00:00:00:00:01"), Some("address")), Ok(Value::Scalar(Scalar::Mac(_)))));
    assert!(matches!(one(json!({"etype": "ip", "eid": "x", "data": 1}), Some("link")), Ok(Value::Link(_))));
    assert!(matches!(one(json!([{"etype": "ip", "eid": "x"}]), Some("links")), Ok(Value::Links(_))));
    let Ok(Value::Chunk(chunk)) = one(json!({"a": [1, 2], "b": [1.5], "t": ["2020-01-01"]}), Some("chunk")) else {
        panic!("no chunk")
    };
    assert_eq!(chunk.len(), 3);
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let task = |members: Json| read(HookKind::OnEntityCreation, &json!({"task": members})).unwrap_err();
    let errors = [
        read(HookKind::OnTaskStart, &json!([])).unwrap_err(),
        task(json!({"etype": "ip"})),
        task(json!({"etype": "ip", "eid": 5})),
        task(json!({"etype": "ip", "eid": "x", "data_points": [{"attr": "a", "v": null}]})),
        task(json!({"etype": "ip", "eid": "x", "ttl_tokens": {"base": "soon"}})),
        one(json!("x"), Some("integer")).unwrap_err(),
        one(json!("x"), Some("address")).unwrap_err(),
        one(json!({"a": ["x"]}), Some("chunk")).unwrap_err(),
    ];
    insta::assert_snapshot!(errors.join("\n"), @r#"
    the input is not one of on-task-start: task is missing
    the input is not one of on-entity-creation: eid is missing
    the input is not one of on-entity-creation: eid: expected text
    the input is not one of on-entity-creation: data_points[0]: v: null needs `as` to tell its form
    the input is not one of on-entity-creation: ttl_tokens: "soon" is not a time such as 2030-01-01T00:00:00Z
    the input is not one of on-new-attribute: datapoint: v: "x" is not of the form "integer"
    the input is not one of on-new-attribute: datapoint: v: "x" is no address
    the input is not one of on-new-attribute: datapoint: v: a: expected a list of numbers or a list of times
    "#);
}

#[test]
fn a_site_checks_values_and_ids() {
    let files = crate::embedded::SITE.iter().filter(|(name, _)| name.ends_with(".yml"));
    let files: Vec<_> = files
        .map(|(name, bytes)| tenter_model::config::ConfigFile {
            path: (*name).to_owned(),
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        })
        .collect();
    let site = tenter_model::config::load(&files).config.unwrap();
    let reading = Reading { site: Some(&site) };
    let read = |attr: &str, v: Json| {
        let dp = json!({"attr": attr, "v": v, "t1": "2026-01-01T00:00:00Z"});
        let input = json!({"entity": {"etype": "ip", "eid": "192.0.2.1"}, "datapoint": dp});
        reading.input(HookKind::OnNewAttribute, &input).map_err(|e| e.message)
    };
    let Ok(Input::Datapoint(_, dp)) = read("open_ports", json!("22")) else { panic!("not taken") };
    assert_eq!((dp.value, dp.confidence), (Value::Scalar(Scalar::Int(22)), Some(1.0)));
    assert!(read("open_ports", json!("many")).unwrap_err().contains("datapoint:"));
    assert!(read("open_port", json!(1)).is_err());
}

fn demo_site() -> tenter_model::config::SiteConfig {
    let files = crate::embedded::DEMO_SITE.iter().filter(|(name, _)| name.ends_with(".yml"));
    let files: Vec<_> = files
        .map(|(name, bytes)| tenter_model::config::ConfigFile {
            path: (*name).to_owned(),
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        })
        .collect();
    tenter_model::config::load(&files).config.unwrap()
}

/// Values of an attribute of a view, as JSON.
fn shown(view: &EntityView, attr: &str) -> Vec<(Json, Option<f64>)> {
    view.values_of(attr).map(|v| (v.value.to_json_untyped(), v.confidence)).collect()
}

#[test]
fn views_are_lists_or_objects_and_a_site_gives_them_types() {
    let view = json!({
        "root": {"etype": "ip", "eid": "192.0.2.1", "values": {
            "open_ports": ["22", 80], "open_ports#c": [1.0, 0.5], "first_seen": "2026-01-01T00:00:00Z", "unknown": [1],
        }},
        "linked": [{"etype": "domain", "eid": "a.example", "values": [
            {"attr": "resolves_to", "v": {"etype": "ip", "eid": "192.0.2.1"}, "as": "link", "c": 0.5},
        ]}],
    });
    let site = demo_site();
    for site in [Some(&site), None] {
        let input = Reading { site }.input(HookKind::Correlate, &json!({"view": view, "beyond": []})).unwrap();
        let Input::Views(Views::Given(view, beyond), None) = input else { panic!("no view") };
        assert!(beyond.is_empty());
        let ports = if site.is_some() { json!(22) } else { json!("22") };
        assert_eq!(shown(&view.root, "open_ports"), [(ports, Some(1.0)), (json!(80), Some(0.5))]);
        let time = view.root.values_of("first_seen").next().unwrap();
        assert_eq!(matches!(time.value, Value::Scalar(Scalar::Time(_))), site.is_some());
        assert_eq!(shown(&view.root, "unknown"), [(json!([1]), None)]);
        let link = view.linked[0].values_of("resolves_to").next().unwrap();
        assert_eq!(link.value.links().len(), 1);
    }
    let group = json!({"group": {"ip/192.0.2.1": {}}, "root": "ip/192.0.2.1"});
    let error = read(HookKind::Correlate, &group).unwrap_err();
    assert!(error.contains("name it with --site"), "{error}");
}

#[test]
fn records_have_every_kind_of_history() {
    let record = json!({"etype": "ip", "eid": "192.0.2.1", "created": "2026-01-01T00:00:00Z", "revision": 7,
    "ttl_tokens": {"base": "2027-01-01T00:00:00Z"},
    "attributes": {
        "label": {"plain": {"v": "private"}},
        "talks_to": {"observations": [{"t1": "2026-01-01T00:00:00Z", "c": 0.5, "as": "link",
            "v": {"etype": "ip", "eid": "192.0.2.2", "data": 80}}]},
        "connections": {"timeseries": [{"t1": "2026-01-01T00:00:00Z", "t2": "2026-01-01T00:02:00Z",
            "v": {"opened": [1, 2], "answered": [0, 0]}}]},
    }});
    let site = demo_site();
    for site in [Some(&site), None] {
        let input = Reading { site }.input(HookKind::UpdateRecord, &json!({"record": record})).unwrap();
        let Input::Record(entity, record) = input else { panic!("no record") };
        assert_eq!((entity.to_string().as_str(), record.revision, record.ttl.len()), ("ip/192.0.2.1", 7, 1));
        assert!(matches!(&record.attributes["label"], History::Plain { updated, .. } if *updated == record.created));
        assert!(matches!(&record.attributes["talks_to"], History::Observations(points) if points[0].confidence == 0.5));
        assert!(
            matches!(&record.attributes["connections"], History::Timeseries(chunks) if chunks[0].series.len() == 2)
        );
    }
    let wrong = |attributes: Json| {
        let record = json!({"etype": "ip", "eid": "192.0.2.1", "attributes": attributes});
        read(HookKind::UpdateRecord, &json!({"record": record})).unwrap_err()
    };
    let errors = [
        wrong(json!({"a": 5})),
        wrong(json!({"a": {"observations": [{"v": 5}]}})),
        wrong(json!({"a": {"timeseries": [{"t1": "2026-01-01", "v": {"x": [true]}}]}})),
        read(HookKind::SnapshotInit, &json!({"run": {"id": "r"}})).unwrap_err(),
        read(HookKind::Timeseries, &json!({"entity": {"etype": "ip", "eid": "a"}})).unwrap_err(),
        read(
            HookKind::CorrelateWithRecord,
            &json!({"view": {"root": {"etype": "ip", "eid": "a"}},
            "record": {"etype": "ip", "eid": "b"}}),
        )
        .unwrap_err(),
    ];
    insta::assert_snapshot!(errors.join("\n"), @r#"
    the input is not one of update-record: record: a: expected {"plain": ..}, {"observations": [..]} or {"timeseries": [..]}
    the input is not one of update-record: record: a: [0]: t1 is missing
    the input is not one of update-record: record: a: [0]: v: x: expected a list of numbers or a list of times
    the input is not one of snapshot-init: run: time is missing
    the input is not one of timeseries: attr is missing
    the input is not one of correlate-with-record: record: it is one of ip/b, and the view one of ip/a
    "#);
}
