//! What the SDK for Python knows of case objects, held against the table of fields. `TENTER_UPDATE=1` writes it anew.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may fail loudly, and is told by the environment to write"
)]

use std::collections::BTreeMap;

use serde_json::json;
use tenter_model::case::ObjectKind;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../guest-sdk/python/iris/tenter_iris/fields.json");

#[test]
fn the_sdk_for_python_knows_the_fields_and_what_modules_may_set() {
    let kinds: BTreeMap<_, _> = ObjectKind::ALL
        .iter()
        .map(|kind| {
            let info = kind.info();
            let fields: BTreeMap<_, _> = info.fields.iter().map(|field| (field.name, field.settable)).collect();
            let told = BTreeMap::from([
                ("id", json!(info.id)),
                ("uuid", json!(info.uuid)),
                ("case", json!(info.case)),
                ("label", json!(info.label)),
                ("description", json!(info.description)),
                ("tags", json!(info.tags)),
                ("fields", json!(fields)),
            ]);
            (info.name, told)
        })
        .collect();
    let expected = format!("{}\n", serde_json::to_string_pretty(&kinds).unwrap());
    if std::env::var_os("TENTER_UPDATE").is_some() {
        std::fs::write(FILE, &expected).unwrap();
    }
    assert_eq!(std::fs::read_to_string(FILE).unwrap(), expected, "TENTER_UPDATE=1 writes {FILE} anew");
}
