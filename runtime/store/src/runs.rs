//! Snapshot runs: documents of all entities as of one time, visible together when the run is complete (G9).
//!
//! A run writes rows `(run, entity) -> document` at the end of two tables, so that its speed is that of the disk
//! however long the history is. The latest picture is the complete run of the highest number: completing is one row,
//! an unfinished run is never seen, and an aborted one is removed by cleaning.
//!
//! Each complete run has a row for everything that was ever in the picture, so that one look finds the latest document
//! of an entity. What a run found unchanged has a row that names the old document again. What it did not come by (its
//! type takes no part any more, or its record became empty) is *kept*: its row names the run that took the document,
//! and it is no part of the history at this run's time.

mod rows;

use std::collections::BTreeMap;

use tenter_model::view::EntityView;
use tenter_model::{EntityRef, Timestamp};

use crate::codec;
use crate::commit::column;
use crate::error::StoreError;
use crate::outcome::Done;
use crate::produce::{self, Entered, Produced};
use crate::snapshots::{self, ValueRef};
use crate::store::{self, Store};
use crate::tx::Tx;

pub(crate) use rows::{drop_row, neighbours};
use rows::{is_gone, keep, put, repeat};

/// Entities that are kept in one piece of work.
const KEEP_STEP: usize = 2_000;

/// The number of a run; later runs have higher ones.
pub type RunNumber = u64;

/// Numbers by name, such as `entities` or `calls`.
pub type RunCounts = BTreeMap<String, u64>;

/// What a run is begun with.
#[derive(Debug, Clone, PartialEq)]
pub struct BeginRun {
    /// Names the run; never used before.
    pub id: String,
    /// The time that values are computed for.
    pub time: Timestamp,
    /// Whatever tells the engine whether it can go on with this run after a restart, such as modules and settings.
    pub settings: serde_json::Value,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// Under way, or left by a process that died.
    Running,
    /// Its documents are visible.
    Complete,
    /// Given up; its documents never become visible.
    Aborted,
}

impl RunState {
    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Complete => "complete",
            Self::Aborted => "aborted",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Running, Self::Complete, Self::Aborted].into_iter().find(|s| s.name() == text)
    }
}

/// A run as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRow {
    /// Its number.
    pub number: RunNumber,
    /// Its name.
    pub id: String,
    /// The time that values were computed for.
    pub time: Timestamp,
    /// Where it stands.
    pub state: RunState,
    /// The complete run that was the latest when this one began: what is unchanged is unchanged since then.
    pub base: Option<RunNumber>,
    /// When it began.
    pub began: Timestamp,
    /// When it was completed or aborted.
    pub ended: Option<Timestamp>,
    /// As given at its begin.
    pub settings: serde_json::Value,
    /// What batches counted. The store itself counts `documents`, of these `partial`, `unchanged`, `kept` and `tasks`.
    pub counts: RunCounts,
    /// Why it was aborted.
    pub reason: Option<String>,
}

/// A document on its way into a run, encoded by the thread that made it.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    entity: EntityRef,
    body: Vec<u8>,
    partial: bool,
    revision: Option<u64>,
    unchanged_until: Option<Timestamp>,
}

impl Document {
    /// Encodes the values of an entity.
    ///
    /// `partial`: the output of a hook is missing. `revision`: of the record that they were computed from; `None`:
    /// there is no record. `unchanged_until`: computed from the same inputs at a later time than this the values could
    /// differ; `None`: never by time alone.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when a value cannot be encoded.
    pub fn new(
        view: &EntityView,
        partial: bool,
        revision: Option<u64>,
        unchanged_until: Option<Timestamp>,
    ) -> Result<Self, StoreError> {
        let mut body = Vec::new();
        let values: Vec<ValueRef<'_>> = view.values.iter().map(ValueRef::of).collect();
        codec::encode_into(&mut body, &values)?;
        Ok(Self { entity: view.entity.clone(), body, partial, revision, unchanged_until })
    }

    /// The entity.
    #[must_use]
    pub fn entity(&self) -> &EntityRef {
        &self.entity
    }

    /// Bytes as stored.
    #[must_use]
    pub fn len(&self) -> usize {
        self.body.len()
    }

    /// Whether there are no bytes, which is never.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.body.is_empty()
    }
}

/// A part of a run that is stored whole or not at all.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunBatch {
    /// Documents. One of an entity that this run already holds replaces it.
    pub documents: Vec<Document>,
    /// Entities whose documents of [`RunRow::base`] hold still.
    pub unchanged: Vec<EntityRef>,
    /// What hooks left.
    pub produced: Produced,
    /// Added to the run's counts.
    pub counts: RunCounts,
    /// Progress to be found after a restart: a name, such as that of a lane, and what it stands for. Replaces what was
    /// stored under the name.
    pub cursor: Option<(String, Vec<u8>)>,
}

impl Store {
    /// Begins a run, or gives the unfinished one, which the caller goes on with or aborts.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the id was used before, and what the disk may say.
    pub fn begin_run(&self, run: BeginRun, now: Timestamp) -> Result<RunRow, StoreError> {
        self.call(move |tx| {
            if let Some(unfinished) = snapshots::run_in_state(tx.conn, RunState::Running)? {
                return Ok(unfinished);
            }
            let base = snapshots::run_in_state(tx.conn, RunState::Complete)?.map(|r| r.number);
            let added = tx
                .conn
                .prepare_cached(
                    "INSERT INTO run (id, time, state, base, began, settings, counts) \
                     VALUES (?1, ?2, 'running', ?3, ?4, ?5, '{}') ON CONFLICT (id) DO NOTHING",
                )?
                .execute((&run.id, run.time.0, base.map(column), now.0, run.settings.to_string()))?;
            tx.crash.at("run-begun");
            if added == 0 {
                return Err(StoreError::Conflict(format!("snapshot run {}", run.id)));
            }
            snapshots::run_in_state(tx.conn, RunState::Running)?
                .ok_or_else(|| StoreError::NotFound(format!("snapshot run {}", run.id)))
        })
    }

    /// Stores a part of a run.
    ///
    /// `done` may get [`StoreError::NotFound`] when the run is not running any more, [`StoreError::Conflict`] when a
    /// state key that was read and written has changed since, [`StoreError::Invalid`] when an unchanged entity has no
    /// document in the base. Nothing is stored then.
    pub fn save_batch(&self, run: RunNumber, batch: RunBatch, now: Timestamp, done: Done<Entered>) {
        self.send(false, done, move |tx| save(tx, run, &batch, now));
    }

    /// [`Store::save_batch`], waiting for the answer.
    ///
    /// # Errors
    /// As told there.
    pub fn save_batch_blocking(&self, run: RunNumber, batch: RunBatch, now: Timestamp) -> Result<Entered, StoreError> {
        store::wait(|done| self.save_batch(run, batch, now, done))
    }

    /// Makes the documents of a run visible, with what its last hooks left. All its batches must have been answered.
    ///
    /// What is in the picture and not in the run is kept first, in pieces between which other work goes on; if the
    /// process dies meanwhile, completing again does what is left.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the run is not running, [`StoreError::Conflict`] as for [`Store::save_batch`].
    pub fn complete_run(&self, run: RunNumber, last: RunBatch, now: Timestamp) -> Result<RunRow, StoreError> {
        let reader = self.reader()?;
        let row = reader.run_of(run)?.ok_or_else(|| no_run(run))?;
        if let Some(base) = row.base {
            let mut after = None;
            loop {
                let (left_out, next) = reader.left_out(base, run, after, KEEP_STEP)?;
                if !left_out.is_empty() {
                    self.call(move |tx| keep(tx, base, run, &left_out))?;
                }
                if next.is_none() {
                    break;
                }
                after = next;
            }
        }
        self.call(move |tx| {
            save(tx, run, &last, now)?;
            tx.conn
                .prepare_cached("UPDATE run SET state = 'complete', ended = ?2 WHERE number = ?1")?
                .execute((column(run), now.0))?;
            tx.conn.prepare_cached("DELETE FROM run_cursor WHERE run = ?1")?.execute([column(run)])?;
            tx.crash.at("run-completed");
            snapshots::run(tx.conn, run)?.ok_or_else(|| no_run(run))
        })
    }

    /// Gives a run up: none of its documents becomes visible. Tasks that its hooks returned stay.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the run is not running.
    pub fn abort_run(&self, run: RunNumber, reason: &str, now: Timestamp) -> Result<(), StoreError> {
        let reason = reason.to_owned();
        self.call(move |tx| {
            let changed = tx
                .conn
                .prepare_cached(
                    "UPDATE run SET state = 'aborted', ended = ?2, reason = ?3 WHERE number = ?1 AND state = 'running'",
                )?
                .execute((column(run), now.0, &reason))?;
            tx.conn.prepare_cached("DELETE FROM run_cursor WHERE run = ?1")?.execute([column(run)])?;
            tx.crash.at("run-aborted");
            if changed == 1 { Ok(()) } else { Err(no_run(run)) }
        })
    }
}

fn no_run(run: RunNumber) -> StoreError {
    StoreError::NotFound(format!("a running snapshot run {run}"))
}

fn save(tx: &mut Tx<'_>, run: RunNumber, batch: &RunBatch, now: Timestamp) -> Result<Entered, StoreError> {
    let row = snapshots::run(tx.conn, run)?.filter(|r| r.state == RunState::Running).ok_or_else(|| no_run(run))?;
    let mut counts = row.counts;
    let mut count = |name: &str, n: u64| {
        if n > 0 {
            let slot = counts.entry(name.to_owned()).or_insert(0);
            *slot = slot.saturating_add(n);
        }
    };
    let anything_gone = tx.conn.prepare_cached("SELECT 1 FROM snapshot_gone")?.exists([])?;
    for document in &batch.documents {
        if anything_gone && is_gone(tx, run, &document.entity)? {
            continue;
        }
        if put(tx, run, document)? {
            count("documents", 1);
            count("partial", u64::from(document.partial));
        }
    }
    tx.crash.at("run-documents");
    for entity in &batch.unchanged {
        if anything_gone && is_gone(tx, run, entity)? {
            continue;
        }
        count("unchanged", u64::from(repeat(tx, row.base, run, entity)?));
    }
    tx.crash.at("run-unchanged");
    let entered = produce::store(tx, &batch.produced, now)?;
    count("tasks", entered.tasks as u64);
    for (name, n) in &batch.counts {
        count(name, *n);
    }
    let counts = serde_json::to_string(&counts).map_err(|e| StoreError::Invalid(e.to_string()))?;
    tx.conn.prepare_cached("UPDATE run SET counts = ?2 WHERE number = ?1")?.execute((column(run), counts))?;
    if let Some((name, body)) = &batch.cursor {
        tx.conn
            .prepare_cached("INSERT OR REPLACE INTO run_cursor (run, name, body) VALUES (?1, ?2, ?3)")?
            .execute((column(run), name, body))?;
    }
    tx.crash.at("run-saved");
    Ok(entered)
}
