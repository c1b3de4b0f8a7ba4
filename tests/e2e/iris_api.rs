//! IRIS's HTTP API, behaviour by behaviour: the rows of each file in `iris_api/`, asked one after the other of one server.
//!
//! A row is `{does, ask: "METHOD /path", json, text, as, status, message, data, keep}`. `data` is a pattern of what must be
//! there: an object may have more members than those named; `<int>`, `<text>`, `<bool>`, `<time>`, `<date>`, `<uuid>`, `<list>`
//! and `<object>` are any of a sort, `~text` is a text with that in it, `["each", pattern]` is a list all of whose items
//! match and that has some, `["some", pattern]` one with such an item. `keep` gives parts of `data` names, by which later rows
//! refer to them: `{name}` in an address or as a text of a body.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::harness::{Client, Server, Site};

/// What rows have kept.
type Kept = BTreeMap<String, Value>;

#[test]
fn every_behaviour_of_iris_is_so() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/e2e/iris_api");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let (mut asked, mut failed) = (0, Vec::new());
    for file in files {
        let (of_file, wrong) = all_of(&file);
        asked += of_file;
        failed.extend(wrong);
    }
    println!("{asked} rows");
    assert!(failed.is_empty(), "{} of {asked} failed:\n{}", failed.len(), failed.join("\n\n"));
}

/// Asks the rows of a file; gives how many there are, and what is wrong with those that are not true.
fn all_of(path: &Path) -> (usize, Vec<String>) {
    let rows = std::fs::read_to_string(path).unwrap();
    let name = path.file_name().unwrap().display();
    let mut server = Server::start(&Site::new());
    let (mut asked, mut failed, mut kept) = (0, Vec::new(), Kept::new());
    let mut clients: BTreeMap<String, Client> = BTreeMap::new();
    for (number, line) in (1..).zip(rows.lines()) {
        let row: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{name}:{number}: {e}"));
        let known = ["does", "ask", "json", "text", "as", "key", "status", "message", "data", "keep"];
        let unknown = row.as_object().unwrap().keys().find(|key| !known.contains(&key.as_str()));
        assert_eq!(unknown, None, "{row}");
        let role = row["as"].as_str().unwrap_or("analyst").to_owned();
        let client = clients.entry(role.clone()).or_insert_with(|| client(&server, &role));
        failed.extend(wrong(client, &row, &mut kept).map(|why| format!("{name}:{number}: {}: {why}", row["does"])));
        asked += 1;
    }
    server.assert_well();
    (asked, failed)
}

/// Who asks: without a token, with a token that was never made, with one of a role, or with one of a role for nobody.
fn client(server: &Server, role: &str) -> Client {
    match role {
        "nobody" => server.anonymous(),
        "stranger" => Client::new(&server.url, Some("tenter_0000".to_owned())),
        "operator" => Client::new(&server.url, server.token.clone()),
        _ => {
            let (role, user) = role.split_once(' ').unwrap_or((role, "administrator"));
            let user = if user == "-" { Value::Null } else { json!(user) };
            let made = server.post("/api/v1/tokens", &json!({"role": role, "user": user})).expect(200);
            Client::new(&server.url, made["token"].as_str().map(str::to_owned))
        }
    }
}

/// Why a row is not true; `None` when it is.
fn wrong(client: &Client, row: &Value, kept: &mut Kept) -> Option<String> {
    let ask = filled(row["ask"].as_str().unwrap(), kept);
    let (method, path) = ask.split_once(' ').unwrap();
    let body = match (&row["json"], row["text"].as_str()) {
        (_, Some(text)) => text.to_owned(),
        (Value::Null, None) if method == "POST" => "{}".to_owned(),
        (Value::Null, None) => String::new(),
        (json, None) => named(json, kept).to_string(),
    };
    // The official client says of each request that it is JSON, of those without a body too.
    let mut headers = vec![("content-type", "application/json")];
    let key = row["key"].as_str().map(|_| client.token.clone().unwrap());
    let client = if let Some(key) = &key {
        headers.push(("x-iris-auth", key));
        &client.anonymous()
    } else {
        client
    };
    let answer = client.send(method, path, body.as_bytes(), &headers);
    let status = row["status"].as_u64().unwrap_or(200);
    if u64::from(answer.status) != status {
        return Some(format!("expected status {status}, found {}: {}", answer.status, answer.body));
    }
    if method == "HEAD" {
        return None;
    }
    let found = answer.json();
    let members: Vec<&String> = found.as_object().unwrap().keys().collect();
    if members != ["data", "message", "status"] {
        return Some(format!("this is no envelope: {found}"));
    }
    let word = if status == 200 { "success" } else { "error" };
    let checks = [("status", &json!(word)), ("message", &row["message"]), ("data", &row["data"])];
    for (name, expected) in checks {
        if !expected.is_null()
            && let Some(misfit) = misfit(&named(expected, kept), &found[name], name)
        {
            return Some(format!("{misfit}\nthe whole answer: {found}"));
        }
    }
    for (name, pointer) in row["keep"].as_object().into_iter().flatten() {
        kept.insert(name.clone(), found["data"].pointer(pointer.as_str().unwrap()).expect("what is kept").clone());
    }
    None
}

/// A text with what was kept in place of `{name}`.
fn filled(text: &str, kept: &Kept) -> String {
    kept.iter().fold(text.to_owned(), |text, (name, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.replace(&format!("{{{name}}}"), &value)
    })
}

/// JSON with what was kept in place of texts such as `{name}`.
fn named(json: &Value, kept: &Kept) -> Value {
    match json {
        Value::String(text) => {
            let name = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
            name.and_then(|name| kept.get(name)).cloned().unwrap_or_else(|| json!(filled(text, kept)))
        }
        Value::Array(items) => items.iter().map(|item| named(item, kept)).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), named(value, kept))).collect(),
        other => other.clone(),
    }
}

/// What does not fit a pattern.
fn misfit(expected: &Value, found: &Value, at: &str) -> Option<String> {
    let no = || Some(format!("{at}: expected {expected}, found {found}"));
    match (expected, found) {
        (Value::String(sort), _) if sort.starts_with('<') && sort.ends_with('>') => {
            let text = found.as_str().unwrap_or_default();
            let good = match sort.as_str() {
                "<int>" => found.is_i64(),
                "<text>" => found.is_string(),
                "<bool>" => found.is_boolean(),
                "<list>" => found.is_array(),
                "<object>" => found.is_object(),
                "<uuid>" => text.len() == 36 && text.matches('-').count() == 4,
                "<date>" => text.len() == 10 && text.matches(['-', '/']).count() == 2,
                "<time>" => text.len() >= 19 && text.as_bytes()[10] == b'T' && !text.ends_with('Z'),
                other => panic!("{other} is no sort"),
            };
            if good { None } else { no() }
        }
        (Value::String(part), Value::String(text)) if part.starts_with('~') => {
            if text.contains(&part[1..]) {
                None
            } else {
                no()
            }
        }
        (Value::Object(members), Value::Object(there)) => members.iter().find_map(|(name, pattern)| {
            let place = format!("{at}.{name}");
            there.get(name).map_or_else(|| Some(format!("{place} is missing")), |found| misfit(pattern, found, &place))
        }),
        (Value::Array(pattern), Value::Array(items)) => match pattern.as_slice() {
            [Value::String(word), one] if word == "each" => {
                let each = items.iter().enumerate();
                let first = each.into_iter().find_map(|(i, item)| misfit(one, item, &format!("{at}[{i}]")));
                if items.is_empty() { no() } else { first }
            }
            [Value::String(word), one] if word == "some" => {
                if items.iter().any(|item| misfit(one, item, at).is_none()) { None } else { no() }
            }
            all if all.len() == items.len() => {
                let each = all.iter().zip(items).enumerate();
                each.into_iter().find_map(|(i, (one, item))| misfit(one, item, &format!("{at}[{i}]")))
            }
            _ => no(),
        },
        _ => {
            if expected == found {
                None
            } else {
                no()
            }
        }
    }
}

#[test]
fn what_does_not_fit_is_found() {
    let found = json!({"id": 7, "name": "two words", "rows": [{"a": 1}, {"a": 2}], "at": "2024-05-01T12:00:00"});
    let fits = |expected: Value| misfit(&expected, &found, "data");
    assert_eq!(fits(json!({"id": "<int>", "name": "~words", "at": "<time>", "rows": ["each", {"a": "<int>"}]})), None);
    assert_eq!(fits(json!({"rows": ["some", {"a": 2}]})), None);
    for wrong in [
        json!({"id": "<text>"}),
        json!({"name": "~three"}),
        json!({"more": 1}),
        json!({"rows": ["some", {"a": 3}]}),
        json!({"rows": ["each", {"a": 1}]}),
        json!({"rows": []}),
        json!([]),
    ] {
        assert!(fits(wrong.clone()).is_some(), "{wrong}");
    }
}
