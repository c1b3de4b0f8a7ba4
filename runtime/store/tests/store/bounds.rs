//! Back-pressure: bounds of the queues, of the log, of the disk. Nothing accepted is lost to any of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tenter_model::task::Queue;
use tenter_store::{Admission, FreeBytes, Store, StoreError, StoreOptions, TaskOutcome};

use crate::fixtures::*;

#[test]
fn at_the_mark_in_rows_new_tasks_are_refused_with_numbers() {
    let store = Store::temporary(StoreOptions { max_pending_rows: 2, ..quick() }, NOW).unwrap();
    let reader = store.reader().unwrap();
    admit(&store, vec![task(1, "a"), task(2, "b")]);
    let before = reader.counters().unwrap();
    let error = store.admit_blocking(vec![task(3, "c")], NOW).unwrap_err();
    assert_eq!(error, StoreError::Backlog { rows: 2, max_rows: 2, bytes: before.pending_bytes, max_bytes: 1 << 30 });
    assert_eq!(reader.audit().unwrap(), before);
    // A repeated request is no new work and is answered as ever.
    assert_eq!(store.admit_blocking(vec![task(1, "a")], NOW).unwrap(), [Admission::Duplicate]);
    assert!(store.health().writable);
    let one = pending(&reader, Queue::Normal).remove(0);
    store.commit_blocking(outcome(&one)).unwrap();
    assert_eq!(admit(&store, vec![task(3, "c")]), [Admission::Accepted]);
}

#[test]
fn at_the_mark_in_bytes_new_tasks_are_refused_after_a_restart_too() {
    let dir = tempfile::tempdir().unwrap();
    let options = StoreOptions { max_pending_bytes: 1, ..quick() };
    let store = Store::open(dir.path(), options.clone(), NOW).unwrap();
    admit(&store, vec![task(1, "a"), task(2, "b")]);
    assert!(matches!(store.admit_blocking(vec![task(3, "c")], NOW), Err(StoreError::Backlog { .. })));
    store.close().unwrap();
    let store = Store::open(dir.path(), options, NOW).unwrap();
    let reader = store.reader().unwrap();
    assert!(reader.counters().unwrap().pending_bytes > 1);
    assert!(matches!(store.admit_blocking(vec![task(3, "c")], NOW), Err(StoreError::Backlog { .. })));
    for one in pending(&reader, Queue::Normal) {
        store.commit_blocking(outcome(&one)).unwrap();
    }
    assert_eq!(reader.counters().unwrap().pending_bytes, 0);
    assert_eq!(admit(&store, vec![task(3, "c")]), [Admission::Accepted]);
}

#[test]
fn what_hooks_return_is_never_refused_but_counts() {
    let store = Store::temporary(StoreOptions { max_pending_rows: 1, ..quick() }, NOW).unwrap();
    let reader = store.reader().unwrap();
    let one = waiting(&store, &reader, 1, "a");
    let follow_ups = (0..5).map(|n| follow_up(&one.task, n, "b")).collect();
    assert_eq!(store.commit_blocking(TaskOutcome { follow_ups, ..outcome(&one) }).unwrap(), committed(5, 0, 0));
    assert_eq!(reader.audit().unwrap(), reader.counters().unwrap());
    let error = store.admit_blocking(vec![task(2, "c")], NOW).unwrap_err();
    assert!(matches!(error, StoreError::Backlog { rows: 5, .. }), "{error}");
}

#[test]
fn refusals_and_acceptances_of_one_group_do_not_disturb_each_other() {
    let store = Store::temporary(StoreOptions { max_pending_rows: 10, ..quick() }, NOW).unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    for n in 0..40 {
        let sender = sender.clone();
        store.admit(vec![task(n, "a")], NOW, Box::new(move |r| sender.send(r).unwrap()));
    }
    drop(sender);
    let answers: Vec<_> = receiver.iter().collect();
    assert_eq!(answers.iter().filter(|r| r.is_ok()).count(), 10);
    assert!(answers.iter().filter_map(|r| r.as_ref().err()).all(|e| matches!(e, StoreError::Backlog { .. })));
    let counters = store.reader().unwrap().audit().unwrap();
    assert_eq!((counters.accepted, counters.pending), (10, 10));
}

#[test]
fn a_disk_that_fills_stops_the_intake_and_not_the_work() {
    let free = Arc::new(AtomicU64::new(u64::MAX));
    let told = free.clone();
    let free_bytes = FreeBytes(Arc::new(move |_| Some(told.load(Ordering::SeqCst))));
    let options = StoreOptions { free_bytes: Some(free_bytes), min_free_bytes: 1000, ..quick() };
    let store = Store::temporary(options, NOW).unwrap();
    let reader = store.reader().unwrap();
    let one = waiting(&store, &reader, 1, "a");
    free.store(999, Ordering::SeqCst);
    let error = store.admit_blocking(vec![task(2, "b")], NOW).unwrap_err();
    insta::assert_snapshot!(error, @"no room to write: the disk has less than 1000 bytes left; free disk space or raise the quota, writing goes on by itself then");
    let health = store.health();
    assert!(health.writable && !health.accepts, "{health:?}");
    assert_eq!(health.reason, Some(error.to_string()));
    store.commit_blocking(applying(&reader, &one, vec![point("x", 1)])).unwrap();
    free.store(1000, Ordering::SeqCst);
    assert_eq!(admit(&store, vec![task(2, "b")]), [Admission::Accepted]);
    assert!(store.health().accepts);
}

#[test]
fn a_log_that_cannot_shrink_stops_the_intake_until_it_can() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), StoreOptions { max_log_bytes: 1_000_000, ..quick() }, NOW).unwrap();
    // A read that does not end keeps the log's pages in use.
    let other = rusqlite::Connection::open(dir.path().join("tenter.db")).unwrap();
    other.execute_batch("BEGIN; SELECT count(*) FROM task;").unwrap();
    let offer = |n: u8| store.admit_blocking(vec![task(n, &"e".repeat(300))], NOW);
    let error = (0..=200).find_map(|n| offer(n).err()).expect("the log grows beyond the bound");
    assert!(error.to_string().contains("the write-ahead log has more than 1000000 bytes"), "{error}");
    assert!(store.health().writable && !store.health().accepts);
    // Work that was accepted goes on meanwhile.
    let reader = store.reader().unwrap();
    store.commit_blocking(outcome(&pending(&reader, Queue::Normal)[0])).unwrap();
    other.execute_batch("COMMIT").unwrap();
    // Nothing but a request comes; that is enough.
    assert_eq!(offer(201).unwrap(), [Admission::Accepted]);
    assert!(store.health().accepts);
    assert_eq!(reader.audit().unwrap(), reader.counters().unwrap());
}
