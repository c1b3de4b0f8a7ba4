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
