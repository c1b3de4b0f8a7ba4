//! The `tenter` binary: HTTP, command line, configuration and composition.
//!
//! This package alone reads flags, the environment and the real clock. Errors of commands become exit codes in
//! [`error`]; what a command prints goes through [`output`].

use std::process::ExitCode;

mod api;
mod app;
mod attributes;
mod auth;
mod backup;
mod cli;
mod client;
mod clock;
mod datapoint_log;
mod egress;
mod embedded;
mod enabled;
mod error;
mod events;
mod jobs;
mod modules;
mod output;
mod query;
mod schema;
mod serving;
mod site;
mod token_file;
mod traces;
mod why;

/// See the note in the root manifest.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tenter_sandbox::compile_child::run_if_child();
    cli::main()
}
