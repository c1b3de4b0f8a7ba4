//! The data types of attribute values: their grammar, what they accept, and how values are printed as JSON.

use crate::id::{AttrName, EntityType};
use crate::value::Scalar;

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
