//! A host for hooks that run by the clock: one script for all, and a log that tells in which instance each call was.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part")]

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tenter_engine::{Engine, Parts, SharedRegistry};
use tenter_model::host::{HookCall, HookFailure, HookHost, Invocation, Reason, StateWrite, Verdict};
use tenter_model::view::RunContext;
use tenter_model::*;
use tenter_store::{Counters, Reader, Store, StoreOptions};

use crate::support::{TestClock, registry, schema};
use tenter_model::module::LoadedModule;
use tenter_model::time::Clock;

/// What a call gives.
pub enum Gives {
    Nothing,
    /// One list for each submission; other hooks than cron return all of it.
    Tasks(Vec<Vec<TaskBody>>),
    /// Adds one to a counter of the module's state.
    Count(&'static str),
    Fail(Reason),
}

/// What is asked of the script: the call, the host's number, and what the hook is given.
pub struct Asked<'a> {
    pub call: &'a HookCall<'a>,
    pub host: u32,
    pub arguments: &'a str,
    pub entity: Option<&'a EntityRef>,
}

type Script = Arc<dyn Fn(&Asked<'_>) -> Gives + Send + Sync>;

/// The hosts of all lanes share the script and the log.
#[derive(Clone)]
pub struct Timed {
    pub script: Arc<Mutex<Script>>,
    pub log: Arc<Mutex<Vec<String>>>,
    number: u32,
}

impl Timed {
    pub fn new() -> Self {
        let nothing: Script = Arc::new(|_: &Asked<'_>| Gives::Nothing);
        Self { script: Arc::new(Mutex::new(nothing)), log: Arc::default(), number: 0 }
    }

    pub fn plays(&self, script: impl Fn(&Asked<'_>) -> Gives + Send + Sync + 'static) {
        *self.script.lock().unwrap() = Arc::new(script);
    }

    /// The calls so far, sorted, and forgets them.
    pub fn taken(&self) -> Vec<String> {
        let mut log = std::mem::take(&mut *self.log.lock().unwrap());
        log.sort();
        log
    }

    fn play<T>(
        &self,
        call: &HookCall<'_>,
        arguments: &str,
        entity: Option<&EntityRef>,
        take: impl Fn(Vec<Vec<TaskBody>>) -> T,
    ) -> Invocation<T> {
        let about = entity.map_or(String::new(), |entity| format!(" {entity}"));
        let line =
            format!("{} {}/{} {}{about} #{}", call.kind, call.module.name, call.subscription, call.time, self.number);
        self.log.lock().unwrap().push(line);
        let script = self.script.lock().unwrap().clone();
        let mut state = Vec::new();
        let outcome = match script(&Asked { call, host: self.number, arguments, entity }) {
            Gives::Nothing => Ok(take(Vec::new())),
            Gives::Tasks(lists) => Ok(take(lists)),
            Gives::Count(key) => {
                state.push(StateWrite::Add { key: key.into(), by: 1 });
                Ok(take(Vec::new()))
            }
            Gives::Fail(reason) => Err(HookFailure::new(reason, "by script")),
        };
        let mut invocation = Invocation::of(outcome);
        invocation.usage.warm = true;
        invocation.state = state;
        invocation
    }
}

fn flat(lists: Vec<Vec<TaskBody>>) -> Vec<TaskBody> {
    lists.into_iter().flatten().collect()
}

impl HookHost for Timed {
    fn on_task_start(&mut self, call: &HookCall<'_>, task: &TaskBody) -> Invocation<()> {
        self.play(call, "", Some(&task.entity), |_| ())
    }

    fn allow_entity_creation(&mut self, call: &HookCall<'_>, task: &TaskBody) -> Invocation<Verdict> {
        self.play(call, "", Some(&task.entity), |_| Verdict::Allow)
    }

    fn on_entity_creation(&mut self, call: &HookCall<'_>, task: &TaskBody) -> Invocation<Vec<TaskBody>> {
        self.play(call, "", Some(&task.entity), flat)
    }

    fn on_new_attribute(
        &mut self,
        call: &HookCall<'_>,
        entity: &EntityRef,
        _datapoint: &DataPoint,
    ) -> Invocation<Vec<TaskBody>> {
        self.play(call, "", Some(entity), flat)
    }

    fn snapshot_init(&mut self, call: &HookCall<'_>, _run: &RunContext) -> Invocation<Vec<TaskBody>> {
        self.play(call, "", None, flat)
    }

    fn update_record(
        &mut self,
        call: &HookCall<'_>,
        entity: &EntityRef,
        record: &MasterRecord,
    ) -> Invocation<Vec<TaskBody>> {
        let attributes: Vec<&str> = record.attributes.keys().map(AttrName::as_str).collect();
        self.play(call, &attributes.join(","), Some(entity), flat)
    }

    fn update_entity(&mut self, call: &HookCall<'_>, entity: &EntityRef) -> Invocation<Vec<TaskBody>> {
        self.play(call, "", Some(entity), flat)
    }

    fn cron(&mut self, call: &HookCall<'_>, arguments: &str) -> Invocation<Vec<Vec<TaskBody>>> {
        self.play(call, arguments, None, |lists| lists)
    }

    fn retain(&mut self, _keep: &dyn Fn(&ModuleName, u64) -> bool) {}
}

/// An engine with two lanes and such a host.
pub struct Clockwork {
    pub engine: Arc<Engine>,
    pub store: Store,
    pub reader: Reader,
    pub host: Timed,
    pub clock: Arc<TestClock>,
}

impl Clockwork {
    pub fn new(modules: Vec<LoadedModule>) -> Self {
        let clock = TestClock::new();
        let store = Store::temporary(StoreOptions::default(), clock.now()).unwrap();
        Self::over(store, clock, modules)
    }

    pub fn over(store: Store, clock: Arc<TestClock>, modules: Vec<LoadedModule>) -> Self {
        Self::played(store, clock, modules, Timed::new())
    }

    /// With a script that is there before the first call.
    pub fn played(store: Store, clock: Arc<TestClock>, modules: Vec<LoadedModule>, host: Timed) -> Self {
        Self::specified(store, clock, modules, host, schema())
    }

    /// With an entity specification of its own.
    pub fn specified(
        store: Store,
        clock: Arc<TestClock>,
        modules: Vec<LoadedModule>,
        host: Timed,
        schema: Schema,
    ) -> Self {
        let (shared, numbers, ids) = (host.clone(), AtomicU32::new(0), AtomicU64::new(1));
        let engine = Engine::start(Parts {
            store: store.clone(),
            schema: Arc::new(schema),
            registry: SharedRegistry::new(registry(modules)),
            make_host: Box::new(move |_| {
                Box::new(Timed { number: numbers.fetch_add(1, Ordering::SeqCst), ..shared.clone() })
            }),
            clock: clock.clone(),
            make_id: Box::new(move |now| {
                let mut random = [0; 10];
                random[2..].copy_from_slice(&ids.fetch_add(1, Ordering::SeqCst).to_be_bytes());
                TaskId::root(now, random)
            }),
            lanes: 2,
        })
        .unwrap();
        let (engine, reader) = (Arc::new(engine), store.reader().unwrap());
        Self { engine, store, reader, host, clock }
    }

    /// Moves the clock, and waits until all that came due by then is done.
    pub fn pass(&self, seconds: i64) {
        self.clock.advance_ms(seconds * 1000);
        self.engine.scheduler().settle();
    }

    /// Waits until no task is pending.
    pub fn drained(&self) -> Counters {
        for _ in 0..20_000 {
            let counters = self.reader.counters().unwrap();
            if counters.pending == 0 {
                return counters;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        panic!("the queue does not become empty: {:?}", self.reader.counters());
    }
}
