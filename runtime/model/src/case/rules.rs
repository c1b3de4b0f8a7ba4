//! What one field has to do with another; everything else is in the table of fields.

use serde_json::{Value, json};

use super::kind::ObjectKind;
use super::look_up::{LookUpKind, Lookups};
use super::moment;
use super::object::{Body, CaseObject};
use super::validate::{Accepted, FieldErrors};

/// Characters of a new case's name that are kept; its number is put in front.
const CASE_NAME_CHARS: usize = 200;

/// Checks and completes what was accepted field by field.
pub(super) fn check(
    kind: ObjectKind,
    request: &Body,
    current: Option<&CaseObject>,
    lookups: &dyn Lookups,
    accepted: &mut Accepted,
    errors: &mut FieldErrors,
) {
    match kind {
        ObjectKind::Case if current.is_none() => shorten_name(&mut accepted.fields),
        ObjectKind::Task if request.contains_key("task_assignee_id") => {
            errors.add("task_assignee_id", "task_assignee_id is not valid anymore since v1.5.0");
        }
        ObjectKind::Event => {
            place_in_time(current, request, &mut accepted.fields, errors);
            not_its_own(
                "parent_event_id",
                "parent_event_id cannot be the same as the event",
                current,
                accepted,
                errors,
            );
        }
        ObjectKind::NoteDirectory => {
            not_its_own("parent_id", "A directory cannot be its own parent", current, accepted, errors);
        }
        ObjectKind::Ioc => {
            if let Some(text) = mismatch(current, &accepted.fields, lookups) {
                errors.add("ioc_value", text);
            }
        }
        _ => {}
    }
}

fn shorten_name(fields: &mut Body) {
    if let Some(Value::String(name)) = fields.get_mut("case_name")
        && let Some((end, _)) = name.char_indices().nth(CASE_NAME_CHARS)
    {
        name.truncate(end);
    }
}

/// An event's date is given with its zone and kept in UTC, beside the date as it was typed.
///
/// A whole record that is sent back has both. Its date is that in UTC and would wander with each update; what was typed
/// counts then. IRIS's official client sends the date and the zone of the record back and not what was typed, whatever
/// it changes: that is no change of the time either. Who means to move an event to just that time leaves the zone out.
fn place_in_time(current: Option<&CaseObject>, request: &Body, fields: &mut Body, errors: &mut FieldErrors) {
    if let Some(now) = current
        && fields.get("event_date") == now.body.get("event_date")
        && match request.get("event_date_wtz") {
            Some(typed) => Some(typed) == now.body.get("event_date_wtz"),
            None => fields.get("event_tz").is_some_and(|zone| Some(zone) == now.body.get("event_tz")),
        }
    {
        fields.insert("event_date".into(), json!(now.text("event_date_wtz")));
    }
    if !fields.contains_key("event_date") && !fields.contains_key("event_tz") {
        return;
    }
    let text = |name: &str, stored: &str| {
        let given = fields.get(name).and_then(Value::as_str);
        given.or_else(|| current.map(|now| now.text(stored))).unwrap_or_default().to_owned()
    };
    let (typed, zone) = (text("event_date", "event_date_wtz"), text("event_tz", "event_tz"));
    if typed.is_empty() || zone.is_empty() {
        // What is missing has been told.
        return;
    }
    match moment::to_utc(&typed, &zone) {
        Some(utc) => {
            fields.insert("event_date_wtz".into(), json!(typed));
            fields.insert("event_date".into(), json!(utc));
        }
        None => errors.add("event_date", "Not a valid datetime."),
    }
}

fn not_its_own(field: &str, text: &str, current: Option<&CaseObject>, accepted: &Accepted, errors: &mut FieldErrors) {
    let own = current.map(|now| now.target.id);
    if own.is_some() && accepted.fields.get(field).and_then(Value::as_i64) == own {
        errors.add(field, text);
    }
}

/// What is said when an indicator does not look like its type, which may have a pattern for the whole value.
pub(super) fn mismatch(current: Option<&CaseObject>, fields: &Body, lookups: &dyn Lookups) -> Option<String> {
    if !fields.contains_key("ioc_value") && !fields.contains_key("ioc_type_id") {
        return None;
    }
    let now = |name: &str| fields.get(name).or_else(|| current.and_then(|now| now.body.get(name)));
    let value = now("ioc_value").and_then(Value::as_str)?;
    let row = lookups.row(LookUpKind::IocType, now("ioc_type_id").and_then(Value::as_i64)?)?;
    let pattern = row.text("type_validation_regex");
    if pattern.is_empty() || whole(pattern)?.is_match(value) {
        return None;
    }
    let expected = match row.text("type_validation_expect") {
        "" => row.name.as_str(),
        text => text,
    };
    Some(format!("The input doesn't match the expected format (expected: {expected})"))
}

/// The pattern over a whole value, whatever the case of letters. One that cannot be read, which writing refuses, matches
/// nothing away.
fn whole(pattern: &str) -> Option<regex::Regex> {
    regex::RegexBuilder::new(&format!("^(?:{pattern})$")).case_insensitive(true).size_limit(1 << 20).build().ok()
}

/// What is wrong with the pattern of a type of indicators, if anything.
///
/// # Errors
/// What the reader of patterns says.
pub fn check_pattern(pattern: &str) -> Result<(), String> {
    regex::RegexBuilder::new(&format!("^(?:{pattern})$"))
        .case_insensitive(true)
        .size_limit(1 << 20)
        .build()
        .map(|_| ())
        .map_err(|e| e.to_string())
}
