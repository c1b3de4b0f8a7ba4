use tenter_sdk::case::{Effect, ObjectRef, Trigger};
use tenter_sdk::testing::{Harness, expect_tasks, host, record};

use super::*;

fn module() -> Harness<IocProfile> {
    Harness::new(json!({
        "entity_types": {"address": "ip", "domain": "domain"}, "seen_attribute": "in_case",
        "threat_attribute": "threat_list", "look_again": 60,
    }))
    .unwrap()
}

fn know(threat: bool) {
    let mut attributes = json!({
        "hostname": {"plain": {"v": "a<b>.example"}},
        "open_ports": {"observations": [{"t1": "2025-01-01T00:00:00Z", "v": 22}, {"t1": "2025-06-01T00:00:00Z", "v": 443}]},
    });
    if threat {
        attributes["threat_list"] = json!({"plain": {"v": "bots"}});
    }
    host(|host| host.know(record(json!({"etype": "ip", "eid": "192.0.2.1", "attributes": attributes}))));
}

fn context() -> Context {
    Context { case_id: Some(3), case_name: Some("#3 - Phish".into()), user: None, trigger: Trigger::Api }
}

fn event(action: Option<&str>) -> Event {
    Event { object: "ioc".into(), action: action.map(Into::into) }
}

fn ioc(value: &str) -> CaseObject {
    let body = json!({"ioc_value": value}).to_string();
    CaseObject { target: ObjectRef { object: "ioc".into(), id: 7 }, uuid: None, version: 1, body }
}

fn edits(effects: &[Effect]) -> Vec<String> {
    let of = |effect: &Effect| match effect {
        Effect::Patch(patch) => patch.edits.clone(),
        Effect::Create(new) => {
            assert_eq!((new.object.as_str(), new.case_id), ("note", Some(3)));
            vec![Edit::AppendDescription(new.body.clone())]
        }
    };
    let said = |edit: Edit| match edit {
        Edit::AddTag(tag) => format!("+{tag}"),
        Edit::AppendDescription(note) => note,
        Edit::SetCustomField(field) => format!("{} / {}: {}", field.tab, field.name, field.json),
        other => format!("{other:?}"),
    };
    effects.iter().flat_map(of).map(said).collect()
}

#[test]
fn an_indicator_gets_a_profile() {
    let begun = |value: &str| {
        let written = Written { old: None, new: Some(ioc(value)), attachments: vec![] };
        module().after(&context(), &event(Some("create")), &[written]).unwrap()
    };
    let outcome = begun("A.Example");
    let tasks = json!([{"eid": "a.example", "data_points": [{"attr": "in_case", "v": "#3 - Phish"}]}]);
    expect_tasks(&outcome.tasks, tasks);
    assert_eq!(edits(&outcome.effects), [""; 0]);
    // Of a kind that has no entity type, or of none at all.
    for value in ["d41d8cd98f00b204e9800998ecf8427e", "https://a.example/x", "a mutex"] {
        assert!(begun(value).tasks.is_empty(), "{value}");
    }
}

#[test]
fn what_the_profile_knows_of_threats_is_a_tag_at_once() {
    let mut module = module();
    know(true);
    let written = Written { old: None, new: Some(ioc("192.0.2.1")), attachments: vec![] };
    let outcome = module.after(&context(), &event(Some("create")), &[written]).unwrap();
    assert_eq!((edits(&outcome.effects), outcome.tasks.len()), (vec!["+in-threat-list".to_owned()], 1));
}

#[test]
fn what_the_profile_comes_to_know_is_a_note_once() {
    let mut module = module();
    let written = Written { old: None, new: Some(ioc("192.0.2.1")), attachments: vec![] };
    let mut told = |expected: Option<u32>| {
        let outcome = module.after(&context(), &event(Some("create")), std::slice::from_ref(&written)).unwrap();
        // The host calls again with what was left.
        let asked = host(|host| host.resume.take());
        assert_eq!(asked.as_ref().map(|(seconds, _)| *seconds), expected);
        host(|host| host.memo = asked.map(|(_, memo)| memo));
        (edits(&outcome.effects), outcome.tasks.len())
    };
    assert_eq!(told(Some(60)), (vec![], 1));
    know(false);
    assert_eq!(told(Some(120)), (vec![], 0), "the profile is made once");
    know(true);
    let (said, tasks) = told(None);
    assert_eq!((said[0].as_str(), said.len(), tasks), ("+in-threat-list", 2, 0));
    let note: Json = serde_json::from_str(&said[1]).unwrap();
    assert_eq!(note["note_title"], "192.0.2.1 is in a list of threats");
    let content = note["note_content"].as_str().unwrap();
    assert!(
        content.contains("* hostname = a&lt;b&gt;.example") && content.contains("* threat_list = bots"),
        "{content}"
    );
}

#[test]
fn pauses_grow_to_hours_and_a_refusal_is_no_fault() {
    let mut module = module();
    let written = Written { old: None, new: Some(ioc("192.0.2.1")), attachments: vec![] };
    let mut pause = |memo: Option<&str>| {
        host(|host| (host.memo, host.resume) = (memo.map(Into::into), None));
        module.after(&context(), &event(Some("create")), std::slice::from_ref(&written)).unwrap();
        host(|host| host.resume.take()).map(|(seconds, _)| seconds)
    };
    assert_eq!([pause(Some("120")), pause(Some("20000"))], [Some(240), Some(21_600)]);
    host(|host| host.resume_within = 59);
    assert_eq!((pause(None), host(|host| host.messages().len())), (None, 1));
}

#[test]
fn a_click_shows_the_profile_on_the_indicator() {
    let mut module = module();
    know(false);
    let shown = module.manual("profile", &context(), &event(None), &[ioc("192.0.2.1"), ioc("192.0.2.2")]).unwrap();
    let said = edits(&shown.effects);
    assert_eq!(
        said,
        [r#"Profile / ip 192.0.2.1: "<ul><li>hostname = a&lt;b&gt;.example</li><li>open_ports = 443</li></ul>""#]
    );
    let report = shown.report.unwrap();
    assert_eq!(report.message, "1 of 2 have a profile");
    assert!(report.content.contains("`192.0.2.2` has no profile"), "{}", report.content);
}
