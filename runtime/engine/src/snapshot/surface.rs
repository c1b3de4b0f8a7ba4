//! What the engine offers about snapshots.

use tenter_model::{EntityType, ModuleName};
use tenter_store::StoreError;

use super::{CreationReport, SnapshotError, SnapshotOptions, SnapshotProgress, SnapshotReport};
use crate::Engine;
use crate::schedule::JobError;

impl Engine {
    /// Makes a snapshot run and waits until it is complete; one that was left unfinished goes on instead. A run that is
    /// already under way is left alone.
    ///
    /// # Errors
    /// [`SnapshotError`]. What a run has saved by then is kept for the next one.
    pub fn run_snapshot(&self, options: SnapshotOptions) -> Result<SnapshotReport, SnapshotError> {
        self.snapshots.run(&self.shared, self.registry.current(), &self.make_id, options)
    }

    /// Has the job `snapshots` go on at once with a run that a stop or a death left unfinished, rather than in the place
    /// of the next run.
    ///
    /// # Errors
    /// When there is no such job.
    pub(crate) fn take_up_snapshot(&self) -> Result<(), JobError> {
        match self.store.reader().and_then(|reader| reader.unfinished_run()) {
            Ok(None) => Ok(()),
            Ok(Some(_)) => self.scheduler.run_job("snapshots", serde_json::Value::Null),
            Err(error) => {
                tracing::error!("cannot tell whether a snapshot run was left unfinished: {error}");
                Ok(())
            }
        }
    }

    /// Has the next snapshot run call the `refresh` hooks of a module, as it does by itself after a change of the
    /// module's configuration.
    ///
    /// # Errors
    /// What the store says.
    pub fn refresh_module(&self, module: &ModuleName) -> Result<(), StoreError> {
        self.snapshots.ask_refresh(&self.shared, module)
    }

    /// Calls the creation hooks of all entities of a type again, with empty tasks, and waits until all were. It does not
    /// run beside a snapshot run.
    ///
    /// # Errors
    /// [`SnapshotError`]. Tasks that are in the queue by then stay there.
    pub fn refresh_on_entity_creation(&self, etype: &EntityType) -> Result<CreationReport, SnapshotError> {
        let id = (self.make_id)(self.clock.now());
        self.snapshots.refresh_creations(&self.shared, &self.registry.current(), id, etype)
    }

    /// Whether [`Engine::drain`] was called.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.snapshots.is_stopping()
    }

    /// Where the snapshot run is that is under way.
    #[must_use]
    pub fn snapshot_progress(&self) -> Option<SnapshotProgress> {
        self.snapshots.progress()
    }
}
