//! What handlers have done on the blocking pool: everything that reads or writes the disk or calls a guest.
//!
//! A handler is asynchronous and never blocks; the closures here are plain code that may. Each of these functions ends
//! when the work has, also when whoever asked has gone meanwhile: what was begun is not torn apart.

use tenter_engine::case::{CaseError, Cases};
use tenter_model::{HookKind, ModuleName};
use tenter_store::{Reader, Store, StoreError};

use super::App;
use crate::api::ApiError;
use crate::auth::Tokens;
use crate::datapoint_log::DatapointLog;
use crate::modules::{ModuleError, Modules};
use crate::query::{Budget, QueryError, Waiting};

impl App {
    /// Reads from the store on the blocking pool.
    ///
    /// # Errors
    /// What the store says.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.reading(act).await
    }

    /// The same for what may read much; it has a budget from the moment on at which it begins, and ends soon after
    /// whoever asked has gone.
    ///
    /// # Errors
    /// What the store says, and when the budget is spent.
    pub(crate) async fn query<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Reader, &Budget) -> Result<T, QueryError> + Send + 'static,
    ) -> Result<T, ApiError> {
        // Lives as long as this future does, which goes with its request.
        let waiting = Waiting::new();
        let budget = waiting.budget(self.0.query_max, &self.0.held);
        self.reading(move |reader| act(reader, &budget())).await
    }

    async fn reading<T: Send + 'static, E: Into<ApiError>>(
        &self,
        act: impl FnOnce(&Reader) -> Result<T, E> + Send + 'static,
    ) -> Result<T, ApiError> {
        let inner = self.0.clone();
        self.blocking(move || inner.readers.with(&inner.store, act)?.map_err(Into::into)).await
    }

    /// Writes lines to a log of datapoints on the blocking pool; there are none when it is off.
    pub(crate) async fn log_datapoints(&self, lines: Option<String>, write: fn(&DatapointLog, &str)) {
        let Some(lines) = lines else { return };
        let log = self.0.datapoint_log.clone();
        // It tells by itself what went wrong.
        let _written = tokio::task::spawn_blocking(move || write(&log, &lines)).await;
    }

    /// Works on the modules on the blocking pool, then wakes the lanes.
    ///
    /// # Errors
    /// What the act says.
    pub(crate) async fn on_modules<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Modules) -> Result<T, ModuleError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let inner = self.0.clone();
        self.blocking(move || {
            let result = act(&inner.modules);
            inner.engine.wake();
            Ok(result?)
        })
        .await
    }

    /// Writes to the store on the blocking pool.
    ///
    /// # Errors
    /// What the act says.
    pub(crate) async fn write<T: Send + 'static, E: Into<ApiError>>(
        &self,
        act: impl FnOnce(&Store, &Tokens) -> Result<T, E> + Send + 'static,
    ) -> Result<T, ApiError> {
        let inner = self.0.clone();
        self.blocking(move || act(&inner.store, &inner.tokens).map_err(Into::into)).await
    }

    /// Changes case objects on the blocking pool. What the service of cases says is in the answer.
    ///
    /// # Errors
    /// When the work broke off.
    pub(crate) async fn on_cases<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Cases) -> Result<T, CaseError> + Send + 'static,
    ) -> Result<Result<T, CaseError>, ApiError> {
        let inner = self.0.clone();
        self.blocking(move || Ok(act(&inner.cases))).await
    }

    /// Lets paused hooks of a module go. Returns how many were paused.
    ///
    /// # Errors
    /// What the store says.
    pub(crate) async fn release(
        &self,
        module: ModuleName,
        kind: Option<HookKind>,
        actor: String,
    ) -> Result<usize, ApiError> {
        let inner = self.0.clone();
        self.blocking(move || Ok(inner.engine.release(&module, kind, &actor)?)).await
    }

    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        act: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        tokio::task::spawn_blocking(act).await.map_err(ApiError::internal)?
    }
}
