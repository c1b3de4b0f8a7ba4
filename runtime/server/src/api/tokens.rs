//! Tokens: made and listed by operators.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::auth::Role;

use super::error::ApiError;

#[derive(Deserialize)]
pub(super) struct NewToken {
    role: String,
    #[serde(default)]
    label: String,
}

/// `POST /api/v1/tokens`: the one time that the token's text is shown.
pub(super) async fn create(State(app): State<App>, Json(wish): Json<NewToken>) -> Result<Json<Value>, ApiError> {
    let role: Role = wish.role.parse().map_err(|message: String| ApiError::invalid("body", "role", message))?;
    let token = app.create_token(role, wish.label.clone()).await?;
    Ok(Json(json!({"token": token, "role": role.name(), "label": wish.label})))
}

/// `GET /api/v1/tokens`: without their texts.
pub(super) async fn list(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    let rows = app.read(|reader| reader.tokens()).await?;
    let tokens: Vec<Value> = rows
        .iter()
        .map(|row| {
            let digest: String = row.digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
            json!({
                "digest": digest, "role": row.role, "label": row.label, "created": row.created.to_string(),
                "expires": row.expires.map(|t| t.to_string()),
            })
        })
        .collect();
    Ok(Json(json!({"tokens": tokens})))
}
