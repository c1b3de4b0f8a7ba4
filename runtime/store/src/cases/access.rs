//! Who may do what with a case.
//!
//! A row for a user counts before those of the user's groups, of which the highest counts.

use rusqlite::Connection;
use serde_json::json;

use super::{CaseActor, CaseWorld};
use crate::error::StoreError;
use crate::store::Store;
use crate::tx::Tx;

pub(super) const READ: i64 = 2;
pub(super) const FULL: i64 = 4;

/// What somebody may do with a case, with the numbers of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccessLevel {
    /// Nothing.
    None = 1,
    /// See it.
    Read = 2,
    /// Change it.
    Full = 4,
}

impl AccessLevel {
    /// The level of a number.
    #[must_use]
    pub fn of(number: i64) -> Self {
        match number {
            FULL.. => Self::Full,
            READ.. => Self::Read,
            _ => Self::None,
        }
    }
}

/// A user or a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// A user of that id.
    User(i64),
    /// A group of that id.
    Group(i64),
}

impl Who {
    fn columns(self) -> (&'static str, i64) {
        match self {
            Self::User(id) => ("user", id),
            Self::Group(id) => ("group", id),
        }
    }
}

impl Store {
    /// Says what a user or a group may do with a case; `None` takes what was said back.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a case that does not exist.
    pub fn set_case_access(
        &self,
        who: Who,
        case_id: i64,
        level: Option<AccessLevel>,
        by: CaseActor,
    ) -> Result<(), StoreError> {
        self.call(move |tx| {
            let case = tenter_model::case::ObjectRef { kind: tenter_model::case::ObjectKind::Case, id: case_id };
            super::rows::find_in(tx.conn, case, None)?;
            set(tx, who, case_id, level)?;
            let (word, id) = who.columns();
            let level = level.map(|level| level as i64);
            super::log::audit(
                tx,
                &by,
                "case.access",
                &case.to_string(),
                &json!({"who": word, "id": id, "level": level}),
            )
        })
    }
}

pub(super) fn set(tx: &Tx<'_>, who: Who, case_id: i64, level: Option<AccessLevel>) -> Result<(), StoreError> {
    let (word, id) = who.columns();
    match level {
        Some(level) => tx
            .conn
            .prepare_cached("INSERT OR REPLACE INTO case_access (who, who_id, case_id, level) VALUES (?1, ?2, ?3, ?4)")?
            .execute((word, id, case_id, level as i64))?,
        None => tx
            .conn
            .prepare_cached("DELETE FROM case_access WHERE who = ?1 AND who_id = ?2 AND case_id = ?3")?
            .execute((word, id, case_id))?,
    };
    Ok(())
}

/// The number of what a user may do with a case; 1 where nothing was said or there is no such case.
pub(super) fn level(conn: &Connection, user_id: i64, case_id: i64) -> Result<i64, StoreError> {
    let sql = "SELECT coalesce(\
         (SELECT level FROM case_access WHERE case_id = ?2 AND who = 'user' AND who_id = ?1), \
         (SELECT max(a.level) FROM case_link m JOIN case_access a ON a.case_id = ?2 AND a.who = 'group' AND \
          a.who_id = m.far WHERE m.relation = 'user-group' AND m.near = ?1), 1)";
    Ok(conn.prepare_cached(sql)?.query_row((user_id, case_id), |r| r.get(0))?)
}

impl CaseWorld<'_> {
    /// What was said about the access of a user or a group, in order of cases.
    #[must_use]
    pub fn access_of(&self, who: Who) -> Vec<(i64, AccessLevel)> {
        let read = || -> Result<Vec<(i64, AccessLevel)>, StoreError> {
            let mut statement = self.conn.prepare_cached(
                "SELECT case_id, level FROM case_access WHERE who = ?1 AND who_id = ?2 ORDER BY case_id",
            )?;
            let rows = statement.query_map(who.columns(), |r| Ok((r.get(0)?, AccessLevel::of(r.get(1)?))))?;
            Ok(rows.collect::<Result<_, _>>()?)
        };
        self.ask(read())
    }

    /// What a user may do with a case. A case that does not exist is one that nobody may see.
    #[must_use]
    pub fn level(&self, user_id: i64, case_id: i64) -> AccessLevel {
        AccessLevel::of(self.ask(level(self.conn, user_id, case_id)))
    }
}
