use serde_json::json;
use tenter_sdk::case::Trigger;
use tenter_sdk::testing::Harness;

use super::*;

fn judged(body: &Value) -> String {
    let mut module = Harness::<CaseRules>::new(json!({"require_soc_id": true, "prefix": "IR: "})).unwrap();
    let event = Event { object: "case".into(), action: Some("create".into()) };
    let context = Context { case_id: None, case_name: None, user: None, trigger: Trigger::Api };
    let proposal = Proposal { id: None, body: body.to_string() };
    match module.before(&context, &event, &proposal).unwrap() {
        Judgement::Unchanged => "as it is".into(),
        Judgement::Replaced(body) => body,
        Judgement::Denied(reason) => format!("denied: {reason}"),
    }
}

#[test]
fn a_case_without_customer_or_number_is_denied_with_the_reason() {
    let create = |body: Value| judged(&body);
    assert_eq!(create(json!({"case_name": "x"})), "denied: a case needs a customer: nobody could see or bill it");
    assert_eq!(
        create(json!({"case_name": "x", "case_customer": 1, "case_soc_id": " "})),
        "denied: a case needs the number that the SOC gave it"
    );
    assert_eq!(create(json!({"case_name": "IR: x", "case_customer": 1, "case_soc_id": "7"})), "as it is");
}

#[test]
fn names_are_made_tidy_and_the_rest_stays() {
    let replaced = judged(&json!({"case_name": "  phishing   mail", "case_customer": 1, "case_soc_id": "7"}));
    let body: Value = serde_json::from_str(&replaced).unwrap();
    assert_eq!(body, json!({"case_name": "IR: phishing mail", "case_customer": 1, "case_soc_id": "7"}));
}
