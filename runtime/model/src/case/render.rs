//! Records as the API shows them: the fields of an object, and what other rows and objects say about it.
//!
//! What a record has is data: [`columns`] gives, for a kind and a view, the name of each column and where it comes
//! from. [`render`] reads that table and nothing else.

mod columns;

use serde_json::{Value, json};

use super::kind::ObjectKind;
use super::look_up::{LookUpKind, LookUpRow};
use super::moment;
use super::object::{Body, CaseObject, ObjectRef, Relation};
use crate::time::Timestamp;

pub use columns::columns;

/// How much of an object is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// All of it, as the answer to a request about one object.
    Record,
    /// What a list shows of each.
    Row,
}

/// Where a column comes from.
#[derive(Clone, Copy)]
pub enum Source {
    /// A field of the object.
    Field(&'static str),
    /// The name of the row that a field refers to.
    Name(&'static str, LookUpKind),
    /// A further column of the row that a field refers to.
    Column(&'static str, LookUpKind, &'static str),
    /// The whole row that a field refers to.
    Row(&'static str, LookUpKind),
    /// A date as `05/01/2024`.
    American(&'static str),
    /// The ids at the far ends of its links.
    Far(Relation),
    /// Anything else.
    Made(fn(&CaseObject, &dyn Joins) -> Value),
}

/// A past change of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastChange {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub user_id: i64,
    /// What, such as `created`.
    pub action: String,
}

/// What rendering asks about other rows and objects. See [`super::look_up::Lookups`] on failures.
pub trait Joins {
    /// The case that is looked at, if one is.
    fn case_id(&self) -> Option<i64>;
    /// The row of that id.
    fn row(&self, kind: LookUpKind, id: i64) -> Option<LookUpRow>;
    /// The object.
    fn object(&self, target: ObjectRef) -> Option<CaseObject>;
    /// The far ends of an object's links, in order of their ids.
    fn far(&self, relation: Relation, id: i64) -> Vec<i64>;
    /// The remarks on an object, oldest first.
    fn comments(&self, about: ObjectRef) -> Vec<CaseObject>;
    /// Its changes, oldest first.
    fn history(&self, target: ObjectRef) -> Vec<PastChange>;
    /// Objects of other cases that are the same thing: assets of the same name and type.
    fn namesakes(&self, object: &CaseObject) -> Vec<CaseObject>;
    /// What whoever asks may do with a case, as a number of the API.
    fn access_level(&self, case_id: i64) -> i64;
}

/// A record of an object.
#[must_use]
pub fn render(object: &CaseObject, view: View, joins: &dyn Joins) -> Value {
    let info = object.target.kind.info();
    let mut out = Body::new();
    // Lists of these are short, and clients read all of each.
    let whole = matches!(object.target.kind, ObjectKind::Evidence | ObjectKind::Comment);
    if view == View::Record || whole {
        out.clone_from(&object.body);
        if let (false, Some(case_id)) = (info.case.is_empty(), object.case_id) {
            out.insert(info.case.to_owned(), json!(case_id));
        }
    }
    out.insert(info.id.to_owned(), json!(object.target.id));
    out.insert(info.uuid.to_owned(), json!(object.uuid));
    for (name, source) in columns(object.target.kind, view) {
        out.insert((*name).to_owned(), column(object, *source, joins));
    }
    Value::Object(out)
}

fn column(object: &CaseObject, source: Source, joins: &dyn Joins) -> Value {
    let row = |field: &str, kind| object.integer(field).and_then(|id| joins.row(kind, id));
    match source {
        Source::Field(field) => object.body.get(field).cloned().unwrap_or(Value::Null),
        Source::Name(field, kind) => json!(row(field, kind).map(|row| row.name)),
        Source::Column(field, kind, column) => {
            row(field, kind).and_then(|row| row.body.get(column).cloned()).unwrap_or(Value::Null)
        }
        Source::Row(field, kind) => row(field, kind).map_or(Value::Null, |row| row.render()),
        Source::American(field) => json!(moment::american(object.text(field))),
        Source::Far(relation) => json!(joins.far(relation, object.target.id)),
        Source::Made(made) => made(object, joins),
    }
}

/// The `modification_history` of an object: what was done when, by whom.
#[must_use]
pub fn history(object: &CaseObject, joins: &dyn Joins) -> Value {
    let mut out = Body::new();
    for change in joins.history(object.target) {
        let name = joins.row(LookUpKind::User, change.user_id).map(|user| user.text("user_name").to_owned());
        let key = format!("{}.{:06}", change.at.0.div_euclid(1_000_000), change.at.0.rem_euclid(1_000_000));
        out.insert(key, json!({"user": name, "user_id": change.user_id, "action": change.action}));
    }
    Value::Object(out)
}

/// The tree of a case's directories, with the ids and titles of their notes.
#[must_use]
pub fn directory_tree(directories: &[CaseObject], notes: &[CaseObject]) -> Value {
    branch(None, directories, notes, directories.len())
}

/// The directories below one. `levels` bounds what a damaged tree could do.
fn branch(parent: Option<i64>, directories: &[CaseObject], notes: &[CaseObject], levels: usize) -> Value {
    let mut out = Vec::new();
    for directory in directories.iter().filter(|d| d.integer("parent_id") == parent) {
        let id = directory.target.id;
        let inside: Vec<_> = notes
            .iter()
            .filter(|note| note.integer("directory_id") == Some(id))
            .map(|note| json!({"id": note.target.id, "title": note.label()}))
            .collect();
        let below = if levels == 0 { json!([]) } else { branch(Some(id), directories, notes, levels - 1) };
        out.push(json!({
            "id": id, "name": directory.label(), "parent_id": directory.integer("parent_id"),
            "note_count": inside.len(), "notes": inside, "subdirectories": below,
        }));
    }
    Value::Array(out)
}

/// An id and kind as one value.
pub(super) fn target(kind: ObjectKind, id: i64) -> ObjectRef {
    ObjectRef { kind, id }
}

#[cfg(test)]
mod tests;
