//! Snapshots of the demonstration, taken and read.

use serde_json::{Value, json};
use tenter_engine::SnapshotOptions;
use tenter_model::history::TimeRange;
use tenter_model::{EntityId, EntityRef, EntityType};
use tenter_store::Reader;

use crate::app::App;
use crate::cli::Context;

/// Takes a snapshot, and gives the run with its counts.
///
/// # Errors
/// When the run does not complete.
pub(super) fn take(app: &App, keep_empty: bool, context: &Context) -> anyhow::Result<Value> {
    let report = app.engine().run_snapshot(SnapshotOptions { keep_empty, ..SnapshotOptions::default() })?;
    let run = report.run;
    let counts = serde_json::to_value(&run.counts)?;
    let documents = counts.get("documents").and_then(Value::as_u64).unwrap_or(0);
    context.out.note(&format!("took a snapshot of {documents} entities"));
    Ok(json!({"run": run.id, "time": run.time.to_string(), "counts": counts}))
}

/// The snapshots as they are stored.
pub(super) struct Pictures<'a> {
    app: &'a App,
    reader: Reader,
}

impl<'a> Pictures<'a> {
    /// All of them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) fn new(app: &'a App) -> anyhow::Result<Self> {
        Ok(Self { app, reader: app.reader()? })
    }

    /// The documents of an entity, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) fn of(&self, etype: &str, eid: &str) -> anyhow::Result<Vec<Value>> {
        let entity = EntityRef { etype: EntityType::new(etype)?, eid: EntityId::new(eid)? };
        let found = self.reader.snapshot_history(&entity, TimeRange::default(), 0, 10)?;
        let document = |s: &tenter_store::Snapshot| self.app.schema().snapshot_json(&s.view, s.time, s.partial);
        Ok(found.iter().rev().map(document).collect())
    }
}
