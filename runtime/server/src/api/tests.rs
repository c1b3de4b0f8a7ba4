//! Who may do what: every row of the table of routes, asked by everybody, on loopback and beyond.

mod fuzz;

use std::net::SocketAddr;
use std::path::Path;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use tenter_model::case::seed;
use tenter_model::config::{self, ConfigFile};
use tower::ServiceExt as _;

use super::openapi::statuses;
use super::routes::{Route, table};
use super::shape::Shape;
use crate::app::{App, Options};
use crate::auth::{Area, Role, Scopes};

mod from_dp3;
mod iris;
mod openapi;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sender {
    /// Without a token.
    Nobody,
    /// With a token that the server never made.
    Stranger,
    /// With an operator's token that has expired.
    Late,
    /// With a token of this role.
    Holder(Role),
    /// With an operator's token that is restricted to this.
    Restricted(Area),
    /// With one that is restricted to this, of one entity type.
    OfType(Area),
}

/// A router on data of its own, as if it listened there.
struct Place {
    app: App,
    router: Router,
    runtime: tokio::runtime::Runtime,
    _data: tempfile::TempDir,
}

impl Place {
    fn new(listen: &str) -> Self {
        Self::of(listen, site())
    }

    fn of(listen: &str, site: config::SiteConfig) -> Self {
        let data = tempfile::tempdir().unwrap();
        let app = App::open(Options {
            site,
            data_dir: data.path().to_owned(),
            listen: listen.parse::<SocketAddr>().unwrap(),
            store: tenter_store::StoreOptions::default(),
            lanes: 1,
            site_dir: None,
        })
        .unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { router: super::router(&app), app, runtime, _data: data }
    }

    fn token(&self, sender: Sender) -> Option<String> {
        let (now, tokens, all) = (self.app.now(), self.app.tokens(), Scopes::default());
        let token = match sender {
            Sender::Nobody => None,
            Sender::Stranger => Some("tenter_0000".to_owned()),
            Sender::Late => Some(tokens.create("test", Role::Operator, &all, "late", Some(now), now).unwrap()),
            Sender::Holder(role) => Some(tokens.create("test", role, &all, "", None, now).unwrap()),
            Sender::Restricted(area) => {
                let scopes = Scopes::parse([area.name()]).unwrap();
                Some(tokens.create("test", Role::Operator, &scopes, "", None, now).unwrap())
            }
            Sender::OfType(area) => {
                let scopes = Scopes::parse([format!("{}:none-such", area.name()).as_str()]).unwrap();
                Some(tokens.create("test", Role::Operator, &scopes, "", None, now).unwrap())
            }
        };
        // What a token may do that stands for no user is asked apart from this.
        if let Some(token) = token.as_deref().filter(|_| sender != Sender::Stranger) {
            tokens.bind("test", token, seed::FIRST, now).unwrap();
        }
        token
    }

    fn ask(&self, method: &str, path: &str, token: Option<&str>) -> StatusCode {
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
        request = request.header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(Body::from("{}")).unwrap();
        self.runtime.block_on(self.router.clone().oneshot(request)).unwrap().status()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.app.close();
    }
}

fn site() -> config::SiteConfig {
    let file = |path: &str, text: &str| ConfigFile { path: path.to_owned(), text: text.to_owned() };
    let ip = "entity: {id: ip, id_data_type: ipv4, name: IP, snapshot: true}\nattribs: {}\n";
    let core = "worker_processes: 1\nmodules_dir: modules\nenabled_modules: []\n";
    let loaded = config::load(&[file("db_entities/ip.yml", ip), file("processing_core.yml", core)]);
    loaded.config.unwrap_or_else(|| panic!("{:?}", loaded.errors))
}

/// A path of that form about things that do not exist.
fn example(path: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { "none-such".to_owned() } else { part.to_owned() };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// What must come of it; `None`: whatever the handler says.
fn expected(row: &Route, sender: Sender, loopback: bool) -> Option<StatusCode> {
    let needs = row.needs?;
    let of_type = row.path.contains("{etype}") || needs == Area::Ingest;
    let held = match sender {
        Sender::Stranger | Sender::Late => return Some(StatusCode::UNAUTHORIZED),
        Sender::Nobody if loopback => Role::Analyst,
        Sender::Nobody => return Some(StatusCode::UNAUTHORIZED),
        Sender::Holder(role) => role,
        Sender::Restricted(area) => return (area != needs).then_some(StatusCode::FORBIDDEN),
        Sender::OfType(area) => return (area != needs || !of_type).then_some(StatusCode::FORBIDDEN),
    };
    (held < needs.role()).then_some(StatusCode::FORBIDDEN)
}

#[test]
fn every_route_is_asked_by_everybody() {
    let senders = [Sender::Nobody, Sender::Stranger, Sender::Late];
    let of_type = [Area::Read, Area::Ingest, Area::Entities].map(Sender::OfType);
    let senders = senders
        .into_iter()
        .chain(Role::ALL.into_iter().map(Sender::Holder))
        .chain(Area::all().map(Sender::Restricted))
        .chain(of_type)
        .collect::<Vec<_>>();
    for (listen, loopback) in [("127.0.0.1:5000", true), ("[::1]:5000", true), ("0.0.0.0:5000", false)] {
        let place = Place::new(listen);
        for sender in &senders {
            let token = place.token(*sender);
            for row in table() {
                for path in [Some(row.path.to_owned()), row.with_slash()].into_iter().flatten() {
                    let what = format!("{} {path} by {sender:?} on {listen}", row.method);
                    let status = place.ask(row.method.as_str(), &example(&path), token.as_deref());
                    let denied = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN).then_some(status);
                    assert_eq!(denied, expected(&row, *sender, loopback), "{what}: {status}");
                    let documented =
                        status == StatusCode::OK || statuses(&row).iter().any(|(s, _)| *s == status.as_u16());
                    assert!(documented, "{} {}: {status} is not in the document", row.method, row.path);
                    assert_ne!(status, StatusCode::METHOD_NOT_ALLOWED, "{what}");
                    assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{what}");
                }
            }
        }
    }
}

#[test]
fn a_token_that_stands_for_nobody_may_do_nothing_with_cases() {
    let place = Place::new("127.0.0.1:5000");
    let (now, tokens, all) = (place.app.now(), place.app.tokens(), Scopes::default());
    for role in Role::ALL {
        let token = tokens.create("test", role, &all, "", None, now).unwrap();
        for row in table().iter().filter(|row| row.shape() == Shape::Iris) {
            let status = place.ask(row.method.as_str(), &example(row.path), Some(&token));
            // An operator's stands for the first user.
            assert_eq!(status == 403, role != Role::Operator, "{} {} by {role}: {status}", row.method, row.path);
        }
    }
}

#[test]
fn tokens_stand_for_the_users_that_their_makers_may_name() {
    let place = Place::new("127.0.0.1:5000");
    let operator = place.token(Sender::Holder(Role::Operator));
    let restricted = {
        let scopes = Scopes::parse(["tokens", "case-read"]).unwrap();
        place.app.tokens().create("test", Role::Operator, &scopes, "", None, place.app.now()).unwrap()
    };
    let make = |token: Option<&str>, user: &str| {
        let body = format!(r#"{{"scopes": ["case-read"], "user": "{user}"}}"#);
        place.answer("POST", "/api/v1/tokens", token, &body)
    };
    let (status, made) = make(operator.as_deref(), "Administrator");
    assert_eq!(status, 200, "{made}");
    let (status, pong) = place.answer("GET", "/api/ping", made["token"].as_str(), "");
    assert_eq!((status.as_u16(), &pong["message"]), (200, &"pong".into()));
    let (status, told) = make(operator.as_deref(), "nobody");
    assert_eq!(status, 422);
    insta::assert_snapshot!(told["detail"].as_str().unwrap(), @r#"no user has the login "nobody"; GET /manage/users/restricted/list names those there are"#);
    let (status, told) = make(Some(&restricted), "administrator");
    assert_eq!(status, 403);
    insta::assert_snapshot!(told["detail"].as_str().unwrap(), @"a token with scopes makes tokens for the user that it stands for alone; others may see what that one may not");
    let (_, list) = place.answer("GET", "/api/v1/tokens", operator.as_deref(), "");
    let users: Vec<_> = list["tokens"].as_array().unwrap().iter().map(|token| &token["user"]).collect();
    assert!(users.contains(&&"administrator".into()) && users.contains(&&serde_json::Value::Null), "{list}");
}

#[test]
fn what_has_no_row_is_denied() {
    let place = Place::new("0.0.0.0:5000");
    let analyst = place.token(Sender::Holder(Role::Analyst));
    let viewer = place.token(Sender::Holder(Role::Viewer));
    assert_eq!(place.ask("GET", "/none-such", None), StatusCode::UNAUTHORIZED);
    assert_eq!(place.ask("GET", "/none-such", viewer.as_deref()), StatusCode::NOT_FOUND);
    assert_eq!(place.ask("POST", "/none-such", analyst.as_deref()), StatusCode::FORBIDDEN);
    // A method that the path does not have is not the path's.
    assert_eq!(place.ask("PATCH", "/datapoints", analyst.as_deref()), StatusCode::FORBIDDEN);
    assert_eq!(place.ask("HEAD", "/api/v1/tokens", analyst.as_deref()), StatusCode::FORBIDDEN);
    // A preflight comes without credentials and says nothing but what may be asked.
    assert_eq!(place.ask("OPTIONS", "/api/v1/tokens", None), StatusCode::OK);
}

#[test]
fn the_table_is_what_was_decided() {
    let role = |needs: Option<Area>| needs.map_or("open", |area| area.role().name());
    let scope = |needs: Option<Area>| needs.map_or("", Area::name);
    let line =
        |row: &Route| format!("{:8} {:8} {:6} {}", role(row.needs), scope(row.needs), row.method.as_str(), row.path);
    let rows: Vec<String> = table().iter().map(line).collect();
    insta::assert_snapshot!(rows.join("\n"), @"
    open              GET    /
    open              GET    /livez
    open              GET    /readyz
    open              GET    /docs
    open              GET    /docs/page.css
    open              GET    /docs/page.js
    open              GET    /openapi.json
    viewer   read     GET    /metrics
    ingester ingest   POST   /datapoints
    viewer   read     GET    /entities
    analyst  control  GET    /control/{action}
    analyst  control  POST   /control/{action}
    viewer   read     GET    /entity/{etype}
    viewer   read     GET    /telemetry/sources_validity
    viewer   read     GET    /telemetry/sources_age
    viewer   read     GET    /telemetry/entities_per_attr
    viewer   read     GET    /telemetry/attribute_bson_sizes
    viewer   read     GET    /telemetry/snapshot_summary
    viewer   read     GET    /telemetry/metadata
    viewer   read     GET    /telemetry/rabbitmq/queues
    viewer   read     GET    /entity/{etype}/get
    viewer   read     GET    /entity/{etype}/count
    viewer   read     GET    /entity/{etype}/raw/get
    viewer   read     GET    /entity/{etype}/_/distinct/{attr}
    viewer   read     GET    /entity/{etype}/{eid}
    analyst  entities DELETE /entity/{etype}/{eid}
    viewer   read     GET    /entity/{etype}/{eid}/master
    viewer   read     GET    /entity/{etype}/{eid}/snapshots
    analyst  entities POST   /entity/{etype}/{eid}/ttl
    viewer   read     GET    /entity/{etype}/{eid}/get/{attr}
    analyst  entities POST   /entity/{etype}/{eid}/set/{attr}
    viewer   read     GET    /v2/entity/{etype}/get
    viewer   read     GET    /v2/entity/{etype}/count
    viewer   read     GET    /v2/entity/{etype}/raw/get
    viewer   read     GET    /v2/entity/{etype}/_/distinct/{attr}
    viewer   read     GET    /v2/entity/{etype}
    analyst  entities DELETE /v2/entity/{etype}
    viewer   read     GET    /v2/entity/{etype}/master
    viewer   read     GET    /v2/entity/{etype}/snapshots
    analyst  entities POST   /v2/entity/{etype}/ttl
    viewer   read     GET    /v2/entity/{etype}/attr
    analyst  entities POST   /v2/entity/{etype}/attr
    viewer   read     GET    /api/v1/snapshots
    operator operate  POST   /api/v1/snapshots
    viewer   read     GET    /api/v1/status
    viewer   read     GET    /api/v1/entities/{etype}
    viewer   read     GET    /api/v1/entities/{etype}/{eid}/provenance
    author   inspect  GET    /api/v1/entities/{etype}/{eid}/why
    viewer   read     GET    /api/v1/modules
    viewer   read     GET    /api/v1/modules/{name}
    operator modules  PUT    /api/v1/modules/{name}
    operator modules  GET    /api/v1/modules/{name}/config
    operator modules  PUT    /api/v1/modules/{name}/config
    operator modules  PATCH  /api/v1/modules/{name}/config
    operator modules  GET    /api/v1/modules/{name}/config/export
    operator modules  POST   /api/v1/modules/{name}/config/import
    operator modules  DELETE /api/v1/modules/{name}/config
    operator modules  DELETE /api/v1/modules/{name}
    operator modules  POST   /api/v1/modules/{name}/enable
    operator modules  POST   /api/v1/modules/{name}/disable
    operator modules  POST   /api/v1/modules/{name}/activate
    operator modules  POST   /api/v1/modules/{name}/rollback
    operator modules  POST   /api/v1/modules/{name}/grants
    operator modules  DELETE /api/v1/modules/{name}/grants
    operator modules  GET    /api/v1/modules/{name}/secrets
    operator modules  PUT    /api/v1/modules/{name}/secrets/{secret}
    operator modules  DELETE /api/v1/modules/{name}/secrets/{secret}
    operator modules  POST   /api/v1/modules/{name}/release
    author   inspect  GET    /api/v1/breakers
    viewer   read     GET    /api/v1/hooks
    viewer   read     GET    /api/v1/hooks/kinds
    operator modules  POST   /api/v1/hooks/{module}/{subscription}/register
    operator modules  POST   /api/v1/hooks/{module}/{subscription}/deregister
    operator tokens   GET    /api/v1/tokens
    operator tokens   POST   /api/v1/tokens
    operator tokens   DELETE /api/v1/tokens/{digest}
    author   inspect  GET    /api/v1/errors
    author   inspect  GET    /api/v1/deadletters
    author   inspect  GET    /api/v1/deadletters/{seq}
    operator operate  DELETE /api/v1/deadletters/{seq}
    operator operate  POST   /api/v1/deadletters/{seq}/retry
    author   inspect  GET    /api/v1/invocations
    author   inspect  GET    /api/v1/invocations/{id}
    viewer   case-read GET    /api/v1/actions
    analyst  case-write POST   /api/v1/actions
    viewer   case-read GET    /api/v1/jobs
    viewer   case-read GET    /api/v1/jobs/{id}
    analyst  case-write POST   /api/v1/jobs/{id}/retry
    analyst  case-write DELETE /api/v1/jobs/{id}
    author   inspect  GET    /api/v1/reconcile
    operator operate  GET    /api/v1/audit
    operator operate  GET    /api/v1/audit/verify
    operator operate  POST   /api/v1/backup
    viewer   case-read GET    /api/ping
    viewer   case-read GET    /api/versions
    viewer   case-read GET    /manage/cases/list
    viewer   case-read GET    /manage/cases/{object_id}
    analyst  case-write POST   /manage/cases/add
    analyst  case-write POST   /manage/cases/update/{object_id}
    analyst  case-write POST   /manage/cases/delete/{object_id}
    analyst  case-write POST   /manage/cases/close/{object_id}
    analyst  case-write POST   /manage/cases/reopen/{object_id}
    analyst  case-write POST   /case/update-status
    viewer   case-read GET    /case/summary/fetch
    analyst  case-write POST   /case/summary/update
    viewer   case-read GET    /case/activities/list
    analyst  case-write POST   /case/tasklog/add
    viewer   case-read GET    /case/notes/directories/filter
    viewer   case-read GET    /case/notes/directories/{object_id}
    analyst  case-write POST   /case/notes/directories/add
    analyst  case-write POST   /case/notes/directories/update/{object_id}
    analyst  case-write POST   /case/notes/directories/delete/{object_id}
    viewer   case-read GET    /case/notes/{object_id}
    analyst  case-write POST   /case/notes/add
    analyst  case-write POST   /case/notes/update/{object_id}
    analyst  case-write POST   /case/notes/delete/{object_id}
    viewer   case-read GET    /case/notes/groups/list
    viewer   case-read GET    /case/notes/groups/{object_id}
    analyst  case-write POST   /case/notes/groups/add
    analyst  case-write POST   /case/notes/groups/update
    analyst  case-write POST   /case/notes/groups/delete/{object_id}
    viewer   case-read GET    /case/assets/list
    viewer   case-read GET    /case/assets/{object_id}
    analyst  case-write POST   /case/assets/add
    analyst  case-write POST   /case/assets/update/{object_id}
    analyst  case-write POST   /case/assets/delete/{object_id}
    viewer   case-read GET    /case/ioc/list
    viewer   case-read GET    /case/ioc/{object_id}
    analyst  case-write POST   /case/ioc/add
    analyst  case-write POST   /case/ioc/update/{object_id}
    analyst  case-write POST   /case/ioc/delete/{object_id}
    viewer   case-read GET    /case/evidences/list
    viewer   case-read GET    /case/evidences/{object_id}
    analyst  case-write POST   /case/evidences/add
    analyst  case-write POST   /case/evidences/update/{object_id}
    analyst  case-write POST   /case/evidences/delete/{object_id}
    viewer   case-read GET    /case/tasks/list
    viewer   case-read GET    /case/tasks/{object_id}
    analyst  case-write POST   /case/tasks/add
    analyst  case-write POST   /case/tasks/update/{object_id}
    analyst  case-write POST   /case/tasks/delete/{object_id}
    viewer   case-read GET    /case/timeline/events/list/filter/{object_id}
    viewer   case-read GET    /case/timeline/advanced-filter
    viewer   case-read GET    /case/timeline/events/{object_id}
    analyst  case-write POST   /case/timeline/events/add
    analyst  case-write POST   /case/timeline/events/update/{object_id}
    analyst  case-write POST   /case/timeline/events/delete/{object_id}
    analyst  case-write POST   /case/timeline/events/duplicate/{object_id}
    viewer   case-read GET    /global/tasks/list
    viewer   case-read GET    /global/tasks/{object_id}
    analyst  case-write POST   /global/tasks/add
    analyst  case-write POST   /global/tasks/update/{object_id}
    analyst  case-write POST   /global/tasks/delete/{object_id}
    viewer   case-read GET    /manage/users/lookup/login/{login}
    viewer   case-read GET    /manage/users/lookup/id/{row_id}
    viewer   case-read GET    /manage/users/restricted/list
    viewer   case-read GET    /manage/asset-type/list
    viewer   case-read GET    /manage/asset-type/{row_id}
    viewer   case-read GET    /manage/analysis-status/list
    viewer   case-read GET    /manage/analysis-status/{row_id}
    viewer   case-read GET    /manage/compromise-status/list
    viewer   case-read GET    /manage/compromise-status/{row_id}
    viewer   case-read GET    /manage/task-status/list
    viewer   case-read GET    /manage/task-status/{row_id}
    viewer   case-read GET    /manage/tlp/list
    viewer   case-read GET    /manage/tlp/{row_id}
    viewer   case-read GET    /manage/event-categories/list
    viewer   case-read GET    /manage/event-categories/{row_id}
    viewer   case-read GET    /manage/ioc-types/list
    viewer   case-read GET    /manage/ioc-types/{row_id}
    viewer   case-read GET    /manage/case-classifications/list
    viewer   case-read GET    /manage/case-classifications/{row_id}
    viewer   case-read GET    /manage/customers/list
    viewer   case-read GET    /manage/customers/{row_id}
    viewer   case-read GET    /manage/outcome-status/list
    viewer   case-read GET    /manage/outcome-status/{row_id}
    viewer   case-read GET    /manage/alert-status/list
    viewer   case-read GET    /manage/alert-status/{row_id}
    viewer   case-read GET    /manage/severities/list
    viewer   case-read GET    /manage/severities/{row_id}
    viewer   case-read GET    /manage/case-states/list
    viewer   case-read GET    /manage/case-states/{row_id}
    viewer   case-read GET    /manage/evidence-types/list
    viewer   case-read GET    /manage/evidence-types/{row_id}
    analyst  case-write POST   /datastore/file/add/{node_id}
    analyst  case-write POST   /datastore/file/update/{node_id}
    viewer   case-read GET    /datastore/list/tree
    viewer   case-read GET    /datastore/file/info/{node_id}
    viewer   case-read GET    /datastore/file/view/{node_id}
    analyst  case-write POST   /datastore/file/move/{node_id}
    analyst  case-write POST   /datastore/file/delete/{node_id}
    analyst  case-write POST   /datastore/folder/add
    analyst  case-write POST   /datastore/folder/rename/{node_id}
    analyst  case-write POST   /datastore/folder/move/{node_id}
    analyst  case-write POST   /datastore/folder/delete/{node_id}
    viewer   case-read GET    /case/report/generate-investigation/{template_id}
    viewer   case-read GET    /case/report/generate-activities/{template_id}
    viewer   case-read GET    /manage/templates/list
    viewer   case-read GET    /manage/templates/{row_id}
    operator case-admin POST   /manage/templates/add
    operator case-admin POST   /manage/templates/delete/{row_id}
    viewer   case-read POST   /search
    viewer   case-read POST   /case/notes/search
    analyst  case-write POST   /dim/hooks/call
    viewer   case-read GET    /dim/hooks/options/{object}/list
    viewer   case-read GET    /dim/tasks/list/{count}
    viewer   case-read GET    /dim/tasks/status/{task_id}
    operator modules  GET    /manage/modules/list
    operator modules  GET    /manage/modules/hooks/list
    operator modules  GET    /manage/modules/export-config/{module}
    operator modules  POST   /manage/modules/add
    operator modules  POST   /manage/modules/set-parameter/{parameter}
    operator modules  POST   /manage/modules/enable/{module}
    operator modules  POST   /manage/modules/disable/{module}
    operator modules  POST   /manage/modules/remove/{module}
    operator modules  POST   /manage/modules/import-config/{module}
    operator case-admin GET    /manage/users/list
    operator case-admin GET    /manage/users/{row_id}
    operator case-admin POST   /manage/users/add
    operator case-admin POST   /manage/users/update/{row_id}
    operator case-admin POST   /manage/users/delete/{row_id}
    operator case-admin GET    /manage/users/activate/{row_id}
    operator case-admin GET    /manage/users/deactivate/{row_id}
    operator case-admin POST   /manage/users/{row_id}/groups/update
    operator case-admin POST   /manage/users/{row_id}/customers/update
    operator case-admin POST   /manage/users/{row_id}/cases-access/update
    operator case-admin GET    /manage/groups/list
    operator case-admin GET    /manage/groups/{row_id}
    operator case-admin POST   /manage/groups/add
    operator case-admin POST   /manage/groups/update/{row_id}
    operator case-admin POST   /manage/groups/delete/{row_id}
    operator case-admin POST   /manage/groups/{row_id}/members/update
    operator case-admin POST   /manage/groups/{row_id}/cases-access/update
    operator case-admin GET    /manage/access-control/audit/users/{row_id}
    operator case-admin GET    /manage/access-control/recompute-effective-users-ac
    operator case-admin GET    /manage/access-control/recompute-effective-user-ac/{row_id}
    viewer   case-read POST   /user/has-permission
    viewer   case-read GET    /case/assets/{object_id}/comments/list
    viewer   case-read POST   /case/assets/{object_id}/comments/list
    analyst  case-write POST   /case/assets/{object_id}/comments/add
    analyst  case-write POST   /case/assets/{object_id}/comments/{comment_id}/edit
    analyst  case-write POST   /case/assets/{object_id}/comments/{comment_id}/delete
    viewer   case-read GET    /case/notes/{object_id}/comments/list
    viewer   case-read POST   /case/notes/{object_id}/comments/list
    analyst  case-write POST   /case/notes/{object_id}/comments/add
    analyst  case-write POST   /case/notes/{object_id}/comments/{comment_id}/edit
    analyst  case-write POST   /case/notes/{object_id}/comments/{comment_id}/delete
    viewer   case-read GET    /case/ioc/{object_id}/comments/list
    viewer   case-read POST   /case/ioc/{object_id}/comments/list
    analyst  case-write POST   /case/ioc/{object_id}/comments/add
    analyst  case-write POST   /case/ioc/{object_id}/comments/{comment_id}/edit
    analyst  case-write POST   /case/ioc/{object_id}/comments/{comment_id}/delete
    viewer   case-read GET    /case/evidences/{object_id}/comments/list
    viewer   case-read POST   /case/evidences/{object_id}/comments/list
    analyst  case-write POST   /case/evidences/{object_id}/comments/add
    analyst  case-write POST   /case/evidences/{object_id}/comments/{comment_id}/edit
    analyst  case-write POST   /case/evidences/{object_id}/comments/{comment_id}/delete
    viewer   case-read GET    /case/tasks/{object_id}/comments/list
    viewer   case-read POST   /case/tasks/{object_id}/comments/list
    analyst  case-write POST   /case/tasks/{object_id}/comments/add
    analyst  case-write POST   /case/tasks/{object_id}/comments/{comment_id}/edit
    analyst  case-write POST   /case/tasks/{object_id}/comments/{comment_id}/delete
    viewer   case-read GET    /case/timeline/events/{object_id}/comments/list
    viewer   case-read POST   /case/timeline/events/{object_id}/comments/list
    analyst  case-write POST   /case/timeline/events/{object_id}/comments/add
    analyst  case-write POST   /case/timeline/events/{object_id}/comments/{comment_id}/edit
    analyst  case-write POST   /case/timeline/events/{object_id}/comments/{comment_id}/delete
    viewer   case-read GET    /case/events/{object_id}/comments/list
    viewer   case-read POST   /case/events/{object_id}/comments/list
    analyst  case-write POST   /case/events/{object_id}/comments/add
    analyst  case-write POST   /case/events/{object_id}/comments/{comment_id}/edit
    analyst  case-write POST   /case/events/{object_id}/comments/{comment_id}/delete
    operator case-admin POST   /manage/customers/add
    operator case-admin POST   /manage/customers/update/{row_id}
    operator case-admin POST   /manage/customers/delete/{row_id}
    operator case-admin POST   /manage/ioc-types/add
    operator case-admin POST   /manage/ioc-types/update/{row_id}
    operator case-admin POST   /manage/ioc-types/delete/{row_id}
    operator case-admin POST   /manage/asset-type/add
    operator case-admin POST   /manage/asset-type/update/{row_id}
    operator case-admin POST   /manage/asset-type/delete/{row_id}
    operator case-admin POST   /manage/case-classifications/add
    operator case-admin POST   /manage/case-classifications/update/{row_id}
    operator case-admin POST   /manage/case-classifications/delete/{row_id}
    operator case-admin POST   /manage/evidence-types/add
    operator case-admin POST   /manage/evidence-types/update/{row_id}
    operator case-admin POST   /manage/evidence-types/delete/{row_id}
    ");
}

#[test]
fn every_route_is_documented() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/http.md");
    let docs = std::fs::read_to_string(path).unwrap();
    for row in table() {
        let line = format!("`{} {}", row.method, row.path);
        assert!(
            docs.contains(&format!("{line}`")) || docs.contains(&format!("{line}?")),
            "{line}` is not in docs/http.md"
        );
    }
}

#[test]
fn what_the_page_on_security_names_is_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut code = String::new();
    for folder in ["runtime", "tests"] {
        read_code(&root.join(folder), &mut code);
    }
    let page = std::fs::read_to_string(root.join("docs/security.md")).unwrap();
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| threat")).collect();
    assert!(rows.len() > 20, "{}", rows.len());
    for row in rows {
        let tests = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        for name in tests.split(", ").map(|name| name.trim_matches('`')) {
            let is_test = code.contains(&format!("#[test]\nfn {name}()"))
                // Tests of the compiler have a `main` of their own, with a table.
                || code.contains(&format!("(\"{name}\", "));
            assert!(is_test, "{name} is no test: {row}");
        }
    }
}

/// All Rust code under a folder, lines without their indentation.
fn read_code(folder: &Path, code: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_code(&path, code);
        } else if path.extension().is_some_and(|e| e == "rs") {
            for line in std::fs::read_to_string(&path).unwrap().lines() {
                code.push_str(line.trim());
                code.push('\n');
            }
        }
    }
}

#[test]
fn every_route_of_dp3_has_rows_in_the_table_of_behaviours() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/e2e/dp3_api");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let mut twins: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&read("routes.json")).unwrap();
    twins.remove("_");
    let rows: Vec<serde_json::Value> =
        read("rows.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for route in twins.keys() {
        assert!(rows.iter().any(|row| row["route"] == route.as_str()), "{route} has no row");
    }
    let second = twins.values().filter_map(|twin| twin.as_str().map(str::to_owned));
    let mut listed: Vec<String> = twins.keys().cloned().chain(second).collect();
    let dp3 = table().into_iter().filter(|row| row.path == "/" || row.with_slash().is_some());
    let mut ours: Vec<String> = dp3.map(|row| format!("{} {}", row.method, row.path)).collect();
    listed.sort();
    ours.sort();
    assert_eq!(listed, ours);
}
