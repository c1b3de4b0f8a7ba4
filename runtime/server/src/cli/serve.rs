//! `tenter serve`: the server.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use tenter_model::config::{self, SiteConfig, Synchronous};
use tenter_store::{FreeBytes, StoreOptions};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::prelude::*;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::app::Options;
use crate::cli::Context;
use crate::error::{CliError, Kind};
use crate::output::plain;
use crate::serving::Serving;
use crate::site;
use crate::traces::{self, Sending, Traces};

/// Where it listens unless told otherwise: DP³'s port.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 5000);

/// What it is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of configuration.
    pub(crate) dir: PathBuf,
    /// Address to listen on [default: `listen` of tenter.yml, else 127.0.0.1:5000].
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    /// Folder of the data [default: `data` of tenter.yml, else DIR/data].
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// What is logged, such as `info` or `tenter_engine=debug`.
    #[arg(long, env = "TENTER_LOG", default_value = "info", value_name = "FILTER")]
    pub(crate) log: String,
    /// Where traces go.
    #[command(flatten)]
    pub(crate) traces: traces::Args,
    /// Answer before the commit. Loses data at a crash; a negative control for tests of durability.
    #[arg(long, hide = true)]
    pub(crate) acknowledge_before_commit: bool,
    /// Die at a named place of the store, `NAME` or `NAME#TIMES`; for tests of durability.
    #[arg(long, hide = true, value_name = "PLACE")]
    pub(crate) crash_at: Option<String>,
}

/// Serves until it is told to stop.
///
/// # Errors
/// When the site is not valid or the address is taken.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<ExitCode> {
    let _sending = start_log(&args.log, &args.traces)?;
    let site = load(&args.dir, context)?;
    let listen = match (args.listen, &site.tenter.listen) {
        (Some(address), _) => address,
        (None, Some(text)) => text.parse().map_err(|_| {
            CliError::new(Kind::Invalid, format!("tenter.yml: listen: {text:?} is not an address with a port"))
                .help("write it as `listen: 127.0.0.1:5000`")
        })?,
        (None, None) => DEFAULT_LISTEN,
    };
    let data_dir = args.data.clone().unwrap_or_else(|| site::data_dir(&args.dir, &site));
    let min_free_mib = site.tenter.min_free_mib.unwrap_or(StoreOptions::default().min_free_bytes >> 20);
    let cache_mib = site.tenter.cache_mib;
    let store = StoreOptions {
        synchronous: match site.tenter.synchronous {
            Synchronous::Full => tenter_store::Synchronous::Full,
            Synchronous::Normal => tenter_store::Synchronous::Normal,
        },
        min_free_bytes: min_free_mib.saturating_mul(1 << 20),
        cache_mib: cache_mib.map_or(StoreOptions::default().cache_mib, |mib| u32::try_from(mib).unwrap_or(u32::MAX)),
        free_bytes: (min_free_mib > 0).then(|| FreeBytes(Arc::new(free_bytes))),
        acknowledge_before_commit: args.acknowledge_before_commit,
        crash_at: args.crash_at.clone(),
        ..StoreOptions::default()
    };
    let lanes = u32::try_from(site.tenter.lanes).unwrap_or(u32::MAX).min(1024);
    let site_dir = Some(args.dir.clone());
    let serving = Serving::start(Options { site, data_dir: data_dir.clone(), listen, store, lanes, site_dir })?;
    tracing::info!(url = serving.app.url(), data = %data_dir.display(), lanes = serving.app.lanes(), "serving");
    let signals = serving.listen_for_signals()?;
    context.out.note(&format!("serving {} on {}", args.dir.display(), serving.app.url()));
    context.out.next(&format!("tenter --url {} status", serving.app.url()));
    serving.wait_for(signals);
    tracing::info!("stopping");
    serving.stop()?;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// What this person may still write to the disk that holds a path.
fn free_bytes(path: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(path).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Reads a folder of configuration and prints what is wrong with it.
///
/// # Errors
/// When it is not valid.
pub(crate) fn load(dir: &Path, context: &Context) -> anyhow::Result<SiteConfig> {
    let loaded = config::load(&site::read(dir)?);
    for warning in &loaded.warnings {
        context.out.note(&format!("warning: {}", plain(&warning.to_string())));
    }
    for error in &loaded.errors {
        eprintln!("{}", plain(&error.to_string()));
    }
    let invalid = CliError::new(Kind::Invalid, format!("{} is not valid", dir.display()))
        .help(format!("correct the places named above; `tenter check {}` needs no server", dir.display()));
    Ok(loaded.config.ok_or(invalid)?)
}

/// The log goes to stderr: for people on a terminal, JSON lines otherwise. Traces go where they are asked for, until what
/// this returns is dropped.
fn start_log(filter: &str, traces: &traces::Args) -> anyhow::Result<Option<Sending>> {
    use std::io::IsTerminal as _;
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        CliError::new(Kind::Usage, format!("--log {filter:?} is no filter: {error}")).help("try `--log info`")
    })?;
    // Tasks and calls are spans of the level debug; where they are wanted, each is one line when it ends.
    let log = tracing_subscriber::fmt::layer().with_span_events(FmtSpan::CLOSE).with_writer(std::io::stderr);
    let log = if std::io::stderr().is_terminal() { log.boxed() } else { log.json().boxed() };
    let mut layers: Vec<Box<dyn Layer<Registry> + Send + Sync>> = vec![log.with_filter(filter).boxed()];
    let sending = traces.traces.as_deref().map(Sending::start).transpose()?;
    if let Some(sending) = &sending {
        let layer = Traces::new(sending.sender(), traces.trace_ratio);
        layers.push(layer.with_filter(filter_fn(Traces::wants)).boxed());
    }
    tracing_subscriber::registry().with(layers).init();
    Ok(sending)
}
