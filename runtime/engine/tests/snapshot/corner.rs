//! The mandatory corner cases of DP³ and its faults done right.

use serde_json::json;
use tenter_engine::SnapshotOptions;
use tenter_model::hook::Moment;
use tenter_model::host::Reason;
use tenter_model::{TaskBody, Timestamp};

use crate::support::*;

/// Types `a`, `b`, `c` with plain texts `x`, `y`, `z` and links around.
fn chain() -> tenter_model::Schema {
    let file = |id: &str, links: &str| {
        format!(
            "entity: {{id: {id}, name: {id}, snapshot: true, id_data_type: string}}
attribs:
  x: {{name: x, type: plain, data_type: string}}
  y: {{name: y, type: plain, data_type: string}}
  z: {{name: z, type: plain, data_type: string}}
{links}"
        )
    };
    schema(&[
        &file("a", "  b: {name: b, type: plain, data_type: link<b>}\n"),
        &file(
            "b",
            "  c: {name: c, type: plain, data_type: link<c>}\n  a: {name: a, type: plain, data_type: link<a>}\n",
        ),
        &file("c", ""),
    ])
}

/// 4.4: while following, the type of the linked entity decides which links are used.
#[test]
fn bug_components_over_chains_of_types_are_found_from_either_end() {
    for tasks in [
        vec![task("a/1", &[("b", "->b/1")]), task("b/1", &[("c", "->c/1")]), task("c/1", &[("z", "deep")])],
        vec![task("c/1", &[("z", "deep")]), task("b/1", &[("c", "->c/1")]), task("a/1", &[("b", "->b/1")])],
    ] {
        let bench = Bench::new(chain(), vec![module("m", vec![correlate("a", &["b->c->z"], &["x"])])]);
        bench.host.on("m", |seen| {
            let view = seen.view.unwrap();
            let c = view.linked.iter().find(|v| v.entity == entity("c/1"));
            seen.set("x", &c.map_or("nothing".into(), |v| shown(&v.values[0].value)))
        });
        bench.feed(tasks);
        let report = bench.run();
        assert_eq!(bench.doc("a/1").unwrap()["x"], "deep");
        assert_eq!((bench.count(&report, "components"), bench.count(&report, "linked")), (1, 3));
    }
}

/// 4.10.2: two entities that link each other see each other's results in the order of dependency.
#[test]
fn entities_that_link_each_other_see_what_earlier_hooks_wrote() {
    let bench = Bench::new(
        chain(),
        vec![
            // Registered in the wrong order on purpose.
            module("last", vec![correlate("b", &["a->z"], &["z"])]),
            module("middle", vec![correlate("a", &["b->y"], &["z"])]),
            module("first", vec![correlate("b", &[], &["y"])]),
        ],
    );
    bench.host.on("first", |seen| seen.set("y", "from first"));
    bench.host.on("middle", |seen| seen.set("z", &format!("{} via a", seen.linked("b", "y").unwrap())));
    bench.host.on("last", |seen| seen.set("z", &format!("{} via b", seen.linked("a", "z").unwrap())));
    bench.feed(vec![task("a/1", &[("b", "->b/1")]), task("b/1", &[("a", "->a/1")])]);
    bench.run();
    assert_eq!(bench.doc("b/1").unwrap()["z"], "from first via a via b");
    assert_eq!(
        bench.host.calls(),
        ["first correlate b/1", "middle correlate a/1", "last correlate b/1"],
        "hook by hook over all entities"
    );
}

/// 4.10.1 and 4.10.3: the target of a link is in its source's component, has a document of its own even without a
/// record, and hooks run for it.
#[test]
fn targets_without_a_record_get_documents_and_hooks() {
    let bench =
        Bench::new(chain(), vec![module("m", vec![correlate("a", &["b->x"], &["x"]), with_record("b", &[], &["y"])])]);
    bench.host.on("m", |seen| match seen.entity.unwrap().etype.as_str() {
        "b" => seen.set("y", if seen.record.is_some() { "record" } else { "no record" }),
        _ => seen.set("x", &format!("{:?}", seen.linked("b", "x"))),
    });
    bench.feed(vec![task("a/1", &[("b", "->b/9")])]);
    bench.run();
    assert_eq!(bench.doc("b/9").unwrap(), json!({"eid": "9", "y": "no record"}));
    assert_eq!(bench.doc("a/1").unwrap()["x"], "None");

    let options = SnapshotOptions { keep_empty: false, ..SnapshotOptions::default() };
    bench.try_run(options).unwrap();
    assert!(bench.doc("a/1").unwrap().get("b").is_none(), "a link to nothing is removed: {:?}", bench.doc("a/1"));
}

/// 4.10.5: a missing value is no reason not to call.
#[test]
fn a_hook_runs_without_the_values_it_depends_on() {
    let bench = Bench::new(chain(), vec![module("m", vec![correlate("a", &["x"], &["y"])])]);
    bench.host.on("m", |seen| seen.set("y", &format!("{:?}", seen.own("x"))));
    bench.feed(vec![task("a/1", &[("z", "q")])]);
    bench.run();
    assert_eq!(bench.doc("a/1").unwrap(), json!({"eid": "1", "z": "q", "y": "None"}));
}

/// 4.10.10: runs within one second are two runs.
#[test]
fn bug_two_runs_within_a_second_do_not_collide() {
    let bench = Bench::new(chain(), Vec::new());
    bench.feed(vec![task("a/1", &[("x", "q")])]);
    for _ in 0..40 {
        bench.engine.run_snapshot(SnapshotOptions::default()).unwrap();
    }
    let history = bench.reader.snapshot_history(&entity("a/1"), tenter_model::history::TimeRange::default(), 0, 100);
    assert_eq!(history.unwrap().len(), 40);
}

const TRAFFIC: &str = "entity: {id: t, name: t, snapshot: true, id_data_type: string}
attribs:
  flows: {name: f, type: timeseries, timeseries_type: regular, timeseries_params: {max_age: 7d, time_step: 10m}, series: {n: {data_type: int}}}
  mean: {name: m, type: plain, data_type: string}
  seen: {name: s, type: observations, data_type: string, multi_value: true, history_params: {pre_validity: 0s, post_validity: 1d}}
  note: {name: n, type: plain, data_type: string}
";

fn chunk(of: &str, numbers: Vec<i64>) -> TaskBody {
    let series = tenter_model::value::Series { name: "n".into(), column: tenter_model::value::Column::Ints(numbers) };
    let dp = tenter_model::DataPoint {
        attr: "flows".parse().unwrap(),
        value: tenter_model::Value::Chunk(vec![series]),
        src: None,
        t1: Some(Timestamp(1_700_000_000_000_000 - 1_200_000_000)),
        t2: Some(Timestamp(1_700_000_000_000_000)),
        confidence: None,
    };
    TaskBody { datapoints: vec![dp], ..TaskBody::new(entity(of)) }
}

/// 4.7: plain values and observations that are there already are folded too, of the same entity alone.
#[test]
fn bug_results_of_timeseries_hooks_are_folded_for_the_same_entity_alone() {
    let now = 1_700_000_000_000_000;
    let bench = Bench::new(
        schema(&[TRAFFIC]),
        vec![module("m", vec![timeseries("t", "flows"), correlate("t", &["mean"], &["note"])])],
    );
    bench.host.on("m", move |seen| {
        if seen.view.is_some() {
            return seen.set("note", &format!("saw {}", seen.own("mean").unwrap_or_default()));
        }
        let mut own = task("t/1", &[("mean", &format!("{} chunks", seen.chunks.len()))]);
        own.datapoints.push(observed("seen", "new", now, now));
        Answer::tasks(vec![own, task("t/2", &[("mean", "of another")])])
    });
    let mut before = chunk("t/1", vec![1, 2]);
    before.datapoints.push(observed("seen", "old", now, now));
    before.datapoints.extend(task("t/1", &[("mean", "stale")]).datapoints);
    bench.feed(vec![before, task("t/2", &[("note", "x")])]);
    bench.host.forget();
    bench.run();
    let doc = bench.doc("t/1").unwrap();
    assert_eq!((&doc["mean"], &doc["note"]), (&json!("1 chunks"), &json!("saw 1 chunks")));
    assert_eq!(doc["seen"], json!(["old", "new"]));
    assert!(bench.doc("t/2").unwrap().get("mean").is_none(), "not folded into another entity");
    assert_eq!(bench.host.calls()[0], "m timeseries t/1 flows");
    // The tasks went their way through the queue all the same.
    bench.settle();
    bench.run();
    assert_eq!(bench.doc("t/2").unwrap()["mean"], "of another");
}

/// 4.6: paths over mirrors join components and are followed.
#[test]
fn bug_paths_over_mirrors_work() {
    let net = "entity: {id: net, name: n, snapshot: true, id_data_type: string}
attribs:
  sum: {name: s, type: plain, data_type: string}
";
    let ip = "entity: {id: ip, name: i, snapshot: true, id_data_type: string}
attribs:
  x: {name: x, type: plain, data_type: string}
  net: {name: n, type: plain, data_type: 'link<net;mirror=ips>'}
";
    let bench = Bench::new(schema(&[net, ip]), vec![module("m", vec![correlate("net", &["ips->x"], &["sum"])])]);
    bench.host.on("m", |seen| {
        let mut all: Vec<String> =
            seen.view.unwrap().linked.iter().flat_map(|v| v.values_of("x").map(|v| shown(&v.value))).collect();
        all.sort();
        seen.set("sum", &all.join("+"))
    });
    bench.feed(vec![
        task("ip/1", &[("net", "->net/n"), ("x", "one")]),
        task("ip/2", &[("net", "->net/n"), ("x", "two")]),
        task("net/lonely", &[("sum", "-")]),
    ]);
    bench.run();
    let doc = bench.doc("net/n").unwrap();
    assert_eq!((&doc["sum"], &doc["ips"]), (&json!("one+two"), &json!([{"eid": "1"}, {"eid": "2"}])));
    assert_eq!(bench.doc("net/lonely").unwrap()["ips"], json!([]), "a mirror is always there");
}

/// 4.10.12: types without snapshots take part in components alone.
#[test]
fn types_without_snapshots_take_part_in_components_alone() {
    let quiet = "entity: {id: q, name: q, snapshot: false, id_data_type: string}
attribs:
  x: {name: x, type: plain, data_type: string}
";
    let loud = "entity: {id: l, name: l, snapshot: true, id_data_type: string}
attribs:
  q: {name: q, type: plain, data_type: link<q>}
";
    let modules = vec![module("m", vec![correlate("q", &[], &["x"]), correlate("l", &["q->x"], &[])])];
    let bench = Bench::new(schema(&[quiet, loud]), modules);
    bench.host.on("m", |seen| match seen.entity.unwrap().etype.as_str() {
        "q" => seen.set("x", "called"),
        _ => Answer::nothing(),
    });
    bench.feed(vec![task("l/1", &[("q", "->q/in")]), task("q/out", &[("x", "as it was")])]);
    bench.run();
    assert_eq!(bench.doc("q/in").unwrap()["x"], "called");
    assert_eq!(bench.doc("q/out"), None);
}

#[test]
fn init_and_finalize_run_once_per_lane_and_their_tasks_enter() {
    let bench = Bench::with(chain(), vec![module("m", vec![Moment::SnapshotInit, Moment::SnapshotFinalize])], 3);
    bench.host.on("m", |seen| {
        let id = format!("c/{}-{}", seen.call.kind, seen.host);
        Answer::tasks(vec![task(&id, &[("x", "made")])])
    });
    bench.feed(vec![task("a/1", &[("x", "q")])]);
    let report = bench.run();
    let calls = bench.host.calls();
    let of = |kind: &str| calls.iter().filter(|c| c.ends_with(kind)).count();
    assert_eq!((of("snapshot-init"), of("snapshot-finalize")), (3, 3));
    assert_eq!(bench.settle().applied, 1 + 6);
    assert_eq!(bench.count(&report, "tasks"), 6);
    assert_eq!(bench.host.ended.load(std::sync::atomic::Ordering::SeqCst), 3);
    bench.run();
    assert_eq!(bench.settle().applied, 1 + 12, "another run, other ids");
}

/// A failing hook costs its own changes and marks the document; others go on.
#[test]
fn a_failing_hook_marks_the_document_partial() {
    let bench = Bench::with(
        chain(),
        vec![
            module("bad", vec![correlate("a", &[], &["x", "b->y"])]),
            module("good", vec![correlate("a", &["x"], &["z"])]),
        ],
        1,
    );
    bench.host.on("bad", |seen| {
        if seen.entity.unwrap().eid.as_str() == "2" { Answer::fail(Reason::Trap) } else { seen.set("x", "set") }
    });
    bench.host.on("good", |seen| seen.set("z", &format!("{:?}", seen.own("x"))));
    bench.feed(vec![task("a/1", &[("b", "->b/1")]), task("a/2", &[("b", "->b/2")])]);
    let report = bench.run();
    assert_eq!(bench.doc("a/1").unwrap(), json!({"eid": "1", "b": {"eid": "1"}, "x": "set", "z": "Some(\"set\")"}));
    assert_eq!(bench.doc("a/2").unwrap(), json!({"eid": "2", "b": {"eid": "2"}, "z": "None", "_partial": true}));
    assert_eq!(bench.doc("b/2").unwrap(), json!({"eid": "2", "_partial": true}), "it might have been set there");
    assert_eq!(bench.doc("b/1").unwrap(), json!({"eid": "1"}));
    assert_eq!(bench.count(&report, "partial"), 2);
    let errors = bench.reader.errors(&tenter_store::ErrorFilter::default(), 10).unwrap();
    assert_eq!((errors.len(), errors[0].reason.as_ref(), errors[0].entity.clone()), (1, "trap", Some(entity("a/2"))));
    let key = (name("bad"), tenter_model::HookKind::Correlate);
    assert_eq!(bench.engine.stats().total()[&key].faults, 1);
}
