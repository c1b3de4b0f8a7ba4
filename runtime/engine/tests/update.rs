//! Sweeps over stored entities, through a real store, with a clock that the tests move.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail loudly")]

mod support;
#[path = "support/timed.rs"]
mod timed;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use support::{TestClock, body, entity, module, name, observation, plain, registry};
use tenter_engine::update::{GroupReport, check_periods};
use tenter_engine::{JobContext, UpdateReport};
use tenter_model::hook::{Moment, Sweep};
use tenter_model::host::Reason;
use tenter_model::time::Clock;
use tenter_model::{EntityType, HookKind, TaskBody};
use tenter_store::{ErrorFilter, Store, StoreOptions};
use timed::{Asked, Clockwork, Gives, Timed};

const MINUTE: i64 = 60_000_000;

fn sweep(period_seconds: u64) -> Sweep {
    Sweep { etype: EntityType::new("ip").unwrap(), period_seconds }
}

fn record(period_seconds: u64) -> Moment {
    Moment::UpdateRecord(sweep(period_seconds))
}

fn identity(period_seconds: u64) -> Moment {
    Moment::UpdateEntity(sweep(period_seconds))
}

fn fill(bench: &Clockwork, count: usize) {
    let bodies: Vec<TaskBody> = (0..count).map(|n| body(&format!("e{n:04}"), vec![plain("note", "x")])).collect();
    for chunk in bodies.chunks(200) {
        bench.engine.admit(chunk.to_vec(), Box::new(|result| drop(result.unwrap())));
    }
    while bench.reader.entity_count(&EntityType::new("ip").unwrap()).unwrap() < count as u64 {
        std::thread::yield_now();
    }
    bench.drained();
    bench.host.taken();
}

fn batch(bench: &Clockwork) -> UpdateReport {
    let report = bench.engine.run_updates(MINUTE, &JobContext::by_hand(bench.clock.clone())).unwrap();
    bench.clock.advance_ms(60_000);
    report
}

/// How often each entity was visited.
fn visits(calls: &[String]) -> BTreeMap<String, usize> {
    let mut out = BTreeMap::new();
    for call in calls {
        *out.entry(call.split(' ').nth(3).unwrap().to_owned()).or_default() += 1;
    }
    out
}

#[test]
fn a_sweep_visits_every_entity_once_and_is_spread_over_the_period() {
    let bench = Clockwork::new(vec![module("m", vec![record(300)])]);
    fill(&bench, 1000);
    bench.host.plays(|asked| {
        assert_eq!(asked.arguments, "note", "the record is passed");
        Gives::Nothing
    });
    let mut calls = Vec::new();
    for step in 1..=5 {
        let report = batch(&bench);
        let GroupReport { visited, iteration, total_iterations, finished, total, .. } = report.groups[0];
        assert_eq!((iteration, total_iterations, finished, total), (step, 5, step == 5, 1000));
        assert!((100..300).contains(&visited), "a fifth of all, by hash: {visited}");
        calls.extend(bench.host.taken());
    }
    let visits = visits(&calls);
    assert_eq!(visits.len(), 1000);
    assert!(visits.values().all(|n| *n == 1));
    // The next one begins anew.
    assert_eq!(batch(&bench).groups[0].iteration, 1);
    assert_eq!(bench.reader.sweeps(false, 10).unwrap().len(), 2);
}

/// DP³ finds entities by a hash that entities made by a task of tokens alone do not have, so that no sweep sees them.
#[test]
fn bug_an_entity_of_tokens_alone_is_visited() {
    let bench = Clockwork::new(vec![module("m", vec![identity(60)])]);
    let tokens = TaskBody { ttl_tokens: vec![("t".into(), Some(bench.clock.now()))], ..body("only-tokens", vec![]) };
    bench.engine.admit(vec![tokens], Box::new(|result| drop(result.unwrap())));
    while !bench.reader.is_known(&entity("only-tokens")).unwrap() {
        std::thread::yield_now();
    }
    bench.host.taken();
    batch(&bench);
    assert_eq!(visits(&bench.host.taken()).keys().collect::<Vec<_>>(), ["ip/only-tokens"]);
}

#[test]
fn hooks_of_a_group_are_called_in_order_for_each_entity_and_tasks_enter() {
    let modules = vec![module("one", vec![record(60), identity(60)]), module("two", vec![record(60), record(120)])];
    let bench = Clockwork::new(modules);
    fill(&bench, 2);
    bench.host.plays(|asked: &Asked<'_>| match (asked.call.kind, asked.entity) {
        (HookKind::UpdateRecord, Some(entity)) if entity.eid.as_str() == "e0000" => {
            Gives::Tasks(vec![vec![body("e0000", vec![plain("label", asked.call.module.name.as_str())])]])
        }
        _ => Gives::Nothing,
    });
    let report = batch(&bench);
    assert_eq!(report.groups.len(), 3, "by period, type and kind: {report:?}");
    let calls: Vec<String> = std::mem::take(&mut *bench.host.log.lock().unwrap());
    let of = |kind: &str| -> Vec<String> {
        let calls = calls.iter().filter(|c| c.starts_with(kind));
        calls
            .map(|c| {
                c.split(' ')
                    .enumerate()
                    .filter(|(n, _)| *n == 1 || *n == 3)
                    .map(|(_, w)| w)
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect()
    };
    let both = of("update-record");
    assert_eq!(
        both[..4],
        ["one/s0 ip/e0000", "two/s0 ip/e0000", "one/s0 ip/e0001", "two/s0 ip/e0001"],
        "entity by entity"
    );
    assert_eq!(of("update-entity"), ["one/s1 ip/e0000", "one/s1 ip/e0001"]);
    let counters = bench.drained();
    let entered = report.groups.iter().map(|g| g.tasks).sum::<u64>();
    assert!(entered >= 2 && counters.accepted == 2 + entered, "{entered} {counters:?}");
    let stats = bench.engine.stats().total();
    assert_eq!(stats[&(name("one"), HookKind::UpdateEntity)].calls, 2);
}

#[test]
fn a_sweep_goes_on_after_a_restart_and_no_task_enters_twice() {
    let clock = TestClock::new();
    let store = Store::temporary(StoreOptions::default(), clock.now()).unwrap();
    let modules = || vec![module("m", vec![identity(120)])];
    let host = Timed::new();
    let bench = Clockwork::played(store.clone(), clock.clone(), modules(), host.clone());
    fill(&bench, 1200);
    let each = |asked: &Asked<'_>| match asked.entity {
        Some(entity) => Gives::Tasks(vec![vec![TaskBody {
            datapoints: vec![observation("seen", entity.eid.as_str(), 5)],
            ..TaskBody::new(entity.clone())
        }]]),
        None => Gives::Nothing,
    };
    // The process "dies" in the second portion: the store refuses, since the engine's stop is asked for meanwhile.
    let (calls, stop) = (AtomicU32::new(0), Arc::new(AtomicBool::new(false)));
    let stopping = stop.clone();
    host.plays(move |asked| {
        if calls.fetch_add(1, Ordering::SeqCst) == 520 {
            stopping.store(true, Ordering::SeqCst);
        }
        if asked.call.kind == HookKind::UpdateEntity { each(asked) } else { Gives::Nothing }
    });
    let context = JobContext::stoppable(bench.clock.clone(), stop);
    bench.clock.advance_ms(1);
    let error = bench.engine.run_updates(MINUTE, &context);
    let first = host.taken().iter().filter(|c| c.starts_with("update")).count();
    let stopped = matches!(error, Err(tenter_engine::UpdateError::Stopped));
    bench.engine.drain();
    drop(bench);
    let again = Timed::new();
    again.plays(move |asked| if asked.call.kind == HookKind::UpdateEntity { each(asked) } else { Gives::Nothing });
    let bench = Clockwork::played(store, clock, modules(), again);
    let mut reports = Vec::new();
    while reports.last().is_none_or(|r: &UpdateReport| !r.groups[0].finished) {
        reports.push(batch(&bench));
    }
    assert!(first >= 512 && stopped || first > 521, "{first} {error:?}");
    let sweeps = bench.reader.sweeps(false, 10).unwrap();
    assert_eq!((sweeps.len(), sweeps[0].state.processed), (1, 1200));
    let counters = bench.drained();
    assert_eq!(counters.accepted, 2400, "each entity has its task once");
}

#[test]
fn faults_that_pass_are_tried_again_and_hold_up_no_other_entity() {
    let bench = Clockwork::new(vec![module("m", vec![identity(60)]), module("down", vec![identity(60)])]);
    fill(&bench, 3);
    let tries = Arc::new(AtomicU32::new(0));
    let counted = tries.clone();
    bench.host.plays(move |asked| {
        let eid = asked.entity.unwrap().eid.as_str();
        match (asked.call.module.name.as_str(), eid) {
            ("m", "e0000") if counted.fetch_add(1, Ordering::SeqCst) < 2 => Gives::Fail(Reason::Unavailable),
            ("m", "e0000") => Gives::Tasks(vec![vec![body("e0000", vec![plain("label", "late")])]]),
            ("down", "e0001") => Gives::Fail(Reason::Unavailable),
            ("down", "e0002") => Gives::Fail(Reason::Trap),
            _ => Gives::Nothing,
        }
    });
    let over = AtomicBool::new(false);
    let report = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                bench.clock.advance_ms(20);
                std::thread::yield_now();
            }
        });
        let report = bench.engine.run_updates(MINUTE, &JobContext::by_hand(bench.clock.clone()));
        over.store(true, Ordering::SeqCst);
        report.unwrap()
    });
    assert_eq!((report.groups[0].visited, report.groups[0].failures, report.groups[0].tasks), (3, 2, 1));
    let calls: Vec<String> =
        bench.host.log.lock().unwrap().iter().filter(|c| c.starts_with("update")).cloned().collect();
    let count = |text: &str| calls.iter().filter(|c| c.contains(text)).count();
    assert_eq!((count("m/s0"), count(" ip/e0000")), (5, 4), "{calls:?}");
    let of_down: Vec<_> = calls.iter().filter(|c| c.contains("down/s0")).collect();
    assert_eq!(of_down.iter().filter(|c| c.contains("e0001")).count(), 4, "one try and three more");
    assert_eq!(of_down.iter().filter(|c| c.contains("e0002")).count(), 1, "a trap would trap again");
    assert!(calls[..6].iter().filter(|c| c.contains("e0002")).count() == 2, "others go first: {calls:?}");
    let errors = bench.reader.errors(&ErrorFilter::default(), 20).unwrap();
    assert_eq!(errors.len(), 2 + 4 + 1);
    assert_eq!(bench.drained().accepted, 4);
}

#[test]
fn a_sweep_that_is_behind_catches_up_and_one_without_hooks_is_given_up() {
    let bench = Clockwork::new(vec![module("m", vec![identity(600)])]);
    fill(&bench, 20);
    assert_eq!(batch(&bench).groups[0].iteration, 1);
    bench.clock.advance_ms(180_000);
    // Three batches were left out.
    let iterations: Vec<u32> = (0..4).map(|_| batch(&bench).groups[0].iteration).collect();
    assert_eq!(iterations, [3, 5, 7, 8]);
    bench.engine.registry().swap(registry(vec![]));
    let report = batch(&bench);
    assert_eq!((report.abandoned, report.groups.len()), (1, 0));
    assert!(bench.reader.sweeps(true, 10).unwrap().is_empty());
}

#[test]
fn another_number_of_steps_begins_the_sweep_again() {
    let bench = Clockwork::new(vec![module("m", vec![identity(240)])]);
    fill(&bench, 50);
    batch(&bench);
    bench.host.taken();
    let context = JobContext::by_hand(bench.clock.clone());
    let report = bench.engine.run_updates(2 * MINUTE, &context).unwrap();
    assert_eq!((report.groups[0].total_iterations, report.groups[0].processed), (2, report.groups[0].visited));
    bench.clock.advance_ms(120_000);
    let report = bench.engine.run_updates(2 * MINUTE, &context).unwrap();
    assert!(report.groups[0].finished);
    assert_eq!(visits(&bench.host.taken()).len(), 50);
}

#[test]
fn a_period_shorter_than_that_of_batches_is_refused_in_words() {
    let loaded = module("m", vec![record(60), identity(59)]);
    let error = check_periods(&loaded, MINUTE).unwrap_err().to_string();
    assert_eq!(
        error,
        "subscription \"s1\" of module m asks for a sweep each 59 s, but batches are made each 60 s \
         (`update_batch_period` in updater.yml); ask for a period of 60 s or more, or make batches more often"
    );
    assert_eq!(check_periods(&loaded, MINUTE / 2), Ok(()));
    // One that was admitted by another configuration is not called, and says so in the log.
    let bench = Clockwork::new(vec![loaded]);
    fill(&bench, 1);
    assert_eq!(batch(&bench).groups.len(), 1);
}
