//! Data commands against a server of DP³ and against ours: one command line, one answer.
//!
//! DP³ is played by a small server with its documented routes and shapes; the data of both are the same. What only our
//! server has is refused by name, and no token goes to a server for which none was given.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::{Map, Value, json};

use crate::harness::{Dp3, Known, Server, Site, Type, tenter};

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

fn point(etype: &str, id: &str, attr: &str, v: Value) -> Value {
    json!({"type": etype, "id": id, "attr": attr, "v": v, "src": "inventory"})
}

fn port(v: u16) -> Value {
    json!({"type": "ip", "id": "192.0.2.1", "attr": "open_ports", "v": v, "src": "scan", "c": 0.5,
        "t1": "2026-01-01T00:00:00Z", "t2": "2096-01-01T00:00:00Z"})
}

/// What both servers are told. What lies in the past loses confidence with time, so ports are known for long.
fn points() -> Vec<Value> {
    vec![
        point("ip", "192.0.2.1", "hostname", json!("www.example")),
        port(22),
        port(80),
        point("ip", "192.0.2.2", "hostname", json!("mail.example")),
        point("ip", "192.0.2.2", "note", json!("the second")),
        point("ip", "192.0.2.10", "hostname", json!("www2.example")),
        point("page", "index/de", "title", json!("Anfang")),
    ]
}

/// What a DP³ would know of them.
fn known() -> Known {
    let plain = |v: &str| json!({"v": v, "ts_last_update": "2026-01-03T00:00:00Z"});
    let seen = |v: u16| json!({"v": v, "t1": "2026-01-01T00:00:00Z", "t2": "2096-01-01T00:00:00Z", "c": 0.5});
    let created = "2026-01-03T00:00:00Z";
    let masters = |all: Value| all.as_object().unwrap().clone();
    let raw = |etype: &str| -> Vec<Value> {
        let of_type = points().into_iter().filter(|p| p["type"] == etype).rev();
        of_type
            .map(|mut p| {
                for key in ["c", "t1", "t2"] {
                    p[key] = p.get(key).cloned().unwrap_or(Value::Null);
                }
                p
            })
            .collect()
    };
    let attribs = |names: &[&str]| names.iter().map(|n| ((*n).to_owned(), json!({"id": n}))).collect::<Map<_, _>>();
    let ip = Type {
        spec: json!({"id": "ip", "id_data_type": "ipv4", "name": "IP address", "eid_estimate_count": 3,
            "attribs": attribs(&["hostname", "note", "label", "open_ports", "services"])}),
        snapshots: vec![
            json!({"eid": "192.0.2.1", "hostname": "www.example", "open_ports": [22, 80], "open_ports#c": [0.5, 0.5]}),
            json!({"eid": "192.0.2.2", "hostname": "mail.example", "note": "the second"}),
            json!({"eid": "192.0.2.10", "hostname": "www2.example"}),
        ],
        masters: masters(json!({
            "192.0.2.1": {"#time_created": created, "hostname": plain("www.example"), "open_ports": [seen(22), seen(80)]},
            "192.0.2.2": {"#time_created": created, "hostname": plain("mail.example"), "note": plain("the second")},
            "192.0.2.10": {"#time_created": created, "hostname": plain("www2.example")},
        })),
        raw: raw("ip"),
    };
    let page = Type {
        spec: json!({"id": "page", "id_data_type": "string", "name": "Page", "eid_estimate_count": 1,
            "attribs": attribs(&["title"])}),
        snapshots: vec![json!({"eid": "index/de", "title": "Anfang"})],
        masters: masters(json!({"index/de": {"#time_created": created, "title": plain("Anfang")}})),
        raw: raw("page"),
    };
    let sizes = |count: u64| json!({"count": count, "min": 10, "mean": 10.0, "max": 10, "total": 10 * count});
    let queue = json!({"name": "dp3-worker-0", "queue": "worker_0", "total": 3, "ready": 2, "unacked": 1, "consumers": 1,
        "memory": 4_000, "message_bytes": 300, "incoming": 1.5, "outgoing": 1.0});
    Known {
        types: vec![("ip".to_owned(), ip), ("page".to_owned(), page)],
        fixed: vec![
            ("/telemetry/sources_validity", json!({"scan": "2096-01-01T00:00:00Z"})),
            ("/telemetry/sources_age", json!({"scan": 1_440})),
            (
                "/telemetry/entities_per_attr",
                json!({"ip": {"hostname": 3, "note": 1, "label": 0, "open_ports": 1, "services": 0}, "page": {"title": 1}}),
            ),
            (
                "/telemetry/attribute_bson_sizes",
                json!({"page": {"calculated_at": created, "duration_s": 0.5, "attributes": {"title": sizes(1)}}}),
            ),
            (
                "/telemetry/snapshot_summary",
                json!({"latest_age": 30.5, "finished_age": 29.0, "entities": 4, "total_s": 1.5}),
            ),
            (
                "/telemetry/metadata",
                json!([{"_id": "SnapShooter1", "#module": "SnapShooter", "#time_created": created, "#last_update": created, "entities": 4}]),
            ),
            ("/telemetry/rabbitmq/queues", json!({"queues": [queue]})),
        ],
    }
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

#[test]
fn tables_are_for_people() {
    let dp3 = Dp3::start("", known());
    insta::assert_snapshot!(transcript(&dp3.url, &["entity", "list", "ip", "-l", "2"]), @"
    EID        HOSTNAME      NOTE        OPEN_PORTS
    192.0.2.1  www.example               [22,80]
    192.0.2.2  mail.example  the second
    --- stderr
    values of the snapshot of 2026-01-01T00:00:00Z
    there may be more: `--skip 2` goes on, `--limit 0` shows all
    next: tenter entity get ip 192.0.2.1
    --- exit 0
    ");
    insta::assert_snapshot!(transcript(&dp3.url, &["entity", "raw", "ip", "-l", "3"]), @"
    EID         ATTR      VALUE         T1  T2  C  SRC
    192.0.2.10  hostname  www2.example             inventory
    192.0.2.2   note      the second               inventory
    192.0.2.2   hostname  mail.example             inventory
    --- stderr
    there may be more: `--skip 3` goes on, `--limit 0` shows all
    --- exit 0
    ");
    insta::assert_snapshot!(transcript(&dp3.url, &["entity", "attr", "get", "ip", "192.0.2.1", "open_ports"]), @"
    current  [22,80]

    T1                    T2                    C    VALUE
    2026-01-01T00:00:00Z  2096-01-01T00:00:00Z  0.5  22
    2026-01-01T00:00:00Z  2096-01-01T00:00:00Z  0.5  80
    --- stderr
    next: tenter entity raw ip --eid 192.0.2.1 --attr open_ports
    --- exit 0
    ");
    insta::assert_snapshot!(transcript(&dp3.url, &["telemetry", "attribute-sizes"]), @"
    TYPE  ATTRIBUTE  ENTITIES  MIN  MEAN  MAX  BYTES
    page  title      1         10   10.0  10   10
    --- stderr
    --- exit 0
    ");
    insta::assert_snapshot!(transcript(&dp3.url, &["telemetry", "queues"]), @"
    QUEUE         TOTAL  READY  UNACKED  CONSUMERS  BYTES  IN/S  OUT/S
    dp3-worker-0  3      2      1        1          300    1.5   1.0
    --- stderr
    --- exit 0
    ");
    insta::assert_snapshot!(transcript(&dp3.url, &["telemetry", "metadata"]), @"
    TIME                  MODULE       UPDATED               NOTE
    2026-01-03T00:00:00Z  SnapShooter  2026-01-03T00:00:00Z  entities=4
    --- stderr
    --- exit 0
    ");
    insta::assert_snapshot!(transcript(&dp3.url, &["telemetry", "snapshot-summary"]), @"
    begun     30.5 s ago
    finished  29.0 s ago
    entities  4
    took      1.5 s
    --- stderr
    --- exit 0
    ");
    insta::assert_snapshot!(transcript(&dp3.url, &["telemetry", "source-age"]), @"
    SOURCE  MINUTES
    scan    1440
    --- stderr
    --- exit 0
    ");
}

#[test]
fn lines_of_json_have_these_shapes() {
    let dp3 = Dp3::start("", known());
    let questions: [&[&str]; 13] = [
        &["entity", "list", "ip", "-l", "1"],
        &["entity", "count", "ip"],
        &["entity", "raw", "ip", "-a", "open_ports", "-l", "1"],
        &["entity", "attr-values", "ip", "note"],
        &["entity", "attr", "get", "ip", "192.0.2.1", "open_ports"],
        &["entity", "snapshots", "page", "index/de"],
        &["telemetry", "sources-validity"],
        &["telemetry", "source-age"],
        &["telemetry", "entities-per-attr"],
        &["telemetry", "attribute-sizes"],
        &["telemetry", "snapshot-summary"],
        &["telemetry", "metadata"],
        &["telemetry", "queues"],
    ];
    let mut text = String::new();
    for args in questions {
        let (stdout, stderr, code) = run(&dp3.url, None, &[args, &["-o", "ndjson", "-q"]].concat());
        assert_eq!((stderr.as_str(), code), ("", 0), "{args:?}");
        text.push_str(&format!("{}\n{stdout}", args.join(" ")));
    }
    insta::assert_snapshot!(text, @r##"
    entity list ip -l 1
    {"eid":"192.0.2.1","hostname":"www.example","open_ports":[22,80],"open_ports#c":[0.5,0.5]}
    entity count ip
    {"total_count":3}
    entity raw ip -a open_ports -l 1
    {"attr":"open_ports","c":0.5,"id":"192.0.2.1","src":"scan","t1":"2026-01-01T00:00:00Z","t2":"2096-01-01T00:00:00Z","type":"ip","v":80}
    entity attr-values ip note
    {"entities":1,"value":"the second"}
    entity attr get ip 192.0.2.1 open_ports
    {"attr_type":2,"current_value":[22,80],"history":[{"c":0.5,"t1":"2026-01-01T00:00:00Z","t2":"2096-01-01T00:00:00Z","v":22},{"c":0.5,"t1":"2026-01-01T00:00:00Z","t2":"2096-01-01T00:00:00Z","v":80}]}
    entity snapshots page index/de
    {"_time_created":"2026-01-01T00:00:00Z","eid":"index/de","title":"Anfang"}
    telemetry sources-validity
    {"source":"scan","until":"2096-01-01T00:00:00Z"}
    telemetry source-age
    {"minutes":1440,"source":"scan"}
    telemetry entities-per-attr
    {"attr":"hostname","entities":3,"etype":"ip"}
    {"attr":"label","entities":0,"etype":"ip"}
    {"attr":"note","entities":1,"etype":"ip"}
    {"attr":"open_ports","entities":1,"etype":"ip"}
    {"attr":"services","entities":0,"etype":"ip"}
    {"attr":"title","entities":1,"etype":"page"}
    telemetry attribute-sizes
    {"attr":"title","count":1,"etype":"page","max":10,"mean":10.0,"min":10,"total":10}
    telemetry snapshot-summary
    {"entities":4,"finished_age":29.0,"latest_age":30.5,"total_s":1.5}
    telemetry metadata
    {"#last_update":"2026-01-03T00:00:00Z","#module":"SnapShooter","#time_created":"2026-01-03T00:00:00Z","_id":"SnapShooter1","entities":4}
    telemetry queues
    {"consumers":1,"incoming":1.5,"memory":4000,"message_bytes":300,"name":"dp3-worker-0","outgoing":1.0,"queue":"worker_0","ready":2,"total":3,"unacked":1}
    "##);
}

#[test]
fn mistakes_are_told_in_lines() {
    let dp3 = Dp3::start("", known());
    insta::assert_snapshot!(transcript(&dp3.url, &["entity", "list", "nothing"]), @"
    --- stderr
    error: path.etype: Entity type 'nothing' doesn't exist (HTTP 422)
    help: `tenter entity list` shows which entity types there are
    --- exit 6
    ");
    insta::assert_snapshot!(transcript(&dp3.url, &["entity", "list", "ip", "-f", "nothing=x"]), @"
    --- stderr
    error: Attribute 'nothing' in fulltext filter doesn't exist (HTTP 400)
    --- exit 6
    ");
    insta::assert_snapshot!(transcript(&dp3.url, &["entity", "get", "ip", "192.0.2.1", "nothing"]), @"
    --- stderr
    error: path.attr: Attribute 'nothing' doesn't exist (HTTP 422)
    help: `tenter entity list -o json` shows which attributes each entity type has
    --- exit 6
    ");
    insta::assert_snapshot!(transcript(&dp3.url, &["entity", "get", "ip", "192.0.2.99"]), @r#"
    --- stderr
    error: there is no ip "192.0.2.99"
    help: `tenter entity list ip` shows what there is
    --- exit 3
    "#);
    insta::assert_snapshot!(transcript(&dp3.url, &["entity", "list", "ip", "-j", "{"]), @r#"
    --- stderr
    error: --filter "{" is not usable: expected a JSON object: EOF while parsing an object at line 1 column 1
    help: `tenter entity list --help` has examples
    --- exit 2
    "#);
    insta::assert_snapshot!(transcript(&dp3.url, &["entity", "list", "-s", "3"]), @"
    --- stderr
    error: --skip and --limit are for entities of a type
    help: name the type: `tenter entity list ETYPE`
    --- exit 2
    ");
}

/// Many entities with much to say.
fn many(n: usize) -> Known {
    let filler = "x".repeat(2_000);
    let row = |i: usize| json!({"eid": format!("p{i:05}"), "title": filler});
    let page = Type {
        spec: json!({"id": "page", "name": "Page", "eid_estimate_count": n, "attribs": {"title": {}}}),
        snapshots: (0..n).map(row).collect(),
        ..Type::default()
    };
    Known { types: vec![("page".to_owned(), page)], fixed: Vec::new() }
}

/// The most memory that a process has had, in KiB.
#[cfg(target_os = "linux")]
fn peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn the_length_of_a_list_takes_no_memory() {
    let dp3 = Dp3::start("", many(8_000));
    for format in ["ndjson", "json"] {
        let home = tempfile::tempdir().unwrap();
        let mut command = tenter(home.path());
        command.args(["--url", &dp3.url, "entity", "list", "page", "--limit", "0", "-o", format]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut until = |row: usize| {
            let id = format!("\"p{row:05}\"");
            assert!(lines.any(|line| line.unwrap().contains(&id)), "{format}: {row}");
            // It is still there: what is left does not fit in the pipe.
            peak(child.id())
        };
        // The first page of the longer ones has been printed; 11 MB follow.
        let (early, late) = (until(2_500), until(7_500));
        assert!(late < early + 4_096, "{format}: {early} KiB, then {late} KiB");
        drop(lines);
        assert!(child.wait().unwrap().success(), "{format}");
    }
}

#[test]
fn a_long_list_comes_in_pages_and_ends_with_its_reader() {
    let dp3 = Dp3::start("", many(5_000));
    let home = tempfile::tempdir().unwrap();
    let mut command = tenter(home.path());
    command.args(["--url", &dp3.url, "entity", "list", "page", "--limit", "0", "-o", "ndjson"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for i in 0..3 {
        let row: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(row["eid"], format!("p{i:05}"));
    }
    drop(lines);
    let output = child.wait_with_output().unwrap();
    assert_eq!((String::from_utf8(output.stderr).unwrap().as_str(), output.status.code()), ("", Some(0)));
    // What the pipe held, and no more, was read ahead.
    let asked = dp3.seen().len();
    assert!(asked < 10, "{asked} requests for 3 lines");

    let all = run(&dp3.url, None, &["entity", "list", "page", "-s", "100", "-l", "250", "-o", "ndjson"]).0;
    let ids: Vec<String> = all.lines().map(|l| serde_json::from_str::<Value>(l).unwrap()["eid"].to_string()).collect();
    assert_eq!(ids, (100..350).map(|i| format!("\"p{i:05}\"")).collect::<Vec<_>>());
    let lines: Vec<String> = dp3.seen().into_iter().map(|seen| seen.line).collect();
    let path = "GET /entity/page/get";
    assert_eq!(
        lines,
        ["?skip=100&limit=100", "?skip=199&limit=101", "?skip=299&limit=51"].map(|query| format!("{path}{query}"))
    );
    // As one document it is the same list.
    let json = run(&dp3.url, None, &["entity", "list", "page", "-s", "100", "-l", "250", "-o", "json"]).0;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json.as_array().unwrap().iter().map(|r| r["eid"].to_string()).collect::<Vec<_>>(), ids);
}
