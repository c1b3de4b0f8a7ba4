//! What enters: ids, values, datapoints and tasks, by DP³'s tables.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly, in its helpers too"
)]

use std::net::IpAddr;

use insta::assert_snapshot;
use serde_json::{Value as Json, json};
use tenter_model::config::{self, ConfigFile};
use tenter_model::datatype::DataType;
use tenter_model::history::TimeRange;
use tenter_model::id::{AttrName, EntityId, EntityRef, EntityType};
use tenter_model::schema::{DuplicateKeys, IdType};
use tenter_model::value::{Column, Link, Series};
use tenter_model::{DataPoint, MasterRecord, Scalar, Schema, TaskBody, Timestamp, Value};

/// 2020-01-01T00:00:00Z.
const T: i64 = 1_577_836_800_000_000;
const MINUTE: i64 = 60_000_000;

fn schema() -> Schema {
    let ip = "
entity: {id: ip, name: IP, snapshot: true, id_data_type: ipv4}
attribs:
  hostname: {name: H, type: plain, data_type: string}
  ports: {name: P, type: observations, data_type: array<int>, multi_value: true, history_params: {max_age: 7d}}
  device: {name: D, type: observations, data_type: 'link<device,int ;mirror=ips>'}
  meta: {name: M, type: plain, data_type: 'dict<a:int,b?:time>'}
  flows: {name: F, type: timeseries, timeseries_type: regular, timeseries_params: {time_step: 1m, max_age: 14d}, series: {n: {data_type: int}, x: {data_type: float}}}
  stepless: {name: S, type: timeseries, timeseries_type: regular, timeseries_params: {}, series: {n: {data_type: int}}}
  seen: {name: S, type: timeseries, timeseries_type: irregular, timeseries_params: {}, series: {n: {data_type: int}}}
  spans: {name: S, type: timeseries, timeseries_type: irregular_intervals, timeseries_params: {}, series: {n: {data_type: int}}}
";
    let device = "
entity: {id: device, name: D, snapshot: true, id_data_type: int, lifetime: {type: ttl, on_create: 1d}}
attribs:
  note: {name: N, type: plain, data_type: json}
  level: {name: L, type: observations, data_type: float}
";
    let name = "entity: {id: name, name: N, snapshot: true}\nattribs: {}\n";
    let files = [("ip", ip), ("device", device), ("name", name)]
        .map(|(n, text)| ConfigFile { path: format!("db_entities/{n}.yml"), text: text.into() });
    let loaded = config::load(&files);
    assert!(loaded.errors.is_empty(), "{:?}", loaded.errors);
    loaded.config.unwrap().schema
}

fn data_type(text: &str) -> DataType {
    DataType::parse(text).unwrap()
}

#[test]
fn data_types_follow_the_grammar() {
    for (text, canonical) in [
        ("tag", "tag"),
        (" int64 ", "int64"),
        ("array<string>", "array<string>"),
        ("set< link<ip> >", "set<link<ip>>"),
        ("dict<a:int>", "dict<a:int>"),
        ("dict<a: int, b?: string>", "dict<a:int,b?:string>"),
        ("category<string; a, b>", "category<string;a,b>"),
        ("category<int;1,2>", "category<int;1,2>"),
        ("link<ip>", "link<ip>"),
        ("link<ip;mirror=back>", "link<ip;mirror=back>"),
        ("link<ip, int>", "link<ip,int>"),
        ("link<ip, int ; mirror=back>", "link<ip,int ;mirror=back>"),
        ("link<ip,int;mirror=back>", "link<ip,int ;mirror=back>"),
        ("link<ip,category<string;a,b>>", "link<ip,category<string;a,b>>"),
        ("array<link<ip,dict<a:int> ;mirror=back>>", "array<link<ip,dict<a:int> ;mirror=back>>"),
    ] {
        assert_eq!(data_type(text).to_string(), canonical, "{text}");
        assert_eq!(DataType::parse(canonical).unwrap(), data_type(text), "{text}");
    }
    for text in [
        "",
        "foo",
        "array",
        "array<int",
        "array<array<int>>",
        "set<dict<a:int>>",
        "dict<>",
        "dict<a>",
        "dict<a:array<int>>",
        "dict<a:int,a:int>",
        "dict<a b:int>",
        "category<string>",
        "category<int;a>",
        "category<string;a b>",
        "category<ipv4;1>",
        "link<>",
        "link<ip;back>",
        "link<ip,link<ip>>",
        "link<ip;mirror=9>",
        "array<array<array<array<array<int>>>>>",
    ] {
        assert!(DataType::parse(text).is_err(), "{text}");
    }
    assert_snapshot!(DataType::parse("foo").unwrap_err(), @"Data type 'foo' is not supported");
    assert_snapshot!(DataType::parse("array<array<int>>").unwrap_err(), @"Data type array<int> is not supported as an array element; expected a primitive or a link");
    assert_snapshot!(DataType::parse("link<ip;miror=x>").unwrap_err(), @r#"after ";" a link has mirror=NAME, found "miror=x""#);
}

/// The table of DP³: what each type accepts, and what comes out; `None` = refused.
#[test]
fn values_follow_the_table() {
    let schema = schema();
    let t = "2020-01-01T00:00:00Z";
    let rows: &[(&str, Json, Option<Json>)] = &[
        ("tag", json!(true), Some(json!(true))),
        ("tag", json!(0), Some(json!(false))),
        ("binary", json!("yes"), Some(json!(true))),
        ("binary", json!("OFF"), Some(json!(false))),
        ("binary", json!("n"), Some(json!(false))),
        ("binary", json!(null), None),
        ("binary", json!("maybe"), None),
        ("binary", json!(2), None),
        ("string", json!("a"), Some(json!("a"))),
        ("string", json!(""), Some(json!(""))),
        ("string", json!(1), None),
        ("int", json!(1_000_000_000_000_000_000i64), Some(json!(1_000_000_000_000_000_000i64))),
        ("int", json!(5.0), Some(json!(5))),
        ("int", json!("42"), Some(json!(42))),
        ("int", json!(" -042 "), Some(json!(-42))),
        ("int64", json!(true), Some(json!(1))),
        ("int", json!(1.5), None),
        ("int", json!("a"), None),
        ("int", json!(9_223_372_036_854_775_808u64), None),
        ("int", json!("9223372036854775808"), None),
        ("int", json!(1e300), None),
        ("int", json!(i64::MIN), Some(json!(i64::MIN))),
        ("float", json!(1.5), Some(json!(1.5))),
        ("float", json!(2), Some(json!(2.0))),
        ("float", json!("1e3"), Some(json!(1000.0))),
        ("float", json!("nan"), Some(json!(null))),
        ("float", json!("-inf"), Some(json!(null))),
        ("float", json!("x"), None),
        ("ipv4", json!("192.0.2.1"), Some(json!("192.0.2.1"))),
        ("ipv4", json!(3_221_225_985u32), Some(json!("192.0.2.1"))),
        ("ipv4", json!("192.0.2.01"), None),
        ("ipv4", json!("192.0.2.0/24"), None),
        ("ipv4", json!("::1"), None),
        ("ipv6", json!("0:0::1"), Some(json!("::1"))),
        ("ipv6", json!(1), Some(json!("::1"))),
        ("ipv6", json!("::1/64"), None),
        ("mac", json!("AA-BB-CC-DD-EE-FF"), Some(json!("aa:bb:cc:dd:ee:ff"))),
        ("mac", json!("aabbccddeeff"), None),
        ("time", json!("2020-01-01T00:00:00Z"), Some(json!(t))),
        ("time", json!("2020-01-01 00:00:00"), Some(json!(t))),
        ("time", json!("2020-01-01"), Some(json!(t))),
        ("time", json!("2020-01-01T01:00:00+01:00"), Some(json!(t))),
        ("time", json!(1_577_836_800), Some(json!(t))),
        ("time", json!(1_577_836_800_000u64), Some(json!(t))),
        ("time", json!("1577836800.5"), Some(json!("2020-01-01T00:00:00.5Z"))),
        ("time", json!("soon"), None),
        ("time", json!(-1), None),
        ("time", json!("1969-12-31T23:59:59Z"), None),
        ("time", json!(1e30), None),
        ("json", json!({"a": [1]}), Some(json!({"a": [1]}))),
        ("json", json!("{\"a\": 1}"), Some(json!({"a": 1}))),
        ("json", json!(5), None),
        ("json", json!("a"), None),
        ("json", json!("{\"a\": 1, \"a\": 2}"), None),
        ("special", json!(5), Some(json!(5))),
        ("special", json!("a"), Some(json!("a"))),
        ("special", json!(null), None),
        ("dict<a:int,b?:time>", json!({"a": "1", "z": 9}), Some(json!({"a": 1, "b": null}))),
        ("dict<a:int,b?:time>", json!({"a": 1, "b": 1_577_836_800}), Some(json!({"a": 1, "b": t}))),
        ("dict<a:int,b?:time>", json!({"b": null}), None),
        ("dict<a:int,b?:time>", json!([1]), None),
        ("category<string;a,b>", json!("a"), Some(json!("a"))),
        ("category<string;a,b>", json!("c"), None),
        ("category<int;1,2>", json!(2), Some(json!(2))),
        ("category<int;1,2>", json!("1"), None),
        ("link<ip>", json!({"eid": "192.0.2.1"}), Some(json!({"eid": "192.0.2.1"}))),
        ("link<device>", json!({"eid": "007"}), Some(json!({"eid": 7}))),
        ("link<ip>", json!("192.0.2.1"), None),
        ("link<ip>", json!({"eid": "192.0.2.1", "x": 1}), None),
        ("link<ip>", json!({"eid": "192.0.2.1", "data": 1}), None),
        ("link<ip>", json!({"eid": "x"}), None),
        ("link<name>", json!({"eid": 5}), None),
        ("link<device,int>", json!({"eid": 7, "data": "8"}), Some(json!({"eid": 7, "data": 8}))),
        ("link<device,int>", json!({"eid": 7}), None),
        ("array<int>", json!([1, "2"]), Some(json!([1, 2]))),
        ("array<int>", json!([]), Some(json!([]))),
        ("array<int>", json!([null]), None),
        ("array<int>", json!(1), None),
        ("set<string>", json!(["a", "a"]), Some(json!(["a", "a"]))),
        ("set<link<device>>", json!([{"eid": 1}]), Some(json!([{"eid": 1}]))),
    ];
    for (of, given, want) in rows {
        let of = data_type(of);
        let got = of.accept_json(&schema, given).map(|value| of.to_json(&schema, &value));
        assert_eq!(got.as_ref().ok(), want.as_ref(), "{of} {given}: {got:?}");
    }
}

#[test]
fn value_errors_name_the_place() {
    let schema = schema();
    let error = |of: &str, given: Json| data_type(of).accept_json(&schema, &given).unwrap_err().to_string();
    assert_snapshot!(error("link<ip>", json!({"eid": "x"})), @r#"v.eid: expected an IPv4 address, found "x""#);
    assert_snapshot!(error("array<link<device,int>>", json!([{"eid": 1, "data": 2}, {"eid": 1, "data": "a"}])), @r#"v[1].data: expected an integer, found "a""#);
    assert_snapshot!(error("dict<a:int>", json!({"b": 1})), @"v.a: Field required");
    assert_snapshot!(error("int", json!(9_223_372_036_854_775_808u64)), @"v: 9223372036854775808 is beyond the range of 64-bit signed integers");
    assert_snapshot!(error("category<string;a,b>", json!("c")), @r#"v: expected one of "a", "b", found "c""#);
    assert_snapshot!(error("time", json!("9".repeat(200))), @"v: expected a time in the years 1970 to 9999, found 1e200");
}

#[test]
fn ids_are_canonical() {
    for (of, given, want) in [
        (IdType::String, json!(" a/b "), Some(" a/b ")),
        (IdType::String, json!(5), None),
        (IdType::String, json!(""), None),
        (IdType::String, json!("a\u{0}"), None),
        (IdType::Int, json!("420"), Some("420")),
        (IdType::Int, json!("+0042"), Some("42")),
        (IdType::Int, json!("-0"), Some("0")),
        (IdType::Int, json!(5.0), Some("5")),
        (IdType::Int, json!("123456789012345678901234567890"), Some("123456789012345678901234567890")),
        (IdType::Int, json!(18_446_744_073_709_551_615u64), Some("18446744073709551615")),
        (IdType::Int, json!(1e25), None),
        (IdType::Int, json!(1.5), None),
        (IdType::Int, json!("x"), None),
        (IdType::Ipv4, json!("10.0.0.1"), Some("10.0.0.1")),
        (IdType::Ipv4, json!(1), Some("0.0.0.1")),
        (IdType::Ipv4, json!("10.0.0"), None),
        (IdType::Ipv6, json!("2001:DB8::0:1"), Some("2001:db8::1")),
        (IdType::Mac, json!("AA-BB-CC-DD-EE-FF"), Some("aa:bb:cc:dd:ee:ff")),
    ] {
        let got = of.accept_json(&given);
        assert_eq!(got.as_ref().ok().map(EntityId::as_str), want, "{given}");
        if let Ok(eid) = got {
            assert_eq!(of.parse(eid.as_str()).as_ref(), Ok(&eid), "canonical");
            assert_eq!(of.accept_json(&of.to_json(&eid)), Ok(eid), "through JSON");
        }
    }
    assert_eq!(IdType::Int.to_json(&EntityId::new("7").unwrap()), json!(7));
    assert_eq!(IdType::Int.to_json(&EntityId::new("99999999999999999999").unwrap()), json!("99999999999999999999"));
}

fn batch(body: &Json) -> Result<Vec<(EntityRef, Vec<DataPoint>)>, String> {
    schema()
        .accept_datapoints(body.to_string().as_bytes())
        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

/// Times of the only datapoint, in minutes after 2020.
fn times(dp: &Json) -> Result<(i64, i64), String> {
    let groups = batch(&json!([dp]))?;
    let dp = &groups[0].1[0];
    let minutes = |t: Option<Timestamp>| t.map_or(-1, |t| (t.0 - T) / MINUTE);
    Ok((minutes(dp.t1), minutes(dp.t2)))
}

fn at(minutes: i64) -> String {
    Timestamp(T + minutes * MINUTE).to_string()
}

#[test]
fn datapoints_follow_the_rules_of_their_kind() {
    let dp = |attr: &str, v: Json, t1: Json, t2: Json| json!({"type": "ip", "id": "10.0.0.1", "attr": attr, "v": v, "t1": t1, "t2": t2});
    let null = Json::Null;
    // Plain: t1 is ignored, t2 must not be there.
    assert_eq!(times(&dp("hostname", json!("a"), json!(at(0)), null.clone())), Ok((-1, -1)));
    assert!(times(&dp("hostname", json!("a"), null.clone(), json!(at(0)))).is_err());
    // Observations.
    assert_eq!(times(&dp("ports", json!([1]), json!(at(1)), null.clone())), Ok((1, 1)));
    assert_eq!(times(&dp("ports", json!([1]), json!(at(1)), json!(at(2)))), Ok((1, 2)));
    assert!(times(&dp("ports", json!([1]), null.clone(), null.clone())).is_err());
    assert!(times(&dp("ports", json!([1]), json!(at(2)), json!(at(1)))).is_err());
    // Regular timeseries: an end that is left out follows from the length.
    let v = json!({"n": [1, 2, 3], "x": [0, 0, 0]});
    assert_eq!(times(&dp("flows", v.clone(), json!(at(0)), null.clone())), Ok((0, 3)));
    assert_eq!(times(&dp("flows", v.clone(), json!(at(0)), json!(at(3)))), Ok((0, 3)));
    assert!(times(&dp("flows", v.clone(), json!(at(0)), json!(at(4)))).is_err());
    assert!(times(&dp("flows", v, json!(at(0)), json!(at(2)))).is_err());
    assert!(times(&dp("flows", json!({"n": [1], "x": []}), json!(at(0)), null.clone())).is_err());
    assert_eq!(times(&dp("flows", json!({"n": [], "x": []}), json!(at(0)), null.clone())), Ok((0, 0)));
    assert!(times(&dp("stepless", json!({"n": [1]}), json!(at(0)), null.clone())).is_err());
    // Irregular: times without zone are UTC, an empty chunk is fine.
    let seen =
        |a, b| json!({"n": [1, 2], "time": [Timestamp(T + a * MINUTE).to_string().trim_end_matches('Z'), at(b)]});
    assert_eq!(times(&dp("seen", seen(1, 5), json!(at(0)), null.clone())), Ok((0, 5)));
    assert_eq!(times(&dp("seen", seen(1, 5), json!(at(0)), json!(at(9)))), Ok((0, 9)));
    assert!(times(&dp("seen", seen(1, 5), json!(at(2)), null.clone())).is_err());
    assert!(times(&dp("seen", seen(1, 5), json!(at(0)), json!(at(4)))).is_err());
    assert!(times(&dp("seen", seen(5, 1), json!(at(0)), null.clone())).is_err());
    assert_eq!(times(&dp("seen", json!({"n": [], "time": []}), json!(at(3)), null.clone())), Ok((3, 3)));
    // Intervals.
    let spans = |a: [i64; 2], b: [i64; 2]| json!({"n": [1, 2], "time_first": a.map(at), "time_last": b.map(at)});
    assert_eq!(times(&dp("spans", spans([1, 2], [9, 3]), json!(at(0)), null.clone())), Ok((0, 9)));
    assert!(times(&dp("spans", spans([1, 4], [9, 3]), json!(at(0)), null)).is_err());
}

#[test]
fn a_request_is_grouped_and_one_bad_datapoint_refuses_it() {
    let good = json!([
        {"type": "ip", "id": "10.0.0.1", "attr": "hostname", "v": "a", "src": "x", "more": [1]},
        {"type": "device", "id": 7, "attr": "level", "v": 1, "t1": at(0), "c": 0.5},
        {"type": "ip", "id": "10.0.0.1", "attr": "ports", "v": [1], "t1": 1_577_836_800},
        {"type": "device", "id": "7", "attr": "note", "v": {"k": 1}},
    ]);
    let groups = batch(&good).unwrap();
    let shape: Vec<String> = groups
        .iter()
        .map(|(e, dps)| format!("{e} {}", dps.iter().map(|d| d.attr.as_str()).collect::<Vec<_>>().join(" ")))
        .collect();
    assert_eq!(shape, ["ip/10.0.0.1 hostname ports", "device/7 level note"]);
    assert_eq!((groups[1].1[0].confidence, groups[0].1[1].confidence), (Some(0.5), Some(1.0)));
    assert_eq!(groups[0].1[0].src.as_deref(), Some("x"));

    let bad = json!([
        good[0],
        {"type": "ipp", "id": "10.0.0.1", "attr": "hostname", "v": "a"},
        {"type": "ip", "id": "10.0.0.300", "attr": "hostnam", "v": "a"},
        {"type": "ip", "id": "10.0.0.1", "attr": "ports", "v": [1, "a"], "t1": at(0)},
        {"type": "ip", "id": "10.0.0.1", "attr": "ports", "v": [1], "t1": "soon", "c": 2},
        {"type": "device", "id": 1, "attr": "ips", "v": []},
        {"id": 5, "attr": 6},
        7,
        {"type": "ip", "id": "10.0.0.1", "attr": "ports", "v": [1], "t1": at(0), "c": 2},
        {"type": "ip", "id": "10.0.0.1", "attr": "stepless", "v": {"n": [1]}, "t1": at(0)},
        {"type": "ip", "id": "10.0.0.1", "attr": "flows", "v": {"n": [1], "x": [1]}, "t1": at(0), "t2": at(2)},
    ]);
    assert_snapshot!(batch(&bad).unwrap_err(), @r#"
    body[1].type: Entity type 'ipp' doesn't exist, did you mean "ip"?
    body[2].id: expected an IPv4 address, found "10.0.0.300"
    body[2].attr: Attribute 'hostnam' not found in entity 'ip', did you mean "hostname"?
    body[3].v[1]: expected an integer, found "a"
    body[4].t1: expected a time such as 2020-01-01T00:00:00Z, found "soon"
    body[5].attr: Cannot instantiate a read-only attribute datapoint: 'ips' mirrors 'ip.device', write that one
    body[6].type: Field required
    body[6].v: Field required
    body[7]: expected a datapoint (an object), found 7
    body[8].c: expected a confidence from 0 to 1, found 2
    body[9].attr: the specification of 'stepless' lacks timeseries_params.time_step, which a regular timeseries needs
    body[10].t2: Difference of t1 and t2 is invalid: 1 × PT1M from t1 is 2020-01-01T00:01:00Z, not 2020-01-01T00:02:00Z
    "#);
    assert_snapshot!(batch(&json!([good[0], {"type": "ip", "id": 5.5, "attr": "hostname", "v": "a"}])).unwrap_err(), @"body[1].id: expected an IPv4 address, found 5.5");
    let text = |body: &str| {
        let mut schema = schema().clone();
        schema.duplicate_keys = DuplicateKeys::Refused;
        let errors = schema.accept_datapoints(body.as_bytes()).unwrap_err();
        serde_json::to_string(&errors).unwrap()
    };
    assert_snapshot!(text("{}"), @r#"[{"loc":["body"],"msg":"expected a list of datapoints, found {}","type":"value_error"}]"#);
    assert_snapshot!(text("[{\"type\":"), @r#"[{"loc":["body"],"msg":"EOF while parsing a value at line 1 column 9","type":"json_invalid"}]"#);
    assert_snapshot!(text(r#"[{"type": "device", "id": 1, "attr": "note", "v": {"a": 1, "a": 2}}]"#), @r#"[{"loc":["body"],"msg":"duplicate key \"a\" at line 1 column 66","type":"json_invalid"}]"#);
    assert_snapshot!(text(&format!("{}{}", "[".repeat(200_000), "]".repeat(200_000))), @r#"[{"loc":["body"],"msg":"JSON is nested more than 32 levels deep","type":"value_error"}]"#);
    assert_snapshot!(text("[{\"type\": \"ip\", \"id\": \"10.0.0.1\", \"attr\": \"hostname\", \"v\": \"\\ud800\"}]"), @r#"[{"loc":["body"],"msg":"unexpected end of hex escape at line 1 column 67","type":"json_invalid"}]"#);
    assert!(schema().accept_datapoints(b"[{\"type\": \"\xff\"}]").is_err());
    assert_eq!(batch(&json!([])), Ok(Vec::new()));
}

#[test]
fn the_last_of_keys_that_stand_twice_counts_unless_it_is_refused() {
    let twice = r#"[{"type": "ip", "type": "device", "id": 1, "attr": "note", "v": {"a": 1, "a": 2}},
                    {"type": "device", "id": 1, "attr": "note", "v": {"a": 3}}]"#;
    let once = json!([
        {"type": "device", "id": 1, "attr": "note", "v": {"a": 2}},
        {"type": "device", "id": 1, "attr": "note", "v": {"a": 3}},
    ]);
    let mut schema = schema().clone();
    let errors = |schema: &Schema, text: &str| {
        serde_json::to_string(&schema.accept_datapoints(text.as_bytes()).unwrap_err()).unwrap()
    };
    assert_eq!(schema.accept_datapoints(twice.as_bytes()).unwrap(), batch(&once).unwrap());
    let bad = twice.replace("{\"a\": 3}", "3");
    assert_snapshot!(errors(&schema, &bad), @r#"[{"loc":["body",1,"v"],"msg":"expected an object, a list or JSON text, found 3","type":"value_error"}]"#);
    schema.duplicate_keys = DuplicateKeys::Refused;
    assert_snapshot!(errors(&schema, twice), @r#"[{"loc":["body"],"msg":"duplicate field `type` at line 1 column 22","type":"json_invalid"}]"#);
}

#[test]
fn tokens_are_times_by_name() {
    let schema = schema();
    let tokens = schema.ttl_tokens_json(&json!({"base": at(1), "none": null})).unwrap();
    assert_eq!(tokens, [("base".to_owned(), Some(Timestamp(T + MINUTE))), ("none".to_owned(), None)]);
    assert!(schema.ttl_tokens_json(&json!({})).is_err());
    assert!(schema.ttl_tokens_json(&json!({"base": "soon"})).is_err());
    assert!(schema.ttl_tokens_json(&json!([])).is_err());
}

fn entity(etype: &str, eid: &str) -> EntityRef {
    EntityRef { etype: EntityType::new(etype).unwrap(), eid: EntityId::new(eid).unwrap() }
}

fn point(attr: &str, value: Value, t1: Option<i64>) -> DataPoint {
    let t1 = t1.map(|m| Timestamp(T + m * MINUTE));
    DataPoint { attr: AttrName::new(attr).unwrap(), value, src: None, t1, t2: None, confidence: None }
}

fn task(datapoints: Vec<DataPoint>) -> TaskBody {
    TaskBody { datapoints, ..TaskBody::new(entity("ip", "10.0.0.1")) }
}

#[test]
fn values_of_guests_are_brought_to_the_declared_type() {
    let schema = schema();
    let text = |t: &str| Value::Scalar(Scalar::Text(t.into()));
    let accept = |of: &str, value: Value| data_type(of).accept(&schema, value).map_err(|e| e.to_string());
    let ip: IpAddr = "192.0.2.1".parse().unwrap();
    assert_eq!(accept("ipv4", text("192.0.2.1")), Ok(Value::Scalar(Scalar::Ip(ip))));
    assert_eq!(accept("float", Value::Scalar(Scalar::Int(2))), Ok(Value::Scalar(Scalar::Float(2.0))));
    assert_eq!(accept("time", text("2020-01-01")), Ok(Value::Scalar(Scalar::Time(Timestamp(T)))));
    assert_eq!(accept("array<link<ip>>", Value::Items(vec![])), Ok(Value::Links(vec![])));
    assert_eq!(
        accept("dict<a:int,b?:time>", Value::Scalar(Scalar::Json(json!({"a": 1})))),
        Ok(Value::Members(vec![("a".into(), Scalar::Int(1))]))
    );
    let link = |etype: &str, eid: &str| Value::Link(Link { target: entity(etype, eid), data: None });
    assert_eq!(accept("link<device>", link("device", "007")), Ok(link("device", "7")));
    let mut json = json!(1);
    for _ in 0..40 {
        json = json!([json]);
    }
    for (of, value) in [
        ("time", Value::Scalar(Scalar::Int(5))),
        ("float", Value::Scalar(Scalar::Float(f64::NAN))),
        ("float", text("inf")),
        ("float", Value::Scalar(Scalar::Json(json!("nan")))),
        ("dict<a:float>", Value::Members(vec![("a".into(), Scalar::Float(f64::INFINITY))])),
        ("special", Value::Scalar(Scalar::Float(f64::NAN))),
        ("ipv4", Value::Scalar(Scalar::Ip("::1".parse().unwrap()))),
        ("string", Value::Scalar(Scalar::Int(5))),
        ("time", Value::Scalar(Scalar::Time(Timestamp(i64::MAX)))),
        ("link<device>", link("ip", "10.0.0.1")),
        ("json", Value::Scalar(Scalar::Json(json.clone()))),
        ("array<int>", Value::Scalar(Scalar::Json(json))),
        ("int", Value::Items(vec![])),
    ] {
        assert!(accept(of, value.clone()).is_err(), "{of} {value:?}");
    }
    assert_snapshot!(accept("link<device>", link("ip", "10.0.0.1")).unwrap_err(), @r#"v.etype: expected a link to "device", found one to "ip""#);
    assert_snapshot!(accept("dict<a:float>", Value::Members(vec![("a".into(), Scalar::Float(f64::NAN))])).unwrap_err(), @"v.a: expected a finite number, found NaN");
}

#[test]
fn tasks_of_hooks_are_all_or_nothing() {
    let schema = schema();
    let host = |v: &str| point("hostname", Value::Scalar(Scalar::Text(v.into())), None);
    let good = task(vec![host("a"), point("ports", Value::Items(vec![Scalar::Int(1)]), Some(0))]);
    let accepted = schema.accept_task(good.clone()).unwrap();
    assert_eq!(accepted.datapoints[1].t2, Some(Timestamp(T)));
    // What was accepted is accepted again and stays the same.
    assert_eq!(schema.accept_task(accepted.clone()), Ok(accepted));

    let mut bad_times = point("ports", Value::Items(vec![]), Some(5));
    bad_times.t2 = Some(Timestamp(T));
    let chunk = Value::Chunk(vec![
        Series { name: "x".into(), column: Column::Floats(vec![1.0, f64::NAN]) },
        Series { name: "n".into(), column: Column::Ints(vec![1, 2]) },
    ]);
    let mut far = point("ports", Value::Items(vec![]), None);
    far.t1 = Some(Timestamp(i64::MIN));
    let mut sure = point("ports", Value::Items(vec![]), Some(0));
    sure.confidence = Some(f64::NAN);
    let mut late = TaskBody::new(entity("device", "x7"));
    late.ttl_tokens = vec![("base".into(), Some(Timestamp(i64::MAX)))];
    let tasks = vec![
        good,
        task(vec![]),
        TaskBody { delete: true, ..task(vec![]) },
        task(vec![
            host("a"),
            bad_times,
            point("flows", chunk, Some(0)),
            far,
            sure,
            point("nope", Value::Items(vec![]), None),
        ]),
        late,
        TaskBody::new(entity("nothing", "1")),
        TaskBody { datapoints: vec![point("ips", Value::Links(vec![]), None)], ..TaskBody::new(entity("device", "1")) },
    ];
    let errors = schema.accept_tasks(tasks).unwrap_err();
    assert_snapshot!(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"), @r#"
    tasks[1]: DataPointTask must contain at least one datapoint, non-empty ttl_tokens, or be a delete task.
    tasks[3].datapoints[1].t2: 't2' is before 't1' (2020-01-01T00:00:00Z < 2020-01-01T00:05:00Z)
    tasks[3].datapoints[2].v.x[1]: expected a finite number
    tasks[3].datapoints[3].t1: expected a time in the years 1970 to 9999, found -9223372036854775808us
    tasks[3].datapoints[4].c: expected a confidence from 0 to 1, found NaN
    tasks[3].datapoints[5].attr: Attribute 'nope' not found in entity 'ip'
    tasks[4].eid: expected an integer, found "x7"
    tasks[4].ttl_tokens.base: expected a time in the years 1970 to 9999, found 9223372036854775807us
    tasks[5].etype: Entity type 'nothing' doesn't exist
    tasks[6].datapoints[0].attr: Cannot instantiate a read-only attribute datapoint: 'ips' mirrors 'ip.device', write that one
    "#);
}

#[test]
fn records_are_printed_in_dp3_form() {
    let schema = schema();
    let body = json!([
        {"type": "ip", "id": "10.0.0.1", "attr": "hostname", "v": "a", "src": "s"},
        {"type": "ip", "id": "10.0.0.1", "attr": "ports", "v": [80], "t1": at(0), "t2": at(9), "c": 0.5},
        {"type": "ip", "id": "10.0.0.1", "attr": "device", "v": {"eid": 7, "data": 8}, "t1": at(1)},
        {"type": "ip", "id": "10.0.0.1", "attr": "meta", "v": {"a": 1}},
        {"type": "ip", "id": "10.0.0.1", "attr": "flows", "v": {"n": [1, 2, 3], "x": [0.5, 1, 2]}, "t1": at(0)},
        {"type": "ip", "id": "10.0.0.1", "attr": "spans", "v": {"n": [4], "time_first": [at(2)], "time_last": [at(3)]}, "t1": at(0)},
    ]);
    let groups = schema.accept_datapoints(body.to_string().as_bytes()).unwrap();
    let (entity, dps) = &groups[0];
    let mut record = MasterRecord::new(Timestamp(T));
    for dp in dps {
        record.stage(dp, Timestamp(T + MINUTE));
        // What is printed of a datapoint is accepted again as the same.
        let (again, same) = schema.accept_datapoint_json(&schema.datapoint_json(entity, dp)).unwrap();
        assert_eq!((&again, &same), (entity, dp));
    }
    record.extend_ttl(&[("base".into(), Some(Timestamp(T)))]);
    let range = TimeRange { from: Some(Timestamp(T + MINUTE + 1)), to: Some(Timestamp(T + 10 * MINUTE)) };
    assert_snapshot!(serde_json::to_string_pretty(&schema.datapoint_json(entity, &dps[1])).unwrap(), @r#"
    {
      "attr": "ports",
      "c": 0.5,
      "id": "10.0.0.1",
      "src": null,
      "t1": "2020-01-01T00:00:00Z",
      "t2": "2020-01-01T00:09:00Z",
      "type": "ip",
      "v": [
        80
      ]
    }
    "#);
    assert_snapshot!(serde_json::to_string_pretty(&schema.master_json(entity, &record, range)).unwrap(), @r##"
    {
      "#time_created": "2020-01-01T00:00:00Z",
      "#ttl": {
        "base": "2020-01-01T00:00:00Z"
      },
      "device": [
        {
          "c": 1.0,
          "t1": "2020-01-01T00:01:00Z",
          "t2": "2020-01-01T00:01:00Z",
          "v": {
            "data": 8,
            "eid": 7
          }
        }
      ],
      "flows": [
        {
          "t1": "2020-01-01T00:01:00Z",
          "t2": "2020-01-01T00:02:00Z",
          "v": {
            "n": 2,
            "x": 1.0
          }
        },
        {
          "t1": "2020-01-01T00:02:00Z",
          "t2": "2020-01-01T00:03:00Z",
          "v": {
            "n": 3,
            "x": 2.0
          }
        }
      ],
      "hostname": {
        "ts_last_update": "2020-01-01T00:01:00Z",
        "v": "a"
      },
      "meta": {
        "ts_last_update": "2020-01-01T00:01:00Z",
        "v": {
          "a": 1,
          "b": null
        }
      },
      "ports": [
        {
          "c": 0.5,
          "t1": "2020-01-01T00:00:00Z",
          "t2": "2020-01-01T00:09:00Z",
          "v": [
            80
          ]
        }
      ],
      "spans": [
        {
          "t1": "2020-01-01T00:02:00Z",
          "t2": "2020-01-01T00:03:00Z",
          "v": {
            "n": 4
          }
        }
      ]
    }
    "##);
    let history = |attr, current| schema.attribute_history_json(entity, attr, Some(&record), current, range).unwrap();
    assert_eq!(history("hostname", None), json!({"attr_type": 1, "current_value": "a", "history": []}));
    let late = history("device", Some(json!({"eid": 7, "data": 8})));
    assert_eq!(late, json!({"attr_type": 2, "current_value": {"eid": 7, "data": 8}, "history": []}));
    assert_eq!(history("flows", None)["history"].as_array().unwrap().len(), 2);
    assert!(schema.attribute_history_json(entity, "nope", None, None, range).is_none());
}

#[test]
fn the_specification_is_printed_in_dp3_form() {
    let schema = schema();
    let counts = [("ip".to_owned(), 3)].into();
    let json = serde_json::to_value(schema.entities_listing(&counts)).unwrap();
    let attribs = &json["ip"]["attribs"];
    assert_eq!(json["ip"]["eid_estimate_count"], 3);
    assert_eq!(
        attribs["hostname"],
        json!({"id": "hostname", "name": "H", "description": "", "ttl": "PT0S", "data_type": "string", "editable": false, "t": 1, "type": "plain"})
    );
    assert_eq!(
        attribs["ports"],
        json!({"id": "ports", "name": "P", "description": "", "ttl": "PT0S", "data_type": "array<int>", "editable": false, "t": 2,
            "type": "observations", "confidence": false, "multi_value": true, "history_params": {"max_age": "P7D", "max_items": null,
            "expire_time": null, "pre_validity": "PT0S", "post_validity": "PT0S", "aggregate": true}, "history_force_graph": false})
    );
    assert_eq!(
        attribs["flows"],
        json!({"id": "flows", "name": "F", "description": "", "ttl": "PT0S", "t": 4, "type": "timeseries", "timeseries_type": "regular",
            "series": {"n": {"data_type": "int"}, "x": {"data_type": "float"}}, "timeseries_params": {"max_age": "P14D", "time_step": "PT1M"}})
    );
    let whole = schema.to_json();
    assert_eq!(
        whole["entities"]["device"]["lifetime"],
        json!({"type": "ttl", "on_create": "P1D", "mirror_data": true})
    );
    assert_eq!(whole["entities"]["device"]["attribs"]["ips"]["mirror_of"], json!({"etype": "ip", "attr": "device"}));
    assert_eq!(whole["entities"]["device"]["attribs"]["note"]["mirror_of"], Json::Null);
    assert_eq!(attribs["spans"]["series"], json!({"n": {"data_type": "int"}}));
}
