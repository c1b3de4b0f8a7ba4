//! Requests that nobody wrote by hand, through the whole router: none may panic, be a fault of ours, hang, or be refused in
//! a shape that clients cannot read.
//!
//! Each request begins as a valid one of a row of the table of routes and is then changed in some places. 1 000 of them, with
//! `TENTER_EXTENT=full` 10 000; `TENTER_SEED=N` chooses others. The seed is printed, and every failure names its request.

#![allow(clippy::disallowed_methods, reason = "extent and seed of a test come from the environment")]

mod make;
mod random;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use axum::body::to_bytes;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::Value;
use tenter_model::config::{self, ConfigFile};
use tower::ServiceExt as _;

use super::super::shape::Shape;
use super::{Place, Sender};
use crate::auth::Role;
use make::Maker;
use random::Random;

/// Longest time for one answer. Most take less than a millisecond; the machine may be busy.
const BOUND: Duration = Duration::from_secs(10);
/// Answers are read up to here, in bytes.
const MOST: usize = 256 << 20;

#[test]
fn no_request_breaks_the_server() {
    let asked = |name: &str| std::env::var(name).ok();
    let total = if asked("TENTER_EXTENT").is_some_and(|extent| extent == "full") { 10_000 } else { 1_000 };
    let seed = asked("TENTER_SEED").and_then(|seed| seed.parse().ok()).unwrap_or(1);
    println!("{total} requests of TENTER_SEED={seed}");
    let place = Place::of("127.0.0.1:5000", site());
    let tokens = [None, place.token(Sender::Holder(Role::Author)), place.token(Sender::Holder(Role::Operator))];
    let mut maker = Maker::new(Random::new(seed), tokens);
    let mut statuses = BTreeMap::<u16, usize>::new();
    let mut slowest = (Duration::ZERO, String::new());
    for n in 0..total {
        let (request, shown) = maker.request(n);
        let head = *request.method() == Method::HEAD;
        let shape = Shape::of(request.uri().path());
        let began = Instant::now();
        let (status, fault) = place.runtime.block_on(async {
            let response = place.router.clone().oneshot(request).await.unwrap();
            let status = response.status();
            (status, fault(response, head, shape).await)
        });
        let took = began.elapsed();
        assert!(took < BOUND, "request {n} of seed {seed} took {took:?}: {shown}");
        if let Some(fault) = fault {
            panic!("request {n} of seed {seed}: {fault}: {status} to {shown}");
        }
        *statuses.entry(status.as_u16()).or_default() += 1;
        if took > slowest.0 {
            slowest = (took, shown);
        }
    }
    println!("answers {statuses:?}; the slowest took {:?}: {}", slowest.0, slowest.1);
    // Requests that are all refused at the first look would show nothing.
    let of = |class: u16| statuses.iter().filter(|(s, _)| **s / 100 == class).map(|(_, n)| n).sum::<usize>();
    assert!(of(2) * 5 > total && of(4) * 5 > total, "{statuses:?}");
    // What came in is whole: each accepted task has one end, and nothing contradicts anything.
    assert!(place.app.problem().is_none(), "{:?}", place.app.problem());
    let request = axum::http::Request::builder().uri("/api/v1/reconcile").header("host", "localhost");
    let token = place.token(Sender::Holder(Role::Operator)).unwrap();
    let request = request.header("authorization", format!("Bearer {token}")).body(axum::body::Body::empty()).unwrap();
    let told = place.runtime.block_on(async {
        let response = place.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        to_bytes(response.into_body(), MOST).await.unwrap()
    });
    let told: Value = serde_json::from_slice(&told).unwrap();
    assert_eq!(told["reconciles"], true, "{told}");
}

/// What is wrong with an answer.
async fn fault(response: Response, head: bool, shape: Shape) -> Option<String> {
    let status = response.status();
    let (retry, media) = {
        let text = |name| response.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or("").to_owned();
        (text("retry-after"), text(CONTENT_TYPE.as_str()))
    };
    let packed = response.headers().contains_key("content-encoding");
    let body = match to_bytes(response.into_body(), MOST).await {
        Ok(body) => body,
        Err(error) => return Some(format!("the body broke off: {error}")),
    };
    let shown = || String::from_utf8_lossy(&body).chars().take(300).collect::<String>();
    // 503 is for what passes, and says when to come again.
    if status.is_server_error() && (status != StatusCode::SERVICE_UNAVAILABLE || retry.is_empty()) {
        return Some(format!("a fault of ours: {}", shown()));
    }
    if head || packed {
        return None;
    }
    let json = media.contains("json").then(|| serde_json::from_slice::<Value>(&body));
    if status.is_success() {
        return json.and_then(Result::err).map(|error| format!("no JSON ({error}): {}", shown()));
    }
    let Some(Ok(error)) = json else { return Some(format!("a refusal without JSON, {media:?}: {}", shown())) };
    if shape == Shape::Iris {
        let known = error["status"] == "error" && error["message"].as_str().is_some_and(|text| !text.is_empty());
        return (!known || error["data"].is_null()).then(|| format!("a refusal of no known shape: {error}"));
    }
    let ours = shape == Shape::Ours;
    let good = match &error["detail"] {
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => {
            let item = |item: &Value| item["loc"].is_array() && item["msg"].is_string() && item["type"].is_string();
            !items.is_empty() && items.iter().all(item) && !ours
        }
        _ => false,
    };
    let ours_too = !ours || (error["status"] == status.as_u16() && error["code"].is_string());
    (!good || !ours_too).then(|| format!("a refusal of no known shape: {error}"))
}

/// A type with ids of each sort, and attributes of each kind.
fn site() -> config::SiteConfig {
    let attributes = "
attribs:
  hostname: {name: Host name, type: plain, data_type: string}
  json: {name: Anything, type: plain, data_type: json}
  count: {name: Count, type: plain, data_type: int64}
  tags: {name: Tags, type: plain, data_type: 'array<string>'}
  friend: {name: Friend, type: plain, data_type: link<thing>}
  place: {name: Place, type: plain, data_type: 'dict<lat:float,lon:float,name?:string>'}
  ports: {name: Ports, type: observations, data_type: int, multi_value: true, confidence: true, history_params: {max_age: 30d}}
  traffic:
    name: Traffic
    type: timeseries
    timeseries_type: irregular
    timeseries_params: {max_age: 14d}
    series: {bytes: {data_type: int}, rate: {data_type: float}}
";
    let of = |(name, id): (&str, &str)| ConfigFile {
        path: format!("db_entities/{name}.yml"),
        text: format!("entity: {{id: {name}, id_data_type: {id}, name: {name}, snapshot: true}}{attributes}"),
    };
    let mut files: Vec<ConfigFile> = make::TYPES.iter().copied().map(of).collect();
    let core = "worker_processes: 1\nmodules_dir: modules\nenabled_modules: []\n";
    files.push(ConfigFile { path: "processing_core.yml".into(), text: core.into() });
    let control = "allowed_actions: [make_snapshots, refresh_on_entity_creation, refresh_module_config]\n";
    files.push(ConfigFile { path: "control.yml".into(), text: control.into() });
    let loaded = config::load(&files);
    loaded.config.unwrap_or_else(|| panic!("{:?}", loaded.errors))
}
