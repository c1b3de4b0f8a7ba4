//! Stored values with any bytes, as a disk or a program of another version may leave them: whatever reads one gives a
//! value or an error that names it, soon and without a panic.
//!
//! Values are stored with a sum, so that most damage ends there. What is tried here is what comes behind it: each value is
//! stored again in the format without a sum, with alterations that keep it almost right, such as another length of a list.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use tenter_model::task::Queue;
use tenter_store::{AdmitKey, RawPoint, Store, StoreError, TaskOutcome};

use crate::fixtures::*;
use crate::script;

/// Tables and columns of values, and the column that names a row.
const COLUMNS: [(&str, &str, &str, Form); 9] = [
    ("task", "body", "rowid", Form::Summed),
    ("master", "body", "rowid", Form::Summed),
    ("raw", "v", "rowid", Form::Summed),
    ("raw", "made", "rowid", Form::Fixed),
    ("error", "body", "rowid", Form::Summed),
    ("dead", "body", "rowid", Form::Summed),
    ("invocation", "body", "rowid", Form::Summed),
    ("document", "body", "rowid", Form::Summed),
    ("request_key", "answer", "key", Form::Summed),
];
/// Reading everything once takes no longer, however the values are altered.
const BOUND: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy)]
enum Form {
    /// MessagePack behind the number of its format and a sum.
    Summed,
    /// Bytes in a fixed layout.
    Fixed,
}

#[derive(Debug, Clone)]
enum Damage {
    Flip(prop::sample::Index, u8),
    Insert(prop::sample::Index, Vec<u8>),
    Remove(prop::sample::Index, usize),
    Cut(prop::sample::Index),
    /// The head of a list, map or text that says it has 4 294 967 295 parts.
    Endless(prop::sample::Index, u8),
    /// Lists in lists.
    Deep(prop::sample::Index, usize),
}

fn damage() -> impl Strategy<Value = Vec<Damage>> {
    let at = any::<prop::sample::Index>;
    let one = prop_oneof![
        6 => (at(), any::<u8>()).prop_map(|(at, by)| Damage::Flip(at, by)),
        2 => (at(), prop::collection::vec(any::<u8>(), 1..6)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        2 => (at(), 1usize..6).prop_map(|(at, n)| Damage::Remove(at, n)),
        1 => at().prop_map(Damage::Cut),
        2 => (at(), prop::sample::select(vec![0xc6u8, 0xc9, 0xdb, 0xdd, 0xdf])).prop_map(|(at, head)| Damage::Endless(at, head)),
        1 => (at(), 1usize..100_000).prop_map(|(at, depth)| Damage::Deep(at, depth)),
    ];
    prop::collection::vec(one, 1..4)
}

fn altered(mut bytes: Vec<u8>, damage: &[Damage]) -> Vec<u8> {
    for one in damage {
        if bytes.is_empty() {
            return bytes;
        }
        let length = bytes.len();
        match one {
            Damage::Flip(at, by) => bytes[at.index(length)] ^= by,
            Damage::Insert(at, more) => drop(bytes.splice(at.index(length)..at.index(length), more.iter().copied())),
            Damage::Remove(at, n) => {
                let at = at.index(length);
                bytes.drain(at..length.min(at + n));
            }
            Damage::Cut(at) => bytes.truncate(at.index(length)),
            Damage::Endless(at, head) => {
                let at = at.index(length);
                bytes.splice(at..=at, [*head, 255, 255, 255, 255]);
            }
            Damage::Deep(at, depth) => {
                let at = at.index(length);
                bytes.splice(at..=at, std::iter::repeat_n(0x91, *depth));
            }
        }
    }
    bytes
}

fn key() -> AdmitKey {
    AdmitKey { scope: "local".into(), key: "k".into(), body_digest: [1; 32] }
}

/// Commits what a module returned, so that there is a datapoint with an origin.
fn derive(store: &Store) {
    let reader = store.reader().unwrap();
    let one = pending(&reader, Queue::Priority).swap_remove(0);
    let made = RawPoint { module: Some(module("label")), ..point("x", 3) };
    let given = applying(&reader, &one, vec![made]);
    store.commit_blocking(TaskOutcome { origin: one.task.origin.clone(), ..given }).unwrap();
}

/// Reads all there is; the first error, if any.
fn read_all(store: &Store) -> Result<(), StoreError> {
    let reader = store.reader()?;
    script::dump(&reader)?;
    // A task that cannot be read stays in its queue, so that the others are not held up; the log names it.
    let listed = pending(&reader, Queue::Normal).len() + pending(&reader, Queue::Priority).len();
    if reader.counters()?.pending != listed as u64 {
        return Err(StoreError::Unreadable { what: "a task".into(), why: "it is not among the readable ones".into() });
    }
    store.admit_keyed_blocking(key(), vec![task(4, "d")], NOW).map(drop)
}

#[test]
fn stored_values_with_any_bytes_are_read_or_named() {
    let store = store();
    script::run(&store, &mut |_, _| {});
    derive(&store);
    let conn = rusqlite::Connection::open(store.dir().join("tenter.db")).unwrap();
    let (seed, cases) = (script::seed(), script::extent(120, 10_000));
    for (table, column, name, form) in COLUMNS {
        let first = format!("SELECT {name}, {column} FROM {table} WHERE {column} IS NOT NULL LIMIT 1");
        let (row, whole): (rusqlite::types::Value, Vec<u8>) =
            conn.query_row(&first, [], |r| Ok((r.get(0)?, r.get(1)?))).unwrap();
        let put = |bytes: &[u8]| {
            conn.execute(&format!("UPDATE {table} SET {column} = ?1 WHERE {name} = ?2"), (bytes, &row)).unwrap();
        };
        let (mark, value): (&[u8], &[u8]) = match form {
            Form::Summed => (&[1], &whole[5..]),
            Form::Fixed => (&[], &whole),
        };
        // Without its sum it is read as well, so that what is altered below is looked at.
        put(&[mark, value].concat());
        read_all(&store).unwrap();
        let (read, named) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
        script::runner(seed, cases)
            .run(&damage(), |damage| {
                put(&[mark, &altered(value.to_vec(), &damage)].concat());
                let begun = Instant::now();
                match read_all(&store) {
                    Ok(()) => read.set(read.get() + 1),
                    Err(StoreError::Unreadable { what, why }) => {
                        prop_assert!(!what.is_empty() && !why.is_empty());
                        named.set(named.get() + 1);
                    }
                    Err(error) => return Err(TestCaseError::fail(format!("{table}.{column}: {error}"))),
                }
                prop_assert!(begun.elapsed() < BOUND, "reading took {:?}", begun.elapsed());
                Ok(())
            })
            .unwrap();
        println!("{table}.{column}: {} read, {} named", read.get(), named.get());
        assert!(named.get() > 20, "{table}.{column}: the alterations reach what reads it");
        put(&whole);
        read_all(&store).unwrap();
    }
    // None of it has stopped the store.
    script::assert_sound(&store);
    let waiting = pending(&store.reader().unwrap(), Queue::Normal).len();
    admit(&store, vec![task(99, "after")]);
    assert_eq!(pending(&store.reader().unwrap(), Queue::Normal).len(), waiting + 1);
}
