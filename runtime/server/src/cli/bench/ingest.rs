//! Tasks from the queue to the disk, all durable: without hooks, with three hooks per datapoint, with a created task for
//! each, and the bare storage loop as ceiling.
//!
//! Each run works on a fresh copy of one prepared store. Variants take turns, and ratios are made of the runs of one
//! turn, so that a machine that slows down for a while slows both sides.

use std::path::Path;
use std::sync::Arc;

use anyhow::ensure;
use serde_json::{Map, Value as Json, json};
use tenter_model::module::LoadedModule;
use tenter_model::time::Clock as _;
use tenter_store::bench::Ceiling;
use tenter_store::{Store, StoreOptions};

use super::Extent;
use super::meter::{self, Cost, load_average, median, rounded};
use super::world::{self, ATTRIBUTES, World};
use crate::clock::SystemClock;

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variant {
    /// No module.
    NoHooks,
    /// Three modules, each called for each of the three datapoints; nothing comes of it.
    ThreeHooks,
    /// The same, but one of the modules returns one task for one of the datapoints.
    Created,
    /// No engine: [`Ceiling`].
    Ceiling,
}

impl Variant {
    const ALL: [Self; 4] = [Self::NoHooks, Self::ThreeHooks, Self::Created, Self::Ceiling];

    fn name(self) -> &'static str {
        match self {
            Self::NoHooks => "no_hooks",
            Self::ThreeHooks => "three_hooks",
            Self::Created => "created",
            Self::Ceiling => "ceiling",
        }
    }
}

/// One run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) tasks_per_s: f64,
    cpu_us_per_task: f64,
}

/// Tasks and entities of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) tasks: u64,
    pub(super) entities: u64,
}

/// Measures ingestion.
///
/// # Errors
/// When the store refuses, or a run does not do its work.
pub(super) fn measure(world: &World, dir: &Path, extent: Extent) -> anyhow::Result<Json> {
    let size = extent.of(Size { tasks: 10_000, entities: 10_000 }, Size { tasks: 200, entities: 50 });
    let rounds = extent.of(9, 2);
    let attributes = ATTRIBUTES;
    let idle = json!({"entity": "host", "attributes": attributes, "rules": world::futile_rules()});
    let active = json!({"entity": "host", "attributes": attributes});
    let watchers = |third: &Json| -> anyhow::Result<Vec<Arc<LoadedModule>>> {
        [("first", &idle), ("second", &idle), ("third", third)]
            .into_iter()
            .map(|(name, config)| world.module(name, config.clone(), None))
            .collect()
    };
    let (idle_modules, active_modules) = (watchers(&idle)?, watchers(&active)?);

    let prepared = dir.join("prepared");
    world.prepare(&prepared, size.entities, size.tasks)?;
    let mut turns: Vec<[Run; 4]> = Vec::new();
    for _ in 0..rounds {
        let mut runs = Vec::new();
        for variant in Variant::ALL {
            let place = tempfile::tempdir_in(dir)?;
            runs.push(match variant {
                Variant::Ceiling => ceiling(place.path(), size)?,
                Variant::NoHooks => engine(world, &prepared, place.path(), variant, Vec::new(), size)?,
                Variant::ThreeHooks => engine(world, &prepared, place.path(), variant, idle_modules.clone(), size)?,
                Variant::Created => engine(world, &prepared, place.path(), variant, active_modules.clone(), size)?,
            });
        }
        if let Ok(turn) = runs.try_into() {
            turns.push(turn);
        }
    }
    Ok(report(&turns, size))
}

fn report(turns: &[[Run; 4]], size: Size) -> Json {
    let tasks_per_s =
        |[none, three, created, ceiling]: &[Run; 4]| [none, three, created, ceiling].map(|run| run.tasks_per_s);
    let ratio = |of: fn([f64; 4]) -> f64| rounded(median(turns.iter().map(|turn| of(tasks_per_s(turn)))));
    let mut variants = Map::new();
    for (index, variant) in Variant::ALL.into_iter().enumerate() {
        let runs: Vec<Run> = turns.iter().filter_map(|turn| turn.get(index).copied()).collect();
        variants.insert(
            variant.name().into(),
            json!({
                "tps": rounded(median(runs.iter().map(|r| r.tasks_per_s))),
                "cpu_us_per_task": rounded(median(runs.iter().map(|r| r.cpu_us_per_task))),
            }),
        );
    }
    let of = |variant: Variant, figure: &str| variants.get(variant.name()).and_then(|v| v.get(figure)).cloned();
    json!({
        "no_hooks_tps": of(Variant::NoHooks, "tps"),
        "ceiling_tps": of(Variant::Ceiling, "tps"),
        "cpu_us_per_task": of(Variant::NoHooks, "cpu_us_per_task"),
        "three_hooks_ratio": ratio(|[none, three, ..]| three / none),
        "created_ratio": ratio(|[none, _, created, _]| created / none),
        "ceiling_ratio": ratio(|[none, _, _, ceiling]| none / ceiling),
        "variants": variants,
        "tasks": size.tasks,
        "datapoints_per_task": ATTRIBUTES.len(),
        "entities": size.entities,
        "rounds": turns.len(),
        "load_average": load_average(),
    })
}

/// From the start of an engine until the queue is empty.
fn engine(
    world: &World,
    prepared: &Path,
    dir: &Path,
    variant: Variant,
    modules: Vec<Arc<LoadedModule>>,
    size: Size,
) -> anyhow::Result<Run> {
    copy(prepared, dir)?;
    let store = Store::open(dir, StoreOptions::default(), SystemClock.now())?;
    let reader = store.reader()?;
    let before = reader.counters()?;
    let (engine, cost) = meter::cost(|| {
        let engine = world.engine(&store, modules)?;
        world::drained(&store)?;
        Ok(engine)
    })?;
    let after = reader.counters()?;
    engine.drain();
    let called: u64 = engine.stats().total().values().map(|s| s.calls).sum();
    let faults: u64 = engine.stats().total().values().map(|s| s.faults + s.errors).sum();
    drop((engine, reader));
    store.close()?;

    let done = after.applied - before.applied;
    let (calls, all) = match variant {
        Variant::NoHooks | Variant::Ceiling => (0, size.tasks),
        Variant::ThreeHooks => (9 * size.tasks, size.tasks),
        // Tasks that were created bring one datapoint that nobody watches.
        Variant::Created => (9 * size.tasks, 2 * size.tasks),
    };
    ensure!(
        (called, done, faults) == (calls, all, 0),
        "{} was to call {calls} hooks for {all} tasks, but called {called} for {done}, {faults} of them failed",
        variant.name()
    );
    Ok(per_task(done, cost))
}

/// The bare storage loop on a database of its own.
///
/// # Errors
/// When the disk refuses.
pub(super) fn ceiling(dir: &Path, size: Size) -> anyhow::Result<Run> {
    let entity_of = |n| world::spread(n, size.entities);
    let mut ceiling = Ceiling::prepare(dir, size.entities, size.tasks, entity_of, world::name)?;
    let (done, cost) = meter::cost(|| Ok(ceiling.run()?))?;
    ensure!(done == size.tasks, "the bare loop did {done} of {} tasks", size.tasks);
    Ok(per_task(done, cost))
}

fn per_task(tasks: u64, cost: Cost) -> Run {
    let tasks = tasks as f64;
    Run { tasks_per_s: tasks / cost.wall_s, cpu_us_per_task: cost.cpu_s * 1e6 / tasks }
}

/// Copies a closed store with all that lies beside it, and has the disk take it before anything is timed.
pub(super) fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), &target)?;
            std::fs::File::open(&target)?.sync_all()?;
        } else {
            std::fs::create_dir_all(&target)?;
            copy(&entry.path(), &target)?;
        }
    }
    Ok(())
}
