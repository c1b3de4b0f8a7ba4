//! What the entity specification was when data were stored.

use rusqlite::OptionalExtension;
use tenter_model::Timestamp;
use tenter_model::schema::version::SchemaVersion;

use crate::error::StoreError;
use crate::reader::Reader;
use crate::store::Store;

/// A stored version of the specification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaRow {
    /// Its number, from 1.
    pub number: u64,
    /// When it took effect.
    pub at: Timestamp,
    /// What stored data rely on.
    pub version: SchemaVersion,
}

impl Store {
    /// Stores a version as the newest, unless the newest is equal. Gives its number.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn put_schema(&self, version: SchemaVersion, now: Timestamp) -> Result<u64, StoreError> {
        let body = serde_json::to_string(&version).map_err(|e| StoreError::Invalid(e.to_string()))?;
        self.call(move |tx| {
            let newest: Option<(i64, String)> = tx
                .conn
                .prepare_cached("SELECT number, body FROM schema_version ORDER BY number DESC LIMIT 1")?
                .query_row([], |r| Ok((r.get(0)?, r.get(1)?)))
                .optional()?;
            if let Some((number, stored)) = &newest
                && *stored == body
            {
                return Ok(u64::try_from(*number).unwrap_or(0));
            }
            let number = newest.map_or(0, |(number, _)| number) + 1;
            tx.conn
                .prepare_cached("INSERT INTO schema_version (number, at, body) VALUES (?1, ?2, ?3)")?
                .execute((number, now.0, &body))?;
            tx.crash.at("schema-stored");
            Ok(u64::try_from(number).unwrap_or(0))
        })
    }
}

impl Reader {
    /// The newest version; `None` when none was ever stored.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] when it was stored by a program that knows more, and what the disk may say.
    pub fn latest_schema(&self) -> Result<Option<SchemaRow>, StoreError> {
        Ok(self.schemas(1)?.into_iter().next())
    }

    /// Versions, newest first.
    ///
    /// # Errors
    /// As for [`Reader::latest_schema`].
    pub fn schemas(&self, limit: u32) -> Result<Vec<SchemaRow>, StoreError> {
        let conn = self.connection();
        let mut statement =
            conn.prepare_cached("SELECT number, at, body FROM schema_version ORDER BY number DESC LIMIT ?1")?;
        let mut rows = statement.query([limit])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let number = u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0);
            let version = serde_json::from_str(&row.get::<_, String>(2)?).map_err(|e| StoreError::Unreadable {
                what: format!("version {number} of the entity specification"),
                why: e.to_string(),
            })?;
            out.push(SchemaRow { number, at: Timestamp(row.get(1)?), version });
        }
        Ok(out)
    }
}
