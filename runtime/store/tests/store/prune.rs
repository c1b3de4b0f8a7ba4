//! What is forgotten, and what must not be.

use tenter_model::task::Queue;
use tenter_model::{TaskId, Timestamp};
use tenter_store::{Admission, Effect, LinkChange, Store, StoreOptions, TaskOutcome};

use crate::fixtures::*;

#[test]
fn ids_are_forgotten_after_a_week() {
    let store = store();
    let reader = store.reader().unwrap();
    let one = waiting(&store, &reader, 1, "a");
    store.commit_blocking(outcome(&one)).unwrap();
    assert_eq!(store.prune(NOW.saturating_add(7 * DAY)).unwrap(), 0);
    assert_eq!(admit(&store, vec![task(1, "a")]), [Admission::Duplicate]);
    assert_eq!(store.prune(NOW.saturating_add(7 * DAY + 1)).unwrap(), 1);
    assert_eq!(admit(&store, vec![task(1, "a")]), [Admission::Accepted]);
}

#[test]
fn ids_of_unfinished_families_stay() {
    let store = Store::temporary(StoreOptions { max_descendants: 1, ..StoreOptions::default() }, NOW).unwrap();
    let reader = store.reader().unwrap();
    let one = waiting(&store, &reader, 1, "a");
    let child = follow_up(&one.task, 0, "b");
    store.commit_blocking(TaskOutcome { follow_ups: vec![child.clone()], ..outcome(&one) }).unwrap();
    // Another family, begun one millisecond later, is done.
    let late = TaskId::root(NOW.saturating_add(1_000), [2; 10]);
    admit(&store, vec![tenter_model::Task { id: late, root: late, ..task(2, "a") }]);
    let two = pending(&reader, Queue::Normal).remove(0);
    store.commit_blocking(outcome(&two)).unwrap();
    let later = NOW.saturating_add(30 * DAY);
    assert_eq!(store.prune(later).unwrap(), 1);
    assert_eq!(admit(&store, vec![task(1, "a")]), [Admission::Duplicate]);
    // So does the budget: it is spent.
    let waiting = pending(&reader, Queue::Priority).remove(0);
    let more = TaskOutcome { follow_ups: vec![follow_up(&child, 0, "c")], ..outcome(&waiting) };
    assert_eq!(store.commit_blocking(more).unwrap(), committed(0, 0, 1));
    // Now the family is finished: two ids, the dead letter's and the budget go.
    assert_eq!(store.prune(later).unwrap(), 4);
}

#[test]
fn expired_state_and_links_go() {
    let store = store();
    let reader = store.reader().unwrap();
    let one = waiting(&store, &reader, 1, "a");
    let mut given = applying(&reader, &one, vec![]);
    let put = |key: &str, until: Option<i64>| tenter_model::host::StateWrite::Put {
        key: key.into(),
        value: vec![0; 10],
        until: until.map(Timestamp),
    };
    given.state = vec![(module("label"), vec![put("k1", Some(NOW.0 + 5)), put("k2", None)], vec![])];
    if let Effect::Apply { links, .. } = &mut given.effect {
        links.push(LinkChange::Extend { attr: attr("l"), target: entity("b"), until: NOW.saturating_add(5) });
        links.push(LinkChange::Extend { attr: attr("l"), target: entity("c"), until: NOW.saturating_add(6) });
    }
    store.commit_blocking(given).unwrap();
    assert_eq!(store.prune(NOW.saturating_add(5)).unwrap(), 2);
    assert_eq!(reader.state_bytes(&module("label")).unwrap(), 12);
    assert_eq!(reader.links_from(&entity("a")).unwrap().len(), 1);
}
