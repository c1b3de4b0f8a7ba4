//! Parameters of queries, in DP³'s words: what is wrong is told for all of them at once, each with its place.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde_json::{Value, json};
use tenter_model::Timestamp;
use tenter_model::accept::time_from_text;
use tenter_model::history::TimeRange;

use super::error::ApiError;

/// The parameters of a request's query, and what was found to be wrong with them so far. Of one that is given several
/// times the last counts, as in DP³. Unknown ones are ignored.
pub(super) struct Params {
    pairs: Vec<(String, String)>,
    problems: Vec<Value>,
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        // Pairs of text are read from any query; what is not UTF-8 in it is replaced.
        let pairs = Query::try_from_uri(&parts.uri).map(|Query(pairs)| pairs).unwrap_or_default();
        Ok(Self { pairs, problems: Vec::new() })
    }
}

impl Params {
    /// A parameter as it was given.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.pairs.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Gives a parameter another value.
    pub(super) fn set(&mut self, name: &str, value: String) {
        self.pairs.push((name.to_owned(), value));
    }

    /// All values of a parameter that may be given several times.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        self.pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
    }

    /// A parameter that must be there.
    pub(super) fn required(&mut self, name: &str) -> Option<String> {
        let found = self.text(name).map(str::to_owned);
        if found.is_none() {
            self.problems.push(missing("query", name));
        }
        found
    }

    /// A number from 0 on.
    pub(super) fn number(&mut self, name: &str, default: u32) -> u32 {
        let Some(text) = self.text(name).map(str::to_owned) else { return default };
        let trimmed = text.trim();
        if let Ok(number) = trimmed.parse::<u32>() {
            return number;
        }
        let digits = trimmed.strip_prefix(['-', '+']).unwrap_or(trimmed);
        let problem = if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            let message = "Input should be a valid integer, unable to parse string as an integer";
            json!({"type": "int_parsing", "loc": ["query", name], "msg": message, "input": text})
        } else if trimmed.starts_with('-') {
            let message = "Input should be greater than or equal to 0";
            json!({"type": "greater_than_equal", "loc": ["query", name], "msg": message, "input": text, "ctx": {"ge": 0}})
        } else {
            let message = format!("Input should be less than or equal to {}", u32::MAX);
            json!({"type": "less_than_equal", "loc": ["query", name], "msg": message, "input": text, "ctx": {"le": u32::MAX}})
        };
        self.problems.push(problem);
        default
    }

    /// How many are given at most; 0 = all, which is `None`.
    pub(super) fn limit(&mut self, default: u32) -> Option<u32> {
        Some(self.number("limit", default)).filter(|limit| *limit > 0)
    }

    /// A time.
    pub(super) fn time(&mut self, name: &str) -> Option<Timestamp> {
        let text = self.text(name)?.to_owned();
        let time = Timestamp::parse(&text).or_else(|| time_from_text(&text).ok());
        if time.is_none() {
            let message = format!("{text:?} is not a time such as 2020-01-01T00:00:00Z");
            self.problems.push(json!({
                "type": "datetime_from_date_parsing", "loc": ["query", name], "msg": message, "input": text,
            }));
        }
        time
    }

    /// The times `date_from` and `date_to`, both included; open where one is not given.
    pub(super) fn dates(&mut self) -> TimeRange {
        TimeRange { from: self.time("date_from"), to: self.time("date_to") }
    }

    /// The same; from 1970 until now where one is not given.
    pub(super) fn dates_until(&mut self, now: Timestamp) -> TimeRange {
        until(self.dates(), now)
    }

    /// A parameter that is JSON; `null` is as good as none.
    pub(super) fn json(&mut self, name: &str) -> Option<Value> {
        let text = self.text(name)?;
        match serde_json::from_str(text) {
            Ok(Value::Null) => None,
            Ok(value) => Some(value),
            Err(error) => {
                let message = format!("Invalid JSON: {error}");
                let input = text.to_owned();
                self.problems
                    .push(json!({"type": "json_invalid", "loc": ["query", name], "msg": message, "input": input}));
                None
            }
        }
    }

    /// One of several words.
    pub(super) fn word<T: Copy>(&mut self, name: &str, words: &[(&str, T)], default: T) -> T {
        let Some(text) = self.text(name) else { return default };
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
            return *meaning;
        }
        let expected = words.iter().map(|(word, _)| format!("'{word}'")).collect::<Vec<_>>().join(" or ");
        let message = format!("Input should be {expected}");
        let input = text.to_owned();
        self.problems.push(json!({"type": "enum", "loc": ["query", name], "msg": message, "input": input}));
        default
    }

    /// That nothing was wrong so far.
    pub(super) fn check(&mut self) -> Result<(), ApiError> {
        if self.problems.is_empty() { Ok(()) } else { Err(ApiError::invalid_items(std::mem::take(&mut self.problems))) }
    }
}

/// A range of time, from 1970 until now where it is open.
pub(super) fn until(range: TimeRange, now: Timestamp) -> TimeRange {
    TimeRange { from: range.from.or(Some(Timestamp(0))), to: range.to.or(Some(now)) }
}

/// The item for something that must be there and is not.
pub(super) fn missing(place: &str, name: &str) -> Value {
    json!({"type": "missing", "loc": [place, name], "msg": "Field required", "input": null})
}
