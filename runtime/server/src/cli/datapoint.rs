//! `tenter datapoint send`: datapoints of any number from a file or a pipe.
//!
//! The input is read as it is sent, so its size does not matter. What an answer of 200 covers is on the server's disk;
//! when sending ends early, the error says how many datapoints that is, and `--skip` goes on from there.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use crate::cli::Context;
use crate::client::Peer;
use crate::error::{CliError, Kind};

mod items;
mod sender;

use items::Items;
use sender::Sender;

/// Datapoints in one request.
const BATCH: usize = 500;

/// What can be done.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Send the datapoints of a file, a JSON array or one JSON object per line.
    Send(Args),
}

/// What `send` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file; `-` is standard input.
    file: PathBuf,
    /// Datapoints in one request; the server takes or refuses each request as a whole.
    #[arg(long, default_value_t = BATCH, value_name = "N", value_parser = batch_size)]
    batch: usize,
    /// Leave out the first datapoints, such as those that were sent before.
    #[arg(long, default_value_t = 0, value_name = "N")]
    skip: u64,
    /// Go on with a sending that broke off, by the name that its error gave.
    #[arg(long, value_name = "NAME", value_parser = run_name)]
    run: Option<String>,
}

/// Sends.
///
/// # Errors
/// When the input is not valid, or the server is not there or refuses.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<()> {
    let Source { input, name, size } = open(args)?;
    let client = context.client()?;
    // A server that is not there yet is taken for one of ours.
    let keyed = !matches!(client.peer(), Ok(Peer::Dp3));
    let bar = progress(size, context);
    let stop = interruptible()?;
    let began = Instant::now();
    let run = match &args.run {
        Some(run) => run.clone(),
        None => new_run()?,
    };

    let mut sender = Sender {
        name: &name,
        batch: args.batch,
        skip: args.skip,
        run: &run,
        post: |body: &[u8], key: &str| {
            client.try_call_keyed("POST", "/datapoints", Some(("application/json", body)), Some(key))
        },
        keyed,
        pause: |time| pause(time, &stop),
        progress: |bytes, sent| {
            bar.set_position(bytes);
            bar.set_message(format!("{sent} datapoints"));
        },
        stop: &stop,
    };
    let sent = sender.run(Items::new(input));
    bar.finish_and_clear();
    let sent = sent?;

    let elapsed = (began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
    let answer = json!({"sent": sent.datapoints, "batches": sent.batches, "elapsed_s": elapsed});
    context
        .out
        .one(&answer, |_| format!("{} datapoints sent in {} batches, {elapsed} s\n", sent.datapoints, sent.batches))?;
    context.out.next(if keyed { "tenter status" } else { "tenter entity list" });
    Ok(())
}

/// Where datapoints come from.
struct Source {
    input: Box<dyn BufRead>,
    /// What to call it in messages.
    name: String,
    /// In bytes, where it has one.
    size: Option<u64>,
}

fn open(args: &Args) -> Result<Source, CliError> {
    if args.file.as_os_str() == "-" {
        let input = Box::new(BufReader::new(std::io::stdin()));
        return Ok(Source { input, name: "standard input".into(), size: None });
    }
    let name = args.file.display().to_string();
    let wrong = |e: std::io::Error| {
        let kind = if e.kind() == std::io::ErrorKind::NotFound { Kind::NotFound } else { Kind::Failed };
        CliError::new(kind, format!("cannot read {name}: {e}"))
    };
    let file = File::open(&args.file).map_err(wrong)?;
    let meta = file.metadata().map_err(wrong)?;
    if meta.is_dir() {
        return Err(CliError::new(Kind::Usage, format!("{name} is a folder")).help("name one file"));
    }
    let size = meta.is_file().then_some(meta.len());
    Ok(Source { input: Box::new(BufReader::with_capacity(256 << 10, file)), name, size })
}

fn progress(total: Option<u64>, context: &Context) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (ProgressBar::new(total), "{bar:30} {binary_bytes}/{binary_total_bytes} {msg} {eta}"),
        None => (ProgressBar::no_length(), "{spinner} {binary_bytes} {msg}"),
    };
    if !context.out.draws() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    bar.with_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// A flag that the first Ctrl-C sets, so that the batch under way is finished and counted; the second one ends the
/// process.
fn interruptible() -> anyhow::Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&flag);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    std::thread::Builder::new().name("interrupt".into()).spawn(move || {
        runtime.block_on(async {
            while tokio::signal::ctrl_c().await.is_ok() {
                if set.swap(true, Ordering::Relaxed) {
                    std::process::exit(i32::from(Kind::Interrupted.code()));
                }
            }
        });
    })?;
    Ok(flag)
}

/// Waits, but no longer than until the flag is set.
fn pause(time: Duration, stop: &AtomicBool) {
    let step = Duration::from_millis(50);
    let began = Instant::now();
    while !stop.load(Ordering::Relaxed) && began.elapsed() < time {
        std::thread::sleep(step.min(time.saturating_sub(began.elapsed())));
    }
}

/// A name that no other sending has.
fn new_run() -> anyhow::Result<String> {
    let mut random = [0; 8];
    getrandom::fill(&mut random)?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn run_name(text: &str) -> Result<String, String> {
    let fits = (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    fits.then(|| text.to_owned()).ok_or_else(|| "expected 1 to 64 letters, digits and hyphens".to_owned())
}

fn batch_size(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| (1..=10_000).contains(n)).ok_or_else(|| "expected a number from 1 to 10000".into())
}
