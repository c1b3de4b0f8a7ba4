//! G1 and the entry side of G2.

use std::sync::mpsc;

use tenter_model::task::Queue;
use tenter_model::{AttrName, DataPoint, Scalar, Timestamp, Value};
use tenter_store::{Admission, CommitNews, StoreOptions};

use crate::fixtures::*;

#[test]
fn a_task_comes_back_as_it_was() {
    let store = store();
    let mut given = task(1, "192.0.2.1");
    given.body.datapoints.push(DataPoint {
        attr: AttrName::new("x").unwrap(),
        value: Value::Items(vec![
            Scalar::Float(1.5),
            Scalar::Text("é".into()),
            Scalar::Ip("2001:db8::1".parse().unwrap()),
            Scalar::Json(serde_json::json!({"a": [1, null]})),
        ]),
        src: None,
        t1: Some(NOW),
        t2: None,
        confidence: Some(0.25),
    });
    given.body.ttl_tokens.push(("base".into(), Some(Timestamp(-1))));
    given.body.tags.push("t".into());
    let child = follow_up(&given, 3, "b");
    admit(&store, vec![given.clone(), child.clone()]);
    let reader = store.reader().unwrap();
    assert_eq!(pending(&reader, Queue::Normal).into_iter().map(|p| p.task).collect::<Vec<_>>(), [given]);
    assert_eq!(pending(&reader, Queue::Priority).into_iter().map(|p| p.task).collect::<Vec<_>>(), [child]);
}

#[test]
fn an_id_enters_once() {
    let store = store();
    assert_eq!(
        admit(&store, vec![task(1, "a"), task(2, "a"), task(1, "a")]),
        [Admission::Accepted, Admission::Accepted, Admission::Duplicate]
    );
    assert_eq!(admit(&store, vec![task(2, "a")]), [Admission::Duplicate]);
    let reader = store.reader().unwrap();
    assert_eq!(pending(&reader, Queue::Normal).len(), 2);
    let counters = reader.counters().unwrap();
    assert_eq!((counters.accepted, counters.duplicates, counters.pending), (2, 2, 2));
}

#[test]
fn an_id_is_known_after_the_task_is_done() {
    let store = store();
    let reader = store.reader().unwrap();
    let one = waiting(&store, &reader, 1, "a");
    store.commit_blocking(outcome(&one)).unwrap();
    assert_eq!(admit(&store, vec![task(1, "a")]), [Admission::Duplicate]);
}

#[test]
fn without_deduplication_an_id_enters_twice() {
    // The negative control: tests of "once" must be able to see a store that breaks the promise.
    let dir = tempfile::tempdir().unwrap();
    let options = StoreOptions { deduplicate: false, ..quick() };
    let store = tenter_store::Store::open(dir.path(), options, NOW).unwrap();
    admit(&store, vec![task(1, "a")]);
    assert_eq!(admit(&store, vec![task(1, "a")]), [Admission::Accepted]);
    assert_eq!(pending(&store.reader().unwrap(), Queue::Normal).len(), 2);
}

/// How many tasks another connection sees at the moment of the answer.
fn visible_at_the_answer(options: StoreOptions) -> usize {
    let dir = tempfile::tempdir().unwrap();
    let store = tenter_store::Store::open(dir.path(), options, NOW).unwrap();
    let reader = store.reader().unwrap();
    let (sender, receiver) = mpsc::channel();
    store.admit(
        vec![task(1, "a")],
        NOW,
        Box::new(move |result| {
            result.unwrap();
            sender.send(pending(&reader, Queue::Normal).len()).unwrap();
        }),
    );
    receiver.recv().unwrap()
}

#[test]
fn the_answer_comes_after_the_commit() {
    assert_eq!(visible_at_the_answer(quick()), 1);
}

#[test]
fn the_negative_control_answers_before_the_commit() {
    assert_eq!(visible_at_the_answer(StoreOptions { acknowledge_before_commit: true, ..quick() }), 0);
}

#[test]
fn what_waits_together_is_committed_together() {
    let store = store();
    let (hold, held) = mpsc::channel::<()>();
    let (started, starts) = mpsc::channel();
    store.admit(
        vec![task(0, "a")],
        NOW,
        Box::new(move |_| {
            started.send(()).unwrap();
            held.recv().unwrap();
        }),
    );
    starts.recv().unwrap();
    let before = store.health();
    let (sender, receiver) = mpsc::channel();
    for n in 1..=100 {
        let sender = sender.clone();
        store.admit(vec![task(n, "a")], NOW, Box::new(move |r| sender.send(r.unwrap()).unwrap()));
    }
    hold.send(()).unwrap();
    let answers: Vec<_> = receiver.iter().take(100).collect();
    assert!(answers.iter().all(|a| *a == [Admission::Accepted]));
    let after = store.health();
    assert_eq!(after.transactions - before.transactions, 1);
    assert_eq!(after.work_done - before.work_done, 100);
}

#[test]
fn listeners_learn_which_partitions_got_tasks() {
    let store = store();
    let (sender, receiver) = mpsc::channel();
    store.subscribe_commits(Box::new(move |news: &CommitNews| sender.send(*news).unwrap()));
    admit(&store, vec![task(1, "a")]);
    let news = receiver.recv().unwrap();
    let part = u32::try_from(entity("a").stable_hash() % 64).unwrap();
    assert_eq!(news, CommitNews { priority: 0, normal: 1 << part, jobs: false });
    assert!(news.concerns(part % 3, 3));
    assert!(!news.concerns((part + 1) % 3, 3));
    admit(&store, vec![task(1, "a")]);
    let reader = store.reader().unwrap();
    let one = pending(&reader, Queue::Normal).remove(0);
    let child = follow_up(&one.task, 0, "b");
    store.commit_blocking(tenter_store::TaskOutcome { follow_ups: vec![child], ..outcome(&one) }).unwrap();
    // The duplicate brought no news: the next is that of the follow-up.
    assert_eq!(receiver.recv().unwrap().normal, 0);
}

#[test]
fn lanes_share_the_queue_without_overlap() {
    let store = store();
    let tasks: Vec<_> = (0..200).map(|n| task(n, &format!("e{n}"))).collect();
    admit(&store, tasks);
    let reader = store.reader().unwrap();
    let mut seen = Vec::new();
    for lane in 0..3 {
        let mut after = None;
        loop {
            let some = reader.pending(Queue::Normal, after, lane, 3, 7).unwrap();
            let Some(last) = some.last() else { break };
            after = Some(last.seq);
            assert!(some.iter().all(|p| p.task.body.entity.stable_hash() % 64 % 3 == u64::from(lane)));
            assert!(some.is_sorted_by_key(|p| p.seq));
            seen.extend(some.into_iter().map(|p| p.seq));
        }
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 200);
}
