use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

pub(crate) fn entity() -> impl Strategy<Value = EntityRef> {
    ("[a-z_][a-z0-9_-]{0,8}", "[^\\x00-\\x1f\\x7f-\\u{9f}]{1,20}").prop_map(|(etype, eid)| EntityRef {
        etype: EntityType::new(&etype).unwrap(),
        eid: EntityId::new(&eid).unwrap(),
    })
}

pub(crate) fn time() -> impl Strategy<Value = Timestamp> {
    TIMES.prop_map(Timestamp)
}

pub(crate) fn real() -> impl Strategy<Value = f64> {
    use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    prop_oneof![
        Just(serde_json::json!(null)),
        any::<i64>().prop_map(|n| serde_json::json!([n, { "a[{\\\"": [] }])),
        ".*".prop_map(|t| serde_json::json!({ "t": t })),
    ]
}

pub(crate) fn scalar() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        any::<bool>().prop_map(Scalar::Bool),
        any::<i64>().prop_map(Scalar::Int),
        real().prop_map(Scalar::Float),
        ".*".prop_map(Scalar::Text),
        time().prop_map(Scalar::Time),
        any::<IpAddr>().prop_map(Scalar::Ip),
        any::<[u8; 6]>().prop_map(|m| Scalar::Mac(Mac(m))),
        json().prop_map(Scalar::Json),
    ]
}

fn members() -> impl Strategy<Value = Vec<(String, Scalar)>> {
    vec(("[a-zA-Z ]{0,9}", scalar()), 0..4)
}

fn link() -> impl Strategy<Value = Link> {
    let data = prop_oneof![
        scalar().prop_map(Value::Scalar),
        vec(scalar(), 0..4).prop_map(Value::Items),
        members().prop_map(Value::Members),
    ];
    (entity(), proptest::option::of(data)).prop_map(|(target, data)| Link { target, data: data.map(Box::new) })
}

pub(crate) fn series() -> impl Strategy<Value = Vec<Series>> {
    (0usize..5).prop_flat_map(|n| {
        let column = prop_oneof![
            vec(any::<i64>(), n).prop_map(Column::Ints),
            vec(real(), n).prop_map(Column::Floats),
            vec(time(), n).prop_map(Column::Times),
        ];
        vec(("[a-z]{1,5}", column).prop_map(|(name, column)| Series { name, column }), 0..4)
    })
}

pub(crate) fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => scalar().prop_map(Value::Scalar),
        1 => vec(scalar(), 0..5).prop_map(Value::Items),
        1 => members().prop_map(Value::Members),
        1 => link().prop_map(Value::Link),
        1 => vec(link(), 0..4).prop_map(Value::Links),
        1 => series().prop_map(Value::Chunk),
    ]
}

proptest! {
    #[test]
    fn values_survive_both_ways(value in value()) {
        prop_assert_eq!(value_from_wit(value_to_wit(&value)), Ok(value));
    }

    #[test]
    fn depth_agrees_with_the_parser(json in json()) {
        fn nesting(v: &serde_json::Value) -> usize {
            match v {
                serde_json::Value::Array(a) => 1 + a.iter().map(nesting).max().unwrap_or(0),
                serde_json::Value::Object(o) => 1 + o.values().map(nesting).max().unwrap_or(0),
                _ => 0,
            }
        }
        prop_assert_eq!(depth(&json.to_string()), nesting(&json));
    }
}

fn refusal(value: wit::Value) -> String {
    value_from_wit(value).unwrap_err().to_string()
}

#[test]
fn refusals_name_place_and_expectation() {
    insta::assert_snapshot!(refusal(wit::Value::Real(f64::NAN)), @"NaN is not a finite number");
    insta::assert_snapshot!(refusal(wit::Value::Time(i64::MIN)), @"-9223372036854775808 is no time, expected microseconds since 1970 within the years 1 to 9999");
    insta::assert_snapshot!(refusal(wit::Value::Address("10.0.0.256".into())), @r#""10.0.0.256" is no address, expected an IPv4, IPv6 or MAC address"#);
    insta::assert_snapshot!(refusal(wit::Value::Json("{".into())), @r#""{" is not JSON: EOF while parsing an object at line 1 column 1"#);
    insta::assert_snapshot!(refusal(wit::Value::Json("[".repeat(100_000))), @"JSON is nested deeper than 32 levels");
    insta::assert_snapshot!(
        refusal(wit::Value::Items(vec![wit::Scalar::Boolean(true), wit::Scalar::Real(f64::INFINITY)])),
        @"items[1]: inf is not a finite number"
    );
    let column = |n| wit::Column::Reals(vec![0.5; n]);
    let series = |name: &str, column| wit::Series { name: name.into(), column };
    insta::assert_snapshot!(
        refusal(wit::Value::Chunk(vec![series("a", column(2)), series("b", column(1))])),
        @"chunk[1].column: has 1 items, expected 2 as in `a`"
    );
    insta::assert_snapshot!(
        refusal(wit::Value::Chunk(vec![series("a", wit::Column::Reals(vec![0.5, f64::NAN]))])),
        @"chunk[0].column[1]: NaN is not a finite number"
    );
    let target = wit::EntityRef { etype: "ip".into(), eid: "a\0".into() };
    insta::assert_snapshot!(
        refusal(wit::Value::Links(vec![wit::Link { target, data: None }])),
        @r#"links[0].target.eid: entity id "a\0" is not valid: expected 1 to 512 bytes without control characters"#
    );
}
