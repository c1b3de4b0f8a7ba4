//! Backups of a running server.

use axum::extract::State;
use axum::{Extension, Json};
use serde_json::{Value, json};

use crate::app::App;
use crate::auth::Caller;

use super::error::ApiError;

/// `POST /api/v1/backup`: copies the database as of one commit into `backups/` of the data directory. Work goes on
/// meanwhile; `tenter backup verify` looks at the copy.
pub(super) async fn create(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Value>, ApiError> {
    let (actor, now) = (caller.actor(), app.now());
    let made = app.write(move |store, _| crate::backup::create(store, &actor, now)).await?;
    Ok(Json(json!({"file": made.display().to_string(), "at": now.to_string()})))
}
