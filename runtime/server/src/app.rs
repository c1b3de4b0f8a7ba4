//! The composition root: store, sandbox and engine put together into one [`App`].
//!
//! `serve`, `demo` and the tests all start here, so what they run is the same program. Handlers of requests see the App
//! alone; they never hold a lock over a guest call or over the disk.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context as _;
use axum::http::StatusCode;
use tenter_engine::case::{self, Cases};
use tenter_engine::{Engine, HookStats, JobError, Parts, SharedRegistry, SnapshotOptions, SnapshotReport, WAITING};
use tenter_model::config::{self, Action, Http, SiteConfig};
use tenter_model::task::{Queue, TaskId};
use tenter_model::time::Clock;
use tenter_model::{HookKind, ModuleName, Schema, Task, TaskBody, Timestamp};
use tenter_sandbox::{Compiler, Sandbox, SandboxOptions};
use tenter_store::{AdmitKey, Done, KeyedAdmission, Reader, Readers, Store, StoreError, StoreOptions};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::api::ApiError;
use crate::auth::Tokens;
use crate::clock::SystemClock;
use crate::datapoint_log::DatapointLog;
use crate::egress::Egress;
use crate::egress::secrets::Secrets;
use crate::events::Events;
use crate::jobs;
use crate::modules::Modules;
use crate::query::Held;
use crate::serving::Tally;
use crate::{attributes, schema, site};

/// Requests that may wait for the disk at once.
const MAX_ADMISSIONS: usize = 1024;

/// What a server is started with.
pub(crate) struct Options {
    /// The configuration directory, read and checked.
    pub(crate) site: SiteConfig,
    /// Where everything is kept.
    pub(crate) data_dir: PathBuf,
    /// Where it will listen; port 0 = any free one.
    pub(crate) listen: SocketAddr,
    /// Settings of the store.
    pub(crate) store: StoreOptions,
    /// Lanes; 0 = one per core.
    pub(crate) lanes: u32,
    /// The folder of the configuration, if it is one: to read parts of it again.
    pub(crate) site_dir: Option<PathBuf>,
}

/// A running server, shared by all requests.
#[derive(Clone)]
pub(crate) struct App(Arc<Inner>);

struct Inner {
    store: Store,
    engine: Arc<Engine>,
    cases: Cases,
    modules: Arc<Modules>,
    schema: Arc<Schema>,
    origins: Vec<String>,
    http: Http,
    tally: Arc<Tally>,
    clock: Arc<dyn Clock>,
    started: Timestamp,
    listen: SocketAddr,
    bound: OnceLock<SocketAddr>,
    /// Idle read connections; one is taken for each read and put back after it.
    readers: Readers,
    admissions: Arc<Semaphore>,
    tokens: Tokens,
    site_dir: Option<PathBuf>,
    actions: Vec<Action>,
    keep_empty: bool,
    query_max: Duration,
    /// What long answers hold in memory.
    held: Held,
    datapoint_log: Arc<DatapointLog>,
    events: Events,
}

/// Hosts that an engine with so many lanes has, each with instances of its own: the lanes, as many for snapshots, half as
/// many aside and some for modules that wait, one for sweeps, those for case hooks; and room for commands.
fn hosts(lanes: u32) -> u32 {
    lanes * 2 + lanes.div_ceil(2) + u32::try_from(WAITING).unwrap_or(0) + case::seats(lanes) + 3
}

impl App {
    /// Opens the store, loads the modules and starts the lanes. Blocks; it may compile modules.
    ///
    /// # Errors
    /// What could not be opened, and what to do.
    pub(crate) fn open(options: Options) -> anyhow::Result<Self> {
        let Options { site, data_dir, listen, store, lanes, site_dir } = options;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let lanes = if lanes == 0 {
            std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(1))
        } else {
            lanes
        };
        std::fs::create_dir_all(&data_dir)
            .with_context(|| format!("cannot make the data directory {}", data_dir.display()))?;
        let jobs = site::anchored(site.clone(), site_dir.as_deref().unwrap_or(&data_dir));
        let datapoint_log = Arc::new(DatapointLog::open(&jobs.api)?);
        let store = Store::open(&data_dir, store, clock.now())?;
        let update = schema::command(site_dir.as_deref(), &data_dir);
        if let Err(refused) = schema::at_start(&store, &site.schema, clock.now(), &update) {
            // In order, so that the next start has no crash to think of.
            store.close()?;
            return Err(refused);
        }
        store.prune(clock.now())?;
        let scan = site.telemetry.attribute_bson_size_schedule.clone();
        let events = Events::new(&site.event_logging, store.reader()?.counters()?, clock.now());
        let program = std::env::current_exe().context("cannot tell which program runs, to compile uploads with it")?;
        let sandbox = Sandbox::new(SandboxOptions { cache_dir: Some(data_dir.join("cache")), lanes: hosts(lanes) })?;
        // The program of unit tests is no compiler: there, uploads are compiled in the process that serves.
        let sandbox = if cfg!(test) { sandbox } else { sandbox.compile_with(Compiler::child(program)) };
        let secrets = Secrets::open(&data_dir)?;
        let sandbox = sandbox.reaching(Arc::new(Egress::open(&site.tenter.egress, secrets.clone())?));
        let sandbox = Arc::new(sandbox);
        let schema = Arc::new(site.schema.clone());
        let registry = SharedRegistry::default();
        let (origins, http) = (site.api.allow_origins.clone(), site.tenter.http);
        let query_max = Duration::from_millis(site.tenter.query_max_ms);
        let (actions, keep_empty) = (site.control.allowed_actions.clone(), site.snapshots.keep_empty);
        let modules = Arc::new(Modules::open(
            store.clone(),
            sandbox.clone(),
            schema.clone(),
            (site, site_dir.clone()),
            registry.clone(),
            clock.clone(),
            secrets,
        )?);
        let engine = Arc::new(Engine::start(Parts {
            store: store.clone(),
            schema: schema.clone(),
            registry,
            make_host: Box::new(move |data| Box::new(sandbox.lane(data))),
            clock: clock.clone(),
            make_id: Box::new(new_task_id),
            lanes,
        })?);
        engine.add_platform_jobs(&jobs)?;
        let cases = engine.start_cases(Box::new(random_bytes))?;
        let tokens = Tokens::open(store.clone(), &data_dir, clock.now())?;
        let app = Self(Arc::new(Inner {
            store,
            engine,
            cases,
            modules,
            schema,
            origins,
            http,
            tally: Arc::default(),
            started: clock.now(),
            clock,
            listen,
            bound: OnceLock::new(),
            readers: Readers::default(),
            admissions: Arc::new(Semaphore::new(MAX_ADMISSIONS)),
            tokens,
            site_dir,
            actions,
            keep_empty,
            query_max,
            held: Held::default(),
            datapoint_log,
            events,
        }));
        app.engine().scheduler().add_job(jobs::refresh_creations(&app.0.engine))?;
        app.engine().scheduler().add_job(attributes::job(&app.0.store, &app.0.schema, scan))?;
        Ok(app)
    }

    /// How the configuration wants snapshot runs.
    pub(crate) fn snapshot_options(&self) -> SnapshotOptions {
        SnapshotOptions { keep_empty: self.0.keep_empty, ..SnapshotOptions::default() }
    }

    /// Makes a snapshot run and waits for its end.
    ///
    /// # Errors
    /// When one is under way, and what the run says.
    pub(crate) async fn snapshot(&self, options: SnapshotOptions) -> Result<SnapshotReport, ApiError> {
        let inner = self.0.clone();
        self.blocking(move || inner.engine.run_snapshot(options).map_err(Into::into)).await
    }

    /// Begins a job, which goes on by itself.
    ///
    /// # Errors
    /// When it is running.
    pub(crate) fn begin_job(&self, name: &str, arguments: serde_json::Value) -> Result<(), ApiError> {
        self.0.engine.scheduler().run_job(name, arguments).map_err(|error| {
            let detail = format!("{error}; tenter status shows what runs");
            match error {
                JobError::Running(_) => ApiError::new(StatusCode::CONFLICT, "under-way", detail),
                JobError::Ended => ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", detail),
                JobError::Unknown(..) | JobError::Twice(_) | JobError::Schedule(..) => ApiError::internal(detail),
            }
        })
    }

    /// Whether `control.yml` allows an action.
    pub(crate) fn allows_action(&self, action: Action) -> bool {
        self.0.actions.contains(&action)
    }

    /// Reads the file of a module's configuration again.
    ///
    /// # Errors
    /// When the folder is not valid any more, or the module refuses what it says.
    pub(crate) async fn refresh_module_config(&self, name: ModuleName) -> Result<(), ApiError> {
        let inner = self.0.clone();
        self.blocking(move || {
            let dir = inner.site_dir.as_ref().ok_or_else(|| {
                ApiError::new(
                    StatusCode::CONFLICT,
                    "conflict",
                    "this server was started without a folder to read again",
                )
            })?;
            let invalid = |text: String| ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-input", text);
            let loaded = config::load(&site::read(dir).map_err(|error| invalid(error.to_string()))?);
            let Some(site) = loaded.config else {
                let first = loaded.errors.first().map(ToString::to_string).unwrap_or_default();
                return Err(invalid(format!("the configuration is not valid, nothing has changed: {first}")));
            };
            inner.modules.refresh_config(&name, site.module_settings(&name).config)?;
            inner.engine.refresh_module(&name)?;
            inner.engine.wake();
            Ok(())
        })
        .await
    }

    /// Lets the lanes finish what they are at and closes the store. Blocks.
    pub(crate) fn close(&self) {
        self.0.cases.close();
        self.0.engine.drain();
        self.note_sources();
        self.0.readers.clear();
        if let Err(error) = self.0.store.close() {
            tracing::error!("the store was not closed in order: {error}");
        }
    }

    /// Tells where the listener is bound.
    pub(crate) fn set_bound(&self, address: SocketAddr) {
        let _first_wins = self.0.bound.set(address);
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.0.bound.get().copied().unwrap_or(self.0.listen)
    }

    /// Where to reach it from this machine.
    pub(crate) fn url(&self) -> String {
        let address = self.address();
        let ip = if address.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { address.ip() };
        format!("http://{}", SocketAddr::new(ip, address.port()))
    }

    /// Whether only this machine can reach it.
    pub(crate) fn listens_on_loopback(&self) -> bool {
        self.address().ip().is_loopback()
    }

    /// Origins whose pages may read.
    pub(crate) fn allowed_origins(&self) -> &[String] {
        &self.0.origins
    }

    /// What a client may take.
    pub(crate) fn http(&self) -> Http {
        self.0.http
    }

    /// How connections fare.
    pub(crate) fn tally(&self) -> Arc<Tally> {
        Arc::clone(&self.0.tally)
    }

    /// Whether pages of an origin may change something: only when it is listed by name, `*` is not enough.
    pub(crate) fn allows_origin(&self, origin: &str) -> bool {
        self.0.origins.iter().any(|o| o != "*" && o.eq_ignore_ascii_case(origin))
    }

    /// Who may do what.
    pub(crate) fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    /// The token made at first start.
    pub(crate) fn operator_token(&self) -> &str {
        self.0.tokens.first_operator()
    }

    /// The entity specification.
    pub(crate) fn schema(&self) -> &Arc<Schema> {
        &self.0.schema
    }

    /// The engine.
    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// The modules.
    pub(crate) fn modules(&self) -> &Modules {
        &self.0.modules
    }

    /// The time.
    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Seconds since the start.
    pub(crate) fn uptime_s(&self) -> i64 {
        self.now().since(self.0.started) / 1_000_000
    }

    /// Number of lanes.
    pub(crate) fn lanes(&self) -> u32 {
        self.0.engine.lanes()
    }

    /// What hooks did since the start.
    pub(crate) fn hook_stats(&self) -> BTreeMap<(ModuleName, HookKind), HookStats> {
        self.0.engine.stats().total()
    }

    /// What keeps the server from doing its work, if anything.
    pub(crate) fn problem(&self) -> Option<String> {
        let health = self.0.store.health();
        if !health.writable {
            return Some(health.reason.unwrap_or_else(|| "the store cannot be written".to_owned()));
        }
        (!self.0.engine.is_running()).then(|| "a lane has ended; restart the server and read its log".to_owned())
    }

    /// Room for one more request that waits for the disk.
    pub(crate) fn admission_permit(&self) -> Option<OwnedSemaphorePermit> {
        self.0.admissions.clone().try_acquire_owned().ok()
    }

    /// A read connection of the caller's own.
    ///
    /// # Errors
    /// When the store cannot be opened once more.
    pub(crate) fn reader(&self) -> Result<Reader, StoreError> {
        self.0.store.reader()
    }

    /// The logs of datapoints.
    pub(crate) fn datapoint_log(&self) -> &DatapointLog {
        &self.0.datapoint_log
    }

    /// Takes in tasks of a request that has a key: once, however often it is sent.
    pub(crate) fn admit_keyed(&self, key: AdmitKey, bodies: Vec<TaskBody>, done: Done<KeyedAdmission>) {
        let now = self.now();
        let task = |body| {
            let id = new_task_id(now);
            Task { id, root: id, depth: 0, queue: Queue::Normal, origin: None, body }
        };
        self.0.store.admit_keyed(key, bodies.into_iter().map(task).collect(), now, done);
    }
}

fn new_task_id(now: Timestamp) -> TaskId {
    TaskId::root(now, random_bytes())
}

fn random_bytes<const N: usize>() -> [u8; N] {
    let mut random = [0u8; N];
    if getrandom::fill(&mut random).is_err() {
        // Without the system's randomness a counter keeps ids apart within this process, and the time across starts.
        static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
        let next = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_be_bytes();
        for (slot, byte) in random.iter_mut().zip(next) {
            *slot = byte;
        }
    }
    random
}

mod events;
#[cfg(test)]
mod tests;
mod work;
