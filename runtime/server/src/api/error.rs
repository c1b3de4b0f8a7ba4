//! From domain errors to HTTP answers.
//!
//! Three shapes exist. Routes under `/api/v1` answer `application/problem+json` (RFC 9457) with a stable `code`; DP³'s own
//! routes answer `{"detail": …}` as their clients expect, and IRIS's have an envelope of their own (`iris.rs`). The *public* message says what to do; what is internal goes to
//! the log.

use std::time::Duration;

use axum::Json;
use axum::body::to_bytes;
use axum::http::StatusCode;
use axum::http::header::{CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tenter_engine::SnapshotError;
use tenter_model::accept::InputError;
use tenter_model::limits::MAX_UPLOAD_BYTES;
use tenter_store::StoreError;

use crate::query::QueryError;

use super::iris::Refusal;
use super::shape::Shape;

/// Longest text of a refusal by the framework, in bytes.
const MAX_FRAMEWORK_TEXT: usize = 64 << 10;
/// How the framework begins to say that a body broke off.
const UNREADABLE: &str = "Failed to buffer the request body";

/// An answer that is not a success.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ApiError {
    /// The HTTP status.
    pub(crate) status: StatusCode,
    /// Stable code for programs.
    pub(crate) code: &'static str,
    /// Public message.
    pub(crate) detail: String,
    /// Errors of single fields, in DP³'s shape.
    pub(crate) errors: Vec<Value>,
    /// Seconds after which a retry makes sense.
    pub(crate) retry_after: Option<u32>,
}

impl ApiError {
    /// An answer with a message alone.
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), errors: Vec::new(), retry_after: None }
    }

    /// Something that was named does not exist.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", detail)
    }

    /// Input of the wrong shape, in DP³'s words: where and what.
    pub(crate) fn invalid(place: &str, name: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let item = json!({"loc": [place, name], "msg": message, "type": "value_error"});
        Self { errors: vec![item], ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-input", message) }
    }

    /// Input errors of a whole body; each says where, beginning with `body`.
    pub(crate) fn invalid_body(errors: &[InputError]) -> Self {
        let items =
            errors.iter().map(|error| json!({"loc": error.loc, "msg": error.message, "type": error.kind})).collect();
        let detail = errors.first().map_or_else(String::new, ToString::to_string);
        Self { errors: items, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-input", detail) }
    }

    /// Input errors that are told item by item already.
    pub(crate) fn invalid_items(items: Vec<Value>) -> Self {
        let detail = items.first().map_or_else(String::new, |item| {
            let loc = item["loc"].as_array().into_iter().flatten();
            let at = loc.map(|step| step.as_str().map_or_else(|| step.to_string(), str::to_owned)).collect::<Vec<_>>();
            format!("{}: {}", at.join("."), item["msg"].as_str().unwrap_or_default())
        });
        Self { errors: items, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-input", detail) }
    }

    /// The fault is ours; the cause goes to the log.
    pub(crate) fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!("internal error: {cause}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "internal error; the server's log has the cause")
    }

    /// The body in DP³'s shape.
    pub(crate) fn dp3(self) -> Dp3Error {
        Dp3Error(self)
    }

    /// The answer of a route, in the shape of its API.
    pub(super) fn shaped(self, shape: Shape) -> Response {
        match shape {
            Shape::Dp3 => self.dp3().into_response(),
            Shape::Ours => self.into_response(),
            Shape::Iris => Refusal::from(self).into_response(),
        }
    }

    pub(super) fn with_retry(&self, mut response: Response) -> Response {
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound(_) => Self::not_found(error.to_string()),
            StoreError::Conflict(_) => Self::new(StatusCode::CONFLICT, "conflict", error.to_string()),
            StoreError::KeyReused(_) => Self::new(StatusCode::CONFLICT, "key-reused", error.to_string()),
            StoreError::Invalid(_) | StoreError::Fields(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-input", error.to_string())
            }
            StoreError::Backlog { .. } => {
                let tried_later = Self::new(StatusCode::TOO_MANY_REQUESTS, "backlog", error.to_string());
                Self { retry_after: Some(2), ..tried_later }
            }
            StoreError::Full(_) => {
                tracing::error!("the store refuses: {error}");
                let detail = format!("{error}; nothing of this request was accepted, send it again then");
                let full = Self::new(StatusCode::SERVICE_UNAVAILABLE, "disk-full", detail);
                Self { retry_after: Some(10), ..full }
            }
            StoreError::Busy(_) | StoreError::ReadOnly(_) | StoreError::Io(_) | StoreError::Closed => {
                tracing::error!("the store cannot write: {error}");
                let detail = "the store cannot write at present; nothing of this request was accepted, send it again";
                Self { retry_after: Some(5), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "not-writable", detail) }
            }
            StoreError::Unreadable { .. }
            | StoreError::Corrupt(_)
            | StoreError::Locked(_)
            | StoreError::TooNew { .. }
            | StoreError::Foreign(_)
            | StoreError::Sqlite(_) => Self::internal(error),
        }
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Store(error) => error.into(),
            // DP³ answers 400 to a query that cannot be answered.
            QueryError::Busy(_) => {
                Self { retry_after: Some(1), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", error.to_string()) }
            }
            QueryError::TooLong { .. } | QueryError::TooMuch(_) | QueryError::Gone => {
                Self::new(StatusCode::BAD_REQUEST, "query-cost", error.to_string())
            }
        }
    }
}

impl From<SnapshotError> for ApiError {
    fn from(error: SnapshotError) -> Self {
        match error {
            SnapshotError::Active { .. } => Self::new(StatusCode::CONFLICT, "under-way", error.to_string()),
            SnapshotError::Stopped => Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", error.to_string()),
            SnapshotError::NoEntityType(_) => Self::not_found(error.to_string()),
            SnapshotError::Plan(_) => Self::new(StatusCode::CONFLICT, "conflict", error.to_string()),
            SnapshotError::Store(error) => error.into(),
            SnapshotError::Panicked | SnapshotError::Thread(_) => Self::internal(error),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("error"),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        if let (Some(object), false) = (body.as_object_mut(), self.errors.is_empty()) {
            object.insert("errors".to_owned(), Value::Array(self.errors.clone()));
        }
        let mut response = (self.status, Json(body)).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        self.with_retry(response)
    }
}

/// The same error in the shape that DP³'s clients read.
#[derive(Debug)]
pub(crate) struct Dp3Error(ApiError);

impl<E: Into<ApiError>> From<E> for Dp3Error {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Dp3Error {
    fn into_response(self) -> Response {
        let error = self.0;
        let detail = if error.errors.is_empty() {
            Value::from(error.detail.clone())
        } else {
            Value::Array(error.errors.clone())
        };
        let response = (error.status, Json(json!({"detail": detail}))).into_response();
        error.with_retry(response)
    }
}

/// The answer to a request whose body did not come.
pub(crate) fn stalled(shape: Shape, limit: Duration) -> Response {
    let detail = format!(
        "the rest of the body did not come: some kilobytes of it must come in each {} s (http.progress_timeout of \
         tenter.yml); nothing of this request was accepted",
        limit.as_secs_f64()
    );
    let mut response = ApiError::new(StatusCode::REQUEST_TIMEOUT, "slow-body", detail).shaped(shape);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Refusals of the framework, such as of a query that cannot be read, are bare text; this gives them our shape. Other
/// answers pass.
pub(super) async fn reshaped(response: Response, shape: Shape, max_body_bytes: u64) -> Response {
    let status = response.status();
    let is_json = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|media| media.contains("json"));
    if is_json || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let text = to_bytes(response.into_body(), MAX_FRAMEWORK_TEXT).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let error = match status {
        StatusCode::PAYLOAD_TOO_LARGE => {
            let detail = format!(
                "the body is too large: at most {} MiB are read, decompressed, of an uploaded component {} MiB; send it in \
                 parts",
                max_body_bytes >> 20,
                MAX_UPLOAD_BYTES >> 20
            );
            ApiError::new(status, "too-large", detail)
        }
        StatusCode::METHOD_NOT_ALLOWED => {
            // The router adds the header Allow to whatever this returns.
            ApiError::new(status, "wrong-method", "this path does not have this method; the header Allow names its own")
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE if text.is_empty() => {
            let detail = "this Content-Encoding is not read; gzip, deflate and zstd are, one at a time";
            ApiError::new(status, "unsupported-encoding", detail)
        }
        StatusCode::BAD_REQUEST if text.starts_with(UNREADABLE) => {
            let detail = "the body cannot be read: it ended early, or is not compressed as Content-Encoding says";
            ApiError::new(status, "unreadable-body", detail)
        }
        // What DP³ answers to a query or path that it cannot read.
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
            ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-input", text)
        }
        _ => ApiError::new(status, "refused", text),
    };
    error.shaped(shape)
}
