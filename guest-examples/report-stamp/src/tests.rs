use serde_json::json;
use tenter_sdk::case::{Edit, Effect, Trigger, User};
use tenter_sdk::testing::Harness;

use super::*;

fn context() -> Context {
    let user = User { id: 1, login: "alice".into(), name: "Alice".into() };
    Context { case_id: Some(3), case_name: None, user: Some(user), trigger: Trigger::Api }
}

fn event() -> Event {
    Event { object: "report".into(), action: Some("create".into()) }
}

#[test]
fn the_case_is_stamped_with_who_and_what() {
    let mut module = Harness::<ReportStamp>::new(json!({"templates": []})).unwrap();
    let body = json!({"report_id": 2, "file_name": "final.md"}).to_string();
    let report = CaseObject { target: ObjectRef { object: "report".into(), id: 2 }, uuid: None, version: 1, body };
    let made = Written { old: None, new: Some(report), attachments: vec![] };
    let effects = module.after(&context(), &event(), &[made]).unwrap().effects;
    let [Effect::Patch(patch)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((patch.target.object.as_str(), patch.target.id, patch.expected_version), ("case", 3, None));
    let [Edit::AddTag(tag), Edit::AppendDescription(text)] = patch.edits.as_slice() else { panic!("{patch:?}") };
    assert_eq!((tag.as_str(), text.as_str()), ("reported", "2026-01-01T00:00:00Z: Alice made final.md."));
}

#[test]
fn a_template_that_is_not_allowed_is_denied() {
    let judged = |templates: Value| {
        let mut module = Harness::<ReportStamp>::new(json!({"templates": templates})).unwrap();
        let proposal = Proposal { id: None, body: json!({"report_id": 2}).to_string() };
        module.before(&context(), &event(), &proposal).unwrap()
    };
    assert!(matches!(judged(json!([])), Judgement::Unchanged));
    assert!(matches!(judged(json!([1, 2])), Judgement::Unchanged));
    assert!(matches!(judged(json!([1])), Judgement::Denied(_)));
}
