//! Configuration directories: what loads, and how errors read.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly, in its helpers too"
)]

use std::path::Path;

use insta::assert_snapshot;
use tenter_model::config::{self, Action, ConfigFile, ConfigProblem, Loaded, Signatures, Synchronous};
use tenter_model::datatype::DataType;
use tenter_model::schema::{AttributeKind, IdType, Lifetime, SeriesType};

const IP: &str = "
entity: {id: ip, name: IP address, snapshot: true, id_data_type: ipv4}
attribs:
  hostname: {name: Hostname, type: plain, data_type: string}
";

fn load(files: &[(&str, &str)]) -> Loaded {
    let files: Vec<ConfigFile> =
        files.iter().map(|(path, text)| ConfigFile { path: (*path).into(), text: (*text).into() }).collect();
    config::load(&files)
}

fn lines(problems: &[ConfigProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn errors(files: &[(&str, &str)]) -> String {
    let loaded = load(files);
    assert!(loaded.config.is_none());
    lines(&loaded.errors)
}

#[test]
fn the_demonstration_loads_without_errors() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/demo/site");
    let mut files = Vec::new();
    for folder in ["", "db_entities", "modules"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "yml") {
                let name = path.file_name().unwrap().to_str().unwrap();
                let path_in = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
                files.push(ConfigFile { path: path_in, text: std::fs::read_to_string(&path).unwrap() });
            }
        }
    }
    let loaded = config::load(&files);
    assert_eq!(lines(&loaded.errors), "");
    let config = loaded.config.unwrap();
    assert!(config.schema.entities().len() >= 4);
    assert!(!config.enabled_modules.is_empty());
    assert!(!config.tenter.modules.is_empty());
    // What is ignored is named once.
    assert_eq!(loaded.warnings.len(), 1, "{}", lines(&loaded.warnings));
}

#[test]
fn limits_of_http_have_bounds() {
    let http = |text: &str| {
        let loaded = load(&[("tenter.yml", text)]);
        loaded.config.unwrap_or_else(|| panic!("{}", lines(&loaded.errors))).tenter.http
    };
    let usual = http("lanes: 1");
    assert_eq!(usual, http("http: {}"));
    assert_eq!((usual.max_body_bytes, usual.header_timeout), (8 << 20, 10_000_000));
    let set =
        http("http: {max_body_mib: 2, max_connections: 9, idle_timeout: 1m, header_timeout: 0.5, request_timeout: 0}");
    assert_eq!((set.max_body_bytes, set.max_connections), (2 << 20, 9));
    assert_eq!((set.idle_timeout, set.header_timeout, set.request_timeout), (60_000_000, 500_000, 0));
    assert_eq!((set.max_headers, set.progress_timeout), (usual.max_headers, usual.progress_timeout));
    assert_eq!(http("http: {max_url_bytes: 100000}").max_url_bytes, 65_534);
    let wrong = "http: {max_body_mib: 0, max_url_bytes: 100, idle_timeout: -1, headers: 3}";
    assert_snapshot!(lines(&load(&[("tenter.yml", wrong)]).errors), @r"
    tenter.yml:1:22: http.max_body_mib: found 0; expected an integer, at least 1
    tenter.yml:1:40: http.max_url_bytes: found 100; expected an integer, at least 256
    tenter.yml:1:59: http.idle_timeout: found -1; expected a duration that is not negative
    tenter.yml:1:63: http.headers: Extra inputs are not permitted; expected one of max_body_mib, max_url_bytes, max_header_bytes, max_headers, max_connections, header_timeout, idle_timeout, progress_timeout, request_timeout
    ");
}

#[test]
fn every_kind_of_file_is_read() {
    let loaded = load(&[
        (
            "db_entities/device.yml",
            "
entity:
  id: device
  name: Device
  snapshot: false
  id_data_type: mac
  lifetime: {type: ttl, on_create: 2h, mirror_data: no}
  description: a thing
attribs:
  ips:
    name: Addresses
    type: observations
    data_type: link<ip, int ; mirror=devices>
    multi_value: true
    confidence: true
    history_params: {max_age: 7d, pre_validity: 1m, post_validity: 30, aggregate: false, expire_time: inf}
  flows:
    name: Flows
    type: timeseries
    timeseries_type: irregular_intervals
    timeseries_params: {max_age: 14d}
    series:
      bytes: {data_type: int64}
      rate: {data_type: float}
",
        ),
        ("db_entities/ip.yml", &IP.replace("id_data_type: ipv4", "id_data_type: ipv4, lifetime: {type: weak}")),
        (
            "processing_core.yml",
            "msg_broker: {host: localhost}\nworker_processes: 2\nworker_threads: 16\nmodules_dir: ../m\nenabled_modules: [b, a]\n",
        ),
        ("modules/a.yml", "list: [1, two, 3.5, null]\nnested: {yes: no}\n"),
        ("snapshots.yml", "creation_rate: {hour: '*'}\nkeep_empty: false\n"),
        (
            "history_manager.yml",
            "aggregation_schedule: {minute: '*/10'}
datapoint_cleaning_schedule: {minute: 5}
mark_datapoints_schedule: {minute: 7}
snapshot_cleaning: {schedule: {hour: 1}, older_than: 7d}
datapoint_archivation: {schedule: {hour: '2', minute: 0}, older_than: P7D, archive_dir: null}
",
        ),
        ("updater.yml", "update_batch_cron: {minute: '*/5'}\nupdate_batch_period: 5m\n"),
        ("garbage_collector.yml", "collection_rate: {minute: 3}\n"),
        ("control.yml", "allowed_actions: [make_snapshots, refresh_module_config]\n"),
        ("telemetry.yml", ""),
        (
            "event_logging.yml",
            "redis: {host: x}\ngroups: {te: {events: [a], auto_declare_events: true, intervals: [5m], sync_interval: 1, sync_limit: 9}}\n",
        ),
        ("api.yml", "cors: {allow_origins: ['https://a']}\ndatapoint_logger: {good_log: false, bad_log: /tmp/bad}\n"),
        ("database.yml", "db_name: x\nconnection: {mode: standalone}\nstorage: {snapshot_bucket_size: 8}\n"),
        (
            "tenter.yml",
            "listen: 127.0.0.1:0
data: /var/lib/x
lanes: 3
synchronous: normal
modules:
  a:
    limits: {fuel: 1000, deadline_ms: 5}
    isolation: fresh
    on_admission_fault: open
    on_before_fault: deny
    effect_hooks: call
    quarantine: off
    recording: all
    may_change: strict
    files: {lists: /srv/lists}
    grants: [{capability: write-entities, scope: ip.hostname}, {capability: state}]
",
        ),
        ("README.md", "not read"),
    ]);
    assert_eq!(lines(&loaded.errors), "");
    assert_snapshot!(lines(&loaded.warnings), @"(directory): these are ignored, since they concern DP³'s processes, MongoDB, RabbitMQ, Redis or the web server, or have no effect in DP³ either: processing_core.yml (msg_broker, worker_processes, worker_threads, modules_dir), history_manager.yml (mark_datapoints_schedule), event_logging.yml (redis, groups.te.sync_interval, groups.te.sync_limit), database.yml (db_name, connection, storage.snapshot_bucket_size)");
    let config = loaded.config.unwrap();

    let device = config.schema.entity("device").unwrap();
    assert_eq!((device.id_type, device.snapshot), (IdType::Mac, false));
    assert_eq!(device.lifetime, Lifetime::Ttl { on_create: 7_200_000_000, mirror_data: false });
    let AttributeKind::Observations { history, multi_value, .. } = &device.attribute("ips").unwrap().kind else {
        panic!("not observations")
    };
    assert!(*multi_value && !history.aggregate);
    assert_eq!(
        (history.max_age, history.pre_validity, history.post_validity),
        (Some(604_800_000_000), 60_000_000, 30_000_000)
    );
    let AttributeKind::Timeseries { series, .. } = &device.attribute("flows").unwrap().kind else {
        panic!("no series")
    };
    assert_eq!(
        series.iter().map(|(n, t)| (n.as_str(), *t)).collect::<Vec<_>>(),
        [
            ("bytes", SeriesType::Int64),
            ("rate", SeriesType::Float),
            ("time_first", SeriesType::Time),
            ("time_last", SeriesType::Time)
        ]
    );
    let mirror = config.schema.attribute("ip", "devices").unwrap();
    assert_eq!(mirror.description, "Read-only mirror attribute of device.ips");
    assert_eq!(mirror.kind.data_type().map(DataType::to_string).as_deref(), Some("set<link<device>>"));

    assert_eq!(config.enabled_modules, ["b", "a"]);
    assert_eq!((config.worker_processes, config.worker_threads, config.max_inline_generated_tasks), (2, 16, 0));
    assert_eq!(config.module_configs["a"].to_string(), r#"{"list":[1,"two",3.5,null],"nested":{"yes":false}}"#);
    assert_eq!(config.snapshots.creation_rate.fields(), [("hour", "*")]);
    assert!(!config.snapshots.keep_empty);
    assert_eq!(config.history_manager.unwrap().datapoint_archivation.older_than, 604_800_000_000);
    assert_eq!(
        config.updater.unwrap().cache_management_cron.fields(),
        [("hour", "2"), ("minute", "0"), ("second", "0")]
    );
    assert_eq!(config.garbage_collector.collection_rate.fields(), [("minute", "3")]);
    assert_eq!(config.control.allowed_actions, [Action::MakeSnapshots, Action::RefreshModuleConfig]);
    assert_eq!(config.telemetry.attribute_bson_size_schedule.fields(), [("hour", "3"), ("minute", "15")]);
    assert_eq!(config.event_logging["te"].intervals, [("5m".to_owned(), 300_000_000)]);
    assert_eq!((config.api.good_log, config.api.bad_log.as_deref()), (None, Some("/tmp/bad")));
    assert_eq!(config.snapshot_bucket_size, 8);
    let (name, module) = config.tenter.modules.first_key_value().unwrap();
    assert_eq!((name.as_str(), module.limits["fuel"], module.grants.len()), ("a", 1000, 2));
    assert_eq!(
        module.files.iter().map(|(n, p)| (n.as_str(), p.as_str())).collect::<Vec<_>>(),
        [("lists", "/srv/lists")]
    );
    assert_eq!(module.may_change, tenter_model::module::Undeclared::Strict);
    assert_eq!((config.tenter.lanes, config.tenter.synchronous), (3, Synchronous::Normal));
}

#[test]
fn nothing_is_needed_but_entities() {
    let loaded = load(&[("db_entities/ip.yml", IP)]);
    assert_eq!((lines(&loaded.errors), lines(&loaded.warnings)), (String::new(), String::new()));
    let config = loaded.config.unwrap();
    assert_eq!(config.snapshots.creation_rate.fields(), [("minute", "*/30")]);
    assert_eq!(config.control.allowed_actions, Action::ALL);
    assert_eq!(config.snapshot_bucket_size, 32);
    assert_eq!(config.garbage_collector.collection_rate.to_string(), "hour=3 minute=0 second=0 UTC");
}

#[test]
fn several_errors_of_entities_are_reported_together() {
    let text = errors(&[
        (
            "db_entities/ip.yml",
            "entity:
  id: address
  name: 7
  snapshto: true
  id_data_type: ipv5
attribs:
  a: {name: A, type: plian, data_type: string}
  b: {name: B, type: plain, data_type: strin}
  c: {name: C, data_type: string}
  d: {name: D, type: plain, data_type: link<devcie>, colour: red}
  9e: {name: E, type: plain, data_type: int}
  f: {name: F, type: observations, data_type: array<dict<a:int>>, history_params: {max_age: 12x}}
  g: {name: G, type: timeseries, timeseries_type: regulra, series: {s: {data_type: string}}}
  h: {name: H, type: plain, data_type: 'dict<a: int, b?: text>', ttl: '30'}
",
        ),
        ("db_entities/device.yml", "entity: {id: device, name: D, snapshot: true}\n"),
    ]);
    assert_snapshot!(text, @r#"
    db_entities/device.yml:1:1: Invalid entity specification for 'device': "attribs" is missing; expected the keys "entity" and "attribs"
    db_entities/ip.yml:2:3: ip.entity: Mandatory configuration element is missing: snapshot
    db_entities/ip.yml:2:7: ip.entity.id: Entity id 'address' does not match entity id 'ip' in spec; expected the name of the file without .yml
    db_entities/ip.yml:3:9: ip.entity.name: found 7; expected text; put it in quotes
    db_entities/ip.yml:4:3: ip.entity.snapshto: Extra inputs are not permitted; did you mean "snapshot"?
    db_entities/ip.yml:5:17: ip.entity.id_data_type: Data type of entity ID must be one of ['string', 'int', 'ipv4', 'ipv6', 'mac'], found "ipv5"; did you mean "ipv4"?
    db_entities/ip.yml:7:22: ip.attribs.a.type: Invalid `type` of attribute 'a': found "plian"; expected one of plain, observations, timeseries; did you mean "plain"?
    db_entities/ip.yml:8:40: ip.attribs.b.data_type: Data type 'strin' is not supported, did you mean "string"?
    db_entities/ip.yml:9:6: ip.attribs.c: Missing mandatory attribute `type`; expected one of plain, observations, timeseries
    db_entities/ip.yml:10:40: address.attribs.d.data_type: Entity type 'devcie' is not defined; expected a type that has a file in db_entities
    db_entities/ip.yml:10:54: ip.attribs.d.colour: Extra inputs are not permitted; expected one of id, type, name, description, data_type, editable, ttl
    db_entities/ip.yml:11:3: ip.attribs.9e: attribute name "9e" is not valid: expected a letter or _, then letters, digits, _ or -, at most 128 characters
    db_entities/ip.yml:12:47: ip.attribs.f.data_type: Data type dict<a:int> is not supported as an array element; expected a primitive or a link
    db_entities/ip.yml:12:93: ip.attribs.f.history_params.max_age: Invalid time duration string "12x": expected a number with s, m, h or d such as "30m", or ISO 8601 such as "P1D"
    db_entities/ip.yml:13:6: ip.attribs.g: Mandatory configuration element is missing: timeseries_params
    db_entities/ip.yml:13:51: ip.attribs.g.timeseries_type: found "regulra"; expected one of regular, irregular, irregular_intervals; did you mean "regular"?
    db_entities/ip.yml:13:84: ip.attribs.g.series.s.data_type: found "string"; expected one of int, int64, float, time
    db_entities/ip.yml:14:40: ip.attribs.h.data_type: Data type 'text' is not supported, did you mean "set"?
    db_entities/ip.yml:14:71: ip.attribs.h.ttl: Invalid time duration string "30": expected a number with s, m, h or d such as "30m", or ISO 8601 such as "P1D"
    "#);
}

#[test]
fn links_and_mirrors_are_checked() {
    let device = "entity: {id: device, name: D, snapshot: true}
attribs:
  ip: {name: I, type: plain, data_type: link<ip;mirror=hostname>}
  site: {name: S, type: plain, data_type: link<sites>}
";
    let site = "entity: {id: site, name: S, snapshot: true}\nattribs: {}\n";
    let text =
        errors(&[("db_entities/ip.yml", IP), ("db_entities/device.yml", device), ("db_entities/site.yml", site)]);
    assert_snapshot!(text, @r#"
    db_entities/device.yml:3:41: device.attribs.ip.data_type: 'ip.hostname' is a mirrored attribute, but already exists in configuration at db_entities/ip.yml:4:3; expected a name that is free on the other side
    db_entities/device.yml:4:43: device.attribs.site.data_type: Entity type 'sites' is not defined; expected a type that has a file in db_entities; did you mean "site"?
    "#);
    let weak = IP.replace("id_data_type", "lifetime: {type: weak}, id_data_type");
    assert_snapshot!(errors(&[("db_entities/ip.yml", &weak)]), @"db_entities/ip.yml:2:62: ip.entity.lifetime: nothing links to this weak type, so its entities would be removed at once; expected an attribute with data type link<ip> in some type, or another lifetime");
}

#[test]
fn yaml_errors_have_places() {
    assert_snapshot!(errors(&[("db_entities/ip.yml", "entity: {id: ip\nattribs: [")]), @"db_entities/ip.yml:2:8: not valid YAML: while parsing a flow mapping, did not find expected ',' or '}'");
    assert_snapshot!(errors(&[("tenter.yml", "lanes: 1\nlanes: 2")]), @r#"tenter.yml:2:1: duplicate key "lanes", first at 1:1"#);
    assert_snapshot!(errors(&[("control.yml", "- make_snapshots")]), @"control.yml:1:1: found a list; expected a mapping");
    assert_snapshot!(errors(&[("updater.yml", "a: *nothing")]), @"updater.yml:1:4: not valid YAML: while parsing node, found unknown anchor");
}

#[test]
fn errors_of_the_other_files() {
    let text = errors(&[
        ("db_entities/ip.yml", IP),
        ("control.yml", "allowed_actions: [make_snapshot]"),
        ("snapshots.yml", "creation_rate: {minutes: '*/30'}"),
        ("history_manager.yml", "aggregation_schedule: {hour: mon}\nsnapshot_cleaning: {older_than: 7}\n"),
        ("updater.yml", "update_batch_cron: {minute: 60}\nupdate_batch_period: 0\ncolour: red\n"),
        ("processing_core.yml", "worker_processes: 0\nenabled_modules: label\n"),
        ("api.yml", "datapoint_logger: {good_log: true}"),
        ("event_logging.yml", "groups: {te: {intervals: ['5']}}"),
        (
            "tenter.yml",
            "listen: localhost
lane: 2
synchronous: ful
modules:
  Label: {}
  label:
    limits: {feul: 1, memory_bytes: -1}
    isolation: cold
    files: {Lists: /srv/lists, lists: srv/lists}
    grants: [{capability: write-entity}, {capability: http}, {capability: state, scope: x}]
",
        ),
    ]);
    assert_snapshot!(text, @r#"
    api.yml:1:30: datapoint_logger.good_log: found true; expected false or the path of a file
    control.yml:1:19: allowed_actions: "make_snapshot" is no action; expected one of make_snapshots, refresh_on_entity_creation, refresh_module_config; did you mean "make_snapshots"?
    event_logging.yml:1:26: groups.te.intervals: Invalid time duration string "5": expected a number with s, m, h or d such as "30m", or ISO 8601 such as "P1D"
    history_manager.yml:1:1: Mandatory configuration element is missing: datapoint_cleaning_schedule
    history_manager.yml:1:1: Mandatory configuration element is missing: datapoint_archivation
    history_manager.yml:1:30: aggregation_schedule.hour: expected N, N,M, A-B, */N or * with numbers from 0 to 23, found "mon"
    history_manager.yml:2:20: snapshot_cleaning: Mandatory configuration element is missing: schedule
    processing_core.yml:1:19: worker_processes: found 0; expected an integer, at least 1
    processing_core.yml:2:18: enabled_modules: found "label"; expected a list of names
    snapshots.yml:1:17: creation_rate.minutes: "minutes" is no field of a schedule; did you mean "minute"?
    tenter.yml:1:9: listen: found "localhost"; expected an address with a port, such as "127.0.0.1:5000"
    tenter.yml:2:1: lane: Extra inputs are not permitted; did you mean "lanes"?
    tenter.yml:3:14: synchronous: found "ful"; expected one of full, normal; did you mean "full"?
    tenter.yml:5:3: modules.Label: module name "Label" is not valid: expected a lower-case letter, then lower-case letters, digits, _ or -, at most 63 characters
    tenter.yml:7:14: modules.label.limits.feul: no limit has this name; expected one of fuel, deadline_ms, memory_bytes, table_elements, hostcall_bytes, handles, host_calls; did you mean "fuel"?
    tenter.yml:7:37: modules.label.limits.memory_bytes: found -1; expected an integer, at least 1
    tenter.yml:8:16: modules.label.isolation: found "cold"; expected one of warm, fresh
    tenter.yml:9:13: modules.label.files.Lists: "Lists" is no name of a folder; expected a lower-case letter, then lower-case letters, digits, _ or -, at most 63 characters; modules find it at /files/NAME
    tenter.yml:9:39: modules.label.files.lists: found "srv/lists"; expected the absolute path of a folder
    tenter.yml:10:27: modules.label.grants.capability: "write-entity" is no capability; expected one of state, read-entities, write-entities, delete-entity, http, resolver, secret, files, case-write; did you mean "write-entities"?
    tenter.yml:10:42: modules.label.grants.scope: the capability "http" needs a scope; expected METHOD URL-pattern [at NETWORK]
    tenter.yml:10:89: modules.label.grants.scope: the capability "state" has no scope
    updater.yml:1:29: update_batch_cron.minute: expected a number from 0 to 59, found "60"
    updater.yml:2:22: update_batch_period: found 0; expected a duration above zero
    updater.yml:3:1: colour: Extra inputs are not permitted; expected one of update_batch_cron, update_batch_period, cache_management_cron, cache_max_entries
    "#);
}

#[test]
fn signers_are_keys_of_modules() {
    let key = format!("ed25519:{}", "0f".repeat(32));
    let text = format!("signatures: required\nsigners:\n  '*': [\"{key}\"]\n  geo: []\n");
    let loaded = load(&[("tenter.yml", &text)]);
    assert_eq!(lines(&loaded.errors), "");
    let tenter = loaded.config.unwrap().tenter;
    assert_eq!((tenter.signatures, &tenter.signers["*"]), (Signatures::Required, &vec![key]));
    assert!(tenter.signers["geo"].is_empty());
    let off = load(&[("tenter.yml", "signatures: off")]).config.unwrap().tenter.signatures;
    assert_eq!((off, Signatures::default()), (Signatures::Off, Signatures::Off));

    let wrong = "signatures: need\nsigners:\n  Geo: []\n  geo: ed25519:0\n  ip: [\"ed25519:0F\"]\n";
    assert_snapshot!(lines(&load(&[("tenter.yml", wrong)]).errors), @r#"
    tenter.yml:1:13: signatures: found "need"; expected one of required, optional, off
    tenter.yml:3:3: signers.Geo: module name "Geo" is not valid: expected a lower-case letter, then lower-case letters, digits, _ or -, at most 63 characters; expected a name of a module, or "*"
    tenter.yml:4:8: signers.geo: found "ed25519:0"; expected a list of public keys
    tenter.yml:5:7: signers.ip: "ed25519:0F" is no public key; expected "ed25519:" and 64 hexadecimal digits in lower case, as `tenter key create` prints it
    "#);
    assert_snapshot!(lines(&load(&[("tenter.yml", "signatures: required")]).errors), @r#"tenter.yml:1:1: signers: no upload could be signed: `signatures: required` needs keys; expected signers: {"*": ["ed25519:..."]}"#);
}

#[test]
fn warnings_name_what_has_no_effect() {
    let loaded = load(&[
        ("db_entities/ip.yml", &IP.replace("data_type: string", "data_type: string, ttl: 010")),
        ("snapshot.yml", "a: 1"),
        ("snapshots.yaml", "a: 1"),
        ("snapshots.yml", "keep_emtpy: true"),
        ("database.yml", "username: a\npassword: b\n"),
        ("processing_core.yml", "enabled_modules: [label, Label, label]\nmsg_broker: {}\n"),
    ]);
    assert_eq!(lines(&loaded.errors), "");
    assert_snapshot!(lines(&loaded.warnings), @r#"
    (directory): these are ignored, since they concern DP³'s processes, MongoDB, RabbitMQ, Redis or the web server, or have no effect in DP³ either: processing_core.yml (msg_broker), database.yml (username, password)
    db_entities/ip.yml:4:67: 010 is read as the number 8, as DP³ does; other readers take it for another number, or for text; quote it or write it plainly
    processing_core.yml:1:26: enabled_modules: "Label" stands there twice
    processing_core.yml:1:33: enabled_modules: "label" stands there twice
    snapshot.yml: unknown file, it has no effect; did you mean "snapshots.yml"?
    snapshots.yaml: this file is not read; only files that end in .yml are, not .yaml; expected snapshots.yml
    snapshots.yml:1:1: keep_emtpy: unknown key, it has no effect; did you mean "keep_empty"?
    "#);
}
