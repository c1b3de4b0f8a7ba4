//! Snapshots as people and DP³'s clients see them, and control actions.

use serde_json::{Value, json};

use crate::harness::{Server, Site, component, wait_for};

fn hostname(value: &str) -> Value {
    json!([{"type": "ip", "id": "192.0.2.1", "attr": "hostname", "v": value}])
}

#[test]
fn runs_are_made_on_request_and_kept_in_order() {
    let mut server = Server::start(&Site::new());
    for value in ["a", "b"] {
        server.post_datapoints(&hostname(value));
        server.settle();
        let (said, err, code) = server.cli(&["snapshot", "run"]);
        assert!(code == 0 && said.contains("state"), "{said}{err}");
    }
    let kept = server.read("/entity/ip/192.0.2.1/snapshots");
    let names: Vec<&Value> = kept.as_array().unwrap().iter().map(|s| &s["hostname"]).collect();
    assert_eq!(names, ["a", "b"], "{kept}");
    assert_eq!(kept[0]["eid"], "192.0.2.1");
    assert_eq!(server.read("/entity/ip/192.0.2.1/snapshots?skip=1&limit=1")[0]["hostname"], "b");
    let whole = server.read("/entity/ip/192.0.2.1");
    assert_eq!((&whole["empty"], &whole["snapshots"]), (&json!(false), &kept));
    assert_eq!(server.read("/entity/ip/192.0.2.99")["empty"], true);
    assert_eq!(server.get("/entity/nothing/1/snapshots").status, 422);
    server.crash_and_restart();
    assert_eq!(server.read("/entity/ip/192.0.2.1/snapshots"), kept);
    let runs = server.read("/api/v1/snapshots");
    assert_eq!((runs["runs"].as_array().unwrap().len(), &runs["running"]), (2, &Value::Null), "{runs}");
    let (said, err, code) = server.cli(&["entity", "snapshots", "ip", "192.0.2.1"]);
    assert!(code == 0 && said.contains("hostname=a") && said.contains("hostname=b"), "{said}{err}");
    let (said, _, code) = server.cli(&["snapshot", "list", "-o", "ndjson"]);
    assert_eq!((said.lines().count(), code), (2, 0));
    server.assert_well();
}

#[test]
fn runs_are_made_at_the_times_of_the_configuration() {
    let mut server =
        Server::start(&Site::new().file("snapshots.yml", "creation_rate: {second: \"*\"}\nkeep_empty: true\n"));
    server.post_datapoints(&hostname("a"));
    server.settle();
    wait_for("a snapshot", || !server.read("/entity/ip/192.0.2.1/snapshots").as_array().unwrap().is_empty());
    server.restart();
    server.assert_well();
}

#[test]
fn control_actions_do_what_is_allowed_and_say_what_is_not() {
    let allowed = "allowed_actions: [make_snapshots, refresh_module_config, refresh_on_entity_creation]\n";
    let site = |must: &str| Site::new().file("control.yml", allowed).module("villain", &json!({"must": must}));
    let mut server = Server::start(&site("one"));
    server.install("villain", &component("tenter-villain"));
    server.post_datapoints(&hostname("quiet"));
    server.settle();
    let page = [("sec-fetch-site", "cross-site")];
    let sent = server.anonymous().send("GET", "/control/make_snapshots", b"", &page);
    assert_eq!(sent.status, 403, "no page of another site has it done: {}", sent.body);
    assert_eq!(server.read("/control/make_snapshots"), json!({"detail": "Action sent."}));
    wait_for("the run", || server.read("/api/v1/snapshots")["runs"][0]["state"] == "complete");
    assert_eq!(server.get("/control/make_snapshot").status, 422);
    assert_eq!(server.read("/control/refresh_on_entity_creation?etype=ip"), json!({"detail": "Action sent."}));
    let job = |server: &Server| {
        let jobs = server.read("/api/v1/status")["jobs"].clone();
        jobs.as_array().unwrap().iter().find(|job| job["name"] == "refresh-creations").unwrap().clone()
    };
    wait_for("the hooks", || job(&server)["runs"] == 1);
    assert_eq!(job(&server)["last"]["counts"]["entities"], 1, "{}", job(&server));
    assert_eq!(server.get("/control/refresh_on_entity_creation").status, 422);
    assert_eq!(server.get("/control/refresh_on_entity_creation?etype=nothing").status, 422);

    // The file of a module is read again, while the server runs.
    let config = |server: &Server| server.read("/api/v1/modules/villain/config");
    let shown = |server: &Server| (config(server)["by"].clone(), config(server)["config"].clone());
    assert_eq!(shown(&server), (json!("file"), json!({"must": "one"})));
    server.rewrite(&site("two"));
    assert_eq!(config(&server)["config"]["must"], "one");
    let (said, err, code) = server.cli(&["control", "refresh-module-config", "--module", "villain"]);
    assert_eq!(code, 0, "{said}{err}");
    assert_eq!(config(&server)["config"]["must"], "two");

    // What an operator sets hides the file, over restarts, until it is taken back.
    let path = "/api/v1/modules/villain/config";
    let put =
        |body: &Value| server.send("PUT", path, body.to_string().as_bytes(), &[("content-type", "application/json")]);
    assert_eq!(put(&json!({"must": "three"})).status, 200);
    let refused = put(&json!({}));
    assert_eq!(refused.status, 422, "the module needs it: {}", refused.body);
    assert_eq!(put(&json!([])).status, 422);
    assert_eq!(shown(&server), (json!("operator"), json!({"must": "three"})));
    assert_eq!(server.get("/control/refresh_module_config?module=villain").status, 409);
    server.restart();
    assert_eq!(config(&server)["config"]["must"], "three");
    let (said, err, code) = server.cli(&["module", "config", "villain", "--reset"]);
    assert_eq!(code, 0, "{said}{err}");
    let (said, ..) = server.cli(&["module", "config", "villain"]);
    assert!(said.contains("\"two\""), "{said}");
    server.assert_well();
    let server = Server::start(&Site::new());
    let refused = server.get("/control/make_snapshots");
    assert_eq!(refused.status, 403);
    insta::assert_snapshot!(refused.body, @r#"{"detail":"the action make_snapshots is not allowed here; list it in control.yml (allowed_actions)"}"#);
}

#[test]
fn sweeps_are_made_at_the_times_of_the_configuration() {
    let updater = "update_batch_cron: {second: \"*\"}\nupdate_batch_period: 1s\ncache_management_cron: {hour: 2}\n\
                   cache_max_entries: 32\n";
    let mut server = Server::start(&Site::new().file("updater.yml", updater));
    let job = |server: &Server| {
        let jobs = server.read("/api/v1/status")["jobs"].clone();
        jobs.as_array().unwrap().iter().find(|job| job["name"] == "updater").unwrap().clone()
    };
    wait_for("a batch", || job(&server)["runs"].as_u64().unwrap() > 0);
    let done = job(&server);
    assert_eq!((&done["last"]["error"], &done["last"]["counts"]["abandoned"]), (&Value::Null, &json!(0)), "{done}");
    server.assert_well();
}
