//! The input of `tenter run`, as `PROTOCOL.md` describes it.
//!
//! With a site, values are what its specification makes of them, as in a server. Without one, `as` names the form of a
//! value, or the JSON tells.

use serde_json::{Map, Value as Json};
use tenter_model::config::SiteConfig;
use tenter_model::hook::Subscription;
use tenter_model::task::TaskBody;
use tenter_model::value::{Column, Link, Mac, Scalar, Series, Value};
use tenter_model::{AttrName, DataPoint, EntityId, EntityRef, EntityType, HookKind, Timestamp};

use crate::error::{CliError, Kind};

/// What a hook of ingestion gets.
#[derive(Debug, PartialEq)]
pub(super) enum Input {
    /// Of the hooks that get a task.
    Task(TaskBody),
    /// Of `on-new-attribute`.
    Datapoint(EntityRef, DataPoint),
}

impl Input {
    /// Whether a subscription would be called for this.
    pub(super) fn fits(&self, subscription: &Subscription) -> bool {
        let (etype, attr) = subscription.moment.subject();
        match self {
            Self::Task(task) => etype.is_none_or(|t| *t == task.entity.etype),
            Self::Datapoint(entity, dp) => {
                etype.is_none_or(|t| *t == entity.etype) && attr.is_none_or(|a| *a == dp.attr)
            }
        }
    }
}

type Read<T> = Result<T, String>;

/// How input is read.
pub(super) struct Reading<'a> {
    /// The site to check values by.
    pub(super) site: Option<&'a SiteConfig>,
}

impl Reading<'_> {
    /// The input of a hook.
    ///
    /// # Errors
    /// What is wrong, with its place.
    pub(super) fn input(&self, kind: HookKind, json: &Json) -> Result<Input, CliError> {
        let read = match kind {
            HookKind::OnNewAttribute => self.datapoint_input(json),
            _ => member(json, "task").and_then(|t| self.task(t)).map(Input::Task),
        };
        read.map_err(|e| {
            let form = match kind {
                HookKind::OnNewAttribute => {
                    r#"{"entity": {"etype": "ip", "eid": "192.0.2.1"}, "datapoint": {"attr": "open_ports", "v": 22}}"#
                }
                _ => r#"{"task": {"etype": "ip", "eid": "192.0.2.1", "data_points": [{"attr": "hostname", "v": "a.example"}]}}"#,
            };
            CliError::new(Kind::Invalid, format!("the input is not one of {kind}: {e}")).help(format!("give {form}"))
        })
    }

    fn datapoint_input(&self, json: &Json) -> Read<Input> {
        let entity = self.entity(member(json, "entity")?).map_err(under("entity"))?;
        let dp = self.datapoint(&entity, member(json, "datapoint")?).map_err(under("datapoint"))?;
        Ok(Input::Datapoint(entity, dp))
    }

    fn task(&self, json: &Json) -> Read<TaskBody> {
        let entity = self.entity(json)?;
        let mut task = TaskBody::new(entity);
        for (i, dp) in list(json, "data_points")?.iter().enumerate() {
            let dp = self.datapoint(&task.entity, dp).map_err(|e| format!("data_points[{i}]: {e}"))?;
            task.datapoints.push(dp);
        }
        for tag in list(json, "tags")? {
            task.tags.push(tag.as_str().ok_or("tags: expected a list of text")?.to_owned());
        }
        match json.get("ttl_tokens") {
            None | Some(Json::Null) => {}
            Some(Json::Object(tokens)) => {
                for (name, until) in tokens {
                    task.ttl_tokens.push((name.clone(), time(Some(until)).map_err(under("ttl_tokens"))?));
                }
            }
            Some(_) => return Err("ttl_tokens: expected an object of names and times".into()),
        }
        task.delete = json.get("delete").and_then(Json::as_bool).unwrap_or(false);
        Ok(task)
    }

    fn entity(&self, json: &Json) -> Read<EntityRef> {
        let etype = EntityType::new(text(json, "etype")?).map_err(|e| e.to_string())?;
        let eid = member(json, "eid")?;
        let eid = match self.site {
            Some(site) => {
                let spec = site.schema.entity(etype.as_str());
                spec.ok_or_else(|| format!("the site has no entity type {:?}", etype.as_str()))?
                    .id_type
                    .accept_json(eid)
            }
            None => EntityId::new(eid.as_str().ok_or("eid: expected text")?).map_err(|e| e.to_string()),
        };
        Ok(EntityRef { etype, eid: eid.map_err(under("eid"))? })
    }

    fn datapoint(&self, entity: &EntityRef, json: &Json) -> Read<DataPoint> {
        if let Some(site) = self.site {
            let mut wire = json.as_object().ok_or("expected an object")?.clone();
            wire.insert("type".into(), entity.etype.as_str().into());
            wire.insert("id".into(), site.schema.eid_json(entity));
            let accepted = site.schema.accept_datapoint_json(&wire.into());
            return accepted
                .map(|(_, dp)| dp)
                .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "));
        }
        Ok(DataPoint {
            attr: AttrName::new(text(json, "attr")?).map_err(|e| e.to_string())?,
            value: value(member(json, "v")?, json.get("as").and_then(Json::as_str)).map_err(under("v"))?,
            src: json.get("src").and_then(Json::as_str).map(str::to_owned),
            t1: time(json.get("t1")).map_err(under("t1"))?,
            t2: time(json.get("t2")).map_err(under("t2"))?,
            confidence: json.get("c").and_then(Json::as_f64),
        })
    }
}

/// A value without a specification: of the form that is named, or of the one that JSON suggests.
fn value(json: &Json, form: Option<&str>) -> Read<Value> {
    match (form, json) {
        (Some("items"), Json::Array(items)) | (None, Json::Array(items)) => {
            items.iter().map(|i| scalar(i, None)).collect::<Read<_>>().map(Value::Items)
        }
        (Some("members"), Json::Object(members)) | (None, Json::Object(members)) => {
            members.iter().map(|(k, v)| Ok((k.clone(), scalar(v, None)?))).collect::<Read<_>>().map(Value::Members)
        }
        (Some("link"), _) => link(json).map(Value::Link),
        (Some("links"), Json::Array(links)) => links.iter().map(link).collect::<Read<_>>().map(Value::Links),
        (Some("chunk"), Json::Object(series)) => chunk(series).map(Value::Chunk),
        (form, _) => scalar(json, form).map(Value::Scalar),
    }
}

fn scalar(json: &Json, form: Option<&str>) -> Read<Scalar> {
    let found = || crate::output::plain(&json.to_string().chars().take(60).collect::<String>());
    Ok(match (form, json) {
        (None | Some("boolean"), Json::Bool(b)) => Scalar::Bool(*b),
        (None | Some("text"), Json::String(t)) => Scalar::Text(t.clone()),
        (None | Some("integer"), Json::Number(n)) if n.is_i64() => Scalar::Int(n.as_i64().unwrap_or_default()),
        (None | Some("real"), Json::Number(n)) => Scalar::Float(n.as_f64().unwrap_or(f64::NAN)),
        (Some("time"), Json::String(t)) => {
            Scalar::Time(Timestamp::parse(t).ok_or_else(|| format!("{} is no time", found()))?)
        }
        (Some("address"), Json::String(t)) => match (t.parse(), Mac::parse(t)) {
            (Ok(ip), _) => Scalar::Ip(ip),
            (_, Some(mac)) => Scalar::Mac(mac),
            _ => return Err(format!("{} is no address", found())),
        },
        (Some("json"), any) => Scalar::Json(any.clone()),
        (Some(form), _) => return Err(format!("{} is not of the form {form:?}", found())),
        (None, _) => return Err(format!("{} needs `as` to tell its form", found())),
    })
}

fn link(json: &Json) -> Read<Link> {
    let target = Reading { site: None }.entity(json)?;
    let data = json.get("data").map(|d| value(d, None)).transpose().map_err(under("data"))?;
    Ok(Link { target, data: data.map(Box::new) })
}

fn chunk(series: &Map<String, Json>) -> Read<Vec<Series>> {
    let column = |items: &[Json]| {
        if let Some(ints) = items.iter().map(Json::as_i64).collect() {
            return Some(Column::Ints(ints));
        }
        if let Some(floats) = items.iter().map(Json::as_f64).collect() {
            return Some(Column::Floats(floats));
        }
        items.iter().map(|i| Timestamp::parse(i.as_str()?)).collect::<Option<_>>().map(Column::Times)
    };
    series
        .iter()
        .map(|(name, items)| {
            let column = items.as_array().and_then(|i| column(i));
            let column = column.ok_or_else(|| format!("{name}: expected a list of numbers or a list of times"))?;
            Ok(Series { name: name.clone(), column })
        })
        .collect()
}

fn time(json: Option<&Json>) -> Read<Option<Timestamp>> {
    match json {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(t)) => {
            Timestamp::parse(t).map(Some).ok_or_else(|| format!("{t:?} is not a time such as 2030-01-01T00:00:00Z"))
        }
        Some(_) => Err("expected a time as text".into()),
    }
}

fn member<'a>(json: &'a Json, name: &str) -> Read<&'a Json> {
    json.get(name).ok_or_else(|| format!("{name} is missing"))
}

fn text<'a>(json: &'a Json, name: &str) -> Read<&'a str> {
    member(json, name)?.as_str().ok_or_else(|| format!("{name}: expected text"))
}

/// The items of a list that may be absent.
fn list<'a>(json: &'a Json, name: &str) -> Read<&'a [Json]> {
    match json.get(name) {
        None | Some(Json::Null) => Ok(&[]),
        Some(Json::Array(items)) => Ok(items),
        Some(_) => Err(format!("{name}: expected a list")),
    }
}

fn under(place: &str) -> impl Fn(String) -> String {
    move |e| format!("{place}: {e}")
}

#[cfg(test)]
mod tests;
