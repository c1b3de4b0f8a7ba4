//! One entity: what is known of it, and changes to it.

use serde_json::{Map, Value, json};

use crate::cli::Context;
use crate::cli::pages::{self, Window};
use crate::client::{part, query};
use crate::error::{CliError, Kind};
use crate::output::{Column, drawn, field, members};

use super::show::{self, history, snapshot, value};
use super::{Dates, Entity, Route};

/// `entity get` without an attribute.
///
/// # Errors
/// When there is no server, it refuses, or nothing is known of the entity.
pub(super) fn whole(entity: &Entity, dates: &Dates, context: &Context) -> anyhow::Result<()> {
    let answer = context.client()?.get(&entity.path(Route::Whole, &dates.asked()))?;
    if answer.get("empty") == Some(&Value::Bool(true)) {
        return Err(unknown(entity).into());
    }
    context.out.one(&answer, show::whole)?;
    context.out.next(&format!("tenter entity snapshots {}", entity.words()));
    Ok(())
}

/// `entity master`.
///
/// # Errors
/// When there is no server, it refuses, or nothing is stored of the entity.
pub(super) fn master(entity: &Entity, dates: &Dates, context: &Context) -> anyhow::Result<()> {
    let answer = context.client()?.get(&entity.path(Route::Master, &dates.asked()))?;
    if answer.as_object().is_none_or(Map::is_empty) {
        return Err(unknown(entity).into());
    }
    context.out.one(&answer, |a| format!("{a:#}\n"))
}

/// An unknown id is no error in DP³: all that is said of it is empty.
fn unknown(entity: &Entity) -> CliError {
    CliError::new(Kind::NotFound, format!("there is no {} {:?}", entity.etype, entity.eid))
        .help(format!("`tenter entity list {}` shows what there is", entity.etype))
}

/// `entity get` with an attribute, and `entity attr get`.
///
/// # Errors
/// When there is no server or it refuses.
pub(super) fn attribute(entity: &Entity, attr: &str, dates: &Dates, context: &Context) -> anyhow::Result<()> {
    let answer = context.client()?.get(&entity.path(Route::Get(attr), &dates.asked()))?;
    context.out.one(&answer, history)?;
    context.out.next(&format!("tenter entity raw {} --eid {} --attr {attr}", entity.etype, entity.eid));
    Ok(())
}

/// `entity attr set`.
///
/// # Errors
/// When there is no server or it refuses.
pub(super) fn set(entity: &Entity, attr: &str, value: &Value, context: &Context) -> anyhow::Result<()> {
    let path = entity.path(Route::Set(attr), &[]);
    let answer = context.client()?.send("POST", &path, Some(&json!({"value": value})))?;
    context.out.one(&answer, |_| format!("{attr} of {} will be {value}\n", entity.words()))?;
    context.out.next(&format!("tenter entity attr get {} {attr}", entity.words()));
    Ok(())
}

/// `entity snapshots`.
///
/// # Errors
/// When there is no server or it refuses.
pub(super) fn snapshots(entity: &Entity, dates: &Dates, window: Window, context: &Context) -> anyhow::Result<()> {
    let client = context.client()?;
    let fetch = |skip: u64, limit: u64| {
        let mut asked = dates.asked().to_vec();
        asked.extend([("skip", Some(skip.to_string())), ("limit", Some(limit.to_string()))]);
        let answer = client.get(&entity.path(Route::Snapshots, &asked))?;
        Ok(answer.as_array().map_or_else(Vec::new, Clone::clone))
    };
    let same = |a: &Value, b: &Value| a.get("_time_created") == b.get("_time_created");
    let mut rows = context.out.rows();
    let end = pages::read(window, fetch, same, |page| rows.page(page))?;
    let columns: [Column<'_>; 2] = [("time", &|d| field(d, "_time_created")), ("values", &snapshot)];
    let shown = rows.end(|items| drawn(items, &columns))?;
    pages::tell(end, window, shown, context);
    if shown == 0 {
        context.out.next("tenter control make_snapshots");
    }
    Ok(())
}

/// `entity provenance`.
///
/// # Errors
/// When there is no server or it refuses.
pub(super) fn provenance(
    entity: &Entity,
    attr: Option<String>,
    skip: u32,
    limit: u32,
    context: &Context,
) -> anyhow::Result<()> {
    let asked = query(&[("attr", attr), ("skip", Some(skip.to_string())), ("limit", Some(limit.to_string()))]);
    let (etype, eid) = (part(&entity.etype), part(&entity.eid));
    let answer = context.client()?.get(&format!("/api/v1/entities/{etype}/{eid}/provenance{asked}"))?;
    let points = members(&answer, "datapoints");
    let columns: [Column<'_>; 6] = [
        ("at", &|d| field(d, "at")),
        ("attr", &|d| field(d, "attr")),
        ("value", &|d| value(d.get("v"))),
        ("src", &|d| field(d, "src")),
        ("written by", &writer),
        ("call", &|d| field(d, "written_by.invocation")),
    ];
    context.out.list(points, &columns)?;
    let kept = points.iter().find(|d| d.pointer("/written_by/kept") == Some(&Value::Bool(true)));
    match kept {
        Some(point) => context.out.next(&format!("tenter invocation show {}", field(point, "written_by.invocation"))),
        None => context.out.next(&format!("tenter why {}", entity.words())),
    }
    Ok(())
}

/// Module, version and hook; datapoints from outside have none.
fn writer(point: &Value) -> String {
    let names = ["module", "version", "hook"].map(|name| field(point, &format!("written_by.{name}")));
    if names.iter().all(String::is_empty) { "from outside".to_owned() } else { names.join(" ").trim_end().to_owned() }
}

/// `entity delete`.
///
/// # Errors
/// When there is no server or it refuses.
pub(super) fn delete(entity: &Entity, context: &Context) -> anyhow::Result<()> {
    let answer = context.client()?.send("DELETE", &entity.path(Route::Whole, &[]), None)?;
    context.out.one(&answer, |_| format!("{} will be removed\n", entity.words()))?;
    context.out.next(&format!("tenter entity master {}", entity.words()));
    Ok(())
}

/// `entity ttl`.
///
/// # Errors
/// When there is no server or it refuses.
pub(super) fn ttl(entity: &Entity, tokens: &Map<String, Value>, context: &Context) -> anyhow::Result<()> {
    let path = entity.path(Route::Ttl, &[]);
    let answer = context.client()?.send("POST", &path, Some(&tokens.clone().into()))?;
    context.out.one(&answer, |_| format!("{} lives on\n", entity.words()))?;
    context.out.next(&format!("tenter entity master {}", entity.words()));
    Ok(())
}
