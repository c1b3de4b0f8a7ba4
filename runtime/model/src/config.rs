//! The configuration directory in DP³'s format, and our own `tenter.yml` beside it.
//!
//! Nothing here reads files: the server hands texts over and gets the typed configuration or every error at once,
//! each with file, line, column, path, what was expected and the nearest name. Files that DP³ needs and Tenter does
//! not are optional. What only concerns MongoDB, RabbitMQ or Redis is accepted and named once as ignored.

use std::collections::BTreeMap;

use crate::schema::Schema;

mod egress;
mod entities;
mod files;
mod http;
mod keys;
mod problem;
mod schemas;
mod section;
mod site;
mod tenter;
mod tree;
mod yaml;

use section::{Report, Words};
use yaml::{At, Node};

pub use egress::Egress;
pub use files::is_of_deployment;
pub use http::Http;
pub use problem::ConfigProblem;
pub use schemas::{json_schema, schema_kinds};
pub use site::{
    Action, Api, Archivation, Cleaning, Control, EventGroup, GarbageCollector, HistoryManager, ModuleSection,
    Signatures, SiteConfig, Snapshots, Synchronous, Telemetry, TenterConfig, Updater,
};
pub use tree::Tree;

/// One file of the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFile {
    /// Path relative to the directory, with `/`, such as `db_entities/ip.yml`.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// What came of reading a directory.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The configuration; absent when there is any error.
    pub config: Option<SiteConfig>,
    /// What must be corrected, by file and line.
    pub errors: Vec<ConfigProblem>,
    /// What is probably not meant, and what is ignored.
    pub warnings: Vec<ConfigProblem>,
}

/// Reads a directory. The order of the files does not matter.
#[must_use]
pub fn load(files: &[ConfigFile]) -> Loaded {
    let mut report = Report::default();
    let mut files: Vec<&ConfigFile> = files.iter().collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let documents: Vec<Document<'_>> = files.into_iter().filter_map(|file| Document::read(&mut report, file)).collect();
    let config = assemble(&mut report, &documents);
    ignored(&mut report);
    let Report { mut errors, mut warnings, .. } = report;
    for list in [&mut errors, &mut warnings] {
        list.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    }
    Loaded { config: errors.is_empty().then_some(config), errors, warnings }
}

/// One file as a tree; no tree for a file that is empty or broken.
struct Document<'a> {
    path: &'a str,
    root: Option<Node>,
    broken: bool,
}

impl<'a> Document<'a> {
    fn read(report: &mut Report, file: &'a ConfigFile) -> Option<Self> {
        let path = file.path.as_str();
        let known = match path.split_once('/') {
            None => files::is_known(path),
            Some(("db_entities" | "modules", name)) => name.ends_with(".yml") && !name.contains('/'),
            Some(_) => false,
        };
        if !known {
            let lower = path.to_lowercase();
            if path.ends_with('/') && path.starts_with("db_entities/") {
                let words =
                    Words::new("folders in db_entities are not read").expected("each type in db_entities/TYPE.yml");
                report.warnings.push(words.about(path, "", At::default()));
            } else if [".yml", ".yaml"].iter().any(|ending| lower.ends_with(ending)) {
                report.warnings.push(files::unknown_file(path).about(path, "", At::default()));
            } else if files::is_of_deployment(path) {
                report.ignored.push((path.to_owned(), String::new()));
            }
            return None;
        }
        let yaml::Read { root, errors, warnings, mut duplicates } = yaml::read(&file.text);
        let broken = !errors.is_empty();
        let about = |remark: yaml::Remark| Words::new(remark.message).about(path, "", remark.at);
        report.errors.extend(errors.into_iter().map(about));
        report.warnings.extend(warnings.into_iter().map(about));
        // Our own file has nothing to load unchanged.
        if path == "tenter.yml" {
            report.errors.extend(duplicates.into_iter().map(about));
        } else {
            duplicates.iter_mut().for_each(|d| d.message.push_str("; the last one counts, as in DP³"));
            report.warnings.extend(duplicates.into_iter().map(about));
        }
        Some(Self { path, root, broken })
    }
}

/// Puts the configuration together; only whole when nothing was reported.
fn assemble(report: &mut Report, documents: &[Document<'_>]) -> SiteConfig {
    let (schema, module_configs) = (schema(report, documents), module_configs(report, documents));
    let file = |name: &str| documents.iter().find(|d| d.path == name).and_then(|d| Some((d.path, d.root.as_ref()?)));
    let mut config = SiteConfig { schema, module_configs, ..SiteConfig::default() };
    if let Some((path, root)) = file("processing_core.yml") {
        files::processing_core(report, path, root, &mut config);
    }
    set(&mut config.snapshots, file("snapshots.yml").and_then(|(p, r)| files::snapshots(report, p, r)));
    config.history_manager = file("history_manager.yml").and_then(|(p, r)| files::history_manager(report, p, r));
    config.updater = file("updater.yml").and_then(|(p, r)| files::updater(report, p, r));
    let collector = file("garbage_collector.yml").and_then(|(p, r)| files::garbage_collector(report, p, r));
    set(&mut config.garbage_collector, collector);
    set(&mut config.control, file("control.yml").and_then(|(p, r)| files::control(report, p, r)));
    set(&mut config.telemetry, file("telemetry.yml").and_then(|(p, r)| files::telemetry(report, p, r)));
    set(&mut config.event_logging, file("event_logging.yml").and_then(|(p, r)| files::event_logging(report, p, r)));
    set(&mut config.api, file("api.yml").and_then(|(p, r)| files::api(report, p, r)));
    set(&mut config.snapshot_bucket_size, file("database.yml").and_then(|(p, r)| files::database(report, p, r)));
    set(&mut config.tenter, file("tenter.yml").and_then(|(p, r)| tenter::read(report, p, r)));
    config.schema.duplicate_keys = config.tenter.duplicate_keys;
    config
}

fn set<T>(slot: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *slot = value;
    }
}

fn schema(report: &mut Report, documents: &[Document<'_>]) -> Schema {
    let (mut drafts, mut broken, mut any) = (Vec::new(), Vec::new(), false);
    for document in documents.iter().filter(|d| d.path.starts_with("db_entities/")) {
        any = true;
        match &document.root {
            Some(root) => match entities::read(report, document.path, root) {
                Some(draft) => drafts.push(draft),
                None => broken.push(document.path),
            },
            None if document.broken => broken.push(document.path),
            // DP³ skips an empty file.
            None => {}
        }
    }
    if !any {
        let words = Words::new("there are no entity types, so no datapoints can be stored")
            .expected("a file db_entities/TYPE.yml for each type");
        report.warnings.push(words.about("db_entities", "", At::default()));
    }
    entities::link(report, drafts, &broken)
}

fn module_configs(report: &mut Report, documents: &[Document<'_>]) -> BTreeMap<String, serde_json::Value> {
    let mut out = BTreeMap::new();
    for document in documents {
        let name = document.path.strip_prefix("modules/").and_then(|n| n.strip_suffix(".yml"));
        let (Some(name), Some(root)) = (name, &document.root) else { continue };
        if section::Section::open_names(report, document.path, "", root).is_some() {
            out.insert(files::module_name(name), root.to_json());
        }
    }
    out
}

/// Names what was accepted and has no effect, once.
fn ignored(report: &mut Report) {
    if !report.ignored.is_empty() {
        let mut files: Vec<(&str, Vec<&str>)> = Vec::new();
        for (file, path) in &report.ignored {
            match files.iter_mut().find(|(name, _)| name == file) {
                Some((_, paths)) => paths.push(path),
                None => files.push((file, vec![path])),
            }
        }
        let shown = |(file, paths): &(&str, Vec<&str>)| match paths.join(", ") {
            whole if whole.is_empty() => (*file).to_owned(),
            keys => format!("{file} ({keys})"),
        };
        let message = format!(
            "these are ignored, since they concern DP³'s processes, MongoDB, RabbitMQ, Redis or the web server, or have no effect in DP³ either: {}",
            files.iter().map(shown).collect::<Vec<_>>().join(", ")
        );
        report.warnings.push(Words::new(message).about("(directory)", "", At::default()));
    }
}

/// The candidate nearest to `given` by edit distance, when it is near enough to be what was meant.
#[must_use]
pub fn nearest<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|c| (distance(given, c), c))
        .filter(|(d, c)| *d <= 1 + c.len().max(given.len()) / 4)
        .min_by_key(|(d, _)| *d)
        .map(|(_, c)| c)
}

/// Levenshtein distance in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (slot, cb) in row.iter_mut().skip(1).zip(&b) {
            let cost = diagonal + usize::from(ca != *cb);
            diagonal = *slot;
            left = cost.min(*slot + 1).min(left + 1);
            *slot = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_is_what_was_meant() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(nearest("observation", ["plain", "observations", "timeseries"]), Some("observations"));
        assert_eq!(nearest("xyz", ["plain", "observations"]), None);
    }
}
