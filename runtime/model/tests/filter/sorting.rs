//! Orders of listings.

use serde_json::json;
use tenter_model::Timestamp;
use tenter_model::filter::{Document, Sort};
use tenter_model::schema::IdType;

use super::support::{id, item, schema};

#[test]
fn documents_stand_in_mongodbs_order() {
    let schema = schema();
    // Each with itself in the place where it belongs.
    let values = [
        json!(null),
        json!(-1.5),
        json!(0),
        json!(2),
        json!(2.5),
        json!("A"),
        json!("a"),
        json!("é"),
        json!({"k": 1}),
        json!({"k": "v"}),
        json!(false),
        json!(true),
        json!({"@time": 0}),
        json!({"@time": 1}),
    ];
    let lasts: Vec<_> = values.iter().map(|v| item(&json!({"a": v, "name": "same"}))).collect();
    let eid = id("h");
    for (keys, descending) in [(vec!["a"], false), (vec!["name:-1", "a:-1"], true), (vec!["name", "a:1"], false)] {
        let sort = Sort::parse(&keys, &schema, "host").unwrap();
        let place = |i: usize| sort.place(&Document::of(IdType::String, &eid, Timestamp(0), lasts[i].clone()));
        for i in 0..lasts.len() {
            for j in 0..lasts.len() {
                let want = if descending { j.cmp(&i) } else { i.cmp(&j) };
                assert_eq!(sort.compare(&place(i), &place(j)), want, "{} {} by {keys:?}", values[i], values[j]);
            }
        }
    }
    // What is missing stands where null stands.
    let sort = Sort::parse(&["a"], &schema, "host").unwrap();
    let place = |last| sort.place(&Document::of(IdType::String, &eid, Timestamp(0), item(&last)));
    assert!(sort.compare(&place(json!({})), &place(json!({"a": null}))).is_eq());
    let none = Sort::parse::<&str>(&[], &schema, "host").unwrap();
    assert!(none.is_empty());
}

#[test]
fn ids_of_numbers_are_sorted_as_numbers() {
    let schema = schema();
    let sort = Sort::parse(&["eid"], &schema, "site").unwrap();
    let place = |n: i64| {
        let eid = id(&n.to_string());
        sort.place(&Document::of(IdType::Int, &eid, Timestamp(0), item(&json!({"eid": n}))))
    };
    assert!(sort.compare(&place(9), &place(10)).is_lt());
    assert!(sort.compare(&place(-1), &place(0)).is_lt());
}
