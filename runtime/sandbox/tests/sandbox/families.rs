//! Every kind of hook of the families snapshot, update and schedule, through the lane, in a guest that leaves a mark at
//! each call.

use std::sync::Arc;

use serde_json::json;
use tenter_model::capability::Grant;
use tenter_model::case::call::{
    CallContext, CaseEffect, CaseOutcome, Judgement, ManualOutcome, Media, Proposal, Report, Resumable, Resume,
    SeenChange, SeenObject,
};
use tenter_model::case::{Body, CaseEvent, CaseUser, Edit, ObjectKind, ObjectRef, Trigger};
use tenter_model::hook::HookKind;
use tenter_model::host::{HookHost, Invocation, Reason, StateWrite};
use tenter_model::id::EntityRef;
use tenter_model::module::ModuleSettings;
use tenter_model::record::{Chunk, MasterRecord};
use tenter_model::task::TaskBody;
use tenter_model::value::{Column, Scalar, Series, Value};
use tenter_model::view::{Correlated, CurrentValue, EntityView, RunContext, View, ViewSource};

use crate::prepared::{rogue, sweep};
use crate::support::{Host, NOW, entity};

fn every_kind() -> Host {
    let config = json!({ "attr": "hostname", "series": "traffic", "depends_on": "hostname" });
    let grants = vec![Grant { capability: "state".into(), scope: String::new() }];
    Host::of("test-every-kind", ModuleSettings { config, grants, ..ModuleSettings::default() })
}

fn run() -> RunContext {
    RunContext { id: "run-7".into(), time: NOW }
}

fn view() -> View {
    let hostname = Value::Scalar(Scalar::Text("a.example".into()));
    let value = CurrentValue { attr: "hostname".parse().unwrap(), value: hostname, confidence: Some(0.5) };
    View { root: EntityView { entity: entity(), values: vec![value] }, linked: Vec::new() }
}

/// The mark that a call leaves: in its log, in the module's state, and as the label of this entity.
#[track_caller]
fn marked<T>(done: &Invocation<T>, tasks: &[TaskBody], kind: HookKind, whose: &EntityRef) {
    assert_eq!(done.logs.last().map(|line| line.message.as_str()), Some(kind.name()));
    assert_eq!(done.state, [StateWrite::Add { key: format!("calls/{kind}"), by: 1 }]);
    let [task] = tasks else { panic!("{kind}: {tasks:?}") };
    assert_eq!((&task.entity, task.datapoints.len()), (whose, 1));
    assert_eq!(task.datapoints[0].attr.as_str(), "label");
    assert_eq!(task.datapoints[0].value, Value::Scalar(Scalar::Text(kind.name().into())));
}

#[test]
fn hooks_of_a_run_are_called() {
    let mut host = every_kind();
    let (run, home) = (run(), entity());
    for kind in [HookKind::SnapshotInit, HookKind::SnapshotFinalize] {
        let done = host.call(kind, kind.name(), |lane, call| match kind {
            HookKind::SnapshotInit => lane.snapshot_init(call, &run),
            _ => lane.snapshot_finalize(call, &run),
        });
        marked(&done, done.outcome.as_ref().unwrap(), kind, &home);
    }
    let column = |name: &str| Series { name: name.into(), column: Column::Times(vec![NOW]) };
    let chunk = Chunk { t1: NOW, t2: NOW, series: vec![column("time")] };
    let (kind, other) = (HookKind::Timeseries, EntityRef { eid: "192.0.2.9".parse().unwrap(), ..entity() });
    let attr = "traffic".parse().unwrap();
    let done = host.call(kind, "timeseries:ip.traffic", |lane, call| {
        lane.timeseries(call, &other, &attr, &[chunk.clone(), chunk])
    });
    marked(&done, done.outcome.as_ref().unwrap(), kind, &other);
}

#[test]
fn correlations_change_values_and_return_tasks() {
    let mut host = every_kind();
    let (view, record) = (view(), MasterRecord::new(NOW));
    for (kind, record) in [
        (HookKind::Correlate, None),
        // The guest fails when the record is not the root's.
        (HookKind::CorrelateWithRecord, Some(&record)),
        (HookKind::CorrelateWithRecord, None),
    ] {
        let done = host.call(kind, &format!("{kind}:ip"), |lane, call| match kind {
            HookKind::Correlate => lane.correlate(call, &view, None),
            _ => lane.correlate_with_record(call, &view, record, None),
        });
        let correlated = done.outcome.clone().unwrap();
        marked(&done, &correlated.tasks, kind, &view.root.entity);
        let [change] = &correlated.changes[..] else { panic!("{correlated:?}") };
        assert_eq!((&change.entity, change.attr.as_str()), (&view.root.entity, "label"));
        assert_eq!(change.values, [(Value::Scalar(Scalar::Text(kind.name().into())), None)]);
    }
}

#[test]
fn sweeps_are_called() {
    let mut host = every_kind();
    let (entity, record) = (entity(), MasterRecord::new(NOW));
    for kind in [HookKind::UpdateRecord, HookKind::UpdateEntity] {
        let done = host.call(kind, &format!("{kind}:ip"), |lane, call| match kind {
            HookKind::UpdateRecord => lane.update_record(call, &entity, &record),
            _ => lane.update_entity(call, &entity),
        });
        marked(&done, done.outcome.as_ref().unwrap(), kind, &entity);
    }
}

const CRON: &str = "cron:mi.any.by.5";

#[test]
fn what_a_timer_submits_comes_with_the_call() {
    let mut host = every_kind();
    let done = host.call(HookKind::Cron, CRON, |lane, call| lane.cron(call, r#"{"n":1}"#));
    let submitted = done.outcome.clone().unwrap();
    assert_eq!(submitted.len(), 1);
    marked(&done, &submitted[0], HookKind::Cron, &entity());
    assert_eq!(done.logs[0].message, r#"arguments {"n":1}"#);
}

/// The rogue's `correlate`, with an act.
pub(crate) fn correlate(host: &mut Host, act: &str, deeper: Option<Arc<dyn ViewSource>>) -> Invocation<Correlated> {
    let act = CurrentValue {
        attr: "hostname".parse().unwrap(),
        value: Value::Scalar(Scalar::Text(act.into())),
        confidence: None,
    };
    let view = View { root: EntityView { entity: entity(), values: vec![act] }, linked: Vec::new() };
    host.call(HookKind::Correlate, "values", |lane, call| lane.correlate(call, &view, deeper))
}

struct Group;

impl ViewSource for Group {
    fn entity_view(&self, entity: &EntityRef) -> Option<EntityView> {
        let value = CurrentValue {
            attr: "name".parse().unwrap(),
            value: Value::Scalar(Scalar::Text(format!("AS{}", entity.eid))),
            confidence: None,
        };
        (entity.eid.as_str() == "64500").then(|| EntityView { entity: entity.clone(), values: vec![value] })
    }
}

#[test]
fn views_beyond_the_one_at_hand_are_fetched_in_correlations_alone() {
    let mut host = rogue(|settings| {
        settings.grants = vec![Grant { capability: "read-entities".into(), scope: "asn".into() }];
    });
    let group: Arc<dyn ViewSource> = Arc::new(Group);
    let fetch = |host: &mut Host, deeper: Option<&Arc<dyn ViewSource>>, what: &str| {
        let done = correlate(host, &format!("fetch {what}"), deeper.cloned());
        done.outcome.unwrap().tasks.remove(0).tags.remove(0)
    };
    // Any spelling of the id finds it.
    for eid in ["64500", "+64500", "0064500"] {
        let found = fetch(&mut host, Some(&group), &format!("asn/{eid}"));
        let known = r#"eid: "64500" }, values: [CurrentValue { attr: "name", value: Value::Text("AS64500"), confidence: None }"#;
        assert!(found.contains(known) || eid != "64500" && found.contains("Other"), "{eid}: {found}");
    }
    assert_eq!(fetch(&mut host, Some(&group), "asn/64501"), "Ok(None)");
    assert!(fetch(&mut host, Some(&group), "asn/AS1").starts_with("Err(ViewError::Other("));
    assert_eq!(fetch(&mut host, Some(&group), "ip/192.0.2.1"), "Err(ViewError::Denied)");
    // Without a source, and in another hook.
    assert_eq!(fetch(&mut host, None, "asn/64500"), "Err(ViewError::Denied)");
    assert_eq!(sweep(&mut host, "fetch asn"), ["Err(ViewError::Denied)"]);
    // The source is gone when the call is over, and every fetch counts as a host call.
    assert_eq!(Arc::strong_count(&group), 1);
    let flood = correlate(&mut host, "fetches 10001", Some(group));
    assert_eq!(flood.outcome.unwrap_err().reason, Reason::HostCalls);

    let mut open = rogue(|settings| {
        settings.grants = vec![Grant { capability: "read-entities".into(), scope: "*".into() }];
    });
    assert_eq!(fetch(&mut open, Some(&(Arc::new(Group) as _)), "asm/1"), "Err(ViewError::UnknownType)");
}

#[test]
fn tasks_are_submitted_by_timers_alone() {
    let done = correlate(&mut rogue(|_| {}), "submit", None);
    assert_eq!(done.outcome.unwrap().tasks[0].tags, ["Err(SubmitError::Denied)"]);
}

#[test]
fn changes_are_a_proposal_that_the_engine_checks() {
    let change = |act: &str| correlate(&mut rogue(|_| {}), act, None).outcome.unwrap().changes.remove(0);
    // Another entity than those of the view, and an attribute that nobody knows.
    assert_eq!(change("foreign 198.51.100.1").entity.eid.as_str(), "198.51.100.1");
    assert_eq!(change("attr nobody-knows").attr.as_str(), "nobody-knows");
    assert!(change("values 0").values.is_empty());
}

fn about_a_case() -> (CallContext, Body) {
    let user = CaseUser { id: 3, login: "ada".into(), name: "Ada".into() };
    let (case_name, resumable) = (Some("#1 - Demo".into()), Resumable { memo: None, within_seconds: 60 });
    let context = CallContext { case_id: Some(1), case_name, user: Some(user), trigger: Trigger::Api, resumable };
    (context, json!({"ioc_value": "example.org"}).as_object().unwrap().clone())
}

fn seen(body: &Body) -> SeenObject {
    SeenObject { object: "ioc", id: 7, uuid: Some("u".into()), version: 2, body: body.clone() }
}

#[test]
fn case_hooks_judge_and_want_effects() {
    let mut host = every_kind();
    let (context, body) = about_a_case();
    let created = CaseEvent { object: "ioc", action: Some("create") };
    let proposal = Proposal { id: None, body: body.clone() };
    let done = host
        .call(HookKind::Before, "before:ioc.create", |lane, call| lane.before(call, &context, created, &proposal, 250));
    let mut replaced = body.clone();
    replaced.insert("seen".into(), json!("before"));
    assert_eq!(done.outcome, Ok(Judgement::Replaced(replaced)));
    let patch = |tag: &str| CaseEffect::Patch {
        target: ObjectRef { kind: ObjectKind::Ioc, id: 7 },
        expected_version: Some(2),
        edits: vec![Edit::AddTag(tag.into())],
    };
    let change = SeenChange { new: Some(seen(&body)), ..SeenChange::default() };
    let done = host
        .call(HookKind::After, "after:ioc.any", |lane, call| lane.after(call, &context, created, &[change], u64::MAX));
    assert_eq!(done.outcome.unwrap(), CaseOutcome { effects: vec![patch("after")], ..CaseOutcome::default() });
    let clicked = CaseEvent { object: "ioc", action: None };
    let done = host.call(HookKind::Manual, "manual:ioc:mark-it", |lane, call| {
        lane.manual(call, &context, clicked, &[seen(&body)])
    });
    let report = Report { message: "marked 1".into(), media: Media::Text, content: "manual".into() };
    let outcome = CaseOutcome { effects: vec![patch("manual")], ..CaseOutcome::default() };
    assert_eq!(done.outcome.unwrap(), ManualOutcome { outcome, report: Some(report) });
    assert_eq!(done.state, [StateWrite::Add { key: "calls/manual".into(), by: 1 }]);
}

/// The rogue's `before`, with an act.
fn judged(host: &mut Host, act: &str, within_ms: u64) -> Invocation<Judgement> {
    let (context, mut body) = about_a_case();
    body.insert("ioc_description".into(), json!(format!("act:asks {act}")));
    let event = CaseEvent { object: "ioc", action: Some("create") };
    let proposal = Proposal { id: None, body };
    host.call(HookKind::Before, "asks", |lane, call| lane.before(call, &context, event, &proposal, within_ms))
}

/// The rogue's `after`, with an act.
fn told(host: &mut Host, act: &str) -> Invocation<CaseOutcome> {
    resumed(host, act, Resumable::default())
}

/// The same, where the call stands in a row of calls.
fn resumed(host: &mut Host, act: &str, resumable: Resumable) -> Invocation<CaseOutcome> {
    let (context, mut body) = about_a_case();
    let context = CallContext { resumable, ..context };
    body.insert("ioc_description".into(), json!(format!("act:later {act}")));
    let event = CaseEvent { object: "ioc", action: Some("create") };
    let change = SeenChange { new: Some(seen(&body)), ..SeenChange::default() };
    host.call(HookKind::After, "later", |lane, call| lane.after(call, &context, event, &[change], u64::MAX))
}

/// The rogue's `manual`, with an act.
fn clicked(host: &mut Host, act: &str) -> Invocation<ManualOutcome> {
    let (context, mut body) = about_a_case();
    body.insert("ioc_description".into(), json!(format!("act:click {act}")));
    let event = CaseEvent { object: "ioc", action: None };
    host.call(HookKind::Manual, "click", |lane, call| lane.manual(call, &context, event, &[seen(&body)]))
}

#[test]
fn a_call_can_ask_to_be_made_again_where_that_can_be() {
    let mut host = rogue(|_| {});
    let mut ask = |act: &str, memo: Option<&str>, within_seconds| {
        let done = resumed(&mut host, act, Resumable { memo: memo.map(Into::into), within_seconds });
        let said = done.logs.last().map(|line| line.message.clone()).unwrap_or_default();
        (said, done.outcome.map(|outcome| outcome.resume))
    };
    let wish = |seconds, memo: &str| Ok(Some(Resume { seconds, memo: memo.into() }));
    assert_eq!(ask("resume 60", None, 60), ("[true] None".into(), wish(60, "60")));
    assert_eq!(ask("resume 5 60", Some("x"), 60), (r#"[true, true] Some("x")"#.into(), wish(60, "60")));
    // Too soon, too late, and where nothing can be asked for.
    assert_eq!(ask("resume 0 61", None, 60), ("[false, false] None".into(), Ok(None)));
    assert_eq!(ask("resume 604800 604801", None, u32::MAX), ("[true, false] None".into(), wish(604_800, "604800")));
    assert_eq!(ask("resume 1", Some("x"), 0), (r#"[false] Some("x")"#.into(), Ok(None)));
    // What a call that fails had asked for does not count, and the next one begins anew.
    assert_eq!(ask("resume-and-fail 60", None, 60).1.unwrap_err().reason, Reason::Failed);
    assert_eq!(ask("log 1", None, 60).1, Ok(None));
    let long = |bytes: usize, host: &mut Host| {
        resumed(host, &format!("memo {bytes}"), Resumable { memo: None, within_seconds: 60 })
    };
    let kept = |done: Invocation<CaseOutcome>| done.outcome.unwrap().resume.map(|resume| resume.memo.len());
    assert_eq!((kept(long(4_096, &mut host)), kept(long(4_097, &mut host))), (Some(4_096), None));
    // A click may, who judges may not.
    let done = clicked(&mut host, "resume 9");
    assert_eq!(done.outcome.unwrap().outcome.resume, wish(9, "9").unwrap());
    let done = judged(&mut host, "resume 9", u64::MAX);
    assert_eq!((done.outcome, done.logs.last().unwrap().message.as_str()), (Ok(Judgement::Unchanged), "[false] None"));
}

#[test]
fn who_makes_a_request_wait_has_less_time() {
    let mut host = rogue(|settings| settings.limits.extend([("fuel".to_owned(), u64::MAX >> 1)]));
    assert_eq!(judged(&mut host, "deny warm", u64::MAX).outcome, Ok(Judgement::Denied("warm".into())));
    let done = judged(&mut host, "loop", 100);
    assert_eq!(done.outcome.unwrap_err().reason, Reason::Deadline);
    assert!(done.usage.micros < 5_000_000, "the family has 10 s, this call had 0.1 s: {:?}", done.usage);
}

#[test]
fn hostile_guests_end_with_a_reason_in_each_phase() {
    let mut host = rogue(|_| {});
    let mut seen = Vec::new();
    for act in ["loop", "trap", "memory", "fail no", "unavailable no", "flood 5000000", "deep 100", "replace []"] {
        seen.push(format!("before {act}: {}", judged(&mut host, act, u64::MAX).outcome.unwrap_err().reason));
    }
    for act in ["loop", "trap", "fail no", "effects 10001", "text 5000000", "deep 100"] {
        seen.push(format!("after {act}: {}", told(&mut host, act).outcome.unwrap_err().reason));
    }
    for act in ["loop", "trap", "fail no", "effects 10001", "report 5000000"] {
        seen.push(format!("manual {act}: {}", clicked(&mut host, act).outcome.unwrap_err().reason));
    }
    insta::assert_snapshot!(seen.join("\n"), @"
    before loop: fuel
    before trap: trap
    before memory: memory
    before fail no: failed
    before unavailable no: unavailable
    before flood 5000000: hostcall-fuel
    before deep 100: invalid-output
    before replace []: invalid-output
    after loop: fuel
    after trap: trap
    after fail no: failed
    after effects 10001: output-count
    after text 5000000: hostcall-fuel
    after deep 100: invalid-output
    manual loop: fuel
    manual trap: trap
    manual fail no: failed
    manual effects 10001: output-count
    manual report 5000000: hostcall-fuel
    ");
    let logged = told(&mut host, "log 5000");
    assert_eq!((logged.logs.len(), logged.logs_dropped), (100, 4_901), "the instance was new: configure wrote a line");
    assert_eq!(told(&mut host, "tag x").outcome.unwrap().effects.len(), 1, "and the next call is served");
}
