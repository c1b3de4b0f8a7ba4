//! Names the service that an open port stands for, as an observation with the times of the port's.

use std::collections::BTreeMap;

use serde::Deserialize;
use tenter_sdk::prelude::*;

#[derive(Deserialize)]
struct Services {
    /// Names by port; keys of JSON objects are text.
    ports: BTreeMap<String, String>,
}

impl Module for Services {
    const TITLE: &'static str = "Name services by port";

    fn parameters() -> Vec<Parameter> {
        let usual = r#"{"22": "ssh", "25": "smtp", "53": "dns", "80": "http", "443": "https", "3389": "rdp"}"#;
        vec![
            Parameter::new("json", "ports")
                .title("Names by port")
                .description("An object of port number to the name of the service.")
                .default_json(usual),
        ]
    }

    fn new(config: &Config) -> Result<Self> {
        let services: Self = config.parse()?;
        if let Some(wrong) = services.ports.keys().find(|port| port.parse::<u16>().is_err()) {
            return Err(HookError::invalid(format_args!("ports: {wrong:?} is not a port: expected 0 to 65535")));
        }
        Ok(services)
    }

    fn register(&self, on: &mut Registrar<Self>) {
        on.on_new_attribute("ip", "open_ports", Self::name).refresh(["services"]);
        on.request("write-entities", "ip.services");
    }
}

impl Services {
    fn name(&mut self, ip: &EntityRef, port: &Datapoint) -> Option<Task> {
        let name = self.ports.get(&port.value.as_i64()?.to_string())?;
        Some(Task::on(ip.clone()).alongside("services", name, port))
    }
}

tenter_sdk::export!(Services: ingest);

#[cfg(test)]
mod tests {
    use super::*;
    use tenter_sdk::testing::{Harness, expect_tasks, json};

    #[test]
    fn a_port_becomes_a_service_of_the_same_times() {
        let mut services = Harness::<Services>::new(json!({})).unwrap();
        let port = Datapoint::observation("open_ports", 22, 1_000_000, 2_000_000).confidence(0.5).src("scan");
        let tasks = services.on_new_attribute(("ip", "192.0.2.1"), port).unwrap();
        let times = json!({"t1": "1970-01-01T00:00:01Z", "t2": "1970-01-01T00:00:02Z", "c": 0.5, "src": null});
        expect_tasks(&tasks, json!([{"eid": "192.0.2.1", "data_points": [times]}]));
        expect_tasks(&tasks, json!([{"data_points": [{"attr": "services", "v": "ssh"}]}]));
    }

    #[test]
    fn the_configuration_decides() {
        let mut services = Harness::<Services>::new(json!({"ports": {"1": "one"}})).unwrap();
        let mut name = |n: u16| services.on_new_attribute(("ip", "a"), Datapoint::observation("open_ports", n, 1, 1));
        expect_tasks(&name(1).unwrap(), json!([{"data_points": [{"v": "one"}]}]));
        assert_eq!(name(22), Ok(vec![]));
        let wrong = Harness::<Services>::new(json!({"ports": {"ssh": "22"}})).err().unwrap();
        assert_eq!(wrong.message(), "ports: \"ssh\" is not a port: expected 0 to 65535");
    }
}
