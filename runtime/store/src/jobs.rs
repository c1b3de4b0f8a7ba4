//! What jobs leave for people: their runs, until when each source told anything, reports by name.

use rusqlite::OptionalExtension;
use serde_json::Value;
use tenter_model::Timestamp;

use crate::commit::column;
use crate::error::StoreError;
use crate::outcome::Done;
use crate::reader::{Reader, text};
use crate::store::Store;

/// A run of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRow {
    /// Its number; later ones have higher ones.
    pub number: u64,
    /// The kind of job, such as `aggregation`.
    pub kind: String,
    /// When it began.
    pub began: Timestamp,
    /// When it last told of itself.
    pub updated: Timestamp,
    /// When it ended; `None`: under way, or its process died.
    pub ended: Option<Timestamp>,
    /// What it counted, and whatever it needs to go on.
    pub body: Value,
}

impl Store {
    /// Notes that a job began. Gives its number.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn begin_job(&self, kind: &str, body: Value, now: Timestamp) -> Result<u64, StoreError> {
        let kind = kind.to_owned();
        self.call(move |tx| {
            tx.conn
                .prepare_cached("INSERT INTO job (kind, began, updated, body) VALUES (?1, ?2, ?2, ?3)")?
                .execute((&kind, now.0, body.to_string()))?;
            tx.crash.at("job-begun");
            Ok(u64::try_from(tx.conn.last_insert_rowid()).unwrap_or(0))
        })
    }

    /// Replaces what a job tells of itself. It travels with other work of that moment.
    ///
    /// `done` may get [`StoreError::NotFound`].
    pub fn update_job(&self, number: u64, body: Value, ended: bool, now: Timestamp, done: Done<()>) {
        self.send(false, done, move |tx| {
            let changed = tx
                .conn
                .prepare_cached("UPDATE job SET updated = ?2, ended = iif(?3, ?2, NULL), body = ?4 WHERE number = ?1")?
                .execute((column(number), now.0, ended, body.to_string()))?;
            tx.crash.at("job-updated");
            if changed == 1 { Ok(()) } else { Err(StoreError::NotFound(format!("job {number}"))) }
        });
    }

    /// Forgets jobs that last told of themselves before a time. Gives their number.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn prune_jobs(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.call(move |tx| Ok(tx.conn.execute("DELETE FROM job WHERE updated < ?1", [before.0])? as u64))
    }

    /// Notes until when sources told something; a source's time only moves forward. It travels with other work.
    pub fn note_sources(&self, sources: Vec<(String, Timestamp)>, done: Done<()>) {
        self.send(false, done, move |tx| {
            let mut note = tx.conn.prepare_cached(
                "INSERT INTO source (src, t2) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET t2 = max(t2, excluded.t2)",
            )?;
            for (src, t2) in &sources {
                note.execute((src, t2.0))?;
            }
            Ok(())
        });
    }

    /// Replaces a report. It travels with other work.
    pub fn put_report(&self, name: &str, body: Value, now: Timestamp, done: Done<()>) {
        let name = name.to_owned();
        self.send(false, done, move |tx| {
            tx.conn.prepare_cached("INSERT OR REPLACE INTO report (name, at, body) VALUES (?1, ?2, ?3)")?.execute((
                &name,
                now.0,
                body.to_string(),
            ))?;
            Ok(())
        });
    }
}

impl Reader {
    /// Runs of jobs, of all kinds or of one, newest first, those before a number.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn jobs(&self, kind: Option<&str>, before: Option<u64>, limit: u32) -> Result<Vec<JobRow>, StoreError> {
        let conn = self.connection();
        let mut statement = conn.prepare_cached(
            "SELECT number, kind, began, updated, ended, body FROM job \
             WHERE (?1 IS NULL OR kind = ?1) AND number < ?2 ORDER BY number DESC LIMIT ?3",
        )?;
        let mut rows = statement.query((kind, before.map_or(i64::MAX, column), limit))?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let number = u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0);
            out.push(JobRow {
                number,
                kind: row.get(1)?,
                began: Timestamp(row.get(2)?),
                updated: Timestamp(row.get(3)?),
                ended: row.get::<_, Option<i64>>(4)?.map(Timestamp),
                body: json(text(row, 5)?, || format!("job {number}"))?,
            });
        }
        Ok(out)
    }

    /// Until when each source told something, in byte order of the sources.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn sources(&self) -> Result<Vec<(String, Timestamp)>, StoreError> {
        let conn = self.connection();
        let mut statement = conn.prepare_cached("SELECT src, t2 FROM source ORDER BY src")?;
        let rows = statement.query_map([], |r| Ok((r.get(0)?, Timestamp(r.get(1)?))))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// A report and when it was made.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn report(&self, name: &str) -> Result<Option<(Value, Timestamp)>, StoreError> {
        let row: Option<(String, i64)> = self
            .connection()
            .prepare_cached("SELECT body, at FROM report WHERE name = ?1")?
            .query_row([name], |r| Ok((r.get(0)?, r.get(1)?)))
            .optional()?;
        row.map(|(body, at)| Ok((json(&body, || format!("report {name:?}"))?, Timestamp(at)))).transpose()
    }
}

fn json(text: &str, what: impl FnOnce() -> String) -> Result<Value, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::Unreadable { what: what(), why: e.to_string() })
}
