//! The document of an entity in a snapshot, in DP³'s JSON form.

use serde_json::{Map, Value as Json};

use crate::history::confidence_key;
use crate::schema::{AttributeKind, Schema};
use crate::time::Timestamp;
use crate::view::{CurrentValue, EntityView};

/// Keys of a document that no attribute may take. `_partial` is ours: present and true when a hook failed on the entity
/// or its component was split, so that values may be missing.
pub const RESERVED: [&str; 3] = ["eid", "_time_created", "_partial"];

impl Schema {
    /// A snapshot document: `{"eid": …, "<attr>": value, "<attr>#c": confidence, …, "_time_created": time}`.
    ///
    /// An attribute with several values is a list, and its confidences are a parallel list. A configured multi-value
    /// attribute is always a list; one that only a hook knows is a list when it has more than one value. `<attr>#c` is
    /// left out when no value has a confidence.
    #[must_use]
    pub fn snapshot_json(&self, view: &EntityView, time: Timestamp, partial: bool) -> Json {
        let mut out = Map::new();
        // Values of one attribute stand one after another.
        for run in view.values.chunk_by(|a, b| a.attr == b.attr) {
            let Some(first) = run.first() else { continue };
            let several = run.len() > 1 || self.is_multi_value(view, first);
            let value = |v: &CurrentValue| self.value_json(view.entity.etype.as_str(), v.attr.as_str(), &v.value);
            let confidence = |v: &CurrentValue| v.confidence.map_or(Json::Null, Json::from);
            let (values, confidences) = if several {
                (run.iter().map(value).collect(), run.iter().map(confidence).collect())
            } else {
                (value(first), confidence(first))
            };
            if run.iter().any(|v| v.confidence.is_some()) {
                out.insert(confidence_key(&first.attr), confidences);
            }
            out.insert(first.attr.to_string(), values);
        }
        out.insert("eid".to_owned(), self.eid_json(&view.entity));
        out.insert("_time_created".to_owned(), Json::from(time.to_string()));
        if partial {
            out.insert("_partial".to_owned(), Json::Bool(true));
        }
        Json::Object(out)
    }

    fn is_multi_value(&self, view: &EntityView, value: &CurrentValue) -> bool {
        let spec = self.attribute(view.entity.etype.as_str(), value.attr.as_str());
        spec.is_some_and(|s| matches!(s.kind, AttributeKind::Observations { multi_value: true, .. }))
    }
}
