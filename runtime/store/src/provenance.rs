//! Which call made a datapoint, as the raw log keeps it.
//!
//! A derived datapoint carries a blob of fixed layout beside the number of its module: the task whose processing made
//! the call, which of its calls it was, the attempt, and the numbers of version, hook and subscription among the names.
//! From these the id of the call follows, so that a value names its call even when the call's own record is not kept.
//! It is made once for a task, whose datapoints share it; datapoints from outside have none and cost nothing.

use rusqlite::Connection;
use tenter_model::task::Origin;
use tenter_model::{ModuleName, TaskId};

use crate::error::StoreError;
use crate::names::{self, Names};

/// Layout of the blob; another layout gets another number.
const LAYOUT: u8 = 1;
/// Layout, task, five numbers.
const LENGTH: usize = 1 + 16 + 5 * 4;

/// The blob of an origin.
pub(crate) fn encode(conn: &Connection, names: &mut Names, origin: &Origin) -> Result<[u8; LENGTH], StoreError> {
    let mut number = |text: &str| -> Result<u32, StoreError> {
        let id = names.number(conn, text)?;
        u32::try_from(id).map_err(|_| StoreError::Invalid(format!("there are too many names: {id}")))
    };
    let numbers = [
        origin.number,
        u32::from(origin.attempt),
        number(&origin.version)?,
        number(origin.hook.name())?,
        number(origin.subscription.as_str())?,
    ];
    let mut blob = [LAYOUT; LENGTH];
    let bytes = origin.parent.0.into_iter().chain(numbers.into_iter().flat_map(u32::to_le_bytes));
    for (slot, byte) in blob.iter_mut().skip(1).zip(bytes) {
        *slot = byte;
    }
    Ok(blob)
}

/// The origin of a blob.
pub(crate) fn decode(conn: &Connection, module: &ModuleName, blob: &[u8]) -> Result<Origin, StoreError> {
    let unreadable = |why: String| StoreError::Unreadable { what: "origin of a datapoint".into(), why };
    let (Some((&LAYOUT, rest)), LENGTH) = (blob.split_first(), blob.len()) else {
        return Err(unreadable(format!("{} bytes of an unknown layout", blob.len())));
    };
    let Some((parent, rest)) = rest.split_first_chunk::<16>() else {
        return Err(unreadable("it is too short".into()));
    };
    let (&[number, attempt, version, hook, subscription], []) = rest.as_chunks::<4>() else {
        return Err(unreadable("it has another length".into()));
    };
    let text = |bytes| names::text(conn, i64::from(u32::from_le_bytes(bytes)));
    Ok(Origin {
        module: module.clone(),
        version: text(version)?,
        hook: text(hook)?.parse().map_err(|e: tenter_model::hook::UnknownKind| unreadable(e.to_string()))?,
        subscription: text(subscription)?
            .parse()
            .map_err(|e: tenter_model::id::NameError| unreadable(e.to_string()))?,
        parent: TaskId(*parent),
        number: u32::from_le_bytes(number),
        attempt: u16::try_from(u32::from_le_bytes(attempt)).unwrap_or(u16::MAX),
    })
}
