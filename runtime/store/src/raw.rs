//! Browsing the log of datapoints.
//!
//! The log has no index, since one would cost a third of the throughput; a question that names an entity or an attribute
//! goes through it from its end. It does so in windows, so that whoever asks can give up between two of them.

use rusqlite::{Connection, ToSql};
use tenter_model::{AttrName, EntityId, EntityType};

use crate::error::StoreError;
use crate::names;
use crate::outcome::{RawFilter, RawOrder, StoredPoint};
use crate::reader::{Reader, stored_point};

/// Rows looked at between two questions whether to go on.
const WINDOW: i64 = 20_000;
/// Columns as [`stored_point`] takes them.
const POINT: &str = "seq, etype, eid, attr, src, t1, t2, c, v, task, module, at, made";
/// What a filter lets through, of a window of the log.
const MATCHING: &str = "FROM raw WHERE seq > ?1 AND seq <= ?2 AND (?3 IS NULL OR etype = ?3) \
                        AND (?4 IS NULL OR eid = ?4) AND (?5 IS NULL OR attr = ?5) AND (?6 IS NULL OR src = ?6)";

impl Reader {
    /// Datapoints of the log, newest first.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn raw(&self, filter: &RawFilter) -> Result<Vec<StoredPoint>, StoreError> {
        let mut out = Vec::new();
        let mut each = |point| {
            out.push(point);
            Ok::<_, StoreError>(())
        };
        self.each_raw(filter, RawOrder::NewestFirst, &mut |_| Ok(()), &mut each)?;
        Ok(out)
    }

    /// Gives datapoints of the log to `each`, one after another. `step` is asked now and then whether to go on; it is
    /// told how many places are kept until their order is known. Neither may use this reader.
    ///
    /// # Errors
    /// What the disk may say, and what `step` or `each` say, which ends it.
    pub fn each_raw<E: From<StoreError>>(
        &self,
        filter: &RawFilter,
        order: RawOrder,
        step: &mut dyn FnMut(usize) -> Result<(), E>,
        each: &mut dyn FnMut(StoredPoint) -> Result<(), E>,
    ) -> Result<(), E> {
        let conn = self.connection();
        let tx = conn.unchecked_transaction().map_err(StoreError::from)?;
        let Some(wanted) = Wanted::of(&tx, filter)? else { return Ok(()) };
        match order {
            RawOrder::NewestFirst => newest(&tx, filter, &wanted, step, each),
            RawOrder::LatestFirst => latest(&tx, filter, &wanted, step, each),
        }
    }
}

/// A filter with the numbers of the names in it.
struct Wanted<'f> {
    etype: Option<i64>,
    eid: Option<&'f str>,
    attr: Option<i64>,
    src: Option<&'f str>,
}

impl<'f> Wanted<'f> {
    /// `None`: nothing can match, since a name never came up.
    fn of(conn: &Connection, filter: &'f RawFilter) -> Result<Option<Self>, StoreError> {
        let number = |name: Option<&str>| match name {
            None => Ok(Some(None)),
            Some(name) => Ok::<_, StoreError>(names::lookup(conn, name)?.map(Some)),
        };
        let etype = number(filter.etype.as_ref().map(EntityType::as_str))?;
        let attr = number(filter.attr.as_ref().map(AttrName::as_str))?;
        let (eid, src) = (filter.eid.as_ref().map(EntityId::as_str), filter.src.as_deref());
        Ok(etype.zip(attr).map(|(etype, attr)| Self { etype, eid, attr, src }))
    }

    /// The parameters of [`MATCHING`].
    fn parameters<'p>(&'p self, from: &'p i64, to: &'p i64) -> [&'p dyn ToSql; 6] {
        [from, to, &self.etype, &self.eid, &self.attr, &self.src]
    }
}

/// Windows of the log from its end: after the first number, up to the second.
fn windows(conn: &Connection) -> Result<impl Iterator<Item = (i64, i64)>, StoreError> {
    let (first, last): (Option<i64>, Option<i64>) = conn
        .prepare_cached("SELECT (SELECT min(seq) FROM raw), (SELECT max(seq) FROM raw)")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (before, mut to) = (first.unwrap_or(0).saturating_sub(1), last.unwrap_or(-1));
    Ok(std::iter::from_fn(move || {
        let window = (to > before).then(|| (to.saturating_sub(WINDOW).max(before), to))?;
        to = window.0;
        Some(window)
    }))
}

fn newest<E: From<StoreError>>(
    conn: &Connection,
    filter: &RawFilter,
    wanted: &Wanted<'_>,
    step: &mut dyn FnMut(usize) -> Result<(), E>,
    each: &mut dyn FnMut(StoredPoint) -> Result<(), E>,
) -> Result<(), E> {
    let (mut skip, mut left) = (filter.skip, filter.limit);
    let sql = format!("SELECT {POINT} {MATCHING} ORDER BY seq DESC");
    let mut statement = conn.prepare_cached(&sql).map_err(StoreError::from)?;
    for (from, to) in windows(conn)? {
        if left == 0 {
            break;
        }
        step(0)?;
        let mut rows = statement.query(wanted.parameters(&from, &to)).map_err(StoreError::from)?;
        while let Some(row) = rows.next().map_err(StoreError::from)? {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            if left == 0 {
                break;
            }
            left -= 1;
            each(stored_point(conn, row)?)?;
        }
    }
    Ok(())
}

fn latest<E: From<StoreError>>(
    conn: &Connection,
    filter: &RawFilter,
    wanted: &Wanted<'_>,
    step: &mut dyn FnMut(usize) -> Result<(), E>,
    each: &mut dyn FnMut(StoredPoint) -> Result<(), E>,
) -> Result<(), E> {
    let (skip, limit) = (filter.skip as usize, filter.limit as usize);
    let most = skip.saturating_add(limit);
    // Places of the latest, in any order; cut to as many as are needed whenever twice as many are there.
    let mut places: Vec<(Option<i64>, i64)> = Vec::new();
    let cut = |places: &mut Vec<(Option<i64>, i64)>| {
        places.sort_unstable_by(|a, b| b.cmp(a));
        places.truncate(most);
    };
    let sql = format!("SELECT t1, seq {MATCHING}");
    let mut statement = conn.prepare_cached(&sql).map_err(StoreError::from)?;
    for (from, to) in windows(conn)? {
        step(places.len())?;
        let mut rows = statement.query(wanted.parameters(&from, &to)).map_err(StoreError::from)?;
        while let Some(row) = rows.next().map_err(StoreError::from)? {
            places.push((row.get(0).map_err(StoreError::from)?, row.get(1).map_err(StoreError::from)?));
        }
        if places.len() / 2 > most {
            cut(&mut places);
        }
    }
    cut(&mut places);
    let sql = format!("SELECT {POINT} FROM raw WHERE seq = ?1");
    let mut statement = conn.prepare_cached(&sql).map_err(StoreError::from)?;
    for (_, seq) in places.into_iter().skip(skip) {
        let mut rows = statement.query([seq]).map_err(StoreError::from)?;
        if let Some(row) = rows.next().map_err(StoreError::from)? {
            each(stored_point(conn, row)?)?;
        }
    }
    Ok(())
}
