//! A specification from YAML, modules by script, and a bench that makes runs.
#![allow(dead_code, unreachable_pub, reason = "tests use their parts")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value as Json;
use tenter_engine::{Engine, Parts, Registry, SharedRegistry, SnapshotError, SnapshotOptions, SnapshotReport};
use tenter_model::config::{self, ConfigFile};
use tenter_model::hook::{Correlation, Moment, Path, Subscription};
use tenter_model::host::{HookCall, HookFailure, HostData, Invocation, Reason, StateWrite, Verdict};
use tenter_model::module::LoadedModule;
use tenter_model::record::Chunk;
use tenter_model::task::TaskId;
use tenter_model::time::Clock;
use tenter_model::view::{Change, Correlated, RunContext, View, ViewSource};
use tenter_model::*;
use tenter_store::{Counters, Reader, Store, StoreOptions};

pub use crate::common::{TestClock, name};

/// What a scripted hook is given.
pub struct Seen<'a> {
    pub call: &'a HookCall<'a>,
    pub entity: Option<&'a EntityRef>,
    pub view: Option<&'a View>,
    pub record: Option<&'a MasterRecord>,
    pub chunks: &'a [Chunk],
    pub datapoint: Option<&'a DataPoint>,
    pub deeper: Option<&'a dyn ViewSource>,
    /// The host that plays, as a number: one for each lane.
    pub host: u64,
    /// Reads the store as host imports do.
    pub data: &'a dyn HostData,
}

impl Seen<'_> {
    /// A value of the root as text.
    pub fn own(&self, attr: &str) -> Option<String> {
        self.view?.root.values_of(attr).next().map(|v| shown(&v.value))
    }

    /// A value of the first entity that a link of the root leads to.
    pub fn linked(&self, link: &str, attr: &str) -> Option<String> {
        let view = self.view?;
        let target = &view.root.values_of(link).next()?.value.links().first()?.target.clone();
        let at = std::iter::once(&view.root).chain(&view.linked).find(|v| v.entity == *target)?;
        at.values_of(attr).next().map(|v| shown(&v.value))
    }

    /// A change of an attribute of the root.
    pub fn set(&self, attr: &str, text: &str) -> Answer {
        set(&self.view.unwrap().root.entity, attr, text)
    }
}

pub fn shown(value: &Value) -> String {
    match value {
        Value::Scalar(scalar) => scalar.to_json().as_str().map_or_else(|| scalar.to_json().to_string(), str::to_owned),
        other => format!("{other:?}"),
    }
}

pub fn text(text: &str) -> Value {
    Value::Scalar(Scalar::Text(text.into()))
}

/// What a scripted hook gives.
#[derive(Default)]
pub struct Answer {
    pub changes: Vec<Change>,
    pub tasks: Vec<TaskBody>,
    pub fail: Option<Reason>,
    pub state: Vec<StateWrite>,
    pub reads: Vec<tenter_model::host::StateRead>,
    /// What the call took, in microseconds.
    pub micros: u64,
}

impl Answer {
    pub fn nothing() -> Self {
        Self::default()
    }

    pub fn fail(reason: Reason) -> Self {
        Self { fail: Some(reason), ..Self::default() }
    }

    pub fn tasks(tasks: Vec<TaskBody>) -> Self {
        Self { tasks, ..Self::default() }
    }

    pub fn and(mut self, other: Self) -> Self {
        self.changes.extend(other.changes);
        self.tasks.extend(other.tasks);
        self.state.extend(other.state);
        self
    }
}

pub fn set(entity: &EntityRef, attr: &str, value: &str) -> Answer {
    let change = Change { entity: entity.clone(), attr: attr.parse().unwrap(), values: vec![(text(value), None)] };
    Answer { changes: vec![change], ..Answer::default() }
}

type Script = Arc<dyn Fn(&Seen<'_>) -> Answer + Send + Sync>;

/// Plays modules by script and writes down each call.
#[derive(Clone, Default)]
pub struct Scripted {
    scripts: Arc<Mutex<HashMap<ModuleName, Script>>>,
    pub calls: Arc<Mutex<Vec<String>>>,
    pub ended: Arc<AtomicU64>,
}

pub struct Host {
    scripted: Scripted,
    number: u64,
    data: Arc<dyn HostData>,
}

impl Scripted {
    pub fn on(&self, module: &str, script: impl Fn(&Seen<'_>) -> Answer + Send + Sync + 'static) {
        self.scripts.lock().unwrap().insert(name(module), Arc::new(script));
    }

    pub fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    pub fn forget(&self) {
        self.calls.lock().unwrap().clear();
    }
}

impl Host {
    fn play<T>(
        &self,
        call: &HookCall<'_>,
        what: String,
        seen: Seen<'_>,
        take: impl FnOnce(&mut Answer) -> T,
    ) -> Invocation<T> {
        let cause = if call.cause == host::CallCause::Refresh { " again" } else { "" };
        self.scripted.calls.lock().unwrap().push(format!("{} {}{cause}{what}", call.module.name, call.kind));
        let script = self.scripted.scripts.lock().unwrap().get(&call.module.name).cloned();
        let seen = Seen { host: self.number, data: self.data.as_ref(), ..seen };
        let mut answer = script.map_or_else(Answer::nothing, |script| script(&seen));
        let outcome = match answer.fail {
            Some(reason) => Err(HookFailure::new(reason, "by script")),
            None => Ok(take(&mut answer)),
        };
        let mut invocation = Invocation::of(outcome);
        invocation.usage.warm = true;
        invocation.usage.micros = answer.micros;
        invocation.state = answer.state;
        invocation.reads = answer.reads;
        invocation
    }

    fn seen<'a>(&'a self, call: &'a HookCall<'a>) -> Seen<'a> {
        Seen {
            call,
            entity: None,
            view: None,
            record: None,
            chunks: &[],
            datapoint: None,
            deeper: None,
            host: self.number,
            data: self.data.as_ref(),
        }
    }
}

fn tasks(answer: &mut Answer) -> Vec<TaskBody> {
    std::mem::take(&mut answer.tasks)
}

fn correlated(answer: &mut Answer) -> Correlated {
    Correlated { changes: std::mem::take(&mut answer.changes), tasks: std::mem::take(&mut answer.tasks) }
}

impl HookHost for Host {
    fn on_task_start(&mut self, call: &HookCall<'_>, _: &TaskBody) -> Invocation<()> {
        self.play(call, String::new(), self.seen(call), |_| ())
    }

    fn allow_entity_creation(&mut self, call: &HookCall<'_>, _: &TaskBody) -> Invocation<Verdict> {
        self.play(call, String::new(), self.seen(call), |_| Verdict::Allow)
    }

    fn on_entity_creation(&mut self, call: &HookCall<'_>, task: &TaskBody) -> Invocation<Vec<TaskBody>> {
        let entity = &task.entity;
        self.play(call, format!(" {entity}"), Seen { entity: Some(entity), ..self.seen(call) }, tasks)
    }

    fn on_new_attribute(
        &mut self,
        call: &HookCall<'_>,
        entity: &EntityRef,
        dp: &DataPoint,
    ) -> Invocation<Vec<TaskBody>> {
        let seen = Seen { entity: Some(entity), datapoint: Some(dp), ..self.seen(call) };
        self.play(call, format!(" {entity} {}", dp.attr), seen, tasks)
    }

    fn snapshot_init(&mut self, call: &HookCall<'_>, _: &RunContext) -> Invocation<Vec<TaskBody>> {
        self.play(call, String::new(), self.seen(call), tasks)
    }

    fn snapshot_finalize(&mut self, call: &HookCall<'_>, _: &RunContext) -> Invocation<Vec<TaskBody>> {
        self.play(call, String::new(), self.seen(call), tasks)
    }

    fn timeseries(
        &mut self,
        call: &HookCall<'_>,
        entity: &EntityRef,
        attr: &AttrName,
        chunks: &[Chunk],
    ) -> Invocation<Vec<TaskBody>> {
        let seen = Seen { entity: Some(entity), chunks, ..self.seen(call) };
        self.play(call, format!(" {entity} {attr}"), seen, tasks)
    }

    fn correlate(
        &mut self,
        call: &HookCall<'_>,
        view: &View,
        deeper: Option<Arc<dyn ViewSource>>,
    ) -> Invocation<Correlated> {
        let entity = &view.root.entity;
        let seen = Seen { entity: Some(entity), view: Some(view), deeper: deeper.as_deref(), ..self.seen(call) };
        self.play(call, format!(" {entity}"), seen, correlated)
    }

    fn correlate_with_record(
        &mut self,
        call: &HookCall<'_>,
        view: &View,
        record: Option<&MasterRecord>,
        deeper: Option<Arc<dyn ViewSource>>,
    ) -> Invocation<Correlated> {
        let entity = &view.root.entity;
        let seen =
            Seen { entity: Some(entity), view: Some(view), record, deeper: deeper.as_deref(), ..self.seen(call) };
        self.play(call, format!(" {entity}"), seen, correlated)
    }

    fn run_ended(&mut self) {
        self.scripted.ended.fetch_add(1, Ordering::SeqCst);
    }

    fn retain(&mut self, _: &dyn Fn(&ModuleName, u64) -> bool) {}
}

/// A module with subscriptions by id.
pub fn module(module: &str, moments: Vec<Moment>) -> LoadedModule {
    crate::common::module(module, moments)
}

pub fn paths(list: &[&str]) -> Vec<Path> {
    list.iter().map(|path| path.split("->").map(|step| step.parse().unwrap()).collect()).collect()
}

fn correlation(etype: &str, depends_on: &[&str], may_change: &[&str]) -> Correlation {
    Correlation {
        etype: etype.parse().unwrap(),
        depends_on: paths(depends_on),
        may_change: paths(may_change),
        whole: true,
    }
}

pub fn correlate(etype: &str, depends_on: &[&str], may_change: &[&str]) -> Moment {
    Moment::Correlate(correlation(etype, depends_on, may_change))
}

pub fn with_record(etype: &str, depends_on: &[&str], may_change: &[&str]) -> Moment {
    Moment::CorrelateWithRecord(correlation(etype, depends_on, may_change))
}

pub fn timeseries(etype: &str, attr: &str) -> Moment {
    Moment::Timeseries { etype: etype.parse().unwrap(), attr: attr.parse().unwrap() }
}

pub fn schema(files: &[&str]) -> Schema {
    let file = |text: &&str| {
        let (_, rest) = text.split_once("{id: ").unwrap();
        let (id, _) = rest.split_once(',').unwrap();
        ConfigFile { path: format!("db_entities/{id}.yml"), text: (*text).into() }
    };
    let files: Vec<ConfigFile> = files.iter().map(file).collect();
    let loaded = config::load(&files);
    assert!(loaded.errors.is_empty(), "{:?}", loaded.errors.iter().map(ToString::to_string).collect::<Vec<_>>());
    loaded.config.unwrap().schema
}

pub fn entity(text: &str) -> EntityRef {
    let (etype, eid) = text.split_once('/').unwrap();
    EntityRef { etype: etype.parse().unwrap(), eid: eid.parse().unwrap() }
}

/// `entity("a/1")` with plain values; links are written `->b/2`, several `->b/2 ->b/3`.
pub fn task(of: &str, values: &[(&str, &str)]) -> TaskBody {
    let link = |text: &str| value::Link { target: entity(text), data: None };
    let datapoints = values.iter().map(|(attr, value)| DataPoint {
        attr: attr.parse().unwrap(),
        value: match value.strip_prefix("->") {
            Some(rest) if attr.ends_with('s') => Value::Links(rest.split(" ->").map(link).collect()),
            Some(rest) => Value::Link(link(rest)),
            None => text(value),
        },
        src: None,
        t1: None,
        t2: None,
        confidence: None,
    });
    TaskBody { datapoints: datapoints.collect(), ..TaskBody::new(entity(of)) }
}

pub fn observed(attr: &str, value: &str, t1: i64, t2: i64) -> DataPoint {
    DataPoint {
        attr: attr.parse().unwrap(),
        value: text(value),
        src: None,
        t1: Some(Timestamp(t1)),
        t2: Some(Timestamp(t2)),
        confidence: Some(1.0),
    }
}

pub fn registry(modules: Vec<LoadedModule>) -> Registry {
    Registry::new(modules.into_iter().map(Arc::new).collect(), &std::collections::HashSet::new())
}

/// The modules of a registry once more, as after a restart.
pub fn subscription(id: &str, moment: Moment) -> Subscription {
    Subscription { id: id.parse().unwrap(), moment }
}

pub struct Bench {
    pub engine: Arc<Engine>,
    pub store: Store,
    pub reader: Reader,
    pub host: Scripted,
    pub clock: Arc<TestClock>,
    pub schema: Arc<Schema>,
}

impl Bench {
    pub fn new(schema: Schema, modules: Vec<LoadedModule>) -> Self {
        Self::with(schema, modules, 2)
    }

    pub fn with(schema: Schema, modules: Vec<LoadedModule>, lanes: u32) -> Self {
        let clock = TestClock::new();
        let store = Store::temporary(StoreOptions::default(), clock.now()).unwrap();
        Self::over(store, clock, schema, modules, lanes)
    }

    pub fn over(store: Store, clock: Arc<TestClock>, schema: Schema, modules: Vec<LoadedModule>, lanes: u32) -> Self {
        let host = Scripted::default();
        let scripted = host.clone();
        // Ids go on where an engine before this one over the same store left off.
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let hosts = AtomicU64::new(0);
        let schema = Arc::new(schema);
        let engine = Arc::new(
            Engine::start(Parts {
                store: store.clone(),
                schema: schema.clone(),
                registry: SharedRegistry::new(registry(modules)),
                make_host: Box::new(move |data| {
                    let number = hosts.fetch_add(1, Ordering::SeqCst);
                    Box::new(Host { scripted: scripted.clone(), number, data })
                }),
                clock: clock.clone(),
                make_id: Box::new(|now| {
                    let mut random = [0; 10];
                    random[2..].copy_from_slice(&NEXT.fetch_add(1, Ordering::SeqCst).to_be_bytes());
                    TaskId::root(now, random)
                }),
                lanes,
            })
            .unwrap(),
        );
        let reader = store.reader().unwrap();
        Self { engine, store, reader, host, clock, schema }
    }

    /// Takes tasks in and waits until they are applied.
    pub fn feed(&self, bodies: Vec<TaskBody>) -> Counters {
        let (sender, receiver) = std::sync::mpsc::channel();
        self.engine.admit(bodies, Box::new(move |result| sender.send(result.map(|_| ())).unwrap()));
        receiver.recv().unwrap().unwrap();
        self.settle()
    }

    /// Waits until nothing is pending.
    pub fn settle(&self) -> Counters {
        for _ in 0..20_000 {
            let counters = self.reader.counters().unwrap();
            if counters.pending == 0 {
                return counters;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        panic!("the queue does not become empty: {:?}", self.reader.counters());
    }

    pub fn try_run(&self, options: SnapshotOptions) -> Result<SnapshotReport, SnapshotError> {
        self.clock.advance_ms(1000);
        self.engine.run_snapshot(options)
    }

    pub fn run(&self) -> SnapshotReport {
        self.try_run(SnapshotOptions::default()).unwrap()
    }

    /// The latest document of an entity in DP³'s form, without its time.
    pub fn doc(&self, of: &str) -> Option<Json> {
        let snapshot = self.reader.snapshot(&entity(of)).unwrap()?;
        let mut json = self.schema.snapshot_json(&snapshot.view, snapshot.time, snapshot.partial);
        json.as_object_mut().unwrap().remove("_time_created");
        Some(json)
    }

    /// All latest documents, by entity.
    pub fn picture(&self) -> Vec<(String, Json)> {
        let mut out = Vec::new();
        for spec in self.schema.entities() {
            for snapshot in self.reader.snapshots(&spec.id, None, None, 100_000).unwrap() {
                let json = self.schema.snapshot_json(&snapshot.view, snapshot.time, snapshot.partial);
                out.push((snapshot.view.entity.to_string(), json));
            }
        }
        out
    }

    pub fn count(&self, report: &SnapshotReport, name: &str) -> u64 {
        report.run.counts.get(name).copied().unwrap_or(0)
    }
}
