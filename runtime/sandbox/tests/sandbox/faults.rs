//! Every way in which a hook can fail: the reason, what the message says, and what is left.

use tenter_model::hook::HookKind;
use tenter_model::host::{HookHost, Reason};
use tenter_model::limits::MAX_STATE_BYTES;

use crate::support::{Host, settings, task};
use serde_json::json;

fn new() -> Host {
    Host::new(settings(json!({})))
}

#[test]
fn fuel() {
    let mut host = new();
    let said = host.faults_with("loop", Reason::Fuel);
    assert!(said.starts_with("used 50000000 of 50000000 fuel after "), "{said}");
    // The control: the same work with more fuel.
    host.faults_with("work 20000000", Reason::Fuel);
    let mut rich = Host::with_limit("fuel", 1_000_000_000);
    let done = rich.act("work 20000000");
    assert!(done.outcome.is_ok());
    assert!(done.usage.fuel > 50_000_000 && done.usage.fuel < 1_000_000_000, "{:?}", done.usage);
}

#[test]
fn deadline() {
    let mut settings = settings(json!({}));
    settings.limits.insert("fuel".into(), u64::MAX >> 1);
    settings.limits.insert("deadline_ms".into(), 60);
    let mut host = Host::new(settings.clone());
    let said = host.faults_with("loop", Reason::Deadline);
    assert!(said.starts_with("ran for ") && said.ends_with(" of 60 ms"), "{said}");
    let said = host.faults_with("sleep 600000", Reason::Deadline);
    assert!(said.starts_with("ran for ") && said.ends_with(" of 60 ms"), "{said}");
    // The control.
    settings.limits.insert("deadline_ms".into(), 60_000);
    assert_eq!(Host::new(settings).tags("sleep 100"), ["awake"]);
}

#[test]
fn limits_without_end() {
    let mut settings = settings(json!({}));
    for name in ["fuel", "deadline_ms", "hostcall_bytes", "handles", "host_calls"] {
        settings.limits.insert(name.into(), u64::MAX);
    }
    assert_eq!(Host::new(settings).tags("count"), ["1"]);
}

#[test]
fn sleep_never_outlasts_the_deadline() {
    let mut host = Host::with_limit("deadline_ms", 50);
    let begun = std::time::Instant::now();
    host.act("sleep 3600000").outcome.unwrap_err();
    assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn stack() {
    let mut host = new();
    let said = host.faults_with("recurse-slim", Reason::Stack);
    assert!(said.starts_with("the stack of 512 KiB is full"), "{said}");
    let said = host.faults_with("recurse", Reason::Stack);
    assert_eq!(said, "the guest's own stack in linear memory is full");
}

#[test]
fn memory() {
    let mut host = new();
    let said = host.faults_with("grow", Reason::Memory);
    assert!(said.ends_with(" of 67108864 bytes"), "{said}");
    host.faults_with("hold 80", Reason::Memory);
    let mut settings = settings(json!({}));
    settings.limits.insert("memory_bytes".into(), 256 << 20);
    settings.limits.insert("fuel".into(), 1_000_000_000);
    let held = Host::new(settings).act("hold 80");
    assert!(held.outcome.is_ok());
    assert!(held.usage.memory_bytes > 80 << 20, "{:?}", held.usage);
}

#[test]
fn handles() {
    let mut host = new();
    assert_eq!(host.faults_with("handles 1001", Reason::Handles), "more than 1000 resources are open");
    assert!(Host::with_limit("handles", 5_000).act("handles 1001").outcome.is_ok());
}

#[test]
fn hostcall_fuel() {
    let mut settings = settings(json!({}));
    settings.limits.insert("memory_bytes".into(), 256 << 20);
    settings.limits.insert("fuel".into(), 1_000_000_000);
    let mut host = Host::new(settings.clone());
    let at_once = "more than 1048576 bytes would pass from guest to host at once";
    assert_eq!(host.faults_with("string 52428800", Reason::HostcallFuel), at_once);
    assert_eq!(host.faults_with("host-bytes 2000000", Reason::HostcallFuel), at_once);
    let summed = host.faults_with("host-bytes-sum 200", Reason::HostcallFuel);
    assert_eq!(summed, "calls of the host passed 1050000 of 1048576 bytes");
    settings.limits.insert("hostcall_bytes".into(), 100 << 20);
    let mut host = Host::new(settings);
    for what in ["string 52428800", "host-bytes 2000000", "host-bytes-sum 200"] {
        assert!(host.act(what).outcome.is_ok(), "{what}");
    }
}

#[test]
fn host_calls() {
    let mut host = new();
    let said = host.faults_with("host-calls 10000000", Reason::HostCalls);
    assert_eq!(said, "the host was called more than 10000 times");
    assert!(host.act("host-calls 10000").outcome.is_ok());
    assert!(Host::with_limit("host_calls", 30_000).act("host-calls 20000").outcome.is_ok());
}

#[test]
fn traps() {
    let mut host = new();
    let failure = host.fault("panic");
    assert_eq!(failure.reason, Reason::Trap);
    assert!(failure.message.contains("unreachable"), "{failure:?}");
    assert!(failure.detail.unwrap().contains("wasm backtrace"));
    assert_eq!(host.faults_with("exit", Reason::Trap), "the guest called exit(1)");
    // What it wrote before it died is in the log.
    let dead = host.act("panic");
    assert!(dead.logs.iter().any(|l| l.message.contains("the villain panics")), "{:?}", dead.logs);
}

#[test]
fn a_trap_in_every_second_call_leaves_the_others_alone() {
    let mut host = new();
    for _ in 0..3 {
        assert!(host.act("sometimes").outcome.is_ok());
        assert_eq!(host.act("sometimes").outcome.unwrap_err().reason, Reason::Trap);
    }
}

#[test]
fn outputs_that_are_not_well_formed() {
    let mut host = new();
    for (what, said) in [
        ("nan", "tasks[0].datapoints[0].value: NaN is not a finite number"),
        ("infinite-confidence", "tasks[0].datapoints[0].confidence: inf is not a finite number"),
        ("bad-json", "tasks[0].datapoints[0].value: \"{\" is not JSON: EOF while parsing an object at line 1 column 1"),
        ("deep-json", "tasks[0].datapoints[0].value: JSON is nested deeper than 32 levels"),
        ("ragged", "tasks[0].datapoints[0].value.chunk[1].column: has 1 items, expected 2 as in `a`"),
        ("bad-tag", "tasks[0].tags[1]: contains the control character \\u{1b}, expected none"),
        ("late-error 200", "tasks[200].datapoints[0].value: \"nope\" is not JSON: expected ident at line 1 column 2"),
    ] {
        assert_eq!(host.faults_with(what, Reason::InvalidOutput), said);
    }
    for (what, field) in [("bad-type", "entity.etype: "), ("bad-eid", "entity.eid: "), ("bad-address", "value: ")] {
        let said = host.faults_with(what, Reason::InvalidOutput);
        assert!(said.contains(field), "{said}");
    }
}

#[test]
fn output_count() {
    let mut host = new();
    let said = host.faults_with("tasks 257", Reason::OutputCount);
    assert_eq!(said, "returned 257 of 256 tasks");
    assert_eq!(host.act("tasks 256").outcome.unwrap().len(), 256);

    // A million needs room for itself before anybody can count it.
    let mut settings = settings(json!({}));
    settings.limits.extend([("memory_bytes".into(), 1 << 30), ("fuel".into(), 100_000_000_000)]);
    settings.limits.extend([("deadline_ms".into(), 120_000), ("hostcall_bytes".into(), 1 << 30)]);
    let mut host = Host::new(settings);
    assert_eq!(host.faults_with("tasks 1000000", Reason::OutputCount), "returned 1000000 of 256 tasks");
}

#[test]
fn a_million_tasks_with_the_usual_limits() {
    let failure = new().fault("tasks 1000000");
    let stopped = [Reason::Memory, Reason::Fuel, Reason::HostcallFuel];
    assert!(stopped.contains(&failure.reason), "{failure:?}");
}

#[test]
fn errors_returned_on_purpose_keep_the_instance() {
    let mut host = new();
    assert_eq!(host.tags("count"), ["1"]);
    for (what, reason, said) in [
        ("invalid-input", Reason::InvalidInput, "bad \\u{1b}[31mdata"),
        ("unavailable", Reason::Unavailable, "nobody there"),
        ("failed", Reason::Failed, "my fault"),
    ] {
        let failure = host.act(what).outcome.unwrap_err();
        assert_eq!((failure.reason, failure.message.as_str()), (reason, said));
    }
    assert_eq!(host.tags("count"), ["5"]);
}

#[test]
fn giving_up_for_lack_of_a_grant_or_room() {
    let failure = new().act("state-or-fail").outcome.unwrap_err();
    assert_eq!(failure.reason, Reason::NotGranted);
    assert!(failure.message.contains("`tenter grant` gives it"), "{}", failure.message);
    let failure = new().fault("state-or-panic");
    assert_eq!(failure.reason, Reason::Trap);
    assert!(failure.message.contains("after the host refused what needs the grant `state`"), "{}", failure.message);

    let mut host = Host::granted(&[("state", "")]);
    *host.data.bytes.lock().unwrap() = MAX_STATE_BYTES - 100;
    assert!(host.act("state-or-fail 50").outcome.is_ok());
    let full = host.act("state-or-fail 200");
    assert!(full.state.is_empty());
    let failure = full.outcome.unwrap_err();
    assert_eq!(failure.reason, Reason::StateQuota);
    assert!(failure.message.contains(Reason::StateQuota.hint()), "{}", failure.message);
}

#[test]
fn configure_that_fails_in_a_later_instance() {
    let settings = settings(json!({ "configure": "only-with-state" }));
    let mut granted = settings.clone();
    granted.grants.push(tenter_model::capability::Grant { capability: "state".into(), scope: String::new() });
    let data = std::sync::Arc::new(crate::support::Data::default());
    data.state.lock().unwrap().insert("ready".into(), (b"yes".to_vec(), 1));
    let sandbox = crate::support::sandbox();
    let module = crate::support::admit(&sandbox, &crate::support::villain(), granted, data.clone()).unwrap();
    let lane = sandbox.lane(data.clone());
    let mut host = Host { sandbox, data, lane, module: module.into(), id: "a".into(), time: crate::support::NOW };
    assert_eq!(host.tags("count"), ["1"]);
    host.data.state.lock().unwrap().clear();
    // The warm instance serves on; its successor cannot be made.
    assert_eq!(host.tags("count"), ["2"]);
    host.act("panic").outcome.unwrap_err();
    let failure = host.act("count").outcome.unwrap_err();
    assert_eq!(failure.reason, Reason::Configure);
    assert_eq!(failure.message, "configure failed in a new instance (unavailable): not ready");
    host.data.state.lock().unwrap().insert("ready".into(), (b"yes".to_vec(), 2));
    assert_eq!(host.tags("count"), ["1"]);
}

#[test]
fn calls_that_nobody_subscribed_to() {
    let mut host = new();
    let wrong = host.call(HookKind::OnNewAttribute, "start", |lane, call| lane.on_task_start(call, &task("x")));
    assert_eq!(wrong.outcome.unwrap_err().reason, Reason::Host);
    let wrong = host.call(HookKind::OnTaskStart, "attr", |lane, call| lane.on_task_start(call, &task("x")));
    let failure = wrong.outcome.unwrap_err();
    assert_eq!(failure.message, "module villain has no subscription \"attr\" to on-task-start");
    let mut foreign = (*host.module).clone();
    foreign.code = std::sync::Arc::new(());
    host.module = foreign.into();
    let failure = host.act("count").outcome.unwrap_err();
    assert_eq!(failure.reason, Reason::Host);
    assert!(failure.message.contains("was loaded by another host"), "{}", failure.message);
}
