//! What comes from outside or from guests becomes checked, canonical data here, or a clear refusal.
//!
//! Two doors lead in. JSON (`accept_json`, `accept_datapoints`) follows DP³'s lax table: numeric text is a number,
//! `"yes"` is true, unix seconds are a time. Values of guests (`accept`, `accept_task`) are structured already and
//! are brought to the declared type; they alone must be finite, since a NaN out of a computation is a fault there.
//! Behind both doors a value has exactly the type of its attribute, ids and addresses are canonical text, times lie
//! in the years 1970 to 9999, and JSON is at most [`crate::limits::MAX_JSON_DEPTH`] deep.

use std::fmt;

use serde::{Serialize, Serializer};

mod batch;
mod datapoint;
mod id;
mod scalar;
mod strict;
mod task;
mod value;

pub use scalar::time_from_text;
pub(crate) use scalar::truth;

/// One step into a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathStep {
    /// A key.
    Key(String),
    /// A place in a list.
    Index(usize),
}

/// Why a value does not have its data type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ValueError {
    /// Where in the value, from the outside in.
    pub path: Vec<PathStep>,
    /// What was expected and what was found.
    pub message: String,
}

impl ValueError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { path: Vec::new(), message: message.into() }
    }

    /// Puts a key in front: the error lies in the value of that key.
    pub(crate) fn under(mut self, key: &str) -> Self {
        self.path.insert(0, PathStep::Key(key.to_owned()));
        self
    }

    /// Puts an index in front: the error lies in that element.
    pub(crate) fn at(mut self, index: usize) -> Self {
        self.path.insert(0, PathStep::Index(index));
        self
    }
}

impl fmt::Display for ValueError {
    /// Such as `v.eid: expected an IPv4 address, found "x"`; `v` is the value itself.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("v")?;
        for step in &self.path {
            match step {
                PathStep::Key(key) => write!(f, ".{key}")?,
                PathStep::Index(i) => write!(f, "[{i}]")?,
            }
        }
        write!(f, ": {}", self.message)
    }
}

/// One step into an input document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum LocStep {
    /// A key, or `body` for the document itself.
    Str(String),
    /// A place in a list.
    Int(usize),
}

/// Why an input was refused. Serialises to the item of DP³'s 422 answer: `{"loc": [...], "msg": …, "type": …}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
pub struct InputError {
    /// Where, from the outside in.
    pub loc: Vec<LocStep>,
    /// What is wrong.
    #[serde(rename = "msg")]
    pub message: String,
    /// `missing`, `value_error` or `json_invalid`.
    #[serde(rename = "type", serialize_with = "as_text")]
    pub kind: &'static str,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
fn as_text<S: Serializer>(kind: &&'static str, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(kind)
}

impl InputError {
    /// An error of a value at one key.
    #[must_use]
    pub fn value(key: &str, message: impl Into<String>) -> Self {
        Self { loc: vec![LocStep::Str(key.to_owned())], message: message.into(), kind: "value_error" }
    }

    pub(crate) fn missing(key: &str) -> Self {
        Self { loc: vec![LocStep::Str(key.to_owned())], message: "Field required".to_owned(), kind: "missing" }
    }

    /// The same error seen from further outside.
    #[must_use]
    pub fn within(mut self, outer: impl IntoIterator<Item = LocStep>) -> Self {
        self.loc.splice(0..0, outer);
        self
    }
}

impl From<ValueError> for InputError {
    fn from(e: ValueError) -> Self {
        let steps = e.path.into_iter().map(|step| match step {
            PathStep::Key(key) => LocStep::Str(key),
            PathStep::Index(i) => LocStep::Int(i),
        });
        Self::value("v", e.message).behind(steps)
    }
}

impl InputError {
    fn behind(mut self, inner: impl IntoIterator<Item = LocStep>) -> Self {
        self.loc.extend(inner);
        self
    }
}

impl fmt::Display for InputError {
    /// Such as `tasks[3].datapoints[1].t2: 't2' is before 't1'`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.loc.iter().enumerate() {
            match step {
                LocStep::Str(key) if i == 0 => f.write_str(key)?,
                LocStep::Str(key) => write!(f, ".{key}")?,
                LocStep::Int(n) => write!(f, "[{n}]")?,
            }
        }
        write!(f, ": {}", self.message)
    }
}

/// JSON for an error message, cut to 60 characters.
pub(crate) fn shown(json: &serde_json::Value) -> String {
    match json {
        serde_json::Value::Array(items) if items.len() > 8 => format!("a list of {} items", items.len()),
        serde_json::Value::Object(map) if map.len() > 8 => format!("an object of {} keys", map.len()),
        serde_json::Value::String(text) => quoted(text),
        other => cut(&other.to_string()),
    }
}

/// Text for an error message, in quotes and cut to 60 characters.
pub(crate) fn quoted(text: &str) -> String {
    cut(&format!("{:?}", text.chars().take(80).collect::<String>()))
}

fn cut(text: &str) -> String {
    if text.chars().count() <= 60 { text.to_owned() } else { text.chars().take(59).chain(['…']).collect() }
}

/// Nesting depth of a JSON value: 0 for a primitive.
pub(crate) fn depth(json: &serde_json::Value) -> usize {
    let inner = match json {
        serde_json::Value::Array(items) => items.iter().map(depth).max(),
        serde_json::Value::Object(map) => map.values().map(depth).max(),
        _ => return 0,
    };
    1 + inner.unwrap_or(0)
}
