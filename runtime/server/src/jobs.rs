//! What the server does on request beside the jobs by the clock, which are the engine's: calling creation hooks again.

use std::sync::Arc;

use serde_json::{Value, json};
use tenter_engine::{Engine, Job, JobContext};
use tenter_model::EntityType;

/// Name of the engine's job that makes snapshots; arguments are `full` and `time`.
pub(crate) const SNAPSHOTS: &str = "snapshots";
/// Name of the job that calls creation hooks again; its argument is `etype`.
pub(crate) const REFRESH_CREATIONS: &str = "refresh-creations";

/// The job that calls creation hooks again.
pub(crate) fn refresh_creations(engine: &Arc<Engine>) -> Job {
    // The engine holds its jobs, so that these must not hold the engine.
    let engine = Arc::downgrade(engine);
    let run = move |context: &JobContext| -> Result<Value, String> {
        let engine = engine.upgrade().ok_or_else(|| "the server is stopping".to_owned())?;
        let etype = context.arguments.get("etype").and_then(Value::as_str).unwrap_or_default();
        let etype = EntityType::new(etype).map_err(|error| error.to_string())?;
        let report = engine.refresh_on_entity_creation(&etype).map_err(|error| error.to_string())?;
        Ok(json!({"entities": report.entities, "tasks": report.tasks}))
    };
    Job { name: REFRESH_CREATIONS.to_owned(), cron: None, after: None, run: Arc::new(run) }
}
