//! Keys of requests: the same key is the same request.

use tenter_store::{Admission, AdmitKey, StoreError, StoreOptions};

use crate::fixtures::*;

fn key(scope: &str, key: &str, body: u8) -> AdmitKey {
    AdmitKey { scope: scope.into(), key: key.into(), body_digest: [body; 32] }
}

#[test]
fn a_repeated_request_gets_the_first_answer_and_admits_nothing() {
    let store = store();
    let reader = store.reader().unwrap();
    let first = store.admit_keyed_blocking(key("local", "k", 1), vec![task(1, "a"), task(2, "b")], NOW).unwrap();
    assert!(!first.repeated);
    assert_eq!(first.tasks, [(id(1), Admission::Accepted), (id(2), Admission::Accepted)]);
    let before = reader.counters().unwrap();
    // The second time the tasks have other ids, as they would when a server makes ids anew.
    let again = store.admit_keyed_blocking(key("local", "k", 1), vec![task(3, "a"), task(4, "b")], NOW).unwrap();
    assert!(again.repeated);
    assert_eq!(again.tasks, first.tasks);
    assert_eq!(reader.counters().unwrap(), before);
    // The task may be done by then.
    for pending in pending(&reader, tenter_model::task::Queue::Normal) {
        store.commit_blocking(outcome(&pending)).unwrap();
    }
    assert!(store.admit_keyed_blocking(key("local", "k", 1), vec![task(5, "a")], NOW).unwrap().repeated);
}

#[test]
fn a_key_with_another_body_is_refused_and_named() {
    let store = store();
    store.admit_keyed_blocking(key("local", "import-7", 1), vec![task(1, "a")], NOW).unwrap();
    let error = store.admit_keyed_blocking(key("local", "import-7", 2), vec![task(2, "a")], NOW).unwrap_err();
    insta::assert_snapshot!(error, @r#"key "import-7" was used before for a request with another body; repeat that request unchanged, or use a new key"#);
    assert_eq!(store.reader().unwrap().counters().unwrap().accepted, 1);
    // Another sender's key of the same name is another key.
    assert!(!store.admit_keyed_blocking(key("other", "import-7", 2), vec![task(2, "a")], NOW).unwrap().repeated);
}

#[test]
fn a_key_has_bounds() {
    let store = store();
    for wrong in [String::new(), "k".repeat(256)] {
        let error = store.admit_keyed_blocking(key("local", &wrong, 1), vec![task(1, "a")], NOW).unwrap_err();
        assert!(error.to_string().contains("1 to 255 are expected"), "{error}");
    }
    assert_eq!(store.reader().unwrap().counters().unwrap().accepted, 0);
}

#[test]
fn a_refused_request_does_not_use_up_its_key() {
    let options = StoreOptions { max_pending_rows: 1, ..quick() };
    let store = tenter_store::Store::temporary(options, NOW).unwrap();
    let reader = store.reader().unwrap();
    let one = waiting(&store, &reader, 1, "a");
    let refused = store.admit_keyed_blocking(key("local", "k", 1), vec![task(2, "a")], NOW);
    assert!(matches!(refused, Err(StoreError::Backlog { .. })), "{refused:?}");
    store.commit_blocking(outcome(&one)).unwrap();
    assert!(!store.admit_keyed_blocking(key("local", "k", 1), vec![task(3, "a")], NOW).unwrap().repeated);
}

#[test]
fn keys_are_known_after_a_restart_and_forgotten_with_the_ids() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).admit_keyed_blocking(key("local", "k", 1), vec![task(1, "a")], NOW).unwrap();
    let store = open(dir.path());
    assert!(store.admit_keyed_blocking(key("local", "k", 1), vec![task(2, "a")], NOW).unwrap().repeated);
    let days = StoreOptions::default().task_id_days;
    store.prune(NOW.saturating_add(days * DAY)).unwrap();
    assert!(store.admit_keyed_blocking(key("local", "k", 1), vec![task(3, "a")], NOW).unwrap().repeated);
    store.prune(NOW.saturating_add(days * DAY + 1)).unwrap();
    assert!(!store.admit_keyed_blocking(key("local", "k", 1), vec![task(4, "a")], NOW).unwrap().repeated);
}
