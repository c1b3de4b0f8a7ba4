//! Documents from typed values, magic strings, full-text filters.

use serde_json::{Value as Json, json};
use tenter_model::filter::{Document, Filter, Wanted};
use tenter_model::id::{AttrName, EntityRef, EntityType};
use tenter_model::view::{CurrentValue, EntityView};
use tenter_model::{Schema, Timestamp};

use super::support::{TIME, id, schema};

/// A view from JSON, as datapoints would state it; `ports` becomes several values.
fn view(schema: &Schema, etype: &str, eid: &str, values: &Json) -> EntityView {
    let mut out = Vec::new();
    for (attr, json) in values.as_object().unwrap() {
        let data_type = schema.attribute(etype, attr).unwrap().kind.data_type().unwrap();
        let name = AttrName::new(attr).unwrap();
        let one = |json: &Json, confidence| CurrentValue {
            attr: name.clone(),
            value: data_type.accept_json(schema, json).unwrap_or_else(|e| panic!("{attr}: {e}")),
            confidence,
        };
        match json {
            Json::Array(list) if attr == "ports" => out.extend(list.iter().map(|v| one(v, Some(0.5)))),
            _ => out.push(one(json, (attr == "ratio").then_some(0.5))),
        }
    }
    let entity = EntityRef { etype: EntityType::new(etype).unwrap(), eid: id(eid) };
    EntityView { entity, values: out }
}

fn host(schema: &Schema) -> EntityView {
    let values = json!({
        "a": 5, "name": "Mail.example.org", "seen": "2024-01-01T12:00:00Z", "addr": "192.0.2.77", "addr6": "2001:db8::1",
        "mac": "00:1b:63:84:45:e6", "ratio": 0.25, "tags": ["new", "x"], "ports": [25], "info": {"os": "bsd"},
        "any": {"k": [{"v": "192.0.2.77"}]}, "site": {"eid": 7, "data": 3}, "ips": [{"eid": "192.0.2.1"}, {"eid": "192.0.2.2"}],
    });
    view(schema, "host", "h1", &values)
}

fn asked(schema: &Schema, view: &EntityView, filter: &Filter) -> bool {
    let time = Timestamp::from_secs(TIME);
    let all = filter.matches(&Document::new(schema, view, time, false, &Wanted::All));
    let some = filter.matches(&Document::new(schema, view, time, false, filter.wanted()));
    assert_eq!(all, some, "what the filter names is enough: {filter:?}");
    all
}

#[test]
fn generic_filters_see_types() {
    let (schema, time) = (schema(), TIME);
    let host = host(&schema);
    for (filter, wanted) in [
        (json!({"last.seen": "$$Date{2024-01-01T12:00:00Z}"}), true),
        (json!({"last.seen": "2024-01-01T12:00:00Z"}), false),
        (json!({"last.seen": {"$gt": "$$DateTs{1704067200}", "$lt": "$$DateTs{1704110400.5}"}}), true),
        (json!({"last.seen": {"$gt": "$$DateTs{1704110400}"}}), false),
        (json!({"last.seen": {"$gt": "2020"}}), false),
        (json!({"last.addr": "$$IPv4{192.0.2.77}"}), true),
        (json!({"last.addr": "192.0.2.77"}), false),
        (json!({"last.addr": {"$in": ["$$IPv4{192.0.2.77}"]}}), true),
        (json!({"last.addr": {"$gte": "$$IPv4{192.0.2.9}", "$lt": "$$IPv4{192.0.2.100}"}}), true),
        (json!({"last.addr": "$$IPv4Prefix{192.0.2.64/26}"}), true),
        (json!({"last.addr": "$$IPv4Prefix{0.0.0.0/0}"}), true),
        (json!({"last.addr": "$$IPv4Prefix{192.0.2.0/26}"}), false),
        (json!({"last.addr": {"$not": "$$IPv4Prefix{192.0.2.0/26}"}}), true),
        (json!({"last.addr": {"$regex": "192"}}), false),
        (json!({"last.addr": {"$type": "binData"}}), true),
        (json!({"last.addr6": "$$IPv6{2001:0db8::1}"}), true),
        (json!({"last.addr6": "$$IPv6Prefix{2001:db8::/32}"}), true),
        (json!({"last.addr6": "$$IPv6Prefix{::/0}"}), true),
        (json!({"last.addr6": "$$IPv4Prefix{0.0.0.0/0}"}), false),
        (json!({"last.mac": "$$MAC{00-1B-63-84-45-E6}"}), true),
        (json!({"last.a": "$$int{5}"}), true),
        (json!({"last.a": "$$int{ -5 }"}), false),
        (json!({"last.name": "$$"}), false),
        (json!({"last.ratio#c": {"$lt": 0.6}, "last.ratio": 0.25}), true),
        (json!({"last.ports": 25, "last.ports#c": 0.5}), true),
        (json!({"last.ports": {"$size": 1}}), true),
        (json!({"last.info.os": "bsd", "last.info.cores": {"$type": "null"}}), true),
        (json!({"last.any.k.v": "192.0.2.77"}), true),
        (json!({"last.site.eid": 7, "last.site.data": {"$gt": 2}}), true),
        (json!({"last.ips.eid": "$$IPv4{192.0.2.2}"}), true),
        (json!({"last.ips": {"$elemMatch": {"eid": "$$IPv4Prefix{192.0.2.2/31}"}}}), true),
        (json!({"last.eid": "h1"}), true),
        (json!({"_id": format!("h1_#{time}")}), true),
        (json!({"_id": "$$Binary_ID{h1}"}), true),
        (json!({"_id": "$$Binary_ID{h}"}), false),
        (json!({"_id": {"$regex": "^h1_#"}}), true),
        (json!({"_time_created": format!("$$DateTs{{{time}}}")}), true),
        (json!({"last._time_created": {"$gt": format!("$$DateTs{{{time}}}")}}), false),
        (json!({"last.missing": null, "last._partial": {"$exists": false}}), true),
    ] {
        let parsed = Filter::parse(&filter, &schema, "host").unwrap_or_else(|e| panic!("{filter}: {e}"));
        assert_eq!(asked(&schema, &host, &parsed), wanted, "{filter}");
        assert!(!wanted || parsed.narrow().admits(&id("h1"), Timestamp::from_secs(TIME)), "{filter}");
    }
}

#[test]
fn keys_of_other_types() {
    let schema = schema();
    for (etype, eid, filter, wanted) in [
        ("site", "7", json!({"_id": "$$Binary_ID{$$int{7}}"}), true),
        ("site", "7", json!({"_id": "$$Binary_ID{7}"}), true),
        ("site", "-300", json!({"_id": "$$Binary_ID{$$int{-300}}"}), true),
        ("site", "7", json!({"_id": "$$Binary_ID{$$int{8}}"}), false),
        ("site", "7", json!({"last.eid": 7.0}), true),
        ("site", "7", json!({"last.eid": "7"}), false),
        ("ip", "192.0.2.7", json!({"_id": "$$Binary_ID{$$IPv4{192.0.2.7}}"}), true),
        ("ip", "192.0.2.7", json!({"_id": "$$Binary_ID{192.0.2.7}"}), true),
        ("ip", "192.0.2.7", json!({"_id": "$$Binary_ID{$$IPv4Prefix{192.0.2.0/29}}"}), true),
        ("ip", "192.0.2.8", json!({"_id": "$$Binary_ID{$$IPv4Prefix{192.0.2.0/29}}"}), false),
        ("ip", "10.9.8.7", json!({"_id": "$$Binary_ID{$$IPv4Prefix{10.0.0.0/8}}"}), true),
        ("ip", "10.9.8.7", json!({"last.eid": "$$IPv4Prefix{10.0.0.0/8}"}), true),
        ("nic", "00:1b:63:84:45:e6", json!({"_id": "$$Binary_ID{$$MAC{00:1B:63:84:45:E6}}"}), true),
        ("nic", "00:1b:63:84:45:e6", json!({"last.eid": "$$MAC{00:1b:63:84:45:e7}"}), false),
    ] {
        let parsed = Filter::parse(&filter, &schema, etype).unwrap_or_else(|e| panic!("{filter}: {e}"));
        let view = view(&schema, etype, eid, &json!({}));
        assert_eq!(asked(&schema, &view, &parsed), wanted, "{etype} {filter}");
        assert!(!wanted || parsed.narrow().admits(&id(eid), Timestamp::from_secs(TIME)), "{etype} {filter}");
    }
}

#[test]
fn fulltext_filters() {
    let schema = schema();
    let host = host(&schema);
    for (fulltext, wanted) in [
        (json!({}), true),
        (json!({"name": "mail\\.EX"}), true),
        (json!({"name": "^example"}), false),
        (json!({"name": "mail", "a": "5"}), false),
        (json!({"tags": "^ne"}), true),
        (json!({"eid": "^H1$"}), true),
        // Not the time that is part of the key, unless it is meant.
        (json!({"eid": "17"}), false),
        (json!({"eid": "h1_#17"}), true),
        (json!({"addr": "^192\\.0"}), true),
        (json!({"mac": "^00:1B"}), true),
        (json!({"ips": "\\.2$"}), true),
        (json!({"site": "7"}), false),
        (json!({"load": "1"}), false),
    ] {
        let parsed = Filter::fulltext(&fulltext, &schema, "host").unwrap_or_else(|e| panic!("{fulltext}: {e}"));
        assert_eq!(asked(&schema, &host, &parsed), wanted, "{fulltext}");
    }
    let ip = view(&schema, "ip", "192.0.2.7", &json!({}));
    let parsed = Filter::fulltext(&json!({"eid": "^192.*7$"}), &schema, "ip").unwrap();
    assert!(asked(&schema, &ip, &parsed), "ids of all types have a text");
}

#[test]
fn a_fulltext_filter_replaces_the_same_field() {
    let schema = schema();
    let host = host(&schema);
    for (fulltext, generic, wanted) in [
        (r#"{"name": "mail"}"#, r#"{"last.name": "web"}"#, true),
        (r#"{"name": "mail"}"#, r#"{"last.a": 6}"#, false),
        (r#"{"name": "mail"}"#, r#"{"$and": [{"last.name": "web"}]}"#, false),
        (r#"{"eid": "h"}"#, r#"{"_id": "other"}"#, true),
    ] {
        let parsed = Filter::from_text(Some(fulltext), Some(generic), &schema, "host").unwrap();
        assert_eq!(asked(&schema, &host, &parsed), wanted, "{fulltext} {generic}");
    }
    let none = Filter::from_text(None, None, &schema, "host").unwrap();
    assert!(asked(&schema, &host, &none) && asked(&schema, &host, &Filter::all()));
}

#[test]
fn names_without_last_are_told() {
    let parsed = Filter::parse(&json!({"name": 1, "$or": [{"eid": 1}, {"nothing": 1}]}), &schema(), "host").unwrap();
    assert_eq!(
        parsed.notes(),
        [
            "\"eid\" names nothing in a listing, so that it counts as missing; write \"last.eid\"",
            "\"name\" names nothing in a listing, so that it counts as missing; write \"last.name\"",
        ]
    );
}
