//! `tenter deadletter`: tasks that could not be processed.

use serde_json::Value;

use crate::cli::Context;
use crate::client::query;
use crate::output::{entity, field, members, pairs};

/// What can be done.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List them, newest first.
    List {
        /// At most this many.
        #[arg(long, default_value_t = 50, value_name = "N")]
        limit: u32,
        /// Only those of this module.
        #[arg(long)]
        module: Option<String>,
    },
    /// Show one with its whole task.
    Show {
        /// Its number, as `list` shows it.
        number: u64,
    },
    /// Put one back into its queue; its task runs again under its old id.
    Retry {
        /// Its number.
        number: u64,
    },
    /// Throw one away; it still counts as dead.
    Drop {
        /// Its number.
        number: u64,
    },
}

/// Asks the server and prints what it says.
///
/// # Errors
/// When there is no server or it refuses.
pub(crate) fn run(command: &Command, context: &Context) -> anyhow::Result<()> {
    let path = |number: &u64| format!("/api/v1/deadletters/{number}");
    match command {
        Command::List { limit, module } => list(*limit, module.clone(), context),
        Command::Show { number } => {
            let letter = context.client()?.get(&path(number))?;
            context.out.one(&letter, human)?;
            context.out.next(&format!("tenter deadletter retry {number}"));
            Ok(())
        }
        Command::Retry { number } => {
            let answer = context.client()?.send("POST", &format!("{}/retry", path(number)), None)?;
            context.out.one(&answer, |_| format!("{number} is in its queue again\n"))?;
            context.out.next("tenter status");
            Ok(())
        }
        Command::Drop { number } => {
            let answer = context.client()?.send("DELETE", &path(number), None)?;
            context.out.one(&answer, |_| format!("{number} is dropped\n"))?;
            context.out.next("tenter deadletter list");
            Ok(())
        }
    }
}

fn list(limit: u32, module: Option<String>, context: &Context) -> anyhow::Result<()> {
    let path = format!("/api/v1/deadletters{}", query(&[("limit", Some(limit.to_string())), ("module", module)]));
    let answer = context.client()?.get(&path)?;
    let items = members(&answer, "deadletters");
    context.out.list(
        items,
        &[
            ("number", &|i| field(i, "seq")),
            ("at", &|i| field(i, "at")),
            ("entity", &entity),
            ("module", &|i| field(i, "module")),
            ("hook", &|i| field(i, "hook")),
            ("reason", &|i| field(i, "reason")),
            ("message", &|i| field(i, "message")),
        ],
    )?;
    if let Some(first) = items.first() {
        context.out.next(&format!("tenter deadletter show {}", field(first, "seq")));
    }
    Ok(())
}

fn human(letter: &Value) -> String {
    let names = ["seq", "at", "task", "root", "depth", "kind", "reason", "module", "hook", "message"];
    let mut rows: Vec<(&str, String)> = names.iter().map(|name| (*name, field(letter, name))).collect();
    rows.insert(2, ("entity", entity(letter)));
    let body = letter.get("body").map_or(String::new(), |body| format!("\n{body:#}\n"));
    format!("{}{body}", pairs(&rows))
}
