//! Reading snapshots: the latest picture, histories of entities, runs.

use rusqlite::{Connection, OptionalExtension, Row};
use serde::{Deserialize, Serialize};
use tenter_model::history::TimeRange;
use tenter_model::view::{CurrentValue, EntityView};
use tenter_model::{AttrName, EntityId, EntityRef, EntityType, Timestamp, Value};

use crate::codec;
use crate::commit::column;
use crate::error::StoreError;
use crate::names;
use crate::reader::{Reader, name, text};
use crate::runs::{RunNumber, RunRow, RunState};

/// One value as stored.
#[derive(Serialize)]
pub(crate) struct ValueRef<'a>(&'a AttrName, &'a Value, Option<f64>);

impl<'a> ValueRef<'a> {
    pub(crate) fn of(value: &'a CurrentValue) -> Self {
        Self(&value.attr, &value.value, value.confidence)
    }
}

/// The same, owned.
#[derive(Deserialize)]
pub(crate) struct StoredValue(AttrName, Value, Option<f64>);

/// A document with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The run that holds it. For what was kept from an earlier run: that one.
    pub run: RunNumber,
    /// The time that the values were computed for.
    pub time: Timestamp,
    /// The entity with its values.
    pub view: EntityView,
    /// Whether the output of a hook is missing.
    pub partial: bool,
}

/// A document without its values: what tells whether it would be computed again alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotMark {
    /// The entity.
    pub eid: EntityId,
    /// Revision of the record that it was computed from; `None`: there was none.
    pub revision: Option<u64>,
    /// Computed later than this it could differ; `None`: never by time alone.
    pub unchanged_until: Option<Timestamp>,
    /// Whether the output of a hook is missing.
    pub partial: bool,
    /// Whether the run did not come by the entity and kept an older document.
    pub kept: bool,
}

/// Columns of a run, in the order of [`run_row`].
const RUN: &str = "SELECT number, id, time, state, base, began, ended, settings, counts, reason FROM run";

impl Reader {
    /// Runs, newest first, those before a number.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn runs(&self, before: Option<RunNumber>, limit: u32) -> Result<Vec<RunRow>, StoreError> {
        let conn = self.connection();
        let mut statement = conn
            .prepare_cached(&format!("{RUN} WHERE number < ?1 AND state <> 'removed' ORDER BY number DESC LIMIT ?2"))?;
        let mut rows = statement.query((before.map_or(i64::MAX, column), limit))?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(run_row(row)?);
        }
        Ok(out)
    }

    /// A run by its id.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn run(&self, id: &str) -> Result<Option<RunRow>, StoreError> {
        let conn = self.connection();
        let mut statement = conn.prepare_cached(&format!("{RUN} WHERE id = ?1 AND state <> 'removed'"))?;
        let mut rows = statement.query([id])?;
        rows.next()?.map(run_row).transpose()
    }

    /// The run whose documents are the latest picture.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn latest_run(&self) -> Result<Option<RunRow>, StoreError> {
        run_in_state(&self.connection(), RunState::Complete)
    }

    /// The run that was begun and neither completed nor aborted.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn unfinished_run(&self) -> Result<Option<RunRow>, StoreError> {
        run_in_state(&self.connection(), RunState::Running)
    }

    /// A run by its number.
    pub(crate) fn run_of(&self, number: RunNumber) -> Result<Option<RunRow>, StoreError> {
        run(&self.connection(), number)
    }

    /// A cursor that a batch of an unfinished run stored.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn run_cursor(&self, run: RunNumber, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self
            .connection()
            .prepare_cached("SELECT body FROM run_cursor WHERE run = ?1 AND name = ?2")?
            .query_row((column(run), name), |r| r.get(0))
            .optional()?)
    }

    /// The latest document of an entity.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn snapshot(&self, entity: &EntityRef) -> Result<Option<Snapshot>, StoreError> {
        self.at_once(|conn| match latest(conn)? {
            Some(run) => snapshot_in(conn, run, entity, true),
            None => Ok(None),
        })
    }

    /// Documents of an entity, newest first: those of complete runs whose time is in the range, after `skip` of them.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn snapshot_history(
        &self,
        entity: &EntityRef,
        range: TimeRange,
        skip: u32,
        limit: u32,
    ) -> Result<Vec<Snapshot>, StoreError> {
        let mut out = Vec::new();
        let mut each = |snapshot| {
            out.push(snapshot);
            Ok::<_, StoreError>(())
        };
        self.history(entity, range, "r.time DESC, r.number DESC", (skip, limit), &mut each)?;
        Ok(out)
    }

    /// The same, oldest first, each given to `each`, whose error ends it. `each` must not use this reader.
    ///
    /// # Errors
    /// What the disk may say, and what `each` says.
    pub fn each_snapshot<E: From<StoreError>>(
        &self,
        entity: &EntityRef,
        range: TimeRange,
        skip: u32,
        limit: u32,
        each: &mut dyn FnMut(Snapshot) -> Result<(), E>,
    ) -> Result<(), E> {
        self.history(entity, range, "r.time, r.number", (skip, limit), each)
    }

    fn history<E: From<StoreError>>(
        &self,
        entity: &EntityRef,
        range: TimeRange,
        order: &'static str,
        (skip, limit): (u32, u32),
        each: &mut dyn FnMut(Snapshot) -> Result<(), E>,
    ) -> Result<(), E> {
        let conn = self.connection();
        let tx = conn.unchecked_transaction().map_err(StoreError::from)?;
        // Values are read of those documents alone that are given.
        for run in runs_with(&tx, entity, range, order, (skip, limit))? {
            if let Some(snapshot) = snapshot_in(&tx, run, entity, false)? {
                each(snapshot)?;
            }
        }
        Ok(())
    }

    /// Documents of a type as a complete run holds them, in byte order of the ids, after one: of the latest run, or of
    /// the one of that number, so that pages that are read one after another fit together.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no complete run of that number any more.
    pub fn snapshots(
        &self,
        etype: &EntityType,
        run: Option<RunNumber>,
        after: Option<&EntityId>,
        limit: u32,
    ) -> Result<Vec<Snapshot>, StoreError> {
        self.at_once(|conn| {
            let run = match run {
                Some(number) if self::run(conn, number)?.is_none_or(|r| r.state != RunState::Complete) => {
                    return Err(StoreError::NotFound(format!("a complete snapshot run {number}")));
                }
                Some(number) => column(number),
                None => match latest(conn)? {
                    Some(latest) => latest,
                    None => return Ok(Vec::new()),
                },
            };
            let Some(number) = names::lookup(conn, etype.as_str())? else { return Ok(Vec::new()) };
            let mut statement = conn.prepare_cached(
                "SELECT coalesce(s.taken, s.run), r.time, d.body, s.partial, s.eid FROM snapshot s \
                 JOIN run r ON r.number = coalesce(s.taken, s.run) AND r.state = 'complete' LEFT JOIN document d ON d.id = s.document \
                 WHERE s.run = ?1 AND s.etype = ?2 AND s.eid > ?3 AND NOT EXISTS \
                 (SELECT 1 FROM snapshot_gone g WHERE g.etype = s.etype AND g.eid = s.eid AND g.run >= s.run) \
                 ORDER BY s.eid LIMIT ?4",
            )?;
            let mut rows = statement.query((run, number, after.map_or("", EntityId::as_str), limit))?;
            let mut out = Vec::new();
            while let Some(row) = rows.next()? {
                let entity = EntityRef { etype: etype.clone(), eid: name(text(row, 4)?)? };
                out.push(snapshot_row(row, &entity)?);
            }
            Ok(out)
        })
    }

    /// What a run, complete or not, holds of a type, in byte order of the ids, after one.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn snapshot_marks(
        &self,
        run: RunNumber,
        etype: &EntityType,
        after: Option<&EntityId>,
        limit: u32,
    ) -> Result<Vec<SnapshotMark>, StoreError> {
        let conn = self.connection();
        let Some(etype) = names::lookup(&conn, etype.as_str())? else { return Ok(Vec::new()) };
        let mut statement = conn.prepare_cached(
            "SELECT eid, revision, until, partial, taken IS NOT NULL FROM snapshot s \
             WHERE run = ?1 AND etype = ?2 AND eid > ?3 AND NOT EXISTS \
             (SELECT 1 FROM snapshot_gone g WHERE g.etype = s.etype AND g.eid = s.eid AND g.run >= s.run) \
             ORDER BY eid LIMIT ?4",
        )?;
        let mut rows = statement.query((column(run), etype, after.map_or("", EntityId::as_str), limit))?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(mark_row(row)?);
        }
        Ok(out)
    }

    /// What a run, complete or not, holds of an entity.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn snapshot_mark(&self, run: RunNumber, entity: &EntityRef) -> Result<Option<SnapshotMark>, StoreError> {
        let conn = self.connection();
        let mut statement = conn.prepare_cached(
            "SELECT eid, revision, until, partial, taken IS NOT NULL FROM name n JOIN snapshot s ON s.etype = n.id \
             WHERE n.text = ?2 AND run = ?1 AND eid = ?3 AND NOT EXISTS \
             (SELECT 1 FROM snapshot_gone g WHERE g.etype = s.etype AND g.eid = s.eid AND g.run >= s.run)",
        )?;
        let mut rows = statement.query((column(run), entity.etype.as_str(), entity.eid.as_str()))?;
        rows.next()?.map(mark_row).transpose()
    }

    /// Looks at the next entities of `base` after a place and gives those that `run` has no row of, and where to go on.
    #[allow(clippy::type_complexity, reason = "a list and a place, both of keys")]
    pub(crate) fn left_out(
        &self,
        base: RunNumber,
        run: RunNumber,
        after: Option<(i64, String)>,
        step: usize,
    ) -> Result<(Vec<(i64, String)>, Option<(i64, String)>), StoreError> {
        let conn = self.connection();
        let mut statement = conn.prepare_cached(
            "SELECT b.etype, b.eid, NOT EXISTS \
             (SELECT 1 FROM snapshot s WHERE s.run = ?2 AND s.etype = b.etype AND s.eid = b.eid) \
             FROM snapshot b WHERE b.run = ?1 AND (b.etype, b.eid) > (?3, ?4) ORDER BY b.etype, b.eid LIMIT ?5",
        )?;
        let (etype, eid) = after.unwrap_or((i64::MIN, String::new()));
        let step_column = i64::try_from(step).unwrap_or(i64::MAX);
        let mut rows = statement.query((column(base), column(run), etype, eid, step_column))?;
        let (mut left_out, mut last, mut seen) = (Vec::new(), None, 0);
        while let Some(row) = rows.next()? {
            let key = (row.get(0)?, row.get::<_, String>(1)?);
            if row.get(2)? {
                left_out.push(key.clone());
            }
            last = Some(key);
            seen += 1;
        }
        Ok((left_out, last.filter(|_| seen == step)))
    }
}

/// Numbers of complete runs that took a document of an entity.
fn runs_with(
    conn: &Connection,
    entity: &EntityRef,
    range: TimeRange,
    order: &'static str,
    (skip, limit): (u32, u32),
) -> Result<Vec<i64>, StoreError> {
    let Some(etype) = names::lookup(conn, entity.etype.as_str())? else { return Ok(Vec::new()) };
    let mut statement = conn.prepare_cached(&format!(
        "SELECT r.number FROM run r CROSS JOIN snapshot s ON s.run = r.number AND s.etype = ?1 AND s.eid = ?2 \
         WHERE r.state = 'complete' AND s.taken IS NULL \
         AND (?3 IS NULL OR r.time >= ?3) AND (?4 IS NULL OR r.time <= ?4) \
         AND r.number > coalesce((SELECT run FROM snapshot_gone WHERE etype = ?1 AND eid = ?2), 0) \
         ORDER BY {order} LIMIT ?5 OFFSET ?6"
    ))?;
    let of = (etype, entity.eid.as_str(), range.from.map(|t| t.0), range.to.map(|t| t.0), limit, skip);
    Ok(statement.query_map(of, |r| r.get(0))?.collect::<Result<_, _>>()?)
}

/// A run by its number.
pub(crate) fn run(conn: &Connection, number: RunNumber) -> Result<Option<RunRow>, StoreError> {
    let mut statement = conn.prepare_cached(&format!("{RUN} WHERE number = ?1 AND state <> 'removed'"))?;
    let mut rows = statement.query([column(number)])?;
    rows.next()?.map(run_row).transpose()
}

/// The newest run in a state.
pub(crate) fn run_in_state(conn: &Connection, state: RunState) -> Result<Option<RunRow>, StoreError> {
    let mut statement = conn.prepare_cached(&format!("{RUN} WHERE state = ?1 ORDER BY number DESC LIMIT 1"))?;
    let mut rows = statement.query([state.name()])?;
    rows.next()?.map(run_row).transpose()
}

/// The number of the newest complete run.
pub(crate) fn latest(conn: &Connection) -> Result<Option<i64>, StoreError> {
    Ok(conn.prepare_cached("SELECT max(number) FROM run WHERE state = 'complete'")?.query_row([], |r| r.get(0))?)
}

fn run_row(row: &Row<'_>) -> Result<RunRow, StoreError> {
    let number = u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0);
    let unreadable = |why: String| StoreError::Unreadable { what: format!("snapshot run {number}"), why };
    let state = text(row, 3)?;
    Ok(RunRow {
        number,
        id: row.get(1)?,
        time: Timestamp(row.get(2)?),
        state: RunState::parse(state).ok_or_else(|| unreadable(format!("unknown state {state:?}")))?,
        base: row.get::<_, Option<i64>>(4)?.and_then(|n| u64::try_from(n).ok()),
        began: Timestamp(row.get(5)?),
        ended: row.get::<_, Option<i64>>(6)?.map(Timestamp),
        settings: serde_json::from_str(text(row, 7)?).map_err(|e| unreadable(format!("its settings: {e}")))?,
        counts: serde_json::from_str(text(row, 8)?).map_err(|e| unreadable(format!("its counts: {e}")))?,
        reason: row.get(9)?,
    })
}

fn mark_row(row: &Row<'_>) -> Result<SnapshotMark, StoreError> {
    Ok(SnapshotMark {
        eid: name(text(row, 0)?)?,
        revision: row.get::<_, Option<i64>>(1)?.and_then(|n| u64::try_from(n).ok()),
        unchanged_until: row.get::<_, Option<i64>>(2)?.map(Timestamp),
        partial: row.get(3)?,
        kept: row.get(4)?,
    })
}

/// The document of an entity in a run, with what the run only kept or without.
fn snapshot_in(conn: &Connection, run: i64, entity: &EntityRef, kept: bool) -> Result<Option<Snapshot>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT coalesce(s.taken, s.run), r.time, d.body, s.partial FROM name n \
         JOIN snapshot s ON s.run = ?1 AND s.etype = n.id AND s.eid = ?3 \
         JOIN run r ON r.number = coalesce(s.taken, s.run) AND r.state = 'complete' LEFT JOIN document d ON d.id = s.document \
         WHERE n.text = ?2 AND (?4 OR s.taken IS NULL) AND NOT EXISTS \
         (SELECT 1 FROM snapshot_gone g WHERE g.etype = s.etype AND g.eid = s.eid AND g.run >= s.run)",
    )?;
    let mut rows = statement.query((run, entity.etype.as_str(), entity.eid.as_str(), kept))?;
    rows.next()?.map(|row| snapshot_row(row, entity)).transpose()
}

/// Columns: run, time, body, partial.
fn snapshot_row(row: &Row<'_>, entity: &EntityRef) -> Result<Snapshot, StoreError> {
    let run = row.get::<_, i64>(0)?;
    let unreadable = |why: &str| StoreError::Unreadable { what: format!("snapshot of {entity}"), why: why.into() };
    let body = row.get_ref(2)?.as_blob_or_null().ok().flatten().ok_or_else(|| unreadable("its document is missing"))?;
    let values: Vec<StoredValue> = codec::decode(body, || format!("snapshot of {entity}"))?;
    Ok(Snapshot {
        run: u64::try_from(run).unwrap_or(0),
        time: Timestamp(row.get(1)?),
        view: EntityView {
            entity: entity.clone(),
            values: values
                .into_iter()
                .map(|StoredValue(attr, value, confidence)| CurrentValue { attr, value, confidence })
                .collect(),
        },
        partial: row.get(3)?,
    })
}
