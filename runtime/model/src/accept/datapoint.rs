//! The rules of datapoints, for all three kinds of attribute. One function holds them for JSON and for guests.

use serde_json::Value as Json;

use super::{InputError, LocStep, ValueError, scalar, shown, strict};
use crate::config::nearest;
use crate::datapoint::DataPoint;
use crate::id::EntityRef;
use crate::schema::{AttributeKind, AttributeSpec, EntitySpec, Schema, SeriesType, TimeseriesType};
use crate::time::Timestamp;
use crate::value::{Column, Series, Value};

/// A datapoint before its rules are checked; the value is checked already.
pub(super) struct Draft {
    pub(super) value: Value,
    pub(super) src: Option<String>,
    pub(super) t1: Option<Timestamp>,
    pub(super) t2: Option<Timestamp>,
    pub(super) confidence: Option<f64>,
}

impl Schema {
    /// The type of that name, or DP³'s words for its absence.
    pub(crate) fn known_entity(&self, etype: &str) -> Result<&EntitySpec, String> {
        self.entity(etype).ok_or_else(|| {
            let near = nearest(etype, self.entities().iter().map(|e| e.id.as_str()));
            format!("Entity type '{}' doesn't exist{}", clip(etype), did_you_mean(near))
        })
    }

    /// One datapoint of `POST /datapoints`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn accept_datapoint_json(&self, json: &Json) -> Result<(EntityRef, DataPoint), Vec<InputError>> {
        super::batch::accept_one(self, json)
    }

    /// The datapoint that setting an attribute makes, from the body `{"value": …}`: of this time, from this source.
    ///
    /// # Errors
    /// Everything that is wrong with the body, with places below `value`; when the attribute is a timeseries, a mirror or
    /// not configured.
    pub fn accept_set(
        &self,
        entity: &EntityRef,
        attr: &str,
        bytes: &[u8],
        now: Timestamp,
        src: String,
    ) -> Result<DataPoint, Vec<InputError>> {
        let body = |error: InputError| vec![error.within([LocStep::Str("body".to_owned())])];
        let text = std::str::from_utf8(bytes).map_err(|e| body(whole(format!("the body is not text: {e}"))))?;
        let json = strict::parse_text(text, self.duplicate_keys)
            .map_err(|e| body(InputError { kind: "json_invalid", ..whole(e) }))?;
        let Json::Object(map) = json else {
            return Err(body(whole(format!("expected {{\"value\": ...}}, found {}", shown(&json)))));
        };
        let value = map.get("value").ok_or_else(|| body(InputError::missing("value")))?;
        let at_value = |error: InputError| body(InputError { loc: relocated(error.loc), ..error });
        let spec = self.known_entity(entity.etype.as_str()).map_err(|e| body(whole(e)))?;
        let spec = spec.writable(attr).map_err(|e| at_value(InputError::value("v", e)))?;
        if matches!(spec.kind, AttributeKind::Timeseries { .. }) {
            let message = format!("'{attr}' is a timeseries, whose chunks have times; send them as datapoints");
            return Err(at_value(InputError::value("v", message)));
        }
        let value = spec.value_from_json(self, value).map_err(|e| at_value(e.into()))?;
        spec.finish(Draft { value, src: Some(src), t1: Some(now), t2: None, confidence: None }).map_err(at_value)
    }

    /// The value of TTL tokens: an object of names and times; null is a token without a time.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn ttl_tokens_json(&self, json: &Json) -> Result<Vec<(String, Option<Timestamp>)>, Vec<InputError>> {
        let Json::Object(map) = json else {
            return Err(vec![whole(format!("expected an object of names and times, found {}", shown(json)))]);
        };
        if map.is_empty() {
            return Err(vec![whole("expected at least one token".to_owned())]);
        }
        let mut tokens = Vec::with_capacity(map.len());
        let mut errors = Vec::new();
        for (name, until) in map {
            match until {
                Json::Null => tokens.push((name.clone(), None)),
                other => match scalar::time_from_json(other) {
                    Ok(t) => tokens.push((name.clone(), Some(t))),
                    Err(e) => errors.push(InputError::value(name, e)),
                },
            }
        }
        if errors.is_empty() { Ok(tokens) } else { Err(errors) }
    }
}

/// An error of a body as a whole.
fn whole(message: String) -> InputError {
    InputError { loc: Vec::new(), message, kind: "value_error" }
}

/// The place of an error in a datapoint's `v` as a place in a body's `value`.
fn relocated(mut loc: Vec<LocStep>) -> Vec<LocStep> {
    if let Some(first) = loc.first_mut() {
        *first = LocStep::Str("value".to_owned());
    }
    loc
}

impl EntitySpec {
    /// The attribute of that name if datapoints may name it.
    pub(super) fn writable(&self, attr: &str) -> Result<&AttributeSpec, String> {
        let Some(spec) = self.attribute(attr) else {
            let near = nearest(attr, self.attributes().iter().map(|a| a.id.as_str()));
            return Err(format!("Attribute '{}' not found in entity '{}'{}", clip(attr), self.id, did_you_mean(near)));
        };
        match &spec.kind {
            AttributeKind::Plain { mirror_of: Some((etype, attr)), .. } => Err(format!(
                "Cannot instantiate a read-only attribute datapoint: '{}' mirrors '{etype}.{attr}', write that one",
                spec.id
            )),
            _ => Ok(spec),
        }
    }
}

fn clip(name: &str) -> String {
    name.chars().take(80).collect()
}

fn did_you_mean(near: Option<&str>) -> String {
    near.map_or(String::new(), |n| format!(", did you mean {n:?}?"))
}

impl AttributeSpec {
    /// The value of a datapoint from JSON.
    pub(super) fn value_from_json(&self, schema: &Schema, json: &Json) -> Result<Value, ValueError> {
        match &self.kind {
            AttributeKind::Plain { data_type, .. } | AttributeKind::Observations { data_type, .. } => {
                data_type.accept_json(schema, json)
            }
            AttributeKind::Timeseries { series, .. } => chunk_from_json(series, json),
        }
    }

    /// The value of a datapoint from a guest.
    pub(super) fn value_from_guest(&self, schema: &Schema, value: Value) -> Result<Value, ValueError> {
        match &self.kind {
            AttributeKind::Plain { data_type, .. } | AttributeKind::Observations { data_type, .. } => {
                data_type.accept(schema, value)
            }
            AttributeKind::Timeseries { series, .. } => chunk_from_guest(series, value),
        }
    }

    /// Applies the rules of the attribute's kind to times and confidence, and fills in what may be left out.
    pub(super) fn finish(&self, draft: Draft) -> Result<DataPoint, InputError> {
        let Draft { value, src, t1, t2, confidence } = draft;
        if let Some(c) = confidence.filter(|c| !(0.0..=1.0).contains(c)) {
            return Err(InputError::value("c", format!("expected a confidence from 0 to 1, found {c}")));
        }
        let dp = |value, t1, t2, confidence| DataPoint { attr: self.id.clone(), value, src, t1, t2, confidence };
        match &self.kind {
            AttributeKind::Plain { .. } => match t2 {
                Some(_) => Err(InputError::value("t2", "a plain attribute has no validity; leave 't2' out")),
                None => Ok(dp(value, None, None, confidence)),
            },
            AttributeKind::Observations { .. } => {
                let t1 = t1.ok_or_else(|| InputError::missing("t1"))?;
                let t2 = ordered(t1, t2.unwrap_or(t1))?;
                Ok(dp(value, Some(t1), Some(t2), Some(confidence.unwrap_or(1.0))))
            }
            AttributeKind::Timeseries { kind, time_step, .. } => {
                let t1 = t1.ok_or_else(|| InputError::missing("t1"))?;
                let t2 = chunk_end(self, *kind, *time_step, &value, t1, t2)?;
                Ok(dp(value, Some(t1), Some(t2), None))
            }
        }
    }
}

fn ordered(t1: Timestamp, t2: Timestamp) -> Result<Timestamp, InputError> {
    if t2 < t1 { Err(InputError::value("t2", format!("'t2' is before 't1' ({t2} < {t1})"))) } else { Ok(t2) }
}

/// Checks a chunk against its times; the end is computed when it was left out.
fn chunk_end(
    spec: &AttributeSpec,
    kind: TimeseriesType,
    time_step: Option<i64>,
    value: &Value,
    t1: Timestamp,
    t2: Option<Timestamp>,
) -> Result<Timestamp, InputError> {
    match kind {
        TimeseriesType::Regular => {
            let Some(step) = time_step else {
                let message = format!(
                    "the specification of '{}' lacks timeseries_params.time_step, which a regular timeseries needs",
                    spec.id
                );
                return Err(InputError::value("attr", message));
            };
            let len = chunk_len(value);
            let span = i64::try_from(len).unwrap_or(i64::MAX).saturating_mul(step);
            let end = scalar::in_range(t1.saturating_add(span)).map_err(|e| InputError::value("t1", e))?;
            match t2 {
                Some(t2) if t2 != end => Err(InputError::value(
                    "t2",
                    format!(
                        "Difference of t1 and t2 is invalid: {len} × {} from t1 is {end}, not {t2}",
                        crate::duration::to_iso(step)
                    ),
                )),
                _ => Ok(end),
            }
        }
        TimeseriesType::Irregular => {
            let times = times(value, "time");
            if let Some(i) = times.windows(2).position(|pair| matches!(pair, [a, b] if b < a)) {
                let error = ValueError::new("times must not go back").at(i + 1).under("time");
                return Err(error.into());
            }
            bounds(t1, t2, times.first(), times.last(), "time")
        }
        TimeseriesType::IrregularIntervals => {
            let (first, last) = (times(value, "time_first"), times(value, "time_last"));
            if let Some(i) = first.iter().zip(last).position(|(a, b)| b < a) {
                let error = ValueError::new("'time_last' is before 'time_first'").at(i).under("time_last");
                return Err(error.into());
            }
            // Items need not be in order, so the end that is left out is the latest one.
            let t2 = t2.or_else(|| last.iter().max().copied());
            bounds(t1, t2, first.first(), last.last(), "time_last")
        }
    }
}

fn bounds(
    t1: Timestamp,
    t2: Option<Timestamp>,
    first: Option<&Timestamp>,
    last: Option<&Timestamp>,
    name: &str,
) -> Result<Timestamp, InputError> {
    if let Some(first) = first.filter(|f| **f < t1) {
        return Err(InputError::value("t1", format!("'t1' is {t1}, after the first item at {first}")));
    }
    let t2 = t2.or(last.copied()).unwrap_or(t1);
    if let Some(last) = last.filter(|l| **l > t2) {
        return Err(InputError::value("t2", format!("'t2' is {t2}, before the last '{name}' at {last}")));
    }
    ordered(t1, t2)
}

fn chunk_len(value: &Value) -> usize {
    match value {
        Value::Chunk(series) => series.first().map_or(0, |s| s.column.len()),
        _ => 0,
    }
}

fn times<'a>(value: &'a Value, name: &str) -> &'a [Timestamp] {
    let Value::Chunk(series) = value else { return &[] };
    match series.iter().find(|s| s.name == name).map(|s| &s.column) {
        Some(Column::Times(times)) => times,
        _ => &[],
    }
}

fn same_length(series: Vec<Series>) -> Result<Value, ValueError> {
    let mut lengths = series.iter().map(|s| s.column.len());
    let first = lengths.next().unwrap_or(0);
    if lengths.any(|len| len != first) {
        let lengths: Vec<String> = series.iter().map(|s| format!("{} {}", s.name, s.column.len())).collect();
        return Err(ValueError::new(format!("Series values have different lengths: {}", lengths.join(", "))));
    }
    Ok(Value::Chunk(series))
}

fn chunk_from_json(specs: &[(String, SeriesType)], json: &Json) -> Result<Value, ValueError> {
    let Json::Object(map) = json else {
        return Err(ValueError::new(format!("expected an object of series, found {}", shown(json))));
    };
    let mut out = Vec::with_capacity(specs.len());
    for (name, of) in specs {
        let column = match map.get(name) {
            None => return Err(ValueError::new("Field required").under(name)),
            Some(Json::Array(items)) => column_from_json(*of, items).map_err(|e| e.under(name))?,
            Some(other) => return Err(ValueError::new(format!("expected a list, found {}", shown(other))).under(name)),
        };
        out.push(Series { name: name.clone(), column });
    }
    same_length(out)
}

fn column_from_json(of: SeriesType, items: &[Json]) -> Result<Column, ValueError> {
    fn all<T>(items: &[Json], read: impl Fn(&Json) -> Result<T, String>) -> Result<Vec<T>, ValueError> {
        items.iter().enumerate().map(|(i, item)| read(item).map_err(|e| ValueError::new(e).at(i))).collect()
    }
    match of {
        SeriesType::Int | SeriesType::Int64 => all(items, scalar::integer_from_json).map(Column::Ints),
        SeriesType::Float => all(items, scalar::float_from_json).map(Column::Floats),
        SeriesType::Time => all(items, scalar::time_from_json).map(Column::Times),
    }
}

fn chunk_from_guest(specs: &[(String, SeriesType)], value: Value) -> Result<Value, ValueError> {
    let mut given = match value {
        Value::Chunk(series) => series,
        Value::Scalar(crate::value::Scalar::Json(json)) => match chunk_from_json(specs, &json)? {
            Value::Chunk(series) => series,
            other => return Ok(other),
        },
        _ => return Err(ValueError::new("expected a chunk of a timeseries")),
    };
    let mut out = Vec::with_capacity(specs.len());
    for (name, of) in specs {
        let Some(i) = given.iter().position(|s| s.name == *name) else {
            return Err(ValueError::new("Field required").under(name));
        };
        let Series { name, column } = given.swap_remove(i);
        let column = column_from_guest(*of, column).map_err(|e| e.under(&name))?;
        out.push(Series { name, column });
    }
    same_length(out)
}

fn column_from_guest(of: SeriesType, column: Column) -> Result<Column, ValueError> {
    match (of, column) {
        (SeriesType::Int | SeriesType::Int64, Column::Ints(v)) => Ok(Column::Ints(v)),
        #[allow(clippy::cast_precision_loss, reason = "floats were declared")]
        (SeriesType::Float, Column::Ints(v)) => Ok(Column::Floats(v.into_iter().map(|n| n as f64).collect())),
        (SeriesType::Float, Column::Floats(v)) => match v.iter().position(|x| !x.is_finite()) {
            Some(i) => Err(ValueError::new("expected a finite number").at(i)),
            None => Ok(Column::Floats(v)),
        },
        (SeriesType::Time, Column::Times(v)) => {
            for (i, t) in v.iter().enumerate() {
                scalar::in_range(*t).map_err(|e| ValueError::new(e).at(i))?;
            }
            Ok(Column::Times(v))
        }
        // An empty list has no kind.
        (SeriesType::Int | SeriesType::Int64, c) if c.is_empty() => Ok(Column::Ints(Vec::new())),
        (SeriesType::Float, c) if c.is_empty() => Ok(Column::Floats(Vec::new())),
        (SeriesType::Time, c) if c.is_empty() => Ok(Column::Times(Vec::new())),
        (of, column) => {
            let found = match column {
                Column::Ints(_) => "integers",
                Column::Floats(_) => "numbers",
                Column::Times(_) => "times",
            };
            let wanted = match of {
                SeriesType::Int | SeriesType::Int64 => "integers",
                SeriesType::Float => "numbers",
                SeriesType::Time => "times",
            };
            Err(ValueError::new(format!("expected a list of {wanted}, found one of {found}")))
        }
    }
}
