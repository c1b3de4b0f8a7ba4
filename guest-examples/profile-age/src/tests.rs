use super::*;
use tenter_sdk::testing::{Group, Harness, host, json, record};

#[test]
fn the_age_is_that_of_all_statements() {
    let mut module = Harness::<ProfileAge>::new(json!({})).unwrap();
    host(|h| {
        h.know(record(json!({"etype": "ip", "eid": "192.0.2.1", "attributes": {
            "label": {"plain": {"v": "private"}},
            "open_ports": {"observations": [
                {"t1": "2026-01-03T00:00:00Z", "t2": "2026-01-04T00:00:00Z", "v": 22},
                {"t1": "2026-01-01T12:00:00Z", "v": 80},
            ]},
            "role": {"observations": [{"t1": "2026-01-08T12:00:00Z", "v": "client"}]},
        }})));
    });
    let mut group = Group::new(json!({"ip/192.0.2.1": {}, "ip/192.0.2.2": {"label": "unknown before"}}));
    module.snapshot(&mut group).unwrap();
    group.expect(json!({
        "ip/192.0.2.1": {"known_days": 7, "statements": 3},
        "ip/192.0.2.2": {"known_days": null, "statements": null},
    }));
}
