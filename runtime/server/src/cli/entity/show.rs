//! Attributes for people.

use serde_json::Value;

use crate::output::{field, table};

/// An attribute for people: the current value, then the points of the history.
pub(super) fn history(answer: &Value) -> String {
    let current = value(answer.get("current_value"));
    let mut text = format!("current  {}\n", if current.is_empty() { "none" } else { &current });
    let points = answer.get("history").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if !points.is_empty() {
        let row = |p: &Value| vec![field(p, "t1"), field(p, "t2"), field(p, "c"), value(p.get("v"))];
        text.push('\n');
        text.push_str(&table(&["t1", "t2", "c", "value"], points.iter().map(row).collect()));
    }
    text
}

/// A value: text as it is, anything else as JSON.
pub(super) fn value(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => crate::output::plain(text),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_attribute_reads_well() {
        let answer = json!({"attr_type": 2, "current_value": [22, 80], "history": [
            {"v": 22, "t1": "2026-01-01T00:00:00Z", "t2": "2026-01-01T01:00:00Z", "c": 1.0},
        ]});
        insta::assert_snapshot!(history(&answer), @"
        current  [22,80]

        T1                    T2                    C    VALUE
        2026-01-01T00:00:00Z  2026-01-01T01:00:00Z  1.0  22
        ");
        assert_eq!(history(&json!({"attr_type": 1, "current_value": null, "history": []})), "current  none\n");
    }
}
