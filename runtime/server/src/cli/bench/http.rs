//! What HTTP costs: the way to the store beside the bare storage loop, ingestion over HTTP beside the same without, and
//! listings of many entities.
//!
//! Server and clients are in this process and share its processors, so that the figures are of both. Requests are made
//! before the clock runs.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value as Json, json};
use tenter_model::TaskBody;
use tenter_store::StoreOptions;

use super::Extent;
use super::ingest::{self, Size};
use super::meter::{self, Cost, load_average, median, rounded, thread_cpu};
use super::world::{self, ATTRIBUTES, World};
use crate::api;
use crate::app::{App, Options};
use crate::embedded;
use crate::serving::Serving;

mod line;
mod listing;

use line::{Line, request};

/// Datapoints of one request.
const BATCH: u64 = 100;
/// Connections that send at once, each waiting for its answers.
const CONNECTIONS: usize = 8;
/// Modules that are called for each datapoint.
const MODULES: [&str; 3] = ["first", "second", "third"];
/// Longest wait between two looks at the queue.
const GLANCE: Duration = Duration::from_millis(1);

/// Measures all of it.
///
/// # Errors
/// When a server does not start, or a run does not do its work.
pub(super) fn measure(world: &World, dir: &Path, entities: u64, extent: Extent) -> anyhow::Result<Json> {
    let rounds = extent.of(9, 2);
    Ok(json!({
        "path": path(dir, extent, rounds)?,
        "ingest": ingestion(world, dir, extent, rounds)?,
        "listing": listing::measure(dir, entities, extent.of(100, 5))?,
        "datapoints_per_request": BATCH,
        "connections": CONNECTIONS,
        "rounds": rounds,
        "load_average": load_average(),
    }))
}

/// Parsing, checking and answering, beside the loop that stores.
fn path(dir: &Path, extent: Extent, rounds: usize) -> anyhow::Result<Json> {
    let size = extent.of(Size { tasks: 10_000, entities: 10_000 }, Size { tasks: 200, entities: 50 });
    let requests = extent.of(4_000, 40);
    let bodies: Vec<Vec<u8>> = (0..20).map(|n| body(n, size.entities)).collect();
    let posts: Vec<Vec<u8>> = bodies.iter().map(|body| request("POST", "/datapoints", None, body)).collect();

    let data = tempfile::tempdir_in(dir)?;
    let site = world::site(&[])?;
    let serving = Serving::start_with(options(data.path(), site), api::router_to_nowhere)?;
    let address = serving.app.address();
    let mut turns = Vec::new();
    for _ in 0..rounds {
        let parsed = parse(&serving.app, &bodies, requests / 10)?;
        let ((), cost) = meter::cost(|| send(address, &posts, requests))?;
        let place = tempfile::tempdir_in(dir)?;
        let ceiling = ingest::ceiling(place.path(), size)?.tasks_per_s * ATTRIBUTES.len() as f64;
        turns.push((parsed, cost, ceiling));
    }
    serving.stop()?;

    let datapoints = requests as f64 * BATCH as f64;
    let of = |figure: &dyn Fn(&(f64, Cost, f64)) -> f64| rounded(median(turns.iter().map(figure)));
    Ok(json!({
        "datapoints_per_s": of(&|(_, cost, _)| datapoints / cost.wall_s),
        "cpu_us_per_datapoint": of(&|(_, cost, _)| cost.cpu_s * 1e6 / datapoints),
        "parse_us_per_datapoint": of(&|(parsed, ..)| *parsed),
        "ceiling_datapoints_per_s": of(&|(.., ceiling)| *ceiling),
        "ratio": of(&|(_, cost, ceiling)| datapoints / cost.wall_s / ceiling),
        "requests": requests,
        "bytes_per_request": bodies.first().map(Vec::len),
    }))
}

/// CPU time of reading and checking alone, per datapoint.
fn parse(app: &App, bodies: &[Vec<u8>], requests: usize) -> anyhow::Result<f64> {
    let before = thread_cpu();
    for body in bodies.iter().cycle().take(requests) {
        let accepted = app.schema().accept_datapoints(body);
        ensure!(std::hint::black_box(accepted).is_ok(), "a datapoint of the bench is not valid");
    }
    Ok((thread_cpu() - before).as_secs_f64() * 1e6 / (requests as f64 * BATCH as f64))
}

/// Sends requests in turn on some connections at once, and waits for all answers.
fn send(address: SocketAddr, posts: &[Vec<u8>], requests: usize) -> anyhow::Result<()> {
    let client = |first: usize| -> anyhow::Result<()> {
        let mut line = Line::open(address)?;
        for post in posts.iter().cycle().skip(first).step_by(CONNECTIONS).take(share(requests, first)) {
            line.ask(post)?;
        }
        Ok(())
    };
    all_at_once(client)
}

/// Of so many, those of one connection.
fn share(requests: usize, connection: usize) -> usize {
    (requests + CONNECTIONS - 1 - connection) / CONNECTIONS
}

fn all_at_once(client: impl Fn(usize) -> anyhow::Result<()> + Sync) -> anyhow::Result<()> {
    std::thread::scope(|scope| {
        let client = &client;
        let threads: Vec<_> = (0..CONNECTIONS).map(|first| scope.spawn(move || client(first))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| anyhow::bail!("a client panicked")))
    })
}

/// From the first request until the queue is empty, with three hooks for each datapoint: over HTTP, and by function calls.
fn ingestion(world: &World, dir: &Path, extent: Extent, rounds: usize) -> anyhow::Result<Json> {
    let (requests, entities) = extent.of((300, 10_000), (8, 50));
    let idle = json!({"entity": "host", "attributes": ATTRIBUTES, "rules": world::futile_rules()});
    let site = world::site(&MODULES.map(|name| (name, &idle)))?;
    let prepared = dir.join("http-prepared");
    world.prepare(&prepared, entities, 0)?;
    install(&prepared, site.clone())?;

    let bodies: Vec<Vec<u8>> = (0..requests as u64).map(|n| body(n, entities)).collect();
    let posts: Vec<Vec<u8>> = bodies.iter().map(|body| request("POST", "/datapoints", None, body)).collect();
    let mut turns = Vec::new();
    for _ in 0..rounds {
        let run = |over_http: bool| -> anyhow::Result<Cost> {
            let place = tempfile::tempdir_in(dir)?;
            ingest::copy(&prepared, place.path())?;
            let serving = Serving::start_with(options(place.path(), site.clone()), api::router)?;
            let app = &serving.app;
            let tasks = bodies.iter().map(|body| tasks(app, body)).collect::<anyhow::Result<Vec<_>>>()?;
            let ((), cost) = meter::cost(|| {
                if over_http {
                    send(app.address(), &posts, requests)?;
                } else {
                    admit(app, &tasks, requests)?;
                }
                drained(app)
            })?;
            let calls: u64 = app.hook_stats().values().map(|s| s.calls).sum();
            let faults: u64 = app.hook_stats().values().map(|s| s.faults + s.errors).sum();
            let wanted = requests as u64 * BATCH * MODULES.len() as u64;
            ensure!((calls, faults) == (wanted, 0), "{wanted} calls were due, {calls} took place, {faults} failed");
            serving.stop()?;
            Ok(cost)
        };
        turns.push((run(true)?, run(false)?));
    }
    let datapoints = requests as f64 * BATCH as f64;
    let of = |figure: &dyn Fn(&(Cost, Cost)) -> f64| rounded(median(turns.iter().map(figure)));
    Ok(json!({
        "over_http_datapoints_per_s": of(&|(over, _)| datapoints / over.wall_s),
        "without_datapoints_per_s": of(&|(_, without)| datapoints / without.wall_s),
        "over_http_cpu_us_per_datapoint": of(&|(over, _)| over.cpu_s * 1e6 / datapoints),
        "without_cpu_us_per_datapoint": of(&|(_, without)| without.cpu_s * 1e6 / datapoints),
        "ratio": of(&|(over, without)| without.wall_s / over.wall_s),
        "requests": requests,
        "hooks_per_datapoint": MODULES.len(),
        "entities": entities,
    }))
}

/// Uploads the modules, as an operator would.
fn install(data: &Path, site: tenter_model::config::SiteConfig) -> anyhow::Result<()> {
    let serving = Serving::start_with(options(data, site), api::router)?;
    let mut line = Line::open(serving.app.address())?;
    for name in MODULES {
        let path = format!("/api/v1/modules/{name}?grant_requested=true");
        let token = Some(serving.app.operator_token());
        line.ask(&request("PUT", &path, token, embedded::HOSTNAME_CLASS))
            .with_context(|| format!("uploading {name}"))?;
    }
    drop(line);
    serving.stop()
}

/// What a handler makes of a body.
fn tasks(app: &App, body: &[u8]) -> anyhow::Result<Vec<TaskBody>> {
    let groups = app.schema().accept_datapoints(body).map_err(|e| anyhow::anyhow!("{:?}", e.first()))?;
    Ok(groups.into_iter().map(|(entity, datapoints)| TaskBody { datapoints, ..TaskBody::new(entity) }).collect())
}

/// The same as [`send`] by function calls: as many at once, each waiting until its tasks are on disk.
fn admit(app: &App, batches: &[Vec<TaskBody>], requests: usize) -> anyhow::Result<()> {
    let client = |first: usize| -> anyhow::Result<()> {
        for tasks in batches.iter().cycle().skip(first).step_by(CONNECTIONS).take(share(requests, first)) {
            let (sender, receiver) = mpsc::channel();
            // Who waits is the next line.
            app.engine().admit(tasks.clone(), Box::new(move |result| drop(sender.send(result.map(drop)))));
            receiver.recv()??;
        }
        Ok(())
    };
    all_at_once(client)
}

fn drained(app: &App) -> anyhow::Result<()> {
    let reader = app.reader()?;
    while reader.counters()?.pending > 0 {
        ensure!(app.problem().is_none(), "the server stopped: {:?}", app.problem());
        std::thread::sleep(GLANCE);
    }
    Ok(())
}

fn options(data: &Path, site: tenter_model::config::SiteConfig) -> Options {
    Options {
        site,
        data_dir: data.to_owned(),
        listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
        store: StoreOptions::default(),
        lanes: 0,
        site_dir: None,
    }
}

/// A hundred datapoints, three of each entity, in the form that clients send.
fn body(n: u64, entities: u64) -> Vec<u8> {
    let points = (0..BATCH).map(|i| {
        let number = n * BATCH + i;
        let eid = format!("host-{}", world::spread(number / 3, entities));
        let (attr, value) = match ATTRIBUTES.get(usize::try_from(i % 3).unwrap_or(0)) {
            Some(attr) if i % 3 > 0 => (*attr, world::plain_name(number)),
            _ => (ATTRIBUTES[0], world::name(number)),
        };
        let mut point = json!({"type": "host", "id": eid, "attr": attr, "v": value, "src": "bench"});
        if let (Some(point), true) = (point.as_object_mut(), i % 3 > 0) {
            let second = number % 60;
            point.insert("t1".into(), json!(format!("2026-01-01T00:00:{second:02}Z")));
            point.insert("t2".into(), json!(format!("2026-01-01T01:00:{second:02}Z")));
            point.insert("c".into(), json!(0.9));
        }
        point
    });
    Json::from_iter(points).to_string().into_bytes()
}
