//! Disks that are full, locked or wrong: errors that say so, nothing half done, never a panic.

use tenter_model::task::Queue;
use tenter_store::{Store, StoreError, StoreOptions};

use crate::fixtures::*;
use crate::script;

/// A small generator (xorshift) with a fixed seed, so that a failure repeats.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % n as u64).unwrap()
    }
}

#[test]
fn a_full_database_refuses_whole_requests_and_goes_on_when_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let reader = store.reader().unwrap();
    admit(&store, vec![task(1, "a")]);
    store.limit_pages(Some(1)).unwrap();
    let mut accepted = 1;
    let error = loop {
        match store.admit_blocking(vec![task(accepted + 1, &"e".repeat(400)), task(accepted + 2, "b")], NOW) {
            Ok(_) => accepted += 2,
            Err(error) => break error,
        }
        assert!(accepted < 250, "the limit does not hold");
    };
    insta::assert_snapshot!(error, @"no room to write: database or disk is full; free disk space or raise the quota, writing goes on by itself then");
    let health = store.health();
    assert!(!health.writable && !health.accepts);
    // Whoever waits is told, and tasks can be read.
    assert!(matches!(store.admit_blocking(vec![task(251, &"e".repeat(400))], NOW), Err(StoreError::Full(_))));
    let counters = reader.counters().unwrap();
    assert_eq!(counters.accepted, u64::from(accepted));
    assert_eq!(reader.audit().unwrap(), counters);
    assert_eq!(pending(&reader, Queue::Normal).len(), usize::from(accepted));
    store.limit_pages(None).unwrap();
    admit(&store, vec![task(252, &"e".repeat(400))]);
    assert!(store.health().writable);
    script::assert_sound(&store);
    assert_eq!(reader.counters().unwrap().accepted, u64::from(accepted) + 1);
}

#[test]
fn a_limit_of_pages_holds_from_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let options = StoreOptions { max_pages: Some(10), ..quick() };
    assert!(matches!(Store::open(dir.path(), options, NOW), Err(StoreError::Full(_))));
    // Nothing half was left: the same directory can be used with more room.
    script::assert_sound(&open(dir.path()));
}

#[test]
fn a_database_that_cannot_be_opened_for_writing_is_refused_with_the_reason() {
    // Permissions would not bind a test that root runs; a directory in the file's place binds everybody.
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("tenter.db")).unwrap();
    let error = Store::open(dir.path(), quick(), NOW).err().unwrap();
    assert!(matches!(error, StoreError::ReadOnly(_)), "{error}");
    assert!(error.to_string().contains("check owner and permissions"), "{error}");
}

#[test]
fn a_log_that_cannot_be_written_is_an_error_and_no_lost_answer() {
    let dir = tempfile::tempdir().unwrap();
    admit(&open(dir.path()), vec![task(1, "a")]);
    std::fs::create_dir(dir.path().join("tenter.db-wal")).unwrap();
    assert!(Store::open(dir.path(), quick(), NOW).is_err());
    std::fs::remove_dir(dir.path().join("tenter.db-wal")).unwrap();
    let store = open(dir.path());
    script::assert_sound(&store);
    assert_eq!(store.reader().unwrap().counters().unwrap().pending, 1);
}

/// A database with something in each table, closed.
fn pristine() -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    script::run(&store, &mut |_, _| {});
    let reader = store.reader().unwrap();
    for n in 20..120 {
        let one = waiting(&store, &reader, n, &format!("entity-{n}"));
        store.commit_blocking(applying(&reader, &one, vec![point("x", 1), point("y", 2)])).unwrap();
    }
    admit(&store, (120..160).map(|n| task(n, "waits")).collect());
    let dump = script::dump(&reader).unwrap();
    drop(reader);
    store.close().unwrap();
    (dir, dump)
}

#[derive(Debug, PartialEq)]
enum Found {
    /// Something said that it is damaged or unreadable.
    Damage,
    /// All that was read is as it was.
    Same,
    /// Nothing said anything and something read differently.
    Wrong,
}

/// Opens what may be damaged, reads all of it, and writes. A panic of the writer's thread would show as a closed store.
fn use_it(dir: &std::path::Path, expected: &str) -> Found {
    let told = |e: &StoreError| assert!(!matches!(e, StoreError::Closed), "the writer is gone");
    let verified = Store::verify(&dir.join("tenter.db"));
    let Ok(store) = Store::open(dir, quick(), NOW) else { return Found::Damage };
    let dump = store.reader().and_then(|reader| script::dump(&reader));
    if let Err(error) = store.admit_blocking(vec![task(250, "new")], NOW) {
        told(&error);
    }
    if let Ok(reader) = store.reader()
        && let Ok(tasks) = reader.pending(Queue::Normal, None, 0, 1, 5)
    {
        for one in tasks {
            if let Err(error) = store.commit_blocking(outcome(&one)) {
                told(&error);
            }
        }
    }
    let sound = verified.is_ok_and(|report| report.is_sound());
    match dump {
        Ok(dump) if dump == expected => Found::Same,
        Ok(_) if sound => Found::Wrong,
        _ => Found::Damage,
    }
}

#[test]
fn flipped_bytes_are_told_or_do_no_harm() {
    let (dir, expected) = pristine();
    let bytes = std::fs::read(dir.path().join("tenter.db")).unwrap();
    let mut random = Random(0x7e57_ed01);
    let (mut damage, mut same, mut wrong) = (0, 0, 0);
    let copies = script::extent(100, 500);
    for _ in 0..copies {
        let mut altered = bytes.clone();
        for _ in 0..=random.below(64) {
            let place = random.below(altered.len());
            altered[place] ^= u8::try_from(1 + random.below(255)).unwrap();
        }
        let copy = tempfile::tempdir().unwrap();
        std::fs::write(copy.path().join("tenter.db"), altered).unwrap();
        match use_it(copy.path(), &expected) {
            Found::Damage => damage += 1,
            Found::Same => same += 1,
            Found::Wrong => wrong += 1,
        }
    }
    println!("{copies} copies with 1 to 64 altered bytes: {damage} told, {same} read as before, {wrong} read wrong");
    assert!(damage > 0 && same > 0, "the test reaches both");
    // Names and numbers in columns carry no sum, so that one in some altered bytes goes unseen.
    assert!(wrong * 20 <= copies, "{wrong} of {copies}");
    // The control: unaltered copies are as they were.
    assert_eq!(use_it(dir.path(), &expected), Found::Same);
}

#[test]
fn a_log_cut_anywhere_leaves_an_earlier_state_whole() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    script::run(&store, &mut |_, _| {});
    let database = std::fs::read(dir.path().join("tenter.db")).unwrap();
    let log = std::fs::read(dir.path().join("tenter.db-wal")).unwrap();
    let mut accepted = Vec::new();
    let cuts = u64::from(script::extent(100, 500));
    for cut in 0..=cuts {
        let length = usize::try_from(log.len() as u64 * cut / cuts).unwrap();
        let copy = tempfile::tempdir().unwrap();
        std::fs::write(copy.path().join("tenter.db"), &database).unwrap();
        std::fs::write(copy.path().join("tenter.db-wal"), &log[..length]).unwrap();
        let store = open(copy.path());
        script::assert_sound(&store);
        accepted.push(store.reader().unwrap().counters().unwrap().accepted);
    }
    assert!(accepted.is_sorted(), "{accepted:?}");
    assert!(accepted.first() < accepted.last(), "{accepted:?}");
}

/// Each column of bytes or of JSON gets values that no program stored, behind each mark of a format; whatever reads it
/// gives a value or an error that names it.
#[test]
fn rows_with_any_bytes_are_read_or_named() {
    let store = store();
    script::run(&store, &mut |_, _| {});
    let conn = rusqlite::Connection::open(store.dir().join("tenter.db")).unwrap();
    let reader = store.reader().unwrap();
    let mut random = Random(0x000b_ad0b_ad01);
    let (mut read, mut named) = (0, 0);
    for (column, table) in [
        ("body", "master"),
        ("body", "document"),
        ("settings", "run"),
        ("counts", "run"),
        ("state", "run"),
        ("body", "sweep"),
        ("body", "schema_version"),
        ("body", "job"),
        ("body", "report"),
        ("module", "slot"),
    ] {
        let kept = format!("CREATE TEMP TABLE kept AS SELECT rowid AS id, * FROM {table}");
        let is_text = !["master", "document"].contains(&table);
        let kept = if table == "report" || table == "slot" { kept.replace("rowid AS id, ", "") } else { kept };
        conn.execute_batch(&kept).unwrap();
        for _ in 0..script::extent(40, 400) {
            let mut bytes: Vec<u8> = (0..random.below(40)).map(|_| u8::try_from(random.below(256)).unwrap()).collect();
            if is_text {
                let text: String = bytes.iter().map(|b| b"{}[]\",:0ntaX\\ "[usize::from(*b) % 14] as char).collect();
                conn.execute(&format!("UPDATE {table} SET {column} = ?1"), [text]).unwrap();
            } else {
                // The format without a sum, which is decoded whatever it is.
                bytes.insert(0, u8::try_from(random.below(3)).unwrap());
                conn.execute(&format!("UPDATE {table} SET {column} = ?1"), [bytes]).unwrap();
            }
            match script::dump(&reader) {
                Ok(_) => read += 1,
                Err(StoreError::Unreadable { what, .. }) => {
                    assert!(!what.is_empty());
                    named += 1;
                }
                Err(error) => panic!("{table}.{column}: {error}"),
            }
        }
        let restore = match table {
            "report" => "UPDATE report SET body = (SELECT body FROM kept k WHERE k.name = report.name)".into(),
            "slot" => "UPDATE slot SET module = (SELECT module FROM kept)".into(),
            _ => format!("UPDATE {table} SET {column} = (SELECT {column} FROM kept WHERE id = {table}.rowid)"),
        };
        conn.execute_batch(&format!("{restore}; DROP TABLE kept;")).unwrap();
        script::dump(&reader).unwrap();
    }
    println!("{named} rows named, {read} read");
    assert!(named > 100);
    script::assert_sound(&store);
}
