//! A call of each kind, with the input that `PROTOCOL.md` describes.

use serde_json::{Value as Json, json};

use super::{Call, Component};
use crate::record::{Chunk, MasterRecord};
use crate::task::{Datapoint, EntityRef, Task};
use crate::testing::wire::{chunks_to_json, datapoint_to_json, record_to_json, task_to_json, view_to_json};
use crate::time::Timestamp;
use crate::view::{Run, View};

fn entity_to_json(entity: &EntityRef) -> Json {
    json!({"etype": entity.etype, "eid": entity.eid})
}

fn run_to_json(run: &Run) -> Json {
    json!({"id": run.id, "time": Timestamp(run.time).to_string()})
}

impl Component {
    /// The module sees a task.
    #[must_use]
    pub fn on_task_start(&self, task: &Task) -> Call<'_> {
        self.call("on-task-start", json!({"task": task_to_json(task)}))
    }

    /// The module is asked whether an entity may come into being.
    #[must_use]
    pub fn allow_entity_creation(&self, task: &Task) -> Call<'_> {
        self.call("allow-entity-creation", json!({"task": task_to_json(task)}))
    }

    /// The module sees a new entity.
    #[must_use]
    pub fn on_entity_creation(&self, task: &Task) -> Call<'_> {
        self.call("on-entity-creation", json!({"task": task_to_json(task)}))
    }

    /// The module sees a datapoint.
    #[must_use]
    pub fn on_new_attribute(&self, entity: &EntityRef, datapoint: &Datapoint) -> Call<'_> {
        let input = json!({"entity": entity_to_json(entity), "datapoint": datapoint_to_json(datapoint)});
        self.call("on-new-attribute", input)
    }

    /// A snapshot run begins.
    #[must_use]
    pub fn snapshot_init(&self, run: &Run) -> Call<'_> {
        self.call("snapshot-init", json!({"run": run_to_json(run)}))
    }

    /// A snapshot run ends.
    #[must_use]
    pub fn snapshot_finalize(&self, run: &Run) -> Call<'_> {
        self.call("snapshot-finalize", json!({"run": run_to_json(run)}))
    }

    /// The module sees the history of a timeseries.
    #[must_use]
    pub fn timeseries(&self, entity: &EntityRef, attr: &str, history: &[Chunk]) -> Call<'_> {
        let input = json!({"entity": entity_to_json(entity), "attr": attr, "history": chunks_to_json(history)});
        self.call("timeseries", input)
    }

    /// The module sees current values; [`crate::testing::Group::view`] makes a view.
    #[must_use]
    pub fn correlate(&self, view: &View) -> Call<'_> {
        self.call("correlate", json!({"view": view_to_json(view)}))
    }

    /// The module sees current values and the master record; [`crate::testing::record`] makes a record.
    #[must_use]
    pub fn correlate_with_record(&self, view: &View, record: &MasterRecord) -> Call<'_> {
        self.call("correlate-with-record", json!({"view": view_to_json(view), "record": record_to_json(record)}))
    }

    /// The sweep reaches an entity; hooks with the master record.
    #[must_use]
    pub fn update_record(&self, record: &MasterRecord) -> Call<'_> {
        self.call("update-record", json!({"record": record_to_json(record)}))
    }

    /// The sweep reaches an entity; hooks without the master record.
    #[must_use]
    pub fn update_entity(&self, entity: &EntityRef) -> Call<'_> {
        self.call("update-entity", json!({"entity": entity_to_json(entity)}))
    }

    /// A slot of the timer with that id, with the arguments of its subscription.
    #[must_use]
    pub fn cron(&self, id: &str) -> Call<'_> {
        self.call("cron", json!({})).subscription(id)
    }
}
