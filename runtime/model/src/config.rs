//! The configuration directory in DP³'s format, and our own `tenter.yml` beside it.
//!
//! Nothing here reads files: the server hands texts over and gets the typed configuration or every error at once,
//! each with file, line, column, path, what was expected and the nearest name. Files that DP³ needs and Tenter does
//! not are optional. What only concerns MongoDB, RabbitMQ or Redis is accepted and named once as ignored.

mod problem;
mod site;

pub use problem::ConfigProblem;
pub use site::{
    Action, Api, Archivation, Cleaning, Control, EventGroup, GarbageCollector, HistoryManager, ModuleSection,
    SiteConfig, Snapshots, Synchronous, Telemetry, TenterConfig, Updater,
};

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

/// Reads a directory.
#[must_use]
pub fn load(files: &[ConfigFile]) -> Loaded {
    let _ = files;
    Loaded { config: None, errors: Vec::new(), warnings: Vec::new() }
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
