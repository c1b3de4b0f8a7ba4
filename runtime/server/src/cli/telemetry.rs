//! `tenter telemetry`: how data come in and what becomes of them, by the names that DP³ has for it.
//!
//! What DP³ answers over HTTP works against both kinds of servers. Event counts are our server's alone: DP³ keeps them in
//! a database of its own and answers no request for them.

use serde_json::{Value, json};
use tenter_model::Timestamp;

use crate::cli::Context;
use crate::cli::pages::{self, Window};
use crate::client::query;
use crate::output::{Column, cut, drawn, field, members, pairs};

mod events;

/// Most characters of a note's body in a table.
const WIDEST: usize = 100;

/// What is shown.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Until when each source has told something.
    SourcesValidity,
    /// How long ago that is.
    SourceAge {
        /// In what.
        #[arg(short, long, default_value = "minutes", value_parser = ["minutes", "seconds"])]
        unit: String,
    },
    /// How many entities have each attribute.
    EntitiesPerAttr,
    /// How much room the histories of each attribute take.
    #[command(alias = "attribute-bson-sizes")]
    AttributeSizes,
    /// How old the latest snapshot is, and what it took.
    SnapshotSummary,
    /// What runs and jobs noted.
    Metadata(Metadata),
    /// What waits in the queues.
    #[command(alias = "rabbitmq-queues")]
    Queues,
    /// How often things happened: since the start, or in an interval of event_logging.yml.
    EventCounts(events::Args),
}

/// Which notes.
#[derive(Debug, clap::Args)]
pub(crate) struct Metadata {
    /// Only of this part of the platform, such as SnapShooter.
    #[arg(short, long)]
    module: Option<String>,
    /// Not before this time.
    #[arg(short, long, value_name = "TIME", value_parser = super::time)]
    from: Option<Timestamp>,
    /// Not after this time.
    #[arg(short, long, value_name = "TIME", value_parser = super::time)]
    to: Option<Timestamp>,
    /// Which come first.
    #[arg(short = 'S', long, default_value = "newest", value_parser = ["newest", "oldest"])]
    sort: String,
    /// How many.
    #[command(flatten)]
    window: Window,
}

/// Asks the server and prints what it says.
///
/// # Errors
/// When there is no server or it refuses.
pub(crate) fn run(command: &Command, context: &Context) -> anyhow::Result<()> {
    let get = |path: &str| Ok::<_, anyhow::Error>(context.client()?.get(path)?);
    match command {
        Command::SourcesValidity => sources(&get("/telemetry/sources_validity")?, "until", context),
        Command::SourceAge { unit } => {
            let asked = query(&[("unit", Some(unit.clone()))]);
            sources(&get(&format!("/telemetry/sources_age{asked}"))?, unit, context)
        }
        Command::EntitiesPerAttr => {
            let answer = get("/telemetry/entities_per_attr")?;
            let rows = by_attribute(&answer, |n| json!({"entities": n}));
            context.out.by_name(
                &answer,
                &rows,
                &[
                    ("type", &|r| field(r, "etype")),
                    ("attribute", &|r| field(r, "attr")),
                    ("entities", &|r| field(r, "entities")),
                ],
            )
        }
        Command::AttributeSizes => sizes(&get("/telemetry/attribute_bson_sizes")?, context),
        Command::SnapshotSummary => context.out.one(&get("/telemetry/snapshot_summary")?, |answer| {
            let seconds = |name: &str| Some(field(answer, name)).filter(|s| !s.is_empty()).map(|s| format!("{s} s"));
            let never = || "never".to_owned();
            pairs(&[
                ("begun", seconds("latest_age").map_or_else(never, |s| format!("{s} ago"))),
                ("finished", seconds("finished_age").map_or_else(never, |s| format!("{s} ago"))),
                ("entities", field(answer, "entities")),
                ("took", seconds("total_s").unwrap_or_default()),
            ])
        }),
        Command::Metadata(args) => metadata(args, context),
        Command::Queues => queues(&get("/telemetry/rabbitmq/queues")?, context),
        Command::EventCounts(args) => events::run(args, context),
    }
}

/// What is said by source.
fn sources(answer: &Value, what: &str, context: &Context) -> anyhow::Result<()> {
    let by_source = answer.as_object().into_iter().flatten();
    let rows: Vec<Value> = by_source.map(|(src, value)| json!({"source": src, what: value})).collect();
    context.out.by_name(answer, &rows, &[("source", &|r| field(r, "source")), (what, &|r| field(r, what))])
}

/// A row for each attribute of each type, with what `told` makes of its value.
fn by_attribute(answer: &Value, told: impl Fn(&Value) -> Value) -> Vec<Value> {
    let mut rows = Vec::new();
    for (etype, attributes) in answer.as_object().into_iter().flatten() {
        for (attr, value) in attributes.as_object().into_iter().flatten() {
            let mut row = json!({"etype": etype, "attr": attr});
            if let (Some(row), Value::Object(more)) = (row.as_object_mut(), told(value)) {
                row.extend(more);
            }
            rows.push(row);
        }
    }
    rows
}

fn sizes(answer: &Value, context: &Context) -> anyhow::Result<()> {
    let types = answer.as_object().into_iter().flatten();
    let attributes = types.map(|(etype, of)| (etype.clone(), of.get("attributes").cloned().unwrap_or_default()));
    let rows = by_attribute(&attributes.collect(), Value::clone);
    let columns: [Column<'_>; 7] = [
        ("type", &|r| field(r, "etype")),
        ("attribute", &|r| field(r, "attr")),
        ("entities", &|r| field(r, "count")),
        ("min", &|r| field(r, "min")),
        ("mean", &|r| field(r, "mean")),
        ("max", &|r| field(r, "max")),
        ("bytes", &|r| field(r, "total")),
    ];
    context.out.by_name(answer, &rows, &columns)
}

fn metadata(args: &Metadata, context: &Context) -> anyhow::Result<()> {
    let client = context.client()?;
    let fetch = |skip: u64, limit: u64| {
        let asked = query(&[
            ("module", args.module.clone()),
            ("date_from", args.from.map(|t| t.to_string())),
            ("date_to", args.to.map(|t| t.to_string())),
            ("sort", Some(args.sort.clone())),
            ("skip", Some(skip.to_string())),
            ("limit", Some(limit.to_string())),
        ]);
        let answer = client.get(&format!("/telemetry/metadata{asked}"))?;
        Ok(answer.as_array().map_or_else(Vec::new, Clone::clone))
    };
    // A note goes on being written while its run goes on, under the same name.
    let same = |a: &Value, b: &Value| match (a.get("_id"), b.get("_id")) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    };
    let mut rows = context.out.rows();
    let end = pages::read(args.window, fetch, same, |page| rows.page(page))?;
    let columns: [Column<'_>; 4] = [
        ("time", &|n| field(n, "#time_created")),
        ("module", &|n| field(n, "#module")),
        ("updated", &|n| field(n, "#last_update")),
        ("note", &note),
    ];
    let shown = rows.end(|items| drawn(items, &columns))?;
    pages::tell(end, args.window, shown, context);
    Ok(())
}

/// What a note holds beside what every note has.
fn note(item: &Value) -> String {
    let own = item.as_object().into_iter().flatten().filter(|(name, _)| !name.starts_with(['#', '_']));
    let shown = own.map(|(name, value)| match value {
        Value::String(text) => format!("{name}={text}"),
        other => format!("{name}={other}"),
    });
    cut(&shown.collect::<Vec<_>>().join(" "), WIDEST)
}

fn queues(answer: &Value, context: &Context) -> anyhow::Result<()> {
    let columns: [Column<'_>; 8] = [
        ("queue", &|q| field(q, "name")),
        ("total", &|q| field(q, "total")),
        ("ready", &|q| field(q, "ready")),
        ("unacked", &|q| field(q, "unacked")),
        ("consumers", &|q| field(q, "consumers")),
        ("bytes", &|q| field(q, "message_bytes")),
        ("in/s", &|q| field(q, "incoming")),
        ("out/s", &|q| field(q, "outgoing")),
    ];
    context.out.by_name(answer, members(answer, "queues"), &columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_of_types_are_rows() {
        let rows = by_attribute(&json!({"ip": {"a": 1, "b": 2}, "url": {}}), |n| json!({"entities": n}));
        assert_eq!(
            Value::Array(rows),
            json!([{"etype": "ip", "attr": "a", "entities": 1}, {"etype": "ip", "attr": "b", "entities": 2}])
        );
    }

    #[test]
    fn a_note_is_a_line() {
        let item = json!({"_id": "x", "#module": "SnapShooter", "state": "complete", "entities": 3});
        assert_eq!(note(&item), "entities=3 state=complete");
    }
}
