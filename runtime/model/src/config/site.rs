//! What a configuration directory says, once it has been read. Durations are in microseconds.

use std::collections::BTreeMap;

use crate::capability::Grant;
use crate::cron::Cron;
use crate::id::ModuleName;
use crate::module::{
    EffectHooks, Isolation, ModuleSettings, OnAdmissionFault, OnBeforeFault, Quarantine, Recording, Undeclared,
};
use crate::schema::{DuplicateKeys, Schema};

use super::egress::Egress;
use super::http::Http;

/// The whole configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteConfig {
    /// `db_entities/*.yml`.
    pub schema: Schema,
    /// `processing_core.enabled_modules`: modules in the order in which their hooks run.
    pub enabled_modules: Vec<String>,
    /// `processing_core.worker_processes`, at least 1.
    pub worker_processes: u64,
    /// `processing_core.worker_threads`, at least 1.
    pub worker_threads: u64,
    /// `processing_core.max_inline_generated_tasks`; 0 = none.
    pub max_inline_generated_tasks: u64,
    /// `processing_core.modules_dir`, relative to the directory.
    pub modules_dir: Option<String>,
    /// `modules/NAME.yml` as JSON; a module without a file has no entry.
    pub module_configs: BTreeMap<String, serde_json::Value>,
    /// `snapshots.yml`.
    pub snapshots: Snapshots,
    /// `history_manager.yml`; `None` = history is not managed.
    pub history_manager: Option<HistoryManager>,
    /// `updater.yml`; `None` = defaults of the runtime.
    pub updater: Option<Updater>,
    /// `garbage_collector.yml`.
    pub garbage_collector: GarbageCollector,
    /// `control.yml`.
    pub control: Control,
    /// `telemetry.yml`.
    pub telemetry: Telemetry,
    /// `event_logging.yml`: groups of counters by name.
    pub event_logging: BTreeMap<String, EventGroup>,
    /// `api.yml`.
    pub api: Api,
    /// `database.storage.snapshot_bucket_size`, at least 1.
    pub snapshot_bucket_size: u64,
    /// `tenter.yml`.
    pub tenter: TenterConfig,
}

impl Default for SiteConfig {
    /// What an empty directory says.
    fn default() -> Self {
        Self {
            schema: Schema::default(),
            enabled_modules: Vec::new(),
            worker_processes: 1,
            worker_threads: 8,
            max_inline_generated_tasks: 0,
            modules_dir: None,
            module_configs: BTreeMap::new(),
            snapshots: Snapshots::default(),
            history_manager: None,
            updater: None,
            garbage_collector: GarbageCollector::default(),
            control: Control::default(),
            telemetry: Telemetry::default(),
            event_logging: BTreeMap::new(),
            api: Api::default(),
            snapshot_bucket_size: 32,
            tenter: TenterConfig::default(),
        }
    }
}

impl SiteConfig {
    /// What the files say about a module: its configuration, `{}` when absent, and its section of `tenter.yml`.
    #[must_use]
    pub fn module_settings(&self, name: &ModuleName) -> ModuleSettings {
        let section = self.tenter.modules.get(name.as_str()).cloned().unwrap_or_default();
        ModuleSettings {
            config: self.module_configs.get(name.as_str()).cloned().unwrap_or_else(|| serde_json::json!({})),
            grants: section.grants,
            limits: section.limits,
            isolation: section.isolation,
            on_admission_fault: section.on_admission_fault,
            on_before_fault: section.on_before_fault,
            effect_hooks: section.effect_hooks,
            quarantine: section.quarantine,
            recording: section.recording,
            may_change: section.may_change,
            files: section.files,
        }
    }
}

/// `snapshots.yml`.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshots {
    /// When snapshots are made.
    pub creation_rate: Cron,
    /// Whether entities with nothing but an id get snapshots.
    pub keep_empty: bool,
}

impl Default for Snapshots {
    fn default() -> Self {
        Self { creation_rate: Cron::of(&[("minute", "*/30")]), keep_empty: true }
    }
}

/// `history_manager.yml`.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryManager {
    /// When equal neighbours are merged.
    pub aggregation_schedule: Cron,
    /// When datapoints older than `max_age` are removed.
    pub datapoint_cleaning_schedule: Cron,
    /// When old snapshots are removed.
    pub snapshot_cleaning: Cleaning,
    /// When raw datapoints are archived.
    pub datapoint_archivation: Archivation,
}

/// When something is removed, and how old it is then.
#[derive(Debug, Clone, PartialEq)]
pub struct Cleaning {
    /// When.
    pub schedule: Cron,
    /// Age; microseconds.
    pub older_than: i64,
}

/// When raw datapoints leave the store, and where to.
#[derive(Debug, Clone, PartialEq)]
pub struct Archivation {
    /// When.
    pub schedule: Cron,
    /// Age; microseconds.
    pub older_than: i64,
    /// Folder of the archives; `None` = they are removed only.
    pub archive_dir: Option<String>,
}

/// `updater.yml`.
#[derive(Debug, Clone, PartialEq)]
pub struct Updater {
    /// When a batch is processed.
    pub update_batch_cron: Cron,
    /// The period of that schedule; microseconds.
    pub update_batch_period: i64,
    /// When finished states are removed.
    pub cache_management_cron: Cron,
    /// Finished states kept per group.
    pub cache_max_entries: u64,
}

/// `garbage_collector.yml`.
#[derive(Debug, Clone, PartialEq)]
pub struct GarbageCollector {
    /// When entities past their lifetime are removed.
    pub collection_rate: Cron,
}

impl Default for GarbageCollector {
    fn default() -> Self {
        Self { collection_rate: Cron::daily(3, 0, 0) }
    }
}

/// A control action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Make snapshots now.
    MakeSnapshots,
    /// Run creation hooks again for an entity type.
    RefreshOnEntityCreation,
    /// Read a module's configuration again.
    RefreshModuleConfig,
}

impl Action {
    /// All actions.
    pub const ALL: [Self; 3] = [Self::MakeSnapshots, Self::RefreshOnEntityCreation, Self::RefreshModuleConfig];

    /// The name in configuration and in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MakeSnapshots => "make_snapshots",
            Self::RefreshOnEntityCreation => "refresh_on_entity_creation",
            Self::RefreshModuleConfig => "refresh_module_config",
        }
    }
}

/// `control.yml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// Actions that may be called.
    pub allowed_actions: Vec<Action>,
}

impl Default for Control {
    /// Without the file all actions are allowed.
    fn default() -> Self {
        Self { allowed_actions: Action::ALL.to_vec() }
    }
}

/// `telemetry.yml`.
#[derive(Debug, Clone, PartialEq)]
pub struct Telemetry {
    /// When sizes of attributes are computed.
    pub attribute_bson_size_schedule: Cron,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { attribute_bson_size_schedule: Cron::of(&[("hour", "3"), ("minute", "15")]) }
    }
}

/// A group of `event_logging.yml`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EventGroup {
    /// Names of counters.
    pub events: Vec<String>,
    /// Whether other names come into being when they are counted.
    pub auto_declare_events: bool,
    /// Lengths of intervals as text, with their microseconds.
    pub intervals: Vec<(String, i64)>,
}

/// `api.yml`.
#[derive(Debug, Clone, PartialEq)]
pub struct Api {
    /// `cors.allow_origins`.
    pub allow_origins: Vec<String>,
    /// `datapoint_logger.good_log`: a file for accepted datapoints.
    pub good_log: Option<String>,
    /// `datapoint_logger.bad_log`: a file for refused ones.
    pub bad_log: Option<String>,
}

impl Default for Api {
    fn default() -> Self {
        Self { allow_origins: vec!["*".to_owned()], good_log: None, bad_log: None }
    }
}

/// How commits reach the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// Every commit is on disk before it is acknowledged.
    #[default]
    Full,
    /// A loss of power may cost the last commits; a crash of the process costs nothing.
    Normal,
}

/// Whether uploads need a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Signatures {
    /// Each upload needs one by a key that counts for the module.
    Required,
    /// An upload may come without; one that is given must count.
    Optional,
    /// None is looked at.
    #[default]
    Off,
}

/// `tenter.yml`: keys that DP³ does not have.
#[derive(Debug, Clone, PartialEq)]
pub struct TenterConfig {
    /// `listen`: address and port.
    pub listen: Option<String>,
    /// `data`: folder of the store.
    pub data: Option<String>,
    /// `lanes`; 0 = as many as cores.
    pub lanes: u64,
    /// `synchronous`.
    pub synchronous: Synchronous,
    /// `cache_mib`: memory for pages of the database; absent = the default.
    pub cache_mib: Option<u64>,
    /// `min_free_mib`: free space of the disk below which nothing new enters; 0 = never looked at, absent = the default.
    pub min_free_mib: Option<u64>,
    /// `query_max_ms`: how long one query may read, in milliseconds, at least 1.
    pub query_max_ms: u64,
    /// `http`.
    pub http: Http,
    /// `egress`.
    pub egress: Egress,
    /// `duplicate_keys`: what counts where a key stands twice in JSON that comes in.
    pub duplicate_keys: DuplicateKeys,
    /// `signatures`.
    pub signatures: Signatures,
    /// `signers`: public keys (`ed25519:` and 64 hexadecimal digits) by name of a module, or `*` for modules without
    /// keys of their own.
    pub signers: BTreeMap<String, Vec<String>>,
    /// `modules`: what the operator decided about each.
    pub modules: BTreeMap<ModuleName, ModuleSection>,
}

impl Default for TenterConfig {
    fn default() -> Self {
        Self {
            listen: None,
            data: None,
            lanes: 0,
            synchronous: Synchronous::default(),
            cache_mib: None,
            min_free_mib: None,
            query_max_ms: 30_000,
            duplicate_keys: DuplicateKeys::default(),
            http: Http::default(),
            egress: Egress::default(),
            signatures: Signatures::default(),
            signers: BTreeMap::new(),
            modules: BTreeMap::new(),
        }
    }
}

/// One entry of `tenter.yml: modules`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ModuleSection {
    /// Limits that differ from the defaults; names of [`crate::module::ModuleSettings::LIMIT_NAMES`].
    pub limits: BTreeMap<String, u64>,
    /// How instances live.
    pub isolation: Isolation,
    /// What a fault of `allow-entity-creation` counts as.
    pub on_admission_fault: OnAdmissionFault,
    /// What a fault of `before` counts as.
    pub on_before_fault: OnBeforeFault,
    /// Whether its effects on case objects call hooks.
    pub effect_hooks: EffectHooks,
    /// Whether hooks that keep breaking rules are paused.
    pub quarantine: Quarantine,
    /// Which calls that went well are recorded.
    pub recording: Recording,
    /// What becomes of undeclared changes in snapshots.
    pub may_change: Undeclared,
    /// Folders that it may read where `files` is granted for their name: absolute path by name.
    pub files: BTreeMap<String, String>,
    /// Capabilities granted by the file.
    pub grants: Vec<Grant>,
}
