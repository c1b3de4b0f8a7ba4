//! DP³'s control actions.
//!
//! They answer when the action is done, has begun, or was under way, since DP³'s clients send and forget; what cannot be
//! done at all is said, where DP³ answers 200 and writes to a log that the caller does not see.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde_json::{Value, json};
use tenter_model::ModuleName;
use tenter_model::config::{Action, nearest};

use crate::app::App;
use crate::auth::Caller;
use crate::jobs;

use super::error::{ApiError, Dp3Error};
use super::params::Params;

/// `GET` and `POST /control/{action}`.
pub(super) async fn act(
    State(app): State<App>,
    Path(name): Path<String>,
    Extension(caller): Extension<Caller>,
    mut params: Params,
) -> Result<Json<Value>, Dp3Error> {
    let action = Action::ALL.into_iter().find(|action| action.name() == name).ok_or_else(|| {
        let near = nearest(&name, Action::ALL.iter().map(|a| a.name()))
            .map_or(String::new(), |near| format!(", did you mean {near:?}?"));
        ApiError::invalid("path", "action", format!("{name:?} is no control action{near}"))
    })?;
    if !app.allows_action(action) {
        let detail = format!("the action {name} is not allowed here; list it in control.yml (allowed_actions)");
        return Err(ApiError::new(StatusCode::FORBIDDEN, "not-allowed", detail).into());
    }
    tracing::info!(by = caller.actor(), action = name, "control action");
    match action {
        Action::MakeSnapshots => begin(&app, jobs::SNAPSHOTS, Value::Null)?,
        Action::RefreshModuleConfig => {
            let module = params.required("module");
            params.check()?;
            let wrong = |message: String| ApiError::invalid("query", "module", message);
            let module = ModuleName::new(&module.unwrap_or_default()).map_err(|error| wrong(error.to_string()))?;
            let unknown = |error: ApiError| match error.status {
                StatusCode::NOT_FOUND => wrong(error.detail),
                _ => error,
            };
            app.refresh_module_config(module).await.map_err(unknown)?;
        }
        Action::RefreshOnEntityCreation => {
            let etype = params.required("etype");
            params.check()?;
            let etype = etype.unwrap_or_default();
            let unknown = || ApiError::invalid("query", "etype", format!("Entity type '{etype}' doesn't exist"));
            app.schema().entity(&etype).ok_or_else(unknown)?;
            begin(&app, jobs::REFRESH_CREATIONS, json!({"etype": etype}))?;
        }
    }
    Ok(Json(json!({"detail": "Action sent."})))
}

/// Begins a job; one that runs does what was asked for.
fn begin(app: &App, job: &str, arguments: Value) -> Result<(), ApiError> {
    match app.begin_job(job, arguments) {
        Err(error) if error.code == "under-way" => Ok(()),
        other => other,
    }
}
