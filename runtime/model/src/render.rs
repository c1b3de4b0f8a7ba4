//! Wire forms: how records, datapoints and the specification are printed as JSON, in DP³'s shapes.
//!
//! Times are RFC 3339 in UTC, durations ISO 8601, integer ids JSON numbers, addresses text. A value whose attribute is
//! no longer configured is printed without its type. Keys of objects stand in alphabetical order, which makes the text
//! of equal values equal.

mod schema;

use serde_json::{Map, Value as Json, json};

use crate::datapoint::DataPoint;
use crate::history::{self, TimeRange};
use crate::id::EntityRef;
use crate::record::{Chunk, History, MasterRecord, Observation};
use crate::schema::{AttributeKind, AttributeSpec, Schema};
use crate::time::Timestamp;
use crate::value::Value;

impl Schema {
    /// An id as JSON; text when the type is not configured.
    #[must_use]
    pub fn eid_json(&self, entity: &EntityRef) -> Json {
        match self.entity(entity.etype.as_str()) {
            Some(spec) => spec.id_type.to_json(&entity.eid),
            None => Json::from(entity.eid.as_str()),
        }
    }

    /// A value of an attribute as JSON.
    #[must_use]
    pub fn value_json(&self, etype: &str, attr: &str, value: &Value) -> Json {
        self.printed(self.attribute(etype, attr), value)
    }

    /// A datapoint as `POST /datapoints` takes it and `raw/get` prints it: `{type, id, attr, src, v, c, t1, t2}`.
    #[must_use]
    pub fn datapoint_json(&self, entity: &EntityRef, dp: &DataPoint) -> Json {
        json!({
            "type": entity.etype,
            "id": self.eid_json(entity),
            "attr": dp.attr,
            "src": dp.src,
            "v": self.value_json(entity.etype.as_str(), dp.attr.as_str(), &dp.value),
            "c": dp.confidence,
            "t1": dp.t1.map(text),
            "t2": dp.t2.map(text),
        })
    }

    /// A master record as `GET …/master` prints it: plain attributes with the time of their last write, all
    /// observations, and the items of timeseries that overlap the range.
    #[must_use]
    pub fn master_json(&self, entity: &EntityRef, record: &MasterRecord, range: TimeRange) -> Json {
        let mut out = Map::new();
        out.insert("#time_created".to_owned(), text(record.created));
        if !record.ttl.is_empty() {
            out.insert(
                "#ttl".to_owned(),
                record.ttl.iter().map(|(k, t)| (k.clone(), text(*t))).collect::<Map<_, _>>().into(),
            );
        }
        for (attr, history) in &record.attributes {
            let spec = self.attribute(entity.etype.as_str(), attr.as_str());
            let printed = match history {
                History::Plain { value, updated } => {
                    json!({"v": self.printed(spec, value), "ts_last_update": text(*updated)})
                }
                History::Observations(points) => points.iter().map(|p| self.observation_json(spec, p)).collect(),
                History::Timeseries(chunks) => timeseries_json(spec, chunks, range),
            };
            out.insert(attr.to_string(), printed);
        }
        Json::Object(out)
    }

    /// The answer of `GET …/get/{attr}`: `{attr_type, current_value, history}`. A plain value comes from the record;
    /// the current value of observations is that of the latest snapshot, which the caller passes. `None` when the
    /// attribute is not configured.
    #[must_use]
    pub fn attribute_history_json(
        &self,
        entity: &EntityRef,
        attr: &str,
        record: Option<&MasterRecord>,
        snapshot_value: Option<Json>,
        range: TimeRange,
    ) -> Option<Json> {
        let spec = self.attribute(entity.etype.as_str(), attr)?;
        let stored = record.and_then(|r| r.attributes.get(attr));
        let (current, history) = match (&spec.kind, stored) {
            (AttributeKind::Plain { .. }, Some(History::Plain { value, .. })) => {
                (self.printed(Some(spec), value), Json::Array(Vec::new()))
            }
            (AttributeKind::Observations { .. }, Some(History::Observations(points))) => {
                let points = points.iter().filter(|p| range.overlaps(p.t1, p.t2));
                (snapshot_value.unwrap_or(Json::Null), points.map(|p| self.observation_json(Some(spec), p)).collect())
            }
            (AttributeKind::Timeseries { .. }, Some(History::Timeseries(chunks))) => {
                (Json::Null, timeseries_json(Some(spec), chunks, range))
            }
            // Nothing stored, or a mirror, which exists in snapshots alone.
            (AttributeKind::Plain { .. } | AttributeKind::Observations { .. }, _) => {
                (snapshot_value.unwrap_or(Json::Null), Json::Array(Vec::new()))
            }
            (AttributeKind::Timeseries { .. }, _) => (Json::Null, Json::Array(Vec::new())),
        };
        Some(json!({"attr_type": spec.kind.number(), "current_value": current, "history": history}))
    }

    fn printed(&self, spec: Option<&AttributeSpec>, value: &Value) -> Json {
        match spec.and_then(|s| s.kind.data_type()) {
            Some(data_type) => data_type.to_json(self, value),
            None => value.to_json_untyped(),
        }
    }

    fn observation_json(&self, spec: Option<&AttributeSpec>, point: &Observation) -> Json {
        json!({
            "t1": text(point.t1),
            "t2": text(point.t2),
            "v": self.printed(spec, &point.value),
            "c": point.confidence,
        })
    }
}

/// Items of chunks that overlap the range; whole chunks when the attribute is no timeseries any more.
fn timeseries_json(spec: Option<&AttributeSpec>, chunks: &[Chunk], range: TimeRange) -> Json {
    let Some(AttributeKind::Timeseries { kind, time_step, .. }) = spec.map(|s| &s.kind) else {
        let whole = |c: &Chunk| json!({"t1": text(c.t1), "t2": text(c.t2), "v": Value::Chunk(c.series.clone()).to_json_untyped()});
        return chunks.iter().filter(|c| range.overlaps(c.t1, c.t2)).map(whole).collect();
    };
    let mut out = Vec::new();
    for chunk in chunks.iter().filter(|c| range.overlaps(c.t1, c.t2)) {
        for point in history::split(chunk, *kind, *time_step) {
            if range.overlaps(point.t1, point.t2) {
                let v: Map<String, Json> = point.values.into_iter().map(|(k, v)| (k, v.to_json())).collect();
                out.push(json!({"t1": text(point.t1), "t2": text(point.t2), "v": v}));
            }
        }
    }
    Json::Array(out)
}

fn text(t: Timestamp) -> Json {
    Json::String(t.to_string())
}
