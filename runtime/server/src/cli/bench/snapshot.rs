//! A snapshot of many entities, without hooks and with one warm correlation hook.
//!
//! Each entity has eight plain attributes and two histories of twenty points, and no links. Runs take turns on one store,
//! and each computes everything: nothing is left alone because it did not change. The hook is that of the example module
//! `risk-score`, which reads two values and sets one.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use serde_json::{Value as Json, json};
use tenter_engine::SnapshotOptions;
use tenter_model::module::LoadedModule;
use tenter_model::task::{Queue, TaskBody};
use tenter_model::time::Clock as _;
use tenter_model::{DataPoint, MasterRecord, Scalar, Timestamp, Value};
use tenter_store::{Effect, Store, StoreOptions, TaskOutcome};

use super::Extent;
use super::meter::{self, Cost, load_average, median, rounded};
use super::shapes;
use super::world::{self, HISTORIES, OTHERS, World};
use crate::clock::SystemClock;
use crate::embedded;

/// Points of each history.
const HISTORY: i64 = 20;
/// Entities in one step of the preparation.
const STEP: u64 = 1_000;

/// Measures runs.
///
/// # Errors
/// When the store refuses, or a run does not do its work.
pub(super) fn measure(world: &World, dir: &Path, entities: u64, extent: Extent) -> anyhow::Result<Json> {
    let rounds = extent.of(3, 2);
    let (_, component) =
        embedded::EXAMPLES.iter().find(|(name, _)| *name == "risk-score").context("there is no module risk-score")?;
    let module = world.load("risk-score", component, json!({}), None)?;

    let dir = dir.join("snapshot");
    let store = Store::open(&dir.join("alone"), StoreOptions::default(), SystemClock.now())?;
    prepare(&store, entities)?;
    let mut turns = Vec::new();
    for _ in 0..rounds {
        let none = run(world, &store, Vec::new(), entities)?;
        let hook = run(world, &store, vec![Arc::clone(&module)], entities)?;
        turns.push((none, hook));
    }
    store.close()?;
    let peak_memory = meter::peak_memory();
    let shapes = shapes::measure(world, &dir, &module, extent)?;

    let per_s = |cost: &Cost| entities as f64 / cost.wall_s;
    let cpu = |cost: &Cost| cost.cpu_s * 1e6 / entities as f64;
    let of = |pick: fn(&(Cost, Cost)) -> &Cost, figure: &dyn Fn(&Cost) -> f64| {
        rounded(median(turns.iter().map(|turn| figure(pick(turn)))))
    };
    Ok(json!({
        "no_hook_entities_per_s": of(|(none, _)| none, &per_s),
        "hook_entities_per_s": of(|(_, hook)| hook, &per_s),
        "no_hook_cpu_us": of(|(none, _)| none, &cpu),
        "hook_cpu_us": of(|(_, hook)| hook, &cpu),
        "hook_ratio": rounded(median(turns.iter().map(|(none, hook)| per_s(hook) / per_s(none)))),
        "peak_memory_bytes": peak_memory,
        "shapes": shapes,
        "shapes_peak_memory_bytes": meter::peak_memory(),
        "lanes": world.lanes(),
        "entities": entities,
        "rounds": rounds,
        "load_average": load_average(),
    }))
}

/// One run that computes everything, on an engine of its own.
fn run(world: &World, store: &Store, modules: Vec<Arc<LoadedModule>>, entities: u64) -> anyhow::Result<Cost> {
    let hooked = !modules.is_empty();
    let engine = world.engine(store, modules)?;
    let options = SnapshotOptions { full: true, ..SnapshotOptions::default() };
    let (report, cost) = meter::cost(|| Ok(engine.run_snapshot(options)?))?;
    engine.drain();
    let calls: u64 = engine.stats().total().values().map(|s| s.calls).sum();
    let faults: u64 = engine.stats().total().values().map(|s| s.faults + s.errors).sum();
    let documents = report.run.counts.get("documents").copied().unwrap_or(0);
    let wanted = if hooked { entities } else { 0 };
    ensure!(
        (documents, calls, faults) == (entities, wanted, 0),
        "the run was to store {entities} documents with {wanted} calls; it stored {documents} with {calls}, {faults} of \
         them failed"
    );
    let of_first = store.reader()?.snapshot(&world::entity("domain", "domain-0")?)?.context("there is no document")?;
    ensure!(of_first.view.values_of("risk").count() == usize::from(hooked), "the hook's change is not in the document");
    Ok(cost)
}

/// Stores the entities' records, past the hooks and the log of datapoints.
///
/// # Errors
/// When the store refuses.
pub(super) fn prepare(store: &Store, entities: u64) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let reader = store.reader()?;
    let mut first = 0;
    while first < entities {
        let end = entities.min(first + STEP);
        let empty = |n| Ok(TaskBody::new(world::entity("domain", &format!("domain-{n}"))?));
        world::admit(store, first, (first..end).map(empty))?;
        for pending in reader.pending(Queue::Normal, None, 0, 1, u32::MAX)? {
            let outcome = TaskOutcome {
                seq: pending.seq,
                id: pending.task.id,
                entity: pending.task.body.entity,
                at: now,
                seen_revision: None,
                origin: None,
                effect: Effect::Apply { record: record(now)?, raw: Vec::new(), links: Vec::new(), created: true },
                follow_ups: Vec::new(),
                dead: Vec::new(),
                errors: Vec::new(),
                state: Vec::new(),
                invocations: Vec::new(),
            };
            // The last of the step waits for all before it.
            store.commit(outcome, Box::new(|_| {}));
        }
        first = end;
        world::drained(store)?;
    }
    Ok(())
}

/// Ten attributes.
fn record(now: Timestamp) -> anyhow::Result<MasterRecord> {
    let mut record = MasterRecord::new(now);
    let entropy =
        DataPoint { value: Value::Scalar(Scalar::Float(4.25)), ..world::datapoint("entropy", String::new(), None)? };
    record.stage(&entropy, now);
    for (n, attr) in (0..).zip(OTHERS) {
        record.stage(&world::datapoint(attr, world::name(n), None)?, now);
    }
    for attr in HISTORIES {
        for n in 0..HISTORY {
            let hours_ago = (HISTORY - n).saturating_mul(3_600_000_000);
            let time = now.saturating_add(hours_ago.saturating_neg());
            let point = world::datapoint(attr, world::name(n.unsigned_abs()), Some(time))?;
            record.stage(&point, now);
        }
    }
    Ok(record)
}
