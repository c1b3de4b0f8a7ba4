//! Snapshot runs: visible when complete, resumable, one look for the latest document however old it is.

use tenter_model::history::TimeRange;
use tenter_model::task::Queue;
use tenter_model::view::{CurrentValue, EntityView};
use tenter_model::{EntityId, EntityRef, EntityType, Scalar, Timestamp, Value};
use tenter_store::{
    BeginRun, Document, Entered, Produced, Reader, RunBatch, RunNumber, RunState, Snapshot, Store, StoreError,
};

use crate::fixtures::*;

pub(crate) fn view(eid: &str, value: i64) -> EntityView {
    let one = CurrentValue { attr: attr("x"), value: Value::Scalar(Scalar::Int(value)), confidence: None };
    EntityView { entity: entity(eid), values: vec![one.clone(), CurrentValue { confidence: Some(0.5), ..one }] }
}

pub(crate) fn document(eid: &str, value: i64) -> Document {
    Document::new(&view(eid, value), false, Some(1), Some(NOW)).unwrap()
}

pub(crate) fn begin(store: &Store, n: i64) -> RunNumber {
    let run = BeginRun { id: format!("run-{n}"), time: Timestamp(n), settings: serde_json::json!({"full": false}) };
    store.begin_run(run, NOW).unwrap().number
}

fn batch(documents: &[(&str, i64)], unchanged: &[&str]) -> RunBatch {
    RunBatch {
        documents: documents.iter().map(|(eid, value)| document(eid, *value)).collect(),
        unchanged: unchanged.iter().map(|eid| entity(eid)).collect(),
        ..RunBatch::default()
    }
}

fn save(store: &Store, run: RunNumber, documents: &[(&str, i64)], unchanged: &[&str]) {
    store.save_batch_blocking(run, batch(documents, unchanged), NOW).unwrap();
}

fn complete(store: &Store, run: RunNumber) {
    assert_eq!(store.complete_run(run, RunBatch::default(), NOW).unwrap().state, RunState::Complete);
}

fn ip() -> EntityType {
    EntityType::new("ip").unwrap()
}

fn brief(snapshot: &Snapshot) -> (&str, i64, i64) {
    let Value::Scalar(Scalar::Int(n)) = &snapshot.view.values[0].value else { panic!("{snapshot:?}") };
    (snapshot.view.entity.eid.as_str(), snapshot.time.0, *n)
}

fn latest(reader: &Reader, eid: &str) -> Option<(i64, i64)> {
    reader.snapshot(&entity(eid)).unwrap().map(|s| (brief(&s).1, brief(&s).2))
}

fn history(reader: &Reader, eid: &str) -> Vec<(i64, i64)> {
    let all = reader.snapshot_history(&entity(eid), TimeRange::default(), 0, 100).unwrap();
    all.iter().map(|s| (brief(s).1, brief(s).2)).collect()
}

#[test]
fn a_run_is_visible_when_complete_and_not_before() {
    let store = store();
    let reader = store.reader().unwrap();
    let run = begin(&store, 10);
    save(&store, run, &[("a", 1), ("b", 2)], &[]);
    assert_eq!(latest(&reader, "a"), None);
    assert_eq!(history(&reader, "a"), []);
    assert_eq!(reader.snapshots(&ip(), None, None, 10).unwrap(), []);
    assert!(matches!(reader.snapshots(&ip(), Some(run), None, 10), Err(StoreError::NotFound(_))));
    assert_eq!(reader.snapshot_marks(run, &ip(), None, 10).unwrap().len(), 2);
    complete(&store, run);
    assert_eq!(latest(&reader, "a"), Some((10, 1)));
    assert_eq!(reader.snapshot(&entity("b")).unwrap().unwrap().view, view("b", 2));

    let second = begin(&store, 20);
    save(&store, second, &[("a", 3)], &[]);
    assert_eq!(latest(&reader, "a"), Some((10, 1)));
    store.abort_run(second, "no time", NOW).unwrap();
    assert_eq!(latest(&reader, "a"), Some((10, 1)));
    let rows = reader.runs(None, 10).unwrap();
    assert_eq!(rows.iter().map(|r| r.state).collect::<Vec<_>>(), [RunState::Aborted, RunState::Complete]);
    assert_eq!(rows[0].reason.as_deref(), Some("no time"));
    assert_eq!(rows[1].counts["documents"], 2);
    // Who still works for it is told.
    let late = store.save_batch_blocking(second, batch(&[("a", 4)], &[]), NOW).unwrap_err();
    insta::assert_snapshot!(late, @"a running snapshot run 2 does not exist");
}

#[test]
fn what_holds_still_is_in_the_history_at_each_time_and_stored_once() {
    let store = store();
    let reader = store.reader().unwrap();
    for n in 1..=3 {
        let run = begin(&store, n);
        if n == 1 {
            save(&store, run, &[("a", 7), ("b", 8)], &[]);
        } else {
            save(&store, run, &[("b", 8 + n)], &["a"]);
        }
        complete(&store, run);
    }
    assert_eq!(history(&reader, "a"), [(3, 7), (2, 7), (1, 7)]);
    assert_eq!(history(&reader, "b"), [(3, 11), (2, 10), (1, 8)]);
    assert_eq!(store.stored_documents(), 4);
    assert_eq!(reader.latest_run().unwrap().unwrap().counts["unchanged"], 1);
    let run = begin(&store, 4);
    let error = store.save_batch_blocking(run, batch(&[], &["c"]), NOW).unwrap_err();
    insta::assert_snapshot!(error, @"ip/c is said to be unchanged, and the run before has no document of it; compute it anew");
}

#[test]
fn what_a_run_does_not_come_by_keeps_its_latest_document() {
    let store = store();
    let reader = store.reader().unwrap();
    for n in 1..=3 {
        let run = begin(&store, n);
        save(&store, run, if n == 1 { &[("a", 1), ("b", 2)] } else { &[("b", 3)] }, &[]);
        complete(&store, run);
    }
    assert_eq!(latest(&reader, "a"), Some((1, 1)));
    assert_eq!(history(&reader, "a"), [(1, 1)]);
    let all = reader.snapshots(&ip(), None, None, 10).unwrap();
    assert_eq!(all.iter().map(brief).collect::<Vec<_>>(), [("a", 1, 1), ("b", 3, 3)]);
    let marks = reader.snapshot_marks(3, &ip(), None, 10).unwrap();
    assert_eq!(marks.iter().map(|m| m.kept).collect::<Vec<_>>(), [true, false]);
    assert_eq!(reader.latest_run().unwrap().unwrap().counts["kept"], 1);
}

#[test]
fn histories_and_scans_come_in_pages() {
    let store = store();
    let reader = store.reader().unwrap();
    for n in 1..=5 {
        let run = begin(&store, n * 10);
        save(&store, run, &[("a", n), ("b", n), ("c", n)], &[]);
        complete(&store, run);
    }
    let range = TimeRange { from: Some(Timestamp(20)), to: Some(Timestamp(40)) };
    let page = |skip, limit| {
        let found = reader.snapshot_history(&entity("b"), range, skip, limit).unwrap();
        found.iter().map(|s| s.time.0).collect::<Vec<_>>()
    };
    assert_eq!(page(0, 10), [40, 30, 20]);
    assert_eq!(page(1, 1), [30]);
    let first = reader.snapshots(&ip(), Some(2), None, 2).unwrap();
    assert_eq!(first.iter().map(brief).collect::<Vec<_>>(), [("a", 20, 2), ("b", 20, 2)]);
    let rest = reader.snapshots(&ip(), Some(2), Some(&EntityId::new("b").unwrap()), 2).unwrap();
    assert_eq!(rest.iter().map(brief).collect::<Vec<_>>(), [("c", 20, 2)]);
    assert_eq!(reader.runs(Some(4), 2).unwrap().iter().map(|r| r.number).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(reader.snapshot(&EntityRef { etype: EntityType::new("none").unwrap(), ..entity("a") }).unwrap(), None);
}

#[test]
fn a_batch_enters_with_its_tasks_and_cursor_or_not_at_all() {
    let store = store();
    let reader = store.reader().unwrap();
    let run = begin(&store, 1);
    let parent = task(1, "a");
    let full = |cursor: &[u8]| RunBatch {
        produced: Produced {
            tasks: vec![task(5, "n"), follow_up(&parent, 0, "b"), follow_up(&parent, 1, "b")],
            dead: vec![letter(&follow_up(&parent, 2, "b"), tenter_store::DeadKind::Depth)],
            errors: vec![error("label", "fuel")],
            ..Produced::default()
        },
        counts: [("calls".to_owned(), 3)].into(),
        cursor: Some(("lane 0".into(), cursor.to_vec())),
        ..batch(&[("a", 1)], &[])
    };
    let entered = store.save_batch_blocking(run, full(b"b"), NOW).unwrap();
    assert_eq!(entered, Entered { tasks: 3, duplicates: 0, over_budget: 0 });
    // A batch that is repeated doubles no task, no dead letter and no document.
    let entered = store.save_batch_blocking(run, full(b"c"), NOW).unwrap();
    assert_eq!(entered, Entered { tasks: 0, duplicates: 3, over_budget: 0 });
    assert_eq!(reader.run_cursor(run, "lane 0").unwrap().unwrap(), b"c");
    assert_eq!(store.stored_documents(), 1);
    let row = reader.unfinished_run().unwrap().unwrap();
    assert_eq!((row.counts["documents"], row.counts["tasks"], row.counts["calls"]), (1, 3, 6));
    let waits = pending(&reader, Queue::Normal);
    assert_eq!(waits.iter().map(|p| p.task.id).collect::<Vec<_>>(), [id(5)]);
    assert_eq!(pending(&reader, Queue::Priority).len(), 2);
    crate::script::assert_sound(&store);
    // One bad entity and nothing of the batch is there.
    let mut bad = full(b"d");
    bad.unchanged = vec![entity("nobody")];
    assert!(store.save_batch_blocking(run, bad, NOW).is_err());
    assert_eq!(reader.run_cursor(run, "lane 0").unwrap().unwrap(), b"c");
    assert_eq!(reader.unfinished_run().unwrap().unwrap().counts["calls"], 6);
}

#[test]
fn an_unfinished_run_is_found_again_with_what_it_holds() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let run = begin(&store, 5);
    save(&store, run, &[("a", 1)], &[]);
    store.close().unwrap();
    let store = open(dir.path());
    let other = BeginRun { id: "other".into(), time: Timestamp(9), settings: serde_json::Value::Null };
    let found = store.begin_run(other, NOW).unwrap();
    assert_eq!((found.number, found.id.as_str(), found.time), (run, "run-5", Timestamp(5)));
    assert_eq!(found.settings, serde_json::json!({"full": false}));
    save(&store, run, &[("b", 2)], &[]);
    complete(&store, run);
    let again = BeginRun { id: "run-5".into(), time: Timestamp(9), settings: serde_json::Value::Null };
    assert!(matches!(store.begin_run(again, NOW), Err(StoreError::Conflict(_))));
    let reader = store.reader().unwrap();
    assert_eq!((latest(&reader, "a"), latest(&reader, "b")), (Some((5, 1)), Some((5, 2))));
}

/// Rows of a table of a store, past its interface.
trait Rows {
    fn stored_documents(&self) -> i64;
}

impl Rows for Store {
    fn stored_documents(&self) -> i64 {
        let conn = rusqlite::Connection::open(self.dir().join("tenter.db")).unwrap();
        conn.query_row("SELECT count(*) FROM document", [], |r| r.get(0)).unwrap()
    }
}
