//! Entity types, entities of a type, and what can be counted of them.

use std::cell::RefCell;

use serde_json::{Map, Value, json};

use crate::cli::Context;
use crate::cli::pages::{self, Window};
use crate::client::{Peer, part, query};
use crate::error::{CliError, Kind};
use crate::output::{Column, Format, drawn, field, members};

use super::filter::Filters;
use super::show::wide;

/// Ids asked for in one request of what is stored.
const STORED: u64 = 1_000;

/// What is listed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The entity type.
    etype: Option<String>,
    /// Which of them.
    #[command(flatten)]
    filters: Filters,
    /// Order by this attribute, `eid` or `NAME:-1` for descending; repeatable.
    #[arg(long, value_name = "ATTR", requires = "etype")]
    sort: Vec<String>,
    /// How many.
    #[command(flatten)]
    window: Window,
    /// List what is stored, by id, instead of the latest snapshot.
    #[arg(long, requires = "etype", conflicts_with_all = ["fulltext", "filter", "has_attr", "sort", "skip"])]
    stored: bool,
    /// Begin after this id, of what is stored.
    #[arg(long, value_name = "EID", requires = "etype", conflicts_with_all = ["fulltext", "filter", "has_attr", "sort", "skip"])]
    after: Option<String>,
}

/// Lists types or entities.
///
/// # Errors
/// When there is no server or it refuses.
pub(super) fn run(args: &Args, context: &Context) -> anyhow::Result<()> {
    match &args.etype {
        None if args.window != Window::default() => {
            Err(CliError::new(Kind::Usage, "--skip and --limit are for entities of a type")
                .help("name the type: `tenter entity list ETYPE`")
                .into())
        }
        None => types(context),
        Some(etype) if args.stored || args.after.is_some() => stored(etype, args, context),
        Some(etype) => snapshots(etype, args, context),
    }
}

/// `entity count`.
///
/// # Errors
/// When there is no server or it refuses.
pub(super) fn count(etype: &str, filters: &Filters, context: &Context) -> anyhow::Result<()> {
    let asked = query(&filters.asked()?);
    let answer = context.client()?.get(&format!("/entity/{}/count{asked}", part(etype)))?;
    context.out.one(&answer, |a| format!("{}\n", field(a, "total_count")))
}

/// `entity attr-values`.
///
/// # Errors
/// When there is no server or it refuses.
pub(super) fn values(etype: &str, attr: &str, context: &Context) -> anyhow::Result<()> {
    let answer = context.client()?.get(&format!("/entity/{}/_/distinct/{}", part(etype), part(attr)))?;
    let counts = answer.as_object().into_iter().flatten();
    let mut rows: Vec<Value> = counts.map(|(value, n)| json!({"value": value, "entities": n})).collect();
    // A stable sort: equal counts stay in the order of the values.
    rows.sort_by_key(|row| std::cmp::Reverse(row.get("entities").and_then(Value::as_u64)));
    context.out.by_name(&answer, &rows, &[("value", &|r| field(r, "value")), ("entities", &|r| field(r, "entities"))])
}

fn types(context: &Context) -> anyhow::Result<()> {
    let answer = context.client()?.get("/entities")?;
    let types: Vec<Value> = answer.as_object().map_or_else(Vec::new, |o| o.values().cloned().collect());
    context.out.list(
        &types,
        &[
            ("type", &|t| field(t, "id")),
            ("name", &|t| field(t, "name")),
            ("entities", &|t| field(t, "eid_estimate_count")),
            ("attributes", &|t| t.get("attribs").and_then(Value::as_object).map_or(0, Map::len).to_string()),
        ],
    )?;
    if let Some(first) = types.first() {
        context.out.next(&format!("tenter entity list {}", field(first, "id")));
    }
    Ok(())
}

fn snapshots(etype: &str, args: &Args, context: &Context) -> anyhow::Result<()> {
    let client = context.client()?;
    let mut asked = args.filters.asked()?;
    asked.extend(args.sort.iter().map(|sort| ("sort", Some(sort.clone()))));
    let time = RefCell::new(String::new());
    let fetch = |skip: u64, limit: u64| {
        let mut asked = asked.clone();
        asked.extend([("skip", Some(skip.to_string())), ("limit", Some(limit.to_string()))]);
        let answer = client.get(&format!("/entity/{}/get{}", part(etype), query(&asked)))?;
        match field(&answer, "time_created") {
            none if none.is_empty() => {}
            newer => *time.borrow_mut() = newer,
        }
        Ok(members(&answer, "data").to_vec())
    };
    let same = |a: &Value, b: &Value| a.get("eid") == b.get("eid");
    let (mut rows, mut first) = (context.out.rows(), None);
    let end = pages::read(args.window, fetch, same, |page| {
        first = first.take().or_else(|| page.first().map(|e| field(e, "eid")));
        rows.page(page)
    })?;
    let mut hidden = Vec::new();
    let width = context.out.width();
    let shown = rows.end(|items| wide(items, width, &mut hidden))?;
    let time = time.into_inner();
    if !time.is_empty() && context.out.format == Format::Table {
        context.out.note(&format!("values of the snapshot of {time}"));
    }
    if !hidden.is_empty() {
        context.out.note(&format!("there is no room for {}; `-o json` shows all", hidden.join(", ")));
    }
    pages::tell(end, args.window, shown, context);
    match first {
        Some(eid) => context.out.next(&format!("tenter entity get {etype} {eid}")),
        None if args.window.skip > 0 => context.out.note(&format!("there are not more than {}", args.window.skip)),
        None if !args.filters.is_empty() => context.out.note(&format!("no {etype} passes")),
        None => empty(etype, context)?,
    }
    Ok(())
}

/// Says why a type has nothing to show.
fn empty(etype: &str, context: &Context) -> anyhow::Result<()> {
    if context.out.quiet {
        return Ok(());
    }
    let client = context.client()?;
    let answer = client.get("/entities")?;
    let n = answer.get(etype).and_then(|t| t.get("eid_estimate_count")).and_then(Value::as_u64).unwrap_or(0);
    if n == 0 {
        context.out.note(&format!("there is no {etype} yet"));
        return Ok(());
    }
    context.out.note(&format!("no snapshot has an entity of type {etype} yet, though {n} are stored"));
    let ours = matches!(client.peer(), Ok(Peer::Tenter { .. }));
    if ours {
        context.out.note(&format!("`tenter entity list {etype} --stored` lists them"));
    }
    context.out.next(if ours { "tenter snapshot run" } else { "tenter control make_snapshots" });
    Ok(())
}

/// By id and page by page: an entity that was there all the time comes once, whatever else comes and goes.
fn stored(etype: &str, args: &Args, context: &Context) -> anyhow::Result<()> {
    let client = context.client()?;
    let (mut left, mut after) = (args.window.most(), args.after.clone());
    let (mut rows, mut first) = (context.out.rows(), None);
    loop {
        let asked = query(&[("after", after.clone()), ("limit", Some(STORED.min(left).to_string()))]);
        let answer = client.get(&format!("/api/v1/entities/{}{asked}", part(etype)))?;
        let page = members(&answer, "entities");
        first = first.or_else(|| page.first().map(|e| field(e, "eid")));
        rows.page(page)?;
        left = left.saturating_sub(page.len() as u64);
        after = answer.get("next").filter(|next| !next.is_null()).map(|next| field(next, ""));
        if after.is_none() || left == 0 {
            break;
        }
    }
    let columns: [Column<'_>; 3] =
        [("eid", &|e| field(e, "eid")), ("created", &|e| field(e, "created")), ("revision", &|e| field(e, "revision"))];
    rows.end(|items| drawn(items, &columns))?;
    match (after, first) {
        (Some(after), _) => {
            context.out.note(&format!("there may be more: `tenter entity list {etype} --after {after}` goes on"));
        }
        (None, Some(eid)) => context.out.next(&format!("tenter entity master {etype} {eid}")),
        (None, None) => context.out.note(&format!("there is no {etype} yet")),
    }
    Ok(())
}
