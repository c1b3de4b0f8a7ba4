//! The specification as JSON.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::{Map, Value as Json, json};

use crate::duration::to_iso;
use crate::history::implicit;
use crate::schema::{AttributeKind, AttributeSpec, EntitySpec, Lifetime, Schema};

impl Schema {
    /// The answer of `GET /entities`: `{etype: {id, id_data_type, name, attribs: {attr: spec}, eid_estimate_count}}`,
    /// types and attributes in the order of the configuration. A type without a count has 0 entities.
    #[must_use]
    pub fn entities_listing<'a>(&'a self, counts: &'a BTreeMap<String, u64>) -> impl Serialize + 'a {
        Listing { schema: self, counts }
    }

    /// The whole specification, for `tenter check -o json` and the guest import `entities.schema`:
    ///
    /// ```json
    /// {"entities": {"ip": {
    ///     "id": "ip", "id_data_type": "ipv4", "name": "IP address", "description": "", "snapshot": true,
    ///     "lifetime": {"type": "ttl", "on_create": "P1D", "mirror_data": true},
    ///     "attribs": {"hostname": {"id": "hostname", "name": "…", "description": "", "ttl": "PT0S", "t": 1,
    ///         "type": "plain", "data_type": "string", "editable": false, "mirror_of": null}}}}}
    /// ```
    ///
    /// Attributes have the keys of `GET /entities`; a plain one also `mirror_of`, which is `{"etype", "attr"}` for an
    /// implicit mirror attribute. A link's data type names its target: `link<site,int ;mirror=devices>`. Timeseries
    /// list the series that the configuration names; the implicit ones follow from `timeseries_type`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut out = Map::new();
        for entity in self.entities() {
            let mut spec = heading(entity);
            spec.insert("description".to_owned(), entity.description.clone().into());
            spec.insert("snapshot".to_owned(), entity.snapshot.into());
            spec.insert("lifetime".to_owned(), lifetime(&entity.lifetime));
            let mut attribs = attributes(entity);
            for attribute in entity.attributes() {
                if let AttributeKind::Plain { mirror_of, .. } = &attribute.kind
                    && let Some(slot) = attribs.get_mut(attribute.id.as_str()).and_then(Json::as_object_mut)
                {
                    let of = mirror_of.as_ref().map(|(etype, attr)| json!({"etype": etype, "attr": attr}));
                    slot.insert("mirror_of".to_owned(), of.unwrap_or(Json::Null));
                }
            }
            spec.insert("attribs".to_owned(), attribs);
            out.insert(entity.id.to_string(), Json::Object(spec));
        }
        json!({"entities": out})
    }
}

/// All types, in their order, which an object of `serde_json` would not keep.
struct Listing<'a> {
    schema: &'a Schema,
    counts: &'a BTreeMap<String, u64>,
}

impl Serialize for Listing<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let count = |entity: &EntitySpec| self.counts.get(entity.id.as_str()).copied().unwrap_or(0);
        s.collect_map(self.schema.entities().iter().map(|e| (e.id.as_str(), Listed { entity: e, count: count(e) })))
    }
}

/// One type of a listing.
struct Listed<'a> {
    entity: &'a EntitySpec,
    count: u64,
}

impl Serialize for Listed<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut map = s.serialize_map(None)?;
        for (key, value) in heading(self.entity) {
            map.serialize_entry(&key, &value)?;
        }
        map.serialize_entry("attribs", &Attributes(self.entity))?;
        map.serialize_entry("eid_estimate_count", &self.count)?;
        map.end()
    }
}

/// Attributes of a type, in their order.
struct Attributes<'a>(&'a EntitySpec);

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_map(self.0.attributes().iter().map(|a| (a.id.as_str(), attribute(a))))
    }
}

fn heading(entity: &EntitySpec) -> Map<String, Json> {
    let mut out = Map::new();
    out.insert("id".to_owned(), entity.id.as_str().into());
    out.insert("id_data_type".to_owned(), entity.id_type.name().into());
    out.insert("name".to_owned(), entity.name.clone().into());
    out
}

fn lifetime(lifetime: &Lifetime) -> Json {
    match lifetime {
        Lifetime::Immortal => json!({"type": "immortal"}),
        Lifetime::Weak => json!({"type": "weak"}),
        Lifetime::Ttl { on_create, mirror_data } => {
            json!({"type": "ttl", "on_create": to_iso(*on_create), "mirror_data": mirror_data})
        }
    }
}

fn attributes(entity: &EntitySpec) -> Json {
    entity.attributes().iter().map(|a| (a.id.to_string(), attribute(a))).collect::<Map<_, _>>().into()
}

fn attribute(spec: &AttributeSpec) -> Json {
    let mut out = Map::new();
    let mut set = |key: &str, value: Json| out.insert(key.to_owned(), value);
    set("id", spec.id.as_str().into());
    set("name", spec.name.clone().into());
    set("description", spec.description.clone().into());
    set("ttl", to_iso(spec.ttl).into());
    set("t", spec.kind.number().into());
    set("type", spec.kind.name().into());
    let iso = |micros: Option<i64>| micros.map_or(Json::Null, |m| to_iso(m).into());
    match &spec.kind {
        AttributeKind::Plain { data_type, editable, .. } => {
            set("data_type", data_type.to_string().into());
            set("editable", (*editable).into());
        }
        AttributeKind::Observations { data_type, editable, confidence, multi_value, history, force_graph } => {
            set("data_type", data_type.to_string().into());
            set("editable", (*editable).into());
            set("confidence", (*confidence).into());
            set("multi_value", (*multi_value).into());
            set(
                "history_params",
                json!({
                    "max_age": iso(history.max_age),
                    "max_items": history.max_items,
                    "expire_time": iso(history.expire_time),
                    "pre_validity": to_iso(history.pre_validity),
                    "post_validity": to_iso(history.post_validity),
                    "aggregate": history.aggregate,
                }),
            );
            set("history_force_graph", (*force_graph).into());
        }
        AttributeKind::Timeseries { kind, series, max_age, time_step } => {
            set("timeseries_type", json!(kind));
            let named = series.iter().filter(|(name, _)| !implicit(*kind).iter().any(|(n, _)| n == name));
            let named: Map<String, Json> = named.map(|(name, of)| (name.clone(), json!({"data_type": of}))).collect();
            set("series", named.into());
            set("timeseries_params", json!({"max_age": iso(*max_age), "time_step": iso(*time_step)}));
        }
    }
    Json::Object(out)
}
