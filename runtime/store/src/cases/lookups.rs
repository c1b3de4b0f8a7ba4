//! Rows of look-up tables.

use rusqlite::{Connection, OptionalExtension, Row};
use serde_json::{Value, json};
use tenter_model::case::field::Shape;
use tenter_model::case::{
    Body, FieldErrors, LookUpKind, LookUpRow, ObjectKind, Relation, check_pattern, custom, report, seed,
};

use super::{CaseActor, CaseWorld, log, rows};
use crate::error::StoreError;
use crate::store::Store;
use crate::tx::Tx;

impl Store {
    /// Adds a row, or replaces the one of that id. Gives it with its id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an id that is not there, [`StoreError::Fields`] for a name that another row has, a
    /// pattern that cannot be read, a tree of custom attributes that is none.
    pub fn put_look_up(
        &self,
        kind: LookUpKind,
        id: Option<i64>,
        name: &str,
        body: Body,
        by: CaseActor,
    ) -> Result<LookUpRow, StoreError> {
        let name = name.to_owned();
        self.call(move |tx| {
            check(kind, &name, &body)?;
            if let Some(id) = id {
                find(tx.conn, kind, id)?.ok_or_else(|| missing(kind, id))?;
            }
            if find_by_name(tx.conn, kind, &name)?.is_some_and(|other| Some(other.id) != id) {
                let error = format!("{name:?} exists already");
                return Err(StoreError::Fields(FieldErrors::one(kind.info().label, error)));
            }
            let new_id = match id {
                Some(id) => id,
                None => rows::next_id(tx, &counter(kind))?,
            };
            let row = LookUpRow { kind, id: new_id, name: name.clone(), body: body.clone() };
            write(tx, &row)?;
            let action = if id.is_some() { "look-up.update" } else { "look-up.create" };
            log::audit(tx, &by, action, &format!("{} {new_id}", kind.info().name), &json!({"name": name}))?;
            Ok(row)
        })
    }

    /// Removes a row.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and [`StoreError::Invalid`] while an object refers to it, or where the program needs it.
    pub fn remove_look_up(&self, kind: LookUpKind, id: i64, by: CaseActor) -> Result<(), StoreError> {
        self.call(move |tx| {
            let row = find(tx.conn, kind, id)?.ok_or_else(|| missing(kind, id))?;
            if let Some(user) = first_reference(tx.conn, kind, id)? {
                let what = format!("{} {:?}", kind.info().name, row.name);
                return Err(StoreError::Invalid(format!("{what} cannot be removed: {user} refers to it")));
            }
            if matches!(kind, LookUpKind::User | LookUpKind::Customer) && id == seed::FIRST {
                return Err(StoreError::Invalid(format!("the first {} cannot be removed", kind.info().name)));
            }
            tx.conn.execute("DELETE FROM case_look_up WHERE kind = ?1 AND id = ?2", (kind.info().name, id))?;
            forget_person(tx, kind, id)?;
            let subject = format!("{} {id}", kind.info().name);
            log::audit(tx, &by, "look-up.delete", &subject, &json!({"name": row.name}))
        })
    }
}

impl CaseWorld<'_> {
    /// All rows of a table, in order of their ids.
    #[must_use]
    pub fn rows(&self, kind: LookUpKind) -> Vec<LookUpRow> {
        self.ask(all(self.conn, kind))
    }

    /// The row of that name, whatever the case of letters.
    #[must_use]
    pub fn row_by_name(&self, kind: LookUpKind, name: &str) -> Option<LookUpRow> {
        self.ask(find_by_name(self.conn, kind, name))
    }
}

/// The counter of a table's ids, which is apart from those of objects.
pub(super) fn counter(kind: LookUpKind) -> String {
    format!("look-up:{}", kind.info().name)
}

fn missing(kind: LookUpKind, id: i64) -> StoreError {
    StoreError::NotFound(format!("{} {id}", kind.info().name))
}

fn check(kind: LookUpKind, name: &str, body: &Body) -> Result<(), StoreError> {
    let mut errors = FieldErrors::default();
    if name.trim().is_empty() || name.chars().count() > 1024 || name.contains('\0') {
        errors.add(kind.info().label, "A name has 1 to 1024 characters.");
    }
    for column in body.keys().filter(|column| !kind.info().columns.contains(&column.as_str())) {
        errors.add(column, "Unknown field.");
    }
    if let Some(pattern) = body.get("type_validation_regex").and_then(Value::as_str)
        && let Err(why) = check_pattern(pattern)
    {
        errors.add("type_validation_regex", why);
    }
    if kind == LookUpKind::CustomAttributes {
        let tree = body.get("attribute_content").and_then(Value::as_object);
        match tree.map(custom::check) {
            Some(Ok(())) => {}
            Some(Err(why)) => errors.add("attribute_content", why),
            None => errors.add("attribute_content", "Not a valid mapping type."),
        }
    }
    if kind == LookUpKind::ReportTemplate {
        let text = |column: &str| body.get(column).and_then(Value::as_str).unwrap_or_default();
        match report::Format::parse(text("format")).map(|format| report::check(text("content"), format)) {
            Some(Ok(())) => {}
            Some(Err(why)) => errors.add("content", why.to_string()),
            None => errors.add("format", "A template is Markdown (md) or HTML (html)."),
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(StoreError::Fields(errors)) }
}

/// Writes a row that was checked.
pub(super) fn write(tx: &Tx<'_>, row: &LookUpRow) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached(
            "INSERT INTO case_look_up (kind, id, name, same, body) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (kind, id) DO UPDATE SET name = excluded.name, same = excluded.same, body = excluded.body",
        )?
        .execute((
            row.kind.info().name,
            row.id,
            &row.name,
            row.name.to_lowercase(),
            Value::Object(row.body.clone()).to_string(),
        ))?;
    Ok(())
}

fn read(kind: LookUpKind, row: &Row<'_>) -> Result<LookUpRow, StoreError> {
    let (id, name, body): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let body = serde_json::from_str(&body)
        .map_err(|e| StoreError::Unreadable { what: format!("{} {id}", kind.info().name), why: e.to_string() })?;
    Ok(LookUpRow { kind, id, name, body })
}

pub(super) fn find(conn: &Connection, kind: LookUpKind, id: i64) -> Result<Option<LookUpRow>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT id, name, body FROM case_look_up WHERE kind = ?1 AND id = ?2")?;
    let mut rows = statement.query((kind.info().name, id))?;
    rows.next()?.map(|row| read(kind, row)).transpose()
}

pub(super) fn find_by_name(conn: &Connection, kind: LookUpKind, name: &str) -> Result<Option<LookUpRow>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT id, name, body FROM case_look_up WHERE kind = ?1 AND same = ?2")?;
    let mut rows = statement.query((kind.info().name, name.to_lowercase()))?;
    rows.next()?.map(|row| read(kind, row)).transpose()
}

pub(super) fn all(conn: &Connection, kind: LookUpKind) -> Result<Vec<LookUpRow>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT id, name, body FROM case_look_up WHERE kind = ?1 ORDER BY id")?;
    let mut rows = statement.query([kind.info().name])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(read(kind, row)?);
    }
    Ok(out)
}

/// The first object that refers to a row. Rows are removed seldom and by hand, so that all objects may be looked at.
fn first_reference(conn: &Connection, kind: LookUpKind, id: i64) -> Result<Option<String>, StoreError> {
    for object in ObjectKind::ALL {
        let fields: Vec<_> = object
            .info()
            .fields
            .iter()
            .filter(|field| matches!(field.shape, Shape::LookUp { kind: of, .. } if of == kind))
            .collect();
        if fields.is_empty() {
            continue;
        }
        let sql = format!("SELECT {} FROM case_object WHERE kind = ?1 ORDER BY id", rows::COLUMNS);
        let mut statement = conn.prepare_cached(&sql)?;
        let mut found = statement.query([object.name()])?;
        while let Some(row) = found.next()? {
            let one = rows::object(row)?;
            if fields.iter().any(|field| one.integer(field.name) == Some(id)) {
                return Ok(Some(one.target.to_string()));
            }
        }
    }
    Ok(None)
}

/// What else is known of a user or a group that goes.
fn forget_person(tx: &Tx<'_>, kind: LookUpKind, id: i64) -> Result<(), StoreError> {
    let (who, relations): (&str, &[(Relation, &str)]) = match kind {
        LookUpKind::User => {
            ("user", &[(Relation::UserGroup, "near"), (Relation::UserCustomer, "near"), (Relation::TaskUser, "far")])
        }
        LookUpKind::Group => ("group", &[(Relation::UserGroup, "far")]),
        LookUpKind::Customer => ("customer", &[(Relation::UserCustomer, "far")]),
        _ => return Ok(()),
    };
    for (relation, side) in relations {
        let sql = format!("DELETE FROM case_link WHERE relation = ?1 AND {side} = ?2");
        tx.conn.execute(&sql, (relation.name(), id))?;
    }
    tx.conn.execute("DELETE FROM case_access WHERE who = ?1 AND who_id = ?2", (who, id))?;
    // The tokens of a user stay bound: without a user they would be as those of nobody, which for an operator's is more.
    Ok(())
}

/// The highest id of a table.
pub(super) fn last_id(conn: &Connection, kind: LookUpKind) -> Result<i64, StoreError> {
    let sql = "SELECT max(id) FROM case_look_up WHERE kind = ?1";
    let id: Option<Option<i64>> = conn.prepare_cached(sql)?.query_row([kind.info().name], |r| r.get(0)).optional()?;
    Ok(id.flatten().unwrap_or(0))
}
