use tenter_sdk::case::{ObjectRef, User};
use tenter_sdk::http::{Response, Sensitive};
use tenter_sdk::testing::{Harness, host};

use super::*;

const URL: &str = "https://hooks.example.org/cases";

fn webhook(with_token: bool) -> Harness<Webhook> {
    Harness::new(json!({"url": URL, "with_token": with_token})).unwrap()
}

fn answers(status: u16) {
    let answer = Response { status, headers: vec![], body: vec![] };
    host(|host| host.answers.insert(format!("POST {URL}"), answer));
}

fn context() -> Context {
    let user = User { id: 1, login: "alice".into(), name: "Alice".into() };
    Context { case_id: Some(3), case_name: Some("#3 - x".into()), user: Some(user), trigger: Trigger::Api }
}

fn event(object: &str, action: Option<&str>) -> Event {
    Event { object: object.into(), action: action.map(Into::into) }
}

fn ioc(value: &str) -> CaseObject {
    let body = json!({"ioc_value": value}).to_string();
    CaseObject { target: ObjectRef { object: "ioc".into(), id: 7 }, uuid: Some("u".into()), version: 2, body }
}

fn sent() -> Value {
    let requests = host(|host| std::mem::take(&mut host.requests));
    assert_eq!(requests.len(), 1);
    serde_json::from_slice(requests[0].body.as_deref().unwrap()).unwrap()
}

#[test]
fn each_change_is_told() {
    let mut module = webhook(false);
    answers(204);
    let written = Written { old: Some(ioc("a.example")), new: Some(ioc("b.example")), attachments: vec![] };
    let outcome = module.after(&context(), &event("ioc", Some("update")), &[written]).unwrap();
    assert!(outcome.effects.is_empty() && outcome.tasks.is_empty());
    let sent = sent();
    assert_eq!((&sent["object"], &sent["action"], &sent["trigger"]), (&json!("ioc"), &json!("update"), &json!("api")));
    assert_eq!((&sent["case"]["id"], &sent["user"]["login"]), (&json!(3), &json!("alice")));
    assert_eq!(sent["changes"][0]["old"]["body"]["ioc_value"], "a.example");
    assert_eq!(
        sent["changes"][0]["new"],
        json!({"id": 7, "uuid": "u", "version": 2, "body": {"ioc_value": "b.example"}})
    );
}

#[test]
fn a_token_goes_along_as_a_handle() {
    let mut module = webhook(true);
    answers(200);
    let asked: Vec<String> = module.requests().iter().map(|r| format!("{} {}", r.capability, r.scope)).collect();
    assert_eq!(asked, [format!("http POST {URL}"), "secret token".to_owned()]);
    let report = module.manual("send-ioc", &context(), &event("ioc", None), &[ioc("x"), ioc("y")]).unwrap();
    assert_eq!(report.report.unwrap().message, "2 sent, the service answered 200");
    let requests = host(|host| std::mem::take(&mut host.requests));
    let token = requests[0].headers.iter().find(|header| header.name == "authorization").unwrap();
    assert!(matches!(&token.value, Sensitive::Secret(used) if used.name == "token" && used.prefix == "Bearer "));
}

#[test]
fn a_service_that_is_away_is_told_of_later_and_one_that_refuses_is_not() {
    let told = |status| {
        let mut module = webhook(false);
        answers(status);
        let written = Written { old: None, new: Some(ioc("x")), attachments: vec![] };
        module.after(&context(), &event("ioc", Some("create")), &[written])
    };
    assert!(matches!(told(503), Err(HookError::Unavailable(_))));
    assert!(matches!(told(400), Err(HookError::Failed(_))));
    assert!(told(201).is_ok());
    // A redirect is an answer too, and no success.
    assert!(matches!(told(302), Err(HookError::Failed(_))));
}
