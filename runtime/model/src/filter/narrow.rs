//! What of a filter keys can answer: which entities and which times can match at all.
//!
//! The answer is never too narrow: whatever matches lies in it. What lies in it is still asked of the whole filter.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::condition::{Compare, Node, Path, Test};
use super::item::Item;
use crate::id::EntityId;
use crate::schema::IdType;
use crate::time::Timestamp;
use crate::value::Mac;

/// Ids beyond this number become a range; also the most addresses of a network that are named one by one.
const MAX_IDS: usize = 1_024;

/// Entities that can match, by the canonical text of their ids.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Ids {
    /// Any.
    #[default]
    All,
    /// One of these.
    These(BTreeSet<EntityId>),
    /// In byte order from the first text on, and before the second when there is one.
    Range(String, Option<String>),
}

/// What can match, by keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Narrow {
    /// Entities.
    pub ids: Ids,
    /// Documents of this time or later.
    pub from: Option<Timestamp>,
    /// Documents of this time or earlier.
    pub to: Option<Timestamp>,
}

pub(super) fn narrow(node: &Node, id_type: IdType) -> Narrow {
    match node {
        Node::And(nodes) => {
            let mut out = nodes.iter().map(|n| narrow(n, id_type)).fold(Narrow::default(), Narrow::both);
            if let Some((first, last)) = range_of(nodes, &["_id"]) {
                out.ids = out.ids.both(between(first, last, id_type));
            }
            if let Some((Item::Ip(first), Item::Ip(last))) = range_of(nodes, &["last", "eid"]) {
                out.ids = out.ids.both(addresses(*first, *last));
            }
            out
        }
        Node::Or(nodes) => {
            let all = nodes.iter().map(|n| narrow(n, id_type));
            let none = Narrow { ids: Ids::These(BTreeSet::new()), from: None, to: None };
            // Nothing matches an empty alternative; its times do not matter.
            all.reduce(Narrow::either).unwrap_or(none)
        }
        Node::Field(path, test) => field(path, test, id_type),
        Node::Not(_) | Node::Eid(_) => Narrow::default(),
    }
}

fn is(path: &Path, names: &[&str]) -> bool {
    path.0.len() == names.len() && path.0.iter().zip(names).all(|(s, n)| s.key == *n)
}

fn field(path: &Path, test: &Test, id_type: IdType) -> Narrow {
    let ids = |ids| Narrow { ids, ..Narrow::default() };
    if is(path, &["last", "eid"]) {
        return ids(by_eid(test, id_type));
    }
    if is(path, &["_id"]) {
        return ids(by_key(test, id_type));
    }
    if is(path, &["_time_created"]) || is(path, &["last", "_time_created"]) {
        let (from, to) = match test {
            Test::Equal(Item::Time(t)) => (Some(*t), Some(*t)),
            Test::Compare(Compare::Greater | Compare::GreaterOrEqual, Item::Time(t)) => (Some(*t), None),
            Test::Compare(Compare::Less | Compare::LessOrEqual, Item::Time(t)) => (None, Some(*t)),
            _ => (None, None),
        };
        return Narrow { ids: Ids::All, from, to };
    }
    Narrow::default()
}

fn by_eid(test: &Test, id_type: IdType) -> Ids {
    let text = id_type == IdType::String;
    match test {
        Test::Equal(item) => these([item], id_type, true),
        Test::In(items) => these(items, id_type, true),
        Test::Compare(Compare::Greater | Compare::GreaterOrEqual, Item::Text(t)) if text => {
            Ids::Range(t.to_string(), None)
        }
        Test::Compare(Compare::Less, Item::Text(t)) if text => Ids::Range(String::new(), Some(t.to_string())),
        Test::Compare(Compare::LessOrEqual, Item::Text(t)) if text => Ids::Range(String::new(), Some(format!("{t}\0"))),
        Test::Pattern(p) if text => p.prefix().map_or(Ids::All, |p| beginning(&p)),
        _ => Ids::All,
    }
}

fn by_key(test: &Test, id_type: IdType) -> Ids {
    match test {
        Test::Equal(item) => these([item], id_type, false),
        Test::In(items) => these(items, id_type, false),
        // A pattern may go over into the separator, whose first character is `_`.
        Test::Pattern(p) if id_type == IdType::String => {
            p.prefix().map_or(Ids::All, |p| beginning(p.split('_').next().unwrap_or_default()))
        }
        _ => Ids::All,
    }
}

/// Entities of ids, or of keys when `plain` is not set. What can be no id matches nothing.
fn these<'i>(items: impl IntoIterator<Item = &'i Item<'static>>, id_type: IdType, plain: bool) -> Ids {
    let ids: BTreeSet<EntityId> =
        items.into_iter().filter_map(|i| if plain { id(i, id_type) } else { id_of_key(i, id_type) }).collect();
    if ids.len() <= MAX_IDS { Ids::These(ids) } else { cover(&ids) }
}

fn id(item: &Item<'_>, id_type: IdType) -> Option<EntityId> {
    let text = match (id_type, item) {
        // Also an id that was stored before the type of ids was changed.
        (_, Item::Text(text)) => text.to_string(),
        (IdType::Int, Item::Int(n)) => n.to_string(),
        #[allow(clippy::cast_possible_truncation, reason = "the range was checked")]
        (IdType::Int, Item::Float(x)) if x.fract() == 0.0 && x.abs() < 1e36 => (*x as i128).to_string(),
        (IdType::Ipv4, Item::Ip(a @ IpAddr::V4(_))) | (IdType::Ipv6, Item::Ip(a @ IpAddr::V6(_))) => a.to_string(),
        (IdType::Mac, Item::Mac(m)) => m.to_string(),
        // Bytes are equal to addresses of these bytes.
        (IdType::Ipv4 | IdType::Ipv6 | IdType::Mac, Item::Bytes(bytes)) => return id_of_bytes(bytes, id_type),
        _ => return None,
    };
    EntityId::new(&text).ok()
}

fn id_of_key(item: &Item<'_>, id_type: IdType) -> Option<EntityId> {
    match item {
        Item::Text(text) => EntityId::new(text.rsplit_once("_#")?.0).ok(),
        Item::Bytes(bytes) => id_of_bytes(bytes.split_last_chunk::<8>()?.0, id_type),
        _ => None,
    }
}

fn id_of_bytes(bytes: &[u8], id_type: IdType) -> Option<EntityId> {
    let text = match id_type {
        IdType::String => return None,
        IdType::Int => {
            let filler = if *bytes.first()? & 0x80 == 0 { 0 } else { 0xff };
            let mut wide = [filler; 16];
            wide.get_mut(16usize.checked_sub(bytes.len())?..)?.copy_from_slice(bytes);
            i128::from_be_bytes(wide).to_string()
        }
        IdType::Ipv4 => IpAddr::from(<[u8; 4]>::try_from(bytes).ok()?).to_string(),
        IdType::Ipv6 => IpAddr::from(<[u8; 16]>::try_from(bytes).ok()?).to_string(),
        IdType::Mac => Mac(bytes.try_into().ok()?).to_string(),
    };
    EntityId::new(&text).ok()
}

/// The first and last value when conditions that stand together bound a field on both sides.
fn range_of<'n>(nodes: &'n [Node], field: &[&str]) -> Option<(&'n Item<'static>, &'n Item<'static>)> {
    let bound = |sides: [Compare; 2]| {
        nodes.iter().find_map(|n| match n {
            Node::Field(path, Test::Compare(side, item)) if is(path, field) && sides.contains(side) => Some(item),
            _ => None,
        })
    };
    Some((bound([Compare::Greater, Compare::GreaterOrEqual])?, bound([Compare::Less, Compare::LessOrEqual])?))
}

fn between(first: &Item<'_>, last: &Item<'_>, id_type: IdType) -> Ids {
    match (first, last) {
        (Item::Text(a), Item::Text(b)) if id_type == IdType::String => {
            let common: String = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect();
            beginning(common.split('_').next().unwrap_or_default())
        }
        (Item::Bytes(a), Item::Bytes(b)) if a.len() == b.len() => {
            let ends = (a.split_last_chunk::<8>(), b.split_last_chunk::<8>());
            let (Some((a, _)), Some((b, _))) = ends else { return Ids::All };
            match (id_type, <[u8; 4]>::try_from(a), <[u8; 4]>::try_from(b)) {
                _ if a == b => Ids::These(id_of_bytes(a, id_type).into_iter().collect()),
                (IdType::Ipv4, Ok(a), Ok(b)) => addresses(a.into(), b.into()),
                _ => Ids::All,
            }
        }
        _ => Ids::All,
    }
}

/// Addresses from the first to the last, when they are few.
fn addresses(first: IpAddr, last: IpAddr) -> Ids {
    let wide = |address: IpAddr| match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    };
    let id = |n: u128| {
        let address = match first {
            IpAddr::V4(_) => IpAddr::V4(u32::try_from(n).ok()?.into()),
            IpAddr::V6(_) => IpAddr::V6(n.into()),
        };
        EntityId::new(&address.to_string()).ok()
    };
    let (from, to) = (wide(first), wide(last));
    let few = first.is_ipv4() == last.is_ipv4() && to.checked_sub(from).is_none_or(|n| n < MAX_IDS as u128);
    if few { Ids::These((from..=to).filter_map(id).collect()) } else { Ids::All }
}

/// Ids that begin with a text.
fn beginning(text: &str) -> Ids {
    if text.is_empty() {
        return Ids::All;
    }
    // The text after all that begin so: the last character that has a next one is raised.
    let mut end: Vec<char> = text.chars().collect();
    let end = loop {
        match end.pop() {
            None => break None,
            Some(c) => {
                if let Some(next) = (c..=char::MAX).nth(1) {
                    end.push(next);
                    break Some(end.into_iter().collect());
                }
            }
        }
    };
    Ids::Range(text.to_owned(), end)
}

/// The range that ids lie in.
fn cover(ids: &BTreeSet<EntityId>) -> Ids {
    match (ids.first(), ids.last()) {
        (Some(first), Some(last)) => Ids::Range(first.to_string(), Some(format!("{last}\0"))),
        _ => Ids::These(BTreeSet::new()),
    }
}

impl Ids {
    /// Whether an entity of that id can match.
    #[must_use]
    pub fn admits(&self, id: &EntityId) -> bool {
        match self {
            Self::All => true,
            Self::These(ids) => ids.contains(id),
            Self::Range(from, to) => {
                id.as_str() >= from.as_str() && to.as_ref().is_none_or(|to| id.as_str() < to.as_str())
            }
        }
    }

    fn both(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, other) | (other, Self::All) => other,
            (Self::These(mut ids), other) | (other, Self::These(mut ids)) => {
                ids.retain(|id| other.admits(id));
                Self::These(ids)
            }
            (Self::Range(a, b), Self::Range(c, d)) => {
                let to = match (b, d) {
                    (Some(b), Some(d)) => Some(b.min(d)),
                    (b, d) => b.or(d),
                };
                Self::Range(a.max(c), to)
            }
        }
    }

    fn either(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, _) | (_, Self::All) => Self::All,
            (Self::These(mut a), Self::These(b)) => {
                a.extend(b);
                if a.len() <= MAX_IDS { Self::These(a) } else { cover(&a) }
            }
            (Self::These(ids), range) | (range, Self::These(ids)) if ids.is_empty() => range,
            (Self::These(ids), range) | (range, Self::These(ids)) => cover(&ids).either(range),
            (Self::Range(a, b), Self::Range(c, d)) => Self::Range(a.min(c), b.zip(d).map(|(b, d)| b.max(d))),
        }
    }
}

impl Narrow {
    /// Whether a document of that entity and time can match.
    #[must_use]
    pub fn admits(&self, id: &EntityId, time: Timestamp) -> bool {
        self.ids.admits(id) && self.from.is_none_or(|from| time >= from) && self.to.is_none_or(|to| time <= to)
    }

    fn both(self, other: Self) -> Self {
        Self {
            ids: self.ids.both(other.ids),
            from: self.from.max(other.from),
            to: [self.to, other.to].into_iter().flatten().min(),
        }
    }

    fn either(self, other: Self) -> Self {
        Self {
            ids: self.ids.either(other.ids),
            from: self.from.zip(other.from).map(|(a, b)| a.min(b)),
            to: self.to.zip(other.to).map(|(a, b)| a.max(b)),
        }
    }
}
