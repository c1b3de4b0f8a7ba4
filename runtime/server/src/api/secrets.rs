//! Secrets of modules: written, never read.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::app::App;
use crate::auth::Caller;

use super::error::ApiError;
use super::modules::module_name;

/// A secret as it comes in. No `Debug`: the text is nobody's business.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSecret {
    value: String,
    /// Hosts that it may be sent to; none: all that the module may reach.
    #[serde(default)]
    hosts: Vec<String>,
}

/// `GET /api/v1/modules/{name}/secrets`: which are set, without their texts.
pub(super) async fn list(State(app): State<App>, Path(name): Path<String>) -> Result<Json<Value>, ApiError> {
    let name = module_name(&name)?;
    let views = app.on_modules(move |modules| modules.secrets(&name)).await?;
    let secrets: Vec<Value> = views
        .iter()
        .map(|view| {
            json!({
                "name": view.name, "set": view.set_at.is_some(), "set_at": view.set_at.map(|t| t.to_string()),
                "hosts": view.hosts, "granted": view.granted, "parameter": view.parameter,
            })
        })
        .collect();
    Ok(Json(json!({"secrets": secrets})))
}

/// `PUT /api/v1/modules/{name}/secrets/{secret}`.
pub(super) async fn set(
    State(app): State<App>,
    Path((name, secret)): Path<(String, String)>,
    Extension(caller): Extension<Caller>,
    Json(new): Json<NewSecret>,
) -> Result<Json<Value>, ApiError> {
    let (name, answer) = (module_name(&name)?, json!({"module": name, "secret": secret, "set": true}));
    let (text, hosts) = (Zeroizing::new(new.value), new.hosts);
    app.on_modules(move |modules| modules.set_secret(&caller.actor(), &name, &secret, text, hosts)).await?;
    Ok(Json(answer))
}

/// `DELETE /api/v1/modules/{name}/secrets/{secret}`.
pub(super) async fn remove(
    State(app): State<App>,
    Path((name, secret)): Path<(String, String)>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Value>, ApiError> {
    let (name, answer) = (module_name(&name)?, json!({"module": name, "secret": secret, "removed": true}));
    app.on_modules(move |modules| modules.remove_secret(&caller.actor(), &name, &secret)).await?;
    Ok(Json(answer))
}
