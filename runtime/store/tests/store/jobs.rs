//! Sweeps, slots, archives, and what jobs leave for people.

use tenter_model::Timestamp;
use tenter_model::host::StateWrite;
use tenter_model::task::Queue;
use tenter_store::{Entered, Produced, StoreError, SweepState, TimerKey};

use crate::chores::{sweep, timer};
use crate::deletes::apply_now;
use crate::fixtures::*;
use crate::script;

fn produced(n: u8) -> Produced {
    Produced {
        tasks: vec![other_task(n, entity("a"))],
        state: vec![(module("label"), vec![StateWrite::Add { key: "n".into(), by: 1 }], Vec::new())],
        errors: vec![error("label", "fuel")],
        ..Produced::default()
    }
}

fn count(store: &tenter_store::Store) -> String {
    let value = store.reader().unwrap().state_get(&module("label"), "n", NOW).unwrap();
    value.map_or(String::new(), |(bytes, _)| String::from_utf8(bytes).unwrap())
}

#[test]
fn a_slot_fires_once_and_later_slots_follow() {
    let store = store();
    let reader = store.reader().unwrap();
    let fire = |timer: TimerKey, slot, n| store.fire_slot_blocking(timer, Timestamp(slot), produced(n), NOW).unwrap();
    let one = Some(Entered { tasks: 1, duplicates: 0, over_budget: 0 });
    assert_eq!(fire(timer(), 10, 1), one);
    assert_eq!(fire(timer(), 10, 2), None, "the same slot");
    assert_eq!(fire(timer(), 5, 3), None, "an earlier slot");
    assert_eq!(count(&store), "1");
    assert_eq!(fire(timer(), 20, 4), one);
    // Each lane has its slots; a task that another lane submitted before drops out.
    let second = TimerKey { lane: 1, ..timer() };
    assert_eq!(fire(second.clone(), 20, 4), Some(Entered { tasks: 0, duplicates: 1, over_budget: 0 }));
    assert_eq!(count(&store), "3");
    assert_eq!(reader.last_slot(&second).unwrap(), Some(Timestamp(20)));
    assert_eq!(reader.last_slot(&TimerKey { lane: 2, ..timer() }).unwrap(), None);
    assert_eq!(reader.slots().unwrap().iter().map(|s| s.timer.lane).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(pending(&reader, Queue::Normal).len(), 2);
    script::assert_sound(&store);
}

#[test]
fn a_sweep_moves_with_its_tasks_and_is_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let row = store.begin_sweep(sweep()).unwrap();
    let half = SweepState { processed: 1, cursor: Some(entity("a").eid), ..sweep() };
    store.save_sweep_blocking(row.number, half.clone(), produced(1), NOW).unwrap();
    store.close().unwrap();
    let store = open(dir.path());
    let reader = store.reader().unwrap();
    assert_eq!(store.begin_sweep(sweep()).unwrap(), tenter_store::SweepRow { number: row.number, state: half.clone() });
    // Sweeps of another period do not wait for it.
    let mut other = sweep();
    other.group.period_seconds = 61;
    let other = store.begin_sweep(other).unwrap();
    assert!(other.number > row.number && other.state.processed == 0);
    let end = SweepState { finished: true, ended: Some(NOW), ..half };
    store.save_sweep_blocking(row.number, end.clone(), produced(2), NOW).unwrap();
    let late = store.save_sweep_blocking(row.number, end, produced(3), NOW).unwrap_err();
    insta::assert_snapshot!(late, @"an unfinished sweep 1 does not exist");
    assert_eq!(count(&store), "2");
    assert_eq!(reader.sweeps(true, 9).unwrap(), [other]);
    let next = store.begin_sweep(sweep()).unwrap();
    assert!(next.number > row.number);
    let end = SweepState { finished: true, ..next.state };
    store.save_sweep_blocking(next.number, end, Produced::default(), NOW).unwrap();
    assert_eq!(store.prune_sweeps(1).unwrap(), 1);
    assert_eq!(reader.sweeps(false, 9).unwrap().iter().map(|s| s.number).collect::<Vec<_>>(), [3, 2]);
}

#[test]
fn old_datapoints_are_read_in_batches_and_removed_by_their_places() {
    let store = store();
    let reader = store.reader().unwrap();
    for n in 0..10 {
        let mut raw = vec![point("x", 1), point("y", 2)];
        raw[0].datapoint.t1 = Some(Timestamp(i64::from(n) * 10));
        (raw[1].datapoint.t1, raw[1].module) = (None, Some(module("label")));
        apply_now(&store, &reader, other_task(n, entity("a")), raw, Vec::new());
    }
    // The plain points arrived after the time that is asked for, those with a begin count by it.
    let (mut old, mut after, mut batches) = (Vec::new(), None, 0);
    loop {
        let page = reader.raw_before(Timestamp(50), after, 3).unwrap();
        old.extend(page.items);
        batches += 1;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((old.len(), batches), (5, 7));
    assert!(old.iter().all(|p| p.point.datapoint.t1.unwrap() < Timestamp(50)));
    let seqs: Vec<u64> = old.iter().map(|p| p.seq).collect();
    assert_eq!(store.delete_raw_blocking(seqs.clone()).unwrap(), 5);
    assert_eq!(store.delete_raw_blocking(seqs).unwrap(), 0);
    let counters = reader.counters().unwrap();
    assert_eq!((counters.raw_points, counters.derived_points, counters.archived_points), (15, 10, 5));
    let all = reader.raw_before(Timestamp(NOW.0 + 1), None, 100).unwrap().items;
    assert_eq!(all.len(), 15);
    store.delete_raw_blocking(all.iter().map(|p| p.seq).collect()).unwrap();
    assert_eq!(reader.counters().unwrap().derived_points, 0);
    script::assert_sound(&store);
}

#[test]
fn jobs_sources_and_reports_are_kept_for_people() {
    let store = store();
    let reader = store.reader().unwrap();
    let json = |n: i64| serde_json::json!({ "n": n });
    let first = store.begin_job("aggregation", json(0), NOW).unwrap();
    let second = store.begin_job("archive", json(0), NOW).unwrap();
    answered(|done| store.update_job(first, json(5), true, Timestamp(NOW.0 + 9), done)).unwrap();
    let missing = answered(|done| store.update_job(99, json(5), true, NOW, done));
    assert!(matches!(missing, Err(StoreError::NotFound(_))));
    let jobs = reader.jobs(None, None, 9).unwrap();
    assert_eq!(
        jobs.iter().map(|j| (j.number, j.ended.is_some())).collect::<Vec<_>>(),
        [(second, false), (first, true)]
    );
    assert_eq!(reader.jobs(Some("aggregation"), None, 9).unwrap()[0].body, json(5));
    assert_eq!(store.prune_jobs(Timestamp(NOW.0 + 1)).unwrap(), 1);
    assert_eq!(reader.jobs(None, None, 9).unwrap().len(), 1);

    answered(|done| store.note_sources(vec![("b".into(), Timestamp(5)), ("a".into(), Timestamp(7))], done)).unwrap();
    answered(|done| store.note_sources(vec![("b".into(), Timestamp(3)), ("a".into(), Timestamp(9))], done)).unwrap();
    assert_eq!(reader.sources().unwrap(), [("a".into(), Timestamp(9)), ("b".into(), Timestamp(5))]);
    assert_eq!(reader.report("sizes").unwrap(), None);
    for n in 1..3 {
        answered(|done| store.put_report("sizes", json(n), Timestamp(n), done)).unwrap();
    }
    assert_eq!(reader.report("sizes").unwrap(), Some((json(2), Timestamp(2))));
}
