//! Requests about objects, checked against the table of fields.
//!
//! Errors have the form of the API, `{field: ["text", …]}`, and all of a request are told at once. Clients are met
//! half-way: numbers may come as text, unknown fields are left out and named, and what only the server makes is ignored,
//! so that a record can be sent back as it was read.
//!
//! What comes out is not yet a body: [`Accepted::to_body`] adds what the server makes, [`Accepted::apply`] changes an
//! object that may have changed since it was checked against.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::custom;
use super::field::{Field, Made, Need, Shape};
use super::kind::ObjectKind;
use super::look_up::Lookups;
use super::object::{Acting, Body, CaseObject, Relation};
use super::{moment, rules, shape, tags};

/// What is wrong with a request, by field.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FieldErrors(BTreeMap<String, Vec<String>>);

impl FieldErrors {
    /// One error of one field.
    #[must_use]
    pub fn one(field: &str, text: impl Into<String>) -> Self {
        let mut errors = Self::default();
        errors.add(field, text);
        errors
    }

    /// Adds an error.
    pub fn add(&mut self, field: &str, text: impl Into<String>) {
        self.0.entry(field.to_owned()).or_default().push(text.into());
    }

    /// Those on fields that another request has no error on.
    #[must_use]
    pub fn beyond(&self, other: &Self) -> Self {
        Self(
            self.0.iter().filter(|(field, _)| !other.has(field)).map(|(f, texts)| (f.clone(), texts.clone())).collect(),
        )
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a field has an error.
    #[must_use]
    pub fn has(&self, field: &str) -> bool {
        self.0.contains_key(field)
    }

    /// As answers have it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!(self.0)
    }
}

impl std::fmt::Display for FieldErrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, (field, texts)) in self.0.iter().enumerate() {
            let gap = if i == 0 { "" } else { "; " };
            write!(f, "{gap}{field}: {}", texts.join(" "))?;
        }
        Ok(())
    }
}

/// What a request comes down to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Accepted {
    /// The stored fields that were given, in stored form.
    pub fields: Body,
    /// The links that were given, each a whole set.
    pub links: Vec<(Relation, Vec<i64>)>,
    /// The custom attributes that were given, and the tree that they fill where the object has none.
    pub custom: Option<Custom>,
    /// What only steers this request.
    pub inputs: Body,
    /// Names that were given and are not of the kind, and custom attributes that do not exist.
    pub left_out: Vec<String>,
}

/// Custom attributes of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Custom {
    /// What new objects have.
    pub defaults: Body,
    /// `{tab: {field: value}}`
    pub given: Body,
}

/// Checks a request to create an object; `case_id` is that of the case it is to live in.
///
/// # Errors
/// All that is wrong with it.
pub fn validate_create(
    kind: ObjectKind,
    request: &Value,
    case_id: Option<i64>,
    lookups: &dyn Lookups,
) -> Result<Accepted, FieldErrors> {
    validate(kind, request, case_id, (None, None), lookups)
}

/// The same, where the caller fills a field in afterwards that the request lacks.
///
/// # Errors
/// All that is wrong with it.
pub fn validate_create_without(
    kind: ObjectKind,
    request: &Value,
    case_id: Option<i64>,
    lacks: Option<&str>,
    lookups: &dyn Lookups,
) -> Result<Accepted, FieldErrors> {
    validate(kind, request, case_id, (None, lacks), lookups)
}

/// Checks a request to change an object. Fields that are not given stay.
///
/// `case_id` is that of the case in which it is changed, which for an indicator the object does not say.
///
/// # Errors
/// All that is wrong with it.
pub fn validate_update(
    current: &CaseObject,
    request: &Value,
    case_id: Option<i64>,
    lookups: &dyn Lookups,
) -> Result<Accepted, FieldErrors> {
    validate(current.target.kind, request, case_id, (Some(current), None), lookups)
}

fn validate(
    kind: ObjectKind,
    request: &Value,
    case_id: Option<i64>,
    (current, lacks): (Option<&CaseObject>, Option<&str>),
    lookups: &dyn Lookups,
) -> Result<Accepted, FieldErrors> {
    let Value::Object(request) = request else {
        return Err(FieldErrors::one("_schema", "Invalid input type."));
    };
    let mut accepted = Accepted::default();
    let mut errors = FieldErrors::default();
    for field in kind.info().fields {
        if field.need == Need::Server {
            continue;
        }
        let required = field.need == Need::Always || (field.need == Need::Create && current.is_none());
        let never_null = matches!(field.need, Need::Always | Need::Create);
        match request.get(field.name) {
            None if required && lacks != Some(field.name) => errors.add(field.told_as, field.missing),
            None => {}
            Some(Value::Null) if never_null => errors.add(field.told_as, "Field may not be null."),
            Some(Value::Null) => accept_null(field, current.is_some(), &mut accepted),
            Some(value) => {
                let place = Place { kind, case_id, current };
                if let Err(text) = accept(field, value, &place, lookups, &mut accepted) {
                    errors.add(field.told_as, text);
                }
            }
        }
    }
    let known = |name: &str| name == kind.info().id || name == kind.info().uuid || kind.field(name).is_some();
    accepted.left_out.extend(request.keys().filter(|name| !known(name)).cloned());
    rules::check(kind, request, current, lookups, &mut accepted, &mut errors);
    if errors.is_empty() { Ok(accepted) } else { Err(errors) }
}

/// Where a request is about.
struct Place<'a> {
    kind: ObjectKind,
    case_id: Option<i64>,
    current: Option<&'a CaseObject>,
}

/// Null empties a field, and does nothing to one that has always a value.
fn accept_null(field: &Field, updating: bool, accepted: &mut Accepted) {
    match (field.made, field.shape) {
        (_, Shape::Links(_) | Shape::Custom) => {}
        (Made::Null, _) if field.is_stored() => {
            accepted.fields.insert(field.name.to_owned(), Value::Null);
        }
        (Made::Text(text), _) if updating => {
            accepted.fields.insert(field.name.to_owned(), json!(text));
        }
        _ => {}
    }
}

fn accept(
    field: &Field,
    value: &Value,
    place: &Place<'_>,
    lookups: &dyn Lookups,
    accepted: &mut Accepted,
) -> Result<(), String> {
    let stored = match field.shape {
        Shape::Links(relation) => {
            let ids = shape::ids(value)?;
            let ids = ids.into_iter().filter(|id| lookups.linkable(relation, place.case_id, *id)).collect();
            accepted.links.push((relation, ids));
            return Ok(());
        }
        Shape::Custom => {
            let Value::Object(given) = value else { return Err("Not a valid mapping type.".into()) };
            shape::bounded(value)?;
            let defaults = lookups.custom_defaults(place.kind);
            // The tree that counts is the one at the time of the write; this one tells what it will not take.
            let mut tree = place.current.map_or_else(|| defaults.clone(), |now| tree_of(&now.body, &defaults));
            accepted.left_out.extend(custom::fill(&mut tree, given));
            accepted.custom = Some(Custom { defaults, given: given.clone() });
            return Ok(());
        }
        Shape::Object { kind, wrong } => {
            let id = shape::integer(value)?;
            if !lookups.holds(place.case_id, kind, id) {
                return Err(wrong.into());
            }
            json!(id)
        }
        Shape::LookUp { kind, wrong } => {
            if value == "" && field.need == Need::May {
                accept_null(field, place.current.is_some(), accepted);
                return Ok(());
            }
            let id = shape::integer(value)?;
            if lookups.row(kind, id).is_none() {
                return Err(wrong.into());
            }
            json!(id)
        }
        Shape::Tags { max } => json!(tags::canonical(&shape::text(value, 0, max)?)),
        other => shape::plain(other, value)?,
    };
    let into = if field.need == Need::Input { &mut accepted.inputs } else { &mut accepted.fields };
    into.insert(field.name.to_owned(), stored);
    Ok(())
}

/// The tree of custom attributes of a body, or the one of new objects.
pub(super) fn tree_of(body: &Body, defaults: &Body) -> Body {
    body.get("custom_attributes").and_then(Value::as_object).unwrap_or(defaults).clone()
}

impl Accepted {
    /// The body of a new object: what was given, and what the server makes of the rest.
    #[must_use]
    pub fn to_body(&self, kind: ObjectKind, acting: &Acting) -> Body {
        let mut body = Body::new();
        for field in kind.info().fields.iter().filter(|field| field.is_stored()) {
            let value = self.fields.get(field.name).cloned().unwrap_or_else(|| make(field.made, acting));
            body.insert(field.name.to_owned(), value);
        }
        self.fill_custom(&mut body);
        body
    }

    /// Changes a body, which need not be the one that the request was checked against.
    pub fn apply(&self, kind: ObjectKind, body: &mut Body, acting: &Acting) {
        for (name, value) in &self.fields {
            body.insert(name.clone(), value.clone());
        }
        self.fill_custom(body);
        touch(kind, body, acting);
    }

    fn fill_custom(&self, body: &mut Body) {
        if let Some(custom) = &self.custom {
            let mut tree = tree_of(body, &custom.defaults);
            custom::fill(&mut tree, &custom.given);
            body.insert("custom_attributes".into(), Value::Object(tree));
        }
    }
}

/// Sets what every change sets.
pub fn touch(kind: ObjectKind, body: &mut Body, acting: &Acting) {
    for field in kind.info().fields {
        if let Some(made) = field.touch {
            body.insert(field.name.to_owned(), make(made, acting));
        }
    }
}

fn make(made: Made, acting: &Acting) -> Value {
    match made {
        Made::Null => Value::Null,
        Made::Text(text) => json!(text),
        Made::Integer(number) => json!(number),
        Made::Truth(truth) => json!(truth),
        Made::NoItems => json!([]),
        Made::Now => json!(moment::iso(acting.now)),
        Made::Today => json!(moment::date(acting.now)),
        Made::User => json!(acting.user_id),
    }
}

#[cfg(test)]
mod tests;
