//! The audit log: every administrative change with its actor, and no row altered unseen.

use serde_json::json;
use tenter_model::task::Queue;
use tenter_model::{SubscriptionId, Timestamp};
use tenter_store::{BreakerRow, DeadFilter, DeadKind, Effect, Store, StoreError, TaskOutcome, TokenRow};

use crate::fixtures::*;
use crate::modules::{ONE, grant, install};

const LATER: Timestamp = Timestamp(NOW.0 + DAY);

fn token() -> TokenRow {
    TokenRow {
        digest: [7; 32],
        role: "operator".into(),
        label: "ann".into(),
        created: NOW,
        expires: None,
        last_used: None,
        scopes: Vec::new(),
    }
}

/// One of each operation.
fn everything(store: &Store) {
    let label = module("label");
    let install = install("label", ONE, "1", "1.0.0");
    let digest = install.digest.clone();
    store.install_module(install).unwrap();
    store.activate(&label, &digest).unwrap();
    store.set_enabled(&label, false).unwrap();
    store.set_module_config(&label, Some(json!({"key": "hunter2"}))).unwrap();
    store.set_grants(&label, vec![]).unwrap();
    store.add_grant(&label, grant("log", "x")).unwrap();
    store.remove_grant(&label, grant("log", "x")).unwrap();
    store.switch_subscription(&label, &SubscriptionId::new("a").unwrap(), false).unwrap();
    store.add_token(token()).unwrap();
    store.note_token_use([7; 32], NOW).unwrap();
    store.remove_token([7; 32]).unwrap();
    let breaker = BreakerRow { module: label.clone(), hook: "on-task-start".into(), body: json!({"state": "open"}) };
    store.put_breaker_blocking(breaker).unwrap();
    store.release_breaker(&label, "on-task-start").unwrap();
    let reader = store.reader().unwrap();
    for n in [1, 2] {
        let one = waiting(store, &reader, n, "a");
        let effect = Effect::Dead(letter(&one.task, DeadKind::Failed));
        store.commit_blocking(TaskOutcome { effect, ..outcome(&one) }).unwrap();
    }
    let dead = reader.dead(&DeadFilter::default(), 2).unwrap();
    store.replay_dead(dead[0].seq).unwrap();
    store.discard_dead(dead[1].seq).unwrap();
    store.remove_module(&label).unwrap();
    assert_eq!(pending(&reader, Queue::Normal).len(), 1);
}

#[test]
fn each_administrative_change_is_recorded_with_its_actor() {
    let store = store();
    everything(&store.acting("token:0707", LATER));
    store.record_audit("breaker.open", "label on-task-start", json!({"faults": 5})).unwrap();
    let reader = store.reader().unwrap();
    let rows = reader.audit_log(0, 100).unwrap();
    let said: Vec<_> = rows.iter().map(|r| format!("{} {} {}", r.actor, r.action, r.subject)).collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    token:0707 module.install label
    token:0707 module.activate label
    token:0707 module.enable label
    token:0707 module.config label
    token:0707 grant.set label
    token:0707 grant.add label
    token:0707 grant.remove label
    token:0707 subscription.switch label a
    token:0707 token.add 070707070707
    token:0707 token.remove 070707070707
    token:0707 breaker.release label on-task-start
    token:0707 dead-letter.replay 2
    token:0707 dead-letter.discard 1
    token:0707 module.remove label
    tenter breaker.open label on-task-start
    ");
    assert!(rows[..14].iter().all(|r| r.at == LATER) && rows[14].at == NOW);
    assert!(!rows.iter().any(|r| r.detail.to_string().contains("hunter2")), "a configuration may hold secrets");
    let check = reader.verify_audit().unwrap();
    assert_eq!((check.rows, check.first_broken), (15, None));
    assert_eq!(check.head, rows[14].hash);
    assert_eq!(reader.audit_log(14, 100).unwrap(), rows[14..]);
}

#[test]
fn a_change_that_fails_leaves_no_row() {
    let store = store();
    assert!(matches!(store.set_enabled(&module("none"), true), Err(StoreError::NotFound(_))));
    assert!(store.remove_token([1; 32]).is_err());
    assert_eq!(store.reader().unwrap().verify_audit().unwrap().rows, 0);
}

#[test]
fn altering_removing_or_inserting_any_row_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    everything(&store);
    store.close().unwrap();
    let pristine = std::fs::read(dir.path().join("tenter.db")).unwrap();
    let broken_after = |sql: &str| {
        let copy = tempfile::tempdir().unwrap();
        let path = copy.path().join("tenter.db");
        std::fs::write(&path, &pristine).unwrap();
        let conn = rusqlite::Connection::open(&path).unwrap();
        assert!(conn.execute(sql, []).unwrap() > 0, "{sql}");
        drop(conn);
        open(copy.path()).reader().unwrap().verify_audit().unwrap().first_broken
    };
    for seq in 1..=14 {
        for change in [
            "at = at + 1",
            "actor = 'bob'",
            "action = 'x'",
            "subject = subject || ' '",
            "detail = '{}'",
            "hash = zeroblob(32)",
            // The border between two columns moves and their text together stays the same.
            "actor = actor || substr(action, 1, 1), action = substr(action, 2)",
        ] {
            assert_eq!(broken_after(&format!("UPDATE audit SET {change} WHERE seq = {seq}")), Some(seq), "{change}");
        }
        assert_eq!(broken_after(&format!("DELETE FROM audit WHERE seq = {seq}")), Some(seq), "delete {seq}");
    }
    let copied = "INSERT INTO audit SELECT 15, at, actor, action, subject, detail, hash FROM audit WHERE seq = 14";
    assert_eq!(broken_after(copied), Some(15));
    assert_eq!(broken_after("DELETE FROM audit WHERE seq > 10"), Some(11), "a tail that was cut off");
    // The control: what does not touch the log breaks nothing.
    assert_eq!(broken_after("UPDATE boot SET at = at"), None);
}
