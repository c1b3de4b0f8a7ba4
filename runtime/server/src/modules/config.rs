//! A module's configuration while the server runs: set by an operator, taken back, or read again from its file.
//!
//! What an operator sets replaces the file of the configuration directory until it is taken back. A configuration is
//! tried on the module before it is stored: one that the module refuses changes nothing.

use serde_json::Value;
use std::sync::PoisonError;
use tenter_model::ModuleName;
use tenter_model::capability::Grant;
use tenter_model::module::ModuleSettings;

use super::grants::missing_grants;
use super::{ModuleError, ModuleView, Modules, State};

/// A configuration and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ConfigView {
    /// As it was given; defaults of parameters are not in it.
    pub(crate) config: Value,
    /// Whether an operator set it, in place of the file.
    pub(crate) by_operator: bool,
}

impl Modules {
    /// The configuration of a module.
    ///
    /// # Errors
    /// [`ModuleError::Unknown`].
    pub(crate) fn config(&self, name: &ModuleName) -> Result<ConfigView, ModuleError> {
        let row = self.row(name)?;
        let by_operator = row.config.is_some();
        Ok(ConfigView { config: self.settings(name, &row.grants, row.config).config, by_operator })
    }

    /// Sets the configuration, or takes back what was set (`None`), so that the file counts again.
    ///
    /// # Errors
    /// When the module refuses it or asks for more than is granted with it; nothing has changed then.
    pub(crate) fn set_config(
        &self,
        actor: &str,
        name: &ModuleName,
        config: Option<Value>,
    ) -> Result<ModuleView, ModuleError> {
        let mut state = self.lock();
        let row = self.row(name)?;
        self.try_config(&state, name, &row.active.digest, self.settings(name, &row.grants, config.clone()))?;
        self.acting(actor).set_module_config(name, config)?;
        tracing::info!(module = %name, "configuration changed");
        self.changed(&mut state, name)
    }

    /// Takes the configuration that the module's file has now.
    ///
    /// # Errors
    /// As for [`Modules::set_config`]; when an operator's configuration hides the file.
    pub(crate) fn refresh_config(&self, name: &ModuleName, file: Value) -> Result<ModuleView, ModuleError> {
        let mut state = self.lock();
        let row = self.row(name)?;
        if row.config.is_some() {
            return Err(ModuleError::Conflict(format!(
                "the configuration of module {name} was set by an operator and hides modules/{name}.yml; \
                 tenter module config {name} --reset takes it back"
            )));
        }
        let settings = ModuleSettings { config: file.clone(), ..self.settings(name, &row.grants, None) };
        self.try_config(&state, name, &row.active.digest, settings)?;
        self.files().insert(name.clone(), file);
        tracing::info!(module = %name, "configuration read again");
        self.changed(&mut state, name)
    }

    /// Configurations that were read again since the start.
    pub(super) fn files(&self) -> std::sync::MutexGuard<'_, std::collections::BTreeMap<ModuleName, Value>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_config(
        &self,
        state: &State,
        name: &ModuleName,
        digest: &str,
        settings: ModuleSettings,
    ) -> Result<(), ModuleError> {
        let module = self.admit(name, &self.reader.component(digest)?, settings)?;
        self.check_together(state, &self.reader.modules()?, Some(&module), &state.off)?;
        let missing = missing_grants(&module.requests, &module.settings.grants);
        if missing.is_empty() {
            return Ok(());
        }
        let all = missing.iter().map(Grant::to_string).collect::<Vec<_>>().join(", ");
        Err(ModuleError::Conflict(format!(
            "with this configuration module {name} asks for what is not granted: {all}; tenter grant {name} \
             CAPABILITY SCOPE grants it"
        )))
    }
}
