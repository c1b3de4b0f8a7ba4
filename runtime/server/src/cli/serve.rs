//! `tenter serve`: the server.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::Context;
use crate::error::{CliError, Kind};

/// What it is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of configuration.
    pub(crate) dir: PathBuf,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:5000", value_name = "ADDR")]
    pub(crate) listen: std::net::SocketAddr,
    /// Folder of the data [default: DIR/data].
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

/// Serves until it is told to stop.
///
/// # Errors
/// When the site is not valid or the address is taken.
pub(crate) fn run(args: &Args, _context: &Context) -> anyhow::Result<ExitCode> {
    let (dir, listen, data) = (&args.dir, args.listen, &args.data);
    Err(CliError::new(Kind::Failed, format!("nothing serves {} on {listen} yet, data {data:?}", dir.display())).into())
}
