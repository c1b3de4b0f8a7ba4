use super::*;
use tenter_sdk::testing::{Harness, expect_tasks, host, json, record};

const OLD: &str = "2025-11-01T00:00:00Z";

fn note(module: &mut Harness<NightlyCleanup>, name: &str, response: &str) {
    module.on_new_attribute(("domain", name), Datapoint::observation("response", response, 0, 0)).unwrap();
}

fn know(name: &str, created: &str, resolved: bool) {
    let links = json!({"resolves_to": {"observations": [{"t1": OLD, "v": {"etype": "ip", "eid": "192.0.2.1"}}]}});
    let attributes = if resolved { links } else { json!({}) };
    host(|h| {
        h.know(record(json!({"etype": "domain", "eid": name, "created": created, "attributes": attributes})));
    });
}

#[test]
fn what_never_resolved_goes_once_it_is_old() {
    let mut module = Harness::<NightlyCleanup>::new(json!({})).unwrap();
    for name in ["old.example", "young.example", "resolved.example", "gone.example"] {
        note(&mut module, name, "NXDOMAIN");
    }
    note(&mut module, "fine.example", "NOERROR");
    know("old.example", OLD, false);
    know("fine.example", OLD, false);
    know("young.example", "2025-12-31T00:00:00Z", false);
    know("resolved.example", OLD, true);

    let tasks = module.cron("nightly").unwrap();
    expect_tasks(&tasks, json!([{"etype": "domain", "eid": "old.example", "delete": true, "data_points": []}]));
    let notes = host(|h| h.state.keys().cloned().collect::<Vec<_>>());
    assert_eq!(notes, ["unknown/young.example"], "only what is too young is looked at again");
    assert_eq!(module.cron("nightly"), Ok(vec![]));
    assert_eq!(host(|h| h.messages().join("; ")), "1 names that never resolved go; 0 names that never resolved go");
}

#[test]
fn the_hour_is_configuration() {
    let module = Harness::<NightlyCleanup>::new(json!({"hour": 5})).unwrap();
    assert_eq!(module.subscriptions(), ["on-new-attribute:domain.response", "nightly"]);
    let wrong = Harness::<NightlyCleanup>::new(json!({"hour": 24})).err().unwrap();
    assert_eq!(wrong.message(), "expected an `hour` of 0 to 23 and `keep_days` of 0 or more");
}
