//! What becomes of stored records with time, and which changes of the specification lose data.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly, in its helpers too"
)]

use std::collections::BTreeMap;
use std::str::FromStr;

use insta::assert_snapshot;
use tenter_model::config::{self, ConfigFile};
use tenter_model::id::{AttrName, EntityId, EntityRef};
use tenter_model::record::{Chunk, History, MasterRecord, Observation};
use tenter_model::schema::version::{Destruction, SchemaVersion};
use tenter_model::schema::{EntitySpec, Lifetime};
use tenter_model::upkeep::lifetime::{Fate, fate, is_expired};
use tenter_model::upkeep::{histories, links};
use tenter_model::value::{Link, Series};
use tenter_model::{Scalar, Schema, Timestamp, Value};

const A: &str = "
entity: {id: a, name: A, snapshot: true}
attribs:
  p: {name: P, type: plain, data_type: int}
  o: {name: O, type: observations, data_type: int, history_params: {max_age: 100, post_validity: 5}}
  m: {name: M, type: observations, data_type: int, multi_value: true, history_params: {max_items: 2}}
  raw: {name: R, type: observations, data_type: int, history_params: {aggregate: false, expire_time: 1}}
  b: {name: B, type: plain, data_type: 'link<b;mirror=as>'}
  bs: {name: Bs, type: plain, data_type: 'set<link<b>>'}
  ob: {name: Ob, type: observations, data_type: 'link<b,int>', multi_value: true}
  obs: {name: Obs, type: observations, data_type: 'array<link<b>>'}
  a2: {name: A2, type: plain, data_type: 'link<a>'}
  ts: {name: T, type: timeseries, timeseries_type: regular, timeseries_params: {time_step: 10, max_age: 50}, series: {n: {data_type: int}}}
";
const B: &str = "{entity: {id: b, name: B, snapshot: true}, attribs: {}}";

fn schema_of(files: &[(&str, &str)]) -> Schema {
    let file =
        |(name, text): &(&str, &str)| ConfigFile { path: format!("db_entities/{name}.yml"), text: (*text).into() };
    let loaded = config::load(&files.iter().map(file).collect::<Vec<_>>());
    loaded.config.unwrap_or_else(|| panic!("{:?}", loaded.errors)).schema
}

fn spec() -> EntitySpec {
    schema_of(&[("a", A), ("b", B)]).entity("a").unwrap().clone()
}

fn name<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// Seconds.
fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}

fn int(n: i64) -> Value {
    Value::Scalar(Scalar::Int(n))
}

fn entity(etype: &str, eid: &str) -> EntityRef {
    EntityRef { etype: name(etype), eid: EntityId::new(eid).unwrap() }
}

fn to(eid: &str) -> Link {
    Link { target: entity("b", eid), data: None }
}

fn point(t1: i64, t2: i64, value: Value) -> Observation {
    Observation { t1: at(t1), t2: at(t2), value, confidence: 1.0 }
}

fn points(list: &[(i64, i64, i64)]) -> History {
    History::Observations(list.iter().map(|(t1, t2, v)| point(*t1, *t2, int(*v))).collect())
}

fn plain(value: Value) -> History {
    History::Plain { value, updated: at(0) }
}

fn chunk(t1: i64, t2: i64) -> Chunk {
    Chunk { t1: at(t1), t2: at(t2), series: Vec::<Series>::new() }
}

fn record(attributes: Vec<(&str, History)>) -> MasterRecord {
    let mut record = MasterRecord::new(at(0));
    record.attributes = attributes.into_iter().map(|(attr, stored)| (name::<AttrName>(attr), stored)).collect();
    record
}

#[test]
fn whole_records_are_aggregated_and_tell_whether_anything_changed() {
    let split = points(&[(0, 10, 1), (12, 20, 1), (30, 40, 1)]);
    let mut stored = record(vec![("o", split.clone()), ("raw", split.clone()), ("gone", split.clone())]);
    assert!(histories::aggregate(&spec(), &mut stored));
    assert_eq!(stored.attributes["o"], points(&[(0, 20, 1), (30, 40, 1)]));
    assert_eq!((&stored.attributes["raw"], &stored.attributes["gone"]), (&split, &split));
    assert!(!histories::aggregate(&spec(), &mut stored), "a second pass finds nothing");
    let mut disorder = record(vec![("o", points(&[(30, 40, 1), (0, 10, 2)]))]);
    assert!(histories::aggregate(&spec(), &mut disorder));
    assert_eq!(disorder.attributes["o"], points(&[(0, 10, 2), (30, 40, 1)]));
}

#[test]
fn cleaning_goes_by_age_and_number() {
    let mut stored = record(vec![
        ("p", plain(int(1))),
        // 1000 - 100 = 900: an end exactly there stays.
        ("o", points(&[(0, 899, 1), (0, 900, 2), (950, 950, 3)])),
        ("m", points(&[(5, 90, 1), (0, 80, 2), (9, 80, 3), (0, 85, 4)])),
        ("raw", points(&[(0, 1, 1)])),
        ("ts", History::Timeseries(vec![chunk(0, 949), chunk(940, 950)])),
        ("gone", points(&[(0, 1, 1)])),
    ]);
    assert!(histories::clean(&spec(), &mut stored, at(1000)));
    assert_eq!(stored.attributes["o"], points(&[(0, 900, 2), (950, 950, 3)]));
    assert_eq!(stored.attributes["m"], points(&[(5, 90, 1), (0, 85, 4)]), "the latest ends, in stored order");
    assert_eq!(stored.attributes["raw"], points(&[(0, 1, 1)]), "what may not be current any more stays in the history");
    assert_eq!(stored.attributes["ts"], History::Timeseries(vec![chunk(940, 950)]));
    assert!(stored.attributes.contains_key("p") && stored.attributes.contains_key("gone"));
    assert!(!histories::clean(&spec(), &mut stored, at(1000)), "a second pass finds nothing");
    assert!(histories::clean(&spec(), &mut stored, at(9999)));
    assert!(
        !stored.attributes.contains_key("o") && !stored.attributes.contains_key("ts"),
        "nothing left, nothing kept"
    );
    assert_eq!(histories::earliest_end(&points(&[(0, 9, 1), (1, 5, 1)])), Some(at(5)));
    assert_eq!(histories::earliest_end(&History::Timeseries(vec![chunk(0, 7)])), Some(at(7)));
    assert_eq!(histories::earliest_end(&plain(int(1))), None);
}

#[test]
fn max_items_prefers_later_starts_then_later_arrivals() {
    let mut stored = record(vec![("m", points(&[(1, 9, 1), (3, 9, 2), (2, 9, 3)]))]);
    histories::clean(&spec(), &mut stored, at(10));
    assert_eq!(stored.attributes["m"], points(&[(3, 9, 2), (2, 9, 3)]));
    let mut stored = record(vec![("m", points(&[(1, 9, 1), (1, 9, 2), (1, 9, 3)]))]);
    histories::clean(&spec(), &mut stored, at(10));
    assert_eq!(stored.attributes["m"], points(&[(1, 9, 2), (1, 9, 3)]));
}

fn with_tokens(tokens: &[(&str, i64)]) -> MasterRecord {
    let mut record = record(vec![]);
    record.ttl = tokens.iter().map(|(token, until)| ((*token).to_owned(), at(*until))).collect::<BTreeMap<_, _>>();
    record
}

#[test]
fn entities_end_as_their_lifetime_says() {
    let ttl = Lifetime::Ttl { on_create: 0, mirror_data: true };
    let never_asked = || panic!("links are asked for weak entities alone");
    let of = |tokens: &[(&str, i64)]| fate(&ttl, &with_tokens(tokens), never_asked, at(100));
    // Strictly past, and all of them.
    assert_eq!(of(&[("base", 100)]), Fate::Keep);
    assert_eq!(of(&[("base", 99), ("data", 50)]), Fate::Delete);
    assert_eq!(of(&[("base", 99), ("data", 200), ("old", 1)]), Fate::DropTokens(vec!["base".into(), "old".into()]));
    assert_eq!(of(&[]), Fate::Keep, "without tokens it never ends");
    assert!(is_expired(&with_tokens(&[("base", 99)]), at(100)) && !is_expired(&with_tokens(&[]), at(100)));
    let past = with_tokens(&[("base", 1)]);
    assert_eq!(fate(&Lifetime::Immortal, &past, never_asked, at(100)), Fate::Keep);
    assert_eq!(fate(&Lifetime::Weak, &past, || true, at(100)), Fate::Keep);
    assert_eq!(fate(&Lifetime::Weak, &past, || false, at(100)), Fate::Delete);
}

#[test]
fn links_to_the_deleted_go_and_others_stay() {
    let with_data = |eid: &str| Value::Link(Link { data: Some(Box::new(int(1))), ..to(eid) });
    let mut stored = record(vec![
        ("p", plain(int(1))),
        ("b", plain(Value::Link(to("1")))),
        ("bs", plain(Value::Links(vec![to("1"), to("2"), to("1")]))),
        ("ob", History::Observations(vec![point(0, 1, with_data("1")), point(0, 1, with_data("2"))])),
        ("obs", History::Observations(vec![point(0, 1, Value::Links(vec![to("1"), to("2")]))])),
        // Of another type, and not configured any more.
        ("a2", plain(Value::Link(Link { target: entity("a", "1"), data: None }))),
        ("gone", plain(Value::Link(to("1")))),
    ]);
    let before = stored.clone();
    assert!(links::unlink(&spec(), &mut stored, &entity("b", "9")).is_empty());
    assert_eq!(stored, before);
    let changed = links::unlink(&spec(), &mut stored, &entity("b", "1"));
    assert_eq!(changed.iter().map(AttrName::as_str).collect::<Vec<_>>(), ["b", "bs", "ob", "obs"]);
    let left: Vec<&str> = stored.attributes.keys().map(AttrName::as_str).collect();
    assert_eq!(left, ["a2", "bs", "gone", "ob", "p"]);
    assert_eq!(stored.attributes["bs"], plain(Value::Links(vec![to("2")])));
    assert_eq!(stored.attributes["ob"], History::Observations(vec![point(0, 1, with_data("2"))]));
    links::unlink(&spec(), &mut stored, &entity("b", "2"));
    assert!(
        !stored.attributes.contains_key("bs") && !stored.attributes.contains_key("ob"),
        "gone with the last element"
    );
}

fn version(attribs: &str) -> SchemaVersion {
    let a = format!("{{entity: {{id: a, name: A, snapshot: true}}, attribs: {{{attribs}}}}}");
    SchemaVersion::of(&schema_of(&[("a", &a), ("b", B)]))
}

fn plain_of(data_type: &str) -> SchemaVersion {
    version(&format!("x: {{name: X, type: plain, data_type: '{data_type}'}}"))
}

#[test]
fn the_plan_of_a_change_is_readable() {
    let old = SchemaVersion::of(&schema_of(&[("a", A), ("b", B)]));
    assert!(old.compare(&old).is_empty());
    let new_a = "
entity: {id: a, name: A, snapshot: true}
attribs:
  p: {name: P, type: plain, data_type: int64}
  o: {name: O, type: plain, data_type: int}
  m: {name: M, type: observations, data_type: string, multi_value: true, history_params: {}}
  fresh: {name: F, type: plain, data_type: string}
  raw: {name: R, type: observations, data_type: int, history_params: {max_age: 9}}
  ts: {name: T, type: timeseries, timeseries_type: irregular, timeseries_params: {}, series: {n: {data_type: int}}}
";
    let new_c = "{entity: {id: c, name: C, snapshot: true, id_data_type: int}, attribs: {}}";
    let diff = old.compare(&SchemaVersion::of(&schema_of(&[("a", new_a), ("c", new_c)])));
    assert_snapshot!(diff, @r"
    + attribute 'a.p' changes from plain int to plain int64: stored values stay valid
    + attribute 'a.fresh' is new
    + entity 'c' is new
    - attribute 'a.a2' is gone: its values are removed from all records
    - attribute 'a.b' is gone: its values are removed from all records
    - attribute 'a.bs' is gone: its values are removed from all records
    - attribute 'a.m' changes from observations of int to observations of string: its values are removed from all records
    - attribute 'a.o' changes from observations of int to plain int: its values are removed from all records
    - attribute 'a.ob' is gone: its values are removed from all records
    - attribute 'a.obs' is gone: its values are removed from all records
    - attribute 'a.ts' changes from regular timeseries of n: int to irregular timeseries of n: int, time: time: its values are removed from all records
    - entity 'b' is gone: all its entities are deleted, with records, raw datapoints, snapshots and links
    ");
    assert!(!diff.is_harmless());
    let other_ids = "{entity: {id: b, name: B, snapshot: true, id_data_type: ipv4}, attribs: {}}";
    let diff = old.compare(&SchemaVersion::of(&schema_of(&[("a", A), ("b", other_ids)])));
    assert_snapshot!(diff, @"- entity 'b' has ids of type ipv4 instead of string: all its entities are deleted, with records, raw datapoints, snapshots and links");
    assert!(matches!(diff.destructive[0], Destruction::RetypeEntity { .. }));
}

/// What stored values survive is no destruction; the other way round it is.
#[test]
fn wider_types_keep_stored_values() {
    for (narrow, wide) in [
        ("category<string;a,b>", "category<string;c,b,a>"),
        ("category<string;a,b>", "string"),
        ("dict<k:int>", "dict<k:int, l?:string>"),
        ("dict<k:int>", "dict<k?:int>"),
    ] {
        assert!(plain_of(narrow).compare(&plain_of(wide)).is_harmless(), "{narrow} to {wide}");
        assert!(!plain_of(wide).compare(&plain_of(narrow)).is_harmless(), "{wide} to {narrow}");
    }
    for (one, other) in [
        ("int", "int64"),
        ("tag", "binary"),
        ("array<int>", "set<int64>"),
        ("link<b>", "link<b;mirror=xs>"),
        ("link<b,int>", "link<b,int64>"),
    ] {
        assert!(plain_of(one).compare(&plain_of(other)).is_harmless(), "{one} to {other}");
        assert!(plain_of(other).compare(&plain_of(one)).is_harmless(), "{other} to {one}");
    }
    for (one, other) in [
        ("int", "string"),
        ("int", "float"),
        ("link<b>", "link<a>"),
        ("link<b>", "link<b,int>"),
        ("link<b>", "set<link<b>>"),
        ("dict<k:int>", "dict<k:string>"),
        ("dict<k:int>", "dict<k:int, l:int>"),
        ("string", "json"),
    ] {
        assert!(!plain_of(one).compare(&plain_of(other)).is_harmless(), "{one} to {other}");
    }
}

#[test]
fn versions_are_read_as_written_and_mirrors_are_no_part_of_them() {
    let all = SchemaVersion::of(&schema_of(&[("a", A), ("b", B)]));
    let text = serde_json::to_string(&all).unwrap();
    assert_eq!(serde_json::from_str::<SchemaVersion>(&text).unwrap(), all);
    assert!(all.entities["b"].attributes.is_empty(), "the mirror of a.b");
    assert_snapshot!(serde_json::to_string(&plain_of("int").entities["a"]).unwrap(), @r#"{"id_type":"string","attributes":{"x":{"type":"plain","data_type":"int"}}}"#);
    // Text that this program does not read holds nothing.
    let text = serde_json::to_string(&plain_of("string"))
        .unwrap()
        .replace("\"data_type\":\"string\"", "\"data_type\":\"rune\"");
    let strange: SchemaVersion = serde_json::from_str(&text).unwrap();
    assert_snapshot!(strange.compare(&plain_of("string")), @"- attribute 'a.x' changes from plain rune to plain string: its values are removed from all records");
}
