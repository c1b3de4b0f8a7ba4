use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::case::fixture::{CASE, acting, ioc_type, object, request, world};

fn changed(kind: ObjectKind, change: &Value) -> Value {
    let mut out = request(kind);
    for (name, value) in change.as_object().unwrap() {
        if value == "(absent)" {
            out.as_object_mut().unwrap().remove(name);
        } else {
            out[name] = value.clone();
        }
    }
    out
}

#[test]
fn what_is_wrong_with_a_request_is_told_in_the_words_of_the_api() {
    use ObjectKind::{Asset, Case, Event, Evidence, GlobalTask, Ioc, Note, NoteDirectory, Task};
    let absent = "(absent)";
    let cases = [
        (Case, json!({"case_name": absent}), json!({"case_name": ["Missing data for required field."]})),
        (Case, json!({"case_name": "x"}), json!({"case_name": ["Shorter than minimum length 2."]})),
        (Case, json!({"case_customer": 99}), json!({"case_customer": ["Invalid customer ID"]})),
        (Case, json!({"case_customer": "x"}), json!({"case_customer": ["Not a valid integer."]})),
        (Case, json!({"classification_id": 9999}), json!({"classification_id": ["Invalid classification ID"]})),
        (Case, json!({"protagonists": ["Ann"]}), json!({"protagonists": ["Not a valid mapping type."]})),
        (Asset, json!({"asset_name": null}), json!({"asset_name": ["Field may not be null."]})),
        (Asset, json!({"asset_type_id": 99}), json!({"asset_type_id": ["Invalid asset type ID"]})),
        (Asset, json!({"analysis_status_id": 99}), json!({"analysis_status_id": ["Invalid analysis status ID"]})),
        (Asset, json!({"ioc_links": "5"}), json!({"ioc_links": ["Not a valid list."]})),
        (Note, json!({"note_title": "x".repeat(156)}), json!({"note_title": ["Longer than maximum length 155."]})),
        (Note, json!({"directory_id": 6}), json!({"directory_id": ["Invalid directory id for the case"]})),
        (NoteDirectory, json!({"name": 5}), json!({"name": ["Not a valid string."]})),
        (Ioc, json!({"ioc_type_id": 9999}), json!({"ioc_type_id": ["Invalid ioc type ID"]})),
        (Ioc, json!({"ioc_tlp_id": 9999}), json!({"ioc_tlp_id": ["Invalid TLP ID"]})),
        (Ioc, json!({"ioc_value": ""}), json!({"ioc_value": ["Shorter than minimum length 1."]})),
        (
            Ioc,
            json!({"ioc_value": "300.1.1.1"}),
            json!({"ioc_value": ["The input doesn't match the expected format (expected: an IPv4 or IPv6 address)"]}),
        ),
        (
            Ioc,
            json!({"ioc_value": "abc", "ioc_type_id": ioc_type("md5")}),
            json!({"ioc_value": ["The input doesn't match the expected format (expected: 32 hexadecimal digits)"]}),
        ),
        (Ioc, json!({"ioc_tags": "x".repeat(513)}), json!({"ioc_tags": ["Longer than maximum length 512."]})),
        (
            Event,
            json!({"event_title": absent, "event_tz": absent, "event_assets": absent}),
            json!({
                "event_assets": ["Missing field event_assets"], "event_title": ["Missing field event_title"],
                "event_tz": ["Missing field event_tz"],
            }),
        ),
        (Event, json!({"event_category_id": "x"}), json!({"event_category_id": ["Not a valid integer."]})),
        (Event, json!({"event_category_id": 99}), json!({"event_category_id": ["Invalid event category ID"]})),
        (
            Event,
            json!({"event_date": "yesterday"}),
            json!({
                "event_date": ["Not a valid datetime. Expected YYYY-MM-DDTHH:MM:SS.ffffff without a zone."],
            }),
        ),
        (Event, json!({"event_tz": "CET"}), json!({"event_tz": ["Not a valid offset. Expected one such as +00:00."]})),
        (Event, json!({"parent_event_id": 9}), json!({"parent_event_id": ["Invalid parent event ID"]})),
        (Event, json!({"event_in_graph": "maybe"}), json!({"event_in_graph": ["Not a valid boolean."]})),
        (Evidence, json!({"file_size": "many"}), json!({"file_size": ["Not a valid integer."]})),
        (Evidence, json!({"file_size": -1}), json!({"file_size": ["Must be greater than or equal to 0."]})),
        (
            Task,
            json!({"task_assignees_id": absent}),
            json!({"task_assignees_id": ["Missing data for required field."]}),
        ),
        (Task, json!({"task_status_id": 99}), json!({"task_status_id": ["Invalid task status ID"]})),
        (
            Task,
            json!({"task_assignee_id": 1}),
            json!({"task_assignee_id": ["task_assignee_id is not valid anymore since v1.5.0"]}),
        ),
        (GlobalTask, json!({"task_assignee_id": 99}), json!({"task_assignees_id": ["Invalid user id for assignee"]})),
        (GlobalTask, json!({"task_status_id": 99}), json!({"task_status_id": ["Invalid task status ID"]})),
        (Asset, json!({"custom_attributes": []}), json!({"custom_attributes": ["Not a valid mapping type."]})),
    ];
    for (kind, change, want) in cases {
        let errors = validate_create(kind, &changed(kind, &change), CASE, &world()).unwrap_err();
        assert_eq!(errors.to_json(), want, "{kind} {change}");
    }
    let errors = validate_create(Ioc, &json!([]), CASE, &world()).unwrap_err();
    assert_eq!(errors.to_json(), json!({"_schema": ["Invalid input type."]}));
}

#[test]
fn the_least_requests_are_accepted_and_the_server_makes_the_rest() {
    let asset = object(ObjectKind::Asset).body;
    for empty in ["asset_description", "asset_ip", "asset_tags", "asset_compromise_status_id", "custom_attributes"] {
        assert_eq!(asset[empty], Value::Null, "{empty}");
    }
    assert_eq!(asset["date_added"], json!("2023-11-14T22:13:20"));
    let case = object(ObjectKind::Case).body;
    assert_eq!((&case["state_id"], &case["severity_id"], &case["status_id"]), (&json!(3), &json!(4), &json!(0)));
    assert_eq!((&case["owner_id"], &case["open_date"]), (&json!(1), &json!("2023-11-14")));
    let event = object(ObjectKind::Event).body;
    assert_eq!(event["event_date"], json!("2024-02-29T22:30:00.000000"));
    assert_eq!(event["event_date_wtz"], json!("2024-03-01T00:30:00.000000"));
    assert_eq!((&event["event_tags"], &event["event_color"]), (&json!(""), &json!("")));
    assert_eq!(event["event_category_id"], json!(5));
    assert!(!event.contains_key("event_assets"), "links are no part of the body");
}

#[test]
fn links_that_cannot_be_are_left_out() {
    let links = |kind| validate_create(kind, &request(kind), CASE, &world()).unwrap().links;
    assert_eq!(links(ObjectKind::Event), [(Relation::EventAsset, vec![5]), (Relation::EventIoc, vec![])]);
    assert_eq!(links(ObjectKind::Task), [(Relation::TaskUser, vec![1])]);
}

#[test]
fn requests_may_say_more_and_say_it_loosely() {
    let change = json!({
        "asset_type_id": "11", "asset_tags": " b, a,,b ", "analysis_status_id": "", "no_such": 1,
        "asset_id": 7, "date_added": "never", "custom_attributes": {
            "Ticket": {"number": "T-1", "level": "odd", "none": 1, "report": "<i>x</i>"}, "Nowhere": {},
        },
    });
    let request = changed(ObjectKind::Asset, &change);
    let accepted = validate_create(ObjectKind::Asset, &request, CASE, &world()).unwrap();
    let body = accepted.to_body(ObjectKind::Asset, &acting());
    assert_eq!((&body["asset_type_id"], &body["asset_tags"]), (&json!(11), &json!("b,a")));
    assert_eq!((&body["analysis_status_id"], &body["date_added"]), (&Value::Null, &json!("2023-11-14T22:13:20")));
    assert_eq!(body["custom_attributes"]["Ticket"]["number"]["value"], json!("T-1"));
    assert_eq!(body["custom_attributes"]["Ticket"]["level"]["value"], json!(""));
    assert_eq!(body["custom_attributes"]["Ticket"]["report"]["value"], json!("<b>none</b>"));
    assert_eq!(accepted.left_out, ["Nowhere", "Ticket.level", "Ticket.none", "Ticket.report", "no_such"]);
}

#[test]
fn an_event_that_is_sent_back_as_it_was_read_stays_where_it_is() {
    let event = object(ObjectKind::Event);
    let update = |request: Value| {
        let request = changed(ObjectKind::Event, &request);
        let mut body = event.body.clone();
        validate_update(&event, &request, CASE, &world()).unwrap().apply(ObjectKind::Event, &mut body, &acting());
        body
    };
    assert_eq!(update(Value::Object(event.body.clone())), event.body);
    assert_eq!(
        update(json!({"event_date": "(absent)", "event_tz": "+00:00"}))["event_date"],
        json!("2024-03-01T00:30:00.000000")
    );
    assert_eq!(
        update(json!({"event_date": "2024-02-29T22:30:00.000000", "event_tz": "(absent)"}))["event_date"],
        json!("2024-02-29T20:30:00.000000")
    );
    // As the official client changes a title.
    let same =
        json!({"event_date": event.body["event_date"], "event_tz": event.body["event_tz"], "event_title": "New"});
    assert_eq!(update(same)["event_date"], event.body["event_date"]);
    let own = changed(ObjectKind::Event, &json!({"parent_event_id": 5}));
    assert!(validate_update(&event, &own, CASE, &world()).unwrap_err().has("parent_event_id"));
}

#[test]
fn a_case_name_is_cut_at_creation() {
    let request = changed(ObjectKind::Case, &json!({"case_name": "é".repeat(250)}));
    let accepted = validate_create(ObjectKind::Case, &request, None, &world()).unwrap();
    assert_eq!(accepted.fields["case_name"], json!("é".repeat(200)));
}

#[test]
fn the_table_of_fields_is_in_order() {
    for kind in ObjectKind::ALL {
        let info = kind.info();
        assert_eq!((info.kind, ObjectKind::parse(info.name)), (kind, Some(kind)));
        let mut names: Vec<_> = info.fields.iter().map(|field| field.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count, "{kind}");
        for role in [Some(info.label), info.description, info.tags].into_iter().flatten() {
            assert!(kind.field(role).is_some_and(Field::is_stored), "{kind} {role}");
        }
        assert!(info.tags.is_none_or(|t| matches!(kind.field(t).unwrap().shape, Shape::Tags { .. })));
        assert!(info.fields.iter().all(|field| !field.settable || field.is_stored()), "{kind}");
    }
    for hook in crate::case::TABLE {
        let stored = !matches!(hook.object, "report" | "activities-report" | "alert");
        assert_eq!(ObjectKind::parse(hook.object).is_some(), stored, "{}", hook.object);
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3i64..12).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[0-9]{0,2}".prop_map(Value::from),
        "\\PC{0,9}".prop_map(Value::from),
        Just(json!("2024-03-01T00:30:00.000000")),
        Just(json!("+01:00")),
        Just(json!({"Ticket": {"number": 5, "seen": true}})),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-z]{1,4}", inner, 0..3).prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

/// A kind and a request for it whose fields are odd.
fn any_request() -> impl Strategy<Value = (ObjectKind, Value)> {
    prop::sample::select(ObjectKind::ALL.to_vec()).prop_flat_map(|kind| {
        let names: Vec<_> = kind.info().fields.iter().map(|field| field.name).collect();
        let change = prop::collection::hash_map(prop::sample::select(names), any_json(), 0..4);
        change.prop_map(move |change| {
            let mut request = request(kind);
            for (name, value) in change {
                request[name] = value;
            }
            (kind, request)
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(debug_assertions) { 300 } else { 2_000 }, ..Default::default() })]

    /// What is accepted has every field, and can be sent back as it is without a change.
    #[test]
    fn an_accepted_body_is_whole_and_can_be_sent_back((kind, request) in any_request()) {
        let Ok(accepted) = validate_create(kind, &request, CASE, &world()) else { return Ok(()) };
        let body = accepted.to_body(kind, &acting());
        for field in kind.info().fields {
            prop_assert_eq!(body.contains_key(field.name), field.is_stored(), "{} {}", kind, field.name);
        }
        let now = CaseObject { body: body.clone(), ..object(kind) };
        let mut back = body.clone();
        if let Some(links) = kind.info().fields.iter().find(|f| f.need == Need::Always) {
            back.insert(links.name.into(), json!([]));
        }
        let again = validate_update(&now, &Value::Object(back), CASE, &world()).unwrap();
        let mut same = body.clone();
        again.apply(kind, &mut same, &acting());
        prop_assert_eq!(same, body);
    }
}
