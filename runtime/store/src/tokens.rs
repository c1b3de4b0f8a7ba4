//! Access tokens: their digests, never the tokens themselves.

use rusqlite::Connection;
use tenter_model::Timestamp;

use crate::error::StoreError;
use crate::store::Store;

/// A token as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// SHA-256 of the token.
    pub digest: [u8; 32],
    /// What its bearer may do, in the server's words.
    pub role: String,
    /// For people.
    pub label: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends, if ever.
    pub expires: Option<Timestamp>,
    /// When it was last used, as far as was noted.
    pub last_used: Option<Timestamp>,
}

impl Store {
    /// Adds a token or replaces the one of the same digest.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn add_token(&self, token: TokenRow) -> Result<(), StoreError> {
        self.call(move |tx| {
            tx.conn.execute(
                "INSERT OR REPLACE INTO token (digest, role, label, created, expires, last_used) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                (
                    &token.digest[..],
                    &token.role,
                    &token.label,
                    token.created.0,
                    token.expires.map(|t| t.0),
                    token.last_used.map(|t| t.0),
                ),
            )?;
            Ok(())
        })
    }

    /// Notes that a token was used. Callers do so now and then, not for each request.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn note_token_use(&self, digest: [u8; 32], now: Timestamp) -> Result<(), StoreError> {
        self.call(move |tx| {
            tx.conn.execute("UPDATE token SET last_used = ?2 WHERE digest = ?1", (&digest[..], now.0))?;
            Ok(())
        })
    }

    /// Removes a token.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn remove_token(&self, digest: [u8; 32]) -> Result<(), StoreError> {
        self.call(move |tx| match tx.conn.execute("DELETE FROM token WHERE digest = ?1", [&digest[..]])? {
            0 => Err(StoreError::NotFound("the token".into())),
            _ => Ok(()),
        })
    }
}

/// All tokens, oldest first.
pub(crate) fn tokens(conn: &Connection) -> Result<Vec<TokenRow>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT digest, role, label, created, expires, last_used FROM token ORDER BY created, digest",
    )?;
    let rows = statement.query_map([], |r| {
        Ok(TokenRow {
            digest: r.get(0)?,
            role: r.get(1)?,
            label: r.get(2)?,
            created: Timestamp(r.get(3)?),
            expires: r.get::<_, Option<i64>>(4)?.map(Timestamp),
            last_used: r.get::<_, Option<i64>>(5)?.map(Timestamp),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
