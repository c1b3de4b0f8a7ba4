use super::*;
use tenter_sdk::testing::{Group, Harness, expect_changes, json, link};

/// An address that two domains resolve to and that presented a certificate, and another address that shares a domain.
fn group() -> Group {
    Group::new(json!({
        "ip/192.0.2.1": {
            "domains": [link("domain/a.example"), link("domain/xq7z.example")], "domains#c": [1.0, 0.5],
            "certificates": [link("certificate/c"), link("certificate/not-loaded")],
        },
        "ip/192.0.2.2": {"domains": [link("domain/a.example")], "domains#c": [1.0]},
        "ip/192.0.2.3": {"indicator": {"list": "own", "note": "x"}},
        "domain/a.example": {"indicator": {"list": "own", "note": "x"}, "entropy": 1.0},
        "domain/xq7z.example": {"entropy": 3.9},
        "domain/quiet.example": {"entropy": 2.0},
        "certificate/c": {"self_signed": true, "subject": "CN=x"},
    }))
}

#[test]
fn a_run_fuses_what_linked_entities_say() {
    let mut group = group();
    let tasks = Harness::<RiskScore>::new(json!({})).unwrap().snapshot(&mut group).unwrap();
    assert_eq!(tasks, []);
    group.expect(json!({
        "domain/a.example": {"risk": 0.8},
        "domain/xq7z.example": {"risk": 0.3},
        "domain/quiet.example": {"risk": null},
        // 1 - 0.2 * 0.7 * 0.8
        "ip/192.0.2.1": {
            "risk": 0.888,
            "risk_from": ["domain/a.example", "domain/xq7z.example", "certificate/c"],
        },
        "ip/192.0.2.2": {"risk": 0.8, "risk_from": ["domain/a.example"]},
        "ip/192.0.2.3": {"risk": 0.8, "risk_from": ["indicator"]},
    }));
}

#[test]
fn one_hook_can_be_called_alone() {
    let mut module = Harness::<RiskScore>::new(json!({"listed": 1, "random": 0.25})).unwrap();
    let view = group().view("domain/xq7z.example", &["indicator", "entropy"]);
    expect_changes(module.correlate(&view).unwrap(), json!({"domain/xq7z.example": {"risk": 0.25}}));
    let view = group().view("domain/quiet.example", &["indicator", "entropy"]);
    expect_changes(module.correlate(&view).unwrap(), json!({}));
}

#[test]
fn a_risk_is_0_to_1() {
    let wrong = Harness::<RiskScore>::new(json!({"random": 2})).err().unwrap();
    assert_eq!(wrong.message(), "random: 2 is no risk: expected 0 to 1");
}
