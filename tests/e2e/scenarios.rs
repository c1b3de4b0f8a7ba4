//! Scenarios are data: each folder below `tests/scenarios` is one; the README there says how they are written.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::harness::{Answer, Server, Site, assert_reconciled, component};

/// Why `found` is not what a step expects; `None` when it is.
pub(crate) fn difference(expected: &Value, found: &Value, at: &str) -> Option<String> {
    let is = |so: bool| (!so).then(|| format!("{at}: expected {expected}, found {found}"));
    match (expected, found) {
        (Value::String(text), _) if text == "<time>" => {
            is(found.as_str().is_some_and(|t| tenter_model::Timestamp::parse(t).is_some()))
        }
        (Value::String(text), _) if text == "<text>" => is(found.as_str().is_some_and(|t| !t.is_empty())),
        (Value::String(text), _) if text == "<number>" => is(found.is_number()),
        (Value::String(text), Value::String(found)) if text.starts_with('~') => is(found.contains(&text[1..])),
        (Value::Object(keys), Value::Object(members)) => {
            if keys.is_empty() {
                return is(members.is_empty());
            }
            let absent = Value::Null;
            keys.iter()
                .find_map(|(key, value)| difference(value, members.get(key).unwrap_or(&absent), &format!("{at}.{key}")))
        }
        (Value::Array(items), Value::Array(list)) => {
            if items.len() != list.len() {
                return is(false);
            }
            let pairs = items.iter().zip(list).enumerate();
            pairs.into_iter().find_map(|(i, (item, value))| difference(item, value, &format!("{at}[{i}]")))
        }
        _ => is(expected == found),
    }
}

fn text<'a>(step: &'a Value, key: &str) -> &'a str {
    step[key].as_str().unwrap_or_else(|| panic!("{key:?} must be text in {step}"))
}

pub(crate) fn take(server: &mut Server, step: &Value) -> Answer {
    let keys: Vec<&str> = step.as_object().unwrap().keys().map(String::as_str).collect();
    let what = ["post", "ttl", "delete", "upload", "request", "get", "restart"];
    let known = ["_", "status", "body", "json", "tokens"];
    assert!(keys.iter().all(|k| what.contains(k) || known.contains(k)), "unknown key in {step}");
    match keys.iter().find(|k| what.contains(k)).copied() {
        Some("post") => server.post("/datapoints", &step["post"]),
        Some("ttl") => server.post(&format!("/entity/{}/ttl", text(step, "ttl")), &step["tokens"]),
        Some("delete") => server.delete(&format!("/entity/{}", text(step, "delete"))),
        Some("upload") => {
            let (module, package) = (text(&step["upload"], "module"), text(&step["upload"], "package"));
            let path = format!("/api/v1/modules/{module}?grant_requested=true");
            server.send("PUT", &path, &component(package), &[])
        }
        Some("request") => {
            let (method, path) = text(step, "request").split_once(' ').expect("METHOD /path");
            let body = if step["json"].is_null() { String::new() } else { step["json"].to_string() };
            server.send(method, path, body.as_bytes(), &[("content-type", "application/json")])
        }
        Some("get") => server.get(text(step, "get")),
        _ => {
            assert_eq!(step["restart"], true, "a step without a verb: {step}");
            server.restart();
            server.get("/")
        }
    }
}

/// Runs one scenario; an error says where it went another way.
fn run(folder: &Path) -> Result<(), String> {
    let path = folder.join("steps.jsonl");
    let steps = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut server = Server::start(&Site::of_folder(&folder.join("site")));
    let mut taken = 0;
    for (number, line) in (1..).zip(steps.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let place = format!("{}:{number}", path.display());
        let step: Value = serde_json::from_str(line).map_err(|e| format!("{place}: {e}"))?;
        if step.as_object().is_some_and(|keys| keys.keys().all(|k| k == "_")) {
            continue;
        }
        let answer = take(&mut server, &step);
        let status = step["status"].as_u64().unwrap_or(200);
        if u64::from(answer.status) != status {
            return Err(format!("{place}: expected status {status}, found {}: {}", answer.status, answer.body));
        }
        if let Some(expected) = step.get("body")
            && let Some(difference) = difference(expected, &answer.json(), "body")
        {
            return Err(format!("{place}: {difference}\nthe whole body: {:#}", answer.json()));
        }
        assert_reconciled(&server.settle());
        taken += 1;
    }
    server.assert_well();
    if taken == 0 { Err(format!("{}: no steps", path.display())) } else { Ok(()) }
}

#[test]
fn all_go_as_written() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios");
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(&root).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
    folders.sort();
    assert!(folders.len() >= 6, "{folders:?}");
    let failed: Vec<String> = folders.iter().filter_map(|folder| run(folder).err()).collect();
    assert!(failed.is_empty(), "\n{}", failed.join("\n\n"));
}

#[test]
pub(crate) fn differences_are_found() {
    let found = json!({"a": [1, {"b": "two words"}], "t": "2024-01-01T00:00:00Z", "n": null});
    let same = |expected: Value| difference(&expected, &found, "body");
    assert_eq!(same(json!({"a": [1, {"b": "~two"}], "t": "<time>", "c": null})), None);
    assert_eq!(same(json!({"a": [1]})).unwrap(), r#"body.a: expected [1], found [1,{"b":"two words"}]"#);
    assert_eq!(
        same(json!({"a": [1, {"b": "~three"}]})).unwrap(),
        r#"body.a[1].b: expected "~three", found "two words""#
    );
    assert_eq!(same(json!({"a": null})).unwrap(), r#"body.a: expected null, found [1,{"b":"two words"}]"#);
    assert!(same(json!({})).is_some() && same(json!({"n": "<time>"})).is_some() && same(json!([])).is_some());
}
