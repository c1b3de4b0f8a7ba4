//! Attributes and values for people.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::output::{cut, field, plain, table};

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
    fn a_snapshot_is_a_line() {
        let document =
            json!({"_time_created": "t", "eid": 4, "a": 1, "a#c": 0.5, "b": {"eid": 7}, "c": {"eid": 7, "x": 1}});
        assert_eq!(snapshot(&document), r#"a=1 b=7 c={"eid":7,"x":1}"#);
    }
}
