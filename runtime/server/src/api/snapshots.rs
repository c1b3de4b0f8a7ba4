//! Snapshot runs.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};
use tenter_engine::SnapshotOptions;
use tenter_model::Timestamp;
use tenter_store::RunRow;

use crate::app::App;
use crate::auth::Caller;
use crate::jobs;

use super::error::ApiError;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Wish {
    /// Compute entities anew whose values cannot have changed.
    full: bool,
    /// The time that values are computed for.
    time: Option<String>,
    /// Answer when the run is complete, not when it has begun.
    wait: bool,
}

/// `POST /api/v1/snapshots`: makes a run now, or goes on with the one that was interrupted.
pub(super) async fn run(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    body: axum::body::Bytes,
) -> Result<Response, ApiError> {
    let wish: Wish = if body.is_empty() {
        Wish::default()
    } else {
        serde_json::from_slice(&body).map_err(|e| ApiError::invalid("body", "body", e.to_string()))?
    };
    let time = wish.time.as_deref().map(|text| {
        Timestamp::parse(text).ok_or_else(|| {
            ApiError::invalid("body", "time", format!("{text:?} is not a time such as 2030-01-01T00:00:00Z"))
        })
    });
    let options = SnapshotOptions { time: time.transpose()?, full: wish.full, ..app.snapshot_options() };
    tracing::info!(by = caller.actor(), full = wish.full, "a snapshot run is asked for");
    if !wish.wait {
        app.begin_job(jobs::SNAPSHOTS, json!({"full": wish.full, "time": wish.time}))?;
        return Ok((StatusCode::ACCEPTED, Json(json!({"state": "running"}))).into_response());
    }
    let report = app.snapshot(options).await?;
    let mut shown = run_json(&report.run);
    if let Some(object) = shown.as_object_mut() {
        object.insert("resumed".to_owned(), report.resumed.into());
    }
    Ok(Json(shown).into_response())
}

#[derive(Deserialize)]
pub(super) struct RunsQuery {
    before: Option<u64>,
    limit: Option<u32>,
}

/// `GET /api/v1/snapshots`: runs, newest first, and where the running one is.
pub(super) async fn list(State(app): State<App>, Query(query): Query<RunsQuery>) -> Result<Json<Value>, ApiError> {
    let limit = query.limit.unwrap_or(20).clamp(1, 1000);
    let rows = app.read(move |reader| reader.runs(query.before, limit)).await?;
    let progress = app
        .engine()
        .snapshot_progress()
        .map(|p| json!({"id": p.id, "time": p.time.to_string(), "since": p.since.to_string(), "entities": p.entities}));
    Ok(Json(json!({"runs": rows.iter().map(run_json).collect::<Vec<_>>(), "running": progress})))
}

fn run_json(run: &RunRow) -> Value {
    json!({
        "number": run.number, "id": run.id, "time": run.time.to_string(), "state": run.state.name(),
        "began": run.began.to_string(), "ended": run.ended.map(|t| t.to_string()), "counts": run.counts,
        "reason": run.reason,
    })
}
