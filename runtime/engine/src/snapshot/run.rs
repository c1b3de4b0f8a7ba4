//! What the lanes of one run share.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tenter_model::host::Usage;
use tenter_model::snapshot::change::Checked;
use tenter_model::snapshot::plan::Step;
use tenter_model::view::RunContext;
use tenter_model::{EntityRef, ModuleName, Schema, TaskId};
use tenter_store::{ErrorRow, RunNumber};

use super::calls::Caller;
use super::plan::RunPlan;
use super::{Progress, SnapshotError};
use crate::registry::{Bound, Registry};
use crate::worker::Shared;

/// Code of the error row that tells of undeclared changes.
pub const UNDECLARED: &str = "undeclared-change";

pub(super) struct Run<'a> {
    pub(super) shared: &'a Shared,
    pub(super) registry: Arc<Registry>,
    pub(super) plan: RunPlan,
    pub(super) number: RunNumber,
    /// The run before, where what is unchanged since then need not be computed.
    pub(super) base: Option<RunNumber>,
    /// The run's id, as parent of the ids of its tasks.
    pub(super) id: TaskId,
    pub(super) context: RunContext,
    pub(super) keep_empty: bool,
    pub(super) max_members: usize,
    /// Whether something of it may be saved already.
    pub(super) resumed: bool,
    pub(super) progress: &'a Progress,
    /// Held while a large component is in memory.
    pub(super) large: Mutex<()>,
    pub(super) stopping: &'a AtomicBool,
    pub(super) given_up: AtomicBool,
    /// Modules whose undeclared changes were reported, by generation.
    pub(super) reported: &'a Mutex<HashSet<(ModuleName, u64)>>,
}

impl Run<'_> {
    pub(super) fn schema(&self) -> &Schema {
        &self.shared.schema
    }

    /// Makes the other lanes and the feeder stop.
    pub(super) fn give_up(&self) {
        self.given_up.store(true, Ordering::SeqCst);
    }

    /// # Errors
    /// [`SnapshotError::Stopped`] when the engine stops or another lane gave up.
    pub(super) fn go_on(&self) -> Result<(), SnapshotError> {
        if self.stopping.load(Ordering::Relaxed) || self.given_up.load(Ordering::Relaxed) {
            return Err(SnapshotError::Stopped);
        }
        Ok(())
    }

    /// Tells of changes that a subscription did not declare, once for each loading of a module.
    pub(super) fn report_undeclared(
        &self,
        bound: &Bound,
        step: &Step,
        checked: &Checked,
        caller: &mut Caller<'_>,
        entity: &EntityRef,
    ) {
        if checked.undeclared.is_empty() {
            return;
        }
        let module = &bound.module;
        let key = (module.name.clone(), module.generation);
        if !self.reported.lock().unwrap_or_else(PoisonError::into_inner).insert(key) {
            return;
        }
        let names: Vec<String> = checked.undeclared.iter().map(|(etype, attr)| format!("{etype}.{attr}")).collect();
        let message = format!(
            "hook {} changes {}, which its `may-change` does not declare; the changes are applied after the declared \
             ones, but other hooks are not ordered by them",
            step.hook,
            names.join(", ")
        );
        tracing::warn!(module = %module.name, hook = %step.kind, "{message}");
        caller.notes.errors.push(ErrorRow {
            module: module.name.clone(),
            digest: module.digest.clone(),
            version: module.descriptor.version.clone(),
            hook: step.kind,
            subscription: Some(bound.subscription.clone()),
            task: None,
            entity: Some(entity.clone()),
            reason: UNDECLARED.into(),
            message,
            detail: None,
            usage: Usage::default(),
            attempt: 1,
            at: caller.desk.now,
            logs: Vec::new(),
            invocation: None,
        });
    }
}
