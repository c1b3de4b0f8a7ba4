//! What operators do and see: keys of requests, dead letters, the books, the audit log, backups, tokens.

use serde_json::{Value, json};

use crate::harness::{Client, Server, Site, assert_reconciled, component, example};

fn point(number: u8) -> Value {
    json!([{"type": "ip", "id": format!("192.0.2.{number}"), "attr": "hostname", "v": "a"}])
}

/// stdout, stderr and exit code of a command of this server's operator.
#[test]
fn a_request_with_a_key_is_done_once() {
    let mut server = Server::start(&Site::new());
    let send = |server: &Server, key: &str, number: u8| {
        server.send("POST", "/datapoints", point(number).to_string().as_bytes(), &[("idempotency-key", key)])
    };
    for _ in 0..3 {
        assert_eq!(send(&server, "a", 1).expect(200), json!({"detail": "OK"}));
    }
    assert_eq!(server.settle()["datapoints"]["received"], 1);
    server.crash_and_restart();
    assert_eq!(send(&server, "a", 1).status, 200);
    let reused = send(&server, "a", 2);
    assert_eq!(reused.status, 409, "{}", reused.body);
    insta::assert_snapshot!(reused.json()["detail"].as_str().unwrap(), @r#"key "a" was used before for a request with another body; repeat that request unchanged, or use a new key"#);
    assert_eq!(send(&server, "b", 2).status, 200);
    // A key is its sender's: nobody can use up a key of somebody else.
    let key = [("idempotency-key", "a")];
    let other = server.anonymous().send("POST", "/datapoints", point(3).to_string().as_bytes(), &key);
    assert_eq!(other.status, 200, "{}", other.body);
    assert_eq!(send(&server, &"x".repeat(256), 4).status, 422);
    assert_eq!(send(&server, "", 4).status, 422);
    let status = server.settle();
    assert_eq!((&status["datapoints"]["received"], &status["entities"]["ip"]), (&json!(3), &json!(3)), "{status}");
}

#[test]
fn a_dead_letter_is_shown_tried_again_and_dropped() {
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start(&Site::new().module("villain", &json!({"must": "be"})));
    server.install("villain", &component("tenter-villain"));
    server.post("/api/v1/hooks/villain/create/deregister", &json!({})).expect(200);
    server.post_datapoints(&json!([{"type": "ip", "id": "10.2.0.1", "attr": "hostname", "v": "echo"}]));
    server.settle();
    let letters = server.deadletters();
    assert_eq!(letters.len(), 1, "{letters:#?}");
    let number = letters[0]["seq"].to_string();
    let (shown, _, code) = server.cli_at(home.path(), &["deadletter", "show", &number]);
    assert!(code == 0 && shown.contains("its hook feeds itself") && shown.contains("\"datapoints\""), "{shown}");

    // Without the module at fault the task has its effects.
    server.post("/api/v1/modules/villain/disable", &json!({})).expect(200);
    let before = server.raw("ip", "attr=hostname").len();
    let (said, err, code) = server.cli_at(home.path(), &["deadletter", "retry", &number]);
    assert_eq!((said, code), (format!("{number} is in its queue again\n"), 0), "{err}");
    let status = server.settle();
    assert_reconciled(&status);
    assert_eq!(
        (&status["tasks"]["dead"], server.raw("ip", "attr=hostname").len()),
        (&json!(0), before + 1),
        "{status}"
    );
    assert_eq!(server.cli_at(home.path(), &["deadletter", "retry", &number]).2, 3, "gone");

    server.post("/api/v1/modules/villain/enable", &json!({})).expect(200);
    server.post_datapoints(&json!([{"type": "ip", "id": "10.2.0.2", "attr": "hostname", "v": "echo"}]));
    server.settle();
    let number = server.deadletters()[0]["seq"].to_string();
    assert_eq!(server.cli_at(home.path(), &["deadletter", "drop", &number]).2, 0);
    assert_eq!(server.deadletters(), Vec::<Value>::new());
    let status = server.read("/api/v1/status");
    assert_eq!(status["tasks"]["dead"], 1, "it was accepted and had no effect: {status}");
    let (books, err, code) = server.cli_at(home.path(), &["status", "--reconcile"]);
    assert_eq!(code, 0, "{books}{err}");
    assert!(books.lines().count() == 2 && books.contains("1 dead + 0 pending"), "{books}");
    server.assert_well();
}

#[test]
fn changes_are_in_the_audit_log_with_who_made_them() {
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start(&Site::new());
    let made =
        server.post("/api/v1/tokens", &json!({"role": "operator", "label": "ann", "expires": "90d"})).expect(200);
    let ann = Client::new(&server.url, Some(made["token"].as_str().unwrap().to_owned()));
    ann.install("label", &example("label"));
    ann.post("/api/v1/modules/label/grants", &json!({"capability": "state"})).expect(200);
    ann.post("/api/v1/modules/label/disable", &json!({})).expect(200);
    server.restart();
    let rows = server.read("/api/v1/audit?limit=1000")["audit"].clone();
    let who = format!("operator {} ann", made["digest"].as_str().unwrap());
    let acts: Vec<&str> = rows
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| r["actor"] == who.as_str())
        .map(|r| r["action"].as_str().unwrap())
        .collect();
    assert_eq!(acts, ["module.install", "grant.add", "module.enable"], "{rows:#}");
    assert!(!rows.to_string().contains(made["token"].as_str().unwrap()), "no token is in it");
    let (said, err, code) = server.cli_at(home.path(), &["audit", "verify"]);
    assert!(code == 0 && said.contains("rows, head "), "{said}{err}");
    let (listed, ..) = server.cli_at(home.path(), &["audit", "list", "-o", "ndjson"]);
    assert_eq!(listed.lines().count(), rows.as_array().unwrap().len());
    // Revoked, a token is nobody's; the last use of one is known.
    let digest = made["digest"].as_str().unwrap();
    assert_eq!(server.cli_at(home.path(), &["token", "revoke", digest]).2, 0);
    let refused = Client::new(&server.url, ann.token.clone()).get("/api/v1/status");
    assert_eq!(refused.status, 401, "{}", refused.body);
}

#[test]
fn a_backup_of_a_running_server_can_be_gone_back_to() {
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start(&Site::new());
    server.install("label", &example("label"));
    server.post_datapoints(&point(1));
    server.settle();
    let (file, err, code) = server.cli_at(home.path(), &["backup", "create"]);
    assert_eq!(code, 0, "{err}");
    let file = file.trim();
    server.post_datapoints(&point(2));
    let (said, err, code) = server.cli_at(home.path(), &["backup", "verify", file]);
    assert_eq!(code, 0, "{said}{err}");
    let (said, err, code) = server.cli_at(home.path(), &["backup", "restore", file, "restored"]);
    assert_eq!(code, 0, "{said}{err}");
    // What is there is not written over.
    assert_eq!(server.cli_at(home.path(), &["backup", "restore", file, "restored"]).2, 5);
    let torn = home.path().join("torn.db");
    let bytes = std::fs::read(file).unwrap();
    std::fs::write(&torn, &bytes[..bytes.len() / 2]).unwrap();
    let (said, _, code) = server.cli_at(home.path(), &["backup", "verify", torn.to_str().unwrap()]);
    assert_ne!(code, 0, "{said}");
    let (made, err, code) = server.cli_at(home.path(), &["backup", "create", "--data", "restored", "-o", "json"]);
    assert_eq!(code, 0, "{made}{err}");
    server.assert_well();
}

#[test]
fn the_last_token_of_an_operator_stays() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&Site::new());
    let (listed, _, code) = server.cli_at(home.path(), &["token", "list", "-o", "ndjson"]);
    assert_eq!(code, 0);
    let first: Value = serde_json::from_str(listed.lines().next().unwrap()).unwrap();
    assert_eq!((&first["role"], &first["label"]), (&json!("operator"), &json!("made at first start")));
    let digest = first["digest"].as_str().unwrap();
    let (_, said, code) = server.cli_at(home.path(), &["token", "revoke", digest]);
    assert!(code == 5 && said.contains("the last token of an operator"), "{code} {said}");
}

#[test]
fn a_token_stands_for_a_user_of_cases() {
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start(&Site::new());
    let create = ["token", "create", "--role", "analyst", "--user"];
    let (token, said, code) = server.cli_at(home.path(), &[&create[..], &["administrator"]].concat());
    assert_eq!(code, 0, "{said}");
    let pings = |server: &Server, token: &str| {
        let client = Client::new(&server.url, Some(token.trim().to_owned()));
        assert_eq!(client.read("/api/ping")["message"], "pong");
    };
    pings(&server, &token);
    let (listed, ..) = server.cli_at(home.path(), &["token", "list", "-o", "ndjson"]);
    assert!(listed.lines().any(|line| line.contains(r#""user":"administrator""#)), "{listed}");
    let (_, said, code) = server.cli_at(home.path(), &[&create[..], &["nobody"]].concat());
    assert!(code == 6 && said.contains(r#"no user has the login "nobody""#), "{code} {said}");

    // Without a server, straight into its store.
    server.stop();
    let offline = |user: &str| {
        let args = [&create[..], &[user, "--data", "data"]].concat();
        let output = server.command().args(args).output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (token, said) = offline("Administrator");
    assert!(said.contains("shown once"), "{said}");
    let (none, said) = offline("nobody");
    assert!(none.is_empty() && said.contains(r#"no user of case management has the login "nobody""#), "{said}");
    server.start_again();
    pings(&server, &token);
}

#[test]
fn a_token_for_one_type_sends_and_reads_that_type_alone() {
    let home = tempfile::tempdir().unwrap();
    let domain = "entity: {id: domain, id_data_type: string, name: Domain, description: A name., snapshot: true}\n\
                  attribs: {x: {name: X, description: An x., type: plain, data_type: int}}\n";
    let server = Server::start(&Site::new().entity("domain", domain));
    let (token, said, code) = server.cli_at(home.path(), &["token", "create", "--scope", "ingest:ip,read:ip"]);
    assert_eq!(code, 0, "{said}");
    let sensor = Client::new(&server.url, Some(token.trim().to_owned()));
    sensor.post_datapoints(&point(1));
    server.settle();
    assert_eq!(sensor.get("/entity/ip/192.0.2.1/master").status, 200);
    let both = json!([point(2)[0], {"type": "domain", "id": "a", "attr": "x", "v": 1}]);
    assert_eq!(sensor.post("/datapoints", &both).status, 403, "all or none");
    for path in ["/entity/domain/a/master", "/api/v1/entities/domain", "/api/v1/status", "/entities"] {
        let refused = sensor.get(path);
        assert_eq!(refused.status, 403, "{path}: {}", refused.body);
    }
    let refused = sensor.get("/api/v1/entities/domain").json();
    assert_eq!(refused["code"], "out-of-scope");
    insta::assert_snapshot!(refused["detail"].as_str().unwrap(), @"this needs the scope read:domain and the token has ingest:ip, read:ip; an operator makes one that has it: tenter token create --scope read:domain");
    assert_eq!(server.read("/api/v1/status")["datapoints"]["received"], 1);

    // A restricted operator makes tokens within the restriction alone.
    let made = server.post("/api/v1/tokens", &json!({"scopes": ["tokens", "ingest"]})).expect(200);
    assert_eq!(made["role"], "operator");
    let clerk = Client::new(&server.url, Some(made["token"].as_str().unwrap().to_owned()));
    assert_eq!(clerk.post("/api/v1/tokens", &json!({"scopes": ["ingest:ip"]})).expect(200)["role"], "ingester");
    for wish in [json!({"role": "operator"}), json!({"role": "viewer"}), json!({"scopes": ["modules"]})] {
        assert_eq!(clerk.post("/api/v1/tokens", &wish).status, 403, "{wish}");
    }
    let (_, said, code) = server.cli_at(home.path(), &["token", "create", "--role", "viewer", "--scope", "operate"]);
    assert!(code == 6 && said.contains("they could never be used"), "{code} {said}");
    assert_eq!(server.cli_at(home.path(), &["token", "create"]).2, 2);
    let (listed, ..) = server.cli_at(home.path(), &["token", "list"]);
    assert!(listed.contains("ingest:ip, read:ip"), "{listed}");
}

#[test]
fn a_disk_that_is_nearly_full_takes_nothing_in() {
    let mut server = Server::start(&Site::new());
    server.post_datapoints(&point(1));
    server.settle();
    server.restart_with(&Site::new().tenter("min_free_mib: 1000000000000\n"));
    // The first commit looks at the disk; from then on nothing new enters and reading goes on.
    let mut refused = server.post("/datapoints", &point(2));
    if refused.status == 200 {
        refused = server.post("/datapoints", &point(3));
    }
    assert_eq!(refused.status, 503, "{}", refused.body);
    insta::assert_snapshot!(refused.json()["detail"].as_str().unwrap(), @"no room to write: the disk has less than 1048576000000000000 bytes left; free disk space or raise the quota, writing goes on by itself then; nothing of this request was accepted, send it again then");
    assert_eq!(server.get("/entity/ip/192.0.2.1/master").status, 200);
    assert_eq!(server.get("/entity/ip/192.0.2.3/master").expect(200), json!({}));
    server.restart_with(&Site::new().tenter("min_free_mib: 0\n"));
    server.post_datapoints(&point(3));
    server.settle();
    server.assert_well();
}

#[test]
fn failures_are_counted_by_their_reasons() {
    let mut server = Server::start(&Site::new().module("villain", &json!({"must": "be"})));
    server.install("villain", &component("tenter-villain"));
    server.post("/api/v1/hooks/villain/create/deregister", &json!({})).expect(200);
    for number in 1..=2 {
        let act = json!([{"type": "ip", "id": format!("10.3.0.{number}"), "attr": "hostname", "v": "panic"}]);
        server.post_datapoints(&act);
    }
    server.settle();
    let metrics = server.get("/metrics").body;
    let line = "tenter_invocation_failures_total{module=\"villain\",hook=\"on-new-attribute\",reason=\"trap\"} 2\n";
    assert!(metrics.contains(line), "{metrics}");
    let calls = server.read("/api/v1/status")["hook_calls"].clone();
    assert!(calls.as_array().unwrap().iter().any(|c| c["reasons"] == json!({"trap": 2})), "{calls}");
    server.assert_well();
}
