//! Builds modules in languages other than Rust.
//!
//! A module's folder holds a manifest, `tenter.toml` ([`Manifest`]); its language's own tools compile it, and what they
//! make becomes a component here. Three things are linked in instead of being asked of the author: the generators of
//! bindings for C and Go, and the encoder of components. What remains (an interpreter, a compiler) is looked for in few
//! and obvious places ([`Tools`]), and what is missing is named with the command that installs it.
//!
//! Nothing here reads the environment or the clock: the server passes in what variables say.

mod about;
mod bindings;
mod drive;
mod encode;
mod error;
mod language;
mod manifest;
mod shell;
mod tools;
mod world;

pub use about::{About, SECTION};
pub use drive::{Contract, Foreign, Job, System, build, build_foreign};
pub use error::{BuildError, Kind};
pub use language::Language;
pub use manifest::{FILE, Facts, Manifest};
pub use shell::Shell;
pub use tools::{Finding, Search, Tool, Tools};
