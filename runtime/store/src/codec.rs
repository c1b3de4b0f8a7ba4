//! Blobs: MessagePack with positional structs behind one version byte.
//!
//! A change of a stored type gets a new version byte and a branch in [`decode`], so that old rows stay readable.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::StoreError;

/// The format that this program writes.
const VERSION: u8 = 1;

/// Encodes into `out`, whose room is used again from row to row.
pub(crate) fn encode_into<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> Result<(), StoreError> {
    out.clear();
    out.push(VERSION);
    rmp_serde::encode::write(out, value).map_err(|e| StoreError::Invalid(format!("cannot store the value: {e}")))
}

/// Decodes a blob; `what` names it in the error.
pub(crate) fn decode<T: DeserializeOwned>(blob: &[u8], what: impl FnOnce() -> String) -> Result<T, StoreError> {
    let unreadable = |why: String, what: String| StoreError::Unreadable { what, why };
    match blob.split_first() {
        Some((&VERSION, rest)) => rmp_serde::from_slice(rest).map_err(|e| unreadable(e.to_string(), what())),
        Some((version, _)) => Err(unreadable(format!("unknown format {version}"), what())),
        None => Err(unreadable("it is empty".into(), what())),
    }
}
