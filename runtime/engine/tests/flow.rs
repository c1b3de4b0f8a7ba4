//! The flow of a task, through real lanes and a real store, with scripted modules.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail loudly")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use support::*;
use tenter_model::hook::Moment;
use tenter_model::host::{CallCause, Reason, Verdict};
use tenter_model::record::History;
use tenter_model::{HookKind, TaskBody, Timestamp};
use tenter_store::{DeadFilter, ErrorFilter, RawFilter};

#[test]
fn hooks_run_in_order_and_see_the_task() {
    let bench = Bench::new(vec![
        module("one", vec![attribute("note"), creation(), allow(), Moment::OnTaskStart]),
        module("two", vec![Moment::OnTaskStart, allow(), creation(), attribute("note")]),
    ]);
    bench.run(vec![body("a", vec![plain("note", "x"), plain("label", "y")])]);
    assert_eq!(
        bench.host.calls(),
        [
            "one on-task-start ip/a",
            "two on-task-start ip/a",
            "one allow-entity-creation ip/a",
            "two allow-entity-creation ip/a",
            "one on-entity-creation ip/a",
            "two on-entity-creation ip/a",
            "one on-new-attribute ip/a note",
            "two on-new-attribute ip/a note",
        ]
    );
    bench.host.calls.lock().unwrap().clear();
    bench.run(vec![body("a", vec![plain("note", "z")])]);
    assert_eq!(
        bench.host.calls(),
        [
            "one on-task-start ip/a",
            "two on-task-start ip/a",
            "one on-new-attribute ip/a note",
            "two on-new-attribute ip/a note",
        ]
    );
    assert_eq!(bench.text("a", "note").as_deref(), Some("z"));
    assert_eq!(bench.text("a", "label").as_deref(), Some("y"));
}

#[test]
fn what_a_hook_returns_re_enters_the_pipeline_with_its_provenance() {
    let bench = Bench::new(vec![module("labels", vec![creation()]), module("watch", vec![attribute("label")])]);
    bench.host.on("labels", |_, _, _| {
        Answer::Tasks(vec![body("a", vec![plain("label", "new")]), body("b", vec![plain("note", "from a")])])
    });
    let counters = bench.run(vec![body("a", vec![plain("note", "x")])]);
    assert_eq!(bench.text("a", "label").as_deref(), Some("new"));
    assert_eq!(bench.text("b", "note").as_deref(), Some("from a"));
    assert!(bench.host.calls().contains(&"watch on-new-attribute ip/a label".to_owned()));
    // Entity b is new as well; its own creation hook returns the same tasks again, which end at the depth limit or
    // are plain rewrites: b's children are a and b at depth 2, where both exist.
    assert_eq!(counters.accepted, 5);
    let raw = bench.reader.raw(&RawFilter { limit: 100, ..RawFilter::default() }).unwrap();
    let derived: Vec<_> = raw.iter().filter(|p| p.point.module == Some(name("labels"))).collect();
    assert_eq!(derived.len(), 4);
    assert!(derived.iter().all(|p| p.point.datapoint.src.as_deref() == Some("labels")));
    assert_eq!(raw.iter().filter(|p| p.point.module.is_none()).count(), 1);
}

#[test]
fn the_first_denial_ends_the_task_and_leaves_nothing() {
    let bench =
        Bench::new(vec![module("gate", vec![allow()]), module("second", vec![allow(), creation(), attribute("note")])]);
    bench.host.on("gate", |_, entity, _| {
        Answer::Verdict(if entity.eid.as_str() == "bad" { Verdict::Deny("not ours".into()) } else { Verdict::Allow })
    });
    let counters = bench.run(vec![body("bad", vec![plain("note", "x")]), body("good", vec![plain("note", "x")])]);
    assert_eq!((counters.applied, counters.denied), (1, 1));
    assert!(bench.reader.record(&entity("bad")).unwrap().is_none());
    assert!(bench.text("good", "note").is_some());
    assert!(!bench.host.calls().contains(&"second allow-entity-creation ip/bad".to_owned()));
    let raw = bench.reader.raw(&RawFilter { limit: 100, ..RawFilter::default() }).unwrap();
    assert_eq!(raw.len(), 1);
}

#[test]
fn a_faulty_admission_hook_is_never_a_silent_denial() {
    let bench = Bench::new(vec![module("gate", vec![allow()])]);
    bench.host.on("gate", |_, _, _| Answer::Fail(Reason::Trap));
    let counters = bench.run(vec![body("a", vec![plain("note", "x")])]);
    assert_eq!((counters.applied, counters.denied, counters.dead), (0, 0, 1));
    assert_eq!(bench.host.calls().len(), 4, "one try and three retries");
    let dead = bench.reader.dead(&DeadFilter::default(), 10).unwrap();
    assert_eq!(dead[0].letter.kind.name(), "admission");
    assert_eq!(dead[0].letter.reason, "trap");
    assert_eq!(dead[0].letter.module, Some(name("gate")));
    assert_eq!(dead[0].letter.task.body.datapoints, [plain("note", "x")], "the letter has the whole task");
    assert_eq!(bench.reader.errors(&ErrorFilter::default(), 10).unwrap().len(), 4);
}

#[test]
fn an_admission_fault_counts_as_allowed_where_the_operator_says_so() {
    let bench = Bench::new(vec![open_on_fault(module("gate", vec![allow()]))]);
    bench.host.on("gate", |_, _, _| Answer::Fail(Reason::Trap));
    let counters = bench.run(vec![body("a", vec![plain("note", "x")])]);
    assert_eq!((counters.applied, counters.dead), (1, 0));
    assert_eq!(bench.host.calls().len(), 1);
}

#[test]
fn a_fault_costs_the_module_its_output_and_nothing_else() {
    let bench = Bench::new(vec![
        module("bad", vec![Moment::OnTaskStart, creation(), attribute("note")]),
        module("good", vec![creation(), attribute("note")]),
    ]);
    bench.host.on("bad", |_, _, _| Answer::Fail(Reason::Fuel));
    bench.host.on("good", |call, _, _| match call.kind {
        HookKind::OnEntityCreation => Answer::Tasks(vec![body("a", vec![plain("label", "good")])]),
        _ => Answer::Nothing,
    });
    let counters = bench.run(vec![body("a", vec![plain("note", "x")])]);
    assert_eq!((counters.applied, counters.dead), (2, 0));
    assert_eq!(bench.text("a", "label").as_deref(), Some("good"));
    let errors = bench.reader.errors(&ErrorFilter::default(), 10).unwrap();
    let told: Vec<_> = errors.iter().map(|e| (e.module.as_str(), e.hook.name(), e.reason.as_ref())).collect();
    assert!(told.contains(&("bad", "on-entity-creation", "fuel")), "{told:?}");
    assert!(told.iter().all(|(module, ..)| *module == "bad"), "{told:?}");
    let stats = bench.engine.stats().total();
    assert_eq!(stats[&(name("bad"), HookKind::OnEntityCreation)].faults, 1);
    assert_eq!(stats[&(name("good"), HookKind::OnEntityCreation)].tasks, 1);
}

#[test]
fn faults_that_pass_are_retried_three_times_then_skipped() {
    let tries = Arc::new(AtomicU32::new(0));
    let bench = Bench::new(vec![module("flaky", vec![creation()]), module("down", vec![attribute("seen")])]);
    let counted = tries.clone();
    bench.host.on("flaky", move |call, _, _| {
        let n = counted.fetch_add(1, Ordering::SeqCst);
        assert_eq!(call.cause, if n == 0 { CallCause::Normal } else { CallCause::Retry });
        if n < 2 {
            Answer::Fail(Reason::Unavailable)
        } else {
            Answer::Tasks(vec![body("a", vec![plain("label", "late")])])
        }
    });
    bench.host.on("down", |_, _, _| Answer::Fail(Reason::Unavailable));
    bench.run(vec![body("a", vec![plain("note", "x")])]);
    assert_eq!(bench.text("a", "label").as_deref(), Some("late"));
    assert_eq!(tries.load(Ordering::SeqCst), 3);
    bench.run(vec![body("a", vec![observation("seen", "y", 5)])]);
    let calls = bench.host.calls().iter().filter(|c| c.starts_with("down")).count();
    assert_eq!(calls, 4);
    let record = bench.reader.record(&entity("a")).unwrap().unwrap();
    assert!(matches!(record.attributes.get("seen"), Some(History::Observations(points)) if points.len() == 1));
}

#[test]
fn effects_of_a_retried_run_enter_once() {
    let bench = Bench::new(vec![module("counter", vec![Moment::OnTaskStart]), module("flaky", vec![creation()])]);
    bench.host.on("counter", |_, _, _| Answer::Count("tasks"));
    let tries = AtomicU32::new(0);
    bench.host.on("flaky", move |_, _, _| {
        if tries.fetch_add(1, Ordering::SeqCst) < 2 { Answer::Fail(Reason::Unavailable) } else { Answer::Nothing }
    });
    bench.run(vec![body("a", vec![observation("seen", "y", 5)])]);
    assert_eq!(bench.host.calls().iter().filter(|c| c.starts_with("counter")).count(), 3);
    let (count, _) = bench.reader.state_get(&name("counter"), "tasks", Timestamp(0)).unwrap().unwrap();
    assert_eq!(count, b"1");
    let record = bench.reader.record(&entity("a")).unwrap().unwrap();
    assert!(matches!(record.attributes.get("seen"), Some(History::Observations(points)) if points.len() == 1));
}

#[test]
fn a_hook_that_feeds_itself_ends_in_a_dead_letter_that_names_it() {
    let bench = Bench::new(vec![module("loop", vec![attribute("note")])]);
    bench.host.on("loop", |_, _, _| Answer::Tasks(vec![body("a", vec![plain("note", "again")])]));
    let counters = bench.run(vec![body("a", vec![plain("note", "x")])]);
    assert_eq!(counters.applied, 9, "the task and eight descendants");
    let dead = bench.reader.dead(&DeadFilter::default(), 10).unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].letter.kind.name(), "depth");
    assert_eq!(dead[0].letter.module, Some(name("loop")));
}

#[test]
fn outputs_are_checked_whole() {
    let cases: Vec<(&str, Vec<TaskBody>, &str, &str)> = vec![
        (
            "attribute",
            vec![body("b", vec![plain("label", "ok")]), body("b", vec![plain("nope", "x")])],
            "invalid-output",
            "tasks[1].datapoints[0]",
        ),
        ("time", vec![body("b", vec![observation("seen", "x", -5)])], "invalid-output", "t1"),
        (
            "type",
            vec![TaskBody {
                entity: tenter_model::EntityRef { etype: "ipp".parse().unwrap(), ..entity("b") },
                ..body("b", vec![plain("note", "x")])
            }],
            "not-granted",
            "did you mean \"ip\"",
        ),
        (
            "delete",
            vec![TaskBody { delete: true, ..body("b", vec![]) }],
            "not-granted",
            "tenter grant m delete-entity ip",
        ),
        (
            "count",
            (0..257).map(|_| body("b", vec![plain("note", "x")])).collect(),
            "output-count",
            "257 tasks, the limit is 256",
        ),
        ("empty", vec![body("b", vec![])], "invalid-output", "tasks[0]"),
    ];
    for (case, tasks, reason, words) in cases {
        let bench = Bench::new(vec![module("m", vec![creation()])]);
        bench.host.on("m", move |_, _, _| Answer::Tasks(tasks.clone()));
        let counters = bench.run(vec![body("a", vec![plain("note", "x")])]);
        assert_eq!(counters.applied, 1, "{case}");
        assert!(bench.reader.record(&entity("b")).unwrap().is_none(), "{case}: nothing of a bad output is used");
        let errors = bench.reader.errors(&ErrorFilter::default(), 10).unwrap();
        assert_eq!(errors[0].reason, reason, "{case}: {}", errors[0].message);
        assert!(errors[0].message.contains(words), "{case}: {}", errors[0].message);
    }
}

#[test]
fn grants_decide_what_may_be_written_and_removed() {
    let bench = Bench::new(vec![
        granted(module("writer", vec![creation()]), "write-entities", "ip.label"),
        granted(module("remover", vec![attribute("label")]), "delete-entity", "ip"),
    ]);
    bench.host.on("writer", |_, entity, _| {
        let attr = if entity.eid.as_str() == "a" { "label" } else { "note" };
        Answer::Tasks(vec![TaskBody { entity: entity.clone(), ..body("x", vec![plain(attr, "by writer")]) }])
    });
    bench.run(vec![body("b", vec![plain("note", "x")])]);
    assert_eq!(bench.text("b", "note").as_deref(), Some("x"));
    assert_eq!(bench.reader.errors(&ErrorFilter::default(), 10).unwrap()[0].reason, "not-granted");
    bench
        .host
        .on("remover", |_, entity, _| Answer::Tasks(vec![TaskBody { delete: true, ..TaskBody::new(entity.clone()) }]));
    bench.run(vec![body("a", vec![plain("note", "x")])]);
    assert!(bench.reader.record(&entity("a")).unwrap().is_none(), "a was labelled and then removed");
}

#[test]
fn delete_tasks_start_hooks_and_remove_the_entity_alone() {
    let bench = Bench::new(vec![module("m", vec![Moment::OnTaskStart, allow(), creation(), attribute("note")])]);
    bench.run(vec![body("a", vec![plain("note", "x")])]);
    bench.host.calls.lock().unwrap().clear();
    let counters = bench.run(vec![
        TaskBody { delete: true, ..body("a", vec![plain("note", "ignored")]) },
        TaskBody { delete: true, ..body("unknown", vec![]) },
    ]);
    let mut calls = bench.host.calls();
    calls.sort();
    assert_eq!(calls, ["m on-task-start ip/a", "m on-task-start ip/unknown"]);
    assert!(bench.reader.record(&entity("a")).unwrap().is_none());
    assert_eq!(counters.applied, 3);
    assert_eq!(bench.reader.raw(&RawFilter { limit: 9, ..RawFilter::default() }).unwrap().len(), 1, "the log stays");
}

#[test]
fn a_token_alone_makes_a_whole_entity() {
    let bench = Bench::new(Vec::new());
    let until = Timestamp(1_900_000_000_000_000);
    bench.run(vec![TaskBody { ttl_tokens: vec![("mine".into(), Some(until))], ..body("a", vec![]) }]);
    let record = bench.reader.record(&entity("a")).unwrap().unwrap();
    assert_eq!(record.ttl.get("mine"), Some(&until));
    assert!(record.created.0 > 0);
}

#[test]
fn entities_of_limited_lifetime_get_their_tokens() {
    let bench = Bench::new(Vec::new());
    let host = tenter_model::EntityRef { etype: "host".parse().unwrap(), ..entity("h") };
    let now = tenter_model::time::Clock::now(bench.clock.as_ref());
    bench.run(vec![TaskBody { entity: host.clone(), ..body("h", vec![plain("note", "x")]) }]);
    let record = bench.reader.record(&host).unwrap().unwrap();
    assert!(record.ttl["base"].since(now) >= 60_000_000);
    assert!(record.ttl.contains_key("data"));
}

#[test]
fn tasks_of_one_entity_apply_in_the_order_of_admission() {
    let bench = Bench::with(Vec::new(), 4);
    let bodies = (0..600).map(|n| body(&format!("e{}", n % 5), vec![observation("seen", &n.to_string(), n + 1)]));
    let counters = bench.run(bodies.collect());
    assert_eq!(counters.applied, 600);
    for e in 0..5 {
        let record = bench.reader.record(&entity(&format!("e{e}"))).unwrap().unwrap();
        let Some(History::Observations(points)) = record.attributes.get("seen") else { panic!("no history") };
        let times: Vec<i64> = points.iter().map(|p| p.t1.0).collect();
        assert_eq!(times, (0..120).map(|k| k * 5 + e + 1).collect::<Vec<_>>(), "entity e{e}");
    }
}

#[test]
fn a_swapped_registry_is_used_by_the_next_task() {
    let bench = Bench::new(vec![module("old", vec![Moment::OnTaskStart])]);
    bench.run(vec![body("a", vec![plain("note", "x")])]);
    bench.engine.registry().swap(registry(vec![module("new", vec![Moment::OnTaskStart])]));
    bench.engine.wake();
    bench.run(vec![body("a", vec![plain("note", "y")])]);
    assert_eq!(bench.host.calls(), ["old on-task-start ip/a", "new on-task-start ip/a"]);
    assert!(bench.host.retained.load(Ordering::SeqCst) >= 2, "lanes drop instances of replaced modules");
}

#[test]
fn what_waits_survives_a_drain_and_is_taken_up_by_the_next_engine() {
    let bench = Bench::new(vec![module("down", vec![attribute("note")])]);
    bench.host.on("down", |_, _, _| Answer::Fail(Reason::Unavailable));
    bench.admit((0..50).map(|n| body(&format!("e{n}"), vec![plain("note", "x")])).collect());
    bench.engine.drain();
    let left = bench.reader.counters().unwrap();
    assert_eq!(left.accepted, 50);
    let next = Bench::over(bench.store.clone(), bench.clock.clone(), Vec::new(), 3);
    let counters = next.settle();
    assert_eq!(counters.applied, 50);
}

#[test]
fn a_hook_that_keeps_breaking_rules_is_paused_and_released() {
    let bench = Bench::with(vec![module("bad", vec![attribute("note")]), module("good", vec![attribute("note")])], 1);
    bench.host.on("bad", |_, _, _| Answer::Fail(Reason::Trap));
    let calls = |module: &str| bench.host.calls().iter().filter(|c| c.starts_with(module)).count();
    for n in 0..12 {
        bench.run(vec![body("a", vec![plain("note", &n.to_string())])]);
    }
    assert_eq!(calls("bad"), 5, "five faults in a row open the breaker");
    assert_eq!(calls("good"), 12, "other modules go on");
    let key = (name("bad"), HookKind::OnNewAttribute);
    assert_eq!(bench.engine.breakers().all()[&key].state.name(), "open");
    assert_eq!(bench.engine.stats().total()[&key].skipped, 7);

    bench.clock.advance_ms(31_000);
    bench.host.on("bad", |_, _, _| Answer::Nothing);
    for n in 0..4 {
        bench.run(vec![body("a", vec![plain("note", &n.to_string())])]);
    }
    assert_eq!(calls("bad"), 9, "after the pause it is on probation, and good calls close it");
    assert_eq!(bench.engine.breakers().all()[&key].state.name(), "closed");

    bench.host.on("bad", |_, _, _| Answer::Fail(Reason::Host));
    for n in 0..3 {
        bench.run(vec![body("a", vec![plain("note", &n.to_string())])]);
    }
    assert_eq!(calls("bad"), 10, "a fault of the host in the call quarantines at once");
    assert_eq!(
        bench.engine.breakers().release(&name("bad"), None, tenter_model::time::Clock::now(bench.clock.as_ref())),
        1
    );
    bench.run(vec![body("a", vec![plain("note", "x")])]);
    assert_eq!(calls("bad"), 11);
}

#[test]
fn errors_on_purpose_open_no_breaker_and_the_switch_keeps_it_shut() {
    let mut stubborn = module("stubborn", vec![attribute("note")]);
    stubborn.settings.quarantine = tenter_model::module::Quarantine::Off;
    let bench = Bench::with(vec![module("polite", vec![attribute("note")]), stubborn], 1);
    bench.host.on("polite", |_, _, _| Answer::Fail(Reason::Failed));
    bench.host.on("stubborn", |_, _, _| Answer::Fail(Reason::Trap));
    for n in 0..8 {
        bench.run(vec![body("a", vec![plain("note", &n.to_string())])]);
    }
    let calls = |module: &str| bench.host.calls().iter().filter(|c| c.starts_with(module)).count();
    assert_eq!((calls("polite"), calls("stubborn")), (8, 8));
}

#[test]
fn a_paused_admission_hook_turns_nobody_away() {
    let bench = Bench::with(vec![module("gate", vec![allow()])], 1);
    bench.host.on("gate", |_, _, _| Answer::Fail(Reason::Trap));
    let counters = bench.run((0..4).map(|n| body(&format!("e{n}"), vec![plain("note", "x")])).collect());
    assert_eq!((counters.denied, counters.dead), (0, 4));
    let dead = bench.reader.dead(&DeadFilter::default(), 10).unwrap();
    let reasons: Vec<_> = dead.iter().map(|d| d.letter.reason.as_ref()).collect();
    assert!(reasons.contains(&"quarantined"), "{reasons:?}");
}

/// A module that takes 20 ms for each call of one entity beside tasks that do not concern it: the others do not wait.
#[test]
fn a_slow_module_is_run_aside_and_holds_up_nobody() {
    let bench = Bench::with(vec![module("slow", vec![attribute("note")])], 1);
    bench.host.slow_down("slow", std::time::Duration::from_millis(20));
    bench.run((0..3).map(|n| body(&format!("warm{n}"), vec![plain("note", "x")])).collect());
    assert_eq!(bench.engine.pace().slow().len(), 1);

    let slow = (0..60).map(|n| body(&format!("slow{n}"), vec![plain("note", "x")]));
    let quick = (0..200).map(|n| body(&format!("quick{n}"), vec![plain("label", "x")]));
    bench.admit(slow.chain(quick).collect());
    let mut left_when_quick_were_done = None;
    for _ in 0..4000 {
        let quick_left = (0..200).filter(|n| bench.text(&format!("quick{n}"), "label").is_none()).count();
        if quick_left == 0 {
            left_when_quick_were_done = Some(bench.reader.counters().unwrap().pending);
            break;
        }
    }
    let left = left_when_quick_were_done.unwrap();
    assert!(left > 10, "the quick ones did not wait for the slow ones: {left} were left");
    let counters = bench.settle();
    assert_eq!((counters.applied, counters.dead), (263, 0));
    for n in 0..60 {
        assert!(bench.text(&format!("slow{n}"), "note").is_some());
    }
}

/// From its first call on, a module that waits for somebody outside holds up neither the lane nor a slow module. Here
/// those that wait are let go only when all others are done.
#[test]
fn a_module_that_waits_for_somebody_outside_holds_up_nobody() {
    let waits = granted(module("waits", vec![attribute("note")]), "http", "*");
    let bench = Bench::with(vec![waits, module("slow", vec![attribute("seen")])], 1);
    bench.host.slow_down("slow", std::time::Duration::from_millis(5));
    let (gate, closed) = std::sync::mpsc::channel::<()>();
    let closed = std::sync::Mutex::new(closed);
    bench.host.on("waits", move |_, _, _| {
        // Ends when the other side is gone.
        let _open = closed.lock().unwrap().recv();
        Answer::Nothing
    });
    // More than there are threads for them, and than a lane gives out at once.
    let waiting = (0..100).map(|n| body(&format!("waits{n}"), vec![plain("note", "x")]));
    let slow = (0..20).map(|n| body(&format!("slow{n}"), vec![observation("seen", "x", n + 1)]));
    let quick = (0..100).map(|n| body(&format!("quick{n}"), vec![plain("label", "x")]));
    bench.admit(waiting.chain(slow).chain(quick).collect());
    let others_left = || {
        let quick = (0..100).filter(|n| bench.text(&format!("quick{n}"), "label").is_none()).count();
        quick + (0..20).filter(|n| bench.reader.record(&entity(&format!("slow{n}"))).unwrap().is_none()).count()
    };
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while others_left() > 0 {
        assert!(std::time::Instant::now() < until, "{} wait for those that wait", others_left());
        std::thread::yield_now();
    }
    assert_eq!(bench.reader.counters().unwrap().pending, 100);
    drop(gate);
    let counters = bench.settle();
    assert_eq!((counters.applied, counters.dead), (220, 0));
    assert_eq!(bench.host.calls().iter().filter(|call| call.starts_with("waits ")).count(), 100);
}

#[test]
fn order_holds_for_entities_whose_tasks_run_aside() {
    let bench = Bench::with(vec![module("slow", vec![attribute("seen")])], 2);
    bench.host.slow_down("slow", std::time::Duration::from_millis(4));
    let counters =
        bench.run((0..90).map(|n| body(&format!("e{}", n % 3), vec![observation("seen", "x", n + 1)])).collect());
    assert_eq!(counters.applied, 90);
    assert_eq!(bench.engine.pace().slow().len(), 1);
    for e in 0..3 {
        let record = bench.reader.record(&entity(&format!("e{e}"))).unwrap().unwrap();
        let Some(History::Observations(points)) = record.attributes.get("seen") else { panic!("no history") };
        let times: Vec<i64> = points.iter().map(|p| p.t1.0).collect();
        assert_eq!(times, (0..30).map(|k| k * 3 + e + 1).collect::<Vec<_>>(), "entity e{e}");
    }
}

#[test]
fn failures_and_denials_are_recorded_and_the_rest_by_sample() {
    let mut watched = module("watched", vec![attribute("note")]);
    watched.settings.recording = tenter_model::module::Recording::All;
    let bench = Bench::with(
        vec![
            module("gate", vec![allow()]),
            watched,
            module("plainly", vec![attribute("note")]),
            module("bad", vec![attribute("label")]),
        ],
        1,
    );
    bench.host.on("gate", |_, entity, _| {
        Answer::Verdict(if entity.eid.as_str() == "no" {
            Verdict::Deny("not \u{1b}ours".into())
        } else {
            Verdict::Allow
        })
    });
    bench.host.on("watched", |_, entity, _| {
        Answer::Tasks(vec![TaskBody { entity: entity.clone(), ..body("x", vec![plain("label", "l")]) }])
    });
    bench.host.on("bad", |_, _, _| Answer::Fail(Reason::Failed));
    bench.run(vec![body("no", vec![plain("note", "x")])]);
    for n in 0..4 {
        bench.run(vec![body("yes", vec![plain("note", &n.to_string())])]);
    }
    let rows = bench.reader.invocations(&tenter_store::InvocationFilter::default(), None, 100).unwrap();
    let of = |module: &str| rows.iter().filter(|r| r.row.module.as_str() == module).collect::<Vec<_>>();
    assert_eq!(of("watched").len(), 4);
    assert_eq!(of("plainly").len(), 1, "the first of the lane");
    assert_eq!(of("bad").len(), 4);
    let denied = of("gate").into_iter().find(|r| r.row.outcome.name() == "denied").unwrap();
    assert_eq!(denied.row.reason.as_deref(), Some("not \\u{1b}ours"));
    let shown: serde_json::Value = serde_json::from_slice(&of("watched")[0].row.output).unwrap();
    assert_eq!(shown[0]["data_points"][0]["attr"], "label");
    let errors = bench.reader.errors(&ErrorFilter::default(), 10).unwrap();
    let ids: Vec<_> = of("bad").iter().map(|r| Some(r.row.id)).collect();
    assert!(errors.iter().all(|e| ids.contains(&e.invocation)), "errors and records of calls join");
}

#[test]
fn breakers_outlive_the_process_and_operators_release_them() {
    let bench = Bench::with(vec![module("bad", vec![attribute("note")])], 1);
    bench.host.on("bad", |_, _, _| Answer::Fail(Reason::Trap));
    for n in 0..6 {
        bench.run(vec![body("a", vec![plain("note", &n.to_string())])]);
    }
    bench.engine.drain();
    let next = Bench::over(bench.store.clone(), bench.clock.clone(), vec![module("bad", vec![attribute("note")])], 1);
    next.run(vec![body("a", vec![plain("note", "x")])]);
    assert_eq!(next.host.calls().len(), 0, "still paused");
    assert_eq!(next.engine.release(&name("bad"), None, "somebody").unwrap(), 1);
    next.run(vec![body("a", vec![plain("note", "y")])]);
    assert_eq!(next.host.calls().len(), 1);
    assert!(next.reader.breakers().unwrap().is_empty());
    let log = next.reader.audit_log(0, 10).unwrap();
    assert!(log.iter().any(|entry| entry.actor == "somebody" && entry.action == "breaker.release"), "{log:?}");
}
