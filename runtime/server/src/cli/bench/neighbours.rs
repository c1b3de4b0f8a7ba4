//! What a module suffers from another one that burns all fuel it is given.
//!
//! A benign task is sent, and the next only after its effects are stored; its latency is the time between. Beside it,
//! tasks of another entity type are sent in the same way, and the module that watches those never ends: a thousand
//! rules and a name of 64 KiB run its call out of fuel each time. The server would pause such a module after some calls;
//! here it is released after each, since what is asked is the worst that a neighbour can do. Both share the engine.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::{Value as Json, json};
use tenter_engine::Engine;
use tenter_model::task::TaskBody;
use tenter_model::time::Clock as _;
use tenter_model::{EntityRef, HookKind, ModuleName};
use tenter_store::{Reader, Store, StoreOptions};

use super::Extent;
use super::meter::{load_average, quantile, rounded};
use super::world::{self, World};
use crate::clock::SystemClock;

/// Wait between two looks whether a task is stored.
const GLANCE: Duration = Duration::from_micros(50);
/// Longest wait for one task.
const PATIENCE: Duration = Duration::from_secs(30);
const HOSTILE_RULES: u32 = 1_000;
const HOSTILE_NAME: usize = 64 << 10;

/// Measures latencies alone and beside a hostile module, in turns.
///
/// # Errors
/// When the store refuses or a task is not stored in time.
pub(super) fn measure(world: &World, dir: &Path, extent: Extent) -> anyhow::Result<Json> {
    let rules: Json = (0..HOSTILE_RULES).map(|n| json!([format!("no{n}"), "none"])).collect();
    let benign = world.module("benign", json!({"entity": "host"}), None)?;
    let hostile =
        world.module("hostile", json!({"entity": "target", "attributes": ["banner"], "rules": rules}), None)?;
    let store = Store::open(&dir.join("neighbours"), StoreOptions::default(), SystemClock.now())?;
    let stage = Stage { engine: world.engine(&store, vec![benign, hostile])?, store: &store, next: AtomicU64::new(0) };
    let (turns, tasks) = (extent.of(4, 1), extent.of(250, 5));
    stage.latencies(extent.of(50, 2))?;
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..turns {
        alone.extend(stage.latencies(tasks)?);
        beside.extend(stage.beside_hostile(tasks)?);
    }
    let load = load_average();
    stage.engine.drain();
    let faults = stage.faults("hostile")?;
    ensure!(faults > 0, "the hostile module was never stopped, so nothing was measured beside it");
    drop(stage);
    store.close()?;

    let figures = |list: &[f64]| [0.5, 0.99].map(|share| rounded(quantile(list.iter().copied(), share)));
    let ([alone_p50, alone_p99], [beside_p50, beside_p99]) = (figures(&alone), figures(&beside));
    Ok(json!({
        "alone": {"p50_us": alone_p50, "p99_us": alone_p99},
        "beside": {"p50_us": beside_p50, "p99_us": beside_p99},
        "p99_ratio": rounded(beside_p99 / alone_p99),
        "hostile_calls_stopped": faults,
        "tasks": alone.len(),
        "load_average": load,
    }))
}

struct Stage<'s> {
    engine: Engine,
    store: &'s Store,
    next: AtomicU64,
}

impl Stage<'_> {
    /// Latencies of so many benign tasks in microseconds.
    fn latencies(&self, tasks: u32) -> anyhow::Result<Vec<f64>> {
        let reader = self.store.reader()?;
        (0..tasks).map(|_| self.send(&reader, "host", "hostname", world::name(7))).collect()
    }

    /// The same while hostile tasks are under way.
    fn beside_hostile(&self, tasks: u32) -> anyhow::Result<Vec<f64>> {
        let (stop, begun) = (AtomicBool::new(false), AtomicBool::new(false));
        std::thread::scope(|scope| {
            let hostile = scope.spawn(|| -> anyhow::Result<()> {
                let (reader, name) = (self.store.reader()?, ModuleName::new("hostile")?);
                begun.store(true, Ordering::SeqCst);
                while !stop.load(Ordering::SeqCst) {
                    self.send(&reader, "target", "banner", "n".repeat(HOSTILE_NAME))?;
                    self.engine.breakers().release(&name, None, SystemClock.now());
                }
                Ok(())
            });
            while !begun.load(Ordering::SeqCst) && !hostile.is_finished() {
                std::thread::yield_now();
            }
            let latencies = self.latencies(tasks);
            stop.store(true, Ordering::SeqCst);
            hostile.join().ok().context("the thread that sends hostile tasks ended by a panic")??;
            latencies
        })
    }

    /// Sends a task of an entity that is new, and waits until the entity is stored.
    fn send(&self, reader: &Reader, etype: &str, attr: &str, text: String) -> anyhow::Result<f64> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let entity = world::entity(etype, &format!("neighbour-{number}"))?;
        let mut body = TaskBody::new(entity.clone());
        body.datapoints.push(world::datapoint(attr, text, None)?);
        let (sender, receiver) = mpsc::channel();
        let began = Instant::now();
        self.engine.admit(vec![body], Box::new(move |result| drop(sender.send(result.map(drop)))));
        receiver.recv()??;
        stored(reader, &entity, began)?;
        Ok(began.elapsed().as_secs_f64() * 1e6)
    }

    /// How often a module's call was stopped.
    fn faults(&self, module: &str) -> anyhow::Result<u64> {
        let key = (ModuleName::new(module)?, HookKind::OnNewAttribute);
        Ok(self.engine.stats().total().get(&key).map_or(0, |s| s.faults))
    }
}

fn stored(reader: &Reader, entity: &EntityRef, began: Instant) -> anyhow::Result<()> {
    while !reader.is_known(entity)? {
        ensure!(began.elapsed() < PATIENCE, "the task of {entity} was not stored within {} s", PATIENCE.as_secs());
        std::thread::sleep(GLANCE);
    }
    Ok(())
}
