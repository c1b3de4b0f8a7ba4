//! Entities: what is stored of them, in DP³'s shapes.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use tenter_model::accept::{InputError, LocStep};
use tenter_model::history::TimeRange;
use tenter_model::{EntityRef, MasterRecord, Schema, TaskBody};

use crate::app::App;
use crate::query::{ListAnswer, QueryError};

use super::datapoints::admit;
use super::error::{ApiError, Dp3Error};
use super::params::{Params, until};
use super::target::{OfEntity, WithBody, entity_id, entity_spec};

/// `GET /entities`: the types with their attributes and counts, in the order of the configuration.
pub(super) async fn types(State(app): State<App>) -> Result<Response, Dp3Error> {
    let schema = app.schema().clone();
    let counts = app
        .read(move |reader| {
            schema.entities().iter().map(|spec| Ok((spec.id.to_string(), reader.entity_count(&spec.id)?))).collect()
        })
        .await?;
    printed(&app.schema().entities_listing(&counts))
}

/// `GET /entity/{etype}/{eid}/master`: the master record; `{}` for an unknown entity.
pub(super) async fn master(
    State(app): State<App>,
    OfEntity(entity): OfEntity,
    mut params: Params,
) -> Result<Json<Value>, Dp3Error> {
    let range = params.dates_until(app.now());
    params.check()?;
    let wanted = entity.clone();
    let record = app.read(move |reader| reader.record(&wanted)).await?;
    Ok(Json(master_json(app.schema(), &entity, record.as_ref(), range)))
}

/// `GET /entity/{etype}/{eid}/snapshots`: documents of an entity, oldest first.
pub(super) async fn snapshots(
    State(app): State<App>,
    OfEntity(entity): OfEntity,
    mut params: Params,
) -> Result<Response, Dp3Error> {
    let range = params.dates();
    let (skip, limit) = (params.number("skip", 0), params.limit(0).unwrap_or(u32::MAX));
    params.check()?;
    let answer = documents(&app, entity, range, (skip, limit), None).await?;
    Ok(as_json(answer.finish(&[])))
}

/// `GET /entity/{etype}/{eid}`: the master record and the snapshots.
pub(super) async fn whole(
    State(app): State<App>,
    OfEntity(entity): OfEntity,
    mut params: Params,
) -> Result<Response, Dp3Error> {
    let dates = params.dates();
    let range = until(dates, app.now());
    params.check()?;
    let wanted = entity.clone();
    let record = app.read(move |reader| reader.record(&wanted)).await?;
    let master = master_json(app.schema(), &entity, record.as_ref(), range);
    let answer = documents(&app, entity, dates, (0, u32::MAX), Some("snapshots")).await?;
    let empty = record.is_none() && answer.count() == 0;
    Ok(as_json(answer.finish(&[("empty", empty.into()), ("master_record", master)])))
}

fn master_json(schema: &Schema, entity: &EntityRef, record: Option<&MasterRecord>, range: TimeRange) -> Value {
    record.map_or_else(|| json!({}), |record| schema.master_json(entity, record, range))
}

/// Writes the documents of an entity, oldest first, into an answer.
async fn documents(
    app: &App,
    entity: EntityRef,
    range: TimeRange,
    (skip, limit): (u32, u32),
    name: Option<&'static str>,
) -> Result<ListAnswer, ApiError> {
    let schema = app.schema().clone();
    app.query(move |reader, budget| {
        let mut answer = budget.answer(name);
        reader.each_snapshot(&entity, range, skip, limit, &mut |s| -> Result<(), QueryError> {
            budget.row()?;
            answer.push(&schema.snapshot_json(&s.view, s.time, s.partial))
        })?;
        Ok(answer)
    })
    .await
}

/// `POST /entity/{etype}/{eid}/ttl`: keeps the entity alive.
pub(super) async fn ttl(
    State(app): State<App>,
    WithBody(OfEntity(entity), body): WithBody<OfEntity>,
) -> Result<Json<Value>, Dp3Error> {
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
pub(super) async fn delete(State(app): State<App>, OfEntity(entity): OfEntity) -> Result<Json<Value>, Dp3Error> {
    admit(&app, vec![TaskBody { delete: true, ..TaskBody::new(entity) }]).await?;
    Ok(Json(json!({"detail": "OK"})))
}

/// `GET /api/v1/entities/{etype}`: ids of stored entities, by id, page by page.
pub(super) async fn list(
    State(app): State<App>,
    Path(etype): Path<String>,
    mut params: Params,
) -> Result<Json<Value>, ApiError> {
    let limit = params.number("limit", 100).clamp(1, 1000);
    params.check()?;
    let spec = entity_spec(app.schema(), &etype)?;
    let after = params.text("after").map(|text| entity_id(spec, "query", text)).transpose()?;
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

/// An answer that is JSON already.
pub(super) fn as_json(body: impl Into<Body>) -> Response {
    ([(CONTENT_TYPE, "application/json")], body.into()).into_response()
}

/// An answer of what keeps an order that a tree of JSON would not.
fn printed(answer: &impl Serialize) -> Result<Response, Dp3Error> {
    Ok(as_json(serde_json::to_vec(answer).map_err(ApiError::internal)?))
}
