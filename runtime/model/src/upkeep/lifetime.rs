//! Which entities end.

use crate::record::MasterRecord;
use crate::schema::Lifetime;
use crate::time::Timestamp;

/// What the garbage collector does with an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Nothing.
    Keep,
    /// It lives on, without these TTL tokens, which are past.
    DropTokens(Vec<String>),
    /// It ends.
    Delete,
}

/// Whether all tokens of an entity are past. An entity without tokens never expires.
#[must_use]
pub fn is_expired(record: &MasterRecord, now: Timestamp) -> bool {
    !record.ttl.is_empty() && record.ttl.values().all(|until| *until < now)
}

/// Decides about an entity. `is_linked` tells whether any link leads to it, and is asked only for weak types.
///
/// A weak entity that nothing links to ends at the next collection, however young it is; chains of weak entities
/// therefore end one link at a time.
#[must_use]
pub fn fate(lifetime: &Lifetime, record: &MasterRecord, is_linked: impl FnOnce() -> bool, now: Timestamp) -> Fate {
    match lifetime {
        Lifetime::Immortal => Fate::Keep,
        Lifetime::Ttl { .. } if is_expired(record, now) => Fate::Delete,
        Lifetime::Ttl { .. } => {
            let past: Vec<String> =
                record.ttl.iter().filter(|(_, until)| **until < now).map(|(name, _)| name.clone()).collect();
            if past.is_empty() { Fate::Keep } else { Fate::DropTokens(past) }
        }
        Lifetime::Weak if is_linked() => Fate::Keep,
        Lifetime::Weak => Fate::Delete,
    }
}
