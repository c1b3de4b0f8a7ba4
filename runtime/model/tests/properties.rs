//! Properties of canonical forms: what is printed is read again as the same, and no input panics.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly, in its helpers too"
)]

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use tenter_model::config::{self, ConfigFile};
use tenter_model::datatype::{DataType, ElementType, LinkType, Member, Primitive};
use tenter_model::history::{self, Current};
use tenter_model::id::{AttrName, EntityType};
use tenter_model::record::{Chunk, Observation};
use tenter_model::schema::{HistoryParams, IdType, TimeseriesType};
use tenter_model::value::{Column, Series};
use tenter_model::{Scalar, Schema, Timestamp, Value};

const DEVICE: &str = "
entity: {id: device, name: D, snapshot: true, id_data_type: int}
attribs:
  note: {name: N, type: plain, data_type: json}
  level: {name: L, type: observations, data_type: float}
  seen: {name: S, type: timeseries, timeseries_type: irregular, timeseries_params: {}, series: {n: {data_type: int}}}
";

fn schema() -> Schema {
    let file = ConfigFile { path: "db_entities/device.yml".into(), text: DEVICE.into() };
    config::load(&[file]).config.unwrap().schema
}

fn primitive() -> impl Strategy<Value = Primitive> {
    prop::sample::select(Primitive::ALL.to_vec())
}

fn link() -> impl Strategy<Value = LinkType> {
    let data = prop_oneof![
        primitive().prop_map(DataType::Primitive),
        prop::collection::btree_map("[a-z]{1,4}", (primitive(), any::<bool>()), 1..3).prop_map(dict),
        category(),
    ];
    (prop::option::of(data), prop::option::of("[a-z_][a-z0-9_-]{0,5}")).prop_map(|(data, mirror)| LinkType {
        to: EntityType::new("device").unwrap(),
        data: data.map(Box::new),
        mirror: mirror.map(|m| AttrName::new(&m).unwrap()),
    })
}

fn dict(members: std::collections::BTreeMap<String, (Primitive, bool)>) -> DataType {
    DataType::Dict(members.into_iter().map(|(name, (of, optional))| Member { name, of, optional }).collect())
}

fn category() -> impl Strategy<Value = DataType> {
    prop_oneof![
        prop::collection::vec("[a-zA-Z0-9_]{1,6}", 1..4).prop_map(|v| DataType::Category {
            of: Primitive::String,
            values: v.into_iter().map(Scalar::Text).collect()
        }),
        prop::collection::vec(0i64.., 1..4)
            .prop_map(|v| DataType::Category { of: Primitive::Int, values: v.into_iter().map(Scalar::Int).collect() }),
    ]
}

fn data_type() -> impl Strategy<Value = DataType> {
    prop_oneof![
        primitive().prop_map(DataType::Primitive),
        category(),
        primitive().prop_map(|p| DataType::Array(ElementType::Primitive(p))),
        primitive().prop_map(|p| DataType::Set(ElementType::Primitive(p))),
        link().prop_map(|l| DataType::Array(ElementType::Link(l))),
        link().prop_map(DataType::Link),
        prop::collection::btree_map("[a-z]{1,4}", (primitive(), any::<bool>()), 1..4).prop_map(dict),
    ]
}

fn json_value() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        "\\PC{0,12}".prop_map(Json::from),
        "[0-9a-f:.-]{0,17}".prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map("[a-z]{1,4}", inner, 0..4).prop_map(|m| Json::Object(m.into_iter().collect())),
        ]
    })
}

/// JSON that a primitive accepts, in one of its forms.
fn fitting(of: Primitive) -> BoxedStrategy<Json> {
    match of {
        Primitive::Tag | Primitive::Binary => {
            prop::sample::select(vec![json!(true), json!(0), json!("yes"), json!("F")]).boxed()
        }
        Primitive::String => "\\PC{0,12}".prop_map(Json::from).boxed(),
        Primitive::Int | Primitive::Int64 => {
            prop_oneof![any::<i64>().prop_map(Json::from), any::<i64>().prop_map(|n| json!(format!(" {n} ")))].boxed()
        }
        Primitive::Float => (-1e300f64..1e300).prop_map(Json::from).boxed(),
        Primitive::Ipv4 => prop_oneof![
            any::<std::net::Ipv4Addr>().prop_map(|a| json!(a.to_string())),
            any::<u32>().prop_map(Json::from)
        ]
        .boxed(),
        Primitive::Ipv6 => any::<std::net::Ipv6Addr>().prop_map(|a| json!(a.to_string())).boxed(),
        Primitive::Mac => any::<[u8; 6]>().prop_map(|b| json!(b.map(|b| format!("{b:02X}")).join("-"))).boxed(),
        Primitive::Time => prop_oneof![
            (0i64..253_402_300_800_000_000).prop_map(|t| json!(Timestamp(t).to_string())),
            (0u64..20_000_000_000).prop_map(Json::from)
        ]
        .boxed(),
        Primitive::Special => json_value().prop_filter("null is no value", |v| !v.is_null()).boxed(),
        Primitive::Json => prop::collection::vec(json_value(), 0..3).prop_map(Json::from).boxed(),
    }
}

fn points() -> impl Strategy<Value = Vec<Observation>> {
    let point = (0i64..1000, 0i64..100, 0i64..3, 0.01f64..1.0).prop_map(|(t1, len, value, confidence)| Observation {
        t1: Timestamp(t1),
        t2: Timestamp(t1 + len),
        value: Value::Scalar(Scalar::Int(value)),
        confidence,
    });
    prop::collection::vec(point, 0..12)
}

fn params() -> impl Strategy<Value = HistoryParams> {
    (0i64..50, 0i64..50).prop_map(|(pre_validity, post_validity)| HistoryParams {
        pre_validity,
        post_validity,
        ..HistoryParams::default()
    })
}

proptest! {
    #[test]
    fn data_types_are_read_as_printed(of in data_type()) {
        prop_assert_eq!(DataType::parse(&of.to_string()), Ok(of));
    }

    #[test]
    fn data_type_text_never_panics(text in "[a-z<>;:,?= 0-9_-]{0,60}") {
        if let Ok(of) = DataType::parse(&text) {
            prop_assert_eq!(DataType::parse(&of.to_string()), Ok(of));
        }
    }

    #[test]
    fn printed_values_are_accepted_as_the_same(
        (of, json) in primitive().prop_flat_map(|p| (Just(p), fitting(p)))
    ) {
        let (schema, of) = (schema(), DataType::Primitive(of));
        let value = of.accept_json(&schema, &json).map_err(|e| TestCaseError::fail(e.to_string()))?;
        let printed = of.to_json(&schema, &value);
        // Text of `special` and numbers within it stay; all else is canonical after the first pass.
        prop_assert_eq!(of.accept_json(&schema, &printed), Ok(value.clone()));
        prop_assert_eq!(of.accept(&schema, value.clone()), Ok(value));
    }

    #[test]
    fn lists_and_dicts_are_accepted_as_printed(
        (p, items) in primitive().prop_flat_map(|p| (Just(p), prop::collection::vec(fitting(p), 0..4)))
    ) {
        let schema = schema();
        let list = DataType::Array(ElementType::Primitive(p));
        let value = list.accept_json(&schema, &json!(items)).unwrap();
        prop_assert_eq!(list.accept_json(&schema, &list.to_json(&schema, &value)), Ok(value));
        let dict = DataType::Dict(vec![
            Member { name: "a".into(), of: p, optional: true },
            Member { name: "b".into(), of: Primitive::Int, optional: false },
        ]);
        let value = dict.accept_json(&schema, &json!({"b": 1, "a": items.first()})).unwrap();
        prop_assert_eq!(dict.accept_json(&schema, &dict.to_json(&schema, &value)), Ok(value));
    }

    #[test]
    fn any_json_is_taken_or_refused_once_and_for_all(of in data_type(), json in json_value()) {
        let schema = schema();
        if let Ok(value) = of.accept_json(&schema, &json) {
            prop_assert_eq!(of.accept(&schema, value.clone()).ok(), Some(value));
        }
    }

    #[test]
    fn ids_are_canonical_after_one_pass(
        of in prop::sample::select(IdType::ALL.to_vec()),
        text in prop_oneof!["[0-9a-fA-F:.+-]{0,24}", "\\PC{0,12}", "-?[0-9]{1,40}"],
    ) {
        if let Ok(eid) = of.parse(&text) {
            prop_assert_eq!(of.parse(eid.as_str()), Ok(eid.clone()));
            prop_assert_eq!(of.accept_json(&of.to_json(&eid)), Ok(eid));
        }
    }

    #[test]
    fn the_fast_way_and_the_slow_way_agree(
        id in prop_oneof![3 => any::<u64>().prop_map(Json::from), 3 => "[0-9]{1,4}".prop_map(Json::from), 1 => json_value()],
        attr in prop::sample::select(vec!["note", "level", "seen", "nope"]),
        v in prop_oneof![
            1 => json_value(),
            3 => (0.0f64..9.0).prop_map(Json::from),
            2 => Just(json!({"n": [1], "time": [9]})),
            1 => prop::collection::vec(json_value(), 0..3).prop_map(Json::from),
        ],
        t1 in prop_oneof![6 => (0u64..10_000_000_000).prop_map(Json::from), 1 => Just(Json::Null), 1 => json_value()],
        c in prop_oneof![4 => Just(json!(0.5)), 1 => Just(Json::Null), 1 => json_value()],
    ) {
        let schema = schema();
        let dp = json!({"type": "device", "id": id, "attr": attr, "v": v, "t1": t1, "c": c});
        let body = serde_json::to_vec(&json!([dp])).unwrap();
        // As the bytes say it: printing may have rounded a number.
        let again: Json = serde_json::from_slice(&body).unwrap();
        let slow = schema.accept_datapoint_json(&again[0]).ok().map(|(e, dp)| vec![(e, vec![dp])]);
        prop_assert_eq!(schema.accept_datapoints(&body).ok(), slow);
    }

    #[test]
    fn any_body_is_answered(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = schema().accept_datapoints(&body);
    }

    #[test]
    fn almost_good_bodies_are_answered(body in "[\\[{]{0,3}(\"(type|id|attr|v|t1)\":(\"device\"|1|null|\\[\\]|\\{)[,}\\]]?){0,5}") {
        let _ = schema().accept_datapoints(body.as_bytes());
    }

    #[test]
    fn any_configuration_is_answered(
        path in prop::sample::select(vec![
            "db_entities/x.yml", "processing_core.yml", "snapshots.yml", "history_manager.yml", "updater.yml", "control.yml",
            "event_logging.yml", "api.yml", "database.yml", "tenter.yml", "telemetry.yml", "garbage_collector.yml", "modules/m.yml",
        ]),
        text in "((entity|attribs|id|type|name|groups|modules|grants|limits|cors|storage|schedule|minute|creation_rate): ?(\\[|\\{|x|1|~|'\\*')?(\n {0,3}|, ?|\\}|\\])){0,8}",
    ) {
        let loaded = config::load(&[ConfigFile { path: path.into(), text }]);
        prop_assert_eq!(loaded.config.is_some(), loaded.errors.is_empty());
        let mut sorted = loaded.errors.clone();
        sorted.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
        prop_assert_eq!(sorted, loaded.errors);
    }

    #[test]
    fn confidence_falls_from_the_interval_to_zero(points in points(), params in params(), time in -100i64..1200) {
        let time = Timestamp(time);
        for p in &points {
            let c = history::confidence_at(p, &params, time);
            prop_assert!((0.0..=p.confidence).contains(&c));
            let inside = p.t1 <= time && time <= p.t2;
            prop_assert_eq!(inside, c == p.confidence);
            let reach = Timestamp(p.t1.0 - params.pre_validity) < time && time < Timestamp(p.t2.0 + params.post_validity);
            prop_assert_eq!(inside || reach, c > 0.0);
        }
    }

    #[test]
    fn current_is_the_best_of_what_holds(points in points(), params in params(), time in -100i64..1200) {
        let time = Timestamp(time);
        let best = points.iter().map(|p| history::confidence_at(p, &params, time)).fold(0.0, f64::max);
        match history::current(&points, &params, false, time) {
            None => prop_assert_eq!(best, 0.0),
            Some(Current::One(value, c)) => {
                prop_assert_eq!(c, best);
                let first = points.iter().find(|p| history::confidence_at(p, &params, time) == best);
                prop_assert_eq!(first.map(|p| &p.value), Some(&value));
            }
            Some(Current::Many(_)) => prop_assert!(false, "one value was asked for"),
        }
        if let Some(Current::Many(values)) = history::current(&points, &params, true, time) {
            prop_assert_eq!(values.iter().map(|(_, c)| *c).fold(0.0, f64::max), best);
            for (i, (value, _)) in values.iter().enumerate() {
                prop_assert!(values.iter().skip(i + 1).all(|(other, _)| other != value), "listed twice");
            }
        } else {
            prop_assert_eq!(best, 0.0);
        }
    }

    #[test]
    fn items_of_a_regular_chunk_fill_its_span(t1 in 0i64..1000, step in 1i64..100, values in prop::collection::vec(any::<i64>(), 1..20)) {
        let end = Timestamp(t1 + step * values.len() as i64);
        let series = vec![Series { name: "n".into(), column: Column::Ints(values.clone()) }];
        let chunk = Chunk { t1: Timestamp(t1), t2: end, series };
        for step in [Some(step), None] {
            let items = history::split(&chunk, TimeseriesType::Regular, step);
            prop_assert_eq!(items.first().map(|p| p.t1), Some(chunk.t1));
            prop_assert_eq!(items.last().map(|p| p.t2), Some(end));
            prop_assert!(items.windows(2).all(|w| w[0].t2 == w[1].t1));
            let back: Vec<Scalar> = items.into_iter().map(|p| p.values[0].1.clone()).collect();
            prop_assert_eq!(back, values.iter().map(|n| Scalar::Int(*n)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn aggregation_keeps_what_holds(points in points(), params in params(), multi in any::<bool>()) {
        let merged = history::aggregate(points.clone(), &params, multi);
        prop_assert!(merged.len() <= points.len());
        prop_assert!(merged.windows(2).all(|w| w[0].t1 <= w[1].t1));
        // Each point lies within one merged point of its value.
        for p in &points {
            prop_assert!(merged.iter().any(|m| m.value == p.value && m.t1 <= p.t1 && p.t2 <= m.t2));
        }
        // A second pass over a chain of one value finds nothing more, when each value has its own chain.
        if multi {
            prop_assert_eq!(history::aggregate(merged.clone(), &params, true).len(), merged.len());
        }
    }
}
