//! What went wrong: error rows and dead letters, and what an operator does with the latter.

use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;
use tenter_model::{EntityRef, ModuleName, Timestamp};

use crate::codec;
use crate::commit::column;
use crate::error::StoreError;
use crate::outcome::{DeadKind, DeadLetter, DeadRow, ErrorRow};
use crate::store::Store;
use crate::tally::Count;

/// Which error rows are wanted; an absent field means all.
#[derive(Debug, Clone, Default)]
pub struct ErrorFilter {
    /// Of this module.
    pub module: Option<ModuleName>,
    /// With this reason code.
    pub reason: Option<String>,
    /// About this entity.
    pub entity: Option<EntityRef>,
    /// Not before this time.
    pub since: Option<Timestamp>,
}

/// Which dead letters are wanted; an absent field means all.
#[derive(Debug, Clone, Default)]
pub struct DeadFilter {
    /// Of this module.
    pub module: Option<ModuleName>,
    /// Of this kind.
    pub kind: Option<DeadKind>,
    /// About this entity.
    pub entity: Option<EntityRef>,
    /// With a smaller number than this; for paging.
    pub before: Option<u64>,
}

impl Store {
    /// Puts a dead letter back into its queue, at the end, with its old id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such letter.
    pub fn replay_dead(&self, seq: u64) -> Result<(), StoreError> {
        self.audited("dead-letter.replay", &seq.to_string(), Value::Null, move |tx| {
            let letter = take(tx.conn, seq)?;
            tx.tally.add(Count::Dead, -1);
            if letter.kind == DeadKind::Budget {
                tx.tally.add(Count::OverBudget, -1);
            }
            tx.enqueue(&letter.task, letter.task.root)
        })
    }

    /// Throws a dead letter away. It still counts as dead, so that the books stay in balance.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such letter.
    pub fn discard_dead(&self, seq: u64) -> Result<(), StoreError> {
        self.audited("dead-letter.discard", &seq.to_string(), Value::Null, move |tx| {
            match tx.conn.execute("DELETE FROM dead WHERE seq = ?1", [column(seq)])? {
                0 => Err(StoreError::NotFound(format!("dead letter {seq}"))),
                _ => Ok(()),
            }
        })
    }
}

fn take(conn: &Connection, seq: u64) -> Result<DeadLetter, StoreError> {
    let body: Option<Vec<u8>> = conn
        .prepare_cached("DELETE FROM dead WHERE seq = ?1 RETURNING body")?
        .query_row([column(seq)], |r| r.get(0))
        .optional()?;
    let body = body.ok_or_else(|| StoreError::NotFound(format!("dead letter {seq}")))?;
    codec::decode(&body, || format!("dead letter {seq}"))
}

/// Error rows, newest first.
pub(crate) fn errors(conn: &Connection, filter: &ErrorFilter, limit: u32) -> Result<Vec<ErrorRow>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT seq, body FROM error WHERE (?1 IS NULL OR module = ?1) AND (?2 IS NULL OR reason = ?2) \
         AND (?3 IS NULL OR (etype = ?3 AND eid = ?4)) AND (?5 IS NULL OR at >= ?5) ORDER BY seq DESC LIMIT ?6",
    )?;
    let entity = filter.entity.as_ref();
    let mut rows = statement.query((
        filter.module.as_ref().map(|m| m.as_str()),
        filter.reason.as_deref(),
        entity.map(|e| e.etype.as_str()),
        entity.map(|e| e.eid.as_str()),
        filter.since.map(|t| t.0),
        limit,
    ))?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let seq: i64 = row.get(0)?;
        out.push(codec::decode(row.get_ref(1)?.as_blob().unwrap_or_default(), || format!("error row {seq}"))?);
    }
    Ok(out)
}

/// Dead letters, newest first.
pub(crate) fn dead(conn: &Connection, filter: &DeadFilter, limit: u32) -> Result<Vec<DeadRow>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT seq, body FROM dead WHERE (?1 IS NULL OR module = ?1) AND (?2 IS NULL OR kind = ?2) \
         AND (?3 IS NULL OR (etype = ?3 AND eid = ?4)) AND (?5 IS NULL OR seq < ?5) ORDER BY seq DESC LIMIT ?6",
    )?;
    let entity = filter.entity.as_ref();
    let mut rows = statement.query((
        filter.module.as_ref().map(|m| m.as_str()),
        filter.kind.map(DeadKind::name),
        entity.map(|e| e.etype.as_str()),
        entity.map(|e| e.eid.as_str()),
        filter.before.map(column),
        limit,
    ))?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let seq: i64 = row.get(0)?;
        out.push(DeadRow {
            seq: u64::try_from(seq).unwrap_or(0),
            letter: codec::decode(row.get_ref(1)?.as_blob().unwrap_or_default(), || format!("dead letter {seq}"))?,
        });
    }
    Ok(out)
}
