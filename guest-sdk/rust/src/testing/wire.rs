//! Values, tasks and answers as JSON with the names that DP³ uses, for expectations and for `PROTOCOL.md`.

use serde_json::{Map, Value as Json, json};

use crate::task::{Datapoint, Task};
use crate::time::Timestamp;
use crate::value::{Column, Link, LinkData, Scalar, Value};

/// A value as DP³ prints it, but that a link also names the type of its target.
#[must_use]
pub fn value_to_json(value: &Value) -> Json {
    match value {
        Value::Boolean(v) => Json::Bool(*v),
        Value::Integer(v) => Json::from(*v),
        Value::Real(v) => Json::from(*v),
        Value::Text(v) | Value::Address(v) => Json::from(v.clone()),
        Value::Time(v) => time(*v),
        Value::Items(v) => v.iter().map(scalar).collect(),
        Value::Members(v) => v.iter().map(|m| (m.name.clone(), scalar(&m.value))).collect::<Map<_, _>>().into(),
        Value::Link(v) => link(v),
        Value::Links(v) => v.iter().map(link).collect(),
        Value::Chunk(v) => v.iter().map(|s| (s.name.clone(), column(&s.column))).collect::<Map<_, _>>().into(),
        Value::Json(v) => parsed(v),
    }
}

/// A task with DP³'s names; members that were not set are null.
#[must_use]
pub fn task_to_json(task: &Task) -> Json {
    let tokens: Map<String, Json> =
        task.ttl_tokens.iter().map(|t| (t.name.clone(), t.until.map_or(Json::Null, time))).collect();
    json!({
        "etype": task.entity.etype,
        "eid": task.entity.eid,
        "data_points": task.datapoints.iter().map(datapoint_to_json).collect::<Vec<_>>(),
        "ttl_tokens": tokens,
        "tags": task.tags,
        "delete": task.remove_entity,
    })
}

/// A datapoint with DP³'s names and, as `as`, the case of its value.
pub(crate) fn datapoint_to_json(dp: &Datapoint) -> Json {
    json!({
        "attr": dp.attr,
        "v": value_to_json(&dp.value),
        "as": case(&dp.value),
        "t1": dp.t1.map(time),
        "t2": dp.t2.map(time),
        "c": dp.confidence,
        "src": dp.src,
    })
}

/// Name of the contract's case.
pub(crate) fn case(value: &Value) -> &'static str {
    match value {
        Value::Boolean(_) => "boolean",
        Value::Integer(_) => "integer",
        Value::Real(_) => "real",
        Value::Text(_) => "text",
        Value::Time(_) => "time",
        Value::Address(_) => "address",
        Value::Items(_) => "items",
        Value::Members(_) => "members",
        Value::Link(_) => "link",
        Value::Links(_) => "links",
        Value::Chunk(_) => "chunk",
        Value::Json(_) => "json",
    }
}

pub(crate) fn time(micros: i64) -> Json {
    Json::from(Timestamp(micros).to_string())
}

fn scalar(value: &Scalar) -> Json {
    value_to_json(&value.clone().into())
}

fn link(link: &Link) -> Json {
    let mut out = json!({"etype": link.target.etype, "eid": link.target.eid});
    let data = link.data.as_ref().map(|data| match data {
        LinkData::One(v) => scalar(v),
        LinkData::Items(v) => value_to_json(&Value::Items(v.clone())),
        LinkData::Members(v) => value_to_json(&Value::Members(v.clone())),
    });
    if let (Some(data), Some(members)) = (data, out.as_object_mut()) {
        members.insert("data".into(), data);
    }
    out
}

fn column(column: &Column) -> Json {
    match column {
        Column::Integers(v) => Json::from(v.clone()),
        Column::Reals(v) => Json::from(v.clone()),
        Column::Times(v) => v.iter().map(|t| time(*t)).collect(),
    }
}

/// JSON text; text that is none shows as text, so that a test sees what is wrong.
fn parsed(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_else(|_| Json::from(text))
}
