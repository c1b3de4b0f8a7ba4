//! The table of routes: method, path, who may use it, and who answers.
//!
//! It is the one way into the server. The router is folded out of it, the guard looks a request's need up in it, and
//! the matrix of `tests.rs` asks each of its rows with each role, the OpenAPI document is made of it; so no route can
//! be without a decision about access, or without words. The rows stand in `routes/dp3.rs`, `routes/ours.rs` and
//! `routes/iris.rs`.
//! A request that matches no row is treated like the most dangerous one of its sort.

use std::collections::HashMap;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use axum::routing::MethodRouter;

use crate::app::App;
use crate::auth::Area;

use super::operation::{Content, Operation, Param};
use super::shape::Shape;

mod dp3;
mod iris;
mod ours;

/// One row.
pub(super) struct Route {
    /// The method; `HEAD` goes with `GET`.
    pub(super) method: Method,
    /// The path, with its parameters in braces.
    pub(super) path: &'static str,
    /// What it belongs to, which says the least role and the scope that may; `None`: open to all.
    pub(super) needs: Option<Area>,
    /// What the OpenAPI document says of it.
    pub(super) operation: Operation,
    handler: MethodRouter<App>,
}

/// What DP³'s paths begin with.
const DP3: [&str; 6] = ["/datapoints", "/entities", "/entity/", "/v2/", "/control/", "/telemetry/"];

impl Route {
    fn new(method: Method, path: &'static str, needs: Option<Area>, handler: MethodRouter<App>) -> Self {
        Self { method, path, needs, operation: Operation::default(), handler }
    }

    /// What it does, in a sentence without a full stop.
    fn says(mut self, summary: &'static str) -> Self {
        self.operation.summary = summary;
        self
    }

    /// Parameters of its query.
    fn asks(mut self, params: &[Param]) -> Self {
        self.operation.params.extend_from_slice(params);
        self
    }

    /// What its body is.
    fn takes(mut self, body: Content) -> Self {
        self.operation.body = Some(body);
        self
    }

    /// The shape of its 200.
    fn gives(mut self, shape: &'static str) -> Self {
        self.operation.answer = Content::Json(shape);
        self
    }

    /// The media type of a 200 that is no JSON.
    fn gives_media(mut self, media: &'static str) -> Self {
        self.operation.answer = Content::Media(media);
        self
    }

    /// An answer beside those that follow from its sort.
    fn or(mut self, status: u16, when: &'static str) -> Self {
        self.operation.more.push((status, when));
        self
    }

    /// Whose API it is of.
    pub(super) fn shape(&self) -> Shape {
        Shape::of(self.path)
    }

    /// DP³'s routes answer at their path with a slash at the end too, without a redirect.
    pub(super) fn with_slash(&self) -> Option<String> {
        DP3.iter().any(|start| self.path.starts_with(start)).then(|| format!("{}/", self.path))
    }
}

/// Every route.
pub(super) fn table() -> Vec<Route> {
    let mut rows = dp3::table();
    rows.extend(ours::table());
    rows.extend(iris::table());
    rows
}

/// A route that is open to all.
fn open(path: &'static str, handler: MethodRouter<App>) -> Route {
    Route::new(Method::GET, path, None, handler)
}

fn read(path: &'static str, needs: Area, handler: MethodRouter<App>) -> Route {
    Route::new(Method::GET, path, Some(needs), handler)
}

fn send(path: &'static str, needs: Area, handler: MethodRouter<App>) -> Route {
    Route::new(Method::POST, path, Some(needs), handler)
}

fn drop(path: &'static str, needs: Area, handler: MethodRouter<App>) -> Route {
    Route::new(Method::DELETE, path, Some(needs), handler)
}

/// The router of the table, with a limit for bodies, in bytes as the handler sees them, decompressed.
pub(super) fn router(max_body_bytes: u64) -> Router<App> {
    let rows = table().into_iter();
    let with_row = |router: Router<App>, row: Route| match row.with_slash() {
        Some(path) => router.route(row.path, row.handler.clone()).route(&path, row.handler),
        None => router.route(row.path, row.handler),
    };
    rows.fold(Router::new(), with_row)
        .layer(DefaultBodyLimit::max(usize::try_from(max_body_bytes).unwrap_or(usize::MAX)))
}

/// What the guard looks up.
pub(super) struct Needs(HashMap<(Method, &'static str), Option<Area>>);

impl Needs {
    /// Of the table.
    pub(super) fn new() -> Self {
        Self(table().into_iter().map(|row| ((row.method, row.path), row.needs)).collect())
    }

    /// Methods of a path of the table, for the header `Allow`.
    pub(super) fn methods(&self, matched: &str) -> String {
        let matched = without_slash(matched);
        let mut methods: Vec<&str> =
            self.0.keys().filter(|(_, path)| *path == matched).map(|(method, _)| method.as_str()).collect();
        if methods.contains(&"GET") {
            methods.push("HEAD");
        }
        methods.sort_unstable();
        methods.join(",")
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
        let matched = matched.map(without_slash);
        let found = matched.and_then(|path| self.0.iter().find(|((m, p), _)| *m == row && *p == path));
        found.map_or(unknown, |(_, needs)| *needs)
    }
}

/// The path of a row, which stands for the path with a slash at the end too.
fn without_slash(matched: &str) -> &str {
    matched.strip_suffix('/').filter(|bare| !bare.is_empty()).unwrap_or(matched)
}
