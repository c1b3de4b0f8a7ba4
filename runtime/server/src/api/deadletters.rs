//! Dead letters: tasks that ended through a fault. Nothing of them is lost until an operator drops them.

use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use serde_json::{Value, json};
use tenter_store::{DeadFilter, DeadRow};

use crate::app::App;
use crate::auth::Caller;

use super::error::ApiError;
use super::status::RowsQuery;

/// `GET /api/v1/deadletters`: newest first.
pub(super) async fn list(State(app): State<App>, Query(query): Query<RowsQuery>) -> Result<Json<Value>, ApiError> {
    let filter = DeadFilter { module: query.module()?, before: query.before, ..DeadFilter::default() };
    let limit = query.limit();
    let rows = app.read(move |reader| reader.dead(&filter, limit)).await?;
    Ok(Json(json!({"deadletters": rows.iter().map(brief).collect::<Vec<_>>()})))
}

/// `GET /api/v1/deadletters/{seq}`: with the whole task.
pub(super) async fn show(State(app): State<App>, Path(seq): Path<u64>) -> Result<Json<Value>, ApiError> {
    let filter = DeadFilter { before: seq.checked_add(1), ..DeadFilter::default() };
    let rows = app.read(move |reader| reader.dead(&filter, 1)).await?;
    let row = rows.into_iter().find(|row| row.seq == seq).ok_or_else(|| missing(seq))?;
    let mut shown = brief(&row);
    let task = serde_json::to_value(&row.letter.task.body).map_err(ApiError::internal)?;
    if let Some(object) = shown.as_object_mut() {
        object.insert("body".to_owned(), task);
        object.insert("root".to_owned(), row.letter.task.root.to_string().into());
    }
    Ok(Json(shown))
}

/// `POST /api/v1/deadletters/{seq}/retry`: back into its queue, with its id.
pub(super) async fn retry(
    State(app): State<App>,
    Path(seq): Path<u64>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Value>, ApiError> {
    let (actor, now) = (caller.actor(), app.now());
    app.write(move |store, _| store.acting(actor, now).replay_dead(seq)).await?;
    app.engine().wake();
    Ok(Json(json!({"seq": seq, "retried": true})))
}

/// `DELETE /api/v1/deadletters/{seq}`: its task is thrown away; it still counts as dead.
pub(super) async fn discard(
    State(app): State<App>,
    Path(seq): Path<u64>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Value>, ApiError> {
    let (actor, now) = (caller.actor(), app.now());
    app.write(move |store, _| store.acting(actor, now).discard_dead(seq)).await?;
    Ok(Json(json!({"seq": seq, "dropped": true})))
}

fn missing(seq: u64) -> ApiError {
    ApiError::not_found(format!("there is no dead letter {seq}; tenter deadletter list shows them"))
}

/// Without the task.
pub(super) fn brief(row: &DeadRow) -> Value {
    let letter = &row.letter;
    json!({
        "seq": row.seq, "task": letter.task.id.to_string(), "entity": letter.task.body.entity,
        "kind": letter.kind.name(), "reason": letter.reason, "module": letter.module, "hook": letter.hook,
        "message": letter.message, "depth": letter.task.depth, "at": letter.at.to_string(),
    })
}
