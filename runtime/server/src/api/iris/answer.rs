//! The envelope of answers, and how what went wrong is told in it.
//!
//! The texts are IRIS's where clients look for them: `Data error` with the errors of each field, `Permission denied`,
//! `Authentication required`, `Resource not found`. What follows behind a colon says what to do and is ours.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tenter_engine::case::CaseError;
use tenter_model::case::object::uuid;
use tenter_model::case::{FieldErrors, ObjectRef};
use tenter_store::StoreError;

use crate::api::error::ApiError;

/// What handlers return.
pub(in crate::api) type Answer = Result<Success, Refusal>;

/// A request that was done.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::api) struct Success {
    message: String,
    data: Value,
}

impl Success {
    /// With this in it; null becomes an empty list, as clients expect it.
    pub(in crate::api) fn new(message: impl Into<String>, data: Value) -> Self {
        let data = if data.is_null() { json!([]) } else { data };
        Self { message: message.into(), data }
    }

    /// With data that need no words.
    pub(in crate::api) fn of(data: Value) -> Self {
        Self::new("", data)
    }

    /// With words alone.
    pub(in crate::api) fn done(message: impl Into<String>) -> Self {
        Self::new(message, Value::Null)
    }
}

impl IntoResponse for Success {
    fn into_response(self) -> Response {
        Json(json!({"status": "success", "message": self.message, "data": self.data})).into_response()
    }
}

/// A request that was not done.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::api) struct Refusal {
    status: StatusCode,
    message: String,
    data: Value,
    retry_after: Option<u32>,
}

impl Refusal {
    /// What was sent cannot be.
    pub(in crate::api) fn bad(message: impl Into<String>) -> Self {
        Self::with(StatusCode::BAD_REQUEST, message, Value::Null)
    }

    /// Its words.
    pub(in crate::api) fn message(&self) -> &str {
        &self.message
    }

    /// The same, with what is to be told of it.
    pub(in crate::api) fn bad_with(message: impl Into<String>, data: Value) -> Self {
        Self::with(StatusCode::BAD_REQUEST, message, data)
    }

    /// There is nothing of that sort, in these words.
    pub(in crate::api) fn unknown(message: impl Into<String>) -> Self {
        Self::with(StatusCode::NOT_FOUND, message, Value::Null)
    }

    /// Fields of what was sent cannot be so.
    pub(in crate::api) fn fields(errors: &FieldErrors) -> Self {
        Self::with(StatusCode::BAD_REQUEST, "Data error", errors.to_json())
    }

    /// There is no object of that id in the case.
    pub(in crate::api) fn no_object(target: ObjectRef) -> Self {
        Self::bad(target.kind.info().not_found)
    }

    /// There is nothing at the path.
    pub(in crate::api) fn nothing_here() -> Self {
        Self::with(StatusCode::NOT_FOUND, "Resource not found", Value::Null)
    }

    /// Nobody, or nobody known, asks.
    pub(in crate::api) fn nobody(detail: &str) -> Self {
        Self::with(StatusCode::UNAUTHORIZED, format!("Authentication required: {detail}"), Value::Null)
    }

    /// The user may not do so with the case, or there is no such case: which of both is not told. The number in the
    /// answer finds the line in the log.
    pub(in crate::api) fn denied(user_id: i64, case_id: Option<i64>) -> Self {
        let number = error_number();
        tracing::warn!(error_uuid = number, user_id, case_id, "a user was denied access to a case");
        let data = json!({"user_id": user_id, "case_id": case_id, "error_uuid": number});
        Self::with(StatusCode::FORBIDDEN, "Permission denied", data)
    }

    /// Role, scopes or the lack of a user forbid it.
    pub(in crate::api) fn forbidden(detail: &str) -> Self {
        let data = json!({"user_id": null, "case_id": null, "error_uuid": error_number()});
        Self::with(StatusCode::FORBIDDEN, format!("Permission denied: {detail}"), data)
    }

    /// A route of an older IRIS.
    pub(in crate::api) fn gone(since: &str, hint: &str) -> Self {
        Self::with(StatusCode::GONE, format!("Endpoint deprecated in {since}. {hint}."), Value::Null)
    }

    /// The same with other words where what was to go is not there.
    pub(in crate::api) fn of_deletion(error: CaseError, user_id: i64) -> Self {
        match error {
            CaseError::NotFound(target) => Self::bad(target.kind.info().not_deleted),
            other => Self::of(other, user_id),
        }
    }

    /// What the service of cases says to a user.
    pub(in crate::api) fn of(error: CaseError, user_id: i64) -> Self {
        match error {
            CaseError::Denied { module, ref reason } => {
                let data = json!({"module": module.as_str(), "reason": reason});
                Self::with(StatusCode::BAD_REQUEST, format!("Denied by module {module}: {reason}"), data)
            }
            CaseError::Fields(errors) => Self::fields(&errors),
            CaseError::NotFound(target) => Self::no_object(target),
            CaseError::NoAccess { case_id, .. } => Self::denied(user_id, case_id),
            CaseError::Invalid(text) => Self::bad(text),
            CaseError::Stopping => {
                let stopping = ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", error.to_string());
                ApiError { retry_after: Some(5), ..stopping }.into()
            }
            CaseError::Store(error) => error.into(),
        }
    }

    fn with(status: StatusCode, message: impl Into<String>, data: Value) -> Self {
        let data = if data.is_null() { json!([]) } else { data };
        Self { status, message: message.into(), data, retry_after: None }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Fields(errors) => Self::fields(&errors),
            StoreError::Invalid(text) => Self::bad(text),
            StoreError::NotFound(_) | StoreError::Conflict(_) => Self::bad(error.to_string()),
            other => ApiError::from(other).into(),
        }
    }
}

/// For our own routes that work as a user of cases: the same words without the envelope.
impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal.status {
            StatusCode::UNAUTHORIZED => "unauthenticated",
            StatusCode::FORBIDDEN => "forbidden",
            StatusCode::NOT_FOUND => "not-found",
            StatusCode::SERVICE_UNAVAILABLE => "unavailable",
            _ => "refused",
        };
        Self { retry_after: refusal.retry_after, ..Self::new(refusal.status, code, refusal.message) }
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        let detail = error.detail.as_str();
        let refusal = match error.status {
            StatusCode::UNAUTHORIZED => Self::nobody(detail),
            StatusCode::FORBIDDEN => Self::forbidden(detail),
            StatusCode::NOT_FOUND => Self::nothing_here(),
            // There is no 422 among IRIS's answers.
            StatusCode::UNPROCESSABLE_ENTITY => Self::bad(detail),
            status => Self::with(status, detail, Value::Null),
        };
        Self { retry_after: error.retry_after, ..refusal }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({"status": "error", "message": self.message, "data": self.data});
        let response = (self.status, Json(body)).into_response();
        ApiError { retry_after: self.retry_after, ..ApiError::new(self.status, "", "") }.with_retry(response)
    }
}

/// A number that an answer and the log have in common. Without the system's randomness it is none of its own.
fn error_number() -> String {
    let mut random = [0u8; 16];
    if getrandom::fill(&mut random).is_err() {
        random = [0; 16];
    }
    uuid(random)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use tenter_model::ModuleName;
    use tenter_model::case::ObjectKind;
    use tenter_store::AccessLevel;

    use super::*;

    #[test]
    fn what_clients_read() {
        let target = ObjectRef { kind: ObjectKind::Event, id: 7 };
        let module = ModuleName::new("gate").unwrap();
        let errors = [
            CaseError::Denied { module, reason: "no customer".into() },
            CaseError::Fields(FieldErrors::one("event_title", "Missing field event_title")),
            CaseError::NotFound(target),
            CaseError::Invalid("the first case cannot be deleted".into()),
            CaseError::NoAccess { case_id: Some(9), needed: AccessLevel::Full },
            CaseError::Stopping,
            CaseError::Store(StoreError::Conflict("event 7".into())),
            CaseError::Store(StoreError::Full("quota".into())),
        ];
        let mut told = String::new();
        for error in errors {
            let refusal = Refusal::of(error, 1);
            let retry = refusal.retry_after.map(|s| format!(" again after {s} s")).unwrap_or_default();
            let mut data = refusal.data.clone();
            if let Some(number) = data.get_mut("error_uuid") {
                *number = json!("(a number)");
            }
            writeln!(told, "{}{retry}: {} {data}", refusal.status.as_u16(), refusal.message).unwrap();
        }
        insta::assert_snapshot!(told, @r#"
        400: Denied by module gate: no customer {"module":"gate","reason":"no customer"}
        400: Data error {"event_title":["Missing field event_title"]}
        400: Invalid event ID for this case []
        400: the first case cannot be deleted []
        403: Permission denied {"case_id":9,"error_uuid":"(a number)","user_id":1}
        503 again after 5 s: the server is stopping; send it again []
        400: event 7 was changed by another writer; read it again and repeat []
        503 again after 10 s: no room to write: quota; free disk space or raise the quota, writing goes on by itself then; nothing of this request was accepted, send it again then []
        "#);
        let gone = Refusal::of_deletion(CaseError::NotFound(target), 1);
        assert_eq!(gone.message, "Not a valid event ID for this case");
        let older = Refusal::gone("v2.4.0", "Use directories");
        assert_eq!(
            (older.status, older.message.as_str()),
            (StatusCode::GONE, "Endpoint deprecated in v2.4.0. Use directories.")
        );
    }

    #[test]
    fn what_other_parts_refuse_has_the_envelope_too() {
        let refused = |status, detail: &str| Refusal::from(ApiError::new(status, "x", detail));
        let unknown = refused(StatusCode::UNAUTHORIZED, "the token is not known");
        assert_eq!(unknown.message, "Authentication required: the token is not known");
        assert_eq!(refused(StatusCode::NOT_FOUND, "there is nothing").message, "Resource not found");
        assert_eq!(refused(StatusCode::UNPROCESSABLE_ENTITY, "wrong").status, StatusCode::BAD_REQUEST);
        let denied = refused(StatusCode::FORBIDDEN, "out of scope");
        assert_eq!(denied.message, "Permission denied: out of scope");
        assert!(denied.data["error_uuid"].is_string() && denied.data["case_id"].is_null(), "{}", denied.data);
        let busy =
            ApiError { retry_after: Some(2), ..ApiError::new(StatusCode::TOO_MANY_REQUESTS, "backlog", "later") };
        let response = Refusal::from(busy).into_response();
        assert_eq!(response.headers()["retry-after"], "2");
        assert_eq!(Success::new("", Value::Null).data, json!([]), "clients look for a list");
    }
}
