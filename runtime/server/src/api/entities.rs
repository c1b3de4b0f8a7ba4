//! Entities: what is stored of them, in DP³'s shapes.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};
use tenter_model::accept::{InputError, LocStep};
use tenter_model::history::{self, Current, TimeRange};
use tenter_model::record::{History, MasterRecord};
use tenter_model::schema::{AttributeKind, EntitySpec};
use tenter_model::{AttrName, EntityId, EntityRef, Schema, TaskBody, Timestamp};
use tenter_store::RawFilter;

use crate::app::App;

use super::datapoints::admit;
use super::error::{ApiError, Dp3Error};

/// `GET /entities`: the types with their attributes and counts.
pub(super) async fn types(State(app): State<App>) -> Result<Json<Value>, Dp3Error> {
    let schema = app.schema().clone();
    let counts = app
        .read(move |reader| {
            schema.entities().iter().map(|spec| Ok((spec.id.to_string(), reader.entity_count(&spec.id)?))).collect()
        })
        .await?;
    Ok(Json(app.schema().entities_json(&counts)))
}

#[derive(Deserialize)]
pub(super) struct Dates {
    date_from: Option<String>,
    date_to: Option<String>,
}

impl Dates {
    /// The range; from the beginning until now by itself.
    pub(super) fn range(&self, now: Timestamp) -> Result<TimeRange, ApiError> {
        let parse = |name: &'static str, text: &Option<String>, default| match text {
            None => Ok(default),
            Some(text) => Timestamp::parse(text).ok_or_else(|| {
                ApiError::invalid("query", name, format!("{text:?} is not a time such as 2020-01-01T00:00:00Z"))
            }),
        };
        Ok(TimeRange {
            from: Some(parse("date_from", &self.date_from, Timestamp(0))?),
            to: Some(parse("date_to", &self.date_to, now)?),
        })
    }
}

/// `GET /entity/{etype}/{eid}/master`: the master record; `{}` for an unknown entity.
pub(super) async fn master(
    State(app): State<App>,
    Path((etype, eid)): Path<(String, String)>,
    Query(dates): Query<Dates>,
) -> Result<Json<Value>, Dp3Error> {
    let range = dates.range(app.now())?;
    let entity = entity(app.schema(), &etype, &eid)?;
    let wanted = entity.clone();
    let record = app.read(move |reader| reader.record(&wanted)).await?;
    Ok(Json(record.map_or_else(|| json!({}), |record| app.schema().master_json(&entity, &record, range))))
}

/// `GET /entity/{etype}/{eid}/get/{attr}`: current value and history of one attribute.
pub(super) async fn attribute(
    State(app): State<App>,
    Path((etype, eid, attr)): Path<(String, String, String)>,
    Query(dates): Query<Dates>,
) -> Result<Json<Value>, Dp3Error> {
    let now = app.now();
    let range = dates.range(now)?;
    let entity = entity(app.schema(), &etype, &eid)?;
    if app.schema().attribute(&etype, &attr).is_none() {
        return Err(ApiError::invalid("path", "attr", format!("Attribute '{attr}' doesn't exist")).dp3());
    }
    let wanted = entity.clone();
    let record = app.read(move |reader| reader.record(&wanted)).await?;
    let current = record.as_ref().and_then(|record| current_value(app.schema(), &entity, &attr, record, now));
    let json = app.schema().attribute_history_json(&entity, &attr, record.as_ref(), current, range);
    Ok(Json(json.unwrap_or(Value::Null)))
}

/// The current value of an observations attribute at a time; `None` when nothing holds then. Several values are a list.
fn current_value(
    schema: &Schema,
    entity: &EntityRef,
    attr: &str,
    record: &MasterRecord,
    now: Timestamp,
) -> Option<Value> {
    let etype = entity.etype.as_str();
    let (AttributeKind::Observations { history: params, multi_value, .. }, History::Observations(points)) =
        (&schema.attribute(etype, attr)?.kind, record.attributes.get(attr)?)
    else {
        return None;
    };
    let json = |value| schema.value_json(etype, attr, value);
    Some(match history::current(points, params, *multi_value, now)? {
        Current::One(value, _) => json(&value),
        Current::Many(values) => values.iter().map(|(value, _)| json(value)).collect(),
    })
}

#[derive(Deserialize)]
pub(super) struct RawQuery {
    eid: Option<String>,
    attr: Option<String>,
    src: Option<String>,
    #[serde(default)]
    skip: u32,
    #[serde(default = "default_limit")]
    limit: u32,
}

fn default_limit() -> u32 {
    20
}

/// `GET /entity/{etype}/raw/get`: the log of datapoints, newest first.
pub(super) async fn raw(
    State(app): State<App>,
    Path(etype): Path<String>,
    Query(query): Query<RawQuery>,
) -> Result<Json<Value>, Dp3Error> {
    let spec = entity_spec(app.schema(), &etype)?;
    let eid = match &query.eid {
        None => None,
        Some(text) => Some(entity_id(spec, text, "query")?),
    };
    let attr = match &query.attr {
        None => None,
        Some(name) => Some(attribute_name(spec, name)?),
    };
    let filter = RawFilter {
        etype: Some(spec.id.clone()),
        eid,
        attr,
        src: query.src.clone(),
        skip: query.skip,
        limit: if query.limit == 0 { u32::MAX } else { query.limit },
    };
    let points = app.read(move |reader| reader.raw(&filter)).await?;
    let data: Vec<Value> =
        points.iter().map(|stored| app.schema().datapoint_json(&stored.entity, &stored.point.datapoint)).collect();
    Ok(Json(json!({"count": data.len(), "data": data})))
}

/// `POST /entity/{etype}/{eid}/ttl`: keeps the entity alive.
pub(super) async fn ttl(
    State(app): State<App>,
    Path((etype, eid)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, Dp3Error> {
    let entity = entity(app.schema(), &etype, &eid)?;
    let json: Value = serde_json::from_slice(&body)
        .map_err(|error| ApiError::invalid("body", "ttl", format!("the body is not JSON: {error}")))?;
    let ttl_tokens = app.schema().ttl_tokens_json(&json).map_err(|errors| {
        let in_body = |error: InputError| error.within([LocStep::Str("body".to_owned())]);
        ApiError::invalid_body(&errors.into_iter().map(in_body).collect::<Vec<_>>())
    })?;
    admit(&app, vec![TaskBody { ttl_tokens, ..TaskBody::new(entity) }]).await?;
    Ok(Json(json!({"detail": "OK"})))
}

/// `DELETE /entity/{etype}/{eid}`: queues the removal; an unknown entity is no error.
pub(super) async fn delete(
    State(app): State<App>,
    Path((etype, eid)): Path<(String, String)>,
) -> Result<Json<Value>, Dp3Error> {
    let entity = entity(app.schema(), &etype, &eid)?;
    admit(&app, vec![TaskBody { delete: true, ..TaskBody::new(entity) }]).await?;
    Ok(Json(json!({"detail": "OK"})))
}

#[derive(Deserialize)]
pub(super) struct PageQuery {
    after: Option<String>,
    limit: Option<u32>,
}

/// `GET /api/v1/entities/{etype}`: ids of stored entities, by id, page by page.
pub(super) async fn list(
    State(app): State<App>,
    Path(etype): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Value>, ApiError> {
    let spec = entity_spec(app.schema(), &etype)?;
    let after = match &page.after {
        None => None,
        Some(text) => Some(entity_id(spec, text, "query")?),
    };
    let limit = page.limit.unwrap_or(100).clamp(1, 1000);
    let (id_type, etype) = (spec.id_type, spec.id.clone());
    let rows = app
        .read(move |reader| {
            let ids = reader.entities(&etype, after.as_ref(), limit)?;
            let more = ids.len() == limit as usize;
            let mut rows = Vec::with_capacity(ids.len());
            for eid in ids {
                let entity = EntityRef { etype: etype.clone(), eid };
                // An entity that was removed between the two reads is left out.
                if let Some(record) = reader.record(&entity)? {
                    rows.push((entity.eid, record));
                }
            }
            Ok((rows, more))
        })
        .await?;
    let (rows, more) = rows;
    let next = if more { rows.last().map(|(eid, _)| id_type.to_json(eid)) } else { None };
    let entities: Vec<Value> = rows
        .iter()
        .map(|(eid, record)| {
            json!({"eid": id_type.to_json(eid), "created": record.created.to_string(), "revision": record.revision})
        })
        .collect();
    Ok(Json(json!({"entities": entities, "next": next})))
}

/// What is specified of an entity type.
pub(super) fn entity_spec<'a>(schema: &'a Schema, etype: &str) -> Result<&'a EntitySpec, ApiError> {
    schema
        .entity(etype)
        .ok_or_else(|| ApiError::invalid("path", "etype", format!("Entity type '{etype}' doesn't exist")))
}

/// The attribute that a query names.
pub(super) fn attribute_name(spec: &EntitySpec, name: &str) -> Result<AttrName, ApiError> {
    let found = spec.attribute(name).map(|a| a.id.clone());
    found.ok_or_else(|| ApiError::invalid("query", "attr", format!("Attribute '{name}' doesn't exist")))
}

fn entity_id(spec: &EntitySpec, eid: &str, place: &str) -> Result<EntityId, ApiError> {
    spec.id_type.parse(eid).map_err(|message| ApiError::invalid(place, "eid", message))
}

/// The entity that a path names.
pub(super) fn entity(schema: &Schema, etype: &str, eid: &str) -> Result<EntityRef, ApiError> {
    let spec = entity_spec(schema, etype)?;
    Ok(EntityRef { etype: spec.id.clone(), eid: entity_id(spec, eid, "path")? })
}
