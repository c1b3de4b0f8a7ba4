//! What keys can answer.

use serde_json::Value as Json;
use serde_json::json;
use tenter_model::Timestamp;
use tenter_model::filter::{Document, Filter, Ids, Narrow};
use tenter_model::schema::IdType;

use super::random::{Random, seed};
use super::support::{id, item, schema};

fn narrow(etype: &str, filter: &serde_json::Value) -> Narrow {
    Filter::parse(filter, &schema(), etype).unwrap_or_else(|e| panic!("{filter}: {e}")).narrow().clone()
}

fn these(ids: &[&str]) -> Ids {
    Ids::These(ids.iter().map(|i| id(i)).collect())
}

fn range(from: &str, to: &str) -> Ids {
    Ids::Range(from.to_owned(), (!to.is_empty()).then(|| to.to_owned()))
}

#[test]
fn ids() {
    for (etype, filter, want) in [
        ("host", json!({}), Ids::All),
        ("host", json!({"last.eid": "h1"}), these(&["h1"])),
        ("host", json!({"last.eid": {"$in": ["h2", "h1", 5]}, "last.a": 1}), these(&["h1", "h2"])),
        ("host", json!({"last.eid": {"$ne": "h1"}}), Ids::All),
        ("host", json!({"last.eid": {"$gte": "h", "$lt": "i"}}), range("h", "i")),
        ("host", json!({"last.eid": {"$regex": "^www-\\d"}}), range("www-", "www.")),
        ("host", json!({"last.eid": {"$regex": "^wx?"}}), range("w", "x")),
        ("host", json!({"last.eid": {"$regex": "^w|x"}}), Ids::All),
        ("host", json!({"last.eid": {"$regex": "^w", "$options": "i"}}), Ids::All),
        ("host", json!({"_id": "a_b_#1700000000"}), these(&["a_b"])),
        ("host", json!({"_id": "$$Binary_ID{web}"}), range("web", "wec")),
        ("host", json!({"_id": {"$regex": "^web_"}}), range("web", "wec")),
        ("host", json!({"_id": {"$gte": "a"}}), Ids::All),
        ("host", json!({"$or": [{"last.eid": "b"}, {"last.eid": "a"}]}), these(&["a", "b"])),
        ("host", json!({"$or": [{"last.eid": "b"}, {"last.eid": {"$gte": "d"}}]}), range("b", "")),
        ("host", json!({"$or": [{"last.eid": "b"}, {"last.a": 1}]}), Ids::All),
        ("host", json!({"$nor": [{"last.eid": "b"}]}), Ids::All),
        (
            "host",
            json!({"$and": [{"last.eid": {"$in": ["a", "b"]}}, {"last.eid": {"$in": ["b", "c"]}}]}),
            these(&["b"]),
        ),
        ("host", json!({"last.eid": 5}), these(&[])),
        ("site", json!({"last.eid": {"$in": [5, 6.0, 7.5, "$$int{-8}"]}}), these(&["-8", "5", "6"])),
        ("site", json!({"last.eid": {"$gt": 5}}), Ids::All),
        ("site", json!({"_id": "$$Binary_ID{$$int{-129}}"}), these(&["-129"])),
        ("ip", json!({"_id": "$$Binary_ID{$$IPv4{192.0.2.1}}"}), these(&["192.0.2.1"])),
        ("ip", json!({"_id": "$$Binary_ID{$$IPv4Prefix{192.0.2.0/31}}"}), these(&["192.0.2.0", "192.0.2.1"])),
        ("ip", json!({"_id": "$$Binary_ID{$$IPv4Prefix{10.0.0.0/8}}"}), Ids::All),
        ("ip", json!({"last.eid": "$$IPv4Prefix{192.0.2.0/31}"}), these(&["192.0.2.0", "192.0.2.1"])),
        ("ip", json!({"last.eid": "$$IPv4Prefix{10.0.0.0/8}"}), Ids::All),
        ("ip", json!({"last.eid": {"$gt": "$$IPv4{192.0.2.9}", "$lt": "$$IPv4{192.0.2.1}"}}), these(&[])),
        ("nic", json!({"last.eid": "$$MAC{00:1B:63:84:45:E6}"}), these(&["00:1b:63:84:45:e6"])),
    ] {
        assert_eq!(narrow(etype, &filter).ids, want, "{etype} {filter}");
    }
    let many: Vec<String> = (0..2000).map(|n| format!("h{n}")).collect();
    assert_eq!(narrow("host", &json!({"last.eid": {"$in": many}})).ids, range("h0", "h999\0"));
}

#[test]
fn times() {
    let at = |s: i64| Some(Timestamp::from_secs(s));
    for (filter, from, to) in [
        (json!({"_time_created": {"$gte": "$$DateTs{5}", "$lt": "$$DateTs{9}"}}), at(5), at(9)),
        (
            json!({"$and": [{"_time_created": {"$gt": "$$DateTs{5}"}}, {"last._time_created": {"$gt": "$$DateTs{7}"}}]}),
            at(7),
            None,
        ),
        (json!({"$or": [{"_time_created": "$$DateTs{5}"}, {"_time_created": "$$DateTs{7}"}]}), at(5), at(7)),
        (json!({"$or": [{"_time_created": "$$DateTs{5}"}, {"last.a": 1}]}), None, None),
        (json!({"_time_created": {"$gt": 5}}), None, None),
    ] {
        let narrow = narrow("host", &filter);
        assert_eq!((narrow.from, narrow.to), (from, to), "{filter}");
    }
}

/// A random id of few characters, among them those of the separator and its neighbours.
fn name(r: &mut Random) -> String {
    (0..=r.below(3)).map(|_| *r.pick(&['a', 'b', '_', '#', '$', 'Z', '1', '\u{d7ff}', '\u{10ffff}'])).collect()
}

fn condition(r: &mut Random, depth: usize) -> Json {
    if depth > 0 && r.chance(3) {
        let list: Vec<Json> = (0..=r.below(3)).map(|_| condition(r, depth - 1)).collect();
        return json!({*r.pick(&["$and", "$or", "$nor"]): list});
    }
    let field = *r.pick(&["last.eid", "_id"]);
    let seconds = r.below(3);
    let value =
        |r: &mut Random| if field == "_id" && r.chance(2) { format!("{}_#{seconds}", name(r)) } else { name(r) };
    let test = match r.below(9) {
        0 => json!(value(r)),
        1 => json!({"$in": [value(r), value(r), value(r)]}),
        2 => json!({"$nin": [value(r), value(r)]}),
        3 => json!({"$gte": value(r)}),
        4 => json!({"$gt": value(r), "$lte": value(r)}),
        5 => json!({"$gte": value(r), "$lt": value(r)}),
        6 if field == "_id" => json!(format!("$$Binary_ID{{{}}}", name(r).replace(['{', '}'], ""))),
        7 => return json!({*r.pick(&["_time_created", "last._time_created"]): {"$gte": "$$DateTs{1}"}}),
        _ => json!({"$regex": format!("^{}{}", name(r).replace('$', "b"), r.pick(&["", "?", "*", ".", "|a", "b{0}"]))}),
    };
    json!({field: test})
}

#[test]
fn what_matches_is_admitted() {
    let (schema, seed) = (schema(), seed());
    let (mut matching, mut kept_out) = (0, 0);
    for case in 0..4_000 {
        let r = &mut Random::of_case(seed, case);
        let json = condition(r, 2);
        let filter = Filter::parse(&json, &schema, "host").unwrap_or_else(|e| panic!("{json}: {e}"));
        for _ in 0..10 {
            let (eid, seconds) = (id(&name(r)), i64::try_from(r.below(3)).unwrap());
            let time = Timestamp::from_secs(seconds);
            let last = item(&json!({"eid": eid.as_str(), "_time_created": {"@time": seconds}}));
            let matches = filter.matches(&Document::of(IdType::String, &eid, time, last));
            let admitted = filter.narrow().admits(&eid, time);
            assert!(
                admitted || !matches,
                "seed {seed}: {json} matches {eid} and {:?} does not admit it",
                filter.narrow()
            );
            matching += usize::from(matches);
            kept_out += usize::from(!admitted);
        }
    }
    println!("40000 ids, seed {seed}: {matching} match, {kept_out} are kept out by keys alone");
    assert!(matching > 4_000 && kept_out > 4_000, "{matching} {kept_out}");
}
