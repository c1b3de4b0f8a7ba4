//! Links an address back to the domains that resolve to it: one datapoint becomes one on another entity.

use tenter_sdk::prelude::*;

struct DomainLinks;

impl Module for DomainLinks {
    const TITLE: &'static str = "Link addresses to their domains";

    fn new(_: &Config) -> Result<Self> {
        Ok(Self)
    }

    fn register(&self, on: &mut Registrar<Self>) {
        on.on_new_attribute("domain", "resolves_to", Self::link_back);
        on.request("write-entities", "ip.domains");
    }
}

impl DomainLinks {
    fn link_back(&mut self, domain: &EntityRef, resolved: &Datapoint) -> Result<Task> {
        let Some(ip) = resolved.value.as_entity() else {
            return Err(HookError::invalid(format_args!("resolves_to of {domain} is not a link")));
        };
        Ok(Task::on(ip.clone()).alongside("domains", domain, resolved))
    }
}

tenter_sdk::export!(DomainLinks: ingest);

#[cfg(test)]
mod tests {
    use super::*;
    use tenter_sdk::testing::{Harness, expect_tasks, json};

    #[test]
    fn the_address_gets_a_link_of_the_same_times() {
        let mut links = Harness::<DomainLinks>::new(json!({})).unwrap();
        let ip = EntityRef::new("ip", "192.0.2.1");
        let resolved = Datapoint::observation("resolves_to", &ip, 1_000_000, 2_000_000);
        let tasks = links.on_new_attribute(("domain", "example.org"), resolved).unwrap();
        let link = json!({"etype": "domain", "eid": "example.org"});
        let domains = json!({"attr": "domains", "v": link, "t1": "1970-01-01T00:00:01Z", "t2": "1970-01-01T00:00:02Z"});
        expect_tasks(&tasks, json!([{"etype": "ip", "eid": "192.0.2.1", "data_points": [domains]}]));
    }

    #[test]
    fn what_is_no_link_is_the_datas_fault() {
        let mut links = Harness::<DomainLinks>::new(json!({})).unwrap();
        let wrong = links.on_new_attribute(("domain", "example.org"), Datapoint::observation("resolves_to", "x", 1, 1));
        assert_eq!(wrong, Err(HookError::invalid("resolves_to of domain/example.org is not a link")));
    }
}
