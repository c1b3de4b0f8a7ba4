//! Case objects and their hooks through the engine's service and a real store, with scripted modules.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail loudly")]

#[path = "../support/mod.rs"]
mod common;
mod support;

mod access;
mod before;
mod effects;
mod jobs;
mod resume;
mod table;
