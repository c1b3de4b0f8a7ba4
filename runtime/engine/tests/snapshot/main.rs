//! Snapshot runs through a real engine and a real store, with scripted modules.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail loudly")]

#[path = "../support/mod.rs"]
mod common;
mod support;

mod changes;
mod corner;
mod crash;
mod kinds;
mod refresh;
mod resume;
mod sizes;
mod state;
mod unchanged;
