//! Filters over snapshots: tables from DP³'s and MongoDB's rules, the errors that people see, what keys can answer, and
//! random filters against an implementation by others.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly, in its helpers too"
)]

mod differential;
mod errors;
mod generate;
mod hostile;
mod narrowing;
#[path = "../support/random.rs"]
mod random;
mod semantics;
mod sorting;
mod support;
mod typed;
