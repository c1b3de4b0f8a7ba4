//! Filters, and reading beside a writer.

use tenter_model::task::Queue;
use tenter_model::{EntityId, EntityType, MasterRecord, Timestamp};
use tenter_store::{RawFilter, RawOrder, StoreError, StoredPoint, TaskOutcome};

use crate::fixtures::*;

#[test]
fn raw_points_are_filtered_newest_first() {
    let store = store();
    let reader = store.reader().unwrap();
    for (n, eid) in [(1, "a"), (2, "b"), (3, "a")] {
        let one = waiting(&store, &reader, n, eid);
        let mut quiet = point("y", 10 * i64::from(n));
        quiet.datapoint.src = None;
        quiet.datapoint.t1 = None;
        quiet.datapoint.confidence = None;
        store.commit_blocking(applying(&reader, &one, vec![point("x", i64::from(n)), quiet])).unwrap();
    }
    let tasks = |filter: RawFilter| {
        reader
            .raw(&filter)
            .unwrap()
            .into_iter()
            .map(|p| (p.task.0[15], p.point.datapoint.attr.to_string()))
            .collect::<Vec<_>>()
    };
    let all = || RawFilter { limit: 99, ..RawFilter::default() };
    assert_eq!(tasks(all()).len(), 6);
    let of_a = RawFilter { eid: Some(EntityId::new("a").unwrap()), attr: Some(attr("x")), ..all() };
    assert_eq!(tasks(of_a), [(3, "x".into()), (1, "x".into())]);
    assert_eq!(tasks(RawFilter { src: Some("probe".into()), skip: 1, limit: 1, ..all() }), [(2, "x".into())]);
    assert_eq!(tasks(RawFilter { etype: Some(EntityType::new("never").unwrap()), ..all() }), []);
    assert_eq!(tasks(RawFilter { attr: Some(attr("never")), ..all() }), []);
    let mut quiet = point("y", 30);
    (quiet.datapoint.src, quiet.datapoint.t1, quiet.datapoint.confidence) = (None, None, None);
    assert_eq!(reader.raw(&RawFilter { limit: 1, ..all() }).unwrap()[0].point, quiet);
}

#[test]
fn the_log_is_browsed_by_time_and_in_steps() {
    let store = store();
    let reader = store.reader().unwrap();
    // More than one window holds, in an order that is not that of their times.
    let time = |n: i64| Timestamp(n * 7_919 % 25_013);
    for (task, eid, from) in [(1, "a", 0), (2, "b", 12_500)] {
        let one = waiting(&store, &reader, task, eid);
        let of = |n| {
            let mut point = point("x", n);
            (point.datapoint.t1, point.datapoint.t2) = (Some(time(n)), Some(time(n)));
            point
        };
        let points = (from..from + 12_500).map(of).collect();
        store.commit_blocking(TaskOutcome { effect: apply(MasterRecord::new(NOW), points), ..outcome(&one) }).unwrap();
    }
    let browse = |order, skip, limit| {
        let (mut found, mut steps) = (Vec::new(), 0);
        let filter = RawFilter { attr: Some(attr("x")), skip, limit, ..RawFilter::default() };
        let mut step = |_| {
            steps += 1;
            Ok(())
        };
        let mut each = |stored: StoredPoint| {
            found.push(stored.point.datapoint.t1.unwrap());
            Ok::<_, StoreError>(())
        };
        reader.each_raw(&filter, order, &mut step, &mut each).unwrap();
        (found, steps)
    };
    let arrived: Vec<Timestamp> = (0..25_000).rev().map(time).collect();
    let mut sorted = arrived.clone();
    sorted.sort_by(|a, b| b.cmp(a));
    assert_eq!(browse(RawOrder::NewestFirst, 0, u32::MAX), (arrived.clone(), 2));
    assert_eq!(browse(RawOrder::NewestFirst, 19_999, 2), (arrived[19_999..20_001].to_vec(), 2));
    assert_eq!(browse(RawOrder::NewestFirst, 0, 3), (arrived[..3].to_vec(), 1));
    assert_eq!(browse(RawOrder::LatestFirst, 0, u32::MAX), (sorted.clone(), 2));
    assert_eq!(browse(RawOrder::LatestFirst, 5, 3), (sorted[5..8].to_vec(), 2));
    // Whoever asks can give up between two steps.
    let all = RawFilter { limit: 9, ..RawFilter::default() };
    let mut give_up = |_| Err(StoreError::Closed);
    let ended = reader.each_raw(&all, RawOrder::NewestFirst, &mut give_up, &mut |_| Ok(()));
    assert!(matches!(ended, Err(StoreError::Closed)), "{ended:?}");
}

#[test]
fn entities_are_listed_by_type_in_order() {
    let store = store();
    let reader = store.reader().unwrap();
    for (n, eid) in [(1, "b"), (2, "é"), (3, "a"), (4, "B")] {
        let one = waiting(&store, &reader, n, eid);
        store.commit_blocking(applying(&reader, &one, vec![])).unwrap();
    }
    let ip = entity("a").etype;
    let page = |after: Option<&str>, limit| {
        let after = after.map(|a| EntityId::new(a).unwrap());
        let found = reader.entities(&ip, after.as_ref(), limit).unwrap();
        found.iter().map(EntityId::to_string).collect::<Vec<_>>()
    };
    assert_eq!(page(None, 9), ["B", "a", "b", "é"]);
    assert_eq!(page(Some("a"), 1), ["b"]);
    assert_eq!(reader.entity_count(&ip).unwrap(), 4);
    let other = EntityType::new("host").unwrap();
    assert_eq!(reader.entity_count(&other).unwrap(), 0);
    assert_eq!(reader.entities(&other, None, 9).unwrap(), []);
}

#[test]
fn many_records_are_read_in_order_up_to_a_size_or_an_unreadable_one() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let reader = store.reader().unwrap();
    let all = ["a", "b", "c", "d"].map(entity);
    let read =
        |max_bytes| reader.records_at_once(&all, max_bytes).map(|r| r.iter().map(Option::is_some).collect::<Vec<_>>());
    assert_eq!(read(1 << 20).unwrap(), [false; 4], "not even the entity type is known");
    for (n, eid) in [(1, "a"), (2, "b"), (3, "d")] {
        let one = waiting(&store, &reader, n, eid);
        store.commit_blocking(applying(&reader, &one, vec![point("x", i64::from(n))])).unwrap();
    }
    assert_eq!(read(1 << 20).unwrap(), [true, true, false, true]);
    assert_eq!(read(1).unwrap(), [true]);
    let records = reader.records_at_once(&all, 1 << 20).unwrap();
    for (entity, record) in all.iter().zip(records) {
        assert_eq!(record, reader.record(entity).unwrap(), "{entity}");
    }
    let conn = rusqlite::Connection::open(dir.path().join("tenter.db")).unwrap();
    conn.execute("UPDATE master SET body = x'09' WHERE eid = 'b'", []).unwrap();
    assert_eq!(read(1 << 20).unwrap(), [true]);
    assert!(reader.record(&all[1]).is_err(), "asked for alone it is an error");
}

#[test]
fn a_task_that_cannot_be_read_does_not_stop_the_queue() {
    let dir = tempfile::tempdir().unwrap();
    {
        let store = open(dir.path());
        admit(&store, vec![task(1, "a"), task(2, "a"), task(3, "a")]);
    }
    let conn = rusqlite::Connection::open(dir.path().join("tenter.db")).unwrap();
    conn.execute("UPDATE task SET body = x'ff00' WHERE seq = (SELECT min(seq) FROM task)", []).unwrap();
    conn.execute("UPDATE task SET body = x'0199' WHERE seq = (SELECT max(seq) FROM task)", []).unwrap();
    drop(conn);
    let store = open(dir.path());
    let reader = store.reader().unwrap();
    assert_eq!(pending(&reader, Queue::Normal).iter().map(|p| p.task.id).collect::<Vec<_>>(), [id(2)]);
    assert_eq!(reader.counters().unwrap().pending, 3);
}

#[test]
fn a_record_that_cannot_be_read_says_which() {
    let dir = tempfile::tempdir().unwrap();
    {
        let store = open(dir.path());
        let reader = store.reader().unwrap();
        let one = waiting(&store, &reader, 1, "a");
        store.commit_blocking(applying(&reader, &one, vec![])).unwrap();
    }
    let conn = rusqlite::Connection::open(dir.path().join("tenter.db")).unwrap();
    conn.execute("UPDATE master SET body = x'07'", []).unwrap();
    drop(conn);
    let error = open(dir.path()).reader().unwrap().record(&entity("a")).unwrap_err();
    insta::assert_snapshot!(error, @"stored record of ip/a cannot be read: unknown format 7; it was written by another version or is damaged");
}
