//! Rows of objects: reading one, writing one with its tags, keeping the body that it replaces.

use std::cell::Cell;

use rusqlite::{Connection, OptionalExtension, Row};
use serde_json::Value;
use tenter_model::case::{Acting, Body, CaseObject, ObjectKind, ObjectRef, Relation, tags};
use tenter_model::{Timestamp, limits};

use super::same;
use crate::codec;
use crate::commit::column;
use crate::error::StoreError;
use crate::tx::Tx;

/// The columns that [`object`] reads, in its order.
pub(super) const COLUMNS: &str = "kind, id, uuid, case_id, about_kind, about_id, version, changed, body";

/// An object of a row with [`COLUMNS`].
pub(super) fn object(row: &Row<'_>) -> Result<CaseObject, StoreError> {
    let target = ObjectRef { kind: kind(&row.get::<_, String>(0)?)?, id: row.get(1)? };
    let about = match (row.get::<_, Option<String>>(4)?, row.get(5)?) {
        (Some(name), Some(id)) => Some(ObjectRef { kind: kind(&name)?, id }),
        _ => None,
    };
    Ok(CaseObject {
        target,
        uuid: row.get(2)?,
        case_id: row.get(3)?,
        about,
        version: u64::try_from(row.get::<_, i64>(6)?).unwrap_or(0),
        changed: Timestamp(row.get(7)?),
        body: codec::decode(row.get_ref(8)?.as_blob().unwrap_or_default(), || target.to_string())?,
    })
}

fn kind(name: &str) -> Result<ObjectKind, StoreError> {
    ObjectKind::parse(name).ok_or_else(|| StoreError::Unreadable {
        what: "a case object".into(),
        why: format!("there is no kind {name:?}"),
    })
}

/// The object, if it exists.
pub(super) fn find(conn: &Connection, target: ObjectRef) -> Result<Option<CaseObject>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM case_object WHERE kind = ?1 AND id = ?2");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query((target.kind.name(), target.id))?;
    rows.next()?.map(object).transpose()
}

/// The object, which must exist and be in the case that it is asked of.
pub(super) fn find_in(conn: &Connection, target: ObjectRef, case_id: Option<i64>) -> Result<CaseObject, StoreError> {
    let missing = || StoreError::NotFound(target.to_string());
    let found = find(conn, target)?.ok_or_else(missing)?;
    let inside = match (target.kind, case_id) {
        (_, None) | (ObjectKind::GlobalTask, _) => true,
        (ObjectKind::Case, Some(case_id)) => target.id == case_id,
        (ObjectKind::Ioc, Some(case_id)) => linked(conn, Relation::IocCase, target.id, case_id)?,
        (_, Some(case_id)) => found.case_id == Some(case_id),
    };
    if inside { Ok(found) } else { Err(missing()) }
}

/// All objects that a condition on the columns holds for, in order of their ids.
pub(super) fn select(
    conn: &Connection,
    condition: &str,
    values: impl rusqlite::Params,
) -> Result<Vec<CaseObject>, StoreError> {
    gather(conn, condition, values, &Cell::new(usize::MAX), |_| true)
}

/// The same, of what is wanted, as long as there is room for the bodies in bytes, of which what is given takes away.
pub(super) fn gather(
    conn: &Connection,
    condition: &str,
    values: impl rusqlite::Params,
    room: &Cell<usize>,
    mut wanted: impl FnMut(&CaseObject) -> bool,
) -> Result<Vec<CaseObject>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM case_object WHERE {condition}");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(values)?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let one = object(row)?;
        if !wanted(&one) {
            continue;
        }
        let bytes = row.get_ref(8)?.as_blob().map_or(0, <[u8]>::len);
        let left = room.get().checked_sub(bytes).ok_or_else(|| {
            StoreError::Invalid(format!(
                "this asks for more than {} MiB of objects of cases at once; ask for them one by one",
                limits::MAX_CASE_BYTES >> 20
            ))
        })?;
        room.set(left);
        out.push(one);
    }
    Ok(out)
}

/// Objects with nothing in their bodies but their name and the object that they stand below, under the names that the
/// kind has for them.
pub(super) fn outlines(
    conn: &Connection,
    kind: ObjectKind,
    case_id: i64,
    parent: &str,
) -> Result<Vec<CaseObject>, StoreError> {
    let sql =
        "SELECT id, uuid, version, changed, name, parent FROM case_object WHERE kind = ?1 AND case_id = ?2 ORDER BY id";
    let mut statement = conn.prepare_cached(sql)?;
    let found = statement.query_map((kind.name(), case_id), |row| {
        let (name, above): (String, Option<i64>) = (row.get(4)?, row.get(5)?);
        let body = Body::from_iter([
            (kind.info().label.to_owned(), Value::from(name)),
            (parent.to_owned(), Value::from(above)),
        ]);
        Ok(CaseObject {
            target: ObjectRef { kind, id: row.get(0)? },
            uuid: row.get(1)?,
            case_id: Some(case_id),
            about: None,
            version: u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0),
            changed: Timestamp(row.get(3)?),
            body,
        })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// The next id of a kind.
pub(super) fn next_id(tx: &Tx<'_>, kind: &str) -> Result<i64, StoreError> {
    Ok(tx
        .conn
        .prepare_cached(
            "INSERT INTO case_next (kind, n) VALUES (?1, 1) ON CONFLICT DO UPDATE SET n = n + 1 RETURNING n",
        )?
        .query_row([kind], |r| r.get(0))?)
}

/// Writes a row that is not there yet.
pub(super) fn insert(tx: &mut Tx<'_>, object: &CaseObject) -> Result<(), StoreError> {
    let target = object.target;
    codec::encode_into(tx.room, &object.body)?;
    tx.conn
        .prepare_cached(
            "INSERT INTO case_object (kind, id, uuid, case_id, about_kind, about_id, parent, version, changed, name, \
             same, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute((
            target.kind.name(),
            target.id,
            &object.uuid,
            object.case_id,
            object.about.map(|about| about.kind.name()),
            object.about.map(|about| about.id),
            parent(&object.body),
            column(object.version),
            object.changed.0,
            object.label(),
            same::key(target.kind, &object.body),
            &tx.room[..],
        ))?;
    write_tags(tx, object)?;
    tx.crash.at("case-object");
    Ok(())
}

/// Replaces a row, keeping what it replaces.
pub(super) fn replace(tx: &mut Tx<'_>, old: &CaseObject, new: &CaseObject) -> Result<(), StoreError> {
    keep(tx, old)?;
    codec::encode_into(tx.room, &new.body)?;
    let changed = tx
        .conn
        .prepare_cached(
            "UPDATE case_object SET parent = ?3, version = ?4, changed = ?5, name = ?6, same = ?7, body = ?8 \
             WHERE kind = ?1 AND id = ?2 AND version = ?9",
        )?
        .execute((
            new.target.kind.name(),
            new.target.id,
            parent(&new.body),
            column(new.version),
            new.changed.0,
            new.label(),
            same::key(new.target.kind, &new.body),
            &tx.room[..],
            column(old.version),
        ))?;
    if changed != 1 {
        return Err(StoreError::Conflict(new.target.to_string()));
    }
    write_tags(tx, new)?;
    tx.crash.at("case-object");
    Ok(())
}

/// Removes a row, keeping what it had.
pub(super) fn remove(tx: &mut Tx<'_>, object: &CaseObject) -> Result<(), StoreError> {
    keep(tx, object)?;
    let which = (object.target.kind.name(), object.target.id);
    for sql in
        ["DELETE FROM case_tag WHERE kind = ?1 AND id = ?2", "DELETE FROM case_object WHERE kind = ?1 AND id = ?2"]
    {
        tx.conn.prepare_cached(sql)?.execute(which)?;
    }
    tx.crash.at("case-object");
    Ok(())
}

fn keep(tx: &mut Tx<'_>, old: &CaseObject) -> Result<(), StoreError> {
    codec::encode_into(tx.room, old)?;
    tx.conn
        .prepare_cached("INSERT INTO case_revision (kind, id, version, body) VALUES (?1, ?2, ?3, ?4)")?
        .execute((old.target.kind.name(), old.target.id, column(old.version), &tx.room[..]))?;
    Ok(())
}

/// An object as it was in a version.
pub(super) fn revision(conn: &Connection, target: ObjectRef, version: u64) -> Result<Option<CaseObject>, StoreError> {
    if let Some(now) = find(conn, target)?.filter(|now| now.version == version) {
        return Ok(Some(now));
    }
    let body: Option<Vec<u8>> = conn
        .prepare_cached("SELECT body FROM case_revision WHERE kind = ?1 AND id = ?2 AND version = ?3")?
        .query_row((target.kind.name(), target.id, column(version)), |r| r.get(0))
        .optional()?;
    body.map(|body| codec::decode(&body, || format!("{target}, version {version}"))).transpose()
}

/// Notes what was done to an object that now has a version.
pub(super) fn note_change(
    tx: &Tx<'_>,
    target: ObjectRef,
    version: u64,
    action: &str,
    acting: &Acting,
) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached(
            "INSERT INTO case_change (kind, id, version, at, user_id, action) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((target.kind.name(), target.id, column(version), acting.now.0, acting.user_id, action))?;
    Ok(())
}

/// What an object stands under: a directory, or the event before it.
fn parent(body: &Body) -> Option<i64> {
    ["directory_id", "parent_id", "parent_event_id"].iter().find_map(|field| body.get(*field)).and_then(Value::as_i64)
}

fn write_tags(tx: &Tx<'_>, object: &CaseObject) -> Result<(), StoreError> {
    let Some(field) = object.target.kind.info().tags else { return Ok(()) };
    let which = (object.target.kind.name(), object.target.id);
    tx.conn.prepare_cached("DELETE FROM case_tag WHERE kind = ?1 AND id = ?2")?.execute(which)?;
    let mut insert = tx.conn.prepare_cached("INSERT INTO case_tag (tag, kind, id) VALUES (?1, ?2, ?3)")?;
    for tag in tags::split(object.text(field)) {
        insert.execute((tag, which.0, which.1))?;
    }
    Ok(())
}

/// Whether a link is there.
pub(super) fn linked(conn: &Connection, relation: Relation, near: i64, far: i64) -> Result<bool, StoreError> {
    Ok(conn.prepare_cached("SELECT 1 FROM case_link WHERE relation = ?1 AND near = ?2 AND far = ?3")?.exists((
        relation.name(),
        near,
        far,
    ))?)
}

/// Adds a link; gives whether it is new.
pub(super) fn link(tx: &Tx<'_>, relation: Relation, near: i64, far: i64) -> Result<bool, StoreError> {
    let added = tx
        .conn
        .prepare_cached("INSERT INTO case_link (relation, near, far) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?
        .execute((relation.name(), near, far))?;
    tx.crash.at("case-link");
    Ok(added == 1)
}

/// Replaces all links of an object.
pub(super) fn relink(tx: &Tx<'_>, relation: Relation, near: i64, far: &[i64]) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached("DELETE FROM case_link WHERE relation = ?1 AND near = ?2")?
        .execute((relation.name(), near))?;
    for id in far {
        link(tx, relation, near, *id)?;
    }
    Ok(())
}

/// The other ends of links, in order; those at the far side, or those at the near one.
pub(super) fn ends(conn: &Connection, relation: Relation, id: i64, far_side: bool) -> Result<Vec<i64>, StoreError> {
    let sql = if far_side {
        "SELECT far FROM case_link WHERE relation = ?1 AND near = ?2 ORDER BY far"
    } else {
        "SELECT near FROM case_link WHERE relation = ?1 AND far = ?2 ORDER BY near"
    };
    let mut statement = conn.prepare_cached(sql)?;
    let ids = statement.query_map((relation.name(), id), |r| r.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}
