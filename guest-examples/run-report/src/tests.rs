use super::*;
use tenter_sdk::testing::{Group, Harness, expect_tasks, json};

#[test]
fn a_run_is_counted_from_its_beginning_to_its_end() {
    let mut module = Harness::<RunReport>::new(json!({})).unwrap();
    let mut group = Group::new(json!({
        "ip/192.0.2.1": {"risk": 0.8},
        "ip/192.0.2.2": {"risk": 0.2},
        "ip/192.0.2.3": {},
        "domain/a.example": {"risk": 0.9},
    }));
    let before = group.clone();
    let time = "2026-01-01T00:00:00Z";
    let row = json!({"time": [time], "addresses": [3], "risky": [1]});
    for _ in 0..2 {
        let tasks = module.snapshot(&mut group).unwrap();
        expect_tasks(
            &tasks,
            json!([
                {"etype": "report", "eid": "snapshots", "data_points": [{"attr": "begun", "v": time}]},
                {"data_points": [{"attr": "ended", "v": time}, {"attr": "lanes", "v": row, "t1": time, "t2": time}]},
            ]),
        );
    }
    assert_eq!(group, before, "it only looks");
}
