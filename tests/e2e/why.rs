//! Where values come from, and why hooks ran or did not.

use serde_json::{Value, json};

use crate::harness::{Server, Site, component, example};

fn hostname(eid: &str, value: &str) -> Value {
    json!([{"type": "ip", "id": eid, "attr": "hostname", "v": value}])
}

/// Verdict and code of each hook, by module and subscription.
fn verdicts(server: &Server, eid: &str, query: &str) -> Vec<String> {
    let answer = server.read(&format!("/api/v1/entities/ip/{eid}/why{query}"));
    let one = |h: &Value| {
        let text = |name: &str| h[name].as_str().unwrap_or("-").to_owned();
        format!("{} {} {} {}", text("module"), text("subscription"), text("verdict"), text("code"))
    };
    answer["hooks"].as_array().unwrap().iter().map(one).collect()
}

#[test]
fn each_value_names_the_call_that_wrote_it() {
    let mut server = Server::start(&Site::new().tenter("modules: {label: {recording: all}}"));
    server.install("label", &example("label"));
    server.post_datapoints(&hostname("192.0.2.1", "a"));
    server.settle();
    let ask = |server: &Server| server.read("/api/v1/entities/ip/192.0.2.1/provenance");
    let points = ask(&server)["datapoints"].clone();
    assert_eq!((points[0]["attr"].as_str(), points[1]["attr"].as_str()), (Some("label"), Some("hostname")));
    assert_eq!((&points[1]["written_by"], &points[1]["v"]), (&Value::Null, &json!("a")));
    let by = &points[0]["written_by"];
    assert_eq!(
        json!([by["module"], by["version"], by["hook"], by["subscription"], by["attempt"], by["kept"]]),
        json!(["label", "0.1.0", "on-entity-creation", "on-entity-creation:ip", 1, true])
    );
    assert_eq!(by["for_task"], points[1]["task"], "the hook was called for the task that came from outside");
    let call = server.read(&format!("/api/v1/invocations/{}", by["invocation"].as_str().unwrap()));
    assert_eq!((&call["task"], &call["module"]), (&by["for_task"], &json!("label")), "{call}");
    assert_eq!(call["output"][0]["data_points"][0]["v"], points[0]["v"]);
    server.crash_and_restart();
    assert_eq!(ask(&server)["datapoints"], points);
    let (said, err, code) = server.cli(&["entity", "provenance", "ip", "192.0.2.1", "--attr", "label", "-o", "ndjson"]);
    assert_eq!((said.lines().count(), code), (1, 0), "{said}{err}");
    let (said, err, code) = server.cli(&["entity", "provenance", "ip", "192.0.2.1"]);
    assert!(
        code == 0 && said.contains("label 0.1.0 on-entity-creation") && said.contains("from outside"),
        "{said}{err}"
    );
    assert_eq!(server.get("/api/v1/entities/ip/192.0.2.1/provenance?attr=nothing").status, 422);
}

#[test]
fn why_a_hook_ran_or_did_not() {
    let site = Site::new().module("villain", &json!({"must": "be"})).tenter("modules: {villain: {recording: all}}");
    let server = Server::start(&site);
    server.post_datapoints(&hostname("192.0.2.9", "before"));
    server.settle();
    server.install("villain", &component("tenter-villain"));
    server.install("label", &example("label"));
    let point = json!([{"type": "ip", "id": "192.0.2.1", "attr": "note", "v": "quiet"}]);
    server.post_datapoints(&point);
    server.settle();
    // No host name came; the module's other hooks ran; label's call went well, and the first of a lane is kept.
    assert_eq!(
        verdicts(&server, "192.0.2.1", ""),
        [
            "villain start ran -",
            "villain allow ran -",
            "villain create ran -",
            "villain attr not-run no-attribute",
            "label on-entity-creation:ip ran -"
        ]
    );
    server.post_datapoints(&hostname("192.0.2.1", "trap"));
    server.settle();
    assert_eq!(verdicts(&server, "192.0.2.1", "?hook=on-new-attribute"), ["villain attr failed -"]);
    server.post("/api/v1/hooks/villain/attr/deregister", &json!({})).expect(200);
    assert_eq!(verdicts(&server, "192.0.2.1", "?hook=on-new-attribute"), ["villain attr failed switched-off"]);
    server.post("/api/v1/modules/villain/disable", &json!({})).expect(200);
    assert_eq!(
        verdicts(&server, "192.0.2.9", ""),
        [
            "villain start not-run module-disabled",
            "villain allow not-run module-disabled",
            "villain create not-run module-disabled",
            "villain attr not-run module-disabled",
            "label on-entity-creation:ip not-run entity-older"
        ]
    );
    assert_eq!(
        verdicts(&server, "192.0.2.200", "?hook=on-entity-creation")[1],
        "label on-entity-creation:ip not-run no-entity"
    );
    server.delete("/api/v1/modules/villain").expect(200);
    assert_eq!(verdicts(&server, "192.0.2.1", "?hook=on-new-attribute"), ["villain attr failed gone"]);

    let (said, err, code) = server.cli(&["why", "ip", "192.0.2.9", "--hook", "on_entity_creation"]);
    assert!(code == 0 && said.contains("not-run") && said.contains("was uploaded"), "{said}{err}");
    let (said, _, code) = server.cli(&["why", "ip", "192.0.2.1", "-o", "ndjson"]);
    assert!(code == 0 && said.lines().all(|line| line.starts_with('{')), "{said}");
    let (_, err, code) = server.cli(&["why", "ip", "192.0.2.1", "--hook", "on-new-attribut"]);
    assert_eq!(code, 6);
    assert!(err.contains("did you mean \"on-new-attribute\""), "{err}");
}
