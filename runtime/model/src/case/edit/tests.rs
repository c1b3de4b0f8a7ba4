use proptest::prelude::*;

use super::*;
use crate::case::fixture::{CASE, object, world};
use crate::case::validate::validate_update;

fn tag(text: &str) -> Edit {
    Edit::AddTag(text.into())
}

fn field(name: &str, value: Value) -> Edit {
    Edit::SetField { name: name.into(), value }
}

fn patched(kind: ObjectKind, edits: &[Edit]) -> Result<Body, EditError> {
    apply(&object(kind), Some(3), edits, CASE, &world())
}

#[test]
fn edits_apply_in_their_order() {
    let report = CustomField {
        tab: "VT Report".into(),
        name: "HTML report".into(),
        kind: "html".into(),
        value: json!("<p onclick=x>7/70</p>"),
    };
    let body = patched(
        ObjectKind::Ioc,
        &[
            tag("vt:malicious"),
            tag("seen"),
            Edit::RemoveTag("seen".into()),
            Edit::AppendDescription("One.".into()),
            Edit::AppendDescription("Two.".into()),
            field("ioc_tlp_id", json!("1")),
            Edit::SetCustomField(report),
        ],
    )
    .unwrap();
    assert_eq!((&body["ioc_tags"], &body["ioc_tlp_id"]), (&json!("vt:malicious"), &json!(1)));
    assert_eq!(body["ioc_description"], json!("One.\nTwo."));
    let tree = &body["custom_attributes"];
    assert_eq!(tree["VT Report"]["HTML report"]["value"], json!("<p>7/70</p>"));
    assert_eq!(tree["Ticket"]["number"]["type"], json!("input_string"), "the defaults are there too");
}

#[test]
fn a_patch_that_cannot_be_applied_says_why() {
    let stale = apply(&object(ObjectKind::Ioc), Some(2), &[tag("x")], CASE, &world()).unwrap_err();
    insta::assert_snapshot!(stale, @"ioc 5 has version 3, the patch expects version 2; read it again and repeat");
    let refused = |kind, edit: Edit| patched(kind, &[tag_or_text(kind), edit]).unwrap_err().to_string();
    insta::assert_snapshot!(refused(ObjectKind::Evidence, tag("x")), @"objects of kind evidence have no tags");
    insta::assert_snapshot!(refused(ObjectKind::Ioc, field("ioc_value", json!("x"))), @r#"a module cannot set "ioc_value" of an object of kind ioc; it can set: ioc_tlp_id, ioc_description, ioc_tags, ioc_misp, ioc_enrichment"#);
    insta::assert_snapshot!(refused(ObjectKind::Task, field("task_status_id", json!(99))), @"task_status_id: Invalid task status ID");
    insta::assert_snapshot!(refused(ObjectKind::Ioc, tag("a,b")), @r#""a,b" is no tag; one word or phrase without commas is expected"#);
    insta::assert_snapshot!(refused(ObjectKind::Ioc, tag(&"x".repeat(600))), @"ioc_tags: Longer than maximum length 512.");
}

/// An edit that every kind takes, so that a refusal is that of the second.
fn tag_or_text(kind: ObjectKind) -> Edit {
    if kind.info().tags.is_some() { tag("first") } else { Edit::AppendDescription("first".into()) }
}

fn any_edit() -> impl Strategy<Value = Edit> {
    let names: Vec<_> = ObjectKind::ALL.iter().flat_map(|kind| kind.info().fields).map(|field| field.name).collect();
    let value = prop_oneof![
        Just(Value::Null),
        (0i64..8).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        "[a-z <>,]{0,8}".prop_map(Value::from),
    ];
    prop_oneof![
        "[a-c,]{1,2}".prop_map(Edit::AddTag),
        "[a-c]".prop_map(Edit::RemoveTag),
        "\\PC{0,9}".prop_map(Edit::AppendDescription),
        (prop::sample::select(names), value.clone())
            .prop_map(|(name, value)| Edit::SetField { name: name.into(), value }),
        ("[ab]", "[ab]", prop::sample::select(custom::TYPES.to_vec()), value).prop_map(|(tab, name, kind, value)| {
            Edit::SetCustomField(CustomField { tab, name, kind: kind.into(), value })
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(debug_assertions) { 300 } else { 2_000 }, ..Default::default() })]

    /// A patched body is one that a client could have sent, and what modules may not set is as it was.
    #[test]
    fn a_patched_body_is_valid_and_keeps_what_is_not_a_modules(
        kind in prop::sample::select(ObjectKind::ALL.to_vec()),
        edits in prop::collection::vec(any_edit(), 0..4),
    ) {
        let before = object(kind);
        let Ok(body) = patched(kind, &edits) else { return Ok(()) };
        for field in kind.info().fields.iter().filter(|field| field.is_stored()) {
            let role = [kind.info().tags, kind.info().description, Some("custom_attributes")];
            if !field.settable && !role.contains(&Some(field.name)) {
                prop_assert_eq!(&body[field.name], &before.body[field.name]);
            }
        }
        let mut back = body.clone();
        if kind == ObjectKind::Task {
            back.insert("task_assignees_id".into(), json!([]));
        }
        let now = CaseObject { body, ..before };
        prop_assert!(validate_update(&now, &Value::Object(back), CASE, &world()).is_ok());
    }

    /// Adding a tag twice is adding it once; removing it gives the tags that were there.
    #[test]
    fn tags_come_and_go(text in "[a-d ,]{0,12}", one in "[a-d]") {
        let (once, before) = (tags::with(&text, &one), tags::canonical(&text));
        prop_assert_eq!(&tags::with(&once, &one), &once);
        prop_assert!(tags::split(&once).contains(&one.as_str()));
        prop_assert_eq!(tags::without(&once, &one), tags::without(&before, &one));
    }
}
