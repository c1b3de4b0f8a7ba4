//! Modules as the operator sees them: uploaded, granted, switched, removed, while datapoints flow.
//!
//! The store holds what was uploaded and decided; the sandbox turns a component into a loaded module; the registry is
//! what the lanes look at. Every change ends in a new registry that is swapped in as a whole. A module is called when
//! it is enabled, could be loaded, and has all that it asks for; otherwise its view says what is missing.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tenter_engine::update::check_periods;
use tenter_engine::upkeep::batch_period;
use tenter_engine::{Registry, SharedRegistry};
use tenter_model::capability::Grant;
use tenter_model::config::{SiteConfig, nearest};
use tenter_model::hook::Subscription;
use tenter_model::host::HostData;
use tenter_model::module::{LoadedModule, ModuleSettings};
use tenter_model::time::Clock;
use tenter_model::{ModuleName, Schema, SubscriptionId};
use tenter_sandbox::{AdmitError, AdmitRequest, Sandbox};
use tenter_store::{ModuleRow, Reader, Registration, Store, StoreError};

use crate::egress::secrets::Secrets;
use crate::enabled::{self, Missing};

mod config;
mod grants;
mod history;
pub(crate) mod registrations;
mod secrets;
pub(crate) mod signature;
mod together;
mod versions;
mod view;

use history::History;
use together::{Off, together};

pub(crate) use versions::Upload;
pub(crate) use view::ModuleView;

/// Why something about modules was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ModuleError {
    /// No module has this name.
    #[error("{0}")]
    Unknown(String),
    /// The component was refused.
    #[error("{message}")]
    Refused {
        /// Stable code.
        code: &'static str,
        /// What was expected and found, and what to do.
        message: String,
    },
    /// What was asked for makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// The state of things forbids it.
    #[error("{0}")]
    Conflict(String),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file of secrets cannot be written.
    #[error("the secrets cannot be written: {0}")]
    Secrets(std::io::Error),
}

impl From<AdmitError> for ModuleError {
    fn from(error: AdmitError) -> Self {
        Self::Refused { code: error.code, message: error.message }
    }
}

/// The modules of one server.
pub(crate) struct Modules {
    store: Store,
    reader: Reader,
    sandbox: Arc<Sandbox>,
    schema: Arc<Schema>,
    schema_json: Arc<str>,
    /// The configuration directory, which gives settings, grants and the order of calls.
    site: SiteConfig,
    /// Its folder, when it is one.
    site_dir: Option<PathBuf>,
    registry: SharedRegistry,
    data: Arc<dyn HostData>,
    clock: Arc<dyn Clock>,
    secrets: Arc<Secrets>,
    /// Configurations of modules whose files were read again since the start.
    files: Mutex<BTreeMap<ModuleName, serde_json::Value>>,
    /// Held for the length of a change, so that changes of modules follow one another.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    loaded: BTreeMap<ModuleName, Result<Arc<LoadedModule>, String>>,
    off: Off,
    /// What the operator registered modules for.
    registered: Vec<Registration>,
    /// Modules whose hooks do not go together with those in use, and why.
    misfits: BTreeMap<ModuleName, String>,
    history: History,
}

impl Modules {
    /// Loads what was uploaded before; `site` comes with its folder, when it is one. A module that cannot be loaded is
    /// reported in its view and left out; the others run.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) fn open(
        store: Store,
        sandbox: Arc<Sandbox>,
        schema: Arc<Schema>,
        (site, site_dir): (SiteConfig, Option<PathBuf>),
        registry: SharedRegistry,
        clock: Arc<dyn Clock>,
        secrets: Arc<Secrets>,
    ) -> Result<Self, StoreError> {
        let reader = store.reader()?;
        let data: Arc<dyn HostData> = Arc::new(store.reader()?);
        let schema_json: Arc<str> = schema.to_json().to_string().into();
        let off = reader.switched_off()?.into_iter().collect();
        let registered = reader.registrations()?;
        let history = History::read(&reader)?;
        let modules = Self {
            store,
            reader,
            sandbox,
            schema,
            schema_json,
            site,
            site_dir,
            registry,
            data,
            clock,
            secrets,
            files: Mutex::default(),
            state: Mutex::new(State { off, registered, history, ..State::default() }),
        };
        let rows = modules.reader.modules()?;
        let mut state = modules.lock();
        for row in rows.iter().filter(|row| row.enabled) {
            modules.reload(&mut state, row);
        }
        modules.publish(&mut state, &rows);
        drop(state);
        for missing in modules.missing_of(&rows) {
            tracing::warn!(module = missing.name, "processing_core.yml enables it: {}", missing.detail);
        }
        Ok(modules)
    }

    /// Modules that `enabled_modules` names and of which no component was uploaded.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) fn missing(&self) -> Result<Vec<Missing>, ModuleError> {
        Ok(self.missing_of(&self.reader.modules()?))
    }

    fn missing_of(&self, rows: &[ModuleRow]) -> Vec<Missing> {
        let uploaded: Vec<ModuleName> = rows.iter().map(|row| row.name.clone()).collect();
        enabled::missing(&self.site, self.site_dir.as_deref(), &uploaded)
    }

    /// All modules, in calling order.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) fn list(&self) -> Result<Vec<ModuleView>, ModuleError> {
        let state = self.lock();
        let mut rows = self.reader.modules()?;
        self.sort(&mut rows);
        Ok(rows.iter().map(|row| self.view(&state, row)).collect())
    }

    /// One module.
    ///
    /// # Errors
    /// [`ModuleError::Unknown`].
    pub(crate) fn show(&self, name: &ModuleName) -> Result<ModuleView, ModuleError> {
        let state = self.lock();
        Ok(self.view(&state, &self.row(name)?))
    }

    /// Switches a module on or off.
    ///
    /// # Errors
    /// [`ModuleError::Unknown`], or what the store says.
    pub(crate) fn set_enabled(&self, actor: &str, name: &ModuleName, enabled: bool) -> Result<ModuleView, ModuleError> {
        let mut state = self.lock();
        self.row(name)?;
        self.acting(actor).set_enabled(name, enabled)?;
        self.changed(&mut state, name)
    }

    /// Removes a module with its versions, grants and private state.
    ///
    /// # Errors
    /// [`ModuleError::Unknown`], or what the store says.
    pub(crate) fn remove(&self, actor: &str, name: &ModuleName) -> Result<(), ModuleError> {
        let mut state = self.lock();
        self.row(name)?;
        self.acting(actor).remove_module(name)?;
        if let Err(error) = self.secrets.forget(name) {
            tracing::error!(module = %name, "the secrets of a module that is gone are still there: {error}");
        }
        state.loaded.remove(name);
        state.off.retain(|(module, _)| module != name);
        state.registered.retain(|registration| registration.module != *name);
        state.history.forget(name);
        self.publish(&mut state, &self.reader.modules()?);
        Ok(())
    }

    /// Switches a subscription on or off. Idempotent; switching off what is not there is no error.
    ///
    /// # Errors
    /// For an unknown module; when switching on, for an unknown subscription or one whose hook does not go together
    /// with those in use; or what the store says.
    pub(crate) fn switch(
        &self,
        actor: &str,
        name: &ModuleName,
        subscription: &SubscriptionId,
        on: bool,
    ) -> Result<(), ModuleError> {
        let mut state = self.lock();
        let row = self.row(name)?;
        let ids = || row.active.subscriptions.iter().map(|s| s.id.as_str());
        if on && !ids().any(|id| id == subscription.as_str()) {
            let near =
                nearest(subscription.as_str(), ids()).map_or(String::new(), |id| format!(", did you mean {id:?}?"));
            return Err(ModuleError::Invalid(format!("module {name} has no subscription {subscription}{near}")));
        }
        let key = (name.clone(), subscription.clone());
        if on && state.off.contains(&key) {
            let mut off = state.off.clone();
            off.remove(&key);
            self.check_together(&state, &self.reader.modules()?, None, &off)?;
        }
        self.acting(actor).switch_subscription(name, subscription, on)?;
        if on {
            state.off.remove(&key);
        } else {
            state.off.insert(key);
        }
        self.publish(&mut state, &self.reader.modules()?);
        Ok(())
    }

    /// Subscriptions of the modules in use, in calling order, and whether each is switched on.
    pub(crate) fn subscriptions(&self) -> Vec<(ModuleName, Subscription, bool)> {
        let state = self.lock();
        let registry = self.registry.current();
        registry
            .modules()
            .iter()
            .flat_map(|module| {
                module.subscriptions.iter().map(|s| {
                    let on = !state.off.contains(&(module.name.clone(), s.id.clone()));
                    (module.name.clone(), s.clone(), on)
                })
            })
            .collect()
    }

    /// Subscriptions that are switched off, of modules that are gone too.
    pub(crate) fn switched_off(&self) -> HashSet<(ModuleName, SubscriptionId)> {
        self.lock().off.clone()
    }

    /// The store as that person: what changes through it is in the audit log under that name.
    fn acting(&self, actor: &str) -> Store {
        self.store.acting(actor, self.clock.now())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn row(&self, name: &ModuleName) -> Result<ModuleRow, ModuleError> {
        let mut rows = self.reader.modules()?;
        if let Some(index) = rows.iter().position(|row| row.name == *name) {
            return Ok(rows.swap_remove(index));
        }
        Err(unknown(name, &rows))
    }

    /// Loads the module as it is now stored and publishes a new registry.
    fn changed(&self, state: &mut State, name: &ModuleName) -> Result<ModuleView, ModuleError> {
        let rows = self.reader.modules()?;
        let row = rows.iter().find(|row| row.name == *name).ok_or_else(|| unknown(name, &rows))?;
        if row.enabled {
            self.reload(state, row);
        } else {
            state.loaded.remove(name);
        }
        self.publish(state, &rows);
        Ok(self.view(state, row))
    }

    fn reload(&self, state: &mut State, row: &ModuleRow) {
        let settings = self.settings(&row.name, &row.grants, row.config.clone());
        let loaded = self.vouched(state, row).and_then(|()| {
            let bytes = self.reader.component(&row.active.digest).map_err(|error| error.to_string())?;
            self.admit(&row.name, &bytes, settings).map(Arc::new).map_err(|error| error.to_string())
        });
        if let Err(problem) = &loaded {
            tracing::error!(module = %row.name, "the module cannot be loaded and is left out: {problem}");
        }
        state.loaded.insert(row.name.clone(), loaded);
    }

    fn admit(&self, name: &ModuleName, bytes: &[u8], settings: ModuleSettings) -> Result<LoadedModule, ModuleError> {
        let request = AdmitRequest {
            name: name.clone(),
            bytes,
            settings,
            schema: &self.schema,
            schema_json: self.schema_json.clone(),
            now: self.clock.now(),
        };
        let module = self.sandbox.admit_unconfigured(request, self.data.clone())?;
        check_periods(&module, batch_period(&self.site))
            .map_err(|error| ModuleError::Refused { code: "period", message: error.to_string() })?;
        Ok(module)
    }

    fn settings(&self, name: &ModuleName, grants: &[Grant], config: Option<serde_json::Value>) -> ModuleSettings {
        let mut settings = self.site.module_settings(name);
        if let Some(file) = self.files().get(name) {
            settings.config = file.clone();
        }
        if let Some(config) = config {
            settings.config = config;
        }
        for grant in grants {
            if !settings.grants.contains(grant) {
                settings.grants.push(grant.clone());
            }
        }
        settings
    }

    /// `enabled_modules` order first, then order of upload.
    fn sort(&self, rows: &mut [ModuleRow]) {
        rows.sort_by_key(|row| self.place(&row.name, row.position));
    }

    /// Place in the calling order of a module that was the `position`th to be uploaded.
    fn place(&self, name: &ModuleName, position: u64) -> (usize, u64) {
        let listed = self.site.enabled_modules.iter().position(|listed| listed == name.as_str());
        (listed.unwrap_or(usize::MAX), position)
    }

    fn publish(&self, state: &mut State, rows: &[ModuleRow]) {
        let mut rows = rows.to_vec();
        self.sort(&mut rows);
        let modules = self.callable(state, &rows).cloned().collect();
        let running = self.registry.current();
        let (modules, misfits) =
            together(&self.schema, modules, &state.off, |module| running.has(&module.name, module.generation));
        state.misfits = misfits;
        let modules = modules.into_iter().map(|module| registrations::with(module, &state.registered)).collect();
        self.registry.swap(Registry::new(modules, &state.off));
    }
}

fn unknown(name: &ModuleName, rows: &[ModuleRow]) -> ModuleError {
    let near = nearest(name.as_str(), rows.iter().map(|row| row.name.as_str()))
        .map_or(String::new(), |near| format!(", did you mean {near}?"));
    ModuleError::Unknown(format!("there is no module {name}{near}; tenter module list shows what is there"))
}
