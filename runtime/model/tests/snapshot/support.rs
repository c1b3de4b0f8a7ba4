//! A specification with everything in it, short ways to make things, and properties over random cases.

use std::str::FromStr;

use tenter_model::config::{self, ConfigFile};
use tenter_model::hook::{Correlation, Moment, Path, Subscription};
use tenter_model::id::{AttrName, EntityId, EntityRef, ModuleName, SubscriptionId};
use tenter_model::record::{History, MasterRecord, Observation};
use tenter_model::snapshot::plan::{Plan, PlanError};
use tenter_model::value::Link;
use tenter_model::view::{CurrentValue, EntityView};
use tenter_model::{Scalar, Schema, Timestamp, Value};

pub(crate) use crate::random::Random;
use crate::random::{extent, seed};

const A: &str = "
entity: {id: a, name: A, snapshot: true}
attribs:
  p: {name: P, type: plain, data_type: int}
  q: {name: Q, type: plain, data_type: int}
  o: {name: O, type: observations, data_type: int, history_params: {pre_validity: 10, post_validity: 20}}
  m: {name: M, type: observations, data_type: int, multi_value: true, history_params: {pre_validity: 15, post_validity: 5}}
  e: {name: E, type: observations, data_type: int, history_params: {pre_validity: 3, post_validity: 20, expire_time: 8}}
  b: {name: B, type: plain, data_type: 'link<b;mirror=as>'}
  bs: {name: Bs, type: plain, data_type: 'set<link<b>>'}
  ob: {name: Ob, type: observations, data_type: 'link<b,int>', multi_value: true}
  a2: {name: A2, type: plain, data_type: 'link<a>'}
  ts: {name: T, type: timeseries, timeseries_type: regular, timeseries_params: {time_step: 10}, series: {n: {data_type: int}}}
";
const B: &str = "
entity: {id: b, name: B, snapshot: true, id_data_type: int}
attribs:
  p: {name: P, type: plain, data_type: int}
  c: {name: C, type: plain, data_type: 'link<c>'}
  tag: {name: T, type: plain, data_type: string}
";
const C: &str = "
entity: {id: c, name: C, snapshot: false, id_data_type: ipv4}
attribs:
  z: {name: Z, type: plain, data_type: int}
  b: {name: B, type: plain, data_type: 'array<link<b>>'}
";

pub(crate) fn schema() -> Schema {
    let files = [("a", A), ("b", B), ("c", C)]
        .map(|(name, text)| ConfigFile { path: format!("db_entities/{name}.yml"), text: text.into() });
    let loaded = config::load(&files);
    loaded.config.unwrap_or_else(|| panic!("{:?}", loaded.errors)).schema
}

pub(crate) fn name<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// Such as `a/1`.
pub(crate) fn entity(text: &str) -> EntityRef {
    let (etype, eid) = text.split_once('/').unwrap();
    EntityRef { etype: name(etype), eid: EntityId::new(eid).unwrap() }
}

pub(crate) fn int(n: i64) -> Value {
    Value::Scalar(Scalar::Int(n))
}

pub(crate) fn link(to: &str) -> Value {
    Value::Link(Link { target: entity(to), data: None })
}

pub(crate) fn links(to: &[&str]) -> Value {
    Value::Links(to.iter().map(|t| Link { target: entity(t), data: None }).collect())
}

pub(crate) fn view(of: &str, values: &[(&str, Value)]) -> EntityView {
    let value =
        |(attr, value): &(&str, Value)| CurrentValue { attr: name(attr), value: value.clone(), confidence: None };
    EntityView { entity: entity(of), values: values.iter().map(value).collect() }
}

pub(crate) fn plain(value: Value) -> History {
    History::Plain { value, updated: Timestamp(0) }
}

pub(crate) fn point(t1: i64, t2: i64, value: i64, confidence: f64) -> Observation {
    Observation { t1: Timestamp(t1), t2: Timestamp(t2), value: int(value), confidence }
}

pub(crate) fn record(attributes: Vec<(&str, History)>) -> MasterRecord {
    let mut record = MasterRecord::new(Timestamp(0));
    record.attributes = attributes.into_iter().map(|(attr, stored)| (name::<AttrName>(attr), stored)).collect();
    record
}

/// Such as `b->c->z, p`.
pub(crate) fn paths(text: &str) -> Vec<Path> {
    let paths = text.split(',').map(str::trim).filter(|p| !p.is_empty());
    paths.map(|path| path.split("->").filter(|s| !s.is_empty()).map(name).collect()).collect()
}

/// One registration: `module/id`, entity type, what it reads, what it sets.
pub(crate) type Hook<'a> = (&'a str, &'a str, &'a str, &'a str);

pub(crate) fn correlate((hook, etype, reads, sets): Hook<'_>) -> (ModuleName, Subscription) {
    let (module, id) = hook.split_once('/').unwrap();
    let correlation =
        Correlation { etype: name(etype), depends_on: paths(reads), may_change: paths(sets), whole: false };
    (name(module), Subscription { id: name::<SubscriptionId>(id), moment: Moment::Correlate(correlation) })
}

pub(crate) fn planned(hooks: &[Hook<'_>]) -> Result<Plan, Vec<PlanError>> {
    let registered: Vec<_> = hooks.iter().map(|h| correlate(*h)).collect();
    Plan::new(&schema(), registered.iter().map(|(m, s)| (m, s)))
}

/// The hooks of a plan as `module/id`, in order.
pub(crate) fn order(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(|s| s.hook.to_string()).collect()
}

impl Random {
    /// Both ends included.
    pub(crate) fn between(&mut self, from: i64, to: i64) -> i64 {
        from + i64::try_from(self.below(usize::try_from(to - from + 1).unwrap())).unwrap()
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

/// Runs a property over random cases. It tells whether a case was worth looking at; at least a fifth must be.
pub(crate) fn cases(what: &str, mut property: impl FnMut(&mut Random) -> bool) {
    let (seed, total) = (seed(), extent(1_000));
    let mut telling = 0;
    for case in 0..total {
        if property(&mut Random::of_case(seed, case)) {
            telling += 1;
        }
    }
    println!("{what}: {total} cases, seed {seed}, {telling} not trivial, 0 differences");
    assert!(telling * 5 >= total, "{what}: only {telling} of {total} cases tell anything");
}
