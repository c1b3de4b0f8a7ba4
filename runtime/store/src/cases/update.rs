//! Changing objects: what a request, a module's patch or the server itself asks for, on the object as it is now.

use rusqlite::OptionalExtension;
use serde_json::{Value, json};
use tenter_model::case::object::numbered;
use tenter_model::case::{CaseObject, FieldErrors, ObjectKind, ObjectRef, edit, validate};

use super::jobs::{self, Written};
use super::{CaseActor, CaseWorld, Change, Changed, ObjectChange, create, log, rows, same};
use crate::error::StoreError;
use crate::store::Store;
use crate::tx::Tx;

impl Store {
    /// Changes an object, keeping the body that is replaced.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Conflict`] when it has another version than expected,
    /// [`StoreError::Fields`] when what it refers to is gone or another object is the same thing,
    /// [`StoreError::Invalid`] for a patch that does not apply.
    pub fn change_object(&self, change: ObjectChange, by: CaseActor) -> Result<Changed, StoreError> {
        self.call(move |tx| update(tx, &change, &by))
    }
}

pub(super) fn update(tx: &mut Tx<'_>, change: &ObjectChange, by: &CaseActor) -> Result<Changed, StoreError> {
    tx.crash.at("case-begin");
    let target = change.target;
    let old = rows::find_in(tx.conn, target, change.case_id)?;
    must_have(&old, change.expected_version)?;
    must_be_own(&old, by)?;
    let case_id = change.case_id.or(old.case_id);
    let mut new = CaseObject { version: old.version + 1, changed: by.acting.now, ..old.clone() };
    match &change.change {
        Change::Request(accepted) => {
            create::check_references(tx, target.kind, case_id, &accepted.fields, by)?;
            accepted.apply(target.kind, &mut new.body, &by.acting);
        }
        Change::Patch(edits) => {
            new.body = CaseWorld::answer(tx.conn, Some(by.acting.user_id), case_id, |world| {
                edit::apply(&old, change.expected_version, edits, case_id, world)
            })?
            .map_err(|why| match why {
                edit::EditError::Fields(errors) => StoreError::Fields(errors),
                edit::EditError::Changed { target, .. } => StoreError::Conflict(target),
                other => StoreError::Invalid(other.to_string()),
            })?;
            if new.body == old.body {
                return Ok(Changed { new: old.clone(), old, jobs: Vec::new() });
            }
            validate::touch(target.kind, &mut new.body, &by.acting);
        }
        Change::Server(fields) => {
            new.body.extend(fields.clone());
            validate::touch(target.kind, &mut new.body, &by.acting);
        }
    }
    if target.kind == ObjectKind::Case {
        let name = numbered(target.id, new.text("case_name"));
        new.body.insert("case_name".into(), json!(name));
    }
    must_stay_a_tree(tx, &old, &new)?;
    must_stay_one(tx, &old, &new)?;
    if target.kind == ObjectKind::Note {
        note_revision(tx, &old, by)?;
    }
    rows::replace(tx, &old, &new)?;
    rows::note_change(tx, target, new.version, &change.action, &by.acting)?;
    if let Change::Request(accepted) = &change.change {
        create::write_links(tx, target, case_id, accepted, by)?;
    }
    log::record(tx, &new, case_id, &change.action, by)?;
    let written = Written { target, old: Some(old.version), new: Some(new.version) };
    let jobs = jobs::enqueue(tx, &change.jobs, &[written], case_id, by)?;
    tx.crash.at("case-end");
    Ok(Changed { old, new, jobs })
}

pub(super) fn must_have(object: &CaseObject, version: Option<u64>) -> Result<(), StoreError> {
    match version {
        Some(version) if version != object.version => Err(StoreError::Conflict(object.target.to_string())),
        _ => Ok(()),
    }
}

/// Only who wrote a comment may change or delete it.
pub(super) fn must_be_own(object: &CaseObject, by: &CaseActor) -> Result<(), StoreError> {
    let author = object.integer("comment_user_id");
    if object.target.kind == ObjectKind::Comment && author != Some(by.acting.user_id) {
        return Err(StoreError::Invalid(format!("{} can be changed by its author alone", object.target)));
    }
    Ok(())
}

/// A directory does not come to stand under itself, nor an event.
fn must_stay_a_tree(tx: &Tx<'_>, old: &CaseObject, new: &CaseObject) -> Result<(), StoreError> {
    let (kind, field, text) = match new.target.kind {
        ObjectKind::NoteDirectory => (ObjectKind::NoteDirectory, "parent_id", "A directory cannot be below itself"),
        ObjectKind::Event => (ObjectKind::Event, "parent_event_id", "An event cannot be below itself"),
        _ => return Ok(()),
    };
    if old.body.get(field) == new.body.get(field) {
        return Ok(());
    }
    let mut above = new.integer(field);
    // Deeper trees than this nobody made by hand, and a damaged one must not hold the writer.
    for _ in 0..10_000 {
        let Some(id) = above else { break };
        if id == new.target.id {
            return Err(StoreError::Fields(FieldErrors::one(field, text)));
        }
        above = rows::find(tx.conn, ObjectRef { kind, id })?.and_then(|parent| parent.integer(field));
    }
    Ok(())
}

/// No other object is or becomes the same thing.
fn must_stay_one(tx: &Tx<'_>, old: &CaseObject, new: &CaseObject) -> Result<(), StoreError> {
    let kind = new.target.kind;
    let key = same::key(kind, &new.body);
    if key == same::key(kind, &old.body) {
        return Ok(());
    }
    match key.map(|key| create::known(tx, kind, new.case_id, &key)).transpose()?.flatten() {
        Some(_) => Err(same::refusal(kind)),
        None => Ok(()),
    }
}

/// Keeps title and content of a note, unless its last revision has the same: at creation what is written, at each update
/// what is replaced.
pub(super) fn note_revision(tx: &Tx<'_>, note: &CaseObject, by: &CaseActor) -> Result<(), StoreError> {
    let text = |field: &str| note.body.get(field).and_then(Value::as_str).unwrap_or_default();
    let (title, content) = (text("note_title"), text("note_content"));
    let last: Option<(i64, bool)> = tx
        .conn
        .prepare_cached(
            "SELECT number, title = ?2 AND content = ?3 FROM case_note_revision WHERE note = ?1 \
             ORDER BY number DESC LIMIT 1",
        )?
        .query_row((note.target.id, title, content), |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    let (number, equal) = last.unwrap_or_default();
    if !equal {
        tx.conn
            .prepare_cached(
                "INSERT INTO case_note_revision (note, number, title, content, user_id, at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((note.target.id, number + 1, title, content, by.acting.user_id, by.acting.now.0))?;
    }
    Ok(())
}
