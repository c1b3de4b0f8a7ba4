//! `tenter action`: menu entries that modules offer on case objects, and the jobs of hooks.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cli::Context;
use crate::client::{Client, part, query};
use crate::error::{CliError, Kind};
use crate::output::{field, members, pairs};

/// Pause between two looks at a job.
const PAUSE: Duration = Duration::from_millis(200);

/// What can be done.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List the menu of a kind of object.
    List {
        /// Such as `ioc`, `asset`, `case`.
        object: String,
    },
    /// Click menu entries.
    Run(Run),
    /// List jobs of hooks, newest first: what was clicked, and what changes brought.
    Jobs {
        /// Only those of this module.
        #[arg(long)]
        module: Option<String>,
        /// Only those of this case.
        #[arg(long, value_name = "NUMBER")]
        case: Option<i64>,
        /// Only those in this state: queued, running, succeeded, failed, timed-out, dead.
        #[arg(long)]
        state: Option<String>,
        /// At most this many.
        #[arg(long, default_value_t = 50, value_name = "N")]
        limit: u32,
    },
    /// Show a job with its result and log.
    Show {
        /// Its id, as `jobs` shows it.
        job: String,
    },
    /// Queue a job that has ended once more.
    Retry {
        /// Its id.
        job: String,
    },
    /// Cancel a job that waits.
    Cancel {
        /// Its id.
        job: String,
    },
}

/// Which entries, on what.
#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    /// Such as `ioc`, `asset`, `case`.
    object: String,
    /// The numbers of the objects.
    #[arg(required = true)]
    targets: Vec<i64>,
    /// The title of the entry; without it each that fits.
    #[arg(long, value_name = "TITLE")]
    entry: Option<String>,
    /// The module; without it each that fits.
    #[arg(long)]
    module: Option<String>,
    /// The case in which the objects are.
    #[arg(long, value_name = "NUMBER")]
    case: Option<i64>,
    /// Wait until the jobs have ended, and print their results.
    #[arg(long)]
    wait: bool,
}

/// Asks the server and prints what it says.
///
/// # Errors
/// When there is no server or it refuses; with `run --wait` when a job did not succeed.
pub(crate) fn run(command: &Command, context: &Context) -> anyhow::Result<()> {
    let client = context.client()?;
    match command {
        Command::List { object } => {
            let answer = client.get(&format!("/api/v1/actions{}", query(&[("object", Some(object.clone()))])))?;
            context.out.list(
                members(&answer, "actions"),
                &[
                    ("module", &|a| field(a, "module")),
                    ("title", &|a| field(a, "title")),
                    ("hook", &|a| field(a, "hook")),
                ],
            )
        }
        Command::Run(wish) => click(wish, &client, context),
        Command::Jobs { module, case, state, limit } => {
            let asked = query(&[
                ("module", module.clone()),
                ("case", case.map(|id| id.to_string())),
                ("state", state.clone()),
                ("limit", Some(limit.to_string())),
            ]);
            let answer = client.get(&format!("/api/v1/jobs{asked}"))?;
            list(members(&answer, "jobs"), context)
        }
        Command::Show { job } => context.out.one(&client.get(&path(job))?, human),
        Command::Retry { job } => context.out.one(&client.send("POST", &format!("{}/retry", path(job)), None)?, human),
        Command::Cancel { job } => context.out.one(&client.send("DELETE", &path(job), None)?, human),
    }
}

fn click(wish: &Run, client: &Client, context: &Context) -> anyhow::Result<()> {
    let body = json!({
        "object": wish.object, "targets": wish.targets, "entry": wish.entry, "module": wish.module, "case": wish.case,
    });
    let answer = client.send("POST", "/api/v1/actions", Some(&body))?;
    for id in members(&answer, "missing") {
        context.out.note(&format!("there is no {} {id}", wish.object));
    }
    let mut jobs = members(&answer, "jobs").to_vec();
    if !wish.wait {
        list(&jobs, context)?;
        if let Some(first) = jobs.first() {
            context.out.next(&format!("tenter action show {}", field(first, "id")));
        }
        return Ok(());
    }
    let until = context.timeout.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    for job in &mut jobs {
        while !has_ended(job) {
            if until.is_some_and(|until| Instant::now() >= until) {
                let message = format!("job {} is still {}", field(job, "id"), field(job, "state"));
                return Err(CliError::new(Kind::Timeout, message)
                    .help(format!("tenter action show {}", field(job, "id")))
                    .into());
            }
            std::thread::sleep(PAUSE);
            *job = client.get(&path(&field(job, "id")))?;
        }
        context.out.one(job, human)?;
    }
    let failed: Vec<&Value> = jobs.iter().filter(|job| field(job, "state") != "succeeded").collect();
    match failed.first() {
        None => Ok(()),
        Some(job) => {
            let message =
                format!("{} of {} jobs did not succeed: {}", failed.len(), jobs.len(), field(job, "result.message"));
            Err(CliError::new(Kind::Failed, message).help(format!("tenter action show {}", field(job, "id"))).into())
        }
    }
}

fn has_ended(job: &Value) -> bool {
    !["queued", "running"].contains(&field(job, "state").as_str())
}

fn path(job: &str) -> String {
    format!("/api/v1/jobs/{}", part(job))
}

fn list(jobs: &[Value], context: &Context) -> anyhow::Result<()> {
    context.out.list(
        jobs,
        &[
            ("id", &|j| field(j, "id")),
            ("queued", &|j| field(j, "queued")),
            ("state", &|j| field(j, "state")),
            ("module", &|j| field(j, "module")),
            ("hook", &|j| field(j, "hook")),
            ("entry", &|j| field(j, "entry")),
            ("case", &|j| field(j, "case")),
            ("result", &result),
        ],
    )
}

/// What came of a job, or when one comes that a call asked for.
fn result(job: &Value) -> String {
    let waits = field(job, "state") == "queued" && job.get("resumed").is_some_and(Value::is_object);
    let message = field(job, "result.message");
    if waits && message.is_empty() { format!("due {}", field(job, "due")) } else { message }
}

fn human(job: &Value) -> String {
    let objects: Vec<String> =
        members(job, "objects").iter().map(|o| format!("{} {}", field(o, "object"), field(o, "id"))).collect();
    let mut rows: Vec<(&str, String)> = [
        ("id", "id"),
        ("state", "state"),
        ("hook", "hook"),
        ("entry", "entry"),
        ("module", "module"),
        ("version", "result.version"),
        ("case", "case"),
        ("attempts", "attempts"),
        ("queued", "queued"),
        ("ended", "ended"),
        ("resumes", "resumed.after"),
        ("memo", "resumed.memo"),
        ("reason", "result.reason"),
        ("message", "result.message"),
        ("fuel", "result.fuel"),
        ("us", "result.micros"),
    ]
    .into_iter()
    .map(|(name, key)| (name, field(job, key)))
    .filter(|(_, value)| !value.is_empty())
    .collect();
    rows.insert(1, ("on", objects.join(", ")));
    if field(job, "state") == "queued" {
        rows.insert(2, ("due", field(job, "due")));
    }
    let mut out = pairs(&rows);
    if let Some(shown) = job.pointer("/result/data/report/content").and_then(Value::as_str) {
        out.push_str(&format!("\n{shown}\n"));
    }
    let logs: Vec<&str> =
        job.pointer("/result/logs").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    if !logs.is_empty() {
        out.push_str(&format!("\nlog\n{}\n", logs.join("\n")));
    }
    out
}
