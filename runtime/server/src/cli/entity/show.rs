//! Attributes and values for people.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::output::{cut, field, members, pairs, plain, table};

/// Most characters of a value in a table.
pub(super) const WIDEST: usize = 48;

/// Spaces between two columns.
const GAP: usize = 2;

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

/// All of an entity for people: what is known of it, then a line for each attribute. A value is that of the latest
/// snapshot, for what no snapshot has that of the record.
pub(super) fn whole(answer: &Value) -> String {
    let nothing = Value::Null;
    let record = answer.get("master_record").unwrap_or(&nothing);
    let snapshots = members(answer, "snapshots");
    let latest = snapshots.last().unwrap_or(&nothing);
    let kept = match snapshots.len() {
        0 => "none".to_owned(),
        n => format!("{n}, the latest of {}", field(latest, "_time_created")),
    };
    let mut facts = vec![("created", field(record, "#time_created")), ("snapshots", kept)];
    let tokens = record.get("#ttl").and_then(Value::as_object).into_iter().flatten();
    facts.extend(tokens.map(|(name, time)| ("lives", format!("until {} ({name})", field(time, "")))));
    let stored = own(record).map(|(name, _)| name);
    let names: BTreeSet<&String> = stored.chain(own(latest).map(|(name, _)| name)).collect();
    let rows = names.into_iter().map(|name| {
        let history = record.get(name).unwrap_or(&nothing);
        let points = history.as_array().map_or(&[][..], Vec::as_slice);
        let last = points.last().unwrap_or(history);
        let current = latest.get(name).or_else(|| last.get("v"));
        let at = if points.is_empty() { field(history, "ts_last_update") } else { field(last, "t2") };
        let points = if points.is_empty() { String::new() } else { points.len().to_string() };
        vec![name.clone(), cut(&value(current), WIDEST), at, points]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    format!("{}\n{}", pairs(&facts), table(&["attribute", "value", "as of", "points"], rows))
}

/// A value: text as it is, a link by the id that it leads to, anything else as JSON.
pub(super) fn value(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => plain(text),
        Some(Value::Object(link)) if link.len() == 1 && link.contains_key("eid") => self::value(link.get("eid")),
        Some(other) => other.to_string(),
    }
}

/// The values of a snapshot in one line.
pub(super) fn snapshot(document: &Value) -> String {
    let values = own(document).map(|(name, v)| format!("{name}={}", cut(&value(Some(v)), WIDEST)));
    values.collect::<Vec<_>>().join(" ")
}

/// Attributes of a snapshot without what is said about them.
fn own(document: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let all = document.as_object().into_iter().flatten();
    all.filter(|(name, _)| !name.contains('#') && !name.starts_with('_') && name.as_str() != "eid")
}

/// A table of snapshots with a column for each attribute, those that most entities have first. Where the terminal has an
/// edge, columns that do not fit are left out and named in `hidden`.
pub(super) fn wide(documents: &[Value], width: Option<usize>, hidden: &mut Vec<String>) -> String {
    let mut used: BTreeMap<&String, usize> = BTreeMap::new();
    for (name, _) in documents.iter().flat_map(own) {
        *used.entry(name).or_default() += 1;
    }
    let mut names: Vec<(&String, usize)> = used.into_iter().collect();
    names.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let mut headings = vec!["eid"];
    let mut rows: Vec<Vec<String>> = documents.iter().map(|d| vec![field(d, "eid")]).collect();
    let widest = |cells: &mut dyn Iterator<Item = usize>| cells.max().unwrap_or(0);
    let mut taken = widest(&mut rows.iter().flatten().map(|c| c.chars().count())).max(3);
    for (name, _) in names {
        let cells: Vec<String> = documents.iter().map(|d| cut(&value(d.get(name)), WIDEST)).collect();
        let needed = widest(&mut cells.iter().map(|c| c.chars().count())).max(name.chars().count()) + GAP;
        if width.is_some_and(|width| taken + needed > width) {
            hidden.push(name.clone());
            continue;
        }
        taken += needed;
        headings.push(name);
        for (row, cell) in rows.iter_mut().zip(cells) {
            row.push(cell);
        }
    }
    table(&headings, rows)
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
    #[test]
    fn a_list_has_the_columns_for_which_there_is_room() {
        let documents = [
            json!({"eid": "192.0.2.1", "hostname": "www.example", "ports": [22, 80], "ports#c": [1.0, 1.0], "_partial": true}),
            json!({"eid": "192.0.2.20", "hostname": "x".repeat(60), "site": {"eid": "home"}}),
        ];
        let mut hidden = Vec::new();
        insta::assert_snapshot!(wide(&documents, None, &mut hidden), @"
        EID         HOSTNAME                                          PORTS    SITE
        192.0.2.1   www.example                                       [22,80]
        192.0.2.20  xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…           home
        ");
        assert!(hidden.is_empty());
        insta::assert_snapshot!(wide(&documents, Some(70), &mut hidden), @"
        EID         HOSTNAME                                          PORTS
        192.0.2.1   www.example                                       [22,80]
        192.0.2.20  xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
        ");
        assert_eq!(hidden, ["site"]);
        insta::assert_snapshot!(wide(&[], Some(70), &mut Vec::new()), @"EID");
    }

    #[test]
    fn all_of_an_entity_has_a_line_for_each_attribute() {
        let point = |v: u16, t2: &str| json!({"v": v, "t1": "2026-01-01T00:00:00Z", "t2": t2, "c": 1.0});
        let answer = json!({
            "empty": false,
            "master_record": {
                "#time_created": "2026-01-01T00:00:00Z", "#ttl": {"base": "2040-01-01T00:00:00Z"},
                "hostname": {"v": "www.example", "ts_last_update": "2026-01-02T00:00:00Z"},
                "ports": [point(22, "2026-01-02T00:00:00Z"), point(80, "2026-01-03T00:00:00Z")],
            },
            "snapshots": [
                {"eid": "192.0.2.1", "_time_created": "2026-01-03T00:00:00Z", "ports": [22], "ports#c": [1.0]},
                {"eid": "192.0.2.1", "_time_created": "2026-01-04T00:00:00Z", "ports": [22, 80], "risk": 0.5},
            ],
        });
        insta::assert_snapshot!(whole(&answer), @"
        created    2026-01-01T00:00:00Z
        snapshots  2, the latest of 2026-01-04T00:00:00Z
        lives      until 2040-01-01T00:00:00Z (base)

        ATTRIBUTE  VALUE        AS OF                 POINTS
        hostname   www.example  2026-01-02T00:00:00Z
        ports      [22,80]      2026-01-03T00:00:00Z  2
        risk       0.5
        ");
        let fresh = json!({"master_record": {"#time_created": "2026-01-01T00:00:00Z"}, "snapshots": []});
        insta::assert_snapshot!(whole(&fresh), @"
        created    2026-01-01T00:00:00Z
        snapshots  none

        ATTRIBUTE  VALUE  AS OF  POINTS
        ");
    }

    #[test]
    fn a_snapshot_is_a_line() {
        let document =
            json!({"_time_created": "t", "eid": 4, "a": 1, "a#c": 0.5, "b": {"eid": 7}, "c": {"eid": 7, "x": 1}});
        assert_eq!(snapshot(&document), r#"a=1 b=7 c={"eid":7,"x":1}"#);
    }
}
