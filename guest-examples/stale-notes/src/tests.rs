use super::*;
use tenter_sdk::testing::{Harness, expect_tasks, json, record};

fn domain(news: &str, noted: Option<&str>) -> MasterRecord {
    let mut attributes = json!({
        "query_type": {"observations": [{"t1": "2019-01-01T00:00:00Z", "v": "A"}, {"t1": news, "v": "AAAA"}]},
        "queries": {"plain": {"v": 5}},
    });
    if let Some(noted) = noted {
        attributes["stale_since"] = json!({"plain": {"v": noted, "as": "time"}});
    }
    record(json!({"etype": "domain", "eid": "a.example", "attributes": attributes}))
}

#[test]
fn a_domain_without_news_is_noted_once() {
    let mut module = Harness::<StaleNotes>::new(json!({"after_days": 30})).unwrap();
    let old = "2025-11-30T00:00:00Z";
    let tasks = module.update_record(&domain(old, None)).unwrap();
    expect_tasks(&tasks, json!([{"eid": "a.example", "data_points": [{"attr": "stale_since", "v": old}]}]));
    assert_eq!(module.update_record(&domain(old, Some(old))), Ok(vec![]));
    assert_eq!(module.update_record(&domain(old, Some("2025-01-01T00:00:00Z"))).map(|t| t.len()), Ok(1));
    assert_eq!(module.update_record(&domain("2025-12-31T00:00:00Z", None)), Ok(vec![]));
}

#[test]
fn of_what_was_never_observed_there_is_no_news() {
    let mut module = Harness::<StaleNotes>::new(json!({})).unwrap();
    let record = record(json!({"etype": "domain", "eid": "a.example", "attributes": {"queries": {"plain": {"v": 5}}}}));
    assert_eq!(module.update_record(&record), Ok(vec![]));
}
