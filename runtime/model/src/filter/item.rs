//! Values as filters see them, with MongoDB's order over all types.
//!
//! JSON has no times and no addresses, and DP³ stores both as types of their own: a text never equals a time, and
//! addresses compare as bytes. So documents are not compared as JSON but as these.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::net::IpAddr;

use serde_json::Value as Json;

use crate::time::Timestamp;
use crate::value::Mac;

/// A value in a document or in a filter.
#[derive(Debug, Clone)]
pub enum Item<'a> {
    /// No value; sorts like a missing one.
    Null,
    /// true or false.
    Bool(bool),
    /// An integer of any size that ids have.
    Int(i128),
    /// A floating point number.
    Float(f64),
    /// Text.
    Text(Cow<'a, str>),
    /// A point in time.
    Time(Timestamp),
    /// An address; compares as its bytes.
    Ip(IpAddr),
    /// A hardware address; compares as its bytes.
    Mac(Mac),
    /// Bytes: the key of a document whose entity has no text for an id.
    Bytes(Vec<u8>),
    /// A list.
    List(Vec<Self>),
    /// A dictionary, ordered by key.
    Object(Vec<(Cow<'a, str>, Self)>),
}

impl<'a> Item<'a> {
    /// Text that is borrowed.
    #[must_use]
    pub fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// A dictionary from entries in any order; of equal keys one stays.
    #[must_use]
    pub fn object(mut entries: Vec<(Cow<'a, str>, Self)>) -> Self {
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        entries.dedup_by(|a, b| a.0 == b.0);
        Self::Object(entries)
    }

    /// JSON as it is: no text is taken for a time or an address.
    #[must_use]
    pub fn from_json(json: &'a Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(b) => Self::Bool(*b),
            Json::Number(n) => match (n.as_i64(), n.as_u64(), n.as_f64()) {
                (Some(n), ..) => Self::Int(n.into()),
                (None, Some(n), _) => Self::Int(n.into()),
                (None, None, x) => Self::Float(x.unwrap_or(f64::NAN)),
            },
            Json::String(text) => Self::text(text),
            Json::Array(items) => Self::List(items.iter().map(Self::from_json).collect()),
            Json::Object(map) => {
                Self::object(map.iter().map(|(k, v)| (Cow::Borrowed(k.as_str()), Self::from_json(v))).collect())
            }
        }
    }

    /// The value of a key of a dictionary, or of a place of a list.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(entries) => {
                let at = entries.binary_search_by(|(k, _)| (**k).cmp(key)).ok()?;
                entries.get(at).map(|(_, v)| v)
            }
            Self::List(items) => items.get(key.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// The same with nothing borrowed.
    #[must_use]
    pub fn into_owned(self) -> Item<'static> {
        match self {
            Self::Null => Item::Null,
            Self::Bool(b) => Item::Bool(b),
            Self::Int(n) => Item::Int(n),
            Self::Float(x) => Item::Float(x),
            Self::Text(text) => Item::Text(Cow::Owned(text.into_owned())),
            Self::Time(t) => Item::Time(t),
            Self::Ip(a) => Item::Ip(a),
            Self::Mac(m) => Item::Mac(m),
            Self::Bytes(bytes) => Item::Bytes(bytes),
            Self::List(items) => Item::List(items.into_iter().map(Item::into_owned).collect()),
            Self::Object(entries) => {
                Item::Object(entries.into_iter().map(|(k, v)| (Cow::Owned(k.into_owned()), v.into_owned())).collect())
            }
        }
    }

    /// Place of the type in MongoDB's order of types. Operators such as `$gt` compare values of one place alone.
    pub(super) fn bracket(&self) -> u8 {
        match self {
            Self::Null => 1,
            Self::Int(_) | Self::Float(_) => 2,
            Self::Text(_) => 3,
            Self::Object(_) => 4,
            Self::List(_) => 5,
            Self::Ip(_) | Self::Mac(_) | Self::Bytes(_) => 6,
            Self::Bool(_) => 7,
            Self::Time(_) => 8,
        }
    }

    /// MongoDB's order over all values: first by type, then by value. Integers and floating point numbers compare by
    /// what they are worth, without rounding; bytes by their number first.
    #[must_use]
    pub fn order(&self, other: &Item<'_>) -> Ordering {
        match (self, other) {
            (Self::Int(a), Item::Int(b)) => a.cmp(b),
            (Self::Float(a), Item::Float(b)) => floats(*a, *b),
            (Self::Int(a), Item::Float(b)) => int_and_float(*a, *b),
            (Self::Float(a), Item::Int(b)) => int_and_float(*b, *a).reverse(),
            (Self::Text(a), Item::Text(b)) => a.cmp(b),
            (Self::Bool(a), Item::Bool(b)) => a.cmp(b),
            (Self::Time(a), Item::Time(b)) => a.cmp(b),
            (Self::List(a), Item::List(b)) => lists(a, b),
            (Self::Object(a), Item::Object(b)) => objects(a, b),
            _ => match self.bracket().cmp(&other.bracket()) {
                Ordering::Equal => self.octets(|a| other.octets(|b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)))),
                unequal => unequal,
            },
        }
    }

    /// The bytes of what compares as bytes; none for all else.
    fn octets<R>(&self, see: impl FnOnce(&[u8]) -> R) -> R {
        match self {
            Self::Ip(IpAddr::V4(a)) => see(&a.octets()),
            Self::Ip(IpAddr::V6(a)) => see(&a.octets()),
            Self::Mac(m) => see(&m.0),
            Self::Bytes(bytes) => see(bytes),
            _ => see(&[]),
        }
    }

    /// The bytes that an id has in the key of its document.
    pub(super) fn to_octets(&self) -> Vec<u8> {
        match self {
            Self::Int(n) => minimal(*n),
            other => other.octets(<[u8]>::to_vec),
        }
    }
}

/// An integer as the shortest signed big-endian bytes.
fn minimal(n: i128) -> Vec<u8> {
    let bytes = n.to_be_bytes();
    let filler = if n < 0 { 0xff } else { 0 };
    let sign = |b: u8| b & 0x80 == filler & 0x80;
    let mut rest = &bytes[..];
    while let [first, tail @ ..] = rest {
        match tail.first() {
            Some(next) if *first == filler && sign(*next) => rest = tail,
            _ => break,
        }
    }
    rest.to_vec()
}

/// NaN equals itself and comes before all other numbers.
fn floats(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
}

fn int_and_float(a: i128, b: f64) -> Ordering {
    // 2^127, which is beyond all integers here.
    const BEYOND: f64 = 170_141_183_460_469_231_731_687_303_715_884_105_728.0;
    if b.is_nan() {
        return Ordering::Greater;
    }
    if b >= BEYOND {
        return Ordering::Less;
    }
    if b < -BEYOND {
        return Ordering::Greater;
    }
    let whole = b.trunc();
    #[allow(clippy::cast_possible_truncation, reason = "the range was checked and the number is whole")]
    let by_whole = a.cmp(&(whole as i128));
    by_whole.then_with(|| floats(0.0, b - whole))
}

fn lists(a: &[Item<'_>], b: &[Item<'_>]) -> Ordering {
    let first = a.iter().zip(b).map(|(a, b)| a.order(b)).find(|o| o.is_ne());
    first.unwrap_or_else(|| a.len().cmp(&b.len()))
}

/// A key of a dictionary with its value.
type Entry<'a> = (Cow<'a, str>, Item<'a>);

/// Entries one after another: by type of the value, then key, then value.
fn objects(a: &[Entry<'_>], b: &[Entry<'_>]) -> Ordering {
    let pair = |((ka, a), (kb, b)): (&Entry<'_>, &Entry<'_>)| {
        a.bracket().cmp(&b.bracket()).then_with(|| ka.cmp(kb)).then_with(|| a.order(b))
    };
    let first = a.iter().zip(b).map(pair).find(|o| o.is_ne());
    first.unwrap_or_else(|| a.len().cmp(&b.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_worth() {
        let big = 9_007_199_254_740_993; // 2^53 + 1, which no double holds
        for (int, float, want) in [
            (1, 1.0, Ordering::Equal),
            (1, 1.5, Ordering::Less),
            (-1, -1.5, Ordering::Greater),
            (big, 9_007_199_254_740_992.0, Ordering::Greater),
            (i128::MAX, f64::INFINITY, Ordering::Less),
            (i128::MIN, f64::NEG_INFINITY, Ordering::Greater),
            (0, f64::NAN, Ordering::Greater),
        ] {
            assert_eq!(Item::Int(int).order(&Item::Float(float)), want, "{int} {float}");
            assert_eq!(Item::Float(float).order(&Item::Int(int)), want.reverse(), "{float} {int}");
        }
        assert_eq!(Item::Float(f64::NAN).order(&Item::Float(f64::NAN)), Ordering::Equal);
        assert_eq!(Item::Float(f64::NAN).order(&Item::Float(f64::NEG_INFINITY)), Ordering::Less);
    }

    #[test]
    fn integers_have_their_shortest_bytes() {
        for (n, want) in [
            (0, &[0][..]),
            (127, &[127]),
            (128, &[0, 128]),
            (-1, &[255]),
            (-128, &[128]),
            (-129, &[255, 127]),
            (65_536, &[1, 0, 0]),
        ] {
            assert_eq!(Item::Int(n).to_octets(), want, "{n}");
        }
    }
}
