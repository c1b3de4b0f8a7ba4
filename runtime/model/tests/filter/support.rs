//! A specification, and documents from JSON.

use std::borrow::Cow;

use serde_json::Value as Json;
use tenter_model::config::{self, ConfigFile};
use tenter_model::filter::{Document, Filter, Item};
use tenter_model::id::EntityId;
use tenter_model::schema::IdType;
use tenter_model::{Schema, Timestamp};

const HOST: &str = "
entity: {id: host, name: H, snapshot: true}
attribs:
  a: {name: A, type: plain, data_type: int}
  name: {name: N, type: plain, data_type: string}
  seen: {name: S, type: plain, data_type: time}
  addr: {name: I, type: plain, data_type: ipv4}
  addr6: {name: I, type: plain, data_type: ipv6}
  mac: {name: M, type: plain, data_type: mac}
  ratio: {name: R, type: observations, data_type: float}
  tags: {name: T, type: plain, data_type: array<string>}
  ports: {name: P, type: observations, data_type: int, multi_value: true}
  info: {name: D, type: plain, data_type: 'dict<os:string,cores?:int>'}
  any: {name: Y, type: plain, data_type: json}
  site: {name: L, type: plain, data_type: 'link<site,int ;mirror=hosts>'}
  ips: {name: L, type: plain, data_type: 'set<link<ip>>'}
  load: {name: T, type: timeseries, timeseries_type: regular, timeseries_params: {time_step: 10m}, series: {n: {data_type: int}}}
  b: {name: B, type: plain, data_type: string}
  f: {name: F, type: plain, data_type: string}
";
const SITE: &str = "
entity: {id: site, name: S, snapshot: true, id_data_type: int}
attribs:
  title: {name: T, type: plain, data_type: string}
";
const IP: &str = "
entity: {id: ip, name: I, snapshot: true, id_data_type: ipv4}
attribs:
  title: {name: T, type: plain, data_type: string}
";
const NIC: &str = "
entity: {id: nic, name: I, snapshot: true, id_data_type: mac}
attribs:
  title: {name: T, type: plain, data_type: string}
";

pub(crate) fn schema() -> Schema {
    let files = [("host", HOST), ("site", SITE), ("ip", IP), ("nic", NIC)]
        .map(|(name, text)| ConfigFile { path: format!("db_entities/{name}.yml"), text: text.into() });
    let loaded = config::load(&files);
    loaded.config.unwrap_or_else(|| panic!("{:?}", loaded.errors)).schema
}

/// Seconds since 1970 of all documents here.
pub(crate) const TIME: i64 = 1_700_000_000;

pub(crate) fn id(text: &str) -> EntityId {
    EntityId::new(text).unwrap()
}

/// JSON where `{"@time": seconds}` is a time.
pub(crate) fn item(json: &Json) -> Item<'static> {
    match json {
        Json::Array(list) => Item::List(list.iter().map(item).collect()),
        Json::Object(map) => match map.get("@time") {
            Some(seconds) => Item::Time(Timestamp::from_secs(seconds.as_i64().unwrap())),
            None => Item::object(map.iter().map(|(k, v)| (Cow::Owned(k.clone()), item(v))).collect()),
        },
        other => Item::from_json(other).into_owned(),
    }
}

/// Whether a filter on a host matches the document that has this under `last`.
pub(crate) fn matches(schema: &Schema, filter: &Json, last: &Json) -> bool {
    let filter = Filter::parse(filter, schema, "host").unwrap_or_else(|e| panic!("{filter}: {e}"));
    let eid = id("h1");
    filter.matches(&Document::of(IdType::String, &eid, Timestamp::from_secs(TIME), item(last)))
}
