//! Single values of requests against the shape of a field, with the messages of the API.

use serde_json::{Value, json};

use super::field::{COLOURS, Shape};
use super::moment;
use crate::limits;

/// A value of a shape that asks nothing of other rows and objects, in stored form.
pub(super) fn plain(shape: Shape, value: &Value) -> Result<Value, String> {
    Ok(match shape {
        Shape::Text { min, max } => json!(text(value, min, max)?),
        Shape::Tags { max } => json!(text(value, 0, max)?),
        Shape::Count => match integer(value)? {
            number if number >= 0 => json!(number),
            _ => return Err("Must be greater than or equal to 0.".into()),
        },
        Shape::Truth => json!(truth(value).ok_or("Not a valid boolean.")?),
        Shape::LocalTime => {
            let time = value.as_str().and_then(moment::local);
            json!(time.ok_or("Not a valid datetime. Expected YYYY-MM-DDTHH:MM:SS.ffffff without a zone.")?)
        }
        Shape::Zone => {
            json!(value.as_str().and_then(moment::offset).ok_or("Not a valid offset. Expected one such as +00:00.")?)
        }
        Shape::Moment => match value.as_str() {
            Some("") => Value::Null,
            other => json!(other.and_then(moment::moment).ok_or("Not a valid datetime.")?),
        },
        Shape::Colour => json!(value.as_str().filter(|colour| COLOURS.contains(colour)).unwrap_or_default()),
        Shape::People => people(value)?,
        Shape::Json => {
            bounded(value)?;
            value.clone()
        }
        Shape::LookUp { .. } | Shape::Object { .. } => json!(integer(value)?),
        Shape::Links(_) => json!(ids(value)?),
        Shape::Custom => return Err("Not a valid mapping type.".into()),
    })
}

/// Text of so many characters. Numbers are no text.
pub(super) fn text(value: &Value, min: usize, max: usize) -> Result<String, String> {
    let Value::String(text) = value else { return Err("Not a valid string.".into()) };
    if text.contains('\0') {
        return Err("Null characters are not allowed.".into());
    }
    // Counting characters of a long text costs; its bytes are never fewer.
    if text.len() > max && text.chars().count() > max {
        return Err(format!("Longer than maximum length {max}."));
    }
    if text.len() < min * 4 && text.chars().count() < min {
        return Err(format!("Shorter than minimum length {min}."));
    }
    Ok(text.clone())
}

/// An integer or its decimal text.
pub(super) fn integer(value: &Value) -> Result<i64, String> {
    let number = match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.ok_or_else(|| "Not a valid integer.".into())
}

/// A list of ids, each once.
pub(super) fn ids(value: &Value) -> Result<Vec<i64>, String> {
    let Value::Array(items) = value else { return Err("Not a valid list.".into()) };
    let mut out = Vec::new();
    for item in items {
        let id = integer(item)?;
        if !out.contains(&id) {
            out.push(id);
        }
    }
    Ok(out)
}

/// Refuses JSON that is nested too deeply to be handed around.
pub(super) fn bounded(value: &Value) -> Result<(), String> {
    if fits(value, limits::MAX_JSON_DEPTH) {
        Ok(())
    } else {
        Err(format!("Nested more than {} levels deep.", limits::MAX_JSON_DEPTH))
    }
}

fn fits(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(|item| fits(item, levels - 1)),
        Value::Object(members) => levels > 0 && members.values().all(|member| fits(member, levels - 1)),
        _ => true,
    }
}

fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::Number(number) => match number.as_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        Value::String(word) => match word.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "y" | "on" => Some(true),
            "false" | "0" | "no" | "n" | "off" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn people(value: &Value) -> Result<Value, String> {
    let Value::Array(items) = value else { return Err("Not a valid list.".into()) };
    let mut out = Vec::new();
    for item in items {
        let Value::Object(person) = item else { return Err("Not a valid mapping type.".into()) };
        let mut known = serde_json::Map::new();
        for name in ["role", "name", "contact"] {
            let part = match person.get(name) {
                None | Some(Value::Null) => Value::Null,
                Some(part) => json!(text(part, 0, 1024)?),
            };
            known.insert(name.to_owned(), part);
        }
        out.push(Value::Object(known));
    }
    Ok(Value::Array(out))
}
