use super::*;
use serde_json::json;

/// Runs an example on the site of the demonstration and gives the report.
fn example(name: &str, kind: HookKind, grants: Option<Vec<Grant>>, input: &Value) -> Result<Value, CliError> {
    let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/site");
    let bench = Workbench::with_cache(Some(&site), None).unwrap();
    let bytes = &std::fs::read(tenter_guest_build::at_test(&format!("example-{name}"))).unwrap();
    let name = ModuleName::new(name).unwrap();
    let settings = bench.settings(&name);
    let now = Timestamp(1_700_000_000_000_000);
    let module = Arc::new(bench.load(&name, bytes, settings, grants, now)?);
    let input = Reading { site: bench.site() }.input(kind, input)?;
    let subscriptions = chosen(kind, None, &module, &input)?;
    let report = perform(&bench, &module, kind, &subscriptions, &input, now)?;
    Ok(report.finish(bench.data().state()))
}

fn perform<'b>(
    bench: &'b Workbench,
    module: &Arc<LoadedModule>,
    kind: HookKind,
    subscriptions: &[&Subscription],
    input: &Input,
    now: Timestamp,
) -> Result<Report<'b>, CliError> {
    Calls { module, kind, subscriptions, id: "run", now }.perform(bench, &mut bench.sandbox().lane(bench.data()), input)
}

fn task(eid: &str) -> Value {
    json!({"task": {"etype": "ip", "eid": eid}})
}

#[test]
fn tasks_verdicts_and_state_come_out() {
    let label = example("label", HookKind::OnEntityCreation, None, &task("10.0.0.1")).unwrap();
    assert_eq!(label["result"], "ok");
    let want = json!([{"attr": "label", "v": "private", "as": "text", "t1": null, "t2": null, "c": null, "src": null}]);
    assert_eq!(label["tasks"][0]["data_points"], want);
    assert!(label["fuel"].as_u64().unwrap() > 1000);
    assert!(label["memory_bytes"].as_u64().unwrap() >= 65_536);

    let count = example("count-tasks", HookKind::OnTaskStart, None, &task("10.0.0.1")).unwrap();
    assert_eq!(count["state"], json!({"tasks/ip": "1"}));

    let admit = example("admit-prefixes", HookKind::AllowEntityCreation, None, &task("10.0.0.1")).unwrap();
    assert!(admit["verdict"]["allow"].is_boolean(), "{admit}");
}

#[test]
fn grants_are_checked_as_by_the_server() {
    let other = vec![workbench::grant("write-entities ip.services").unwrap()];
    let refused = example("label", HookKind::OnEntityCreation, Some(other), &task("10.0.0.1")).unwrap();
    assert_eq!(refused["result"], "not-granted");
    assert!(refused["message"].as_str().unwrap().contains("`write-entities ip.label`"));
}

#[test]
fn what_cannot_be_called_is_an_error() {
    let domain = json!({"task": {"etype": "domain", "eid": "a.example"}});
    let error = example("label", HookKind::OnEntityCreation, None, &domain).unwrap_err();
    assert_eq!(error.kind, Kind::NotFound);
    insta::assert_snapshot!(format!("{error}\n{}", error.help.as_deref().unwrap()), @"
    the module has no subscription to on-entity-creation that fits the input
    it has on-entity-creation:ip (on-entity-creation of ip)
    ");
    let error = example("label", HookKind::OnEntityCreation, None, &task("not an address")).unwrap_err();
    assert_eq!(error.kind, Kind::Invalid);
}

#[test]
fn a_component_of_entities_is_cut_to_what_the_hook_names() {
    let group = json!({
        "ip/192.0.2.1": {
            "domains": [{"eid": "a.example"}], "domains#c": [0.9], "label": "public",
            "certificates": [{"eid": "c"}], "indicator": {"list": "own", "note": "x"},
        },
        "domain/a.example": {"risk": 0.5, "entropy": 3.9},
        "certificate/c": {"self_signed": true, "subject": "CN=x"},
    });
    let input = json!({"group": group, "root": "ip/192.0.2.1"});
    let report = example("risk-score", HookKind::Correlate, None, &input).unwrap();
    // 1 - 0.2 * 0.5 * 0.8
    let risk =
        json!({"etype": "ip", "eid": "192.0.2.1", "attr": "risk", "values": [{"v": 0.92, "as": "real", "c": null}]});
    assert_eq!(report["changes"][0], risk, "{report:#}");
    assert_eq!(report["changes"][1]["values"][0]["v"], json!(["indicator", "domain/a.example", "certificate/c"]));
    assert_eq!((&report["undeclared"], &report["tasks"]), (&json!([]), &json!([])));

    let view = json!({"view": {"root": {"etype": "domain", "eid": "a.example", "values": {"entropy": 3.9}}}});
    let report = example("risk-score", HookKind::Correlate, None, &view).unwrap();
    assert_eq!(report["changes"][0]["values"][0]["v"], json!(0.3));
    let elsewhere = json!({"group": {"ip/192.0.2.1": {}}, "root": "ip/192.0.2.2"});
    let error = example("risk-score", HookKind::Correlate, None, &elsewhere).unwrap_err();
    assert_eq!(error.message, "correlate:ip: the group has no ip/192.0.2.2, which is to be the root");
}

#[test]
fn every_kind_can_be_called() {
    let (ip, time) = (json!({"etype": "ip", "eid": "192.0.2.1"}), "2026-01-01T00:00:00Z");
    let record = json!({"etype": "ip", "eid": "192.0.2.1", "attributes": {"label": {"plain": {"v": "x"}}}});
    let view = json!({"root": {"etype": "ip", "eid": "192.0.2.1"}});
    let chunk = json!({"t1": time, "t2": time, "v": {"x": [1]}});
    let ioc = json!({"object": "ioc", "action": "create"});
    let object = json!({"object": "ioc", "id": 7, "version": 3, "body": {"ioc_value": "a"}});
    let cases = [
        (HookKind::OnTaskStart, json!({"task": ip})),
        (HookKind::AllowEntityCreation, json!({"task": ip})),
        (HookKind::OnEntityCreation, json!({"task": ip})),
        (HookKind::OnNewAttribute, json!({"entity": ip, "datapoint": {"attr": "open_ports", "v": 22, "t1": time}})),
        (HookKind::SnapshotInit, json!({"run": {"id": "r", "time": time}})),
        (HookKind::SnapshotFinalize, json!({"run": {"id": "r", "time": time}})),
        (HookKind::Timeseries, json!({"entity": ip, "attr": "activity", "history": [chunk]})),
        (HookKind::Correlate, json!({"view": view})),
        (HookKind::CorrelateWithRecord, json!({"view": view, "record": record})),
        (HookKind::UpdateRecord, json!({"record": record})),
        (HookKind::UpdateEntity, json!({"entity": ip})),
        (HookKind::Cron, json!({})),
        (HookKind::Before, json!({"event": ioc, "proposal": {"body": {"ioc_value": "a"}}})),
        (HookKind::After, json!({"event": ioc, "objects": [{"new": object}]})),
        (HookKind::Manual, json!({"event": {"object": "ioc"}, "objects": [object]})),
    ];
    let bench = Workbench::with_cache(None, None).unwrap();
    let bytes = std::fs::read(tenter_guest_build::at_test("test-every-kind")).unwrap();
    let name = ModuleName::new("every-kind").unwrap();
    let now = Timestamp(1_700_000_000_000_000);
    let module = Arc::new(bench.load(&name, &bytes, bench.settings(&name), None, now).unwrap());
    for (kind, input) in &cases {
        let input = Reading { site: None }.input(*kind, input).unwrap();
        let subscriptions = chosen(*kind, None, &module, &input).unwrap();
        let report = perform(&bench, &module, *kind, &subscriptions, &input, now).unwrap();
        let report = report.finish(bench.data().state());
        assert_eq!(
            (&report["result"], &report["state"][format!("calls/{kind}")]),
            (&json!("ok"), &json!("1")),
            "{report:#}"
        );
        assert_eq!(report["log"].as_array().unwrap().last().unwrap()["message"], kind.name());
        let of_cases = kind.family() == tenter_model::hook::Family::Case;
        let silent = of_cases || [HookKind::OnTaskStart, HookKind::AllowEntityCreation].contains(kind);
        let patch = |tag: &str| {
            let edits = json!([{"add_tag": tag}]);
            json!([{"patch": {"object": "ioc", "id": 7, "expected_version": 3, "edits": edits}}])
        };
        let wanted = match kind {
            HookKind::Before => (json!({"replaced": {"ioc_value": "a", "seen": "before"}}), json!([]), Value::Null),
            HookKind::After => (Value::Null, patch("after"), Value::Null),
            HookKind::Manual => {
                (Value::Null, patch("manual"), json!({"message": "marked 1", "media": "text", "content": "manual"}))
            }
            _ => (Value::Null, json!([]), Value::Null),
        };
        assert_eq!((&report["judgement"], &report["effects"], &report["report"]), (&wanted.0, &wanted.1, &wanted.2));
        assert_eq!(report["tasks"].as_array().unwrap().len(), usize::from(!silent), "{kind}");
        let changes = usize::from([HookKind::Correlate, HookKind::CorrelateWithRecord].contains(kind));
        assert_eq!(report["changes"].as_array().unwrap().len(), changes, "{kind}");
    }
    assert_eq!(cases.len(), tenter_model::hook::TABLE.len());
}

#[test]
fn arguments_of_a_timer_are_its_own_unless_others_are_given() {
    for (input, want) in [(json!({}), r#"arguments {"n":1}"#), (json!({"arguments": [2]}), "arguments [2]")] {
        let bench = Workbench::with_cache(None, None).unwrap();
        let bytes = std::fs::read(tenter_guest_build::at_test("test-every-kind")).unwrap();
        let name = ModuleName::new("every-kind").unwrap();
        let module = Arc::new(bench.load(&name, &bytes, bench.settings(&name), None, Timestamp(1)).unwrap());
        let input = Reading { site: None }.input(HookKind::Cron, &input).unwrap();
        let subscriptions = chosen(HookKind::Cron, None, &module, &input).unwrap();
        let report = perform(&bench, &module, HookKind::Cron, &subscriptions, &input, Timestamp(1)).unwrap();
        assert_eq!(report.finish(bench.data().state())["log"][0]["message"], want);
    }
}
