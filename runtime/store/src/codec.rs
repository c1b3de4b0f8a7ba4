//! Blobs: MessagePack with positional structs behind one version byte and a sum.
//!
//! A change of a stored type gets a new version byte and a branch in [`decode`], so that old rows stay readable. The sum
//! tells a value that the disk has altered, which SQLite would hand out as it is. Rows of format 1 have none.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::{DeserializeOwned, DeserializeSeed};

use crate::error::StoreError;

/// The format without a sum.
const BARE: u8 = 1;
/// The format that this program writes: the sum, little-endian, follows.
const SUMMED: u8 = 2;
/// Bytes before the MessagePack.
const HEAD: usize = 5;
/// Most lists and maps within each other. Values have JSON of at most 32 within a few structs; reading what a damaged row
/// may hold without a bound would use up the stack, which ends the process.
const MAX_DEPTH: usize = 96;

/// Encodes into `out`, whose room is used again from row to row.
pub(crate) fn encode_into<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> Result<(), StoreError> {
    out.clear();
    out.extend_from_slice(&[SUMMED, 0, 0, 0, 0]);
    rmp_serde::encode::write(out, value).map_err(|e| StoreError::Invalid(format!("cannot store the value: {e}")))?;
    if let Some((head, body)) = out.split_at_mut_checked(HEAD) {
        for (slot, byte) in head.iter_mut().skip(1).zip(sum(body).to_le_bytes()) {
            *slot = byte;
        }
    }
    Ok(())
}

/// Decodes a blob; `what` names it in the error.
pub(crate) fn decode<T: DeserializeOwned>(blob: &[u8], what: impl FnOnce() -> String) -> Result<T, StoreError> {
    decode_seed(blob, PhantomData::<T>, what)
}

/// Decodes a blob with what knows how to read it.
pub(crate) fn decode_seed<'de, S: DeserializeSeed<'de>>(
    blob: &'de [u8],
    seed: S,
    what: impl FnOnce() -> String,
) -> Result<S::Value, StoreError> {
    let body = match blob.split_first() {
        Some((&SUMMED, rest)) => match rest.split_first_chunk() {
            Some((stored, body)) if u32::from_le_bytes(*stored) == sum(body) => Ok(body),
            _ => Err("its sum is wrong".to_owned()),
        },
        Some((&BARE, rest)) => Ok(rest),
        Some((version, _)) => Err(format!("unknown format {version}")),
        None => Err("it is empty".to_owned()),
    };
    let read = |body| {
        let mut reader = rmp_serde::Deserializer::from_read_ref(body);
        reader.set_max_depth(MAX_DEPTH);
        seed.deserialize(&mut reader).map_err(|e| e.to_string())
    };
    body.and_then(read).map_err(|why| StoreError::Unreadable { what: what(), why })
}

/// Bytes as they are stored that are no value of a type, behind their sum.
pub(crate) fn seal(bytes: &[u8]) -> Vec<u8> {
    [&sum(bytes).to_le_bytes(), bytes].concat()
}

/// The bytes behind their sum.
///
/// # Errors
/// In words, when the sum is another one.
pub(crate) fn unseal(sealed: &[u8]) -> Result<&[u8], String> {
    match sealed.split_first_chunk::<4>() {
        Some((head, bytes)) if sum(bytes).to_le_bytes() == *head => Ok(bytes),
        _ => Err("its sum is another one".into()),
    }
}

/// Sums up eight bytes at a time, since it runs over every value that is read or written. An alteration goes unseen once
/// in four thousand million times. Against accidents, not against people.
fn sum(bytes: &[u8]) -> u32 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    for (slot, byte) in last.iter_mut().zip(rest) {
        *slot = *byte;
    }
    let mut state = 0x9e37_79b9_7f4a_7c15 ^ bytes.len() as u64;
    for word in words.iter().chain(std::iter::once(&last)) {
        state = (state ^ u64::from_le_bytes(*word)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        state ^= state >> 32;
    }
    // The upper half of a product depends on all bits of its factors.
    let [.., a, b, c, d] = state.wrapping_mul(0xc4ce_b9fe_1a85_ec53).to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_altered_bit_is_seen() {
        let mut blob = Vec::new();
        encode_into(&mut blob, &("a value of some length, longer than a word", 7u64)).unwrap();
        let read = |blob: &[u8]| decode::<(String, u64)>(blob, || "it".into());
        assert_eq!(read(&blob).unwrap().1, 7);
        for bit in 0..blob.len() * 8 {
            let mut altered = blob.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&altered).is_err(), "bit {bit}");
        }
        for length in 0..blob.len() {
            assert!(read(&blob[..length]).is_err(), "cut to {length}");
        }
    }

    #[test]
    fn nesting_has_a_bound_beyond_what_values_need() {
        let nested = |depth: usize| {
            let json = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
            let mut blob = Vec::new();
            encode_into(&mut blob, &serde_json::from_str::<serde_json::Value>(&json).unwrap()).unwrap();
            decode::<serde_json::Value>(&blob, || "it".into())
        };
        assert!(nested(2 * tenter_model::limits::MAX_JSON_DEPTH).is_ok());
        let error = nested(MAX_DEPTH + 1).unwrap_err();
        assert!(error.to_string().contains("depth limit exceeded"), "{error}");
    }

    #[test]
    fn values_of_the_format_without_a_sum_are_read() {
        assert_eq!(decode::<u64>(&[BARE, 7], || "it".into()).unwrap(), 7);
        let error = decode::<u64>(&[9, 7], || "it".into()).unwrap_err();
        assert!(error.to_string().contains("unknown format 9"), "{error}");
    }
}
