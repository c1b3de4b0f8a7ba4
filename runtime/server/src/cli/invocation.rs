//! `tenter invocation`: calls of hooks, as far as the server keeps them.

use std::time::Duration;

use serde_json::Value;

use crate::cli::Context;
use crate::client::{Client, part, query};
use crate::output::{Column, entity, field, members, pairs};

/// Pause between two looks of `follow`, and the calls of one.
const PAUSE: Duration = Duration::from_millis(500);
const MOST: u32 = 1000;

/// What can be done.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List calls, newest first.
    List {
        /// Only those of this module.
        #[arg(long)]
        module: Option<String>,
        /// At most this many.
        #[arg(long, default_value_t = 50, value_name = "N")]
        limit: u32,
    },
    /// Print calls as they are made, until it is interrupted.
    Follow {
        /// Only those of this module.
        #[arg(long)]
        module: Option<String>,
    },
    /// Show one with what it returned and logged.
    Show {
        /// Its id, as `list` shows it.
        id: String,
    },
}

/// Asks the server and prints what it says.
///
/// # Errors
/// When there is no server or it refuses.
pub(crate) fn run(command: &Command, context: &Context) -> anyhow::Result<()> {
    match command {
        Command::List { module, limit } => {
            let items = newest(&context.client()?, module.as_deref(), *limit)?;
            context.out.list(&items, COLUMNS)
        }
        Command::Follow { module } => follow(module.as_deref(), context),
        Command::Show { id } => {
            let call = context.client()?.get(&format!("/api/v1/invocations/{}", part(id)))?;
            context.out.one(&call, human)
        }
    }
}

/// What a list shows of a call.
const COLUMNS: &[Column<'_>] = &[
    ("at", &|i| field(i, "at")),
    ("id", &|i| field(i, "id")),
    ("module", &|i| format!("{} {}", field(i, "module"), field(i, "version"))),
    ("hook", &|i| field(i, "hook")),
    ("entity", &entity),
    ("outcome", &|i| format!("{} {}", field(i, "outcome"), field(i, "reason")).trim().to_owned()),
    ("fuel", &|i| field(i, "fuel")),
    ("us", &|i| field(i, "micros")),
];

fn newest(client: &Client, module: Option<&str>, limit: u32) -> anyhow::Result<Vec<Value>> {
    let asked = query(&[("limit", Some(limit.to_string())), ("module", module.map(str::to_owned))]);
    Ok(members(&client.get(&format!("/api/v1/invocations{asked}"))?, "invocations").to_vec())
}

/// A line for each call, oldest first, beginning with those that are made from now on. It ends with the process.
fn follow(module: Option<&str>, context: &Context) -> anyhow::Result<()> {
    let client = context.client()?;
    let seq = |call: &Value| call.get("seq").and_then(Value::as_u64).unwrap_or(0);
    let mut last = newest(&client, module, 1)?.first().map_or(0, seq);
    loop {
        std::thread::sleep(PAUSE);
        let mut calls = newest(&client, module, MOST)?;
        calls.retain(|call| seq(call) > last);
        calls.reverse();
        if let (Some(first), Some(newest)) = (calls.first(), calls.last()) {
            let missed = seq(first) > last + 1 && calls.len() >= MOST as usize;
            if missed && module.is_none() {
                context.out.note("calls come faster than they are shown; some are left out");
            }
            last = seq(newest);
        }
        for call in &calls {
            let line: Vec<String> = COLUMNS.iter().map(|(_, shown)| shown(call)).collect();
            context.out.one(call, |_| format!("{}\n", line.join("  ")))?;
        }
    }
}

fn human(call: &Value) -> String {
    let names = [
        "id",
        "at",
        "module",
        "version",
        "digest",
        "hook",
        "subscription",
        "task",
        "datapoint",
        "attempt",
        "outcome",
        "reason",
        "fuel",
        "micros",
        "memory_bytes",
        "warm",
        "cut",
    ];
    let mut rows: Vec<(&str, String)> = names.iter().map(|name| (*name, field(call, name))).collect();
    rows.insert(7, ("entity", entity(call)));
    let more = |name: &str| {
        let found = call.get(name).filter(|v| !v.is_null() && *v != &Value::Array(Vec::new()));
        found.map_or(String::new(), |value| format!("\n{name}\n{value:#}\n"))
    };
    format!("{}{}{}", pairs(&rows), more("output"), more("logs"))
}
