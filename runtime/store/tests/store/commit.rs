//! What a commit does, and that it does it once or not at all.

use tenter_model::task::Queue;
use tenter_model::{MasterRecord, Timestamp};
use tenter_store::{
    CommitResult, DeadFilter, DeadKind, Effect, ErrorFilter, LinkChange, RawFilter, Store, StoreOptions, TaskOutcome,
};

use crate::fixtures::*;

fn limited(max_descendants: u64, max_error_rows: u64) -> Store {
    Store::temporary(StoreOptions { max_descendants, max_error_rows, ..StoreOptions::default() }, NOW).unwrap()
}

#[test]
fn effects_are_stored_together() {
    let store = store();
    let reader = store.reader().unwrap();
    let one = waiting(&store, &reader, 1, "a");
    let mut derived = point("y", 2);
    derived.module = Some(module("label"));
    let given = applying(&reader, &one, vec![point("x", 1), derived.clone()]);
    let Effect::Apply { record, .. } = given.effect.clone() else { panic!("applying applies") };
    assert_eq!(store.commit_blocking(given).unwrap(), committed(0, 0, 0));

    let stored = reader.record(&entity("a")).unwrap().unwrap();
    assert_eq!(stored, MasterRecord { revision: 1, ..record });
    assert_eq!(stored.ttl.get("base"), Some(&NOW.saturating_add(DAY)));
    assert!(reader.is_known(&entity("a")).unwrap());
    let raw = reader.raw(&RawFilter { limit: 10, ..RawFilter::default() }).unwrap();
    assert_eq!(raw.iter().map(|p| p.point.clone()).collect::<Vec<_>>(), [derived, point("x", 1)]);
    assert!(raw.iter().all(|p| p.entity == entity("a") && p.task == id(1) && p.at == NOW));
    assert_eq!(pending(&reader, Queue::Normal), []);
    let c = reader.counters().unwrap();
    assert_eq!((c.accepted, c.applied, c.pending, c.created, c.raw_points, c.derived_points), (1, 1, 0, 1, 2, 1));
}

#[test]
fn a_derived_datapoint_names_the_call_that_made_it() {
    let store = store();
    let reader = store.reader().unwrap();
    let one = waiting(&store, &reader, 1, "a");
    let child = follow_up(&one.task, 3, "b");
    store.commit_blocking(TaskOutcome { follow_ups: vec![child.clone()], ..outcome(&one) }).unwrap();
    let two = pending(&reader, Queue::Priority).remove(0);
    let derived = |name| {
        let mut point = point(name, 1);
        point.module = Some(module("label"));
        point
    };
    let origin = two.task.origin.clone();
    assert_eq!(origin, child.origin);
    let given = applying(&reader, &two, vec![derived("x"), derived("y")]);
    store.commit_blocking(TaskOutcome { origin: origin.clone(), ..given }).unwrap();
    // A datapoint from outside has no origin, and one that an older program stored is read without it.
    let three = waiting(&store, &reader, 3, "c");
    store.commit_blocking(applying(&reader, &three, vec![point("x", 2), derived("z")])).unwrap();
    let raw = reader.raw(&RawFilter { limit: 10, ..RawFilter::default() }).unwrap();
    assert_eq!(raw.iter().map(|p| p.origin.clone()).collect::<Vec<_>>(), [None, None, origin.clone(), origin.clone()]);
    let of = tenter_store::InvocationId::of_origin(&origin.unwrap());
    let subscription = "a".parse().unwrap();
    assert_eq!(of, tenter_store::InvocationId::of(one.task.id, &module("label"), &subscription, 0, 1));
}

#[test]
fn a_task_that_is_done_is_gone() {
    let store = store();
    let reader = store.reader().unwrap();
    let one = waiting(&store, &reader, 1, "a");
    let given = applying(&reader, &one, vec![point("x", 1)]);
    store.commit_blocking(given.clone()).unwrap();
    let before = reader.counters().unwrap();
    assert_eq!(store.commit_blocking(given.clone()).unwrap(), CommitResult::Gone);
    assert_eq!(store.postpone_blocking(one.seq, id(1), 1, NOW, vec![]).unwrap(), CommitResult::Gone);
    assert_eq!(reader.counters().unwrap(), before);
    // The place of one task with the id of another is none either.
    let two = waiting(&store, &reader, 2, "a");
    assert_eq!(store.commit_blocking(TaskOutcome { seq: two.seq, ..given }).unwrap(), CommitResult::Gone);
    assert_eq!(pending(&reader, Queue::Normal).len(), 1);
}

#[test]
fn a_changed_record_is_a_conflict_and_leaves_nothing() {
    let store = store();
    let reader = store.reader().unwrap();
    let one = waiting(&store, &reader, 1, "a");
    let two = waiting(&store, &reader, 2, "a");
    let mut stale = applying(&reader, &two, vec![point("x", 2)]);
    stale.follow_ups.push(follow_up(&two.task, 0, "b"));
    stale.errors.push(error("label", "fuel"));
    store.commit_blocking(applying(&reader, &one, vec![point("x", 1)])).unwrap();
    let before = reader.counters().unwrap();
    assert_eq!(store.commit_blocking(stale.clone()).unwrap(), CommitResult::Conflict);
    assert_eq!(store.commit_blocking(TaskOutcome { seen_revision: Some(7), ..stale }).unwrap(), CommitResult::Conflict);
    assert_eq!(reader.counters().unwrap(), before);
    assert_eq!(reader.audit().unwrap(), before);
    assert_eq!(reader.errors(&ErrorFilter::default(), 9).unwrap(), []);
    assert_eq!(reader.record(&entity("a")).unwrap().unwrap().revision, 1);
    // Processed again, it goes through.
    assert_eq!(store.commit_blocking(applying(&reader, &two, vec![point("x", 2)])).unwrap(), committed(0, 0, 0));
    assert_eq!(reader.record(&entity("a")).unwrap().unwrap().revision, 2);
}

#[test]
fn a_conflict_does_not_spoil_its_group() {
    let store = store();
    let reader = store.reader().unwrap();
    let tasks: Vec<_> = (1..=9).map(|n| waiting(&store, &reader, n, &format!("e{n}"))).collect();
    let (sender, receiver) = std::sync::mpsc::channel();
    for (n, one) in tasks.iter().enumerate() {
        let mut given = applying(&reader, one, vec![point("fresh", 1)]);
        if n % 3 == 0 {
            given.seen_revision = Some(5);
        }
        let sender = sender.clone();
        store.commit(given, Box::new(move |r| sender.send((n, r.unwrap())).unwrap()));
    }
    drop(sender);
    let mut results: Vec<_> = receiver.iter().collect();
    results.sort_by_key(|(n, _)| *n);
    for (n, result) in results {
        assert_eq!(result == CommitResult::Conflict, n % 3 == 0, "{n}: {result:?}");
    }
    let counters = reader.counters().unwrap();
    assert_eq!((counters.applied, counters.pending), (6, 3));
    assert_eq!(reader.audit().unwrap(), counters);
    assert_eq!(
        reader.raw(&RawFilter { attr: Some(attr("fresh")), limit: 99, ..RawFilter::default() }).unwrap().len(),
        6
    );
}

#[test]
fn follow_ups_enter_the_queue_once() {
    let store = store();
    let reader = store.reader().unwrap();
    let one = waiting(&store, &reader, 1, "a");
    let two = waiting(&store, &reader, 2, "a");
    let child = follow_up(&one.task, 0, "b");
    let given = TaskOutcome { follow_ups: vec![child.clone(), child.clone()], ..outcome(&one) };
    assert_eq!(store.commit_blocking(given).unwrap(), committed(1, 1, 0));
    let again = TaskOutcome { follow_ups: vec![child.clone()], ..outcome(&two) };
    assert_eq!(store.commit_blocking(again).unwrap(), committed(0, 1, 0));
    let waiting = pending(&reader, Queue::Priority);
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].task, child);
}

#[test]
fn what_is_over_the_budget_of_a_root_is_a_dead_letter() {
    let store = limited(3, 9);
    let reader = store.reader().unwrap();
    let one = waiting(&store, &reader, 1, "a");
    let children: Vec<_> = (0..2).map(|n| follow_up(&one.task, n, "b")).collect();
    store.commit_blocking(TaskOutcome { follow_ups: children, ..outcome(&one) }).unwrap();
    // A child's children count for the same root.
    let child = pending(&reader, Queue::Priority).remove(0);
    let more: Vec<_> = (0..3).map(|n| follow_up(&child.task, n, "c")).collect();
    let given = TaskOutcome { follow_ups: more.clone(), ..outcome(&child) };
    assert_eq!(store.commit_blocking(given).unwrap(), committed(1, 0, 2));
    let dead = reader.dead(&DeadFilter { kind: Some(DeadKind::Budget), ..DeadFilter::default() }, 9).unwrap();
    assert_eq!(dead.iter().map(|d| &d.letter.task).collect::<Vec<_>>(), [&more[2], &more[1]]);
    assert_eq!(dead[0].letter.module, Some(module("label")));
    insta::assert_snapshot!(dead[0].letter.message, @"module label returned a task after the 3 descendants that task 018bcfe5680001010101010101010101 may have; hooks that answer each other's tasks without end are the usual cause");
    let counters = reader.counters().unwrap();
    assert!(counters.reconciles(), "{counters:?}");
    assert_eq!((counters.dead, counters.over_budget), (2, 2));
    // Another root has a budget of its own.
    let two = waiting(&store, &reader, 2, "a");
    let given = TaskOutcome { follow_ups: vec![follow_up(&two.task, 0, "b")], ..outcome(&two) };
    assert_eq!(store.commit_blocking(given).unwrap(), committed(1, 0, 0));
}

#[test]
fn deletion_takes_record_and_links_but_not_the_log() {
    let store = store();
    let reader = store.reader().unwrap();
    for (n, eid, target) in [(1, "a", "b"), (2, "b", "a")] {
        let one = waiting(&store, &reader, n, eid);
        let mut given = applying(&reader, &one, vec![point("x", 1)]);
        if let Effect::Apply { links, .. } = &mut given.effect {
            links.push(LinkChange::Replace { attr: attr("peer"), targets: vec![entity(target)] });
        }
        store.commit_blocking(given).unwrap();
    }
    assert_eq!(reader.links_to(&entity("a")).unwrap().len(), 1);
    assert_eq!(reader.entity_count(&entity("a").etype).unwrap(), 2);
    let three = waiting(&store, &reader, 3, "a");
    let stale = TaskOutcome { effect: Effect::Delete, seen_revision: Some(9), ..outcome(&three) };
    assert_eq!(store.commit_blocking(stale).unwrap(), CommitResult::Conflict);
    let given = TaskOutcome { effect: Effect::Delete, seen_revision: Some(1), ..outcome(&three) };
    assert_eq!(store.commit_blocking(given).unwrap(), committed(0, 0, 0));
    assert_eq!(reader.record(&entity("a")).unwrap(), None);
    assert_eq!(reader.links_to(&entity("a")).unwrap(), []);
    assert_eq!(reader.links_from(&entity("a")).unwrap(), []);
    assert_eq!(reader.entity_count(&entity("a").etype).unwrap(), 1);
    assert_eq!(reader.raw(&RawFilter { limit: 9, ..RawFilter::default() }).unwrap().len(), 2);
    assert_eq!(reader.counters().unwrap().removed, 1);
}

#[test]
fn links_are_replaced_or_extended() {
    let store = store();
    let reader = store.reader().unwrap();
    let mut n = 0;
    let mut change = |links: Vec<LinkChange>| {
        n += 1;
        let one = waiting(&store, &reader, n, "a");
        let mut given = applying(&reader, &one, vec![]);
        if let Effect::Apply { links: slot, .. } = &mut given.effect {
            *slot = links;
        }
        store.commit_blocking(given).unwrap();
        reader
            .links_from(&entity("a"))
            .unwrap()
            .into_iter()
            .map(|l| format!("{} {} {:?}", l.attr, l.to.eid, l.until.map(|t| t.0)))
            .collect::<Vec<_>>()
    };
    let extend =
        |eid: &str, until| LinkChange::Extend { attr: attr("seen"), target: entity(eid), until: Timestamp(until) };
    let replace =
        |eids: &[&str]| LinkChange::Replace { attr: attr("owner"), targets: eids.iter().map(|e| entity(e)).collect() };
    assert_eq!(change(vec![extend("b", 5), extend("b", 3)]), ["seen b Some(5)"]);
    assert_eq!(change(vec![extend("b", 9), extend("c", 1)]), ["seen b Some(9)", "seen c Some(1)"]);
    assert_eq!(change(vec![replace(&["d", "e"])]).len(), 4);
    assert_eq!(change(vec![replace(&["e", "e"])]), ["seen b Some(9)", "seen c Some(1)", "owner e None"]);
}

#[test]
fn denied_dead_and_postponed_are_counted() {
    let store = store();
    let reader = store.reader().unwrap();
    let one = waiting(&store, &reader, 1, "a");
    let denied = Effect::Denied { module: module("gate"), reason: "private".into() };
    store.commit_blocking(TaskOutcome { effect: denied, ..outcome(&one) }).unwrap();
    let two = waiting(&store, &reader, 2, "a");
    let not_before = NOW.saturating_add(5);
    let errors = vec![error("gate", "trap")];
    assert_eq!(store.postpone_blocking(two.seq, id(2), 2, not_before, errors).unwrap(), committed(0, 0, 0));
    let two = pending(&reader, Queue::Normal).remove(0);
    assert_eq!((two.attempts, two.not_before), (2, Some(not_before)));
    assert_eq!(reader.errors(&ErrorFilter::default(), 9).unwrap(), [error("gate", "trap")]);
    let dead = Effect::Dead(letter(&two.task, DeadKind::Admission));
    let extra = letter(&follow_up(&two.task, 0, "z"), DeadKind::Depth);
    store.commit_blocking(TaskOutcome { effect: dead, dead: vec![extra], ..outcome(&two) }).unwrap();
    let c = reader.counters().unwrap();
    assert_eq!((c.accepted, c.denied, c.dead, c.pending, c.postponed), (3, 1, 2, 0, 1));
    assert!(c.reconciles());
    assert!(!reader.is_known(&entity("a")).unwrap());
}

#[test]
fn a_dead_letter_can_be_replayed_or_discarded() {
    let store = store();
    let reader = store.reader().unwrap();
    for n in [1, 2] {
        let one = waiting(&store, &reader, n, "a");
        let effect = Effect::Dead(letter(&one.task, DeadKind::Failed));
        store.commit_blocking(TaskOutcome { effect, ..outcome(&one) }).unwrap();
    }
    let dead = reader.dead(&DeadFilter { entity: Some(entity("a")), ..DeadFilter::default() }, 9).unwrap();
    assert_eq!(dead.len(), 2);
    assert_eq!(reader.dead(&DeadFilter { before: Some(dead[0].seq), ..DeadFilter::default() }, 9).unwrap(), dead[1..]);
    store.replay_dead(dead[0].seq).unwrap();
    store.discard_dead(dead[1].seq).unwrap();
    assert_eq!(pending(&reader, Queue::Normal)[0].task, task(2, "a"));
    assert_eq!(reader.dead(&DeadFilter::default(), 9).unwrap(), []);
    let c = reader.counters().unwrap();
    assert_eq!((c.accepted, c.dead, c.pending), (2, 1, 1));
    insta::assert_snapshot!(store.replay_dead(77).unwrap_err(), @"dead letter 77 does not exist");
}

#[test]
fn only_the_newest_errors_are_kept() {
    let store = limited(9, 5);
    let reader = store.reader().unwrap();
    for n in 1..=4 {
        let one = waiting(&store, &reader, n, "a");
        let errors = vec![error("old", "fuel"), error("label", "trap"), error("label", "fuel")];
        store.commit_blocking(TaskOutcome { errors, ..outcome(&one) }).unwrap();
    }
    assert_eq!(reader.errors(&ErrorFilter::default(), 99).unwrap().len(), 5);
    let filter = ErrorFilter { module: Some(module("label")), reason: Some("trap".into()), ..ErrorFilter::default() };
    assert_eq!(reader.errors(&filter, 99).unwrap(), [error("label", "trap"), error("label", "trap")]);
    let later = ErrorFilter { since: Some(NOW.saturating_add(1)), ..ErrorFilter::default() };
    assert_eq!(reader.errors(&later, 99).unwrap(), []);
}
