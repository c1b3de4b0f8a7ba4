//! Entity types, attributes and modules as small numbers.
//!
//! There are few of them and they never go, so that both sides keep all they met in memory. The writer's copy forgets
//! what a rolled-back savepoint had added; the reader's holds committed names only.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension};

use crate::error::StoreError;

/// The writer's copy.
#[derive(Debug, Default)]
pub(crate) struct Names {
    known: HashMap<String, i64>,
    /// Added in the running transaction, in order.
    added: Vec<String>,
}

impl Names {
    /// The number of a name, which is added when it is new.
    pub(crate) fn number(&mut self, conn: &Connection, text: &str) -> Result<i64, StoreError> {
        if let Some(id) = self.known.get(text) {
            return Ok(*id);
        }
        let id = match lookup(conn, text)? {
            Some(id) => id,
            None => {
                conn.prepare_cached("INSERT INTO name (text) VALUES (?1)")?.execute([text])?;
                self.added.push(text.to_owned());
                conn.last_insert_rowid()
            }
        };
        self.known.insert(text.to_owned(), id);
        Ok(id)
    }

    /// A point to return to.
    pub(crate) fn mark(&self) -> usize {
        self.added.len()
    }

    /// Forgets what was added since the mark.
    pub(crate) fn forget_since(&mut self, mark: usize) {
        for text in self.added.drain(mark.min(self.added.len())..) {
            self.known.remove(&text);
        }
    }

    /// What was added is committed.
    pub(crate) fn keep(&mut self) {
        self.added.clear();
    }
}

/// The number of a name, if it has one.
pub(crate) fn lookup(conn: &Connection, text: &str) -> Result<Option<i64>, StoreError> {
    Ok(conn.prepare_cached("SELECT id FROM name WHERE text = ?1")?.query_row([text], |r| r.get(0)).optional()?)
}

/// The name of a number.
pub(crate) fn text(conn: &Connection, id: i64) -> Result<String, StoreError> {
    let found = conn.prepare_cached("SELECT text FROM name WHERE id = ?1")?.query_row([id], |r| r.get(0)).optional()?;
    found.ok_or_else(|| StoreError::Unreadable { what: format!("name {id}"), why: "the table lacks it".into() })
}
