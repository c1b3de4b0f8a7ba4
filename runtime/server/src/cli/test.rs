//! `tenter test`: the tests of a module.
//!
//! They are ordinary tests of cargo. Before they run the component is built, and they are told where it is and which
//! program runs it, so that those that use the SDK's `testing::Component` call it in the sandbox.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context as _;
use serde_json::json;

use crate::cli::{Context, build};
use crate::error::{CliError, Kind};

/// What it is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of the module.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// What `cargo test` is told, behind `--`.
    #[arg(last = true)]
    rest: Vec<String>,
}

/// Builds and tests. What cargo prints goes to stderr.
///
/// # Errors
/// When the module does not build or a test fails.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<()> {
    let component = build::build_in(&args.dir, context)?;
    let component = component.canonicalize().with_context(|| format!("cannot find {}", component.display()))?;
    let mut cargo = Command::new("cargo");
    cargo.arg("test").current_dir(&args.dir).args(&args.rest).stdin(Stdio::null());
    cargo.env("TENTER_BIN", std::env::current_exe()?).env("TENTER_COMPONENT", &component);
    if context.out.quiet {
        cargo.arg("--quiet");
    }
    let output = cargo.stdout(std::io::stderr()).status().context("cannot run cargo")?;
    if !output.success() {
        return Err(CliError::new(Kind::TestsFailed, format!("tests of the module in {} failed", args.dir.display()))
            .help("what cargo printed above says which")
            .into());
    }
    let answer = json!({"passed": true, "component": component.display().to_string()});
    context.out.one(&answer, |_| "all tests passed\n".to_owned())?;
    context.out.next(&format!("tenter module upload {}", component.display()));
    Ok(())
}
