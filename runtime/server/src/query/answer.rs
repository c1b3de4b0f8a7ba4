//! Long answers: written once, never held as a tree, and counted while they are in memory.
//!
//! Whoever reads slowly keeps an answer in memory for long, and many may do so at once; what all of them hold together is
//! bounded.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Bytes;
use serde::Serialize;
use serde_json::Value;
use tenter_store::StoreError;

use super::QueryError;

/// Bytes of an answer.
pub(super) const MAX_BYTES: usize = 256 << 20;
/// Bytes of all answers that are being made or sent.
const MAX_HELD: usize = 1 << 30;

/// Bytes that answers hold at present, and may hold.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    now: Arc<AtomicUsize>,
    most: usize,
}

impl Default for Held {
    fn default() -> Self {
        Self { now: Arc::default(), most: MAX_HELD }
    }
}

/// Text that is counted as long as it lives.
struct Counted {
    out: Vec<u8>,
    counted: usize,
    held: Held,
}

impl Counted {
    /// Counts what was added.
    fn count(&mut self) -> usize {
        let more = self.out.len().saturating_sub(self.counted);
        self.counted += more;
        self.held.now.fetch_add(more, Ordering::Relaxed) + more
    }
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.out
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.held.now.fetch_sub(self.counted, Ordering::Relaxed);
    }
}

/// A list under construction, or a JSON object whose first member is one.
pub(crate) struct ListAnswer {
    text: Counted,
    count: u64,
}

impl ListAnswer {
    /// An object whose list has this name; without one, the list alone.
    pub(crate) fn new(name: Option<&str>, held: Held) -> Self {
        let out = name.map_or_else(|| b"[".to_vec(), |name| format!("{{{}:[", Value::from(name)).into_bytes());
        Self { text: Counted { out, counted: 0, held }, count: 0 }
    }

    /// One more item.
    pub(crate) fn push(&mut self, item: &impl Serialize) -> Result<(), QueryError> {
        if self.count > 0 {
            self.text.out.push(b',');
        }
        self.count += 1;
        let written = serde_json::to_writer(&mut self.text.out, item);
        written.map_err(|e| StoreError::Invalid(format!("cannot print an answer: {e}")))?;
        let held = self.text.count();
        if self.text.out.len() > MAX_BYTES {
            return Err(QueryError::TooMuch("256 MiB"));
        }
        if held > self.text.held.most { Err(QueryError::Busy(held >> 20)) } else { Ok(()) }
    }

    /// Items so far.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The whole text, with the other members of the object.
    pub(crate) fn finish(mut self, members: &[(&str, Value)]) -> Bytes {
        let out = &mut self.text.out;
        out.push(b']');
        for (name, value) in members {
            out.extend_from_slice(format!(",{}:{value}", Value::from(*name)).as_bytes());
        }
        if out.first() == Some(&b'{') {
            out.push(b'}');
        }
        self.text.count();
        Bytes::from_owner(self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_json_however_long_its_list() {
        let mut answer = ListAnswer::new(Some("data"), Held::default());
        for item in 0..3 {
            answer.push(&item).unwrap();
        }
        assert_eq!(answer.count(), 3);
        let text = answer.finish(&[("count", 3.into()), ("time_created", Value::Null)]);
        assert_eq!(text, br#"{"data":[0,1,2],"count":3,"time_created":null}"#.as_slice());
        assert_eq!(ListAnswer::new(None, Held::default()).finish(&[]), b"[]".as_slice());
    }

    #[test]
    fn answers_are_bounded_together_as_long_as_somebody_holds_them() {
        let held = Held { most: 4 << 20, ..Held::default() };
        let long = "x".repeat((1 << 20) - 16);
        let mut kept = Vec::new();
        let refused = loop {
            let mut answer = ListAnswer::new(None, held.clone());
            match answer.push(&long) {
                Ok(()) => kept.push(answer.finish(&[])),
                Err(refused) => break refused,
            }
            assert!(kept.len() < 8, "no end");
        };
        assert_eq!(kept.len(), 4);
        insta::assert_snapshot!(refused, @"answers of 4 MiB are being made or sent at present; ask again in a moment, or for a smaller page");
        kept.pop();
        assert!(ListAnswer::new(None, held.clone()).push(&long).is_ok());
        drop(kept);
        assert_eq!(held.now.load(Ordering::Relaxed), 0);
    }
}
