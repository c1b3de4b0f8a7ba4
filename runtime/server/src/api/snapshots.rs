//! Snapshots: runs, and what they hold of an entity.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};
use tenter_engine::SnapshotOptions;
use tenter_model::{EntityRef, Timestamp};
use tenter_store::{Reader, RunRow, StoreError};

use crate::app::App;
use crate::auth::Caller;
use crate::jobs;

use super::entities::{Dates, entity};
use super::error::{ApiError, Dp3Error};

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

#[derive(Deserialize)]
pub(super) struct Page {
    #[serde(default)]
    skip: usize,
    /// 0 = all.
    #[serde(default)]
    limit: usize,
}

/// `GET /entity/{etype}/{eid}/snapshots`: documents of an entity, oldest first.
pub(super) async fn of_entity(
    State(app): State<App>,
    Path((etype, eid)): Path<(String, String)>,
    Query(dates): Query<Dates>,
    Query(page): Query<Page>,
) -> Result<Json<Value>, Dp3Error> {
    let range = dates.range(app.now())?;
    let entity = entity(app.schema(), &etype, &eid)?;
    let limit = if page.limit == 0 { usize::MAX } else { page.limit };
    let all = documents(&app, entity, range).await?;
    Ok(Json(all.into_iter().skip(page.skip).take(limit).collect()))
}

/// `GET /entity/{etype}/{eid}`: the master record and the snapshots.
pub(super) async fn whole(
    State(app): State<App>,
    Path((etype, eid)): Path<(String, String)>,
    Query(dates): Query<Dates>,
) -> Result<Json<Value>, Dp3Error> {
    let range = dates.range(app.now())?;
    let entity = entity(app.schema(), &etype, &eid)?;
    let wanted = entity.clone();
    let record = app.read(move |reader| reader.record(&wanted)).await?;
    let master = record.map_or_else(|| json!({}), |record| app.schema().master_json(&entity, &record, range));
    let snapshots = documents(&app, entity, range).await?;
    let empty = master.as_object().is_none_or(serde_json::Map::is_empty) && snapshots.is_empty();
    Ok(Json(json!({"empty": empty, "master_record": master, "snapshots": snapshots})))
}

async fn documents(
    app: &App,
    entity: EntityRef,
    range: tenter_model::history::TimeRange,
) -> Result<Vec<Value>, ApiError> {
    let read = move |reader: &Reader| -> Result<_, StoreError> { reader.snapshot_history(&entity, range, 0, u32::MAX) };
    let found = app.read(read).await?;
    // The store gives the newest first.
    Ok(found.iter().rev().map(|s| app.schema().snapshot_json(&s.view, s.time, s.partial)).collect())
}
