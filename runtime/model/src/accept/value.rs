//! Values of data types, from JSON and from guests, and back to JSON.

use serde_json::{Map, Value as Json};

use super::{ValueError, depth, scalar, shown};
use crate::datatype::{DataType, ElementType, LinkType, Member};
use crate::id::{EntityId, EntityRef};
use crate::limits::MAX_JSON_DEPTH;
use crate::schema::Schema;
use crate::value::{Link, Scalar, Value};

type Result<T> = std::result::Result<T, ValueError>;

impl DataType {
    /// A value from JSON, by DP³'s lax table.
    ///
    /// # Errors
    /// Where in the value, what was expected and what was found.
    pub fn accept_json(&self, schema: &Schema, json: &Json) -> Result<Value> {
        match self {
            // Nothing can be stored as null: an attribute without a value is absent.
            Self::Primitive(of) if json.is_null() => Err(expected(of.describe(), json)),
            Self::Primitive(of) => scalar::from_json(*of, json).map(Value::Scalar).map_err(ValueError::new),
            Self::Category { values, .. } => category_from_json(values, json).map(Value::Scalar),
            Self::Array(element) | Self::Set(element) => {
                let Json::Array(items) = json else { return Err(expected("a list", json)) };
                list_from_json(element, schema, items)
            }
            Self::Dict(members) => dict_from_json(members, json).map(Value::Members),
            Self::Link(link) => link_from_json(link, schema, json).map(Value::Link),
        }
    }

    /// A value that a guest returned, brought to this type: text is parsed for addresses and times, an integer is
    /// fine for a float, ids of link targets become canonical.
    ///
    /// # Errors
    /// Where in the value, what was expected and what was found. Numbers that are not finite are refused.
    pub fn accept(&self, schema: &Schema, value: Value) -> Result<Value> {
        match (self, value) {
            (Self::Primitive(of), Value::Scalar(given)) => {
                scalar::from_guest(*of, given).map(Value::Scalar).map_err(ValueError::new)
            }
            (Self::Category { values, .. }, Value::Scalar(given)) => {
                category_from_guest(values, given).map(Value::Scalar)
            }
            (Self::Array(ElementType::Primitive(of)) | Self::Set(ElementType::Primitive(of)), Value::Items(items)) => {
                let accept = |(i, item)| scalar::from_guest(*of, item).map_err(|e| ValueError::new(e).at(i));
                items.into_iter().enumerate().map(accept).collect::<Result<_>>().map(Value::Items)
            }
            (Self::Array(ElementType::Link(of)) | Self::Set(ElementType::Link(of)), Value::Links(links)) => {
                let accept = |(i, link)| link_from_guest(of, schema, link).map_err(|e| e.at(i));
                links.into_iter().enumerate().map(accept).collect::<Result<_>>().map(Value::Links)
            }
            // An empty list has no kind.
            (Self::Array(ElementType::Link(_)) | Self::Set(ElementType::Link(_)), Value::Items(items))
                if items.is_empty() =>
            {
                Ok(Value::Links(Vec::new()))
            }
            (Self::Array(ElementType::Primitive(_)) | Self::Set(ElementType::Primitive(_)), Value::Links(links))
                if links.is_empty() =>
            {
                Ok(Value::Items(Vec::new()))
            }
            (Self::Dict(members), Value::Members(given)) => dict_from_guest(members, given).map(Value::Members),
            (Self::Link(of), Value::Link(link)) => link_from_guest(of, schema, link).map(Value::Link),
            // A guest without a typed view of the specification may send JSON for anything.
            (_, Value::Scalar(Scalar::Json(json))) => {
                if depth(&json) > MAX_JSON_DEPTH {
                    return Err(ValueError::new(format!("JSON is nested more than {MAX_JSON_DEPTH} levels deep")));
                }
                let value = self.accept_json(schema, &json)?;
                match value {
                    Value::Scalar(Scalar::Json(_)) => Ok(value),
                    // Once more, for what only guests are refused, such as "nan".
                    other => self.accept(schema, other),
                }
            }
            (_, other) => Err(ValueError::new(format!("expected {}, found {}", self.describe(), kind(&other)))),
        }
    }

    /// JSON as DP³ prints it. Integer ids are numbers, and an absent optional entry of a dictionary is null.
    #[must_use]
    pub fn to_json(&self, schema: &Schema, value: &Value) -> Json {
        match (self, value) {
            (Self::Dict(members), Value::Members(given)) => {
                let mut out = Map::new();
                for member in members {
                    let value = given.iter().find(|(name, _)| *name == member.name);
                    out.insert(member.name.clone(), value.map_or(Json::Null, |(_, v)| v.to_json()));
                }
                Json::Object(out)
            }
            (Self::Link(of), Value::Link(link)) => link_to_json(of, schema, link),
            (Self::Array(ElementType::Link(of)) | Self::Set(ElementType::Link(of)), Value::Links(links)) => {
                links.iter().map(|link| link_to_json(of, schema, link)).collect()
            }
            // Stored under an older specification: as it is.
            (_, other) => other.to_json_untyped(),
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Primitive(p) => p.describe().to_owned(),
            Self::Category { .. } => format!("one of {self}"),
            Self::Array(_) | Self::Set(_) => format!("a list ({self})"),
            Self::Dict(_) => format!("a dictionary ({self})"),
            Self::Link(_) => format!("a link ({self})"),
        }
    }
}

impl Value {
    /// JSON without knowing the data type: ids are text, and absent entries of dictionaries are left out.
    #[must_use]
    pub fn to_json_untyped(&self) -> Json {
        match self {
            Self::Scalar(s) => s.to_json(),
            Self::Items(items) => items.iter().map(Scalar::to_json).collect(),
            Self::Members(members) => {
                members.iter().map(|(k, v)| (k.clone(), v.to_json())).collect::<Map<_, _>>().into()
            }
            Self::Link(link) => link_to_json_untyped(link),
            Self::Links(links) => links.iter().map(link_to_json_untyped).collect(),
            Self::Chunk(series) => {
                series.iter().map(|s| (s.name.clone(), s.column.to_json())).collect::<Map<_, _>>().into()
            }
        }
    }
}

impl crate::value::Column {
    /// The items as a JSON list; NaN and infinities are null.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match self {
            Self::Ints(v) => v.iter().map(|n| Json::from(*n)).collect(),
            Self::Floats(v) => v.iter().map(|x| Scalar::Float(*x).to_json()).collect(),
            Self::Times(v) => v.iter().map(|t| Json::from(t.to_string())).collect(),
        }
    }
}

fn expected(what: &str, found: &Json) -> ValueError {
    ValueError::new(format!("expected {what}, found {}", shown(found)))
}

fn kind(value: &Value) -> String {
    match value {
        Value::Scalar(s) => scalar::describe(s),
        Value::Items(items) => format!("a list of {} items", items.len()),
        Value::Members(_) => "a dictionary".to_owned(),
        Value::Link(_) => "a link".to_owned(),
        Value::Links(links) => format!("a list of {} links", links.len()),
        Value::Chunk(_) => "a chunk of a timeseries".to_owned(),
    }
}

fn list_from_json(element: &ElementType, schema: &Schema, items: &[Json]) -> Result<Value> {
    let items = items.iter().enumerate();
    match element {
        ElementType::Primitive(of) => items
            .map(|(i, item)| scalar::from_json(*of, item).map_err(|e| ValueError::new(e).at(i)))
            .collect::<Result<_>>()
            .map(Value::Items),
        ElementType::Link(of) => items
            .map(|(i, item)| link_from_json(of, schema, item).map_err(|e| e.at(i)))
            .collect::<Result<_>>()
            .map(Value::Links),
    }
}

fn category_from_json(values: &[Scalar], json: &Json) -> Result<Scalar> {
    let equal = |value: &&Scalar| match (value, json) {
        (Scalar::Text(a), Json::String(b)) => a == b,
        (Scalar::Bool(a), Json::Bool(b)) => a == b,
        (Scalar::Int(a), Json::Number(b)) => b.as_i64() == Some(*a),
        (Scalar::Float(a), Json::Number(b)) => b.as_f64() == Some(*a),
        _ => false,
    };
    values.iter().find(equal).cloned().ok_or_else(|| expected(&one_of(values), json))
}

fn category_from_guest(values: &[Scalar], given: Scalar) -> Result<Scalar> {
    if values.contains(&given) {
        return Ok(given);
    }
    if let Scalar::Json(json) = &given {
        return category_from_json(values, json);
    }
    Err(ValueError::new(format!("expected {}, found {}", one_of(values), scalar::describe(&given))))
}

fn one_of(values: &[Scalar]) -> String {
    let shown: Vec<String> = values.iter().take(10).map(|v| v.to_json().to_string()).collect();
    let more = if values.len() > 10 { format!(" and {} more", values.len() - 10) } else { String::new() };
    format!("one of {}{more}", shown.join(", "))
}

fn dict_from_json(members: &[Member], json: &Json) -> Result<Vec<(String, Scalar)>> {
    let Json::Object(map) = json else { return Err(expected("an object", json)) };
    let mut out = Vec::with_capacity(members.len());
    for member in members {
        match map.get(&member.name) {
            None | Some(Json::Null) if member.optional => {}
            None => return Err(ValueError::new("Field required").under(&member.name)),
            Some(value) => {
                let value = scalar::from_json(member.of, value).map_err(|e| ValueError::new(e).under(&member.name))?;
                out.push((member.name.clone(), value));
            }
        }
    }
    Ok(out)
}

fn dict_from_guest(members: &[Member], mut given: Vec<(String, Scalar)>) -> Result<Vec<(String, Scalar)>> {
    let mut out = Vec::with_capacity(members.len());
    for member in members {
        let found = given.iter().position(|(name, _)| *name == member.name).map(|i| given.swap_remove(i));
        match found {
            None | Some((_, Scalar::Json(Json::Null))) if member.optional => {}
            None => return Err(ValueError::new("Field required").under(&member.name)),
            Some((name, value)) => {
                let value = scalar::from_guest(member.of, value).map_err(|e| ValueError::new(e).under(&name))?;
                out.push((name, value));
            }
        }
    }
    Ok(out)
}

fn target(
    of: &LinkType,
    schema: &Schema,
    eid: impl FnOnce(crate::schema::IdType) -> std::result::Result<EntityId, String>,
) -> Result<EntityRef> {
    let Some(spec) = schema.entity(of.to.as_str()) else {
        return Err(ValueError::new(format!("Entity type '{}' is not defined", of.to)));
    };
    let eid = eid(spec.id_type).map_err(|e| ValueError::new(e).under("eid"))?;
    Ok(EntityRef { etype: spec.id.clone(), eid })
}

fn link_from_json(of: &LinkType, schema: &Schema, json: &Json) -> Result<Link> {
    let form = if of.data.is_some() { "an object with \"eid\" and \"data\"" } else { "an object with \"eid\"" };
    let Json::Object(map) = json else { return Err(expected(form, json)) };
    if let Some(extra) = map.keys().find(|k| *k != "eid" && !(*k == "data" && of.data.is_some())) {
        return Err(ValueError::new(format!("Extra inputs are not permitted; expected {form}")).under(extra));
    }
    let Some(eid) = map.get("eid") else { return Err(ValueError::new("Field required").under("eid")) };
    let target = target(of, schema, |id_type| id_type.accept_json(eid))?;
    let data = match (&of.data, map.get("data")) {
        (None, _) => None,
        (Some(_), None) => return Err(ValueError::new("Field required").under("data")),
        (Some(of), Some(data)) => Some(Box::new(of.accept_json(schema, data).map_err(|e| e.under("data"))?)),
    };
    Ok(Link { target, data })
}

fn link_from_guest(of: &LinkType, schema: &Schema, link: Link) -> Result<Link> {
    if link.target.etype != of.to {
        let message = format!("expected a link to {:?}, found one to {:?}", of.to, link.target.etype);
        return Err(ValueError::new(message).under("etype"));
    }
    let target = target(of, schema, |id_type| id_type.parse(link.target.eid.as_str()))?;
    let data = match (&of.data, link.data) {
        (None, None) => None,
        (None, Some(_)) => return Err(ValueError::new("this link carries no data").under("data")),
        (Some(_), None) => return Err(ValueError::new("Field required").under("data")),
        (Some(of), Some(data)) => Some(Box::new(of.accept(schema, *data).map_err(|e| e.under("data"))?)),
    };
    Ok(Link { target, data })
}

fn link_to_json(of: &LinkType, schema: &Schema, link: &Link) -> Json {
    let eid = match schema.entity(link.target.etype.as_str()) {
        Some(spec) => spec.id_type.to_json(&link.target.eid),
        None => Json::from(link.target.eid.as_str()),
    };
    let mut out = Map::new();
    out.insert("eid".to_owned(), eid);
    if let Some(data) = &link.data {
        let data = of.data.as_ref().map_or_else(|| data.to_json_untyped(), |t| t.to_json(schema, data));
        out.insert("data".to_owned(), data);
    }
    Json::Object(out)
}

fn link_to_json_untyped(link: &Link) -> Json {
    let mut out = Map::new();
    out.insert("eid".to_owned(), Json::from(link.target.eid.as_str()));
    if let Some(data) = &link.data {
        out.insert("data".to_owned(), data.to_json_untyped());
    }
    Json::Object(out)
}
