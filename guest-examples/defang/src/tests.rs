use serde_json::{Value, json};
use tenter_sdk::case::{Edit, Effect, ObjectRef, Trigger};
use tenter_sdk::prelude::*;
use tenter_sdk::testing::Harness;

use super::*;

fn defang() -> Harness<Defang> {
    Harness::new(json!({})).unwrap()
}

fn context() -> Context {
    Context { case_id: Some(1), case_name: None, user: None, trigger: Trigger::Api }
}

fn event(action: Option<&str>) -> Event {
    Event { object: "ioc".into(), action: action.map(Into::into) }
}

fn ioc(value: &str) -> CaseObject {
    let body = json!({"ioc_value": value}).to_string();
    CaseObject { target: ObjectRef { object: "ioc".into(), id: 7 }, uuid: None, version: 1, body }
}

#[test]
fn what_was_written_with_care_is_usable() {
    let judged = |value: &str| {
        let proposal = Proposal { id: None, body: json!({"ioc_value": value, "ioc_tags": "a"}).to_string() };
        defang().before(&context(), &event(Some("create")), &proposal).unwrap()
    };
    let Judgement::Replaced(body) = judged(" hxxps://evil[.]example/a ") else { panic!("it was left as it is") };
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body, json!({"ioc_value": "https://evil.example/a", "ioc_tags": "a"}));
    assert!(matches!(judged("192.0.2.1"), Judgement::Unchanged));
    let without = Proposal { id: None, body: "{}".into() };
    let judged = defang().before(&context(), &event(Some("create")), &without).unwrap();
    assert!(matches!(judged, Judgement::Unchanged), "the server tells what is missing");
}

#[test]
fn addresses_of_private_networks_are_tagged() {
    let told = |value: &str| {
        let written = Written { old: None, new: Some(ioc(value)), attachments: Vec::new() };
        defang().after(&context(), &event(Some("create")), &[written]).unwrap().effects
    };
    for (value, tagged) in [("10.1.2.3", true), ("fd00::1", true), ("192.0.2.1", false), ("a.example", false)] {
        let edits: Vec<Edit> = told(value)
            .into_iter()
            .flat_map(|effect| match effect {
                Effect::Patch(patch) => patch.edits,
                Effect::Create(_) => Vec::new(),
            })
            .collect();
        let is_tag = matches!(edits.first(), Some(Edit::AddTag(tag)) if tag == "private-address");
        assert_eq!((is_tag, edits.len()), (tagged, usize::from(tagged)), "{value}");
    }
}

#[test]
fn a_click_explains_all_that_were_chosen() {
    let chosen = [ioc("10.1.2.3"), ioc("https://a.example/"), ioc("a.example")];
    let outcome = defang().manual("manual:ioc:explain", &context(), &event(None), &chosen).unwrap();
    let report = outcome.report.unwrap();
    assert_eq!(report.message, "3 explained");
    assert_eq!(
        report.content,
        "* `10.1.2.3` is an address of a private network, which leads nowhere from outside.\n\
         * `https://a.example/` is a URL.\n* `a.example` is no address and no URL."
    );
}
