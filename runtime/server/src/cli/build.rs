//! `tenter new`: begins a module.

/// x
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}
pub(crate) fn run(_a: &Args, _c: &crate::cli::Context) -> anyhow::Result<()> {
    Ok(())
}
