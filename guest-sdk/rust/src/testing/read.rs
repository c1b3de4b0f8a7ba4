//! Values, records and views from JSON, by the forms of `PROTOCOL.md`.

use serde_json::{Map, Value as Json};

use crate::record::{Chunk, History, MasterRecord, Observations, StoredAttribute, StoredPlain, ValueColumn};
use crate::task::TtlToken;
use crate::time::Timestamp;
use crate::value::{Column, EntityRef, Link, LinkData, Member, Scalar, Series, Value};

type Read<T> = Result<T, String>;

/// A value from JSON: `{"v": .., "as": ".."}` says its case; an object with `etype` and `eid` is a link, a list of such
/// is a list of links, and what else there is JSON's own types decide.
///
/// # Panics
/// When it is none, with what is wrong.
#[must_use]
#[track_caller]
#[allow(clippy::panic, clippy::needless_pass_by_value, reason = "the way in which a test fails; called with json!(..)")]
pub fn value(json: Json) -> Value {
    read_value(&json).unwrap_or_else(|why| panic!("{why}"))
}

/// A master record from JSON: `{"etype", "eid", "created"?, "revision"?, "attributes": {attr: history}}`, where a
/// history is `{"plain": {"v"}}`, `{"observations": [{"t1", "t2"?, "c"?, "v"}]}` or
/// `{"timeseries": [{"t1", "t2", "v": {series: [..]}}]}`.
///
/// ```
/// use tenter_sdk::testing::{json, record};
/// let record = record(json!({"etype": "ip", "eid": "192.0.2.1", "attributes": {
///     "label": {"plain": {"v": "private"}},
///     "open_ports": {"observations": [{"t1": "2026-01-01T00:00:00Z", "v": 22, "c": 0.5}]},
/// }}));
/// assert_eq!(record.observations("open_ports").count(), 1);
/// ```
///
/// # Panics
/// When it is none, with what is wrong.
#[must_use]
#[track_caller]
#[allow(clippy::panic, clippy::needless_pass_by_value, reason = "the way in which a test fails; called with json!(..)")]
pub fn record(json: Json) -> MasterRecord {
    read_record(&json).unwrap_or_else(|why| panic!("the record: {why}"))
}

/// Chunks of a timeseries from JSON: a list of `{"t1", "t2", "v": {series: [..]}}`.
///
/// # Panics
/// When it is none, with what is wrong.
#[must_use]
#[track_caller]
#[allow(clippy::panic, clippy::needless_pass_by_value, reason = "the way in which a test fails; called with json!(..)")]
pub fn chunks(json: Json) -> Vec<Chunk> {
    read_chunks(&json).unwrap_or_else(|why| panic!("the chunks: {why}"))
}

pub(crate) fn read_value(json: &Json) -> Read<Value> {
    if let Some((form, v)) = typed(json) {
        return read_as(v, form);
    }
    Ok(match json {
        Json::Array(items) if !items.is_empty() && items.iter().all(is_link) => {
            Value::Links(items.iter().map(read_link).collect::<Read<_>>()?)
        }
        Json::Array(items) => Value::Items(items.iter().map(read_scalar).collect::<Read<_>>()?),
        Json::Object(_) if is_link(json) => Value::Link(read_link(json)?),
        Json::Object(members) => Value::Members(read_members(members)?),
        _ => read_scalar(json)?.into(),
    })
}

/// `{"v": .., "as": ".."}`.
fn typed(json: &Json) -> Option<(&str, &Json)> {
    let members = json.as_object().filter(|m| m.len() == 2)?;
    Some((members.get("as")?.as_str()?, members.get("v")?))
}

fn is_link(json: &Json) -> bool {
    json.get("etype").is_some_and(Json::is_string) && json.get("eid").is_some_and(Json::is_string)
}

fn read_as(json: &Json, form: &str) -> Read<Value> {
    match (form, json) {
        ("items", Json::Array(items)) => Ok(Value::Items(items.iter().map(read_scalar).collect::<Read<_>>()?)),
        ("members", Json::Object(members)) => Ok(Value::Members(read_members(members)?)),
        ("link", _) => read_link(json).map(Value::Link),
        ("links", Json::Array(links)) => Ok(Value::Links(links.iter().map(read_link).collect::<Read<_>>()?)),
        ("chunk", Json::Object(series)) => read_series(series).map(Value::Chunk),
        _ => scalar_as(json, form).map(Value::from),
    }
}

fn read_scalar(json: &Json) -> Read<Scalar> {
    if let Some((form, v)) = typed(json) {
        return scalar_as(v, form);
    }
    match json {
        Json::Bool(v) => Ok(Scalar::Boolean(*v)),
        Json::Number(n) => Ok(n.as_i64().map_or_else(|| Scalar::Real(n.as_f64().unwrap_or(f64::NAN)), Scalar::Integer)),
        Json::String(v) => Ok(Scalar::Text(v.clone())),
        other => Err(format!("{other} needs a form: write {{\"v\": {other}, \"as\": \"json\"}}")),
    }
}

fn scalar_as(json: &Json, form: &str) -> Read<Scalar> {
    let text = || json.as_str().map(str::to_owned);
    let read = match form {
        "boolean" => json.as_bool().map(Scalar::Boolean),
        "integer" => json.as_i64().map(Scalar::Integer),
        "real" => json.as_f64().map(Scalar::Real),
        "text" => text().map(Scalar::Text),
        "time" => json.as_str().and_then(Timestamp::parse).map(|t| Scalar::Time(t.as_micros())),
        "address" => text().map(Scalar::Address),
        "json" => Some(Scalar::Json(json.to_string())),
        _ => None,
    };
    read.ok_or_else(|| format!("{json} is not of the form {form:?}"))
}

fn read_members(members: &Map<String, Json>) -> Read<Vec<Member>> {
    members.iter().map(|(name, v)| Ok(Member { name: name.clone(), value: read_scalar(v)? })).collect()
}

fn read_link(json: &Json) -> Read<Link> {
    let data = match json.get("data") {
        None | Some(Json::Null) => None,
        Some(data) => Some(match read_value(data)? {
            Value::Items(items) => LinkData::Items(items),
            Value::Members(members) => LinkData::Members(members),
            _ => LinkData::One(read_scalar(data)?),
        }),
    };
    Ok(Link { target: read_entity(json)?, data })
}

pub(crate) fn read_entity(json: &Json) -> Read<EntityRef> {
    let text =
        |name: &str| json.get(name).and_then(Json::as_str).ok_or_else(|| format!("{name} is missing or no text"));
    Ok(EntityRef::new(text("etype")?, text("eid")?))
}

fn read_time(json: &Json, name: &str) -> Read<Option<i64>> {
    match json.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(v) => match v.as_str().and_then(Timestamp::parse) {
            Some(time) => Ok(Some(time.as_micros())),
            None => Err(format!("{name}: {v} is not a time such as \"2026-01-01T00:00:00Z\"")),
        },
    }
}

fn read_series(series: &Map<String, Json>) -> Read<Vec<Series>> {
    let column = |items: &[Json]| -> Option<Column> {
        if let Some(v) = items.iter().map(Json::as_i64).collect() {
            return Some(Column::Integers(v));
        }
        if let Some(v) = items.iter().map(Json::as_f64).collect() {
            return Some(Column::Reals(v));
        }
        items
            .iter()
            .map(|t| Timestamp::parse(t.as_str()?).map(Timestamp::as_micros))
            .collect::<Option<_>>()
            .map(Column::Times)
    };
    series
        .iter()
        .map(|(name, items)| {
            let column = items.as_array().and_then(|items| column(items));
            let column = column.ok_or_else(|| format!("{name}: expected a list of numbers or a list of times"))?;
            Ok(Series { name: name.clone(), column })
        })
        .collect()
}

pub(crate) fn read_chunks(json: &Json) -> Read<Vec<Chunk>> {
    let list = json.as_array().ok_or("expected a list")?;
    list.iter()
        .map(|chunk| {
            let t1 = read_time(chunk, "t1")?.ok_or("t1 is missing")?;
            let series = chunk.get("v").and_then(Json::as_object).ok_or("v: expected an object of lists")?;
            Ok(Chunk { t1, t2: read_time(chunk, "t2")?.unwrap_or(t1), columns: read_series(series)? })
        })
        .collect()
}

fn read_record(json: &Json) -> Read<MasterRecord> {
    let mut attributes = Vec::new();
    for (attr, history) in json.get("attributes").and_then(Json::as_object).into_iter().flatten() {
        let history = read_history(history).map_err(|why| format!("{attr}: {why}"))?;
        attributes.push(StoredAttribute { attr: attr.clone(), history });
    }
    let mut ttl_tokens = Vec::new();
    if let Some(tokens) = json.get("ttl_tokens").filter(|t| t.is_object()) {
        for (name, _) in tokens.as_object().into_iter().flatten() {
            ttl_tokens.push(TtlToken { name: name.clone(), until: read_time(tokens, name)? });
        }
    }
    Ok(MasterRecord {
        entity: read_entity(json)?,
        created: read_time(json, "created")?,
        revision: json.get("revision").and_then(Json::as_u64).unwrap_or(1),
        ttl_tokens,
        attributes,
    })
}

fn read_history(json: &Json) -> Read<History> {
    if let Some(plain) = json.get("plain") {
        let value = read_pair(plain)?;
        return Ok(History::Plain(StoredPlain { value, updated: read_time(plain, "updated")?.unwrap_or_default() }));
    }
    if let Some(chunks) = json.get("timeseries") {
        return read_chunks(chunks).map(History::Timeseries);
    }
    let points = json.get("observations").and_then(Json::as_array);
    let points = points.ok_or("expected {\"plain\": ..}, {\"observations\": [..]} or {\"timeseries\": [..]}")?;
    let (mut t1s, mut t2s, mut confidence, mut values) = (vec![], vec![], vec![], vec![]);
    for point in points {
        let t1 = read_time(point, "t1")?.ok_or("t1 is missing")?;
        t1s.push(t1);
        t2s.push(read_time(point, "t2")?.unwrap_or(t1));
        confidence.push(point.get("c").and_then(Json::as_f64).unwrap_or(1.0));
        values.push(read_pair(point)?);
    }
    Ok(History::Observations(Observations { t1: t1s, t2: t2s, confidence, values: ValueColumn::Mixed(values) }))
}

/// The value of `v`, of the form that `as` beside it names, if it does.
pub(crate) fn read_pair(json: &Json) -> Read<Value> {
    let v = json.get("v").ok_or("v is missing")?;
    match json.get("as").and_then(Json::as_str) {
        Some(form) => read_as(v, form),
        None => read_value(v),
    }
}
