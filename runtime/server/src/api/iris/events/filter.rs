//! What an analyst narrows a timeline by: an object whose members are lists of texts.
//!
//! An event must match every member, and of a member's texts one. Texts are found anywhere and in any case; `%` stands for
//! any text, as in IRIS, where they become patterns of the database. Members that do not exist are passed over, so that
//! what a newer client asks does not fail.

use serde_json::{Map, Value};
use tenter_model::case::moment::{local, moment};
use tenter_model::case::render::Joins as _;
use tenter_model::case::{CaseObject, FieldErrors, LookUpKind, Lookups, ObjectKind, ObjectRef, Relation};
use tenter_store::CaseWorld;

/// Members that look into a field of the event.
const FIELDS: [(&str, &str); 5] = [
    ("title", "event_title"),
    ("description", "event_content"),
    ("raw", "event_raw"),
    ("source", "event_source"),
    ("tag", "event_tags"),
];
/// Members that look at what the event is linked to: the member of names, that of ids, and the link.
const LINKS: [(&str, &str, Relation, ObjectKind); 2] = [
    ("asset", "asset_id", Relation::EventAsset, ObjectKind::Asset),
    ("ioc", "ioc_id", Relation::EventIoc, ObjectKind::Ioc),
];

/// A filter that was read.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Filter {
    texts: Map<String, Value>,
    from: Option<String>,
    to: Option<String>,
}

impl Filter {
    /// Reads it; null is none.
    ///
    /// # Errors
    /// What is wrong, by member.
    pub(super) fn read(asked: &Value) -> Result<Self, FieldErrors> {
        let mut filter = Self::default();
        let members = match asked {
            Value::Null => return Ok(filter),
            Value::Object(members) => members,
            _ => return Err(FieldErrors::one("q", "Not a valid mapping type.")),
        };
        let mut errors = FieldErrors::default();
        for (name, value) in members {
            let one = if let Value::Array(items) = value { items.first() } else { Some(value) };
            match (name.as_str(), one.and_then(Value::as_str)) {
                ("startDate" | "endDate", Some("")) => {}
                ("startDate" | "endDate", text) => match text.and_then(moment).as_deref().and_then(local) {
                    None => errors.add(name, "Not a valid datetime."),
                    // In the form that events have, so that texts compare like times.
                    time if name == "startDate" => filter.from = time,
                    time => filter.to = time,
                },
                _ => {
                    let items = if let Value::Array(items) = value { items.clone() } else { vec![value.clone()] };
                    if !items.is_empty() {
                        filter.texts.insert(name.clone(), Value::Array(items));
                    }
                }
            }
        }
        if errors.is_empty() { Ok(filter) } else { Err(errors) }
    }

    /// Whether an event is wanted.
    pub(super) fn matches(&self, event: &CaseObject, world: &CaseWorld<'_>) -> bool {
        let date = event.text("event_date");
        let in_time =
            self.from.as_deref().is_none_or(|from| date >= from) && self.to.as_deref().is_none_or(|to| date <= to);
        in_time && self.texts.keys().all(|name| self.member(name, event, world))
    }

    fn member(&self, name: &str, event: &CaseObject, world: &CaseWorld<'_>) -> bool {
        if let Some((_, field)) = FIELDS.iter().find(|(member, _)| *member == name) {
            return self.any_like(name, event.text(field));
        }
        if let Some((_, _, relation, kind)) = LINKS.iter().find(|(member, ..)| *member == name) {
            let ids = world.far(*relation, event.target.id).into_iter();
            let mut found = ids.filter_map(|id| world.object(ObjectRef { kind: *kind, id }));
            return found.any(|object| self.any_like(name, object.label()));
        }
        if let Some((_, _, relation, _)) = LINKS.iter().find(|(_, member, ..)| *member == name) {
            return world.far(*relation, event.target.id).iter().any(|id| self.has_number(name, *id));
        }
        match name {
            "event_id" => self.has_number(name, event.target.id),
            "category" => {
                let id = event.integer("event_category_id");
                let row = id.and_then(|id| Lookups::row(world, LookUpKind::EventCategory, id));
                row.is_some_and(|row| self.any_like(name, &row.name))
            }
            "flag" => event.body.get("event_is_flagged") == Some(&Value::Bool(true)),
            _ => true,
        }
    }

    fn items(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.texts.get(name).and_then(Value::as_array).into_iter().flatten()
    }

    fn any_like(&self, name: &str, text: &str) -> bool {
        self.items(name).any(|item| match item {
            Value::String(pattern) => like(text, pattern),
            other => like(text, &other.to_string()),
        })
    }

    fn has_number(&self, name: &str, number: i64) -> bool {
        self.items(name).any(|item| match item {
            Value::String(text) => text.trim().parse() == Ok(number),
            other => other.as_i64() == Some(number),
        })
    }
}

/// Whether a pattern is found in a text. `%` in it is any text between two others.
fn like(text: &str, pattern: &str) -> bool {
    let (text, pattern) = (text.to_lowercase(), pattern.to_lowercase());
    let mut rest = text.as_str();
    pattern.split('%').all(|piece| match rest.split_once(piece) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_are_found_anywhere_in_any_case() {
        for (text, pattern) in
            [("", "%"), ("Logon of Bob", "bob"), ("a,b", "%B"), ("lateral move", "lat%ove"), ("x", "")]
        {
            assert!(like(text, pattern), "{pattern} in {text}");
        }
        for (text, pattern) in [("", "a"), ("bob", "bob%b"), ("ab", "b%a")] {
            assert!(!like(text, pattern), "{pattern} in {text}");
        }
    }

    #[test]
    fn what_is_no_filter_is_told_by_member() {
        let wrong = |asked: Value| Filter::read(&asked).unwrap_err().to_json();
        assert_eq!(wrong(json!([])), json!({"q": ["Not a valid mapping type."]}));
        let date = json!(["Not a valid datetime."]);
        let asked = json!({"startDate": ["soon"], "endDate": [7], "tag": ["x"]});
        assert_eq!(wrong(asked), json!({"startDate": date, "endDate": date}));
        let read = Filter::read(&json!({"startDate": ["2024-05-01T12:00:00"], "endDate": [""], "tag": []})).unwrap();
        assert_eq!(read, Filter { from: Some("2024-05-01T12:00:00.000000".into()), ..Filter::default() });
    }
}
