//! The table of routes: method, path, who may use it, and who answers.
//!
//! It is the one way into the server. The router is folded out of it, the guard looks a request's need up in it, and
//! the matrix of `tests.rs` asks each of its rows with each role; so no route can be without a decision about access.
//! A request that matches no row is treated like the most dangerous one of its sort.

use std::collections::HashMap;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use axum::routing::{MethodRouter, delete, get, post, put};
use tenter_model::limits::{MAX_BODY_BYTES, MAX_UPLOAD_BYTES};

use crate::app::App;
use crate::auth::Role;

use super::{audit, backup, breakers, datapoints, deadletters, entities, hooks, invocations, modules, status, tokens};

/// One row.
pub(super) struct Route {
    /// The method; `HEAD` goes with `GET`.
    pub(super) method: Method,
    /// The path, with its parameters in braces.
    pub(super) path: &'static str,
    /// The least role that may; `None`: open to all.
    pub(super) needs: Option<Role>,
    handler: MethodRouter<App>,
}

/// Every route.
#[rustfmt::skip]
pub(super) fn table() -> Vec<Route> {
    use Role::{Analyst, Author, Ingester, Operator, Viewer};
    let open = |path, handler| Route { method: Method::GET, path, needs: None, handler };
    let read = |path, needs, handler| Route { method: Method::GET, path, needs: Some(needs), handler };
    let send = |path, needs, handler| Route { method: Method::POST, path, needs: Some(needs), handler };
    let drop = |path, needs, handler| Route { method: Method::DELETE, path, needs: Some(needs), handler };
    let upload = put(modules::upload).layer(DefaultBodyLimit::max(MAX_UPLOAD_BYTES));
    vec![
        open("/", get(status::it_works)),
        open("/livez", get(status::livez)),
        open("/readyz", get(status::readyz)),
        read("/metrics", Viewer, get(status::metrics)),
        send("/datapoints", Ingester, post(datapoints::post)),
        read("/entities", Viewer, get(entities::types)),
        read("/entity/{etype}/raw/get", Viewer, get(entities::raw)),
        drop("/entity/{etype}/{eid}", Analyst, delete(entities::delete)),
        read("/entity/{etype}/{eid}/master", Viewer, get(entities::master)),
        read("/entity/{etype}/{eid}/get/{attr}", Viewer, get(entities::attribute)),
        send("/entity/{etype}/{eid}/ttl", Analyst, post(entities::ttl)),
        read("/api/v1/status", Viewer, get(status::status)),
        read("/api/v1/entities/{etype}", Viewer, get(entities::list)),
        read("/api/v1/modules", Viewer, get(modules::list)),
        read("/api/v1/modules/{name}", Viewer, get(modules::show)),
        Route { method: Method::PUT, path: "/api/v1/modules/{name}", needs: Some(Operator), handler: upload },
        drop("/api/v1/modules/{name}", Operator, delete(modules::remove)),
        send("/api/v1/modules/{name}/enable", Operator, post(modules::enable)),
        send("/api/v1/modules/{name}/disable", Operator, post(modules::disable)),
        send("/api/v1/modules/{name}/activate", Operator, post(modules::activate)),
        send("/api/v1/modules/{name}/rollback", Operator, post(modules::rollback)),
        send("/api/v1/modules/{name}/grants", Operator, post(modules::grant)),
        drop("/api/v1/modules/{name}/grants", Operator, delete(modules::revoke)),
        send("/api/v1/modules/{name}/release", Operator, post(breakers::release)),
        read("/api/v1/breakers", Author, get(breakers::list)),
        read("/api/v1/hooks", Viewer, get(hooks::list)),
        read("/api/v1/hooks/kinds", Viewer, get(hooks::kinds)),
        send("/api/v1/hooks/{module}/{subscription}/register", Operator, post(hooks::register)),
        send("/api/v1/hooks/{module}/{subscription}/deregister", Operator, post(hooks::deregister)),
        read("/api/v1/tokens", Operator, get(tokens::list)),
        send("/api/v1/tokens", Operator, post(tokens::create)),
        drop("/api/v1/tokens/{digest}", Operator, delete(tokens::revoke)),
        read("/api/v1/errors", Author, get(status::errors)),
        read("/api/v1/deadletters", Author, get(deadletters::list)),
        read("/api/v1/deadletters/{seq}", Author, get(deadletters::show)),
        drop("/api/v1/deadletters/{seq}", Operator, delete(deadletters::discard)),
        send("/api/v1/deadletters/{seq}/retry", Operator, post(deadletters::retry)),
        read("/api/v1/invocations", Author, get(invocations::list)),
        read("/api/v1/invocations/{id}", Author, get(invocations::show)),
        read("/api/v1/reconcile", Author, get(status::reconcile)),
        read("/api/v1/audit", Operator, get(audit::log)),
        read("/api/v1/audit/verify", Operator, get(audit::verify)),
        send("/api/v1/backup", Operator, post(backup::create)),
    ]
}

/// The router of the table.
pub(super) fn router() -> Router<App> {
    let rows = table().into_iter();
    rows.fold(Router::new(), |router, row| router.route(row.path, row.handler))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
}

/// What the guard looks up.
pub(super) struct Needs(HashMap<(Method, &'static str), Option<Role>>);

impl Needs {
    /// Of the table.
    pub(super) fn new() -> Self {
        Self(table().into_iter().map(|row| ((row.method, row.path), row.needs)).collect())
    }

    /// The role that a request needs: by its row, else as the most dangerous of its sort would.
    pub(super) fn of(&self, method: &Method, matched: Option<&str>) -> Option<Role> {
        // Preflights come without credentials and are answered without a handler.
        if *method == Method::OPTIONS {
            return None;
        }
        let row = if *method == Method::HEAD { Method::GET } else { method.clone() };
        let reads = row == Method::GET;
        let unknown = Some(if reads { Role::Viewer } else { Role::Operator });
        let found = matched.and_then(|path| self.0.iter().find(|((m, p), _)| *m == row && *p == path));
        found.map_or(unknown, |(_, needs)| *needs)
    }
}
