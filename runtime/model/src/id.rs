//! Names and ids: newtypes that are checked when they are made.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

/// Why a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {given:?} is not valid: expected {expected}")]
pub struct NameError {
    /// What the text was to name, such as `module name`.
    pub what: &'static str,
    /// The text as given, cut to 80 characters.
    pub given: String,
    /// The rule in words.
    pub expected: &'static str,
}

impl NameError {
    fn new(what: &'static str, given: &str, expected: &'static str) -> Self {
        Self { what, given: given.chars().take(80).collect(), expected }
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $expected:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks and wraps.
            ///
            /// # Errors
            /// [`NameError`] when the text does not follow the rule.
            pub fn new(text: &str) -> Result<Self, NameError> {
                let check: fn(&str) -> bool = $check;
                if check(text) { Ok(Self(text.into())) } else { Err(NameError::new($what, text, $expected)) }
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
                Self::new(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

/// `^[a-zA-Z_][a-zA-Z0-9_-]*$`: DP³'s identifier pattern.
#[must_use]
pub fn is_identifier(text: &str) -> bool {
    // Bytes: what is allowed is ASCII, and names of every output are checked here.
    let mut bytes = text.bytes();
    text.len() <= 128
        && bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

fn matches(text: &str, max: usize, first: fn(char) -> bool, rest: fn(char) -> bool) -> bool {
    let mut chars = text.chars();
    text.len() <= max && chars.next().is_some_and(first) && chars.all(rest)
}

name!(
    /// Name of an entity type, such as `ip`.
    EntityType, "entity type",
    "letters, digits, _ or -, the first no -, at most 128 characters",
    // DP³ does not check this name; its links read such ones.
    |t| matches(t, 128, |c| c.is_ascii_alphanumeric() || c == '_',
        |c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
);
name!(
    /// Name of an attribute of an entity type, such as `hostname`.
    AttrName, "attribute name",
    "a letter or _, then letters, digits, _ or -, at most 128 characters", is_identifier
);
name!(
    /// Name of a module: what it was uploaded as. Its configuration is `modules/NAME.yml`.
    ModuleName, "module name",
    "a lower-case letter, then lower-case letters, digits, _ or -, at most 63 characters",
    |t| matches(t, 63, |c| c.is_ascii_lowercase(), |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_')
);
name!(
    /// Id of a subscription, chosen by the module and unique in it.
    SubscriptionId, "subscription id",
    "a lower-case letter or digit, then lower-case letters, digits, _ . : or -, at most 64 characters",
    |t| matches(t, 64, |c| c.is_ascii_lowercase() || c.is_ascii_digit(),
        |c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.' | ':' | '-'))
);

/// Whether there is a control character; most texts are ASCII and quickly told.
fn has_control(text: &str) -> bool {
    if text.is_ascii() { text.bytes().any(|b| b.is_ascii_control()) } else { text.chars().any(char::is_control) }
}

/// Longest entity id, in bytes of its canonical text.
pub const MAX_EID_BYTES: usize = 512;

name!(
    /// An entity id in the canonical text of its type. [`crate::schema::IdType::parse`] makes canonical text from
    /// input; this type only guards what holds for all: not empty, at most 512 bytes, no control characters.
    EntityId, "entity id", "1 to 512 bytes without control characters",
    |t| !t.is_empty() && t.len() <= MAX_EID_BYTES && !has_control(t)
);

/// An entity: its type and id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EntityRef {
    /// The entity type.
    pub etype: EntityType,
    /// The id, as canonical text.
    pub eid: EntityId,
}

impl EntityRef {
    /// 64-bit FNV-1a of `etype:eid`. Stable over versions and machines: partitions of the queue depend on it.
    #[must_use]
    pub fn stable_hash(&self) -> u64 {
        let mut h = 0xcbf2_9ce4_8422_2325u64;
        for b in self.etype.as_str().bytes().chain(std::iter::once(b':')).chain(self.eid.as_str().bytes()) {
            h = (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        // FNV's low bits are weak for short keys; fold the high ones in.
        h ^ (h >> 32)
    }
}

impl fmt::Display for EntityRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.etype, self.eid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_their_rules() {
        assert!(EntityType::new("ip").is_ok());
        assert!(EntityType::new("9ip").is_ok());
        assert!(EntityType::new("an ip").is_err());
        assert!(AttrName::new("open-ports_2").is_ok());
        assert!(ModuleName::new("../etc").is_err());
        assert!(ModuleName::new("Label").is_err());
        assert!(SubscriptionId::new("services:tcp.1").is_ok());
        assert!(EntityId::new("").is_err());
        assert!(EntityId::new("a\u{0}b").is_err());
        assert!(EntityId::new(&"x".repeat(512)).is_ok());
        assert!(EntityId::new(&"x".repeat(513)).is_err());
        assert_eq!(
            ModuleName::new("A").unwrap_err().to_string(),
            "module name \"A\" is not valid: expected a lower-case letter, then lower-case letters, digits, _ or -, at most 63 characters"
        );
    }

    #[test]
    fn partition_hash_never_changes() {
        let e = EntityRef { etype: EntityType::new("ip").unwrap(), eid: EntityId::new("192.0.2.1").unwrap() };
        assert_eq!(e.stable_hash() % 64, e.clone().stable_hash() % 64);
        assert_ne!(e.stable_hash(), 0);
    }
}
