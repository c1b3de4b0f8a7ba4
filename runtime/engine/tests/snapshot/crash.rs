//! Deaths at named places of a snapshot run: the process dies between two statements or between a commit and its answer,
//! the next one goes on, and what is there at the end is what an undisturbed run leaves.
//!
//! The program of the tests starts itself again and tells by a variable where to die. `TENTER_EXTENT=full` dies five times
//! at each place.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, reason = "the test is told its part and its extent through the environment")]

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicUsize;

use serde_json::Value as Json;
use tenter_engine::SnapshotOptions;
use tenter_model::hook::Moment;
use tenter_model::host::{HostData, StateWrite};
use tenter_model::module::LoadedModule;
use tenter_model::time::Clock;
use tenter_model::{Schema, Timestamp};
use tenter_store::{Store, StoreOptions};

use crate::support::*;

/// Directory and place, with a line break between.
const VARIABLE: &str = "TENTER_SNAPSHOT_CRASH";
/// The time of the run that is interrupted.
const TIME: Timestamp = Timestamp(1_800_000_000_000_000);
/// Places that a run passes, and how often at most in this one.
const PLACES: [(&str, usize); 9] = [
    ("run-begun", 1),
    ("run-documents", 4),
    ("run-unchanged", 4),
    ("produced", 4),
    ("run-saved", 4),
    ("run-kept", 1),
    ("run-completed", 1),
    ("group-committed", 5),
    ("group-answered", 5),
];

fn things() -> Schema {
    schema(&[
        "entity: {id: e, name: e, snapshot: true, id_data_type: string}
attribs:
  x: {name: x, type: plain, data_type: string}
  y: {name: y, type: plain, data_type: string}
  to: {name: t, type: plain, data_type: link<e>}
",
        "entity: {id: i, name: without hooks, snapshot: true, id_data_type: string}
attribs:
  x: {name: x, type: plain, data_type: string}
",
        "entity: {id: t, name: what tasks make, snapshot: false, id_data_type: string}
attribs:
  x: {name: x, type: plain, data_type: string}
",
    ])
}

fn modules() -> Vec<LoadedModule> {
    vec![module("m", vec![Moment::SnapshotInit, correlate("e", &["to->x"], &["y"]), Moment::SnapshotFinalize])]
}

/// An engine over the directory, in which each call counts itself and returns a task.
fn bench(dir: &Path, crash_at: Option<String>, later_ms: i64) -> Bench {
    let clock = TestClock::new();
    // Each process lives at a time of its own, so that its ids are its own.
    clock.advance_ms(later_ms);
    let options = StoreOptions { crash_at, ..StoreOptions::default() };
    let store = Store::open(dir, options, clock.now()).unwrap();
    let bench = Bench::over(store, clock, things(), modules(), 1);
    bench.host.on("m", |seen| {
        let state = vec![StateWrite::Add { key: "calls".into(), by: 1 }];
        let made = |name: &str| vec![task(&format!("t/{name}"), &[("x", "made")])];
        let Some(entity) = seen.entity else {
            return Answer { state, tasks: made(seen.call.kind.name()), ..Answer::default() };
        };
        let around = seen.linked("to", "x").unwrap_or_default();
        Answer { state, tasks: made(entity.eid.as_str()), ..seen.set("y", &format!("beside {around}")) }
    });
    bench
}

/// A directory after a first run, with changes since.
fn prepare(dir: &Path) {
    let bench = bench(dir, None, 0);
    // More than one portion with hooks, and more than one without.
    let alone = (0..300).map(|n| task(&format!("e/{n}"), &[("x", "v")]));
    let idle = (0..300).map(|n| task(&format!("i/{n}"), &[("x", "v")]));
    let linked = [
        task("e/p", &[("to", "->e/q"), ("x", "1")]),
        task("e/q", &[("to", "->e/p"), ("x", "2")]),
        task("e/r", &[("to", "->e/no-record")]),
    ];
    bench.feed(alone.chain(idle).chain(linked).collect());
    bench.run();
    bench.settle();
    // The target without record is in no component any more, so its document is kept.
    bench.feed(vec![task("e/r", &[("to", "->e/p")]), task("i/7", &[("x", "changed")])]);
    close(&bench);
}

fn close(bench: &Bench) {
    bench.engine.drain();
    bench.store.close().unwrap();
}

fn run(bench: &Bench) {
    bench.engine.run_snapshot(SnapshotOptions { time: Some(TIME), ..SnapshotOptions::default() }).unwrap();
}

#[derive(Debug, PartialEq)]
struct Outcome {
    picture: Vec<(String, Json)>,
    applied: u64,
    calls: Option<Vec<u8>>,
    history: usize,
}

fn outcome(bench: &Bench) -> Outcome {
    let applied = bench.settle().applied;
    let data: &dyn HostData = &bench.reader;
    let calls = data.state_get(&name("m"), "calls", Timestamp(0)).unwrap().map(|(value, _)| value);
    let history = bench.reader.snapshot_history(&entity("i/7"), tenter_model::history::TimeRange::default(), 0, 10);
    Outcome { picture: bench.picture(), applied, calls, history: history.unwrap().len() }
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[test]
fn deaths_at_named_places_leave_what_an_undisturbed_run_leaves() {
    let prepared = tempfile::tempdir().unwrap();
    prepare(prepared.path());
    let undisturbed = tempfile::tempdir().unwrap();
    copy(prepared.path(), undisturbed.path());
    let want = {
        let bench = bench(undisturbed.path(), None, 100_000_000);
        run(&bench);
        let outcome = outcome(&bench);
        close(&bench);
        outcome
    };
    assert!(want.picture.iter().any(|(entity, _)| entity == "e/no-record"), "something is kept");

    let passes = if std::env::var("TENTER_EXTENT").is_ok_and(|extent| extent == "full") { 5 } else { 2 };
    let deaths = AtomicUsize::new(0);
    for (place, times) in PLACES {
        for pass in 0..passes {
            // The first time, the last, and in between.
            let number = if pass == 0 { 1 } else { times.saturating_sub(pass - 1).max(1) };
            let dir = tempfile::tempdir().unwrap();
            copy(prepared.path(), dir.path());
            let crash_at = format!("{place}#{number}");
            let status = Command::new(std::env::current_exe().unwrap())
                .args(["--ignored", "--exact", "crash::process", "--quiet"])
                .env(VARIABLE, format!("{}\n{crash_at}", dir.path().display()))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .unwrap();
            assert_eq!(status.signal(), Some(6), "{crash_at}: it was to die there, but {status}");
            deaths.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let bench = bench(dir.path(), None, 200_000_000);
            // Complete already when the death came after the last commit.
            if bench.reader.latest_run().unwrap().unwrap().time != TIME {
                run(&bench);
            }
            let got = outcome(&bench);
            close(&bench);
            assert!(got == want, "{crash_at}: {}", difference(&got, &want));
        }
    }
    println!("{deaths:?} deaths at named places of a snapshot run");
}

fn difference(got: &Outcome, want: &Outcome) -> String {
    let odd = got.picture.iter().filter(|doc| !want.picture.contains(doc)).take(5);
    format!(
        "{} documents instead of {}, {} tasks applied instead of {}, calls {:?} instead of {:?}, such as {:?}",
        got.picture.len(),
        want.picture.len(),
        got.applied,
        want.applied,
        got.calls,
        want.calls,
        odd.collect::<Vec<_>>()
    )
}

/// The process that dies.
#[test]
#[ignore = "started by the test of deaths"]
fn process() {
    let told = std::env::var(VARIABLE).unwrap();
    let (dir, crash_at) = told.split_once('\n').unwrap();
    let bench = bench(Path::new(dir), Some(crash_at.to_owned()), 100_000_000);
    run(&bench);
    close(&bench);
}
