//! A scripted host, a specification and a clock for tests of the flow.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use tenter_engine::{Engine, Parts, Registry, SharedRegistry};
use tenter_model::capability::Grant;
use tenter_model::datatype::{DataType, Primitive};
use tenter_model::hook::{Moment, Subscription};
use tenter_model::host::{HookCall, HookFailure, Invocation, Reason, StateWrite, Verdict};
use tenter_model::module::{Descriptor, LoadedModule, ModuleSettings, OnAdmissionFault};
use tenter_model::schema::{AttributeKind, AttributeSpec, EntitySpec, HistoryParams, IdType, Lifetime};
use tenter_model::task::TaskId;
use tenter_model::time::Clock;
use tenter_model::*;
use tenter_store::{Counters, Reader, Store, StoreOptions};

/// A clock that tests move.
pub struct TestClock(AtomicI64);

impl TestClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_700_000_000_000_000)))
    }

    pub fn advance_ms(&self, ms: i64) {
        self.0.fetch_add(ms * 1000, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

pub fn name(text: &str) -> ModuleName {
    ModuleName::new(text).unwrap()
}

pub fn entity(eid: &str) -> EntityRef {
    EntityRef { etype: EntityType::new("ip").unwrap(), eid: EntityId::new(eid).unwrap() }
}

pub fn plain(attr: &str, text: &str) -> DataPoint {
    DataPoint {
        attr: AttrName::new(attr).unwrap(),
        value: Value::Scalar(Scalar::Text(text.into())),
        src: None,
        t1: None,
        t2: None,
        confidence: None,
    }
}

pub fn observation(attr: &str, text: &str, at: i64) -> DataPoint {
    DataPoint { t1: Some(Timestamp(at)), t2: Some(Timestamp(at)), confidence: Some(1.0), ..plain(attr, text) }
}

pub fn body(eid: &str, datapoints: Vec<DataPoint>) -> TaskBody {
    TaskBody { datapoints, ..TaskBody::new(entity(eid)) }
}

/// `ip` (ids are text) with plain `note`, `label` and observations `seen`; `host` lives for a time.
pub fn schema() -> Schema {
    let text = || DataType::Primitive(Primitive::String);
    let attribute = |id: &str, kind| AttributeSpec {
        id: AttrName::new(id).unwrap(),
        name: id.into(),
        description: String::new(),
        ttl: 0,
        kind,
    };
    let plain = || AttributeKind::Plain { data_type: text(), editable: false, mirror_of: None };
    let seen = AttributeKind::Observations {
        data_type: text(),
        editable: false,
        confidence: false,
        multi_value: true,
        history: HistoryParams::default(),
        force_graph: false,
    };
    let make = |id: &str, lifetime, attributes| {
        EntitySpec::new(
            EntityType::new(id).unwrap(),
            IdType::String,
            id.into(),
            String::new(),
            true,
            lifetime,
            attributes,
        )
    };
    Schema::new(vec![
        make(
            "ip",
            Lifetime::Immortal,
            vec![attribute("note", plain()), attribute("label", plain()), attribute("seen", seen)],
        ),
        make("host", Lifetime::Ttl { on_create: 60_000_000, mirror_data: true }, vec![attribute("note", plain())]),
    ])
}

pub enum Answer {
    Nothing,
    Verdict(Verdict),
    Tasks(Vec<TaskBody>),
    Count(&'static str),
    Fail(Reason),
}

type Script = Arc<dyn Fn(&HookCall<'_>, &EntityRef, Option<&DataPoint>) -> Answer + Send + Sync>;

/// Plays modules by script and writes down each call.
#[derive(Clone, Default)]
pub struct Scripted {
    scripts: Arc<Mutex<HashMap<ModuleName, Script>>>,
    pub calls: Arc<Mutex<Vec<String>>>,
    pub retained: Arc<AtomicU64>,
    delays: Arc<Mutex<HashMap<ModuleName, Duration>>>,
}

impl Scripted {
    pub fn on(
        &self,
        module: &str,
        script: impl Fn(&HookCall<'_>, &EntityRef, Option<&DataPoint>) -> Answer + Send + Sync + 'static,
    ) {
        self.scripts.lock().unwrap().insert(name(module), Arc::new(script));
    }

    /// Makes each call of the module take this long.
    pub fn slow_down(&self, module: &str, time: Duration) {
        self.delays.lock().unwrap().insert(name(module), time);
    }

    pub fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    fn play<T>(
        &self,
        call: &HookCall<'_>,
        entity: &EntityRef,
        datapoint: Option<&DataPoint>,
        take: impl Fn(Answer) -> Option<T>,
    ) -> Invocation<T> {
        let text = datapoint.map_or(String::new(), |dp| format!(" {}", dp.attr));
        self.calls.lock().unwrap().push(format!("{} {} {entity}{text}", call.module.name, call.kind));
        let script = self.scripts.lock().unwrap().get(&call.module.name).cloned();
        let answer = script.map_or(Answer::Nothing, |script| script(call, entity, datapoint));
        let mut state = Vec::new();
        let outcome = match answer {
            Answer::Fail(reason) => Err(HookFailure::new(reason, "by script")),
            Answer::Count(key) => {
                state.push(StateWrite::Add { key: key.into(), by: 1 });
                take(Answer::Nothing).ok_or_else(|| HookFailure::new(Reason::Host, "the script gave the wrong answer"))
            }
            other => take(other).ok_or_else(|| HookFailure::new(Reason::Host, "the script gave the wrong answer")),
        };
        let delay = self.delays.lock().unwrap().get(&call.module.name).copied().unwrap_or_default();
        std::thread::sleep(delay);
        let mut invocation = Invocation::of(outcome);
        invocation.usage.warm = true;
        invocation.usage.micros = u64::try_from(delay.as_micros()).unwrap();
        invocation.usage.fuel = 10;
        invocation.state = state;
        invocation
    }
}

impl HookHost for Scripted {
    fn on_task_start(&mut self, call: &HookCall<'_>, task: &TaskBody) -> Invocation<()> {
        self.play(call, &task.entity, None, |a| matches!(a, Answer::Nothing).then_some(()))
    }

    fn allow_entity_creation(&mut self, call: &HookCall<'_>, task: &TaskBody) -> Invocation<Verdict> {
        self.play(call, &task.entity, None, |a| match a {
            Answer::Nothing => Some(Verdict::Allow),
            Answer::Verdict(verdict) => Some(verdict),
            _ => None,
        })
    }

    fn on_entity_creation(&mut self, call: &HookCall<'_>, task: &TaskBody) -> Invocation<Vec<TaskBody>> {
        self.play(call, &task.entity, None, tasks)
    }

    fn on_new_attribute(
        &mut self,
        call: &HookCall<'_>,
        entity: &EntityRef,
        dp: &DataPoint,
    ) -> Invocation<Vec<TaskBody>> {
        self.play(call, entity, Some(dp), tasks)
    }

    fn retain(&mut self, _keep: &dyn Fn(&ModuleName, u64) -> bool) {
        self.retained.fetch_add(1, Ordering::SeqCst);
    }
}

fn tasks(answer: Answer) -> Option<Vec<TaskBody>> {
    match answer {
        Answer::Nothing => Some(Vec::new()),
        Answer::Tasks(tasks) => Some(tasks),
        _ => None,
    }
}

/// A module that is subscribed to these moments; ids are made from their places.
pub fn module(module: &str, moments: Vec<Moment>) -> LoadedModule {
    static GENERATION: AtomicU64 = AtomicU64::new(1);
    LoadedModule {
        name: name(module),
        descriptor: Descriptor { version: "1.0.0".into(), ..Descriptor::default() },
        digest: "0".repeat(64),
        generation: GENERATION.fetch_add(1, Ordering::SeqCst),
        settings: ModuleSettings::default(),
        requests: Vec::new(),
        families: vec![Family::Ingest],
        subscriptions: moments
            .into_iter()
            .enumerate()
            .map(|(n, moment)| Subscription { id: SubscriptionId::new(&format!("s{n}")).unwrap(), moment })
            .collect(),
        lacks: Vec::new(),
        code: Arc::new(()),
    }
}

pub fn open_on_fault(mut module: LoadedModule) -> LoadedModule {
    module.settings.on_admission_fault = OnAdmissionFault::Open;
    module
}

pub fn granted(mut module: LoadedModule, capability: &str, scope: &str) -> LoadedModule {
    module.settings.grants.push(Grant { capability: capability.into(), scope: scope.into() });
    module
}

pub fn allow() -> Moment {
    Moment::AllowEntityCreation { etype: EntityType::new("ip").unwrap() }
}

pub fn creation() -> Moment {
    Moment::OnEntityCreation { etype: EntityType::new("ip").unwrap(), refresh: false, may_change: Vec::new() }
}

pub fn attribute(attr: &str) -> Moment {
    Moment::OnNewAttribute {
        etype: EntityType::new("ip").unwrap(),
        attr: AttrName::new(attr).unwrap(),
        refresh: false,
        may_change: Vec::new(),
    }
}

/// An engine over a store of its own, with scripted modules.
pub struct Bench {
    pub engine: Engine,
    pub store: Store,
    pub reader: Reader,
    pub host: Scripted,
    pub clock: Arc<TestClock>,
}

impl Bench {
    pub fn new(modules: Vec<LoadedModule>) -> Self {
        Self::with(modules, 2)
    }

    pub fn with(modules: Vec<LoadedModule>, lanes: u32) -> Self {
        let clock = TestClock::new();
        let store = Store::temporary(StoreOptions::default(), clock.now()).unwrap();
        Self::over(store, clock, modules, lanes)
    }

    pub fn over(store: Store, clock: Arc<TestClock>, modules: Vec<LoadedModule>, lanes: u32) -> Self {
        Self::played(store, clock, modules, lanes, Scripted::default())
    }

    /// With scripts that are there before the first call.
    pub fn played(store: Store, clock: Arc<TestClock>, modules: Vec<LoadedModule>, lanes: u32, host: Scripted) -> Self {
        let scripted = host.clone();
        let next = AtomicU64::new(1);
        let engine = Engine::start(Parts {
            store: store.clone(),
            schema: Arc::new(schema()),
            registry: SharedRegistry::new(registry(modules)),
            make_host: Box::new(move |_| Box::new(scripted.clone())),
            clock: clock.clone(),
            make_id: Box::new(move |now| {
                let mut random = [0; 10];
                random[2..].copy_from_slice(&next.fetch_add(1, Ordering::SeqCst).to_be_bytes());
                TaskId::root(now, random)
            }),
            lanes,
        })
        .unwrap();
        let reader = store.reader().unwrap();
        Self { engine, store, reader, host, clock }
    }

    /// Admits tasks and waits for the answer.
    pub fn admit(&self, bodies: Vec<TaskBody>) {
        let done = Arc::new((Mutex::new(false), Condvar::new()));
        let told = done.clone();
        self.engine.admit(
            bodies,
            Box::new(move |result| {
                result.unwrap();
                *told.0.lock().unwrap() = true;
                told.1.notify_all();
            }),
        );
        let mut ready = done.0.lock().unwrap();
        while !*ready {
            ready = done.1.wait_timeout(ready, Duration::from_secs(20)).unwrap().0;
        }
    }

    /// Waits until nothing is pending, moving the clock so that parked tasks come back.
    pub fn settle(&self) -> Counters {
        for _ in 0..20_000 {
            let counters = self.reader.counters().unwrap();
            if counters.pending == 0 {
                assert_eq!(
                    counters.accepted,
                    counters.applied + counters.denied + counters.dead,
                    "every accepted task ends in one way: {counters:?}"
                );
                return counters;
            }
            self.clock.advance_ms(20);
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("the queue does not become empty: {:?}", self.reader.counters());
    }

    pub fn run(&self, bodies: Vec<TaskBody>) -> Counters {
        self.admit(bodies);
        self.settle()
    }

    pub fn text(&self, eid: &str, attr: &str) -> Option<String> {
        let record = self.reader.record(&entity(eid)).unwrap()?;
        match record.attributes.get(attr)? {
            record::History::Plain { value: Value::Scalar(Scalar::Text(text)), .. } => Some(text.clone()),
            other => panic!("not a plain text: {other:?}"),
        }
    }
}

pub fn registry(modules: Vec<LoadedModule>) -> Registry {
    Registry::new(modules.into_iter().map(Arc::new).collect(), &std::collections::HashSet::new())
}
