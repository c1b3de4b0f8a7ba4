//! The latest picture of an entity type, read as of one moment: what listings, counts and distinct values are made of.
//!
//! A row of the picture is small: whose document it is, of which time, and where the values lie. The values are looked up
//! and decoded only when somebody asks, and only those that are asked for, so that going past a row costs little. The
//! order is that of the bytes of the ids, since that is how rows lie on the disk; who needs another order keeps places.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::ops::ControlFlow;

use rusqlite::{Connection, Row};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, SeqAccess, Visitor};
use tenter_model::filter::Ids;
use tenter_model::view::{CurrentValue, EntityView};
use tenter_model::{AttrName, EntityId, EntityRef, EntityType, Timestamp, Value};

use crate::codec;
use crate::error::StoreError;
use crate::reader::{Reader, blob, name, text};
use crate::runs::RunNumber;
use crate::snapshots::{Snapshot, latest};

/// Rows of a picture that are there: not of entities that were removed since. The run is ?1, the type ?2.
const ROWS: &str = "FROM snapshot s WHERE s.run = ?1 AND s.etype = ?2";
/// Added while any entity of the type is removed and not yet cleaned away.
const THERE: &str = " AND NOT EXISTS \
                     (SELECT 1 FROM snapshot_gone g WHERE g.etype = s.etype AND g.eid = s.eid AND g.run >= s.run)";

/// The latest picture of a type, as of one moment.
pub struct Picture<'c> {
    conn: &'c Connection,
    etype: EntityType,
    /// Numbers of the run and of the type.
    place: Option<(i64, i64)>,
    there: &'static str,
    /// Times of runs that documents are of; `None`: the run is not to be seen any more.
    times: RefCell<HashMap<i64, Option<Timestamp>>>,
}

/// One row of it.
pub struct PictureRow<'p> {
    picture: &'p Picture<'p>,
    eid: &'p str,
    run: i64,
    time: Timestamp,
    partial: bool,
    document: i64,
}

impl Reader {
    /// Reads the latest picture of a type: that of the newest complete run. Without one it is empty. `read` must not use
    /// this reader.
    ///
    /// # Errors
    /// What the disk may say, and what `read` says.
    pub fn picture<T, E: From<StoreError>>(
        &self,
        etype: &EntityType,
        read: impl FnOnce(&Picture<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let conn = self.connection();
        let tx = conn.unchecked_transaction().map_err(StoreError::from)?;
        read(&Picture::open(&tx, self.etype(&tx, etype)?, etype)?)
    }
}

impl<'c> Picture<'c> {
    fn open(conn: &'c Connection, number: Option<i64>, etype: &EntityType) -> Result<Self, StoreError> {
        let place = latest(conn)?.zip(number);
        let removed = match place {
            Some((run, etype)) => conn
                .prepare_cached("SELECT 1 FROM snapshot_gone WHERE etype = ?1 AND run >= ?2 LIMIT 1")?
                .exists((etype, run))?,
            None => false,
        };
        let there = if removed { THERE } else { "" };
        Ok(Self { conn, etype: etype.clone(), place, there, times: RefCell::default() })
    }

    /// Gives each row of these entities to `visit`, in byte order of the ids, until it says to stop.
    ///
    /// # Errors
    /// What the disk may say, and what `visit` says, which ends it.
    pub fn each<E: From<StoreError>>(
        &self,
        ids: &Ids,
        visit: &mut dyn FnMut(&PictureRow<'_>) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        match ids {
            Ids::All => self.range("", None, visit),
            Ids::Range(from, to) => self.range(from, to.as_deref(), visit),
            Ids::These(ids) => {
                for id in ids {
                    if let Some(ControlFlow::Break(())) = self.one(id, &mut *visit)? {
                        break;
                    }
                }
                Ok(())
            }
        }
    }

    /// Gives the row of an entity to `visit`; `None` when there is none.
    ///
    /// # Errors
    /// What the disk may say, and what `visit` says.
    pub fn one<T, E: From<StoreError>>(
        &self,
        id: &EntityId,
        visit: impl FnOnce(&PictureRow<'_>) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        let Some((run, etype)) = self.place else { return Ok(None) };
        let sql = format!(
            "SELECT s.eid, coalesce(s.taken, s.run), s.partial, s.document {ROWS} AND s.eid = ?3{}",
            self.there
        );
        let mut statement = self.conn.prepare_cached(&sql).map_err(StoreError::from)?;
        let mut rows = statement.query((run, etype, id.as_str())).map_err(StoreError::from)?;
        match rows.next().map_err(StoreError::from)? {
            Some(row) => self.row(row)?.map(|row| visit(&row)).transpose(),
            None => Ok(None),
        }
    }

    fn range<E: From<StoreError>>(
        &self,
        from: &str,
        to: Option<&str>,
        visit: &mut dyn FnMut(&PictureRow<'_>) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        let Some((run, etype)) = self.place else { return Ok(()) };
        // Two texts, since a condition that may be absent would keep SQLite from stopping at the end of the range.
        let end = if to.is_some() { " AND s.eid < ?4" } else { " AND ?4 IS NULL" };
        let sql = format!(
            "SELECT s.eid, coalesce(s.taken, s.run), s.partial, s.document {ROWS} AND s.eid >= ?3{end}{} ORDER BY s.eid",
            self.there
        );
        let mut statement = self.conn.prepare_cached(&sql).map_err(StoreError::from)?;
        let mut rows = statement.query((run, etype, from, to)).map_err(StoreError::from)?;
        while let Some(row) = rows.next().map_err(StoreError::from)? {
            if let Some(row) = self.row(row)?
                && visit(&row)?.is_break()
            {
                break;
            }
        }
        Ok(())
    }

    /// Columns: id, run, partial, document. `None`: it was kept of a run that is not to be seen any more.
    fn row<'p>(&'p self, row: &'p Row<'_>) -> Result<Option<PictureRow<'p>>, StoreError> {
        let run = row.get(1)?;
        let Some(time) = self.time(run)? else { return Ok(None) };
        let (partial, document) = (row.get(2)?, row.get(3)?);
        Ok(Some(PictureRow { picture: self, eid: text(row, 0)?, run, time, partial, document }))
    }

    fn time(&self, run: i64) -> Result<Option<Timestamp>, StoreError> {
        if let Some(known) = self.times.borrow().get(&run) {
            return Ok(*known);
        }
        let mut statement =
            self.conn.prepare_cached("SELECT time FROM run WHERE number = ?1 AND state = 'complete'")?;
        let mut rows = statement.query([run])?;
        let time = rows.next()?.map(|row| row.get(0)).transpose()?.map(Timestamp);
        self.times.borrow_mut().insert(run, time);
        Ok(time)
    }
}

impl PictureRow<'_> {
    /// Whose it is, as text.
    #[must_use]
    pub fn eid(&self) -> &str {
        self.eid
    }

    /// Whose it is.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`].
    pub fn id(&self) -> Result<EntityId, StoreError> {
        name(self.eid)
    }

    /// The time that the values were computed for.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// The document without its values.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`].
    pub fn head(&self) -> Result<Snapshot, StoreError> {
        let entity = EntityRef { etype: self.picture.etype.clone(), eid: self.id()? };
        Ok(Snapshot {
            run: RunNumber::try_from(self.run).unwrap_or(0),
            time: self.time,
            view: EntityView { entity, values: Vec::new() },
            partial: self.partial,
        })
    }

    /// The document with the values of those attributes that are wanted.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`], and what the disk may say.
    pub fn document(&self, wanted: &dyn Fn(&str) -> bool) -> Result<Snapshot, StoreError> {
        let mut snapshot = self.head()?;
        let what = || format!("snapshot of {}", snapshot.view.entity);
        let missing = || StoreError::Unreadable { what: what(), why: "its document is missing".to_owned() };
        let mut statement = self.picture.conn.prepare_cached("SELECT body FROM document WHERE id = ?1")?;
        let mut rows = statement.query([self.document])?;
        let row = rows.next()?.ok_or_else(missing)?;
        snapshot.view.values = codec::decode_seed(blob(row, 0)?, Values(wanted), what)?;
        Ok(snapshot)
    }
}

/// Reads the values of a document, and passes over those that are not wanted.
struct Values<'w>(&'w dyn Fn(&str) -> bool);

impl<'de> DeserializeSeed<'de> for Values<'_> {
    type Value = Vec<CurrentValue>;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        d.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Values<'_> {
    type Value = Vec<CurrentValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the values of a document")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut out = Vec::new();
        while let Some(value) = seq.next_element_seed(OneValue(self.0))? {
            out.extend(value);
        }
        Ok(out)
    }
}

/// Reads one value, `None` when its attribute is not wanted.
struct OneValue<'w>(&'w dyn Fn(&str) -> bool);

impl<'de> DeserializeSeed<'de> for OneValue<'_> {
    type Value = Option<CurrentValue>;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        d.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for OneValue<'_> {
    type Value = Option<CurrentValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an attribute, its value and its confidence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let short = || serde::de::Error::custom("a value of fewer than three parts");
        let attr: &str = seq.next_element()?.ok_or_else(short)?;
        if !(self.0)(attr) {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(None);
        }
        let attr = AttrName::new(attr).map_err(serde::de::Error::custom)?;
        let value: Value = seq.next_element()?.ok_or_else(short)?;
        let confidence = seq.next_element()?.ok_or_else(short)?;
        Ok(Some(CurrentValue { attr, value, confidence }))
    }
}
