//! Backups: taken while writing goes on, looked at, gone back to.

use std::sync::atomic::{AtomicBool, Ordering};

use tenter_model::task::Queue;
use tenter_store::{Admission, Store, StoreError};

use crate::fixtures::*;
use crate::script;

#[test]
fn a_backup_taken_while_writing_holds_at_its_point() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("data"));
    script::run(&store, &mut |_, _| {});
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let reader = store.reader().unwrap();
            let mut n = 10u8;
            while !stop.load(Ordering::SeqCst) && n < 250 {
                let one = waiting(&store, &reader, n, &format!("w{n}"));
                store.commit_blocking(applying(&reader, &one, vec![point("x", i64::from(n))])).unwrap();
                n += 1;
            }
            n
        });
        let mut counts = Vec::new();
        for n in 0..5 {
            let path = dir.path().join(format!("backup-{n}"));
            store.backup(&path).unwrap();
            let report = Store::verify(&path).unwrap();
            assert!(report.is_sound(), "{:?}", report.problems());
            assert!(report.values_read > 0);
            counts.push(report.counters.accepted);
        }
        stop.store(true, Ordering::SeqCst);
        assert!(writer.join().unwrap() > 10, "nothing was written meanwhile");
        assert!(counts.is_sorted(), "{counts:?}");
    });
}

#[test]
fn what_was_backed_up_is_what_is_restored() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("data"));
    script::run(&store, &mut |_, _| {});
    let before = script::dump(&store.reader().unwrap()).unwrap();
    let backup = dir.path().join("backup");
    store.backup(&backup).unwrap();
    admit(&store, vec![task(99, "after")]);

    let restored = dir.path().join("restored");
    assert!(Store::restore(&backup, &restored).unwrap().is_sound());
    let again = open(&restored);
    assert_eq!(script::dump(&again.reader().unwrap()).unwrap(), before);
    // What came before the backup is still known, and what came after it is new.
    assert_eq!(admit(&again, vec![task(1, "a"), task(99, "after")]), [Admission::Duplicate, Admission::Accepted]);
    let seqs: Vec<u64> = pending(&again.reader().unwrap(), Queue::Normal).iter().map(|p| p.seq).collect();
    assert!(seqs.is_sorted());
    script::assert_sound(&again);
}

#[test]
fn nothing_is_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("data"));
    let backup = dir.path().join("backup");
    store.backup(&backup).unwrap();
    let bytes = std::fs::read(&backup).unwrap();
    let said = |error: StoreError| error.to_string().replace(&dir.path().display().to_string(), "DIR");
    insta::assert_snapshot!(said(store.backup(&backup).unwrap_err()), @"DIR/backup exists; choose a name that is free");
    assert_eq!(std::fs::read(&backup).unwrap(), bytes);
    let full = dir.path().join("full");
    std::fs::create_dir(&full).unwrap();
    std::fs::write(full.join("precious"), "x").unwrap();
    insta::assert_snapshot!(said(Store::restore(&backup, &full).unwrap_err()), @"DIR/full is not empty; restore into an empty or new directory, then serve from there");
    assert_eq!(std::fs::read_dir(&full).unwrap().count(), 1);
    // Nor is a data directory that is in use.
    assert!(Store::restore(&backup, store.dir()).is_err());
}

#[test]
fn a_backup_that_cannot_be_finished_leaves_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("data"));
    let path = dir.path().join("none/backup");
    assert!(store.backup(&path).is_err());
    std::fs::create_dir(dir.path().join("none")).unwrap();
    std::fs::create_dir(dir.path().join("none/backup.part")).unwrap();
    assert!(store.backup(&path).is_err());
    assert!(!path.exists());
}

#[test]
fn a_backup_that_is_not_in_order_is_not_restored() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("data"));
    script::run(&store, &mut |_, _| {});
    let wrong = |name: &str, sql: &str| {
        let path = dir.path().join(name);
        store.backup(&path).unwrap();
        let conn = rusqlite::Connection::open(&path).unwrap();
        conn.pragma_update(None, "foreign_keys", false).unwrap();
        conn.execute_batch(sql).unwrap();
        drop(conn);
        let problems = Store::verify(&path).unwrap().problems();
        assert!(!problems.is_empty(), "{name}");
        let target = dir.path().join(format!("{name}-restored"));
        assert!(matches!(Store::restore(&path, &target), Err(StoreError::Corrupt(_))), "{name}");
        assert!(!target.exists(), "{name}");
        problems.join("; ")
    };
    assert!(
        wrong("a-row", "DELETE FROM raw WHERE seq = (SELECT max(seq) FROM raw)").contains("counts and rows differ")
    );
    assert!(
        wrong("a-count", "UPDATE counter SET n = n + 1 WHERE name = 'applied'").contains("accepted is not applied")
    );
    assert!(wrong("a-key", "DELETE FROM component").contains("refer to rows that are missing"));
    assert!(wrong("a-value", "UPDATE master SET body = zeroblob(9)").contains("a record: "));
    assert!(wrong("a-document", "DELETE FROM document").contains("name documents that are missing"));
    assert!(wrong("a-snapshot", "DELETE FROM snapshot").contains("documents that no snapshot names"));
    assert!(wrong("a-run", "DELETE FROM run").contains("of runs that are missing"));
    assert!(wrong("an-entity", "DELETE FROM master").contains("entities of type ip are counted and 0 are there"));
    assert!(wrong("a-sweep", "UPDATE sweep SET body = '{'").contains("a sweep: "));
    assert!(wrong("values", "UPDATE document SET body = zeroblob(9)").contains("a snapshot: "));
    assert!(wrong("the-log", "UPDATE audit SET actor = 'x'").contains("the audit log is broken at row 1"));
}

#[test]
fn what_is_no_backup_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x");
    assert!(Store::verify(&path).is_err());
    std::fs::write(&path, "no database ".repeat(1000)).unwrap();
    assert!(matches!(Store::verify(&path), Err(StoreError::Corrupt(_))));
    std::fs::remove_file(&path).unwrap();
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE precious (x)").unwrap();
    assert!(matches!(Store::verify(&path), Err(StoreError::Foreign(_))));
}
