//! How the server fares: health, status, metrics, failures.

use std::fmt::Write as _;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tenter_model::ModuleName;
use tenter_model::breaker::State as BreakerState;
use tenter_model::host::Reason;
use tenter_store::{Counters, ErrorFilter};

use crate::app::App;
use crate::enabled::Missing;
use crate::events;
use crate::serving::End;

use super::error::ApiError;
use super::modules::module_name;

/// How often counts are read again for a moment in which nothing is committed.
const RECONCILE_TRIES: usize = 50;

/// `GET /`: what DP³ says.
pub(super) async fn it_works() -> Json<Value> {
    Json(json!({"detail": "It works!"}))
}

/// `GET /livez`: the process answers.
pub(super) async fn livez() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the store can be written and the lanes run.
pub(super) async fn readyz(State(app): State<App>) -> Result<&'static str, ApiError> {
    match app.problem() {
        None => Ok("ok\n"),
        Some(problem) => Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "not-ready", problem)),
    }
}

/// `GET /api/v1/status`: the whole in one object.
pub(super) async fn status(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    let schema = app.schema().clone();
    let (counters, entities) = app
        .read(move |reader| {
            let counters = reader.counters()?;
            let mut entities = serde_json::Map::new();
            for spec in schema.entities() {
                entities.insert(spec.id.to_string(), reader.entity_count(&spec.id)?.into());
            }
            Ok((counters, entities))
        })
        .await?;
    let missing = app.on_modules(|modules| modules.missing()).await?;
    let calls: Vec<Value> = app
        .hook_stats()
        .into_iter()
        .map(|((module, hook), s)| {
            json!({
                "module": module, "hook": hook, "calls": s.calls, "faults": s.faults, "errors": s.errors,
                "tasks": s.tasks, "skipped": s.skipped, "denials": s.denials, "fuel": s.fuel, "micros": s.micros,
                "memory_bytes": s.memory_bytes,
                "reasons": s.by_reason().map(|(r, n)| (r.code().to_owned(), n.into())).collect::<serde_json::Map<_, _>>(),
            })
        })
        .collect();
    Ok(Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "url": app.url(),
        "lanes": app.lanes(),
        "uptime_s": app.uptime_s(),
        "writable": app.problem().is_none(),
        "problem": app.problem(),
        "entities": entities,
        "tasks": {
            "accepted": counters.accepted, "applied": counters.applied, "denied": counters.denied,
            "dead": counters.dead, "pending": counters.pending, "duplicates": counters.duplicates,
        },
        "datapoints": {
            "received": counters.received_points,
            "derived": counters.derived_points,
        },
        "hook_calls": calls,
        "events": app.events().json(&app.event_totals(&counters), app.now()),
        "jobs": app.engine().scheduler().jobs().into_iter().map(|job| {
            json!({
                "name": job.name, "schedule": job.schedule, "next": job.next.map(|t| t.to_string()),
                "running_since": job.running_since.map(|t| t.to_string()), "runs": job.runs, "skipped": job.skipped,
                "last": job.last.map(|run| {
                    let (counts, error) = match run.result {
                        Ok(counts) => (counts, None),
                        Err(error) => (Value::Null, Some(error)),
                    };
                    json!({"began": run.began.to_string(), "ended": run.ended.to_string(), "counts": counts, "error": error})
                }),
            })
        }).collect::<Vec<_>>(),
        "missing_modules": missing.iter().map(Missing::to_json).collect::<Vec<_>>(),
        "paused": super::breakers::all(&app),
        "slow": app.engine().pace().slow().into_iter().map(|(module, micros)| {
            json!({"module": module, "mean_us": micros})
        }).collect::<Vec<_>>(),
    })))
}

/// Which rows are wanted.
#[derive(Deserialize)]
pub(super) struct RowsQuery {
    module: Option<String>,
    /// Number of the last row of the page before.
    pub(super) before: Option<u64>,
    #[serde(default = "default_rows")]
    limit: u32,
}

fn default_rows() -> u32 {
    100
}

impl RowsQuery {
    /// Of this module.
    pub(super) fn module(&self) -> Result<Option<ModuleName>, ApiError> {
        self.module.as_deref().map(module_name).transpose()
    }

    /// At most so many.
    pub(super) fn limit(&self) -> u32 {
        self.limit.clamp(1, 1000)
    }
}

/// `GET /api/v1/errors`: failures of hooks, newest first.
pub(super) async fn errors(State(app): State<App>, Query(query): Query<RowsQuery>) -> Result<Json<Value>, ApiError> {
    let filter = ErrorFilter { module: query.module()?, ..ErrorFilter::default() };
    let limit = query.limit();
    let rows = app.read(move |reader| reader.errors(&filter, limit)).await?;
    let errors: Vec<Value> = rows
        .iter()
        .map(|row| {
            let hint = Reason::ALL.iter().find(|r| r.code() == row.reason).map(|r| r.hint());
            json!({
                "module": row.module, "version": row.version, "digest": row.digest, "hook": row.hook,
                "subscription": row.subscription, "task": row.task.map(|t| t.to_string()), "entity": row.entity,
                "reason": row.reason, "message": row.message, "detail": row.detail, "hint": hint,
                "fuel": row.usage.fuel, "micros": row.usage.micros, "memory_bytes": row.usage.memory_bytes,
                "attempt": row.attempt, "at": row.at.to_string(), "logs": row.logs,
            })
        })
        .collect();
    Ok(Json(json!({"errors": errors})))
}

/// `GET /api/v1/reconcile`: whether every task that entered has exactly one end, by the counts and by counting rows, and
/// whether snapshots, documents and entities fit together.
pub(super) async fn reconcile(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    let (stored, counted, misfits) = app
        .read(|reader| {
            let mut pair = (reader.counters()?, reader.audit()?);
            // Both are of one moment when nothing was committed between them; under traffic that takes some tries.
            for _ in 0..RECONCILE_TRIES {
                let after = reader.counters()?;
                if after == pair.0 {
                    break;
                }
                pair = (after, reader.audit()?);
            }
            Ok((pair.0, pair.1, reader.misfits()?))
        })
        .await?;
    let json = |c: &Counters| {
        json!({
            "accepted": c.accepted, "applied": c.applied, "denied": c.denied, "dead": c.dead, "pending": c.pending,
            "raw_points": c.raw_points, "derived_points": c.derived_points, "archived_points": c.archived_points,
        })
    };
    Ok(Json(json!({
        "reconciles": stored.reconciles() && counted.reconciles(),
        "rows_agree": stored == counted,
        "misfits": misfits,
        "stored": json(&stored),
        "counted": json(&counted),
    })))
}

/// `GET /metrics`: for Prometheus. Labels are module, hook and the like: never an entity, never a guest's words.
/// The one name from outside is that of a source, of which a bounded number are told apart.
pub(super) async fn metrics(State(app): State<App>) -> Result<([(HeaderName, &'static str); 1], String), ApiError> {
    let counters = app.read(|reader| reader.counters()).await?;
    let mut text = String::new();
    let mut metric = |name: &str, kind: &str, help: &str, rows: &[(String, f64)]| {
        // Writing to a String cannot fail.
        let _infallible = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in rows {
            let _infallible = writeln!(text, "{name}{labels} {value}");
        }
    };
    let one = |value: u64| vec![(String::new(), precise(value))];
    metric(
        "tenter_build_info",
        "gauge",
        "The version.",
        &[(format!("{{version=\"{}\"}}", env!("CARGO_PKG_VERSION")), 1.0)],
    );
    metric("tenter_tasks_accepted_total", "counter", "Tasks taken in.", &one(counters.accepted));
    metric("tenter_tasks_applied_total", "counter", "Tasks whose effects are stored.", &one(counters.applied));
    metric("tenter_tasks_denied_total", "counter", "Tasks whose entity a module refused.", &one(counters.denied));
    metric("tenter_deadletters_total", "counter", "Tasks that ended through a fault.", &one(counters.dead));
    metric("tenter_queue_depth", "gauge", "Tasks that wait.", &one(counters.pending));
    metric("tenter_datapoints_received_total", "counter", "Datapoints taken in.", &one(counters.received_points));
    metric("tenter_datapoints_total", "counter", "Datapoints stored.", &one(counters.raw_points));
    metric(
        "tenter_datapoints_derived_total",
        "counter",
        "Of these, written by modules.",
        &one(counters.derived_points),
    );
    let totals = app.event_totals(&counters);
    metric(
        "tenter_events_total",
        "counter",
        "What DP³ counts, since the start, by its groups and names of events.",
        &events::rows(&totals).map(|(labels, n)| (labels, precise(n))).collect::<Vec<_>>(),
    );
    metric(
        "tenter_store_writable",
        "gauge",
        "1 when the store can be written.",
        &one(u64::from(app.problem().is_none())),
    );
    let tally = app.tally();
    metric("tenter_http_connections", "gauge", "Open connections.", &one(tally.open()));
    metric(
        "tenter_http_connections_ended_total",
        "counter",
        "Connections that the server ended or did not take, by reason.",
        &End::ALL.map(|end| (format!("{{reason=\"{}\"}}", end.name()), precise(tally.count(end)))),
    );
    let stats = app.hook_stats();
    let by_hook = |value: fn(&tenter_engine::HookStats) -> f64| {
        stats
            .iter()
            .map(|((module, hook), s)| (format!("{{module=\"{module}\",hook=\"{hook}\"}}"), value(s)))
            .collect::<Vec<_>>()
    };
    metric("tenter_invocations_total", "counter", "Calls of hooks.", &by_hook(|s| precise(s.calls)));
    metric("tenter_invocation_faults_total", "counter", "Calls that broke a rule.", &by_hook(|s| precise(s.faults)));
    metric(
        "tenter_invocation_errors_total",
        "counter",
        "Calls that said they cannot.",
        &by_hook(|s| precise(s.errors)),
    );
    let by_reason = stats.iter().flat_map(|((module, hook), s)| {
        s.by_reason().map(move |(reason, count)| {
            (format!("{{module=\"{module}\",hook=\"{hook}\",reason=\"{}\"}}", reason.code()), precise(count))
        })
    });
    metric(
        "tenter_invocation_failures_total",
        "counter",
        "Calls without result, by the code of the reason, such as the limit that was reached.",
        &by_reason.collect::<Vec<_>>(),
    );
    let breakers = app.engine().breakers().all();
    let paused = breakers.iter().map(|((module, hook), breaker)| {
        let is = matches!(breaker.state, BreakerState::Open { .. } | BreakerState::Quarantined);
        (format!("{{module=\"{module}\",hook=\"{hook}\"}}"), f64::from(u8::from(is)))
    });
    metric("tenter_hook_paused", "gauge", "1 when a hook that broke rules is paused.", &paused.collect::<Vec<_>>());
    metric("tenter_invocation_tasks_total", "counter", "Tasks returned.", &by_hook(|s| precise(s.tasks)));
    metric(
        "tenter_invocations_skipped_total",
        "counter",
        "Calls left out, the hook is paused.",
        &by_hook(|s| precise(s.skipped)),
    );
    metric("tenter_invocation_fuel_total", "counter", "Fuel used.", &by_hook(|s| precise(s.fuel)));
    metric("tenter_invocation_seconds_total", "counter", "Wall time used.", &by_hook(|s| precise(s.micros) / 1e6));
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4")], text))
}

/// Metrics are floating point; counts beyond 2^53 lose their last digits there.
#[allow(clippy::cast_precision_loss, reason = "the exposition format has no integers")]
fn precise(value: u64) -> f64 {
    value as f64
}
