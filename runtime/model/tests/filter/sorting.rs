//! Orders of listings.

use serde_json::json;
use tenter_model::Timestamp;
use tenter_model::filter::{Document, IdKey, Sort};
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

#[test]
fn without_an_order_keys_tell_it() {
    for (id_type, ids) in [
        (IdType::String, vec!["10", "2", "a", "ab", "b"]),
        (IdType::Int, vec!["0", "2", "10", "127", "-128", "-1", "128", "1000", "-129", "65536"]),
        (IdType::Ipv4, vec!["9.9.9.9", "10.0.0.2", "10.0.0.10", "192.0.2.1"]),
        (IdType::Ipv6, vec!["::1", "::10", "2001:db8::1"]),
        (IdType::Mac, vec!["00:00:00:00:00:01", "ff:00:00:00:00:00"]),
    ] {
        for (i, a) in ids.iter().enumerate() {
            for (j, b) in ids.iter().enumerate() {
                assert_eq!(IdKey::of(id_type, &id(a)).cmp(&IdKey::of(id_type, &id(b))), i.cmp(&j), "{a} {b}");
            }
        }
    }
}
