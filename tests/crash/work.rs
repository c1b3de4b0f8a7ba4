//! Deaths in the work that the server does by itself: snapshot runs, sweeps of the update hooks, the care of histories.
//! The server dies at a named place or is killed at any moment, the next one goes on, and what is there at the end is
//! what a twin has that nobody disturbed: documents, records, counts of tasks, what hooks counted in their state.
//!
//! Each place once, or with `TENTER_EXTENT=full` five times, the later ones at a later time that work comes by where it
//! comes by more often. Waiting for the clock is most of it, so several twins run at once.

mod care;
mod runs;
mod sweeps;

use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::picture::Picture;
use crate::place::Place;
use crate::random::Random;

/// A time of the clock that no test sees.
const NEVER: &str = "{year: \"2099\"}";
const EACH_SECOND: &str = "{second: \"*\"}";
/// Times that snapshots are made for: before, and with deaths.
const BEFORE: &str = "2026-01-01T00:00:00Z";
const TIME: &str = "2026-01-02T00:00:00Z";
/// Entities with hooks and without: more than one portion of a run, and of a sweep.
const WITH_HOOKS: u32 = 600;
const IDLE: u32 = 300;
/// With the one that hooks about no entity leave their mark on.
const ADDRESSES: u32 = WITH_HOOKS + 1;
/// Servers at once.
const AT_ONCE: usize = 4;
/// Work that is not done after this time is a failure.
const BOUND: Duration = Duration::from_secs(60);

const IP: &str = "
entity: {id: ip, id_data_type: ipv4, name: Address, snapshot: true}
attribs:
  label: {name: Label, type: plain, data_type: string}
  open_ports: {name: Ports, type: observations, data_type: int, multi_value: true, history_params: {post_validity: 3650d, aggregate: false}}
  activity: {name: Activity, type: timeseries, timeseries_type: regular, timeseries_params: {time_step: 1m}, series: {n: {data_type: int}}}
";
const THING: &str = "
entity: {id: thing, id_data_type: string, name: Without hooks, snapshot: true}
attribs:
  x: {name: X, type: plain, data_type: string}
";
/// Deaths at each place: one, or with `TENTER_EXTENT=full` as many as a release needs.
fn passes() -> u32 {
    if std::env::var("TENTER_EXTENT").is_ok_and(|extent| extent == "full") { 5 } else { 1 }
}

/// Deaths for places with how often work comes by at least: `NAME#TIMES`, the last of these times in the first pass, and
/// one before in each pass that follows.
fn deaths(places: &[(&str, u32)]) -> Vec<String> {
    let each = |pass: u32| places.iter().map(move |(name, most)| format!("{name}#{}", most - pass % most));
    (0..passes()).flat_map(each).collect()
}

fn settings(updates: &str) -> [(&'static str, String); 3] {
    [
        ("snapshots.yml", format!("creation_rate: {NEVER}\n")),
        ("updater.yml", format!("update_batch_cron: {updates}\nupdate_batch_period: 60s\n")),
        ("garbage_collector.yml", format!("collection_rate: {NEVER}\n")),
    ]
}

/// A site on which nothing comes by the clock.
fn place(files: &[(&str, &str)], random: &mut Random) -> Place {
    let place = Place::of_site(files, random);
    settings(NEVER).iter().for_each(|(path, text)| place.write(path, text));
    place.configure("lanes: 2\n");
    place
}

fn ask(place: &Place, method: &str, path: &str, body: &Value) -> Value {
    let (status, answer) = place.operate(method, path, body.to_string().as_bytes()).unwrap();
    assert_eq!(status, 200, "{method} {path}: {answer}");
    serde_json::from_str(&answer).unwrap()
}

fn send(place: &Place, points: Vec<Value>) {
    for some in points.chunks(500) {
        let body = serde_json::to_vec(some).unwrap();
        let (status, answer) = place.connect().request("POST", "/datapoints", None, &body).unwrap();
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
    }
    place.drained();
}

fn snapshot(place: &Place, time: &str) -> Value {
    ask(place, "POST", "/api/v1/snapshots", &json!({"time": time, "wait": true}))
}

/// A place with the module of all kinds of hooks, entities, and a snapshot of them with changes since.
fn with_hooks(random: &mut Random) -> Place {
    let place = place(
        &[
            ("db_entities/ip.yml", IP),
            ("db_entities/thing.yml", THING),
            ("processing_core.yml", "enabled_modules: [every]\n"),
        ],
        random,
    );
    let server = place.start();
    let component = std::fs::read(tenter_guest_build::at_test("test-every-kind")).unwrap();
    let (status, answer) = place.operate("PUT", "/api/v1/modules/every?grant_requested=true", &component).unwrap();
    assert_eq!(status, 200, "{answer}");
    // What comes by the clock would come to some of the twins and not to others.
    ask(&place, "POST", "/api/v1/hooks/every/cron:mi.any.by.5/deregister", &Value::Null);
    let mut points = Vec::new();
    for n in 0..WITH_HOOKS {
        let id = format!("10.0.{}.{}", n / 250, n % 250);
        let t1 = "2025-12-01T00:00:00Z";
        points.push(json!({"type": "ip", "id": id, "attr": "open_ports", "v": n, "t1": t1, "t2": t1}));
        if n % 50 == 0 {
            let v = json!({"n": [1, 2]});
            let t2 = "2025-12-01T00:02:00Z";
            points.push(json!({"type": "ip", "id": id, "attr": "activity", "v": v, "t1": t1, "t2": t2}));
        }
    }
    points.extend((0..IDLE).map(|n| json!({"type": "thing", "id": format!("t{n}"), "attr": "x", "v": "a"})));
    send(&place, points);
    snapshot(&place, BEFORE);
    send(&place, vec![json!({"type": "thing", "id": "t7", "attr": "x", "v": "b"})]);
    assert_eq!(server.terminate().code, Some(0));
    place
}

/// Lets the queues run empty, ends the server, and gives what it left.
fn ended(place: &Place, server: crate::server::Server) -> Picture {
    place.drained();
    assert_eq!(server.terminate().code, Some(0));
    Picture::of(place)
}

/// Does each work on a twin of a place, some at once. The work must not fail.
fn on_twins(place: &Place, random: &mut Random, works: &[String], each: impl Fn(Place, &str) + Sync) {
    let twins = works.iter().map(|work| (place.copy(random), work.as_str())).collect();
    let twins: Mutex<Vec<(Place, &str)>> = Mutex::new(twins);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = twins.lock().unwrap().pop();
                    let Some((twin, work)) = next else { return };
                    each(twin, work);
                }
            });
        }
    });
}

/// Waits until jobs have run so often since the start, without a fault.
fn wait_for_jobs(place: &Place, names: &[&str], runs: u64) {
    let bound = Instant::now() + BOUND;
    let mut connection = place.connect();
    loop {
        let status = connection.get("/api/v1/status");
        let jobs: Vec<&Value> = status["jobs"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|j| names.contains(&j["name"].as_str().unwrap()))
            .collect();
        assert_eq!(jobs.len(), names.len(), "{status}");
        assert!(jobs.iter().all(|job| job["last"]["error"].is_null()), "{jobs:?}");
        if jobs.iter().all(|job| job["runs"].as_u64() >= Some(runs)) {
            return;
        }
        assert!(Instant::now() < bound, "not done in time: {jobs:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
