//! Patches: what a module may do to an object, as functions from a body to a body.
//!
//! A module never hands a whole object back. It states edits; all of a patch apply to the object as it is at the time
//! of the write, or none does. Which fields can be set is a column of the table of fields, tags are added and removed
//! one by one so that two modules do not undo each other, and HTML is sanitised.

use serde_json::{Value, json};

use super::custom::{self, CustomField};
use super::field::{Field, LONG, Shape};
use super::kind::ObjectKind;
use super::look_up::Lookups;
use super::object::{Body, CaseObject};
use super::validate::{FieldErrors, tree_of, validate_update};
use super::{shape, tags};

/// One change of an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// Adds a tag unless it is there.
    AddTag(String),
    /// Removes a tag if it is there.
    RemoveTag(String),
    /// Adds a paragraph to the description.
    AppendDescription(String),
    /// Sets a field.
    SetField {
        /// The field.
        name: String,
        /// Its new value.
        value: Value,
    },
    /// Sets a custom field; tab and field are made if need be.
    SetCustomField(CustomField),
}

/// Edits of one patch at most.
pub const MAX_EDITS: usize = 1_000;

/// Why a patch does not apply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The object has changed since the module saw it.
    #[error("{target} has version {found}, the patch expects version {expected}; read it again and repeat")]
    Changed {
        /// Which object.
        target: String,
        /// Its version.
        found: u64,
        /// The one that was expected.
        expected: u64,
    },
    /// Objects of the kind have none of that.
    #[error("objects of kind {kind} have no {what}")]
    Without {
        /// The kind.
        kind: ObjectKind,
        /// What they do not have.
        what: &'static str,
    },
    /// Not a field that modules may set.
    #[error("a module cannot set {name:?} of an object of kind {kind}; it can set: {}", settable(*.kind))]
    NotSettable {
        /// The kind.
        kind: ObjectKind,
        /// The field.
        name: String,
    },
    /// A value is none of the field.
    #[error("{0}")]
    Fields(FieldErrors),
    /// A tag, a custom field or the number of edits is out of bounds.
    #[error("{0}")]
    Wrong(String),
}

/// The fields of a kind that a module's patch may set.
pub fn settable_fields(kind: ObjectKind) -> impl Iterator<Item = &'static Field> {
    kind.info().fields.iter().filter(|field| field.settable)
}

fn settable(kind: ObjectKind) -> String {
    let names: Vec<_> = settable_fields(kind).map(|field| field.name).collect();
    if names.is_empty() { "nothing".into() } else { names.join(", ") }
}

/// The body after all edits in their order; the object itself is left as it is.
///
/// # Errors
/// Why none of them is applied.
pub fn apply(
    object: &CaseObject,
    expected_version: Option<u64>,
    edits: &[Edit],
    case_id: Option<i64>,
    lookups: &dyn Lookups,
) -> Result<Body, EditError> {
    if let Some(expected) = expected_version.filter(|expected| *expected != object.version) {
        return Err(EditError::Changed { target: object.target.to_string(), found: object.version, expected });
    }
    if edits.len() > MAX_EDITS {
        return Err(EditError::Wrong(format!("a patch has at most {MAX_EDITS} edits, this one has {}", edits.len())));
    }
    let mut now = object.clone();
    for edit in edits {
        step(&mut now, edit, case_id, lookups)?;
    }
    let tree = now.body.get("custom_attributes").map_or(0, |tree| tree.to_string().len());
    if tree > custom::MAX_BYTES {
        let max = custom::MAX_BYTES;
        return Err(EditError::Wrong(format!("custom attributes have at most {max} bytes, these would have {tree}")));
    }
    Ok(now.body)
}

fn step(now: &mut CaseObject, edit: &Edit, case_id: Option<i64>, lookups: &dyn Lookups) -> Result<(), EditError> {
    let kind = now.target.kind;
    let info = kind.info();
    let without = |what| EditError::Without { kind, what };
    match edit {
        Edit::AddTag(tag) | Edit::RemoveTag(tag) => {
            let field = info.tags.ok_or_else(|| without("tags"))?;
            let adds = matches!(edit, Edit::AddTag(_));
            if tags::split(tag).len() != 1 || tag.contains(',') || tag.chars().any(char::is_control) {
                return Err(EditError::Wrong(format!(
                    "{tag:?} is no tag; one word or phrase without commas is expected"
                )));
            }
            let text = if adds { tags::with(now.text(field), tag) } else { tags::without(now.text(field), tag) };
            let checked = kind.field(field).map_or(Ok(()), |field| match field.shape {
                Shape::Tags { max } if adds => shape::text(&json!(text), 0, max).map(|_| ()),
                _ => Ok(()),
            });
            checked.map_err(|why| EditError::Fields(FieldErrors::one(field, why)))?;
            // An object without tags that is asked to lose one stays without.
            if adds || !now.text(field).is_empty() {
                now.body.insert(field.to_owned(), json!(text));
            }
        }
        Edit::AppendDescription(more) => {
            let field = info.description.ok_or_else(|| without("description"))?;
            let text = match now.text(field) {
                "" => more.clone(),
                text => format!("{text}\n{more}"),
            };
            let text = shape::text(&json!(text), 0, LONG);
            let text = text.map_err(|why| EditError::Fields(FieldErrors::one(field, why)))?;
            now.body.insert(field.to_owned(), json!(text));
        }
        Edit::SetField { name, value } => {
            let field = kind.field(name).filter(|field| field.settable);
            let field = field.ok_or_else(|| EditError::NotSettable { kind, name: name.clone() })?;
            set(now, field, value, case_id, lookups).map_err(EditError::Fields)?;
        }
        Edit::SetCustomField(custom) => {
            if kind.field("custom_attributes").is_none() {
                return Err(without("custom attributes"));
            }
            let mut tree = tree_of(&now.body, &lookups.custom_defaults(kind));
            custom::set(&mut tree, custom).map_err(EditError::Wrong)?;
            now.body.insert("custom_attributes".into(), Value::Object(tree));
        }
    }
    Ok(())
}

/// Sets one field, as a request with it alone would.
fn set(
    now: &mut CaseObject,
    field: &Field,
    value: &Value,
    case_id: Option<i64>,
    lookups: &dyn Lookups,
) -> Result<(), FieldErrors> {
    let mut request = Body::new();
    request.insert(field.name.to_owned(), value.clone());
    for always in now.target.kind.info().fields.iter().filter(|f| f.need == super::field::Need::Always) {
        // Such a field is a set of links, which a patch does not touch; an empty one is not applied.
        request.entry(always.name).or_insert_with(|| json!([]));
    }
    let accepted = validate_update(now, &Value::Object(request), case_id, lookups)?;
    now.body.extend(accepted.fields);
    Ok(())
}

#[cfg(test)]
mod tests;
