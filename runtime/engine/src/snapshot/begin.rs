//! How a run begins: a new one, or the one that was left unfinished.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tenter_model::{ModuleName, TaskId, Timestamp};
use tenter_store::{BeginRun, Reader, RunNumber, RunRow, StoreError};

use super::plan::RunPlan;
use super::{SnapshotError, SnapshotOptions, refresh};
use crate::registry::Registry;
use crate::worker::Shared;

/// What a run is begun with; stored with it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Settings {
    /// Of all that values depend on beside the data.
    signature: String,
    /// Whether everything is computed anew.
    full: bool,
    /// Modules whose `refresh` hooks are called.
    pub(super) refreshed: BTreeSet<ModuleName>,
    /// Fingerprints of configurations, for the run after.
    pub(super) configurations: BTreeMap<ModuleName, String>,
}

impl Settings {
    /// Those of a run; the default, which fits nothing, where another program wrote others.
    pub(super) fn of(row: &RunRow) -> Self {
        serde_json::from_value(row.settings.clone()).unwrap_or_default()
    }
}

/// A run that can go on its way.
pub(super) struct Begun {
    pub(super) row: RunRow,
    pub(super) plan: RunPlan,
    /// Whether it is one that was left unfinished.
    pub(super) resumed: bool,
    /// The run before, where what is unchanged since then need not be computed.
    pub(super) base: Option<RunNumber>,
}

/// Begins a run or takes up the unfinished one. One that began with other modules, another specification or other
/// settings is given up: half of its documents would say one thing and half another.
pub(super) fn begin(
    shared: &Shared,
    reader: &Reader,
    registry: &Registry,
    new_id: impl Fn(Timestamp) -> TaskId,
    options: SnapshotOptions,
) -> Result<Begun, SnapshotError> {
    let now = shared.clock.now();
    let planned = |refreshed: &BTreeSet<ModuleName>| {
        RunPlan::new(&shared.schema, registry, refreshed, options.keep_empty).map_err(SnapshotError::Plan)
    };
    if let Some(row) = reader.unfinished_run()? {
        let settings = Settings::of(&row);
        let plan = planned(&settings.refreshed)?;
        let is_same = settings.signature == plan.signature && (!options.full || settings.full);
        if is_same {
            tracing::info!(run = row.id, time = %row.time, "an unfinished snapshot run goes on");
            let base = base(reader, &row, &plan)?;
            return Ok(Begun { row, plan, resumed: true, base });
        }
        let reason = "modules, specification or settings changed before it was complete";
        tracing::warn!(run = row.id, "an unfinished snapshot run is given up: {reason}");
        shared.store.abort_run(row.number, reason, now)?;
    }
    let refreshed = refresh::wanted(reader, registry)?;
    let plan = planned(&refreshed)?;
    let settings = Settings {
        signature: plan.signature.clone(),
        full: options.full,
        refreshed,
        configurations: refresh::configurations(registry),
    };
    let settings = serde_json::to_value(settings).map_err(|e| StoreError::Invalid(e.to_string()))?;
    let begin = BeginRun { id: new_id(now).to_string(), time: options.time.unwrap_or(now), settings };
    let row = shared.store.begin_run(begin, now)?;
    let base = base(reader, &row, &plan)?;
    Ok(Begun { row, plan, resumed: false, base })
}

/// The run before, if it computed the same from the same data, and for a time that was not later.
fn base(reader: &Reader, row: &RunRow, plan: &RunPlan) -> Result<Option<RunNumber>, SnapshotError> {
    let Some(base) = row.base.filter(|_| !Settings::of(row).full) else { return Ok(None) };
    let before = reader.runs(Some(base.saturating_add(1)), 1)?.into_iter().next();
    let is_same = |before: &RunRow| {
        before.number == base && Settings::of(before).signature == plan.signature && before.time <= row.time
    };
    Ok(before.filter(is_same).map(|before| before.number))
}
