//! Slots of timers and jobs, through real lanes and a real store, with a clock that the tests move.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail loudly")]

mod support;
#[path = "support/timed.rs"]
mod timed;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use serde_json::json;
use support::{TestClock, body, module, name, plain, registry};
use tenter_engine::{Job, JobContext, JobError, SnapshotOptions};
use tenter_model::cron::Cron;
use tenter_model::hook::{Moment, Timer};
use tenter_model::host::Reason;
use tenter_model::time::Clock;
use tenter_model::{HookKind, SubscriptionId, Timestamp};
use tenter_store::{ErrorFilter, Produced, RawFilter, Store, StoreOptions, TimerKey};
use timed::{Clockwork, Gives, Timed};

fn timer(fields: &[(&str, &str)], grace_seconds: u32) -> Moment {
    let fields = fields.iter().map(|(n, e)| ((*n).to_owned(), (*e).to_owned())).collect();
    Moment::Cron(Timer { fields: Some(fields), timezone: "UTC".into(), grace_seconds, arguments: r#"{"a":1}"#.into() })
}

/// At second 0 of each minute. The clock of tests begins at 22:13:20.
fn minutely() -> Moment {
    timer(&[("minute", "*")], 60)
}

fn once() -> Moment {
    Moment::Cron(Timer { fields: None, timezone: "UTC".into(), grace_seconds: 60, arguments: "{}".into() })
}

/// The times of the calls, each as often as it was called.
fn times(calls: &[String]) -> Vec<&str> {
    calls.iter().map(|call| call.split(' ').nth(2).unwrap()).collect()
}

#[test]
fn each_slot_fires_once_in_each_lane_and_its_tasks_enter_once() {
    let bench = Clockwork::new(vec![module("m", vec![minutely()])]);
    bench.host.plays(|asked| {
        assert_eq!(asked.arguments, r#"{"a":1}"#);
        Gives::Tasks(
            vec![
                vec![body("a", vec![plain("note", "x")])],
                vec![body("b", vec![]), body("c", vec![plain("note", "y")])],
            ]
            .map_tasks(),
        )
    });
    bench.pass(39);
    assert_eq!(bench.host.taken(), Vec::<String>::new(), "22:13:59");
    bench.pass(1);
    let calls = bench.host.taken();
    assert_eq!(times(&calls), ["2023-11-14T22:14:00Z", "2023-11-14T22:14:00Z"]);
    assert_ne!(calls[0], calls[1], "in different instances");
    let counters = bench.drained();
    assert_eq!(counters.accepted, 2, "tasks of both lanes have the same ids");
    bench.pass(59);
    assert_eq!(bench.host.taken(), Vec::<String>::new());
    bench.pass(1);
    assert_eq!(bench.host.taken().len(), 2);
    assert_eq!(bench.drained().accepted, 4, "another slot, other ids");
    let raw = bench.reader.raw(&RawFilter { limit: 10, ..RawFilter::default() }).unwrap();
    assert!(raw.iter().all(|p| p.point.module == Some(name("m"))), "{raw:?}");
    assert!(raw.iter().all(|p| p.origin.as_ref().unwrap().hook == HookKind::Cron));
}

/// Leaves tasks without content out, which admission would refuse.
trait MapTasks {
    fn map_tasks(self) -> Self;
}

impl MapTasks for Vec<Vec<tenter_model::TaskBody>> {
    fn map_tasks(self) -> Self {
        self.into_iter().map(|list| list.into_iter().filter(|body| !body.datapoints.is_empty()).collect()).collect()
    }
}

#[test]
fn of_missed_slots_the_last_is_caught_up_once() {
    let bench = Clockwork::new(vec![module("m", vec![timer(&[("minute", "*")], 3600)])]);
    bench.pass(600);
    assert_eq!(times(&bench.host.taken()), ["2023-11-14T22:23:00Z"; 2]);
    bench.pass(0);
    assert!(bench.host.taken().is_empty());
}

#[test]
fn a_slot_later_than_its_grace_is_missed() {
    let bench = Clockwork::new(vec![module("m", vec![timer(&[("minute", "*/10")], 5)])]);
    bench.pass(600);
    assert!(bench.host.taken().is_empty(), "22:20 is three minutes ago");
    let timers = bench.engine.scheduler().timers();
    assert_eq!((timers[0].missed, timers[0].fired), (1, 0));
    assert_eq!(timers[0].next, Timestamp::parse("2023-11-14T22:30:00Z"));
    bench.pass(400);
    assert_eq!(times(&bench.host.taken()), ["2023-11-14T22:30:00Z"; 2]);
}

#[test]
fn what_was_missed_while_down_is_caught_up_at_most_once() {
    let clock = TestClock::new();
    let store = Store::temporary(StoreOptions::default(), clock.now()).unwrap();
    let modules = || vec![module("m", vec![timer(&[("minute", "*/5")], 600), timer(&[("minute", "*/5")], 10)])];
    let down = |bench: Clockwork| {
        bench.engine.drain();
        drop(bench);
        clock.advance_ms(1_030_000);
    };
    // Down before the first slot: 22:13:20 to 22:30:30.
    down(Clockwork::over(store.clone(), clock.clone(), modules()));
    let bench = Clockwork::over(store.clone(), clock.clone(), modules());
    bench.pass(30);
    let calls = bench.host.taken();
    assert_eq!(calls.len(), 2, "{calls:?}");
    assert!(calls.iter().all(|call| call.starts_with("cron m/s0 2023-11-14T22:30:00Z")), "{calls:?}");
    // 22:31:00 to 22:48:10; then up again at once, when nothing is left to make up for.
    down(bench);
    let bench = Clockwork::over(store.clone(), clock.clone(), modules());
    bench.pass(0);
    assert_eq!(times(&bench.host.taken()), ["2023-11-14T22:45:00Z"; 2]);
    bench.engine.drain();
    drop(bench);
    let bench = Clockwork::over(store, clock, modules());
    bench.pass(0);
    assert!(bench.host.taken().is_empty());
}

#[test]
fn after_a_crash_only_lanes_that_had_not_got_to_the_slot_call_it() {
    let clock = TestClock::new();
    let store = Store::temporary(StoreOptions::default(), clock.now()).unwrap();
    let modules = || vec![module("m", vec![minutely()])];
    let bench = Clockwork::over(store.clone(), clock.clone(), modules());
    bench.pass(0);
    bench.engine.drain();
    drop(bench);
    clock.advance_ms(41_000);
    let slot = Timestamp::parse("2023-11-14T22:14:00Z").unwrap();
    let subscription = SubscriptionId::new("s0").unwrap();
    let lane_0 = TimerKey { module: name("m"), subscription, lane: 0 };
    store.fire_slot_blocking(lane_0, slot, Produced::default(), clock.now()).unwrap();
    let bench = Clockwork::over(store, clock, modules());
    bench.pass(0);
    assert_eq!(times(&bench.host.taken()), ["2023-11-14T22:14:00Z"]);
}

#[test]
fn once_at_start_fires_at_each_start_of_the_module_and_no_more() {
    let bench = Clockwork::new(vec![module("m", vec![once()])]);
    bench.pass(0);
    assert_eq!(bench.host.taken().len(), 2);
    bench.pass(100_000);
    assert!(bench.host.taken().is_empty());
    // Another module comes: nothing. Another version comes: once more.
    let modules: Vec<_> = bench.engine.registry().current().modules().to_vec();
    let with = |modules| tenter_engine::Registry::new(modules, &std::collections::HashSet::new());
    let more: Vec<_> = modules.into_iter().chain([Arc::new(module("n", vec![]))]).collect();
    bench.engine.registry().swap(with(more));
    bench.pass(0);
    assert!(bench.host.taken().is_empty());
    bench.engine.registry().swap(registry(vec![module("m", vec![once()])]));
    bench.pass(0);
    assert_eq!(bench.host.taken().len(), 2);
}

#[test]
fn a_new_version_keeps_the_slots_and_a_new_schedule_counts_from_now() {
    let bench = Clockwork::new(vec![module("m", vec![minutely()])]);
    bench.pass(30);
    bench.engine.registry().swap(registry(vec![module("m", vec![minutely()])]));
    bench.pass(10);
    assert_eq!(times(&bench.host.taken()), ["2023-11-14T22:14:00Z"; 2]);
    bench.engine.registry().swap(registry(vec![module("m", vec![timer(&[("minute", "13,16")], 60)])]));
    bench.pass(0);
    assert!(bench.host.taken().is_empty(), "22:13 was before the schedule");
    bench.pass(120);
    assert_eq!(times(&bench.host.taken()), ["2023-11-14T22:16:00Z"; 2]);
    bench.engine.registry().swap(registry(vec![]));
    bench.pass(3600);
    assert!(bench.host.taken().is_empty());
}

/// A timer that was switched off and on does not call again what it has dealt with, nor what came while it was off.
#[test]
fn what_came_while_a_timer_was_off_is_not_made_up_for() {
    let clock = TestClock::new();
    let store = Store::temporary(StoreOptions::default(), clock.now()).unwrap();
    let modules = || vec![module("m", vec![timer(&[("minute", "*")], 3600)])];
    let bench = Clockwork::over(store.clone(), clock.clone(), modules());
    bench.pass(60);
    bench.engine.drain();
    drop(bench);
    let bench = Clockwork::over(store, clock, modules());
    bench.pass(60);
    assert_eq!(times(&bench.host.taken()), ["2023-11-14T22:15:00Z"; 2]);
    bench.engine.registry().swap(registry(vec![]));
    bench.pass(0);
    bench.engine.registry().swap(registry(modules()));
    bench.pass(10);
    bench.engine.registry().swap(registry(vec![]));
    bench.pass(60);
    bench.engine.registry().swap(registry(modules()));
    bench.pass(10);
    assert_eq!(bench.host.taken(), Vec::<String>::new());
    bench.pass(30);
    assert_eq!(times(&bench.host.taken()), ["2023-11-14T22:17:00Z"; 2]);
}

#[test]
fn the_same_subscription_is_registered_once() {
    let mut twice = module("m", vec![minutely(), minutely()]);
    twice.subscriptions[1].id = twice.subscriptions[0].id.clone();
    let bench = Clockwork::new(vec![twice]);
    bench.pass(60);
    assert_eq!(bench.host.taken().len(), 2, "once in each lane");
}

#[test]
fn a_failure_is_recorded_and_the_slot_is_over() {
    let bench = Clockwork::new(vec![module("bad", vec![minutely()]), module("good", vec![minutely()])]);
    bench.host.plays(|asked| match asked.call.module.name.as_str() {
        "bad" => Gives::Fail(Reason::Unavailable),
        _ => Gives::Count("calls"),
    });
    bench.pass(60);
    assert_eq!(bench.host.taken().len(), 4);
    let errors = bench.reader.errors(&ErrorFilter::default(), 10).unwrap();
    let told: Vec<_> = errors.iter().map(|e| (e.module.as_str(), e.hook, e.reason.as_ref())).collect();
    assert_eq!(told, [("bad", HookKind::Cron, "unavailable"); 2]);
    bench.pass(1);
    assert!(bench.host.taken().is_empty(), "cron is not tried again");
    let (count, _) = bench.reader.state_get(&name("good"), "calls", bench.clock.now()).unwrap().unwrap();
    assert_eq!(count, b"2", "the state of each lane's call is stored with its slot");
    let stats = bench.engine.stats().total();
    assert_eq!(stats[&(name("bad"), HookKind::Cron)].errors, 2);
}

#[test]
fn what_a_call_submits_is_checked_as_a_whole() {
    let bench = Clockwork::new(vec![module("m", vec![minutely()])]);
    bench.host.plays(|_| {
        Gives::Tasks(vec![vec![body("a", vec![plain("note", "x")])], vec![body("b", vec![plain("no-such", "y")])]])
    });
    bench.pass(60);
    assert_eq!(bench.drained().accepted, 0, "all of it or nothing");
    let errors = bench.reader.errors(&ErrorFilter::default(), 10).unwrap();
    assert_eq!(errors[0].reason, "invalid-output");
}

#[test]
fn a_clock_put_back_fires_no_slot_twice_and_a_wrong_one_is_forgiven() {
    let bench = Clockwork::new(vec![module("m", vec![timer(&[("minute", "0")], 60)])]);
    bench.pass(2800);
    assert_eq!(times(&bench.host.taken()), ["2023-11-14T23:00:00Z"; 2]);
    bench.pass(-3600);
    assert!(bench.host.taken().is_empty());
    bench.pass(3600 + 20);
    assert!(bench.host.taken().is_empty(), "23:00 again, and it was dealt with");
    bench.pass(10 * 366 * 86_400 + 3590);
    bench.host.taken();
    bench.pass(-10 * 366 * 86_400);
    bench.host.taken();
    bench.pass(3600);
    assert_eq!(bench.host.taken().len(), 2, "the timer does not wait ten years");
}

#[test]
fn while_a_slot_is_at_work_the_next_waits() {
    let bench = Clockwork::new(vec![module("m", vec![timer(&[("minute", "*")], 3600)])]);
    let (release, held) = channel::<()>();
    let (held, begun) = (Mutex::new(held), channel());
    let begins = Mutex::new(begun.0);
    bench.host.plays(move |_| {
        begins.lock().unwrap().send(()).unwrap();
        held.lock().unwrap().recv().unwrap();
        Gives::Nothing
    });
    bench.clock.advance_ms(60_000);
    bench.engine.scheduler().look();
    for _ in 0..2 {
        begun.1.recv().unwrap();
    }
    bench.clock.advance_ms(180_000);
    bench.engine.scheduler().look();
    for _ in 0..4 {
        release.send(()).unwrap();
    }
    bench.engine.scheduler().settle();
    let calls = bench.host.taken();
    assert_eq!(
        times(&calls),
        ["2023-11-14T22:14:00Z", "2023-11-14T22:14:00Z", "2023-11-14T22:17:00Z", "2023-11-14T22:17:00Z"],
        "those in between are passed over"
    );
}

/// Lanes of snapshots have instances of their own: these hear of the slot before the module's next hook.
#[test]
fn lanes_of_snapshots_hear_of_slots() {
    let bench = Clockwork::new(vec![module("m", vec![minutely(), Moment::SnapshotInit])]);
    bench.host.plays(|asked| match asked.call.kind {
        HookKind::Cron => Gives::Tasks(vec![vec![body("a", vec![plain("note", "x")])]]),
        _ => Gives::Nothing,
    });
    bench.pass(60);
    bench.host.taken();
    bench.engine.run_snapshot(SnapshotOptions::default()).unwrap();
    let calls = bench.host.log.lock().unwrap().clone();
    let of = |host: &str| -> Vec<&str> {
        calls.iter().filter(|c| c.ends_with(host)).map(|c| c.split(' ').next().unwrap()).collect()
    };
    let hosts: std::collections::BTreeSet<&str> = calls.iter().map(|c| c.rsplit(' ').next().unwrap()).collect();
    assert_eq!(hosts.len(), 2);
    for host in hosts {
        assert_eq!(of(host), ["cron", "snapshot-init"]);
    }
    assert_eq!(bench.drained().accepted, 1, "what they submit entered with the slot");
    bench.host.taken();
    bench.engine.run_snapshot(SnapshotOptions::default()).unwrap();
    assert!(bench.host.taken().iter().all(|c| c.starts_with("snapshot-init")), "once");
}

fn job(
    name: &str,
    cron: &[(&str, &str)],
    run: impl Fn(&JobContext) -> Result<u32, String> + Send + Sync + 'static,
) -> Job {
    let run = Arc::new(move |context: &JobContext| run(context).map(|n| json!(n)));
    Job { name: name.into(), cron: Some(Cron::of(cron)), after: None, run }
}

#[test]
fn jobs_run_by_the_clock_one_at_a_time() {
    let bench = Clockwork::new(vec![]);
    let scheduler = bench.engine.scheduler();
    let runs = Arc::new(AtomicU32::new(0));
    let counted = runs.clone();
    scheduler.add_job(job("care", &[("minute", "*/10")], move |_| Ok(counted.fetch_add(1, Ordering::SeqCst)))).unwrap();
    scheduler.add_job(job("bad", &[("minute", "20")], |context| Err(format!("no luck at {}", context.at)))).unwrap();
    assert_eq!(
        scheduler.add_job(job("care", &[("minute", "1")], |_| Ok(0))).unwrap_err().to_string(),
        r#"there are two jobs "care""#
    );
    assert!(matches!(scheduler.add_job(job("x", &[("minute", "*/99")], |_| Ok(0))), Err(JobError::Schedule(..))));
    bench.pass(300);
    assert_eq!(runs.load(Ordering::SeqCst), 0);
    // 22:18:20 to 23:00:00: five times have passed and one run makes up for them.
    bench.pass(2500);
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    let jobs = scheduler.jobs();
    let care = jobs.iter().find(|j| j.name == "care").unwrap();
    assert_eq!((care.runs, care.skipped, care.running_since), (1, 0, None));
    assert_eq!(care.next, Timestamp::parse("2023-11-14T23:10:00Z"));
    assert_eq!(care.last.as_ref().unwrap().at, Timestamp::parse("2023-11-14T23:00:00Z").unwrap());
    let bad = jobs.iter().find(|j| j.name == "bad").unwrap();
    assert_eq!(bad.last.as_ref().unwrap().result, Err("no luck at 2023-11-14T22:20:00Z".into()));
    scheduler.run_job("care", json!(null)).unwrap();
    scheduler.settle();
    assert_eq!(runs.load(Ordering::SeqCst), 2);
    assert_eq!(
        scheduler.run_job("cure", json!(null)).unwrap_err().to_string(),
        r#"there is no job "cure"; the jobs are bad, care"#
    );
}

#[test]
fn a_time_that_comes_while_the_job_runs_is_left_out_and_a_stop_is_heard() {
    let bench = Clockwork::new(vec![]);
    let scheduler = bench.engine.scheduler();
    let (begins, begun) = channel();
    let begins = Mutex::new(begins);
    let slow = move |context: &JobContext| {
        begins.lock().unwrap().send(()).unwrap();
        while !context.is_stopping() {
            std::thread::yield_now();
        }
        Ok(7)
    };
    scheduler.add_job(job("slow", &[("minute", "*")], slow)).unwrap();
    bench.clock.advance_ms(60_000);
    scheduler.look();
    begun.recv().unwrap();
    assert_eq!(scheduler.run_job("slow", json!(null)), Err(JobError::Running("slow".into())));
    bench.clock.advance_ms(60_000);
    scheduler.look();
    while scheduler.jobs()[0].skipped == 0 {
        std::thread::yield_now();
    }
    bench.engine.drain();
    let info = &scheduler.jobs()[0];
    assert_eq!((info.runs, info.skipped), (1, 1));
    assert_eq!(info.last.as_ref().unwrap().result, Ok(json!(7)));
    assert_eq!(scheduler.run_job("slow", json!(null)), Err(JobError::Ended));
}

#[test]
fn a_job_that_asks_for_it_makes_up_for_a_downtime() {
    let bench = Clockwork::new(vec![]);
    let runs = Arc::new(AtomicU32::new(0));
    let counted = runs.clone();
    let mut late = job("late", &[("hour", "3")], move |_| Ok(counted.fetch_add(1, Ordering::SeqCst)));
    late.after = Timestamp::parse("2023-11-13T03:00:00Z");
    bench.engine.scheduler().add_job(late).unwrap();
    bench.pass(0);
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    bench.pass(3600);
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[test]
fn hosts_are_told_by_their_own_numbers() {
    let host = Timed::new();
    let clock = TestClock::new();
    let store = Store::temporary(StoreOptions::default(), clock.now()).unwrap();
    let bench = Clockwork::played(store, clock, vec![module("m", vec![minutely()])], host.clone());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = seen.clone();
    host.plays(move |asked| {
        noted.lock().unwrap().push((asked.host, asked.call.id.clone()));
        Gives::Nothing
    });
    bench.pass(60);
    let seen = seen.lock().unwrap().clone();
    assert_ne!(seen[0].0, seen[1].0);
    assert_eq!(seen[0].1, seen[1].1, "the id of the call is the same in every lane, so that lots fall alike");
}
