use serde_json::json;
use tenter_sdk::case::{Effect, ObjectRef, Trigger};
use tenter_sdk::testing::Harness;

use super::*;

fn ioc(value: &str) -> CaseObject {
    let body = json!({"ioc_value": value}).to_string();
    CaseObject { target: ObjectRef { object: "ioc".into(), id: 7 }, uuid: None, version: 4, body }
}

fn edits(old: Option<&str>, new: Option<&str>) -> Vec<String> {
    let mut module = Harness::<IocTags>::new(json!({"rules": [
        {"ends_with": ".onion", "tag": "tor", "note": "hidden"},
        {"ends_with": "bad.onion", "tag": "known", "note": "seen before"},
    ]}))
    .unwrap();
    let action = if old.is_some() { "update" } else { "create" };
    let event = Event { object: "ioc".into(), action: Some(action.into()) };
    let context = Context { case_id: Some(1), case_name: None, user: None, trigger: Trigger::Api };
    let written = Written { old: old.map(ioc), new: new.map(ioc), attachments: vec![] };
    let effects = module.after(&context, &event, &[written]).unwrap().effects;
    let mut said = Vec::new();
    for effect in effects {
        let Effect::Patch(patch) = effect else { panic!("nothing comes into being") };
        assert_eq!(patch.expected_version, Some(4));
        said.extend(patch.edits.iter().map(|edit| match edit {
            Edit::AddTag(tag) => format!("+{tag}"),
            Edit::AppendDescription(text) => text.clone(),
            Edit::SetCustomField(field) => format!("{}.{} = {}", field.tab, field.name, field.json),
            other => format!("{other:?}"),
        }));
    }
    said
}

#[test]
fn rules_that_fit_are_noted_with_their_reasons() {
    assert_eq!(edits(None, Some("x.Onion")), ["+tor", "Tagged tor: hidden.", "Rules.Matched = \".onion\""]);
    let both = edits(None, Some("bad.onion"));
    assert_eq!(both.len(), 5);
    assert_eq!(both[4], "Rules.Matched = \".onion, bad.onion\"");
    assert_eq!(edits(None, Some("a.example")), [""; 0]);
}

#[test]
fn the_same_value_is_noted_once() {
    assert_eq!(edits(Some("x.onion"), Some("x.onion")), [""; 0]);
    assert_eq!(edits(Some("a.example"), Some("x.onion")).len(), 3);
    assert_eq!(edits(Some("x.onion"), None), [""; 0]);
}
