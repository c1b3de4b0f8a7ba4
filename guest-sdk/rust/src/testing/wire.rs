//! Values, tasks and answers as JSON with the names that DP³ uses, for expectations and for `PROTOCOL.md`.

use serde_json::{Map, Value as Json, json};

use crate::record::{Chunk, History, MasterRecord};
use crate::task::{Datapoint, Task, TtlToken};
use crate::time::Timestamp;
use crate::value::{Column, Link, LinkData, Scalar, Value};
use crate::view::{Change, Correlated, CurrentValue, EntityView, View, Weighted};

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
    json!({
        "etype": task.entity.etype,
        "eid": task.entity.eid,
        "data_points": task.datapoints.iter().map(datapoint_to_json).collect::<Vec<_>>(),
        "ttl_tokens": tokens(&task.ttl_tokens),
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

/// A master record in the form of `PROTOCOL.md`.
pub(crate) fn record_to_json(record: &MasterRecord) -> Json {
    let history = |history: &History| match history {
        History::Plain(p) => {
            json!({"plain": {"v": value_to_json(&p.value), "as": case(&p.value), "updated": time(p.updated)}})
        }
        History::Observations(o) => {
            let points = o.points().map(|p| {
                let (v, form) = (value_to_json(&p.value), case(&p.value));
                json!({"t1": time(p.t1.0), "t2": time(p.t2.0), "c": p.confidence, "v": v, "as": form})
            });
            json!({"observations": points.collect::<Vec<_>>()})
        }
        History::Timeseries(chunks) => json!({"timeseries": chunks_to_json(chunks)}),
    };
    let attributes: Map<String, Json> =
        record.attributes.iter().map(|a| (a.attr.clone(), history(&a.history))).collect();
    json!({
        "etype": record.entity.etype,
        "eid": record.entity.eid,
        "created": record.created.map(time),
        "revision": record.revision,
        "ttl_tokens": tokens(&record.ttl_tokens),
        "attributes": attributes,
    })
}

/// Chunks of a timeseries in the form of `PROTOCOL.md`.
pub(crate) fn chunks_to_json(chunks: &[Chunk]) -> Json {
    let one = |c: &Chunk| json!({"t1": time(c.t1), "t2": time(c.t2), "v": value_to_json(&c.columns.clone().into())});
    chunks.iter().map(one).collect()
}

/// A view in the form of `PROTOCOL.md`.
pub(crate) fn view_to_json(view: &View) -> Json {
    json!({"root": seen_to_json(&view.root), "linked": view.linked.iter().map(seen_to_json).collect::<Vec<_>>()})
}

pub(crate) fn seen_to_json(seen: &EntityView) -> Json {
    let value = |v: &CurrentValue| json!({"attr": v.attr, "v": value_to_json(&v.value), "as": case(&v.value), "c": v.confidence});
    json!({"etype": seen.entity.etype, "eid": seen.entity.eid, "values": seen.values.iter().map(value).collect::<Vec<_>>()})
}

/// Changes in the form of `PROTOCOL.md`.
pub(crate) fn changes_to_json(correlated: &Correlated) -> Vec<Json> {
    let weighted = |w: &Weighted| json!({"v": value_to_json(&w.value), "as": case(&w.value), "c": w.confidence});
    let change = |c: &Change| {
        let values: Vec<Json> = c.values.iter().map(weighted).collect();
        json!({"etype": c.entity.etype, "eid": c.entity.eid, "attr": c.attr, "values": values})
    };
    correlated.changes.iter().map(change).collect()
}

fn tokens(tokens: &[TtlToken]) -> Map<String, Json> {
    tokens.iter().map(|t| (t.name.clone(), t.until.map_or(Json::Null, time))).collect()
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
