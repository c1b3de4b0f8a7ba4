//! `docs/from-dp3.md` names what exists.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use tenter_model::config::{json_schema, schema_kinds};

use super::super::routes::table;

fn docs(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)).unwrap()
}

/// Names of keys in a schema, at any depth.
fn keys(schema: &Value, out: &mut BTreeSet<String>) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::Object(properties)) = map.get("properties") {
                out.extend(properties.keys().cloned());
            }
            map.values().for_each(|inner| keys(inner, out));
        }
        Value::Array(items) => items.iter().for_each(|inner| keys(inner, out)),
        _ => {}
    }
}

#[test]
fn the_page_for_users_of_dp3_names_what_exists() {
    let page = docs("from-dp3.md").split_whitespace().collect::<Vec<_>>().join(" ");
    let mut settings = BTreeSet::new();
    schema_kinds().into_iter().for_each(|kind| keys(&json_schema(kind).unwrap(), &mut settings));
    let rows = table();
    let (cli, routes, files) = (docs("cli.md"), docs("http.md"), docs("configuration.md"));
    let (mut commands, mut paths, mut named) = (0, 0, 0);
    for code in page.split('`').skip(1).step_by(2) {
        if let Some(at) = code.find("tenter ").filter(|at| *at == 0 || code.contains("| tenter")) {
            let words: Vec<&str> =
                code[at..].split(' ').skip(1).take_while(|w| w.chars().all(|c| c.is_ascii_lowercase())).collect();
            let command = words.iter().take(2).copied().collect::<Vec<_>>().join(" ");
            let there = cli.contains(&format!("`tenter {command}")) || cli.contains(&format!("`{command}"));
            assert!(there, "`tenter {command}` is not in docs/cli.md");
            commands += 1;
        } else if let Some((method, path)) = code.split_once(' ').filter(|(_, path)| path.starts_with('/')) {
            assert!(rows.iter().any(|row| row.method == method && row.path == path), "{code} is no route");
            paths += 1;
        } else if code.starts_with('/') && !code.contains(' ') {
            assert!(routes.contains(&format!("`{code}")), "{code} is not in docs/http.md");
        } else if code.contains('_') && code.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '.') {
            const OTHERS: [&str; 7] =
                ["ip_filter", "tasks_by_src", "ts_last_update", "_time_created", "_", "depends_on", "eid_filter"];
            let known = settings.contains(code) || OTHERS.contains(&code) || files.contains(&format!("`{code}`"));
            assert!(known, "{code} is no setting");
            named += 1;
        }
    }
    assert!(commands > 12 && paths > 5 && named > 6, "{commands} commands, {paths} routes, {named} settings");
}
