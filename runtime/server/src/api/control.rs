//! DP³'s control actions.
//!
//! They answer when the action is done or has begun, and say so when it could not be; DP³ answers 200 to anything and
//! writes failures to a log that the caller does not see.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};
use tenter_model::config::{Action, nearest};

use crate::app::App;
use crate::auth::Caller;
use crate::jobs;

use super::entities::entity_spec;
use super::error::{ApiError, Dp3Error};
use super::modules::module_name;

#[derive(Deserialize)]
pub(super) struct Arguments {
    etype: Option<String>,
    module: Option<String>,
}

/// `GET` and `POST /control/{action}`.
pub(super) async fn act(
    State(app): State<App>,
    Path(name): Path<String>,
    Query(arguments): Query<Arguments>,
    Extension(caller): Extension<Caller>,
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
        Action::MakeSnapshots => app.begin_job(jobs::SNAPSHOTS, Value::Null)?,
        Action::RefreshModuleConfig => {
            let text =
                arguments.module.ok_or_else(|| ApiError::invalid("query", "module", "which module is missing"))?;
            let module = module_name(&text)?;
            app.refresh_module_config(module).await?;
        }
        Action::RefreshOnEntityCreation => {
            let etype =
                arguments.etype.ok_or_else(|| ApiError::invalid("query", "etype", "which entity type is missing"))?;
            entity_spec(app.schema(), &etype)?;
            app.begin_job(jobs::REFRESH_CREATIONS, json!({"etype": etype}))?;
        }
    }
    Ok(Json(json!({"detail": "Action sent."})))
}
