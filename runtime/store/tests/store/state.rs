//! G12: module state commits with the task or not at all.

use tenter_model::Timestamp;
use tenter_model::host::{StateRead, StateWrite};
use tenter_store::{CommitResult, Reader, StateChange, Store, TaskOutcome};

use crate::fixtures::*;

fn put(key: &str, value: &str, until: Option<i64>) -> StateWrite {
    StateWrite::Put { key: key.into(), value: value.into(), until: until.map(Timestamp) }
}

fn add(key: &str, by: i64) -> StateWrite {
    StateWrite::Add { key: key.into(), by }
}

fn read(key: &str, version: Option<u64>) -> StateRead {
    StateRead { key: key.into(), version }
}

fn change(store: &Store, reader: &Reader, n: u8, state: Vec<StateChange>) -> CommitResult {
    let one = waiting(store, reader, n, "a");
    store.commit_blocking(TaskOutcome { state, ..outcome(&one) }).unwrap()
}

fn get(reader: &Reader, key: &str) -> Option<String> {
    reader.state_get(&module("label"), key, NOW).unwrap().map(|(v, _)| String::from_utf8(v).unwrap())
}

fn version(reader: &Reader, key: &str) -> Option<u64> {
    reader.state_get(&module("label"), key, NOW).unwrap().map(|(_, v)| v)
}

#[test]
fn writes_apply_in_order_and_bytes_are_counted() {
    let (store, label) = (store(), module("label"));
    let reader = store.reader().unwrap();
    let writes = vec![put("a", "1", None), put("é", "xyz", None), put("a", "22", None), put("b", "", None)];
    change(&store, &reader, 1, vec![(label.clone(), writes, vec![])]);
    assert_eq!(get(&reader, "a").as_deref(), Some("22"));
    assert_eq!(reader.state_bytes(&label).unwrap(), 3 + 5 + 1);
    let writes = vec![StateWrite::Delete { key: "é".into() }, StateWrite::Delete { key: "none".into() }];
    change(&store, &reader, 2, vec![(label.clone(), writes, vec![])]);
    assert_eq!(get(&reader, "é"), None);
    assert_eq!(reader.state_bytes(&label).unwrap(), 4);
    assert_eq!(reader.state_bytes(&module("other")).unwrap(), 0);
    assert_eq!(reader.state_get(&module("other"), "a", NOW).unwrap(), None);
}

#[test]
fn additions_commute_and_never_conflict() {
    let (store, label) = (store(), module("label"));
    let reader = store.reader().unwrap();
    change(&store, &reader, 1, vec![(label.clone(), vec![add("n", 2)], vec![])]);
    // Read long ago, but only added to.
    let stale = vec![read("n", None)];
    assert_eq!(change(&store, &reader, 2, vec![(label.clone(), vec![add("n", 40)], stale)]), committed(0, 0, 0));
    assert_eq!(get(&reader, "n").as_deref(), Some("42"));
    let writes =
        vec![put("t", "no number", Some(NOW.0 + 9)), add("t", -5), put("m", &i64::MAX.to_string(), None), add("m", 9)];
    change(&store, &reader, 3, vec![(label.clone(), writes, vec![])]);
    assert_eq!(get(&reader, "t").as_deref(), Some("-5"));
    assert_eq!(get(&reader, "m"), Some(i64::MAX.to_string()));
    // A counter keeps its end.
    assert_eq!(reader.state_get(&label, "t", NOW.saturating_add(9)).unwrap(), None);
}

#[test]
fn a_key_read_and_written_must_not_have_changed() {
    let (store, label) = (store(), module("label"));
    let reader = store.reader().unwrap();
    change(&store, &reader, 1, vec![(label.clone(), vec![put("k", "1", None)], vec![])]);
    let seen = version(&reader, "k");
    assert!(seen.is_some());
    change(&store, &reader, 2, vec![(label.clone(), vec![put("k", "2", None)], vec![read("k", seen)])]);
    let one = waiting(&store, &reader, 3, "a");
    let stale = |writes| TaskOutcome { state: vec![(label.clone(), writes, vec![read("k", seen)])], ..outcome(&one) };
    let delete = StateWrite::Delete { key: "k".into() };
    for writes in [vec![put("k", "3", None)], vec![delete], vec![put("free", "3", None), put("k", "3", None)]] {
        assert_eq!(store.commit_blocking(stale(writes)).unwrap(), CommitResult::Conflict);
    }
    assert_eq!((get(&reader, "k").as_deref(), get(&reader, "free")), (Some("2"), None));
    // Read but not written: that others change it is no conflict.
    assert_eq!(store.commit_blocking(stale(vec![put("free", "3", None)])).unwrap(), committed(0, 0, 0));
}

#[test]
fn absence_is_a_version_too_and_versions_never_return() {
    let (store, label) = (store(), module("label"));
    let reader = store.reader().unwrap();
    change(&store, &reader, 1, vec![(label.clone(), vec![put("k", "1", None)], vec![read("k", None)])]);
    let first = version(&reader, "k");
    let put_if_absent = vec![(label.clone(), vec![put("k", "x", None)], vec![read("k", None)])];
    assert_eq!(change(&store, &reader, 2, put_if_absent.clone()), CommitResult::Conflict);
    let delete = vec![StateWrite::Delete { key: "k".into() }];
    change(&store, &reader, 3, vec![(label.clone(), delete, vec![])]);
    assert_eq!(change(&store, &reader, 4, put_if_absent), committed(0, 0, 0));
    assert_ne!(version(&reader, "k"), first);
}

#[test]
fn two_calls_of_one_task_are_checked_against_the_last_commit() {
    let (store, label) = (store(), module("label"));
    let reader = store.reader().unwrap();
    let call = |value: &str| (label.clone(), vec![put("k", value, None)], vec![read("k", None)]);
    assert_eq!(change(&store, &reader, 1, vec![call("1"), call("2")]), committed(0, 0, 0));
    assert_eq!(get(&reader, "k").as_deref(), Some("2"));
}

#[test]
fn expired_keys_are_absent() {
    let (store, label) = (store(), module("label"));
    let reader = store.reader().unwrap();
    let end = NOW.saturating_add(10);
    change(&store, &reader, 1, vec![(label.clone(), vec![put("k", "1", Some(end.0))], vec![])]);
    assert!(reader.state_get(&label, "k", NOW.saturating_add(9)).unwrap().is_some());
    assert!(reader.state_get(&label, "k", end).unwrap().is_none());
    assert_eq!(reader.state_keys(&label, "", None, 9, end).unwrap(), [""; 0]);
    // Who saw it as absent may set it.
    let one = waiting(&store, &reader, 2, "a");
    let state = vec![(label.clone(), vec![put("k", "2", None)], vec![read("k", None)])];
    assert_eq!(store.commit_blocking(TaskOutcome { state, at: end, ..outcome(&one) }).unwrap(), committed(0, 0, 0));
    assert_eq!(store.prune(end).unwrap(), 0);
    assert_eq!(get(&reader, "k").as_deref(), Some("2"));
}

#[test]
fn keys_come_in_byte_order_by_prefix() {
    let (store, label) = (store(), module("label"));
    let reader = store.reader().unwrap();
    let writes = ["a", "ab", "ab\u{10ffff}", "abc", "ac", "b"].map(|k| put(k, "", None)).to_vec();
    change(
        &store,
        &reader,
        1,
        vec![(label.clone(), writes, vec![]), (module("z"), vec![put("abz", "", None)], vec![])],
    );
    let keys = |prefix: &str, after: Option<&str>, limit| reader.state_keys(&label, prefix, after, limit, NOW).unwrap();
    assert_eq!(keys("ab", None, 9), ["ab", "abc", "ab\u{10ffff}"]);
    assert_eq!(keys("ab", Some("ab"), 1), ["abc"]);
    assert_eq!(keys("ab", Some("b"), 9), [""; 0]);
    assert_eq!(keys("", Some("ac"), 9), ["b"]);
    assert_eq!(keys("", None, 0), [""; 0]);
}
