//! A report for people.

use serde_json::Value as Json;

use crate::output::{bytes, field, pairs, plain, table};

/// What came of a call, in words and tables.
pub(in crate::cli) fn human(report: &Json) -> String {
    let number = |name: &str| report.get(name).and_then(Json::as_u64).unwrap_or(0);
    let verdict = match report.pointer("/verdict/allow").and_then(Json::as_bool) {
        Some(true) => "allow".to_owned(),
        Some(false) => format!("deny: {}", field(report, "verdict.reason")),
        None => String::new(),
    };
    let judgement = match report.get("judgement") {
        Some(Json::Object(given)) => match given.get("denied") {
            Some(reason) => format!("denied: {}", field(reason, "")),
            None => format!("replaced by {}", given.get("replaced").map_or(String::new(), Json::to_string)),
        },
        Some(other) => field(other, ""),
        None => String::new(),
    };
    let mut facts = vec![
        ("result", field(report, "result")),
        ("message", field(report, "message")),
        ("verdict", verdict),
        ("judgement", plain(&judgement)),
        ("report", field(report, "report.message")),
        ("called", field(report, "subscriptions")),
        ("fuel", field(report, "fuel")),
        ("time", format!("{} us", number("micros"))),
        ("memory", bytes(number("memory_bytes"))),
    ];
    facts.retain(|(name, text)| !text.is_empty() || !["judgement", "report"].contains(name));
    let mut text = pairs(&facts);
    let items = |name: &str| report.get(name).and_then(Json::as_array).cloned().unwrap_or_default();
    let mut rows = Vec::new();
    for task in items("tasks") {
        let entity = format!("{} {}", field(&task, "etype"), field(&task, "eid"));
        let points = task.get("data_points").and_then(Json::as_array).cloned().unwrap_or_default();
        let shown = |dp: &Json| {
            vec![
                entity.clone(),
                field(dp, "attr"),
                dp.get("v").map_or(String::new(), Json::to_string),
                field(dp, "t1"),
                field(dp, "t2"),
            ]
        };
        rows.extend(points.iter().map(shown));
        if task.get("delete") == Some(&Json::Bool(true)) {
            rows.push(vec![entity, "(removed)".to_owned()]);
        } else if points.is_empty() {
            rows.push(vec![entity, "(no datapoint)".to_owned()]);
        }
    }
    if !rows.is_empty() {
        text.push('\n');
        text.push_str(&table(&["task on", "attribute", "value", "t1", "t2"], rows));
    }
    let changes: Vec<Vec<String>> = items("changes").iter().map(change).collect();
    if !changes.is_empty() {
        text.push('\n');
        text.push_str(&table(&["change of", "attribute", "value"], changes));
    }
    let effects: Vec<Vec<String>> = items("effects").iter().flat_map(effect).collect();
    if !effects.is_empty() {
        text.push('\n');
        text.push_str(&table(&["effect on", "change", "value"], effects));
    }
    let undeclared: Vec<String> = items("undeclared").iter().map(|name| field(name, "")).collect();
    if !undeclared.is_empty() {
        text.push_str(&format!("\nnot declared by may-change: {}\n", undeclared.join(", ")));
    }
    if let Some(state) = report.get("state").and_then(Json::as_object).filter(|s| !s.is_empty()) {
        let rows = state.iter().map(|(k, v)| vec![k.clone(), field(v, "")]).collect();
        text.push('\n');
        text.push_str(&table(&["state key", "value"], rows));
    }
    let content = field(report, "report.content");
    if !content.is_empty() {
        text.push_str(&format!("\n{}\n", content.lines().map(plain).collect::<Vec<_>>().join("\n")));
    }
    let log = items("log");
    if !log.is_empty() {
        text.push('\n');
        text.extend(log.iter().map(|l| format!("{:8}{}\n", field(l, "level"), plain(&field(l, "message")))));
    }
    text
}

/// Rows for an effect on a case object: one for each edit.
fn effect(effect: &Json) -> Vec<Vec<String>> {
    let refused = field(effect, "refused");
    let refused = if refused.is_empty() { String::new() } else { format!(" (refused: {refused})") };
    let Some(patch) = effect.get("patch") else {
        let body = effect.pointer("/create/body").map_or(String::new(), Json::to_string);
        return vec![vec![field(effect, "create.object"), format!("create{refused}"), body]];
    };
    let target = format!("{} {}", field(patch, "object"), field(patch, "id"));
    let edits = patch.get("edits").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
    let edits = edits.iter().filter_map(Json::as_object).flatten();
    edits.map(|(name, value)| vec![target.clone(), format!("{name}{refused}"), value.to_string()]).collect()
}

/// A row for a change: its values with their confidence.
fn change(change: &Json) -> Vec<String> {
    let values = change.get("values").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
    let one = |weighted: &Json| {
        let v = weighted.get("v").map_or(String::new(), Json::to_string);
        match weighted.get("c").and_then(Json::as_f64) {
            Some(confidence) => format!("{v} ({confidence})"),
            None => v,
        }
    };
    let shown = values.iter().map(one).collect::<Vec<_>>().join(", ");
    vec![
        format!("{} {}", field(change, "etype"), field(change, "eid")),
        field(change, "attr"),
        if values.is_empty() { "(removed)".to_owned() } else { shown },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn people_see_all_of_it() {
        let report = json!({
            "result": "ok", "message": null, "subscriptions": ["a", "b"], "verdict": null, "fuel": 1234, "micros": 56,
            "memory_bytes": 1_114_112, "state": {"seen": "3"},
            "tasks": [
                {"etype": "ip", "eid": "192.0.2.1", "data_points": [{"attr": "label", "v": "private", "t1": null, "t2": null}]},
                {"etype": "ip", "eid": "192.0.2.2", "data_points": [], "delete": true},
            ],
            "changes": [
                {"etype": "ip", "eid": "192.0.2.1", "attr": "ports", "values": [{"v": 22, "c": 0.5}, {"v": 80, "c": null}]},
                {"etype": "site", "eid": "a", "attr": "name", "values": []},
            ],
            "undeclared": ["site.name"],
            "log": [{"level": "info", "message": "hello\u{1b}"}],
        });
        insta::assert_snapshot!(human(&report), @r#"
        result   ok
        called   a, b
        fuel     1234
        time     56 us
        memory   1.06 MiB

        TASK ON       ATTRIBUTE  VALUE      T1  T2
        ip 192.0.2.1  label      "private"
        ip 192.0.2.2  (removed)

        CHANGE OF     ATTRIBUTE  VALUE
        ip 192.0.2.1  ports      22 (0.5), 80
        site a        name       (removed)

        not declared by may-change: site.name

        STATE KEY  VALUE
        seen       3

        info    hello\u{1b}
        "#);
        let denied = json!({"result": "ok", "verdict": {"allow": false, "reason": "private"}});
        let case = json!({
            "result": "ok", "judgement": {"replaced": {"ioc_value": "x"}}, "report": {"message": "seen", "content": "a\nb"},
            "effects": [
                {"patch": {"object": "ioc", "id": 7, "edits": [{"add_tag": "x"}, {"set_field": {"name": "a", "value": 1}}]}},
                {"create": {"object": "note", "body": {"note_title": "t"}}, "refused": "it needs a grant"},
            ],
        });
        insta::assert_snapshot!(human(&case), @r#"
        result     ok
        judgement  replaced by {"ioc_value":"x"}
        report     seen
        time       0 us
        memory     0 B

        EFFECT ON  CHANGE                              VALUE
        ioc 7      add_tag                             "x"
        ioc 7      set_field                           {"name":"a","value":1}
        note       create (refused: it needs a grant)  {"note_title":"t"}

        a
        b
        "#);
        insta::assert_snapshot!(human(&denied), @"
        result   ok
        verdict  deny: private
        time     0 us
        memory   0 B
        ");
    }
}
