use super::*;
use serde_json::json;

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
        Input::Task(_) => Err("a task".into()),
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
