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
//! Correlation hooks see several entities: [`Group`] has them as data, [`Harness::snapshot`] runs all hooks over it as a
//! snapshot run does, and [`expect_changes`] compares what one hook changed:
//!
//! ```
//! use tenter_sdk::prelude::*;
//! use tenter_sdk::testing::{Group, Harness, json, link};
//!
//! struct Name;
//! impl Module for Name {
//!     const TITLE: &'static str = "Names the site of an address";
//!     fn new(_: &Config) -> Result<Self> { Ok(Self) }
//!     fn register(&self, on: &mut Registrar<Self>) {
//!         on.correlate("ip", ["site.name"], ["site_name"], |_, view| {
//!             let name = view.follow("site").find_map(|site| site.value::<&str>("name"))?;
//!             Some(view.changes().set("site_name", name))
//!         });
//!     }
//! }
//! tenter_sdk::export!(Name: snapshot);
//!
//! # fn main() -> Result<()> {
//! let mut group = Group::new(json!({
//!     "ip/192.0.2.1": {"site": link("site/a")},
//!     "site/a": {"name": "north"},
//! }));
//! let tasks = Harness::<Name>::new(json!({}))?.snapshot(&mut group)?;
//! group.expect(json!({"ip/192.0.2.1": {"site_name": "north"}}));
//! assert!(tasks.is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! [`Component`] calls the built component through the real sandbox instead, by way of the `tenter` program.

mod component;
mod expect;
pub(crate) mod fake;
mod group;
mod harness;
mod read;
#[cfg(test)]
mod tests;
mod wire;

pub use component::{Call, Component, Output};
pub use expect::{expect_changes, expect_json, expect_task_among, expect_tasks};
pub use fake::{Host, host};
pub use group::{Group, link};
pub use harness::Harness;
pub use read::{chunks, record, value};
pub use serde_json::{Value as Json, json};
pub use wire::{task_to_json, value_to_json};
