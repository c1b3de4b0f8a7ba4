//! `tenter wit`: writes the contract, for languages that no template is for.

use std::path::PathBuf;

use crate::cli::Context;
use crate::cli::init::{must_be_empty, unpack};
use crate::embedded;

/// What it is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder to write; it is made when it is missing.
    dir: PathBuf,
}

/// Writes the WIT package.
///
/// # Errors
/// When the folder holds something, or cannot be written.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<()> {
    must_be_empty(&args.dir, "name a folder that is empty or not there yet")?;
    let written = unpack(embedded::WIT, &args.dir, <[u8]>::to_vec)?;
    let files: Vec<_> = written.into_iter().map(serde_json::Value::from).collect();
    context.out.list(&files, &[("file", &|f| crate::output::field(f, ""))])?;
    context.out.note("a module exports `module` and at least one family of hooks; the file README.md says more");
    Ok(())
}
