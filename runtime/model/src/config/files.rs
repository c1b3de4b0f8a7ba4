//! The files beside `db_entities`, as DP³ knows them.

use std::collections::BTreeMap;

use super::keys::{EVENT_GROUP, FILES, Keys, Others};
use super::nearest;
use super::section::{Report, Section, Words, a_duration, at_least, boolean, one_of, text, texts};
use super::site::{
    Action, Api, Archivation, Cleaning, Control, EventGroup, GarbageCollector, HistoryManager, SiteConfig, Snapshots,
    Telemetry, Updater,
};
use super::yaml::{Entry, Kind, Node};
use crate::cron::Cron;
use crate::duration;
use crate::id::ModuleName;

pub(super) fn processing_core(report: &mut Report, file: &str, root: &Node, config: &mut SiteConfig) {
    let Some(top) = Section::open(report, file, "", root, keys_of(file)) else { return };
    // DP³'s processes, and how tasks go from one to another: there is one process here, and its queue is its own.
    top.ignore(
        report,
        &["msg_broker", "worker_processes", "worker_threads", "max_inline_generated_tasks", "modules_dir"],
    );
    for (key, low, slot) in [
        ("worker_processes", 1, &mut config.worker_processes),
        ("worker_threads", 1, &mut config.worker_threads),
        ("max_inline_generated_tasks", 0, &mut config.max_inline_generated_tasks),
    ] {
        if let Some(n) = top.read(report, key, at_least(low)) {
            *slot = n;
        }
    }
    config.modules_dir = top.read(report, "modules_dir", text);
    config.enabled_modules = top.read(report, "enabled_modules", texts).unwrap_or_default();
    if let Some(Node { kind: Kind::List(items), .. }) = top.get("enabled_modules") {
        let mut seen: Vec<String> = Vec::new();
        for item in items {
            let Kind::Text(given) = &item.kind else { continue };
            let name = module_name(given);
            let words = match ModuleName::new(&name) {
                Err(e) => Words::new(format!("no module can have this name: {e}")),
                Ok(_) if seen.contains(&name) => Words::new(format!("{given:?} stands there twice")),
                Ok(_) if name != *given => {
                    Words::new(format!("{given:?} is called {name:?} here; upload its component under that name"))
                }
                Ok(_) => {
                    seen.push(name);
                    continue;
                }
            };
            report.warnings.push(words.about(file, "enabled_modules", item.at));
            seen.push(name);
        }
        for name in &mut config.enabled_modules {
            *name = module_name(name);
        }
    }
    top.close(report);
}

/// `database.yml`: how DP³ reaches MongoDB and stores there.
pub(super) fn database(report: &mut Report, file: &str, root: &Node) -> Option<u64> {
    let top = Section::open(report, file, "", root, keys_of(file))?;
    top.ignore(report, &["db_name", "username", "password", "connection"]);
    let size = top.section(report, "storage").and_then(|storage| {
        storage.ignore(report, &["snapshot_bucket_size"]);
        let size = storage.read(report, "snapshot_bucket_size", at_least(1));
        storage.close(report);
        size
    });
    top.close(report);
    size
}

pub(super) fn snapshots(report: &mut Report, file: &str, root: &Node) -> Option<Snapshots> {
    let top = Section::open(report, file, "", root, keys_of(file))?;
    let default = Snapshots::default();
    let out = Snapshots {
        creation_rate: top.cron(report, "creation_rate").unwrap_or(default.creation_rate),
        keep_empty: top.read(report, "keep_empty", boolean).unwrap_or(default.keep_empty),
    };
    top.close(report);
    Some(out)
}

pub(super) fn history_manager(report: &mut Report, file: &str, root: &Node) -> Option<HistoryManager> {
    let top = Section::open(report, file, "", root, keys_of(file))?;
    let aggregation_schedule = top.require_cron(report, "aggregation_schedule");
    let datapoint_cleaning_schedule = top.require_cron(report, "datapoint_cleaning_schedule");
    top.ignore(report, &["mark_datapoints_schedule"]);
    let snapshot_cleaning = require_section(report, &top, "snapshot_cleaning").and_then(|section| {
        let schedule = section.require_cron(report, "schedule");
        let older_than = section.require(report, "older_than", a_duration);
        section.close(report);
        Some(Cleaning { schedule: schedule?, older_than: older_than? })
    });
    let datapoint_archivation = require_section(report, &top, "datapoint_archivation").and_then(|section| {
        let schedule = section.require_cron(report, "schedule");
        let older_than = section.require(report, "older_than", a_duration);
        let archive_dir = section.read(report, "archive_dir", text);
        section.close(report);
        Some(Archivation { schedule: schedule?, older_than: older_than?, archive_dir })
    });
    top.close(report);
    Some(HistoryManager {
        aggregation_schedule: aggregation_schedule?,
        datapoint_cleaning_schedule: datapoint_cleaning_schedule?,
        snapshot_cleaning: snapshot_cleaning?,
        datapoint_archivation: datapoint_archivation?,
    })
}

fn require_section<'a>(report: &mut Report, top: &Section<'a>, key: &'static str) -> Option<Section<'a>> {
    if top.get(key).is_none() {
        top.missing(report, key);
    }
    top.section(report, key)
}

pub(super) fn updater(report: &mut Report, file: &str, root: &Node) -> Option<Updater> {
    let top = Section::open(report, file, "", root, keys_of(file))?;
    let update_batch_cron = top.require_cron(report, "update_batch_cron");
    let period = |node: &Node| match a_duration(node)? {
        0 => Err(Words::wrong("a duration above zero", node)),
        micros => Ok(micros),
    };
    let update_batch_period = top.require(report, "update_batch_period", period);
    let cache_management_cron = top.cron(report, "cache_management_cron").unwrap_or_else(|| Cron::daily(2, 0, 0));
    let cache_max_entries = top.read(report, "cache_max_entries", at_least(1)).unwrap_or(32);
    top.close(report);
    Some(Updater {
        update_batch_cron: update_batch_cron?,
        update_batch_period: update_batch_period?,
        cache_management_cron,
        cache_max_entries,
    })
}

pub(super) fn garbage_collector(report: &mut Report, file: &str, root: &Node) -> Option<GarbageCollector> {
    let top = Section::open(report, file, "", root, keys_of(file))?;
    let collection_rate = top.cron(report, "collection_rate");
    top.close(report);
    Some(collection_rate.map_or_else(GarbageCollector::default, |collection_rate| GarbageCollector { collection_rate }))
}

pub(super) fn control(report: &mut Report, file: &str, root: &Node) -> Option<Control> {
    let top = Section::open(report, file, "", root, keys_of(file))?;
    let names = Action::ALL.map(Action::name);
    let mut allowed_actions = Vec::new();
    match top.get("allowed_actions") {
        None => top.missing(report, "allowed_actions"),
        Some(Node { kind: Kind::List(items), .. }) => {
            for item in items {
                let found = match &item.kind {
                    Kind::Text(name) => Action::ALL.into_iter().find(|a| a.name() == name),
                    _ => None,
                };
                match (found, &item.kind) {
                    (Some(action), _) if !allowed_actions.contains(&action) => allowed_actions.push(action),
                    (Some(_), _) => {}
                    (None, Kind::Text(name)) => {
                        let words =
                            Words::new(format!("{name:?} is no action")).expected(one_of(&names)).near(name, names);
                        top.error(report, item.at, "allowed_actions", words);
                    }
                    (None, _) => top.error(report, item.at, "allowed_actions", Words::wrong(one_of(&names), item)),
                }
            }
        }
        Some(other) => top.error(report, other.at, "allowed_actions", Words::wrong("a list of actions", other)),
    }
    top.close(report);
    Some(Control { allowed_actions })
}

pub(super) fn telemetry(report: &mut Report, file: &str, root: &Node) -> Option<Telemetry> {
    let top = Section::open(report, file, "", root, keys_of(file))?;
    let schedule = top.cron(report, "attribute_bson_size_schedule");
    top.close(report);
    Some(schedule.map_or_else(Telemetry::default, |s| Telemetry { attribute_bson_size_schedule: s }))
}

pub(super) fn event_logging(report: &mut Report, file: &str, root: &Node) -> Option<BTreeMap<String, EventGroup>> {
    let top = Section::open(report, file, "", root, keys_of(file))?;
    top.ignore(report, &["redis"]);
    let mut out = BTreeMap::new();
    if let Some(groups) = top.section(report, "groups") {
        for Entry { key, value, .. } in groups.entries() {
            let Some(group) = groups.inner(report, key, value, &EVENT_GROUP) else { continue };
            let parsed = EventGroup {
                events: group.read(report, "events", texts).unwrap_or_default(),
                auto_declare_events: group.read(report, "auto_declare_events", boolean).unwrap_or(false),
                intervals: group.read(report, "intervals", intervals).unwrap_or_default(),
            };
            // How often DP³ writes to Redis.
            group.ignore(report, &["sync_interval", "sync_limit"]);
            group.close(report);
            out.insert(key.clone(), parsed);
        }
    }
    top.close(report);
    Some(out)
}

fn intervals(node: &Node) -> Result<Vec<(String, i64)>, Words> {
    let names = texts(node)?;
    names.into_iter().map(|name| duration::parse(&name).map(|d| (name, d)).map_err(Words::new)).collect()
}

pub(super) fn api(report: &mut Report, file: &str, root: &Node) -> Option<Api> {
    let top = Section::open(report, file, "", root, keys_of(file))?;
    let mut out = Api::default();
    if let Some(cors) = top.section(report, "cors") {
        if let Some(origins) = cors.read(report, "allow_origins", texts) {
            out.allow_origins = origins;
        }
        cors.close(report);
    }
    if let Some(logger) = top.section(report, "datapoint_logger") {
        let path = |node: &Node| match &node.kind {
            Kind::Bool(false) => Ok(None),
            Kind::Text(path) => Ok(Some(path.clone())),
            _ => Err(Words::wrong("false or the path of a file", node)),
        };
        out.good_log = logger.read(report, "good_log", path).flatten();
        out.bad_log = logger.read(report, "bad_log", path).flatten();
        logger.close(report);
    }
    top.close(report);
    Some(out)
}

/// What a file at the top of the directory may hold; nothing when it is none of them.
fn keys_of(file: &str) -> &'static Keys {
    const NONE: Keys = Keys { list: &[], others: Others::Warn };
    FILES.iter().find(|(name, _)| *name == file).map_or(&NONE, |(_, keys)| keys)
}

/// A module by the name under which its component can be uploaded: Python's names may have capital letters, ours not.
pub(super) fn module_name(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    if ModuleName::new(&lower).is_ok() { lower } else { name.to_owned() }
}

/// Whether a file is one that DP³'s tools write for a web server or a supervisor of processes.
#[must_use]
pub fn is_of_deployment(path: &str) -> bool {
    let name = path.to_lowercase();
    ["nginx", "supervisor"].iter().any(|word| name.contains(word)) && !name.contains('/')
}

/// Whether there is such a file at the top of the directory.
pub(super) fn is_known(file: &str) -> bool {
    FILES.iter().any(|(name, _)| *name == file)
}

/// What to say about a file that is not known.
pub(super) fn unknown_file(path: &str) -> Words {
    let name = path.rsplit('/').next().unwrap_or(path);
    if let Some((stem, ending)) = path.rsplit_once('.').filter(|(_, e)| *e != "yml" && name.len() > e.len() + 1) {
        return Words::new(format!("this file is not read; only files that end in .yml are, not .{ending}"))
            .expected(format!("{stem}.yml"));
    }
    let mut words = Words::new("unknown file, it has no effect");
    words.nearest = nearest(path, FILES.iter().map(|(name, _)| *name)).map(str::to_owned);
    if words.nearest.is_some() { words } else { words.expected("a file of DP³'s configuration, or tenter.yml") }
}
