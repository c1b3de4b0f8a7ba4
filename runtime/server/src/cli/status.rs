//! `tenter status`: how the server is doing.

use serde_json::Value;

use crate::cli::Context;
use crate::error::{CliError, Kind};
use crate::output::{Column, field, pairs, table};

/// Most events of a group that are shown; `-o json` has all.
const MAX_EVENTS: usize = 8;

/// What it is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Count every row and say whether each task that entered has exactly one end; exit code 1 when not.
    #[arg(long)]
    reconcile: bool,
}

/// Asks the server and prints what it says.
///
/// # Errors
/// When there is no server or it refuses, and when the books do not balance.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<()> {
    if args.reconcile {
        return reconcile(context);
    }
    let status = context.client()?.get("/api/v1/status")?;
    context.out.one(&status, human)?;
    crate::cli::module::tell_missing(&status, "missing_modules", context);
    if status.get("writable") == Some(&Value::Bool(false)) {
        context.out.note("the store cannot be written; datapoints are refused until it can");
    }
    if status.pointer("/tasks/dead").and_then(Value::as_u64).is_some_and(|n| n > 0) {
        context.out.next("tenter deadletter list");
    } else {
        context.out.next("tenter module list");
    }
    Ok(())
}

fn reconcile(context: &Context) -> anyhow::Result<()> {
    let books = context.patient_client(600)?.get("/api/v1/reconcile")?;
    context.out.one(&books, sum)?;
    let holds = |name: &str| books.get(name) == Some(&Value::Bool(true));
    let misfits: Vec<&str> =
        books.get("misfits").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    if holds("reconciles") && holds("rows_agree") && misfits.is_empty() {
        return Ok(());
    }
    let what = match (holds("reconciles"), holds("rows_agree")) {
        (false, _) => "the sum does not hold".to_owned(),
        (true, false) => "the stored counts differ from the rows".to_owned(),
        (true, true) => misfits.join("; "),
    };
    Err(CliError::new(Kind::Failed, format!("the books do not balance: {what}"))
        .help(
            "keep a copy of the data folder; `tenter backup create` and `tenter backup verify FILE` name what is wrong",
        )
        .into())
}

/// The equation, by the stored counts and by the rows.
fn sum(books: &Value) -> String {
    let line = |which: &str| {
        let n = |name: &str| field(books, &format!("{which}.{name}"));
        format!(
            "{which:8} {} accepted = {} applied + {} denied + {} dead + {} pending; {} datapoints, {} derived\n",
            n("accepted"),
            n("applied"),
            n("denied"),
            n("dead"),
            n("pending"),
            n("raw_points"),
            n("derived_points")
        )
    };
    line("stored") + &line("counted")
}

/// The status for people: facts, counters, and a table of hook calls.
fn human(status: &Value) -> String {
    let counters = |key: &str, names: &[&str]| {
        let found = names.iter().map(|n| (n, field(status, &format!("{key}.{n}")))).filter(|(_, v)| !v.is_empty());
        found.map(|(n, v)| format!("{v} {n}")).collect::<Vec<_>>().join(", ")
    };
    let entities = status.get("entities").and_then(Value::as_object).map_or(String::new(), |types| {
        types.iter().map(|(etype, n)| format!("{n} {etype}")).collect::<Vec<_>>().join(", ")
    });
    let uptime = status.get("uptime_s").and_then(Value::as_f64).map_or(String::new(), uptime);
    let mut text = pairs(&[
        ("server", format!("tenter {} at {}", field(status, "version"), field(status, "url"))),
        ("uptime", uptime),
        ("lanes", field(status, "lanes")),
        ("writable", field(status, "writable")),
        ("problem", field(status, "problem")),
        ("entities", entities),
        ("tasks", counters("tasks", &["accepted", "applied", "denied", "dead", "pending", "duplicates"])),
        ("datapoints", counters("datapoints", &["received", "derived"])),
        ("events", events(status, "te")),
        ("sources", events(status, "tasks_by_src")),
    ]);
    let empty = Vec::new();
    let calls = status.get("hook_calls").and_then(Value::as_array).unwrap_or(&empty);
    if !calls.is_empty() {
        let columns: [Column<'_>; 8] = [
            ("module", &|c| field(c, "module")),
            ("hook", &|c| field(c, "hook")),
            ("calls", &|c| field(c, "calls")),
            ("faults", &|c| field(c, "faults")),
            ("errors", &|c| field(c, "errors")),
            ("tasks", &|c| field(c, "tasks")),
            ("fuel/call", &|c| mean(c, "fuel")),
            ("us/call", &|c| mean(c, "micros")),
        ];
        let rows = calls.iter().map(|call| columns.iter().map(|c| c.1(call)).collect()).collect();
        text.push('\n');
        text.push_str(&table(&columns.map(|c| c.0), rows));
    }
    text
}

/// What happened of a group of events, most frequent first.
fn events(status: &Value, group: &str) -> String {
    let counted = status.pointer(&format!("/events/{group}/total")).and_then(Value::as_object);
    let mut counted: Vec<_> = counted.into_iter().flatten().filter_map(|(name, n)| Some((n.as_u64()?, name))).collect();
    counted.retain(|(n, _)| *n > 0);
    counted.sort_by_key(|(n, name)| (std::cmp::Reverse(*n), *name));
    let left = counted.len().saturating_sub(MAX_EVENTS);
    let mut shown: Vec<String> = counted.iter().take(MAX_EVENTS).map(|(n, name)| format!("{n} {name}")).collect();
    if left > 0 {
        shown.push(format!("and {left} more"));
    }
    shown.join(", ")
}

/// A counter divided by the number of calls.
fn mean(call: &Value, name: &str) -> String {
    let number = |key: &str| call.get(key).and_then(Value::as_u64);
    match (number(name), number("calls")) {
        (Some(sum), Some(calls)) if calls > 0 => (sum / calls).to_string(),
        _ => String::new(),
    }
}

fn uptime(seconds: f64) -> String {
    // Negative and absurd numbers become the ends of the range.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "such casts saturate")]
    let s = seconds as u64;
    match (s / 86_400, s / 3_600 % 24, s / 60 % 60, s % 60) {
        (0, 0, 0, s) => format!("{s}s"),
        (0, 0, m, s) => format!("{m}m {s}s"),
        (0, h, m, _) => format!("{h}h {m}m"),
        (d, h, _, _) => format!("{d}d {h}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_status_reads_well() {
        let status = json!({
            "version": "0.1.0", "url": "http://127.0.0.1:5000", "lanes": 2, "uptime_s": 3700, "writable": true,
            "problem": null, "entities": {"ip": 12, "domain": 3},
            "tasks": {"accepted": 20, "applied": 19, "denied": 0, "dead": 1, "pending": 0, "duplicates": 2},
            "datapoints": {"received": 40, "derived": 12},
            "events": {"te": {"total": {"task_processed": 19, "record_created": 15, "module_error": 0}},
                "tasks_by_src": {"total": {"zeek": 4, "a": 9}}},
            "hook_calls": [{"module": "label", "hook": "on-entity-creation", "calls": 4, "faults": 0, "errors": 1,
                "tasks": 3, "denials": 0, "fuel": 40_002, "micros": 80, "memory_bytes": 1_114_112}],
        });
        insta::assert_snapshot!(human(&status), @"
        server      tenter 0.1.0 at http://127.0.0.1:5000
        uptime      1h 1m
        lanes       2
        writable    yes
        entities    3 domain, 12 ip
        tasks       20 accepted, 19 applied, 0 denied, 1 dead, 0 pending, 2 duplicates
        datapoints  40 received, 12 derived
        events      19 task_processed, 15 record_created
        sources     9 a, 4 zeek

        MODULE  HOOK                CALLS  FAULTS  ERRORS  TASKS  FUEL/CALL  US/CALL
        label   on-entity-creation  4      0       1       3      10000      20
        ");
    }
}
