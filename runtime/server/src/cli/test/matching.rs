//! Whether what came of a call is what a case expects.
//!
//! An object is matched member by member: what the case does not name may be anything. A list is matched as a whole,
//! item by item. Numbers are matched by value, and null by what is absent too. An object with one member that begins
//! with `$` says in another way what is expected: [`WAYS`].

use serde_json::Value as Json;

use super::spot::{Read, Spot};

/// Ways to expect something else than a value.
const WAYS: &[&str] = &["$contains", "$one-of", "$includes", "$at-least", "$at-most"];
/// Longest text that an error repeats, in characters.
const MOST: usize = 400;
/// Longest text that `$repeat` makes, in bytes.
const MOST_REPEATED: usize = 16 << 20;

/// What is not as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    /// Such as `tasks[0].data_points[1].v`.
    pub(super) path: String,
    /// In words or JSON.
    pub(super) expected: String,
    /// In words or JSON.
    pub(super) found: String,
}

/// The differences, in order.
pub(super) fn differences(expected: &Json, found: &Json) -> Vec<Difference> {
    let mut out = Vec::new();
    compare("", expected, Some(found), &mut out);
    out
}

fn compare(path: &str, expected: &Json, found: Option<&Json>, out: &mut Vec<Difference>) {
    if let Some((way, with)) = way(expected) {
        return compare_otherwise(path, way, with, found, out);
    }
    match (expected, found) {
        (Json::Object(wanted), Some(Json::Object(members))) => {
            for (name, expected) in wanted {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                compare(&path, expected, members.get(name), out);
            }
        }
        (Json::Array(wanted), Some(Json::Array(items))) if wanted.len() == items.len() => {
            for (i, (expected, found)) in wanted.iter().zip(items).enumerate() {
                compare(&format!("{path}[{i}]"), expected, Some(found), out);
            }
        }
        (Json::Array(wanted), Some(Json::Array(items))) => {
            let expected = format!("{}: {}", count(wanted.len()), shown(expected));
            let found = format!("{}: {}", count(items.len()), found.map_or(String::new(), shown));
            out.push(Difference { path: path.to_owned(), expected, found });
        }
        (Json::Number(a), Some(Json::Number(b))) if same_number(a, b) => {}
        (Json::Null, None) => {}
        (expected, Some(found)) if expected == found => {}
        _ => out.push(Difference { path: path.to_owned(), expected: shown(expected), found: found_shown(found) }),
    }
}

fn compare_otherwise(path: &str, way: &str, with: &Json, found: Option<&Json>, out: &mut Vec<Difference>) {
    let number = found.and_then(Json::as_f64).zip(with.as_f64());
    let (holds, words) = match way {
        "$contains" => {
            let both = found.and_then(Json::as_str).zip(with.as_str());
            (both.is_some_and(|(text, part)| text.contains(part)), "a text that contains")
        }
        "$one-of" => {
            let fits = |one: &Json| differences(one, found.unwrap_or(&Json::Null)).is_empty();
            (with.as_array().is_some_and(|all| all.iter().any(fits)), "one of")
        }
        "$includes" => {
            let mut rest = found.and_then(Json::as_array).map_or(&[][..], Vec::as_slice).iter();
            // In this order, with anything between.
            let mut wanted = with.as_array().into_iter().flatten();
            let holds = wanted.all(|one| rest.any(|item| differences(one, item).is_empty()));
            (holds && found.is_some_and(Json::is_array), "a list that includes, in this order,")
        }
        "$at-least" => (number.is_some_and(|(found, least)| found >= least), "a number of at least"),
        _ => (number.is_some_and(|(found, most)| found <= most), "a number of at most"),
    };
    if !holds {
        let expected = format!("{words} {}", shown(with));
        out.push(Difference { path: path.to_owned(), expected, found: found_shown(found) });
    }
}

/// The way and what it is with, where an expectation is not a value.
fn way(expected: &Json) -> Option<(&str, &Json)> {
    let members = expected.as_object().filter(|members| members.len() == 1)?;
    let (name, with) = members.iter().next()?;
    WAYS.contains(&name.as_str()).then_some((name, with))
}

/// By value: 1 is 1.0.
fn same_number(a: &serde_json::Number, b: &serde_json::Number) -> bool {
    match (a.as_i64(), b.as_i64()) {
        (Some(a), Some(b)) => a == b,
        _ => a.as_f64() == b.as_f64(),
    }
}

fn count(n: usize) -> String {
    if n == 1 { "1 item".to_owned() } else { format!("{n} items") }
}

fn found_shown(found: Option<&Json>) -> String {
    found.map_or_else(|| "nothing".to_owned(), shown)
}

fn shown(json: &Json) -> String {
    let text = json.to_string();
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}… ({} bytes)", text.get(..end).unwrap_or_default(), text.len()),
        None => text,
    }
}

/// Refuses what begins with `$` and is no way, or a way with what it cannot be with.
pub(super) fn check(spot: &Spot<'_>) -> Read<()> {
    match spot.json {
        Json::Object(_) => {
            for (key, below) in spot.entries()? {
                if key.starts_with('$') {
                    let right = match key {
                        "$contains" => below.json.is_string(),
                        "$one-of" | "$includes" => below.json.is_array(),
                        "$at-least" | "$at-most" => below.json.is_number(),
                        _ => return spot.keys(WAYS),
                    };
                    match (right, spot.json.as_object().map(serde_json::Map::len)) {
                        (true, Some(1)) => {}
                        (true, _) => return below.because(format!("{key} stands alone"), None),
                        (false, _) => return below.wrong(
                            "text for $contains, a list for $one-of and $includes, a number for $at-least and $at-most",
                        ),
                    }
                }
                check(&below)?;
            }
            Ok(())
        }
        Json::Array(_) => spot.items()?.iter().try_for_each(check),
        _ => Ok(()),
    }
}

/// The same with each `{$repeat: TEXT, times: N}` written out.
pub(super) fn repeated(json: Json) -> Json {
    match json {
        Json::Object(members) => {
            let text = members.get("$repeat").and_then(Json::as_str);
            let times = members.get("times").and_then(Json::as_u64).and_then(|n| usize::try_from(n).ok());
            match (text, times) {
                (Some(text), Some(times))
                    if members.len() == 2 && text.len().saturating_mul(times) <= MOST_REPEATED =>
                {
                    text.repeat(times).into()
                }
                _ => members.into_iter().map(|(k, v)| (k, repeated(v))).collect(),
            }
        }
        Json::Array(items) => items.into_iter().map(repeated).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn all(expected: &Json, found: &Json) -> String {
        let one = |d: Difference| format!("{}: {} / {}", d.path, d.expected, d.found);
        differences(expected, found).into_iter().map(one).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn what_is_not_named_may_be_anything() {
        let found = json!({"result": "ok", "tasks": [{"eid": "x", "tags": []}], "fuel": 7, "n": 1.0, "message": null});
        for expected in [
            json!({}),
            json!({"result": "ok"}),
            json!({"tasks": [{"eid": "x"}], "n": 1}),
            json!({"message": null, "absent": null}),
            json!({"fuel": {"$at-most": 7}, "n": {"$at-least": 1}}),
            json!({"result": {"$one-of": ["failed", "ok"]}, "tasks": {"$includes": [{"eid": {"$contains": "x"}}]}}),
        ] {
            assert_eq!(all(&expected, &found), "", "{expected}");
        }
    }

    #[test]
    fn differences_have_a_path_and_both_sides() {
        let found = json!({"result": "failed", "tasks": [{"eid": "x"}, {"eid": "y"}], "fuel": 7, "log": [1, 2, 3]});
        let expected = json!({
            "result": {"$one-of": ["ok"]},
            "tasks": [{"eid": "x", "tags": []}, {"eid": "z"}],
            "changes": [],
            "fuel": {"$at-most": 6},
            "log": {"$includes": [3, 2]},
        });
        insta::assert_snapshot!(all(&expected, &found), @r#"
        changes: [] / nothing
        fuel: a number of at most 6 / 7
        log: a list that includes, in this order, [3,2] / [1,2,3]
        result: one of ["ok"] / "failed"
        tasks[0].tags: [] / nothing
        tasks[1].eid: "z" / "y"
        "#);
        insta::assert_snapshot!(all(&json!({"log": [1], "tasks": [], "result": {"$contains": "x"}}), &found), @r#"
        log: 1 item: [1] / 3 items: [1,2,3]
        result: a text that contains "x" / "failed"
        tasks: 0 items: [] / 2 items: [{"eid":"x"},{"eid":"y"}]
        "#);
        let large = "x".repeat(1000);
        assert!(all(&json!(large), &json!("y")).contains("… (1002 bytes)"));
    }

    #[test]
    fn large_numbers_are_not_rounded() {
        assert_ne!(all(&json!(i64::MAX), &json!(i64::MAX - 1)), "");
        assert_eq!(all(&json!(i64::MIN), &json!(i64::MIN)), "");
    }
}
