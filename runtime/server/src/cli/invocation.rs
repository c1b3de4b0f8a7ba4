//! `tenter invocation`: calls of hooks, as far as the server keeps them.

use serde_json::Value;

use crate::cli::Context;
use crate::client::{part, query};
use crate::output::{entity, field, members, pairs};

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
            let asked = query(&[("limit", Some(limit.to_string())), ("module", module.clone())]);
            let answer = context.client()?.get(&format!("/api/v1/invocations{asked}"))?;
            let items = members(&answer, "invocations");
            context.out.list(
                items,
                &[
                    ("at", &|i| field(i, "at")),
                    ("id", &|i| field(i, "id")),
                    ("module", &|i| format!("{} {}", field(i, "module"), field(i, "version"))),
                    ("hook", &|i| field(i, "hook")),
                    ("entity", &entity),
                    ("outcome", &|i| format!("{} {}", field(i, "outcome"), field(i, "reason")).trim().to_owned()),
                    ("fuel", &|i| field(i, "fuel")),
                    ("us", &|i| field(i, "micros")),
                ],
            )
        }
        Command::Show { id } => {
            let call = context.client()?.get(&format!("/api/v1/invocations/{}", part(id)))?;
            context.out.one(&call, human)
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
