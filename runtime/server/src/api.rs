//! The HTTP surface: one router, one file per noun.
//!
//! DP³'s and IRIS's routes keep their paths and shapes; ours live under `/api/v1`. Handlers convert between HTTP and the domain and
//! do nothing else; what blocks (reading the store, compiling a module) runs on the blocking pool.

mod actions;
mod audit;
mod backup;
mod breakers;
mod control;
mod datapoints;
mod deadletters;
mod docs;
mod entities;
mod error;
mod front;
mod guard;
mod hooks;
mod invocations;
mod iris;
mod listing;
mod modules;
mod openapi;
mod operation;
mod params;
mod peer;
mod routes;
mod secrets;
mod shape;
mod snapshots;
mod status;
mod target;
mod telemetry;
mod tokens;
mod values;
mod why;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use tower_http::decompression::RequestDecompressionLayer;

use crate::app::App;

pub(crate) use error::{ApiError, stalled};
pub(crate) use shape::Shape;
pub(crate) use tokens::ends as token_ends;

/// All routes, with what each request passes first.
pub(crate) fn router(app: &App) -> Router {
    layered(app, routes::router(app.http().max_body_bytes))
}

/// The way in with everything before it and nothing behind it, for `tenter bench`.
pub(crate) fn router_to_nowhere(app: &App) -> Router {
    layered(app, Router::new().route("/datapoints", post(datapoints::post_nowhere)))
}

/// From the last line to the first: limits of a request's head, the rules of browsers, the guard; and its answer on the
/// way back, the other way round.
fn layered(app: &App, routes: Router<App>) -> Router {
    let needs = Arc::new(routes::Needs::new());
    routes
        .fallback(no_route)
        .layer(RequestDecompressionLayer::new())
        .layer(middleware::from_fn_with_state((app.clone(), Arc::clone(&needs)), guard::guard))
        .layer(front::compression())
        .layer(front::cors(app.allowed_origins()))
        .layer(middleware::from_fn_with_state((app.http(), needs), front::front))
        .with_state(app.clone())
}

async fn no_route(uri: Uri) -> Response {
    let nothing = ApiError::not_found(format!("there is nothing at {}; docs/http.md lists the routes", uri.path()));
    match Shape::of(uri.path()) {
        Shape::Iris => nothing.shaped(Shape::Iris),
        Shape::Dp3 | Shape::Ours => nothing.into_response(),
    }
}

/// The address with one slash where it begins with more: IRIS's official client puts some of its paths together so.
pub(crate) fn with_one_slash(uri: &mut Uri) {
    let Some(target) = uri.path_and_query().map(PathAndQuery::as_str).filter(|target| target.starts_with("//")) else {
        return;
    };
    let one = format!("/{}", target.trim_start_matches('/'));
    let mut parts = uri.clone().into_parts();
    // What was read as an address before is one with a slash less too; if not, it stays and matches no route.
    parts.path_and_query = PathAndQuery::try_from(one).ok();
    if let Ok(one) = Uri::from_parts(parts) {
        *uri = one;
    }
}
