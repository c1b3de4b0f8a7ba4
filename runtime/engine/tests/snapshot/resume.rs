//! Runs that are interrupted: the next one goes on, and the end is that of an undisturbed run.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value as Json;
use tenter_engine::{SnapshotError, SnapshotOptions};
use tenter_model::hook::Moment;
use tenter_model::host::StateWrite;
use tenter_model::{Schema, Timestamp};
use tenter_store::{RunState, StoreOptions};

use crate::support::*;

fn small() -> Schema {
    schema(&[
        "entity: {id: e, name: e, snapshot: true, id_data_type: string}
attribs:
  x: {name: x, type: plain, data_type: string}
  y: {name: y, type: plain, data_type: string}
  z: {name: z, type: plain, data_type: string}
  to: {name: t, type: plain, data_type: link<e>}
",
        "entity: {id: t, name: what tasks make, snapshot: false, id_data_type: string}
attribs:
  x: {name: x, type: plain, data_type: string}
",
    ])
}

fn modules() -> Vec<tenter_model::module::LoadedModule> {
    vec![
        module("one", vec![Moment::SnapshotInit, correlate("e", &["to->x"], &["y"]), Moment::SnapshotFinalize]),
        module("two", vec![correlate("e", &["y"], &["z"])]),
    ]
}

/// Each call counts itself in the module's state and returns a task.
fn play(bench: &Bench, die_at: Option<usize>) -> Arc<AtomicUsize> {
    let calls = Arc::new(AtomicUsize::new(0));
    for module in ["one", "two"] {
        let calls = calls.clone();
        bench.host.on(module, move |seen| {
            assert_ne!(Some(calls.fetch_add(1, Ordering::SeqCst) + 1), die_at, "the script dies here");
            let Some(entity) = seen.entity else {
                let made = task("t/of-run", &[("x", "made")]);
                return Answer { state: vec![count()], ..Answer::tasks(vec![made]) };
            };
            let made = task(&format!("t/{}", entity.eid), &[("x", "made")]);
            let attr = if seen.call.module.name.as_str() == "one" { "y" } else { "z" };
            let mut answer = seen.set(attr, &format!("{}!", seen.own("x").unwrap_or_default()));
            answer.tasks.push(made);
            answer.state.push(count());
            answer
        });
    }
    calls
}

fn count() -> StateWrite {
    StateWrite::Add { key: "calls".into(), by: 1 }
}

/// Entities alone and in components.
fn tasks() -> Vec<tenter_model::TaskBody> {
    let mut tasks: Vec<_> = (0..4).map(|n| task(&format!("e/alone{n}"), &[("x", "v")])).collect();
    tasks.push(task("e/p", &[("to", "->e/q"), ("x", "1")]));
    tasks.push(task("e/q", &[("to", "->e/p"), ("x", "2")]));
    tasks.push(task("e/r", &[("to", "->e/no-record")]));
    tasks
}

struct Outcome {
    picture: Vec<(String, Json)>,
    applied: u64,
    duplicates: u64,
    state: Vec<Option<Vec<u8>>>,
    time: Timestamp,
}

fn outcome(bench: &Bench) -> Outcome {
    let counters = bench.settle();
    let state = |module: &str| {
        let data: &dyn tenter_model::host::HostData = &bench.reader;
        data.state_get(&name(module), "calls", Timestamp(0)).unwrap().map(|(value, _)| value)
    };
    Outcome {
        picture: bench.picture(),
        applied: counters.applied,
        duplicates: counters.duplicates,
        state: vec![state("one"), state("two")],
        time: bench.reader.latest_run().unwrap().unwrap().time,
    }
}

/// Interrupts a run at each of its calls, in a new process over the same store as far as the engine can tell, and
/// compares what is there at the end: documents, tasks, module state.
#[test]
fn a_run_interrupted_at_any_call_ends_like_an_undisturbed_one() {
    let undisturbed = Bench::with(small(), modules(), 1);
    undisturbed.feed(tasks());
    let calls = play(&undisturbed, None);
    let time = Timestamp(1_800_000_000_000_000);
    let options = SnapshotOptions { time: Some(time), ..SnapshotOptions::default() };
    undisturbed.try_run(options).unwrap();
    let want = outcome(&undisturbed);
    let total = calls.load(Ordering::SeqCst);
    assert!(total >= 17, "{total} calls");

    for die_at in 1..=total {
        let before = Bench::with(small(), modules(), 1);
        before.feed(tasks());
        play(&before, Some(die_at));
        let error = before.try_run(options).unwrap_err();
        assert!(matches!(error, SnapshotError::Panicked), "{die_at}: {error}");
        let unfinished = before.reader.unfinished_run().unwrap().unwrap();
        assert!(before.reader.latest_run().unwrap().is_none(), "nothing is visible (G9)");
        assert!(before.doc("e/p").is_none());
        before.engine.drain();

        let after = Bench::over(before.store.clone(), before.clock.clone(), small(), modules(), 1);
        play(&after, None);
        // Another time is asked for; the run goes on at its own.
        let report = after.try_run(SnapshotOptions::default()).unwrap();
        assert!(report.resumed);
        assert_eq!(report.run.id, unfinished.id);
        let got = outcome(&after);
        assert_eq!(got.picture, want.picture, "died at {die_at}");
        assert_eq!((got.applied, &got.state, got.time), (want.applied, &want.state, time), "died at {die_at}");
        assert!(got.duplicates <= total as u64, "{}", got.duplicates);
    }
}

#[test]
fn a_run_begun_with_other_modules_is_given_up() {
    let before = Bench::with(small(), modules(), 1);
    before.feed(tasks());
    play(&before, Some(5));
    before.try_run(SnapshotOptions::default()).unwrap_err();
    before.engine.drain();
    let after = Bench::over(before.store.clone(), before.clock.clone(), small(), Vec::new(), 1);
    let report = after.try_run(SnapshotOptions::default()).unwrap();
    assert!(!report.resumed);
    let runs = after.reader.runs(None, 10).unwrap();
    assert_eq!(runs.iter().map(|r| r.state).collect::<Vec<_>>(), [RunState::Complete, RunState::Aborted]);
    assert!(runs[1].reason.as_ref().unwrap().contains("changed before it was complete"));
    assert_eq!(after.doc("e/p").unwrap()["x"], "1", "no hook ran");
}

#[test]
fn one_run_at_a_time() {
    let bench = Arc::new(Bench::with(small(), modules(), 1));
    bench.feed(tasks());
    let inner = Arc::downgrade(&bench);
    bench.host.on("one", move |seen| {
        if seen.call.kind == tenter_model::HookKind::SnapshotFinalize {
            let bench = inner.upgrade().unwrap();
            let error = bench.engine.run_snapshot(SnapshotOptions::default()).unwrap_err();
            assert!(matches!(error, SnapshotError::Active { .. }), "{error}");
            assert!(error.to_string().contains("one runs at a time"), "{error}");
            let progress = bench.engine.snapshot_progress().unwrap();
            assert_eq!(progress.entities, 8);
        }
        Answer::nothing()
    });
    bench.run();
    assert!(bench.engine.snapshot_progress().is_none());
    bench.run();
}

/// A stop of the engine ends the run between two calls; nothing of it is visible, and the next engine goes on.
#[test]
fn a_stop_interrupts_the_run_and_the_next_start_goes_on() {
    let store = tenter_store::Store::temporary(StoreOptions::default(), Timestamp(1)).unwrap();
    let clock = TestClock::new();
    let bench = Arc::new(Bench::over(store, clock, small(), modules(), 2));
    bench.feed(tasks());
    let stopper = Arc::new(std::sync::Mutex::new(None));
    let (inner, slot) = (bench.clone(), stopper.clone());
    bench.host.on("one", move |seen| {
        if seen.entity.is_some() {
            let mut slot = slot.lock().unwrap();
            if slot.is_none() {
                let bench = inner.clone();
                *slot = Some(std::thread::spawn(move || bench.engine.drain()));
            }
            // The run cannot end before the stop is seen: this call returns after it began.
            while inner.engine.is_running() && !inner.engine.is_stopping() {
                std::thread::yield_now();
            }
        }
        Answer::nothing()
    });
    let error = bench.try_run(SnapshotOptions::default()).unwrap_err();
    assert!(matches!(error, SnapshotError::Stopped), "{error}");
    stopper.lock().unwrap().take().unwrap().join().unwrap();
    assert!(matches!(bench.try_run(SnapshotOptions::default()), Err(SnapshotError::Stopped)), "no runs afterwards");
    let after = Bench::over(bench.store.clone(), bench.clock.clone(), small(), modules(), 2);
    assert!(after.run().resumed);
    assert!(after.doc("e/p").is_some());
}

/// The server's jobs take up what was left unfinished, without waiting for the next time of the schedule.
#[test]
fn the_jobs_of_the_platform_go_on_with_an_unfinished_run_at_once() {
    let before = Bench::with(small(), modules(), 1);
    before.feed(tasks());
    play(&before, Some(5));
    before.try_run(SnapshotOptions::default()).unwrap_err();
    let unfinished = before.reader.unfinished_run().unwrap().unwrap();
    before.engine.drain();
    let after = Bench::over(before.store.clone(), before.clock.clone(), small(), modules(), 1);
    play(&after, None);
    after.engine.add_platform_jobs(&tenter_model::config::SiteConfig::default()).unwrap();
    after.engine.scheduler().settle();
    assert!(after.reader.unfinished_run().unwrap().is_none());
    assert_eq!(after.reader.latest_run().unwrap().unwrap().id, unfinished.id);
    after.engine.drain();
}
