//! Random histories of snapshot runs, entities that go and come again, and cleaning, against a model that keeps every
//! picture whole.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use proptest::prelude::*;
use tenter_model::filter::Ids;
use tenter_model::history::TimeRange;
use tenter_model::task::Queue;
use tenter_model::{EntityId, EntityType, Scalar, Timestamp, Value};
use tenter_store::{Deleted, Deletion, Reader, RunBatch, RunNumber, Snapshot, Store, StoreError};

use crate::fixtures::*;
use crate::runs::{begin, document};

const EIDS: [&str; 4] = ["a", "b", "c", "d"];

#[derive(Debug, Clone)]
enum Step {
    Create(usize),
    Delete(usize),
    Begin,
    Save(usize),
    Repeat(usize),
    Complete,
    Abort,
    Clean(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0..EIDS.len()).prop_map(Step::Create),
        2 => (0..EIDS.len()).prop_map(Step::Delete),
        3 => Just(Step::Begin),
        4 => (0..EIDS.len()).prop_map(Step::Save),
        3 => (0..EIDS.len()).prop_map(Step::Repeat),
        3 => Just(Step::Complete),
        1 => Just(Step::Abort),
        2 => (0..6i64).prop_map(Step::Clean),
    ]
}

/// A value, and the run that took it.
type Picture = BTreeMap<&'static str, (i64, RunNumber)>;

#[derive(Default)]
struct Model {
    alive: BTreeSet<&'static str>,
    /// Number, time, picture.
    complete: Vec<(RunNumber, i64, Picture)>,
    running: Option<(RunNumber, i64, Picture)>,
    /// Removed since the running run began.
    removed: BTreeSet<&'static str>,
    time: i64,
    value: i64,
    tasks: u8,
    cleaned: usize,
    hidden: usize,
}

impl Model {
    fn is_there(&self, run: RunNumber) -> bool {
        self.complete.iter().any(|(n, ..)| *n == run)
    }

    fn time_of(&self, run: RunNumber) -> i64 {
        self.complete.iter().find(|(n, ..)| *n == run).unwrap().1
    }

    fn latest(&self, eid: &str) -> Option<(i64, i64)> {
        let (value, taken) = self.complete.last()?.2.get(eid)?;
        self.is_there(*taken).then(|| (self.time_of(*taken), *value))
    }

    fn history(&self, eid: &str) -> Vec<(i64, i64)> {
        let own = self.complete.iter().filter_map(|(n, time, picture)| {
            picture.get(eid).filter(|(_, taken)| taken == n).map(|(value, _)| (*time, *value))
        });
        let mut all: Vec<_> = own.collect();
        all.reverse();
        all
    }

    fn apply(&mut self, store: &Store, reader: &Reader, step: &Step) {
        match step {
            Step::Create(i) => self.create(store, reader, EIDS[*i]),
            Step::Delete(i) => self.delete(store, reader, EIDS[*i]),
            Step::Begin => {
                if self.running.is_none() {
                    self.time += 1;
                    self.running = Some((begin(store, self.time), self.time, Picture::new()));
                    self.removed.clear();
                }
            }
            Step::Save(i) => self.save(store, EIDS[*i]),
            Step::Repeat(i) => self.repeat(store, EIDS[*i]),
            Step::Complete => self.finish(store),
            Step::Abort => {
                if let Some((run, ..)) = self.running.take() {
                    store.abort_run(run, "for a test", NOW).unwrap();
                }
            }
            Step::Clean(age) => {
                let oldest = self.time - age;
                store.clean_snapshots(Timestamp(oldest)).unwrap();
                let last = self.complete.last().map(|(n, ..)| *n);
                let before = self.complete.len();
                self.complete.retain(|(n, time, _)| *time >= oldest || Some(*n) == last);
                self.cleaned += before - self.complete.len();
            }
        }
    }

    fn create(&mut self, store: &Store, reader: &Reader, eid: &'static str) {
        if self.alive.insert(eid) {
            self.tasks += 1;
            admit(store, vec![task(self.tasks, eid)]);
            let waits = pending(reader, Queue::Normal).pop().unwrap();
            store.commit_blocking(applying(reader, &waits, vec![point("x", 1)])).unwrap();
        }
    }

    fn delete(&mut self, store: &Store, reader: &Reader, eid: &'static str) {
        if !self.alive.remove(eid) {
            return;
        }
        let revision = reader.record(&entity(eid)).unwrap().unwrap().revision;
        let deletion = Deletion { entity: entity(eid), revision, unless_linked: false };
        assert_eq!(store.delete_entities_blocking(vec![deletion], NOW).unwrap(), [Deleted::Removed]);
        for (_, _, picture) in self.complete.iter_mut().chain(&mut self.running) {
            self.hidden += usize::from(picture.remove(eid).is_some());
        }
        if self.running.is_some() {
            self.removed.insert(eid);
        }
    }

    /// Whether a document of an entity is refused: it was computed from what is removed by now.
    fn is_late(&self, eid: &str) -> bool {
        self.removed.contains(eid) && !self.alive.contains(eid)
    }

    fn save(&mut self, store: &Store, eid: &'static str) {
        self.value += 1;
        let late = self.is_late(eid);
        let Some((run, _, picture)) = &mut self.running else { return };
        let batch = RunBatch { documents: vec![document(eid, self.value)], ..RunBatch::default() };
        store.save_batch_blocking(*run, batch, NOW).unwrap();
        if !late {
            picture.insert(eid, (self.value, *run));
        }
    }

    fn repeat(&mut self, store: &Store, eid: &'static str) {
        let late = self.is_late(eid);
        let base = self.complete.last().and_then(|(_, _, picture)| picture.get(eid).copied());
        let Some((run, _, picture)) = &mut self.running else { return };
        let batch = RunBatch { unchanged: vec![entity(eid)], ..RunBatch::default() };
        let answer = store.save_batch_blocking(*run, batch, NOW);
        if late {
            answer.unwrap();
        } else if let (Some((value, _)), false) = (base, picture.contains_key(eid)) {
            answer.unwrap();
            picture.insert(eid, (value, *run));
        } else if picture.contains_key(eid) {
            answer.unwrap();
        } else {
            assert!(matches!(answer, Err(StoreError::Invalid(_))), "{answer:?}");
        }
    }

    fn finish(&mut self, store: &Store) {
        let Some((run, time, mut picture)) = self.running.take() else { return };
        store.complete_run(run, RunBatch::default(), NOW).unwrap();
        if let Some((_, _, base)) = self.complete.last() {
            for (eid, row) in base {
                if self.is_there(row.1) {
                    picture.entry(eid).or_insert(*row);
                }
            }
        }
        self.complete.push((run, time, picture));
    }

    fn compare(&self, reader: &Reader) {
        let ip = EntityType::new("ip").unwrap();
        let mut all = Vec::new();
        for eid in EIDS {
            let latest = reader.snapshot(&entity(eid)).unwrap().map(|s| brief(&s));
            assert_eq!(latest, self.latest(eid), "{eid}");
            all.extend(latest);
            let history = reader.snapshot_history(&entity(eid), TimeRange::default(), 0, 100).unwrap();
            assert_eq!(history.iter().map(brief).collect::<Vec<_>>(), self.history(eid), "{eid}");
            let mut forwards = Vec::new();
            let mut each = |snapshot| {
                forwards.insert(0, snapshot);
                Ok::<_, StoreError>(())
            };
            reader.each_snapshot(&entity(eid), TimeRange::default(), 1, 2, &mut each).unwrap();
            let rest = history.len().saturating_sub(1);
            assert_eq!(forwards, history[rest.saturating_sub(2)..rest], "{eid}");
        }
        let scan = reader.snapshots(&ip, None, None, 100).unwrap();
        assert_eq!(scan.iter().map(brief).collect::<Vec<_>>(), all);
        let id = |eid: &str| EntityId::new(eid).unwrap();
        for ids in [
            Ids::All,
            Ids::Range(EIDS[1].to_owned(), None),
            Ids::Range(EIDS[1].to_owned(), Some(EIDS[2].to_owned())),
            Ids::These([EIDS[0], EIDS[2], "nobody"].map(id).into()),
        ] {
            let wanted: Vec<Snapshot> = scan.iter().filter(|s| ids.admits(&s.view.entity.eid)).cloned().collect();
            assert_eq!(picture(reader, &ip, &ids, usize::MAX), wanted, "{ids:?}");
            assert_eq!(picture(reader, &ip, &ids, 1), wanted.into_iter().take(1).collect::<Vec<_>>(), "{ids:?}");
        }
        assert_eq!(reader.check().unwrap(), Vec::<String>::new());
    }
}

/// So many documents of the picture.
fn picture(reader: &Reader, etype: &EntityType, ids: &Ids, most: usize) -> Vec<Snapshot> {
    let mut out = Vec::new();
    reader
        .picture(etype, |picture| {
            picture.each(ids, &mut |row| {
                let bare = row.document(&|_| false)?;
                assert_eq!(row.head()?, bare);
                assert_eq!((row.eid(), row.time(), bare.view.values.len()), (row.id()?.as_str(), bare.time, 0));
                out.push(row.document(&|_| true)?);
                assert_eq!(picture.one(&row.id()?, |row| row.document(&|_| true))?.as_ref(), out.last());
                Ok::<_, StoreError>(if out.len() == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
            })
        })
        .unwrap();
    out
}

fn brief(snapshot: &Snapshot) -> (i64, i64) {
    let Value::Scalar(Scalar::Int(n)) = &snapshot.view.values[0].value else { panic!("{snapshot:?}") };
    (snapshot.time.0, *n)
}

#[test]
fn pictures_and_histories_are_those_of_the_model() {
    let cases = crate::script::extent(60, 1_000);
    let (mut kept, mut cleaned, mut hidden) = (0, 0, 0);
    let counts = std::cell::RefCell::new((&mut kept, &mut cleaned, &mut hidden));
    crate::script::runner(crate::script::seed(), cases)
        .run(&prop::collection::vec(step(), 1..60), |steps| {
            let store = store();
            let reader = store.reader().unwrap();
            let mut model = Model::default();
            for step in &steps {
                model.apply(&store, &reader, step);
                model.compare(&reader);
            }
            let mut counts = counts.borrow_mut();
            *counts.0 += model.complete.iter().flat_map(|(n, _, p)| p.values().filter(move |r| r.1 != *n)).count();
            *counts.1 += model.cleaned;
            *counts.2 += model.hidden;
            // At the end nothing is left of what nobody can see.
            model.apply(&store, &reader, &Step::Abort);
            model.apply(&store, &reader, &Step::Clean(0));
            model.compare(&reader);
            let conn = rusqlite::Connection::open(store.dir().join("tenter.db")).unwrap();
            let rest: i64 = conn.query_row("SELECT count(*) FROM snapshot_gone", [], |r| r.get(0)).unwrap();
            assert_eq!(rest, 0);
            let rows: i64 = conn.query_row("SELECT count(*) FROM snapshot", [], |r| r.get(0)).unwrap();
            assert_eq!(usize::try_from(rows).unwrap(), model.complete.iter().map(|(.., p)| p.len()).sum::<usize>());
            Ok(())
        })
        .unwrap();
    println!(
        "{cases} histories: {kept} documents kept, {cleaned} runs cleaned, {hidden} documents of removed entities"
    );
    assert!(kept > 0 && cleaned > 0 && hidden > 0, "the histories reach all of it");
}
