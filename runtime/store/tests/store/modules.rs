//! Installed modules and tokens.

use tenter_model::capability::Grant;
use tenter_model::hook::{CaseFilter, Moment, Subscription};
use tenter_model::host::StateWrite;
use tenter_model::module::Descriptor;
use tenter_model::{Family, SubscriptionId};
use tenter_store::{ErrorFilter, InstallModule, StoreError, TaskOutcome, TokenRow};

use crate::fixtures::*;

pub(crate) const ONE: &str = "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b";
const TWO: &str = "d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35";

pub(crate) fn grant(capability: &str, scope: &str) -> Grant {
    Grant { capability: capability.into(), scope: scope.into() }
}

pub(crate) fn install(name: &str, digest: &str, bytes: &str, version: &str) -> InstallModule {
    InstallModule {
        name: module(name),
        digest: digest.into(),
        bytes: bytes.into(),
        descriptor: Descriptor { title: "T".into(), version: version.into(), ..Descriptor::default() },
        requests: vec![grant("state", "")],
        families: vec![Family::Ingest, Family::Case],
        subscriptions: vec![Subscription {
            id: SubscriptionId::new("s").unwrap(),
            moment: Moment::After {
                filter: CaseFilter { object: Some("ioc".into()), action: None },
                synchronous: true,
            },
        }],
        grants: vec![grant("write-entities", "ip")],
        activate: true,
        enable: true,
        at: NOW,
    }
}

#[test]
fn a_module_comes_back_as_installed() {
    let store = store();
    let reader = store.reader().unwrap();
    let given = install("zeta", ONE, "1", "1.0.0");
    store.install_module(given.clone()).unwrap();
    store.install_module(install("alpha", ONE, "1", "1.0.0")).unwrap();
    let rows = reader.modules().unwrap();
    assert_eq!(rows.iter().map(|m| m.name.as_str()).collect::<Vec<_>>(), ["zeta", "alpha"]);
    let row = &rows[0];
    assert!(row.enabled && row.config.is_none());
    assert_eq!(row.grants, given.grants);
    let v = &row.active;
    assert_eq!((&v.version[..], &v.digest[..], v.size, v.uploaded_at), ("1.0.0", ONE, 1, NOW));
    assert_eq!((&v.descriptor, &v.requests), (&given.descriptor, &given.requests));
    assert_eq!((&v.families, &v.subscriptions), (&given.families, &given.subscriptions));
    assert_eq!(reader.component(ONE).unwrap(), b"1");
    assert_eq!(row.versions, std::slice::from_ref(&row.active));
}

#[test]
fn versions_are_kept_and_can_be_switched() {
    let store = store();
    let reader = store.reader().unwrap();
    let label = module("label");
    store.install_module(install("label", ONE, "1", "1.0.0")).unwrap();
    store.set_enabled(&label, false).unwrap();
    store.install_module(InstallModule { activate: false, ..install("label", TWO, "2", "2.0.0") }).unwrap();
    let row = reader.modules().unwrap().remove(0);
    assert_eq!((row.active.digest.as_str(), row.versions.len(), row.enabled, row.position), (ONE, 2, false, 1));
    store.activate(&label, TWO).unwrap();
    assert_eq!(reader.modules().unwrap()[0].active.version, "2.0.0");
    // The old component again: no third version, but active again.
    store.install_module(install("label", ONE, "1", "1.0.0")).unwrap();
    let row = reader.modules().unwrap().remove(0);
    assert_eq!((row.active.digest.as_str(), row.versions.len()), (ONE, 2));
    insta::assert_snapshot!(store.activate(&label, "abc").unwrap_err(), @"version abc of module label does not exist");
}

#[test]
fn an_upload_that_fails_leaves_nothing() {
    let store = store();
    let reader = store.reader().unwrap();
    let error = store.install_module(install("label", ONE, "2", "1.0.0")).unwrap_err();
    insta::assert_snapshot!(error, @"the component's digest is d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35, not 6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b as stated");
    assert_eq!(reader.modules().unwrap(), []);
    assert_eq!(reader.component(ONE), Err(StoreError::NotFound(format!("component {ONE}"))));
}

#[test]
fn grants_and_configuration_change() {
    let store = store();
    let reader = store.reader().unwrap();
    let label = module("label");
    store.install_module(install("label", ONE, "1", "1.0.0")).unwrap();
    store.add_grant(&label, grant("http", "GET https://a")).unwrap();
    store.add_grant(&label, grant("http", "GET https://a")).unwrap();
    assert_eq!(reader.modules().unwrap()[0].grants, [grant("http", "GET https://a"), grant("write-entities", "ip")]);
    store.remove_grant(&label, grant("write-entities", "ip")).unwrap();
    assert!(matches!(store.remove_grant(&label, grant("write-entities", "ip")), Err(StoreError::NotFound(_))));
    store.set_grants(&label, vec![grant("state", "")]).unwrap();
    let config = serde_json::json!({"a": [1]});
    store.set_module_config(&label, Some(config.clone())).unwrap();
    let row = reader.modules().unwrap().remove(0);
    assert_eq!((row.grants, row.config), (vec![grant("state", "")], Some(config)));
    store.set_module_config(&label, None).unwrap();
    assert_eq!(reader.modules().unwrap()[0].config, None);
    let ghost = module("ghost");
    for result in [
        store.add_grant(&ghost, grant("state", "")),
        store.set_grants(&ghost, vec![]),
        store.set_enabled(&ghost, true),
        store.set_module_config(&ghost, None),
        store.remove_module(&ghost),
    ] {
        assert_eq!(result, Err(StoreError::NotFound("module ghost".into())));
    }
}

#[test]
fn removing_a_module_keeps_what_others_use_and_what_tells_of_it() {
    let store = store();
    let reader = store.reader().unwrap();
    let label = module("label");
    store.install_module(install("label", ONE, "1", "1.0.0")).unwrap();
    store.install_module(install("label", TWO, "2", "2.0.0")).unwrap();
    store.install_module(install("other", ONE, "1", "1.0.0")).unwrap();
    let one = waiting(&store, &reader, 1, "a");
    let put = StateWrite::Put { key: "k".into(), value: vec![1], until: None };
    let state = vec![(label.clone(), vec![put], vec![])];
    store.commit_blocking(TaskOutcome { state, errors: vec![error("label", "fuel")], ..outcome(&one) }).unwrap();
    store.remove_module(&label).unwrap();
    assert_eq!(reader.modules().unwrap().iter().map(|m| m.name.as_str()).collect::<Vec<_>>(), ["other"]);
    assert!(reader.component(ONE).is_ok());
    assert!(reader.component(TWO).is_err());
    assert_eq!((reader.state_get(&label, "k", NOW).unwrap(), reader.state_bytes(&label).unwrap()), (None, 0));
    assert_eq!(reader.errors(&ErrorFilter::default(), 9).unwrap().len(), 1);
}

#[test]
fn tokens_are_kept_by_digest() {
    let store = store();
    let reader = store.reader().unwrap();
    let token = TokenRow {
        digest: [7; 32],
        role: "operator".into(),
        label: "first start".into(),
        created: NOW,
        expires: Some(NOW.saturating_add(DAY)),
        last_used: None,
        scopes: vec!["ingest".into()],
    };
    store.add_token(token.clone()).unwrap();
    assert_eq!(reader.tokens().unwrap(), std::slice::from_ref(&token));
    store.note_token_use([7; 32], NOW).unwrap();
    assert_eq!(reader.tokens().unwrap(), [TokenRow { last_used: Some(NOW), ..token }]);
    store.remove_token([7; 32]).unwrap();
    assert_eq!(reader.tokens().unwrap(), []);
    assert!(matches!(store.remove_token([7; 32]), Err(StoreError::NotFound(_))));
}
