//! The server lives with hostile modules for a while: good results are complete, and what it holds stays what it is.
//!
//! Two senders take turns with the server: one sends notes that a good module echoes, the other makes a hostile one
//! misbehave in a different way each time. Both wait when much is to be done, so that the load is what the machine can do
//! and the queue stays short. What is stored of an entity has a fixed size, the log on disk grows.
//!
//! Some seconds, of which file descriptors and threads are judged; with `TENTER_EXTENT=full` ten minutes, of which the
//! slope of the resident memory is judged too.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::Connection;
use crate::place::Place;
use crate::random::Random;
use crate::vitals::{Vitals, fit};

const NODE: &str = "
entity: {id: node, id_data_type: string, name: Node, snapshot: false}
attribs:
  note: {name: Note, type: plain, data_type: string}
  echo: {name: Echo, type: plain, data_type: string}
";
const IP: &str = "
entity: {id: ip, id_data_type: ipv4, name: Address, snapshot: false}
attribs:
  hostname: {name: Act of the villain, type: plain, data_type: string}
";
/// Less fuel than usual, so that more calls end by it. The caches of the store are small, so that they are full before memory is measured.
const SETTINGS: &str = "cache_mib: 1\nmodules: {villain: {quarantine: off, limits: {fuel: 5000000}}}\n";
/// What the villain does, each within its limits or not.
const ACTS: [&str; 12] = [
    "loop",
    "recurse-slim",
    "grow",
    "panic",
    "string 2000000",
    "tasks 257",
    "bad-eid",
    "handles 5000",
    "host-calls 1000000",
    "exit",
    "nothing",
    "host-bytes 2000000",
];
const ENTITIES: u64 = 200;
/// Notes of one request.
const BATCH: u64 = 8;
/// Tasks that may wait before a sender waits.
const BACKLOG: u64 = 200;
/// Samples of the resident memory, after the first part, in which caches and the allocator fill up.
const SAMPLES: u32 = 60;
/// Most growth of the resident memory, in KiB per minute, in a run that is long enough to tell.
const SLOPE: f64 = 200.0;
/// File descriptors and threads beyond the most of the first part: a connection that is just made or closed.
const SPARE: u64 = 3;

/// The time that is measured; before it comes a third of it to warm up.
fn length() -> Duration {
    if crate::is_full() { Duration::from_secs(450) } else { Duration::from_secs(6) }
}

#[test]
fn hostile_modules_leave_the_server_as_it_was() {
    let _alone = crate::alone();
    let mut random = Random::from_environment();
    let place = Place::of_site(
        &[
            ("db_entities/node.yml", NODE),
            ("db_entities/ip.yml", IP),
            ("processing_core.yml", "enabled_modules: [villain, echo-note]\n"),
            ("modules/villain.yml", "must: be\n"),
        ],
        &mut random,
    );
    place.configure(SETTINGS);
    let server = place.start_quiet();
    for (module, package) in [("villain", "tenter-villain"), ("echo-note", "test-echo-note")] {
        place.upload(module, &std::fs::read(tenter_guest_build::at_test(package)).unwrap());
    }
    // It would act on the creation of its entities too.
    place.operate("POST", "/api/v1/hooks/villain/create/deregister", b"null").unwrap();

    let stop = AtomicBool::new(false);
    let (notes, acts, samples) = std::thread::scope(|scope| {
        let good = scope.spawn(|| send(&place, &stop, BATCH, note));
        let hostile = scope.spawn(|| send(&place, &stop, 1, provocation));
        let samples = watch(server.id());
        stop.store(true, Ordering::Relaxed);
        (good.join().unwrap(), hostile.join().unwrap(), samples)
    });
    let tasks = place.drained();
    let tasks = |name: &str| tasks[name].as_u64().unwrap();
    println!("{notes} notes echoed beside {acts} acts of a hostile module");
    assert!(notes > 2 * ENTITIES && acts > 2 * ACTS.len() as u64, "{notes} notes and {acts} acts: too few to tell");
    assert_eq!(tasks("applied"), tasks("accepted"));
    assert!(tasks("accepted") >= 2 * notes + acts);
    assert_complete(&place, notes);
    assert!(place.errors_of("villain").len() > ACTS.len(), "the villain was to fail");
    assert_eq!(place.errors_of("echo-note"), Vec::<Value>::new());
    match samples {
        Some(samples) => judge(&samples),
        None => println!("notice: this system does not tell what a process holds, so only results were checked"),
    }
    assert_eq!(server.terminate().code, Some(0));
}

fn note(number: u64) -> Value {
    json!({"type": "node", "id": format!("n{}", number % ENTITIES), "attr": "note", "v": format!("v{number}")})
}

fn provocation(number: u64) -> Value {
    let act = ACTS[usize::try_from(number).unwrap() % ACTS.len()];
    json!({"type": "ip", "id": format!("10.0.0.{}", number % 250), "attr": "hostname", "v": act})
}

/// Sends until it is told to stop; gives how many.
fn send(place: &Place, stop: &AtomicBool, batch: u64, point: impl Fn(u64) -> Value) -> u64 {
    let mut connection = place.connect();
    let mut next = 0;
    while !stop.load(Ordering::Relaxed) {
        let points: Vec<Value> = (next..next + batch).map(&point).collect();
        let body = serde_json::to_vec(&points).unwrap();
        let (status, answer) = connection.request("POST", "/datapoints", None, &body).unwrap();
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
        next += batch;
        wait_for_room(&mut connection);
    }
    next
}

fn wait_for_room(connection: &mut Connection) {
    while connection.get("/api/v1/status")["tasks"]["pending"].as_u64().unwrap() > BACKLOG {
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Looks at the process at equal distances; the time since the beginning in minutes, and what it held.
fn watch(process: u32) -> Option<Vec<(f64, Vitals)>> {
    let (begun, distance) = (Instant::now(), length() / SAMPLES);
    let mut samples = Vec::new();
    for number in 1..=SAMPLES + SAMPLES / 3 {
        let due = begun + number * distance;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        samples.push((begun.elapsed().as_secs_f64() / 60.0, Vitals::of(process)?));
    }
    Some(samples)
}

/// Each entity has the echo of its last note, and each note was answered once.
fn assert_complete(place: &Place, notes: u64) {
    let mut connection = place.connect();
    for entity in 0..ENTITIES {
        let record = connection.get(&format!("/entity/node/n{entity}/master"));
        let last = (notes - 1 - entity) / ENTITIES * ENTITIES + entity;
        assert_eq!(record["note"]["v"], format!("v{last}"), "{record}");
        assert_eq!(record["echo"]["v"], record["note"]["v"], "{record}");
    }
}

#[allow(clippy::cast_precision_loss, reason = "some hundred thousand KiB are exact")]
fn judge(samples: &[(f64, Vitals)]) {
    let (warm_up, measured) = samples.split_at(samples.len() / 4);
    let points: Vec<(f64, f64)> = measured.iter().map(|(at, v)| (*at, v.resident as f64)).collect();
    let (slope, explained) = fit(&points);
    let most = |of: fn(&Vitals) -> u64, some: &[(f64, Vitals)]| some.iter().map(|(_, v)| of(v)).max().unwrap();
    let files: fn(&Vitals) -> u64 = |v| v.files as u64;
    let threads: fn(&Vitals) -> u64 = |v| v.threads;
    let (first, last) = (measured[0].1.resident, measured[measured.len() - 1].1.resident);
    println!(
        "over {:.1} minutes: resident memory {first} to {last} KiB, slope {slope:.1} KiB/min (R² {explained:.2}); file \
         descriptors at most {}, before {}; threads at most {}, before {}",
        measured[measured.len() - 1].0 - measured[0].0,
        most(files, measured),
        most(files, warm_up),
        most(threads, measured),
        most(threads, warm_up),
    );
    assert!(most(files, measured) <= most(files, warm_up) + SPARE, "file descriptors leak");
    assert!(most(threads, measured) <= most(threads, warm_up) + SPARE, "threads leak");
    assert!(!crate::is_full() || slope < SLOPE, "the resident memory grows by {slope:.0} KiB/min");
}
