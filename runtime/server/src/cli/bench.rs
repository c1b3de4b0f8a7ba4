//! `tenter bench`: what the sandbox, the queue and the disk cost on this machine.
//!
//! Absolute figures belong to a machine and to its mood. What can be compared between machines and versions are ratios of
//! variants that ran interleaved in one process, so all that is promised is a ratio, and the rest is printed beside it.
//! Figures of computation are CPU time of the thread; figures of storage are wall time with the CPU time of the process
//! and the load average beside it. `docs/bench.md` explains each.

use std::num::NonZero;

use serde_json::{Map, Value, json};

use crate::cli::Context;

mod call;
mod disk;
mod http;
mod human;
mod ingest;
mod meter;
mod neighbours;
mod shapes;
mod snapshot;
mod world;

use world::World;

/// What it is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Measure this alone [default: everything].
    #[arg(value_enum, value_name = "WHAT")]
    what: Option<What>,
    /// How much to measure. `small` ends within seconds and tells only whether the measuring works.
    #[arg(long, value_enum, default_value_t, env = "TENTER_EXTENT", value_name = "EXTENT")]
    extent: Extent,
    /// Entities without links that are snapshotted, and that are listed [default: 10000, and 100000 with `--extent full`].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    entities: Option<u64>,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// A warm call of a hook beside the same function called natively; an instance replaced.
    Call,
    /// Tasks from the queue to the disk, with and without hooks, beside a bare storage loop.
    Ingest,
    /// Latency of a module's tasks while another module burns its fuel.
    Neighbours,
    /// Datapoints over HTTP beside the same without it, and beside a bare storage loop; listings of many entities.
    Http,
    /// Snapshots of entities without links, with and without a correlation hook; of large components, chains, cycles.
    Snapshot,
}

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum Extent {
    /// About two minutes on two cores.
    #[default]
    Standard,
    /// Some seconds; the figures mean little.
    Small,
    /// As `standard`, with ten times as many entities in snapshots and listings.
    Full,
}

impl Extent {
    fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Small => "small",
            Self::Full => "full",
        }
    }

    /// One of two numbers.
    fn of<T>(self, standard: T, small: T) -> T {
        match self {
            Self::Standard | Self::Full => standard,
            Self::Small => small,
        }
    }
}

/// Measures and prints.
///
/// # Errors
/// When the machine cannot run modules, the disk refuses, or what is measured does not do its work.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<()> {
    if cfg!(debug_assertions) {
        context.out.note("warning: this program was built without optimisation; the figures mean nothing");
    }
    let wanted = |what| args.what.is_none_or(|only| only == what);
    let extent = args.extent;
    let dir = tempfile::Builder::new().prefix("tenter-bench-").tempdir()?;
    let world = World::new(dir.path(), lanes())?;
    let mut report = Map::new();
    report.insert("cores".into(), json!(lanes()));
    report.insert("extent".into(), json!(extent.name()));
    report.insert("load_average".into(), json!(meter::load_average()));
    if wanted(What::Call) {
        context.out.note("calling a hook natively and in the sandbox ...");
        report.extend(call::measure(&world, extent)?);
    }
    if wanted(What::Ingest) {
        context.out.note("flushing the disk ...");
        report.insert("fsync_per_s".into(), disk::flushes_per_second(dir.path(), extent.of(400, 20))?);
        context.out.note("working off queues ...");
        report.insert("ingest".into(), ingest::measure(&world, dir.path(), extent)?);
    }
    if wanted(What::Http) {
        context.out.note("sending datapoints over HTTP ...");
        report.insert("http".into(), http::measure(&world, dir.path(), entities(args), extent)?);
    }
    if wanted(What::Neighbours) {
        context.out.note("running a module beside a hostile one ...");
        report.insert("neighbours".into(), neighbours::measure(&world, dir.path(), extent)?);
    }
    if wanted(What::Snapshot) {
        context.out.note("taking snapshots ...");
        report.insert("snapshot".into(), snapshot::measure(&world, dir.path(), entities(args), extent)?);
    }
    context.out.one(&Value::Object(report), human::text)?;
    drop(world);
    dir.close()?;
    Ok(())
}

fn entities(args: &Args) -> u64 {
    args.entities.unwrap_or(match args.extent {
        Extent::Small => 300,
        Extent::Standard => 10_000,
        Extent::Full => 100_000,
    })
}

fn lanes() -> u32 {
    std::thread::available_parallelism().map_or(1, |n: NonZero<usize>| u32::try_from(n.get()).unwrap_or(1))
}
