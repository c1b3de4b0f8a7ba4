//! What a person and a script see.

use super::{known, run, transcript};
use crate::harness::Dp3;

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
