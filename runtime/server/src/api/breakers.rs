//! Breakers: which hooks are paused because they kept breaking rules, and letting them go.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};
use tenter_model::HookKind;
use tenter_model::breaker::State as BreakerState;

use crate::app::App;
use crate::auth::Caller;

use super::error::ApiError;
use super::modules::module_name;

/// `GET /api/v1/breakers`: those that are not closed, and those that were open within a day.
pub(super) async fn list(State(app): State<App>) -> Json<Value> {
    Json(json!({"breakers": all(&app)}))
}

/// The breakers as the status shows them, too.
pub(super) fn all(app: &App) -> Vec<Value> {
    app.engine()
        .breakers()
        .all()
        .into_iter()
        .map(|((module, hook), breaker)| {
            let until = match breaker.state {
                BreakerState::Open { until } => Some(until.to_string()),
                BreakerState::Closed | BreakerState::HalfOpen { .. } | BreakerState::Quarantined => None,
            };
            json!({
                "module": module, "hook": hook, "state": breaker.state.name(), "until": until,
                "reason": breaker.reason, "since": breaker.since.to_string(), "opened": breaker.opened.len(),
            })
        })
        .collect()
}

#[derive(Deserialize, Default)]
struct Which {
    hook: Option<String>,
}

/// `POST /api/v1/modules/{name}/release`: lets the paused hooks of a module go, or the one named as `{"hook": …}`.
pub(super) async fn release(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    let name = module_name(&name)?;
    let which: Which = if body.is_empty() {
        Which::default()
    } else {
        serde_json::from_slice(&body)
            .map_err(|e| ApiError::invalid("body", "hook", format!("not {{\"hook\": …}}: {e}")))?
    };
    let kind = match which.hook {
        None => None,
        Some(text) => {
            Some(text.parse::<HookKind>().map_err(|error| ApiError::invalid("body", "hook", error.to_string()))?)
        }
    };
    let known = name.clone();
    app.on_modules(move |modules| modules.show(&known)).await?;
    let released = app.release(name.clone(), kind, caller.actor()).await?;
    Ok(Json(json!({"module": name, "released": released})))
}
