use super::*;
use tenter_sdk::testing::{Harness, json};

fn verdict(config: tenter_sdk::testing::Json, ip: &str) -> Result<Verdict> {
    Harness::<AdmitPrefixes>::new(config)?.allow_entity_creation(Task::of("ip", ip))
}

#[test]
fn denied_prefixes_win() {
    let config = json!({"allow": ["10.0.0.0/8"], "deny": ["10.1.0.0/16"]});
    assert_eq!(verdict(config.clone(), "10.2.0.1"), Ok(Verdict::Allow));
    assert_eq!(
        verdict(config.clone(), "10.1.2.3"),
        Ok(Verdict::because("10.1.2.3 is in the denied prefix 10.1.0.0/16"))
    );
    assert_eq!(verdict(config, "192.0.2.1"), Ok(Verdict::because("192.0.2.1 is in no allowed prefix")));
}

#[test]
fn without_configuration_all_may_enter() {
    for ip in ["0.0.0.0", "255.255.255.255", "::", "2001:db8::1"] {
        assert_eq!(verdict(json!({}), ip), Ok(Verdict::Allow), "{ip}");
    }
}

#[test]
fn prefixes_end_where_they_should() {
    let config = |p: &str| json!({"allow": [p]});
    assert_eq!(verdict(config("192.0.2.128/25"), "192.0.2.128"), Ok(Verdict::Allow));
    assert_ne!(verdict(config("192.0.2.128/25"), "192.0.2.127"), Ok(Verdict::Allow));
    assert_eq!(verdict(config("192.0.2.1"), "192.0.2.1"), Ok(Verdict::Allow));
    assert_ne!(verdict(config("192.0.2.1"), "192.0.2.0"), Ok(Verdict::Allow));
    assert_ne!(verdict(config("0.0.0.0/0"), "::1"), Ok(Verdict::Allow));
}

#[test]
fn nonsense_is_refused() {
    for wrong in ["x", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/-1", "::/129"] {
        let error = verdict(json!({"deny": [wrong]}), "192.0.2.1").unwrap_err();
        assert_eq!(error.message(), format!("{wrong:?} is not a prefix: expected the form 192.0.2.0/24"));
    }
}
