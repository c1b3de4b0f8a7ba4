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
use tower_http::cors::{AllowOrigin, Any, CorsLayer};

use crate::app::App;

pub(crate) use error::ApiError;
pub(crate) use tokens::ends as token_ends;

/// All routes, with the checks that each request passes first.
pub(crate) fn router(app: &App) -> Router {
    let needs = Arc::new(routes::Needs::new());
    routes::router()
        .fallback(no_route)
        .layer(cors(app))
        .layer(middleware::from_fn_with_state((app.clone(), needs), guard::guard))
        .with_state(app.clone())
}

async fn no_route(uri: axum::http::Uri) -> ApiError {
    ApiError::not_found(format!("there is nothing at {}; docs/http.md lists the routes", uri.path()))
}

/// Cross-origin reading as `api.yml` says; whether a change may come from another origin is the guard's business.
fn cors(app: &App) -> CorsLayer {
    let origins = app.allowed_origins();
    let origin = if origins.iter().any(|o| o == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.iter().filter_map(|o| o.parse().ok()))
    };
    CorsLayer::new().allow_origin(origin).allow_methods(Any).allow_headers(Any)
}
