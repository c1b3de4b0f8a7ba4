//! The audit log: who changed what, in the transaction of the change, each row chained to the one before it.
//!
//! The hash of a row covers the hash before it and every column, so that altering, removing or inserting a row breaks
//! the chain from there on. The number of rows is counted elsewhere, which shows a tail that was cut off. Somebody who
//! can write the database file and knows this program can still write a whole new chain: [`AuditCheck::head`] is the
//! value to keep in another place if that matters.

use rusqlite::{Connection, OptionalExtension};
use sha2::{Digest, Sha256};
use tenter_model::Timestamp;

use crate::commit::column;
use crate::error::StoreError;
use crate::reader::Reader;
use crate::store::Store;
use crate::tally::{Count, Tally};
use crate::tx::Tx;

/// Who acts, and when.
#[derive(Debug, Clone)]
pub(crate) struct Actor {
    pub(crate) name: std::sync::Arc<str>,
    pub(crate) at: Timestamp,
}

/// A row of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Its number; the first is 1 and none is missing.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What was done, a stable word such as `module.install`.
    pub action: String,
    /// To what, such as the name of a module.
    pub subject: String,
    /// More; never a secret.
    pub detail: serde_json::Value,
    /// SHA-256 over the hash before it and this row.
    pub hash: [u8; 32],
}

/// What a look at the whole chain found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditCheck {
    /// Rows that are there.
    pub rows: u64,
    /// The first number at which the chain is broken: altered, missing or inserted.
    pub first_broken: Option<u64>,
    /// The hash of the last row that is in order; zeros when there is none.
    pub head: [u8; 32],
}

impl Store {
    /// A handle of the same store whose administrative changes are recorded as made by this actor at this time. Those
    /// of other handles are recorded as made by `tenter` when the store was opened.
    #[must_use]
    pub fn acting(&self, actor: impl Into<String>, now: Timestamp) -> Self {
        self.with_actor(Actor { name: actor.into().into(), at: now })
    }

    /// Records something that changed elsewhere, such as the state of a breaker.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn record_audit(&self, action: &str, subject: &str, detail: serde_json::Value) -> Result<(), StoreError> {
        self.audited(action, subject, detail, |_| Ok(()))
    }

    /// Does a change and records it; both or neither.
    pub(crate) fn audited<T: Send + 'static>(
        &self,
        action: &str,
        subject: &str,
        detail: serde_json::Value,
        mut work: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (actor, action, subject) = (self.actor().clone(), action.to_owned(), subject.to_owned());
        let detail = detail.to_string();
        self.call(move |tx| {
            let result = work(tx)?;
            append(tx, &actor, &action, &subject, &detail)?;
            Ok(result)
        })
    }
}

impl Reader {
    /// Rows of the audit log in order, after a number.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn audit_log(&self, after: u64, limit: u32) -> Result<Vec<AuditRow>, StoreError> {
        let conn = self.connection();
        let mut statement = conn.prepare_cached(
            "SELECT seq, at, actor, action, subject, detail, hash FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        )?;
        let mut rows = statement.query((column(after), limit))?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let seq = u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0);
            let unreadable = |why: String| StoreError::Unreadable { what: format!("audit row {seq}"), why };
            out.push(AuditRow {
                seq,
                at: Timestamp(row.get(1)?),
                actor: row.get(2)?,
                action: row.get(3)?,
                subject: row.get(4)?,
                detail: serde_json::from_str(&row.get::<_, String>(5)?).map_err(|e| unreadable(e.to_string()))?,
                hash: row.get(6).map_err(|e| unreadable(e.to_string()))?,
            });
        }
        Ok(out)
    }

    /// Looks at the whole chain of the audit log.
    ///
    /// # Errors
    /// What the disk may say; a broken chain is no error.
    pub fn verify_audit(&self) -> Result<AuditCheck, StoreError> {
        self.at_once(verify)
    }
}

pub(crate) fn append(
    tx: &mut Tx<'_>,
    actor: &Actor,
    action: &str,
    subject: &str,
    detail: &str,
) -> Result<(), StoreError> {
    let last: Option<(i64, Vec<u8>)> = tx
        .conn
        .prepare_cached("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")?
        .query_row([], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    let (seq, before) = last.unwrap_or_default();
    let seq = seq + 1;
    let hash = hash(&before, seq, actor.at.0, [&actor.name, action, subject, detail]);
    tx.conn
        .prepare_cached(
            "INSERT INTO audit (seq, at, actor, action, subject, detail, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute((seq, actor.at.0, &*actor.name, action, subject, detail, &hash[..]))?;
    tx.tally.add(Count::AuditRows, 1);
    Ok(())
}

/// Every text goes in with its length, so that no two rows have the same input.
fn hash(before: &[u8], seq: i64, at: i64, texts: [&str; 4]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    // The first row follows nothing; so many zeros stand for that.
    hasher.update(if before.is_empty() { &[0; 32][..] } else { before });
    hasher.update(seq.to_be_bytes());
    hasher.update(at.to_be_bytes());
    for text in texts {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text);
    }
    hasher.finalize().into()
}

/// [`Reader::verify_audit`].
pub(crate) fn verify(conn: &Connection) -> Result<AuditCheck, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT seq, at, actor, action, subject, detail, hash FROM audit ORDER BY seq")?;
    let mut rows = statement.query([])?;
    let mut check = AuditCheck { rows: 0, first_broken: None, head: [0; 32] };
    while let Some(row) = rows.next()? {
        check.rows += 1;
        let seq: i64 = row.get(0)?;
        let text = |n| -> Result<&str, rusqlite::Error> {
            // Bytes that are no text were not written by this program.
            Ok(row.get_ref(n)?.as_str().unwrap_or("\u{0}"))
        };
        let expected = hash(&check.head, seq, row.get(1)?, [text(2)?, text(3)?, text(4)?, text(5)?]);
        let stored = row.get_ref(6)?.as_blob().unwrap_or_default();
        if check.first_broken.is_none() {
            if column(check.rows) == seq && stored == expected {
                check.head = expected;
            } else {
                check.first_broken = Some(check.rows);
            }
        }
    }
    let counted = u64::try_from(Tally::load(conn)?.get(Count::AuditRows)).unwrap_or(0);
    if check.first_broken.is_none() && counted != check.rows {
        check.first_broken = Some(check.rows.min(counted) + 1);
    }
    Ok(check)
}
