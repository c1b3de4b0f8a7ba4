//! The bare storage loop that `tenter bench` measures ingestion against.
//!
//! It does what no store of tasks can leave out, and nothing else: read a row of the queue, decode it, append three
//! datapoints to the log, read the entity's record, merge, write it back, delete the row; 256 tasks in one transaction,
//! flushed at each commit. There are no ids to remember, no counters, no links, no hooks, no second thread. It shares
//! neither code nor tables with the store, so that a change there cannot move the measure along with what is measured.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Statement, params};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;

const TASKS_IN_ONE_COMMIT: i64 = 256;
const PLAIN_ATTRIBUTES: u32 = 8;
const HISTORIES: [u32; 2] = [100, 101];
const HISTORY_AT_FIRST: i64 = 5;
const TABLES: &str = "
    CREATE TABLE queue (seq INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
    CREATE TABLE record (eid TEXT NOT NULL PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE log (
        seq INTEGER PRIMARY KEY, eid TEXT NOT NULL, attr INTEGER NOT NULL, src TEXT NOT NULL, t1 INTEGER, t2 INTEGER,
        c REAL, v TEXT NOT NULL
    ) STRICT;";

#[derive(Serialize, Deserialize)]
struct Job {
    eid: String,
    points: Vec<Point>,
}

#[derive(Serialize, Deserialize)]
struct Point {
    attr: u32,
    value: String,
    src: String,
    span: Option<(i64, i64)>,
    confidence: f64,
}

/// Start, end, value and confidence.
type Entry = (i64, i64, String, f64);

#[derive(Default, Serialize, Deserialize)]
struct Record {
    plain: Vec<(u32, String, i64)>,
    histories: Vec<(u32, Vec<Entry>)>,
}

/// A prepared database: so many entities with 8 plain attributes and 2 histories each, and so many tasks of 3 datapoints.
pub struct Ceiling {
    conn: Connection,
    waiting: u64,
}

impl std::fmt::Debug for Ceiling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ceiling").field("waiting", &self.waiting).finish_non_exhaustive()
    }
}

impl Ceiling {
    /// Makes the database in an empty directory. `name` gives each task the number of its entity, `value` the text of
    /// its datapoints.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn prepare(
        dir: &Path,
        entities: u64,
        tasks: u64,
        entity_of: impl Fn(u64) -> u64,
        value: impl Fn(u64) -> String,
    ) -> Result<Self, StoreError> {
        let mut conn = Connection::open(dir.join("ceiling.db"))?;
        let _mode: String = conn.pragma_update_and_check(None, "journal_mode", "WAL", |r| r.get(0))?;
        conn.pragma_update(None, "synchronous", "FULL")?;
        conn.pragma_update(None, "cache_size", -262_144)?;
        conn.pragma_update(None, "wal_autocheckpoint", 4_000)?;
        conn.execute_batch(TABLES)?;
        let tx = conn.transaction()?;
        for n in 0..entities {
            let plain = (0..PLAIN_ATTRIBUTES).map(|attr| (attr, value(n), 0)).collect();
            let points = || (0..HISTORY_AT_FIRST).map(|t| (t, t, value(n), 1.0)).collect();
            let record = Record { plain, histories: HISTORIES.iter().map(|attr| (*attr, points())).collect() };
            tx.prepare_cached("INSERT INTO record VALUES (?1, ?2)")?.execute(params![eid(n), encode(&record)?])?;
        }
        for n in 0..tasks {
            let point = |attr, span: Option<(i64, i64)>| Point {
                attr,
                value: value(n),
                src: "bench".into(),
                span,
                confidence: 1.0,
            };
            let time = i64::try_from(n).unwrap_or(i64::MAX);
            let [first, second] = HISTORIES.map(|attr| point(attr, Some((time, time))));
            let job = Job { eid: eid(entity_of(n)), points: vec![point(0, None), first, second] };
            tx.prepare_cached("INSERT INTO queue (body) VALUES (?1)")?.execute([encode(&job)?])?;
        }
        tx.commit()?;
        conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(Self { conn, waiting: tasks })
    }

    /// Works the queue off and tells how many tasks that were. This is what is to be timed.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn run(&mut self) -> Result<u64, StoreError> {
        let mut done = 0;
        while self.waiting > 0 {
            let tx = self.conn.transaction()?;
            let taken = Batch::of(&tx)?.run()?;
            tx.commit()?;
            if taken == 0 {
                return Err(StoreError::Invalid(format!("{} tasks are missing from the queue", self.waiting)));
            }
            done += taken;
            self.waiting = self.waiting.saturating_sub(taken);
        }
        Ok(done)
    }
}

/// The statements of one transaction.
struct Batch<'c> {
    jobs: rusqlite::CachedStatement<'c>,
    append: rusqlite::CachedStatement<'c>,
    read: rusqlite::CachedStatement<'c>,
    write: rusqlite::CachedStatement<'c>,
    delete: rusqlite::CachedStatement<'c>,
}

impl<'c> Batch<'c> {
    fn of(conn: &'c Connection) -> Result<Self, StoreError> {
        Ok(Self {
            jobs: conn.prepare_cached("SELECT seq, body FROM queue ORDER BY seq LIMIT ?1")?,
            append: conn
                .prepare_cached("INSERT INTO log (eid, attr, src, t1, t2, c, v) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?,
            read: conn.prepare_cached("SELECT body FROM record WHERE eid = ?1")?,
            write: conn.prepare_cached("INSERT OR REPLACE INTO record VALUES (?1, ?2)")?,
            delete: conn.prepare_cached("DELETE FROM queue WHERE seq = ?1")?,
        })
    }

    fn run(&mut self) -> Result<u64, StoreError> {
        let mut jobs: Vec<(i64, Job)> = Vec::new();
        let mut rows = self.jobs.query([TASKS_IN_ONE_COMMIT])?;
        while let Some(row) = rows.next()? {
            jobs.push((row.get(0)?, decode(row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?)?));
        }
        drop(rows);
        let taken = jobs.len() as u64;
        for (seq, job) in jobs {
            let mut record = read(&mut self.read, &job.eid)?;
            for point in job.points {
                let (t1, t2) = (point.span.map(|s| s.0), point.span.map(|s| s.1));
                self.append.execute(params![job.eid, point.attr, point.src, t1, t2, point.confidence, point.value])?;
                record.merge(point);
            }
            self.write.execute(params![job.eid, encode(&record)?])?;
            self.delete.execute([seq])?;
        }
        Ok(taken)
    }
}

impl Record {
    fn merge(&mut self, point: Point) {
        let Some((t1, t2)) = point.span else {
            match self.plain.iter_mut().find(|p| p.0 == point.attr) {
                Some(slot) => slot.1 = point.value,
                None => self.plain.push((point.attr, point.value, 0)),
            }
            return;
        };
        let entry = (t1, t2, point.value, point.confidence);
        match self.histories.iter_mut().find(|h| h.0 == point.attr) {
            Some(history) => history.1.push(entry),
            None => self.histories.push((point.attr, vec![entry])),
        }
    }
}

fn read(statement: &mut Statement<'_>, eid: &str) -> Result<Record, StoreError> {
    let body: Option<Vec<u8>> = statement.query_row([eid], |r| r.get(0)).optional()?;
    body.map_or_else(|| Ok(Record::default()), |body| decode(&body))
}

fn eid(n: u64) -> String {
    format!("host-{n}")
}

fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    rmp_serde::to_vec(value).map_err(|e| StoreError::Invalid(e.to_string()))
}

fn decode<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, StoreError> {
    rmp_serde::from_slice(body).map_err(|e| StoreError::Invalid(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loop_does_all_of_the_work() {
        let dir = tempfile::tempdir().unwrap();
        let mut ceiling = Ceiling::prepare(dir.path(), 10, 300, |n| n % 20, |n| format!("value {n}")).unwrap();
        assert_eq!(ceiling.run().unwrap(), 300);
        let count = |sql: &str| ceiling.conn.query_row(sql, [], |r| r.get::<_, i64>(0)).unwrap();
        assert_eq!(count("SELECT count(*) FROM queue"), 0);
        assert_eq!(count("SELECT count(*) FROM log"), 900);
        assert_eq!(count("SELECT count(*) FROM record"), 20);
        let mut statement = ceiling.conn.prepare("SELECT body FROM record WHERE eid = ?1").unwrap();
        let old = read(&mut statement, "host-3").unwrap();
        assert_eq!(old.plain.len(), 8);
        assert_eq!(old.plain[0].1, "value 283");
        assert_eq!(old.histories.iter().map(|h| h.1.len()).collect::<Vec<_>>(), [20, 20]);
        let new = read(&mut statement, "host-13").unwrap();
        assert_eq!(new.plain.len(), 1);
        assert_eq!(new.histories[1].1.last().unwrap().2, "value 293");
    }
}
