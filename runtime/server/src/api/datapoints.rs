//! `POST /datapoints`: the way in.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};
use tenter_model::TaskBody;
use tokio::sync::oneshot;

use crate::app::App;

use super::error::{ApiError, Dp3Error};

/// Takes a JSON array of datapoints: all of them or, when one is bad, none. Answers once they are on disk.
pub(super) async fn post(State(app): State<App>, body: Bytes) -> Result<Json<Value>, Dp3Error> {
    let groups = app.schema().accept_datapoints(&body).map_err(|errors| ApiError::invalid_body(&errors))?;
    let tasks = groups
        .into_iter()
        .map(|(entity, datapoints)| TaskBody { datapoints, ..TaskBody::new(entity) })
        .collect::<Vec<_>>();
    admit(&app, tasks).await?;
    Ok(Json(json!({"detail": "OK"})))
}

/// Hands tasks to the engine and waits until they are on disk.
pub(super) async fn admit(app: &App, tasks: Vec<TaskBody>) -> Result<(), ApiError> {
    if tasks.is_empty() {
        return Ok(());
    }
    let permit = app.admission_permit().ok_or_else(|| ApiError {
        retry_after: Some(1),
        ..ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            "too many requests wait for the disk; nothing of this one was accepted, send it again",
        )
    })?;
    let (answer, answered) = oneshot::channel();
    app.engine().admit(
        tasks,
        Box::new(move |result| {
            // The client may have gone; the tasks stay accepted.
            let _gone = answer.send(result);
        }),
    );
    let result = answered.await.map_err(|_| ApiError::internal("the store's writer ended"))?;
    drop(permit);
    result?;
    Ok(())
}
