//! Filters of strangers: nothing panics, recurses without end or takes for ever.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use tenter_model::Timestamp;
use tenter_model::filter::{Document, Filter, Sort};
use tenter_model::schema::IdType;

use super::support::{id, item, matches, schema};

/// Words that make something of most texts.
fn word() -> impl Strategy<Value = Json> {
    let words = [
        "$and",
        "$or",
        "$not",
        "$in",
        "$elemMatch",
        "$regex",
        "$options",
        "$type",
        "$size",
        "$mod",
        "$all",
        "$gt",
        "last.a",
        "last.tags.0",
        "_id",
        "",
        ".",
        "..",
        "i",
        "string",
        "(a|b)*c",
        "$$",
        "$$int{",
        "$$int{}",
        "$$IPv4Prefix{/}",
        "$$IPv6Prefix{::/129}",
        "$$Binary_ID{$$Binary_ID{x}}",
        "$$Binary_ID{}",
        "$$DateTs{nan}",
        "$$Date{é}",
    ];
    prop_oneof![
        prop::sample::select(words.to_vec()).prop_map(Json::from),
        ".{0,12}".prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
    ]
}

fn tree() -> impl Strategy<Value = Json> {
    word().prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::vec((word(), inner), 0..4).prop_map(|entries| {
                entries.into_iter().map(|(k, v)| (k.as_str().unwrap_or("last.x").to_owned(), v)).collect()
            }),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_panics(filter in tree(), last in tree(), key in ".{0,20}") {
        let schema = schema();
        let eid = id("h1");
        let document = Document::of(IdType::String, &eid, Timestamp(0), item(&json!({"a": last.clone(), "x": last})));
        for read in [Filter::parse, Filter::fulltext] {
            match read(&filter, &schema, "host") {
                Ok(read) => {
                    let _ = read.matches(&document);
                }
                Err(errors) => prop_assert!(!errors.0.is_empty() && !errors.to_string().is_empty()),
            }
        }
        if let Ok(sort) = Sort::parse(&[key], &schema, "host") {
            prop_assert!(sort.compare(&sort.place(&document), &sort.place(&document)).is_eq());
        }
    }
}

#[test]
fn paths_through_deep_lists_end() {
    let schema = schema();
    // Every list can be gone through by place and by key, at each level.
    let mut deep = json!(1);
    for _ in 0..30 {
        deep = json!([{"0": deep}]);
    }
    let path = format!("last.x{}", ".0".repeat(14));
    let any: Vec<Json> = (0..900).map(|i| json!({path.clone(): i + 2})).collect();
    assert!(!matches(&schema, &json!({"$or": any}), &json!({"x": deep})));
}

#[test]
fn patterns_take_linear_time() {
    let schema = schema();
    // Exponential where a matcher goes back.
    let text = "a".repeat(100_000);
    assert!(!matches(&schema, &json!({"last.x": {"$regex": "^(a+)+$"}}), &json!({"x": format!("{text}!")})));
}

#[test]
fn nesting_is_bounded() {
    let schema = schema();
    let nested = |n: usize| {
        let mut text = String::new();
        for _ in 0..n {
            write!(text, "{{\"$and\":[").unwrap();
        }
        write!(text, "{{\"last.x\":1}}{}", "]}".repeat(n)).unwrap();
        Filter::from_text(None, Some(&text), &schema, "host").is_ok()
    };
    assert!(nested(31));
    assert!(!nested(32));
    assert!(!nested(100_000));
    let magic = format!("{}x{}", "$$Binary_ID{".repeat(100_000), "}".repeat(100_000));
    let error = Filter::parse(&json!({"_id": magic}), &schema, "host").unwrap_err().to_string();
    assert!(error.len() < 500, "{error}");
}
