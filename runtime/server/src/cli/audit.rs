//! `tenter audit`: who changed what at the server.

use serde_json::Value;

use crate::cli::Context;
use crate::client::query;
use crate::error::{CliError, Kind};
use crate::output::{field, members};

/// What can be done.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List changes in order.
    List {
        /// Those after this number.
        #[arg(long, default_value_t = 0, value_name = "NUMBER")]
        after: u64,
        /// At most this many.
        #[arg(long, default_value_t = 100, value_name = "N")]
        limit: u32,
    },
    /// Check that no row was altered, removed or inserted. The head is worth keeping in another place.
    Verify,
}

/// Asks the server and prints what it says.
///
/// # Errors
/// When there is no server or it refuses, and when the chain is broken.
pub(crate) fn run(command: &Command, context: &Context) -> anyhow::Result<()> {
    match command {
        Command::List { after, limit } => {
            let asked = query(&[("after", Some(after.to_string())), ("limit", Some(limit.to_string()))]);
            let answer = context.client()?.get(&format!("/api/v1/audit{asked}"))?;
            let rows = members(&answer, "audit");
            context.out.list(
                rows,
                &[
                    ("number", &|r| field(r, "seq")),
                    ("at", &|r| field(r, "at")),
                    ("who", &|r| field(r, "actor")),
                    ("action", &|r| field(r, "action")),
                    ("subject", &|r| field(r, "subject")),
                    ("detail", &|r| field(r, "detail")),
                ],
            )
        }
        Command::Verify => {
            let check = context.client()?.get("/api/v1/audit/verify")?;
            context.out.one(&check, |c| format!("{} rows, head {}\n", field(c, "rows"), field(c, "head")))?;
            if check.get("whole") == Some(&Value::Bool(true)) {
                return Ok(());
            }
            let place = field(&check, "first_broken");
            Err(CliError::new(Kind::Failed, format!("the audit log is broken from number {place} on"))
                .help("somebody altered the database file; compare with a backup")
                .into())
        }
    }
}
