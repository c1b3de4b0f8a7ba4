//! Reading master records, one or many at once.
//!
//! SQLite forgets all pages that it holds in memory when another connection has committed, and asks the operating
//! system for several locks at the begin of each read. Beside a writer that commits all the time a single read thus
//! costs several times what the row itself does; reads that share a transaction share that.

use rusqlite::Connection;
use tenter_model::{EntityRef, MasterRecord};

use crate::codec;
use crate::error::StoreError;
use crate::reader::{Reader, blob};

impl Reader {
    /// The master record of an entity.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn record(&self, entity: &EntityRef) -> Result<Option<MasterRecord>, StoreError> {
        self.read_record(&self.connection(), entity, &mut 0)
    }

    /// The master records of entities as of one moment, in the order given. The reading ends after the record that
    /// fills `max_bytes` and before one that cannot be read, so that there may be fewer than were asked for.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn records_at_once<'e>(
        &self,
        entities: impl IntoIterator<Item = &'e EntityRef>,
        max_bytes: usize,
    ) -> Result<Vec<Option<MasterRecord>>, StoreError> {
        self.at_once(|conn| {
            let (mut records, mut bytes) = (Vec::new(), 0);
            for entity in entities {
                match self.read_record(conn, entity, &mut bytes) {
                    Err(StoreError::Unreadable { .. }) => break,
                    record => records.push(record?),
                }
                if bytes >= max_bytes {
                    break;
                }
            }
            Ok(records)
        })
    }

    /// Whether an entity is known.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn is_known(&self, entity: &EntityRef) -> Result<bool, StoreError> {
        let conn = self.connection();
        let Some(etype) = self.etype(&conn, &entity.etype)? else { return Ok(false) };
        Ok(conn
            .prepare_cached("SELECT 1 FROM master WHERE etype = ?1 AND eid = ?2")?
            .exists((etype, entity.eid.as_str()))?)
    }

    /// Reads one record and adds its stored size to `bytes`.
    fn read_record(
        &self,
        conn: &Connection,
        entity: &EntityRef,
        bytes: &mut usize,
    ) -> Result<Option<MasterRecord>, StoreError> {
        let Some(etype) = self.etype(conn, &entity.etype)? else { return Ok(None) };
        let mut statement = conn.prepare_cached("SELECT revision, body FROM master WHERE etype = ?1 AND eid = ?2")?;
        let mut rows = statement.query((etype, entity.eid.as_str()))?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let body = blob(row, 1)?;
        *bytes += body.len();
        let mut record: MasterRecord = codec::decode(body, || format!("record of {entity}"))?;
        record.revision = u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0);
        Ok(Some(record))
    }
}
