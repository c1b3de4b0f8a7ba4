//! The rows of a run: written, repeated, kept, removed.

use rusqlite::OptionalExtension;
use tenter_model::EntityRef;

use super::{Document, RunNumber, RunState, no_run};
use crate::commit::column;
use crate::error::StoreError;
use crate::snapshots;
use crate::tx::Tx;

/// Whether an entity was removed since the run began, and did not come into being again.
pub(super) fn is_gone(tx: &mut Tx<'_>, run: RunNumber, entity: &EntityRef) -> Result<bool, StoreError> {
    let key = (tx.etype(entity)?, entity.eid.as_str());
    let gone: Option<i64> = tx
        .conn
        .prepare_cached("SELECT run FROM snapshot_gone WHERE etype = ?1 AND eid = ?2")?
        .query_row(key, |r| r.get(0))
        .optional()?;
    if gone.is_none_or(|gone| gone < column(run)) {
        return Ok(false);
    }
    if !tx.conn.prepare_cached("SELECT 1 FROM master WHERE etype = ?1 AND eid = ?2")?.exists(key)? {
        return Ok(true);
    }
    // A new entity of the same name: its document counts, and that of the old one in this run must not come back.
    drop_row(tx, column(run), &neighbours(tx, column(run))?, key)?;
    tx.conn.prepare_cached("UPDATE snapshot_gone SET run = ?3 WHERE etype = ?1 AND eid = ?2")?.execute((
        key.0,
        key.1,
        column(run) - 1,
    ))?;
    Ok(false)
}

/// The runs that may name a document which this one names: a document is handed on from base to run, so that these are
/// its base and the runs on the same or on its own base.
pub(crate) fn neighbours(tx: &Tx<'_>, run: i64) -> Result<Vec<i64>, StoreError> {
    let mut statement = tx.conn.prepare_cached(
        "SELECT base FROM run WHERE number = ?1 AND base NOT NULL UNION SELECT number FROM run WHERE base = ?1 \
         UNION SELECT b.number FROM run a JOIN run b ON b.base = a.base WHERE a.number = ?1 AND b.number <> ?1",
    )?;
    let rows = statement.query_map([run], |r| r.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Removes the row of an entity in a run, with its document unless a neighbour of the run names it. Who removes rows of
/// several runs does so in the order of the runs.
pub(crate) fn drop_row(
    tx: &Tx<'_>,
    run: i64,
    neighbours: &[i64],
    (etype, eid): (i64, &str),
) -> Result<bool, StoreError> {
    let document: Option<i64> = tx
        .conn
        .prepare_cached("DELETE FROM snapshot WHERE run = ?1 AND etype = ?2 AND eid = ?3 RETURNING document")?
        .query_row((run, etype, eid), |r| r.get(0))
        .optional()?;
    let Some(document) = document else { return Ok(false) };
    let mut named = tx
        .conn
        .prepare_cached("SELECT 1 FROM snapshot WHERE run = ?1 AND etype = ?2 AND eid = ?3 AND document = ?4")?;
    for neighbour in neighbours {
        if named.exists((neighbour, etype, eid, document))? {
            return Ok(true);
        }
    }
    tx.conn.prepare_cached("DELETE FROM document WHERE id = ?1")?.execute([document])?;
    Ok(true)
}

/// Stores a document; tells whether the run had none of this entity.
pub(super) fn put(tx: &mut Tx<'_>, run: RunNumber, document: &Document) -> Result<bool, StoreError> {
    let (etype, eid) = (tx.etype(&document.entity)?, document.entity.eid.as_str());
    tx.conn.prepare_cached("INSERT INTO document (body) VALUES (?1)")?.execute([&document.body])?;
    let id = tx.conn.last_insert_rowid();
    let mut insert = tx.conn.prepare_cached(
        "INSERT INTO snapshot (run, etype, eid, document, revision, until, partial) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
    )?;
    let row = (
        column(run),
        etype,
        eid,
        id,
        document.revision.map(column),
        document.unchanged_until.map(|t| t.0),
        document.partial,
    );
    if insert.execute(row)? == 1 {
        return Ok(true);
    }
    drop_row(tx, column(run), &neighbours(tx, column(run))?, (etype, eid))?;
    insert.execute(row)?;
    Ok(false)
}

/// Names the base's document again; tells whether the run had none of this entity.
pub(super) fn repeat(
    tx: &mut Tx<'_>,
    base: Option<RunNumber>,
    run: RunNumber,
    entity: &EntityRef,
) -> Result<bool, StoreError> {
    let (etype, eid) = (tx.etype(entity)?, entity.eid.as_str());
    let added = tx
        .conn
        .prepare_cached(
            "INSERT INTO snapshot (run, etype, eid, document, revision, until, partial) \
             SELECT ?1, etype, eid, document, revision, until, partial FROM snapshot \
             WHERE run = ?2 AND etype = ?3 AND eid = ?4 AND NOT EXISTS \
             (SELECT 1 FROM snapshot_gone g WHERE g.etype = ?3 AND g.eid = ?4 AND g.run >= ?2) \
             ON CONFLICT DO NOTHING",
        )?
        .execute((column(run), base.map(column), etype, eid))?;
    if added == 1 {
        return Ok(true);
    }
    let held = tx
        .conn
        .prepare_cached("SELECT 1 FROM snapshot WHERE run = ?1 AND etype = ?2 AND eid = ?3")?
        .exists((column(run), etype, eid))?;
    if held {
        return Ok(false);
    }
    Err(StoreError::Invalid(format!(
        "{entity} is said to be unchanged, and the run before has no document of it; compute it anew"
    )))
}

/// Gives the run a row for entities of the base that it did not come by, unless the run that took theirs was cleaned.
pub(super) fn keep(
    tx: &mut Tx<'_>,
    base: RunNumber,
    run: RunNumber,
    left_out: &[(i64, String)],
) -> Result<(), StoreError> {
    if snapshots::run(tx.conn, run)?.is_none_or(|r| r.state != RunState::Running) {
        return Err(no_run(run));
    }
    let mut kept = 0;
    let mut insert = tx.conn.prepare_cached(
        "INSERT INTO snapshot (run, etype, eid, document, taken, revision, until, partial) \
         SELECT ?1, s.etype, s.eid, s.document, coalesce(s.taken, s.run), s.revision, s.until, s.partial \
         FROM snapshot s WHERE s.run = ?2 AND s.etype = ?3 AND s.eid = ?4 \
         AND EXISTS (SELECT 1 FROM run WHERE number = coalesce(s.taken, s.run) AND state = 'complete') \
         AND NOT EXISTS (SELECT 1 FROM snapshot_gone g WHERE g.etype = s.etype AND g.eid = s.eid AND g.run >= ?2) \
         ON CONFLICT DO NOTHING",
    )?;
    for (etype, eid) in left_out {
        kept += insert.execute((column(run), column(base), etype, eid))?;
    }
    tx.conn
        .prepare_cached(
            "UPDATE run SET counts = json_set(counts, '$.kept', coalesce(json_extract(counts, '$.kept'), 0) + ?2) \
             WHERE number = ?1",
        )?
        .execute((column(run), i64::try_from(kept).unwrap_or(i64::MAX)))?;
    tx.crash.at("run-kept");
    Ok(())
}
