//! How instances live, and what the four kinds of ingestion get and give.

use serde_json::json;
use tenter_model::hook::HookKind;
use tenter_model::host::{HookHost, Reason, Verdict};
use tenter_model::module::Isolation;

use crate::support::{Host, NOW, datapoint, entity, settings, task};

#[test]
fn memory_is_a_cache_of_the_lane() {
    let mut host = Host::new(settings(json!({})));
    let first = host.act("count");
    assert!(!first.usage.warm && first.usage.fuel > 0 && first.usage.memory_bytes > 0);
    assert_eq!(host.tags("count"), ["2"]);
    assert!(host.act("count").usage.warm);
    // Another lane has another instance.
    host.lane = host.sandbox.lane(host.data.clone());
    assert_eq!(host.tags("count"), ["1"]);
}

#[test]
fn fresh_isolation_remembers_nothing() {
    let mut settings = settings(json!({}));
    settings.isolation = Isolation::Fresh;
    let mut host = Host::new(settings);
    for _ in 0..3 {
        let done = host.act("count");
        assert!(!done.usage.warm);
        assert_eq!(done.outcome.unwrap()[0].tags, ["1"]);
    }
}

#[test]
fn instances_of_replaced_generations_go() {
    let mut host = Host::new(settings(json!({})));
    let old = host.module.clone();
    assert_eq!(host.tags("count"), ["1"]);
    let new = crate::support::admit(&host.sandbox, &crate::support::villain(), settings(json!({})), host.data.clone());
    host.module = new.unwrap().into();
    assert!(host.module.generation > old.generation);
    assert_eq!(host.tags("count"), ["1"]);
    let current = host.module.generation;
    host.lane.retain(&|_, generation| generation == current);
    assert_eq!(host.tags("count"), ["2"]);
    host.module = old;
    assert_eq!(host.tags("count"), ["1"]);
}

#[test]
fn values_come_back_as_they_went() {
    let mut host = Host::new(settings(json!({})));
    let tasks = host.act("echo").outcome.unwrap();
    assert_eq!(tasks.len(), 1);
    assert_eq!(tasks[0].entity, entity());
    assert_eq!(tasks[0].datapoints, [datapoint("echo")]);
    let whole = task("echo");
    let back = host.call(HookKind::OnEntityCreation, "create", |lane, call| lane.on_entity_creation(call, &whole));
    assert_eq!(back.outcome.unwrap(), [whole]);
}

#[test]
fn admission_hooks_allow_and_deny() {
    let mut host = Host::new(settings(json!({})));
    let mut ask = |tag: &str| {
        let task = task(tag);
        let kind = HookKind::AllowEntityCreation;
        host.call(kind, "allow", |lane, call| lane.allow_entity_creation(call, &task)).outcome
    };
    assert_eq!(ask("allow").unwrap(), Verdict::Allow);
    assert_eq!(ask("deny for\u{1b} no reason").unwrap(), Verdict::Deny("for\\u{1b} no reason".into()));
    assert_eq!(ask("panic").unwrap_err().reason, Reason::Trap);
    assert_eq!(ask("allow").unwrap(), Verdict::Allow);
}

#[test]
fn task_start_sees_the_task() {
    let mut host = Host::new(settings(json!({})));
    let seen = host.call(HookKind::OnTaskStart, "start", |lane, call| lane.on_task_start(call, &task("log 1")));
    assert_eq!(seen.outcome, Ok(()));
    assert_eq!(seen.logs.len(), 1);
}

#[test]
fn configuration_arrives_filled_and_without_secrets() {
    let mut host = Host::new(settings(json!({ "key": "hush", "extra": [1] })));
    let config: serde_json::Value = serde_json::from_str(&host.tags("config")[0]).unwrap();
    assert_eq!(config, json!({ "must": "be", "level": 7, "extra": [1] }));
}

#[test]
fn a_call_is_a_function_of_its_id_and_time() {
    let mut host = Host::new(settings(json!({})));
    assert_eq!(host.tags("now"), [NOW.0.to_string(), "call-1".into(), "CallCause::Normal".into()]);
    let first = host.tags("random");
    host.id = "call-2".into();
    let second = host.tags("random");
    host.id = "call-1".into();
    assert_eq!(host.tags("random")[0], first[0]);
    assert_ne!(second[0], first[0]);
    let mut again = Host::new(settings(json!({})));
    assert_eq!(again.tags("now")[0], NOW.0.to_string());
    assert_eq!(again.tags("random")[0], first[0]);
}
