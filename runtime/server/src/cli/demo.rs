//! `tenter demo`: the main job from end to end, on bundled real data, in a temporary directory.
//!
//! It does by HTTP what a person would do with the commands: starts a server, uploads the example modules, sends the
//! datapoints, waits until nothing is pending, and looks at what came of it. The datapoints come in two parts, with a
//! snapshot after each, so that there is a history to see: what the connections say, and then what names and
//! certificates add. A second act, `demo/cases.rs`, takes what was found into a case.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use tenter_model::ModuleName;
use tenter_model::config::{self, ConfigFile};
use tenter_store::StoreOptions;

use crate::app::Options;
use crate::cli::Context;
use crate::client::{Client, part};
use crate::embedded;
use crate::error::{CliError, Kind};
use crate::serving::Serving;

mod cases;
mod snapshots;
mod summary;

/// Datapoints in one request.
const BATCH: usize = 500;
/// The module that reads a folder.
const READS_LISTS: &str = "reload-list";
/// Longest wait for the queue to become empty.
const PATIENCE: Duration = Duration::from_secs(300);

/// What it is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Leave the server running until Ctrl-C, to look around.
    #[arg(long)]
    keep: bool,
    /// Leave an example module out, to see what it contributes.
    #[arg(long, value_name = "MODULE", value_parser = examples())]
    without: Vec<String>,
}

fn examples() -> clap::builder::PossibleValuesParser {
    embedded::EXAMPLES.iter().map(|(name, _)| *name).collect::<Vec<_>>().into()
}

/// Runs the demonstration.
///
/// # Errors
/// When a step of it fails.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    let site = config::load(&site_files()?);
    let Some(mut site) = site.config else {
        let errors: Vec<String> = site.errors.iter().map(ToString::to_string).collect();
        anyhow::bail!("the bundled site is not valid: {}", errors.join("; "));
    };
    let keep_empty = site.snapshots.keep_empty;
    let indicators = site.module_configs.get("indicators").cloned().unwrap_or_default();
    let dir = tempfile::Builder::new().prefix("tenter-demo-").tempdir()?;
    site.tenter.modules.entry(ModuleName::new(READS_LISTS)?).or_default().files = lists(dir.path())?;
    let serving = Serving::start(Options {
        site,
        data_dir: dir.path().to_owned(),
        listen: ([127, 0, 0, 1], 0).into(),
        store: StoreOptions::default(),
        lanes: 0,
        site_dir: None,
    })?;
    // Ctrl-C before the end: nothing of the demonstration is worth keeping.
    let doomed = dir.path().to_owned();
    let working = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let at_work = working.clone();
    let mut doom = serving.listen_for_signals()?;
    let signals = serving.listen_for_signals()?;
    serving.spawn(async move {
        doom.next().await;
        if at_work.load(std::sync::atomic::Ordering::SeqCst) {
            let _best_effort = std::fs::remove_dir_all(&doomed);
            std::process::exit(i32::from(Kind::Interrupted.code()));
        }
    });
    let url = serving.app.url();
    let client = Client::new(&url, Some(serving.app.operator_token().to_owned()), Duration::from_secs(120))?;
    context.out.note(&format!("a server in a temporary directory listens on {url}"));

    for (name, component) in embedded::EXAMPLES {
        if args.without.iter().any(|left_out| left_out == name) {
            continue;
        }
        let path = format!("/api/v1/modules/{}?grant_requested=true", part(name));
        client.demand("PUT", &path, Some(("application/wasm", component)))?;
        context.out.note(&format!("uploaded module {name} ({} KiB)", component.len() / 1024));
    }
    let mut runs = Vec::new();
    for (what, lines) in parts()? {
        send(&client, context, what, &lines)?;
        wait_until_empty(&client)?;
        runs.push(snapshots::take(&serving.app, keep_empty, context)?);
    }
    // What hooks of the last run returned.
    let status = wait_until_empty(&client)?;
    let mut report = summary::report(&client, &status, &indicators, &snapshots::Pictures::new(&serving.app)?)?;
    let found = report.get("indicators").and_then(Value::as_array).cloned().unwrap_or_default();
    let case = cases::play(&client, &found, &args.without, context)?;
    if let Some(object) = report.as_object_mut() {
        object.insert("snapshots".to_owned(), runs.into());
        object.insert("case".to_owned(), case);
    }
    if let Some(object) = report.as_object_mut() {
        let elapsed = (began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
        object.insert("elapsed_s".to_owned(), json!(elapsed));
        if args.keep {
            object.insert("url".to_owned(), json!(url));
        }
    }
    context.out.one(&report, summary::human)?;
    working.store(false, std::sync::atomic::Ordering::SeqCst);
    if args.keep {
        context.out.note(&format!("the server stays on {url} until Ctrl-C; look further with"));
        for command in summary::further(&report) {
            context.out.note(&format!("  tenter --url {url} {command}"));
        }
        serving.wait_for(signals);
    } else {
        context.out.next("tenter demo --keep, to look around in what it stored");
    }
    serving.stop()?;
    dir.close()?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the folder that a module reads; its place under its name.
fn lists(dir: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let folder = dir.join("lists");
    std::fs::create_dir(&folder)?;
    for (path, bytes) in embedded::DEMO_LISTS {
        std::fs::write(folder.join(path), bytes)?;
    }
    Ok(BTreeMap::from([("lists".to_owned(), folder.display().to_string())]))
}

fn site_files() -> anyhow::Result<Vec<ConfigFile>> {
    embedded::DEMO_SITE
        .iter()
        .filter(|(path, _)| path.ends_with(".yml"))
        .map(|(path, bytes)| Ok(ConfigFile { path: (*path).to_owned(), text: std::str::from_utf8(bytes)?.to_owned() }))
        .collect()
}

/// The datapoints in two parts, with a word for each: of names and certificates, and before them all others.
fn parts() -> anyhow::Result<[(&'static str, Vec<&'static str>); 2]> {
    let text = std::str::from_utf8(embedded::DEMO_DATAPOINTS)?;
    let named = |line: &&str| {
        ["domain", "certificate"].iter().any(|etype| line.starts_with(&format!("{{\"type\":\"{etype}\"")))
    };
    let (names, others) = text.lines().filter(|line| !line.is_empty()).partition(named);
    Ok([("of connections", others), ("of names and certificates", names)])
}

fn send(client: &Client, context: &Context, what: &str, lines: &[&str]) -> anyhow::Result<()> {
    let bar = ProgressBar::new(lines.len() as u64)
        .with_style(ProgressStyle::with_template("{bar:30} {pos}/{len} datapoints {eta}")?);
    if !context.out.draws() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    for batch in lines.chunks(BATCH) {
        let body = format!("[{}]", batch.join(","));
        client.demand("POST", "/datapoints", Some(("application/json", body.as_bytes())))?;
        bar.inc(batch.len() as u64);
    }
    bar.finish_and_clear();
    context.out.note(&format!("sent {} datapoints {what}, all of them are on disk", lines.len()));
    Ok(())
}

/// Waits until every task has been processed, those that modules returned too.
fn wait_until_empty(client: &Client) -> anyhow::Result<Value> {
    let began = Instant::now();
    loop {
        let status = client.get("/api/v1/status")?;
        if status.pointer("/tasks/pending").and_then(Value::as_u64) == Some(0) {
            return Ok(status);
        }
        if began.elapsed() > PATIENCE {
            return Err(CliError::new(Kind::Timeout, format!("the queue is not empty after {} s", PATIENCE.as_secs()))
                .help("`tenter demo --keep` leaves the server running, `tenter status` shows its queue")
                .into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
