//! `tenter telemetry event-counts`.

use serde_json::{Value, json};

use crate::cli::Context;
use crate::error::{CliError, Kind};
use crate::output::{Column, field};

/// Which counts.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only of this group: te, tasks_by_src or secondary_hooks.
    #[arg(short, long)]
    group: Option<String>,
    /// In this interval of event_logging.yml, such as 5m; without it, since the start.
    #[arg(short, long)]
    interval: Option<String>,
    /// Only the interval that is over.
    #[arg(long, requires = "interval", conflicts_with_all = ["current", "both"])]
    last: bool,
    /// Only the interval that has begun.
    #[arg(long, requires = "interval", conflicts_with = "both")]
    current: bool,
    /// Both, which is what is shown anyway.
    #[arg(long, requires = "interval")]
    both: bool,
}

/// Asks the server and prints a row for each event.
///
/// # Errors
/// When there is no server, it refuses, or there is no such group or interval.
pub(super) fn run(args: &Args, context: &Context) -> anyhow::Result<()> {
    let status = context.client()?.get("/api/v1/status")?;
    let rows = rows(args, status.get("events").unwrap_or(&Value::Null))?;
    let mut columns: Vec<Column<'_>> = vec![("group", &|r| field(r, "group")), ("event", &|r| field(r, "event"))];
    let (total, last, current): (Column<'_>, Column<'_>, Column<'_>) =
        (("total", &|r| field(r, "total")), ("last", &|r| field(r, "last")), ("current", &|r| field(r, "current")));
    match args.interval {
        None => columns.push(total),
        Some(_) => {
            if !args.current {
                columns.push(last);
            }
            if !args.last {
                columns.push(current);
            }
        }
    }
    context.out.list(&rows, &columns)
}

fn rows(args: &Args, events: &Value) -> Result<Vec<Value>, CliError> {
    let groups = events.as_object().into_iter().flatten();
    let mut groups: Vec<(&String, &Value)> = groups.collect();
    if let Some(wanted) = &args.group {
        let names: Vec<&str> = groups.iter().map(|(name, _)| name.as_str()).collect();
        let help = format!("groups are {}", names.join(", "));
        groups.retain(|(name, _)| *name == wanted);
        if groups.is_empty() {
            return Err(CliError::new(Kind::NotFound, format!("there is no group of events {wanted:?}")).help(help));
        }
    }
    let number = |of: Option<&Value>, event: &str| of.and_then(|c| c.get(event)).and_then(Value::as_u64).unwrap_or(0);
    let mut rows = Vec::new();
    let mut known = Vec::new();
    let mut found = false;
    for (group, counted) in groups {
        let intervals = counted.get("intervals").and_then(Value::as_object);
        known.extend(intervals.into_iter().flatten().map(|(name, _)| format!("{name} of {group}")));
        let events = |counts: Option<&Value>| -> Vec<String> {
            counts.and_then(Value::as_object).into_iter().flatten().map(|(event, _)| event.clone()).collect()
        };
        match &args.interval {
            None => {
                found = true;
                let total = counted.get("total");
                let row = |event: &String| json!({"group": group, "event": event, "total": number(total, event)});
                rows.extend(events(total).iter().map(row));
            }
            Some(name) => {
                let Some(interval) = intervals.and_then(|all| all.get(name)) else { continue };
                found = true;
                let (last, current) = (interval.get("last"), interval.get("current"));
                let mut names: Vec<String> = Vec::new();
                names.extend(if args.current { Vec::new() } else { events(last) });
                names.extend(if args.last { Vec::new() } else { events(current) });
                names.sort();
                names.dedup();
                rows.extend(names.iter().map(|event| {
                    let mut row = json!({"group": group, "interval": name, "event": event});
                    if let Some(row) = row.as_object_mut() {
                        if !args.current {
                            row.insert("last".to_owned(), number(last, event).into());
                        }
                        if !args.last {
                            row.insert("current".to_owned(), number(current, event).into());
                        }
                    }
                    row
                }));
            }
        }
    }
    if !found && args.interval.is_some() {
        let wanted = args.interval.as_deref().unwrap_or_default();
        let help = if known.is_empty() {
            "event_logging.yml names none; it says for which groups which intervals are kept".to_owned()
        } else {
            format!("there are {}", known.join(", "))
        };
        return Err(CliError::new(Kind::NotFound, format!("there is no interval {wanted:?}")).help(help));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(group: Option<&str>, interval: Option<&str>) -> Args {
        let own = |text: Option<&str>| text.map(str::to_owned);
        Args { group: own(group), interval: own(interval), last: false, current: false, both: false }
    }

    #[test]
    fn events_are_rows_of_their_group_and_interval() {
        let events = json!({
            "te": {"total": {"record_created": 3, "task_processed": 4},
                "intervals": {"5m": {"began": "t", "last": {"task_processed": 2}, "current": {"record_created": 1}}}},
            "tasks_by_src": {"total": {"zeek": 4}, "intervals": {}},
        });
        let all = |args: &Args| Value::Array(rows(args, &events).unwrap());
        assert_eq!(all(&args(None, None)).as_array().unwrap().len(), 3);
        assert_eq!(
            all(&args(Some("tasks_by_src"), None)),
            json!([{"group": "tasks_by_src", "event": "zeek", "total": 4}])
        );
        assert_eq!(
            all(&args(None, Some("5m"))),
            json!([
                {"group": "te", "interval": "5m", "event": "record_created", "last": 0, "current": 1},
                {"group": "te", "interval": "5m", "event": "task_processed", "last": 2, "current": 0},
            ])
        );
        let last = Args { last: true, ..args(None, Some("5m")) };
        assert_eq!(all(&last), json!([{"group": "te", "interval": "5m", "event": "task_processed", "last": 2}]));
        let error = rows(&args(None, Some("1h")), &events).unwrap_err();
        assert_eq!((error.kind, error.help.as_deref()), (Kind::NotFound, Some("there are 5m of te")));
        assert_eq!(rows(&args(Some("x"), None), &events).unwrap_err().kind, Kind::NotFound);
    }
}
