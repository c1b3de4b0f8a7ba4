//! A module that misbehaves in every way, beside one that does its work.
//!
//! What must hold each time: the failure is a row that names the module, the hook and the reason and says what to do;
//! the process is the same and ready; the other module's results for that very entity are complete; and no task is
//! lost.

use serde_json::{Value, json};

use crate::harness::{Server, Site, assert_reconciled, component, example, redacted};

/// The address on which the act with this number is tried.
fn address(number: usize) -> String {
    format!("10.0.{}.{}", number / 256, number % 256)
}

/// The villain has no say in what is created, and `label` comes before and `services` after it.
fn site() -> Site {
    Site::new()
        .module("villain", &json!({"must": "be"}))
        .enabled(&["label", "villain", "services"])
        .tenter("modules:\n  villain:\n    quarantine: off\n    limits:\n      deadline_ms: 5000\n")
}

fn server() -> Server {
    let server = Server::start(&site());
    server.install("villain", &component("tenter-villain"));
    server.install("label", &example("label"));
    server.install("services", &example("services"));
    // It would return the task that created an entity: each act is to happen once.
    server.post("/api/v1/hooks/villain/create/deregister", &json!({})).expect(200);
    server
}

/// Datapoints that make the villain act on an address, and those that the other modules work on.
fn provocation(eid: &str, act: &str) -> Value {
    json!([
        {"type": "ip", "id": eid, "attr": "hostname", "v": act, "src": "test"},
        {"type": "ip", "id": eid, "attr": "open_ports", "v": 22, "t1": "2024-01-01T00:00:00Z", "src": "test"},
        {"type": "ip", "id": eid, "attr": "open_ports", "v": 443, "t1": "2024-01-01T00:00:00Z", "src": "test"},
    ])
}

/// The results of the benign modules for an address.
#[track_caller]
fn assert_complete(server: &Server, eid: &str, act: &str) {
    let master = server.master("ip", eid);
    assert_eq!(master["label"]["v"], "private", "{act}: {master}");
    assert_eq!(master["hostname"]["v"], act, "{master}");
    let values = |attr: &str| {
        let points = master[attr].as_array().unwrap_or_else(|| panic!("{act}: no {attr} in {master}"));
        let mut values: Vec<String> = points.iter().map(|p| p["v"].to_string()).collect();
        values.sort();
        values
    };
    assert_eq!(values("open_ports"), ["22", "443"], "{act}");
    assert_eq!(values("services"), [r#""https""#, r#""ssh""#], "{act}");
}

#[test]
fn each_act_is_recorded_and_harms_nobody() {
    // What the villain does, and the reason that is recorded.
    let acts = [
        ("loop", "fuel"),
        ("recurse-slim", "stack"),
        ("grow", "memory"),
        ("string 52428800", "fuel"),
        ("string 2000000", "hostcall-fuel"),
        ("tasks 257", "output-count"),
        ("bad-json", "invalid-output"),
        ("bad-eid", "invalid-output"),
        ("bad-type", "invalid-output"),
        ("nan", "invalid-output"),
        ("infinite-confidence", "invalid-output"),
        ("bad-tag", "invalid-output"),
        ("deep-json", "invalid-output"),
        ("late-error 200", "invalid-output"),
        ("host-calls 1000000", "host-calls"),
        ("host-bytes 2000000", "hostcall-fuel"),
        ("handles 5000", "handles"),
        ("panic", "trap"),
        ("exit", "trap"),
        ("failed", "failed"),
        ("invalid-input", "invalid-input"),
        ("no such act", "failed"),
    ];
    let mut server = server();
    for (number, (act, reason)) in acts.iter().enumerate() {
        let eid = address(number);
        server.post_datapoints(&provocation(&eid, act));
        let status = server.settle();
        server.assert_well();
        let errors: Vec<Value> =
            server.errors("villain").into_iter().filter(|e| e["entity"]["eid"] == eid.as_str()).collect();
        assert_eq!(errors.len(), 1, "{act}: {errors:#?}");
        let error = &errors[0];
        assert_eq!(error["reason"], *reason, "{act}: {error:#}");
        assert_eq!((&error["module"], &error["hook"]), (&json!("villain"), &json!("on-new-attribute")), "{act}");
        assert_eq!((&error["subscription"], &error["version"]), (&json!("attr"), &json!("1.2.3")), "{act}");
        for text in ["message", "hint", "digest", "task", "at"] {
            assert!(error[text].as_str().is_some_and(|t| !t.is_empty()), "{act}: {text} in {error:#}");
        }
        assert!(error["fuel"].as_u64().unwrap() > 0, "{act}: {error:#}");
        assert!(error["memory_bytes"].as_u64().unwrap() > 0, "{act}: {error:#}");
        // What a guest says reaches no terminal raw.
        assert!(!error["message"].as_str().unwrap().contains(char::is_control), "{act}: {error:#}");
        assert_complete(&server, &eid, act);
        assert_reconciled(&status);
        assert_eq!(status["tasks"]["dead"], 0, "{act}: {:#?}", server.deadletters());
    }
    // All of it is written down, and nobody else has failed.
    assert_eq!(server.errors("villain").len(), acts.len());
    assert_eq!((server.errors("label"), server.errors("services")), (vec![], vec![]));
    assert!(!server.log().contains('\u{1b}'), "{}", server.log());
}

#[test]
fn a_warm_instance_that_failed_is_replaced() {
    let server = server();
    for (number, act) in ["loop", "panic", "grow", "nothing"].iter().enumerate() {
        server.post_datapoints(&provocation("10.1.0.1", act));
        let status = server.settle();
        assert_reconciled(&status);
        assert_eq!(server.errors("villain").len(), (number + 1).min(3), "{act}");
    }
    // The last act is no failure.
    let calls = server.read("/api/v1/status")["hook_calls"].clone();
    let villain =
        calls.as_array().unwrap().iter().find(|c| c["module"] == "villain" && c["hook"] == "on-new-attribute");
    assert_eq!(villain.unwrap()["calls"], 4, "{calls}");
    assert_eq!(villain.unwrap()["faults"], 3, "{calls}");
}

#[test]
fn a_hook_that_feeds_itself_ends_in_a_dead_letter() {
    let mut server = server();
    server.post_datapoints(&json!([{"type": "ip", "id": "10.2.0.1", "attr": "hostname", "v": "echo"}]));
    let status = server.settle();
    server.assert_well();
    assert_reconciled(&status);
    let letters = server.deadletters();
    assert_eq!(letters.len(), 1, "{letters:#?}");
    let letter = &letters[0];
    assert_eq!(letter["kind"], "depth", "{letter:#}");
    assert_eq!((&letter["module"], &letter["hook"]), (&json!("villain"), &json!("on-new-attribute")), "{letter:#}");
    assert_eq!(letter["entity"], json!({"etype": "ip", "eid": "10.2.0.1"}), "{letter:#}");
    insta::assert_snapshot!(letter["message"].as_str().unwrap(), @"module villain returned a task at depth 9, the limit is 8: its hook feeds itself or another one; return a task only when it changes something");
    // The one that came in and its eight descendants have their effects.
    assert_eq!(server.raw("ip", "attr=hostname").len(), 9);
}

#[test]
fn an_admission_hook_that_fails_denies_nothing_silently() {
    let mut server = feeding();
    // The feeder panics when it is asked about an address in 10.66.0.0/16.
    server.post_datapoints(&json!([
        {"type": "ip", "id": "10.66.0.1", "attr": "hostname", "v": "a"},
        {"type": "ip", "id": "10.67.0.1", "attr": "hostname", "v": "a"},
    ]));
    let status = server.settle();
    server.assert_well();
    assert_reconciled(&status);
    let counts = (&status["tasks"]["denied"], &status["tasks"]["dead"]);
    assert_eq!(counts, (&json!(0), &json!(1)), "{status}");
    let attempts: Vec<u64> = server.errors("feeder").iter().map(|e| e["attempt"].as_u64().unwrap()).collect();
    assert_eq!(attempts, [4, 3, 2, 1]);
    let letter = server.deadletters().remove(0);
    assert_eq!((&letter["kind"], &letter["reason"]), (&json!("admission"), &json!("trap")), "{letter:#}");
    assert_eq!((&letter["module"], &letter["hook"]), (&json!("feeder"), &json!("allow-entity-creation")), "{letter:#}");
    assert_eq!(letter["entity"], json!({"etype": "ip", "eid": "10.66.0.1"}), "{letter:#}");
    assert_eq!(server.ids("ip"), [json!("10.67.0.1")]);
    assert_eq!(server.raw("ip", "eid=10.66.0.1"), Vec::<Value>::new());
}

#[test]
fn transient_faults_are_tried_again() {
    let server = server();
    server.post_datapoints(&provocation("10.4.0.1", "unavailable"));
    let status = server.settle();
    assert_reconciled(&status);
    let errors = server.errors("villain");
    let attempts: Vec<u64> = errors.iter().map(|e| e["attempt"].as_u64().unwrap()).collect();
    assert_eq!(attempts, [4, 3, 2, 1], "{errors:#?}");
    assert!(errors.iter().all(|e| e["reason"] == "unavailable"), "{errors:#?}");
    assert_complete(&server, "10.4.0.1", "unavailable");
    // Runs that were repeated have left their effects once.
    assert_eq!(server.raw("ip", "eid=10.4.0.1&attr=open_ports").len(), 2);
    assert_eq!(server.raw("ip", "eid=10.4.0.1&attr=services").len(), 2);
}

/// A server with the feeder, which may write notes.
fn feeding() -> Server {
    let server = Server::start(&Site::new());
    server.install("feeder", &component("tenter-feeder"));
    server.install("label", &example("label"));
    server
}

#[test]
fn descendants_beyond_the_budget_are_dead_letters() {
    let mut server = Server::start(&Site::new());
    server.install("feeder", &component("tenter-feeder"));
    // 256 children and 40 of each are 10 496 descendants of one datapoint, 496 more than it may have.
    server.post_datapoints(&json!([{"type": "ip", "id": "10.0.0.1", "attr": "note", "v": "fan 256 40"}]));
    let status = server.settle();
    server.assert_well();
    assert_reconciled(&status);
    assert_eq!(status["tasks"]["dead"], 496, "{status}");
    let letters = server.deadletters();
    assert_eq!(letters.len(), 496);
    for letter in &letters {
        assert_eq!(letter["kind"], "budget", "{letter:#}");
        assert_eq!((&letter["module"], &letter["hook"]), (&json!("feeder"), &json!("on-new-attribute")), "{letter:#}");
    }
    let _redacted = redacted();
    insta::assert_snapshot!(letters[0]["message"].as_str().unwrap(), @"module feeder returned a task after the 10000 descendants that task [id] may have; hooks that answer each other's tasks without end are the usual cause");
    // What came in and its descendants within the budget are stored.
    let stored = status["datapoints"].clone();
    assert_eq!(stored["received"], 1, "{stored}");
    assert_eq!(stored["derived"], 10_000, "{stored}");
}

#[test]
fn a_task_that_needs_a_grant_is_refused() {
    let mut server = feeding();
    let mut said = String::new();
    for (number, note) in ["stranger", "reach", "remove"].iter().enumerate() {
        let eid = format!("10.0.0.{number}");
        server.post_datapoints(&json!([{"type": "ip", "id": eid, "attr": "note", "v": note}]));
        assert_reconciled(&server.settle());
        let error = server.errors("feeder").remove(0);
        assert_eq!((&error["reason"], &error["entity"]["eid"]), (&json!("not-granted"), &json!(eid)), "{error:#}");
        said.push_str(&format!("{note}: {}\n", error["message"].as_str().unwrap()));
        // Nothing of it was done, and what came in was.
        let master = server.master("ip", &eid);
        assert_eq!((&master["note"]["v"], &master["label"]["v"]), (&json!(note), &json!("private")), "{master}");
    }
    insta::assert_snapshot!(said, @r#"
    stranger: tasks[0]: entity type "stranger" is not in the specification
    reach: tasks[0]: the module's grants do not cover ip.label: tenter grant feeder write-entities ip.label
    remove: tasks[0]: removing an entity needs a grant: tenter grant feeder delete-entity ip
    "#);
    assert_eq!(server.errors("feeder").len(), 3);
    server.assert_well();
    // With the grants, it may.
    for grant in [
        json!({"capability": "write-entities", "scope": "ip.label"}),
        json!({"capability": "delete-entity", "scope": "ip"}),
    ] {
        server.post("/api/v1/modules/feeder/grants", &grant).expect(200);
    }
    server.post_datapoints(&json!([
        {"type": "ip", "id": "10.0.0.1", "attr": "note", "v": "reach"},
        {"type": "ip", "id": "10.0.0.2", "attr": "note", "v": "remove"},
    ]));
    server.settle();
    assert_eq!(server.errors("feeder").len(), 3);
    assert_eq!(server.master("ip", "10.0.0.1")["label"]["v"], "mine");
    assert_eq!(server.ids("ip"), [json!("10.0.0.0"), json!("10.0.0.1")]);
}

#[test]
fn a_sleeper_is_woken_at_its_deadline() {
    let limits = "modules:\n  villain:\n    limits:\n      deadline_ms: 300\n";
    let mut server = Server::start(&site().tenter(limits));
    server.install("villain", &component("tenter-villain"));
    server.install("label", &example("label"));
    server.install("services", &example("services"));
    server.post("/api/v1/hooks/villain/create/deregister", &json!({})).expect(200);
    server.post_datapoints(&provocation("10.5.0.1", "sleep 600000"));
    for number in 0..20 {
        server.post_datapoints(&provocation(&format!("10.5.1.{number}"), "nothing"));
    }
    assert_reconciled(&server.settle());
    server.assert_well();
    let errors = server.errors("villain");
    let seen: Vec<(&Value, &Value)> = errors.iter().map(|e| (&e["reason"], &e["attempt"])).collect();
    let expected = [json!(4), json!(3), json!(2), json!(1)];
    assert_eq!(seen, expected.iter().map(|n| (&errors[0]["reason"], n)).collect::<Vec<_>>(), "{errors:#?}");
    assert_eq!(errors[0]["reason"], "deadline", "{errors:#?}");
    let slept: Vec<u64> = errors.iter().map(|e| e["micros"].as_u64().unwrap()).collect();
    assert!(slept.iter().all(|micros| (300_000..60_000_000).contains(micros)), "{slept:?}");
    assert_complete(&server, "10.5.0.1", "sleep 600000");
    for number in 0..20 {
        assert_complete(&server, &format!("10.5.1.{number}"), "nothing");
    }
}

#[test]
fn a_module_cannot_forge_or_flood_the_log() {
    let server = server();
    // 150 lines, each with a colour and with what would be a line of the log by itself.
    server.post_datapoints(&provocation("10.6.0.1", "log 150"));
    server.settle();
    let log = server.log();
    assert!(!log.contains('\u{1b}'), "{log}");
    let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let of_villain: Vec<&Value> = lines.iter().filter(|l| l["fields"]["module"] == "villain").collect();
    let said = of_villain.iter().filter(|l| l["fields"]["message"].as_str().is_some_and(|m| m.starts_with("line ")));
    assert_eq!(said.count(), 100, "{of_villain:#?}");
    let dropped: Vec<&Value> = of_villain.iter().map(|l| &l["fields"]["dropped"]).filter(|d| !d.is_null()).collect();
    assert_eq!(dropped, [&json!(50)]);
    assert!(lines.iter().all(|line| line["timestamp"].is_string() && line["target"].is_string()), "{log}");
}
