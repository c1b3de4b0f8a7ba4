//! What an answer that is no success means, in words.
//!
//! Three forms are read: problem details, which our own routes answer, `{"detail": …}` with a text or a list, which DP³
//! answers and our server answers on DP³'s paths, and the envelope of IRIS's paths.

use serde_json::Value;

use crate::error::{CliError, Kind};
use crate::output::{field, plain};

/// Longest value that an error repeats, in characters.
const MAX_GIVEN: usize = 60;

/// The error that a server's answer means.
pub(crate) fn problem(status: u16, body: &Value, with_token: bool) -> CliError {
    let code = body.get("code").and_then(Value::as_str).map_or(String::new(), |c| format!(", {c}"));
    let stands = format!("(HTTP {status}{code})");
    let lines = |entries: &[Value]| entries.iter().map(|e| format!("\n  {}", located(e))).collect::<String>();
    let message = match (body.get("detail"), body) {
        (Some(Value::String(detail)), _) if only(body).is_some_and(|one| field(one, "msg") == *detail) => {
            format!("{} {stands}", only(body).map_or(String::new(), located))
        }
        (Some(Value::String(detail)), _) => {
            let errors = body.get("errors").and_then(Value::as_array).map_or(String::new(), |e| lines(e));
            format!("{detail}{errors} {stands}")
        }
        (Some(Value::Array(entries)), _) => match entries.as_slice() {
            [one] => format!("{} {stands}", located(one)),
            several => format!("the server refuses what it was given {stands}:{}", lines(several)),
        },
        _ if body.get("status").and_then(Value::as_str) == Some("error") => {
            let fields = body.get("data").and_then(Value::as_object).filter(|_| status == 400);
            let fields = fields.into_iter().flatten().filter(|(_, texts)| texts.is_array());
            let fields = fields.map(|(name, texts)| format!("\n  {name}: {}", words(texts)));
            let message = body.get("message").and_then(Value::as_str).unwrap_or("the server refuses it");
            format!("{message}{} {stands}", fields.collect::<String>())
        }
        (_, Value::String(text)) if !text.is_empty() => {
            format!("{} {stands}", text.chars().take(300).collect::<String>())
        }
        _ => {
            let title = body.get("title").and_then(Value::as_str);
            format!("{} {stands}", title.unwrap_or("the server gave no reason"))
        }
    };
    let message = message.lines().map(plain).collect::<Vec<_>>().join("\n");
    let advised = message.contains("tenter ");
    let error = CliError::new(Kind::of_status(status), message);
    match status {
        // The server has said already what to do.
        _ if advised => error,
        401 if !with_token => {
            error.help("give an operator's token with `--token` or TENTER_TOKEN; `tenter token create` makes one")
        }
        401 | 403 => {
            error.help("the token does not allow it; `tenter token create --role operator` makes one that does")
        }
        422 if names(body, "etype") => error.help("`tenter entity list` shows which entity types there are"),
        422 if names(body, "attr") => {
            error.help("`tenter entity list -o json` shows which attributes each entity type has")
        }
        429 | 503 => error.help("the server is busy; try again in a moment"),
        _ => error,
    }
}

/// Whether an answer says that the server has no such route at all, as opposed to no such thing: DP³'s framework has one
/// body for it, and ours always gives a code or more words.
pub(super) fn lacks_route(status: u16, body: &Value) -> bool {
    let members = body.as_object().map_or(0, serde_json::Map::len);
    status == 404 && members == 1 && body.get("detail").and_then(Value::as_str) == Some("Not Found")
}

/// `loc` and `msg` of one entry of an error list, and the value that is wrong when it is short and not told yet.
fn located(entry: &Value) -> String {
    let place = match entry.get("loc") {
        Some(Value::Array(parts)) => parts.iter().map(|p| field(p, "")).collect::<Vec<_>>().join("."),
        Some(Value::String(text)) => text.clone(),
        _ => String::new(),
    };
    let message = entry.get("msg").and_then(Value::as_str).unwrap_or("not valid");
    let given = match entry.get("input") {
        Some(Value::String(text)) if !text.is_empty() => text.clone(),
        Some(number @ Value::Number(_)) => number.to_string(),
        _ => String::new(),
    };
    let told = given.is_empty() || message.contains(&given) || given.chars().count() > MAX_GIVEN;
    let given = if told { String::new() } else { format!(", found {given:?}") };
    if place.is_empty() { format!("{message}{given}") } else { format!("{place}: {message}{given}") }
}

/// Texts of an error, or what stands in their place.
fn words(texts: &Value) -> String {
    match texts {
        Value::String(text) => text.clone(),
        Value::Array(texts) => texts.iter().map(words).collect::<Vec<_>>().join("; "),
        other => other.to_string(),
    }
}

/// The entry of an error list that has one.
fn only(body: &Value) -> Option<&Value> {
    match body.get("errors").and_then(Value::as_array)?.as_slice() {
        [one] => Some(one),
        _ => None,
    }
}

/// Whether the first entry of an error list is about this parameter.
fn names(body: &Value, parameter: &str) -> bool {
    let entries = body.get("detail").filter(|d| d.is_array()).or_else(|| body.get("errors"));
    let loc = entries.and_then(|e| e.get(0)).and_then(|e| e.get("loc")).and_then(Value::as_array);
    loc.and_then(|parts| parts.last()).and_then(Value::as_str) == Some(parameter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(error: &CliError) -> String {
        format!("{error}\nhelp: {}", error.help.as_deref().unwrap_or("-"))
    }

    #[test]
    fn envelopes_of_iris_are_read() {
        let body = json!({"status": "error", "message": "Data error", "data": {"ioc_value": ["Too short", "Wrong"]}});
        assert_eq!(shown(&problem(400, &body, true)), "Data error\n  ioc_value: Too short; Wrong (HTTP 400)\nhelp: -");
        let body =
            json!({"status": "error", "message": "Denied by module m: no", "data": {"module": "m", "reason": "no"}});
        assert_eq!(shown(&problem(400, &body, true)), "Denied by module m: no (HTTP 400)\nhelp: -");
    }

    #[test]
    fn errors_of_both_forms_are_read() {
        let ours = json!({"type": "about:blank", "title": "Unprocessable", "status": 422, "code": "unknown-entity",
            "detail": "the component is refused", "errors": [{"loc": ["subscriptions", 0], "msg": "no entity \"hots\""}]});
        insta::assert_snapshot!(problem(422, &ours, true), @r#"
        the component is refused
          subscriptions.0: no entity "hots" (HTTP 422, unknown-entity)
        "#);
        let alike = json!({"detail": "no such time", "code": "invalid-input", "errors": [{"loc": ["body", "time"], "msg": "no such time"}]});
        insta::assert_snapshot!(problem(422, &alike, true), @"body.time: no such time (HTTP 422, invalid-input)");
        let theirs = json!({"detail": [{"loc": ["path", "etype"], "msg": "Entity type 'x' doesn't exist", "type": "value_error"}]});
        insta::assert_snapshot!(shown(&problem(422, &theirs, true)), @"
        path.etype: Entity type 'x' doesn't exist (HTTP 422)
        help: `tenter entity list` shows which entity types there are
        ");
        let bad_query = json!({"detail": "Attribute 'x' in fulltext filter doesn't exist"});
        let bad_query = problem(400, &bad_query, true);
        insta::assert_snapshot!(shown(&bad_query), @"
        Attribute 'x' in fulltext filter doesn't exist (HTTP 400)
        help: -
        ");
        assert_eq!(bad_query.kind, Kind::Invalid);
        insta::assert_snapshot!(problem(502, &json!("<html>\u{1b}[0m"), true), @r"<html>\u{1b}[0m (HTTP 502)");
        assert!(problem(401, &Value::Null, false).help.unwrap().contains("TENTER_TOKEN"));
    }

    #[test]
    fn each_wrong_parameter_has_a_line() {
        let body = json!({"detail": [
            {"type": "greater_than_equal", "loc": ["query", "skip"], "msg": "Input should be greater than or equal to 0",
                "input": "-1", "ctx": {"ge": 0}},
            {"type": "value_error", "loc": ["query", "eid"], "msg": "'x' is no address", "input": "x"},
            {"type": "missing", "loc": ["body", 3, "v"], "msg": "Field required", "input": {"type": "ip"}},
        ]});
        insta::assert_snapshot!(problem(422, &body, true), @r#"
        the server refuses what it was given (HTTP 422):
          query.skip: Input should be greater than or equal to 0, found "-1"
          query.eid: 'x' is no address
          body.3.v: Field required
        "#);
    }

    #[test]
    fn a_route_that_is_missing_is_told_from_a_thing_that_is() {
        assert!(lacks_route(404, &json!({"detail": "Not Found"})));
        assert!(!lacks_route(404, &json!({"detail": "Not Found", "code": "not-found"})));
        assert!(!lacks_route(404, &json!({"detail": "no module \"x\""})));
        assert!(!lacks_route(422, &json!({"detail": "Not Found"})));
    }
}
