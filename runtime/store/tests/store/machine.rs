//! Random operations against a model in memory. After each, the books must balance (G6), the counts must equal the
//! model's and the rows, the queues must hold what the model says, in its order (G5), keys of requests must answer as
//! they did (G2), and modules must have counted what was committed (G12).

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use tenter_model::host::StateWrite;
use tenter_model::task::Queue;
use tenter_model::{Task, TaskId};
use tenter_store::{
    Admission, AdmitKey, CommitResult, Counters, DeadFilter, DeadKind, Effect, KeyedAdmission, Reader, Store,
    StoreError, StoreOptions, TaskOutcome,
};

use crate::fixtures::*;

const BUDGET: usize = 3;

#[derive(Debug, Clone)]
enum Op {
    /// Admit tasks with ids from a small pool.
    Admit(Vec<u8>),
    /// Admit them with a key and a body from small pools.
    Keyed {
        key: u8,
        body: u8,
        ids: Vec<u8>,
    },
    /// Finish the task at some place of the queues.
    Commit {
        place: usize,
        how: How,
        follow_ups: Vec<u8>,
        stale: bool,
    },
    /// Finish the last finished task once more.
    CommitAgain,
    Postpone(usize),
    ReplayDead(usize),
    DiscardDead(usize),
    Prune,
    Reopen,
}

#[derive(Debug, Clone, Copy)]
enum How {
    Apply,
    Delete,
    Deny,
    Die,
    Nothing,
}

fn operations() -> impl Strategy<Value = Vec<Op>> {
    let how = prop_oneof![
        4 => Just(How::Apply),
        1 => Just(How::Delete),
        1 => Just(How::Deny),
        1 => Just(How::Die),
        1 => Just(How::Nothing)
    ];
    let op = prop_oneof![
        6 => prop::collection::vec(0u8..24, 0..5).prop_map(Op::Admit),
        3 => (0u8..4, 0u8..2, prop::collection::vec(0u8..24, 0..4)).prop_map(|(key, body, ids)| Op::Keyed { key, body, ids }),
        10 => (any::<usize>(), how, prop::collection::vec(0u8..4, 0..4), prop::bool::weighted(0.15))
            .prop_map(|(place, how, follow_ups, stale)| Op::Commit { place, how, follow_ups, stale }),
        1 => Just(Op::CommitAgain),
        1 => any::<usize>().prop_map(Op::Postpone),
        1 => any::<usize>().prop_map(Op::ReplayDead),
        1 => any::<usize>().prop_map(Op::DiscardDead),
        1 => Just(Op::Prune),
        1 => Just(Op::Reopen),
    ];
    prop::collection::vec(op, 1..30)
}

/// What the store ought to hold.
#[derive(Default)]
struct Model {
    known: BTreeSet<TaskId>,
    /// The body and the first answer of each key.
    keys: BTreeMap<u8, (u8, Vec<(TaskId, Admission)>)>,
    /// What the module counted, by entity.
    counted: BTreeMap<String, i64>,
    queues: BTreeMap<Queue, Vec<Task>>,
    records: BTreeMap<String, u64>,
    descendants: BTreeMap<TaskId, usize>,
    /// Oldest first; whether it is over budget.
    dead: Vec<(Task, bool)>,
    counters: Counters,
    last: Option<TaskOutcome>,
}

struct Machine {
    dir: tempfile::TempDir,
    store: Store,
    reader: Reader,
    model: Model,
}

fn options() -> StoreOptions {
    StoreOptions { max_descendants: BUDGET as u64, ..quick() }
}

impl Machine {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), options(), NOW).unwrap();
        let reader = store.reader().unwrap();
        Self { dir, store, reader, model: Model::default() }
    }

    fn run(&mut self, op: Op) {
        match op {
            Op::Admit(ids) => {
                let tasks = tasks(&ids);
                let answers = self.store.admit_blocking(tasks.clone(), NOW).unwrap();
                self.admitted(tasks, &answers);
            }
            Op::Keyed { key, body, ids } => self.admit_keyed(key, body, &ids),
            Op::Commit { place, how, follow_ups, stale } => self.commit(place, how, &follow_ups, stale),
            Op::CommitAgain => {
                if let Some(last) = self.model.last.clone() {
                    assert_eq!(self.store.commit_blocking(last).unwrap(), CommitResult::Gone);
                }
            }
            Op::Postpone(place) => {
                if let Some(one) = self.pick(place) {
                    self.store.postpone_blocking(one.seq, one.task.id, 1, NOW, vec![]).unwrap();
                    self.model.counters.postponed += 1;
                }
            }
            Op::ReplayDead(n) => {
                if let Some(n) = n.checked_rem(self.model.dead.len()) {
                    let (task, over) = self.model.dead.remove(n);
                    self.store.replay_dead(self.dead_number(&task)).unwrap();
                    self.model.counters.dead -= 1;
                    self.model.counters.over_budget -= u64::from(over);
                    self.enqueue(task);
                }
            }
            Op::DiscardDead(n) => {
                if let Some(n) = n.checked_rem(self.model.dead.len()) {
                    let (task, _) = self.model.dead.remove(n);
                    self.store.discard_dead(self.dead_number(&task)).unwrap();
                }
            }
            Op::Prune => assert_eq!(self.store.prune(NOW).unwrap(), 0),
            Op::Reopen => {
                self.store.close().unwrap();
                self.store = Store::open(self.dir.path(), options(), NOW).unwrap();
                self.reader = self.store.reader().unwrap();
            }
        }
    }

    fn admit_keyed(&mut self, key: u8, body: u8, ids: &[u8]) {
        let given = AdmitKey { scope: "local".into(), key: format!("k{key}"), body_digest: [body; 32] };
        let tasks = tasks(ids);
        let answer = self.store.admit_keyed_blocking(given, tasks.clone(), NOW);
        match self.model.keys.get(&key) {
            Some((first, _)) if *first != body => {
                assert!(matches!(answer, Err(StoreError::KeyReused(_))), "{answer:?}");
            }
            Some((_, first)) => assert_eq!(answer.unwrap(), KeyedAdmission { repeated: true, tasks: first.clone() }),
            None => {
                let answer = answer.unwrap();
                assert!(!answer.repeated);
                let answers: Vec<_> = answer.tasks.iter().map(|(_, admission)| *admission).collect();
                self.model.keys.insert(key, (body, answer.tasks));
                self.admitted(tasks, &answers);
            }
        }
    }

    fn admitted(&mut self, tasks: Vec<Task>, answers: &[Admission]) {
        assert_eq!(answers.len(), tasks.len());
        for (task, answer) in tasks.into_iter().zip(answers) {
            let new = self.model.known.insert(task.id);
            assert_eq!(*answer == Admission::Accepted, new);
            if new {
                self.model.counters.accepted += 1;
                self.model.counters.received_points += task.body.datapoints.len() as u64;
                self.enqueue(task);
            } else {
                self.model.counters.duplicates += 1;
            }
        }
    }

    fn commit(&mut self, place: usize, how: How, follow_ups: &[u8], stale: bool) {
        let Some(one) = self.pick(place) else { return };
        let eid = one.task.body.entity.eid.to_string();
        let mut given = applying(&self.reader, &one, vec![point("x", 1), point("y", 2)]);
        given.follow_ups = follow_ups.iter().map(|n| follow_up(&one.task, u32::from(*n), &format!("e{n}"))).collect();
        given.state = vec![(module("label"), vec![StateWrite::Add { key: eid.clone(), by: 1 }], Vec::new())];
        match how {
            How::Apply => {}
            How::Delete => given.effect = Effect::Delete,
            How::Deny => given.effect = Effect::Denied { module: module("gate"), reason: "no".into() },
            How::Die => given.effect = Effect::Dead(letter(&one.task, DeadKind::Failed)),
            How::Nothing => given.effect = Effect::Nothing,
        }
        if stale && !matches!(how, How::Die | How::Nothing) {
            given.seen_revision = Some(given.seen_revision.map_or(1, |r| r + 1));
            assert_eq!(self.store.commit_blocking(given).unwrap(), CommitResult::Conflict);
            return;
        }
        let result = self.store.commit_blocking(given.clone()).unwrap();
        let model = &mut self.model;
        let c = &mut model.counters;
        model.queues.entry(one.task.queue).or_default().retain(|t| t.id != one.task.id);
        c.pending -= 1;
        *model.counted.entry(eid.clone()).or_default() += 1;
        match how {
            How::Apply => {
                c.applied += 1;
                c.raw_points += 2;
                let revision = model.records.entry(eid).or_default();
                c.created += u64::from(*revision == 0);
                *revision += 1;
            }
            How::Delete => {
                c.applied += 1;
                c.removed += u64::from(model.records.remove(&eid).is_some());
            }
            How::Deny => c.denied += 1,
            How::Die => {
                c.dead += 1;
                model.dead.push((one.task.clone(), false));
            }
            How::Nothing => c.applied += 1,
        }
        let (mut entered, mut duplicates, mut over_budget) = (0, 0, 0);
        for child in given.follow_ups.clone() {
            if !self.model.known.insert(child.id) {
                duplicates += 1;
                continue;
            }
            let had = self.model.descendants.entry(child.root).or_default();
            if *had < BUDGET {
                *had += 1;
                entered += 1;
                self.enqueue(child);
            } else {
                over_budget += 1;
                self.model.dead.push((child, true));
            }
        }
        let c = &mut self.model.counters;
        c.accepted += (entered + over_budget) as u64;
        c.duplicates += duplicates as u64;
        c.over_budget += over_budget as u64;
        c.dead += over_budget as u64;
        assert_eq!(result, committed(entered, duplicates, over_budget));
        self.model.last = Some(given);
    }

    fn enqueue(&mut self, task: Task) {
        self.model.counters.pending += 1;
        self.model.queues.entry(task.queue).or_default().push(task);
    }

    fn pick(&self, place: usize) -> Option<tenter_store::PendingTask> {
        let mut all = pending(&self.reader, Queue::Priority);
        all.extend(pending(&self.reader, Queue::Normal));
        place.checked_rem(all.len()).map(|n| all.swap_remove(n))
    }

    fn dead_number(&self, task: &Task) -> u64 {
        let rows = self.reader.dead(&DeadFilter::default(), 1_000).unwrap();
        rows.iter().find(|r| r.letter.task.id == task.id).unwrap().seq
    }

    fn check(&self) {
        let counters = self.reader.counters().unwrap();
        assert!(counters.reconciles(), "{counters:?}");
        // Bytes are the store's matter; that they are those of the rows is what the next line says.
        let expected = Counters { pending_bytes: counters.pending_bytes, ..self.model.counters };
        assert_eq!(counters, expected);
        assert_eq!(self.reader.audit().unwrap(), counters);
        for queue in [Queue::Priority, Queue::Normal] {
            let stored: Vec<_> = pending(&self.reader, queue).into_iter().map(|p| p.task).collect();
            assert_eq!(stored, self.model.queues.get(&queue).cloned().unwrap_or_default());
        }
        let mut dead: Vec<_> = self.reader.dead(&DeadFilter::default(), 1_000).unwrap();
        dead.sort_by_key(|d| d.letter.task.id);
        let mut wanted: Vec<_> = self.model.dead.iter().map(|(t, _)| t.clone()).collect();
        wanted.sort_by_key(|t| t.id);
        assert_eq!(dead.into_iter().map(|d| d.letter.task).collect::<Vec<_>>(), wanted);
        for n in 0..5 {
            let eid = format!("e{n}");
            let revision = self.reader.record(&entity(&eid)).unwrap().map(|r| r.revision);
            assert_eq!(revision, self.model.records.get(&eid).copied());
            let counted = self.reader.state_get(&module("label"), &eid, NOW).unwrap();
            let counted = counted.map(|(bytes, _)| String::from_utf8(bytes).unwrap().parse::<i64>().unwrap());
            assert_eq!(counted, self.model.counted.get(&eid).copied());
        }
        let ip = entity("e0").etype;
        assert_eq!(self.reader.entity_count(&ip).unwrap(), self.model.records.len() as u64);
    }
}

fn tasks(ids: &[u8]) -> Vec<Task> {
    ids.iter().map(|n| task(*n, &format!("e{}", n % 5))).collect()
}

#[test]
fn the_books_balance_whatever_happens() {
    let (mut repeated, mut reused) = (0, 0);
    let counts = std::cell::RefCell::new((&mut repeated, &mut reused));
    crate::script::runner(crate::script::seed(), crate::script::extent(256, 10_000))
        .run(&operations(), |ops| {
            let mut machine = Machine::new();
            for op in ops {
                if let Op::Keyed { key, body, .. } = &op
                    && let Some((first, _)) = machine.model.keys.get(key)
                {
                    let mut counts = counts.borrow_mut();
                    if first == body { *counts.0 += 1 } else { *counts.1 += 1 }
                }
                machine.run(op);
                machine.check();
            }
            Ok(())
        })
        .unwrap();
    println!("{repeated} requests were repeated with their key, {reused} came with the key of another");
    assert!(repeated > 0 && reused > 0, "the histories reach both");
}
