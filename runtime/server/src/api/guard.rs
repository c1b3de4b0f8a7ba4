//! What every request passes first: is it really meant for us, and may the sender do this?
//!
//! A web page that a person happens to visit can make the person's browser send requests to a server on loopback. So
//! on loopback the `Host` must name loopback (a name that rebinds to 127.0.0.1 does not), and requests that change
//! something must not come from another site. What a route needs stands in the table of `routes.rs`.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use crate::app::App;
use crate::auth::{Area, Caller, Role};

use super::error::{self, ApiError};
use super::routes::Needs;
use super::shape::Shape;

/// The header in which clients of IRIS may send a token, instead of `Authorization`.
const IRIS_KEY: &str = "x-iris-auth";

/// Middleware of the whole router.
pub(super) async fn guard(State((app, needs)): State<(App, Arc<Needs>)>, mut request: Request, next: Next) -> Response {
    let shape = Shape::of(request.uri().path());
    let error = match check(&app, &needs, &request) {
        Ok(caller) => {
            let limit = time_limit(&app, &needs, &request);
            request.extensions_mut().insert(caller);
            match in_time(limit, next.run(request)).await {
                Ok(response) => return error::reshaped(response, shape, app.http().max_body_bytes).await,
                Err(error) => return error.shaped(shape),
            }
        }
        Err(error) => error,
    };
    error.shaped(shape)
}

/// How long the request may be worked on. To give up on what reads harms nobody; whoever changes something must learn what
/// became of it, and has limits of its own.
fn time_limit(app: &App, needs: &Needs, request: &Request) -> Option<Duration> {
    let matched = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let reads = matches!(*request.method(), Method::GET | Method::HEAD)
        && matches!(needs.of(request.method(), matched), Some(Area::Read | Area::Inspect | Area::CaseRead));
    let micros = u64::try_from(app.http().request_timeout).ok().filter(|micros| *micros > 0 && reads)?;
    Some(Duration::from_micros(micros))
}

async fn in_time(limit: Option<Duration>, work: impl Future<Output = Response>) -> Result<Response, ApiError> {
    let Some(limit) = limit else { return Ok(work.await) };
    tokio::time::timeout(limit, work).await.map_err(|_| {
        let detail = format!(
            "not answered within {} s (http.request_timeout of tenter.yml); ask for less: fewer entities, a shorter time, a \
             page with limit",
            limit.as_secs_f64()
        );
        ApiError { retry_after: Some(5), ..ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "too-slow", detail) }
    })
}

/// Who sends it, when it may pass.
fn check(app: &App, needs: &Needs, request: &Request) -> Result<Caller, ApiError> {
    let loopback = app.listens_on_loopback();
    if loopback {
        check_host(request)?;
    }
    let matched = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let needed = needs.of(request.method(), matched);
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    // Pages of any site may read what DP³ lets them read, and nothing of cases.
    if changes || needed.is_some_and(|area| area.role() > Role::Viewer || area == Area::CaseRead) {
        check_origin(app, request)?;
    }
    let Some(needed) = needed else { return Ok(Caller::nobody()) };
    // Without a token, the people of this machine may do what DP³ lets them do.
    let caller = match (sent_token(request)?, loopback) {
        (Some(token), _) => app.tokens().caller(token, app.now()).ok_or_else(|| {
            ApiError::new(
                StatusCode::UNAUTHORIZED,
                "bad-token",
                "the token is not known to this server or has expired; tenter token create makes a new one",
            )
        })?,
        (None, true) => Caller::at_this_machine(),
        (None, false) => {
            return Err(ApiError::new(
                StatusCode::UNAUTHORIZED,
                "no-token",
                "this server listens beyond loopback, so each request needs a token: Authorization: Bearer tenter_…",
            ));
        }
    };
    let role = needed.role();
    if caller.role.is_some_and(|held| held >= role) {
        check_scopes(&caller, needed, etype_of(request.uri().path(), matched))?;
        return Ok(caller);
    }
    let may = match (caller.role, &caller.token) {
        (Some(role), Some(_)) => format!("with a token of the role {role}"),
        _ => "without a token, which may do what DP³ offers".to_owned(),
    };
    Err(ApiError::new(
        StatusCode::FORBIDDEN,
        "not-permitted",
        format!(
            "this needs the role {role} and was sent {may}; \
             pass a token that has it (an operator makes one: tenter token create --role {role})"
        ),
    ))
}

/// The entity type that the path names, if its route has one. Names of types need no escapes; whoever writes one with
/// escapes asks for a type that no scope names.
fn etype_of<'a>(path: &'a str, matched: Option<&str>) -> Option<&'a str> {
    let place = matched?.split('/').position(|part| part == "{etype}")?;
    path.split('/').nth(place)
}

/// Whether the token's scopes allow it. Of which types datapoints are only their reader knows, who asks again.
fn check_scopes(caller: &Caller, area: Area, etype: Option<&str>) -> Result<(), ApiError> {
    let allowed = match area {
        Area::Ingest => caller.scopes.allow_some(area),
        _ => caller.scopes.allow(area, etype),
    };
    if allowed { Ok(()) } else { Err(out_of_scope(caller, area, etype)) }
}

/// The refusal of what the role would allow and the scopes do not.
pub(super) fn out_of_scope(caller: &Caller, area: Area, etype: Option<&str>) -> ApiError {
    let name = area.name();
    let wanted = etype.map_or_else(|| name.to_owned(), |etype| format!("{name}:{etype}"));
    let detail = format!(
        "this needs the scope {wanted} and the token has {}; \
         an operator makes one that has it: tenter token create --scope {wanted}",
        caller.scopes
    );
    ApiError::new(StatusCode::FORBIDDEN, "out-of-scope", detail)
}

fn sent_token(request: &Request) -> Result<Option<&str>, ApiError> {
    let headers = request.headers();
    let Some(value) = headers.get(AUTHORIZATION) else {
        let key = headers.get(IRIS_KEY).filter(|_| Shape::of(request.uri().path()) == Shape::Iris);
        // What is no text is no token that was ever made.
        return Ok(key.map(|key| key.to_str().unwrap_or_default().trim()));
    };
    let text = value.to_str().ok();
    let token = text.and_then(|text| text.strip_prefix("Bearer ").or_else(|| text.strip_prefix("bearer ")));
    token
        .map(|token| Some(token.trim()))
        .ok_or_else(|| ApiError::new(StatusCode::UNAUTHORIZED, "bad-token", "expected Authorization: Bearer TOKEN"))
}

/// The name may stand in the address (always with HTTP/2) or in `Host`; each that is there must be ours.
fn check_host(request: &Request) -> Result<(), ApiError> {
    let authority = request.uri().authority().map(axum::http::uri::Authority::as_str);
    let header = request.headers().get(HOST).map(|value| value.to_str().unwrap_or(""));
    let mut names = authority.into_iter().chain(header).peekable();
    if names.peek().is_some() && names.all(names_loopback) {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::MISDIRECTED_REQUEST,
        "wrong-host",
        "this server listens on loopback only and answers to localhost, 127.0.0.1 and [::1]; \
         to serve other names listen on another address",
    ))
}

fn check_origin(app: &App, request: &Request) -> Result<(), ApiError> {
    let headers = request.headers();
    let cross = ApiError::new(
        StatusCode::FORBIDDEN,
        "cross-site",
        "a web page of another site sent this; list its origin in api.yml (cors.allow_origins) if it may",
    );
    if let Some(origin) = headers.get(ORIGIN).and_then(|value| value.to_str().ok()) {
        let authority = request.uri().authority().map(axum::http::uri::Authority::as_str);
        let host = authority.or_else(|| headers.get(HOST)?.to_str().ok()).unwrap_or("");
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
    fn what_takes_too_long_is_given_up_with_words() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let within = |limit, work: std::pin::Pin<Box<dyn Future<Output = Response>>>| {
            runtime.block_on(in_time(limit, work)).map(|response| response.status())
        };
        let limit = Some(Duration::from_millis(1));
        let error = within(limit, Box::pin(std::future::pending())).unwrap_err();
        assert_eq!((error.status.as_u16(), error.code, error.retry_after), (503, "too-slow", Some(5)));
        insta::assert_snapshot!(error.detail, @"not answered within 0.001 s (http.request_timeout of tenter.yml); ask for less: fewer entities, a shorter time, a page with limit");
        let done = || Box::pin(std::future::ready(Response::default()));
        assert_eq!((within(limit, done()), within(None, done())), (Ok(StatusCode::OK), Ok(StatusCode::OK)));
    }

    #[test]
    fn a_path_tells_its_entity_type() {
        let matched = Some("/entity/{etype}/{eid}/master");
        assert_eq!(etype_of("/entity/ip/192.0.2.1/master", matched), Some("ip"));
        assert_eq!(etype_of("/api/v1/status", Some("/api/v1/status")), None);
        assert_eq!(etype_of("/nowhere", None), None);
    }

    #[test]
    fn only_loopback_names_are_ours() {
        for host in ["localhost", "localhost:5000", "127.0.0.1:5000", "[::1]:5000", "127.1.2.3"] {
            assert!(names_loopback(host), "{host}");
        }
        for host in ["", "evil.example", "127.0.0.1.evil.example:5000", "10.0.0.1:5000", "localhost.evil.example"] {
            assert!(!names_loopback(host), "{host}");
        }
    }
}
