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
    /// What it is restricted to, in the server's words; empty: nothing.
    pub scopes: Vec<String>,
}

/// The first digits of a token's digest, which tell tokens apart in the audit log.
fn short(digest: &[u8; 32]) -> String {
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

impl Store {
    /// Adds a token or replaces the one of the same digest.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn add_token(&self, token: TokenRow) -> Result<(), StoreError> {
        let scopes = serde_json::Value::from(token.scopes.clone()).to_string();
        let detail = serde_json::json!({
            "role": token.role, "label": token.label, "scopes": token.scopes,
            "expires": token.expires.map(|t| t.to_string()),
        });
        self.audited("token.add", &short(&token.digest), detail, move |tx| {
            tx.conn.execute(
                "INSERT OR REPLACE INTO token (digest, role, label, created, expires, last_used, scopes) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                (
                    &token.digest[..],
                    &token.role,
                    &token.label,
                    token.created.0,
                    token.expires.map(|t| t.0),
                    token.last_used.map(|t| t.0),
                    &scopes,
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
        self.audited("token.remove", &short(&digest), serde_json::Value::Null, move |tx| {
            match tx.conn.execute("DELETE FROM token WHERE digest = ?1", [&digest[..]])? {
                0 => Err(StoreError::NotFound("the token".into())),
                _ => Ok(()),
            }
        })
    }
}

/// All tokens, oldest first.
pub(crate) fn tokens(conn: &Connection) -> Result<Vec<TokenRow>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT digest, role, label, created, expires, last_used, scopes FROM token ORDER BY created, digest",
    )?;
    let mut rows = statement.query([])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        let scopes: String = r.get(6)?;
        let unreadable = |why: String| StoreError::Unreadable { what: "scopes of a token".into(), why };
        out.push(TokenRow {
            digest: r.get(0)?,
            role: r.get(1)?,
            label: r.get(2)?,
            created: Timestamp(r.get(3)?),
            expires: r.get::<_, Option<i64>>(4)?.map(Timestamp),
            last_used: r.get::<_, Option<i64>>(5)?.map(Timestamp),
            scopes: serde_json::from_str(&scopes).map_err(|e| unreadable(e.to_string()))?,
        });
    }
    Ok(out)
}
