//! Greets every new address.

use tenter_sdk::prelude::*;

struct Hello;

impl Module for Hello {
    const TITLE: &'static str = "Greet new addresses";

    fn new(_: &Config) -> Result<Self> {
        Ok(Self)
    }

    fn register(&self, on: &mut Registrar<Self>) {
        on.on_entity_creation("ip", Self::greet);
    }
}

impl Hello {
    fn greet(&mut self, task: &Task) -> Task {
        Task::on(task.entity.clone()).plain("greeting", format!("Hello, {}!", task.entity.eid))
    }
}

tenter_sdk::export!(Hello: ingest);

#[cfg(test)]
mod tests {
    use super::*;
    use tenter_sdk::testing::{Harness, expect_tasks, json};

    #[test]
    fn a_new_address_is_greeted() {
        let mut hello = Harness::<Hello>::new(json!({})).unwrap();
        let tasks = hello.on_entity_creation(Task::of("ip", "192.0.2.1")).unwrap();
        expect_tasks(&tasks, json!([{"data_points": [{"attr": "greeting", "v": "Hello, 192.0.2.1!"}]}]));
    }
}
