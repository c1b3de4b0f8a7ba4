//! Snapshots of entities that links connect: a large component, a hub, a chain, a cycle.
//!
//! The links are those that the example module `risk-score` follows, from addresses to the domains that resolve to them,
//! so each shape is one component, and its times have the hooks of all its entities in them.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use serde_json::{Map, Value as Json, json};
use tenter_engine::SnapshotOptions;
use tenter_model::module::LoadedModule;
use tenter_model::task::TaskBody;
use tenter_model::time::Clock as _;
use tenter_model::value::Link;
use tenter_model::{DataPoint, Scalar, Value};
use tenter_store::{ErrorFilter, Store, StoreOptions};

use super::Extent;
use super::meter::{self, Cost, median, rounded};
use super::world::{self, World};
use crate::clock::SystemClock;

/// Which addresses a domain resolves to, by their numbers.
type Targets = fn(domain: u64, addresses: u64) -> [u64; 2];

/// Entities and how they hang together.
struct Shape {
    name: &'static str,
    addresses: u64,
    domains: u64,
    /// The same address twice is one link.
    targets: Targets,
}

fn shapes(extent: Extent) -> [Shape; 4] {
    let of = |standard, small| extent.of(standard, small);
    [
        Shape {
            name: "component",
            addresses: of(100, 10),
            domains: of(9_900, 90),
            targets: |domain, addresses| [domain % addresses, (domain + 1) % addresses],
        },
        Shape { name: "hub", addresses: 1, domains: of(9_999, 99), targets: |_, _| [0, 0] },
        Shape {
            name: "chain",
            addresses: of(501, 26),
            domains: of(500, 25),
            targets: |domain, _| [domain, domain + 1],
        },
        Shape {
            name: "cycle",
            addresses: of(500, 25),
            domains: of(500, 25),
            targets: |domain, addresses| [domain, (domain + 1) % addresses],
        },
    ]
}

/// Measures a run over each shape.
///
/// # Errors
/// When the store refuses, or a run does not do its work.
pub(super) fn measure(world: &World, dir: &Path, module: &Arc<LoadedModule>, extent: Extent) -> anyhow::Result<Json> {
    let mut report = Map::new();
    for shape in shapes(extent) {
        let dir = dir.join(shape.name);
        let store = Store::open(&dir, StoreOptions::default(), SystemClock.now())?;
        let links = prepare(world, &store, &shape)?;
        let mut costs = Vec::new();
        for _ in 0..extent.of(3, 1) {
            costs.push(run(world, &store, module, &shape)?);
        }
        store.close()?;
        let of = |figure: &dyn Fn(&Cost) -> f64| rounded(median(costs.iter().map(figure)) * 1000.0);
        let figures = json!({
            "entities": shape.addresses + shape.domains,
            "links": links,
            "wall_ms": of(&|cost| cost.wall_s),
            "cpu_ms": of(&|cost| cost.cpu_s),
        });
        report.insert(shape.name.to_owned(), figures);
    }
    Ok(Json::Object(report))
}

/// Stores the entities, and gives the number of their links.
fn prepare(world: &World, store: &Store, shape: &Shape) -> anyhow::Result<usize> {
    let indicator = |entity| -> anyhow::Result<TaskBody> {
        let mut body = TaskBody::new(entity);
        body.datapoints.push(world::datapoint("indicator", "listed".to_owned(), None)?);
        Ok(body)
    };
    let mut links = 0;
    let addresses = (0..shape.addresses).map(|n| indicator(world::entity("ip", &format!("ip-{n}"))?));
    let mut bodies: Vec<_> = addresses.collect::<Result<_, _>>()?;
    for n in 0..shape.domains {
        let [first, second] = (shape.targets)(n, shape.addresses);
        let mut targets = vec![first];
        targets.extend((second != first).then_some(second));
        links += targets.len();
        let link = |n: u64| -> anyhow::Result<Link> {
            Ok(Link { target: world::entity("ip", &format!("ip-{n}"))?, data: None })
        };
        let value = Value::Links(targets.into_iter().map(link).collect::<Result<_, _>>()?);
        let mut body = indicator(world::entity("domain", &format!("domain-{n}"))?)?;
        body.datapoints.push(DataPoint { value, ..world::datapoint("addresses", String::new(), None)? });
        bodies.push(body);
    }
    world::admit(store, 0, bodies.into_iter().map(Ok))?;
    let engine = world.engine(store, Vec::new())?;
    world::drained(store)?;
    engine.drain();
    Ok(links)
}

/// One run that computes everything; it must have called a hook for each entity, and found one component.
fn run(world: &World, store: &Store, module: &Arc<LoadedModule>, shape: &Shape) -> anyhow::Result<Cost> {
    let engine = world.engine(store, vec![Arc::clone(module)])?;
    let options = SnapshotOptions { full: true, ..SnapshotOptions::default() };
    let (report, cost) = meter::cost(|| Ok(engine.run_snapshot(options)?))?;
    engine.drain();
    let entities = shape.addresses + shape.domains;
    let stats = engine.stats().total();
    let calls: u64 = stats.values().map(|s| s.calls).sum();
    let faults: u64 = stats.values().map(|s| s.faults + s.errors).sum();
    let failed = store.reader()?.errors(&ErrorFilter::default(), 1)?;
    let count = |name: &str| report.run.counts.get(name).copied().unwrap_or(0);
    ensure!(
        (count("documents"), count("linked"), count("components"), calls, faults)
            == (entities, entities, 1, entities, 0),
        "{}: the run was to store {entities} documents of one component with as many calls; it counted {:?} with {calls} \
         calls, {faults} of them failed: {:?}",
        shape.name,
        report.run.counts,
        failed.first().map(|row| (&row.entity, &row.reason, &row.message))
    );
    let first = store.reader()?.snapshot(&world::entity("ip", "ip-0")?)?.context("there is no document")?;
    let is_domain = |reason: &Scalar| matches!(reason, Scalar::Text(text) if text.contains("domain"));
    let reasons = first.view.values_of("risk_from").map(|value| &value.value);
    let mut reasons = reasons.filter_map(|value| if let Value::Items(items) = value { Some(items) } else { None });
    ensure!(
        reasons.any(|items| items.iter().any(is_domain)),
        "{}: no linked domain is among the reasons of an address",
        shape.name
    );
    Ok(cost)
}
