//! Attribute values.

use std::net::IpAddr;

use tenter_model::id::{EntityId, EntityRef, EntityType};
use tenter_model::limits::MAX_JSON_DEPTH;
use tenter_model::time::Timestamp;
use tenter_model::value::{Column, Link, Mac, Scalar, Series, Value};

use super::{At, Bad, Checked, line};
use crate::bindings::tenter::hooks::types as wit;
use crate::text::escape;

/// Longest name of a dictionary's key or a series, in bytes.
const MAX_NAME: usize = 128;

/// Times that can be printed: years 1 to 9999.
const TIMES: std::ops::RangeInclusive<i64> = -62_135_596_800_000_000..=253_402_300_799_999_999;

pub(crate) fn entity_to_wit(entity: &EntityRef) -> wit::EntityRef {
    wit::EntityRef { etype: entity.etype.as_str().to_owned(), eid: entity.eid.as_str().to_owned() }
}

/// As [`entity_to_wit`], into texts that have room from an earlier call.
pub(crate) fn entity_into_wit(entity: &EntityRef, out: &mut wit::EntityRef) {
    entity.etype.as_str().clone_into(&mut out.etype);
    entity.eid.as_str().clone_into(&mut out.eid);
}

pub(crate) fn entity_from_wit(entity: &wit::EntityRef) -> Checked<EntityRef> {
    Ok(EntityRef { etype: EntityType::new(&entity.etype).at("etype")?, eid: EntityId::new(&entity.eid).at("eid")? })
}

pub(crate) fn time_from_wit(time: i64) -> Checked<Timestamp> {
    if TIMES.contains(&time) {
        Ok(Timestamp(time))
    } else {
        Err(Bad::new(format!("{time} is no time, expected microseconds since 1970 within the years 1 to 9999")))
    }
}

fn finite(number: f64) -> Checked<f64> {
    if number.is_finite() { Ok(number) } else { Err(Bad::new(format!("{number} is not a finite number"))) }
}

pub(crate) fn confidence_from_wit(confidence: f64) -> Checked<f64> {
    let confidence = finite(confidence)?;
    if (0.0..=1.0).contains(&confidence) {
        Ok(confidence)
    } else {
        Err(Bad::new(format!("{confidence} is not within 0 and 1")))
    }
}

/// JSON text of a guest, bounded in its nesting.
pub(crate) fn json_from_wit(text: &str) -> Checked<serde_json::Value> {
    // Depth first: the parser has a limit of its own, but says less.
    if depth(text) > MAX_JSON_DEPTH {
        return Err(Bad::new(format!("JSON is nested deeper than {MAX_JSON_DEPTH} levels")));
    }
    serde_json::from_str(text).map_err(|e| Bad::new(format!("{:?} is not JSON: {e}", escape(text, 40))))
}

/// Nesting of brackets outside of strings.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn address_from_wit(text: &str) -> Checked<Scalar> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Ok(Scalar::Ip(ip));
    }
    match Mac::parse(text) {
        Some(mac) => Ok(Scalar::Mac(mac)),
        None => Err(Bad::new(format!("{:?} is no address, expected an IPv4, IPv6 or MAC address", escape(text, 60)))),
    }
}

pub(crate) fn scalar_to_wit(scalar: &Scalar) -> wit::Scalar {
    match scalar {
        Scalar::Bool(b) => wit::Scalar::Boolean(*b),
        Scalar::Int(n) => wit::Scalar::Integer(*n),
        Scalar::Float(x) => wit::Scalar::Real(*x),
        Scalar::Text(t) => wit::Scalar::Text(t.clone()),
        Scalar::Time(t) => wit::Scalar::Time(t.0),
        Scalar::Ip(a) => wit::Scalar::Address(a.to_string()),
        Scalar::Mac(m) => wit::Scalar::Address(m.to_string()),
        Scalar::Json(v) => wit::Scalar::Json(v.to_string()),
    }
}

pub(crate) fn scalar_from_wit(scalar: wit::Scalar) -> Checked<Scalar> {
    Ok(match scalar {
        wit::Scalar::Boolean(b) => Scalar::Bool(b),
        wit::Scalar::Integer(n) => Scalar::Int(n),
        wit::Scalar::Real(x) => Scalar::Float(finite(x)?),
        wit::Scalar::Text(t) => Scalar::Text(t),
        wit::Scalar::Time(t) => Scalar::Time(time_from_wit(t)?),
        wit::Scalar::Address(text) => address_from_wit(&text)?,
        wit::Scalar::Json(text) => Scalar::Json(json_from_wit(&text)?),
    })
}

fn members_to_wit(members: &[(String, Scalar)]) -> Vec<wit::Member> {
    members.iter().map(|(name, value)| wit::Member { name: name.clone(), value: scalar_to_wit(value) }).collect()
}

fn members_from_wit(members: Vec<wit::Member>) -> Checked<Vec<(String, Scalar)>> {
    members
        .into_iter()
        .enumerate()
        .map(|(i, m)| {
            let name = line(m.name, MAX_NAME).at("name").at_index("members", i)?;
            let value = scalar_from_wit(m.value).at("value").at_index("members", i)?;
            Ok((name, value))
        })
        .collect()
}

fn items_from_wit(items: Vec<wit::Scalar>) -> Checked<Vec<Scalar>> {
    items.into_iter().enumerate().map(|(i, s)| scalar_from_wit(s).at_index("items", i)).collect()
}

fn link_to_wit(link: &Link) -> wit::Link {
    let data = link.data.as_deref().and_then(|data| match data {
        Value::Scalar(s) => Some(wit::LinkData::One(scalar_to_wit(s))),
        Value::Items(items) => Some(wit::LinkData::Items(items.iter().map(scalar_to_wit).collect())),
        Value::Members(members) => Some(wit::LinkData::Members(members_to_wit(members))),
        // The data of a link is never a link or a chunk.
        Value::Link(_) | Value::Links(_) | Value::Chunk(_) => None,
    });
    wit::Link { target: entity_to_wit(&link.target), data }
}

fn link_from_wit(link: wit::Link) -> Checked<Link> {
    let target = entity_from_wit(&link.target).at("target")?;
    let data = match link.data {
        None => None,
        Some(wit::LinkData::One(s)) => Some(Value::Scalar(scalar_from_wit(s).at("data")?)),
        Some(wit::LinkData::Items(items)) => Some(Value::Items(items_from_wit(items).at("data")?)),
        Some(wit::LinkData::Members(members)) => Some(Value::Members(members_from_wit(members).at("data")?)),
    };
    Ok(Link { target, data: data.map(Box::new) })
}

pub(crate) fn series_to_wit(series: &[Series]) -> Vec<wit::Series> {
    let column = |c: &Column| match c {
        Column::Ints(v) => wit::Column::Integers(v.clone()),
        Column::Floats(v) => wit::Column::Reals(v.clone()),
        Column::Times(v) => wit::Column::Times(v.iter().map(|t| t.0).collect()),
    };
    series.iter().map(|s| wit::Series { name: s.name.clone(), column: column(&s.column) }).collect()
}

pub(crate) fn series_from_wit(series: Vec<wit::Series>) -> Checked<Vec<Series>> {
    let mut out: Vec<Series> = Vec::with_capacity(series.len());
    for (i, s) in series.into_iter().enumerate() {
        let name = line(s.name, MAX_NAME).at("name").at_index("chunk", i)?;
        let column = column_from_wit(s.column).at("column").at_index("chunk", i)?;
        if let Some(first) = out.first().filter(|first| first.column.len() != column.len()) {
            let (len, want) = (column.len(), first.column.len());
            return Err(Bad::new(format!("has {len} items, expected {want} as in `{}`", first.name)).within("column"))
                .at_index("chunk", i);
        }
        out.push(Series { name, column });
    }
    Ok(out)
}

fn column_from_wit(column: wit::Column) -> Checked<Column> {
    Ok(match column {
        wit::Column::Integers(v) => Column::Ints(v),
        wit::Column::Reals(v) => {
            let check = |(i, x): (usize, f64)| finite(x).at_index("", i);
            Column::Floats(v.into_iter().enumerate().map(check).collect::<Checked<_>>()?)
        }
        wit::Column::Times(v) => {
            let check = |(i, t): (usize, i64)| time_from_wit(t).at_index("", i);
            Column::Times(v.into_iter().enumerate().map(check).collect::<Checked<_>>()?)
        }
    })
}

pub(crate) fn value_to_wit(value: &Value) -> wit::Value {
    match value {
        Value::Scalar(s) => match scalar_to_wit(s) {
            wit::Scalar::Boolean(b) => wit::Value::Boolean(b),
            wit::Scalar::Integer(n) => wit::Value::Integer(n),
            wit::Scalar::Real(x) => wit::Value::Real(x),
            wit::Scalar::Text(t) => wit::Value::Text(t),
            wit::Scalar::Time(t) => wit::Value::Time(t),
            wit::Scalar::Address(a) => wit::Value::Address(a),
            wit::Scalar::Json(t) => wit::Value::Json(t),
        },
        Value::Items(items) => wit::Value::Items(items.iter().map(scalar_to_wit).collect()),
        Value::Members(members) => wit::Value::Members(members_to_wit(members)),
        Value::Link(link) => wit::Value::Link(link_to_wit(link)),
        Value::Links(links) => wit::Value::Links(links.iter().map(link_to_wit).collect()),
        Value::Chunk(series) => wit::Value::Chunk(series_to_wit(series)),
    }
}

/// As [`value_to_wit`], into a text that has room from an earlier call.
pub(crate) fn value_into_wit(value: &Value, out: &mut wit::Value) {
    match (value, &mut *out) {
        (Value::Scalar(Scalar::Text(text)), wit::Value::Text(room)) => text.clone_into(room),
        _ => *out = value_to_wit(value),
    }
}

pub(crate) fn value_from_wit(value: wit::Value) -> Checked<Value> {
    let scalar = |s| scalar_from_wit(s).map(Value::Scalar);
    match value {
        wit::Value::Boolean(b) => scalar(wit::Scalar::Boolean(b)),
        wit::Value::Integer(n) => scalar(wit::Scalar::Integer(n)),
        wit::Value::Real(x) => scalar(wit::Scalar::Real(x)),
        wit::Value::Text(t) => scalar(wit::Scalar::Text(t)),
        wit::Value::Time(t) => scalar(wit::Scalar::Time(t)),
        wit::Value::Address(a) => scalar(wit::Scalar::Address(a)),
        wit::Value::Json(t) => scalar(wit::Scalar::Json(t)),
        wit::Value::Items(items) => items_from_wit(items).map(Value::Items),
        wit::Value::Members(members) => members_from_wit(members).map(Value::Members),
        wit::Value::Link(link) => link_from_wit(link).at("link").map(Value::Link),
        wit::Value::Links(links) => {
            let links = links.into_iter().enumerate().map(|(i, l)| link_from_wit(l).at_index("links", i));
            links.collect::<Checked<_>>().map(Value::Links)
        }
        wit::Value::Chunk(series) => series_from_wit(series).map(Value::Chunk),
    }
}

/// Bytes that a value holds beside its own.
pub(crate) fn value_bytes(value: &wit::Value) -> usize {
    let members = |members: &[wit::Member]| {
        members.iter().map(|m| size_of_val(m) + m.name.len() + scalar_bytes(&m.value)).sum::<usize>()
    };
    let items = |items: &[wit::Scalar]| items.iter().map(|s| size_of_val(s) + scalar_bytes(s)).sum::<usize>();
    let link = |link: &wit::Link| {
        let data = match &link.data {
            None => 0,
            Some(wit::LinkData::One(s)) => scalar_bytes(s),
            Some(wit::LinkData::Items(list)) => items(list),
            Some(wit::LinkData::Members(list)) => members(list),
        };
        link.target.etype.len() + link.target.eid.len() + data
    };
    let column = |s: &wit::Series| match &s.column {
        wit::Column::Integers(v) | wit::Column::Times(v) => size_of_val(v.as_slice()),
        wit::Column::Reals(v) => size_of_val(v.as_slice()),
    };
    match value {
        wit::Value::Text(t) | wit::Value::Address(t) | wit::Value::Json(t) => t.len(),
        wit::Value::Boolean(_) | wit::Value::Integer(_) | wit::Value::Real(_) | wit::Value::Time(_) => 0,
        wit::Value::Items(list) => items(list),
        wit::Value::Members(list) => members(list),
        wit::Value::Link(l) => link(l),
        wit::Value::Links(links) => links.iter().map(|l| size_of_val(l) + link(l)).sum(),
        wit::Value::Chunk(series) => series.iter().map(|s| size_of_val(s) + s.name.len() + column(s)).sum(),
    }
}

fn scalar_bytes(scalar: &wit::Scalar) -> usize {
    match scalar {
        wit::Scalar::Text(t) | wit::Scalar::Address(t) | wit::Scalar::Json(t) => t.len(),
        wit::Scalar::Boolean(_) | wit::Scalar::Integer(_) | wit::Scalar::Real(_) | wit::Scalar::Time(_) => 0,
    }
}

#[cfg(test)]
#[path = "value_tests.rs"]
pub(crate) mod tests;
