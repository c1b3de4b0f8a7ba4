//! Many datapoints at once, from the bytes of a request.
//!
//! The good case is fast: each datapoint is read into borrowed fields, and only `id` and `v` become JSON values. When
//! anything does not fit that form, the document is read again as a tree, slowly: for errors that name the index and
//! the key, or because a key stands twice, where that is allowed.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value as Json;

use super::datapoint::Draft;
use super::strict::{self, Strict, nesting};
use super::{InputError, LocStep, scalar, shown};
use crate::datapoint::DataPoint;
use crate::id::EntityRef;
use crate::limits::MAX_JSON_DEPTH;
use crate::schema::{DuplicateKeys, EntitySpec, Schema};
use crate::time::Timestamp;

/// Errors that one request reports; more are counted.
const MAX_ERRORS: usize = 100;

/// A datapoint as it stands in the document. Unknown keys are ignored.
#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow, rename = "type")]
    etype: Cow<'a, str>,
    #[serde(borrow)]
    id: Id<'a>,
    #[serde(borrow)]
    attr: Cow<'a, str>,
    v: Strict,
    #[serde(default)]
    t1: Option<Time>,
    #[serde(default)]
    t2: Option<Time>,
    #[serde(default)]
    c: Option<f64>,
    #[serde(default)]
    src: Option<String>,
}

/// An entity id: text mostly.
#[derive(Deserialize)]
#[serde(untagged)]
enum Id<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Other(Json),
}

/// A time, read where it stands.
struct Time(Timestamp);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V;
        impl serde::de::Visitor<'_> for V {
            type Value = Timestamp;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a time")
            }
            fn visit_str<E: serde::de::Error>(self, v: &str) -> Result<Timestamp, E> {
                scalar::time_from_text(v).map_err(E::custom)
            }
            #[allow(clippy::cast_precision_loss, reason = "the range is checked after it")]
            fn visit_u64<E: serde::de::Error>(self, v: u64) -> Result<Timestamp, E> {
                scalar::time_from_number(v as f64).map_err(E::custom)
            }
            fn visit_f64<E: serde::de::Error>(self, v: f64) -> Result<Timestamp, E> {
                scalar::time_from_number(v).map_err(E::custom)
            }
        }
        d.deserialize_any(V).map(Self)
    }
}

impl Schema {
    /// The datapoints of a request: a JSON array. Grouped by entity in order of first appearance, order kept within.
    ///
    /// # Errors
    /// One bad datapoint refuses all of them. Errors name the index and the key, `["body", 3, "v", "eid"]`; at most
    /// a hundred are listed.
    pub fn accept_datapoints(&self, body: &[u8]) -> Result<Vec<(EntityRef, Vec<DataPoint>)>, Vec<InputError>> {
        if nesting(body) > MAX_JSON_DEPTH {
            return Err(vec![whole(format!("JSON is nested more than {MAX_JSON_DEPTH} levels deep"), "value_error")]);
        }
        let wires = match serde_json::from_slice::<Vec<Wire<'_>>>(body) {
            Ok(wires) => wires,
            Err(e) => return self.read_again(body, &e),
        };
        let mut groups = Groups::default();
        let mut errors = Vec::new();
        for (i, wire) in wires.into_iter().enumerate() {
            match self.accept_wire(wire) {
                Ok((entity, dp)) if errors.is_empty() => groups.add(entity, dp),
                Ok(_) => {}
                Err(e) => errors.push(e.within([LocStep::Str("body".to_owned()), LocStep::Int(i)])),
            }
        }
        if errors.is_empty() { Ok(groups.list) } else { Err(shorten(errors)) }
    }

    fn accept_wire(&self, wire: Wire<'_>) -> Result<(EntityRef, DataPoint), InputError> {
        let spec = self.known_entity(&wire.etype).map_err(|e| InputError::value("type", e))?;
        let eid = match &wire.id {
            Id::Text(text) => spec.id_type.parse(text),
            Id::Other(json) => spec.id_type.accept_json(json),
        }
        .map_err(|e| InputError::value("id", e))?;
        let attribute = spec.writable(&wire.attr).map_err(|e| InputError::value("attr", e))?;
        let dp = attribute.finish(Draft {
            value: attribute.value_from_json(self, &wire.v.0)?,
            src: wire.src,
            t1: wire.t1.map(|t| t.0),
            t2: wire.t2.map(|t| t.0),
            confidence: wire.c,
        })?;
        Ok((EntityRef { etype: spec.id.clone(), eid }, dp))
    }

    /// Reads a document that did not fit [`Wire`]: to say where and why, or since a key stands twice.
    fn read_again(
        &self,
        body: &[u8],
        first: &serde_json::Error,
    ) -> Result<Vec<(EntityRef, Vec<DataPoint>)>, Vec<InputError>> {
        let fallback = || Err(vec![whole(first.to_string(), "json_invalid")]);
        let Ok(json) = strict::parse(body, self.duplicate_keys) else { return fallback() };
        let Json::Array(items) = json else {
            return Err(vec![whole(format!("expected a list of datapoints, found {}", shown(&json)), "value_error")]);
        };
        let mut groups = Groups::default();
        let mut errors = Vec::new();
        for (i, item) in items.iter().enumerate() {
            match accept_one(self, item) {
                Ok((entity, dp)) => groups.add(entity, dp),
                Err(list) => {
                    let place = || [LocStep::Str("body".to_owned()), LocStep::Int(i)];
                    errors.extend(list.into_iter().map(|e| e.within(place())));
                }
            }
        }
        match self.duplicate_keys {
            _ if !errors.is_empty() => Err(shorten(errors)),
            // What else does not fit the form is told by the tree.
            DuplicateKeys::Last => Ok(groups.list),
            DuplicateKeys::Refused => fallback(),
        }
    }
}

/// One datapoint as a JSON tree.
pub(super) fn accept_one(schema: &Schema, json: &Json) -> Result<(EntityRef, DataPoint), Vec<InputError>> {
    let Json::Object(map) = json else {
        let message = format!("expected a datapoint (an object), found {}", shown(json));
        return Err(vec![InputError { loc: Vec::new(), message, kind: "value_error" }]);
    };
    let mut errors: Vec<InputError> =
        ["type", "id", "attr", "v"].into_iter().filter(|k| !map.contains_key(*k)).map(InputError::missing).collect();
    let get = |key: &str| map.get(key).filter(|v| !v.is_null());

    let spec = keep(&mut errors, "type", map.get("type").map(|json| entity(schema, json)));
    let eid = keep(&mut errors, "id", spec.zip(map.get("id")).map(|(spec, json)| spec.id_type.accept_json(json)));
    let attribute = keep(
        &mut errors,
        "attr",
        spec.zip(map.get("attr")).map(|(spec, json)| match json {
            Json::String(attr) => spec.writable(attr),
            other => Err(format!("expected text, found {}", shown(other))),
        }),
    );
    let t1 = keep(&mut errors, "t1", get("t1").map(scalar::time_from_json));
    let t2 = keep(&mut errors, "t2", get("t2").map(scalar::time_from_json));
    let confidence = keep(
        &mut errors,
        "c",
        get("c").map(|c| c.as_f64().ok_or_else(|| format!("expected a number from 0 to 1, found {}", shown(c)))),
    );
    let src = keep(
        &mut errors,
        "src",
        get("src").map(|s| s.as_str().map(str::to_owned).ok_or_else(|| format!("expected text, found {}", shown(s)))),
    );
    let value = match attribute.zip(map.get("v")).map(|(attribute, json)| attribute.value_from_json(schema, json)) {
        Some(Err(e)) => {
            errors.push(e.into());
            None
        }
        other => other.and_then(Result::ok),
    };
    let (Some(spec), Some(eid), Some(attribute), Some(value), true) = (spec, eid, attribute, value, errors.is_empty())
    else {
        return Err(errors);
    };
    let dp = attribute.finish(Draft { value, src, t1, t2, confidence }).map_err(|e| vec![e])?;
    Ok((EntityRef { etype: spec.id.clone(), eid }, dp))
}

fn entity<'a>(schema: &'a Schema, json: &Json) -> Result<&'a EntitySpec, String> {
    match json {
        Json::String(etype) => schema.known_entity(etype),
        other => Err(format!("expected text, found {}", shown(other))),
    }
}

fn keep<T>(errors: &mut Vec<InputError>, key: &str, result: Option<Result<T, String>>) -> Option<T> {
    match result? {
        Ok(value) => Some(value),
        Err(e) => {
            errors.push(InputError::value(key, e));
            None
        }
    }
}

fn whole(message: String, kind: &'static str) -> InputError {
    InputError { loc: vec![LocStep::Str("body".to_owned())], message, kind }
}

fn shorten(mut errors: Vec<InputError>) -> Vec<InputError> {
    if errors.len() > MAX_ERRORS {
        let more = errors.len() - MAX_ERRORS;
        errors.truncate(MAX_ERRORS);
        errors.push(whole(format!("{more} more errors are not listed"), "value_error"));
    }
    errors
}

/// Datapoints by entity, in order of first appearance.
#[derive(Default)]
struct Groups {
    list: Vec<(EntityRef, Vec<DataPoint>)>,
    index: HashMap<EntityRef, usize>,
}

impl Groups {
    fn add(&mut self, entity: EntityRef, dp: DataPoint) {
        // Datapoints of one entity often stand together.
        if let Some((last, dps)) = self.list.last_mut()
            && *last == entity
        {
            dps.push(dp);
            return;
        }
        match self.index.get(&entity).and_then(|i| self.list.get_mut(*i)) {
            Some((_, dps)) => dps.push(dp),
            None => {
                self.index.insert(entity.clone(), self.list.len());
                self.list.push((entity, vec![dp]));
            }
        }
    }
}
