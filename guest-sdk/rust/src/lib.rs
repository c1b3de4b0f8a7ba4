//! Write modules for Tenter in Rust.
//!
//! A module is a type that implements [`Module`]; [`export!`] makes a WebAssembly component of it, which the runtime
//! calls at the moments that the module registered for.
//!
//! ```
//! use tenter_sdk::prelude::*;
//!
//! struct Hello;
//!
//! impl Module for Hello {
//!     const TITLE: &'static str = "Greet new addresses";
//!
//!     fn new(_: &Config) -> Result<Self> {
//!         Ok(Self)
//!     }
//!
//!     fn register(&self, on: &mut Registrar<Self>) {
//!         on.on_entity_creation("ip", Self::greet);
//!         on.request("write-entities", "ip.greeting");
//!     }
//! }
//!
//! impl Hello {
//!     fn greet(&mut self, task: &Task) -> Task {
//!         Task::on(task.entity.clone()).plain("greeting", "hello")
//!     }
//! }
//!
//! tenter_sdk::export!(Hello: ingest);
//! # fn main() {}
//! ```
//!
//! Build it with `cargo build --release --target wasm32-wasip2`; what that gives is the component. Outside wasm the
//! crate compiles too, and [`testing`] calls its hooks without a runtime.
//!
//! # Where things are
//! * [`Module`], [`Registrar`], [`export!`]: what a module is.
//! * [`Task`], [`Datapoint`], [`Value`], [`EntityRef`]: what it gets and returns. These are the contract's own types
//!   with methods added, so that nothing is copied at the border. Times in their fields are microseconds;
//!   [`Timestamp`] is what the methods take and give.
//! * [`view`], [`record`], [`case`]: what hooks of snapshots, sweeps and cases get and return.
//! * [`log`], [`call`], [`state`], [`entities`], [`views`], [`tasks`], [`http`], [`resolver`], [`secrets`], [`files`]: what the
//!   host gives.
//!   What needs a capability answers `denied` until the operator grants it.
//! * [`text`]: search in texts, as quick in a component as natively.
//! * [`raw`]: the contract as plain traits, for who wants neither registrar nor instance.
//!
//! # Where the contract is
//! The bindings are made from `../../wit`, relative to this crate, when it is compiled. The SDK therefore lies at
//! `vendor/tenter/guest-sdk/rust` of a module's folder and the contract at `vendor/tenter/wit`, as `tenter new`
//! unpacks them; in the project's repository they lie at the same relative places.
//!
//! # Errors and panics
//! Hooks return [`Result`]. [`HookError`] says who is to blame, and thereby whether the host tries again. A panic
//! stops the instance; the host records it and makes a new one.
#![warn(missing_docs)]

/// The README's first module compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;

#[cfg(any(test, all(target_arch = "wasm32", feature = "allocator")))]
mod alloc;
#[doc(hidden)]
#[allow(missing_docs, clippy::all, clippy::pedantic, unsafe_code, unreachable_pub, reason = "generated")]
pub mod bindings;
pub mod case;
mod error;
mod export;
pub mod files;
mod host;
mod module;
pub mod raw;
mod read;
pub mod record;
mod register;
mod task;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
pub mod text;
mod time;
mod value;
pub mod view;

pub use error::{HookError, Result};
pub use export::{Exported, Package};
pub use host::{call, entities, http, log, resolver, secrets, state, tasks, views};
pub use module::{Config, Descriptor, Module, Parameter, Request};
pub use read::{FromScalar, FromValue};
pub use register::{Chosen, Cron, IntoPath, NO_PATHS, Registrar};
pub use task::{Datapoint, IntoTasks, Task, TtlToken, Verdict};
pub use time::Timestamp;
pub use value::{Column, EntityRef, Link, LinkData, Member, Scalar, Series, Value};

#[cfg(all(target_arch = "wasm32", feature = "allocator"))]
#[global_allocator]
static ALLOCATOR: alloc::Lists = alloc::Lists::new();

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
    pub use crate::view::{Changes, EntityView, Run, View};
    pub use crate::{
        Config, Cron, Datapoint, EntityRef, HookError, Link, Module, NO_PATHS, Parameter, Registrar, Result, Series,
        Task, Timestamp, Value, Verdict, call, entities, files, http, log, resolver, secrets, state, tasks, views,
    };
}
