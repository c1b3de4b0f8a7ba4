//! YAML as a tree in which every node knows its line and column.
//!
//! DP³ reads its files with PyYAML's `safe_load`, which is YAML 1.1, so scalars mean here what they mean there: `yes`
//! is true, `012` is ten, `1e3` is text, `1:30` is ninety. Other readers disagree on such forms; a warning says so,
//! with what was read. Of a key that stands twice the last value counts, as there, and both places are told. One thing
//! is stricter than in PyYAML: a file has a budget of nodes and depth, so that aliases cannot blow it up.

use std::collections::HashMap;

use granit_parser::{Event, Marker, Parser, ScalarStyle};
use serde_json::Value as Json;

mod scalar;

use scalar::{resolve, surprising};

/// Nodes of one file, those that aliases repeat included.
const MAX_NODES: usize = 100_000;
/// Nesting of one file.
const MAX_DEPTH: usize = 48;
/// Bytes of one file.
const MAX_BYTES: usize = 4 << 20;

/// A place in a file, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct At {
    pub(super) line: u32,
    pub(super) column: u32,
}

impl At {
    fn of(marker: Marker) -> Self {
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { line: narrow(marker.line()), column: narrow(marker.col()).saturating_add(1) }
    }
}

/// A node of the tree.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) at: At,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One key with its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) at: At,
    pub(super) key: String,
    pub(super) value: Node,
}

/// Something to say about a place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Remark {
    pub(super) at: At,
    pub(super) message: String,
}

/// What came of reading one file.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// The document; `None` for an empty file, and when reading failed.
    pub(super) root: Option<Node>,
    pub(super) errors: Vec<Remark>,
    pub(super) warnings: Vec<Remark>,
    /// Keys that stand twice in one mapping; whoever reads decides how bad that is.
    pub(super) duplicates: Vec<Remark>,
}

/// Reads a file.
pub(super) fn read(text: &str) -> Read {
    let mut reader = Reader { out: Read::default(), anchors: HashMap::new(), nodes: 0 };
    if text.len() > MAX_BYTES {
        reader.out.errors.push(Remark {
            at: At { line: 1, column: 1 },
            message: format!("the file has {} bytes; expected at most {MAX_BYTES}", text.len()),
        });
        return reader.out;
    }
    let mut events = Parser::new_from_str(text);
    match reader.document(&mut events) {
        Ok(root) => reader.out.root = root.filter(|r| r.kind != Kind::Null),
        Err(remark) => reader.out.errors.push(remark),
    }
    if !reader.out.errors.is_empty() {
        reader.out.root = None;
    }
    reader.out
}

type Events<'a> = Parser<'a, granit_parser::StrInput<'a>>;

struct Reader {
    out: Read,
    /// Anchored nodes with how many nodes they hold.
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
}

impl Reader {
    fn document(&mut self, events: &mut Events<'_>) -> Result<Option<Node>, Remark> {
        let mut root = None;
        while let Some((event, at)) = next(events)? {
            match event {
                Event::StreamStart | Event::StreamEnd | Event::DocumentStart(..) | Event::DocumentEnd => {}
                event if root.is_none() => root = Some(self.node(events, event, at, 0)?),
                _ => return Err(Remark { at, message: "expected one document per file".to_owned() }),
            }
        }
        Ok(root)
    }

    /// The node that starts with this event.
    fn node(&mut self, events: &mut Events<'_>, event: Event<'_>, at: At, depth: usize) -> Result<Node, Remark> {
        let before = self.nodes;
        self.count(1, at)?;
        if depth > MAX_DEPTH {
            return Err(Remark { at, message: format!("nested more than {MAX_DEPTH} levels deep") });
        }
        let (kind, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                // Text weighs too: an alias of a long one is as dear as many nodes.
                self.count(text.len() / 64, at)?;
                let tag = tag.as_deref().map(|t| t.suffix().to_owned());
                (self.scalar(&text, style, tag.as_deref(), at)?, anchor)
            }
            Event::SequenceStart(_, anchor, _) => (Kind::List(self.list(events, depth)?), anchor),
            Event::MappingStart(_, anchor, _) => (Kind::Map(self.map(events, depth)?), anchor),
            Event::Alias(id) => {
                let Some((node, size)) = self.anchors.get(&id) else {
                    return Err(Remark { at, message: "an alias inside of its own anchor".to_owned() });
                };
                let (kind, size) = (node.kind.clone(), *size);
                self.count(size, at)?;
                (kind, 0)
            }
            other => return Err(Remark { at, message: format!("unexpected {other:?}") }),
        };
        let node = Node { at, kind };
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), self.nodes - before));
        }
        Ok(node)
    }

    fn count(&mut self, nodes: usize, at: At) -> Result<(), Remark> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > MAX_NODES {
            return Err(Remark { at, message: format!("more than {MAX_NODES} nodes, counting what aliases repeat") });
        }
        Ok(())
    }

    fn list(&mut self, events: &mut Events<'_>, depth: usize) -> Result<Vec<Node>, Remark> {
        let mut items = Vec::new();
        while let Some((event, at)) = next(events)? {
            if event == Event::SequenceEnd {
                break;
            }
            items.push(self.node(events, event, at, depth + 1)?);
        }
        Ok(items)
    }

    fn map(&mut self, events: &mut Events<'_>, depth: usize) -> Result<Vec<Entry>, Remark> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen: HashMap<String, At> = HashMap::new();
        let mut merged = Vec::new();
        while let Some((event, at)) = next(events)? {
            if event == Event::MappingEnd {
                break;
            }
            let is_merge = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, ..) if text == "<<");
            let key = self.key(event, at)?;
            self.count(key.len() / 64, at)?;
            let Some((event, value_at)) = next(events)? else {
                return Err(Remark { at, message: format!("the key {key:?} has no value") });
            };
            let value = self.node(events, event, value_at, depth + 1)?;
            if is_merge {
                merged.push(value);
            } else if let Some(first) = seen.insert(key.clone(), at) {
                self.out.duplicates.push(Remark {
                    at,
                    message: format!("duplicate key {key:?}, first at {}:{}", first.line, first.column),
                });
                if let Some(entry) = entries.iter_mut().find(|e| e.key == key) {
                    *entry = Entry { at, key, value };
                }
            } else {
                entries.push(Entry { at, key, value });
            }
        }
        for value in merged {
            merge(&mut entries, value)?;
        }
        Ok(entries)
    }

    fn key(&mut self, event: Event<'_>, at: At) -> Result<String, Remark> {
        match event {
            Event::Scalar(text, _, anchor, _) => {
                if anchor > 0 {
                    let node = Node { at, kind: Kind::Text(text.to_string()) };
                    self.anchors.insert(anchor, (node, 1));
                }
                Ok(text.into_owned())
            }
            Event::Alias(id) => match self.anchors.get(&id) {
                Some((Node { kind: Kind::Text(text), .. }, _)) => Ok(text.clone()),
                _ => Err(Remark { at, message: "expected text as a key".to_owned() }),
            },
            _ => Err(Remark { at, message: "expected text as a key, found a list or mapping".to_owned() }),
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&str>, at: At) -> Result<Kind, Remark> {
        match tag {
            // PyYAML makes a date or bytes of the last two; what is stored as JSON is text either way.
            Some("str" | "!" | "timestamp" | "binary") => return Ok(Kind::Text(text.to_owned())),
            None | Some("int" | "float" | "bool" | "null") => {}
            Some(other) => return Err(Remark { at, message: format!("the tag {other:?} is not supported") }),
        }
        if style != ScalarStyle::Plain && tag.is_none() {
            return Ok(Kind::Text(text.to_owned()));
        }
        let kind = resolve(text);
        if let Some(others) = surprising(text) {
            self.out.warnings.push(Remark {
                at,
                message: format!(
                    "{text} is read as {}, as DP³ does; {others}; quote it or write it plainly",
                    shown(&kind)
                ),
            });
        }
        Ok(kind)
    }
}

fn next<'a>(events: &mut Events<'a>) -> Result<Option<(Event<'a>, At)>, Remark> {
    loop {
        match events.next() {
            None => return Ok(None),
            // Another package may have switched the parser's comments on.
            Some(Ok((event, span))) if is_node_or_end(&event) => return Ok(Some((event, At::of(span.start)))),
            Some(Ok(_)) => {}
            Some(Err(e)) => {
                return Err(Remark { at: At::of(*e.marker()), message: format!("not valid YAML: {}", e.info()) });
            }
        }
    }
}

fn is_node_or_end(event: &Event<'_>) -> bool {
    matches!(
        event,
        Event::Scalar(..)
            | Event::SequenceStart(..)
            | Event::SequenceEnd
            | Event::MappingStart(..)
            | Event::MappingEnd
            | Event::Alias(_)
    )
}

/// `<<: *base` and `<<: [*a, *b]`: keys that are not there yet.
fn merge(entries: &mut Vec<Entry>, value: Node) -> Result<(), Remark> {
    match value.kind {
        Kind::Map(base) => {
            for entry in base {
                if !entries.iter().any(|e| e.key == entry.key) {
                    entries.push(entry);
                }
            }
            Ok(())
        }
        Kind::List(items) => items.into_iter().try_for_each(|item| match item.kind {
            Kind::Map(_) => merge(entries, item),
            _ => Err(Remark { at: item.at, message: "expected a mapping after \"<<\"".to_owned() }),
        }),
        _ => Err(Remark { at: value.at, message: "expected a mapping after \"<<\"".to_owned() }),
    }
}

fn shown(kind: &Kind) -> String {
    match kind {
        Kind::Text(text) => format!("the text {text:?}"),
        Kind::Int(n) => format!("the number {n}"),
        Kind::Float(x) => format!("the number {x}"),
        Kind::Null => "null".to_owned(),
        Kind::Bool(b) => b.to_string(),
        Kind::List(_) => "a list".to_owned(),
        Kind::Map(_) => "a mapping".to_owned(),
    }
}

impl Node {
    /// What it is, for error messages.
    pub(super) fn shown(&self) -> String {
        match &self.kind {
            Kind::Text(text) if text.chars().count() > 60 => {
                format!("{:?}", text.chars().take(59).chain(['…']).collect::<String>())
            }
            Kind::Text(text) => format!("{text:?}"),
            Kind::Int(n) => n.to_string(),
            Kind::Float(x) => x.to_string(),
            other => shown(other),
        }
    }

    /// Plain JSON, for module configurations; NaN and infinities are null.
    pub(super) fn to_json(&self) -> Json {
        match &self.kind {
            Kind::Null => Json::Null,
            Kind::Bool(b) => Json::Bool(*b),
            Kind::Int(n) => Json::from(*n),
            Kind::Float(x) => serde_json::Number::from_f64(*x).map_or(Json::Null, Json::Number),
            Kind::Text(text) => Json::from(text.as_str()),
            Kind::List(items) => items.iter().map(Self::to_json).collect(),
            Kind::Map(entries) => Json::Object(entries.iter().map(|e| (e.key.clone(), e.value.to_json())).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(text: &str) -> Kind {
        read(text).root.map_or(Kind::Null, |n| n.kind)
    }

    #[test]
    fn scalars_mean_what_they_mean_in_dp3() {
        for (text, want) in [
            ("yes", Kind::Bool(true)),
            ("off", Kind::Bool(false)),
            ("y", Kind::Text("y".into())),
            ("012", Kind::Int(10)),
            ("08", Kind::Text("08".into())),
            ("1:30", Kind::Int(90)),
            ("1e3", Kind::Text("1e3".into())),
            ("1.0e+3", Kind::Float(1000.0)),
            ("2024-01-01", Kind::Text("2024-01-01".into())),
            ("0x1F", Kind::Int(31)),
            ("1_000", Kind::Int(1000)),
            ("-7", Kind::Int(-7)),
            ("'7'", Kind::Text("7".into())),
            ("!!str 7", Kind::Text("7".into())),
            ("~", Kind::Null),
            ("99999999999999999999", Kind::Text("99999999999999999999".into())),
            ("00:11:22:33:44:55", Kind::Text("00:11:22:33:44:55".into())),
            ("*/30", Kind::Null),
        ] {
            assert_eq!(value(text), want, "{text}");
        }
        for text in ["012", "08", "1:30", "1e3"] {
            assert_eq!(read(text).warnings.len(), 1, "{text}");
            assert_eq!(read(&format!("'{text}'")).warnings.len(), 0, "{text}");
        }
        assert!(read("[10, 0, 1.5, yes, 2024-01-01]").warnings.is_empty());
    }

    #[test]
    fn merges_and_aliases() {
        let Kind::Map(entries) = value("base: &b {x: 1, y: 2}\nmore:\n  <<: *b\n  x: 3\n") else { panic!("no map") };
        assert_eq!(entries[1].value.to_json(), serde_json::json!({"x": 3, "y": 2}));
    }

    #[test]
    fn duplicate_keys_name_both_places() {
        let read = read("a: 1\nb: 2\na: 3\n");
        assert_eq!(read.root.map(|n| n.to_json()), Some(serde_json::json!({"a": 3, "b": 2})));
        assert_eq!(
            read.duplicates,
            [Remark { at: At { line: 3, column: 1 }, message: "duplicate key \"a\", first at 1:1".into() }]
        );
    }

    #[test]
    fn aliases_cannot_blow_up() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for i in 1..12 {
            let items = vec![format!("*a{}", i - 1); 10].join(", ");
            text.push_str(&format!("a{i}: &a{i} [{items}]\n"));
        }
        let errors = read(&text).errors;
        assert!(errors[0].message.contains("more than 100000 nodes"), "{errors:?}");
        let deep = "[".repeat(100) + &"]".repeat(100);
        assert!(read(&deep).errors[0].message.contains("nested"), "{:?}", read(&deep).errors);
    }

    proptest! {
        #[test]
        fn never_panics(text in "[-a-z0-9:*&!<>{}\\[\\],'\"#%|@ \n\t.~]{0,120}") {
            let _ = read(&text);
        }

        #[test]
        fn never_panics_on_anything(text in "\\PC{0,80}") {
            let _ = read(&text);
        }
    }
}
