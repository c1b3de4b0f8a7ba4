//! `tenter deadletter`: tasks that could not be processed.

use serde_json::Value;

use crate::cli::Context;
use crate::client::query;
use crate::output::{entity, field};

/// What can be done.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List them, newest first.
    List {
        /// At most this many.
        #[arg(long, default_value_t = 50, value_name = "N")]
        limit: u32,
    },
}

/// Asks the server and prints what it says.
///
/// # Errors
/// When there is no server or it refuses.
pub(crate) fn run(command: &Command, context: &Context) -> anyhow::Result<()> {
    let Command::List { limit } = command;
    let path = format!("/api/v1/deadletters{}", query(&[("limit", Some(limit.to_string()))]));
    let answer = context.client()?.get(&path)?;
    let empty = Vec::new();
    let items = answer.get("deadletters").and_then(Value::as_array).unwrap_or(&empty);
    context.out.list(
        items,
        &[
            ("at", &|i| field(i, "at")),
            ("task", &|i| field(i, "task")),
            ("entity", &entity),
            ("module", &|i| field(i, "module")),
            ("hook", &|i| field(i, "hook")),
            ("reason", &|i| field(i, "reason")),
            ("message", &|i| field(i, "message")),
        ],
    )?;
    if !items.is_empty() {
        context.out.next("tenter module errors");
    }
    Ok(())
}
