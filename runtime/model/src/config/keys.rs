//! The one table of what configuration files may hold: keys, their forms, which are mandatory, and what they are for.
//!
//! The readers of files (`files.rs`, `entities.rs`, `tenter.rs`) take from it which keys exist; the JSON Schemas for
//! editors are printed from it (`schemas.rs`). That the forms named here are those that the readers take is held by a
//! test that changes each place of valid files in many ways and asks both.

mod entities;
mod files;
mod tenter;

pub(super) use entities::{ATTRIBUTE, ENTITY, ENTITY_FILE, LIFETIME, LIFETIME_TTL, LIFETIMES, SERIES, attribute_of};
pub(super) use files::{EVENT_GROUP, FILES};
pub(super) use tenter::{GRANT, MODULE, TENTER};

/// Keys of one kind of mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Keys {
    pub(super) list: &'static [Key],
    pub(super) others: Others,
}

/// What a key that is not listed is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    /// An error, as in DP³.
    Error,
    /// DP³ says nothing; a slip all the same.
    Warn,
}

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) form: Form,
    /// Whether it must be there; one that need not may also be null.
    pub(super) must: bool,
    /// What it means, with its default.
    pub(super) about: &'static str,
}

/// What a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Anything; nobody looks at it.
    Any,
    Text,
    /// Text that matches a pattern of JSON Schema.
    Pattern(&'static str),
    Bool,
    /// A number or its digits, not below this.
    Int(u64),
    Duration,
    /// A duration above zero.
    LongerThanZero,
    /// A duration as text.
    Interval,
    /// A duration, or `inf`.
    Expiry,
    Cron,
    DataType,
    /// One of these.
    Word(&'static [&'static str]),
    /// One of these, or false.
    WordOrFalse(&'static [&'static str]),
    /// Text, or false.
    TextOrFalse,
    /// This, or null.
    Maybe(&'static Self),
    /// A list.
    List(&'static Self),
    Mapping(&'static Keys),
    /// A mapping whose keys are names that match a pattern.
    Names(&'static str, &'static Self),
    /// An attribute: what else it has depends on its `type`.
    Attribute,
    /// A lifetime, by its `type`.
    Lifetime,
    /// A capability and, where it has one, its scope.
    Grant,
}

/// DP³'s identifier pattern.
pub(super) const IDENTIFIER: &str = "^[a-zA-Z_][a-zA-Z0-9_-]{0,127}$";
/// Names of entity types.
pub(super) const ENTITY_TYPE: &str = "^[a-zA-Z0-9_][a-zA-Z0-9_-]{0,127}$";
/// Names of modules.
pub(super) const MODULE_NAME: &str = "^[a-z][a-z0-9_-]{0,62}$";

impl Keys {
    /// The key of that name.
    pub(super) fn find(&self, name: &str) -> Option<&'static Key> {
        self.list.iter().find(|key| key.name == name)
    }

    /// All names, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.list.iter().map(|key| key.name)
    }
}

/// A key that must be there.
const fn must(name: &'static str, form: Form, about: &'static str) -> Key {
    Key { name, form, must: true, about }
}

/// A key that may be left out.
const fn may(name: &'static str, form: Form, about: &'static str) -> Key {
    Key { name, form, must: false, about }
}
