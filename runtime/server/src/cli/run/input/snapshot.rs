//! Views, records and histories.

use std::sync::Arc;

use serde_json::{Map, Value as Json};
use tenter_model::module::LoadedModule;
use tenter_model::record::{Chunk, History, MasterRecord};
use tenter_model::schema::AttributeSpec;
use tenter_model::snapshot::group::Group;
use tenter_model::snapshot::plan::{Plan, Step};
use tenter_model::view::{CurrentValue, EntityView, RunContext, View, ViewSource};
use tenter_model::{AttrName, EntityRef, SubscriptionId, Timestamp};

use super::{Read, Reading, list, member, text, time, under, value};

/// What a correlation hook may see.
#[derive(Debug)]
pub(in crate::cli) enum Views {
    /// The view as it is to be, and what the import `views` gives beside it.
    Given(View, Vec<EntityView>),
    /// All entities of a component: each subscription sees what its paths name, as in a server.
    Component(EntityRef, Group),
}

/// A view for one subscription.
pub(in crate::cli) struct Looked {
    /// What it sees.
    pub(in crate::cli) view: View,
    /// What the import `views` gives.
    pub(in crate::cli) deeper: Arc<dyn ViewSource>,
    /// The subscription's place in a run, where there is a specification to tell.
    pub(in crate::cli) step: Option<Step>,
}

impl Views {
    /// The entity that the hook runs for.
    pub(super) fn root(&self) -> &EntityRef {
        match self {
            Self::Given(view, _) => &view.root.entity,
            Self::Component(root, _) => root,
        }
    }

    /// What a subscription of a module sees.
    ///
    /// # Errors
    /// Paths that the specification of the site does not know, and hooks that depend on each other in a cycle.
    pub(in crate::cli) fn look(
        &self,
        reading: &Reading<'_>,
        module: &LoadedModule,
        subscription: &SubscriptionId,
    ) -> Result<Looked, String> {
        let plan =
            reading.site.map(|site| Plan::new(&site.schema, module.subscriptions.iter().map(|s| (&module.name, s))));
        let plan =
            plan.transpose().map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
        let step = plan.as_ref().and_then(|plan| plan.find(&module.name, subscription)).cloned();
        let (view, all) = match self {
            Self::Given(view, beyond) => {
                let all = std::iter::once(&view.root).chain(&view.linked).chain(beyond).cloned();
                (view.clone(), Group::new(all))
            }
            Self::Component(root, group) => {
                let view = step.as_ref().and_then(|step| group.view(root, step));
                let view = view.ok_or_else(|| format!("the group has no {root}, which is to be the root"))?;
                (view, group.clone())
            }
        };
        Ok(Looked { view, deeper: Arc::new(all), step })
    }
}

impl Reading<'_> {
    /// `view` with what lies `beyond` it, or a `group` with its `root`.
    pub(super) fn views(&self, json: &Json) -> Read<Views> {
        if let Some(view) = json.get("view") {
            let root = self.seen(member(view, "root").map_err(under("view"))?).map_err(under("view.root"))?;
            let view = View { root, linked: self.all_seen(view, "linked").map_err(under("view"))? };
            return Ok(Views::Given(view, self.all_seen(json, "beyond")?));
        }
        let Some(group) = json.get("group") else { return Err("view is missing".into()) };
        if self.site.is_none() {
            return Err("group: which of it a hook sees follows from the specification; name it with --site".into());
        }
        let group = group.as_object().ok_or("group: expected an object of entities, named TYPE/ID")?;
        let entities = group.iter().map(|(name, values)| {
            let entity = self.named(name)?;
            let values = self.values(&entity, values)?;
            Ok(EntityView { entity, values })
        });
        let entities = entities.collect::<Read<Vec<_>>>().map_err(under("group"))?;
        Ok(Views::Component(self.named(text(json, "root")?).map_err(under("root"))?, Group::new(entities)))
    }

    /// The entity that `TYPE/ID` names.
    fn named(&self, name: &str) -> Read<EntityRef> {
        let Some((etype, eid)) = name.split_once('/') else {
            return Err(format!("{name:?} names no entity: expected TYPE/ID"));
        };
        self.entity(&serde_json::json!({"etype": etype, "eid": eid})).map_err(under(name))
    }

    fn all_seen(&self, json: &Json, name: &str) -> Read<Vec<EntityView>> {
        let one = |(i, seen)| self.seen(seen).map_err(|e| format!("{name}[{i}]: {e}"));
        list(json, name)?.iter().enumerate().map(one).collect()
    }

    fn seen(&self, json: &Json) -> Read<EntityView> {
        let entity = self.entity(json)?;
        let values = self.values(&entity, json.get("values").unwrap_or(&Json::Null))?;
        Ok(EntityView { entity, values })
    }

    /// Current values as a list of `{"attr", "v", "c"}`, or as DP³ shows them: an object with confidence under `ATTR#c`.
    fn values(&self, entity: &EntityRef, json: &Json) -> Read<Vec<CurrentValue>> {
        match json {
            Json::Null => Ok(Vec::new()),
            Json::Array(values) => values
                .iter()
                .map(|v| {
                    let attr = AttrName::new(text(v, "attr")?).map_err(|e| e.to_string())?;
                    let read = self.current(entity, &attr, v).map_err(under(attr.as_str()))?;
                    Ok(CurrentValue { attr, value: read, confidence: v.get("c").and_then(Json::as_f64) })
                })
                .collect(),
            Json::Object(values) => {
                let mut out = Vec::new();
                for (name, v) in values.iter().filter(|(name, _)| !name.ends_with("#c")) {
                    let attr = AttrName::new(name).map_err(|e| e.to_string())?;
                    for (v, confidence) in with_confidence(values, name, v)? {
                        let value = self.current(entity, &attr, &own_form(v)).map_err(under(name))?;
                        out.push(CurrentValue { attr: attr.clone(), value, confidence });
                    }
                }
                Ok(out)
            }
            _ => Err("values: expected a list or an object".into()),
        }
    }

    /// The value of `v`: of the attribute's type, or of the form that `as` names where the specification is silent.
    fn current(&self, entity: &EntityRef, attr: &AttrName, json: &Json) -> Read<tenter_model::Value> {
        let v = member(json, "v")?;
        let spec = self.site.and_then(|s| s.schema.attribute(entity.etype.as_str(), attr.as_str()));
        match (self.site, spec.and_then(|spec| Some((spec, spec.kind.data_type()?)))) {
            (Some(site), Some((spec, data_type))) => {
                let mut v = v.clone();
                drop_target_types(spec, &mut v);
                data_type.accept_json(&site.schema, &v).map_err(|e| e.to_string())
            }
            _ => value(v, json.get("as").and_then(Json::as_str)),
        }
    }

    /// The attribute that a datapoint is about.
    pub(super) fn spec(&self, entity: &EntityRef, json: &Json) -> Option<&AttributeSpec> {
        self.site?.schema.attribute(entity.etype.as_str(), json.get("attr")?.as_str()?)
    }

    /// `entity` and `attr`.
    pub(super) fn watched(&self, json: &Json) -> Read<(EntityRef, AttrName)> {
        let entity = self.entity(member(json, "entity")?).map_err(under("entity"))?;
        Ok((entity, AttrName::new(text(json, "attr")?).map_err(|e| e.to_string())?))
    }

    /// Chunks of a timeseries.
    pub(super) fn history(&self, entity: &EntityRef, attr: &AttrName, chunks: &[Json]) -> Read<Vec<Chunk>> {
        let mut record = MasterRecord::new(Timestamp(0));
        self.stage(&mut record, entity, attr, chunks, Some("chunk"))?;
        match record.attributes.remove(attr.as_str()) {
            Some(History::Timeseries(chunks)) => Ok(chunks),
            _ => Ok(Vec::new()),
        }
    }

    /// A master record.
    pub(super) fn record(&self, json: &Json) -> Read<(EntityRef, MasterRecord)> {
        let entity = self.entity(json)?;
        let mut record =
            MasterRecord::new(time(json.get("created")).map_err(under("created"))?.unwrap_or(Timestamp(0)));
        record.revision = json.get("revision").and_then(Json::as_u64).unwrap_or(1);
        if let Some(Json::Object(tokens)) = json.get("ttl_tokens") {
            for (name, until) in tokens {
                record.extend_ttl(&[(name.clone(), time(Some(until)).map_err(under("ttl_tokens"))?)]);
            }
        }
        let nothing = Map::new();
        let attributes = json.get("attributes").and_then(Json::as_object).unwrap_or(&nothing);
        for (name, history) in attributes {
            let attr = AttrName::new(name).map_err(|e| e.to_string())?;
            let points = |kind: &str| history.get(kind).and_then(Json::as_array).map(Vec::as_slice);
            let staged = if let Some(plain) = history.get("plain") {
                self.plain(&mut record, &entity, &attr, plain)
            } else if let Some(points) = points("observations") {
                self.stage(&mut record, &entity, &attr, points, None)
            } else if let Some(chunks) = points("timeseries") {
                self.stage(&mut record, &entity, &attr, chunks, Some("chunk"))
            } else {
                Err(r#"expected {"plain": ..}, {"observations": [..]} or {"timeseries": [..]}"#.to_owned())
            };
            staged.map_err(under(name))?;
        }
        Ok((entity, record))
    }

    fn plain(&self, record: &mut MasterRecord, entity: &EntityRef, attr: &AttrName, json: &Json) -> Read<()> {
        let updated = time(json.get("updated")).map_err(under("updated"))?.unwrap_or(record.created);
        let value = self.current(entity, attr, json)?;
        record.attributes.insert(attr.clone(), History::Plain { value, updated });
        Ok(())
    }

    /// Puts points or chunks into a record as datapoints come in.
    fn stage(
        &self,
        record: &mut MasterRecord,
        entity: &EntityRef,
        attr: &AttrName,
        points: &[Json],
        form: Option<&str>,
    ) -> Read<()> {
        for (i, point) in points.iter().enumerate() {
            let at = |e: String| format!("[{i}]: {e}");
            let mut wire = point.as_object().ok_or_else(|| at("expected an object".into()))?.clone();
            wire.insert("attr".into(), attr.as_str().into());
            if let Some(form) = form.filter(|_| self.site.is_none()) {
                wire.insert("as".into(), form.into());
            }
            let dp = self.datapoint(entity, &wire.into()).map_err(at)?;
            if dp.t1.is_none() {
                return Err(at("t1 is missing".into()));
            }
            record.stage(&dp, record.created);
        }
        Ok(())
    }
}

/// `run`.
pub(super) fn run(json: &Json) -> Read<RunContext> {
    let run = member(json, "run")?;
    let at = time(run.get("time")).map_err(under("run.time"))?;
    Ok(RunContext { id: text(run, "id").map_err(under("run"))?.to_owned(), time: at.ok_or("run: time is missing")? })
}

/// Links in the form of the SDK name the type of their target; a specification knows it, and takes links without.
pub(super) fn drop_target_types(spec: &AttributeSpec, v: &mut Json) {
    let Some(link) = spec.kind.data_type().and_then(|t| t.link()) else { return };
    let drop_type = |link_json: &mut Json| {
        if let Some(members) = link_json.as_object_mut()
            && members.get("etype").and_then(Json::as_str) == Some(link.to.as_str())
        {
            members.remove("etype");
        }
    };
    match v {
        Json::Array(links) => links.iter_mut().for_each(drop_type),
        one => drop_type(one),
    }
}

/// The values of an attribute with their confidence: several where that is a list.
fn with_confidence<'a>(values: &'a Map<String, Json>, name: &str, v: &'a Json) -> Read<Vec<(&'a Json, Option<f64>)>> {
    match values.get(&format!("{name}#c")) {
        None => Ok(vec![(v, None)]),
        Some(Json::Array(confidences)) => {
            let items = v.as_array().filter(|items| items.len() == confidences.len());
            let items = items.ok_or_else(|| format!("{name}: expected as many values as confidences"))?;
            Ok(items.iter().zip(confidences.iter().map(Json::as_f64)).collect())
        }
        Some(confidence) => Ok(vec![(v, confidence.as_f64())]),
    }
}

/// `{"v": .., "as": ..}` as it is; a link or a list of links as such; anything else as a value without form.
fn own_form(v: &Json) -> Json {
    let is_link = |v: &Json| v.get("etype").is_some() && v.get("eid").is_some();
    if v.get("v").is_some() && v.get("as").is_some() {
        return v.clone();
    }
    let form = match v {
        Json::Array(items) if !items.is_empty() && items.iter().all(is_link) => Some("links"),
        one if is_link(one) => Some("link"),
        _ => None,
    };
    serde_json::json!({"v": v, "as": form})
}
