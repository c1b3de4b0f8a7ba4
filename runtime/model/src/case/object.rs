//! An object as it is stored, and the words around it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::kind::ObjectKind;
use super::{moment, seed};
use crate::time::Timestamp;

/// The fields of an object, by name.
pub type Body = Map<String, Value>;

/// Which object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectRef {
    /// Its kind.
    pub kind: ObjectKind,
    /// Its id, unique among its kind and never used again.
    pub id: i64,
}

impl std::fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind, self.id)
    }
}

/// An object of one version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseObject {
    /// Which one.
    pub target: ObjectRef,
    /// Its uuid.
    pub uuid: String,
    /// The case it lives in; `None`: it is a case or lives in none.
    pub case_id: Option<i64>,
    /// What it is a remark on; for comments alone.
    pub about: Option<ObjectRef>,
    /// From 1, one more with each change.
    pub version: u64,
    /// When it was last changed.
    pub changed: Timestamp,
    /// Its fields.
    pub body: Body,
}

impl CaseObject {
    /// The name that people call it by.
    #[must_use]
    pub fn label(&self) -> &str {
        self.text(self.target.kind.info().label)
    }

    /// A field as text; empty when it is none.
    #[must_use]
    pub fn text(&self, field: &str) -> &str {
        self.body.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    /// A field as an integer.
    #[must_use]
    pub fn integer(&self, field: &str) -> Option<i64> {
        self.body.get(field).and_then(Value::as_i64)
    }
}

/// Who acts on cases and when; what the server puts into objects comes from here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acting {
    /// The id of the user.
    pub user_id: i64,
    /// The time.
    pub now: Timestamp,
}

/// Links between objects. The first word is the side that a link is listed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// An indicator occurs in a case.
    IocCase,
    /// An asset has to do with an indicator.
    AssetIoc,
    /// An event has to do with an asset.
    EventAsset,
    /// An event has to do with an indicator.
    EventIoc,
    /// A user is to do a task.
    TaskUser,
    /// A user is a member of a group.
    UserGroup,
    /// A user belongs to a customer.
    UserCustomer,
}

impl Relation {
    /// The name in kebab case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::IocCase => "ioc-case",
            Self::AssetIoc => "asset-ioc",
            Self::EventAsset => "event-asset",
            Self::EventIoc => "event-ioc",
            Self::TaskUser => "task-user",
            Self::UserGroup => "user-group",
            Self::UserCustomer => "user-customer",
        }
    }

    /// The kind of object at its far end, where that is one.
    #[must_use]
    pub fn target(self) -> Option<ObjectKind> {
        match self {
            Self::AssetIoc | Self::EventIoc => Some(ObjectKind::Ioc),
            Self::EventAsset => Some(ObjectKind::Asset),
            Self::IocCase => Some(ObjectKind::Case),
            Self::TaskUser | Self::UserGroup | Self::UserCustomer => None,
        }
    }

    /// The kind of object at its near end, where that is one.
    #[must_use]
    pub fn source(self) -> Option<ObjectKind> {
        match self {
            Self::IocCase => Some(ObjectKind::Ioc),
            Self::AssetIoc => Some(ObjectKind::Asset),
            Self::EventAsset | Self::EventIoc => Some(ObjectKind::Event),
            Self::TaskUser => Some(ObjectKind::Task),
            Self::UserGroup | Self::UserCustomer => None,
        }
    }
}

/// A uuid of version 4 from random bytes.
#[must_use]
pub fn uuid(random: [u8; 16]) -> String {
    const VERSION_AND_VARIANT: u128 = (0xf << 76) | (0b11 << 62);
    let number = u128::from_be_bytes(random) & !VERSION_AND_VARIANT | (0x4 << 76) | (0b10 << 62);
    let hex = format!("{number:032x}");
    let mut out = String::with_capacity(36);
    for (i, digit) in hex.chars().enumerate() {
        if matches!(i, 8 | 12 | 16 | 20) {
            out.push('-');
        }
        out.push(digit);
    }
    out
}

/// The name of a case as it is stored: behind its number, which is there once.
#[must_use]
pub fn numbered(case_id: i64, name: &str) -> String {
    let prefix = format!("#{case_id} - ");
    let bare = name.strip_prefix(&prefix).unwrap_or(name);
    format!("{prefix}{bare}")
}

/// What closing a case sets.
#[must_use]
pub fn closing(now: Timestamp) -> Body {
    Body::from_iter([("close_date".into(), moment::date(now).into()), ("state_id".into(), seed::CLOSED.into())])
}

/// What opening a closed case again sets.
#[must_use]
pub fn reopening() -> Body {
    Body::from_iter([("close_date".into(), Value::Null), ("state_id".into(), seed::OPEN.into())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_says_that_it_is_random() {
        assert_eq!(uuid([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(uuid([0; 16]), "00000000-0000-4000-8000-000000000000");
    }

    #[test]
    fn a_case_has_its_number_once() {
        assert_eq!(numbered(7, "Ransomware"), "#7 - Ransomware");
        assert_eq!(numbered(7, "#7 - Ransomware"), "#7 - Ransomware");
        assert_eq!(numbered(7, "#8 - Ransomware"), "#7 - #8 - Ransomware");
    }
}
