//! WIT and model, both ways, at the one border between them.
//!
//! What goes to a guest comes from the store or was accepted before, so that direction cannot fail. What a guest
//! returns is a stranger's input: its form is checked here (names, lengths, control characters, finite numbers, JSON,
//! columns), and against the entity specification by the engine.

pub(crate) mod case;
pub(crate) mod record;
pub(crate) mod subscription;
pub(crate) mod task;
pub(crate) mod value;
pub(crate) mod view;

use tenter_model::host::{HookFailure, Reason};
use tenter_model::id::NameError;

use crate::text::message;

/// A value of a guest that is not well formed: where, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bad {
    path: String,
    what: String,
}

pub(crate) type Checked<T> = Result<T, Bad>;

impl Bad {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { path: String::new(), what: what.into() }
    }

    /// The same seen from further outside: `value` within `datapoints[2]` is `datapoints[2].value`.
    pub(crate) fn within(mut self, outer: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{outer}{dot}{}", self.path);
        self
    }

    /// The failure of a hook that returned it.
    pub(crate) fn into_failure(self) -> HookFailure {
        HookFailure::new(Reason::InvalidOutput, message(&format!("{self}; {}", Reason::InvalidOutput.hint())))
    }
}

impl std::fmt::Display for Bad {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.path.is_empty() { f.write_str(&self.what) } else { write!(f, "{}: {}", self.path, self.what) }
    }
}

impl From<NameError> for Bad {
    fn from(error: NameError) -> Self {
        Self::new(error.to_string())
    }
}

/// Adds the place to an error.
pub(crate) trait At<T> {
    /// The field.
    fn at(self, field: &str) -> Checked<T>;
    /// The field and index.
    fn at_index(self, field: &str, index: usize) -> Checked<T>;
}

impl<T, E: Into<Bad>> At<T> for Result<T, E> {
    fn at(self, field: &str) -> Checked<T> {
        self.map_err(|e| e.into().within(field))
    }

    fn at_index(self, field: &str, index: usize) -> Checked<T> {
        self.map_err(|e| e.into().within(&format!("{field}[{index}]")))
    }
}

/// Short text of a guest that people read and that is stored: bounded, without control characters.
pub(crate) fn line(text: String, max: usize) -> Checked<String> {
    if text.len() > max {
        return Err(Bad::new(format!("{} bytes, expected at most {max}", text.len())));
    }
    if let Some(c) = text.chars().find(|c| c.is_control()) {
        return Err(Bad::new(format!("contains the control character {}, expected none", c.escape_default())));
    }
    Ok(text)
}

#[cfg(test)]
mod fuzz_tests;
