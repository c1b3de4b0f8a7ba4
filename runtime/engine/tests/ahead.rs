//! Records that a lane reads before their tasks run, and others that write them in between.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail loudly")]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use support::*;
use tenter_model::record::History;
use tenter_model::task::{Queue, Task, TaskId};
use tenter_model::{MasterRecord, Timestamp};
use tenter_store::{CommitResult, Counters, Effect, Store, TaskOutcome};

/// Does to an entity what somebody beside the lanes may do, as of what is stored.
fn write_aside(store: &Store, eid: &str, change: impl FnOnce(&mut MasterRecord) -> Effect) {
    let (reader, now) = (store.reader().unwrap(), Timestamp(1));
    let id = TaskId::root(now, [9; 10]);
    let task = Task { id, root: id, depth: 0, queue: Queue::Priority, origin: None, body: body(eid, Vec::new()) };
    store.admit_blocking(vec![task], now).unwrap();
    let seq = reader.pending(Queue::Priority, None, 0, 1, 9).unwrap()[0].seq;
    let stored = reader.record(&entity(eid)).unwrap();
    let seen_revision = stored.as_ref().map(|record| record.revision);
    let effect = change(&mut stored.unwrap_or_else(|| MasterRecord::new(now)));
    let outcome = TaskOutcome {
        seq,
        id,
        entity: entity(eid),
        origin: None,
        at: now,
        seen_revision,
        effect,
        follow_ups: Vec::new(),
        dead: Vec::new(),
        errors: Vec::new(),
        state: Vec::new(),
        invocations: Vec::new(),
    };
    assert!(matches!(store.commit_blocking(outcome).unwrap(), CommitResult::Committed { .. }));
}

fn labelled(record: &mut MasterRecord, text: &str) -> Effect {
    let created = record.revision == 0;
    record.stage(&plain("label", text), Timestamp(1));
    Effect::Apply { record: record.clone(), raw: Vec::new(), links: Vec::new(), created }
}

/// Runs a task of a and one of b in one lane. While the hook of a runs, b was read already, and is then written by
/// somebody else.
fn meanwhile(known: bool, change: fn(&mut MasterRecord) -> Effect) -> (Bench, Counters) {
    let bench = Bench::with(vec![module("watch", vec![attribute("note"), creation()])], 1);
    if known {
        bench.run(vec![body("b", vec![plain("note", "before"), plain("label", "before")])]);
        bench.host.calls.lock().unwrap().clear();
    }
    let (once, store) = (AtomicBool::new(false), bench.store.clone());
    bench.host.on("watch", move |_, entity, _| {
        if entity.eid.as_str() == "a" && !once.swap(true, Ordering::SeqCst) {
            write_aside(&store, "b", change);
        }
        Answer::Nothing
    });
    let counters = bench.run(vec![body("a", vec![plain("note", "x")]), body("b", vec![plain("note", "after")])]);
    (bench, counters)
}

#[test]
fn a_record_that_somebody_else_changed_is_read_anew() {
    let (bench, counters) = meanwhile(true, |record| labelled(record, "theirs"));
    assert_eq!(bench.text("b", "note").as_deref(), Some("after"));
    assert_eq!(bench.text("b", "label").as_deref(), Some("theirs"));
    assert_eq!((counters.created, counters.removed), (2, 0));
    let of_b = bench.host.calls().iter().filter(|call| call.ends_with("ip/b note")).count();
    assert_eq!(of_b, 2, "the run on the old record did not count");
    assert_eq!(bench.reader.record(&entity("b")).unwrap().unwrap().revision, 3);
}

#[test]
fn an_entity_that_somebody_else_removed_comes_into_being_again() {
    let (bench, counters) = meanwhile(true, |_| Effect::Delete);
    assert_eq!(bench.text("b", "note").as_deref(), Some("after"));
    assert_eq!(bench.text("b", "label"), None, "nothing of the old record is left");
    assert_eq!((counters.created, counters.removed), (3, 1));
    assert!(bench.host.calls().contains(&"watch on-entity-creation ip/b".to_owned()));
}

#[test]
fn an_entity_that_somebody_else_made_is_made_once() {
    let (bench, counters) = meanwhile(false, |record| labelled(record, "theirs"));
    assert_eq!(bench.text("b", "note").as_deref(), Some("after"));
    assert_eq!(bench.text("b", "label").as_deref(), Some("theirs"));
    assert_eq!((counters.created, counters.removed), (2, 0));
}

/// The values of `seen`, in the order in which they are stored.
fn seen(bench: &Bench, eid: &str) -> Vec<i64> {
    match bench.reader.record(&entity(eid)).unwrap().unwrap().attributes.get("seen") {
        Some(History::Observations(points)) => points.iter().map(|point| point.t1.0).collect(),
        other => panic!("not observations: {other:?}"),
    }
}

#[test]
fn tasks_of_one_entity_never_meet_an_old_record_of_it() {
    let bench = Bench::with(vec![module("watch", vec![attribute("seen")])], 1);
    let eid = |n: i64| format!("e{}", n * n % 7);
    bench.run((0..400).map(|n| body(&eid(n), vec![observation("seen", "x", n)])).collect());
    for n in [0, 1, 2, 4] {
        let expected: Vec<i64> = (0..400).filter(|m| m * m % 7 == n).collect();
        assert_eq!(seen(&bench, &format!("e{n}")), expected);
    }
    assert_eq!(bench.host.calls().len(), 400, "no task ran twice");
}

#[test]
fn what_runs_aside_is_not_overtaken_by_what_was_read_before() {
    let slow = Duration::from_millis(5);
    let bench = Bench::with(vec![module("slow", vec![attribute("note")]), module("watch", vec![attribute("seen")])], 1);
    bench.host.slow_down("slow", slow);
    // Until the module counts as slow.
    bench.run((0..8).map(|n| body("warm", vec![plain("note", &n.to_string())])).collect());
    assert_eq!(bench.engine.pace().slow().len(), 1);
    bench.host.calls.lock().unwrap().clear();
    let task = |n: i64| {
        let mut points = vec![observation("seen", "x", n)];
        points.extend((n % 3 == 0).then(|| plain("note", &n.to_string())));
        body(if n % 2 == 0 { "a" } else { "b" }, points)
    };
    bench.run((0..40).map(task).collect());
    assert_eq!(seen(&bench, "a"), (0..40).step_by(2).collect::<Vec<_>>());
    assert_eq!(seen(&bench, "b"), (1..40).step_by(2).collect::<Vec<_>>());
    let watched = bench.host.calls().iter().filter(|call| call.starts_with("watch")).count();
    assert_eq!(watched, 40, "no task ran twice");
}

#[test]
fn many_records_are_held_for_a_while_and_all_tasks_find_theirs() {
    let bench = Bench::with(Vec::new(), 1);
    let first = (0..900).map(|n| body(&format!("e{n}"), vec![plain("note", "first")])).collect();
    bench.run(first);
    let second = (0..900).rev().map(|n| body(&format!("e{n}"), vec![plain("label", "second")])).collect();
    let counters = bench.run(second);
    assert_eq!((counters.created, counters.applied), (900, 1800));
    for n in 0..900 {
        let record = bench.reader.record(&entity(&format!("e{n}"))).unwrap().unwrap();
        assert_eq!((record.revision, record.attributes.len()), (2, 2), "e{n}");
    }
}
