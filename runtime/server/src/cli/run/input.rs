//! The input of `tenter run`, as `PROTOCOL.md` describes it.
//!
//! With a site, values are what its specification makes of them, as in a server. Without one, `as` names the form of a
//! value, or the JSON tells.

use serde_json::Value as Json;
use tenter_model::case::Phase;
use tenter_model::case::call::{Proposal, SeenChange, SeenObject};
use tenter_model::config::SiteConfig;
use tenter_model::hook::{Family, Subscription};
use tenter_model::record::{Chunk, MasterRecord};
use tenter_model::task::TaskBody;
use tenter_model::view::RunContext;
use tenter_model::{AttrName, DataPoint, EntityId, EntityRef, EntityType, HookKind};

use crate::error::{CliError, Kind};

mod case;
mod snapshot;
mod value;

pub(in crate::cli) use case::Around;
pub(in crate::cli) use snapshot::{Looked, Views};
use value::{time, value};

/// What a hook gets.
#[derive(Debug)]
pub(in crate::cli) enum Input {
    /// Of the hooks of ingestion that get a task.
    Task(TaskBody),
    /// Of `on-new-attribute`.
    Datapoint(EntityRef, DataPoint),
    /// Of `snapshot-init` and `snapshot-finalize`.
    Run(RunContext),
    /// Of `timeseries`.
    Timeseries(EntityRef, AttrName, Vec<Chunk>),
    /// Of `correlate`, and with a record of `correlate-with-record`.
    Views(Views, Option<MasterRecord>),
    /// Of `update-record`.
    Record(EntityRef, MasterRecord),
    /// Of `update-entity`.
    Entity(EntityRef),
    /// Of `cron`: the arguments, where they are not to be those of the subscription.
    Arguments(Option<String>),
    /// Of `before`.
    Proposal(Around, Proposal),
    /// Of `after`.
    Changes(Around, Vec<SeenChange>),
    /// Of `manual`.
    Objects(Around, Vec<SeenObject>),
}

impl Input {
    /// Whether a subscription would be called for this.
    pub(super) fn fits(&self, subscription: &Subscription) -> bool {
        let (etype, attr) = subscription.moment.subject();
        let of = |entity: &EntityRef| etype.is_none_or(|t| *t == entity.etype);
        match self {
            Self::Task(task) => of(&task.entity),
            Self::Datapoint(entity, dp) => of(entity) && attr.is_none_or(|a| *a == dp.attr),
            Self::Timeseries(entity, name, _) => of(entity) && attr.is_none_or(|a| a == name),
            Self::Views(views, _) => of(views.root()),
            Self::Record(entity, _) | Self::Entity(entity) => of(entity),
            Self::Run(_) | Self::Arguments(_) => true,
            Self::Proposal(around, _) | Self::Changes(around, _) | Self::Objects(around, _) => {
                around.fits(&subscription.moment)
            }
        }
    }
}

type Read<T> = Result<T, String>;

/// How input is read.
pub(in crate::cli) struct Reading<'a> {
    /// The site to check values by.
    pub(in crate::cli) site: Option<&'a SiteConfig>,
}

impl Reading<'_> {
    /// The input of a hook.
    ///
    /// # Errors
    /// What is wrong, with its place.
    pub(in crate::cli) fn input(&self, kind: HookKind, json: &Json) -> Result<Input, CliError> {
        self.read(kind, json).map_err(|e| {
            CliError::new(Kind::Invalid, format!("the input is not one of {kind}: {e}"))
                .help(format!("give {}", example(kind)))
        })
    }

    /// A master record and the entity that it is of.
    ///
    /// # Errors
    /// What is wrong, with its place.
    pub(in crate::cli) fn stored(&self, json: &Json) -> Result<(EntityRef, MasterRecord), String> {
        self.record(json)
    }

    fn read(&self, kind: HookKind, json: &Json) -> Read<Input> {
        Ok(match kind {
            HookKind::OnNewAttribute => self.datapoint_input(json)?,
            HookKind::SnapshotInit | HookKind::SnapshotFinalize => Input::Run(snapshot::run(json)?),
            HookKind::Timeseries => {
                let (entity, attr) = self.watched(json)?;
                let history = self.history(&entity, &attr, list(json, "history")?).map_err(under("history"))?;
                Input::Timeseries(entity, attr, history)
            }
            HookKind::Correlate => Input::Views(self.views(json)?, None),
            HookKind::CorrelateWithRecord => {
                let views = self.views(json)?;
                let record = json.get("record").filter(|r| !r.is_null());
                let record = record.map(|r| self.record(r)).transpose().map_err(under("record"))?;
                if let Some((entity, _)) = record.as_ref().filter(|(entity, _)| entity != views.root()) {
                    return Err(format!("record: it is one of {entity}, and the view one of {}", views.root()));
                }
                Input::Views(views, record.map(|(_, record)| record))
            }
            HookKind::UpdateRecord => {
                let (entity, record) = self.record(member(json, "record")?).map_err(under("record"))?;
                Input::Record(entity, record)
            }
            HookKind::UpdateEntity => Input::Entity(self.entity(member(json, "entity")?).map_err(under("entity"))?),
            HookKind::Before => case::input(Phase::Before, json)?,
            HookKind::After => case::input(Phase::After, json)?,
            HookKind::Manual => case::input(Phase::Manual, json)?,
            HookKind::Cron => Input::Arguments(json.get("arguments").map(Json::to_string)),
            _ => Input::Task(self.task(member(json, "task")?)?),
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
            if let (Some(spec), Some(v)) = (self.spec(entity, json), wire.get_mut("v")) {
                snapshot::drop_target_types(spec, v);
            }
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

/// An input to begin with.
fn example(kind: HookKind) -> &'static str {
    match (kind, kind.family()) {
        (HookKind::OnNewAttribute, _) => {
            r#"{"entity": {"etype": "ip", "eid": "192.0.2.1"}, "datapoint": {"attr": "open_ports", "v": 22}}"#
        }
        (HookKind::SnapshotInit | HookKind::SnapshotFinalize, _) => {
            r#"{"run": {"id": "r1", "time": "2030-01-01T00:00:00Z"}}"#
        }
        (HookKind::Timeseries, _) => {
            r#"{"entity": {"etype": "ip", "eid": "192.0.2.1"}, "attr": "traffic", "history": [{"t1": "2030-01-01T00:00:00Z", "t2": "2030-01-01T00:01:00Z", "v": {"bytes": [1, 2]}}]}"#
        }
        (HookKind::Correlate, _) => {
            r#"{"view": {"root": {"etype": "ip", "eid": "192.0.2.1", "values": {"open_ports": [22], "open_ports#c": [0.9]}}, "linked": []}}"#
        }
        (HookKind::CorrelateWithRecord, _) => {
            r#"{"view": {"root": {"etype": "ip", "eid": "192.0.2.1", "values": {}}}, "record": {"etype": "ip", "eid": "192.0.2.1", "attributes": {"label": {"plain": {"v": "private"}}}}}"#
        }
        (HookKind::UpdateRecord, _) => {
            r#"{"record": {"etype": "ip", "eid": "192.0.2.1", "attributes": {"label": {"plain": {"v": "private"}}}}}"#
        }
        (HookKind::UpdateEntity, _) => r#"{"entity": {"etype": "ip", "eid": "192.0.2.1"}}"#,
        (HookKind::Before, _) => {
            r#"{"context": {"case_id": 1}, "event": {"object": "ioc", "action": "create"}, "proposal": {"body": {"ioc_value": "a.example"}}}"#
        }
        (HookKind::After, _) => {
            r#"{"context": {"case_id": 1}, "event": {"object": "ioc", "action": "create"}, "objects": [{"new": {"object": "ioc", "id": 7, "version": 1, "body": {"ioc_value": "a.example"}}}]}"#
        }
        (HookKind::Manual, _) => {
            r#"{"context": {"case_id": 1}, "event": {"object": "ioc"}, "objects": [{"object": "ioc", "id": 7, "version": 1, "body": {"ioc_value": "a.example"}}]}"#
        }
        (_, Family::Schedule) => "{}",
        _ => {
            r#"{"task": {"etype": "ip", "eid": "192.0.2.1", "data_points": [{"attr": "hostname", "v": "a.example"}]}}"#
        }
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
