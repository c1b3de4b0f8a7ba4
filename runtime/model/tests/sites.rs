//! Directories as users of DP³ have them: each loads unchanged, and what has no effect is named once.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly, in its helpers too")]

use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use tenter_model::config::{self, ConfigFile, ConfigProblem, Loaded};
use tenter_model::schema::AttributeKind;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sites").join(name)
}

/// The files of a directory, with the paths that they have in it.
fn files(name: &str) -> Vec<ConfigFile> {
    let root = folder(name);
    let mut out = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let inside = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
            out.push(ConfigFile { path: inside, text: std::fs::read_to_string(&path).unwrap() });
        }
    }
    out
}

fn lines(problems: &[ConfigProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn load(name: &str) -> Loaded {
    let loaded = config::load(&files(name));
    assert_eq!(lines(&loaded.errors), "", "{name}");
    loaded
}

#[test]
fn a_fresh_application_loads() {
    let loaded = load("template");
    assert_snapshot!(lines(&loaded.warnings), @"(directory): these are ignored, since they concern DP³'s processes, MongoDB, RabbitMQ, Redis or the web server, or have no effect in DP³ either: nginx.conf, supervisord.conf, processing_core.yml (msg_broker, worker_processes, worker_threads, modules_dir), history_manager.yml (mark_datapoints_schedule), event_logging.yml (redis, groups.te.sync_interval, groups.te.sync_limit, groups.tasks_by_src.sync_interval, groups.tasks_by_src.sync_limit), database.yml (db_name, username, password, connection, storage.snapshot_bucket_size)");
    let config = loaded.config.unwrap();
    assert_eq!(config.enabled_modules, ["module_one"]);
    assert_eq!(config.module_configs["module_one"].to_string(), r#"{"msg":"hello"}"#);
    assert_eq!(config.history_manager.unwrap().datapoint_archivation.archive_dir.as_deref(), Some("data/datapoints/"));
    assert_eq!(config.event_logging["te"].intervals.len(), 2);
    assert!(
        !config.event_logging["te"].auto_declare_events && config.event_logging["tasks_by_src"].auto_declare_events
    );
}

#[test]
fn a_deployment_with_one_type_loads() {
    let loaded = load("addresses");
    assert_eq!(loaded.warnings.len(), 1, "{}", lines(&loaded.warnings));
    let config = loaded.config.unwrap();
    assert_eq!(config.enabled_modules.len(), 4);
    assert_eq!(config.snapshots.creation_rate.fields(), [("hour", "*")]);
    assert_eq!(config.schema.entity("ip").unwrap().attributes().len(), 6);
}

#[test]
fn every_key_and_form_loads() {
    let loaded = load("everything");
    assert_snapshot!(lines(&loaded.warnings), @r#"
    (directory): these are ignored, since they concern DP³'s processes, MongoDB, RabbitMQ, Redis or the web server, or have no effect in DP³ either: processing_core.yml (msg_broker, worker_processes, worker_threads, max_inline_generated_tasks, modules_dir), database.yml (connection)
    db_entities/host.yml:24:59: 1:30 is read as the number 90, as DP³ does; other readers take it for text; quote it or write it plainly
    db_entities/host.yml:57:7: host.attribs.several.history_params.something_else: unknown key, it has no effect; expected one of max_age, max_items, expire_time, pre_validity, post_validity, aggregate
    db_entities/mac.yml:4:3: duplicate key "twice", first at 3:3; the last one counts, as in DP³
    db_entities/other.yaml: this file is not read; only files that end in .yml are, not .yaml; expected db_entities/other.yml
    processing_core.yml:6:19: enabled_modules: "Ip_Filter" is called "ip_filter" here; upload its component under that name
    processing_core.yml:6:37: enabled_modules: "Ip_Filter" stands there twice
    processing_core.yml:7:1: unknown: unknown key, it has no effect; expected one of msg_broker, worker_processes, worker_threads, max_inline_generated_tasks, modules_dir, enabled_modules
    "#);
    let config = loaded.config.unwrap();
    let host = config.schema.entity("host").unwrap();
    let AttributeKind::Observations { multi_value, history, .. } = &host.attribute("several").unwrap().kind else {
        panic!("no observations")
    };
    // What `<<` brings is overwritten by what stands beside it.
    assert!(*multi_value && !history.aggregate && history.max_items == Some(100));
    assert_eq!(host.attribute("a_time").unwrap().ttl, 90_000_000);
    assert_eq!(host.attribute("an_ipv6").unwrap().ttl, 5_400_000_000);
    assert!(config.schema.attribute("4g_cell", "hosts_with").is_some());
    // Of a key that stands twice the last counts.
    assert_eq!(config.schema.attribute("mac", "twice").unwrap().name, "last");
    assert_eq!(config.enabled_modules, ["ip_filter", "whois", "ip_filter"]);
    assert_eq!(
        config.module_configs["ip_filter"].to_string(),
        r#"{"limits":{"hard":1000,"on":true,"ratio":1500.0,"soft":16},"prefixes":["192.0.2.0/24","198.51.100.0/24"],"since":"2024-01-01","when":"2024-01-01"}"#
    );
    assert_eq!((config.worker_processes, config.worker_threads, config.max_inline_generated_tasks), (3, 8, 20));
    assert_eq!(config.updater.unwrap().update_batch_period, 30_000_000);
}
