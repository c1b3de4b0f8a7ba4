//! Who may touch what, and what the service does where no module is asked.

use serde_json::json;
use tenter_engine::case::{CaseError, CreateRequest, ManualRequest, ObjectRequest, UpdateRequest};
use tenter_model::case::render::Joins;
use tenter_model::case::{Body, LookUpKind, ObjectKind, ObjectRef, Relation};
use tenter_store::Novelty;

use crate::support::*;

fn on(place: &Place, target: ObjectRef, case_id: i64, user: i64) -> ObjectRequest {
    ObjectRequest { target, case_id: Some(case_id), context: place.context(user) }
}

fn second_case(place: &Place) -> i64 {
    let body = json!({
        "case_name": "Second", "case_description": "Another one.", "case_soc_id": "", "case_customer": 1,
    });
    place.make(ObjectKind::Case, None, body).unwrap().object.target.id
}

#[test]
fn an_object_is_made_changed_and_deleted_in_its_case() {
    let place = Place::new(Vec::new());
    let cases = &place.cases;
    let made = place.make(ObjectKind::Asset, Some(1), json!({"asset_name": "dc01", "asset_type_id": 9})).unwrap();
    let target = made.object.target;
    let update = |case_id| UpdateRequest {
        target,
        case_id: Some(case_id),
        body: map(json!({"asset_name": "dc02", "asset_type_id": "9"})),
        context: place.context(1),
    };
    let second = second_case(&place);
    assert_eq!(cases.update(update(second)).unwrap_err(), CaseError::NotFound(target), "it is of another case");
    let changed = cases.update(update(1)).unwrap();
    assert_eq!((changed.old.text("asset_name"), changed.new.text("asset_name")), ("dc01", "dc02"));
    let wrong = UpdateRequest { body: map(json!({"asset_type_id": 999})), ..update(1) };
    let Err(CaseError::Fields(errors)) = cases.update(wrong) else { panic!("an asset of no type") };
    assert!(errors.has("asset_type_id"), "{errors}");
    assert_eq!(cases.delete(on(&place, target, second, 1)).unwrap_err(), CaseError::NotFound(target));
    let gone = cases.delete(on(&place, target, 1, 1)).unwrap().gone;
    assert_eq!(gone, [changed.new]);
    assert_eq!(cases.delete(on(&place, target, 1, 1)).unwrap_err(), CaseError::NotFound(target));
}

#[test]
fn who_has_no_access_learns_and_changes_nothing() {
    let place = Place::new(Vec::new());
    let cases = &place.cases;
    let stranger =
        place.store.put_look_up(LookUpKind::User, None, "eve", Body::new(), place.context(1).by()).unwrap().id;
    let made = place.make(ObjectKind::Asset, Some(1), json!({"asset_name": "dc01", "asset_type_id": 9})).unwrap();
    let absent = ObjectRef { id: 77, ..made.object.target };
    let refused = |target, case_id| cases.delete(on(&place, target, case_id, stranger)).unwrap_err().to_string();
    let words = "permission denied: full access to case 1 is needed";
    assert_eq!((refused(made.object.target, 1), refused(absent, 1)), (words.to_owned(), words.to_owned()));
    let no_case = refused(made.object.target, 99);
    assert_eq!(no_case, "permission denied: full access to case 99 is needed", "one that does not exist");
    let home = cases.delete(ObjectRequest { case_id: None, ..on(&place, made.object.target, 1, stranger) });
    assert_eq!(home.unwrap_err().to_string(), "permission denied: full access to a case that has it is needed");
    let request = CreateRequest {
        kind: ObjectKind::Comment,
        case_id: Some(1),
        about: Some(made.object.target),
        body: map(json!({"comment_text": "x"})),
        context: place.context(stranger),
    };
    assert_eq!(cases.create(request).unwrap_err().to_string(), words);
    let click = ManualRequest {
        hook: "on_manual_trigger_asset".into(),
        module: None,
        entry: None,
        targets: vec![made.object.target],
        case_id: Some(1),
        context: place.context(stranger),
    };
    assert_eq!(cases.manual(click.clone()).unwrap_err().to_string(), words);
    let found =
        cases.manual(ManualRequest { targets: vec![made.object.target, absent], context: place.context(1), ..click });
    let found = found.unwrap();
    assert_eq!((found.found, found.missing, found.jobs.len()), (vec![made.object.target], vec![absent], 0));
}

#[test]
fn an_indicator_is_one_for_all_cases_that_have_it() {
    let place = Place::new(Vec::new());
    let cases = &place.cases;
    let second = second_case(&place);
    let kind = cases.read(None, None, |world| world.row_by_name(LookUpKind::IocType, "domain")).unwrap().unwrap().id;
    let body = json!({"ioc_value": "example.org", "ioc_type_id": kind, "ioc_tlp_id": 2});
    let add = |case_id| place.make(ObjectKind::Ioc, Some(case_id), body.clone()).unwrap();
    let target = add(1).object.target;
    assert_eq!([add(second).novelty, add(second).novelty], [Novelty::NowInCase, Novelty::AlreadyInCase]);
    assert_eq!(cases.delete(on(&place, target, 1, 1)).unwrap().gone.len(), 0, "the other case still has it");
    assert_eq!(cases.delete(on(&place, target, second, 1)).unwrap().gone.len(), 1);
    let homeless = place.make(ObjectKind::Ioc, None, body.clone()).unwrap_err();
    assert_eq!(homeless.to_string(), "an object of kind ioc needs a case");
}

#[test]
fn a_copied_event_is_the_same_but_for_its_title() {
    let place = Place::new(Vec::new());
    let cases = &place.cases;
    let asset = place.make(ObjectKind::Asset, Some(1), json!({"asset_name": "dc01", "asset_type_id": 9})).unwrap();
    let event = json!({
        "event_title": "Logon", "event_date": "2024-03-01T12:00:00.000000", "event_tz": "+02:00",
        "event_category_id": "5", "event_assets": [asset.object.target.id], "event_iocs": [], "event_tags": "a,b",
    });
    let event = place.make(ObjectKind::Event, Some(1), event).unwrap().object;
    let copy = cases.duplicate_event(on(&place, event.target, 1, 1)).unwrap().object;
    let mut expected = event.body.clone();
    expected.insert("event_title".into(), json!("[DUPLICATED] - Logon"));
    assert_eq!(copy.body, expected);
    assert_ne!((copy.target, &copy.uuid), (event.target, &event.uuid));
    let assets = cases.read(None, Some(1), |world| world.far(Relation::EventAsset, copy.target.id)).unwrap();
    assert_eq!(assets, [asset.object.target.id]);
    let wrong = cases.duplicate_event(on(&place, asset.object.target, 1, 1)).unwrap_err();
    assert_eq!(wrong.to_string(), "asset 1 is no event; only events can be duplicated");
}

#[test]
fn a_case_is_closed_and_opened_and_the_first_one_stays() {
    let place = Place::new(Vec::new());
    let cases = &place.cases;
    let second = second_case(&place);
    let closed = cases.close_case(second, &place.context(1)).unwrap().new;
    assert_eq!((closed.text("close_date"), closed.integer("state_id")), ("2023-11-14", Some(9)));
    let open = cases.reopen_case(second, &place.context(1)).unwrap().new;
    assert_eq!((open.text("close_date"), open.integer("state_id")), ("", Some(3)));
    let case = |id| on(&place, ObjectRef { kind: ObjectKind::Case, id }, id, 1);
    assert!(matches!(cases.delete(case(1)).unwrap_err(), CaseError::Invalid(_)));
    assert_eq!(cases.delete(case(second)).unwrap().gone.len(), 1);
}
