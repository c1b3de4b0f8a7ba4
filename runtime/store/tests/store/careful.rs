//! Careful starts: the task that stops the process again and again is found, and only that one.

use std::path::Path;

use tenter_model::HookKind;
use tenter_model::task::Queue;
use tenter_store::{DeadFilter, DeadKind, POISON_STOPS, StoreError};

use crate::fixtures::*;

/// What a crash leaves behind: the files as they are while the store runs.
fn crashed(dir: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for name in ["tenter.db", "tenter.db-wal"] {
        std::fs::copy(dir.join(name), copy.path().join(name)).unwrap();
    }
    copy
}

#[test]
fn a_task_that_was_running_at_each_stop_is_buried_and_named() {
    let mut dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    assert!(!store.is_careful());
    admit(&store, vec![task(1, "poison"), task(2, "good"), task(3, "later")]);
    dir = crashed(store.dir());
    drop(store);
    for stop in 0..POISON_STOPS {
        let store = open(dir.path());
        assert!(store.is_careful(), "stop {stop}");
        assert!(store.poisoned().is_empty(), "stop {stop}");
        let reader = store.reader().unwrap();
        let one = pending(&reader, Queue::Normal).remove(0);
        assert_eq!(one.task.id, id(1));
        store.begin_careful_blocking(one.seq, id(1), None, None).unwrap();
        store.begin_careful_blocking(one.seq, id(1), Some(module("label")), Some(HookKind::OnNewAttribute)).unwrap();
        // Another lane ran a task beside it each time, and finished it or not.
        if let Some(other) = pending(&reader, Queue::Normal).into_iter().find(|p| p.task.id == id(2)) {
            store.begin_careful_blocking(other.seq, id(2), None, None).unwrap();
            if stop == 1 {
                store.commit_blocking(outcome(&other)).unwrap();
            }
        }
        dir = crashed(store.dir());
    }
    let store = open(dir.path());
    let [letter] = store.poisoned() else { panic!("{:?}", store.poisoned()) };
    assert_eq!((letter.task.id, letter.kind), (id(1), DeadKind::Poison));
    assert_eq!((letter.module.clone(), letter.hook), (Some(module("label")), Some(HookKind::OnNewAttribute)));
    insta::assert_snapshot!(letter.message.replace(&id(1).to_string(), "ID"), @"the process stopped 3 times while task ID about ip/poison was running, last in module label; the task was taken out so that the others can go on: look at the log for how the process ended, then replay the task or discard it");
    let reader = store.reader().unwrap();
    assert_eq!(reader.dead(&DeadFilter::default(), 10).unwrap().len(), 1);
    assert_eq!(pending(&reader, Queue::Normal).iter().map(|p| p.task.id).collect::<Vec<_>>(), [id(3)]);
    let counters = reader.counters().unwrap();
    assert_eq!((counters.dead, counters.applied, counters.pending), (1, 1, 1));
    assert!(counters.reconciles());
    assert_eq!(reader.audit().unwrap(), counters);
    // It is told once, and replayed on demand with a clean slate.
    let seq = reader.dead(&DeadFilter::default(), 1).unwrap()[0].seq;
    store.replay_dead(seq).unwrap();
    drop(reader);
    store.close().unwrap();
    let store = open(store.dir());
    assert!(store.poisoned().is_empty() && !store.is_careful());
    assert_eq!(store.reader().unwrap().counters().unwrap().pending, 2);
}

#[test]
fn a_stop_in_order_accuses_nobody() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..=POISON_STOPS {
        let store = open(dir.path());
        admit(&store, vec![task(1, "a")]);
        let one = pending(&store.reader().unwrap(), Queue::Normal).remove(0);
        store.begin_careful_blocking(one.seq, one.task.id, None, None).unwrap();
        assert!(store.poisoned().is_empty());
        store.close().unwrap();
    }
    assert_eq!(open(dir.path()).reader().unwrap().counters().unwrap().dead, 0);
}

#[test]
fn a_task_that_was_postponed_was_not_running() {
    let mut dir = tempfile::tempdir().unwrap();
    admit(&open(dir.path()), vec![task(1, "a")]);
    for _ in 0..=POISON_STOPS {
        let store = open(dir.path());
        let one = pending(&store.reader().unwrap(), Queue::Normal).remove(0);
        store.begin_careful_blocking(one.seq, id(1), None, None).unwrap();
        store.postpone_blocking(one.seq, id(1), 1, NOW, Vec::new()).unwrap();
        dir = crashed(store.dir());
    }
    assert!(open(dir.path()).poisoned().is_empty());
}

#[test]
fn a_task_that_is_done_cannot_be_written_down() {
    let store = store();
    let one = waiting(&store, &store.reader().unwrap(), 1, "a");
    store.commit_blocking(outcome(&one)).unwrap();
    let error = store.begin_careful_blocking(one.seq, id(1), None, None).unwrap_err();
    assert!(matches!(error, StoreError::NotFound(_)), "{error}");
}

#[test]
fn a_suspect_that_cannot_be_read_does_not_keep_the_store_shut() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let one = waiting(&store, &store.reader().unwrap(), 1, "a");
    store.begin_careful_blocking(one.seq, id(1), None, None).unwrap();
    store.close().unwrap();
    let conn = rusqlite::Connection::open(dir.path().join("tenter.db")).unwrap();
    conn.execute("UPDATE task SET body = x'0900'", []).unwrap();
    conn.execute("UPDATE careful SET stops = 3", []).unwrap();
    drop(conn);
    let store = open(dir.path());
    assert!(store.poisoned().is_empty());
    let counters = store.reader().unwrap().counters().unwrap();
    assert_eq!((counters.pending, counters.dead), (1, 0));
    admit(&store, vec![task(2, "b")]);
}
