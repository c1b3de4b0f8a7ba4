//! Tests of modules without wasm: `cargo test` in the author's crate.
//!
//! [`Harness`] configures the module as a host does and calls its hooks; the functions of [`crate::state`],
//! [`crate::log`] and the other imports are answered by a host made of maps, one per thread, which [`host`] lends out:
//!
//! ```
//! use tenter_sdk::prelude::*;
//! use tenter_sdk::testing::{Harness, expect_tasks, json};
//!
//! struct Greet;
//! impl Module for Greet {
//!     const TITLE: &'static str = "Greets";
//!     fn new(_: &Config) -> Result<Self> { Ok(Self) }
//!     fn register(&self, on: &mut Registrar<Self>) {
//!         on.on_entity_creation("ip", |_, task| Task::on(task.entity.clone()).plain("greeting", "hello"));
//!     }
//! }
//! tenter_sdk::export!(Greet: ingest);
//!
//! # fn main() -> Result<()> {
//! let mut greet = Harness::<Greet>::new(json!({}))?;
//! let tasks = greet.on_entity_creation(Task::of("ip", "192.0.2.1"))?;
//! expect_tasks(&tasks, json!([{"eid": "192.0.2.1", "data_points": [{"attr": "greeting", "v": "hello"}]}]));
//! # Ok(())
//! # }
//! ```
//!
//! [`Component`] calls the built component through the real sandbox instead, by way of the `tenter` program.

mod component;
mod expect;
pub(crate) mod fake;
mod harness;
#[cfg(test)]
mod tests;
mod wire;

pub use component::{Call, Component, Output};
pub use expect::{expect_json, expect_tasks};
pub use fake::{Host, host};
pub use harness::Harness;
pub use serde_json::{Value as Json, json};
pub use wire::{task_to_json, value_to_json};
