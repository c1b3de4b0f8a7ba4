//! Private state of modules: keys, values, versions.
//!
//! Each write gives its key a version that was never used before, so that "unchanged since I read it" is one
//! comparison. A key that a call read *and* sets or removes must be unchanged; additions to counters commute and are
//! never refused. Keys whose time has come count as absent everywhere; pruning removes them.

use rusqlite::OptionalExtension;
use tenter_model::host::{StateRead, StateWrite};
use tenter_model::{ModuleName, Timestamp};

use crate::commit::column;
use crate::error::StoreError;
use crate::outcome::StateChange;
use crate::tx::Tx;

/// Refuses when a key that a call of this outcome read was changed since, if the module also sets or removes it.
/// Runs before the first write of the outcome.
pub(crate) fn check_reads(
    tx: &mut Tx<'_>,
    module: &ModuleName,
    reads: &[StateRead],
    changes: &[StateChange],
    at: Timestamp,
) -> Result<(), StoreError> {
    for read in reads {
        let replaces =
            changes.iter().filter(|(m, ..)| m == module).flat_map(|(_, writes, _)| writes).any(|w| match w {
                StateWrite::Put { key, .. } | StateWrite::Delete { key } => *key == read.key,
                StateWrite::Add { .. } => false,
            });
        if replaces && version(tx, module, &read.key, at)? != read.version.map(column) {
            return Err(StoreError::Conflict(format!("state key {:?} of module {module}", read.key)));
        }
    }
    Ok(())
}

fn version(tx: &Tx<'_>, module: &ModuleName, key: &str, at: Timestamp) -> Result<Option<i64>, StoreError> {
    Ok(tx
        .conn
        .prepare_cached("SELECT version FROM kv WHERE module = ?1 AND key = ?2 AND (until IS NULL OR until > ?3)")?
        .query_row((module.as_str(), key, at.0), |r| r.get(0))
        .optional()?)
}

/// Applies changes in their order.
pub(crate) fn write(
    tx: &mut Tx<'_>,
    module: &ModuleName,
    writes: &[StateWrite],
    at: Timestamp,
) -> Result<(), StoreError> {
    let mut growth = 0i64;
    for change in writes {
        growth += match change {
            StateWrite::Put { key, value, until } => put(tx, module, key, value, until.map(|t| t.0))?,
            StateWrite::Delete { key } => -remove(tx, module, key)?,
            StateWrite::Add { key, by } => add(tx, module, key, *by, at)?,
        };
    }
    if growth != 0 {
        tx.conn
            .prepare_cached(
                "INSERT INTO kv_size (module, bytes) VALUES (?1, ?2) ON CONFLICT (module) DO UPDATE SET bytes = bytes + ?2",
            )?
            .execute((module.as_str(), growth))?;
    }
    Ok(())
}

fn bytes(key: &str, value: &[u8]) -> i64 {
    i64::try_from(key.len() + value.len()).unwrap_or(i64::MAX)
}

/// Sets a key; gives the growth in bytes.
fn put(tx: &mut Tx<'_>, module: &ModuleName, key: &str, value: &[u8], until: Option<i64>) -> Result<i64, StoreError> {
    let before = size(tx, module, key)?;
    let version = tx.tally.next_version();
    tx.conn
        .prepare_cached("INSERT OR REPLACE INTO kv (module, key, value, version, until) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute((module.as_str(), key, value, version, until))?;
    Ok(bytes(key, value) - before)
}

/// Removes a key; gives the bytes freed.
fn remove(tx: &mut Tx<'_>, module: &ModuleName, key: &str) -> Result<i64, StoreError> {
    let before = size(tx, module, key)?;
    tx.conn.prepare_cached("DELETE FROM kv WHERE module = ?1 AND key = ?2")?.execute((module.as_str(), key))?;
    Ok(before)
}

fn size(tx: &Tx<'_>, module: &ModuleName, key: &str) -> Result<i64, StoreError> {
    Ok(tx
        .conn
        .prepare_cached("SELECT octet_length(key) + length(value) FROM kv WHERE module = ?1 AND key = ?2")?
        .query_row((module.as_str(), key), |r| r.get(0))
        .optional()?
        .unwrap_or(0))
}

/// Adds to a counter, which is decimal text; anything else counts as 0. A counter keeps its end.
fn add(tx: &mut Tx<'_>, module: &ModuleName, key: &str, by: i64, at: Timestamp) -> Result<i64, StoreError> {
    let stored: Option<(Vec<u8>, Option<i64>)> = tx
        .conn
        .prepare_cached("SELECT value, until FROM kv WHERE module = ?1 AND key = ?2 AND (until IS NULL OR until > ?3)")?
        .query_row((module.as_str(), key, at.0), |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    let (value, until) = stored.unwrap_or_default();
    let number: i64 = std::str::from_utf8(&value).ok().and_then(|t| t.parse().ok()).unwrap_or(0);
    put(tx, module, key, number.saturating_add(by).to_string().as_bytes(), until)
}
