//! What a module may do to objects, and what not.

use serde_json::json;
use tenter_model::case::call::{CaseEffect, CaseOutcome};
use tenter_model::case::{Body, Edit, LookUpKind, ObjectKind, ObjectRef};
use tenter_model::module::EffectHooks;
use tenter_store::{AccessLevel, JobState, Who};

use crate::common::{granted, module};
use crate::support::*;

fn create(kind: ObjectKind, case_id: Option<i64>, body: serde_json::Value) -> CaseEffect {
    CaseEffect::Create { kind, case_id, body: map(body), attachments: Vec::new() }
}

/// What becomes of effects that a module returns after an asset was made.
fn applied(scopes: &[&str], effects: impl Fn(ObjectRef) -> Vec<CaseEffect> + Send + Sync + 'static) -> (Place, String) {
    let subscribed = module("m", vec![after(Some("asset"), Some("create"), false)]);
    let module = scopes.iter().fold(subscribed, |module, scope| granted(module, "case-write", scope));
    let place = Place::new(vec![module]);
    place.player.after("m", move |_, changes| {
        Ok(CaseOutcome { effects: effects(target(&changes[0])), ..CaseOutcome::default() })
    });
    place.asset("a");
    let job = place.settle().remove(0);
    let result = job.result.unwrap();
    let said = format!("{} {}: {}", job.state.name(), job.attempts, result.message);
    (place, said.replace("Failed to run hook on_postload_asset_create with module m. Error ", ""))
}

fn edits(target: ObjectRef, edits: Vec<Edit>) -> CaseEffect {
    CaseEffect::Patch { target, expected_version: None, edits }
}

#[test]
fn all_effects_of_a_call_apply_or_none() {
    let note = || create(ObjectKind::NoteDirectory, None, json!({"name": "Findings"}));
    let (place, said) = applied(&["asset", "note-directory"], move |asset| {
        vec![
            edits(asset, vec![Edit::AddTag("x".into())]),
            note(),
            edits(asset, vec![Edit::AppendDescription("y".into())]),
        ]
    });
    assert_eq!(said, "succeeded 1: 1 changed, 1 created, 0 tasks");
    let asset = place.object(ObjectRef { kind: ObjectKind::Asset, id: 1 }).unwrap();
    assert_eq!((asset.text("asset_tags"), asset.text("asset_description"), asset.version), ("x", "y", 2));
    let made = place.object(ObjectRef { kind: ObjectKind::NoteDirectory, id: 1 });
    assert_eq!(made.unwrap().case_id, Some(1), "a new object goes where the call was about");

    let (place, said) = applied(&["*"], |asset| {
        vec![edits(asset, vec![Edit::AddTag("x".into())]), create(ObjectKind::Asset, None, json!({"asset_type_id": 9}))]
    });
    assert_eq!(said, "dead 1: effects[1]: asset_name: Missing data for required field.");
    assert_eq!(place.object(ObjectRef { kind: ObjectKind::Asset, id: 1 }).unwrap().version, 1);
}

#[test]
fn a_note_without_a_directory_goes_into_that_of_its_module() {
    let note = |title: &str| create(ObjectKind::Note, None, json!({"note_title": title}));
    let (place, said) = applied(&["note"], move |_| vec![note("one"), note("two")]);
    assert_eq!(said, "succeeded 1: 0 changed, 2 created, 0 tasks");
    let of = |kind, id| place.object(ObjectRef { kind, id });
    let directory = of(ObjectKind::NoteDirectory, 1).unwrap();
    assert_eq!((directory.label(), directory.case_id), ("m", Some(1)));
    let stands = |id| of(ObjectKind::Note, id).unwrap().integer("directory_id");
    assert_eq!((stands(1), stands(2)), (Some(1), Some(1)));
    assert_eq!(of(ObjectKind::NoteDirectory, 2), None, "it is made once");
    // A note that is refused leaves no directory behind.
    let (place, said) = applied(&["note"], move |_| vec![note("one"), note("")]);
    assert_eq!(said, "dead 1: effects[1]: note_title: Shorter than minimum length 1.");
    assert_eq!(place.object(ObjectRef { kind: ObjectKind::NoteDirectory, id: 1 }), None);
}

#[test]
fn what_is_not_granted_or_not_possible_is_refused_with_words() {
    let mut seen = Vec::new();
    let mut note = |said: String| seen.push(said);
    note(applied(&[], |asset| vec![edits(asset, vec![Edit::AddTag("x".into())])]).1);
    note(applied(&["asset"], |_| vec![create(ObjectKind::Ioc, None, json!({}))]).1);
    note(applied(&["*"], |asset| vec![edits(ObjectRef { id: 99, ..asset }, vec![Edit::AddTag("x".into())])]).1);
    let set = |name: &str| Edit::SetField { name: name.into(), value: json!("x") };
    note(applied(&["*"], move |asset| vec![edits(asset, vec![set("user_id")])]).1);
    note(applied(&["*"], |asset| vec![edits(asset, vec![Edit::AddTag("a,b".into())])]).1);
    note(applied(&["*"], |_| vec![create(ObjectKind::Comment, None, json!({"comment_text": "x"}))]).1);
    note(
        applied(&["*"], |_| vec![create(ObjectKind::Asset, Some(77), json!({"asset_name": "b", "asset_type_id": 9}))])
            .1,
    );
    insta::assert_snapshot!(seen.join("\n"), @r#"
    dead 1: effects[0]: changing objects of kind asset needs a grant: tenter grant m case-write asset
    dead 1: effects[0]: changing objects of kind ioc needs a grant: tenter grant m case-write ioc
    dead 1: effects[0]: asset 99 does not exist
    dead 1: effects[0]: a module cannot set "user_id" of an object of kind asset; it can set: analysis_status_id, asset_description, asset_domain, asset_ip, asset_info, asset_compromise_status_id, asset_tags, asset_enrichment
    dead 1: effects[0]: "a,b" is no tag; one word or phrase without commas is expected
    dead 1: effects[0]: comments are made by people, not by modules
    dead 1: effects[0]: the user who caused the call may not do that: permission denied: full access to case 77 is needed
    "#);
}

#[test]
fn a_module_does_nothing_that_who_caused_the_call_may_not_do() {
    let subscribed = module("m", vec![after(Some("asset"), Some("create"), false)]);
    let place = Place::new(vec![granted(subscribed, "case-write", "*")]);
    let by = place.context(1).by();
    let user = place.store.put_look_up(LookUpKind::User, None, "ada", Body::new(), by.clone()).unwrap().id;
    let case = json!({"case_name": "Secret", "case_description": "Of others.", "case_soc_id": "", "case_customer": 1});
    let secret = place.make(ObjectKind::Case, None, case).unwrap().object.target;
    place.store.set_case_access(Who::User(user), 1, Some(AccessLevel::Full), by).unwrap();
    place.player.after("m", move |_, _| Ok(tag(secret, "x")));
    let request = tenter_engine::case::CreateRequest {
        kind: ObjectKind::Asset,
        case_id: CASE,
        about: None,
        body: map(json!({"asset_name": "a", "asset_type_id": 9})),
        context: place.context(user),
    };
    place.cases.create(request).unwrap();
    let job = place.settle().remove(0);
    assert_eq!(job.state, JobState::Dead);
    let message = job.result.unwrap().message;
    let words = "the user who caused the call may not do that: permission denied: full access to case 2 is needed";
    assert!(message.ends_with(words), "{message}");
}

#[test]
fn an_object_that_changed_since_is_looked_at_again() {
    let subscribed =
        |name: &str| granted(module(name, vec![after(Some("asset"), Some("create"), false)]), "case-write", "*");
    let place = Place::new(vec![subscribed("one"), subscribed("two")]);
    for name in ["one", "two"] {
        place.player.after(name, move |_, changes| {
            let version = changes[0].new.as_ref().unwrap().version;
            Ok(patch(target(&changes[0]), Some(version), vec![Edit::AddTag(name.into())]))
        });
    }
    let asset = place.asset("a");
    let jobs = place.settle();
    assert!(jobs.iter().all(|job| job.state == JobState::Succeeded), "{jobs:#?}");
    assert_eq!(jobs.iter().map(|job| job.attempts).sum::<u32>(), 3, "the second one came too late once");
    let mut tags: Vec<_> =
        place.object(asset.target).unwrap().text("asset_tags").split(',').map(str::to_owned).collect();
    tags.sort();
    assert_eq!(tags, ["one", "two"]);
}

#[test]
fn effects_call_hooks_when_asked_and_not_for_ever() {
    let mut echo = granted(module("echo", vec![after(Some("asset"), None, false)]), "case-write", "*");
    echo.settings.effect_hooks = EffectHooks::Call;
    let place = Place::new(vec![echo]);
    place.player.after("echo", |_, changes| {
        let target = target(&changes[0]);
        Ok(patch(target, None, vec![Edit::AppendDescription("again".into())]))
    });
    let asset = place.asset("a");
    let jobs = place.settle();
    assert_eq!(jobs.len(), 9, "the request's own and eight deep");
    assert_eq!(place.object(asset.target).unwrap().version, 10);
    let triggers: Vec<_> = jobs.iter().map(|job| job.spec.trigger.as_str()).collect();
    assert_eq!((triggers[0], triggers[8]), ("api", "module"));
    assert_eq!(place.called().last().unwrap(), "echo on_postload_asset_update");
}
