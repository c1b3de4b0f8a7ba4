//! The chain before a change: order, copies, denials, faults.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;
use tenter_engine::case::CaseError;
use tenter_model::HookKind;
use tenter_model::case::call::Judgement;
use tenter_model::case::{ObjectKind, Trigger};
use tenter_model::host::{HookFailure, Reason};
use tenter_model::module::OnBeforeFault;
use tenter_store::{ErrorFilter, InvocationFilter, InvocationOutcome};

use crate::common::{module, name};
use crate::support::*;

/// Three modules that are asked about everything.
fn three() -> Place {
    Place::new(["one", "two", "three"].map(|name| module(name, vec![before(None, None)])).into())
}

fn renamed(proposal: &tenter_model::case::call::Proposal, with: &str) -> Judgement {
    let mut body = proposal.body.clone();
    let old = body["asset_name"].as_str().unwrap().to_owned();
    body.insert("asset_name".into(), json!(old + with));
    Judgement::Replaced(body)
}

#[test]
fn each_module_sees_the_data_as_those_before_it_left_it() {
    let place = three();
    place.player.before("one", |_, proposal| Ok(renamed(proposal, "1")));
    place.player.before("three", |_, proposal| Ok(renamed(proposal, "3")));
    let made = place.asset("a");
    assert_eq!(made.text("asset_name"), "a13");
    let seen: Vec<String> =
        place.calls().iter().map(|c| format!("{} {}", c.module, c.data["body"]["asset_name"])).collect();
    assert_eq!(seen, [r#"one "a""#, r#"two "a1""#, r#"three "a1""#]);
}

#[test]
fn every_call_says_who_acts_where_and_why() {
    let place = three();
    place.asset("a");
    let call = place.calls().remove(0);
    assert_eq!((call.context.case_id, call.context.case_name.as_deref()), (Some(1), Some("#1 - Initial Demo")));
    assert_eq!((call.context.user.unwrap().login.as_str(), call.context.trigger), ("user1", Trigger::Api));
    assert_eq!(call.within_ms, 250);
}

#[test]
fn a_denial_ends_the_request_and_names_module_and_reason() {
    let place = three();
    place.player.before("two", |_, _| Ok(Judgement::Denied("no\u{1b}[31m customer".into())));
    let body = json!({"asset_name": "a", "asset_type_id": 9});
    let denied = place.make(ObjectKind::Asset, CASE, body).unwrap_err();
    assert_eq!(denied.to_string(), r"module two denies it: no\u{1b}[31m customer");
    assert_eq!(
        place.called(),
        ["one on_preload_asset_create", "two on_preload_asset_create"],
        "the third is not asked"
    );
    let count = place.cases.read(None, None, |world| world.count(ObjectKind::Asset)).unwrap();
    assert_eq!(count, 0);
    let reader = place.store.reader().unwrap();
    let calls = reader.invocations(&InvocationFilter::default(), None, 10).unwrap();
    let denial = calls.iter().find(|c| c.row.outcome == InvocationOutcome::Denied).unwrap();
    assert_eq!((denial.row.module.as_str(), denial.row.hook), ("two", HookKind::Before));
}

#[test]
fn a_module_that_fails_has_said_nothing() {
    let place = three();
    place.player.before("one", |_, _| Err(HookFailure::new(Reason::Trap, "by script")));
    place.player.before("two", |_, proposal| Ok(renamed(proposal, "2")));
    assert_eq!(place.asset("a").text("asset_name"), "a2");
    let errors = place.store.reader().unwrap().errors(&ErrorFilter::default(), 10).unwrap();
    assert_eq!(errors.len(), 1);
    assert_eq!(
        (errors[0].module.as_str(), errors[0].hook, errors[0].reason.as_ref()),
        ("one", HookKind::Before, "trap")
    );
}

#[test]
fn a_fault_is_a_denial_where_the_operator_says_so() {
    let mut strict = module("strict", vec![before(None, None)]);
    strict.settings.on_before_fault = OnBeforeFault::Deny;
    let place = Place::new(vec![strict]);
    place.player.before("strict", |_, _| Err(HookFailure::new(Reason::Fuel, "by script")));
    let body = json!({"asset_name": "a", "asset_type_id": 9});
    for _ in 0..7 {
        let denied = place.make(ObjectKind::Asset, CASE, body.clone()).unwrap_err();
        assert!(matches!(&denied, CaseError::Denied { module, .. } if *module == name("strict")), "{denied}");
    }
    let denied = place.make(ObjectKind::Asset, CASE, body).unwrap_err();
    assert_eq!(denied.to_string(), "module strict denies it: it could not be asked (quarantined), which counts as no");
    assert_eq!(place.calls().len(), 5, "the hook is paused after five faults");
}

#[test]
fn what_is_no_asset_is_a_fault_of_the_module_and_the_data_stays() {
    let place = three();
    place.player.before("one", |_, _| Ok(Judgement::Replaced(map(json!({})))));
    place.player.before("two", |_, _| Ok(Judgement::Replaced(map(json!({"asset_name": 7, "asset_type_id": 999})))));
    assert_eq!(place.asset("a").text("asset_name"), "a");
    let errors = place.store.reader().unwrap().errors(&ErrorFilter::default(), 10).unwrap();
    let told: Vec<_> = errors.iter().map(|e| format!("{} {}: {}", e.module, e.reason, e.message)).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    two invalid-output: the data that the hook returned cannot be used: asset_name: Not a valid string.; asset_type_id: Invalid asset type ID
    one invalid-output: the data that the hook returned cannot be used: asset_name: Missing data for required field.; asset_type_id: Missing data for required field.
    ");
    // A request that was wrong to begin with is not the module's fault.
    let place = three();
    place.player.before("one", |_, proposal| Ok(renamed(proposal, "1")));
    let wrong = place.make(ObjectKind::Asset, CASE, json!({"asset_name": "a", "asset_type_id": 999})).unwrap_err();
    assert!(matches!(&wrong, CaseError::Fields(errors) if errors.has("asset_type_id")), "{wrong}");
    assert!(place.store.reader().unwrap().errors(&ErrorFilter::default(), 10).unwrap().is_empty());
}

#[test]
fn what_only_is_or_is_not_to_be_cannot_be_replaced_but_denied() {
    let place = three();
    let asset = place.asset("a");
    place.calls();
    let asked = Arc::new(AtomicU32::new(0));
    let counted = asked.clone();
    place.player.before("one", move |hook, proposal| {
        counted.fetch_add(1, Ordering::SeqCst);
        assert_eq!((hook, proposal.id), ("on_preload_asset_delete", Some(1)));
        assert_eq!(proposal.body["asset_name"], "a", "the object comes along");
        Ok(Judgement::Replaced(map(json!({"asset_id": 77}))))
    });
    place.player.before("two", |_, _| Ok(Judgement::Denied("keep it".into())));
    assert_eq!(place.delete(asset.target).unwrap_err().to_string(), "module two denies it: keep it");
    assert!(place.object(asset.target).is_some());
    place.player.before("two", |_, _| Ok(Judgement::Unchanged));
    assert_eq!(place.delete(asset.target).unwrap().gone.len(), 1);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    // Who may not, and what is not there, is not asked about.
    place.calls();
    assert_eq!(place.delete(asset.target).unwrap_err(), CaseError::NotFound(asset.target));
    assert!(place.calls().is_empty());
}

#[test]
fn all_modules_together_have_two_seconds() {
    let slow: Vec<_> = ["a", "b", "c", "d"].map(|name| module(name, vec![before(None, None)])).into();
    let place = Place::new(slow);
    for name in ["a", "b", "c", "d"] {
        // The script does not heed its deadline, as no guest could.
        place.player.before(name, |_, _| {
            std::thread::sleep(std::time::Duration::from_millis(800));
            Ok(Judgement::Unchanged)
        });
    }
    place.asset("a");
    assert_eq!(place.calls().len(), 3);
    let errors = place.store.reader().unwrap().errors(&ErrorFilter::default(), 10).unwrap();
    assert_eq!((errors[0].module.as_str(), errors[0].reason.as_ref()), ("d", "unavailable"));
}
