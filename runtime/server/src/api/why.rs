//! What is known of how values came about: which call wrote a value, and why a hook ran for an entity or did not.

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};
use tenter_model::task::Origin;
use tenter_model::{HookKind, Schema};
use tenter_store::{DeadFilter, ErrorFilter, InvocationFilter, InvocationId, RawFilter, StoreError, StoredPoint};

use crate::app::App;
use crate::why::{Facts, explain};

use super::deadletters;
use super::error::ApiError;
use super::target::{attribute, entity, entity_spec};

/// Calls and failures looked at.
const ROWS: u32 = 1000;
/// Dead letters shown.
const LETTERS: u32 = 20;

#[derive(Deserialize)]
pub(super) struct WhyQuery {
    hook: Option<String>,
}

/// `GET /api/v1/entities/{etype}/{eid}/why`: each hook that concerns the entity, and whether it ran.
pub(super) async fn why(
    State(app): State<App>,
    Path((etype, eid)): Path<(String, String)>,
    Query(query): Query<WhyQuery>,
) -> Result<Json<Value>, ApiError> {
    let entity = entity(app.schema(), &etype, &eid)?;
    let wrong = |error: tenter_model::hook::UnknownKind| ApiError::invalid("query", "hook", error.to_string());
    let only = query.hook.as_deref().map(str::parse::<HookKind>).transpose().map_err(wrong)?;
    let (modules, off) = app.on_modules(|modules| Ok((modules.list()?, modules.switched_off()))).await?;
    let wanted = entity.clone();
    let (record, calls, errors, dead) = app
        .read(move |reader| {
            let of_entity = Some(wanted.clone());
            let calls = InvocationFilter { entity: of_entity.clone(), ..InvocationFilter::default() };
            let errors = ErrorFilter { entity: of_entity.clone(), ..ErrorFilter::default() };
            let dead = DeadFilter { entity: of_entity, ..DeadFilter::default() };
            Ok((
                reader.record(&wanted)?,
                reader.invocations(&calls, None, ROWS)?,
                reader.errors(&errors, ROWS)?,
                reader.dead(&dead, LETTERS)?,
            ))
        })
        .await?;
    let facts = Facts { entity, record, modules, off, breakers: app.engine().breakers().all(), calls, errors, dead };
    Ok(Json(json!({
        "entity": facts.entity,
        "known": facts.record.is_some(),
        "created": facts.record.as_ref().map(|record| record.created.to_string()),
        "hooks": explain(&facts, only),
        "deadletters": facts.dead.iter().map(deadletters::brief).collect::<Vec<_>>(),
    })))
}

#[derive(Deserialize)]
pub(super) struct ProvenanceQuery {
    attr: Option<String>,
    #[serde(default)]
    skip: u32,
    #[serde(default = "default_limit")]
    limit: u32,
}

fn default_limit() -> u32 {
    20
}

/// `GET /api/v1/entities/{etype}/{eid}/provenance`: who wrote each datapoint of an entity, newest first.
pub(super) async fn provenance(
    State(app): State<App>,
    Path((etype, eid)): Path<(String, String)>,
    Query(query): Query<ProvenanceQuery>,
) -> Result<Json<Value>, ApiError> {
    let entity = entity(app.schema(), &etype, &eid)?;
    let spec = entity_spec(app.schema(), &etype)?;
    let attr = query.attr.as_deref().map(|name| attribute(spec, "query", name)).transpose()?;
    let filter = RawFilter {
        etype: Some(entity.etype.clone()),
        eid: Some(entity.eid.clone()),
        attr: attr.map(|attr| attr.id.clone()),
        src: None,
        skip: query.skip,
        limit: query.limit.clamp(1, 1000),
    };
    let points = app
        .read(move |reader| {
            let points = reader.raw(&filter)?;
            // Whether the call itself can be shown.
            let kept = |point: &StoredPoint| -> Result<bool, StoreError> {
                let Some(origin) = &point.origin else { return Ok(false) };
                Ok(reader.invocation(InvocationId::of_origin(origin))?.is_some())
            };
            points.into_iter().map(|point| Ok((kept(&point)?, point))).collect::<Result<Vec<_>, StoreError>>()
        })
        .await?;
    let schema = app.schema();
    let rows: Vec<Value> = points.iter().map(|(kept, point)| written(schema, point, *kept)).collect();
    Ok(Json(json!({"entity": entity, "datapoints": rows})))
}

fn written(schema: &Schema, stored: &StoredPoint, kept: bool) -> Value {
    let mut row = schema.datapoint_json(&stored.entity, &stored.point.datapoint);
    if let Some(object) = row.as_object_mut() {
        object.insert("at".to_owned(), stored.at.to_string().into());
        object.insert("task".to_owned(), stored.task.to_string().into());
        let by = match (&stored.origin, &stored.point.module) {
            (Some(origin), _) => call(origin, kept),
            // Stored before versions and calls were noted.
            (None, Some(module)) => json!({"module": module}),
            (None, None) => Value::Null,
        };
        object.insert("written_by".to_owned(), by);
    }
    row
}

fn call(origin: &Origin, kept: bool) -> Value {
    json!({
        "module": origin.module, "version": origin.version, "hook": origin.hook, "subscription": origin.subscription,
        "invocation": InvocationId::of_origin(origin).to_string(), "kept": kept,
        "for_task": origin.parent.to_string(), "attempt": origin.attempt,
    })
}
