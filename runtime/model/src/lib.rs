//! Words and rules of the domain.
//!
//! An *entity* has a type and an id. *Datapoints* state something about one attribute of one entity; they travel
//! in *tasks*, each about one entity. What is stored of an entity is its *master record*. *Modules* are installed
//! guests; a *hook* is a moment at which they can be called, a *subscription* a module's wish for one.
//!
//! Nothing here does IO, knows wasm, SQL or HTTP, or reads a clock. Other packages convert to and from these
//! types at their border.

pub mod accept;
pub mod breaker;
pub mod capability;
pub mod case;
pub mod config;
pub mod cron;
pub mod datapoint;
pub mod datatype;
pub mod duration;
pub mod egress;
pub mod filter;
pub mod history;
pub mod hook;
pub mod host;
pub mod id;
pub mod limits;
pub mod module;
pub mod parameter;
pub mod record;
pub mod render;
pub mod schema;
pub mod snapshot;
pub mod task;
pub mod time;
pub mod upkeep;
pub mod value;
pub mod view;

pub use datapoint::DataPoint;
pub use hook::{Family, HookKind};
pub use host::HookHost;
pub use id::{AttrName, EntityId, EntityRef, EntityType, ModuleName, SubscriptionId};
pub use record::MasterRecord;
pub use schema::Schema;
pub use task::{Task, TaskBody, TaskId};
pub use time::Timestamp;
pub use value::{Scalar, Value};
