//! Requests that cannot be right: each is refused as a whole, with words that say where and why.

use serde_json::{Value, json};

use crate::harness::{Server, Site, tenter};

/// A type with an attribute for every oddity.
const THING: &str = "
entity: {id: thing, id_data_type: string, name: Thing, description: Anything., snapshot: false}
attribs:
  json: {name: JSON, description: Anything., type: plain, data_type: json}
";

fn server() -> Server {
    Server::start(&Site::new().entity("thing", THING))
}

/// Nothing of a refused request has entered.
#[track_caller]
fn assert_untouched(server: &Server) {
    let status = server.settle();
    assert_eq!(status["tasks"]["accepted"], 0, "{status}");
    assert_eq!(status["datapoints"]["received"], 0, "{status}");
}

fn pretty(body: &Value) -> String {
    format!("{body:#}")
}

#[test]
fn every_bad_datapoint_is_named() {
    let server = server();
    let answer = server.post(
        "/datapoints",
        &json!([
            {"type": "ip", "id": "192.0.2.1", "attr": "hostname", "v": "good.example"},
            {"type": "ip", "id": "192.0.2.256", "attr": "hostname", "v": "a"},
            {"type": "ip", "id": "192.0.2.1", "attr": "hostnam", "v": "a"},
            {"type": "ipp", "id": "192.0.2.1", "attr": "hostname", "v": "a"},
            {"type": "ip", "id": "192.0.2.1", "attr": "open_ports", "v": "many", "t1": "2024-01-01T00:00:00Z"},
            {"type": "ip", "id": "192.0.2.1", "attr": "open_ports", "v": 22,
             "t1": "2024-01-02T00:00:00Z", "t2": "2024-01-01T00:00:00Z"},
            {"type": "ip", "id": "192.0.2.1", "attr": "open_ports", "v": 22},
            {"id": "192.0.2.1", "attr": "hostname", "v": "a"},
            "no object",
        ]),
    );
    insta::assert_snapshot!(pretty(&answer.expect(422)), @r#"
    {
      "detail": [
        {
          "loc": [
            "body",
            1,
            "id"
          ],
          "msg": "expected an IPv4 address, found \"192.0.2.256\"",
          "type": "value_error"
        },
        {
          "loc": [
            "body",
            2,
            "attr"
          ],
          "msg": "Attribute 'hostnam' not found in entity 'ip', did you mean \"hostname\"?",
          "type": "value_error"
        },
        {
          "loc": [
            "body",
            3,
            "type"
          ],
          "msg": "Entity type 'ipp' doesn't exist, did you mean \"ip\"?",
          "type": "value_error"
        },
        {
          "loc": [
            "body",
            4,
            "v"
          ],
          "msg": "expected an integer, found \"many\"",
          "type": "value_error"
        },
        {
          "loc": [
            "body",
            5,
            "t2"
          ],
          "msg": "'t2' is before 't1' (2024-01-01T00:00:00Z < 2024-01-02T00:00:00Z)",
          "type": "value_error"
        },
        {
          "loc": [
            "body",
            6,
            "t1"
          ],
          "msg": "Field required",
          "type": "missing"
        },
        {
          "loc": [
            "body",
            7,
            "type"
          ],
          "msg": "Field required",
          "type": "missing"
        },
        {
          "loc": [
            "body",
            8
          ],
          "msg": "expected a datapoint (an object), found \"no object\"",
          "type": "value_error"
        }
      ]
    }
    "#);
    assert_untouched(&server);
}

#[test]
fn what_is_no_list_of_datapoints_is_refused() {
    let server = server();
    let deep = format!("[{{\"type\":\"ip\",\"id\":\"192.0.2.1\",\"attr\":\"hostname\",\"v\":{}}}]", "[".repeat(5000));
    let mut said = String::new();
    for (what, body) in [
        ("empty", ""),
        ("malformed", "[{\"type\": \"ip\","),
        ("not text", "\u{0}"),
        ("object", "{\"type\": \"ip\"}"),
        ("number", "5"),
        ("deep", deep.as_str()),
    ] {
        let answer = server.send("POST", "/datapoints", body.as_bytes(), &[("content-type", "application/json")]);
        said.push_str(&format!("{what}: {} {}\n", answer.status, answer.body));
    }
    insta::assert_snapshot!(said, @r#"
    empty: 422 {"detail":[{"loc":["body"],"msg":"EOF while parsing a value at line 1 column 0","type":"json_invalid"}]}
    malformed: 422 {"detail":[{"loc":["body"],"msg":"EOF while parsing a value at line 1 column 15","type":"json_invalid"}]}
    not text: 422 {"detail":[{"loc":["body"],"msg":"expected value at line 1 column 1","type":"json_invalid"}]}
    object: 422 {"detail":[{"loc":["body"],"msg":"expected a list of datapoints, found {\"type\":\"ip\"}","type":"value_error"}]}
    number: 422 {"detail":[{"loc":["body"],"msg":"expected a list of datapoints, found 5","type":"value_error"}]}
    deep: 422 {"detail":[{"loc":["body"],"msg":"JSON is nested more than 32 levels deep","type":"value_error"}]}
    "#);
    // Not UTF-8.
    let answer = server.send("POST", "/datapoints", b"[\"\xff\"]", &[("content-type", "application/json")]);
    assert_eq!(answer.status, 422, "{}", answer.body);
    assert_untouched(&server);
    assert_eq!(server.post("/datapoints", &json!([])).expect(200), json!({"detail": "OK"}));
    assert_untouched(&server);
}

#[test]
fn a_body_that_is_too_large_is_refused() {
    let server = server();
    let body = vec![b' '; (8 << 20) + 1];
    let answer = server.send("POST", "/datapoints", &body, &[("content-type", "application/json")]);
    assert_eq!(answer.status, 413, "{}", answer.body);
    insta::assert_snapshot!(answer.body, @r#"{"detail":"the body is too large: at most 8 MiB are read, decompressed, of an uploaded component 64 MiB; send it in parts"}"#);
    // Whitespace is valid JSON around a list: at the limit it is read.
    let mut body = vec![b' '; (8 << 20) - 2];
    body.extend(b"[]");
    let answer = server.send("POST", "/datapoints", &body, &[("content-type", "application/json")]);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_untouched(&server);
}

#[test]
fn nested_json_is_taken_up_to_a_depth() {
    let server = server();
    let nested = |depth: usize| {
        let v = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        format!(r#"[{{"type": "thing", "id": "n", "attr": "json", "v": {v}}}]"#)
    };
    let post = |body: String| server.send("POST", "/datapoints", body.as_bytes(), &[]);
    // The list and the datapoint are two of 32 levels.
    let refused = post(nested(31));
    assert_eq!(refused.status, 422, "{}", refused.body);
    insta::assert_snapshot!(refused.body, @r#"{"detail":[{"loc":["body"],"msg":"JSON is nested more than 32 levels deep","type":"value_error"}]}"#);
    assert_untouched(&server);
    assert_eq!(post(nested(30)).status, 200);
    server.settle();
    let stored = server.master("thing", "n")["json"]["v"].to_string();
    assert_eq!(stored, format!("{}{}", "[".repeat(30), "]".repeat(30)));
}

#[test]
fn a_key_that_stands_twice_is_refused_where_the_operator_says_so() {
    let server = Server::start(&Site::new().entity("thing", THING).tenter("duplicate_keys: refuse\n"));
    let mut said = String::new();
    for body in [
        r#"[{"type": "thing", "id": "d", "id": "e", "attr": "json", "v": 1}]"#,
        r#"[{"type": "thing", "id": "d", "attr": "json", "v": {"k": 1, "k": 2}}]"#,
    ] {
        let answer = server.send("POST", "/datapoints", body.as_bytes(), &[]);
        said.push_str(&format!("{} {}\n", answer.status, answer.body));
    }
    insta::assert_snapshot!(said, @r#"
    422 {"detail":[{"loc":["body"],"msg":"duplicate field `id` at line 1 column 34","type":"json_invalid"}]}
    422 {"detail":[{"loc":["body"],"msg":"duplicate key \"k\" at line 1 column 67","type":"json_invalid"}]}
    "#);
    assert_untouched(&server);
}

#[test]
fn control_characters_do_not_enter_ids() {
    let server = server();
    let mut said = String::new();
    for id in ["a\u{0}b", "\u{1b}[31mred", "a\nb", "", "\u{7f}", &"x".repeat(100_000)] {
        let answer = server.post("/datapoints", &json!([{"type": "thing", "id": id, "attr": "json", "v": 1}]));
        let shown: String = id.chars().take(20).collect();
        said.push_str(&format!("{shown:?}: {} {}\n", answer.status, answer.body));
    }
    insta::assert_snapshot!(said, @r#"
    "a\0b": 422 {"detail":[{"loc":["body",0,"id"],"msg":"entity id \"a\\0b\" is not valid: expected 1 to 512 bytes without control characters","type":"value_error"}]}
    "\u{1b}[31mred": 422 {"detail":[{"loc":["body",0,"id"],"msg":"entity id \"\\u{1b}[31mred\" is not valid: expected 1 to 512 bytes without control characters","type":"value_error"}]}
    "a\nb": 422 {"detail":[{"loc":["body",0,"id"],"msg":"entity id \"a\\nb\" is not valid: expected 1 to 512 bytes without control characters","type":"value_error"}]}
    "": 422 {"detail":[{"loc":["body",0,"id"],"msg":"entity id \"\" is not valid: expected 1 to 512 bytes without control characters","type":"value_error"}]}
    "\u{7f}": 422 {"detail":[{"loc":["body",0,"id"],"msg":"entity id \"\\u{7f}\" is not valid: expected 1 to 512 bytes without control characters","type":"value_error"}]}
    "xxxxxxxxxxxxxxxxxxxx": 422 {"detail":[{"loc":["body",0,"id"],"msg":"entity id \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\" is not valid: expected 1 to 512 bytes without control characters","type":"value_error"}]}
    "#);
    assert_untouched(&server);
    let answer = server.get("/entity/thing/a%00b/master");
    assert_eq!(answer.status, 422, "{}", answer.body);
    let answer = server.get("/entity/thing/%ff/master");
    assert!((400..500).contains(&answer.status), "{} {}", answer.status, answer.body);
}

#[test]
fn what_does_not_exist_is_said_so() {
    let server = server();
    assert_eq!(
        server.post("/entity/ip/192.0.2.1/ttl", &json!({"a": "never"})).expect(422)["detail"][0]["loc"],
        json!(["body", "a"])
    );
    let mut said = String::new();
    for (method, path) in [
        ("GET", "/entity/ipp/192.0.2.1/master"),
        ("GET", "/entity/ip/192.0.2.1/get/hostnam"),
        ("GET", "/entity/ip/192.0.2.256/master"),
        ("GET", "/entity/ip/192.0.2.1/master?date_from=yesterday"),
        ("GET", "/entity/ip/raw/get?limit=-1"),
        ("DELETE", "/entity/ipp/1"),
        ("GET", "/api/v1/nothing"),
        ("GET", "/nothing"),
        ("GET", "/api/v1/modules/none"),
        ("POST", "/api/v1/modules/none/enable"),
        ("DELETE", "/api/v1/modules/none"),
        ("GET", "/api/v1/modules/No%20Name"),
        ("PUT", "/datapoints"),
        ("PATCH", "/api/v1/status"),
        ("GET", "/api/v1/errors?limit=many"),
    ] {
        let answer = server.send(method, path, b"", &[]);
        said.push_str(&format!("{method} {path}: {} {} {}\n", answer.status, answer.content_type, answer.body));
    }
    insta::assert_snapshot!(said, @r#"
    GET /entity/ipp/192.0.2.1/master: 422 application/json {"detail":[{"loc":["path","etype"],"msg":"Entity type 'ipp' doesn't exist","type":"value_error"}]}
    GET /entity/ip/192.0.2.1/get/hostnam: 422 application/json {"detail":[{"loc":["path","attr"],"msg":"Attribute 'hostnam' doesn't exist","type":"value_error"}]}
    GET /entity/ip/192.0.2.256/master: 422 application/json {"detail":[{"loc":["path","eid"],"msg":"expected an IPv4 address, found \"192.0.2.256\"","type":"value_error"}]}
    GET /entity/ip/192.0.2.1/master?date_from=yesterday: 422 application/json {"detail":[{"input":"yesterday","loc":["query","date_from"],"msg":"\"yesterday\" is not a time such as 2020-01-01T00:00:00Z","type":"datetime_from_date_parsing"}]}
    GET /entity/ip/raw/get?limit=-1: 422 application/json {"detail":[{"ctx":{"ge":0},"input":"-1","loc":["query","limit"],"msg":"Input should be greater than or equal to 0","type":"greater_than_equal"}]}
    DELETE /entity/ipp/1: 422 application/json {"detail":[{"loc":["path","etype"],"msg":"Entity type 'ipp' doesn't exist","type":"value_error"}]}
    GET /api/v1/nothing: 404 application/problem+json {"code":"not-found","detail":"there is nothing at /api/v1/nothing; docs/http.md lists the routes","status":404,"title":"Not Found","type":"about:blank"}
    GET /nothing: 404 application/problem+json {"code":"not-found","detail":"there is nothing at /nothing; docs/http.md lists the routes","status":404,"title":"Not Found","type":"about:blank"}
    GET /api/v1/modules/none: 404 application/problem+json {"code":"not-found","detail":"there is no module none; tenter module list shows what is there","status":404,"title":"Not Found","type":"about:blank"}
    POST /api/v1/modules/none/enable: 404 application/problem+json {"code":"not-found","detail":"there is no module none; tenter module list shows what is there","status":404,"title":"Not Found","type":"about:blank"}
    DELETE /api/v1/modules/none: 404 application/problem+json {"code":"not-found","detail":"there is no module none; tenter module list shows what is there","status":404,"title":"Not Found","type":"about:blank"}
    GET /api/v1/modules/No%20Name: 422 application/problem+json {"code":"invalid-input","detail":"module name \"No Name\" is not valid: expected a lower-case letter, then lower-case letters, digits, _ or -, at most 63 characters","errors":[{"loc":["path","module"],"msg":"module name \"No Name\" is not valid: expected a lower-case letter, then lower-case letters, digits, _ or -, at most 63 characters","type":"value_error"}],"status":422,"title":"Unprocessable Entity","type":"about:blank"}
    PUT /datapoints: 405 application/json {"detail":"this path does not have this method; the header Allow names its own"}
    PATCH /api/v1/status: 405 application/problem+json {"code":"wrong-method","detail":"this path does not have this method; the header Allow names its own","status":405,"title":"Method Not Allowed","type":"about:blank"}
    GET /api/v1/errors?limit=many: 422 application/problem+json {"code":"invalid-input","detail":"Failed to deserialize query string: limit: invalid digit found in string","status":422,"title":"Unprocessable Entity","type":"about:blank"}
    "#);
}

#[test]
fn the_command_line_names_the_line_of_a_bad_datapoint() {
    let server = server();
    let home = tempfile::tempdir().unwrap();
    let good = r#"{"type": "ip", "id": "192.0.2.1", "attr": "hostname", "v": "a"}"#;
    let bad = r#"{"type": "ip", "id": "192.0.2.1", "attr": "open_ports", "v": "ssh", "t1": "2024-01-01T00:00:00Z"}"#;
    std::fs::write(home.path().join("points.ndjson"), format!("{good}\n\n{bad}\n{good}\n")).unwrap();
    let output =
        tenter(home.path()).args(["--url", &server.url, "datapoint", "send", "points.ndjson"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(6), "{said}");
    assert!(said.contains("points.ndjson:3") && said.contains("expected an integer, found"), "{said}");
}
