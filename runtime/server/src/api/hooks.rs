//! Hooks: the kinds that exist, and what is subscribed.

use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};
use tenter_model::{case, hook};

use crate::app::App;
use crate::auth::Caller;
use crate::modules::registrations::RegisterHook;

use super::error::ApiError;
use super::modules::{module_name, subscription_id};

/// `GET /api/v1/hooks/kinds`: the table of kinds and the table of case hooks.
pub(super) async fn kinds() -> Json<Value> {
    let kinds: Vec<Value> = hook::TABLE
        .iter()
        .map(|row| {
            json!({
                "name": row.name, "family": row.family.name(), "function": row.kind.wit_function(), "when": row.when,
                "sees": row.sees, "returns": row.returns.describe(), "on_failure": row.on_failure.describe(),
            })
        })
        .collect();
    let cases: Vec<Value> = case::TABLE
        .iter()
        .map(|h| {
            json!({
                "name": h.iris_name(), "phase": h.phase, "object": h.object, "action": h.action,
                "in_reference": h.in_reference,
            })
        })
        .collect();
    Json(json!({"kinds": kinds, "case_hooks": cases}))
}

/// `GET /api/v1/hooks`: subscriptions of loaded modules, in calling order.
pub(super) async fn list(State(app): State<App>) -> Json<Value> {
    let hooks: Vec<Value> = app
        .modules()
        .subscriptions()
        .into_iter()
        .map(|(module, subscription, enabled)| {
            let (etype, attr) = subscription.moment.subject();
            json!({
                "module": module, "subscription": subscription.id, "kind": subscription.moment.kind(),
                "etype": etype, "attr": attr, "enabled": enabled,
            })
        })
        .collect();
    Json(json!({"hooks": hooks}))
}

/// How a module is registered for a case hook.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct How {
    title: Option<String>,
    run_asynchronously: Option<bool>,
}

/// `POST /api/v1/hooks/{module}/{subscription}/register`: switches a subscription on; no error when it is. With the name
/// of a case hook in the place of a subscription it registers the module for it.
pub(super) async fn register(
    state: State<App>,
    path: Path<(String, String)>,
    Query(how): Query<How>,
    caller: Extension<Caller>,
) -> Result<Json<Value>, ApiError> {
    switch(state, path, caller, Some(how)).await
}

/// `POST /api/v1/hooks/{module}/{subscription}/deregister`: switches a subscription off; no error when it is off or
/// not there.
pub(super) async fn deregister(
    state: State<App>,
    path: Path<(String, String)>,
    caller: Extension<Caller>,
) -> Result<Json<Value>, ApiError> {
    switch(state, path, caller, None).await
}

async fn switch(
    State(app): State<App>,
    Path((module, subscription)): Path<(String, String)>,
    Extension(caller): Extension<Caller>,
    how: Option<How>,
) -> Result<Json<Value>, ApiError> {
    let module = module_name(&module)?;
    let subscription = subscription_id(&subscription)?;
    let on = how.is_some();
    let mut answer = json!({"module": module, "subscription": subscription, "enabled": on});
    let message = app
        .on_modules(move |modules| {
            let (actor, name) = (caller.actor(), subscription.as_str());
            if !modules.is_case_hook(&module, name) {
                modules.switch(&actor, &module, &subscription, on)?;
                return Ok(None);
            }
            let message = match &how {
                None => modules.deregister_hook(&actor, &module, name)?,
                Some(how) => modules.register_hook(&RegisterHook {
                    actor: &actor,
                    module: &module,
                    hook: name,
                    title: how.title.as_deref(),
                    asynchronous: how.run_asynchronously.unwrap_or(true),
                })?,
            };
            Ok(Some(message))
        })
        .await?;
    if let (Some(members), Some(message)) = (answer.as_object_mut(), message) {
        members.insert("message".into(), message.into());
    }
    Ok(Json(answer))
}
