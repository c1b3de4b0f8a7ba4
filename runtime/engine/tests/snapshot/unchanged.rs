//! Entities that need not be computed again: the stored result is that of a full run.

use std::cell::Cell;

use proptest::prelude::*;
use tenter_engine::SnapshotOptions;
use tenter_model::{Schema, TaskBody, Timestamp};

use crate::support::*;

fn things() -> Schema {
    schema(&[
        "entity: {id: idle, name: i, snapshot: true, id_data_type: string}
attribs:
  x: {name: x, type: plain, data_type: string}
  o: {name: o, type: observations, data_type: string, history_params: {pre_validity: 5s, post_validity: 7s, aggregate: false}}
  m: {name: m, type: observations, data_type: string, multi_value: true, history_params: {post_validity: 3s}}
",
        "entity: {id: busy, name: b, snapshot: true, id_data_type: string}
attribs:
  x: {name: x, type: plain, data_type: string}
",
        "entity: {id: back, name: m, snapshot: true, id_data_type: string}
attribs:
  x: {name: x, type: plain, data_type: string}
",
        "entity: {id: from, name: f, snapshot: true, id_data_type: string}
attribs:
  to: {name: t, type: plain, data_type: 'link<back;mirror=sources>'}
",
    ])
}

fn at(seconds: i64) -> SnapshotOptions {
    SnapshotOptions { time: Some(Timestamp(1_700_000_000_000_000 + seconds * 1_000_000)), ..SnapshotOptions::default() }
}

#[test]
fn only_what_can_have_changed_is_computed_again() {
    let bench = Bench::new(things(), vec![module("m", vec![correlate("busy", &["x"], &[])])]);
    bench.feed(vec![
        task("idle/a", &[("x", "1")]),
        task("idle/b", &[("x", "1")]),
        task("busy/a", &[("x", "1")]),
        task("back/a", &[("x", "1")]),
    ]);
    let first = bench.try_run(at(0)).unwrap();
    assert_eq!(bench.count(&first, "unchanged"), 0);
    bench.feed(vec![task("idle/b", &[("x", "2")]), task("from/a", &[("to", "->back/a")])]);
    let second = bench.try_run(at(10)).unwrap();
    assert_eq!(
        (bench.count(&second, "unchanged"), bench.count(&second, "documents")),
        (1, 4),
        "{:?}",
        second.run.counts
    );
    assert_eq!(bench.doc("idle/b").unwrap()["x"], "2");
    assert_eq!(bench.doc("back/a").unwrap()["sources"][0]["eid"], "a", "links of others change what is shown");
    let full = bench.try_run(SnapshotOptions { full: true, ..at(20) }).unwrap();
    assert_eq!((bench.count(&full, "unchanged"), bench.count(&full, "documents")), (0, 5));
    let empty = bench.try_run(SnapshotOptions { keep_empty: false, ..at(30) }).unwrap();
    assert_eq!(bench.count(&empty, "unchanged"), 0, "other settings");
    let earlier = bench.try_run(SnapshotOptions { keep_empty: false, ..at(25) }).unwrap();
    assert_eq!(bench.count(&earlier, "unchanged"), 0, "another time before");
    bench.engine.registry().swap(registry(vec![module("m", vec![correlate("idle", &["x"], &[])])]));
    let hooked = bench.try_run(SnapshotOptions { keep_empty: false, ..at(40) }).unwrap();
    assert_eq!(bench.count(&hooked, "unchanged"), 0, "other hooks");
}

/// Something that happens between two runs.
#[derive(Debug, Clone)]
enum Step {
    Write { idle: u8, attr: u8, from: i64, length: i64, value: u8 },
    Run { after: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    let write = (0..4u8, 0..3u8, -15..40i64, 0..8i64, 0..3u8)
        .prop_map(|(idle, attr, from, length, value)| Step::Write { idle, attr, from, length, value });
    prop_oneof![2 => write, 3 => (0..6i64).prop_map(|after| Step::Run { after })]
}

fn written(idle: u8, attr: u8, from: i64, length: i64, value: u8) -> TaskBody {
    let (of, value) = (format!("idle/{idle}"), format!("v{value}"));
    let second = |s: i64| 1_700_000_000_000_000 + s * 1_000_000;
    let dp = |attr| observed(attr, &value, second(from), second(from + length));
    match attr {
        0 => task(&of, &[("x", &value)]),
        1 => TaskBody { datapoints: vec![dp("o")], ..TaskBody::new(entity(&of)) },
        _ => TaskBody { datapoints: vec![dp("m")], ..TaskBody::new(entity(&of)) },
    }
}

/// Whatever is written between runs and however far they lie apart: a run that leaves out what cannot have changed
/// stores what a full run stores.
#[test]
fn what_is_stored_equals_a_full_run() {
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig { cases: 40, ..ProptestConfig::default() });
    let (unchanged, documents) = (Cell::new(0), Cell::new(0));
    let strategy = proptest::collection::vec(step(), 3..14);
    runner
        .run(&strategy, |steps| {
            let (lazy, full) = (Bench::with(things(), Vec::new(), 1), Bench::with(things(), Vec::new(), 1));
            let mut now = 0;
            for step in steps {
                match step {
                    Step::Write { idle, attr, from, length, value } => {
                        lazy.feed(vec![written(idle, attr, from, length, value)]);
                        full.feed(vec![written(idle, attr, from, length, value)]);
                    }
                    Step::Run { after } => {
                        now += after;
                        let report = lazy.try_run(at(now)).unwrap();
                        full.try_run(SnapshotOptions { full: true, ..at(now) }).unwrap();
                        prop_assert_eq!(lazy.picture(), full.picture(), "at {}", now);
                        unchanged.set(unchanged.get() + lazy.count(&report, "unchanged"));
                        documents.set(documents.get() + lazy.count(&report, "documents"));
                    }
                }
            }
            Ok(())
        })
        .unwrap();
    let (unchanged, documents) = (unchanged.get(), documents.get());
    println!("{unchanged} documents were kept and {documents} computed");
    assert!(unchanged > 30 && documents > 30, "both happen: {unchanged}, {documents}");
}
