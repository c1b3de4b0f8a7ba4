//! What the servers know: datapoints for ours, and for DP³ what it would make of them.

use serde_json::{Map, Value, json};

use crate::harness::{Known, Type};

fn point(etype: &str, id: &str, attr: &str, v: Value) -> Value {
    json!({"type": etype, "id": id, "attr": attr, "v": v, "src": "inventory"})
}

fn port(v: u16) -> Value {
    json!({"type": "ip", "id": "192.0.2.1", "attr": "open_ports", "v": v, "src": "scan", "c": 0.5,
        "t1": "2026-01-01T00:00:00Z", "t2": "2096-01-01T00:00:00Z"})
}

/// What both servers are told. What lies in the past loses confidence with time, so ports are known for long.
pub(super) fn points() -> Vec<Value> {
    vec![
        point("ip", "192.0.2.1", "hostname", json!("www.example")),
        port(22),
        port(80),
        point("ip", "192.0.2.2", "hostname", json!("mail.example")),
        point("ip", "192.0.2.2", "note", json!("the second")),
        point("ip", "192.0.2.10", "hostname", json!("www2.example")),
        point("page", "index/de", "title", json!("Anfang")),
    ]
}

/// What a DP³ would know of them.
pub(super) fn known() -> Known {
    let plain = |v: &str| json!({"v": v, "ts_last_update": "2026-01-03T00:00:00Z"});
    let seen = |v: u16| json!({"v": v, "t1": "2026-01-01T00:00:00Z", "t2": "2096-01-01T00:00:00Z", "c": 0.5});
    let created = "2026-01-03T00:00:00Z";
    let masters = |all: Value| all.as_object().unwrap().clone();
    let raw = |etype: &str| -> Vec<Value> {
        let of_type = points().into_iter().filter(|p| p["type"] == etype).rev();
        of_type
            .map(|mut p| {
                for key in ["c", "t1", "t2"] {
                    p[key] = p.get(key).cloned().unwrap_or(Value::Null);
                }
                p
            })
            .collect()
    };
    let attribs = |names: &[&str]| names.iter().map(|n| ((*n).to_owned(), json!({"id": n}))).collect::<Map<_, _>>();
    let ip = Type {
        spec: json!({"id": "ip", "id_data_type": "ipv4", "name": "IP address", "eid_estimate_count": 3,
            "attribs": attribs(&["hostname", "note", "label", "open_ports", "services"])}),
        snapshots: vec![
            json!({"eid": "192.0.2.1", "hostname": "www.example", "open_ports": [22, 80], "open_ports#c": [0.5, 0.5]}),
            json!({"eid": "192.0.2.2", "hostname": "mail.example", "note": "the second"}),
            json!({"eid": "192.0.2.10", "hostname": "www2.example"}),
        ],
        masters: masters(json!({
            "192.0.2.1": {"#time_created": created, "hostname": plain("www.example"), "open_ports": [seen(22), seen(80)]},
            "192.0.2.2": {"#time_created": created, "hostname": plain("mail.example"), "note": plain("the second")},
            "192.0.2.10": {"#time_created": created, "hostname": plain("www2.example")},
        })),
        raw: raw("ip"),
    };
    let page = Type {
        spec: json!({"id": "page", "id_data_type": "string", "name": "Page", "eid_estimate_count": 1,
            "attribs": attribs(&["title"])}),
        snapshots: vec![json!({"eid": "index/de", "title": "Anfang"})],
        masters: masters(json!({"index/de": {"#time_created": created, "title": plain("Anfang")}})),
        raw: raw("page"),
    };
    let sizes = |count: u64| json!({"count": count, "min": 10, "mean": 10.0, "max": 10, "total": 10 * count});
    let queue = json!({"name": "dp3-worker-0", "queue": "worker_0", "total": 3, "ready": 2, "unacked": 1, "consumers": 1,
        "memory": 4_000, "message_bytes": 300, "incoming": 1.5, "outgoing": 1.0});
    Known {
        types: vec![("ip".to_owned(), ip), ("page".to_owned(), page)],
        fixed: vec![
            ("/telemetry/sources_validity", json!({"scan": "2096-01-01T00:00:00Z"})),
            ("/telemetry/sources_age", json!({"scan": 1_440})),
            (
                "/telemetry/entities_per_attr",
                json!({"ip": {"hostname": 3, "note": 1, "label": 0, "open_ports": 1, "services": 0}, "page": {"title": 1}}),
            ),
            (
                "/telemetry/attribute_bson_sizes",
                json!({"page": {"calculated_at": created, "duration_s": 0.5, "attributes": {"title": sizes(1)}}}),
            ),
            (
                "/telemetry/snapshot_summary",
                json!({"latest_age": 30.5, "finished_age": 29.0, "entities": 4, "total_s": 1.5}),
            ),
            (
                "/telemetry/metadata",
                json!([{"_id": "SnapShooter1", "#module": "SnapShooter", "#time_created": created, "#last_update": created, "entities": 4}]),
            ),
            ("/telemetry/rabbitmq/queues", json!({"queues": [queue]})),
        ],
    }
}
