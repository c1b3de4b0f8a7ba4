//! Counts tasks by the type of their entity, in state that the host keeps: it is right with any number of lanes.

use tenter_sdk::prelude::*;

struct CountTasks;

impl Module for CountTasks {
    const TITLE: &'static str = "Count tasks by entity type";

    fn new(_: &Config) -> Result<Self> {
        Ok(Self)
    }

    fn register(&self, on: &mut Registrar<Self>) {
        on.on_task_start(Self::count);
        on.request("state", "");
    }
}

impl CountTasks {
    fn count(&mut self, task: &Task) -> Result<()> {
        Ok(state::increment(&format!("tasks/{}", task.entity.etype), 1)?)
    }
}

tenter_sdk::export!(CountTasks: ingest);

#[cfg(test)]
mod tests {
    use super::*;
    use tenter_sdk::testing::{Harness, host, json};

    #[test]
    fn tasks_add_up_by_type() {
        let mut count = Harness::<CountTasks>::new(json!({})).unwrap();
        for etype in ["ip", "domain", "ip"] {
            count.on_task_start(Task::of(etype, "x").delete()).unwrap();
        }
        assert_eq!(host(|h| h.state_text("tasks/ip")).as_deref(), Some("2"));
        assert_eq!(host(|h| h.state_text("tasks/domain")).as_deref(), Some("1"));
    }

    #[test]
    fn without_the_grant_the_error_says_what_to_do() {
        let mut count = Harness::<CountTasks>::new(json!({})).unwrap();
        host(|h| h.denied.insert("state".into()));
        let error = count.on_task_start(Task::of("ip", "x")).unwrap_err();
        assert!(error.message().starts_with("state: not granted; ask with `on.request(\"state\""), "{error}");
    }
}
