//! What is measured with: an entity specification, the module `hostname-class`, tasks, and engines on copies of a store.
//!
//! All data are functions of a number, so that each run works on the same.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value as Json, json};
use tenter_engine::{Engine, Parts, Registry, SharedRegistry};
use tenter_model::config::{self, ConfigFile, SiteConfig};
use tenter_model::module::{LoadedModule, ModuleSettings};
use tenter_model::task::{Queue, TaskBody};
use tenter_model::time::Clock as _;
use tenter_model::{
    AttrName, DataPoint, EntityId, EntityRef, EntityType, ModuleName, Scalar, Schema, Task, TaskId, Timestamp, Value,
};
use tenter_sandbox::{AdmitRequest, Sandbox, SandboxOptions};
use tenter_store::{Reader, Store, StoreOptions};

use crate::clock::SystemClock;
use crate::embedded;

/// Attributes that each task brings, the first of them plain, the others observations.
pub(super) const ATTRIBUTES: [&str; 3] = ["hostname", "alias", "certificate_name"];
/// Plain attributes that entities have beside.
pub(super) const OTHERS: [&str; 7] = ["note_1", "note_2", "note_3", "note_4", "note_5", "note_6", "note_7"];
/// Observations of entities that are snapshotted.
pub(super) const HISTORIES: [&str; 2] = ["alias", "certificate_name"];
/// Points of each history of a prepared entity.
const HISTORY: i64 = 5;
/// Longest wait between two looks at the queue.
const GLANCE: Duration = Duration::from_millis(1);

/// The sandbox and what is loaded into it.
pub(super) struct World {
    sandbox: Arc<Sandbox>,
    schema: Arc<Schema>,
    /// Where modules look while they are admitted; empty.
    empty: Store,
    lanes: u32,
}

impl World {
    /// Starts a sandbox with room for so many lanes.
    ///
    /// # Errors
    /// When the machine cannot run modules, or the disk refuses.
    pub(super) fn new(dir: &Path, lanes: u32) -> anyhow::Result<Self> {
        let sandbox = Arc::new(Sandbox::new(SandboxOptions { lanes: lanes + 2, ..SandboxOptions::default() })?);
        let empty = Store::open(&dir.join("empty"), StoreOptions::default(), SystemClock.now())?;
        Ok(Self { sandbox, schema: Arc::new(schema()?), empty, lanes })
    }

    /// The sandbox.
    pub(super) fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Lanes of each engine.
    pub(super) fn lanes(&self) -> u32 {
        self.lanes
    }

    /// Reads the store that is empty.
    ///
    /// # Errors
    /// What the disk says.
    pub(super) fn nothing(&self) -> anyhow::Result<Arc<Reader>> {
        Ok(Arc::new(self.empty.reader()?))
    }

    /// Loads `hostname-class` under that name.
    ///
    /// # Errors
    /// When it is refused.
    pub(super) fn module(&self, name: &str, config: Json, fuel: Option<u64>) -> anyhow::Result<Arc<LoadedModule>> {
        self.load(name, embedded::HOSTNAME_CLASS, config, fuel)
    }

    /// Loads a component under a name.
    ///
    /// # Errors
    /// When it is refused.
    pub(super) fn load(
        &self,
        name: &str,
        component: &[u8],
        config: Json,
        fuel: Option<u64>,
    ) -> anyhow::Result<Arc<LoadedModule>> {
        let limits = fuel.map(|fuel| ("fuel".to_owned(), fuel)).into_iter().collect();
        let request = AdmitRequest {
            name: ModuleName::new(name)?,
            bytes: component,
            settings: ModuleSettings { config, limits, ..ModuleSettings::default() },
            schema: &self.schema,
            schema_json: self.schema.to_json().to_string().into(),
            now: SystemClock.now(),
        };
        let module = self.sandbox.admit(request, self.nothing()?);
        Ok(Arc::new(module.with_context(|| format!("the bundled module was refused as {name}"))?))
    }

    /// Starts an engine on a store.
    ///
    /// # Errors
    /// When the store or the system refuses.
    pub(super) fn engine(&self, store: &Store, modules: Vec<Arc<LoadedModule>>) -> anyhow::Result<Engine> {
        let sandbox = Arc::clone(&self.sandbox);
        let next = AtomicU64::new(1);
        Ok(Engine::start(Parts {
            store: store.clone(),
            schema: Arc::clone(&self.schema),
            registry: SharedRegistry::new(Registry::new(modules, &std::collections::HashSet::new())),
            make_host: Box::new(move |data| Box::new(sandbox.lane(data))),
            clock: Arc::new(SystemClock),
            make_id: Box::new(move |now| task_id(now, next.fetch_add(1, Ordering::Relaxed))),
            lanes: self.lanes,
        })?)
    }

    /// Makes a store in which so many entities have a record and so many tasks wait.
    ///
    /// # Errors
    /// When the store refuses.
    pub(super) fn prepare(&self, dir: &Path, entities: u64, tasks: u64) -> anyhow::Result<()> {
        let store = Store::open(dir, StoreOptions::default(), SystemClock.now())?;
        admit(&store, 0, (0..entities).map(first_task))?;
        let engine = self.engine(&store, Vec::new())?;
        drained(&store)?;
        engine.drain();
        drop(engine);
        admit(&store, entities, (0..tasks).map(|n| task(n, entities)))?;
        store.close()?;
        Ok(())
    }
}

/// Waits until no task is in the queues.
///
/// # Errors
/// When the store cannot be read or written.
pub(super) fn drained(store: &Store) -> anyhow::Result<()> {
    let reader = store.reader()?;
    while reader.counters()?.pending > 0 {
        if let Some(why) = store.health().reason {
            anyhow::bail!("the store stopped: {why}");
        }
        std::thread::sleep(GLANCE);
    }
    Ok(())
}

/// Takes tasks in; the first gets this number.
///
/// # Errors
/// When the store refuses.
pub(super) fn admit(
    store: &Store,
    first: u64,
    bodies: impl Iterator<Item = anyhow::Result<TaskBody>>,
) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let mut tasks = Vec::new();
    for (n, body) in (first..).zip(bodies) {
        let id = task_id(now, n);
        tasks.push(Task { id, root: id, depth: 0, queue: Queue::Normal, origin: None, body: body? });
    }
    let (sender, receiver) = mpsc::channel();
    let mut calls = 0;
    while !tasks.is_empty() {
        let batch = tasks.drain(..tasks.len().min(1000)).collect();
        let sender = sender.clone();
        // Who waits is below in this function.
        store.admit(batch, now, Box::new(move |result| drop(sender.send(result.map(drop)))));
        calls += 1;
    }
    receiver.iter().take(calls).collect::<Result<(), _>>()?;
    Ok(())
}

fn task_id(now: Timestamp, n: u64) -> TaskId {
    let mut random = [0; 10];
    for (slot, byte) in random.iter_mut().zip(n.to_be_bytes()) {
        *slot = byte;
    }
    TaskId::root(now, random)
}

/// A number that stands for another, spread evenly and the same in each run.
pub(super) fn spread(n: u64, below: u64) -> u64 {
    (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20) % below.max(1)
}

/// A name that the usual rules need all of their ten tests for.
pub(super) fn name(n: u64) -> String {
    format!("WWW-{n}.Customers.Example.ORG")
}

/// A name without a hint.
pub(super) fn plain_name(n: u64) -> String {
    format!("Gateway-{n}.Customers.Example.ORG")
}

/// An entity.
///
/// # Errors
/// Never for the types that are used here.
pub(super) fn entity(etype: &str, eid: &str) -> anyhow::Result<EntityRef> {
    Ok(EntityRef { etype: EntityType::new(etype)?, eid: EntityId::new(eid)? })
}

/// A datapoint with text; an observation when it has a time.
///
/// # Errors
/// Never for the attributes that are used here.
pub(super) fn datapoint(attr: &str, text: String, time: Option<Timestamp>) -> anyhow::Result<DataPoint> {
    Ok(DataPoint {
        attr: AttrName::new(attr)?,
        value: Value::Scalar(Scalar::Text(text)),
        src: Some("bench".into()),
        t1: time,
        t2: time,
        confidence: Some(1.0),
    })
}

/// The task that makes an entity: eight plain attributes and two histories.
fn first_task(n: u64) -> anyhow::Result<TaskBody> {
    let mut body = TaskBody::new(entity("host", &format!("host-{n}"))?);
    for attr in ["hostname"].iter().chain(&OTHERS) {
        body.datapoints.push(datapoint(attr, name(n), None)?);
    }
    for attr in ["alias", "certificate_name"] {
        for t in 0..HISTORY {
            body.datapoints.push(datapoint(attr, plain_name(n), Some(Timestamp(t)))?);
        }
    }
    Ok(body)
}

/// Three datapoints of any of so many entities. The name in the first has a hint.
fn task(n: u64, entities: u64) -> anyhow::Result<TaskBody> {
    let mut body = TaskBody::new(entity("host", &format!("host-{}", spread(n, entities)))?);
    let time = Some(Timestamp(i64::try_from(n).unwrap_or(i64::MAX)));
    let [plain, first, second] = ATTRIBUTES;
    body.datapoints.push(datapoint(plain, name(n), None)?);
    body.datapoints.push(datapoint(first, plain_name(n), time)?);
    body.datapoints.push(datapoint(second, plain_name(n), time)?);
    Ok(body)
}

/// Ten rules of which none fits any name here.
pub(super) fn futile_rules() -> Json {
    let parts = ["dhcp", "dyn", "pool", "dsl", "cable", "mail", "smtp", "vpn", "proxy", "ftp"];
    parts.iter().map(|part| json!([part, "none"])).collect()
}

fn schema() -> anyhow::Result<Schema> {
    Ok(site(&[])?.schema)
}

/// A site with the entity types of all that is measured, and configurations of modules by their names.
///
/// # Errors
/// Never, unless the bundled specification is damaged.
pub(super) fn site(modules: &[(&str, &Json)]) -> anyhow::Result<SiteConfig> {
    let mut host = "entity: {id: host, id_data_type: string, name: Host, snapshot: false}\nattribs:\n".to_owned();
    for attr in ["hostname", "class"].iter().chain(&OTHERS) {
        host.push_str(&format!("  {attr}: {{name: {attr}, type: plain, data_type: string}}\n"));
    }
    for attr in ["alias", "certificate_name"] {
        host.push_str(&format!(
            "  {attr}: {{name: {attr}, type: observations, data_type: string, history_params: {{aggregate: false}}}}\n"
        ));
    }
    let target = "entity: {id: target, id_data_type: string, name: Target, snapshot: false}
attribs:
  banner: {name: banner, type: plain, data_type: string}
  class: {name: class, type: plain, data_type: string}
";
    let mut domain = "entity: {id: domain, id_data_type: string, name: Domain, snapshot: true}
attribs:
  indicator: {name: indicator, type: plain, data_type: string}
  entropy: {name: entropy, type: plain, data_type: float}
  risk: {name: risk, type: plain, data_type: float}
  addresses: {name: addresses, type: plain, data_type: 'array<link<ip;mirror=domains>>'}
"
    .to_owned();
    for attr in OTHERS {
        domain.push_str(&format!("  {attr}: {{name: {attr}, type: plain, data_type: string}}\n"));
    }
    for attr in HISTORIES {
        domain.push_str(&format!(
            "  {attr}: {{name: {attr}, type: observations, data_type: string, multi_value: true, \
             history_params: {{post_validity: 1d, aggregate: false}}}}\n"
        ));
    }
    let ip = "entity: {id: ip, id_data_type: string, name: Address, snapshot: true}
attribs:
  indicator: {name: indicator, type: plain, data_type: string}
  risk: {name: risk, type: plain, data_type: float}
  risk_from: {name: risk from, type: plain, data_type: array<string>}
  certificates: {name: certificates, type: plain, data_type: 'array<link<certificate>>'}
";
    let certificate = "entity: {id: certificate, id_data_type: string, name: Certificate, snapshot: true}
attribs:
  self_signed: {name: self-signed, type: plain, data_type: binary}
";
    let file = |path: &str, text: &str| ConfigFile { path: format!("db_entities/{path}.yml"), text: text.to_owned() };
    let mut files = vec![
        file("host", &host),
        file("target", target),
        file("domain", &domain),
        file("ip", ip),
        file("certificate", certificate),
    ];
    files.extend(
        modules
            .iter()
            .map(|(name, config)| ConfigFile { path: format!("modules/{name}.yml"), text: config.to_string() }),
    );
    let loaded = config::load(&files);
    let errors: Vec<String> = loaded.errors.iter().map(ToString::to_string).collect();
    loaded.config.with_context(|| format!("the bundled specification is not valid: {}", errors.join("; ")))
}
