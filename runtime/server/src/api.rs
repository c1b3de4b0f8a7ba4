//! The HTTP surface: one router, one file per noun.
//!
//! DP³'s routes keep their paths and shapes; ours live under `/api/v1`. Handlers convert between HTTP and the domain and
//! do nothing else; what blocks (reading the store, compiling a module) runs on the blocking pool.

mod datapoints;
mod entities;
mod error;
mod guard;
mod hooks;
mod modules;
mod status;
mod tokens;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{delete, get, post, put};
use tenter_model::limits::{MAX_BODY_BYTES, MAX_UPLOAD_BYTES};
use tower_http::cors::{AllowOrigin, Any, CorsLayer};

use crate::app::App;

pub(crate) use error::ApiError;

/// All routes, with the checks that each request passes first.
pub(crate) fn router(app: &App) -> Router {
    let upload = Router::new()
        .route("/api/v1/modules/{name}", put(modules::upload))
        .layer(DefaultBodyLimit::max(MAX_UPLOAD_BYTES));
    let rest = Router::new()
        .route("/", get(status::it_works))
        .route("/livez", get(status::livez))
        .route("/readyz", get(status::readyz))
        .route("/metrics", get(status::metrics))
        .route("/datapoints", post(datapoints::post))
        .route("/entities", get(entities::types))
        .route("/entity/{etype}/raw/get", get(entities::raw))
        .route("/entity/{etype}/{eid}", delete(entities::delete))
        .route("/entity/{etype}/{eid}/master", get(entities::master))
        .route("/entity/{etype}/{eid}/get/{attr}", get(entities::attribute))
        .route("/entity/{etype}/{eid}/ttl", post(entities::ttl))
        .route("/api/v1/status", get(status::status))
        .route("/api/v1/entities/{etype}", get(entities::list))
        .route("/api/v1/modules", get(modules::list))
        .route("/api/v1/modules/{name}", get(modules::show).delete(modules::remove))
        .route("/api/v1/modules/{name}/enable", post(modules::enable))
        .route("/api/v1/modules/{name}/disable", post(modules::disable))
        .route("/api/v1/modules/{name}/grants", post(modules::grant).delete(modules::revoke))
        .route("/api/v1/hooks", get(hooks::list))
        .route("/api/v1/hooks/kinds", get(hooks::kinds))
        .route("/api/v1/hooks/{module}/{subscription}/register", post(hooks::register))
        .route("/api/v1/hooks/{module}/{subscription}/deregister", post(hooks::deregister))
        .route("/api/v1/tokens", get(tokens::list).post(tokens::create))
        .route("/api/v1/errors", get(status::errors))
        .route("/api/v1/deadletters", get(status::dead_letters))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES));
    upload
        .merge(rest)
        .fallback(no_route)
        .layer(cors(app))
        .layer(middleware::from_fn_with_state(app.clone(), guard::guard))
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
