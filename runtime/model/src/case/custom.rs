//! Custom attributes: tabs of fields that operators define per kind of object and that modules add to.
//!
//! The tree is `{tab: {field: {type, mandatory, value, options?}}}`. Clients send `{tab: {field: value}}`, which fills
//! what the tree has; what it does not have is left out and told. Fields of HTML are for modules alone: what a browser
//! will show as markup passes through a sanitiser that leaves no script, no style sheet and no handler.

use serde_json::{Value, json};

use super::object::Body;

/// What the `type` of a custom field can be.
pub const TYPES: [&str; 8] = [
    "input_string",
    "input_textfield",
    "input_checkbox",
    "input_select",
    "input_date",
    "input_datetime",
    "raw",
    "html",
];

/// Bytes of all custom attributes of one object at most.
pub const MAX_BYTES: usize = 4 << 20;

/// A custom field that a module sets.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomField {
    /// The tab, which is made if need be.
    pub tab: String,
    /// The name in the tab.
    pub name: String,
    /// One of [`TYPES`].
    pub kind: String,
    /// The value; for HTML a text.
    pub value: Value,
}

/// Fills a tree with what a client sent. Gives what was left out, as `tab` or `tab.field`.
///
/// A client that read a whole tree may send it back: of `{type, value}` the value counts.
pub fn fill(tree: &mut Body, given: &Body) -> Vec<String> {
    let mut left_out = Vec::new();
    for (tab, fields) in given {
        let (Some(Value::Object(known)), Value::Object(fields)) = (tree.get_mut(tab), fields) else {
            left_out.push(tab.clone());
            continue;
        };
        for (name, value) in fields {
            let place = known.get_mut(name).and_then(Value::as_object_mut);
            let value = match value {
                Value::Object(whole) if whole.contains_key("type") => whole.get("value").unwrap_or(&Value::Null),
                bare => bare,
            };
            match place {
                Some(field) if accepts(field, value) => {
                    field.insert("value".into(), value.clone());
                }
                // A client that sends a tree back as it read it takes nothing away by not being listened to.
                Some(field) if field.get("value") == Some(value) => {}
                _ => left_out.push(format!("{tab}.{name}")),
            }
        }
    }
    left_out
}

/// Whether a client may give a field this value.
fn accepts(field: &Body, value: &Value) -> bool {
    let kind = field.get("type").and_then(Value::as_str).unwrap_or_default();
    match kind {
        "html" => false,
        "input_checkbox" => value.is_boolean() || value.is_null(),
        "input_select" => match field.get("options").and_then(Value::as_array) {
            Some(options) => value.is_null() || value == "" || options.contains(value),
            None => true,
        },
        _ => true,
    }
}

/// Sets a field, as modules may: tab and field are made if need be, HTML is sanitised.
///
/// # Errors
/// What is wrong with the field, in a sentence.
pub fn set(tree: &mut Body, field: &CustomField) -> Result<(), String> {
    for (what, name) in [("tab", &field.tab), ("field", &field.name)] {
        if name.trim().is_empty() || name.chars().count() > 128 || name.chars().any(char::is_control) {
            return Err(format!(
                "{name:?} cannot name a {what} of custom attributes; 1 to 128 characters without control characters are expected"
            ));
        }
    }
    if !TYPES.contains(&field.kind.as_str()) {
        return Err(format!("{:?} is no type of a custom field; expected one of {}", field.kind, TYPES.join(", ")));
    }
    let value = match (field.kind.as_str(), &field.value) {
        ("html", Value::String(html)) => json!(sanitise(html)),
        ("html", other) => return Err(format!("a field of type html is a text, not {}", type_name(other))),
        ("input_checkbox", Value::Bool(_)) => field.value.clone(),
        ("input_checkbox", other) => {
            return Err(format!("a field of type input_checkbox is a boolean, not {}", type_name(other)));
        }
        (_, other) => other.clone(),
    };
    let tab = tree.entry(&field.tab).or_insert_with(|| json!({}));
    let Value::Object(tab) = tab else {
        return Err(format!("the tab {:?} is not made of fields", field.tab));
    };
    let mandatory = tab.get(&field.name).and_then(|old| old.get("mandatory")).cloned().unwrap_or(json!(false));
    let mut new = json!({"type": field.kind, "mandatory": mandatory, "value": value});
    if let (Some(options), Value::Object(new)) = (tab.get(&field.name).and_then(|old| old.get("options")), &mut new) {
        new.insert("options".into(), options.clone());
    }
    tab.insert(field.name.clone(), new);
    Ok(())
}

/// The HTML without what could act: scripts, handlers, frames, forms, styles, odd links.
#[must_use]
pub fn sanitise(html: &str) -> String {
    ammonia::Builder::default()
        .url_relative(ammonia::UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer"))
        .clean(html)
        .to_string()
}

/// What is wrong with the default tree of a kind, if anything.
///
/// # Errors
/// The place and what was expected there.
pub fn check(tree: &Body) -> Result<(), String> {
    for (tab, fields) in tree {
        let Value::Object(fields) = fields else {
            return Err(format!("{tab}: expected an object of fields, not {}", type_name(fields)));
        };
        for (name, field) in fields {
            let kind = field.get("type").and_then(Value::as_str).unwrap_or_default();
            if !TYPES.contains(&kind) {
                return Err(format!("{tab}.{name}: the type {kind:?} is none of {}", TYPES.join(", ")));
            }
            if kind == "input_select" && !field.get("options").is_some_and(Value::is_array) {
                return Err(format!("{tab}.{name}: a field of type input_select needs a list of options"));
            }
        }
    }
    Ok(())
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests;
