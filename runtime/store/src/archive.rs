//! Taking old datapoints out of the raw log, once they are in an archive.
//!
//! The log is in the order of arrival, so that old points lie among young ones: a job reads it from the start in
//! batches, writes what is old to a file, flushes the file, and only then has it removed here. If it dies in between
//! the points are in both, and the next archive holds them again; none is lost.

use tenter_model::Timestamp;

use crate::commit::column;
use crate::error::StoreError;
use crate::outcome::{Done, StoredPoint};
use crate::reader::{Reader, stored_point};
use crate::scan::Page;
use crate::store::{self, Store};
use crate::tally::Count;

impl Reader {
    /// Datapoints of the log that an archive takes: those that begin before a time, and those without a begin that
    /// arrived before it. In the order of arrival, after a place; looks at no more than `limit` points.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] names a point that cannot be read; what the disk may say.
    pub fn raw_before(
        &self,
        time: Timestamp,
        after_seq: Option<u64>,
        limit: u32,
    ) -> Result<Page<StoredPoint, u64>, StoreError> {
        self.at_once(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT seq, etype, eid, attr, src, t1, t2, c, v, task, module, at, made FROM raw \
                 WHERE seq > ?1 ORDER BY seq LIMIT ?2",
            )?;
            let mut rows = statement.query((after_seq.map_or(0, column), limit))?;
            let mut page = Page { items: Vec::new(), next: None, unreadable: Vec::new() };
            let (mut seen, mut last) = (0, None);
            while let Some(row) = rows.next()? {
                seen += 1;
                last = u64::try_from(row.get::<_, i64>(0)?).ok();
                if row.get::<_, Option<i64>>(5)?.unwrap_or(row.get(11)?) < time.0 {
                    page.items.push(stored_point(conn, row)?);
                }
            }
            page.next = last.filter(|_| seen == limit);
            Ok(page)
        })
    }
}

impl Store {
    /// Removes datapoints of the log by their places, all in one transaction. Gives how many there were.
    pub fn delete_raw(&self, seqs: Vec<u64>, done: Done<u64>) {
        self.send(false, done, move |tx| {
            let (mut gone, mut derived) = (0, 0);
            let mut delete = tx.conn.prepare_cached("DELETE FROM raw WHERE seq = ?1 RETURNING module IS NOT NULL")?;
            for seq in &seqs {
                let mut rows = delete.query([column(*seq)])?;
                while let Some(row) = rows.next()? {
                    gone += 1;
                    derived += row.get::<_, i64>(0)?;
                }
            }
            tx.tally.add(Count::RawPoints, -gone);
            tx.tally.add(Count::DerivedPoints, -derived);
            tx.tally.add(Count::Archived, gone);
            tx.crash.at("raw-removed");
            Ok(u64::try_from(gone).unwrap_or(0))
        });
    }

    /// [`Store::delete_raw`], waiting for the answer.
    ///
    /// # Errors
    /// When nothing was removed.
    pub fn delete_raw_blocking(&self, seqs: Vec<u64>) -> Result<u64, StoreError> {
        store::wait(|done| self.delete_raw(seqs, done))
    }
}
