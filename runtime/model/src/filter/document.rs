//! The document that filters see: `{"_id": key, "_time_created": time, "last": {"<attr>": value, …, "eid": id}}`.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::datatype::{DataType, LinkType};
use crate::history::confidence_key;
use crate::id::{EntityId, EntityRef};
use crate::schema::{AttributeKind, IdType, Schema};
use crate::snapshot::document::RESERVED;
use crate::time::Timestamp;
use crate::value::{Link, Scalar, Value};
use crate::view::EntityView;

use super::item::Item;

/// Which attributes of a document a filter or an order looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// All of them.
    All,
    /// These; `<attr>#c` and `eid` count as names of their own.
    Named(BTreeSet<String>),
}

impl Wanted {
    /// None at all.
    #[must_use]
    pub fn none() -> Self {
        Self::Named(BTreeSet::new())
    }

    /// What either looks at.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Named(mut a), Self::Named(b)) => {
                a.extend(b);
                Self::Named(a)
            }
            _ => Self::All,
        }
    }

    /// Whether any value is among them, not only what stands beside the values: id, time, and whether it is partial.
    #[must_use]
    pub fn needs_values(&self) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => !names.iter().all(|n| RESERVED.contains(&n.as_str())),
        }
    }

    /// Whether values of an attribute must be there: the attribute itself or its confidence is among them.
    #[must_use]
    pub fn has_values_of(&self, attr: &str) -> bool {
        let is_of = |name: &String| name.strip_suffix("#c").unwrap_or(name) == attr;
        match self {
            Self::All => true,
            Self::Named(names) => names.contains(attr) || names.iter().any(is_of),
        }
    }

    /// Whether a confidence is among them; their names are put together only then.
    fn has_confidences(&self) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.iter().any(|n| n.ends_with("#c")),
        }
    }

    fn has(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.contains(name),
        }
    }
}

/// A snapshot in the form that filters are evaluated over.
#[derive(Debug, Clone)]
pub struct Document<'a> {
    pub(super) root: Item<'a>,
    /// Text of the id, for full-text filters.
    pub(super) eid: &'a str,
}

impl<'a> Document<'a> {
    /// The document of a snapshot, as far as it is looked at. `time` is that of the snapshot.
    #[must_use]
    pub fn new(schema: &Schema, view: &'a EntityView, time: Timestamp, partial: bool, wanted: &Wanted) -> Self {
        let etype = view.entity.etype.as_str();
        let id_type = schema.entity(etype).map_or(IdType::String, |s| s.id_type);
        let with_confidences = wanted.has_confidences();
        let mut last = Vec::new();
        // Values of one attribute stand one after another.
        for run in view.values.chunk_by(|a, b| a.attr == b.attr) {
            let Some(first) = run.first() else { continue };
            let spec = schema.attribute(etype, first.attr.as_str());
            let multi = spec.is_some_and(|s| matches!(s.kind, AttributeKind::Observations { multi_value: true, .. }));
            let join = |mut items: Vec<Item<'a>>| match items.len() {
                1 if !multi => items.pop().unwrap_or(Item::Null),
                _ => Item::List(items),
            };
            if wanted.has(first.attr.as_str()) {
                let data_type = spec.and_then(|s| s.kind.data_type());
                let values = run.iter().map(|v| value(schema, data_type, &v.value)).collect();
                last.push((Cow::Borrowed(first.attr.as_str()), join(values)));
            }
            if with_confidences && run.iter().any(|v| v.confidence.is_some()) {
                let key = confidence_key(&first.attr);
                if wanted.has(&key) {
                    let values = run.iter().map(|v| v.confidence.map_or(Item::Null, Item::Float)).collect();
                    last.push((Cow::Owned(key), join(values)));
                }
            }
        }
        last.push((Cow::Borrowed("eid"), eid(id_type, &view.entity.eid)));
        last.push((Cow::Borrowed("_time_created"), Item::Time(time)));
        if partial {
            last.push((Cow::Borrowed("_partial"), Item::Bool(true)));
        }
        Self::of(id_type, &view.entity.eid, time, Item::object(last))
    }

    /// A document from what stands under `last`.
    #[must_use]
    pub fn of(id_type: IdType, id: &'a EntityId, time: Timestamp, last: Item<'a>) -> Self {
        let root = Item::Object(vec![
            (Cow::Borrowed("_id"), key(id_type, id, time)),
            (Cow::Borrowed("_time_created"), Item::Time(time)),
            (Cow::Borrowed("last"), last),
        ]);
        Self { root, eid: id.as_str() }
    }

    /// The value under `last` of that name.
    #[must_use]
    pub fn last(&self, name: &str) -> Option<&Item<'a>> {
        self.root.get("last")?.get(name)
    }
}

/// The key of a document: `<eid>_#<unix seconds>` for ids that are text, else the bytes of the id and the seconds.
fn key(id_type: IdType, id: &EntityId, time: Timestamp) -> Item<'static> {
    let seconds = time.0.div_euclid(1_000_000);
    match eid(id_type, id) {
        Item::Text(text) => Item::Text(Cow::Owned(format!("{text}_#{seconds}"))),
        other => {
            let mut bytes = other.to_octets();
            bytes.extend_from_slice(&seconds.to_be_bytes());
            Item::Bytes(bytes)
        }
    }
}

/// An id with its type.
pub(super) fn eid(id_type: IdType, id: &EntityId) -> Item<'_> {
    let text = id.as_str();
    let typed = match id_type {
        IdType::String => None,
        IdType::Int => text.parse().ok().map(Item::Int),
        IdType::Ipv4 | IdType::Ipv6 => text.parse().ok().map(Item::Ip),
        IdType::Mac => crate::value::Mac::parse(text).map(Item::Mac),
    };
    typed.unwrap_or(Item::text(text))
}

fn value<'a>(schema: &Schema, of: Option<&DataType>, value: &'a Value) -> Item<'a> {
    match value {
        Value::Scalar(s) => scalar(s),
        Value::Items(items) => Item::List(items.iter().map(scalar).collect()),
        Value::Members(members) => {
            let given = members.iter().map(|(k, v)| (Cow::Borrowed(k.as_str()), scalar(v)));
            let mut entries: Vec<_> = given.collect();
            // What is missing is stored as null.
            if let Some(DataType::Dict(declared)) = of {
                for member in declared.iter().filter(|m| !members.iter().any(|(k, _)| *k == m.name)) {
                    entries.push((Cow::Owned(member.name.clone()), Item::Null));
                }
            }
            Item::object(entries)
        }
        Value::Link(l) => link(schema, of.and_then(DataType::link), l),
        Value::Links(links) => {
            let of = of.and_then(DataType::link);
            Item::List(links.iter().map(|l| link(schema, of, l)).collect())
        }
        // No snapshot holds one.
        Value::Chunk(_) => Item::Null,
    }
}

fn link<'a>(schema: &Schema, of: Option<&LinkType>, link: &'a Link) -> Item<'a> {
    let EntityRef { etype, eid: id } = &link.target;
    let id_type = schema.entity(etype.as_str()).map_or(IdType::String, |s| s.id_type);
    let mut entries = Vec::with_capacity(2);
    if let Some(data) = &link.data {
        entries.push((Cow::Borrowed("data"), value(schema, of.and_then(|l| l.data.as_deref()), data)));
    }
    entries.push((Cow::Borrowed("eid"), eid(id_type, id)));
    Item::Object(entries)
}

fn scalar(scalar: &Scalar) -> Item<'_> {
    match scalar {
        Scalar::Bool(b) => Item::Bool(*b),
        Scalar::Int(n) => Item::Int((*n).into()),
        Scalar::Float(x) => Item::Float(*x),
        Scalar::Text(text) => Item::text(text),
        Scalar::Time(t) => Item::Time(*t),
        Scalar::Ip(a) => Item::Ip(*a),
        Scalar::Mac(m) => Item::Mac(*m),
        Scalar::Json(json) => Item::from_json(json),
    }
}
