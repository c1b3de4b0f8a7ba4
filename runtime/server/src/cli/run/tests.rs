use super::*;
use serde_json::json;

/// Runs an example of the demonstration on its site and gives the report.
fn example(name: &str, kind: HookKind, grants: Option<Vec<Grant>>, input: &Value) -> Result<Value, CliError> {
    let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/site");
    let bench = Workbench::with_cache(Some(&site), None).unwrap();
    let (_, bytes) = crate::embedded::EXAMPLES.iter().find(|(n, _)| *n == name).unwrap();
    let name = ModuleName::new(name).unwrap();
    let settings = bench.settings(&name);
    let now = Timestamp(1_700_000_000_000_000);
    let module = Arc::new(bench.load(&name, bytes, settings, grants, now)?);
    let input = Reading { site: bench.site() }.input(kind, input)?;
    let subscriptions = chosen(kind, None, &module, &input)?;
    let report = perform(&bench, &module, kind, &subscriptions, &input, now);
    Ok(report.finish(bench.data().state()))
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
