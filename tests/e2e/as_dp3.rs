//! Data commands against a server of DP³ and against ours: one command line, one answer.
//!
//! DP³ is played by a small server with its documented routes and shapes; the data of both are the same. What only our
//! server has is refused by name, and no token goes to a server for which none was given.

mod known;
mod long;
mod shown;

use serde_json::{Value, json};

use crate::harness::{Dp3, Server, Site, tenter};

use known::{known, points};

const PAGE: &str = "
entity: {id: page, id_data_type: string, name: Page, snapshot: true}
attribs:
  title: {name: Title, type: plain, data_type: string}
";

/// stdout, stderr and exit code.
fn run(url: &str, token: Option<&str>, args: &[&str]) -> (String, String, i32) {
    let home = tempfile::tempdir().unwrap();
    let mut command = tenter(home.path());
    command.args(["--url", url]).args(args);
    if let Some(token) = token {
        command.env("TENTER_TOKEN", token);
    }
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

/// All three in one text.
fn transcript(url: &str, args: &[&str]) -> String {
    let (stdout, stderr, code) = run(url, None, args);
    format!("{stdout}--- stderr\n{stderr}--- exit {code}\n").replace(url, "[url]")
}

/// Questions that both answer alike.
const QUESTIONS: &[&[&str]] = &[
    &["entity", "list"],
    &["entity", "list", "ip"],
    &["entity", "list", "ip", "-o", "json"],
    &["entity", "list", "ip", "-f", "hostname=www", "-o", "ndjson"],
    &["entity", "list", "ip", "-a", "note", "-o", "ndjson"],
    &["entity", "list", "ip", "--sort", "hostname:-1", "-s", "1", "-l", "1", "-o", "json"],
    &["entity", "list", "ip", "-f", "hostname=nothing", "-o", "json"],
    &["entity", "count", "ip"],
    &["entity", "count", "ip", "-a", "open_ports", "-o", "json"],
    &["entity", "attr-values", "ip", "note"],
    &["entity", "attr-values", "ip", "hostname", "-o", "ndjson"],
    &["entity", "attr-values", "ip", "hostname", "-o", "json"],
    &["entity", "get", "ip", "192.0.2.1", "hostname"],
    &["entity", "attr", "get", "ip", "192.0.2.1", "open_ports", "-o", "json"],
    &["entity", "get", "ip", "192.0.2.2", "-o", "json"],
    &["entity", "get", "page", "index/de", "-o", "json"],
    &["entity", "get", "page", "index/de", "title"],
    &["entity", "master", "ip", "192.0.2.1", "-o", "ndjson"],
    &["entity", "master", "page", "index/de", "-o", "json"],
    &["entity", "raw", "ip", "--eid", "192.0.2.1", "-a", "hostname", "-o", "json"],
    &["entity", "raw", "ip", "-r", "scan", "-l", "1", "-o", "ndjson"],
    &["entity", "snapshots", "ip", "192.0.2.2", "-o", "ndjson"],
    &["entity", "snapshots", "page", "index/de", "-o", "json"],
    &["telemetry", "sources-validity", "-o", "json"],
    &["telemetry", "entities-per-attr"],
    &["telemetry", "entities-per-attr", "-o", "ndjson"],
];

/// Mistakes that both refuse alike.
const MISTAKES: &[&[&str]] = &[
    &["entity", "list", "nothing"],
    &["entity", "count", "nothing"],
    &["entity", "list", "ip", "-f", "nothing=x"],
    &["entity", "get", "ip", "192.0.2.1", "nothing"],
    &["entity", "master", "ip", "192.0.2.99"],
    &["entity", "get", "ip", "192.0.2.99"],
];

/// Questions about what differs from server to server, and changes.
const DONE: &[&[&str]] = &[
    &["telemetry", "source-age", "-u", "minutes"],
    &["telemetry", "attribute-sizes"],
    &["telemetry", "attribute-sizes", "-o", "ndjson"],
    &["telemetry", "snapshot-summary"],
    &["telemetry", "metadata", "-m", "SnapShooter", "-S", "oldest"],
    &["telemetry", "queues"],
    &["entity", "attr", "set", "ip", "192.0.2.2", "note", "another"],
    &["entity", "attr", "set", "page", "index/de", "title", "\"Beginn\""],
    &["entity", "ttl", "ip", "192.0.2.2", "base=2040-01-01"],
    &["entity", "ttl", "page", "index/de", "-b", "{\"base\": \"2040-01-01T00:00:00Z\"}"],
    &["entity", "delete", "page", "index/de"],
    &["control", "make-snapshots"],
    &["control", "refresh-on-entity-creation", "ip"],
    &["datapoint", "send", "/dev/null"],
];

/// Times are replaced, which no two servers have in common.
fn timeless(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_inclusive(['"', ' ', '\n']) {
        let bare = word.trim_end_matches(['"', ' ', '\n']);
        let is_time = bare.len() >= 20 && bare.ends_with('Z') && bare.as_bytes()[10] == b'T';
        out.push_str(if is_time { "[time]" } else { bare });
        out.push_str(&word[bare.len()..]);
    }
    out
}

#[test]
fn both_servers_are_asked_alike() {
    let allowed = "allowed_actions: [make_snapshots, refresh_on_entity_creation]\n";
    let mut server = Server::start(&Site::new().entity("page", PAGE).file("control.yml", allowed));
    server.post_datapoints(&points().into());
    server.settle();
    assert_eq!(server.post("/api/v1/snapshots", &json!({"wait": true})).status, 200);
    let dp3 = Dp3::start("", known());
    for args in QUESTIONS {
        let (ours, theirs) = (run(&server.url, None, args), run(&dp3.url, None, args));
        assert_eq!((ours.2, theirs.2), (0, 0), "{args:?}\n{}{}", ours.1, theirs.1);
        assert_eq!(timeless(&ours.0), timeless(&theirs.0), "{args:?}");
    }
    for args in MISTAKES {
        let (ours, theirs) = (run(&server.url, None, args), run(&dp3.url, None, args));
        assert_eq!((&ours.0, ours.2), (&theirs.0, theirs.2), "{args:?}");
        assert!(ours.2 > 2, "{args:?}: {ours:?}");
        // Ours may say more precisely where it is.
        let said = theirs.1.trim_start_matches("error: ");
        assert!(ours.1.contains(said), "{args:?}: {}\n{}", ours.1, theirs.1);
    }
    for args in DONE {
        let (ours, theirs) = (run(&server.url, None, args), run(&dp3.url, None, args));
        assert_eq!((ours.2, theirs.2), (0, 0), "{args:?}\n{}{}", ours.1, theirs.1);
        assert!(!ours.0.is_empty() && !theirs.0.is_empty(), "{args:?}");
    }
    assert!(dp3.seen().iter().all(|seen| !seen.token));
    server.settle();
    assert_eq!(server.master("ip", "192.0.2.2")["note"]["v"], "another");
    assert_eq!(server.read("/v2/entity/page/master?eid=index%2Fde"), json!({}));
    server.assert_well();
}

#[test]
fn requests_to_dp3_are_those_that_it_has() {
    let dp3 = Dp3::start("", known());
    let asked = |args: &[&str]| {
        let (_, err, code) = run(&dp3.url, None, args);
        assert_eq!(code, 0, "{args:?}: {err}");
        dp3.seen().into_iter().map(|seen| format!("{} {}", seen.line, seen.body).trim().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(asked(&["entity", "list", "ip", "-s", "1"]), ["GET /entity/ip/get?skip=1&limit=20"]);
    assert_eq!(
        asked(&["entity", "list", "ip", "-f", "hostname=www", "-a", "note", "--sort", "eid"]),
        ["GET /entity/ip/get?fulltext_filters=%7B%22hostname%22%3A%22www%22%7D&generic_filter=\
             %7B%22last%2Enote%22%3A%7B%22%24exists%22%3Atrue%7D%7D&sort=eid&skip=0&limit=20"]
        .map(|line: &str| line.replace("%2E", "."))
    );
    assert_eq!(
        asked(&["entity", "snapshots", "ip", "192.0.2.1", "--from", "2026-01-01", "--to", "2026-01-02T10:00:00+02:00"]),
        [
            "GET /entity/ip/192.0.2.1/snapshots?date_from=2026-01-01T00%3A00%3A00Z&date_to=2026-01-02T08%3A00%3A00Z&skip=0&limit=20"
        ]
    );
    assert_eq!(
        asked(&["entity", "attr", "set", "page", "index/de", "title", "x"]),
        ["POST /v2/entity/page/attr?eid=index%2Fde&attr=title {\"value\":\"x\"}"]
    );
    // A change is asked for in a way that no page of another site can use, and then in DP³'s way.
    assert_eq!(
        asked(&["control", "refresh-module-config", "m"]),
        ["POST /control/refresh_module_config?module=m", "GET /control/refresh_module_config?module=m"]
    );
    assert_eq!(
        asked(&["telemetry", "metadata", "-m", "M", "-f", "2026-01-01", "-S", "oldest"]),
        ["GET /telemetry/metadata?module=M&date_from=2026-01-01T00%3A00%3A00Z&sort=oldest&skip=0&limit=20"]
    );
}

#[test]
fn what_only_tenter_has_is_refused_by_name() {
    let dp3 = Dp3::start("", known());
    insta::assert_snapshot!(transcript(&dp3.url, &["module", "list"]), @"
    --- stderr
    error: this server does not offer /api/v1/modules (it answers as DP³)
    help: [url] is no Tenter server; `--url` names another one
    --- exit 1
    ");
    let of_ours: [&[&str]; 8] = [
        &["status"],
        &["entity", "list", "ip", "--stored"],
        &["entity", "provenance", "ip", "192.0.2.1"],
        &["why", "ip", "192.0.2.1"],
        &["telemetry", "event-counts", "-g", "te"],
        &["snapshot", "run"],
        &["deadletter", "list"],
        &["token", "list"],
    ];
    for args in of_ours {
        let (stdout, stderr, code) = run(&dp3.url, None, args);
        assert!(stdout.is_empty() && code == 1, "{args:?}: {stdout}{stderr}");
        assert!(stderr.contains("this server does not offer /api/v1/"), "{args:?}: {stderr}");
        assert!(stderr.contains("(it answers as DP³)"), "{args:?}: {stderr}");
    }
    // A token that was given is sent, and none else.
    assert!(dp3.seen().iter().all(|seen| !seen.token));
    assert_eq!(run(&dp3.url, Some("secret"), &["entity", "count", "ip"]).2, 0);
    assert!(dp3.seen().iter().all(|seen| seen.token));
}

#[test]
fn health_tells_the_kinds_apart() {
    let dp3 = Dp3::start("/api", known());
    insta::assert_snapshot!(transcript(&dp3.url, &["health"]), @"
    [url] answers as DP³
    --- stderr
    --- exit 0
    ");
    insta::assert_snapshot!(transcript(&dp3.url, &["health", "-o", "ndjson"]), @r#"
    {"ready":null,"server":"dp3","url":"[url]"}
    --- stderr
    --- exit 0
    "#);
    assert_eq!(run(&dp3.url, None, &["entity", "count", "ip"]).0, "3\n");
    // The prefix is part of the address.
    let bare = dp3.url.trim_end_matches("/api");
    let (_, err, code) = run(bare, None, &["health"]);
    assert_eq!(code, 7, "{err}");
    assert!(err.contains(&format!("--url {bare}/api")), "{err}");
    let server = Server::start(&Site::new());
    let (said, _, code) = run(&server.url, None, &["health", "-o", "json"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((said, code), (json!({"url": server.url, "server": "tenter", "ready": true}), 0));
}
