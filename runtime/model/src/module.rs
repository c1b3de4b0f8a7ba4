//! Installed modules: what they say of themselves and what the operator decided about them.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::capability::Grant;
use crate::hook::{Family, Subscription};
use crate::id::ModuleName;
use crate::limits::CallLimits;

/// One entry of a module's configuration, as `describe` gives it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// Key in the configuration.
    pub name: String,
    /// For people.
    pub title: String,
    /// For people.
    pub description: String,
    /// string, secret, boolean, integer, float, json, html or markdown.
    pub kind: String,
    /// Groups entries in forms.
    pub section: Option<String>,
    /// Whether there is no module without it.
    pub mandatory: bool,
    /// JSON text.
    pub default: Option<String>,
}

/// Static facts of a component.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Descriptor {
    /// For people.
    pub title: String,
    /// For people.
    pub description: String,
    /// Semantic version.
    pub version: String,
    /// Configuration it understands.
    pub parameters: Vec<Parameter>,
}

/// How instances of a module live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Isolation {
    /// One warm instance per lane; its memory serves as cache.
    #[default]
    Warm,
    /// A new instance for each call; about twelve times dearer.
    Fresh,
}

/// What an admission hook's fault counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnAdmissionFault {
    /// The task is retried, then becomes a dead letter.
    #[default]
    Closed,
    /// The entity is allowed, as in DP³.
    Open,
}

/// What a `before` hook's fault counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnBeforeFault {
    /// The data stays as it is, and the next module is asked.
    #[default]
    Skip,
    /// A denial.
    Deny,
}

/// Whether what a module does to case objects calls `after` hooks in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EffectHooks {
    /// It does not.
    #[default]
    Quiet,
    /// It does, down to a depth of [`crate::limits::MAX_DEPTH`].
    Call,
}

/// Whether a hook that keeps breaking rules is paused; see [`crate::breaker`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Quarantine {
    /// It is.
    #[default]
    On,
    /// It is called for ever, whatever it does: for tests and for modules under repair.
    Off,
}

/// Which calls that went well are recorded; failures always are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Recording {
    /// A sample.
    #[default]
    Sample,
    /// Every one, for a while of looking closely.
    All,
}

/// What becomes of changes in a snapshot that the subscription's `may_change` did not declare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Undeclared {
    /// They are applied after the declared ones and reported once.
    #[default]
    Report,
    /// They make the whole output invalid.
    Strict,
}

/// What the operator decided about a module.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ModuleSettings {
    /// `modules/NAME.yml` as JSON, `{}` when absent. Defaults of parameters are not filled in yet.
    pub config: serde_json::Value,
    /// Granted capabilities.
    pub grants: Vec<Grant>,
    /// Limits that differ from the defaults of the family.
    pub limits: BTreeMap<String, u64>,
    /// How instances live.
    pub isolation: Isolation,
    /// What a fault of `allow-entity-creation` counts as.
    pub on_admission_fault: OnAdmissionFault,
    /// What a fault of `before` counts as.
    #[serde(default)]
    pub on_before_fault: OnBeforeFault,
    /// Whether its effects on case objects call hooks.
    #[serde(default)]
    pub effect_hooks: EffectHooks,
    /// Whether hooks that keep breaking rules are paused.
    #[serde(default)]
    pub quarantine: Quarantine,
    /// Which calls that went well are recorded.
    #[serde(default)]
    pub recording: Recording,
    /// Folders that it may read where the capability `files` is granted for their name: path by name.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// What becomes of undeclared changes in snapshots.
    #[serde(default)]
    pub may_change: Undeclared,
}

impl ModuleSettings {
    /// The limits of a call: the family's, changed by the operator's. `output_tasks` and the log's stay.
    #[must_use]
    pub fn call_limits(&self, family: Option<Family>) -> CallLimits {
        let mut limits = family.map_or_else(CallLimits::start, CallLimits::of);
        // Narrow limits are meant for hooks; the start of a language's runtime keeps its default.
        let at_start = |default: u64| if family.is_none() { default } else { 0 };
        let narrow = |v: u64| u32::try_from(v).unwrap_or(u32::MAX);
        for (name, value) in &self.limits {
            match name.as_str() {
                "fuel" => limits.fuel = (*value).max(at_start(limits.fuel)),
                "deadline_ms" => limits.deadline_ms = (*value).max(at_start(limits.deadline_ms)),
                "memory_bytes" => limits.memory_bytes = *value,
                "table_elements" => limits.table_elements = *value,
                "hostcall_bytes" => limits.hostcall_bytes = *value,
                "handles" => limits.handles = narrow(*value),
                "host_calls" => limits.host_calls = narrow(*value),
                _ => {}
            }
        }
        limits
    }

    /// Names that `limits` understands.
    pub const LIMIT_NAMES: &[&str] =
        &["fuel", "deadline_ms", "memory_bytes", "table_elements", "hostcall_bytes", "handles", "host_calls"];

    /// Whether its calls may wait for somebody outside of this host.
    #[must_use]
    pub fn may_wait(&self) -> bool {
        self.grants.iter().any(|grant| matches!(grant.capability.as_str(), "http" | "resolver"))
    }

    /// Whether a grant covers this use.
    #[must_use]
    pub fn is_granted(&self, capability: &str, scope: &str) -> bool {
        self.grants.iter().any(|g| g.covers(capability, scope))
    }
}

/// An admitted module, ready to be called. Immutable: a new version, configuration or grant makes a new one, with a
/// new generation; what runs finishes with the one it began with.
#[derive(Clone)]
pub struct LoadedModule {
    /// What it was uploaded as.
    pub name: ModuleName,
    /// Static facts.
    pub descriptor: Descriptor,
    /// SHA-256 of the component, 64 hexadecimal digits.
    pub digest: String,
    /// Grows with every load in this process; tells instances of different loads apart.
    pub generation: u64,
    /// What the operator decided.
    pub settings: ModuleSettings,
    /// What it asked for in `configure`.
    pub requests: Vec<Grant>,
    /// Families it exports.
    pub families: Vec<Family>,
    /// What it subscribed to.
    pub subscriptions: Vec<Subscription>,
    /// Mandatory parameters without a value. When there are any the module is not configured: it asks for nothing, has no
    /// subscriptions, and is not to be called.
    pub lacks: Vec<String>,
    /// The sandbox's own handle of the code.
    pub code: Arc<dyn Any + Send + Sync>,
}

impl fmt::Debug for LoadedModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadedModule")
            .field("name", &self.name)
            .field("version", &self.descriptor.version)
            .field("digest", &self.digest)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}
