//! Deaths in the work that the server does by itself: snapshot runs, sweeps of the update hooks, the care of histories.
//! The server dies at a named place or is killed at any moment, the next one goes on, and what is there at the end is
//! what a twin has that nobody disturbed: documents, records, counts of tasks, what hooks counted in their state.
//!
//! Each place once, or with `TENTER_EXTENT=full` five times, the later ones at a later time that work comes by where it
//! comes by more often. Waiting for the clock is most of it, so several twins run at once.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tenter_model::Timestamp;
use tenter_store::{Produced, RunState, SweepState};

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
const HOST: &str = "
entity: {id: host, id_data_type: string, name: Host, snapshot: true}
attribs:
  x: {name: X, type: plain, data_type: string}
  session: {name: Session, type: plain, data_type: link<session>}
  port: {name: Port, type: observations, data_type: int, history_params: {pre_validity: 1m, post_validity: 1m, aggregate: true}}
  old: {name: Old, type: observations, data_type: int, history_params: {max_age: 1d, aggregate: false}}
";
const SESSION: &str = "
entity: {id: session, id_data_type: string, name: Session, snapshot: true, lifetime: {type: ttl, on_create: 1s}}
attribs:
  x: {name: X, type: plain, data_type: string}
";

/// Deaths at each place: one, or with `TENTER_EXTENT=full` as many as a release needs.
fn passes() -> u32 {
    if std::env::var("TENTER_EXTENT").is_ok_and(|extent| extent == "full") { 5 } else { 1 }
}

/// Deaths for places with how often work comes by at least: `NAME#TIMES`, in the first pass the last of these times, then
/// the others from the first on.
fn deaths(places: &[(&str, u32)]) -> Vec<String> {
    let each = |pass: u32| places.iter().map(move |(name, most)| format!("{name}#{}", 1 + (pass + most - 1) % most));
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

fn undisturbed_run(twin: &Place) -> Picture {
    let server = twin.start();
    snapshot(twin, TIME);
    ended(twin, server)
}

/// Goes on after a death. A run that was under way goes on by itself; one that had not begun is asked for again.
fn go_on_with_run(place: &Place) -> Picture {
    let server = place.start();
    let bound = Instant::now() + BOUND;
    loop {
        let runs = place.connect().get("/api/v1/snapshots");
        let last = &runs["runs"][0];
        if last["state"] == "complete" && last["time"] == TIME {
            break;
        }
        assert!(Instant::now() < bound, "the run is not complete: {runs}");
        if last["state"] == "complete" {
            snapshot(place, TIME);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    ended(place, server)
}

#[test]
fn deaths_in_a_snapshot_run_leave_what_an_undisturbed_run_leaves() {
    let _alone = crate::alone();
    let (mut random, began) = (Random::from_environment(), Instant::now());
    let prepared = with_hooks(&mut random);
    let want = undisturbed_run(&prepared.copy(&mut random));
    let documents = want.0.keys().filter(|name| name.starts_with("document ")).count();
    assert!(documents as u32 >= WITH_HOOKS + IDLE, "{documents}");

    let mut works = deaths(&[
        ("run-begun", 1),
        ("run-documents", 3),
        ("run-unchanged", 3),
        ("produced", 3),
        ("run-saved", 4),
        ("run-completed", 1),
        ("group-committed", 12),
        ("group-answered", 14),
    ]);
    works.extend((0..passes()).map(|_| format!("kill {}", random.number(0..400))));
    on_twins(&prepared, &mut random, &works, |place, work| {
        if let Some(after) = work.strip_prefix("kill ") {
            let server = place.start();
            place.operate("POST", "/api/v1/snapshots", json!({"time": TIME}).to_string().as_bytes()).unwrap();
            std::thread::sleep(Duration::from_millis(after.parse().unwrap()));
            server.kill();
        } else {
            let mut server = place.start_to_die(work);
            server.wait_until_serving();
            // The answer does not come.
            place.operate("POST", "/api/v1/snapshots", json!({"time": TIME, "wait": true}).to_string().as_bytes()).ok();
            server.wait_for_death(work);
        }
        let got = go_on_with_run(&place);
        assert!(got == want, "{work}: {:#?}", got.difference(&want));
    });
    println!("{} deaths in snapshot runs in {:.0} s", works.len(), began.elapsed().as_secs_f64());

    // The control: who begins anew instead of going on does the work of hooks twice, and that is seen.
    let place = prepared.copy(&mut random);
    let mut server = place.start_to_die("run-saved#3");
    server.wait_until_serving();
    place.operate("POST", "/api/v1/snapshots", json!({"time": TIME, "wait": true}).to_string().as_bytes()).ok();
    server.wait_for_death("run-saved#3");
    let store = place.open_store();
    let run = store.reader().unwrap().unfinished_run().unwrap().expect("a run is under way");
    assert_eq!(run.state, RunState::Running);
    store.abort_run(run.number, "to see what is seen", Timestamp(1_800_000_000_000_000)).unwrap();
    store.close().unwrap();
    let server = place.start();
    snapshot(&place, TIME);
    let difference = ended(&place, server).difference(&want);
    assert!(difference.iter().any(|d| d.starts_with("tasks: ")), "tasks that came twice are not seen: {difference:#?}");
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

/// What sweeps did, against what their hooks counted and what came of it. Nothing when all agrees.
fn doubts_about_sweeps(place: &Place, before: &Picture, after: &Picture) -> Vec<String> {
    let reader = place.open_store().reader().unwrap();
    let sweeps = reader.sweeps(false, u32::MAX).unwrap();
    let state = |kind: &str| after.0.get(&format!("state calls/{kind}")).map_or(0, |n| n.parse::<u64>().unwrap());
    let mut doubts = Vec::new();
    let mut visits = 0;
    for (kind, eid_only) in [("update-record", false), ("update-entity", true)] {
        let of_kind = || sweeps.iter().filter(|sweep| sweep.state.group.eid_only == eid_only);
        if !of_kind().any(|sweep| sweep.state.finished) {
            doubts.push(format!("no sweep of {kind} is finished"));
        }
        if of_kind().any(|sweep| sweep.state.finished && sweep.state.processed != u64::from(ADDRESSES)) {
            doubts.push(format!("a sweep of {kind} did not visit each entity once"));
        }
        let processed: u64 = of_kind().map(|sweep| sweep.state.processed).sum();
        if state(kind) != processed {
            doubts.push(format!("{kind}: {processed} visits, {} calls", state(kind)));
        }
        visits += processed;
    }
    let accepted = |picture: &Picture| picture.0["tasks"].split(' ').nth(1).unwrap().parse::<u64>().unwrap();
    if accepted(after) - accepted(before) != visits {
        doubts.push(format!("{visits} visits, {} tasks", accepted(after) - accepted(before)));
    }
    doubts
}

/// Lets sweeps go on after a death until one of each group is finished, then ends it all.
fn go_on_with_sweeps(place: &Place) -> Picture {
    let server = place.start();
    wait_for_jobs(place, &["updater"], 1);
    assert_eq!(server.terminate().code, Some(0));
    settings(NEVER).iter().for_each(|(path, text)| place.write(path, text));
    ended(place, place.start())
}

#[test]
fn deaths_in_a_sweep_leave_each_visit_with_its_task_once() {
    let _alone = crate::alone();
    let (mut random, began) = (Random::from_environment(), Instant::now());
    let prepared = with_hooks(&mut random);
    let before = Picture::of(&prepared);
    settings(EACH_SECOND).iter().for_each(|(path, text)| prepared.write(path, text));
    // A sweep follows on a sweep, so that twins differ in how many there were, and in which came last to an entity.
    let by_sweeps =
        |name: &str| name == "tasks" || name == "datapoints" || name.starts_with("state") || name.ends_with("label");
    let want = before.clone().without(by_sweeps);
    let works =
        deaths(&[("sweep-begun", 2), ("sweep-moved", 4), ("produced", 4), ("sweep-saved", 3), ("group-committed", 9)]);
    on_twins(&prepared, &mut random, &works, |place, work| {
        place.start_to_die(work).wait_for_death(work);
        let got = go_on_with_sweeps(&place);
        assert_eq!(doubts_about_sweeps(&place, &before, &got), Vec::<String>::new(), "{work}");
        let labels = || got.0.iter().filter(|(name, _)| name.starts_with("record ip/") && name.ends_with("label"));
        assert_eq!(labels().filter(|(_, label)| label.contains("update-")).count(), ADDRESSES as usize, "{work}");
        let got = got.without(by_sweeps);
        assert!(got == want, "{work}: {:#?}", got.difference(&want));
    });
    println!("{} deaths in sweeps in {:.0} s", works.len(), began.elapsed().as_secs_f64());

    // The control: a sweep that is taken back to its begin calls hooks for the same entities again, and that is seen.
    let place = prepared.copy(&mut random);
    place.start_to_die("sweep-saved#2").wait_for_death("sweep-saved#2");
    let store = place.open_store();
    let row = store.reader().unwrap().sweeps(true, 1).unwrap().remove(0);
    assert!(row.state.processed > 0 && row.state.cursor.is_some(), "{row:?}");
    let back = SweepState { processed: 0, cursor: None, iteration: 0, ..row.state };
    store.save_sweep_blocking(row.number, back, Produced::default(), Timestamp(1_800_000_000_000_000)).unwrap();
    store.close().unwrap();
    let got = go_on_with_sweeps(&place);
    assert!(!doubts_about_sweeps(&place, &before, &got).is_empty(), "visits that came twice are not seen");
}

const CARE: [&str; 5] = ["aggregation", "datapoint-cleaning", "snapshot-cleaning", "archiving", "garbage-collector"];

/// A place where there is something to do for each job that takes care of what is stored, each second.
fn to_be_cared_for(random: &mut Random) -> Place {
    let place = place(&[("db_entities/host.yml", HOST), ("db_entities/session.yml", SESSION)], random);
    let server = place.start();
    let mut points = Vec::new();
    for n in 0..150 {
        let id = format!("h{n}");
        for minute in 0..6 {
            let (t1, v) = (format!("2025-06-01T00:0{minute}:00Z"), if minute < 4 { 22 } else { 80 });
            points.push(json!({"type": "host", "id": id, "attr": "port", "v": v, "t1": t1, "t2": t1}));
            points.push(json!({"type": "host", "id": id, "attr": "old", "v": minute, "t1": t1, "t2": t1}));
        }
        let session = format!("s{n}");
        points.push(json!({"type": "session", "id": session, "attr": "x", "v": "v"}));
        points.push(json!({"type": "host", "id": id, "attr": "session", "v": {"eid": session}}));
    }
    send(&place, points);
    snapshot(&place, BEFORE);
    send(&place, vec![json!({"type": "host", "id": "h7", "attr": "x", "v": "b"})]);
    snapshot(&place, TIME);
    assert_eq!(server.terminate().code, Some(0));
    place.write("garbage_collector.yml", &format!("collection_rate: {EACH_SECOND}\n"));
    place.write(
        "history_manager.yml",
        &format!(
            "aggregation_schedule: {EACH_SECOND}\ndatapoint_cleaning_schedule: {EACH_SECOND}\n\
             snapshot_cleaning: {{schedule: {EACH_SECOND}, older_than: 1h}}\n\
             datapoint_archivation: {{schedule: {EACH_SECOND}, older_than: 1d, archive_dir: archive}}\n"
        ),
    );
    place
}

fn go_on_with_care(place: &Place) -> Picture {
    let server = place.start();
    // The second run of each begins after the first of the others.
    wait_for_jobs(place, &CARE, 2);
    ended(place, server)
}

#[test]
fn deaths_in_the_care_of_histories_leave_what_undisturbed_care_leaves() {
    let _alone = crate::alone();
    let (mut random, began) = (Random::from_environment(), Instant::now());
    let prepared = to_be_cared_for(&mut random);
    let before = Picture::of(&prepared);
    let want = go_on_with_care(&prepared.copy(&mut random));
    let count = |picture: &Picture, part: &str| picture.0.keys().filter(|name| name.contains(part)).count();
    assert_eq!((count(&before, "document session/"), count(&want, "document session/")), (150, 0));
    assert_eq!((count(&before, "run "), count(&want, "run ")), (2, 1));
    assert!(want.0["datapoints"].contains("archived 1800"), "{}", want.0["datapoints"]);
    assert!(want.0["record host/h1 port"].len() < before.0["record host/h1 port"].len(), "nothing was merged");
    // The control: a death without going on is seen.
    assert!(!before.difference(&want).is_empty());

    let works = deaths(&[
        ("rewrite-record", 120),
        ("raw-removed", 1),
        ("clean-rows", 1),
        ("clean-run", 1),
        ("clean-entities", 2),
        ("delete-record", 100),
        ("delete-sources", 40),
        ("delete-end", 150),
        ("job-begun", 5),
        ("job-updated", 5),
    ]);
    on_twins(&prepared, &mut random, &works, |place, work| {
        place.start_to_die(work).wait_for_death(work);
        let got = go_on_with_care(&place);
        assert!(got == want, "{work}: {:#?}", got.difference(&want));
    });
    println!("{} deaths in the care of histories in {:.0} s", works.len(), began.elapsed().as_secs_f64());
}
