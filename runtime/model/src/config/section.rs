//! Typed reading of one mapping, with a problem for whatever does not fit.
//!
//! A [`Section`] knows its file, its path and which keys it may hold; closing it reports those it may not. Readers
//! return `None` after they have reported, so that callers go on and find the next problem.

use super::keys::{Form, Keys, Others};
use super::nearest;
use super::problem::ConfigProblem;
use super::yaml::{At, Entry, Kind, Node};
use crate::cron::{self, Cron, Schedule};
use crate::duration;

/// Longest path and message of a problem, in characters; what a file holds may be longer.
const MAX_PATH: usize = 300;
const MAX_MESSAGE: usize = 2000;

/// All that was found wrong so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) errors: Vec<ConfigProblem>,
    pub(super) warnings: Vec<ConfigProblem>,
    /// Files and paths in them that only concern what Tenter does without; no path for a whole file.
    pub(super) ignored: Vec<(String, String)>,
}

/// One mapping.
#[derive(Debug)]
pub(super) struct Section<'a> {
    file: &'a str,
    path: String,
    at: At,
    entries: &'a [Entry],
    keys: &'static Keys,
}

/// The words of one problem.
#[derive(Debug, Default)]
pub(super) struct Words {
    pub(super) message: String,
    pub(super) expected: Option<String>,
    pub(super) nearest: Option<String>,
}

impl Words {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), expected: None, nearest: None }
    }

    pub(super) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    pub(super) fn near<'n>(mut self, given: &str, names: impl IntoIterator<Item = &'n str>) -> Self {
        self.nearest = nearest(given, names).map(str::to_owned);
        self
    }

    /// A value that is not what it should be.
    pub(super) fn wrong(expected: impl Into<String>, found: &Node) -> Self {
        Self::new(format!("found {}", found.shown())).expected(expected)
    }

    /// These words about one place.
    pub(super) fn about(self, file: &str, path: &str, at: At) -> ConfigProblem {
        ConfigProblem {
            file: file.to_owned(),
            line: at.line,
            column: at.column,
            path: tidy(path, MAX_PATH),
            message: tidy(&self.message, MAX_MESSAGE),
            expected: self.expected,
            nearest: self.nearest,
        }
    }
}

/// Text out of a file for people: control characters escaped, and cut.
fn tidy(text: &str, most: usize) -> String {
    let escaped: String = text
        .chars()
        .take(most + 1)
        .flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] })
        .collect();
    if escaped.chars().count() <= most { escaped } else { escaped.chars().take(most - 1).chain(['…']).collect() }
}

impl<'a> Section<'a> {
    /// Opens a mapping that may hold these keys; anything else is reported.
    pub(super) fn open(
        report: &mut Report,
        file: &'a str,
        path: &str,
        node: &'a Node,
        keys: &'static Keys,
    ) -> Option<Self> {
        match &node.kind {
            Kind::Map(entries) => Some(Self { file, path: path.to_owned(), at: node.at, entries, keys }),
            _ => {
                report.errors.push(Words::wrong("a mapping", node).about(file, path, node.at));
                None
            }
        }
    }

    /// A mapping in which any key may stand; its reader looks at each.
    pub(super) fn open_names(report: &mut Report, file: &'a str, path: &str, node: &'a Node) -> Option<Self> {
        const ANY: Keys = Keys { list: &[], others: Others::Warn };
        Self::open(report, file, path, node, &ANY)
    }

    /// The mapping of a key.
    pub(super) fn section(&self, report: &mut Report, key: &'static str) -> Option<Self> {
        let node = self.get(key)?;
        match self.keys.find(key).map(|key| key.form) {
            Some(Form::Mapping(keys)) => Self::open(report, self.file, &self.path_of(key), node, keys),
            _ => Self::open_names(report, self.file, &self.path_of(key), node),
        }
    }

    /// A mapping inside of this one, whose name is no key of the table.
    pub(super) fn inner(&self, report: &mut Report, name: &str, node: &'a Node, keys: &'static Keys) -> Option<Self> {
        Self::open(report, self.file, &self.path_of(name), node, keys)
    }

    /// The same mapping, now that it is known what it may hold.
    pub(super) fn holding(self, keys: &'static Keys) -> Self {
        Self { keys, ..self }
    }

    /// The value of a key that may be missing; null counts as missing.
    pub(super) fn get(&self, key: &'static str) -> Option<&'a Node> {
        debug_assert!(self.keys.find(key).is_some(), "{key} is not in the table of keys");
        self.entries.iter().find(|e| e.key == key).map(|e| &e.value).filter(|n| n.kind != Kind::Null)
    }

    /// Says that a key must be there.
    pub(super) fn missing(&self, report: &mut Report, key: &str) {
        let words = Words::new(format!("Mandatory configuration element is missing: {key}"));
        self.error(report, self.at, "", words);
    }

    pub(super) fn entries(&self) -> &'a [Entry] {
        self.entries
    }

    pub(super) fn at(&self) -> At {
        self.at
    }

    pub(super) fn file(&self) -> &'a str {
        self.file
    }

    pub(super) fn path_of(&self, key: &str) -> String {
        match (self.path.is_empty(), key.is_empty()) {
            (true, _) => key.to_owned(),
            (false, true) => self.path.clone(),
            (false, false) => format!("{}.{key}", self.path),
        }
    }

    /// Reports an error at a place, about a key of this section (or the section itself when the key is empty).
    pub(super) fn error(&self, report: &mut Report, at: At, key: &str, words: Words) {
        report.errors.push(words.about(self.file, &self.path_of(key), at));
    }

    /// Reads a key with a function that says what it expects when it fails.
    pub(super) fn read<T>(
        &self,
        report: &mut Report,
        key: &'static str,
        read: impl FnOnce(&Node) -> Result<T, Words>,
    ) -> Option<T> {
        let node = self.get(key)?;
        match read(node) {
            Ok(value) => Some(value),
            Err(words) => {
                self.error(report, node.at, key, words);
                None
            }
        }
    }

    /// The same for a key that must be there.
    pub(super) fn require<T>(
        &self,
        report: &mut Report,
        key: &'static str,
        read: impl FnOnce(&Node) -> Result<T, Words>,
    ) -> Option<T> {
        if self.get(key).is_none() {
            self.missing(report, key);
            return None;
        }
        self.read(report, key, read)
    }

    /// A schedule; a problem in one field is reported at that field.
    pub(super) fn cron(&self, report: &mut Report, key: &'static str) -> Option<Cron> {
        let fields = self.section(report, key)?;
        let errors = report.errors.len();
        let mut out = Cron::default();
        for Entry { at, key: name, value } in fields.entries {
            let result = match (name.as_str(), &value.kind) {
                (_, Kind::Null) => Ok(()),
                ("timezone", Kind::Text(zone)) => {
                    out.timezone.clone_from(zone);
                    Ok(())
                }
                (name, Kind::Text(text)) => out.set(name, text.trim()),
                (name, Kind::Int(n)) if name != "year" && name != "timezone" => out.set(name, &n.to_string()),
                // pydantic takes 5.0 for 5.
                (name, Kind::Float(x)) if x.fract() == 0.0 && name != "year" && cron::FIELDS.contains(&name) => {
                    out.set(name, &x.to_string())
                }
                (name, _) if cron::FIELDS.contains(&name) || name == "timezone" => {
                    let expected = match name {
                        "month" | "week" => "a number",
                        "year" | "timezone" => "text",
                        _ => "a number or text such as \"*/30\"",
                    };
                    Err(format!("found {}; expected {expected}", value.shown()))
                }
                (name, _) => Err(format!("{name:?} is no field of a schedule")),
            };
            if let Err(message) = result {
                let unknown = !cron::FIELDS.contains(&name.as_str()) && name != "timezone";
                let words = Words::new(message);
                let words = if unknown { words.near(name, cron::FIELDS) } else { words };
                fields.error(report, if unknown { *at } else { value.at }, name, words);
            }
        }
        if report.errors.len() == errors && out.fields().is_empty() {
            let words = Words::new("no field is given")
                .expected("at least one of year, month, day, week, day_of_week, hour, minute, second");
            fields.error(report, fields.at, "", words);
        }
        // What the form allows can still be no schedule: a step that is too long, an unknown time zone.
        if report.errors.len() == errors
            && let Err(error) = Schedule::of(&out)
        {
            fields.error(report, fields.at, "", Words::new(error.to_string()));
        }
        (report.errors.len() == errors).then_some(out)
    }

    /// A schedule that must be there.
    pub(super) fn require_cron(&self, report: &mut Report, key: &'static str) -> Option<Cron> {
        if self.get(key).is_none() {
            self.missing(report, key);
            return None;
        }
        self.cron(report, key)
    }

    /// Takes note of keys that are ignored.
    pub(super) fn ignore(&self, report: &mut Report, keys: &[&'static str]) {
        for key in keys {
            if self.get(key).is_some() {
                report.ignored.push((self.file.to_owned(), self.path_of(key)));
            }
        }
    }

    /// Reports the keys that have no place here.
    pub(super) fn close(self, report: &mut Report) {
        for entry in self.entries.iter().filter(|e| self.keys.find(&e.key).is_none()) {
            let words = match self.keys.others {
                Others::Error => Words::new("Extra inputs are not permitted"),
                Others::Warn => Words::new("unknown key, it has no effect"),
            };
            let names: Vec<&str> = self.keys.names().collect();
            let words = words.near(&entry.key, names.iter().copied());
            let words = if words.nearest.is_some() { words } else { words.expected(one_of(&names)) };
            let problem = words.about(self.file, &self.path_of(&entry.key), entry.at);
            match self.keys.others {
                Others::Error => report.errors.push(problem),
                Others::Warn => report.warnings.push(problem),
            }
        }
    }
}

/// Names in a row for an error message.
pub(super) fn one_of(names: &[&str]) -> String {
    format!("one of {}", names.join(", "))
}

/// Text.
pub(super) fn text(node: &Node) -> Result<String, Words> {
    match &node.kind {
        Kind::Text(text) => Ok(text.clone()),
        Kind::Int(_) | Kind::Float(_) | Kind::Bool(_) => Err(Words::wrong("text; put it in quotes", node)),
        _ => Err(Words::wrong("text", node)),
    }
}

/// A truth value, in any form that DP³ takes.
pub(super) fn boolean(node: &Node) -> Result<bool, Words> {
    match &node.kind {
        Kind::Bool(b) => Ok(*b),
        Kind::Int(0) => Ok(false),
        Kind::Int(1) => Ok(true),
        Kind::Text(text) => crate::accept::truth(text).ok_or_else(|| Words::wrong("true or false", node)),
        _ => Err(Words::wrong("true or false", node)),
    }
}

/// An integer not below a bound.
pub(super) fn at_least(low: u64) -> impl Fn(&Node) -> Result<u64, Words> {
    move |node| {
        let found = match &node.kind {
            Kind::Int(n) => u64::try_from(*n).ok(),
            // pydantic takes 5.0 for 5. Beyond 2^53 a float is no certain integer.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
            Kind::Float(x) if x.fract() == 0.0 && (0.0..9_007_199_254_740_992.0).contains(x) => Some(*x as u64),
            Kind::Text(text) => text.trim().parse().ok(),
            _ => None,
        };
        found.filter(|n| *n >= low).ok_or_else(|| Words::wrong(format!("an integer, at least {low}"), node))
    }
}

/// A duration; microseconds.
pub(super) fn a_duration(node: &Node) -> Result<i64, Words> {
    let read = match &node.kind {
        Kind::Int(n) => n.checked_mul(1_000_000).ok_or_else(|| format!("{n} seconds are no usable duration")),
        Kind::Float(x) => duration::from_seconds(*x),
        Kind::Text(text) => duration::parse(text),
        _ => return Err(Words::wrong("a duration such as \"30m\", or a number of seconds", node)),
    };
    read.map_err(Words::new).and_then(|micros| {
        if micros < 0 { Err(Words::wrong("a duration that is not negative", node)) } else { Ok(micros) }
    })
}

/// A list of texts.
pub(super) fn texts(node: &Node) -> Result<Vec<String>, Words> {
    match &node.kind {
        Kind::List(items) => items.iter().map(text).collect(),
        _ => Err(Words::wrong("a list of names", node)),
    }
}

/// One of several words, by name.
pub(super) fn word<T: Copy>(node: &Node, choices: &[(&'static str, T)]) -> Result<T, Words> {
    let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
    if let Kind::Text(text) = &node.kind {
        if let Some((_, choice)) = choices.iter().find(|(name, _)| name == text) {
            return Ok(*choice);
        }
        return Err(Words::wrong(one_of(&names), node).near(text, names.iter().copied()));
    }
    Err(Words::wrong(one_of(&names), node))
}
