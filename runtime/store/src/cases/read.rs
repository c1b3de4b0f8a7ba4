//! Reading objects: one, those of a case, those that match, and what they were.

use tenter_model::Timestamp;
use tenter_model::case::{CaseObject, ObjectKind, ObjectRef, Relation};

use super::world::one;
use super::{CaseWorld, rows};
use crate::error::StoreError;

/// What a note was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteRevision {
    /// From 1.
    pub number: i64,
    /// The title.
    pub title: String,
    /// The content.
    pub content: String,
    /// Whose change made a revision of it.
    pub user_id: i64,
    /// When.
    pub at: Timestamp,
}

impl CaseWorld<'_> {
    /// An object, if it exists and is in the case that it is asked of; `None` asks of no case.
    #[must_use]
    pub fn object_in(&self, target: ObjectRef, case_id: Option<i64>) -> Option<CaseObject> {
        match rows::find_in(self.conn, target, case_id) {
            Err(StoreError::NotFound(_)) => None,
            other => self.ask(other.map(Some)),
        }
    }

    /// All objects of a kind in a case, or, without a case, all of the kind. In order of their ids. More than there is
    /// room for (`limits::MAX_CASE_BYTES`) is a failure of the look.
    #[must_use]
    pub fn objects(&self, kind: ObjectKind, case_id: Option<i64>) -> Vec<CaseObject> {
        self.objects_that(kind, case_id, |_| true)
    }

    /// The same of those that are wanted; room is taken by these alone.
    #[must_use]
    pub fn objects_that(
        &self,
        kind: ObjectKind,
        case_id: Option<i64>,
        wanted: impl FnMut(&CaseObject) -> bool,
    ) -> Vec<CaseObject> {
        let name = kind.name();
        match (kind, case_id) {
            (_, None) => self.gather("kind = ?1 ORDER BY id", [name], wanted),
            (ObjectKind::Case, Some(id)) => self.gather("kind = ?1 AND id = ?2", (name, id), wanted),
            (ObjectKind::Ioc, Some(case_id)) => self.gather(
                "kind = ?1 AND id IN (SELECT near FROM case_link WHERE relation = ?2 AND far = ?3) ORDER BY id",
                (name, Relation::IocCase.name(), case_id),
                wanted,
            ),
            (_, Some(case_id)) => self.gather("kind = ?1 AND case_id = ?2 ORDER BY id", (name, case_id), wanted),
        }
    }

    /// Directories of a case, or its notes, in order of their ids: their names and the directory that each stands in, and
    /// nothing else of their bodies, which may be long.
    #[must_use]
    pub fn shelves(&self, kind: ObjectKind, case_id: i64) -> Vec<CaseObject> {
        let parent = if kind == ObjectKind::Note { "directory_id" } else { "parent_id" };
        self.ask(rows::outlines(self.conn, kind, case_id, parent))
    }

    /// Objects of a kind whose name matches a pattern, in which `%` stands for any text and `_` for any character,
    /// whatever the case of ASCII letters. Newest first.
    #[must_use]
    pub fn search(&self, kind: ObjectKind, pattern: &str, limit: u32) -> Vec<CaseObject> {
        let condition = "kind = ?1 AND name LIKE ?2 ORDER BY id DESC LIMIT ?3";
        self.gather(condition, (kind.name(), pattern, limit), |_| true)
    }

    /// Objects of a kind of which a field contains a text, whatever the case of letters, in a case or in all. It looks
    /// at every body.
    #[must_use]
    pub fn containing(&self, kind: ObjectKind, fields: &[&str], text: &str, case_id: Option<i64>) -> Vec<CaseObject> {
        let wanted = text.to_lowercase();
        let holds =
            |object: &CaseObject| fields.iter().any(|field| object.text(field).to_lowercase().contains(&wanted));
        self.objects_that(kind, case_id, holds)
    }

    /// Objects with a tag, of all kinds.
    #[must_use]
    pub fn tagged(&self, tag: &str) -> Vec<ObjectRef> {
        let read = || -> Result<Vec<ObjectRef>, StoreError> {
            let mut statement =
                self.conn.prepare_cached("SELECT kind, id FROM case_tag WHERE tag = ?1 ORDER BY kind, id")?;
            let rows = statement.query_map([tag], |r| Ok((r.get::<_, String>(0)?, r.get(1)?)))?;
            let mut out = Vec::new();
            for row in rows {
                let (name, id) = row?;
                out.extend(ObjectKind::parse(&name).map(|kind| ObjectRef { kind, id }));
            }
            Ok(out)
        };
        self.ask(read())
    }

    /// All tags that any object has, in byte order.
    #[must_use]
    pub fn tags(&self) -> Vec<String> {
        let read = || -> Result<Vec<String>, StoreError> {
            let mut statement = self.conn.prepare_cached("SELECT DISTINCT tag FROM case_tag ORDER BY tag")?;
            let tags = statement.query_map([], |r| r.get(0))?;
            Ok(tags.collect::<Result<_, _>>()?)
        };
        self.ask(read())
    }

    /// An object as it was in a version, deleted ones too.
    #[must_use]
    pub fn version(&self, target: ObjectRef, version: u64) -> Option<CaseObject> {
        self.ask(rows::revision(self.conn, target, version))
    }

    /// What a note was, oldest first.
    #[must_use]
    pub fn note_revisions(&self, note: i64) -> Vec<NoteRevision> {
        let read = || -> Result<Vec<NoteRevision>, StoreError> {
            let mut statement = self.conn.prepare_cached(
                "SELECT number, title, content, user_id, at FROM case_note_revision WHERE note = ?1 ORDER BY number",
            )?;
            let revisions = statement.query_map([note], |r| {
                Ok(NoteRevision {
                    number: r.get(0)?,
                    title: r.get(1)?,
                    content: r.get(2)?,
                    user_id: r.get(3)?,
                    at: Timestamp(r.get(4)?),
                })
            })?;
            Ok(revisions.collect::<Result<_, _>>()?)
        };
        self.ask(read())
    }

    /// Number of objects of a kind.
    #[must_use]
    pub fn count(&self, kind: ObjectKind) -> u64 {
        let n: Option<i64> =
            self.ask(one(self.conn, "SELECT count(*) FROM case_object WHERE kind = ?1", [kind.name()]));
        n.and_then(|n| u64::try_from(n).ok()).unwrap_or(0)
    }
}
