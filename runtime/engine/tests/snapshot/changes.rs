//! What becomes of the changes that correlation hooks return.

use tenter_model::host::Reason;
use tenter_model::module::{LoadedModule, Undeclared};
use tenter_model::view::Change;
use tenter_model::{Schema, Timestamp};
use tenter_store::ErrorFilter;

use crate::support::*;

fn things() -> Schema {
    schema(&["entity: {id: e, name: e, snapshot: true, id_data_type: string}
attribs:
  x: {name: x, type: plain, data_type: string}
  y: {name: y, type: plain, data_type: string}
  n: {name: n, type: plain, data_type: int}
  to: {name: t, type: plain, data_type: link<e>}
"])
}

fn errors(bench: &Bench) -> Vec<(String, String)> {
    let rows = bench.reader.errors(&ErrorFilter::default(), 100).unwrap();
    rows.into_iter().map(|row| (row.reason.into_owned(), row.message)).collect()
}

fn changer(change: impl FnOnce(&mut LoadedModule)) -> LoadedModule {
    let mut module = module("m", vec![correlate("e", &["x"], &["y"])]);
    change(&mut module);
    module
}

#[test]
fn undeclared_changes_are_applied_after_the_declared_ones_and_reported_once() {
    let bench = Bench::with(things(), vec![changer(|_| {})], 1);
    bench.host.on("m", |seen| {
        let root = seen.entity.unwrap();
        set(root, "risk", "unknown to the specification").and(set(root, "n", "seven")).and(set(root, "y", "declared"))
    });
    bench.feed((0..5).map(|n| task(&format!("e/{n}"), &[("x", "1")])).collect());
    bench.run();
    assert!(bench.doc("e/3").unwrap().get("n").is_none(), "a text is no number: the whole output is refused");
    assert_eq!(errors(&bench)[0].0, "invalid-output");
    assert!(errors(&bench)[0].1.contains("changes"), "{:?}", errors(&bench));

    let bench = Bench::with(things(), vec![changer(|_| {})], 1);
    bench.host.on("m", |seen| {
        let root = seen.entity.unwrap();
        set(root, "risk", "high").and(set(root, "y", "declared"))
    });
    bench.feed((0..5).map(|n| task(&format!("e/{n}"), &[("x", "1")])).collect());
    bench.run();
    bench.run();
    let doc = bench.doc("e/3").unwrap();
    assert_eq!((&doc["risk"], &doc["y"]), (&"high".into(), &"declared".into()));
    let told = errors(&bench);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].0, tenter_engine::UNDECLARED);
    assert!(told[0].1.contains("e.risk"), "{told:?}");
}

#[test]
fn a_strict_module_may_change_only_what_it_declares() {
    let strict = changer(|m| m.settings.may_change = Undeclared::Strict);
    let bench = Bench::with(things(), vec![strict], 1);
    bench.host.on("m", |seen| {
        let root = seen.entity.unwrap();
        if root.eid.as_str() == "bad" {
            set(root, "y", "lost").and(set(root, "risk", "high"))
        } else {
            set(root, "y", "kept")
        }
    });
    bench.feed(vec![task("e/bad", &[("x", "1")]), task("e/good", &[("x", "1")])]);
    bench.run();
    let doc = bench.doc("e/bad").unwrap();
    assert!(doc.get("y").is_none() && doc.get("risk").is_none(), "nothing of the output counts: {doc}");
    assert_eq!(doc["_partial"], true);
    assert_eq!(bench.doc("e/good").unwrap()["y"], "kept");
    assert_eq!(errors(&bench)[0].0, "invalid-output");
}

#[test]
fn changes_of_entities_that_the_hook_did_not_see_are_refused() {
    let bench = Bench::with(things(), vec![changer(|_| {})], 1);
    bench.host.on("m", |_| set(&entity("e/other"), "y", "mine"));
    bench.feed(vec![task("e/1", &[("x", "1")]), task("e/other", &[("x", "1")])]);
    bench.run();
    assert!(errors(&bench)[0].1.contains("e/other is neither the root (e/1)"), "{:?}", errors(&bench));
    assert_eq!(bench.doc("e/other").unwrap()["y"], "mine", "its own call may set it");
}

#[test]
fn grants_for_writing_hold_for_changes() {
    let granted = changer(|m| {
        let grant = tenter_model::capability::Grant { capability: "write-entities".into(), scope: "e.x".into() };
        m.settings.grants.push(grant);
    });
    let bench = Bench::with(things(), vec![granted], 1);
    bench.host.on("m", |seen| seen.set("y", "1"));
    bench.feed(vec![task("e/1", &[("x", "1")])]);
    bench.run();
    assert_eq!(errors(&bench)[0].0, "not-granted");
    assert!(errors(&bench)[0].1.contains("tenter grant m write-entities e.y"), "{:?}", errors(&bench));
}

#[test]
fn a_change_without_values_removes_the_attribute() {
    let bench = Bench::with(things(), vec![module("m", vec![correlate("e", &[], &["x"])])], 1);
    bench.host.on("m", |seen| {
        let change = Change { entity: seen.entity.unwrap().clone(), attr: "x".parse().unwrap(), values: Vec::new() };
        Answer { changes: vec![change], ..Answer::default() }
    });
    bench.feed(vec![task("e/1", &[("x", "1"), ("y", "2")])]);
    bench.run();
    assert_eq!(bench.doc("e/1").unwrap(), serde_json::json!({"eid": "1", "y": "2"}));
}

/// A hook that keeps breaking rules is paused in the middle of a run; its documents say what is missing.
#[test]
fn a_paused_hook_is_left_out_and_the_documents_say_so() {
    let bench = Bench::with(things(), vec![module("m", vec![correlate("e", &[], &["y"])])], 1);
    bench.host.on("m", |_| Answer::fail(Reason::Trap));
    bench.feed((0..20).map(|n| task(&format!("e/{n:02}"), &[("x", "1")])).collect());
    bench.run();
    assert_eq!(bench.host.calls().len(), 5, "five faults in a row open the breaker");
    assert!((0..20).all(|n| bench.doc(&format!("e/{n:02}")).unwrap()["_partial"] == true));
}

/// Deeper values come from the component as earlier hooks left it, and of nothing else.
#[test]
fn the_import_views_shows_the_component_as_it_is_now() {
    let bench = Bench::with(
        things(),
        vec![
            module("first", vec![correlate("e", &[], &["y"])]),
            module("second", vec![correlate("e", &["y", "to->x"], &["n"])]),
        ],
        1,
    );
    bench.host.on("first", |seen| seen.set("y", &format!("of {}", seen.entity.unwrap().eid)));
    bench.host.on("second", |seen| {
        if seen.entity.unwrap().eid.as_str() == "a" {
            let deeper = seen.deeper.unwrap();
            let of = |text: &str| deeper.entity_view(&entity(text));
            assert_eq!(of("e/c").unwrap().values_of("y").next().map(|v| shown(&v.value)).as_deref(), Some("of c"));
            assert!(of("e/far").is_none(), "not of this component");
        }
        Answer::nothing()
    });
    bench.feed(vec![
        task("e/a", &[("to", "->e/b")]),
        task("e/b", &[("to", "->e/c")]),
        task("e/c", &[("x", "1")]),
        task("e/far", &[("x", "1")]),
    ]);
    let report = bench.run();
    assert_eq!(bench.count(&report, "components"), 1);
    assert!(errors(&bench).is_empty(), "{:?}", errors(&bench));
    assert!(report.run.time > Timestamp(0));
}

/// A correlation that takes long says nothing about the module's hooks of ingestion.
#[test]
fn slow_correlations_send_no_tasks_aside() {
    let bench = Bench::with(things(), vec![module("m", vec![correlate("e", &[], &["y"])])], 1);
    bench.host.on("m", |_| Answer { micros: 50_000, ..Answer::nothing() });
    bench.feed((0..5).map(|n| task(&format!("e/{n}"), &[("x", "1")])).collect());
    bench.run();
    assert_eq!(bench.host.calls().len(), 5);
    assert!(bench.engine.pace().slow().is_empty(), "{:?}", bench.engine.pace().slow());
}
