//! A server that answers as DP³ does: its routes of version 1 and 2 with their documented shapes, and for everything else
//! what its framework says. It holds what a test gives it, and what it is sent changes nothing but its list of requests.
//!
//! Like DP³'s framework it looks at paths after their escapes are undone, so that an id with a slash has no path.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// Such as `GET /entity/ip/get?skip=0`, as it was sent.
    pub(crate) line: String,
    /// Whether it carried a token.
    pub(crate) token: bool,
    /// The body.
    pub(crate) body: String,
}

/// What it knows of one entity type.
#[derive(Debug, Clone, Default)]
pub(crate) struct Type {
    /// As `GET /entities` tells it.
    pub(crate) spec: Value,
    /// The latest snapshots, in the order of ids, with `eid`.
    pub(crate) snapshots: Vec<Value>,
    /// Master records by id.
    pub(crate) masters: Map<String, Value>,
    /// Datapoints, newest first.
    pub(crate) raw: Vec<Value>,
}

/// What it knows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    /// Types by name.
    pub(crate) types: Vec<(String, Type)>,
    /// Answers of routes by path, such as `/telemetry/sources_age`.
    pub(crate) fixed: Vec<(&'static str, Value)>,
}

/// The server, which ends with the test.
pub(crate) struct Dp3 {
    /// Where it is.
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// A status and its body.
type Told = (u16, Value);

impl Dp3 {
    /// Starts one whose routes begin with this prefix, which may be empty.
    pub(crate) fn start(prefix: &'static str, known: Known) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}{prefix}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (known, list) = (Arc::new(known), seen.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (known, list) = (known.clone(), list.clone());
                // A client may go away in the middle.
                std::thread::spawn(move || serve(&stream, prefix, &known, &list).unwrap_or_default());
            }
        });
        Self { url, seen }
    }

    /// Requests since the last time this was asked.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

fn serve(stream: &TcpStream, prefix: &str, known: &Known, list: &Mutex<Vec<Seen>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let (mut length, mut token) = (0, false);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim().to_ascii_lowercase();
        match line.split_once(": ") {
            Some(("content-length", n)) => length = n.parse().unwrap(),
            Some(("authorization", _)) => token = true,
            _ if line.is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body = String::from_utf8(body).unwrap();
    let mut words = first.split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    list.lock().unwrap().push(Seen { line: format!("{method} {target}"), token, body: body.clone() });
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let query: Vec<(String, String)> = pairs.map(|(k, v)| (decoded(k), decoded(v))).collect();
    let (status, told) = match decoded(path).strip_prefix(prefix) {
        Some(path) => answer(known, method, path, &Query(query), &body),
        None => nothing(),
    };
    let text = told.to_string();
    let head = "content-type: application/json\r\nconnection: close";
    (&*stream)
        .write_all(format!("HTTP/1.1 {status} -\r\n{head}\r\ncontent-length: {}\r\n\r\n{text}", text.len()).as_bytes())
}

fn decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(b) = bytes.next() {
        match b {
            b'%' => {
                let pair = [bytes.next().unwrap(), bytes.next().unwrap()];
                out.push(u8::from_str_radix(std::str::from_utf8(&pair).unwrap(), 16).unwrap());
            }
            b'+' => out.push(b' '),
            b => out.push(b),
        }
    }
    String::from_utf8(out).unwrap()
}

struct Query(Vec<(String, String)>);

impl Query {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str())
    }

    /// The part of a list that `skip` and `limit` ask for.
    fn window(&self, list: impl Iterator<Item = Value>, default: usize) -> Vec<Value> {
        let number = |name: &str, default| self.get(name).map_or(default, |v| v.parse().unwrap());
        let limit = number("limit", default);
        list.skip(number("skip", 0)).take(if limit == 0 { usize::MAX } else { limit }).collect()
    }
}

fn nothing() -> Told {
    (404, json!({"detail": "Not Found"}))
}

fn wrong(place: &str, name: &str, message: &str) -> Told {
    (422, json!({"detail": [{"loc": [place, name], "msg": message, "type": "value_error"}]}))
}

fn done() -> Told {
    (200, json!({"detail": "OK"}))
}

fn answer(known: &Known, method: &str, path: &str, query: &Query, body: &str) -> Told {
    // A collector of traces takes what it is sent.
    if (method, path) == ("POST", "/v1/traces") {
        return (200, json!({}));
    }
    if let Some((_, fixed)) = known.fixed.iter().find(|(known, _)| *known == path) {
        return if method == "GET" { (200, fixed.clone()) } else { (405, json!({"detail": "Method Not Allowed"})) };
    }
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match (method, parts.as_slice()) {
        ("GET", [""]) => (200, json!({"detail": "It works!"})),
        ("POST", ["datapoints"]) => done(),
        ("GET", ["entities"]) => {
            (200, known.types.iter().map(|(name, t)| (name.clone(), t.spec.clone())).collect::<Map<_, _>>().into())
        }
        ("GET", ["control", "make_snapshots" | "refresh_on_entity_creation" | "refresh_module_config"]) => {
            (200, json!({"detail": "Action sent."}))
        }
        (_, ["control", _]) => (405, json!({"detail": "Method Not Allowed"})),
        (_, ["entity", etype, rest @ ..]) => match typed(known, etype) {
            Ok(found) => of_type(found, method, rest, query, body),
            Err(unknown) => unknown,
        },
        (_, ["v2", "entity", etype, rest @ ..]) => {
            let (found, eid) = match (typed(known, etype), query.get("eid")) {
                (Err(unknown), _) => return unknown,
                (Ok(found), Some(eid)) => (found, eid),
                (Ok(_), None) => return wrong("query", "eid", "Field required"),
            };
            let attr = query.get("attr").unwrap_or_default();
            match (method, rest) {
                ("GET", ["attr"]) => of_entity(found, eid, method, &["get", attr], query, body),
                ("POST", ["attr"]) => of_entity(found, eid, method, &["set", attr], query, body),
                _ => of_entity(found, eid, method, rest, query, body),
            }
        }
        _ => nothing(),
    }
}

fn typed<'a>(known: &'a Known, etype: &str) -> Result<&'a Type, Told> {
    let found = known.types.iter().find(|(name, _)| name == etype).map(|(_, t)| t);
    found.ok_or_else(|| wrong("path", "etype", &format!("Entity type '{etype}' doesn't exist")))
}

fn of_type(found: &Type, method: &str, rest: &[&str], query: &Query, body: &str) -> Told {
    match (method, rest) {
        ("GET", ["get"]) => match filtered(found, query) {
            Ok(rows) => {
                let page = query.window(rows.into_iter(), 20);
                let time = if page.is_empty() { Value::Null } else { json!("2026-01-01T00:00:00Z") };
                (200, json!({"time_created": time, "count": page.len(), "data": page}))
            }
            Err(told) => told,
        },
        ("GET", ["count"]) => match filtered(found, query) {
            Ok(rows) => (200, json!({"total_count": rows.len()})),
            Err(told) => told,
        },
        ("GET", ["raw", "get"]) => {
            let is = |row: &Value, name: &str, key: &str| query.get(name).is_none_or(|v| row[key] == v);
            let rows = found.raw.iter().filter(|r| is(r, "eid", "id") && is(r, "attr", "attr") && is(r, "src", "src"));
            let page = query.window(rows.cloned(), 20);
            (200, json!({"count": page.len(), "data": page}))
        }
        ("GET", ["_", "distinct", attr]) => {
            let mut counts = Map::new();
            for value in found.snapshots.iter().filter_map(|s| s.get(*attr)) {
                let name = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let n = counts.get(&name).and_then(Value::as_u64).unwrap_or(0);
                counts.insert(name, (n + 1).into());
            }
            (200, counts.into())
        }
        (_, [eid, rest @ ..]) => of_entity(found, eid, method, rest, query, body),
        _ => nothing(),
    }
}

/// Full text and `$exists` are enough here; other queries are refused.
fn filtered(found: &Type, query: &Query) -> Result<Vec<Value>, Told> {
    let object = |name: &str| -> Map<String, Value> { serde_json::from_str(query.get(name).unwrap_or("{}")).unwrap() };
    let mut rows = found.snapshots.clone();
    for (attr, pattern) in object("fulltext_filters") {
        if found.spec["attribs"].get(&attr).is_none() {
            return Err((400, json!({"detail": format!("Attribute '{attr}' in fulltext filter doesn't exist")})));
        }
        rows.retain(|row| row[&attr].as_str().is_some_and(|v| v.contains(pattern.as_str().unwrap())));
    }
    for (path, condition) in object("generic_filter") {
        if condition != json!({"$exists": true}) {
            return Err((400, json!({"detail": format!("unknown operator: {condition}")})));
        }
        rows.retain(|row| row.get(path.trim_start_matches("last.")).is_some());
    }
    if let Some(sort) = query.get("sort") {
        let (attr, descending) = sort.strip_suffix(":-1").map_or((sort, false), |attr| (attr, true));
        rows.sort_by_key(|row| row[attr].to_string());
        if descending {
            rows.reverse();
        }
    }
    Ok(rows)
}

fn of_entity(found: &Type, eid: &str, method: &str, rest: &[&str], query: &Query, body: &str) -> Told {
    let master = found.masters.get(eid).cloned().unwrap_or_else(|| json!({}));
    let mut history = found.snapshots.iter().filter(|s| s["eid"] == eid).map(|s| {
        let mut s = s.clone();
        s["_time_created"] = json!("2026-01-01T00:00:00Z");
        s
    });
    match (method, rest) {
        ("GET", []) => {
            let history: Vec<Value> = history.collect();
            let empty = history.is_empty() && master == json!({});
            (200, json!({"empty": empty, "master_record": master, "snapshots": history}))
        }
        ("DELETE", []) | ("POST", ["ttl"]) => done(),
        ("GET", ["master"]) => (200, master),
        ("GET", ["snapshots"]) => (200, query.window(history, 0).into()),
        ("GET" | "POST", ["get" | "set", attr]) if found.spec["attribs"].get(attr).is_none() => {
            wrong("path", "attr", &format!("Attribute '{attr}' doesn't exist"))
        }
        ("GET", ["get", attr]) => {
            let (t, current) = match &master[*attr] {
                points @ Value::Array(_) => (2, json!({"history": points})),
                plain => (1, json!({"history": [], "current_value": plain["v"]})),
            };
            let current_value = match t {
                1 => current["current_value"].clone(),
                _ => history.next_back().map_or(Value::Null, |s| s[*attr].clone()),
            };
            (200, json!({"attr_type": t, "current_value": current_value, "history": current["history"]}))
        }
        ("POST", ["set", _]) => {
            let given: Value = serde_json::from_str(body).unwrap();
            if given.get("value").is_some() { done() } else { wrong("body", "value", "Field required") }
        }
        _ => (405, json!({"detail": "Method Not Allowed"})),
    }
}
