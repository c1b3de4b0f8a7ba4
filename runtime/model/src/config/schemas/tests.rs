use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::super::{ConfigFile, load, yaml};
use super::*;

/// Directories that load.
const SITES: [&str; 5] = [
    "tests/data/sites/template",
    "tests/data/sites/everything",
    "tests/data/sites/addresses",
    "../server/demo/site",
    "../server/site-template",
];

/// Values of many forms, each good somewhere.
fn samples() -> Vec<Value> {
    let texts = [
        "",
        "0",
        "1",
        "5",
        "+7",
        "yes",
        "no",
        "ON",
        "abc",
        "a b",
        "30m",
        " 30m",
        "5 m",
        "-5m",
        "P1D",
        "P",
        "PT",
        "PT5S",
        "P1Y2M",
        "P1H",
        "01:02:03",
        "01:99:03",
        "3 days, 01:00:00",
        "5x",
        "inf",
        "1.5",
        "*",
        "*/5",
        "*/0",
        "*/70",
        "1-3",
        "1, 2",
        "2030",
        "mon",
        "plain",
        "observations",
        "timeseries",
        "regular",
        "irregular",
        "string",
        "int",
        "ipv4",
        "strin",
        " int ",
        "array<int>",
        "array<array<int>>",
        "set<link<ip>>",
        "dict<a:int,b?: string>",
        "dict<a>",
        "dict<>",
        "category<string;a,b>",
        "category<string>",
        "link<ip>",
        "link<ip,int;mirror=x>",
        "link<ip , int ; mirror = x>",
        "link<>",
        "ttl",
        "weak",
        "immortal",
        "make_snapshots",
        "/a/b",
        "127.0.0.1:80",
        "localhost",
        "full",
        "warm",
        "closed",
        "report",
        "all",
        "required",
        "off",
        "state",
        "http",
        "fuel",
        "ed25519:0101010101010101010101010101010101010101010101010101010101010101",
        "ed25519:01",
    ];
    let mut out: Vec<Value> = texts.iter().map(|text| json!(text)).collect();
    out.extend([json!(null), json!(true), json!(false)]);
    out.extend([
        json!(0),
        json!(1),
        json!(-1),
        json!(5),
        json!(5.0),
        json!(1.5),
        json!(-1.5),
        json!(23),
        json!(60),
        json!(9999),
    ]);
    out.extend([json!([]), json!(["a"]), json!(["5m"]), json!([1]), json!([null]), json!([{}])]);
    out.extend([json!({}), json!({"a": 1}), json!({"a": null}), json!({"type": "plain"}), json!({"type": "ttl"})]);
    out.extend([json!({"type": "ttl", "on_create": 5}), json!({"minute": 5}), json!({"minute": "*/5", "hour": null})]);
    out.extend([
        json!({"capability": "state"}),
        json!({"capability": "http"}),
        json!([{"capability": "files", "scope": "x"}]),
    ]);
    out
}

struct Judge(BTreeMap<&'static str, jsonschema::Validator>);

impl Judge {
    fn new() -> Self {
        let validator = |kind| {
            let schema = json_schema(kind).unwrap();
            (kind, jsonschema::draft202012::new(&schema).unwrap_or_else(|e| panic!("{kind}: {e}")))
        };
        Self(schema_kinds().into_iter().map(validator).collect())
    }

    /// Whether the schema of a file takes it.
    fn takes(&self, path: &str, document: &Value) -> bool {
        self.0[kind_of(path)].is_valid(document)
    }
}

fn kind_of(path: &str) -> &str {
    path.split_once('/').map_or(path.strip_suffix(".yml").unwrap(), |(folder, _)| folder)
}

/// Errors of one file that do not lie in other files or in what a schema cannot say.
fn refuses(path: &str, document: &Value) -> Vec<String> {
    const BEYOND: [&str; 7] = [
        "is not defined",
        "nothing links to this weak type",
        "does not match entity id",
        "is a mirrored attribute",
        "has no time zone",
        "goes backwards",
        "no upload could be signed",
    ];
    let loaded = load(&[ConfigFile { path: path.to_owned(), text: document.to_string() }]);
    let texts = loaded.errors.iter().map(ToString::to_string);
    texts.filter(|text| !BEYOND.iter().any(|beyond| text.contains(beyond))).collect()
}

fn documents() -> Vec<(String, Value)> {
    let mut out = Vec::new();
    for site in SITES {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(site);
        for folder in ["", "db_entities/", "modules/"] {
            let Ok(entries) = std::fs::read_dir(root.join(folder)) else { continue };
            for entry in entries {
                let path = entry.unwrap().path();
                let name = format!("{folder}{}", path.file_name().unwrap().to_str().unwrap());
                if name.ends_with(".yml")
                    && let Some(node) = yaml::read(&std::fs::read_to_string(&path).unwrap()).root
                {
                    out.extend(apart(node.to_json()).map(|document| (name.clone(), document)));
                }
            }
        }
    }
    out
}

/// An entity type as one document for each of its attributes, which are read by themselves; others as they are.
fn apart(document: Value) -> impl Iterator<Item = Value> {
    let attribs = document.get("attribs").and_then(Value::as_object).filter(|map| map.len() > 1).cloned();
    let parts = attribs.into_iter().flatten().map({
        let document = document.clone();
        move |(name, attribute)| {
            let mut part = document.clone();
            part["attribs"] = json!({name: attribute});
            part
        }
    });
    let parts: Vec<Value> = parts.collect();
    if parts.is_empty() { vec![document] } else { parts }.into_iter()
}

/// Pointers of all places in a document.
fn places(value: &Value, here: String, out: &mut Vec<String>) {
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(key, inner)| places(inner, format!("{here}/{}", escaped(key)), out));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, inner)| places(inner, format!("{here}/{i}"), out));
        }
        _ => {}
    }
    out.push(here);
}

#[test]
fn what_loads_fits_the_schemas() {
    let judge = Judge::new();
    let documents = documents();
    assert!(documents.len() > 80, "{}", documents.len());
    for (path, document) in documents {
        assert!(judge.takes(&path, &document), "{path}: {document:#}");
    }
}

#[test]
fn readers_and_schemas_agree_about_every_change() {
    let judge = Judge::new();
    let samples = samples();
    let full = option_env!("TENTER_EXTENT") == Some("full");
    let (mut agreed, mut refused, mut differ) = (0u32, 0u32, Vec::new());
    let mut check = |path: &str, place: &str, document: &Value, what: &str| {
        let errors = refuses(path, document);
        match errors.is_empty() == judge.takes(path, document) {
            true => agreed += 1,
            false => differ.push(format!("{path}{place} {what}: reader {errors:?}")),
        }
        refused += u32::from(!errors.is_empty());
    };
    // The big directory has every key; its documents are changed at each place.
    let all = documents();
    let whole: Vec<_> = all.iter().filter(|(path, _)| !path.starts_with("modules/")).collect();
    let mut seen = std::collections::HashSet::new();
    for (path, document) in whole {
        let mut pointers = Vec::new();
        places(document, String::new(), &mut pointers);
        for pointer in pointers {
            let Some(old) = document.pointer(&pointer) else { continue };
            // The same key of the same form is changed once: attributes and schedules repeat.
            let key = format!("{}{}{old}", kind_of(path), pointer.rsplit('/').next().unwrap());
            if pointer.is_empty() || pointer == "/entity/id" || pointer.ends_with("/timezone") || !seen.insert(key) {
                continue;
            }
            // Every sample at some places of each kind; with the full extent at all of them.
            for (i, sample) in samples.iter().enumerate() {
                if !full && (i + seen.len()) % 4 != 0 {
                    continue;
                }
                let mut changed = document.clone();
                *changed.pointer_mut(&pointer).unwrap() = sample.clone();
                check(path, &pointer, &changed, &format!("= {sample}"));
            }
            let (parent, last) = pointer.rsplit_once('/').unwrap();
            let mut without = document.clone();
            if let Some(Value::Object(map)) = without.pointer_mut(parent) {
                map.remove(&last.replace("~1", "/").replace("~0", "~"));
                check(path, &pointer, &without, "removed");
            }
            if old.is_object() {
                let mut more = document.clone();
                more.pointer_mut(&pointer).unwrap()["no-such-key"] = json!(1);
                check(path, &pointer, &more, "with another key");
            }
        }
    }
    assert!(differ.is_empty(), "{} differ:\n{}", differ.len(), differ.join("\n"));
    assert!(agreed > 4_000 && refused > 2_000, "{agreed} agreed, {refused} refused");
}

#[test]
fn broken_files_are_refused_by_both() {
    let judge = Judge::new();
    for (path, text) in [
        ("db_entities/ip.yml", "entity: {id: ip, name: IP}\nattribs: {}"),
        ("db_entities/ip.yml", "entity: {id: ip, name: IP, snapshot: true}"),
        ("db_entities/ip.yml", "entity: {id: ip, name: IP, snapshot: true, color: red}\nattribs: {}"),
        ("db_entities/ip.yml", "entity: {id: ip, name: IP, snapshot: maybe}\nattribs: {}"),
        ("db_entities/ip.yml", "entity: {id: ip, name: IP, snapshot: true, id_data_type: ipv5}\nattribs: {}"),
        ("db_entities/ip.yml", "entity: {id: ip, name: IP, snapshot: true, lifetime: {type: ttl}}\nattribs: {}"),
        (
            "db_entities/ip.yml",
            "entity: {id: ip, name: IP, snapshot: true}\nattribs: {9a: {name: A, type: plain, data_type: int}}",
        ),
        (
            "db_entities/ip.yml",
            "entity: {id: ip, name: IP, snapshot: true}\nattribs: {a: {name: A, type: plan, data_type: int}}",
        ),
        (
            "db_entities/ip.yml",
            "entity: {id: ip, name: IP, snapshot: true}\nattribs: {a: {name: A, type: plain, data_type: integer}}",
        ),
        (
            "db_entities/ip.yml",
            "entity: {id: ip, name: IP, snapshot: true}\nattribs: {a: {name: A, type: plain, data_type: int, multi_value: true}}",
        ),
        (
            "db_entities/ip.yml",
            "entity: {id: ip, name: IP, snapshot: true}\nattribs: {a: {name: A, type: timeseries, timeseries_type: regular}}",
        ),
        ("control.yml", "allowed_actions: [make_snapshot]"),
        ("control.yml", "actions: []"),
        ("snapshots.yml", "creation_rate: {minutes: 5}"),
        ("snapshots.yml", "creation_rate: {minute: 60}"),
        ("snapshots.yml", "creation_rate: {}"),
        ("history_manager.yml", "aggregation_schedule: {minute: 5}"),
        ("updater.yml", "update_batch_cron: {minute: 5}\nupdate_batch_period: 0"),
        ("updater.yml", "update_batch_cron: {minute: 5}\nupdate_batch_period: '300'"),
        ("telemetry.yml", "schedule: {}"),
        ("database.yml", "db: x"),
        ("api.yml", "datapoint_logger: {good_log: true}"),
        ("tenter.yml", "lane: 1"),
        ("tenter.yml", "modules: {a: {limits: {feul: 1}}}"),
        ("tenter.yml", "modules: {a: {grants: [{capability: http}]}}"),
        ("event_logging.yml", "groups: {te: {intervals: [5]}}"),
        ("garbage_collector.yml", "collection_rate: 5m"),
        ("processing_core.yml", "worker_processes: 0"),
        ("modules/a.yml", "[1, 2]"),
    ] {
        let document = yaml::read(text).root.unwrap().to_json();
        assert!(!refuses(path, &document).is_empty(), "the reader takes {path}: {text}");
        assert!(!judge.takes(path, &document), "the schema takes {path}: {text}");
    }
}
