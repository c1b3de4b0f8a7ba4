//! What `snapshot-init` and `cron` prepare in memory, in the instance and in the one that replaces it; and what a timer
//! submits.

use serde_json::json;
use tenter_model::hook::HookKind;
use tenter_model::host::{CallCause, HookCall, HookHost, Invocation, LogLine, Reason};
use tenter_model::id::{EntityRef, ModuleName, SubscriptionId};
use tenter_model::module::{Isolation, ModuleSettings};
use tenter_model::task::{TaskBody, TaskId};
use tenter_model::view::RunContext;

use crate::support::{Host, NOW, settings};

pub(crate) fn rogue(change: impl FnOnce(&mut ModuleSettings)) -> Host {
    let mut settings = settings(json!({}));
    change(&mut settings);
    Host::of("tenter-rogue", settings)
}

/// What a sweep's hook says.
#[track_caller]
pub(crate) fn sweep(host: &mut Host, what: &str) -> Vec<String> {
    let done = swept(host, what);
    done.outcome.unwrap_or_else(|f| panic!("{what}: {f:?}")).remove(0).tags
}

pub(crate) fn swept(host: &mut Host, what: &str) -> Invocation<Vec<TaskBody>> {
    let entity = EntityRef { etype: "ip".parse().unwrap(), eid: what.parse().unwrap() };
    host.call(HookKind::UpdateEntity, "sweep", |lane, call| lane.update_entity(call, &entity))
}

fn init(host: &mut Host, run: &str) -> Invocation<Vec<TaskBody>> {
    let run = RunContext { id: run.into(), time: NOW };
    host.call(HookKind::SnapshotInit, "init", |lane, call| lane.snapshot_init(call, &run))
}

fn cron(host: &mut Host, id: &str, arguments: &str) -> Invocation<Vec<Vec<TaskBody>>> {
    host.call(HookKind::Cron, id, |lane, call| lane.cron(call, arguments))
}

/// Makes the instance go.
#[track_caller]
fn trap(host: &mut Host) {
    assert_eq!(swept(host, "trap").outcome.unwrap_err().reason, Reason::Trap);
}

fn texts(logs: &[LogLine]) -> Vec<&str> {
    logs.iter().map(|line| line.message.as_str()).collect()
}

#[test]
fn a_replaced_instance_is_prepared_again() {
    let mut host = rogue(|_| {});
    let at = |host: &mut Host, id: &str, minutes: i64| {
        host.id = id.into();
        host.time = NOW.saturating_add(minutes * 60_000_000);
    };
    // Timers come before the run here, and after it in the new instance.
    cron(&mut host, "tick", "keep old").outcome.unwrap();
    at(&mut host, "call-2", 1);
    cron(&mut host, "tick", "keep new").outcome.unwrap();
    cron(&mut host, "tock", "keep other").outcome.unwrap();
    at(&mut host, "call-3", 2);
    init(&mut host, "run-1").outcome.unwrap();
    at(&mut host, "call-4", 3);
    let minute = |n: i64| NOW.0 + n * 60_000_000;
    let said = |prepared: &str, n| format!("{prepared} {}", minute(n));
    let before = [
        said("tick old", 0),
        said("tick new", 1),
        said("tock other", 1),
        format!("init run-1 call-3 {} again=false", minute(2)),
    ];
    assert_eq!(sweep(&mut host, "memory"), before);

    trap(&mut host);
    let done = swept(&mut host, "memory");
    assert!(!done.usage.warm);
    // Its log is that of the new instance and its own, without what was logged before.
    assert_eq!(texts(&done.logs), ["configured"]);
    let after = [format!("init run-1 call-3 {} again=true", minute(2)), said("tick new", 1), said("tock other", 1)];
    assert_eq!(done.outcome.unwrap()[0].tags, after);
    // The facts of the call are its own again.
    trap(&mut host);
    assert_eq!(sweep(&mut host, "facts"), ["call-4".to_owned(), minute(3).to_string(), "CallCause::Normal".into()]);

    // The next slot is not preceded by the one before of the same timer.
    trap(&mut host);
    cron(&mut host, "tick", "keep newest").outcome.unwrap();
    let all = [format!("init run-1 call-3 {} again=true", minute(2)), said("tock other", 1), said("tick newest", 3)];
    assert_eq!(sweep(&mut host, "memory"), all);

    // After the run its preparation is not repeated, nor after another one has begun.
    host.lane.run_ended();
    trap(&mut host);
    assert_eq!(sweep(&mut host, "memory"), [said("tock other", 1), said("tick newest", 3)]);
    init(&mut host, "run-2").outcome.unwrap();
    init(&mut host, "run-3").outcome.unwrap();
    trap(&mut host);
    assert!(sweep(&mut host, "memory")[0].starts_with("init run-3 "));

    // Of a version that is gone nothing is repeated.
    host.lane.retain(&|_: &ModuleName, _| false);
    assert_eq!(sweep(&mut host, "memory"), [""; 0]);
}

#[test]
fn what_a_repeated_call_does_is_dropped() {
    let mut host = rogue(|settings| {
        let state = tenter_model::capability::Grant { capability: "state".into(), scope: String::new() };
        settings.grants = vec![state];
    });
    assert_eq!(init(&mut host, "run-1").state.len(), 1);
    trap(&mut host);
    let done = swept(&mut host, "memory");
    assert_eq!((done.state.len(), done.outcome.unwrap().len()), (0, 1));
}

#[test]
fn a_call_that_failed_prepares_nothing() {
    let mut host = rogue(|_| {});
    assert_eq!(init(&mut host, "trap").outcome.unwrap_err().reason, Reason::Trap);
    assert_eq!(cron(&mut host, "tick", "nonsense").outcome.unwrap_err().reason, Reason::Failed);
    assert_eq!(sweep(&mut host, "memory"), [""; 0]);
}

#[test]
fn fresh_isolation_repeats_nothing() {
    let mut host = rogue(|settings| settings.isolation = Isolation::Fresh);
    init(&mut host, "run-1").outcome.unwrap();
    cron(&mut host, "tick", "keep it").outcome.unwrap();
    assert_eq!(sweep(&mut host, "memory"), [""; 0]);
}

#[test]
fn a_module_that_cannot_be_prepared_again_serves_without() {
    for (run, reason) in [("trap-again", "trap"), ("loop-again", "fuel")] {
        let mut host = rogue(|settings| {
            settings.limits.insert("fuel".into(), 20_000_000);
        });
        cron(&mut host, "tick", "keep it").outcome.unwrap();
        init(&mut host, run).outcome.unwrap();
        trap(&mut host);
        let done = swept(&mut host, "memory");
        let last = done.logs.last().unwrap().message.clone();
        let begin = format!(
            "this new instance serves without what snapshot-init and cron had prepared, since repeating them failed ({reason}): "
        );
        assert!(last.starts_with(&begin), "{last}");
        // What the attempt cost is part of what the call cost.
        assert!(reason != "fuel" || done.usage.fuel > 20_000_000, "{:?}", done.usage);
        assert_eq!(done.outcome.unwrap()[0].tags, [""; 0]);
        // It is not tried again.
        trap(&mut host);
        let done = swept(&mut host, "memory");
        assert_eq!(texts(&done.logs), ["configured"]);
    }
    // An error on purpose leaves the instance sound.
    let mut host = rogue(|_| {});
    init(&mut host, "fail-again").outcome.unwrap();
    cron(&mut host, "tick", "keep it").outcome.unwrap();
    trap(&mut host);
    assert_eq!(sweep(&mut host, "memory"), [format!("tick it {}", NOW.0)]);
}

#[test]
fn submitted_tasks_have_the_ids_that_the_guest_was_told() {
    let mut host = rogue(|_| {});
    let done = cron(&mut host, "tick", "submit 2 0 1");
    let sizes: Vec<usize> = done.outcome.unwrap().iter().map(Vec::len).collect();
    assert_eq!(sizes, [2, 0, 1]);
    let (module, tick) = (host.module.name.clone(), SubscriptionId::new("tick").unwrap());
    let slot = TaskId::of_slot(&module, &tick, NOW);
    let id = |stage, n| TaskId::follow_up(slot, &module, &tick, stage, n).to_string();
    let told = [format!("Ok({:?})", [id(0, 0), id(0, 1)]), "Ok([])".to_owned(), format!("Ok({:?})", [id(2, 0)])];
    assert_eq!(texts(&done.logs)[1..], told);

    // Another lane and another call of the same slot give the same ids, another slot others.
    host.lane = host.sandbox.lane(host.data.clone());
    host.id = "call-of-lane-2".into();
    assert_eq!(texts(&cron(&mut host, "tick", "submit 2 0 1").logs)[1..], told);
    host.time = NOW.saturating_add(60_000_000);
    assert_ne!(texts(&cron(&mut host, "tick", "submit 2 0 1").logs), told);
}

#[test]
fn submissions_are_checked_and_bounded() {
    let mut host = rogue(|_| {});
    let said = |host: &mut Host, what: &str| {
        let done = cron(host, "tick", what);
        let taken = done.outcome.map(|all| all.iter().map(Vec::len).sum::<usize>());
        (taken.map_err(|f| f.reason), done.logs.last().map_or(String::new(), |line| line.message.clone()))
    };
    assert_eq!(said(&mut host, "count 10000"), (Ok(10_000), "Ok(10000)".into()));
    assert_eq!(said(&mut host, "count 10001"), (Ok(0), "Err(SubmitError::Budget)".into()));
    assert_eq!(
        said(&mut host, "bad"),
        (Ok(0), r#"Err(SubmitError::Invalid("tasks[1].datapoints[0].value: NaN is not a finite number"))"#.into())
    );
    let (taken, deep) = said(&mut host, "deep");
    assert!(taken == Ok(0) && deep.contains("JSON is nested deeper than 32 levels"), "{deep}");
    // Each passes, all together do not.
    assert_eq!(said(&mut host, "texts 3").0, Ok(3));
    assert_eq!(said(&mut host, "texts 4").0, Err(Reason::HostcallFuel));
    // What a failed call has submitted does not count.
    assert_eq!(said(&mut host, "submit-and-fail").0, Err(Reason::Failed));
    assert_eq!(said(&mut host, "submit-and-trap").0, Err(Reason::Trap));
    assert_eq!(said(&mut host, "submit 1").0, Ok(1));
}

#[test]
fn a_call_must_be_of_its_kind() {
    let mut host = rogue(|_| {});
    let run = RunContext { id: "run".into(), time: NOW };
    let wrong = |host: &mut Host, kind, id: &str| {
        let subscription = SubscriptionId::new(id).unwrap();
        let call = HookCall {
            module: &host.module,
            kind,
            subscription: &subscription,
            id: "x".into(),
            time: NOW,
            cause: CallCause::Normal,
        };
        host.lane.snapshot_init(&call, &run).outcome.unwrap_err().message
    };
    insta::assert_snapshot!(wrong(&mut host, HookKind::SnapshotInit, "finalize"), @r#"module villain has no subscription "finalize" to snapshot-init"#);
    insta::assert_snapshot!(wrong(&mut host, HookKind::SnapshotFinalize, "init"), @r#"module villain has no subscription "init" to snapshot-init"#);
}
