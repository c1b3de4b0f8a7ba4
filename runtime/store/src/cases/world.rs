//! What cases have at one moment: answers to the model's questions, and what the API reads.
//!
//! A question that the database cannot answer is answered as if there were nothing, and the failure is kept; whoever
//! opened the world gets it in place of what was made of such answers.

use std::cell::{Cell, RefCell};

use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;
use tenter_model::case::render::{Joins, PastChange};
use tenter_model::case::{Body, CaseObject, LookUpKind, LookUpRow, Lookups, ObjectKind, ObjectRef, Relation};
use tenter_model::{Timestamp, limits};

use super::{access, lookups, rows};
use crate::error::StoreError;
use crate::reader::Reader;

/// Cases at one moment, as somebody sees them who looks at one of them.
pub struct CaseWorld<'a> {
    pub(super) conn: &'a Connection,
    user_id: Option<i64>,
    case_id: Option<i64>,
    failed: RefCell<Option<StoreError>>,
    /// What may still be taken into memory of bodies, in bytes.
    pub(super) room: Cell<usize>,
}

impl Reader {
    /// Reads cases at one moment, as a user who looks at a case, or at none. Whether the user may is for the caller to
    /// ask, with [`CaseWorld::level`].
    ///
    /// # Errors
    /// What the disk may say, if it did.
    pub fn cases<T>(
        &self,
        user_id: Option<i64>,
        case_id: Option<i64>,
        read: impl FnOnce(&CaseWorld<'_>) -> T,
    ) -> Result<T, StoreError> {
        self.at_once(|conn| CaseWorld::answer(conn, user_id, case_id, read))
    }
}

impl<'a> CaseWorld<'a> {
    pub(super) fn answer<T>(
        conn: &'a Connection,
        user_id: Option<i64>,
        case_id: Option<i64>,
        read: impl FnOnce(&Self) -> T,
    ) -> Result<T, StoreError> {
        let room = Cell::new(limits::MAX_CASE_BYTES);
        let world = Self { conn, user_id, case_id, failed: RefCell::new(None), room };
        let result = read(&world);
        match world.failed.into_inner() {
            Some(error) => Err(error),
            None => Ok(result),
        }
    }

    /// Objects that a condition holds for and that are wanted, within the room that there is.
    pub(super) fn gather(
        &self,
        condition: &str,
        values: impl rusqlite::Params,
        wanted: impl FnMut(&CaseObject) -> bool,
    ) -> Vec<CaseObject> {
        self.ask(rows::gather(self.conn, condition, values, &self.room, wanted))
    }

    /// The answer, or nothing and the failure kept.
    pub(super) fn ask<T: Default>(&self, answer: Result<T, StoreError>) -> T {
        answer.unwrap_or_else(|error| {
            self.failed.borrow_mut().get_or_insert(error);
            T::default()
        })
    }
}

impl Lookups for CaseWorld<'_> {
    fn row(&self, kind: LookUpKind, id: i64) -> Option<LookUpRow> {
        self.ask(lookups::find(self.conn, kind, id))
    }

    fn holds(&self, case_id: Option<i64>, kind: ObjectKind, id: i64) -> bool {
        match rows::find_in(self.conn, ObjectRef { kind, id }, case_id) {
            Ok(_) => true,
            Err(StoreError::NotFound(_)) => false,
            Err(error) => self.ask(Err(error)),
        }
    }

    fn may_enter(&self, user_id: i64, case_id: i64) -> bool {
        self.ask(access::level(self.conn, user_id, case_id)) >= access::READ
    }

    fn custom_defaults(&self, kind: ObjectKind) -> Body {
        let row = self.ask(lookups::find_by_name(self.conn, LookUpKind::CustomAttributes, kind.name()));
        row.and_then(|row| row.body.get("attribute_content").and_then(Value::as_object).cloned()).unwrap_or_default()
    }
}

impl Joins for CaseWorld<'_> {
    fn case_id(&self) -> Option<i64> {
        self.case_id
    }

    fn row(&self, kind: LookUpKind, id: i64) -> Option<LookUpRow> {
        Lookups::row(self, kind, id)
    }

    fn object(&self, target: ObjectRef) -> Option<CaseObject> {
        self.ask(rows::find(self.conn, target))
    }

    fn far(&self, relation: Relation, id: i64) -> Vec<i64> {
        self.ask(rows::ends(self.conn, relation, id, true))
    }

    fn comments(&self, about: ObjectRef) -> Vec<CaseObject> {
        let condition = "about_kind = ?1 AND about_id = ?2 AND (?3 IS NULL OR case_id = ?3) ORDER BY id";
        self.gather(condition, (about.kind.name(), about.id, self.case_id), |_| true)
    }

    fn history(&self, target: ObjectRef) -> Vec<PastChange> {
        let read = || -> Result<Vec<PastChange>, StoreError> {
            let mut statement = self.conn.prepare_cached(
                "SELECT at, user_id, action FROM case_change WHERE kind = ?1 AND id = ?2 ORDER BY version",
            )?;
            let changes = statement.query_map((target.kind.name(), target.id), |r| {
                Ok(PastChange { at: Timestamp(r.get(0)?), user_id: r.get(1)?, action: r.get(2)? })
            })?;
            Ok(changes.collect::<Result<_, _>>()?)
        };
        self.ask(read())
    }

    fn namesakes(&self, object: &CaseObject) -> Vec<CaseObject> {
        let Some(same) = super::same::key(object.target.kind, &object.body) else { return Vec::new() };
        let condition = "kind = ?1 AND same = ?2 AND id <> ?3 ORDER BY id LIMIT 100";
        self.gather(condition, (object.target.kind.name(), same, object.target.id), |_| true)
    }

    fn access_level(&self, case_id: i64) -> i64 {
        let level = self.user_id.map(|user| self.ask(access::level(self.conn, user, case_id)));
        level.unwrap_or(access::FULL)
    }
}

/// A single value of a query, if there is a row.
pub(super) fn one<T: rusqlite::types::FromSql>(
    conn: &Connection,
    sql: &str,
    values: impl rusqlite::Params,
) -> Result<Option<T>, StoreError> {
    Ok(conn.prepare_cached(sql)?.query_row(values, |r| r.get(0)).optional()?)
}
