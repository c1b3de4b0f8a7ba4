//! Values without a specification: of the form that is named, or of the one that JSON suggests.

use serde_json::{Map, Value as Json};
use tenter_model::Timestamp;
use tenter_model::value::{Column, Link, Mac, Scalar, Series, Value};

use super::{Read, Reading, under};

/// A value without a specification: of the form that is named, or of the one that JSON suggests.
pub(super) fn value(json: &Json, form: Option<&str>) -> Read<Value> {
    match (form, json) {
        (Some("items"), Json::Array(items)) | (None, Json::Array(items)) => {
            items.iter().map(|i| scalar(i, None)).collect::<Read<_>>().map(Value::Items)
        }
        (Some("members"), Json::Object(members)) | (None, Json::Object(members)) => {
            members.iter().map(|(k, v)| Ok((k.clone(), scalar(v, None)?))).collect::<Read<_>>().map(Value::Members)
        }
        (Some("link"), _) => link(json).map(Value::Link),
        (Some("links"), Json::Array(links)) => links.iter().map(link).collect::<Read<_>>().map(Value::Links),
        (Some("chunk"), Json::Object(series)) => chunk(series).map(Value::Chunk),
        (form, _) => scalar(json, form).map(Value::Scalar),
    }
}

fn scalar(json: &Json, form: Option<&str>) -> Read<Scalar> {
    let found = || crate::output::plain(&json.to_string().chars().take(60).collect::<String>());
    Ok(match (form, json) {
        (None | Some("boolean"), Json::Bool(b)) => Scalar::Bool(*b),
        (None | Some("text"), Json::String(t)) => Scalar::Text(t.clone()),
        (None | Some("integer"), Json::Number(n)) if n.is_i64() => Scalar::Int(n.as_i64().unwrap_or_default()),
        (None | Some("real"), Json::Number(n)) => Scalar::Float(n.as_f64().unwrap_or(f64::NAN)),
        (Some("time"), Json::String(t)) => {
            Scalar::Time(Timestamp::parse(t).ok_or_else(|| format!("{} is no time", found()))?)
        }
        (Some("address"), Json::String(t)) => match (t.parse(), Mac::parse(t)) {
            (Ok(ip), _) => Scalar::Ip(ip),
            (_, Some(mac)) => Scalar::Mac(mac),
            _ => return Err(format!("{} is no address", found())),
        },
        (Some("json"), any) => Scalar::Json(any.clone()),
        (Some(form), _) => return Err(format!("{} is not of the form {form:?}", found())),
        (None, _) => return Err(format!("{} needs `as` to tell its form", found())),
    })
}

fn link(json: &Json) -> Read<Link> {
    let target = Reading { site: None }.entity(json)?;
    let data = json.get("data").map(|d| value(d, None)).transpose().map_err(under("data"))?;
    Ok(Link { target, data: data.map(Box::new) })
}

fn chunk(series: &Map<String, Json>) -> Read<Vec<Series>> {
    let column = |items: &[Json]| {
        if let Some(ints) = items.iter().map(Json::as_i64).collect() {
            return Some(Column::Ints(ints));
        }
        if let Some(floats) = items.iter().map(Json::as_f64).collect() {
            return Some(Column::Floats(floats));
        }
        items.iter().map(|i| Timestamp::parse(i.as_str()?)).collect::<Option<_>>().map(Column::Times)
    };
    series
        .iter()
        .map(|(name, items)| {
            let column = items.as_array().and_then(|i| column(i));
            let column = column.ok_or_else(|| format!("{name}: expected a list of numbers or a list of times"))?;
            Ok(Series { name: name.clone(), column })
        })
        .collect()
}

pub(super) fn time(json: Option<&Json>) -> Read<Option<Timestamp>> {
    match json {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(t)) => {
            Timestamp::parse(t).map(Some).ok_or_else(|| format!("{t:?} is not a time such as 2030-01-01T00:00:00Z"))
        }
        Some(_) => Err("expected a time as text".into()),
    }
}
