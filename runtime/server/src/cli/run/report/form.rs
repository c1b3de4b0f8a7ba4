//! Values as the JSON of `PROTOCOL.md`.

use serde_json::{Map, Value as Json, json};
use tenter_model::DataPoint;
use tenter_model::value::{Link, Scalar, Value};
use tenter_model::view::Change;

/// A datapoint with all its members.
pub(super) fn datapoint(dp: &DataPoint) -> Json {
    json!({
        "attr": dp.attr,
        "v": value(&dp.value),
        "as": form(&dp.value),
        "t1": dp.t1.map(|t| t.to_string()),
        "t2": dp.t2.map(|t| t.to_string()),
        "c": dp.confidence,
        "src": dp.src,
    })
}

/// A change of current values; an empty list of values is a removal.
pub(super) fn change(change: &Change) -> Json {
    let weighted = |(v, c): &(Value, Option<f64>)| json!({"v": value(v), "as": form(v), "c": c});
    json!({
        "etype": change.entity.etype,
        "eid": change.entity.eid,
        "attr": change.attr,
        "values": change.values.iter().map(weighted).collect::<Vec<_>>(),
    })
}

/// A value as JSON; links name the type of their target.
fn value(value: &Value) -> Json {
    let link = |l: &Link| {
        let mut json = json!({"etype": l.target.etype, "eid": l.target.eid});
        if let (Some(data), Some(members)) = (&l.data, json.as_object_mut()) {
            members.insert("data".into(), self::value(data));
        }
        json
    };
    match value {
        Value::Scalar(s) => s.to_json(),
        Value::Items(items) => items.iter().map(Scalar::to_json).collect(),
        Value::Members(members) => members.iter().map(|(k, v)| (k.clone(), v.to_json())).collect::<Map<_, _>>().into(),
        Value::Link(l) => link(l),
        Value::Links(links) => links.iter().map(link).collect(),
        Value::Chunk(_) => value.to_json_untyped(),
    }
}

/// The name of the contract's case.
fn form(value: &Value) -> &'static str {
    match value {
        Value::Scalar(Scalar::Bool(_)) => "boolean",
        Value::Scalar(Scalar::Int(_)) => "integer",
        Value::Scalar(Scalar::Float(_)) => "real",
        Value::Scalar(Scalar::Text(_)) => "text",
        Value::Scalar(Scalar::Time(_)) => "time",
        Value::Scalar(Scalar::Ip(_) | Scalar::Mac(_)) => "address",
        Value::Scalar(Scalar::Json(_)) => "json",
        Value::Items(_) => "items",
        Value::Members(_) => "members",
        Value::Link(_) => "link",
        Value::Links(_) => "links",
        Value::Chunk(_) => "chunk",
    }
}
