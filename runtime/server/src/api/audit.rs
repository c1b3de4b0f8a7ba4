//! The audit log: who changed what, each row chained to the one before it.

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::modules::signature::hex;

use super::error::ApiError;

#[derive(Deserialize)]
pub(super) struct Page {
    #[serde(default)]
    after: u64,
    limit: Option<u32>,
}

/// `GET /api/v1/audit`: rows in order, after a number.
pub(super) async fn log(State(app): State<App>, Query(page): Query<Page>) -> Result<Json<Value>, ApiError> {
    let limit = page.limit.unwrap_or(100).clamp(1, 1000);
    let rows = app.read(move |reader| reader.audit_log(page.after, limit)).await?;
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "seq": row.seq, "at": row.at.to_string(), "actor": row.actor, "action": row.action,
                "subject": row.subject, "detail": row.detail, "hash": hex(&row.hash),
            })
        })
        .collect();
    Ok(Json(json!({"audit": rows})))
}

/// `GET /api/v1/audit/verify`: whether the chain is whole. Its head is worth keeping in another place.
pub(super) async fn verify(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    let check = app.read(|reader| reader.verify_audit()).await?;
    Ok(Json(json!({
        "rows": check.rows, "whole": check.first_broken.is_none(), "first_broken": check.first_broken,
        "head": hex(&check.head),
    })))
}
