//! The program as its users meet it: the binary `tenter` as a process, asked over HTTP.
//!
//! One test binary with a module per topic. A test starts a server of its own, or shares one where starting is all
//! that sharing saves; data, home and state of each server lie in a temporary folder, and ports are chosen by the
//! system. Nothing waits for a fixed time: what takes time is asked for until it is there, with a deadline.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly, its helpers too"
)]

mod actions;
mod as_dp3;
mod bad_input;
mod by_clock;
mod case_modules;
mod conformance;
mod demo;
mod dp3_api;
mod egress;
mod garbage;
mod harness;
mod hostile;
mod iris_api;
mod iris_around;
mod iris_client;
mod iris_hooks;
mod languages;
mod modules;
mod operate;
mod parameters;
mod refused;
mod scenarios;
mod schema;
mod slow;
mod snapshots;
mod together;
mod traces;
mod transport;
mod versions;
mod watch;
mod why;
