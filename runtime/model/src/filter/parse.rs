//! From a MongoDB query document to conditions.

use serde_json::{Map, Value as Json};

use super::condition::{Node, Path, Test};
use super::document::Wanted;
use super::item::Item;
use super::magic::{self, Magic};
use super::{FilterError, MAX_CONDITIONS, MAX_DEPTH, MAX_PATTERNS, MAX_STEPS, MAX_VALUES};
use crate::config::nearest;
use crate::schema::{EntitySpec, IdType};

/// Operators that stand in place of a field.
const COMBINING: [&str; 4] = ["$and", "$or", "$nor", "$comment"];

/// Reads filters, collecting what is wrong with them.
pub(super) struct Parser<'a> {
    pub(super) entity: &'a EntitySpec,
    pub(super) errors: Vec<FilterError>,
    pub(super) notes: Vec<String>,
    pub(super) wanted: Wanted,
    conditions: usize,
    values: usize,
    patterns: usize,
}

/// Where in a filter something stands, for errors.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    parent: Option<&'a Self>,
    name: &'a str,
    index: Option<usize>,
    depth: usize,
}

impl<'a> At<'a> {
    pub(super) fn root(name: &'a str) -> Self {
        Self { parent: None, name, index: None, depth: 0 }
    }

    pub(super) fn key(&'a self, name: &'a str) -> Self {
        Self { parent: Some(self), name, index: None, depth: self.depth + 1 }
    }

    pub(super) fn index(&'a self, index: usize) -> Self {
        Self { parent: Some(self), name: "", index: Some(index), depth: self.depth + 1 }
    }

    fn text(&self) -> String {
        let before = self.parent.map(Self::text).unwrap_or_default();
        match self.index {
            Some(i) => format!("{before}[{i}]"),
            None if before.is_empty() => self.name.to_owned(),
            None => format!("{before} / {}", self.name.chars().take(80).collect::<String>()),
        }
    }
}

impl<'a> Parser<'a> {
    pub(super) fn new(entity: &'a EntitySpec) -> Self {
        Self {
            entity,
            errors: Vec::new(),
            notes: Vec::new(),
            wanted: Wanted::none(),
            conditions: 0,
            values: 0,
            patterns: 0,
        }
    }

    pub(super) fn wrong(&mut self, at: &At<'_>, message: impl Into<String>) {
        // One error more than can be read helps nobody.
        if self.errors.len() < 20 {
            self.errors.push(FilterError { at: at.text(), message: message.into() });
        }
    }

    pub(super) fn id_type(&self) -> IdType {
        self.entity.id_type
    }

    /// A whole query document, or the one in `$elemMatch`. `top` tells whether fields are those of the listing.
    pub(super) fn document(&mut self, at: &At<'_>, json: &Json, top: bool) -> Option<Node> {
        let Json::Object(map) = json else {
            self.wrong(at, format!("expected an object with conditions, found {}", shown(json)));
            return None;
        };
        if self.too_deep(at) {
            return None;
        }
        let nodes: Vec<_> = map.iter().map(|(key, value)| self.entry(&at.key(key), key, value, top)).collect();
        nodes.into_iter().collect::<Option<Vec<_>>>().map(Node::And)
    }

    fn entry(&mut self, at: &At<'_>, key: &str, value: &Json, top: bool) -> Option<Node> {
        match key {
            "$and" => self.several(at, value, top).map(Node::And),
            "$or" => self.several(at, value, top).map(Node::Or),
            "$nor" => self.several(at, value, top).map(|any| Node::Not(Box::new(Node::Or(any)))),
            "$comment" => Some(Node::And(Vec::new())),
            "$not" => {
                self.wrong(at, "\"$not\" stands inside a field's conditions; to negate whole conditions use \"$nor\"");
                None
            }
            _ if key.starts_with('$') => {
                let message = unknown(key, "operator in place of a field", &COMBINING);
                self.wrong(at, message);
                None
            }
            _ => {
                let path = self.path(at, key, top)?;
                self.predicate(at, &path, value)
            }
        }
    }

    fn several(&mut self, at: &At<'_>, value: &Json, top: bool) -> Option<Vec<Node>> {
        let Some(list) = value.as_array().filter(|l| !l.is_empty()) else {
            self.wrong(at, format!("expected a list of at least one object with conditions, found {}", shown(value)));
            return None;
        };
        let nodes: Vec<_> = list.iter().enumerate().map(|(i, v)| self.document(&at.index(i), v, top)).collect();
        nodes.into_iter().collect()
    }

    fn path(&mut self, at: &At<'_>, key: &str, top: bool) -> Option<Path> {
        let path = Path::new(key);
        if path.0.len() > MAX_STEPS {
            self.wrong(at, format!("a field of {} parts is too deep: at most {MAX_STEPS}", path.0.len()));
            return None;
        }
        let mut names = path.0.iter().map(|s| s.key.as_str());
        match (top, names.next(), names.next()) {
            (true, Some("last"), None) => self.wanted = Wanted::All,
            (true, Some("last"), Some(name)) => {
                if let Wanted::Named(names) = &mut self.wanted {
                    names.insert(name.to_owned());
                }
            }
            (true, Some(name), _) if name == "eid" || self.entity.attribute(name).is_some() => {
                let note =
                    format!("{key:?} names nothing in a listing, so that it counts as missing; write \"last.{key}\"");
                if !self.notes.contains(&note) {
                    self.notes.push(note);
                }
            }
            _ => {}
        }
        Some(path)
    }

    /// What a field is compared with: a value, or an object of operators.
    pub(super) fn predicate(&mut self, at: &At<'_>, path: &Path, value: &Json) -> Option<Node> {
        match value {
            Json::Object(map) if map.keys().any(|k| k.starts_with('$')) => self.operators(at, path, map),
            Json::String(text) => match self.magic(at, text)? {
                Some(Magic::Range(first, last)) => self.range(at, path, first, last),
                Some(Magic::One(item)) => self.field(at, path, Test::Equal(item)),
                None => self.value(at, value).and_then(|item| self.field(at, path, Test::Equal(item))),
            },
            _ => self.value(at, value).and_then(|item| self.field(at, path, Test::Equal(item))),
        }
    }

    /// All operators of an object; each is a condition of its own.
    pub(super) fn operators(&mut self, at: &At<'_>, path: &Path, map: &Map<String, Json>) -> Option<Node> {
        if self.too_deep(at) {
            return None;
        }
        let nodes: Vec<_> = map.iter().map(|(name, v)| self.operator(&at.key(name), path, name, v, map)).collect();
        nodes.into_iter().collect::<Option<Vec<_>>>().map(Node::And)
    }

    /// One condition more, unless there are too many.
    pub(super) fn field(&mut self, at: &At<'_>, path: &Path, test: Test) -> Option<Node> {
        self.conditions += 1;
        if let Test::Pattern(_) = test {
            self.patterns += 1;
        }
        if self.conditions > MAX_CONDITIONS {
            self.wrong(at, format!("too many conditions: at most {MAX_CONDITIONS}"));
            return None;
        }
        if self.patterns > MAX_PATTERNS {
            self.wrong(at, format!("too many regular expressions: at most {MAX_PATTERNS}"));
            return None;
        }
        Some(Node::Field(path.clone(), test))
    }

    /// A value to compare with.
    pub(super) fn value(&mut self, at: &At<'_>, json: &Json) -> Option<Item<'static>> {
        self.values += 1;
        if self.values > MAX_VALUES {
            self.wrong(at, format!("too many values: at most {MAX_VALUES}"));
            return None;
        }
        if self.too_deep(at) {
            return None;
        }
        match json {
            Json::String(text) => match self.magic(at, text)? {
                None => Some(Item::from_json(json).into_owned()),
                Some(Magic::One(item)) => Some(item),
                Some(Magic::Range(..)) => {
                    let message =
                        format!("{text:?} stands for a range, which cannot stand here: make it the value of a field");
                    self.wrong(at, message);
                    None
                }
            },
            Json::Array(list) => {
                let items: Vec<_> = list.iter().enumerate().map(|(i, v)| self.value(&at.index(i), v)).collect();
                items.into_iter().collect::<Option<Vec<_>>>().map(Item::List)
            }
            Json::Object(map) => {
                let entry = |(k, v): (&String, &Json)| self.value(&at.key(k), v).map(|v| (k.clone().into(), v));
                let entries: Vec<_> = map.iter().map(entry).collect();
                entries.into_iter().collect::<Option<Vec<_>>>().map(Item::object)
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => Some(Item::from_json(json).into_owned()),
        }
    }

    /// `Some(None)`: the text stands for itself.
    fn magic(&mut self, at: &At<'_>, text: &str) -> Option<Option<Magic>> {
        magic::read(text, self.id_type()).map_err(|e| self.wrong(at, e)).ok()
    }

    fn too_deep(&mut self, at: &At<'_>) -> bool {
        if at.depth > MAX_DEPTH {
            // Without the place, which would be as long as the filter.
            self.wrong(&At::root("filter"), format!("nested more than {MAX_DEPTH} levels deep"));
        }
        at.depth > MAX_DEPTH
    }
}

/// Says that an operator is unknown or not supported, and which one is near.
pub(super) fn unknown(given: &str, what: &str, known: &[&str]) -> String {
    let given: String = given.chars().take(40).collect();
    let why = match given.as_str() {
        "$where" | "$function" | "$accumulator" => "it would run code in the database",
        "$expr" => "expressions are not computed; compare fields with values",
        "$text" => "there is no text index; use \"$regex\" or a full-text filter",
        "$jsonSchema" => "use \"$type\" and \"$exists\"",
        "$near" | "$nearSphere" | "$geoWithin" | "$geoIntersects" => "there are no geographic indexes",
        "$bitsAllSet" | "$bitsAnySet" | "$bitsAllClear" | "$bitsAnyClear" => "there are no bit tests; use \"$mod\"",
        "$date" => "write times as \"$$Date{2020-01-01T00:00:00Z}\"",
        "$oid" | "$binary" | "$numberLong" | "$numberInt" | "$numberDouble" | "$numberDecimal" | "$timestamp" => {
            "write numbers as they are and addresses as magic strings such as \"$$IPv4{192.0.2.1}\""
        }
        other => {
            let near = nearest(other, known.iter().copied()).map(|n| format!("; did you mean {n:?}?"));
            return format!(
                "unknown {what} {other:?}, expected one of {}{}",
                known.join(", "),
                near.unwrap_or_default()
            );
        }
    };
    format!("{given:?} is not supported: {why}")
}

/// A value in short, for errors.
pub(super) fn shown(json: &Json) -> String {
    match json {
        Json::Array(list) => format!("a list of {}", list.len()),
        Json::Object(_) => "an object".to_owned(),
        Json::String(text) => format!("{:?}", text.chars().take(80).collect::<String>()),
        other => other.to_string(),
    }
}
