//! `POST /datapoints`: the way in.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::{Extension, Json};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tenter_model::TaskBody;
use tenter_store::{AdmitKey, MAX_KEY_BYTES, StoreError};
use tokio::sync::oneshot;

use crate::app::App;
use crate::auth::{Area, Caller};
use crate::datapoint_log::DatapointLog;

use super::error::{ApiError, Dp3Error};
use super::guard::out_of_scope;
use super::peer::Peer;

/// Names a request, so that sending it again does nothing again.
const KEY_HEADER: &str = "idempotency-key";

/// Takes a JSON array of datapoints: all of them or, when one is bad, none. Answers once they are on disk. A request
/// with a key that came before is answered as the first one was.
pub(super) async fn post(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Peer(ip): Peer,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Dp3Error> {
    let read = read(&app, &caller, &ip, &headers, &body).await?;
    admit_as(&app, read.tasks, read.key).await?;
    app.log_datapoints(read.lines, DatapointLog::write_accepted).await;
    Ok(Json(json!({"detail": "OK"})))
}

/// The same without taking them, for `tenter bench`: what the way to the store costs.
pub(super) async fn post_nowhere(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Peer(ip): Peer,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Dp3Error> {
    let read = read(&app, &caller, &ip, &headers, &body).await?;
    std::hint::black_box(read.tasks);
    Ok(Json(json!({"detail": "OK"})))
}

/// What a request brings.
struct Brought {
    /// One for each entity.
    tasks: Vec<TaskBody>,
    /// What names the request.
    key: Option<AdmitKey>,
    /// What the log of datapoints says of them once they are accepted.
    lines: Option<String>,
}

/// Reads and checks a request.
async fn read(app: &App, caller: &Caller, ip: &str, headers: &HeaderMap, body: &Bytes) -> Result<Brought, ApiError> {
    let key = headers.get(KEY_HEADER).map(|value| key_of(value, caller, body)).transpose()?;
    let groups = match app.schema().accept_datapoints(body) {
        Ok(groups) => groups,
        Err(errors) => {
            let refusal = ApiError::invalid_body(&errors);
            let line = app.datapoint_log().refused(app.now(), ip, &refusal.errors, body);
            app.log_datapoints(line, DatapointLog::write_refused).await;
            return Err(refusal);
        }
    };
    let refused = |etype: &str| !caller.scopes.allow(Area::Ingest, Some(etype));
    if let Some((entity, _)) = groups.iter().find(|(entity, _)| refused(entity.etype.as_str())) {
        return Err(out_of_scope(caller, Area::Ingest, Some(entity.etype.as_str())));
    }
    let lines = app.datapoint_log().accepted(app.schema(), app.now(), ip, &groups);
    let task = |(entity, datapoints)| TaskBody { datapoints, ..TaskBody::new(entity) };
    Ok(Brought { tasks: groups.into_iter().map(task).collect(), key, lines })
}

fn key_of(value: &HeaderValue, caller: &Caller, body: &Bytes) -> Result<AdmitKey, ApiError> {
    let text = value.to_str().ok().filter(|text| (1..=MAX_KEY_BYTES).contains(&text.len())).ok_or_else(|| {
        let message = format!("expected 1 to {MAX_KEY_BYTES} visible ASCII characters");
        ApiError::invalid("header", KEY_HEADER, message)
    })?;
    Ok(AdmitKey { scope: caller.scope(), key: text.to_owned(), body_digest: Sha256::digest(body).into() })
}

/// Hands tasks to the engine and waits until they are on disk.
pub(super) async fn admit(app: &App, tasks: Vec<TaskBody>) -> Result<(), ApiError> {
    admit_as(app, tasks, None).await
}

async fn admit_as(app: &App, tasks: Vec<TaskBody>, key: Option<AdmitKey>) -> Result<(), ApiError> {
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
    // The client may have gone; the tasks stay accepted.
    let done = move |result: Result<(), StoreError>| drop(answer.send(result));
    match key {
        None => app.engine().admit(tasks, Box::new(move |result| done(result.map(drop)))),
        Some(key) => app.admit_keyed(key, tasks, Box::new(move |result| done(result.map(drop)))),
    }
    let result = answered.await.map_err(|_| ApiError::internal("the store's writer ended"))?;
    drop(permit);
    result?;
    Ok(())
}
