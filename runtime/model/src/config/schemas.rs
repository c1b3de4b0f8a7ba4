//! JSON Schemas (2020-12) of the configuration files, for editors. Printed from the table of keys that the readers use.
//!
//! A schema knows one file at a time and no order, so it cannot say all that `tenter check` says: that the id is the name
//! of the file, that a linked type exists, that a time zone does, that a range goes forwards. What it refuses is refused
//! there as well, and the other way round but for these.

use serde_json::{Map, Value, json};

use super::keys::{
    ENTITY_FILE, FILES, Form, GRANT, Key, Keys, LIFETIME, LIFETIME_TTL, LIFETIMES, Others, attribute_of,
};
use crate::capability;

mod pattern;

/// Kinds of files, by the name that `tenter schema` takes: a file at the top of the directory without `.yml`, or a
/// folder of files.
#[must_use]
pub fn schema_kinds() -> Vec<&'static str> {
    let files = FILES.iter().filter_map(|(file, _)| file.strip_suffix(".yml"));
    let mut kinds: Vec<&'static str> = files.chain(["db_entities", "modules"]).collect();
    kinds.sort_unstable();
    kinds
}

/// The schema of a kind of file; `None` when there is no such kind.
#[must_use]
pub fn json_schema(kind: &str) -> Option<Value> {
    let (title, body) = match kind {
        "db_entities" => ("An entity type (db_entities/*.yml)".to_owned(), mapping(&ENTITY_FILE)),
        "modules" => ("Configuration of a module (modules/*.yml)".to_owned(), json!({"type": "object"})),
        _ => {
            let (file, keys) = FILES.iter().find(|(file, _)| file.strip_suffix(".yml") == Some(kind))?;
            ((*file).to_owned(), mapping(keys))
        }
    };
    let mut schema = Map::new();
    schema.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    schema.insert("$id".into(), format!("urn:tenter:config:{kind}").into());
    schema.insert("title".into(), title.into());
    if let Value::Object(body) = body {
        schema.extend(body);
    }
    Some(Value::Object(schema))
}

fn mapping(keys: &Keys) -> Value {
    let properties: Map<String, Value> = keys.list.iter().map(|key| (key.name.to_owned(), property(key))).collect();
    let required: Vec<&str> = keys.list.iter().filter(|key| key.must).map(|key| key.name).collect();
    let mut out = json!({"type": "object", "properties": properties, "required": required});
    if keys.others == Others::Error {
        set(&mut out, "additionalProperties", false.into());
    }
    out
}

fn property(key: &Key) -> Value {
    let form = of(key.form);
    let mut out = if key.must || key.form == Form::Any { form } else { json!({"anyOf": [form, {"type": "null"}]}) };
    set(&mut out, "description", key.about.into());
    out
}

fn of(form: Form) -> Value {
    match form {
        Form::Any => json!({}),
        Form::Text => json!({"type": "string"}),
        Form::Pattern(pattern) => json!({"type": "string", "pattern": pattern}),
        Form::Bool => json!({"anyOf": [
            {"type": "boolean"},
            {"enum": [0, 1]},
            {"type": "string", "pattern": pattern::truth()},
        ]}),
        Form::Int(low) => {
            let digits = if low == 0 { r"^\s*\+?\d+\s*$" } else { r"^\s*\+?0*[1-9]\d*\s*$" };
            json!({"anyOf": [{"type": "integer", "minimum": low}, {"type": "string", "pattern": digits}]})
        }
        Form::Duration => {
            json!({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": pattern::duration()}]})
        }
        Form::LongerThanZero => json!({"anyOf": [
            {"type": "number", "exclusiveMinimum": 0},
            {"type": "string", "pattern": pattern::duration(), "allOf": [{"pattern": "[1-9]"}]},
        ]}),
        Form::Interval => json!({"type": "string", "pattern": pattern::duration()}),
        Form::Expiry => json!({"anyOf": [of(Form::Duration), {"const": "inf"}]}),
        Form::Cron => cron(),
        Form::DataType => json!({"type": "string", "pattern": pattern::data_type()}),
        Form::Word(words) => json!({"enum": words}),
        Form::WordOrFalse(words) => json!({"anyOf": [{"enum": words}, {"const": false}]}),
        Form::TextOrFalse => json!({"anyOf": [{"type": "string"}, {"const": false}]}),
        Form::Maybe(form) => json!({"anyOf": [of(*form), {"type": "null"}]}),
        Form::List(form) => json!({"type": "array", "items": of(*form)}),
        Form::Mapping(keys) => mapping(keys),
        Form::Names("", form) => json!({"type": "object", "additionalProperties": of(*form)}),
        Form::Names(names, form) => {
            json!({"type": "object", "patternProperties": {names: of(*form)}, "additionalProperties": false})
        }
        Form::Attribute => attribute(),
        Form::Lifetime => {
            let [_, ttl, _] = LIFETIMES;
            choice(&LIFETIMES, &[], |kind| if kind == ttl { &LIFETIME_TTL } else { &LIFETIME })
        }
        Form::Grant => grant(),
    }
}

fn attribute() -> Value {
    choice(&["plain", "observations", "timeseries"], &["name"], attribute_of)
}

/// A mapping whose `type` decides what else it holds.
fn choice(kinds: &[&str], also: &[&str], keys: impl Fn(&str) -> &'static Keys) -> Value {
    let required: Vec<&str> = ["type"].into_iter().chain(also.iter().copied()).collect();
    let rules: Vec<Value> = kinds
        .iter()
        .map(|kind| {
            json!({
                "if": {"properties": {"type": {"const": kind}}, "required": ["type"]},
                "then": mapping(keys(kind)),
            })
        })
        .collect();
    json!({"type": "object", "properties": {"type": {"enum": kinds}}, "required": required, "allOf": rules})
}

fn cron() -> Value {
    let number = |low: u32, high: u32| {
        json!({"anyOf": [
            {"type": "integer", "minimum": low, "maximum": high},
            {"type": "string", "pattern": format!(r"^\s*{}\s*$", pattern::number(low, high))},
            {"type": "null"},
        ]})
    };
    let expression = |low: u32, high: u32| {
        json!({"anyOf": [
            {"type": "integer", "minimum": low, "maximum": high},
            {"type": "string", "pattern": pattern::cron(low, high)},
            {"type": "null"},
        ]})
    };
    let fields = json!({
        "year": {"type": ["string", "null"], "pattern": r"^\s*\d{4}\s*$"},
        "month": number(1, 12),
        "day": expression(1, 31),
        "week": number(1, 53),
        "day_of_week": expression(0, 6),
        "hour": expression(0, 23),
        "minute": expression(0, 59),
        "second": expression(0, 59),
        "timezone": {"type": ["string", "null"], "description": "default UTC"},
    });
    let given: Vec<Value> = crate::cron::FIELDS
        .iter()
        .map(|name| json!({"required": [name], "properties": {*name: {"not": {"type": "null"}}}}))
        .collect();
    json!({
        "type": "object",
        "description": "APScheduler's fields: N, N,M, A-B, */N or *; day_of_week counts from Monday = 0",
        "properties": fields,
        "additionalProperties": false,
        "anyOf": given,
    })
}

fn grant() -> Value {
    let mut out = mapping(&GRANT);
    let named = |scoped: bool| -> Vec<&str> {
        capability::TABLE.iter().filter(|c| c.scope.is_empty() != scoped).map(|c| c.name).collect()
    };
    let all: Vec<&str> = capability::TABLE.iter().map(|c| c.name).collect();
    if let Some(properties) = out.get_mut("properties") {
        set(properties, "capability", json!({"enum": all, "description": "name of the capability"}));
    }
    set(&mut out, "if", json!({"properties": {"capability": {"enum": named(true)}}}));
    let of_http = json!({
        "if": {"properties": {"capability": {"const": "http"}}},
        "then": {"properties": {"scope": {"pattern": r"^(\*|\s*\S+\s+[Hh][Tt][Tt][Pp][Ss]?://\S+(\s+at\s+\S+)?\s*)$"}}},
    });
    let mut scoped = json!({"properties": {"scope": {"type": "string"}}, "required": ["scope"]});
    set(&mut scoped, "allOf", json!([of_http]));
    set(&mut out, "then", scoped);
    set(&mut out, "else", json!({"properties": {"scope": {"type": "null"}}}));
    out
}

/// Sets a key of an object; what is none stays as it is.
fn set(object: &mut Value, key: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests;
