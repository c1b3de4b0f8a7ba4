//! `tenter entity`: what is known of entities. Reads and writes over DP³'s paths.

use serde_json::{Map, Value, json};
use tenter_model::Timestamp;

use crate::cli::Context;
use crate::client::{part, query};
use crate::error::{CliError, Kind};
use crate::output::{Column, field};

mod show;

use show::{history, value};

/// Ids asked for in one request.
const PAGE: u32 = 1_000;

/// What can be done.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List entity types, or the entities of one.
    List {
        /// The entity type.
        etype: Option<String>,
        /// Begin after this id.
        #[arg(long, value_name = "EID", requires = "etype")]
        after: Option<String>,
        /// At most this many; 0 = all.
        #[arg(long, default_value_t = 100, value_name = "N", requires = "etype")]
        limit: u32,
    },
    /// Show an attribute of an entity: its current value and its history.
    Get {
        /// The entity.
        #[command(flatten)]
        entity: Entity,
        /// The attribute.
        attr: String,
    },
    /// Show all that is stored of an entity.
    Master(Entity),
    /// Show datapoints as they came, newest first.
    Raw {
        /// The entity type.
        etype: String,
        /// Only of this entity.
        #[arg(long)]
        eid: Option<String>,
        /// Only of this attribute.
        #[arg(long)]
        attr: Option<String>,
        /// Only from this source.
        #[arg(long)]
        src: Option<String>,
        /// Leave out this many.
        #[arg(long, default_value_t = 0, value_name = "N")]
        skip: u32,
        /// At most this many; 0 = all.
        #[arg(long, default_value_t = 20, value_name = "N")]
        limit: u32,
    },
    /// Show the snapshots of an entity, oldest first.
    Snapshots {
        /// The entity.
        #[command(flatten)]
        entity: Entity,
        /// Leave out this many.
        #[arg(long, default_value_t = 0, value_name = "N")]
        skip: u32,
        /// At most this many; 0 = all.
        #[arg(long, default_value_t = 20, value_name = "N")]
        limit: u32,
    },
    /// Show who wrote the datapoints of an entity, newest first: module, version, hook and call.
    Provenance {
        /// The entity.
        #[command(flatten)]
        entity: Entity,
        /// Only of this attribute.
        #[arg(long)]
        attr: Option<String>,
        /// Leave out this many.
        #[arg(long, default_value_t = 0, value_name = "N")]
        skip: u32,
        /// At most this many, up to 1000.
        #[arg(long, default_value_t = 20, value_name = "N")]
        limit: u32,
    },
    /// Remove an entity.
    Delete(Entity),
    /// Set tokens that keep an entity of limited lifetime alive.
    Ttl {
        /// The entity.
        #[command(flatten)]
        entity: Entity,
        /// Tokens as NAME=TIME, the time in RFC 3339.
        #[arg(required = true, value_name = "NAME=TIME", value_parser = ttl_token)]
        tokens: Vec<(String, Timestamp)>,
    },
}

/// An entity.
#[derive(Debug, clap::Args)]
pub(crate) struct Entity {
    /// The entity type.
    etype: String,
    /// The entity's id.
    eid: String,
}

impl Entity {
    fn path(&self) -> String {
        format!("/entity/{}/{}", part(&self.etype), part(&self.eid))
    }
}

/// Does it.
///
/// # Errors
/// When there is no server or it refuses.
pub(crate) fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    match command {
        Command::List { etype: None, .. } => types(context),
        Command::List { etype: Some(etype), after, limit } => list(&etype, after, limit, context),
        Command::Get { entity, attr } => {
            let answer = context.client()?.get(&format!("{}/get/{}", entity.path(), part(&attr)))?;
            context.out.one(&answer, history)?;
            context.out.next(&format!("tenter entity raw {} --eid {} --attr {attr}", entity.etype, entity.eid));
            Ok(())
        }
        Command::Master(entity) => {
            let answer = context.client()?.get(&format!("{}/master", entity.path()))?;
            // An unknown id is no error in DP³: it has an empty record.
            if answer.as_object().is_none_or(Map::is_empty) {
                let message = format!("there is no {} {:?}", entity.etype, entity.eid);
                let help = format!("`tenter entity list {}` shows what there is", entity.etype);
                return Err(CliError::new(Kind::NotFound, message).help(help).into());
            }
            context.out.one(&answer, |a| format!("{a:#}\n"))
        }
        Command::Raw { etype, eid, attr, src, skip, limit } => {
            let number = |n: u32| Some(n.to_string());
            let asked =
                query(&[("eid", eid), ("attr", attr), ("src", src), ("skip", number(skip)), ("limit", number(limit))]);
            let answer = context.client()?.get(&format!("/entity/{}/raw/get{asked}", part(&etype)))?;
            let columns: [Column<'_>; 7] = [
                ("eid", &|d| field(d, "id")),
                ("attr", &|d| field(d, "attr")),
                ("value", &|d| value(d.get("v"))),
                ("t1", &|d| field(d, "t1")),
                ("t2", &|d| field(d, "t2")),
                ("c", &|d| field(d, "c")),
                ("src", &|d| field(d, "src")),
            ];
            context.out.list(items(&answer, "data"), &columns)
        }
        Command::Snapshots { entity, skip, limit } => {
            let number = |n: u32| Some(n.to_string());
            let asked = query(&[("skip", number(skip)), ("limit", number(limit))]);
            let answer = context.client()?.get(&format!("{}/snapshots{asked}", entity.path()))?;
            let found = answer.as_array().map_or(&[][..], Vec::as_slice);
            let values = |d: &Value| {
                let all = d.as_object().into_iter().flatten();
                let own =
                    all.filter(|(name, _)| !name.contains('#') && !["eid", "_time_created"].contains(&name.as_str()));
                own.map(|(name, v)| format!("{name}={}", value(Some(v)))).collect::<Vec<_>>().join(" ")
            };
            context.out.list(found, &[("time", &|d| field(d, "_time_created")), ("values", &values)])?;
            if found.is_empty() {
                context.out.next("tenter snapshot run");
            }
            Ok(())
        }
        Command::Provenance { entity, attr, skip, limit } => {
            let number = |n: u32| Some(n.to_string());
            let asked = query(&[("attr", attr), ("skip", number(skip)), ("limit", number(limit))]);
            let (etype, eid) = (part(&entity.etype), part(&entity.eid));
            let answer = context.client()?.get(&format!("/api/v1/entities/{etype}/{eid}/provenance{asked}"))?;
            provenance(&answer, &entity, context)
        }
        Command::Delete(entity) => {
            let answer = context.client()?.send("DELETE", &entity.path(), None)?;
            let what = format!("{} {}", entity.etype, entity.eid);
            context.out.one(&answer, |_| format!("{what} will be removed\n"))?;
            context.out.next(&format!("tenter entity master {what}"));
            Ok(())
        }
        Command::Ttl { entity, tokens } => {
            let body: Map<String, Value> = tokens.into_iter().map(|(n, t)| (n, json!(t.to_string()))).collect();
            let answer = context.client()?.send("POST", &format!("{}/ttl", entity.path()), Some(&body.into()))?;
            context.out.one(&answer, |_| format!("{} {} lives on\n", entity.etype, entity.eid))?;
            context.out.next(&format!("tenter entity master {} {}", entity.etype, entity.eid));
            Ok(())
        }
    }
}

fn provenance(answer: &Value, entity: &Entity, context: &Context) -> anyhow::Result<()> {
    let points = items(answer, "datapoints");
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
        None => context.out.next(&format!("tenter why {} {}", entity.etype, entity.eid)),
    }
    Ok(())
}

/// Module, version and hook; datapoints from outside have none.
fn writer(point: &Value) -> String {
    let names = ["module", "version", "hook"].map(|name| field(point, &format!("written_by.{name}")));
    if names.iter().all(String::is_empty) { "from outside".to_owned() } else { names.join(" ").trim_end().to_owned() }
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

fn list(etype: &str, after: Option<String>, limit: u32, context: &Context) -> anyhow::Result<()> {
    let client = context.client()?;
    let most = if limit == 0 { usize::MAX } else { usize::try_from(limit)? };
    let (mut entities, mut after, mut more) = (Vec::new(), after, true);
    while more && entities.len() < most {
        let page = (most - entities.len()).min(usize::try_from(PAGE)?);
        let asked = query(&[("after", after.take()), ("limit", Some(page.to_string()))]);
        let answer = client.get(&format!("/api/v1/entities/{}{asked}", part(etype)))?;
        let found = items(&answer, "entities");
        entities.extend(found.iter().cloned());
        after = answer.get("next").and_then(Value::as_str).map(str::to_owned);
        more = after.is_some() && !found.is_empty();
    }
    let columns: [Column<'_>; 3] =
        [("eid", &|e| field(e, "eid")), ("created", &|e| field(e, "created")), ("revision", &|e| field(e, "revision"))];
    context.out.list(&entities, &columns)?;
    match (after, entities.first()) {
        (Some(after), Some(_)) if more => {
            context.out.note(&format!("there are more: `tenter entity list {etype} --after {after}` goes on"));
        }
        (_, Some(first)) => context.out.next(&format!("tenter entity master {etype} {}", field(first, "eid"))),
        _ => context.out.note(&format!("there is no {etype} yet")),
    }
    Ok(())
}

fn items<'a>(answer: &'a Value, name: &str) -> &'a [Value] {
    answer.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn ttl_token(text: &str) -> Result<(String, Timestamp), String> {
    let (name, time) = text.split_once('=').filter(|(n, _)| !n.is_empty()).ok_or("expected NAME=TIME")?;
    let time = Timestamp::parse(time).ok_or_else(|| format!("{time:?} is not a time such as 2030-01-01T00:00:00Z"))?;
    Ok((name.to_owned(), time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ttl_tokens_are_checked_before_they_travel() {
        assert_eq!(ttl_token("base=1970-01-01T00:00:01Z"), Ok(("base".into(), Timestamp(1_000_000))));
        for text in ["base", "=2030-01-01", "base=soon"] {
            assert!(ttl_token(text).is_err(), "{text}");
        }
    }
}
