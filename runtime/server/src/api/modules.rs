//! Modules: upload, look, switch, grant.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use tenter_model::capability::Grant;
use tenter_model::{ModuleName, SubscriptionId};

use crate::app::App;
use crate::modules::{ModuleError, ModuleView};

use super::error::ApiError;

#[derive(Deserialize)]
pub(super) struct UploadQuery {
    #[serde(default)]
    grant_requested: bool,
}

/// `PUT /api/v1/modules/{name}`: admits a component and activates it, unless it asks for what is not granted.
pub(super) async fn upload(
    State(app): State<App>,
    Path(name): Path<String>,
    Query(query): Query<UploadQuery>,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    let name = module_name(&name)?;
    let view = app.on_modules(move |modules| modules.upload(&name, &body, query.grant_requested)).await?;
    let state = if view.missing_grants.is_empty() { "active" } else { "waiting" };
    let missing = view.missing_grants.clone();
    Ok(Json(json!({"module": json_of(&view), "state": state, "missing_grants": missing})))
}

/// `GET /api/v1/modules`: all, in calling order.
pub(super) async fn list(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    let views = app.on_modules(|modules| modules.list()).await?;
    let modules: Vec<Value> = views.iter().map(json_of).collect();
    Ok(Json(json!({"modules": modules})))
}

/// `GET /api/v1/modules/{name}`.
pub(super) async fn show(State(app): State<App>, Path(name): Path<String>) -> Result<Json<Value>, ApiError> {
    change(app, name, |modules, name| modules.show(name)).await
}

/// `DELETE /api/v1/modules/{name}`.
pub(super) async fn remove(State(app): State<App>, Path(name): Path<String>) -> Result<Json<Value>, ApiError> {
    let name = module_name(&name)?;
    app.on_modules(move |modules| modules.remove(&name)).await?;
    Ok(Json(json!({"removed": true})))
}

/// `POST /api/v1/modules/{name}/enable`.
pub(super) async fn enable(State(app): State<App>, Path(name): Path<String>) -> Result<Json<Value>, ApiError> {
    change(app, name, |modules, name| modules.set_enabled(name, true)).await
}

/// `POST /api/v1/modules/{name}/disable`.
pub(super) async fn disable(State(app): State<App>, Path(name): Path<String>) -> Result<Json<Value>, ApiError> {
    change(app, name, |modules, name| modules.set_enabled(name, false)).await
}

/// `POST /api/v1/modules/{name}/grants`.
pub(super) async fn grant(
    State(app): State<App>,
    Path(name): Path<String>,
    Json(grant): Json<Grant>,
) -> Result<Json<Value>, ApiError> {
    change(app, name, move |modules, name| modules.grant(name, &grant)).await
}

/// `DELETE /api/v1/modules/{name}/grants?capability=…&scope=…`.
pub(super) async fn revoke(
    State(app): State<App>,
    Path(name): Path<String>,
    Query(grant): Query<Grant>,
) -> Result<Json<Value>, ApiError> {
    change(app, name, move |modules, name| modules.revoke(name, &grant)).await
}

async fn change(
    app: App,
    name: String,
    act: impl FnOnce(&crate::modules::Modules, &ModuleName) -> Result<ModuleView, ModuleError> + Send + 'static,
) -> Result<Json<Value>, ApiError> {
    let name = module_name(&name)?;
    let view = app.on_modules(move |modules| act(modules, &name)).await?;
    Ok(Json(json_of(&view)))
}

/// A module's name out of a path.
pub(super) fn module_name(text: &str) -> Result<ModuleName, ApiError> {
    ModuleName::new(text).map_err(|error| ApiError::invalid("path", "module", error.to_string()))
}

/// A subscription's id out of a path.
pub(super) fn subscription_id(text: &str) -> Result<SubscriptionId, ApiError> {
    SubscriptionId::new(text).map_err(|error| ApiError::invalid("path", "subscription", error.to_string()))
}

fn json_of(view: &ModuleView) -> Value {
    json!({
        "name": view.name,
        "enabled": view.enabled,
        "loaded": view.loaded,
        "problem": view.problem,
        "position": view.position,
        "version": view.version,
        "digest": view.digest,
        "size": view.size,
        "uploaded_at": view.uploaded_at.to_string(),
        "title": view.descriptor.title,
        "description": view.descriptor.description,
        "parameters": view.descriptor.parameters,
        "families": view.families.iter().map(|f| f.name()).collect::<Vec<_>>(),
        "subscriptions": view.subscriptions,
        "requests": view.requests,
        "grants": view.grants.iter().map(|(grant, origin)| json!({
            "capability": grant.capability, "scope": grant.scope, "origin": origin,
        })).collect::<Vec<_>>(),
        "missing_grants": view.missing_grants,
        "versions": view.versions.iter().map(|v| json!({
            "version": v.version, "digest": v.digest, "size": v.size, "uploaded_at": v.uploaded_at.to_string(),
        })).collect::<Vec<_>>(),
    })
}

impl From<ModuleError> for ApiError {
    fn from(error: ModuleError) -> Self {
        match error {
            ModuleError::Unknown(_) => Self::not_found(error.to_string()),
            ModuleError::Refused { code, message } => Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message),
            ModuleError::Invalid(message) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-input", message),
            ModuleError::Store(error) => error.into(),
        }
    }
}
