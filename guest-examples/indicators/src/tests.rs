use super::*;
use tenter_sdk::testing::{Harness, expect_tasks, json};

fn indicators() -> Harness<Indicators> {
    Harness::new(json!({"list": "own", "indicators": [
        {"value": "192.0.2.7", "type": "address", "note": "seen twice"},
        {"value": "Bad.Example.", "type": "domain", "note": "by name"},
    ]}))
    .unwrap()
}

#[test]
fn an_entry_marks_its_entity() {
    let marked = |note| json!([{"data_points": [{"attr": "indicator", "v": {"list": "own", "note": note}}]}]);
    expect_tasks(&indicators().on_entity_creation(Task::of("ip", "192.0.2.7")).unwrap(), marked("seen twice"));
    for name in ["bad.example", "www.bad.example", "BAD.example."] {
        expect_tasks(&indicators().on_entity_creation(Task::of("domain", name)).unwrap(), marked("by name"));
    }
}

#[test]
fn others_stay_unmarked() {
    assert_eq!(indicators().on_entity_creation(Task::of("ip", "192.0.2.8")), Ok(vec![]));
    for name in ["notbad.example", "example", "192.0.2.7"] {
        assert_eq!(indicators().on_entity_creation(Task::of("domain", name)), Ok(vec![]), "{name}");
    }
}

#[test]
fn a_list_needs_its_name() {
    let error = Harness::<Indicators>::new(json!({})).err().unwrap();
    assert_eq!(error.to_string(), "invalid input: the configuration lacks \"list\"");
    let error =
        Harness::<Indicators>::new(json!({"list": "x", "indicators": [{"value": "a", "type": "url", "note": ""}]}));
    assert!(error.err().unwrap().message().contains("unknown variant `url`, expected `address` or `domain`"));
}
