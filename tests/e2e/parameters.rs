//! Parameters of modules: a module that lacks one is installed and not called; what is set counts at once.

use serde_json::{Value, json};

use crate::harness::{Server, Site, component};

/// The villain has a mandatory text `must`, an integer `level` with the default 7, and a secret `key`.
fn server() -> Server {
    let server = Server::start(&Site::new());
    let path = "/api/v1/modules/villain?grant_requested=true";
    let answer = server.send("PUT", path, &component("tenter-villain"), &[("content-type", "application/wasm")]);
    assert_eq!(answer.expect(200)["state"], "unconfigured");
    server
}

fn change(server: &Server, method: &str, path: &str, body: &Value) -> crate::harness::Answer {
    let path = format!("/api/v1/modules/villain/config{path}");
    server.send(method, &path, body.to_string().as_bytes(), &[("content-type", "application/json")])
}

fn module(server: &Server) -> Value {
    server.read("/api/v1/modules/villain")
}

fn subscribed(server: &Server) -> usize {
    server.read("/api/v1/hooks")["hooks"].as_array().unwrap().len()
}

#[test]
fn a_module_that_is_not_configured_is_installed_and_not_called() {
    let mut server = server();
    let before = module(&server);
    assert_eq!(
        (&before["loaded"], &before["configured"], &before["lacks"]),
        (&json!(false), &json!(false), &json!(["must"]))
    );
    insta::assert_snapshot!(before["problem"].as_str().unwrap(), @"not configured, it lacks must: tenter module config villain --set must=VALUE");
    assert_eq!(subscribed(&server), 0);
    // Nothing is lost by it.
    server.post_datapoints(&json!([{"type": "ip", "id": "10.0.0.1", "attr": "hostname", "v": "panic", "src": "test"}]));
    server.settle();
    assert_eq!(server.errors("villain"), Vec::<Value>::new());
    // It stays so over a restart, and is called from the moment that it is configured.
    server.restart();
    assert_eq!(module(&server)["lacks"], json!(["must"]));
    let after = change(&server, "PATCH", "", &json!({"must": "be", "level": "9"})).expect(200);
    assert_eq!((&after["loaded"], &after["configured"]), (&json!(true), &json!(true)), "{after}");
    assert!(subscribed(&server) > 0);
    server.post_datapoints(&json!([{"type": "ip", "id": "10.0.0.1", "attr": "hostname", "v": "panic", "src": "test"}]));
    server.settle();
    assert!(!server.errors("villain").is_empty());
    // What would take it out of use is refused.
    let refused = change(&server, "PATCH", "", &json!({"must": null}));
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert!(refused.body.contains("would not be configured any more: must must have a value"), "{}", refused.body);
    assert_eq!(module(&server)["configured"], true);
}

#[test]
fn parameters_are_checked_and_change_what_is_subscribed_at_once() {
    let server = server();
    let refused = |method: &str, body: Value, words: &str| {
        let answer = change(&server, method, "", &body);
        assert_eq!(answer.status, 422, "{}", answer.body);
        assert!(answer.body.contains(words), "{}", answer.body);
    };
    refused("PATCH", json!({"mist": "x"}), "has no parameter \\\"mist\\\", did you mean \\\"must\\\"?");
    refused("PATCH", json!({"level": "many"}), "the parameter `level` is a string, expected integer");
    refused(
        "PATCH",
        json!({"key": "in the clear"}),
        "key is a secret, which no configuration holds: tenter secret set villain key",
    );
    refused("PUT", json!({"must": "be", "key": "in the clear"}), "key is a secret");
    refused("PUT", json!({"must": "be", "level": "9"}), "the parameter `level` is a string, expected integer");
    change(&server, "PATCH", "", &json!({"must": "be"})).expect(200);
    let all = subscribed(&server);
    change(&server, "PUT", "", &json!({"must": "be", "subscriptions": "one"})).expect(200);
    assert_eq!((all, subscribed(&server)), (4, 1));
    let shown = server.read("/api/v1/modules/villain/config");
    assert_eq!(shown["config"], json!({"must": "be", "subscriptions": "one"}));
    assert_eq!(shown["schema"]["required"], json!(["must"]));
    assert_eq!(shown["schema"]["properties"]["level"]["default"], 7);
    assert!(shown["schema"]["properties"].get("key").is_none(), "{shown}");
}

/// A configuration as DFIR-IRIS lists it goes out and comes in; a secret in it goes where secrets are.
#[test]
fn a_configuration_in_the_shape_of_iris_goes_out_and_comes_in() {
    let server = server();
    let list = json!([
        {"param_name": "must", "value": "be"},
        {"param_name": "level", "value": "12"},
        {"param_name": "key", "value": "the-canary-of-it"},
        {"param_name": "other", "value": true},
    ]);
    let answer = change(&server, "POST", "/import", &json!({"module_configuration": list})).expect(200);
    assert_eq!((&answer["unknown"], &answer["module"]["configured"]), (&json!(["other"]), &json!(true)), "{answer}");
    let out = change(&server, "GET", "/export", &Value::Null).expect(200);
    let entry = |name: &str, of: &str, mandatory: bool, default: Value, value: Value| {
        json!({
            "param_name": name, "param_human_name": name, "param_description": "", "type": of, "mandatory": mandatory,
            "default": default, "value": value,
        })
    };
    let nothing = || Value::Null;
    assert_eq!(
        out["module_configuration"],
        json!([
            entry("must", "string", true, nothing(), json!("be")),
            entry("level", "int", false, json!(7), json!(12)),
            entry("key", "sensitive_string", false, nothing(), nothing()),
        ])
    );
    let secrets = server.read("/api/v1/modules/villain/secrets")["secrets"].clone();
    assert_eq!(
        (&secrets[0]["name"], &secrets[0]["set"], &secrets[0]["parameter"]),
        (&json!("key"), &json!(true), &json!(true))
    );
    for path in ["/api/v1/modules/villain/config", "/api/v1/audit?limit=1000", "/api/v1/modules/villain/config/export"]
    {
        assert!(!server.get(path).body.contains("canary"), "{path}");
    }
    // The command line, there and back.
    let run = |args: &[&str]| {
        let token = server.token.clone().unwrap();
        let mut command = server.command();
        let done = command.args(["--url", &server.url, "--token", &token, "module", "config", "villain"]).args(args);
        let done = done.output().unwrap();
        assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    };
    let file = server.site().join("../export.json");
    let file = file.to_str().unwrap();
    run(&["--export", file]);
    run(&["--set", "level=3", "--set", "must=more"]);
    assert_eq!(server.read("/api/v1/modules/villain/config")["config"], json!({"must": "more", "level": 3}));
    run(&["--import", file]);
    assert_eq!(server.read("/api/v1/modules/villain/config")["config"], json!({"must": "be", "level": 12}));
    run(&["--set", "level="]);
    assert_eq!(server.read("/api/v1/modules/villain/config")["config"], json!({"must": "be"}));
    assert!(run(&["--schema"]).contains("\"required\""));
}
