//! Creating objects.

use serde_json::{Value, json};
use tenter_model::case::field::Shape;
use tenter_model::case::object::{numbered, uuid};
use tenter_model::case::{
    Accepted, Body, CaseObject, FieldErrors, LookUpKind, Lookups, ObjectKind, ObjectRef, Relation,
};

use super::access::{self, AccessLevel, Who};
use super::jobs::{self, Written};
use super::world::one;
use super::{CaseActor, CaseWorld, Created, NewObject, Novelty, log, rows, same, update};
use crate::error::StoreError;
use crate::store::Store;
use crate::tx::Tx;

impl Store {
    /// Creates an object, with its links, its lines in the logs and its jobs.
    ///
    /// # Errors
    /// [`StoreError::Fields`] when something that it refers to is gone or another object is the same thing,
    /// [`StoreError::NotFound`] when the case or what a comment is about does not exist.
    pub fn create_object(&self, new: NewObject, by: CaseActor) -> Result<Created, StoreError> {
        self.call(move |tx| create(tx, &new, &by))
    }
}

pub(super) fn create(tx: &mut Tx<'_>, new: &NewObject, by: &CaseActor) -> Result<Created, StoreError> {
    tx.crash.at("case-begin");
    let placed = new.directory.as_deref().map(|name| placed(tx, new, name, by)).transpose()?;
    let new = placed.as_ref().unwrap_or(new);
    check_place(tx, new)?;
    check_references(tx, new.kind, new.case_id, &new.accepted.fields, by)?;
    let mut body = new.accepted.to_body(new.kind, &by.acting);
    let known = match same::key(new.kind, &body) {
        Some(key) => known(tx, new.kind, new.case_id, &key)?,
        None => None,
    };
    if let Some(id) = known {
        return again(tx, new, id, by);
    }
    let target = ObjectRef { kind: new.kind, id: rows::next_id(tx, new.kind.name())? };
    if new.kind == ObjectKind::Case {
        let name = body.get("case_name").and_then(Value::as_str).unwrap_or_default();
        body.insert("case_name".into(), json!(numbered(target.id, name)));
    }
    let object = CaseObject {
        target,
        uuid: uuid(new.random),
        case_id: new.case_id.filter(|_| lives_in_a_case(new.kind)),
        about: new.about,
        version: 1,
        changed: by.acting.now,
        body,
    };
    rows::insert(tx, &object)?;
    rows::note_change(tx, target, 1, "created", &by.acting)?;
    if let (ObjectKind::Ioc, Some(case_id)) = (new.kind, new.case_id) {
        rows::link(tx, Relation::IocCase, target.id, case_id)?;
    }
    write_links(tx, target, new.case_id, &new.accepted, by)?;
    match new.kind {
        ObjectKind::Case => open_to(tx, target.id, by.acting.user_id)?,
        ObjectKind::Note => update::note_revision(tx, &object, by)?,
        _ => {}
    }
    log::record(tx, &object, new.case_id, "created", by)?;
    finish(tx, new, object, Novelty::New, by)
}

/// The note in the directory of that name, of which the oldest counts.
fn placed(tx: &mut Tx<'_>, note: &NewObject, name: &str, by: &CaseActor) -> Result<NewObject, StoreError> {
    let kind = ObjectKind::NoteDirectory;
    let case_id = note.case_id.ok_or_else(|| StoreError::Invalid("a note needs a case".into()))?;
    let shelves = rows::outlines(tx.conn, kind, case_id, "parent_id")?;
    let found = shelves.into_iter().find(|shelf| shelf.label() == name && shelf.integer("parent_id").is_none());
    let directory = match found {
        Some(shelf) => shelf.target.id,
        None => {
            let accepted = Accepted { fields: Body::from_iter([("name".into(), name.into())]), ..Accepted::default() };
            // Its uuid has to differ from that of the note.
            let random = note.random.map(|byte| !byte);
            let new = NewObject { kind, accepted, directory: None, random, jobs: Vec::new(), ..note.clone() };
            create(tx, &new, by)?.object.target.id
        }
    };
    let mut placed = NewObject { directory: None, ..note.clone() };
    placed.accepted.fields.insert("directory_id".into(), directory.into());
    Ok(placed)
}

fn finish(
    tx: &mut Tx<'_>,
    new: &NewObject,
    object: CaseObject,
    novelty: Novelty,
    by: &CaseActor,
) -> Result<Created, StoreError> {
    let written = Written { target: object.target, old: None, new: Some(object.version) };
    let case_id = new.case_id.or((new.kind == ObjectKind::Case).then_some(object.target.id));
    let jobs = jobs::enqueue(tx, &new.jobs, &[written], case_id, by)?;
    tx.crash.at("case-end");
    Ok(Created { object, novelty, jobs })
}

/// An object of an identity that is known already.
fn again(tx: &mut Tx<'_>, new: &NewObject, id: i64, by: &CaseActor) -> Result<Created, StoreError> {
    let (ObjectKind::Ioc, Some(case_id)) = (new.kind, new.case_id) else { return Err(same::refusal(new.kind)) };
    let object = rows::find_in(tx.conn, ObjectRef { kind: new.kind, id }, None)?;
    if !rows::link(tx, Relation::IocCase, id, case_id)? {
        return Ok(Created { object, novelty: Novelty::AlreadyInCase, jobs: Vec::new() });
    }
    log::record(tx, &object, new.case_id, "linked", by)?;
    finish(tx, new, object, Novelty::NowInCase, by)
}

/// The object of that identity.
pub(super) fn known(tx: &Tx<'_>, kind: ObjectKind, case_id: Option<i64>, key: &str) -> Result<Option<i64>, StoreError> {
    let case_id = case_id.filter(|_| lives_in_a_case(kind)).unwrap_or(0);
    let sql = "SELECT id FROM case_object WHERE kind = ?1 AND same = ?2 AND coalesce(case_id, 0) = ?3";
    one(tx.conn, sql, (kind.name(), key, case_id))
}

fn lives_in_a_case(kind: ObjectKind) -> bool {
    kind.info().home == tenter_model::case::kind::Home::Case
}

/// The case and what a comment is about must be there.
fn check_place(tx: &Tx<'_>, new: &NewObject) -> Result<(), StoreError> {
    // An indicator lives in none, and without one it would be out of everybody's sight.
    let housed = lives_in_a_case(new.kind) || new.kind == ObjectKind::Ioc;
    let must = housed && new.about.is_none_or(|about| about.kind != ObjectKind::GlobalTask);
    match new.case_id {
        Some(id) => drop(rows::find_in(tx.conn, ObjectRef { kind: ObjectKind::Case, id }, None)?),
        None if must => return Err(StoreError::Invalid(format!("an object of kind {} needs a case", new.kind))),
        None => {}
    }
    match (new.kind, new.about) {
        (ObjectKind::Comment, Some(about)) => drop(rows::find_in(tx.conn, about, new.case_id)?),
        (ObjectKind::Comment, None) => return Err(StoreError::Invalid("a comment is about an object".into())),
        _ => {}
    }
    Ok(())
}

/// What fields refer to could have gone since the request was checked.
pub(super) fn check_references(
    tx: &Tx<'_>,
    kind: ObjectKind,
    case_id: Option<i64>,
    fields: &Body,
    by: &CaseActor,
) -> Result<(), StoreError> {
    let errors = CaseWorld::answer(tx.conn, Some(by.acting.user_id), case_id, |world| {
        let mut errors = FieldErrors::default();
        for (name, value) in fields {
            let (Some(field), Some(id)) = (kind.field(name), value.as_i64()) else { continue };
            match field.shape {
                Shape::LookUp { kind, wrong } if Lookups::row(world, kind, id).is_none() => {
                    errors.add(field.told_as, wrong);
                }
                Shape::Object { kind, wrong } if !world.holds(case_id, kind, id) => errors.add(field.told_as, wrong),
                _ => {}
            }
        }
        errors
    })?;
    if errors.is_empty() { Ok(()) } else { Err(StoreError::Fields(errors)) }
}

/// Replaces the sets of links that a request gave, without what cannot be linked any more.
pub(super) fn write_links(
    tx: &Tx<'_>,
    target: ObjectRef,
    case_id: Option<i64>,
    accepted: &Accepted,
    by: &CaseActor,
) -> Result<(), StoreError> {
    let mut sets = Vec::new();
    for (relation, ids) in &accepted.links {
        let ids: Vec<i64> = CaseWorld::answer(tx.conn, Some(by.acting.user_id), case_id, |world| {
            ids.iter().copied().filter(|id| world.linkable(*relation, case_id, *id)).collect()
        })?;
        rows::relink(tx, *relation, target.id, &ids)?;
        sets.push((*relation, ids));
    }
    if accepted.inputs.get("event_sync_iocs_assets") == Some(&json!(true)) {
        let of = |wanted: Relation| {
            sets.iter().filter(move |(relation, _)| *relation == wanted).flat_map(|(_, ids)| ids.iter().copied())
        };
        for asset in of(Relation::EventAsset) {
            for ioc in of(Relation::EventIoc) {
                rows::link(tx, Relation::AssetIoc, asset, ioc)?;
            }
        }
    }
    Ok(())
}

/// Opens a new case to who made it and to the groups that follow all cases.
pub(super) fn open_to(tx: &Tx<'_>, case_id: i64, user_id: i64) -> Result<(), StoreError> {
    access::set(tx, Who::User(user_id), case_id, Some(AccessLevel::Full))?;
    for group in super::lookups::all(tx.conn, LookUpKind::Group)? {
        if group.body.get("group_auto_follow") == Some(&json!(true)) {
            let level = group.body.get("group_auto_follow_access_level").and_then(Value::as_i64);
            access::set(tx, Who::Group(group.id), case_id, Some(AccessLevel::of(level.unwrap_or(access::FULL))))?;
        }
    }
    Ok(())
}
