//! Expectations that name only what matters, with differences that name the place.

use serde_json::Value as Json;

use crate::task::Task;
use crate::testing::group::by_entity;
use crate::testing::wire::{changes_to_json, task_to_json};
use crate::view::Correlated;

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

/// Expects that one of the tasks is this one; others do not matter.
///
/// # Panics
/// When none is, with what there is.
#[track_caller]
#[allow(clippy::panic, clippy::needless_pass_by_value, reason = "the way in which a test fails; called with json!(..)")]
pub fn expect_task_among(tasks: &[Task], expected: Json) {
    among(&tasks.iter().map(task_to_json).collect::<Vec<_>>(), &expected);
}

/// Expects that one of the tasks, as JSON, is this one.
#[track_caller]
pub(crate) fn among(tasks: &[Json], expected: &Json) {
    let fits = |task: &Json| {
        let mut differences = Vec::new();
        compare("", task, expected, &mut differences);
        differences.is_empty()
    };
    let shown: Vec<String> = tasks.iter().map(pretty).collect();
    assert!(
        tasks.iter().any(fits),
        "none of {} tasks is as expected\n\nactual: {}\n\nexpected: {}\n",
        tasks.len(),
        shown.join(",\n"),
        pretty(expected)
    );
}

/// Expects these changes of a correlation hook, by entity, in the form of [`crate::testing::Group`]: `null` is a removal.
/// Of each entity named, the attributes named must have been changed so; others may have been. An empty object expects
/// that there is no change at all.
///
/// ```
/// use tenter_sdk::testing::{Group, expect_changes, json};
/// let view = Group::new(json!({"ip/192.0.2.1": {"label": "x"}})).view("ip/192.0.2.1", &["label"]);
/// let changes = view.changes().set_weighted("risk", 0.5, 0.9).remove("label");
/// expect_changes(changes, json!({"ip/192.0.2.1": {"risk": 0.5, "risk#c": 0.9, "label": null}}));
/// ```
///
/// # Panics
/// When something differs, with its place.
#[track_caller]
#[allow(clippy::needless_pass_by_value, reason = "called with json!(...)")]
pub fn expect_changes(changes: impl Into<Correlated>, expected: Json) {
    changed(&changes_to_json(&changes.into()), &expected);
}

/// Expects these changes, given in the form of `PROTOCOL.md`.
#[track_caller]
pub(crate) fn changed(changes: &[Json], expected: &Json) {
    let actual = by_entity(changes);
    if expected.as_object().is_some_and(serde_json::Map::is_empty) {
        assert!(changes.is_empty(), "expected no change\n\nactual: {}\n", pretty(&actual));
    }
    expect_json(&actual, expected);
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
    fn one_of_the_tasks_is_enough() {
        let tasks = ["a", "b"].map(|eid| Task::of("ip", eid).plain("x", 1));
        expect_task_among(&tasks, json!({"eid": "b", "data_points": [{"attr": "x"}]}));
    }

    #[test]
    #[should_panic(expected = "none of 1 tasks is as expected")]
    fn none_of_the_tasks_is_too_few() {
        expect_task_among(&[Task::of("ip", "a")], json!({"eid": "b"}));
    }

    #[test]
    #[should_panic(expected = "expected no change")]
    fn no_change_is_an_expectation() {
        let changes = json!([{"etype": "ip", "eid": "a", "attr": "x", "values": []}]);
        changed(changes.as_array().unwrap(), &json!({}));
    }

    #[test]
    fn differences_name_their_place() {
        assert_eq!(
            differences(json!([{"a": [1, 2]}, {}]), json!([{"a": [1, 3], "c": null}])),
            ["here: expected 1 elements, has 2", "[0].a[1]: expected 3, is 2", "[0].c: expected null, is absent"]
        );
    }
}
