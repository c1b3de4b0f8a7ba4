//! Upgrades of the format: what an older program stored is there afterwards, all of it.

use std::path::Path;

use tenter_model::TaskId;
use tenter_model::task::Queue;
use tenter_store::Store;

use crate::fixtures::*;
use crate::script;

const FIRST: &str = include_str!("../../migrations/0001_initial.sql");
/// Those that follow, as far as older programs know them.
const OLDER: [&str; 3] = [
    include_str!("../../migrations/0002_operation.sql"),
    include_str!("../../migrations/0003_provenance.sql"),
    include_str!("../../migrations/0004_jobs.sql"),
];

/// Stores what a program of format 1 would leave: tasks in both queues, counts, a token, an end in order.
pub(crate) fn old_database(dir: &Path) {
    let conn = rusqlite::Connection::open(dir.join("tenter.db")).unwrap();
    conn.pragma_update(None, "synchronous", "OFF").unwrap();
    conn.pragma_update(None, "application_id", 0x5445_4e54).unwrap();
    conn.execute_batch(FIRST).unwrap();
    let root = TaskId::root(NOW, [200; 10]);
    let body = old_body();
    for (seq, n) in [(7i64, 0u8), ((1 << 62) + 1, 1), ((1 << 62) + 2, 2)] {
        let id = TaskId::root(NOW, [200 + n; 10]);
        let root = (id != root).then_some(&root.0[..]);
        conn.execute(
            "INSERT INTO task (seq, id, root, part, attempts, body) VALUES (?1, ?2, ?3, 0, 0, ?4)",
            (seq, &id.0[..], root, &body),
        )
        .unwrap();
        conn.execute("INSERT INTO task_id (id, seen_at) VALUES (?1, ?2)", (&id.0[..], NOW.0)).unwrap();
    }
    conn.execute_batch(
        "INSERT INTO counter (name, n) VALUES ('accepted', 5), ('applied', 1), ('denied', 1), ('pending', 3), \
         ('next_priority', 7), ('next_normal', 2); \
         INSERT INTO token (digest, role, label, created) VALUES (zeroblob(32), 'viewer', 'old', 5); \
         INSERT INTO meta (key, value) VALUES ('stopped', 'cleanly'), ('opened', '2023'); \
         PRAGMA user_version = 1;",
    )
    .unwrap();
}

/// A task's body as format 1 stored it: without a sum. The newest program's body differs in the head alone.
fn old_body() -> Vec<u8> {
    static BODY: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    BODY.get_or_init(make_old_body).clone()
}

fn make_old_body() -> Vec<u8> {
    let store = store();
    admit(&store, vec![task(1, "old")]);
    let conn = rusqlite::Connection::open(store.dir().join("tenter.db")).unwrap();
    let new: Vec<u8> = conn.query_row("SELECT body FROM task", [], |r| r.get(0)).unwrap();
    let mut old = vec![1];
    old.extend_from_slice(&new[5..]);
    old
}

#[test]
fn a_filled_database_of_format_1_is_upgraded_with_the_same_counts() {
    let dir = tempfile::tempdir().unwrap();
    old_database(dir.path());
    let store = open(dir.path());
    assert!(store.health().stopped_cleanly_before);
    script::assert_sound(&store);
    let reader = store.reader().unwrap();
    let counters = reader.counters().unwrap();
    assert_eq!((counters.accepted, counters.applied, counters.denied, counters.pending), (5, 1, 1, 3));
    assert_eq!(counters.pending_bytes, 3 * old_body().len() as u64);
    let (first, normal) = (pending(&reader, Queue::Priority), pending(&reader, Queue::Normal));
    assert_eq!((first.len(), normal.len()), (1, 2));
    assert!(normal.iter().all(|p| p.task.body.entity == entity("old")));
    assert_eq!(reader.tokens().unwrap()[0].scopes, Vec::<String>::new());
    // Places in the queue go on where they were.
    assert!(waiting(&store, &reader, 9, "new").seq > normal[1].seq);
    for one in first.into_iter().chain(normal) {
        store.commit_blocking(outcome(&one)).unwrap();
    }
    script::assert_sound(&store);
    assert_eq!(reader.counters().unwrap().applied, 4);
}

#[test]
fn a_crash_before_the_upgrade_is_still_known_after_it() {
    let dir = tempfile::tempdir().unwrap();
    old_database(dir.path());
    let conn = rusqlite::Connection::open(dir.path().join("tenter.db")).unwrap();
    conn.execute("UPDATE meta SET value = 'not yet' WHERE key = 'stopped'", []).unwrap();
    drop(conn);
    assert!(open(dir.path()).is_careful());
    assert!(!open(dir.path()).is_careful());
}

#[test]
fn each_format_in_between_is_upgraded_too() {
    for (steps, format) in [(1, 2), (2, 3), (3, 4)] {
        let dir = tempfile::tempdir().unwrap();
        old_database(dir.path());
        let conn = rusqlite::Connection::open(dir.path().join("tenter.db")).unwrap();
        for sql in &OLDER[..steps] {
            conn.execute_batch(sql).unwrap();
        }
        conn.pragma_update(None, "user_version", format).unwrap();
        drop(conn);
        let store = open(dir.path());
        script::assert_sound(&store);
        let reader = store.reader().unwrap();
        assert_eq!(reader.counters().unwrap().pending, 3, "format {format}");
        assert_eq!((reader.runs(None, 9).unwrap(), reader.latest_schema().unwrap()), (Vec::new(), None));
        script::run(&store, &mut |_, _| {});
        script::assert_sound(&store);
    }
}

#[test]
fn an_old_file_is_no_backup_of_this_format() {
    let dir = tempfile::tempdir().unwrap();
    old_database(dir.path());
    let error = Store::verify(&dir.path().join("tenter.db")).unwrap_err();
    assert!(error.to_string().contains("has format 1, older than 7"), "{error}");
}
