//! A module's configuration while the server runs: set by an operator, taken back, or read again from its file.
//!
//! What an operator sets replaces the file of the configuration directory until it is taken back. A configuration is
//! tried on the module before it is stored: one that the module refuses changes nothing.

use std::sync::PoisonError;

use serde_json::{Map, Value};
use tenter_model::ModuleName;
use tenter_model::capability::Grant;
use tenter_model::module::{Descriptor, ModuleSettings};
use tenter_model::parameter::{self, Kind, kind_of};
use tenter_store::ModuleRow;
use zeroize::Zeroizing;

use super::grants::missing_grants;
use super::{ModuleError, ModuleView, Modules, State};

/// A configuration and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ConfigView {
    /// As it was given, without secrets; defaults of parameters are not in it.
    pub(crate) config: Value,
    /// The component that it is for, as it describes itself.
    pub(crate) descriptor: Descriptor,
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
        let config = Value::Object(self.given(&row));
        Ok(ConfigView { config, descriptor: row.active.descriptor, by_operator })
    }

    /// The configuration of a module as it was given, less what is a secret: a file may hold one, and should not.
    fn given(&self, row: &ModuleRow) -> Map<String, Value> {
        let Value::Object(mut given) = self.settings(&row.name, &row.grants, row.config.clone()).config else {
            return Map::new();
        };
        for p in row.active.descriptor.parameters.iter().filter(|p| kind_of(p) == Kind::Secret) {
            given.remove(&p.name);
        }
        given
    }

    /// Changes some parameters and leaves the others; texts become what their parameter is, and `null` takes a value away,
    /// so that the default counts.
    ///
    /// # Errors
    /// As for [`Modules::set_config`]; for a name that is no parameter, and for a secret, which is set another way.
    pub(crate) fn set_parameters(
        &self,
        actor: &str,
        name: &ModuleName,
        values: &Map<String, Value>,
    ) -> Result<ModuleView, ModuleError> {
        let row = self.row(name)?;
        let mut config = self.given(&row);
        for (key, value) in values {
            let p = parameter::find(&row.active.descriptor, key).map_err(ModuleError::Invalid)?;
            if kind_of(p) == Kind::Secret {
                return Err(ModuleError::Invalid(secret_elsewhere(name, key)));
            }
            if value.is_null() {
                config.remove(key);
            } else {
                config.insert(key.clone(), parameter::cast(p, value).map_err(ModuleError::Invalid)?);
            }
        }
        self.set_config(actor, name, Some(Value::Object(config)))
    }

    /// The configuration as IRIS lists it: definitions with their values, secrets without.
    ///
    /// # Errors
    /// [`ModuleError::Unknown`].
    pub(crate) fn export_config(&self, name: &ModuleName) -> Result<Vec<Value>, ModuleError> {
        let row = self.row(name)?;
        Ok(parameter::to_iris(&row.active.descriptor, &self.given(&row)))
    }

    /// Takes values out of a list as IRIS has it; secrets in it are kept where secrets are. Gives the names that are no
    /// parameters of the module.
    ///
    /// # Errors
    /// As for [`Modules::set_config`]; when the list is none.
    pub(crate) fn import_config(
        &self,
        actor: &str,
        name: &ModuleName,
        list: &Value,
    ) -> Result<(ModuleView, Vec<String>), ModuleError> {
        let row = self.row(name)?;
        let read = parameter::from_iris(&row.active.descriptor, &self.given(&row), list);
        let parameter::Imported { config, secrets, unknown } = read.map_err(ModuleError::Invalid)?;
        for (secret, text) in secrets {
            self.set_secret(actor, name, &secret, Zeroizing::new(text), Vec::new())?;
        }
        Ok((self.set_config(actor, name, Some(Value::Object(config)))?, unknown))
    }

    /// Sets the configuration, or takes back what was set (`None`), so that the file counts again.
    ///
    /// # Errors
    /// When the module refuses it, would not be configured any more, or asks for more than is granted with it; nothing has
    /// changed then.
    pub(crate) fn set_config(
        &self,
        actor: &str,
        name: &ModuleName,
        config: Option<Value>,
    ) -> Result<ModuleView, ModuleError> {
        let mut state = self.lock();
        let row = self.row(name)?;
        let secrets = row.active.descriptor.parameters.iter().filter(|p| kind_of(p) == Kind::Secret);
        let in_clear = |key: &str| config.as_ref().is_some_and(|config| config.get(key).is_some_and(|v| !v.is_null()));
        if let Some(p) = secrets.into_iter().find(|p| in_clear(&p.name)) {
            return Err(ModuleError::Invalid(secret_elsewhere(name, &p.name)));
        }
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
        let serving = state.loaded.get(name).and_then(|loaded| loaded.as_ref().ok());
        // A module that is not configured is configured step by step.
        if serving.is_some_and(|module| !module.lacks.is_empty()) {
            return Ok(());
        }
        if !module.lacks.is_empty() {
            if serving.is_none() {
                return Ok(());
            }
            return Err(ModuleError::Invalid(format!(
                "module {name} would not be configured any more: {} must have a value",
                module.lacks.join(", ")
            )));
        }
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

fn secret_elsewhere(module: &ModuleName, name: &str) -> String {
    format!("{name} is a secret, which no configuration holds: tenter secret set {module} {name} sets it")
}
