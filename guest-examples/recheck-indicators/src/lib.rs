//! Looks every stored address up in a list again, every week: a list changes, and what `indicators` does when an address
//! is first seen says nothing about addresses that were there before.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::Deserialize;
use tenter_sdk::prelude::*;

const WEEK: u64 = 7 * 24 * 3600;

#[derive(Deserialize)]
struct Settings {
    list: String,
    addresses: Vec<String>,
}

struct RecheckIndicators {
    list: String,
    addresses: BTreeSet<IpAddr>,
}

impl Module for RecheckIndicators {
    const TITLE: &'static str = "Look stored addresses up again";

    fn parameters() -> Vec<Parameter> {
        vec![
            Parameter::new("string", "list").title("Name of the list").mandatory(),
            Parameter::new("json", "addresses").title("Addresses on the list").default_json("[]"),
        ]
    }

    fn new(config: &Config) -> Result<Self> {
        let Settings { list, addresses } = config.parse()?;
        let parse = |text: &String| {
            text.parse().map_err(|_| HookError::invalid(format_args!("addresses: {text:?} is no address")))
        };
        Ok(Self { list, addresses: addresses.iter().map(parse).collect::<Result<_>>()? })
    }

    fn register(&self, on: &mut Registrar<Self>) {
        on.update_entity("ip", WEEK, Self::check);
        on.request("write-entities", "ip.indicator");
        on.request("write-entities", "ip.list_checked");
    }
}

impl RecheckIndicators {
    fn check(&mut self, ip: &EntityRef) -> Result<Task> {
        let task = Task::on(ip.clone()).plain("list_checked", call::now());
        if !self.addresses.contains(&ip.parse()?) {
            return Ok(task);
        }
        let note = format!("on the list since before {}", call::now());
        Ok(task.plain("indicator", Value::members([("list", &self.list), ("note", &note)])))
    }
}

tenter_sdk::export!(RecheckIndicators: update);

#[cfg(test)]
mod tests {
    use super::*;
    use tenter_sdk::testing::{Harness, expect_tasks, json};

    #[test]
    fn every_address_is_checked_and_those_on_the_list_are_marked() {
        let config = json!({"list": "own", "addresses": ["192.0.2.1", "2001:db8::1"]});
        let mut module = Harness::<RecheckIndicators>::new(config).unwrap();
        let checked = json!({"attr": "list_checked", "v": "2026-01-01T00:00:00Z"});
        let mark = json!({"attr": "indicator", "v": {"list": "own"}});
        expect_tasks(&module.update_entity(("ip", "192.0.2.1")).unwrap(), json!([{"data_points": [checked, mark]}]));
        expect_tasks(&module.update_entity(("ip", "192.0.2.2")).unwrap(), json!([{"data_points": [checked]}]));
        assert_eq!(
            module.update_entity(("ip", "x")).map_err(|e| e.to_string()).unwrap_err(),
            "invalid input: id of ip/x: invalid IP address syntax"
        );
    }

    #[test]
    fn a_list_with_something_else_on_it_is_refused() {
        let wrong = Harness::<RecheckIndicators>::new(json!({"list": "own", "addresses": ["192.0.2"]})).err().unwrap();
        assert_eq!(wrong.message(), "addresses: \"192.0.2\" is no address");
    }
}
