//! Marks addresses and domains that are on a list when they are first seen; a domain also when one above it is.

use std::collections::BTreeMap;

use serde::Deserialize;
use tenter_sdk::prelude::*;

#[derive(Deserialize)]
struct Settings {
    list: String,
    indicators: Vec<Indicator>,
}

#[derive(Deserialize)]
struct Indicator {
    value: String,
    r#type: Kind,
    note: String,
}

#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Address,
    Domain,
}

struct Indicators {
    list: String,
    /// Notes by what they are about; domains in lower case without the final dot.
    notes: BTreeMap<(Kind, String), String>,
}

impl Module for Indicators {
    const TITLE: &'static str = "Mark what is on a list";

    fn parameters() -> Vec<Parameter> {
        vec![
            Parameter::new("string", "list").title("Name of the list").mandatory(),
            Parameter::new("json", "indicators").title("List of {value, type, note}").default_json("[]"),
        ]
    }

    fn new(config: &Config) -> Result<Self> {
        let Settings { list, indicators } = config.parse()?;
        let notes = indicators.into_iter().map(|i| ((i.r#type, normal(&i.value)), i.note)).collect();
        Ok(Self { list, notes })
    }

    fn register(&self, on: &mut Registrar<Self>) {
        on.on_entity_creation("ip", |m, task| m.mark(task, Kind::Address, &task.entity.eid)).refresh(["indicator"]);
        on.on_entity_creation("domain", Self::domain).refresh(["indicator"]);
        on.request("write-entities", "ip.indicator");
        on.request("write-entities", "domain.indicator");
    }
}

impl Indicators {
    fn domain(&mut self, task: &Task) -> Option<Task> {
        let name = normal(&task.entity.eid);
        let mut above = std::iter::successors(Some(name.as_str()), |n| n.split_once('.').map(|(_, rest)| rest));
        above.find_map(|n| self.mark(task, Kind::Domain, n))
    }

    fn mark(&self, task: &Task, kind: Kind, name: &str) -> Option<Task> {
        let note = self.notes.get(&(kind, name.to_owned()))?;
        let indicator = Value::members([("list", &self.list), ("note", note)]);
        Some(Task::on(task.entity.clone()).plain("indicator", indicator))
    }
}

fn normal(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

tenter_sdk::export!(Indicators: ingest);

#[cfg(test)]
mod tests;
