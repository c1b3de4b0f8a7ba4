//! What stands before everything else: limits of a request's head, what browsers ask before they send, compression.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{ACCESS_CONTROL_REQUEST_METHOD, ALLOW, CONTENT_ENCODING, HeaderValue, RETRY_AFTER};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use tenter_model::config::Http;
use tower_http::compression::predicate::SizeAbove;
use tower_http::compression::{CompressionLayer, CompressionLevel};
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, CorsLayer};

use super::error::ApiError;
use super::routes::Needs;
use super::shape::Shape;

/// Answers below this are sent as they are, in bytes: they fit into one packet anyway.
const COMPRESSED_FROM: u64 = 1024;
/// How long a browser may remember a preflight, as with DP³.
const PREFLIGHT_AGE: Duration = Duration::from_secs(600);

/// Middleware of the whole router, the outermost.
pub(super) async fn front(
    State((http, needs)): State<(Http, Arc<Needs>)>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Err(error) = check_head(&http, &request) {
        return error.shaped(Shape::of(request.uri().path()));
    }
    let preflight = request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    if *request.method() == Method::OPTIONS && !preflight {
        return options(&needs, &request);
    }
    // Names of codings are the same in any case; whoever unpacks knows those in lower case.
    if let Some(coding) = request.headers_mut().get_mut(CONTENT_ENCODING)
        && let Ok(lower) = HeaderValue::from_bytes(&coding.as_bytes().to_ascii_lowercase())
    {
        *coding = lower;
    }
    next.run(request).await
}

fn check_head(http: &Http, request: &Request) -> Result<(), ApiError> {
    let url = request.uri().path_and_query().map_or(0, |path| path.as_str().len()) as u64;
    if url > http.max_url_bytes {
        let detail = format!(
            "the address has {url} bytes, at most {} are read (http.max_url_bytes of tenter.yml); ask for less at once",
            http.max_url_bytes
        );
        return Err(ApiError::new(StatusCode::URI_TOO_LONG, "url-too-long", detail));
    }
    let headers = request.headers();
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if headers.len() as u64 > http.max_headers || bytes as u64 > http.max_header_bytes {
        let detail = format!(
            "{} headers of {bytes} bytes came, at most {} of {} bytes together are read (http.max_headers, \
             http.max_header_bytes of tenter.yml)",
            headers.len(),
            http.max_headers,
            http.max_header_bytes
        );
        return Err(ApiError::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "headers-too-large", detail));
    }
    Ok(())
}

/// What a path can do, for who asks without being a browser before a request.
fn options(needs: &Needs, request: &Request) -> Response {
    let path = request.uri().path();
    let Some(matched) = request.extensions().get::<MatchedPath>() else {
        let nothing = format!("there is nothing at {path}; docs/http.md lists the routes");
        return ApiError::not_found(nothing).shaped(Shape::of(path));
    };
    let methods = needs.methods(matched.as_str());
    let mut response = Json(json!({"detail": format!("this path has the methods {methods}")})).into_response();
    if let Ok(value) = HeaderValue::from_str(&methods) {
        response.headers_mut().insert(ALLOW, value);
    }
    response
}

/// Answers as the client's `Accept-Encoding` says. The fastest level: on lists of JSON it gives most of the gain for a
/// small part of the time.
pub(super) fn compression() -> CompressionLayer<SizeAbove> {
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(SizeAbove::new(COMPRESSED_FROM))
}

/// Cross-origin use as `api.yml` says; whether a change may come from another origin is the guard's business. Methods and
/// headers are those that the browser asks for, since `*` does not stand for `Authorization`.
pub(super) fn cors(origins: &[String]) -> CorsLayer {
    let origin = if origins.iter().any(|o| o == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.iter().filter_map(|o| o.parse().ok()))
    };
    CorsLayer::new()
        .allow_origin(origin)
        .allow_methods(AllowMethods::mirror_request())
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([ALLOW, RETRY_AFTER])
        .max_age(PREFLIGHT_AGE)
}
