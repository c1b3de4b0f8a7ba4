//! `tenter demo`: the whole way of data on bundled logs.

use std::process::ExitCode;

use crate::cli::Context;
use crate::error::{CliError, Kind};

/// What it is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// Runs the demonstration.
///
/// # Errors
/// When a step of it fails.
pub(crate) fn run(_args: &Args, _context: &Context) -> anyhow::Result<ExitCode> {
    Err(CliError::new(Kind::Failed, "there is no demonstration yet").into())
}
