//! Cleaning snapshots: old runs, aborted runs, documents of entities that were removed. In bounded pieces.
//!
//! A run that goes is hidden first and loses its rows after that, so that nobody sees half of it. Its documents go with
//! the rows unless a later run names them. The latest complete run stays however old it is: it is the picture.

use tenter_model::Timestamp;

use crate::error::StoreError;
use crate::runs::{drop_row, neighbours};
use crate::store::Store;
use crate::tx::Tx;

/// Rows removed in one piece of work, so that others need not wait long.
const STEP: i64 = 2_000;
/// Removed entities looked after in one piece of work; each has rows in as many runs as there are.
const ENTITIES: i64 = 50;

impl Store {
    /// Removes runs whose time is before `older_than` with their documents, all documents of aborted runs, and all
    /// documents of removed entities. Gives the number of rows removed. Other work goes on in between.
    ///
    /// What a later run kept of a removed one is not shown any more.
    ///
    /// # Errors
    /// What the disk may say; what was removed before that stays removed.
    pub fn clean_snapshots(&self, older_than: Timestamp) -> Result<u64, StoreError> {
        let mut removed = 0;
        for step in [clean_runs, clean_removed_entities] {
            loop {
                let (n, more) = self.call(move |tx| step(tx, older_than))?;
                removed += n;
                if !more {
                    break;
                }
            }
        }
        Ok(removed)
    }
}

/// Removes some rows of the next run that is to go; gives their number, and whether there may be more.
fn clean_runs(tx: &mut Tx<'_>, older_than: Timestamp) -> Result<(u64, bool), StoreError> {
    // Aborted runs before those that they took documents over from.
    let candidates: Vec<(i64, bool)> = tx
        .conn
        .prepare_cached(
            "SELECT number, state = 'removed' OR time < ?1 FROM run WHERE state IN ('aborted', 'removed') OR \
             (state = 'complete' AND time < ?1 AND number < (SELECT max(number) FROM run WHERE state = 'complete')) \
             ORDER BY state <> 'aborted', number",
        )?
        .query_map([older_than.0], |r| Ok((r.get(0)?, r.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (run, goes) in candidates {
        let rows: Vec<(i64, String)> = tx
            .conn
            .prepare_cached("SELECT etype, eid FROM snapshot WHERE run = ?1 LIMIT ?2")?
            .query_map((run, STEP), |r| Ok((r.get(0)?, r.get(1)?)))?
            .collect::<Result<_, _>>()?;
        if !rows.is_empty() {
            tx.conn
                .prepare_cached("UPDATE run SET state = 'removed' WHERE number = ?1 AND state = 'complete'")?
                .execute([run])?;
            let neighbours = neighbours(tx, run)?;
            for (etype, eid) in &rows {
                drop_row(tx, run, &neighbours, (*etype, eid))?;
            }
            tx.crash.at("clean-rows");
            return Ok((rows.len() as u64, true));
        }
        if goes {
            tx.conn.prepare_cached("DELETE FROM run WHERE number = ?1")?.execute([run])?;
            tx.crash.at("clean-run");
        }
    }
    Ok((0, false))
}

/// Removes documents of some entities that were removed, and forgets that they were.
fn clean_removed_entities(tx: &mut Tx<'_>, _: Timestamp) -> Result<(u64, bool), StoreError> {
    // A run under way may still bring a document of an entity that was removed meanwhile.
    let gone: Vec<(i64, String, i64)> = tx
        .conn
        .prepare_cached(
            "SELECT etype, eid, run FROM snapshot_gone \
             WHERE run < coalesce((SELECT min(number) FROM run WHERE state = 'running'), run + 1) LIMIT ?1",
        )?
        .query_map([ENTITIES], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?
        .collect::<Result<_, _>>()?;
    // In the order of the runs, since a document goes with the last row that names it.
    let numbers: Vec<i64> = tx
        .conn
        .prepare_cached("SELECT number FROM run ORDER BY number")?
        .query_map([], |r| r.get(0))?
        .collect::<Result<_, _>>()?;
    let mut runs = Vec::with_capacity(numbers.len());
    for number in numbers.into_iter().filter(|_| !gone.is_empty()) {
        runs.push((number, neighbours(tx, number)?));
    }
    let mut removed = 0;
    for (etype, eid, until) in &gone {
        for (run, neighbours) in runs.iter().take_while(|(run, _)| run <= until) {
            removed += u64::from(drop_row(tx, *run, neighbours, (*etype, eid))?);
        }
        tx.conn.prepare_cached("DELETE FROM snapshot_gone WHERE etype = ?1 AND eid = ?2")?.execute((etype, eid))?;
    }
    tx.crash.at("clean-entities");
    Ok((removed, i64::try_from(gone.len()).is_ok_and(|n| n == ENTITIES)))
}
