//! The OpenAPI document: complete, in form, and true of what the server answers.

use std::collections::HashSet;
use std::path::Path;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use tenter_model::config::{self, ConfigFile};
use tower::ServiceExt as _;

use super::super::openapi::{document, statuses, text};
use super::super::operation::{Content, Param, ParamForm};
use super::super::routes::{Route, table};
use super::super::shape::Shape;
use super::{Place, Role, Sender, example};

const IP: &str = "
entity: {id: ip, id_data_type: ipv4, name: IP, snapshot: true}
attribs:
  hostname: {name: Hostname, type: plain, data_type: string}
  ports: {name: Ports, type: observations, data_type: int, multi_value: true, history_params: {max_age: 7d}}
  traffic:
    name: Traffic
    type: timeseries
    timeseries_type: regular
    timeseries_params: {time_step: 1m}
    series: {bytes: {data_type: int}}
";

impl Place {
    /// A server with an entity type that has attributes of each kind, an entity and a snapshot of it.
    fn with_data() -> (Self, String) {
        let file = |path: &str, text: &str| ConfigFile { path: path.to_owned(), text: text.to_owned() };
        let core = "enabled_modules: [not_there]\n";
        let loaded = config::load(&[file("db_entities/ip.yml", IP), file("processing_core.yml", core)]);
        let place = Self::of("127.0.0.1:5000", loaded.config.unwrap());
        let token = place.token(Sender::Holder(Role::Operator)).unwrap();
        let now = "2026-01-01T00:00:00Z";
        let points = json!([
            {"type": "ip", "id": "192.0.2.1", "attr": "hostname", "v": "host.example", "src": "test"},
            {"type": "ip", "id": "192.0.2.1", "attr": "ports", "v": 80, "t1": now, "t2": "2099-01-01T00:00:00Z"},
            {"type": "ip", "id": "192.0.2.1", "attr": "traffic", "v": {"bytes": [1, 2]}, "t1": now},
        ]);
        let (status, body) = place.answer("POST", "/datapoints", Some(&token), &points.to_string());
        assert_eq!(status, StatusCode::OK, "{body}");
        loop {
            let (_, status) = place.answer("GET", "/api/v1/status", Some(&token), "");
            if status.pointer("/tasks/pending") == Some(&json!(0)) {
                break;
            }
            std::thread::yield_now();
        }
        let (status, body) = place.answer("POST", "/api/v1/snapshots", Some(&token), r#"{"wait": true}"#);
        assert_eq!(status, StatusCode::OK, "{body}");
        (place, token)
    }

    /// Status and body, as JSON where it is.
    pub(super) fn answer(&self, method: &str, path: &str, token: Option<&str>, body: &str) -> (StatusCode, Value) {
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
        request = request.header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let status = response.status();
            let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
            (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
        })
    }
}

/// What does not fit a schema, for the words of JSON Schema that the shapes use. The judge of configuration files is the
/// crate `jsonschema`; here it would have all of the server built anew, with the features that it asks of others.
fn misfits(document: &Value, schema: &Value, value: &Value, at: &str, out: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.strip_prefix("#/components/schemas/").unwrap();
        return misfits(document, &document["components"]["schemas"][name], value, at, out);
    }
    let is = |kind: &str| match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        other => panic!("{at}: {other:?} is no type"),
    };
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !kinds.is_empty() && !kinds.iter().any(|kind| is(kind)) {
        out.push(format!("{at}: expected {kinds:?}, found {value}"));
    }
    if schema["enum"].as_array().is_some_and(|all| !all.contains(value)) {
        out.push(format!("{at}: {value} is none of {}", schema["enum"]));
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let fits = |one: &Value| {
            let mut inner = Vec::new();
            misfits(document, one, value, at, &mut inner);
            inner.is_empty()
        };
        if !any.iter().any(fits) {
            out.push(format!("{at}: {value} fits none of {}", schema["anyOf"]));
        }
    }
    if let Value::Object(map) = value {
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !map.contains_key(name) {
                out.push(format!("{at}: {name} is missing"));
            }
        }
        for (name, inner) in map {
            let of = schema["properties"].get(name).unwrap_or(&schema["additionalProperties"]);
            misfits(document, of, inner, &format!("{at}.{name}"), out);
        }
    }
    for (i, item) in value.as_array().into_iter().flatten().enumerate() {
        misfits(document, &schema["items"], item, &format!("{at}[{i}]"), out);
    }
}

/// What does not fit a shape.
fn against(document: &Value, name: &str, value: &Value) -> Vec<String> {
    let mut out = Vec::new();
    misfits(document, &document["components"]["schemas"][name], value, name, &mut out);
    out
}

/// A path about the entity that is there.
fn about_data(row: &Route, params: &[Param]) -> String {
    let path = row.path.replace("{etype}", "ip").replace("{eid}", "192.0.2.1").replace("{attr}", "ports");
    let path = example(&path.replace("{action}", "make_snapshots"));
    let value = |param: &Param| match param.name {
        "eid" => "192.0.2.1",
        "attr" => "ports",
        "capability" => "state",
        _ => "x",
    };
    let query: Vec<String> = params.iter().map(|p| format!("{}={}", p.name, value(p))).collect();
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}

fn musts(row: &Route) -> Vec<Param> {
    row.operation.params.iter().filter(|p| p.must).copied().collect()
}

#[test]
fn the_document_is_whole() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let (mut ids, mut used) = (HashSet::new(), HashSet::new());
    let count: usize = document["paths"].as_object().unwrap().values().map(|p| p.as_object().unwrap().len()).sum();
    assert_eq!(count, table().len());
    for row in table() {
        let at = format!("{} {}", row.method, row.path);
        let operation = &document["paths"][row.path][row.method.as_str().to_lowercase()];
        assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{at}");
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{at}");
        let parameters = operation["parameters"].as_array().unwrap();
        let places: HashSet<_> = parameters.iter().map(|p| (p["in"].as_str(), p["name"].as_str())).collect();
        assert_eq!(places.len(), parameters.len(), "{at}: a parameter stands twice");
        for part in row.path.split('/').filter(|part| part.starts_with('{')) {
            let name = part.trim_matches(['{', '}']);
            assert!(places.contains(&(Some("path"), Some(name))), "{at}: {name}");
        }
        for parameter in parameters {
            assert!(!parameter["description"].as_str().unwrap().is_empty(), "{at}: {parameter}");
        }
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.contains_key("200"), "{at}");
        assert!(responses.values().all(|r| r["description"].is_string() && r["content"].is_object()), "{at}");
    }
    references(&document, &mut used);
    let names: HashSet<String> = schemas.keys().cloned().collect();
    assert_eq!(used, names, "shapes that are used, and those that there are");
    for (name, schema) in schemas {
        for example in schema["examples"].as_array().into_iter().flatten() {
            assert_eq!(against(&document, name, example), [""; 0], "{name}: {example}");
        }
    }
}

fn references(value: &Value, used: &mut HashSet<String>) {
    match value {
        Value::Object(map) => {
            if let Some(name) = map.get("$ref").and_then(Value::as_str) {
                used.insert(name.strip_prefix("#/components/schemas/").unwrap().to_owned());
            }
            map.values().for_each(|inner| references(inner, used));
        }
        Value::Array(items) => items.iter().for_each(|inner| references(inner, used)),
        _ => {}
    }
}

#[test]
fn the_copy_in_the_documentation_is_the_document() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    if std::env::vars_os().any(|(name, _)| name == "TENTER_UPDATE") {
        std::fs::write(&path, text()).unwrap();
    }
    let copy = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        copy == text(),
        "docs/openapi.json is not what the routes say: look whether the change breaks clients, \
         then run this test with TENTER_UPDATE=1, which writes it"
    );
}

#[test]
fn answers_have_the_shapes_that_the_document_says() {
    let (place, token) = Place::with_data();
    let document = document();
    let mut good = 0;
    for row in table().iter().filter(|row| row.method == "GET") {
        let path = about_data(row, &musts(row));
        let (status, body) = place.answer("GET", &path, Some(&token), "");
        let at = format!("{path}: {status} {body:#}");
        let documented = status == StatusCode::OK || statuses(row).iter().any(|(code, _)| *code == status.as_u16());
        assert!(documented, "{at}");
        let name = match (status.is_success(), row.operation.answer) {
            (true, Content::Json(name) | Content::MaybeJson(name)) => name,
            (true, Content::Media(_) | Content::Fields(..)) => continue,
            (false, _) => match row.shape() {
                Shape::Ours => "Problem",
                Shape::Dp3 => "Refusal",
                Shape::Iris => "IrisRefusal",
            },
        };
        good += u32::from(status.is_success());
        let errors = against(&document, name, &body);
        assert!(errors.is_empty(), "{at}\n{errors:#?}");
    }
    assert!(good > 35, "{good}");
}

#[test]
fn parameters_that_are_documented_are_read() {
    let (place, token) = Place::with_data();
    let mut asked = 0;
    for row in table() {
        for param in &row.operation.params {
            let wrong = match param.form {
                ParamForm::Number(_) | ParamForm::Position => "-",
                ParamForm::Time => "yesterday",
                ParamForm::Json => "%7B",
                ParamForm::Flag | ParamForm::Word(_) => "perhaps",
                // Any text is one.
                ParamForm::Text | ParamForm::Texts => continue,
            };
            let path = about_data(&row, &musts(&row));
            let path = format!("{path}{}{}={wrong}", if path.contains('?') { '&' } else { '?' }, param.name);
            let (status, body) = place.answer(row.method.as_str(), &path, Some(&token), "{}");
            let expected = match (row.shape(), path.contains("none-such")) {
                (Shape::Iris, false) => StatusCode::BAD_REQUEST,
                // What cannot be the number of an object is no address of IRIS's.
                (Shape::Iris, true) if param.name != "cid" => StatusCode::NOT_FOUND,
                (Shape::Iris, true) => StatusCode::BAD_REQUEST,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            assert_eq!(status, expected, "{} {path}: {body:#}", row.method);
            asked += 1;
        }
    }
    assert!(asked > 40, "{asked}");
}

#[test]
fn the_page_is_part_of_the_program_and_needs_no_other_server() {
    let place = Place::new("0.0.0.0:5000");
    for (path, media) in [
        ("/docs", "text/html"),
        ("/docs/page.css", "text/css"),
        ("/docs/page.js", "text/javascript"),
        ("/openapi.json", "application/json"),
    ] {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let (headers, body) = place.runtime.block_on(async {
            let response = place.router.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            let headers = response.headers().clone();
            (headers, to_bytes(response.into_body(), usize::MAX).await.unwrap())
        });
        let header = |name: &str| headers.get(name).unwrap().to_str().unwrap().to_owned();
        assert!(header("content-type").starts_with(media), "{path}");
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';") && !policy.contains("unsafe"), "{policy}");
        let text = String::from_utf8(body.to_vec()).unwrap();
        if path.starts_with("/docs") {
            for outside in ["http://", "https://", "//cdn", "innerHTML", "onclick=", "style=", "eval("] {
                assert!(!text.contains(outside), "{path} has {outside}");
            }
            assert!(!text.contains("<script>"), "{path}");
        }
    }
}
