//! Records rewritten by jobs: on the condition that nobody changed them since they were read.

use tenter_model::{EntityRef, MasterRecord};

use crate::codec;
use crate::commit::column;
use crate::error::StoreError;
use crate::outcome::Done;
use crate::store::{self, Store};

/// A record that is to take another shape, encoded by the thread that made it.
#[derive(Debug, Clone, PartialEq)]
pub struct Rewrite {
    entity: EntityRef,
    seen: u64,
    body: Vec<u8>,
}

impl Rewrite {
    /// Encodes the record in its new shape; its `revision` is the one that was read. Links are not touched: what
    /// leads from a record to others is changed by tasks and deletions alone.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when a value cannot be encoded.
    pub fn new(entity: EntityRef, record: &MasterRecord) -> Result<Self, StoreError> {
        let mut body = Vec::new();
        codec::encode_into(&mut body, record)?;
        Ok(Self { entity, seen: record.revision, body })
    }

    /// The entity.
    #[must_use]
    pub fn entity(&self) -> &EntityRef {
        &self.entity
    }
}

impl Store {
    /// Rewrites records in one transaction. Gives for each, in their order, whether it was written; one that was not
    /// has changed since, or is gone: read it again.
    pub fn rewrite_records(&self, rewrites: Vec<Rewrite>, done: Done<Vec<bool>>) {
        self.send(false, done, move |tx| {
            let mut written = Vec::with_capacity(rewrites.len());
            for rewrite in &rewrites {
                let etype = tx.etype(&rewrite.entity)?;
                let n = tx
                    .conn
                    .prepare_cached(
                        "UPDATE master SET revision = revision + 1, body = ?4 \
                         WHERE etype = ?1 AND eid = ?2 AND revision = ?3",
                    )?
                    .execute((etype, rewrite.entity.eid.as_str(), column(rewrite.seen), &rewrite.body))?;
                tx.crash.at("rewrite-record");
                written.push(n == 1);
            }
            Ok(written)
        });
    }

    /// [`Store::rewrite_records`], waiting for the answer.
    ///
    /// # Errors
    /// When nothing was written.
    pub fn rewrite_records_blocking(&self, rewrites: Vec<Rewrite>) -> Result<Vec<bool>, StoreError> {
        store::wait(|done| self.rewrite_records(rewrites, done))
    }
}
