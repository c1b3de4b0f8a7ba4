//! Modules: upload, look, switch, grant.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};
use tenter_model::capability::Grant;
use tenter_model::parameter;
use tenter_model::{ModuleName, SubscriptionId};

use crate::app::App;
use crate::auth::Caller;
use crate::enabled::Missing;
use crate::modules::signature::Signature;
use crate::modules::{ModuleError, ModuleView, Modules, Upload};

use super::error::ApiError;

#[derive(Deserialize)]
pub(super) struct UploadQuery {
    #[serde(default)]
    grant_requested: bool,
    #[serde(default)]
    allow_downgrade: bool,
    /// A signature, as JSON.
    signature: Option<String>,
}

/// `GET /api/v1/modules/{name}/config`: as it was given, by whom, and what may be given.
pub(super) async fn config(State(app): State<App>, Path(name): Path<String>) -> Result<Json<Value>, ApiError> {
    let name = module_name(&name)?;
    let found = app.on_modules(move |modules| modules.config(&name)).await?;
    let by = if found.by_operator { "operator" } else { "file" };
    let schema = parameter::json_schema(&found.descriptor);
    Ok(Json(json!({"config": found.config, "by": by, "schema": schema, "parameters": found.descriptor.parameters})))
}

/// `PATCH /api/v1/modules/{name}/config`: some parameters, the others stay.
pub(super) async fn set_parameters(
    State(app): State<App>,
    Path(name): Path<String>,
    Extension(caller): Extension<Caller>,
    Json(values): Json<Value>,
) -> Result<Json<Value>, ApiError> {
    let Value::Object(values) = values else {
        return Err(ApiError::invalid("body", "config", "expected an object of parameters"));
    };
    change(app, name, caller, move |modules, actor, name| modules.set_parameters(actor, name, &values)).await
}

/// `GET /api/v1/modules/{name}/config/export`: as IRIS has it.
pub(super) async fn export_config(State(app): State<App>, Path(name): Path<String>) -> Result<Json<Value>, ApiError> {
    let name = module_name(&name)?;
    let module = name.clone();
    let list = app.on_modules(move |modules| modules.export_config(&name)).await?;
    Ok(Json(json!({"module_name": module, "module_configuration": list})))
}

/// `POST /api/v1/modules/{name}/config/import`: what the export gives, or the list in it alone.
pub(super) async fn import_config(
    State(app): State<App>,
    Path(name): Path<String>,
    Extension(caller): Extension<Caller>,
    Json(body): Json<Value>,
) -> Result<Json<Value>, ApiError> {
    let name = module_name(&name)?;
    let list = body.get("module_configuration").cloned().unwrap_or(body);
    let (view, unknown) = app.on_modules(move |modules| modules.import_config(&caller.actor(), &name, &list)).await?;
    Ok(Json(json!({"module": json_of(&view), "unknown": unknown})))
}

/// `PUT /api/v1/modules/{name}/config`: replaces the configuration of the file.
pub(super) async fn set_config(
    State(app): State<App>,
    Path(name): Path<String>,
    Extension(caller): Extension<Caller>,
    Json(config): Json<Value>,
) -> Result<Json<Value>, ApiError> {
    if !config.is_object() {
        return Err(ApiError::invalid("body", "config", "expected an object of parameters"));
    }
    changed_config(&app, &name, caller.actor(), Some(config)).await
}

/// `DELETE /api/v1/modules/{name}/config`: the file counts again.
pub(super) async fn reset_config(
    State(app): State<App>,
    Path(name): Path<String>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Value>, ApiError> {
    changed_config(&app, &name, caller.actor(), None).await
}

async fn changed_config(app: &App, name: &str, actor: String, config: Option<Value>) -> Result<Json<Value>, ApiError> {
    let name = module_name(name)?;
    let view = app.on_modules(move |modules| modules.set_config(&actor, &name, config)).await?;
    Ok(Json(json_of(&view)))
}

/// `PUT /api/v1/modules/{name}`: admits a component and activates it, unless it asks for what is not granted.
pub(super) async fn upload(
    State(app): State<App>,
    Path(name): Path<String>,
    Query(query): Query<UploadQuery>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    let name = module_name(&name)?;
    let signature = query.signature.as_deref().map(signature_of).transpose()?;
    let actor = caller.actor();
    let view = app
        .on_modules(move |modules| {
            modules.upload(&Upload {
                actor: &actor,
                name: &name,
                bytes: &body,
                grant_requested: query.grant_requested,
                allow_downgrade: query.allow_downgrade,
                signature: signature.as_ref(),
            })
        })
        .await?;
    // The view shows the version in use; what waits is the uploaded one.
    let missing = view.waiting.as_ref().map_or(&view.missing_grants, |waiting| &waiting.missing).clone();
    let state = match () {
        () if !view.lacks.is_empty() => "unconfigured",
        () if missing.is_empty() => "active",
        () => "waiting",
    };
    Ok(Json(json!({"module": json_of(&view), "state": state, "missing_grants": missing})))
}

fn signature_of(text: &str) -> Result<Signature, ApiError> {
    serde_json::from_str(text).map_err(|error| {
        ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "signature", format!("the signature cannot be read: {error}"))
    })
}

/// `GET /api/v1/modules`: all, in calling order.
pub(super) async fn list(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    let (views, missing) = app.on_modules(|modules| Ok((modules.list()?, modules.missing()?))).await?;
    let modules: Vec<Value> = views.iter().map(json_of).collect();
    Ok(Json(json!({"modules": modules, "missing": missing.iter().map(Missing::to_json).collect::<Vec<_>>()})))
}

/// `GET /api/v1/modules/{name}`.
pub(super) async fn show(State(app): State<App>, Path(name): Path<String>) -> Result<Json<Value>, ApiError> {
    let name = module_name(&name)?;
    let view = app.on_modules(move |modules| modules.show(&name)).await?;
    Ok(Json(json_of(&view)))
}

/// `DELETE /api/v1/modules/{name}`.
pub(super) async fn remove(
    State(app): State<App>,
    Path(name): Path<String>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Value>, ApiError> {
    let name = module_name(&name)?;
    app.on_modules(move |modules| modules.remove(&caller.actor(), &name)).await?;
    Ok(Json(json!({"removed": true})))
}

/// `POST /api/v1/modules/{name}/enable`.
pub(super) async fn enable(
    State(app): State<App>,
    Path(name): Path<String>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Value>, ApiError> {
    change(app, name, caller, |modules, actor, name| modules.set_enabled(actor, name, true)).await
}

/// `POST /api/v1/modules/{name}/disable`.
pub(super) async fn disable(
    State(app): State<App>,
    Path(name): Path<String>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Value>, ApiError> {
    change(app, name, caller, |modules, actor, name| modules.set_enabled(actor, name, false)).await
}

/// `POST /api/v1/modules/{name}/rollback`: back to the version that was active before.
pub(super) async fn rollback(
    State(app): State<App>,
    Path(name): Path<String>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Value>, ApiError> {
    change(app, name, caller, |modules, actor, name| modules.rollback(actor, name)).await
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    /// A version, or the first digits of a digest.
    version: String,
}

/// `POST /api/v1/modules/{name}/activate`: uses another version that is here.
pub(super) async fn activate(
    State(app): State<App>,
    Path(name): Path<String>,
    Extension(caller): Extension<Caller>,
    Json(wanted): Json<Wanted>,
) -> Result<Json<Value>, ApiError> {
    change(app, name, caller, move |modules, actor, name| modules.activate(actor, name, &wanted.version)).await
}

/// `POST /api/v1/modules/{name}/grants`.
pub(super) async fn grant(
    State(app): State<App>,
    Path(name): Path<String>,
    Extension(caller): Extension<Caller>,
    Json(grant): Json<Grant>,
) -> Result<Json<Value>, ApiError> {
    change(app, name, caller, move |modules, actor, name| modules.grant(actor, name, &grant)).await
}

/// `DELETE /api/v1/modules/{name}/grants?capability=…&scope=…`.
pub(super) async fn revoke(
    State(app): State<App>,
    Path(name): Path<String>,
    Extension(caller): Extension<Caller>,
    Query(grant): Query<Grant>,
) -> Result<Json<Value>, ApiError> {
    change(app, name, caller, move |modules, actor, name| modules.revoke(actor, name, &grant)).await
}

async fn change(
    app: App,
    name: String,
    caller: Caller,
    act: impl FnOnce(&Modules, &str, &ModuleName) -> Result<ModuleView, ModuleError> + Send + 'static,
) -> Result<Json<Value>, ApiError> {
    let name = module_name(&name)?;
    let view = app.on_modules(move |modules| act(modules, &caller.actor(), &name)).await?;
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
        "configured": view.lacks.is_empty(),
        "lacks": view.lacks,
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
            "active": v.digest == view.digest,
        })).collect::<Vec<_>>(),
        "previous": view.previous,
        "waiting": view.waiting.as_ref().map(|w| json!({
            "version": w.version, "digest": w.digest, "uploaded_at": w.uploaded_at.to_string(),
            "requests": w.requests, "missing": w.missing, "new": w.new,
        })),
    })
}

impl From<ModuleError> for ApiError {
    fn from(error: ModuleError) -> Self {
        match error {
            ModuleError::Unknown(_) => Self::not_found(error.to_string()),
            // Nobody looked at the component, so it is not the sender's fault.
            ModuleError::Refused { code: code @ "host", message } => {
                tracing::error!("an upload was not looked at: {message}");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, code, message)
            }
            ModuleError::Refused { code, message } => Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message),
            ModuleError::Invalid(message) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-input", message),
            ModuleError::Conflict(message) => Self::new(StatusCode::CONFLICT, "conflict", message),
            ModuleError::Store(error) => error.into(),
            error @ ModuleError::Secrets(_) => Self::internal(error),
        }
    }
}
