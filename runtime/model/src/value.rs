//! Attribute values. Two layers suffice: primitives, and flat collections of them.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::id::EntityRef;
use crate::time::Timestamp;

/// A hardware address; printed in lower case with colons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Mac(pub [u8; 6]);

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl Mac {
    /// Parses 17 characters with one consistent separator, `:` or `-`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let sep = *bytes.get(2)?;
        if bytes.len() != 17 || !(sep == b':' || sep == b'-') {
            return None;
        }
        let mut out = [0u8; 6];
        for (i, part) in text.split(sep as char).enumerate() {
            if part.len() != 2 || !part.bytes().all(|b| b.is_ascii_hexdigit()) {
                return None;
            }
            *out.get_mut(i)? = u8::from_str_radix(part, 16).ok()?;
        }
        Some(Self(out))
    }
}

/// One primitive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Scalar {
    /// `tag`, `binary`.
    Bool(bool),
    /// `int`, `int64`.
    Int(i64),
    /// `float`; may be NaN or infinite when a client sent it so.
    Float(f64),
    /// `string`.
    Text(String),
    /// `time`.
    Time(Timestamp),
    /// `ipv4`, `ipv6`.
    Ip(IpAddr),
    /// `mac`.
    Mac(Mac),
    /// `json`, `special`.
    #[serde(with = "json_text")]
    Json(serde_json::Value),
}

/// A relation to another entity, with what it carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// The target; its id is canonical text of the target's id type.
    pub target: EntityRef,
    /// Data beside the target, when the data type declares it. Never itself a link.
    pub data: Option<Box<Value>>,
}

/// One column of a timeseries chunk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Column {
    /// `int`, `int64`.
    Ints(Vec<i64>),
    /// `float`.
    Floats(Vec<f64>),
    /// `time`.
    Times(Vec<Timestamp>),
}

impl Column {
    /// Number of items.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Ints(v) => v.len(),
            Self::Floats(v) => v.len(),
            Self::Times(v) => v.len(),
        }
    }

    /// Whether it has no items.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A named column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Series id of the specification.
    pub name: String,
    /// The items.
    pub column: Column,
}

/// Any attribute value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// A primitive or a category.
    Scalar(Scalar),
    /// Array or set of primitives.
    Items(Vec<Scalar>),
    /// Dictionary, in the order of the data type; an absent optional entry is left out.
    Members(Vec<(String, Scalar)>),
    /// A link.
    Link(Link),
    /// Array or set of links.
    Links(Vec<Link>),
    /// A timeseries chunk; all columns have one length.
    Chunk(Vec<Series>),
}

impl Value {
    /// The links in it: one, several, or none for all that is no relation.
    #[must_use]
    pub fn links(&self) -> &[Link] {
        match self {
            Self::Link(link) => std::slice::from_ref(link),
            Self::Links(links) => links,
            Self::Scalar(_) | Self::Items(_) | Self::Members(_) | Self::Chunk(_) => &[],
        }
    }
}

impl Scalar {
    /// JSON as DP³ prints it: times as RFC 3339, addresses as text, NaN and infinities as null.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as J;
        match self {
            Self::Bool(b) => J::Bool(*b),
            Self::Int(i) => J::from(*i),
            Self::Float(x) => serde_json::Number::from_f64(*x).map_or(J::Null, J::Number),
            Self::Text(t) => J::String(t.clone()),
            Self::Time(t) => J::String(t.to_string()),
            Self::Ip(a) => J::String(a.to_string()),
            Self::Mac(m) => J::String(m.to_string()),
            Self::Json(v) => v.clone(),
        }
    }
}

/// JSON text inside binary formats, which cannot hold `serde_json::Value` by themselves.
mod json_text {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(v: &serde_json::Value, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&v.to_string())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<serde_json::Value, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        serde_json::from_str(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mac_needs_one_separator() {
        assert_eq!(Mac::parse("AA-bb-CC-dd-EE-ff").map(|m| m.to_string()).as_deref(), Some("aa:bb:cc:dd:ee:ff"));
        assert!(Mac::parse("aa:bb-cc:dd:ee:ff").is_none());
        assert!(Mac::parse("aabbccddeeff").is_none());
        assert!(Mac::parse("aa:bb:cc:dd:ee:+f").is_none());
    }
}
