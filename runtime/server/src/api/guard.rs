//! What every request passes first: is it really meant for us, and may the sender do this?
//!
//! A web page that a person happens to visit can make the person's browser send requests to a server on loopback. So
//! on loopback the `Host` must name loopback (a name that rebinds to 127.0.0.1 does not), and requests that change
//! something must not come from another site. What a route needs is decided here by method and path, default deny.

use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::Pin;

use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tenter_model::limits::MAX_UPLOAD_BYTES;

use crate::app::App;
use crate::auth::{self, Role};

use super::error::{self, ApiError};

/// Middleware of the whole router.
pub(super) async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let dp3 = is_dp3(request.uri().path());
    let error = match check(&app, &request) {
        Ok(()) => return error::reshaped(next.run(request).await, dp3).await,
        Err(error) => error,
    };
    drain(request.into_body()).await;
    if dp3 { error.dp3().into_response() } else { error.into_response() }
}

/// Reads what comes with a refused request and forgets it. A connection that is closed on unread data is reset, and the
/// sender would learn that it was, but not why.
async fn drain(mut body: Body) {
    let mut room = MAX_UPLOAD_BYTES;
    while let Some(Ok(frame)) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        match room.checked_sub(frame.data_ref().map_or(0, |data| data.len())) {
            Some(less) => room = less,
            None => return,
        }
    }
}

fn is_dp3(path: &str) -> bool {
    !path.starts_with("/api/")
}

fn check(app: &App, request: &Request) -> Result<(), ApiError> {
    let headers = request.headers();
    let loopback = app.listens_on_loopback();
    if loopback {
        check_host(headers)?;
    }
    let needed = needed_role(request.method(), request.uri().path());
    if needed.is_some_and(|role| role > Role::Viewer) || request.uri().path().starts_with("/control/") {
        check_origin(app, headers)?;
    }
    let Some(needed) = needed else { return Ok(()) };
    let held = held_role(app, headers)?;
    // Without a token, the people of this machine may do what DP³ lets them do.
    let held = held.or(loopback.then_some(Role::Analyst));
    match held {
        Some(role) if role >= needed => Ok(()),
        Some(role) => {
            let whose = if role == Role::Analyst && loopback {
                "without a token only".to_owned()
            } else {
                format!("as {role}")
            };
            Err(ApiError::new(
                StatusCode::FORBIDDEN,
                "not-permitted",
                format!(
                    "this needs the role {needed} and was sent {whose} may read and send data; \
                         pass an operator's token (tenter token create --role {needed})"
                ),
            ))
        }
        None => Err(ApiError::new(
            StatusCode::UNAUTHORIZED,
            "no-token",
            "this server listens beyond loopback, so each request needs a token: Authorization: Bearer tenter_…",
        )),
    }
}

/// The role that a route needs; `None`: open to all.
fn needed_role(method: &Method, path: &str) -> Option<Role> {
    let reads = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    match path {
        "/" | "/livez" | "/readyz" => None,
        "/datapoints" => Some(Role::Ingester),
        _ if path.starts_with("/api/v1/tokens") => Some(Role::Operator),
        _ if path.starts_with("/api/v1/errors") || path.starts_with("/api/v1/deadletters") => Some(Role::Author),
        _ if path.starts_with("/api/v1/") => Some(if reads { Role::Viewer } else { Role::Operator }),
        _ if path.starts_with("/entity/") || path.starts_with("/v2/entity") => {
            Some(if reads { Role::Viewer } else { Role::Analyst })
        }
        _ if path.starts_with("/control/") => Some(Role::Analyst),
        _ => Some(if reads { Role::Viewer } else { Role::Operator }),
    }
}

fn held_role(app: &App, headers: &HeaderMap) -> Result<Option<Role>, ApiError> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let token = value
        .to_str()
        .ok()
        .and_then(|text| text.strip_prefix("Bearer ").or_else(|| text.strip_prefix("bearer ")))
        .map(str::trim)
        .ok_or_else(|| ApiError::new(StatusCode::UNAUTHORIZED, "bad-token", "expected Authorization: Bearer TOKEN"))?;
    match app.role_of(&auth::digest(token)) {
        Some(role) => Ok(Some(role)),
        None => Err(ApiError::new(
            StatusCode::UNAUTHORIZED,
            "bad-token",
            "the token is not known to this server or has expired; tenter token create makes a new one",
        )),
    }
}

fn check_host(headers: &HeaderMap) -> Result<(), ApiError> {
    let host = headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or("");
    if names_loopback(host) {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::MISDIRECTED_REQUEST,
        "wrong-host",
        "this server listens on loopback only and answers to localhost, 127.0.0.1 and [::1]; \
         to serve other names listen on another address",
    ))
}

fn check_origin(app: &App, headers: &HeaderMap) -> Result<(), ApiError> {
    let cross = ApiError::new(
        StatusCode::FORBIDDEN,
        "cross-site",
        "a web page of another site sent this; list its origin in api.yml (cors.allow_origins) if it may",
    );
    if let Some(origin) = headers.get(ORIGIN).and_then(|value| value.to_str().ok()) {
        let host = headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or("");
        let same = origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host));
        return if same || app.allows_origin(origin) { Ok(()) } else { Err(cross) };
    }
    match headers.get("sec-fetch-site").and_then(|value| value.to_str().ok()) {
        Some("cross-site" | "same-site") => Err(cross),
        _ => Ok(()),
    }
}

fn names_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(""),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_are_ours() {
        for host in ["localhost", "localhost:5000", "127.0.0.1:5000", "[::1]:5000", "127.1.2.3"] {
            assert!(names_loopback(host), "{host}");
        }
        for host in ["", "evil.example", "127.0.0.1.evil.example:5000", "10.0.0.1:5000", "localhost.evil.example"] {
            assert!(!names_loopback(host), "{host}");
        }
    }

    #[test]
    fn changing_modules_needs_an_operator() {
        assert_eq!(needed_role(&Method::PUT, "/api/v1/modules/x"), Some(Role::Operator));
        assert_eq!(needed_role(&Method::POST, "/api/v1/modules/x/grants"), Some(Role::Operator));
        assert_eq!(needed_role(&Method::GET, "/api/v1/tokens"), Some(Role::Operator));
        assert_eq!(needed_role(&Method::GET, "/api/v1/modules"), Some(Role::Viewer));
        assert_eq!(needed_role(&Method::POST, "/datapoints"), Some(Role::Ingester));
        assert_eq!(needed_role(&Method::DELETE, "/entity/ip/1.2.3.4"), Some(Role::Analyst));
        assert_eq!(needed_role(&Method::POST, "/anything"), Some(Role::Operator));
        assert_eq!(needed_role(&Method::GET, "/livez"), None);
    }
}
