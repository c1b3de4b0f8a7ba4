//! Sweeps over the entities of a type: how far each is, committed with what its hooks left.
//!
//! Sweeps of one group follow one another: while one is unfinished, no other begins. The store keeps the state as the
//! updater gives it and only sees to that.

use rusqlite::OptionalExtension;
use serde::{Deserialize, Serialize};
use tenter_model::{EntityId, EntityType, Timestamp};

use crate::commit::column;
use crate::error::StoreError;
use crate::outcome::Done;
use crate::produce::{self, Entered, Produced};
use crate::reader::{Reader, text};
use crate::store::{self, Store};
use crate::tx::Tx;

/// What makes hooks share a sweep.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SweepGroup {
    /// The entity type.
    pub etype: EntityType,
    /// Each entity is visited once in this many seconds.
    pub period_seconds: u64,
    /// Whether hooks get identities alone, without records.
    pub eid_only: bool,
}

/// One sweep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepState {
    /// What makes its hooks share it.
    pub group: SweepGroup,
    /// Its hooks, as `module/subscription`.
    pub hooks: Vec<String>,
    /// When it began.
    pub began: Timestamp,
    /// When its state was last stored.
    pub updated: Timestamp,
    /// When it was finished.
    pub ended: Option<Timestamp>,
    /// Entities visited.
    pub processed: u64,
    /// Entities there were at the begin.
    pub total: u64,
    /// Shares of the entities that were visited whole.
    pub iteration: u32,
    /// Shares that the entities are divided into.
    pub total_iterations: u32,
    /// The last entity of the present share that was visited.
    pub cursor: Option<EntityId>,
    /// Microseconds of work so far.
    pub runtime: i64,
    /// Whether it is at its end.
    pub finished: bool,
}

/// A sweep as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepRow {
    /// Its number; later ones have higher ones.
    pub number: u64,
    /// How far it is.
    pub state: SweepState,
}

impl Store {
    /// Begins a sweep, or gives the unfinished one of its group.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn begin_sweep(&self, state: SweepState) -> Result<SweepRow, StoreError> {
        self.call(move |tx| {
            if let Some(unfinished) = unfinished(tx, &state.group)? {
                return Ok(unfinished);
            }
            let group = &state.group;
            tx.conn
                .prepare_cached(
                    "INSERT INTO sweep (etype, period, eid_only, finished, body) VALUES (?1, ?2, ?3, 0, ?4)",
                )?
                .execute((group.etype.as_str(), column(group.period_seconds), group.eid_only, body(&state)?))?;
            tx.crash.at("sweep-begun");
            Ok(SweepRow { number: u64::try_from(tx.conn.last_insert_rowid()).unwrap_or(0), state: state.clone() })
        })
    }

    /// Stores how far an unfinished sweep is, and what its hooks left since, together.
    ///
    /// `done` may get [`StoreError::NotFound`] when the sweep is finished or gone, [`StoreError::Conflict`] when a
    /// state key that was read and written has changed since. Nothing is stored then.
    pub fn save_sweep(&self, number: u64, state: SweepState, produced: Produced, now: Timestamp, done: Done<Entered>) {
        self.send(false, done, move |tx| {
            let changed = tx
                .conn
                .prepare_cached("UPDATE sweep SET finished = ?2, body = ?3 WHERE number = ?1 AND finished = 0")?
                .execute((column(number), state.finished, body(&state)?))?;
            if changed != 1 {
                return Err(StoreError::NotFound(format!("an unfinished sweep {number}")));
            }
            tx.crash.at("sweep-moved");
            let entered = produce::store(tx, &produced, now)?;
            tx.crash.at("sweep-saved");
            Ok(entered)
        });
    }

    /// [`Store::save_sweep`], waiting for the answer.
    ///
    /// # Errors
    /// As told there.
    pub fn save_sweep_blocking(
        &self,
        number: u64,
        state: SweepState,
        produced: Produced,
        now: Timestamp,
    ) -> Result<Entered, StoreError> {
        store::wait(|done| self.save_sweep(number, state, produced, now, done))
    }

    /// Forgets finished sweeps but the newest of each group. Gives the number forgotten.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn prune_sweeps(&self, keep: u32) -> Result<u64, StoreError> {
        self.call(move |tx| {
            let gone = tx
                .conn
                .prepare_cached(
                    "DELETE FROM sweep WHERE number IN (SELECT number FROM (SELECT number, row_number() OVER \
                     (PARTITION BY etype, period, eid_only ORDER BY number DESC) AS place FROM sweep \
                     WHERE finished = 1) WHERE place > ?1)",
                )?
                .execute([keep])?;
            Ok(gone as u64)
        })
    }
}

impl Reader {
    /// Sweeps, newest first; of all, or only unfinished ones.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn sweeps(&self, unfinished_only: bool, limit: u32) -> Result<Vec<SweepRow>, StoreError> {
        let conn = self.connection();
        let mut statement =
            conn.prepare_cached("SELECT number, body FROM sweep WHERE finished <= ?1 ORDER BY number DESC LIMIT ?2")?;
        let mut rows = statement.query((!unfinished_only, limit))?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(sweep(row.get(0)?, text(row, 1)?)?);
        }
        Ok(out)
    }
}

fn unfinished(tx: &Tx<'_>, group: &SweepGroup) -> Result<Option<SweepRow>, StoreError> {
    let row: Option<(i64, String)> = tx
        .conn
        .prepare_cached(
            "SELECT number, body FROM sweep WHERE etype = ?1 AND period = ?2 AND eid_only = ?3 AND finished = 0 \
             ORDER BY number DESC LIMIT 1",
        )?
        .query_row((group.etype.as_str(), column(group.period_seconds), group.eid_only), |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    row.map(|(number, body)| sweep(number, &body)).transpose()
}

fn sweep(number: i64, body: &str) -> Result<SweepRow, StoreError> {
    let number = u64::try_from(number).unwrap_or(0);
    let state = serde_json::from_str(body)
        .map_err(|e| StoreError::Unreadable { what: format!("sweep {number}"), why: e.to_string() })?;
    Ok(SweepRow { number, state })
}

fn body(state: &SweepState) -> Result<String, StoreError> {
    serde_json::to_string(state).map_err(|e| StoreError::Invalid(e.to_string()))
}
