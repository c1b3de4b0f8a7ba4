//! DP³'s queries over current snapshots: generic filters in MongoDB's language, full-text filters, and orders.
//!
//! A [`Filter`] is read once, with all that is wrong in it told by place, and then asked of many [`Document`]s. A document
//! is made from the typed values of a snapshot, as DP³ stores them: `{"_id": key, "_time_created": time, "last":
//! {"<attr>": value, "eid": id, …}}`. Times and addresses are types of their own there, which JSON writes as *magic
//! strings* (`$$Date{2020-01-01T00:00:00Z}`, `$$IPv4{192.0.2.1}`, `$$IPv4Prefix{192.0.2.0/24}`).
//!
//! Conditions mean what they mean in MongoDB: a path goes through lists, a condition on a list holds for any element or
//! the list itself, values of different types never compare, `null` equals what is missing, `1` equals `1.0`. Three
//! things differ on purpose. Whatever would run code or take more than linear time is refused. Magic strings count in
//! lists too, so that `$in` can name addresses. Full-text filters see the text of addresses and of ids of all types, and
//! of an id not the time that DP³ appends to it.
//!
//! [`Filter::narrow`] tells which entities can match at all, so that the store reads those alone.

use std::borrow::Cow;

use serde_json::Value as Json;

use crate::schema::{EntitySpec, Schema};

mod condition;
mod document;
mod evaluate;
mod fulltext;
mod item;
mod magic;
mod narrow;
mod operator;
mod parse;
mod pattern;
mod sort;

use condition::Node;
pub use document::{Document, Wanted};
use evaluate::Subject;
pub use item::Item;
pub use narrow::{Ids, Narrow};
use parse::{At, Parser};
pub use pattern::MAX_PATTERN_BYTES;
pub use sort::{IdKey, Place, Sort};

/// Nesting of a filter, in levels of JSON.
pub const MAX_DEPTH: usize = 64;
/// Parts of a path, such as three in `last.tags.0`.
pub const MAX_STEPS: usize = 16;
/// Conditions of one filter.
pub const MAX_CONDITIONS: usize = 1_000;
/// Values of one filter, those in lists counted.
pub const MAX_VALUES: usize = 10_000;
/// Regular expressions of one filter.
pub const MAX_PATTERNS: usize = 50;

/// One thing that is wrong with a filter or an order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {message}")]
pub struct FilterError {
    /// Where it stands, such as `generic_filter / last.n / $gt`.
    pub at: String,
    /// What was expected and what was found.
    pub message: String,
}

/// All that is wrong with a filter: never empty, at most 20 errors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct FilterErrors(pub Vec<FilterError>);

/// A query that documents match or not.
#[derive(Debug, Clone)]
pub struct Filter {
    root: Node,
    wanted: Wanted,
    narrow: Narrow,
    notes: Vec<String>,
}

impl Filter {
    /// A filter that all documents match.
    #[must_use]
    pub fn all() -> Self {
        Self { root: Node::And(Vec::new()), wanted: Wanted::none(), narrow: Narrow::default(), notes: Vec::new() }
    }

    /// Reads a generic filter: a MongoDB query document with magic strings.
    ///
    /// # Errors
    /// All that is wrong with it; also when the entity type is not configured.
    pub fn parse(generic: &Json, schema: &Schema, etype: &str) -> Result<Self, FilterErrors> {
        Self::combined(None, Some(generic), schema, etype)
    }

    /// Reads full-text filters: `{"<attribute or eid>": "<regular expression>", …}`, found anywhere and in any case.
    ///
    /// # Errors
    /// As [`Filter::parse`].
    pub fn fulltext(filters: &Json, schema: &Schema, etype: &str) -> Result<Self, FilterErrors> {
        Self::combined(Some(filters), None, schema, etype)
    }

    /// Reads both. A full-text filter replaces the condition that the generic one has on the same field at its top.
    ///
    /// # Errors
    /// As [`Filter::parse`].
    pub fn combined(
        fulltext: Option<&Json>,
        generic: Option<&Json>,
        schema: &Schema,
        etype: &str,
    ) -> Result<Self, FilterErrors> {
        let entity = entity(schema, etype)?;
        let mut parser = Parser::new(entity);
        let (fields, nodes): (Vec<_>, Vec<_>) =
            fulltext.map(|f| fulltext::read(&mut parser, f)).unwrap_or_default().into_iter().unzip();
        let mut root = nodes;
        if let Some(generic) = generic {
            // Of an object, what a full-text filter does not replace.
            let rest = match generic {
                Json::Object(map) if map.keys().any(|k| fields.contains(k)) => {
                    let rest = map.iter().filter(|(k, _)| !fields.contains(k));
                    Cow::Owned(Json::Object(rest.map(|(k, v)| (k.clone(), v.clone())).collect()))
                }
                other => Cow::Borrowed(other),
            };
            root.extend(parser.document(&At::root("generic_filter"), &rest, true));
        }
        if !parser.errors.is_empty() {
            return Err(FilterErrors(parser.errors));
        }
        let root = Node::And(root);
        let narrow = narrow::narrow(&root, entity.id_type);
        Ok(Self { root, wanted: parser.wanted, narrow, notes: parser.notes })
    }

    /// Reads both from the text of a request's parameters.
    ///
    /// # Errors
    /// As [`Filter::parse`], and when a text is not JSON.
    pub fn from_text(
        fulltext: Option<&str>,
        generic: Option<&str>,
        schema: &Schema,
        etype: &str,
    ) -> Result<Self, FilterErrors> {
        let read = |name: &str, text: Option<&str>| {
            let wrong = |e: serde_json::Error| error(name, format!("this is not JSON: {e}"));
            text.map(|t| serde_json::from_str::<Json>(t).map_err(wrong)).transpose()
        };
        let (fulltext, generic) = (read("fulltext_filters", fulltext)?, read("generic_filter", generic)?);
        Self::combined(fulltext.as_ref(), generic.as_ref(), schema, etype)
    }

    /// Whether all documents match, so that none needs to be looked at.
    #[must_use]
    pub fn is_all(&self) -> bool {
        fn holds_always(node: &Node) -> bool {
            matches!(node, Node::And(nodes) if nodes.iter().all(holds_always))
        }
        holds_always(&self.root)
    }

    /// Whether a document matches. The document must hold what [`Filter::wanted`] names.
    #[must_use]
    pub fn matches(&self, document: &Document<'_>) -> bool {
        self.root.holds(Subject::of(document))
    }

    /// Which attributes it looks at.
    #[must_use]
    pub fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// Which documents can match, as far as keys tell.
    #[must_use]
    pub fn narrow(&self) -> &Narrow {
        &self.narrow
    }

    /// What is allowed and probably not meant, such as an attribute without `last.` before it.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

fn error(at: &str, message: impl Into<String>) -> FilterErrors {
    FilterErrors(vec![FilterError { at: at.to_owned(), message: message.into() }])
}

fn entity<'a>(schema: &'a Schema, etype: &str) -> Result<&'a EntitySpec, FilterErrors> {
    schema.entity(etype).ok_or_else(|| error("etype", format!("Entity type '{etype}' doesn't exist")))
}
