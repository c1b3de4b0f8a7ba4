//! Ids and links of every kind, and data that the specification does not know any more.

use std::sync::Arc;

use serde_json::json;
use tenter_model::value::Link;
use tenter_model::{DataPoint, EntityRef, Schema, TaskBody, Timestamp, Value};

use crate::support::*;

const NOW: i64 = 1_700_000_000_000_000;

fn typed() -> Schema {
    schema(&[
        "entity: {id: src, name: s, snapshot: true, id_data_type: int}
attribs:
  one: {name: o, type: plain, data_type: link<v4>}
  several: {name: s, type: plain, data_type: array<link<mac>>}
  anyone: {name: a, type: plain, data_type: set<link<v6>>}
  with_data: {name: w, type: plain, data_type: 'link<v4,string>'}
  seen: {name: s, type: observations, data_type: link<src>, multi_value: true, history_params: {post_validity: 1d}}
  sum: {name: s, type: plain, data_type: string}
",
        &target("v4", "ipv4"),
        &target("v6", "ipv6"),
        &target("mac", "mac"),
    ])
}

fn target(id: &str, id_type: &str) -> String {
    format!(
        "entity: {{id: {id}, name: t, snapshot: true, id_data_type: {id_type}}}
attribs:
  x: {{name: x, type: plain, data_type: string}}
"
    )
}

fn point(attr: &str, value: Value, at: Option<i64>) -> DataPoint {
    let at = at.map(Timestamp);
    DataPoint { attr: attr.parse().unwrap(), value, src: None, t1: at, t2: at, confidence: at.map(|_| 1.0) }
}

fn link(to: &str, data: Option<&str>) -> Link {
    Link { target: entity(to), data: data.map(|d| Box::new(text(d))) }
}

/// 4.10.6 and 4.10.13: ids of each type in hooks and links; single links, arrays, sets, several values, links with data.
#[test]
fn links_of_every_kind_are_followed() {
    let paths = ["one->x", "several->x", "anyone->x", "with_data->x"];
    let bench = Bench::new(typed(), vec![module("m", vec![correlate("src", &paths, &["sum"])])]);
    bench.host.on("m", |seen| {
        let mut all: Vec<String> = seen.view.unwrap().linked.iter().map(|v| v.entity.to_string()).collect();
        all.sort();
        seen.set("sum", &all.join(" "))
    });
    let mut body = TaskBody::new(entity("src/-7"));
    body.datapoints = vec![
        point("one", Value::Link(link("v4/192.0.2.1", None)), None),
        point(
            "several",
            Value::Links(vec![link("mac/00:00:5e:00:53:01", None), link("mac/00:00:5e:00:53:02", None)]),
            None,
        ),
        point("anyone", Value::Links(vec![link("v6/2001:db8::1", None)]), None),
        point("with_data", Value::Link(link("v4/192.0.2.2", Some("beside"))), None),
    ];
    bench.feed(vec![body, task("v4/192.0.2.1", &[("x", "1")])]);
    let report = bench.run();
    assert_eq!((bench.count(&report, "components"), bench.count(&report, "linked")), (1, 6));
    let doc = bench.doc("src/-7").unwrap();
    assert_eq!(doc["sum"], "mac/00:00:5e:00:53:01 mac/00:00:5e:00:53:02 v4/192.0.2.1 v4/192.0.2.2 v6/2001:db8::1");
    assert_eq!((&doc["eid"], &doc["with_data"]), (&json!(-7), &json!({"eid": "192.0.2.2", "data": "beside"})));
    assert_eq!(bench.doc("v4/192.0.2.1").unwrap(), json!({"eid": "192.0.2.1", "x": "1"}));
}

#[test]
fn several_observed_links_are_each_followed() {
    let modules = vec![module("m", vec![correlate("src", &["seen->with_data"], &["sum"])])];
    let bench = Bench::new(typed(), modules);
    bench.host.on("m", |seen| seen.set("sum", &seen.view.unwrap().linked.len().to_string()));
    let mut body = TaskBody::new(entity("src/1"));
    let seen = |to: &str| point("seen", Value::Link(link(to, None)), Some(NOW));
    body.datapoints = vec![seen("src/2"), seen("src/3"), seen("src/2")];
    bench.feed(vec![body]);
    bench.run();
    let doc = bench.doc("src/1").unwrap();
    assert_eq!((&doc["sum"], &doc["seen"]), (&json!("2"), &json!([{"eid": 2}, {"eid": 3}])));
    assert!(doc["seen#c"].as_array().unwrap().iter().all(|c| c.as_f64().unwrap() > 0.9), "{doc}");
}

/// 4.10.7: what is stored of an attribute that is configured no more is no current value.
#[test]
fn attributes_that_are_configured_no_more_are_ignored() {
    let before = Bench::with(
        schema(&[&target("v4", "ipv4").replace("  x:", "  gone: {name: g, type: plain, data_type: string}\n  x:")]),
        Vec::new(),
        1,
    );
    before.feed(vec![task("v4/192.0.2.1", &[("gone", "1"), ("x", "2")])]);
    before.run();
    assert_eq!(before.doc("v4/192.0.2.1").unwrap()["gone"], "1");
    before.engine.drain();
    let after =
        Bench::over(before.store.clone(), before.clock.clone(), schema(&[&target("v4", "ipv4")]), Vec::new(), 1);
    after.run();
    assert_eq!(
        after.doc("v4/192.0.2.1").unwrap(),
        json!({"eid": "192.0.2.1", "x": "2"}),
        "not taken from the run before"
    );
}

/// 4.10.11: an entity that is removed while the run has it in memory does not come back by it.
#[test]
fn an_entity_that_is_removed_during_the_run_gets_no_document() {
    let bench = Arc::new(Bench::with(typed(), vec![module("m", vec![correlate("v4", &[], &["x"])])], 1));
    bench.feed(vec![task("v4/192.0.2.1", &[("x", "1")]), task("v4/192.0.2.2", &[("x", "1")])]);
    bench.run();
    assert!(bench.doc("v4/192.0.2.2").is_some());
    let inner = Arc::downgrade(&bench);
    bench.host.on("m", move |seen| {
        let first: EntityRef = entity("v4/192.0.2.1");
        if *seen.entity.unwrap() == first {
            let gone = TaskBody { delete: true, ..TaskBody::new(entity("v4/192.0.2.2")) };
            inner.upgrade().unwrap().feed(vec![gone]);
        }
        Answer::nothing()
    });
    bench.run();
    assert_eq!(bench.host.calls().len(), 4, "it was in memory and its hook was called");
    assert!(bench.doc("v4/192.0.2.1").is_some() && bench.doc("v4/192.0.2.2").is_none());
    bench.run();
    assert!(bench.doc("v4/192.0.2.2").is_none());
}
