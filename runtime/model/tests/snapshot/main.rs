//! The pure half of a snapshot run against slow, obvious oracles, and the cases that DP³ gets wrong.
//!
//! Each property runs 1 000 cases, 10 000 with `TENTER_EXTENT=full`; `TENTER_SEED=N` chooses others. The seed and the
//! share of cases that are not trivial are printed.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly, in its helpers too"
)]

mod changes;
mod components;
mod corners;
mod current;
mod plan;
#[path = "../support/random.rs"]
mod random;
mod support;
mod views;
