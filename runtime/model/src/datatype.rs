//! The data types of attribute values: their grammar, what they accept, and how values are printed as JSON.

use std::fmt;

use crate::id::{AttrName, EntityType};
use crate::value::Scalar;

mod grammar;

/// A primitive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Primitive {
    /// Set or not set; false is allowed.
    Tag,
    /// true or false.
    Binary,
    /// Text.
    String,
    /// An integer of 64 bits.
    Int,
    /// An integer of 64 bits.
    Int64,
    /// A floating point number.
    Float,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// A hardware address.
    Mac,
    /// A point in time.
    Time,
    /// Anything.
    Special,
    /// An object or list.
    Json,
}

/// A relation.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkType {
    /// The type linked to.
    pub to: EntityType,
    /// Type of the data beside the target. Never a link.
    pub data: Option<Box<DataType>>,
    /// Name of the implicit attribute on the target's side.
    pub mirror: Option<AttrName>,
}

/// Element of an array or set.
#[derive(Debug, Clone, PartialEq)]
pub enum ElementType {
    /// A primitive.
    Primitive(Primitive),
    /// A link.
    Link(LinkType),
}

/// One key of a dictionary.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The key.
    pub name: String,
    /// Type of its value.
    pub of: Primitive,
    /// Whether it may be missing.
    pub optional: bool,
}

/// Type of an attribute's value.
#[derive(Debug, Clone, PartialEq)]
pub enum DataType {
    /// A primitive.
    Primitive(Primitive),
    /// One of listed values.
    Category {
        /// Type of the values.
        of: Primitive,
        /// The values.
        values: Vec<Scalar>,
    },
    /// A list.
    Array(ElementType),
    /// A list without order; duplicates are kept, as in DP³.
    Set(ElementType),
    /// A dictionary, one level deep.
    Dict(Vec<Member>),
    /// A link.
    Link(LinkType),
}

impl Primitive {
    /// All primitives.
    pub const ALL: [Self; 12] = [
        Self::Tag,
        Self::Binary,
        Self::String,
        Self::Int,
        Self::Int64,
        Self::Float,
        Self::Ipv4,
        Self::Ipv6,
        Self::Mac,
        Self::Time,
        Self::Special,
        Self::Json,
    ];

    /// The name in configuration files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tag => "tag",
            Self::Binary => "binary",
            Self::String => "string",
            Self::Int => "int",
            Self::Int64 => "int64",
            Self::Float => "float",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Mac => "mac",
            Self::Time => "time",
            Self::Special => "special",
            Self::Json => "json",
        }
    }

    /// The primitive of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.name() == name)
    }

    /// What a value has to be, for error messages.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::Tag | Self::Binary => "true or false",
            Self::String => "text",
            Self::Int | Self::Int64 => "an integer",
            Self::Float => "a number",
            Self::Ipv4 => "an IPv4 address",
            Self::Ipv6 => "an IPv6 address",
            Self::Mac => "a hardware address such as 00:1b:63:84:45:e6",
            Self::Time => "a time such as 2020-01-01T00:00:00Z",
            Self::Special => "a value",
            Self::Json => "an object, a list or JSON text",
        }
    }
}

impl DataType {
    /// The relation in it: the link itself, or the links of an array or set.
    #[must_use]
    pub fn link(&self) -> Option<&LinkType> {
        match self {
            Self::Link(link) | Self::Array(ElementType::Link(link)) | Self::Set(ElementType::Link(link)) => Some(link),
            Self::Primitive(_) | Self::Category { .. } | Self::Dict(_) | Self::Array(_) | Self::Set(_) => None,
        }
    }

    /// Whether values are lists: an array or a set.
    #[must_use]
    pub fn is_iterable(&self) -> bool {
        matches!(self, Self::Array(_) | Self::Set(_))
    }

    /// What DP³ calls hashable; it matters for its multi-value attributes.
    #[must_use]
    pub fn is_hashable(&self) -> bool {
        match self {
            Self::Primitive(p) | Self::Category { of: p, .. } => !matches!(p, Primitive::Json | Primitive::Special),
            Self::Array(_) | Self::Set(_) | Self::Dict(_) | Self::Link(_) => false,
        }
    }
}

impl fmt::Display for Primitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "link<{}", self.to)?;
        if let Some(data) = &self.data {
            write!(f, ",{data}")?;
        }
        match &self.mirror {
            // DP³ needs the space when there are data.
            Some(mirror) if self.data.is_some() => write!(f, " ;mirror={mirror}>"),
            Some(mirror) => write!(f, ";mirror={mirror}>"),
            None => f.write_str(">"),
        }
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Primitive(p) => p.fmt(f),
            Self::Link(link) => link.fmt(f),
        }
    }
}

impl fmt::Display for DataType {
    /// The text that [`DataType::parse`] reads and that DP³ reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Primitive(p) => p.fmt(f),
            Self::Category { of, values } => {
                write!(f, "category<{of};")?;
                for (i, value) in values.iter().enumerate() {
                    f.write_str(if i == 0 { "" } else { "," })?;
                    match value {
                        Scalar::Text(text) => f.write_str(text)?,
                        other => write!(f, "{}", other.to_json())?,
                    }
                }
                f.write_str(">")
            }
            Self::Array(e) => write!(f, "array<{e}>"),
            Self::Set(e) => write!(f, "set<{e}>"),
            Self::Dict(members) => {
                f.write_str("dict<")?;
                for (i, m) in members.iter().enumerate() {
                    let (comma, mark) = (if i == 0 { "" } else { "," }, if m.optional { "?" } else { "" });
                    write!(f, "{comma}{}{mark}:{}", m.name, m.of)?;
                }
                f.write_str(">")
            }
            Self::Link(link) => link.fmt(f),
        }
    }
}
