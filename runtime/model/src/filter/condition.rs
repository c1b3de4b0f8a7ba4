//! What a filter became: conditions over fields, and how they are combined.

use super::item::Item;
use super::pattern::Pattern;

/// A way into a document, such as `last.tags.0`.
#[derive(Debug, Clone, Default)]
pub(super) struct Path(pub(super) Vec<Step>);

/// One part of a path.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) key: String,
    /// The same as a place in a list.
    pub(super) index: Option<usize>,
}

impl Path {
    pub(super) fn new(text: &str) -> Self {
        let step = |part: &str| {
            // As the place is written in full: `01` is a key.
            let index = part.parse::<usize>().ok().filter(|n| n.to_string() == part);
            Step { key: part.to_owned(), index }
        };
        Self(text.split('.').map(step).collect())
    }
}

/// Conditions and their combinations.
#[derive(Debug, Clone)]
pub(super) enum Node {
    /// All of them; true when empty.
    And(Vec<Self>),
    /// One of them at least; false when empty.
    Or(Vec<Self>),
    /// Not this.
    Not(Box<Self>),
    /// A condition on what a path leads to.
    Field(Path, Test),
    /// A pattern on the text of the entity's id.
    Eid(Pattern),
}

/// Which side of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compare {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A condition on one value. Where a path leads to a list, it holds when it holds for an element or for the list.
#[derive(Debug, Clone)]
pub(super) enum Test {
    /// Equal; null is equal to what is missing.
    Equal(Item<'static>),
    /// One of these, in MongoDB's order.
    In(Vec<Item<'static>>),
    /// Of the same type, and on that side.
    Compare(Compare, Item<'static>),
    /// There is something.
    Exists,
    /// Text with the pattern somewhere in it.
    Pattern(Pattern),
    /// Of one of these types.
    Type(Vec<Kind>),
    /// A number with this remainder.
    Modulo { divisor: i64, remainder: i64 },
    /// A list of that length.
    Size(u64),
    /// A list with an element that is a document for which this holds.
    ElementObject(Box<Node>),
    /// A list with an element for which this holds; paths in it are empty.
    Element(Box<Node>),
}

impl Test {
    /// Whether it looks at lists as a whole.
    pub(super) fn takes_lists(&self) -> bool {
        matches!(self, Self::Size(_) | Self::ElementObject(_) | Self::Element(_))
    }
}

/// Types that `$type` tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Double,
    String,
    Object,
    Array,
    Binary,
    Bool,
    Date,
    Null,
    /// An integer of 32 bits.
    Int,
    /// An integer of more bits.
    Long,
    Number,
    /// One of MongoDB's types that no document here has.
    Absent,
}

impl Kind {
    /// MongoDB's names and numbers of types.
    pub(super) const ALL: [(&'static str, i64, Self); 22] = [
        ("double", 1, Self::Double),
        ("string", 2, Self::String),
        ("object", 3, Self::Object),
        ("array", 4, Self::Array),
        ("binData", 5, Self::Binary),
        ("undefined", 6, Self::Absent),
        ("objectId", 7, Self::Absent),
        ("bool", 8, Self::Bool),
        ("date", 9, Self::Date),
        ("null", 10, Self::Null),
        ("regex", 11, Self::Absent),
        ("dbPointer", 12, Self::Absent),
        ("javascript", 13, Self::Absent),
        ("symbol", 14, Self::Absent),
        ("javascriptWithScope", 15, Self::Absent),
        ("int", 16, Self::Int),
        ("timestamp", 17, Self::Absent),
        ("long", 18, Self::Long),
        ("decimal", 19, Self::Absent),
        ("minKey", -1, Self::Absent),
        ("maxKey", 127, Self::Absent),
        // No number stands for all numbers.
        ("number", i64::MIN, Self::Number),
    ];

    pub(super) fn is(self, item: &Item<'_>) -> bool {
        match (self, item) {
            (Self::Int, Item::Int(n)) => i32::try_from(*n).is_ok(),
            (Self::Long, Item::Int(n)) => i32::try_from(*n).is_err(),
            (Self::Double | Self::Number, Item::Float(_))
            | (Self::Number, Item::Int(_))
            | (Self::String, Item::Text(_))
            | (Self::Object, Item::Object(_))
            | (Self::Array, Item::List(_))
            | (Self::Binary, Item::Ip(_) | Item::Mac(_) | Item::Bytes(_))
            | (Self::Bool, Item::Bool(_))
            | (Self::Date, Item::Time(_))
            | (Self::Null, Item::Null) => true,
            _ => false,
        }
    }
}
