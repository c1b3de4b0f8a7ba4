//! Deleting objects, with what cannot be without them. The last body of each is kept.

use serde_json::Value;
use tenter_model::case::{CaseObject, ObjectKind, ObjectRef, Relation, seed, validate};

use super::jobs::{self, Written};
use super::{CaseActor, Removal, Removed, files, log, rows, update};
use crate::error::StoreError;
use crate::store::Store;
use crate::tx::Tx;

/// All relations between objects and what they can be linked to.
const RELATIONS: [Relation; 5] =
    [Relation::IocCase, Relation::AssetIoc, Relation::EventAsset, Relation::EventIoc, Relation::TaskUser];

impl Store {
    /// Deletes an object from a case, with its comments and links; a directory with all below it; a case with all that
    /// is in it. An indicator goes with its last case and is taken out of this one alone otherwise.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Conflict`] when it has another version than expected,
    /// [`StoreError::Invalid`] for the first case, and for a comment of somebody else.
    pub fn delete_object(&self, removal: Removal, by: CaseActor) -> Result<Removed, StoreError> {
        let whole_case = removal.target.kind == ObjectKind::Case;
        let removed = self.call(move |tx| delete(tx, &removal, &by))?;
        if whole_case {
            self.remove_gone_contents()?;
        }
        Ok(removed)
    }
}

fn delete(tx: &mut Tx<'_>, removal: &Removal, by: &CaseActor) -> Result<Removed, StoreError> {
    tx.crash.at("case-begin");
    let object = rows::find_in(tx.conn, removal.target, removal.case_id)?;
    update::must_have(&object, removal.expected_version)?;
    update::must_be_own(&object, by)?;
    let mut gone = Vec::new();
    match removal.target.kind {
        ObjectKind::Case => case(tx, object, by, &mut gone)?,
        ObjectKind::NoteDirectory => directory(tx, object, by, &mut gone)?,
        ObjectKind::Ioc => match removal.case_id {
            Some(case_id) => take_out(tx, object, case_id, by, &mut gone)?,
            None => one(tx, object, by, &mut gone)?,
        },
        _ => one(tx, object, by, &mut gone)?,
    }
    let mut removed = Removed { gone, jobs: Vec::new() };
    if let Some(last) = removed.gone.last().filter(|last| last.target == removal.target) {
        let written = Written { target: last.target, old: Some(last.version), new: None };
        let case_id = removal.case_id.or(last.case_id);
        removed.jobs = jobs::enqueue(tx, &removal.jobs, &[written], case_id, by)?;
    }
    tx.crash.at("case-end");
    Ok(removed)
}

/// Removes one object, its comments and its links. What stood under it stands under nothing then.
fn one(tx: &mut Tx<'_>, object: CaseObject, by: &CaseActor, gone: &mut Vec<CaseObject>) -> Result<(), StoreError> {
    let target = object.target;
    let about = "about_kind = ?1 AND about_id = ?2 ORDER BY id";
    for comment in rows::select(tx.conn, about, (target.kind.name(), target.id))? {
        row(tx, comment, by, gone)?;
    }
    if target.kind == ObjectKind::Event {
        orphan(tx, target, by)?;
    }
    row(tx, object, by, gone)
}

fn row(tx: &mut Tx<'_>, object: CaseObject, by: &CaseActor, gone: &mut Vec<CaseObject>) -> Result<(), StoreError> {
    let target = object.target;
    // Before the links go: the cases of an indicator learn of it.
    log::record(tx, &object, None, "deleted", by)?;
    for relation in RELATIONS {
        for (side, sql) in [
            (relation.source(), "DELETE FROM case_link WHERE relation = ?1 AND near = ?2"),
            (relation.target(), "DELETE FROM case_link WHERE relation = ?1 AND far = ?2"),
        ] {
            if side == Some(target.kind) {
                tx.conn.prepare_cached(sql)?.execute((relation.name(), target.id))?;
            }
        }
    }
    rows::remove(tx, &object)?;
    rows::note_change(tx, target, object.version + 1, "deleted", &by.acting)?;
    if target.kind == ObjectKind::Note {
        tx.conn.prepare_cached("DELETE FROM case_note_revision WHERE note = ?1")?.execute([target.id])?;
    }
    gone.push(object);
    Ok(())
}

/// Events that stood under a deleted one.
fn orphan(tx: &mut Tx<'_>, parent: ObjectRef, by: &CaseActor) -> Result<(), StoreError> {
    for old in rows::select(tx.conn, "kind = ?1 AND parent = ?2 ORDER BY id", (parent.kind.name(), parent.id))? {
        let mut new = CaseObject { version: old.version + 1, changed: by.acting.now, ..old.clone() };
        new.body.insert("parent_event_id".into(), Value::Null);
        validate::touch(parent.kind, &mut new.body, &by.acting);
        rows::replace(tx, &old, &new)?;
        rows::note_change(tx, new.target, new.version, "updated", &by.acting)?;
    }
    Ok(())
}

/// Removes what is below a directory, then the directory.
fn directory(
    tx: &mut Tx<'_>,
    object: CaseObject,
    by: &CaseActor,
    gone: &mut Vec<CaseObject>,
) -> Result<(), StoreError> {
    // A list and no recursion: a tree can be deeper than the stack.
    let (mut found, mut next) = (vec![object], 0);
    while let Some(directory) = found.get(next) {
        let below = "kind = 'note-directory' AND parent = ?1 ORDER BY id";
        let more = rows::select(tx.conn, below, [directory.target.id])?;
        found.extend(more);
        next += 1;
    }
    for directory in found.into_iter().rev() {
        for note in rows::select(tx.conn, "kind = 'note' AND parent = ?1 ORDER BY id", [directory.target.id])? {
            one(tx, note, by, gone)?;
        }
        one(tx, directory, by, gone)?;
    }
    Ok(())
}

/// Takes an indicator out of a case, and removes it if no other has it.
fn take_out(
    tx: &mut Tx<'_>,
    object: CaseObject,
    case_id: i64,
    by: &CaseActor,
    gone: &mut Vec<CaseObject>,
) -> Result<(), StoreError> {
    let id = object.target.id;
    let cases = rows::ends(tx.conn, Relation::IocCase, id, true)?;
    if cases == [case_id] {
        return one(tx, object, by, gone);
    }
    let about = "about_kind = 'ioc' AND about_id = ?1 AND case_id = ?2 ORDER BY id";
    for comment in rows::select(tx.conn, about, (id, case_id))? {
        row(tx, comment, by, gone)?;
    }
    log::record(tx, &object, Some(case_id), "unlinked", by)?;
    for (relation, kind) in [(Relation::AssetIoc, "asset"), (Relation::EventIoc, "event")] {
        tx.conn
            .prepare_cached(
                "DELETE FROM case_link WHERE relation = ?1 AND far = ?2 AND near IN \
                 (SELECT id FROM case_object WHERE kind = ?3 AND case_id = ?4)",
            )?
            .execute((relation.name(), id, kind, case_id))?;
    }
    tx.conn.prepare_cached("DELETE FROM case_link WHERE relation = ?1 AND near = ?2 AND far = ?3")?.execute((
        Relation::IocCase.name(),
        id,
        case_id,
    ))?;
    Ok(())
}

fn case(tx: &mut Tx<'_>, object: CaseObject, by: &CaseActor, gone: &mut Vec<CaseObject>) -> Result<(), StoreError> {
    let case_id = object.target.id;
    if case_id == seed::FIRST {
        return Err(StoreError::Invalid("the first case cannot be deleted: who has no other works in it".into()));
    }
    for id in rows::ends(tx.conn, Relation::IocCase, case_id, false)? {
        let ioc = rows::find_in(tx.conn, ObjectRef { kind: ObjectKind::Ioc, id }, None)?;
        take_out(tx, ioc, case_id, by, gone)?;
    }
    // Comments first, so that none is met after what it is about has taken it along.
    for comment in rows::select(tx.conn, "case_id = ?1 AND kind = 'comment' ORDER BY id", [case_id])? {
        row(tx, comment, by, gone)?;
    }
    for inside in rows::select(tx.conn, "case_id = ?1 ORDER BY kind, id", [case_id])? {
        row(tx, inside, by, gone)?;
    }
    files::remove_all(tx, case_id, by)?;
    row(tx, object, by, gone)?;
    for table in ["case_state", "case_access"] {
        tx.conn.execute(&format!("DELETE FROM {table} WHERE case_id = ?1"), [case_id])?;
    }
    Ok(())
}
