//! Requests that begin as valid ones.

use std::io::Write as _;
use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderName, HeaderValue, Method, Request, Uri};
use serde_json::{Value, json};

use tenter_model::case::ObjectKind;
use tenter_model::case::field::Shape as Field;

use super::random::Random;
use crate::api::routes::table;
use crate::api::shape::Shape;

/// Entity types with the sort of their ids.
pub(super) const TYPES: [(&str, &str); 5] =
    [("thing", "string"), ("number", "int"), ("ip", "ipv4"), ("ip6", "ipv6"), ("device", "mac")];
const ATTRIBUTES: [&str; 8] = ["hostname", "json", "count", "tags", "friend", "place", "ports", "traffic"];

/// Texts that have broken something somewhere.
const ODD: &[&str] = &[
    "",
    " ",
    "0",
    "-1",
    "1e999",
    "99999999999999999999",
    "NaN",
    "null",
    "true",
    "[]",
    "{}",
    "\u{0}",
    "\u{1b}[31m",
    "a\nb",
    "%",
    "%zz",
    "../../etc/passwd",
    "..",
    "/",
    "//",
    "a\u{301}\u{202e}",
    "\u{10ffff}",
    "'; DROP TABLE task; --",
    "*",
    "none-such",
    "{eid}",
    "2024-13-45T99:99:99Z",
    "$where",
];
const TIMES: &[&str] = &[
    "2024-01-01T00:00:00Z",
    "2024-01-01T00:00:00",
    "2024-01-01",
    "1970-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
    "2024-01-01T00:00:00+23:59",
    "2024-02-30T00:00:00Z",
    "1700000000",
    "-1",
    "1e300",
    "now",
];
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "20",
    "1000",
    "-1",
    "4294967296",
    "9223372036854775807",
    "18446744073709551616",
    "0x10",
    "1.5",
    "+1",
];
const OPERATORS: &[&str] = &[
    "$eq",
    "$ne",
    "$gt",
    "$gte",
    "$lt",
    "$lte",
    "$in",
    "$nin",
    "$and",
    "$or",
    "$nor",
    "$not",
    "$exists",
    "$type",
    "$regex",
    "$options",
    "$size",
    "$all",
    "$elemMatch",
    "$mod",
    "$where",
    "$text",
];
/// Patterns that take exponential time elsewhere, or much memory.
const PATTERNS: &[&str] =
    &["a", "^x", "(a+)+$", "(a|a)*b", "(x{1000}){1000}", "[", "(?i)A", "\\p{L}*", "(.*)(.*)(.*)(.*)(.*)(.*)c"];
const QUERY: &[&str] = &[
    "eid",
    "attr",
    "src",
    "skip",
    "limit",
    "date_from",
    "date_to",
    "module",
    "before",
    "after",
    "sort",
    "unit",
    "generic_filter",
    "fulltext_filters",
    "etype",
    "hook",
    "full",
    "capability",
    "scope",
    "has_attr",
    "cid",
    "q",
];
const HEADERS: &[&str] = &[
    "host",
    "origin",
    "content-type",
    "content-length",
    "accept",
    "accept-encoding",
    "idempotency-key",
    "range",
    "if-none-match",
    "cookie",
    "x-forwarded-for",
    "sec-fetch-site",
    "access-control-request-method",
    "authorization",
    "transfer-encoding",
    "upgrade",
    "te",
    "expect",
];

/// Makes requests for all routes in turn.
pub(super) struct Maker {
    random: Random,
    tokens: [Option<String>; 3],
    routes: Vec<(Method, &'static str)>,
}

impl Maker {
    /// With tokens to choose from.
    pub(super) fn new(random: Random, tokens: [Option<String>; 3]) -> Self {
        Self { random, tokens, routes: table().into_iter().map(|row| (row.method, row.path)).collect() }
    }

    /// The next request, and what it is, for people.
    pub(super) fn request(&mut self, n: usize) -> (Request<Body>, String) {
        let (sent, path) = self.routes[n % self.routes.len()].clone();
        // What takes long by its nature is asked seldom, datapoints often.
        let seldom = path == "/api/v1/backup" && !self.random.in_hundred(10);
        let (sent, path) =
            if seldom || self.random.in_hundred(15) { (Method::POST, "/datapoints") } else { (sent, path) };
        let others = [Method::GET, Method::HEAD, Method::OPTIONS, Method::PATCH, Method::TRACE, Method::DELETE];
        let method = if self.random.in_hundred(95) { sent.clone() } else { self.random.of(&others) };
        let mut target = self.path(path);
        target.push_str(&self.query());
        // What is no address at all never reaches the router.
        let uri = target.parse::<Uri>().unwrap_or_else(|_| {
            target = path.replace(['{', '}'], "");
            target.parse().unwrap()
        });
        let mut body = if matches!(sent, Method::POST | Method::PUT) { self.body(path) } else { Vec::new() };
        if self.random.in_hundred(10) {
            self.damage(&mut body);
        }
        let mut request = Request::builder().method(method.clone()).uri(uri);
        let headers = request.headers_mut().unwrap();
        headers.insert("host", HeaderValue::from_static("localhost"));
        let which = self.random.below(8).min(2);
        if let Some(token) = self.tokens[which].clone() {
            headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        if self.random.in_hundred(80) {
            headers.insert("content-type", HeaderValue::from_static("application/json"));
        }
        if self.random.in_hundred(15) {
            let coding = self.random.of(&["gzip", "deflate", "zstd", "br", "identity", "gzip, gzip", ""]);
            headers.insert("content-encoding", HeaderValue::from_static(coding));
            if self.random.in_hundred(80) {
                body = packed(coding, &body);
            }
        }
        if self.random.in_hundred(30) {
            let (name, value) = self.header();
            headers.append(name, value);
        }
        let told: Vec<_> = headers.iter().filter(|(name, _)| *name != "authorization").collect();
        let shown = format!("{method} {target} {told:?} {}", String::from_utf8_lossy(&body[..body.len().min(600)]));
        let sender = ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 4000)));
        (request.extension(sender).body(Body::from(body)).unwrap(), shown)
    }

    fn path(&mut self, path: &str) -> String {
        let (etype, sort) = self.random.of(&TYPES);
        let mut parts: Vec<String> = path
            .split('/')
            .map(|part| match part {
                "{etype}" => etype.to_owned(),
                "{eid}" => self.eid(sort),
                "{attr}" => self.random.of(&ATTRIBUTES).to_owned(),
                "{seq}" | "{id}" => self.random.of(NUMBERS).to_owned(),
                // Mostly what a new store has one of.
                "{object_id}" | "{row_id}" if self.random.in_hundred(70) => "1".to_owned(),
                "{object_id}" | "{row_id}" => self.random.of(NUMBERS).to_owned(),
                "{action}" => {
                    let actions = ["make_snapshots", "refresh_module_config", "refresh_on_entity_creation", "frob"];
                    self.random.of(&actions).to_owned()
                }
                part if part.starts_with('{') => self.random.of(&["label", "none-such", "ABC", "0", "a_b"]).to_owned(),
                part => part.to_owned(),
            })
            .collect();
        if self.random.in_hundred(12) && parts.len() > 1 {
            let at = 1 + self.random.below(parts.len() - 1);
            parts[at] = escaped(&self.text());
        }
        if self.random.in_hundred(3) {
            parts.push(self.random.of(&["", "get", "%00", "%2e%2e"]).to_owned());
        }
        parts.join("/")
    }

    fn eid(&mut self, sort: &str) -> String {
        let n = self.random.below(50);
        escaped(&match sort {
            "int" => n.to_string(),
            "ipv4" => format!("192.0.2.{n}"),
            "ipv6" => format!("2001:db8::{n:x}"),
            "mac" => format!("00:00:5e:00:53:{n:02x}"),
            _ => format!("thing-{n}"),
        })
    }

    fn query(&mut self) -> String {
        let mut query = String::new();
        for _ in 0..self.random.below(4) {
            let key = self.random.of(QUERY);
            let value = match key {
                "eid" => {
                    let sort = self.random.of(&TYPES).1;
                    self.eid(sort)
                }
                "attr" | "has_attr" => self.random.of(&ATTRIBUTES).to_owned(),
                "etype" => self.random.of(&TYPES).0.to_owned(),
                "skip" | "limit" | "before" | "after" | "cid" => self.random.of(NUMBERS).to_owned(),
                "date_from" | "date_to" => escaped(self.random.of(TIMES)),
                "sort" => self.random.of(&["newest", "oldest", "hostname", "-hostname", "eid"]).to_owned(),
                "unit" => self.random.of(&["minutes", "seconds", "hours"]).to_owned(),
                "generic_filter" => escaped(&self.filter(0).to_string()),
                "fulltext_filters" => {
                    let (attr, pattern) = (self.random.of(&ATTRIBUTES), self.random.of(PATTERNS));
                    escaped(&json!({attr: pattern}).to_string())
                }
                _ => self.random.of(&["true", "false", "label", "state"]).to_owned(),
            };
            let value = if self.random.in_hundred(12) { escaped(&self.text()) } else { value };
            query.push(if query.is_empty() { '?' } else { '&' });
            query.push_str(&format!("{key}={value}"));
        }
        query
    }

    /// A query over snapshots, mostly one that exists.
    fn filter(&mut self, depth: usize) -> Value {
        let attr = self.random.of(&ATTRIBUTES);
        match self.random.below(10) {
            0..4 if depth < 8 => {
                let list = (0..1 + self.random.below(3)).map(|_| self.filter(depth + 1)).collect::<Vec<_>>();
                json!({self.random.of(&["$and", "$or", "$nor"]): list})
            }
            4 => json!({attr: {"$regex": self.random.of(PATTERNS)}}),
            5 => json!({attr: self.json(2)}),
            6 => json!({"eid": self.json(1)}),
            7 => json!({attr: {"$not": {self.random.of(OPERATORS): self.json(2)}}}),
            _ => json!({attr: {self.random.of(OPERATORS): self.json(2)}}),
        }
    }

    fn body(&mut self, path: &str) -> Vec<u8> {
        let value = match path {
            "/datapoints" => (0..self.random.below(6)).map(|_| self.datapoint()).collect(),
            "/entity/{etype}/{eid}/ttl" => json!({self.text(): self.random.of(TIMES), "b": "2030-01-01T00:00:00Z"}),
            "/api/v1/tokens" => json!({
                "role": self.random.of(&["viewer", "operator", "king"]), "label": self.text(),
                "scopes": ["read:thing"], "expires": self.random.of(&["90d", "0", "-1d", "inf"]),
            }),
            "/api/v1/snapshots" => {
                json!({"full": self.random.in_hundred(50), "wait": true, "time": self.random.of(TIMES)})
            }
            path if Shape::of(path) == Shape::Iris => self.object(),
            _ => json!({
                "version": self.text(), "capability": self.random.of(&["state", "http", "x"]), "scope": self.text(),
                "hook": self.random.of(&["on-new-attribute", "frob"]),
            }),
        };
        let value = if self.random.in_hundred(10) { self.json(0) } else { value };
        value.to_string().into_bytes()
    }

    /// The body of some object of a case; whether it is one of the path's kind is chance.
    fn object(&mut self) -> Value {
        let kind = self.random.of(&ObjectKind::ALL);
        let mut body = json!({"cid": 1});
        for field in kind.info().fields {
            if self.random.in_hundred(25) {
                continue;
            }
            body[field.name] = match field.shape {
                _ if self.random.in_hundred(10) => self.json(0),
                Field::LookUp { .. } | Field::Object { .. } | Field::Count => json!(1),
                Field::Links(_) | Field::People => json!([1, "2"]),
                Field::Truth => json!(true),
                Field::LocalTime => json!("2024-05-01T12:00:00.000000"),
                Field::Zone => json!("+01:00"),
                Field::Custom | Field::Json => json!({"tab": {"field": self.text()}}),
                _ => json!(self.text()),
            };
        }
        body
    }

    fn datapoint(&mut self) -> Value {
        let (etype, sort) = self.random.of(&TYPES);
        let attr = self.random.of(&ATTRIBUTES);
        let number = self.random.below(1000);
        let value = match attr {
            "count" | "ports" => json!(number),
            "tags" => json!(["a", number.to_string()]),
            "friend" => json!({"eid": format!("thing-{number}")}),
            "place" => json!({"lat": 1.5, "lon": number}),
            "traffic" => json!({"time": ["2024-01-01T00:00:00Z"], "bytes": [number], "rate": [0.5]}),
            "json" => self.json(0),
            _ => json!(format!("host-{number}")),
        };
        let eid = if sort == "int" { json!(number) } else { json!(self.eid(sort).replace("%3A", ":")) };
        let mut point = json!({"type": etype, "id": eid, "attr": attr, "v": value, "src": "fuzz"});
        if attr == "ports" || attr == "traffic" {
            point["t1"] = json!("2024-01-01T00:00:00Z");
            point["t2"] = json!("2024-01-01T01:00:00Z");
        }
        if self.random.in_hundred(8) {
            let key = self.random.of(&["type", "id", "attr", "v", "src", "t1", "t2", "c", "more"]);
            match self.random.below(3) {
                0 => drop(point.as_object_mut().unwrap().remove(key)),
                1 => point[key] = json!(self.random.of(TIMES)),
                _ => point[key] = self.json(0),
            }
        }
        point
    }

    fn json(&mut self, depth: usize) -> Value {
        match self.random.below(if depth > 4 { 6 } else { 9 }) {
            0 => Value::Null,
            1 => json!(self.random.in_hundred(50)),
            2 => json!(self.random.next().cast_signed()),
            3 => json!(self.random.of(&[0.0, -0.0, 1e308, 5e-324, 1.5])),
            4 => json!(self.text()),
            5 => json!(self.random.of(TIMES)),
            6 => (0..self.random.below(4)).map(|_| self.json(depth + 1)).collect(),
            7 => {
                let levels = self.random.below(60);
                (0..levels).fold(json!(1), |deep, _| json!([deep]))
            }
            _ => (0..self.random.below(4))
                .map(|_| {
                    let operator = self.random.in_hundred(30);
                    let key = if operator { self.random.of(OPERATORS).to_owned() } else { self.text() };
                    (key, self.json(depth + 1))
                })
                .collect(),
        }
    }

    fn text(&mut self) -> String {
        match self.random.below(20) {
            0 => "x".repeat(self.random.below(3000)),
            1 => String::from_utf8_lossy(&self.random.bytes(12)).into_owned(),
            2..5 => self.random.of(TIMES).to_owned(),
            _ => self.random.of(ODD).to_owned(),
        }
    }

    fn header(&mut self) -> (HeaderName, HeaderValue) {
        let name = self.random.of(HEADERS);
        let value = match self.random.below(6) {
            0 => HeaderValue::from_bytes(&[0xff, 0x80, b'a']).unwrap(),
            1 => HeaderValue::from_str(&"y".repeat(self.random.below(600))).unwrap(),
            2 => HeaderValue::from_static("https://evil.example"),
            3 => HeaderValue::from_static("gzip"),
            4 => HeaderValue::from_static("localhost"),
            _ => HeaderValue::from_static("application/xml"),
        };
        (HeaderName::from_static(name), value)
    }

    /// Changes some bytes.
    fn damage(&mut self, body: &mut Vec<u8>) {
        for _ in 0..1 + self.random.below(3) {
            let at = self.random.below(body.len() + 1);
            match self.random.below(5) {
                0 => body.truncate(at),
                1 => {
                    let noise = self.random.bytes(4);
                    body.splice(at..at, noise);
                }
                2 if at < body.len() => body[at] ^= 1 << self.random.below(8),
                3 => body.extend_from_within(at..),
                _ => {
                    let deep = b"[".repeat(self.random.below(200));
                    body.splice(at..at, deep);
                }
            }
        }
    }
}

fn packed(coding: &str, body: &[u8]) -> Vec<u8> {
    let level = flate2::Compression::fast();
    match coding {
        "gzip" => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
            encoder.write_all(body).unwrap();
            encoder.finish().unwrap()
        }
        "deflate" => {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level);
            encoder.write_all(body).unwrap();
            encoder.finish().unwrap()
        }
        _ => body.to_vec(),
    }
}

/// A part of an address, all but the plainest characters as escapes. Some escapes are broken on purpose.
fn escaped(text: &str) -> String {
    if text == "%" || text == "%zz" {
        return text.to_owned();
    }
    let one = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}
