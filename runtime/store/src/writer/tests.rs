//! Faults of the store, which no honest caller can cause: made with work that breaks things on purpose.

use std::sync::mpsc;

use tenter_model::task::Queue;
use tenter_model::{EntityId, EntityRef, EntityType, Task, TaskBody, TaskId, Timestamp};

use crate::{Store, StoreError, StoreOptions};

const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

fn store() -> Store {
    Store::temporary(StoreOptions::default(), NOW).unwrap()
}

fn task(n: u8, tag_bytes: usize) -> Task {
    let id = TaskId::root(NOW, [n; 10]);
    let entity = EntityRef { etype: EntityType::new("ip").unwrap(), eid: EntityId::new("a").unwrap() };
    let body = TaskBody { tags: vec!["x".repeat(tag_bytes)], ..TaskBody::new(entity) };
    Task { id, root: id, depth: 0, queue: Queue::Normal, origin: None, body }
}

type Hand = Box<dyn FnOnce(&Store, crate::Done<()>)>;

/// Hands work over while the writer is held, so that all of it falls into one group; gives the results in order.
fn one_group(store: &Store, work: Vec<Hand>) -> Vec<Result<(), StoreError>> {
    let (started, starts) = mpsc::channel();
    let (hold, held) = mpsc::channel::<()>();
    store.send(
        false,
        Box::new(move |_| {
            started.send(()).unwrap();
            held.recv().unwrap();
        }),
        |_| Ok(()),
    );
    starts.recv().unwrap();
    let receivers: Vec<_> = work
        .into_iter()
        .map(|work| {
            let (sender, receiver) = mpsc::channel();
            work(store, Box::new(move |r| sender.send(r).unwrap()));
            receiver
        })
        .collect();
    hold.send(()).unwrap();
    receivers.into_iter().map(|r| r.recv().unwrap()).collect()
}

fn admitting(n: u8) -> Hand {
    Box::new(move |store, done| store.admit(vec![task(n, 0)], NOW, Box::new(move |r| done(r.map(|_| ())))))
}

fn failing(error: StoreError) -> Hand {
    Box::new(move |store, done| {
        store.send(false, done, move |tx| {
            crate::admit::admit(tx, &[task(99, 0)], NOW)??;
            Err(error.clone())
        });
    })
}

#[test]
fn an_error_of_one_piece_of_work_is_its_own() {
    let store = store();
    let error = StoreError::Invalid("no".into());
    let before = store.health();
    let results = one_group(&store, vec![admitting(1), failing(error.clone()), admitting(2)]);
    assert_eq!(results, [Ok(()), Err(error), Ok(())]);
    assert_eq!(store.health().transactions - before.transactions, 2);
    let counters = store.reader().unwrap().audit().unwrap();
    assert_eq!((counters.accepted, counters.pending), (2, 2));
    assert!(store.health().writable);
    // What the failed one had remembered is forgotten with it: its id is still free.
    assert_eq!(store.admit_blocking(vec![task(99, 0)], NOW).unwrap(), [crate::Admission::Accepted]);
}

#[test]
fn damage_fails_the_whole_group_and_stays() {
    let store = store();
    let damage = StoreError::Corrupt("malformed page".into());
    let results = one_group(&store, vec![admitting(1), failing(damage.clone()), admitting(2)]);
    assert_eq!(results, vec![Err(damage.clone()); 3]);
    let health = store.health();
    assert!(!health.writable);
    insta::assert_snapshot!(health.reason.unwrap(), @"the database is damaged: malformed page; stop tenter, keep a copy of the data directory and restore a backup");
    assert_eq!(store.admit_blocking(vec![task(3, 0)], NOW), Err(damage.clone()));
    assert_eq!(store.reader().unwrap().audit().unwrap().accepted, 0);
    assert_eq!(store.close(), Err(damage));
}

#[test]
fn a_failed_flush_is_never_taken_for_done() {
    let store = store();
    let fault = StoreError::Io("disk I/O error".into());
    assert_eq!(one_group(&store, vec![admitting(1), failing(fault.clone())]), vec![Err(fault.clone()); 2]);
    assert_eq!(store.admit_blocking(vec![task(3, 0)], NOW), Err(fault));
}

#[test]
fn a_full_disk_loses_nothing_and_recovers() {
    let store = store();
    store.admit_blocking(vec![task(1, 0)], NOW).unwrap();
    store
        .call(|tx| {
            let pages: i64 = tx.conn.pragma_query_value(None, "page_count", |r| r.get(0))?;
            tx.conn.pragma_update_and_check(None, "max_page_count", pages + 4, |_| Ok(()))?;
            Ok(())
        })
        .unwrap();
    let error = store.admit_blocking(vec![task(2, 100_000)], NOW).unwrap_err();
    insta::assert_snapshot!(error, @"no room to write: database or disk is full; free disk space or raise the quota, writing goes on by itself then");
    assert!(!store.health().writable);
    assert_eq!(store.reader().unwrap().audit().unwrap().pending, 1);
    // Small work still fits, and a write that succeeds is the news that there is room again.
    store.admit_blocking(vec![task(3, 0)], NOW).unwrap();
    assert!(store.health().writable);
    store
        .call(|tx| {
            tx.conn.pragma_update_and_check(None, "max_page_count", 1_000_000_000, |_| Ok(()))?;
            Ok(())
        })
        .unwrap();
    assert_eq!(store.admit_blocking(vec![task(2, 100_000)], NOW).unwrap(), [crate::Admission::Accepted]);
    let counters = store.reader().unwrap().audit().unwrap();
    assert_eq!((counters.accepted, counters.pending, counters.duplicates), (3, 3, 0));
}

#[test]
fn readers_see_nothing_of_a_running_transaction() {
    let store = store();
    let reader = store.reader().unwrap();
    let seen = store
        .call(move |tx| {
            crate::admit::admit(tx, &[task(1, 0)], NOW)??;
            let inside: i64 = tx.conn.query_row("SELECT count(*) FROM task", [], |r| r.get(0))?;
            Ok((inside, reader.audit()?.pending))
        })
        .unwrap();
    assert_eq!(seen, (1, 0));
    assert_eq!(store.reader().unwrap().audit().unwrap().pending, 1);
}

#[test]
fn a_panicking_callback_does_not_stop_the_writer() {
    let store = store();
    store.subscribe_commits(Box::new(|_| panic!("a listener's fault")));
    store.admit(vec![task(1, 0)], NOW, Box::new(|_| panic!("a callback's fault")));
    assert_eq!(store.admit_blocking(vec![task(2, 0)], NOW).unwrap(), [crate::Admission::Accepted]);
}

#[test]
fn a_callback_may_hand_over_work_and_drop_the_last_handle() {
    let store = store();
    let (sender, receiver) = mpsc::channel();
    let handle = store.clone();
    store.admit(
        vec![task(1, 0)],
        NOW,
        Box::new(move |_| {
            let done = sender.clone();
            handle.admit(vec![task(2, 0)], NOW, Box::new(move |r| sender.send(r.is_ok()).unwrap()));
            drop(handle);
            done.send(true).unwrap();
        }),
    );
    drop(store);
    assert_eq!(receiver.iter().collect::<Vec<_>>(), [true, true]);
}

#[test]
fn a_lock_of_another_program_is_no_damage() {
    let store = store();
    store.call(|tx| Ok(tx.conn.busy_timeout(std::time::Duration::ZERO)?)).unwrap();
    let other = rusqlite::Connection::open(store.dir().join("tenter.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = store.admit_blocking(vec![task(1, 0)], NOW).unwrap_err();
    insta::assert_snapshot!(error, @"the database is busy: database is locked; another program, such as a database shell, holds a lock on it: close that program");
    assert!(!store.health().writable);
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(store.admit_blocking(vec![task(1, 0)], NOW).unwrap(), [crate::Admission::Accepted]);
    assert!(store.health().writable);
}

#[test]
fn work_that_ran_twice_counts_once() {
    // The failure in the middle makes the whole group run again, each in a savepoint.
    let store = store();
    let error = StoreError::Invalid("no".into());
    let news = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let count = news.clone();
    store.subscribe_commits(Box::new(move |_| {
        count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    }));
    let runs = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let counted = runs.clone();
    let counting: Hand = Box::new(move |store, done| {
        store.send(false, done, move |tx| {
            counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            crate::admit::admit(tx, &[task(7, 0)], NOW).map(|_| ())
        });
    });
    assert_eq!(one_group(&store, vec![counting, failing(error.clone())]), [Ok(()), Err(error)]);
    assert_eq!(runs.load(std::sync::atomic::Ordering::SeqCst), 2);
    let reader = store.reader().unwrap();
    let counters = reader.audit().unwrap();
    assert_eq!((counters.accepted, counters.pending), (1, 1));
    assert_eq!(counters, reader.counters().unwrap());
    store.close().unwrap();
    assert_eq!(news.load(std::sync::atomic::Ordering::SeqCst), 1);
}
