//! What the demonstration prints: figures, a found indicator, one full profile, and where to look further.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::snapshots::Pictures;
use crate::client::{Client, part};
use crate::output::{field, plain, table};

/// Entities looked at in search of the richest profile.
const LOOK_AT: usize = 40;

/// Collects the figures and the profile from the server.
///
/// # Errors
/// When the server does not answer.
pub(super) fn report(
    client: &Client,
    status: &Value,
    config: &Value,
    pictures: &Pictures<'_>,
) -> anyhow::Result<Value> {
    let by_type = status.get("entities").cloned().unwrap_or_default();
    let entities: u64 = by_type.as_object().into_iter().flatten().filter_map(|(_, n)| n.as_u64()).sum();
    let found = found_indicators(client, config)?;
    let calls = status.get("hook_calls").cloned().unwrap_or_default();
    let profile = richest(client, &found, pictures)?;
    let number = |path: &str| status.pointer(path).and_then(Value::as_u64).unwrap_or(0);
    Ok(json!({
        "entities": entities,
        "entities_by_type": by_type,
        "datapoints": {"received": number("/datapoints/received"), "derived": number("/datapoints/derived")},
        "tasks": status.get("tasks"),
        "hook_calls": calls,
        "indicators_found": found.len(),
        "indicators": found,
        "profile": profile,
        "pending": number("/tasks/pending"),
        "dead_letters": number("/tasks/dead"),
    }))
}

/// Entities of the demonstration list that a module marked.
fn found_indicators(client: &Client, config: &Value) -> anyhow::Result<Vec<Value>> {
    let mut found = Vec::new();
    for entry in config.get("indicators").and_then(Value::as_array).into_iter().flatten() {
        let etype = if field(entry, "type") == "address" { "ip" } else { "domain" };
        let eid = field(entry, "value");
        let answer = client.get(&format!("/entity/{etype}/{}/get/indicator", part(&eid)))?;
        if let Some(mark) = answer.get("current_value").filter(|v| !v.is_null()) {
            found.push(json!({"etype": etype, "eid": eid, "indicator": mark}));
        }
    }
    Ok(found)
}

/// The found address whose risk was fused from most, and of these the one of which most is known; without one, the first
/// address stored. With it, its snapshots, oldest first.
fn richest(client: &Client, found: &[Value], pictures: &Pictures<'_>) -> anyhow::Result<Value> {
    let mut ids: Vec<String> =
        found.iter().filter(|f| field(f, "etype") == "ip").take(LOOK_AT).map(|f| field(f, "eid")).collect();
    if ids.is_empty() {
        let page = client.get("/api/v1/entities/ip?limit=40")?;
        ids.extend(page.get("entities").and_then(Value::as_array).into_iter().flatten().map(|e| field(e, "eid")));
    }
    let mut best = ((0, 0), Value::Null);
    for eid in ids {
        let master = client.get(&format!("/entity/ip/{}/master", part(&eid)))?;
        let history = pictures.of("ip", &eid)?;
        let fused =
            history.last().and_then(|latest| latest.get("risk_from")).and_then(Value::as_array).map_or(0, Vec::len);
        let rank = (fused, master.as_object().map_or(0, serde_json::Map::len));
        if rank > best.0 {
            best = (rank, json!({"etype": "ip", "eid": eid, "master": master, "snapshots": history}));
        }
    }
    Ok(best.1)
}

/// The report for people.
pub(super) fn human(report: &Value) -> String {
    let mut text = String::new();
    let number = |path: &str| field(report, path);
    let types: Vec<String> = report
        .get("entities_by_type")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(etype, n)| format!("{n} {etype}"))
        .collect();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "\nentities     {} ({})", number("entities"), types.join(", "));
    let _ = writeln!(
        text,
        "datapoints   {} received, {} derived by modules",
        number("datapoints.received"),
        number("datapoints.derived")
    );
    let _ = writeln!(
        text,
        "tasks        {} accepted = {} applied + {} denied + {} dead letters + {} pending\n",
        number("tasks.accepted"),
        number("tasks.applied"),
        number("tasks.denied"),
        number("dead_letters"),
        number("pending")
    );
    let rows = report
        .get("hook_calls")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|call| {
            let calls = call.get("calls").and_then(Value::as_u64).unwrap_or(0).max(1);
            let mean = |key: &str| call.get(key).and_then(Value::as_u64).unwrap_or(0) / calls;
            vec![
                field(call, "module"),
                field(call, "hook"),
                field(call, "calls"),
                field(call, "faults"),
                field(call, "tasks"),
                mean("fuel").to_string(),
                mean("micros").to_string(),
            ]
        })
        .collect();
    text.push_str(&table(&["module", "hook", "calls", "faults", "tasks", "fuel/call", "us/call"], rows));
    let found = report.get("indicators").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let _ = writeln!(text, "\nfound of the demonstration list: {}", found.len());
    for mark in found.iter().take(5) {
        let _ = writeln!(
            text,
            "  {} {}: {}",
            field(mark, "etype"),
            plain(&field(mark, "eid")),
            plain(&field(mark, "indicator.note"))
        );
    }
    if found.len() > 5 {
        let _ = writeln!(text, "  and {} more", found.len() - 5);
    }
    profile(&mut text, report);
    if let Some(case) = report.get("case") {
        let _ = write!(text, "\n{}", super::cases::human(case));
    }
    let _ = writeln!(text, "\ndone in {} s", number("elapsed_s"));
    text
}

fn profile(text: &mut String, report: &Value) {
    let Some(master) = report.pointer("/profile/master").and_then(Value::as_object) else { return };
    let _ = writeln!(text, "\nprofile of {} {}", field(report, "profile.etype"), plain(&field(report, "profile.eid")));
    for (attr, stored) in master {
        let _ = writeln!(text, "  {attr:<16} {}", plain(&shown(stored)));
    }
    let snapshots = report.pointer("/profile/snapshots").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for (n, document) in snapshots.iter().enumerate() {
        let _ = writeln!(text, "\nits snapshot {} of {}", n + 1, field(document, "_time_created"));
        let before = n.checked_sub(1).and_then(|n| snapshots.get(n));
        for (attr, value) in document.as_object().into_iter().flatten() {
            let told = ["eid", "_time_created"].contains(&attr.as_str()) || attr.ends_with("#c");
            let empty = value.as_array().is_some_and(Vec::is_empty);
            if told || empty || before.is_some_and(|before| before.get(attr) == Some(value)) {
                continue;
            }
            let _ = writeln!(text, "  {attr:<16} {}", plain(&current(document, attr, value)));
        }
        if before.is_some() {
            let _ = writeln!(text, "  {:<16} as before", "all else");
        }
    }
}

/// A current value in one line: with its confidence, or how many values there are and the first of them.
fn current(document: &Value, attr: &str, value: &Value) -> String {
    let confidence = document.get(format!("{attr}#c"));
    match value {
        Value::Array(values) => {
            let first: Vec<String> = values.iter().take(4).map(short).collect();
            let more = if values.len() > 4 { format!(" and {} more", values.len() - 4) } else { String::new() };
            format!("{}{more}", first.join(", "))
        }
        one => match confidence.and_then(Value::as_f64) {
            Some(confidence) => format!("{} ({:.0} %)", short(one), confidence * 100.0),
            None => short(one),
        },
    }
}

/// A stored attribute in one line: its value, or how many points there are and the last values.
fn shown(stored: &Value) -> String {
    match stored {
        Value::Array(points) => {
            let mut values: Vec<String> = Vec::new();
            for value in points.iter().rev().filter_map(|point| point.get("v")) {
                let one = short(value);
                if !values.contains(&one) {
                    values.push(one);
                }
                if values.len() == 4 {
                    break;
                }
            }
            format!("{} points, last {}", points.len(), values.join(", "))
        }
        Value::Object(plain_value) => plain_value.get("v").map_or_else(|| stored.to_string(), short),
        other => short(other),
    }
}

fn short(value: &Value) -> String {
    let text = match (value, value.get("eid")) {
        (_, Some(eid)) => short(eid),
        (Value::String(text), _) => text.clone(),
        (other, _) => other.to_string(),
    };
    if text.chars().count() > 60 { text.chars().take(57).chain("...".chars()).collect() } else { text }
}

/// Commands worth trying on a server that was kept.
pub(super) fn further(report: &Value) -> Vec<String> {
    let eid = field(report, "profile.eid");
    vec![
        "status".to_owned(),
        "module list".to_owned(),
        "hook list".to_owned(),
        "case list".to_owned(),
        "action jobs".to_owned(),
        "entity list domain".to_owned(),
        format!("entity master ip {eid}"),
        format!("entity raw ip --eid {eid}"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_shown_in_a_line() {
        assert_eq!(shown(&json!({"v": {"eid": "a.example"}, "ts_last_update": "x"})), "a.example");
        assert_eq!(shown(&json!([{"v": 1}, {"v": 2}, {"v": 2}])), "3 points, last 2, 1");
        assert_eq!(short(&json!("x".repeat(61))).len(), 60);
        let document = json!({"role": "client", "role#c": 0.876, "ports": [1, 2, 3, 4, 5, 6], "risk": 0.5});
        let shown = |attr: &str| current(&document, attr, &document[attr]);
        assert_eq!([shown("role"), shown("ports"), shown("risk")], ["client (88 %)", "1, 2, 3, 4 and 2 more", "0.5"]);
    }

    #[test]
    fn a_later_snapshot_shows_what_changed() {
        let first = json!({"eid": "a", "_time_created": "t1", "label": "public", "risk": 0.8, "serves": []});
        let second =
            json!({"eid": "a", "_time_created": "t2", "label": "public", "risk": 0.9, "risk_from": ["x", "y"]});
        let mut text = String::new();
        let report = json!({"profile": {"etype": "ip", "eid": "a", "master": {}, "snapshots": [first, second]}});
        profile(&mut text, &report);
        insta::assert_snapshot!(text, @"
        profile of ip a

        its snapshot 1 of t1
          label            public
          risk             0.8

        its snapshot 2 of t2
          risk             0.9
          risk_from        x, y
          all else         as before
        ");
    }
}
