//! DP³'s HTTP API, behaviour by behaviour: the rows of `dp3_api/rows.jsonl`, asked as its README says.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::harness::{Client, Server, Site};
use crate::scenarios::{difference, take};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/e2e/dp3_api")
}

fn read(name: &str) -> String {
    let path = folder().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// One way to ask what a row says.
struct Ask {
    method: String,
    target: String,
    /// Whether `eid` and `attr` stand in the query.
    in_query: [bool; 2],
}

/// The request of a route: what its path has no room for goes into the query.
fn ask(route: &str, row: &Value, slash: &str) -> Ask {
    let (method, path) = route.split_once(' ').expect("METHOD /path");
    let (mut path, mut query) = (path.to_owned(), row["query"].as_str().unwrap_or_default().to_owned());
    let mut in_query = [false; 2];
    for name in ["etype", "action", "eid", "attr"] {
        let Some(text) = row[name].as_str() else { continue };
        let text = escaped(text);
        if path.contains(&format!("{{{name}}}")) {
            path = path.replace(&format!("{{{name}}}"), &text);
        } else {
            query = format!("{query}{}{name}={text}", if query.is_empty() { "" } else { "&" });
            in_query[usize::from(name == "attr")] = true;
        }
    }
    assert!(!path.contains('{'), "{row} lacks a part of {path}");
    let slash = if path.ends_with('/') { "" } else { slash };
    Ask { method: method.to_owned(), target: format!("{path}{slash}?{query}"), in_query }
}

fn escaped(text: &str) -> String {
    let keep = |b: u8| b.is_ascii_alphanumeric() || b"-._~:".contains(&b);
    text.bytes().map(|b| if keep(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// The answer as it is told where `eid` and `attr` stand in the query.
fn moved(answer: &Value, in_query: [bool; 2]) -> Value {
    let mut answer = answer.clone();
    for item in answer.get_mut("detail").and_then(Value::as_array_mut).into_iter().flatten() {
        for (name, moved) in ["eid", "attr"].into_iter().zip(in_query) {
            if moved && item["loc"] == json!(["path", name]) {
                item["loc"] = json!(["query", name]);
            }
        }
    }
    answer
}

/// Why a row is not true; `None` when it is.
fn wrong(client: &Client, row: &Value, ask: &Ask) -> Option<String> {
    let body = match (&row["json"], row["text"].as_str()) {
        (_, Some(text)) => text.to_owned(),
        (Value::Null, None) => String::new(),
        (json, None) => json.to_string(),
    };
    let kind = if row["text"].is_null() { "application/json" } else { "text/plain" };
    let headers: &[_] = if body.is_empty() { &[] } else { &[("content-type", kind)] };
    let answer = client.send(&ask.method, &ask.target, body.as_bytes(), headers);
    let status = row["status"].as_u64().unwrap_or(200);
    let place = format!("{} {} ({})", ask.method, ask.target, row["does"]);
    if u64::from(answer.status) != status {
        return Some(format!("{place}: expected status {status}, found {}: {}", answer.status, answer.body));
    }
    if answer.content_type != "application/json" {
        return Some(format!("{place}: the media type is {:?}", answer.content_type));
    }
    let found = answer.json();
    if let Some(difference) = difference(&moved(&row["answer"], ask.in_query), &found, "answer") {
        return Some(format!("{place}: {difference}\nthe whole answer: {}", answer.body));
    }
    let keys = row["keys"].as_array()?.iter().map(|key| key.as_str().unwrap());
    // As they stand in the text, since a tree of JSON has no order.
    let mut places = Vec::new();
    for key in keys {
        places.push(answer.body.find(&format!("{}:", Value::from(key))));
    }
    let in_order = places.is_sorted() && places.iter().all(Option::is_some);
    let as_many = found.as_object().is_some_and(|found| found.len() == places.len());
    (!in_order || !as_many).then(|| format!("{place}: expected the keys {}: {}", row["keys"], answer.body))
}

#[test]
fn every_documented_behaviour_is_so() {
    let routes: Map<String, Value> = serde_json::from_str(&read("routes.json")).unwrap();
    let mut server = Server::start(&Site::of_folder(&folder().join("site")));
    let anonymous = server.anonymous();
    let (mut asked, mut failed) = (0, Vec::new());
    for line in read("rows.jsonl").lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        if let Some(step) = row.get("step") {
            let answer = take(&mut server, step);
            assert_eq!(answer.status, 200, "{step}: {}", answer.body);
            server.settle();
            continue;
        }
        let known =
            ["route", "does", "etype", "eid", "attr", "action", "query", "json", "text", "status", "answer", "keys"];
        let unknown = row.as_object().unwrap().keys().find(|key| !known.contains(&key.as_str()));
        assert_eq!(unknown, None, "{row}");
        let route = row["route"].as_str().unwrap();
        let twin = routes.get(route).unwrap_or_else(|| panic!("{route} is not in routes.json")).as_str();
        for route in [Some(route), twin].into_iter().flatten() {
            for slash in ["", "/"] {
                failed.extend(wrong(&anonymous, &row, &ask(route, &row, slash)));
                asked += 1;
                if !route.starts_with("GET /entity") && !route.starts_with("GET /v2") {
                    server.settle();
                }
            }
        }
    }
    server.assert_well();
    println!("{asked} requests");
    assert!(failed.is_empty(), "{} of {asked} failed:\n{}", failed.len(), failed.join("\n\n"));
}

#[test]
fn the_second_version_needs_what_the_path_has_no_room_for() {
    let server = Server::start(&Site::of_folder(&folder().join("site")));
    let anonymous = server.anonymous();
    let missing =
        |name: &str| json!({"loc": ["query", name], "msg": "Field required", "type": "missing", "input": null});
    for (method, path) in [("GET", ""), ("DELETE", ""), ("GET", "/master"), ("GET", "/snapshots"), ("POST", "/ttl")] {
        for slash in ["", "/"] {
            let answer = anonymous.send(method, &format!("/v2/entity/all{path}{slash}"), b"", &[]);
            assert_eq!(answer.expect(422), json!({"detail": [missing("eid")]}), "{method} {path}");
        }
    }
    for method in ["GET", "POST"] {
        let ask = |query: &str| anonymous.send(method, &format!("/v2/entity/all/attr?{query}"), b"", &[]).expect(422);
        assert_eq!(ask(""), json!({"detail": [missing("eid"), missing("attr")]}));
        assert_eq!(ask("eid=a"), json!({"detail": [missing("attr")]}));
        assert_eq!(ask("attr=p_int"), json!({"detail": [missing("eid")]}));
    }
}

#[test]
fn routes_that_look_like_ids_come_first_and_nothing_is_redirected() {
    let server = Server::start(&Site::of_folder(&folder().join("site")));
    let anonymous = server.anonymous();
    for path in ["/entity/all/get", "/entity/all/get/", "/v2/entity/all/get/"] {
        assert_eq!(anonymous.read(path)["data"], json!([]), "{path}");
    }
    assert_eq!(anonymous.read("/entity/all/count/")["total_count"], 0);
    assert_eq!(anonymous.read("/entity/all/raw/get/")["count"], 0);
    let head = anonymous.send("HEAD", "/entity/all/get", b"", &[]);
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[test]
fn datapoints_are_logged_where_the_configuration_says() {
    let logs = "datapoint_logger: {good_log: good.log, bad_log: bad.log}\n";
    let server = Server::start(&Site::new().file("api.yml", logs));
    let point = json!({"type": "ip", "id": "192.0.2.1", "attr": "hostname", "v": "a\nb", "src": "test"});
    server.post_datapoints(&json!([point, point]));
    assert_eq!(server.post("/datapoints", &json!([{"type": "ip"}])).status, 422);
    let read = |name: &str| std::fs::read_to_string(server.site().join(name)).unwrap();
    let (good, bad) = (read("good.log"), read("bad.log"));
    assert_eq!((good.lines().count(), bad.lines().count()), (2, 1), "{good}{bad}");
    let (head, line) = good.lines().next().unwrap().split_once(" | ").unwrap();
    assert!(head.ends_with("Z (127.0.0.1)"), "{head}");
    // What was accepted can be sent again.
    let again: Value = serde_json::from_str(line).unwrap();
    assert_eq!((&again["v"], &again["src"]), (&point["v"], &point["src"]));
    server.post_datapoints(&json!([again]));
    let refused: Value = serde_json::from_str(bad.trim_end().split_once(" | ").unwrap().1).unwrap();
    assert_eq!(refused["errors"][0]["loc"], json!(["body", 0, "id"]));
    assert_eq!(refused["body"], r#"[{"type":"ip"}]"#);
}
