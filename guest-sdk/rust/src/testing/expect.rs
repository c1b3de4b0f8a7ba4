//! Expectations that name only what matters, with differences that name the place.

use serde_json::Value as Json;

use crate::task::Task;
use crate::testing::wire::task_to_json;

/// Expects these tasks, given with DP³'s names. Each object needs to hold what is named and may hold more; lists must
/// have the same length.
///
/// ```
/// use tenter_sdk::Task;
/// use tenter_sdk::testing::{expect_tasks, json};
/// let tasks = [Task::of("ip", "192.0.2.1").plain("label", "private")];
/// expect_tasks(&tasks, json!([{"eid": "192.0.2.1", "data_points": [{"attr": "label", "v": "private"}]}]));
/// ```
///
/// # Panics
/// When something differs, with its place.
#[track_caller]
#[allow(clippy::needless_pass_by_value, reason = "called with json!(...)")]
pub fn expect_tasks(tasks: &[Task], expected: Json) {
    expect_json(&tasks.iter().map(task_to_json).collect(), &expected);
}

/// Expects that `actual` holds what `expected` names.
///
/// # Panics
/// When something differs, with its place.
#[track_caller]
#[allow(clippy::panic, reason = "the way in which a test fails")]
pub fn expect_json(actual: &Json, expected: &Json) {
    let mut differences = Vec::new();
    compare("", actual, expected, &mut differences);
    assert!(
        differences.is_empty(),
        "not as expected:\n  {}\n\nactual: {}\n\nexpected: {}\n",
        differences.join("\n  "),
        pretty(actual),
        pretty(expected)
    );
}

fn pretty(json: &Json) -> String {
    serde_json::to_string_pretty(json).unwrap_or_default()
}

fn compare(at: &str, actual: &Json, expected: &Json, differences: &mut Vec<String>) {
    let place = if at.is_empty() { "here" } else { at };
    match (actual, expected) {
        (Json::Object(have), Json::Object(want)) => {
            for (name, want) in want {
                let below = format!("{at}.{name}");
                match have.get(name) {
                    Some(have) => compare(&below, have, want, differences),
                    None => differences.push(format!("{below}: expected {want}, is absent")),
                }
            }
        }
        (Json::Array(have), Json::Array(want)) => {
            if have.len() != want.len() {
                differences.push(format!("{place}: expected {} elements, has {}", want.len(), have.len()));
            }
            for (n, (have, want)) in have.iter().zip(want).enumerate() {
                compare(&format!("{at}[{n}]"), have, want, differences);
            }
        }
        (have, want) if have == want => {}
        // 1 and 1.0 are the same number to who writes an expectation.
        (Json::Number(have), Json::Number(want)) if have.as_f64() == want.as_f64() => {}
        (have, want) => differences.push(format!("{place}: expected {want}, is {have}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn differences(actual: Json, expected: Json) -> Vec<String> {
        let mut out = Vec::new();
        compare("", &actual, &expected, &mut out);
        out
    }

    #[test]
    fn what_is_not_named_does_not_matter() {
        assert!(differences(json!([{"a": 1, "b": 2.0}]), json!([{"b": 2}])).is_empty());
    }

    #[test]
    fn differences_name_their_place() {
        assert_eq!(
            differences(json!([{"a": [1, 2]}, {}]), json!([{"a": [1, 3], "c": null}])),
            ["here: expected 1 elements, has 2", "[0].a[1]: expected 3, is 2", "[0].c: expected null, is absent"]
        );
    }
}
