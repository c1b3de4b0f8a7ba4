//! A place with cases, and modules that are played by script.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tenter_engine::case::{CaseContext, CaseError, Cases, CreateRequest, ManualRequest, ObjectRequest, UpdateRequest};
use tenter_engine::{Engine, Parts, SharedRegistry};
use tenter_model::case::call::{
    CallContext, CaseEffect, CaseOutcome, Judgement, ManualOutcome, Proposal, SeenChange, SeenObject,
};
use tenter_model::case::{
    Body, CaseEvent, CaseObject, CaseUser, Edit, LookUpKind, ObjectKind, ObjectRef, Phase, TABLE, Trigger,
};
use tenter_model::hook::{CaseFilter, Moment};
use tenter_model::host::{HookCall, HookFailure, Invocation};
use tenter_model::module::LoadedModule;
use tenter_model::time::Clock;
use tenter_model::{DataPoint, EntityRef, HookHost, ModuleName, TaskBody, TaskId, host::Verdict};
use tenter_store::{Changed, Created, HookJob, JobFilter, JobState, Reader, Removed, Store, StoreOptions};

use crate::common::{self, TestClock};

pub(crate) const CASE: Option<i64> = Some(1);

/// A call as the module saw it.
#[derive(Debug, Clone)]
pub(crate) struct Called {
    pub(crate) module: String,
    pub(crate) hook: String,
    pub(crate) context: CallContext,
    /// `{id, body}` before, `[{old, new}]` after, `[object]` for a click.
    pub(crate) data: Value,
    /// Objects of the kind that the store had at the call.
    pub(crate) stored: u64,
    pub(crate) within_ms: u64,
}

type Judge = Arc<dyn Fn(&str, &Proposal) -> Result<Judgement, HookFailure> + Send + Sync>;
type Tell = Arc<dyn Fn(&str, &[SeenChange]) -> Result<CaseOutcome, HookFailure> + Send + Sync>;
type Click = Arc<dyn Fn(&[SeenObject]) -> Result<ManualOutcome, HookFailure> + Send + Sync>;

/// Plays modules.
#[derive(Clone, Default)]
pub(crate) struct Player {
    judges: Arc<Mutex<HashMap<String, Judge>>>,
    tells: Arc<Mutex<HashMap<String, Tell>>>,
    clicks: Arc<Mutex<HashMap<String, Click>>>,
    pub(crate) calls: Arc<Mutex<Vec<Called>>>,
    reader: Arc<Mutex<Option<Reader>>>,
}

impl Player {
    pub(crate) fn before(
        &self,
        module: &str,
        judge: impl Fn(&str, &Proposal) -> Result<Judgement, HookFailure> + Send + Sync + 'static,
    ) {
        self.judges.lock().unwrap().insert(module.into(), Arc::new(judge));
    }

    pub(crate) fn after(
        &self,
        module: &str,
        tell: impl Fn(&str, &[SeenChange]) -> Result<CaseOutcome, HookFailure> + Send + Sync + 'static,
    ) {
        self.tells.lock().unwrap().insert(module.into(), Arc::new(tell));
    }

    pub(crate) fn manual(
        &self,
        module: &str,
        click: impl Fn(&[SeenObject]) -> Result<ManualOutcome, HookFailure> + Send + Sync + 'static,
    ) {
        self.clicks.lock().unwrap().insert(module.into(), Arc::new(click));
    }

    fn note(
        &self,
        call: &HookCall<'_>,
        context: &CallContext,
        event: CaseEvent,
        data: Value,
        within_ms: u64,
    ) -> String {
        let phase = match call.kind {
            tenter_model::HookKind::Before => Phase::Before,
            tenter_model::HookKind::After => Phase::After,
            _ => Phase::Manual,
        };
        let hook = CaseEvent::hook(phase, event.object, event.action.unwrap_or_default()).unwrap().iris_name();
        let reader = self.reader.lock().unwrap();
        let stored = ObjectKind::parse(event.object)
            .map_or(0, |kind| reader.as_ref().unwrap().cases(None, None, |world| world.count(kind)).unwrap());
        let (module, context) = (call.module.name.to_string(), context.clone());
        self.calls.lock().unwrap().push(Called { module, hook: hook.clone(), context, data, stored, within_ms });
        hook
    }
}

fn object(seen: &SeenObject) -> Value {
    json!({"object": seen.object, "id": seen.id, "version": seen.version, "body": seen.body})
}

impl HookHost for Player {
    fn on_task_start(&mut self, _: &HookCall<'_>, _: &TaskBody) -> Invocation<()> {
        Invocation::of(Ok(()))
    }
    fn allow_entity_creation(&mut self, _: &HookCall<'_>, _: &TaskBody) -> Invocation<Verdict> {
        Invocation::of(Ok(Verdict::Allow))
    }
    fn on_entity_creation(&mut self, _: &HookCall<'_>, _: &TaskBody) -> Invocation<Vec<TaskBody>> {
        Invocation::of(Ok(Vec::new()))
    }
    fn on_new_attribute(&mut self, _: &HookCall<'_>, _: &EntityRef, _: &DataPoint) -> Invocation<Vec<TaskBody>> {
        Invocation::of(Ok(Vec::new()))
    }

    fn before(
        &mut self,
        call: &HookCall<'_>,
        context: &CallContext,
        event: CaseEvent,
        proposal: &Proposal,
        within_ms: u64,
    ) -> Invocation<Judgement> {
        let data = json!({"id": proposal.id, "body": proposal.body});
        let hook = self.note(call, context, event, data, within_ms);
        let judge = self.judges.lock().unwrap().get(call.module.name.as_str()).cloned();
        Invocation::of(judge.map_or(Ok(Judgement::Unchanged), |judge| judge(&hook, proposal)))
    }

    fn after(
        &mut self,
        call: &HookCall<'_>,
        context: &CallContext,
        event: CaseEvent,
        objects: &[SeenChange],
        within_ms: u64,
    ) -> Invocation<CaseOutcome> {
        let seen = |change: &SeenChange| {
            let files: Vec<Value> = change.attachments.iter().map(|f| json!([f.name, f.content.len()])).collect();
            json!({"old": change.old.as_ref().map(object), "new": change.new.as_ref().map(object), "files": files})
        };
        let hook = self.note(call, context, event, objects.iter().map(seen).collect(), within_ms);
        let tell = self.tells.lock().unwrap().get(call.module.name.as_str()).cloned();
        Invocation::of(tell.map_or(Ok(CaseOutcome::default()), |tell| tell(&hook, objects)))
    }

    fn manual(
        &mut self,
        call: &HookCall<'_>,
        context: &CallContext,
        event: CaseEvent,
        objects: &[SeenObject],
    ) -> Invocation<ManualOutcome> {
        self.note(call, context, event, objects.iter().map(object).collect(), u64::MAX);
        let click = self.clicks.lock().unwrap().get(call.module.name.as_str()).cloned();
        Invocation::of(click.map_or(Ok(ManualOutcome::default()), |click| click(objects)))
    }

    fn retain(&mut self, _: &dyn Fn(&ModuleName, u64) -> bool) {}
}

/// A server's engine with cases.
pub(crate) struct Place {
    pub(crate) store: Store,
    pub(crate) engine: Engine,
    pub(crate) cases: Cases,
    pub(crate) player: Player,
    pub(crate) clock: Arc<TestClock>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.cases.close();
        self.engine.drain();
        self.player.reader.lock().unwrap().take();
    }
}

impl Place {
    pub(crate) fn new(modules: Vec<LoadedModule>) -> Self {
        let clock = TestClock::new();
        let store = Store::temporary(StoreOptions::default(), clock.now()).unwrap();
        let player = Player::default();
        *player.reader.lock().unwrap() = Some(store.reader().unwrap());
        let played = player.clone();
        let next = AtomicU64::new(1);
        let engine = Engine::start(Parts {
            store: store.clone(),
            schema: Arc::new(common::schema()),
            registry: SharedRegistry::new(common::registry(modules)),
            make_host: Box::new(move |_| Box::new(played.clone())),
            clock: clock.clone(),
            make_id: Box::new(|now| TaskId::root(now, [0; 10])),
            lanes: 1,
        })
        .unwrap();
        let random = move || u128::from(next.fetch_add(1, Ordering::SeqCst)).to_le_bytes();
        let cases = engine.start_cases(Box::new(random)).unwrap();
        Self { store, engine, cases, player, clock }
    }

    pub(crate) fn context(&self, user: i64) -> CaseContext {
        let login = format!("user{user}");
        let user = CaseUser { id: user, name: login.clone(), login };
        let actor = format!("user:{}", user.login);
        CaseContext { actor, user, from_api: true, trigger: Trigger::Api, now: self.clock.now() }
    }

    pub(crate) fn make(&self, kind: ObjectKind, case_id: Option<i64>, body: Value) -> Result<Created, CaseError> {
        let context = self.context(1);
        self.cases.create(CreateRequest { kind, case_id, about: None, body: map(body), context })
    }

    pub(crate) fn asset(&self, name: &str) -> CaseObject {
        self.make(ObjectKind::Asset, CASE, json!({"asset_name": name, "asset_type_id": 9})).unwrap().object
    }

    pub(crate) fn comment(&self, about: ObjectRef, text: &str) -> CaseObject {
        let (kind, context) = (ObjectKind::Comment, self.context(1));
        let body = map(json!({"comment_text": text}));
        self.cases.create(CreateRequest { kind, case_id: CASE, about: Some(about), body, context }).unwrap().object
    }

    pub(crate) fn on(&self, target: ObjectRef) -> ObjectRequest {
        let case_id = CASE.filter(|_| !matches!(target.kind, ObjectKind::Case | ObjectKind::GlobalTask));
        ObjectRequest { target, case_id, context: self.context(1) }
    }

    pub(crate) fn update(&self, target: ObjectRef, body: Value) -> Result<Changed, CaseError> {
        let ObjectRequest { target, case_id, context } = self.on(target);
        self.cases.update(UpdateRequest { target, case_id, body: map(body), context })
    }

    pub(crate) fn delete(&self, target: ObjectRef) -> Result<Removed, CaseError> {
        self.cases.delete(self.on(target))
    }

    pub(crate) fn click(&self, target: ObjectRef) -> ManualRequest {
        ManualRequest {
            hook: format!("on_manual_trigger_{}", target.kind.name().replace('-', "_")),
            module: None,
            entry: None,
            targets: vec![target],
            case_id: CASE,
            context: CaseContext { trigger: Trigger::Manual, ..self.context(1) },
        }
    }

    pub(crate) fn object(&self, target: ObjectRef) -> Option<CaseObject> {
        self.cases.read(None, None, |world| world.object_in(target, None)).unwrap()
    }

    pub(crate) fn job(&self, id: u64) -> HookJob {
        self.cases.read(None, None, |world| world.job(id)).unwrap().unwrap()
    }

    pub(crate) fn jobs(&self) -> Vec<HookJob> {
        let mut jobs = self.cases.read(None, None, |world| world.jobs(&JobFilter::default(), 1_000)).unwrap();
        jobs.reverse();
        jobs
    }

    /// Waits until no job waits or runs, letting time pass so that those of later come too.
    pub(crate) fn settle(&self) -> Vec<HookJob> {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let jobs = self.jobs();
            if jobs.iter().all(|job| !matches!(job.state, JobState::Queued | JobState::Running)) {
                return jobs;
            }
            assert!(Instant::now() < until, "jobs do not come to an end: {jobs:#?}");
            self.clock.advance_ms(500);
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub(crate) fn calls(&self) -> Vec<Called> {
        std::mem::take(&mut *self.player.calls.lock().unwrap())
    }

    /// `module hook` of the calls since.
    pub(crate) fn called(&self) -> Vec<String> {
        self.calls().iter().map(|call| format!("{} {}", call.module, call.hook)).collect()
    }

    pub(crate) fn ioc_type(&self, name: &str) -> i64 {
        self.cases.read(None, None, |world| world.row_by_name(LookUpKind::IocType, name)).unwrap().unwrap().id
    }
}

pub(crate) fn map(value: Value) -> Body {
    value.as_object().unwrap().clone()
}

fn filter(object: Option<&str>, action: Option<&str>) -> CaseFilter {
    CaseFilter { object: object.map(Into::into), action: action.map(Into::into) }
}

pub(crate) fn before(object: Option<&str>, action: Option<&str>) -> Moment {
    Moment::Before(filter(object, action))
}

pub(crate) fn after(object: Option<&str>, action: Option<&str>, synchronous: bool) -> Moment {
    Moment::After { filter: filter(object, action), synchronous }
}

pub(crate) fn manual(object: &str, title: &str) -> Moment {
    Moment::Manual { object: object.into(), title: title.into() }
}

/// A menu entry for each kind of object that has one.
pub(crate) fn menus() -> impl Iterator<Item = Moment> {
    TABLE.iter().filter(|hook| hook.phase == Phase::Manual).map(|hook| manual(hook.object, "Look"))
}

pub(crate) fn patch(target: ObjectRef, expected_version: Option<u64>, edits: Vec<Edit>) -> CaseOutcome {
    let effects = vec![CaseEffect::Patch { target, expected_version, edits }];
    CaseOutcome { effects, ..CaseOutcome::default() }
}

pub(crate) fn tag(target: ObjectRef, tag: &str) -> CaseOutcome {
    patch(target, None, vec![Edit::AddTag(tag.into())])
}

/// Where a change of a hook leads.
pub(crate) fn target(change: &SeenChange) -> ObjectRef {
    let new = change.new.as_ref().unwrap();
    ObjectRef { kind: ObjectKind::parse(new.object).unwrap(), id: new.id }
}
