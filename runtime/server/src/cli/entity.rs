//! `tenter entity`: what is known of entities. Reads and writes over DP³'s paths, so that most of it works against a DP³
//! server too.

use serde_json::{Map, Value};
use tenter_model::Timestamp;

use crate::cli::Context;
use crate::cli::pages::Window;
use crate::client::{part, query};

mod filter;
mod list;
mod one;
mod raw;
mod show;

use filter::Filters;

const LIST_EXAMPLES: &str = "\
Examples:
  tenter entity list                                     entity types with their counts
  tenter entity list ip                                  the first 20, with the values of the latest snapshot
  tenter entity list ip -f hostname=^www -a open_ports   those with such a name, which have that attribute
  tenter entity list ip -j '{\"last.risk\": {\"$gte\": 0.8}}' --sort risk:-1
  tenter entity list ip --limit 0 -o ndjson | head -n 3  all, a line each, as they are read
  tenter entity list ip --stored                         what is stored, whether or not a snapshot has it

Filters see the latest snapshot, where attributes are called last.NAME. A pattern is a regular expression that may match
anywhere, in any case.";

/// What can be done.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List entity types, or the entities of one with their current values.
    #[command(after_help = LIST_EXAMPLES)]
    List(list::Args),
    /// Count the entities of a type.
    Count {
        /// The entity type.
        etype: String,
        /// Which of them.
        #[command(flatten)]
        filters: Filters,
    },
    /// Show all of an entity, record and snapshots; or one attribute: its current value and its history.
    Get {
        /// The entity.
        #[command(flatten)]
        entity: Entity,
        /// The attribute.
        attr: Option<String>,
        /// Of which time.
        #[command(flatten)]
        dates: Dates,
    },
    /// Show all that is stored of an entity.
    Master {
        /// The entity.
        #[command(flatten)]
        entity: Entity,
        /// Of which time the points of timeseries are.
        #[command(flatten)]
        dates: Dates,
    },
    /// Show datapoints as they came, newest first.
    Raw(raw::Args),
    /// Show the snapshots of an entity, oldest first.
    Snapshots {
        /// The entity.
        #[command(flatten)]
        entity: Entity,
        /// Of which time.
        #[command(flatten)]
        dates: Dates,
        /// Which of them.
        #[command(flatten)]
        window: Window,
    },
    /// Show which values an attribute has, and how many entities have each.
    AttrValues {
        /// The entity type.
        etype: String,
        /// The attribute.
        attr: String,
    },
    /// Show or set one attribute of an entity.
    #[command(subcommand)]
    Attr(Attr),
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
        #[arg(required_unless_present = "body", value_name = "NAME=TIME", value_parser = ttl_token)]
        tokens: Vec<(String, Timestamp)>,
        /// Tokens as one JSON object.
        #[arg(short, long, value_name = "JSON", conflicts_with = "tokens", value_parser = object)]
        body: Option<Map<String, Value>>,
    },
}

/// What can be done with one attribute of an entity.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Attr {
    /// Show its current value and its history.
    Get {
        /// The entity.
        #[command(flatten)]
        entity: Entity,
        /// The attribute.
        attr: String,
        /// Of which time.
        #[command(flatten)]
        dates: Dates,
    },
    /// Set it to a value that holds from now on.
    Set {
        /// The entity.
        #[command(flatten)]
        entity: Entity,
        /// The attribute.
        attr: String,
        /// The value as JSON; text that is no JSON stands for itself, and text such as 420 needs quotes: '"420"'.
        #[arg(value_parser = json_value, allow_negative_numbers = true)]
        value: Value,
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

/// A span of time.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Dates {
    /// Not before this time.
    #[arg(long, value_name = "TIME", value_parser = crate::cli::time)]
    from: Option<Timestamp>,
    /// Not after this time [default: now].
    #[arg(long, value_name = "TIME", value_parser = crate::cli::time)]
    to: Option<Timestamp>,
}

type Asked<'a> = (&'a str, Option<String>);

impl Dates {
    fn asked(&self) -> [Asked<'static>; 2] {
        [("date_from", self.from.map(|t| t.to_string())), ("date_to", self.to.map(|t| t.to_string()))]
    }
}

/// What there is at the address of an entity.
#[derive(Debug, Clone, Copy)]
enum Route<'a> {
    Whole,
    Master,
    Snapshots,
    Ttl,
    Get(&'a str),
    Set(&'a str),
}

impl Entity {
    /// The address. Ids that cannot stand in a path go as a parameter, for which DP³ has routes of their own.
    fn path(&self, route: Route<'_>, asked: &[Asked<'_>]) -> String {
        let etype = part(&self.etype);
        if in_a_path(&self.eid) {
            let rest = match route {
                Route::Whole => String::new(),
                Route::Master => "/master".to_owned(),
                Route::Snapshots => "/snapshots".to_owned(),
                Route::Ttl => "/ttl".to_owned(),
                Route::Get(attr) => format!("/get/{}", part(attr)),
                Route::Set(attr) => format!("/set/{}", part(attr)),
            };
            return format!("/entity/{etype}/{}{rest}{}", part(&self.eid), query(asked));
        }
        let mut pairs = vec![("eid", Some(self.eid.clone()))];
        let rest = match route {
            Route::Whole => "",
            Route::Master => "/master",
            Route::Snapshots => "/snapshots",
            Route::Ttl => "/ttl",
            Route::Get(attr) | Route::Set(attr) => {
                pairs.push(("attr", Some(attr.to_owned())));
                "/attr"
            }
        };
        pairs.extend_from_slice(asked);
        format!("/v2/entity/{etype}{rest}{}", query(&pairs))
    }

    /// As arguments of a command.
    fn words(&self) -> String {
        format!("{} {}", self.etype, self.eid)
    }
}

/// Whether servers and what stands before them take this as one part of a path: a slash ends a part even when it is
/// escaped, dots alone are a step, and some words are routes.
fn in_a_path(eid: &str) -> bool {
    !eid.contains('/') && !eid.bytes().all(|b| b == b'.') && !["get", "count", "raw", "_"].contains(&eid)
}

/// Does it.
///
/// # Errors
/// When there is no server or it refuses.
pub(crate) fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    match command {
        Command::List(args) => list::run(&args, context),
        Command::Count { etype, filters } => list::count(&etype, &filters, context),
        Command::AttrValues { etype, attr } => list::values(&etype, &attr, context),
        Command::Get { entity, attr: Some(attr), dates } | Command::Attr(Attr::Get { entity, attr, dates }) => {
            one::attribute(&entity, &attr, &dates, context)
        }
        Command::Get { entity, attr: None, dates } => one::whole(&entity, &dates, context),
        Command::Attr(Attr::Set { entity, attr, value }) => one::set(&entity, &attr, &value, context),
        Command::Master { entity, dates } => one::master(&entity, &dates, context),
        Command::Raw(args) => raw::run(&args, context),
        Command::Snapshots { entity, dates, window } => one::snapshots(&entity, &dates, window, context),
        Command::Provenance { entity, attr, skip, limit } => one::provenance(&entity, attr, skip, limit, context),
        Command::Delete(entity) => one::delete(&entity, context),
        Command::Ttl { entity, tokens, body } => {
            let named = tokens.into_iter().map(|(n, t)| (n, Value::from(t.to_string())));
            one::ttl(&entity, &body.unwrap_or_default().into_iter().chain(named).collect(), context)
        }
    }
}

fn ttl_token(text: &str) -> Result<(String, Timestamp), String> {
    let (name, time) = text.split_once('=').filter(|(n, _)| !n.is_empty()).ok_or("expected NAME=TIME")?;
    Ok((name.to_owned(), crate::cli::time(time)?))
}

fn object(text: &str) -> Result<Map<String, Value>, String> {
    let object: Map<String, Value> = serde_json::from_str(text).map_err(|e| format!("expected a JSON object: {e}"))?;
    if object.is_empty() { Err("it has no tokens".to_owned()) } else { Ok(object) }
}

/// JSON, or text as it is. What begins like JSON's longer forms has to be JSON.
fn json_value(text: &str) -> Result<Value, String> {
    match serde_json::from_str(text) {
        Ok(value) => Ok(value),
        Err(e) if text.trim_start().starts_with(['{', '[', '"']) => Err(format!("not JSON: {e}")),
        Err(_) => Ok(Value::from(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ttl_tokens_are_checked_before_they_travel() {
        assert_eq!(ttl_token("base=1970-01-01T00:00:01Z"), Ok(("base".into(), Timestamp(1_000_000))));
        for text in ["base", "=2030-01-01", "base=soon"] {
            assert!(ttl_token(text).is_err(), "{text}");
        }
    }

    #[test]
    fn tokens_as_json_are_an_object_that_holds_some() {
        assert_eq!(object(r#"{"a": "b"}"#).unwrap().len(), 1);
        for text in ["{}", "[]", "{", "x"] {
            assert!(object(text).is_err(), "{text}");
        }
    }

    #[test]
    fn values_are_json_or_text() {
        assert_eq!(json_value("hello there"), Ok(json!("hello there")));
        assert_eq!(json_value("420"), Ok(json!(420)));
        assert_eq!(json_value("\"420\""), Ok(json!("420")));
        assert_eq!(json_value("[1,2]"), Ok(json!([1, 2])));
        assert!(json_value("[1,2").is_err());
    }

    #[test]
    fn ids_that_do_not_fit_a_path_are_parameters() {
        let path =
            |eid: &str, route| Entity { etype: "e".into(), eid: eid.into() }.path(route, &[("x", Some("1".into()))]);
        assert_eq!(path("a b", Route::Master), "/entity/e/a%20b/master?x=1");
        assert_eq!(path("a/b", Route::Master), "/v2/entity/e/master?eid=a%2Fb&x=1");
        assert_eq!(path("a", Route::Get("n")), "/entity/e/a/get/n?x=1");
        assert_eq!(path("..", Route::Get("n")), "/v2/entity/e/attr?eid=%2E%2E&attr=n&x=1");
        assert_eq!(path("count", Route::Whole), "/v2/entity/e?eid=count&x=1");
    }
}
