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
use crate::auth::Area;

use super::{
    audit, backup, breakers, control, datapoints, deadletters, entities, hooks, invocations, listing, modules,
    snapshots, status, telemetry, tokens, values, why,
};

/// One row.
pub(super) struct Route {
    /// The method; `HEAD` goes with `GET`.
    pub(super) method: Method,
    /// The path, with its parameters in braces.
    pub(super) path: &'static str,
    /// What it belongs to, which says the least role and the scope that may; `None`: open to all.
    pub(super) needs: Option<Area>,
    handler: MethodRouter<App>,
}

/// What DP³'s paths begin with.
const DP3: [&str; 6] = ["/datapoints", "/entities", "/entity/", "/v2/", "/control/", "/telemetry/"];

impl Route {
    /// DP³'s routes answer at their path with a slash at the end too, without a redirect.
    pub(super) fn with_slash(&self) -> Option<String> {
        DP3.iter().any(|start| self.path.starts_with(start)).then(|| format!("{}/", self.path))
    }
}

/// Every route.
#[rustfmt::skip]
pub(super) fn table() -> Vec<Route> {
    use Area::{Control, Entities, Ingest, Inspect, Modules, Operate, Read, Tokens};
    let open = |path, handler| Route { method: Method::GET, path, needs: None, handler };
    let read = |path, needs, handler| Route { method: Method::GET, path, needs: Some(needs), handler };
    let send = |path, needs, handler| Route { method: Method::POST, path, needs: Some(needs), handler };
    let drop = |path, needs, handler| Route { method: Method::DELETE, path, needs: Some(needs), handler };
    let upload = put(modules::upload).layer(DefaultBodyLimit::max(MAX_UPLOAD_BYTES));
    vec![
        open("/", get(status::it_works)),
        open("/livez", get(status::livez)),
        open("/readyz", get(status::readyz)),
        read("/metrics", Read, get(status::metrics)),
        send("/datapoints", Ingest, post(datapoints::post)),
        read("/entities", Read, get(entities::types)),
        read("/entity/{etype}", Read, get(listing::get_by_id)),
        read("/entity/{etype}/get", Read, get(listing::get)),
        read("/entity/{etype}/count", Read, get(listing::count)),
        read("/entity/{etype}/raw/get", Read, get(listing::raw)),
        read("/entity/{etype}/_/distinct/{attr}", Read, get(listing::distinct)),
        read("/entity/{etype}/{eid}", Read, get(entities::whole)),
        drop("/entity/{etype}/{eid}", Entities, delete(entities::delete)),
        read("/entity/{etype}/{eid}/master", Read, get(entities::master)),
        read("/entity/{etype}/{eid}/snapshots", Read, get(entities::snapshots)),
        read("/entity/{etype}/{eid}/get/{attr}", Read, get(values::get)),
        send("/entity/{etype}/{eid}/set/{attr}", Entities, post(values::set)),
        send("/entity/{etype}/{eid}/ttl", Entities, post(entities::ttl)),
        read("/v2/entity/{etype}/get", Read, get(listing::get)),
        read("/v2/entity/{etype}/count", Read, get(listing::count)),
        read("/v2/entity/{etype}/raw/get", Read, get(listing::raw)),
        read("/v2/entity/{etype}/_/distinct/{attr}", Read, get(listing::distinct)),
        read("/v2/entity/{etype}", Read, get(entities::whole)),
        drop("/v2/entity/{etype}", Entities, delete(entities::delete)),
        read("/v2/entity/{etype}/master", Read, get(entities::master)),
        read("/v2/entity/{etype}/snapshots", Read, get(entities::snapshots)),
        read("/v2/entity/{etype}/attr", Read, get(values::get)),
        send("/v2/entity/{etype}/attr", Entities, post(values::set)),
        send("/v2/entity/{etype}/ttl", Entities, post(entities::ttl)),
        read("/control/{action}", Control, get(control::act)),
        send("/control/{action}", Control, post(control::act)),
        read("/telemetry/sources_validity", Read, get(telemetry::sources_validity)),
        read("/telemetry/sources_age", Read, get(telemetry::sources_age)),
        read("/telemetry/entities_per_attr", Read, get(telemetry::entities_per_attr)),
        read("/telemetry/attribute_bson_sizes", Read, get(telemetry::attribute_sizes)),
        read("/telemetry/snapshot_summary", Read, get(telemetry::snapshot_summary)),
        read("/telemetry/metadata", Read, get(telemetry::metadata)),
        read("/telemetry/rabbitmq/queues", Read, get(telemetry::queues)),
        read("/api/v1/snapshots", Read, get(snapshots::list)),
        send("/api/v1/snapshots", Operate, post(snapshots::run)),
        read("/api/v1/status", Read, get(status::status)),
        read("/api/v1/entities/{etype}", Read, get(entities::list)),
        read("/api/v1/entities/{etype}/{eid}/provenance", Read, get(why::provenance)),
        read("/api/v1/entities/{etype}/{eid}/why", Inspect, get(why::why)),
        read("/api/v1/modules", Read, get(modules::list)),
        read("/api/v1/modules/{name}", Read, get(modules::show)),
        Route { method: Method::PUT, path: "/api/v1/modules/{name}", needs: Some(Modules), handler: upload },
        read("/api/v1/modules/{name}/config", Modules, get(modules::config)),
        Route {
            method: Method::PUT, path: "/api/v1/modules/{name}/config", needs: Some(Modules), handler: put(modules::set_config),
        },
        drop("/api/v1/modules/{name}/config", Modules, delete(modules::reset_config)),
        drop("/api/v1/modules/{name}", Modules, delete(modules::remove)),
        send("/api/v1/modules/{name}/enable", Modules, post(modules::enable)),
        send("/api/v1/modules/{name}/disable", Modules, post(modules::disable)),
        send("/api/v1/modules/{name}/activate", Modules, post(modules::activate)),
        send("/api/v1/modules/{name}/rollback", Modules, post(modules::rollback)),
        send("/api/v1/modules/{name}/grants", Modules, post(modules::grant)),
        drop("/api/v1/modules/{name}/grants", Modules, delete(modules::revoke)),
        send("/api/v1/modules/{name}/release", Modules, post(breakers::release)),
        read("/api/v1/breakers", Inspect, get(breakers::list)),
        read("/api/v1/hooks", Read, get(hooks::list)),
        read("/api/v1/hooks/kinds", Read, get(hooks::kinds)),
        send("/api/v1/hooks/{module}/{subscription}/register", Modules, post(hooks::register)),
        send("/api/v1/hooks/{module}/{subscription}/deregister", Modules, post(hooks::deregister)),
        read("/api/v1/tokens", Tokens, get(tokens::list)),
        send("/api/v1/tokens", Tokens, post(tokens::create)),
        drop("/api/v1/tokens/{digest}", Tokens, delete(tokens::revoke)),
        read("/api/v1/errors", Inspect, get(status::errors)),
        read("/api/v1/deadletters", Inspect, get(deadletters::list)),
        read("/api/v1/deadletters/{seq}", Inspect, get(deadletters::show)),
        drop("/api/v1/deadletters/{seq}", Operate, delete(deadletters::discard)),
        send("/api/v1/deadletters/{seq}/retry", Operate, post(deadletters::retry)),
        read("/api/v1/invocations", Inspect, get(invocations::list)),
        read("/api/v1/invocations/{id}", Inspect, get(invocations::show)),
        read("/api/v1/reconcile", Inspect, get(status::reconcile)),
        read("/api/v1/audit", Operate, get(audit::log)),
        read("/api/v1/audit/verify", Operate, get(audit::verify)),
        send("/api/v1/backup", Operate, post(backup::create)),
    ]
}

/// The router of the table.
pub(super) fn router() -> Router<App> {
    let rows = table().into_iter();
    let with_row = |router: Router<App>, row: Route| match row.with_slash() {
        Some(path) => router.route(row.path, row.handler.clone()).route(&path, row.handler),
        None => router.route(row.path, row.handler),
    };
    rows.fold(Router::new(), with_row).layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
}

/// What the guard looks up.
pub(super) struct Needs(HashMap<(Method, &'static str), Option<Area>>);

impl Needs {
    /// Of the table.
    pub(super) fn new() -> Self {
        Self(table().into_iter().map(|row| ((row.method, row.path), row.needs)).collect())
    }

    /// What a request needs: by its row, else as the most dangerous of its sort would.
    pub(super) fn of(&self, method: &Method, matched: Option<&str>) -> Option<Area> {
        // Preflights come without credentials and are answered without a handler.
        if *method == Method::OPTIONS {
            return None;
        }
        let row = if *method == Method::HEAD { Method::GET } else { method.clone() };
        let reads = row == Method::GET;
        let unknown = Some(if reads { Area::Read } else { Area::Operate });
        // A row stands for its path with a slash at the end too.
        let matched = matched.map(|path| path.strip_suffix('/').filter(|bare| !bare.is_empty()).unwrap_or(path));
        let found = matched.and_then(|path| self.0.iter().find(|((m, p), _)| *m == row && *p == path));
        found.map_or(unknown, |(_, needs)| *needs)
    }
}
