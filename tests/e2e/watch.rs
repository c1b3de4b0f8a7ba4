//! What a server tells of itself: events by DP³'s groups.

use serde_json::{Value, json};

use crate::harness::{Server, Site, example, wait_for};

const EVENTS: &str = "
redis: {host: localhost, port: 6379, db: 0}
groups:
  te: {events: [task_processed, record_created], auto_declare_events: false, intervals: [\"2s\"], sync_interval: 1}
  tasks_by_src: {events: [], auto_declare_events: true, intervals: [\"36500d\"]}
";

#[test]
fn events_are_counted_by_dp3s_groups() {
    let mut server = Server::start(&Site::new().file("event_logging.yml", EVENTS));
    server.install("label", &example("label"));
    let of =
        |id: u8, src: &str| json!({"type": "ip", "id": format!("192.0.2.{id}"), "attr": "note", "v": "n", "src": src});
    server.post_datapoints(&json!([of(1, "zeek"), of(1, "zeek"), of(2, "zeek"), of(3, "a\"}\n evil{x=\"")]));
    let events = server.settle()["events"].clone();
    let te = &events["te"]["total"];
    assert_eq!(
        (&te["record_created"], &te["task_processing_error"], &te["module_error"]),
        (&json!(3), &json!(0), &json!(0))
    );
    assert!(te["task_processed"].as_u64() >= Some(3), "{te}");
    // A task counts once for each of its sources, and what hooks wrote counts by the module's name.
    let sources = &events["tasks_by_src"];
    assert_eq!((&sources["total"]["zeek"], &sources["total"]["a\"}\n evil{x=\""]), (&json!(2), &json!(1)), "{sources}");
    assert_eq!(sources["intervals"]["36500d"]["current"], sources["total"]);
    let hooks = events["secondary_hooks"]["total"].as_object().unwrap();
    let executions: Vec<(&String, &Value)> = hooks.iter().filter(|(name, _)| name.ends_with("/executions")).collect();
    assert!(
        executions
            .iter()
            .all(|(name, n)| name.starts_with("on_entity_creation/label.") && name.contains("/(ip)/") && **n == 3),
        "{hooks:?}"
    );
    assert_eq!(executions.len(), 1, "{hooks:?}");
    assert!(
        hooks.keys().any(|name| name.ends_with("/duration_ns"))
            && !hooks.keys().any(|name| name.ends_with("/failures"))
    );

    let metrics = server.get("/metrics").body;
    let of_events: Vec<&str> = metrics.lines().filter(|line| line.starts_with("tenter_events_total{")).collect();
    assert!(of_events.contains(&r#"tenter_events_total{group="tasks_by_src",event="zeek"} 2"#), "{of_events:#?}");
    assert!(
        of_events.contains(&r#"tenter_events_total{group="tasks_by_src",event="a\"}\n evil{x=\""} 1"#),
        "{of_events:#?}"
    );

    // An interval ends by itself; only what the file lists is in it.
    wait_for("the end of an interval", || {
        let te = server.read("/api/v1/status")["events"]["te"]["intervals"]["2s"].clone();
        te["last"]["record_created"] == 3 || te["current"].as_object().is_some_and(serde_json::Map::is_empty)
    });
    server.assert_well();
}

#[test]
fn telemetry_has_dp3s_paths_and_shapes() {
    let mut server = Server::start(&Site::new());
    assert_eq!(server.read("/telemetry/sources_validity"), json!({}));
    let empty = json!({"latest_age": null, "finished_age": null, "entities": null, "total_s": null});
    assert_eq!(server.read("/telemetry/snapshot_summary"), empty);
    let port = |id: u8, src: &str, day: u8| {
        json!({"type": "ip", "id": format!("192.0.2.{id}"), "attr": "open_ports", "v": 80, "src": src,
            "t1": "2026-01-01T00:00:00Z", "t2": format!("2026-01-{day:02}T00:00:00Z")})
    };
    let plain = json!({"type": "ip", "id": "192.0.2.1", "attr": "note", "v": "n", "src": "plain"});
    server.post_datapoints(&json!([port(1, "b", 9), port(1, "b", 3), port(2, "a", 2), plain]));
    server.settle();
    // Plain datapoints are valid at no time, so that their source has none.
    let valid = json!({"a": "2026-01-02T00:00:00Z", "b": "2026-01-09T00:00:00Z"});
    assert_eq!(server.read("/telemetry/sources_validity"), valid);
    let age = |unit: &str| server.read(&format!("/telemetry/sources_age{unit}"))["b"].as_i64().unwrap();
    assert_eq!(age("?unit=seconds") / 60 - age(""), 0);
    assert_eq!(server.get("/telemetry/sources_age?unit=days").status, 422);

    let sizes = server.read("/telemetry/attribute_bson_sizes");
    let ports = &sizes["ip"]["attributes"]["open_ports"];
    assert_eq!((&ports["count"], ports["max"].as_u64() >= ports["min"].as_u64()), (&json!(2), true), "{sizes}");
    assert!(sizes["ip"]["calculated_at"].is_string() && sizes["ip"]["duration_s"].is_number(), "{sizes}");
    let counts = server.read("/telemetry/entities_per_attr");
    assert_eq!(
        (&counts["ip"]["open_ports"], &counts["ip"]["note"], &counts["ip"]["label"]),
        (&json!(2), &json!(1), &json!(0))
    );

    server.post("/api/v1/snapshots", &json!({"wait": true})).expect(200);
    let summary = server.read("/telemetry/snapshot_summary");
    assert_eq!(summary["entities"], 2, "{summary}");
    assert!(summary["finished_age"].as_f64() <= summary["latest_age"].as_f64() && summary["total_s"].is_number());
    let notes = server.read("/telemetry/metadata?module=SnapShooter&limit=5");
    assert_eq!((notes.as_array().unwrap().len(), &notes[0]["#module"]), (1, &json!("SnapShooter")), "{notes}");
    assert!(notes[0]["#time_created"].is_string() && notes[0]["#last_update"].is_string(), "{notes}");
    assert_eq!(server.read("/telemetry/metadata?module=Nobody"), json!([]));
    assert_eq!(server.get("/telemetry/metadata?sort=up").status, 422);
    let queues = server.read("/telemetry/rabbitmq/queues");
    assert_eq!((&queues["queues"][0]["total"], &queues["queues"][0]["unacked"]), (&json!(0), &json!(0)), "{queues}");
    // What sources told outlives the process that counted it.
    server.crash_and_restart();
    assert_eq!(server.read("/telemetry/sources_validity"), valid);
}
