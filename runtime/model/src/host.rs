//! The border between the engine, which decides what happens when, and the sandbox, which enters guests.
//!
//! The engine calls a [`HookHost`]; it never learns that there is wasm behind it. Two implementations exist: the
//! sandbox's lane and the scripted host of the engine's tests.

mod no_data;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::case::CaseEvent;
use crate::case::call::{CallContext, CaseOutcome, Judgement, ManualOutcome, Proposal, SeenChange, SeenObject};
use crate::datapoint::DataPoint;
use crate::hook::HookKind;
use crate::id::{AttrName, EntityRef, ModuleName, SubscriptionId};
use crate::module::LoadedModule;
use crate::record::{Chunk, MasterRecord};
use crate::task::TaskBody;
use crate::time::Timestamp;
use crate::view::{Correlated, RunContext, View, ViewSource};

pub use no_data::NoData;

/// Why a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CallCause {
    /// The hook's moment has come.
    Normal,
    /// Run again after a change of configuration.
    Refresh,
    /// Run again after a failure.
    Retry,
    /// Run again by a person who wants to look.
    Replay,
}

/// One call to be made.
#[derive(Debug, Clone)]
pub struct HookCall<'a> {
    /// The module.
    pub module: &'a Arc<LoadedModule>,
    /// The kind of hook.
    pub kind: HookKind,
    /// The subscription, as first argument.
    pub subscription: &'a SubscriptionId,
    /// Names the call; the same when it is repeated after a crash. Seeds the guest's randomness.
    pub id: String,
    /// The time that the guest sees.
    pub time: Timestamp,
    /// Why.
    pub cause: CallCause,
}

macro_rules! reasons {
    ($($(#[doc = $doc:literal])* $name:ident = $code:literal, $hint:literal;)*) => {
        /// Why a call failed. The code is stable: rows of the store, metrics and tests name it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason { $( $(#[doc = $doc])* $name, )* }

        impl Reason {
            /// All reasons.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The stable code.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What to do about it.
            #[must_use]
            pub fn hint(self) -> &'static str {
                match self { $(Self::$name => $hint,)* }
            }
        }
    };
}

reasons! {
    /// The fuel of the call was used up.
    Fuel = "fuel", "the hook computes too long or loops; raise `limits.fuel` of the module if that is its nature";
    /// The wall time of the call was used up.
    Deadline = "deadline", "the hook or a host call took too long; raise `limits.deadline_ms` of the module if that is its nature";
    /// The stack overflowed.
    Stack = "stack", "the hook recurses too deep; make the recursion a loop";
    /// Linear memories grew over the limit.
    Memory = "memory", "the hook needs more memory than allowed; raise `limits.memory_bytes` of the module or keep less in memory";
    /// Tables grew over the limit.
    Table = "table", "the component's tables grow over the limit; raise `limits.table_elements` of the module if that is its nature";
    /// Too many core instances, memories or tables.
    Instances = "instances", "the component is put together from too many parts; link it into fewer core modules";
    /// Too many resource handles.
    Handles = "handles", "the hook keeps too many resources open; drop them after use";
    /// Too many bytes crossed from guest to host.
    HostcallFuel = "hostcall-fuel", "the hook passes more bytes to the host than allowed; return less, or raise `limits.hostcall_bytes` of the module";
    /// Too many host calls.
    HostCalls = "host-calls", "the hook calls the host too often; raise `limits.host_calls` of the module if that is its nature";
    /// Values at the boundary are malformed.
    Abi = "abi", "what the component passes is not well formed; its bindings were generated wrongly or its memory is corrupt";
    /// The guest trapped, such as by a panic.
    Trap = "trap", "the hook crashed; its log and backtrace tell where";
    /// The output does not fit the entity specification.
    InvalidOutput = "invalid-output", "the hook returned something that the entity specification refuses; the message names the field";
    /// Too many tasks or changes in the output.
    OutputCount = "output-count", "the hook returned more than allowed in one call; return less";
    /// Something was done that needs a grant.
    NotGranted = "not-granted", "the module lacks a grant; `tenter grant` gives it";
    /// The host would not connect to an address that is not of the Internet at large.
    EgressDenied = "egress-denied", "the module wanted to reach an address of an internal network; if it may, end the scope of its grant of `http` with `at NETWORK`";
    /// The module's room for state is used up.
    StateQuota = "kv-quota", "the module keeps more state than allowed; discard what is old";
    /// The hook is paused after too many faults.
    Quarantined = "quarantined", "the hook broke rules too often and is paused; see its errors, then `tenter module release NAME`";
    /// The guest blames the data.
    InvalidInput = "invalid-input", "the module says that the data is wrong; its message tells why";
    /// The guest blames something outside.
    Unavailable = "unavailable", "something the module needs did not answer; the call is retried";
    /// The guest blames itself.
    Failed = "failed", "the module says that it failed; its message and log tell why";
    /// `configure` failed in a new instance.
    Configure = "configure", "the module refuses its configuration; correct `modules/NAME.yml`";
    /// The host is to blame.
    Host = "host", "a fault of the runtime itself; please report it with the message";
}

impl Reason {
    /// Whether the fault may pass by itself, so that a retry makes sense.
    #[must_use]
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Unavailable | Self::Deadline)
    }

    /// Whether the guest broke a rule, as opposed to saying on purpose that it cannot.
    #[must_use]
    pub fn is_fault(self) -> bool {
        !matches!(self, Self::InvalidInput | Self::Unavailable | Self::Failed | Self::Quarantined)
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

/// A call without result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {message}")]
pub struct HookFailure {
    /// The stable code.
    pub reason: Reason,
    /// For the operator: what happened, limit and use where there are any. Control characters are escaped.
    pub message: String,
    /// For the author: a backtrace or the like. Never shown to HTTP clients.
    pub detail: Option<String>,
}

impl HookFailure {
    /// A failure without detail.
    #[must_use]
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), detail: None }
    }
}

/// What a call cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Fuel, the instance's start included where the call made one.
    pub fuel: u64,
    /// Wall time in microseconds.
    pub micros: u64,
    /// Largest sum of linear memories, in bytes.
    pub memory_bytes: u64,
    /// Whether the instance had served before.
    pub warm: bool,
}

/// Level of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// For the author.
    Debug,
    /// News.
    Info,
    /// Something odd.
    Warning,
    /// Something wrong.
    Error,
}

/// A line of a module's log: bounded, control characters escaped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// Its level.
    pub level: LogLevel,
    /// Its text.
    pub message: String,
}

/// A change of module state, to be committed with the call's effects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateWrite {
    /// Set.
    Put {
        /// The key.
        key: String,
        /// The value.
        value: Vec<u8>,
        /// When it ends, if ever.
        until: Option<Timestamp>,
    },
    /// Remove.
    Delete {
        /// The key.
        key: String,
    },
    /// Add to a counter.
    Add {
        /// The key.
        key: String,
        /// How much.
        by: i64,
    },
}

/// A key that the call read from the store, with the version it saw (`None`: there was none). The commit is refused
/// when another call has changed it since and this one writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateRead {
    /// The key.
    pub key: String,
    /// Version seen.
    pub version: Option<u64>,
}

/// A call and all that came of it. After a failure nothing of the state counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Invocation<T> {
    /// The result, in the guest's words: a proposal that the engine checks.
    pub outcome: Result<T, HookFailure>,
    /// What it cost.
    pub usage: Usage,
    /// Its log.
    pub logs: Vec<LogLine>,
    /// Lines dropped beyond the limit.
    pub logs_dropped: u32,
    /// Changes of state, in order.
    pub state: Vec<StateWrite>,
    /// Keys read from the store.
    pub reads: Vec<StateRead>,
}

impl<T> Invocation<T> {
    /// A call that gave this and did nothing else; for scripted hosts.
    #[must_use]
    pub fn of(outcome: Result<T, HookFailure>) -> Self {
        Self {
            outcome,
            usage: Usage::default(),
            logs: Vec::new(),
            logs_dropped: 0,
            state: Vec::new(),
            reads: Vec::new(),
        }
    }
}

/// An answer of an admission hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may be.
    Allow,
    /// It may not, for this reason.
    Deny(String),
}

/// The answer of a host that does not serve a kind of hook.
fn not_called<T>(call: &HookCall<'_>) -> Invocation<T> {
    let what = format!("this host does not call {} (module {})", call.kind, call.module.name);
    Invocation::of(Err(HookFailure::new(Reason::Host, what)))
}

/// Enters guests, for one lane: it owns one warm instance of each module. One method per kind of hook that the
/// engine drives; a host need not serve all families.
pub trait HookHost: Send {
    /// See `ingest.on-task-start`.
    fn on_task_start(&mut self, call: &HookCall<'_>, task: &TaskBody) -> Invocation<()>;
    /// See `ingest.allow-entity-creation`.
    fn allow_entity_creation(&mut self, call: &HookCall<'_>, task: &TaskBody) -> Invocation<Verdict>;
    /// See `ingest.on-entity-creation`.
    fn on_entity_creation(&mut self, call: &HookCall<'_>, task: &TaskBody) -> Invocation<Vec<TaskBody>>;
    /// See `ingest.on-new-attribute`.
    fn on_new_attribute(
        &mut self,
        call: &HookCall<'_>,
        entity: &EntityRef,
        datapoint: &DataPoint,
    ) -> Invocation<Vec<TaskBody>>;
    /// See `snapshot.snapshot-init`.
    fn snapshot_init(&mut self, call: &HookCall<'_>, _run: &RunContext) -> Invocation<Vec<TaskBody>> {
        not_called(call)
    }
    /// See `snapshot.snapshot-finalize`.
    fn snapshot_finalize(&mut self, call: &HookCall<'_>, _run: &RunContext) -> Invocation<Vec<TaskBody>> {
        not_called(call)
    }
    /// See `snapshot.timeseries`.
    fn timeseries(
        &mut self,
        call: &HookCall<'_>,
        _entity: &EntityRef,
        _attr: &AttrName,
        _history: &[Chunk],
    ) -> Invocation<Vec<TaskBody>> {
        not_called(call)
    }
    /// See `snapshot.correlate`. `deeper` answers the import `views` while the call runs.
    fn correlate(
        &mut self,
        call: &HookCall<'_>,
        _view: &View,
        _deeper: Option<Arc<dyn ViewSource>>,
    ) -> Invocation<Correlated> {
        not_called(call)
    }
    /// See `snapshot.correlate-with-record`. `record` is `None` for an entity without master record.
    fn correlate_with_record(
        &mut self,
        call: &HookCall<'_>,
        _view: &View,
        _record: Option<&MasterRecord>,
        _deeper: Option<Arc<dyn ViewSource>>,
    ) -> Invocation<Correlated> {
        not_called(call)
    }
    /// See `update.update-record`.
    fn update_record(
        &mut self,
        call: &HookCall<'_>,
        _entity: &EntityRef,
        _record: &MasterRecord,
    ) -> Invocation<Vec<TaskBody>> {
        not_called(call)
    }
    /// See `update.update-entity`.
    fn update_entity(&mut self, call: &HookCall<'_>, _entity: &EntityRef) -> Invocation<Vec<TaskBody>> {
        not_called(call)
    }
    /// See `schedule.cron`. Gives what the import `tasks` took, one list for each `submit`. The guest was told ids, so
    /// they are settled: those of [`crate::TaskId::of_slot`] for the call's time, which must be the slot's.
    fn cron(&mut self, call: &HookCall<'_>, _arguments: &str) -> Invocation<Vec<Vec<TaskBody>>> {
        not_called(call)
    }
    /// See `cases.before`. The call has `within_ms` at most, and less where its own limits say so.
    fn before(
        &mut self,
        call: &HookCall<'_>,
        _context: &CallContext,
        _event: CaseEvent,
        _proposal: &Proposal,
        _within_ms: u64,
    ) -> Invocation<Judgement> {
        not_called(call)
    }
    /// See `cases.after`. The call has `within_ms` at most, and less where its own limits say so.
    fn after(
        &mut self,
        call: &HookCall<'_>,
        _context: &CallContext,
        _event: CaseEvent,
        _objects: &[SeenChange],
        _within_ms: u64,
    ) -> Invocation<CaseOutcome> {
        not_called(call)
    }
    /// See `cases.manual`.
    fn manual(
        &mut self,
        call: &HookCall<'_>,
        _context: &CallContext,
        _event: CaseEvent,
        _objects: &[SeenObject],
    ) -> Invocation<ManualOutcome> {
        not_called(call)
    }
    /// A snapshot run has ended, or was given up. While it is on, an instance that replaces another one gets the
    /// `snapshot-init` that this lane has called, before its next hook.
    fn run_ended(&mut self) {}
    /// Drops instances of modules that are not in `keep` any more; called when the registry was swapped.
    fn retain(&mut self, keep: &dyn Fn(&ModuleName, u64) -> bool);
}

/// What host imports read: the last commit, never staged data. Implemented over the store.
pub trait HostData: Send + Sync {
    /// The master record, if the entity is known.
    ///
    /// # Errors
    /// Text for the operator when the store fails.
    fn read_record(&self, entity: &EntityRef) -> Result<Option<MasterRecord>, String>;
    /// Whether the entity is known.
    ///
    /// # Errors
    /// Text for the operator when the store fails.
    fn is_known(&self, entity: &EntityRef) -> Result<bool, String>;
    /// A live value of a module's state with its version.
    ///
    /// # Errors
    /// Text for the operator when the store fails.
    fn state_get(&self, module: &ModuleName, key: &str, now: Timestamp) -> Result<Option<(Vec<u8>, u64)>, String>;
    /// Live keys with a prefix, in byte order, after a key.
    ///
    /// # Errors
    /// Text for the operator when the store fails.
    fn state_keys(
        &self,
        module: &ModuleName,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<String>, String>;
    /// Bytes of all state of a module.
    ///
    /// # Errors
    /// Text for the operator when the store fails.
    fn state_bytes(&self, module: &ModuleName) -> Result<u64, String>;
}
