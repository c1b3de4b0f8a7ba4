//! How many tasks per second the store takes: admission and commits of three datapoints each over 100 000 entities,
//! with records of about 1.2 kB, as a server would drive it: several pieces of work under way, answers awaited.
//!
//! `cargo run --release -p tenter-store --example throughput [TASKS] [UNDER_WAY]`

use std::sync::mpsc;
use std::time::Instant;

use tenter_model::task::Queue;
use tenter_model::{
    AttrName, DataPoint, EntityId, EntityRef, EntityType, MasterRecord, Scalar, Task, TaskBody, TaskId, Timestamp,
    Value,
};
use tenter_store::{CommitResult, Effect, RawPoint, Store, StoreError, StoreOptions, TaskOutcome};

const ENTITIES: u64 = 100_000;
const KEPT_OBSERVATIONS: usize = 10;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let tasks: u64 = arguments.next().map_or(Ok(200_000), |a| a.parse())?;
    let under_way: usize = arguments.next().map_or(Ok(512), |a| a.parse())?;
    let now = Timestamp(1_700_000_000_000_000);
    let dir = std::env::temp_dir().join(format!("tenter-throughput-{}", std::process::id()));
    let store = Store::open(&dir, StoreOptions::default(), now)?;

    let begin = Instant::now();
    admit(&store, tasks, now)?;
    report("admit, 100 at once", tasks, begin, &store, 0);

    let before = store.health().transactions;
    let begin = Instant::now();
    process(&store, tasks, under_way, now)?;
    report("read record, commit 3 datapoints", tasks, begin, &store, before);

    let counters = store.reader()?.audit()?;
    assert!(counters.reconciles() && counters.applied == tasks, "{counters:?}");
    store.close()?;
    let size = std::fs::metadata(dir.join("tenter.db"))?.len();
    println!("database: {} MB", size >> 20);
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}

fn report(what: &str, tasks: u64, begin: Instant, store: &Store, transactions_before: u64) {
    let seconds = begin.elapsed().as_secs_f64();
    let transactions = (store.health().transactions - transactions_before).max(1);
    println!("{what}: {:.0} tasks/s, {transactions} transactions", tasks as f64 / seconds);
}

/// A spread over the entities that is the same in each run.
fn entity(n: u64) -> Result<EntityRef, Box<dyn std::error::Error>> {
    let n = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % ENTITIES;
    Ok(EntityRef { etype: EntityType::new("ip")?, eid: EntityId::new(&format!("10.{}.{}.1", n >> 8, n & 255))? })
}

fn admit(store: &Store, tasks: u64, now: Timestamp) -> Result<(), Box<dyn std::error::Error>> {
    let (sender, receiver) = mpsc::channel();
    let names = [AttrName::new("open_ports")?, AttrName::new("hostname")?, AttrName::new("threat")?];
    let mut calls = 0;
    for first in (0..tasks).step_by(100) {
        let mut batch = Vec::with_capacity(100);
        for n in first..(first + 100).min(tasks) {
            let mut random = [0; 10];
            random[2..].copy_from_slice(&n.to_be_bytes());
            let id = TaskId::root(now, random);
            let mut body = TaskBody::new(entity(n)?);
            for (i, attr) in names.iter().enumerate() {
                let time = (i > 0).then_some(now);
                body.datapoints.push(DataPoint {
                    attr: attr.clone(),
                    value: Value::Scalar(Scalar::Text(format!("value number {n}"))),
                    src: Some("throughput".into()),
                    t1: time,
                    t2: time,
                    confidence: time.map(|_| 0.9),
                });
            }
            batch.push(Task { id, root: id, depth: 0, queue: Queue::Normal, origin: None, body });
        }
        let sender = sender.clone();
        store.admit(batch, now, Box::new(move |result| drop(sender.send(result.map(|_| ())))));
        calls += 1;
    }
    receiver.iter().take(calls).collect::<Result<(), StoreError>>()?;
    Ok(())
}

/// Reads, stages and commits, with so many commits under way. A conflict (two tasks of an entity under way, which the
/// engine would not allow) is read and tried again.
fn process(store: &Store, tasks: u64, under_way: usize, now: Timestamp) -> Result<(), Box<dyn std::error::Error>> {
    let reader = store.reader()?;
    let (sender, receiver) = mpsc::channel();
    let (mut after, mut handed, mut running, mut done) = (None, 0, 0, 0);
    let mut again = Vec::new();
    while done < tasks {
        let mut work = std::mem::take(&mut again);
        if running < under_way && handed < tasks {
            let some = reader.pending(Queue::Normal, after, 0, 1, 256)?;
            after = some.last().map(|p| p.seq).or(after);
            handed += some.len() as u64;
            work.extend(some);
        }
        for pending in work {
            let entity = pending.task.body.entity.clone();
            let stored = reader.record(&entity)?;
            let seen_revision = stored.as_ref().map(|r| r.revision);
            let mut record = stored.unwrap_or_else(|| MasterRecord::new(now));
            let mut raw = Vec::with_capacity(pending.task.body.datapoints.len());
            for datapoint in &pending.task.body.datapoints {
                record.stage(datapoint, now);
                raw.push(RawPoint { datapoint: datapoint.clone(), module: None });
            }
            for history in record.attributes.values_mut() {
                if let tenter_model::record::History::Observations(points) = history {
                    points.drain(..points.len().saturating_sub(KEPT_OBSERVATIONS));
                }
            }
            let outcome = TaskOutcome {
                seq: pending.seq,
                id: pending.task.id,
                entity,
                at: now,
                seen_revision,
                origin: None,
                effect: Effect::Apply { record, raw, links: Vec::new(), created: seen_revision.is_none() },
                follow_ups: Vec::new(),
                dead: Vec::new(),
                errors: Vec::new(),
                state: Vec::new(),
                invocations: Vec::new(),
            };
            let sender = sender.clone();
            store.commit(outcome, Box::new(move |result| drop(sender.send((result, pending)))));
            running += 1;
        }
        let mut answer = Some(receiver.recv()?);
        while let Some((result, pending)) = answer.take() {
            running -= 1;
            match result? {
                CommitResult::Committed { .. } => done += 1,
                CommitResult::Conflict => again.push(pending),
                CommitResult::Gone => return Err("a task was done twice".into()),
            }
            answer = receiver.try_recv().ok();
        }
    }
    Ok(())
}
