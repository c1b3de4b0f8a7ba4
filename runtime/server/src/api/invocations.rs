//! Calls of hooks, as far as they are kept.

use axum::Json;
use axum::extract::{Path, Query, State};
use serde_json::{Value, json};
use tenter_store::{InvocationFilter, InvocationId, StoredInvocation};

use crate::app::App;

use super::error::ApiError;
use super::status::RowsQuery;

/// `GET /api/v1/invocations`: newest first.
pub(super) async fn list(State(app): State<App>, Query(query): Query<RowsQuery>) -> Result<Json<Value>, ApiError> {
    let filter = InvocationFilter { module: query.module()?, ..InvocationFilter::default() };
    let (before, limit) = (query.before, query.limit());
    let rows = app.read(move |reader| reader.invocations(&filter, before, limit)).await?;
    Ok(Json(json!({"invocations": rows.iter().map(brief).collect::<Vec<_>>()})))
}

/// `GET /api/v1/invocations/{id}`: with its output and log.
pub(super) async fn show(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    let wanted: InvocationId = id.parse()?;
    let found = app.read(move |reader| reader.invocation(wanted)).await?;
    let found = found.ok_or_else(|| {
        ApiError::not_found(format!("there is no call {id}, or it is not kept any more; tenter invocation list"))
    })?;
    let mut shown = brief(&found);
    let output = String::from_utf8_lossy(&found.row.output);
    if let Some(object) = shown.as_object_mut() {
        let output = serde_json::from_str(&output).unwrap_or_else(|_| Value::from(output.as_ref()));
        object.insert("output".to_owned(), output);
        object.insert("logs".to_owned(), json!(found.row.logs));
        object.insert("cut".to_owned(), found.row.cut.into());
    }
    Ok(Json(shown))
}

fn brief(stored: &StoredInvocation) -> Value {
    let row = &stored.row;
    json!({
        "seq": stored.seq, "id": row.id.to_string(), "at": row.at.to_string(), "module": row.module,
        "version": row.version, "digest": row.digest, "hook": row.hook, "subscription": row.subscription,
        "task": row.task.map(|t| t.to_string()), "datapoint": row.datapoint, "entity": row.entity,
        "attempt": row.attempt, "outcome": row.outcome.name(), "reason": row.reason, "fuel": row.usage.fuel,
        "micros": row.usage.micros, "memory_bytes": row.usage.memory_bytes, "warm": row.usage.warm,
    })
}
