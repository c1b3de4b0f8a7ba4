//! Orders of listings: by attributes with one primitive value, as MongoDB orders values.

use std::cmp::Ordering;

use super::document::{Document, Wanted, eid};
use super::item::Item;
use super::{FilterError, FilterErrors, entity};
use crate::config::nearest;
use crate::datatype::{DataType, Primitive};
use crate::id::EntityId;
use crate::schema::{AttributeKind, AttributeSpec, IdType, Schema};

/// Keys of one order.
const MAX_KEYS: usize = 16;

/// An order of documents: by the first attribute, then the second, and so on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sort(Vec<(String, bool)>);

/// Where a document stands in an order: the values of its keys. Small enough to be kept while documents are not. The
/// default is that of an order without keys.
#[derive(Debug, Clone, Default)]
pub struct Place(Vec<Item<'static>>);

impl Sort {
    /// Reads the values of `sort`: each `attribute`, `attribute:1` or `attribute:-1` (descending). Sortable are `eid`,
    /// plain attributes and observations of one value, of primitive types but `json` and `special`.
    ///
    /// # Errors
    /// Each key that cannot be used, with the reason; `at` of the errors is `sort`.
    pub fn parse<S: AsRef<str>>(keys: &[S], schema: &Schema, etype: &str) -> Result<Self, FilterErrors> {
        let entity = entity(schema, etype)?;
        let mut out = Vec::new();
        let mut errors = Vec::new();
        if keys.len() > MAX_KEYS {
            errors.push(wrong(format!("{} keys are too many: at most {MAX_KEYS}", keys.len())));
        }
        for key in keys.iter().take(MAX_KEYS) {
            let key = key.as_ref();
            let (name, direction) = key.split_once(':').unwrap_or((key, "1"));
            let sortable = || entity.attributes().iter().filter(|a| why_not(a).is_none()).map(|a| a.id.as_str());
            let refusal = match (direction, entity.attribute(name)) {
                ("1" | "-1", None) if name == "eid" => None,
                ("1" | "-1", Some(spec)) => why_not(spec).map(|why| format!("cannot sort by {name:?}: {why}")),
                ("1" | "-1", None) => {
                    let near = nearest(name, sortable().chain(["eid"])).map(|n| format!("; did you mean {n:?}?"));
                    Some(format!("Attribute '{}' doesn't exist{}", cut(name), near.unwrap_or_default()))
                }
                _ => Some(format!("expected attribute, attribute:1 or attribute:-1, found {:?}", cut(key))),
            };
            match refusal {
                Some(message) => errors.push(wrong(message)),
                None => out.push((name.to_owned(), direction == "-1")),
            }
        }
        if errors.is_empty() { Ok(Self(out)) } else { Err(FilterErrors(errors)) }
    }

    /// Whether it has no keys, so that documents stand in the order of their ids.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names and directions; true = descending.
    #[must_use]
    pub fn keys(&self) -> &[(String, bool)] {
        &self.0
    }

    /// Which attributes it looks at.
    #[must_use]
    pub fn wanted(&self) -> Wanted {
        Wanted::Named(self.0.iter().map(|(name, _)| name.clone()).collect())
    }

    /// The values of a document's keys. The document must hold what [`Sort::wanted`] names.
    #[must_use]
    pub fn place(&self, document: &Document<'_>) -> Place {
        let value = |(name, descending): &(String, bool)| match document.last(name) {
            None => Item::Null,
            // Left from an older specification: the least or greatest element counts, as in MongoDB.
            Some(Item::List(items)) => {
                let least = items.iter().min_by(|a, b| a.order(b));
                let greatest = items.iter().max_by(|a, b| a.order(b));
                (if *descending { greatest } else { least }).cloned().unwrap_or(Item::Null).into_owned()
            }
            Some(item) => item.clone().into_owned(),
        };
        Place(self.0.iter().map(value).collect())
    }

    /// The order of two documents by their places; equal ones keep the order they were found in.
    #[must_use]
    pub fn compare(&self, a: &Place, b: &Place) -> Ordering {
        let by_key = self.0.iter().zip(a.0.iter().zip(&b.0)).map(|((_, descending), (a, b))| {
            let order = a.order(b);
            if *descending { order.reverse() } else { order }
        });
        by_key.into_iter().find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
    }
}

/// The place of an entity in a listing without an order: that of the key DP³ gives its document. Text by its bytes,
/// addresses by theirs, and integers by the bytes of their shortest form: short before long, then 0 to 127 before -128
/// to -1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IdKey {
    /// Text, such as ids that were stored before their type was changed, comes before bytes.
    binary: bool,
    length: usize,
    bytes: Vec<u8>,
}

impl IdKey {
    /// The place of an entity.
    #[must_use]
    pub fn of(id_type: IdType, id: &EntityId) -> Self {
        match eid(id_type, id) {
            Item::Text(text) => Self { binary: false, length: 0, bytes: text.as_bytes().to_vec() },
            other => {
                let bytes = other.to_octets();
                Self { binary: true, length: bytes.len(), bytes }
            }
        }
    }

    /// Whether the places of such entities are in the order of the bytes of their ids' text.
    #[must_use]
    pub fn is_text_order(id_type: IdType) -> bool {
        matches!(id_type, IdType::String | IdType::Mac)
    }
}

/// Why an attribute is not sortable.
fn why_not(spec: &AttributeSpec) -> Option<String> {
    match &spec.kind {
        AttributeKind::Timeseries { .. } => return Some("it is a timeseries".to_owned()),
        AttributeKind::Observations { multi_value: true, .. } => return Some("it has several values".to_owned()),
        AttributeKind::Plain { .. } | AttributeKind::Observations { .. } => {}
    }
    match spec.kind.data_type() {
        Some(DataType::Primitive(p)) if !matches!(p, Primitive::Json | Primitive::Special) => None,
        Some(other) => Some(format!("values of type {other} have no order")),
        None => Some("it has no values".to_owned()),
    }
}

fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}

fn wrong(message: String) -> FilterError {
    FilterError { at: "sort".to_owned(), message }
}
