use super::*;
use tenter_sdk::testing::{Harness, expect_tasks, json};

#[test]
fn every_network_has_its_label() {
    let mut label = Harness::<Label>::new(json!({})).unwrap();
    for (ip, want) in [
        ("10.0.0.1", "private"),
        ("127.0.0.1", "loopback"),
        ("169.254.1.1", "link-local"),
        ("224.0.0.251", "multicast"),
        ("255.255.255.255", "broadcast"),
        ("0.0.0.0", "unspecified"),
        ("192.0.2.1", "documentation"),
        ("100.127.0.1", "shared"),
        ("100.128.0.1", "public"),
        ("240.0.0.1", "reserved"),
        ("8.8.8.8", "public"),
        ("fe80::1", "link-local"),
        ("fd00::1", "private"),
        ("2001:db8::1", "documentation"),
        ("::ffff:10.0.0.1", "private"),
        ("2606:4700::1", "public"),
    ] {
        let tasks = label.on_entity_creation(Task::of("ip", ip)).unwrap();
        expect_tasks(&tasks, json!([{"eid": ip, "data_points": [{"attr": "label", "v": want, "t1": null}]}]));
    }
}

#[test]
fn what_is_no_address_is_the_datas_fault() {
    let error = Harness::<Label>::new(json!({})).unwrap().on_entity_creation(Task::of("ip", "x"));
    assert_eq!(error, Err(HookError::invalid("id of ip/x: invalid IP address syntax")));
}
