//! Opening, closing, and what a restart keeps.

use tenter_model::task::Queue;
use tenter_store::{Store, StoreError, TaskOutcome};

use crate::fixtures::*;

/// The message with the directory's name taken out.
fn message(error: &StoreError, dir: &std::path::Path) -> String {
    error.to_string().replace(&dir.display().to_string(), "DIR")
}

#[test]
fn what_was_committed_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (before, seqs) = {
        let store = open(dir.path());
        let reader = store.reader().unwrap();
        let one = waiting(&store, &reader, 1, "a");
        let two = waiting(&store, &reader, 2, "b");
        let mut given = applying(&reader, &one, vec![point("x", 1)]);
        given.follow_ups.push(follow_up(&one.task, 0, "c"));
        store.commit_blocking(given).unwrap();
        (reader.counters().unwrap(), [one.seq, two.seq])
    };
    let store = open(dir.path());
    let reader = store.reader().unwrap();
    assert_eq!(reader.counters().unwrap(), before);
    assert_eq!(pending(&reader, Queue::Priority).len(), 1);
    assert_eq!(pending(&reader, Queue::Normal).iter().map(|p| p.task.id).collect::<Vec<_>>(), [id(2)]);
    assert_eq!(reader.record(&entity("a")).unwrap().unwrap().revision, 1);
    assert!(seqs.is_sorted());
}

#[test]
fn a_place_in_the_queue_is_never_used_twice() {
    let dir = tempfile::tempdir().unwrap();
    let mut last = 0;
    for n in 1..=4 {
        let store = open(dir.path());
        let reader = store.reader().unwrap();
        let one = waiting(&store, &reader, n, "a");
        assert!(one.seq > last);
        last = one.seq;
        // The queue is empty when the store closes, so that the rows themselves tell nothing.
        store.commit_blocking(outcome(&one)).unwrap();
        store.close().unwrap();
    }
    assert!(last > 1 << 62);
}

#[test]
fn a_directory_has_one_user() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let error = Store::open(dir.path(), quick(), NOW).err().unwrap();
    insta::assert_snapshot!(message(&error, dir.path()), @"DIR/tenter.lock is locked: another tenter process uses this data directory; stop it or choose another one with --data");
    let other_handle = store.clone();
    drop(store);
    assert!(Store::open(dir.path(), quick(), NOW).is_err());
    drop(other_handle);
    assert!(Store::open(dir.path(), quick(), NOW).is_ok());
}

/// Not a test by itself: the other process of the next one.
#[test]
fn open_what_the_parent_process_holds() {
    if let Some(dir) = std::env::vars_os().find(|(k, _)| k == "TENTER_TEST_LOCKED_DIR").map(|(_, v)| v) {
        let error = Store::open(std::path::Path::new(&dir), quick(), NOW).err().unwrap();
        assert!(matches!(error, StoreError::Locked(_)), "{error}");
    }
}

#[test]
fn another_process_cannot_open_it_either() {
    let dir = tempfile::tempdir().unwrap();
    let _store = open(dir.path());
    let child = |dir: &std::path::Path| {
        std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "opening::open_what_the_parent_process_holds"])
            .env("TENTER_TEST_LOCKED_DIR", dir)
            .output()
            .unwrap()
    };
    assert!(child(dir.path()).status.success());
    // The control: on a directory that nobody holds, the same child must fail.
    let free = tempfile::tempdir().unwrap();
    assert!(!child(free.path()).status.success());
}

#[test]
fn a_newer_database_is_refused_untouched() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let path = dir.path().join("tenter.db");
    let conn = rusqlite::Connection::open(&path).unwrap();
    conn.pragma_update(None, "user_version", 999).unwrap();
    drop(conn);
    let before = std::fs::read(&path).unwrap();
    let error = Store::open(dir.path(), quick(), NOW).err().unwrap();
    insta::assert_snapshot!(message(&error, dir.path()), @"DIR/tenter.db has format 999, this program knows formats up to 7; use a newer tenter or restore the backup made before the upgrade");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_database_of_another_program_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let conn = rusqlite::Connection::open(dir.path().join("tenter.db")).unwrap();
    conn.execute_batch("CREATE TABLE precious (x)").unwrap();
    drop(conn);
    let error = Store::open(dir.path(), quick(), NOW).err().unwrap();
    insta::assert_snapshot!(message(&error, dir.path()), @"DIR/tenter.db belongs to another program; choose an empty data directory with --data");
}

#[test]
fn a_file_that_is_no_database_is_called_damaged() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("tenter.db"), "nothing of the sort".repeat(999)).unwrap();
    let error = Store::open(dir.path(), quick(), NOW).err().unwrap();
    insta::assert_snapshot!(message(&error, dir.path()), @"the database is damaged: file is not a database; stop tenter, keep a copy of the data directory and restore a backup");
}

#[test]
fn work_after_close_is_answered() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let reader = store.reader().unwrap();
    let one = waiting(&store, &reader, 1, "a");
    store.close().unwrap();
    assert_eq!(store.admit_blocking(vec![task(2, "a")], NOW), Err(StoreError::Closed));
    assert_eq!(store.commit_blocking(TaskOutcome { ..outcome(&one) }), Err(StoreError::Closed));
    assert_eq!(store.close(), Ok(()));
    // Closing gives the directory free, even while handles are left.
    assert!(Store::open(dir.path(), quick(), NOW).is_ok());
}

#[test]
fn work_handed_over_before_the_last_handle_goes_is_done() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let (sender, receiver) = std::sync::mpsc::channel();
    for n in 0..50 {
        let sender = sender.clone();
        store.admit(vec![task(n, "a")], NOW, Box::new(move |r| sender.send(r.is_ok()).unwrap()));
    }
    drop((store, sender));
    assert_eq!(receiver.iter().filter(|ok| *ok).count(), 50);
    assert_eq!(open(dir.path()).reader().unwrap().counters().unwrap().pending, 50);
}

#[test]
fn an_end_in_order_is_told_from_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path());
    assert!(first.health().stopped_cleanly_before);
    admit(&first, vec![task(1, "a")]);
    // What a crash leaves behind: the files as they are while the store runs.
    let crashed = tempfile::tempdir().unwrap();
    for name in ["tenter.db", "tenter.db-wal"] {
        std::fs::copy(dir.path().join(name), crashed.path().join(name)).unwrap();
    }
    let after_crash = open(crashed.path());
    assert!(!after_crash.health().stopped_cleanly_before);
    assert_eq!(after_crash.reader().unwrap().counters().unwrap().pending, 1);
    drop(first);
    assert!(open(dir.path()).health().stopped_cleanly_before);
}

#[test]
fn a_temporary_store_leaves_nothing_behind() {
    let store = store();
    let dir = store.dir().to_owned();
    admit(&store, vec![task(1, "a")]);
    assert!(dir.join("tenter.db").exists());
    drop(store);
    assert!(!dir.exists());
}

#[cfg(unix)]
#[test]
fn a_new_data_directory_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let inner = dir.path().join("data");
    let _store = open(&inner);
    assert_eq!(inner.metadata().unwrap().permissions().mode() & 0o777, 0o700);
}
