//! DP³'s telemetry: sources, attributes, snapshots, what jobs did, the queue.
//!
//! Paths and shapes are DP³'s. What it asks MongoDB and RabbitMQ, this asks the store.

use std::sync::{Mutex, TryLockError};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};
use tenter_model::Timestamp;
use tenter_store::{RunRow, RunState};

use crate::app::App;
use crate::attributes::{self, seconds};

use super::error::{ApiError, Dp3Error};
use super::params::Params;

/// How old counts of attributes may be, in microseconds; a scan reads every record.
const FRESH_US: i64 = 60_000_000;
/// Runs and jobs looked through for metadata.
const MAX_NOTES: u32 = 10_000;

/// A scan at a time is enough for everybody.
static SCAN: Mutex<()> = Mutex::new(());

/// `GET /telemetry/sources_validity`: until when each source told something.
pub(super) async fn sources_validity(State(app): State<App>) -> Result<Json<Value>, Dp3Error> {
    let sources = sources(&app).await?;
    Ok(Json(sources.into_iter().map(|(src, t2)| (src, Value::from(t2.to_string()))).collect()))
}

/// `GET /telemetry/sources_age`: how long ago that is, in whole minutes or seconds.
pub(super) async fn sources_age(State(app): State<App>, mut params: Params) -> Result<Json<Value>, Dp3Error> {
    let unit = params.word("unit", &[("minutes", 60_000_000), ("seconds", 1_000_000)], 60_000_000);
    params.check()?;
    let now = app.now();
    let age = |t2: Timestamp| Value::from(now.since(t2).div_euclid(unit));
    Ok(Json(sources(&app).await?.into_iter().map(|(src, t2)| (src, age(t2))).collect()))
}

async fn sources(app: &App) -> Result<Vec<(String, Timestamp)>, ApiError> {
    // What was counted since the last note is handed over first; it is written before it is read.
    app.note_sources_now().await?;
    app.read(|reader| reader.sources()).await
}

/// `GET /telemetry/entities_per_attr`: how many entities have each attribute.
pub(super) async fn entities_per_attr(State(app): State<App>) -> Result<Json<Value>, Dp3Error> {
    let report = sizes(&app).await?;
    let count = |of: &Value| {
        let attributes = of.get("attributes").and_then(Value::as_object).into_iter().flatten();
        attributes.map(|(attr, sizes)| (attr.clone(), sizes["count"].clone())).collect::<Value>()
    };
    Ok(Json(report.as_object().into_iter().flatten().map(|(etype, of)| (etype.clone(), count(of))).collect()))
}

/// `GET /telemetry/attribute_bson_sizes`: how much room each attribute takes; see [`attributes`].
pub(super) async fn attribute_sizes(State(app): State<App>) -> Result<Json<Value>, Dp3Error> {
    Ok(Json(sizes(&app).await?))
}

async fn sizes(app: &App) -> Result<Value, ApiError> {
    let now = app.now();
    let known = app.read(|reader| reader.report(attributes::JOB)).await?;
    if let Some((report, at)) = &known
        && now.since(*at) < FRESH_US
    {
        return Ok(report.clone());
    }
    let (store, schema, clock) = (app.store(), app.schema().clone(), app.clone());
    let counted = app
        .read(move |reader| {
            let _one_at_a_time = match SCAN.try_lock() {
                Ok(guard) => guard,
                Err(TryLockError::Poisoned(guard)) => guard.into_inner(),
                Err(TryLockError::WouldBlock) => return Ok(None),
            };
            attributes::renew(&store, reader, &schema, || clock.now()).map(Some)
        })
        .await?;
    let busy = || {
        let detail = "the attributes are being counted for somebody else; ask again in a moment";
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "under-way", detail)
    };
    counted.or(known.map(|(report, _)| report)).ok_or_else(busy)
}

/// `GET /telemetry/snapshot_summary`: how old the latest run is and what it took.
pub(super) async fn snapshot_summary(State(app): State<App>) -> Result<Json<Value>, Dp3Error> {
    let runs = app.read(|reader| reader.runs(None, 1_000)).await?;
    let now = app.now();
    let finished = runs.iter().find(|run| run.state == RunState::Complete);
    let took = |run: &RunRow| run.ended.map(|ended| seconds(ended.since(run.began)));
    let age = |run: &RunRow| run.ended.map(|ended| seconds(now.since(ended)));
    Ok(Json(json!({
        "latest_age": runs.first().map(|run| seconds(now.since(run.began))),
        "finished_age": finished.and_then(age),
        "entities": finished.map(|run| run.counts.get("documents").copied().unwrap_or(0)),
        "total_s": finished.and_then(took),
    })))
}

/// `GET /telemetry/metadata`: what runs of snapshots and jobs noted, as DP³'s `#metadata` documents.
pub(super) async fn metadata(State(app): State<App>, mut params: Params) -> Result<Json<Value>, Dp3Error> {
    let range = params.dates_until(app.now());
    let newest_first = params.word("sort", &[("newest", true), ("oldest", false)], true);
    let (skip, limit) = (params.number("skip", 0), params.limit(0).unwrap_or(u32::MAX));
    params.check()?;
    let wanted = params.text("module");
    let (runs, jobs) =
        app.read(|reader| Ok((reader.runs(None, MAX_NOTES)?, reader.jobs(None, None, MAX_NOTES)?))).await?;
    let mut notes: Vec<(Timestamp, &str, Value)> = Vec::new();
    for run in &runs {
        let ended = run.ended.map(|t| t.to_string());
        let body = json!({"state": run.state.name(), "entities": run.counts.get("documents"), "counts": run.counts});
        notes.push((run.began, "SnapShooter", document("SnapShooter", run.began, ended, body)));
    }
    for job in &jobs {
        let module = module_of(&job.kind);
        let body = json!({"job": job.kind, "finished": job.ended.is_some(), "body": job.body});
        notes.push((job.began, module, document(module, job.began, Some(job.updated.to_string()), body)));
    }
    notes.retain(|(at, module, _)| {
        wanted.is_none_or(|wanted| wanted == *module)
            && range.from.is_none_or(|from| *at >= from)
            && range.to.is_none_or(|to| *at <= to)
    });
    notes.sort_by_key(|(at, ..)| *at);
    if newest_first {
        notes.reverse();
    }
    let page = notes.into_iter().skip(skip as usize).take(limit as usize);
    Ok(Json(page.map(|(.., note)| note).collect()))
}

fn document(module: &str, began: Timestamp, updated: Option<String>, body: Value) -> Value {
    let mut document = json!({
        "_id": format!("{module}{began}"), "#module": module, "#time_created": began.to_string(),
        "#last_update": updated.unwrap_or_else(|| began.to_string()),
    });
    if let (Some(document), Value::Object(body)) = (document.as_object_mut(), body) {
        document.extend(body);
    }
    document
}

/// The part of DP³ that does what a job of ours does.
fn module_of(kind: &str) -> &'static str {
    match kind {
        "garbage-collector" => "GarbageCollector",
        "updater" | "updater-cache" => "Updater",
        "aggregation" | "datapoint-cleaning" | "snapshot-cleaning" | "archiving" => "HistoryManager",
        "snapshots" => "SnapShooter",
        _ => "Platform",
    }
}

/// `GET /telemetry/rabbitmq/queues`: our queue, in the shape of RabbitMQ's. No task is handed out for good before it is
/// done, so that none is ever unacknowledged.
pub(super) async fn queues(State(app): State<App>) -> Result<Json<Value>, Dp3Error> {
    let counters = app.read(|reader| reader.counters()).await?;
    let (n, bytes) = (counters.pending, counters.pending_bytes);
    Ok(Json(json!({"queues": [{
        "name": "tasks", "queue": "tasks", "total": n, "ready": n, "unacked": 0, "consumers": app.lanes(),
        "memory": bytes, "message_bytes": bytes, "incoming": null, "outgoing": null,
    }]})))
}
