//! `tenter snapshot`: current values of all entities, fused and kept.

use serde_json::{Value, json};
use tenter_model::Timestamp;

use crate::cli::Context;
use crate::client::query;
use crate::output::{field, members, pairs};

/// Seconds that a run may take before the command gives up waiting; the run goes on.
const PATIENCE_S: u64 = 3600;

/// What can be done.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make a run now, or go on with one that was interrupted, and wait until it is complete.
    Run {
        /// Compute every entity anew, those too whose values cannot have changed.
        #[arg(long)]
        full: bool,
        /// The time that values are computed for [default: now].
        #[arg(long, value_name = "TIME", value_parser = super::time)]
        time: Option<Timestamp>,
        /// Do not wait for the end.
        #[arg(long)]
        no_wait: bool,
    },
    /// List runs, newest first.
    List {
        /// Those before this number.
        #[arg(long, value_name = "NUMBER")]
        before: Option<u64>,
        /// At most this many.
        #[arg(long, default_value_t = 20, value_name = "N")]
        limit: u32,
    },
}

/// Asks the server and prints what it says.
///
/// # Errors
/// When there is no server or it refuses, and when the run fails.
pub(crate) fn run(command: &Command, context: &Context) -> anyhow::Result<()> {
    match command {
        Command::Run { full, time, no_wait } => {
            let wish = json!({"full": full, "time": time.map(|t| t.to_string()), "wait": !no_wait});
            let client = context.patient_client(PATIENCE_S)?;
            let run = client.send("POST", "/api/v1/snapshots", Some(&wish))?;
            context.out.one(&run, human)?;
            context.out.next("tenter snapshot list");
            Ok(())
        }
        Command::List { before, limit } => {
            let asked = query(&[("before", before.map(|n| n.to_string())), ("limit", Some(limit.to_string()))]);
            let answer = context.client()?.get(&format!("/api/v1/snapshots{asked}"))?;
            let runs = members(&answer, "runs");
            context.out.list(
                runs,
                &[
                    ("number", &|r| field(r, "number")),
                    ("time", &|r| field(r, "time")),
                    ("state", &|r| field(r, "state")),
                    ("ended", &|r| field(r, "ended")),
                    ("documents", &|r| field(r, "counts.documents")),
                    ("partial", &|r| field(r, "counts.partial")),
                    ("unchanged", &|r| field(r, "counts.unchanged")),
                    ("tasks", &|r| field(r, "counts.tasks")),
                ],
            )?;
            if let Some(entities) = answer.pointer("/running/entities") {
                context.out.note(&format!("a run is under way, {entities} entities are done"));
            } else if runs.is_empty() {
                context.out.next("tenter snapshot run");
            }
            Ok(())
        }
    }
}

/// A run for people: what it counted.
fn human(run: &Value) -> String {
    let mut facts = vec![
        ("run", field(run, "number")),
        ("state", field(run, "state")),
        ("time", field(run, "time")),
        ("ended", field(run, "ended")),
    ];
    let counts = run.get("counts").and_then(Value::as_object);
    facts.extend(counts.into_iter().flatten().map(|(name, n)| (name.as_str(), n.to_string())));
    pairs(&facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_reads_well() {
        let run = json!({
            "number": 3, "id": "r", "time": "2026-01-01T00:00:00Z", "state": "complete", "ended": "2026-01-01T00:00:01Z",
            "counts": {"documents": 12, "unchanged": 4}, "reason": null, "resumed": false,
        });
        insta::assert_snapshot!(human(&run), @"
        run        3
        state      complete
        time       2026-01-01T00:00:00Z
        ended      2026-01-01T00:00:01Z
        documents  12
        unchanged  4
        ");
        assert_eq!(human(&json!({"state": "running"})), "state  running\n");
    }
}
