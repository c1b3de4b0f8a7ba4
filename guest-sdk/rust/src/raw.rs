//! The contract as plain traits, without registrar or state: one trait per family, with do-nothing defaults.
//!
//! [`crate::Module`] is built on these. Use them where a module wants its dispatch to be its own; implement
//! [`Module`] and a trait for each exported family on one type, and write `tenter_sdk::export_raw!(Type: ingest)`.
//!
//! ```
//! use tenter_sdk::raw;
//! use tenter_sdk::raw::ingest::{Creation, Moment, Subscription};
//! use tenter_sdk::{HookError, Task};
//!
//! struct Greeter;
//! impl raw::Module for Greeter {
//!     fn describe() -> raw::Descriptor {
//!         raw::Descriptor {
//!             title: "Greets".into(),
//!             description: String::new(),
//!             version: "0.1.0".into(),
//!             parameters: vec![],
//!         }
//!     }
//! }
//! impl raw::Ingest for Greeter {
//!     fn subscriptions() -> Vec<Subscription> {
//!         let creation = Creation { etype: "ip".into(), refresh: false, may_change: vec![] };
//!         vec![Subscription { id: "new-ip".into(), moment: Moment::OnEntityCreation(creation) }]
//!     }
//!     fn on_entity_creation(_subscription: String, task: Task) -> Result<Vec<Task>, HookError> {
//!         Ok(vec![Task::on(task.entity).plain("greeting", "hello")])
//!     }
//! }
//! tenter_sdk::export_raw!(Greeter: ingest);
//! # fn main() {}
//! ```

use crate::bindings;
pub use crate::bindings::module::exports::tenter::hooks::module::{Descriptor, Parameter, Request};
use crate::case::{CaseObject, Context, Event, Judgement, ManualOutcome, Outcome, Proposal, Written};
use crate::error::HookError;
use crate::record::{Chunk, MasterRecord};
use crate::task::{Datapoint, EntityRef, Task, Verdict};
use crate::view::{Correlated, Run, View};

/// Types of the family ingest.
pub mod ingest {
    pub use crate::bindings::ingest::exports::tenter::hooks::ingest::{AttributeWatch, Creation, Moment, Subscription};
}
/// Types of the family snapshot.
pub mod snapshot {
    pub use crate::bindings::snapshot::exports::tenter::hooks::snapshot::{Correlation, Moment, Subscription};
}
/// Types of the family update.
pub mod update {
    pub use crate::bindings::update::exports::tenter::hooks::update::{Moment, Subscription, Sweep};
}
/// Types of the family schedule.
pub mod schedule {
    pub use crate::bindings::schedule::exports::tenter::hooks::schedule::{
        CronFields, Moment, Subscription, Timer, Timing,
    };
}
/// Types of the family case.
pub mod cases {
    pub use crate::bindings::cases::exports::tenter::hooks::cases::{
        AfterFilter, CaseFilter, MenuEntry, Moment, Subscription,
    };
}

/// Declares a trait for an interface and bridges it to the generated one, which has no defaults.
macro_rules! interface {
    (
        $(#[$doc:meta])* $name:ident => $module:ident;
        $($(#[$fdoc:meta])* fn $f:ident($($arg:ident: $ty:ty),*) -> $ret:ty { $default:expr };)*
    ) => {
        $(#[$doc])*
        pub trait $name {
            $(
                $(#[$fdoc])*
                #[allow(unused_variables, reason = "the default does nothing")]
                fn $f($($arg: $ty),*) -> $ret { $default }
            )*
        }

        impl<T: $name> bindings::$module::exports::tenter::hooks::$module::Guest for T {
            $(fn $f($($arg: $ty),*) -> $ret { <T as $name>::$f($($arg),*) })*
        }
    };
}

/// What every module exports.
pub trait Module {
    /// Static facts; the same at every call.
    fn describe() -> Descriptor;

    /// First call of every instance, with the configuration as JSON. Returns the capabilities asked for.
    ///
    /// # Errors
    /// A configuration that makes no sense.
    #[allow(unused_variables, reason = "the default does nothing")]
    fn configure(config: String) -> Result<Vec<Request>, HookError> {
        Ok(Vec::new())
    }
}

impl<T: Module> bindings::module::exports::tenter::hooks::module::Guest for T {
    fn describe() -> Descriptor {
        <T as Module>::describe()
    }

    fn configure(config: String) -> Result<Vec<Request>, HookError> {
        <T as Module>::configure(config)
    }
}

interface! {
    /// Ingestion of one task.
    Ingest => ingest;
    /// The wishes for moments of this family.
    fn subscriptions() -> Vec<ingest::Subscription> { Vec::new() };
    /// First for every task.
    fn on_task_start(subscription: String, task: Task) -> Result<(), HookError> { Ok(()) };
    /// An unknown entity: may it come into being?
    fn allow_entity_creation(subscription: String, task: Task) -> Result<Verdict, HookError> { Ok(Verdict::Allow) };
    /// A new entity was accepted.
    fn on_entity_creation(subscription: String, task: Task) -> Result<Vec<Task>, HookError> { Ok(Vec::new()) };
    /// A datapoint of the watched attribute was staged.
    fn on_new_attribute(subscription: String, entity: EntityRef, datapoint: Datapoint) -> Result<Vec<Task>, HookError> {
        Ok(Vec::new())
    };
}

interface! {
    /// A snapshot run.
    Snapshot => snapshot;
    /// The wishes for moments of this family.
    fn subscriptions() -> Vec<snapshot::Subscription> { Vec::new() };
    /// Start of a run, once per lane.
    fn snapshot_init(subscription: String, run: Run) -> Result<Vec<Task>, HookError> { Ok(Vec::new()) };
    /// End of a run, once per lane.
    fn snapshot_finalize(subscription: String, run: Run) -> Result<Vec<Task>, HookError> { Ok(Vec::new()) };
    /// A stored timeseries.
    fn timeseries(
        subscription: String, entity: EntityRef, attr: String, history: Vec<Chunk>
    ) -> Result<Vec<Task>, HookError> { Ok(Vec::new()) };
    /// Current values are computed.
    fn correlate(subscription: String, view: View) -> Result<Correlated, HookError> { Ok(Correlated::nothing()) };
    /// Current values are computed; with the master record.
    fn correlate_with_record(subscription: String, view: View, master: MasterRecord) -> Result<Correlated, HookError> {
        Ok(Correlated::nothing())
    };
}

interface! {
    /// The sweep over stored entities.
    Update => update;
    /// The wishes for moments of this family.
    fn subscriptions() -> Vec<update::Subscription> { Vec::new() };
    /// The sweep reaches an entity; with its master record.
    fn update_record(subscription: String, master: MasterRecord) -> Result<Vec<Task>, HookError> { Ok(Vec::new()) };
    /// The sweep reaches an entity.
    fn update_entity(subscription: String, entity: EntityRef) -> Result<Vec<Task>, HookError> { Ok(Vec::new()) };
}

interface! {
    /// Times of the clock.
    Schedule => schedule;
    /// The wishes for moments of this family.
    fn subscriptions() -> Vec<schedule::Subscription> { Vec::new() };
    /// A slot, with the arguments of the subscription as JSON.
    fn cron(subscription: String, arguments: String) -> Result<(), HookError> { Ok(()) };
}

interface! {
    /// Changes of case objects.
    Cases => cases;
    /// The wishes for moments of this family.
    fn subscriptions() -> Vec<cases::Subscription> { Vec::new() };
    /// Before an object is written.
    fn before(
        subscription: String, context: Context, event: Event, proposal: Proposal
    ) -> Result<Judgement, HookError> { Ok(Judgement::Unchanged) };
    /// After an object was written.
    fn after(
        subscription: String, context: Context, event: Event, objects: Vec<Written>
    ) -> Result<Outcome, HookError> { Ok(Outcome::nothing()) };
    /// A person clicks a menu entry.
    fn manual(
        subscription: String, context: Context, event: Event, objects: Vec<CaseObject>
    ) -> Result<ManualOutcome, HookError> { Ok(ManualOutcome::nothing()) };
}
