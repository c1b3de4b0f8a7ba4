//! Write [Tenter](https://github.com/) modules in Rust.
#![warn(missing_docs)]

#[doc(hidden)]
#[allow(missing_docs, clippy::all, clippy::pedantic, unsafe_code, unreachable_pub, reason = "generated")]
pub mod bindings;
pub mod case;
mod error;
mod export;
mod host;
mod module;
pub mod raw;
pub mod record;
mod register;
mod task;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
mod time;
mod value;
pub mod view;

pub use error::{HookError, Result};
pub use export::{Exported, Package};
pub use host::{call, entities, http, log, resolver, secrets, state, tasks};
pub use module::{Config, Descriptor, Module, Parameter};
pub use register::{Chosen, Cron, IntoPath, Registrar};
pub use task::{Datapoint, IntoTasks, Task, TtlToken, Verdict};
pub use time::Timestamp;
pub use value::{Column, EntityRef, Link, LinkData, Member, Scalar, Series, Value};

/// What `export!` needs in the author's crate.
#[doc(hidden)]
pub mod __rt {
    pub use crate::export::{Cell, Component};
}

/// Everything that a module usually needs.
pub mod prelude {
    pub use crate::case::{
        CaseObject, Context, Event, Judgement, ManualOutcome, Media, Outcome, Patch, Proposal, Written,
    };
    pub use crate::record::{Chunk, MasterRecord};
    pub use crate::view::{Correlated, EntityView, Run, View};
    pub use crate::{
        Config, Cron, Datapoint, EntityRef, HookError, Link, Module, Parameter, Registrar, Result, Series, Task,
        Timestamp, Value, Verdict, call, entities, http, log, resolver, secrets, state, tasks,
    };
}
