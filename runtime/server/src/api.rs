//! The HTTP surface: one router, one file per noun.
//!
//! DP³'s routes keep their paths and shapes; ours live under `/api/v1`. Handlers convert between HTTP and the domain and
//! do nothing else; what blocks (reading the store, compiling a module) runs on the blocking pool.

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
mod listing;
mod modules;
mod openapi;
mod operation;
mod params;
mod peer;
mod routes;
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
use axum::middleware;
use axum::routing::post;
use tower_http::decompression::RequestDecompressionLayer;

use crate::app::App;

pub(crate) use error::{ApiError, stalled};
pub(crate) use guard::is_dp3;
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

async fn no_route(uri: axum::http::Uri) -> ApiError {
    ApiError::not_found(format!("there is nothing at {}; docs/http.md lists the routes", uri.path()))
}
