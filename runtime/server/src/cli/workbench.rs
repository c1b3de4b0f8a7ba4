//! A sandbox for the author's tools: the one of the server, with an empty store behind it and nothing kept but
//! compiled code.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tenter_model::capability::{self, Grant};
use tenter_model::config::{self, ConfigFile, SiteConfig};
use tenter_model::egress::Outside;
use tenter_model::module::{LoadedModule, ModuleSettings};
use tenter_model::{ModuleName, Timestamp};
use tenter_sandbox::{AdmitError, AdmitRequest, Sandbox, SandboxOptions};

use crate::error::{CliError, Kind};
use crate::output::Output;
use crate::site;

mod scratch;

use scratch::Scratch;

/// Where a component is tried.
pub(crate) struct Workbench {
    sandbox: Arc<Sandbox>,
    data: Arc<Scratch>,
    site: Option<SiteConfig>,
}

/// Bytes of compiled code that are kept: some components of language runtimes, which have about 60 MB each.
const CACHE_BYTES: u64 = 1 << 30;
/// From this size on, in bytes, compiling takes so long that a person wants to know of it.
const LARGE: usize = 1 << 20;

impl Workbench {
    /// A workbench, with the entity specification and settings of a site if there is one.
    ///
    /// # Errors
    /// When the site is not valid, or the machine cannot run WebAssembly.
    pub(crate) fn new(site: Option<&Path>) -> anyhow::Result<Self> {
        Self::with_cache(site, cache_dir())
    }

    /// A workbench for tests, where all that modules reach outside is scripted.
    ///
    /// # Errors
    /// When the machine cannot run WebAssembly.
    pub(crate) fn reaching(outside: Arc<dyn Outside>, cache: Option<PathBuf>) -> anyhow::Result<Self> {
        Ok(Self { sandbox: Arc::new(sandbox(cache)?.reaching(outside)), data: Arc::default(), site: None })
    }

    /// Another one in the same sandbox, with an empty store.
    ///
    /// # Errors
    /// When the site is not valid.
    pub(crate) fn beside(&self, site: Option<&Path>) -> Result<Self, CliError> {
        let site = site.map(read_site).transpose()?;
        Ok(Self { sandbox: Arc::clone(&self.sandbox), data: Arc::default(), site })
    }

    /// The same with compiled code kept in that folder, if anywhere.
    ///
    /// # Errors
    /// As [`Workbench::new`].
    pub(crate) fn with_cache(site: Option<&Path>, cache: Option<PathBuf>) -> anyhow::Result<Self> {
        let site = site.map(read_site).transpose()?;
        Ok(Self { sandbox: Arc::new(sandbox(cache)?), data: Arc::default(), site })
    }

    /// The site.
    pub(crate) fn site(&self) -> Option<&SiteConfig> {
        self.site.as_ref()
    }

    /// The store.
    pub(crate) fn data(&self) -> Arc<Scratch> {
        Arc::clone(&self.data)
    }

    /// The sandbox.
    pub(crate) fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Compiles a component, and says so when that takes a while.
    ///
    /// # Errors
    /// When it is refused, with the reason.
    pub(crate) fn compile(&self, name: &ModuleName, bytes: &[u8], out: &Output) -> Result<(), CliError> {
        if bytes.len() < LARGE || self.sandbox.is_compiled(bytes) {
            return Ok(());
        }
        let what = format!("compiling {name}, {}; this is done once", crate::output::bytes(bytes.len() as u64));
        let spinner = indicatif::ProgressBar::new_spinner();
        if out.draws() {
            spinner.set_message(what);
            spinner.enable_steady_tick(std::time::Duration::from_millis(100));
        } else {
            spinner.set_draw_target(indicatif::ProgressDrawTarget::hidden());
            out.note(&what);
        }
        let compiled = self.sandbox.compile(bytes);
        spinner.finish_and_clear();
        compiled.map_err(refused)
    }

    /// What the site says of a module.
    pub(crate) fn settings(&self, name: &ModuleName) -> ModuleSettings {
        self.site.as_ref().map_or_else(|| SiteConfig::default().module_settings(name), |s| s.module_settings(name))
    }

    /// Admits a component; without a site, whatever it subscribes to. Without grants it gets all that it asks for.
    ///
    /// # Errors
    /// When it is refused, with the reason.
    pub(crate) fn load(
        &self,
        name: &ModuleName,
        bytes: &[u8],
        mut settings: ModuleSettings,
        grants: Option<Vec<Grant>>,
        now: Timestamp,
    ) -> Result<LoadedModule, CliError> {
        let asks_first = grants.is_none();
        settings.grants = grants.unwrap_or_default();
        let loaded = self.admit(name, bytes, settings.clone(), now)?;
        if !asks_first || loaded.requests.is_empty() {
            return Ok(loaded);
        }
        settings.grants = loaded.requests;
        self.admit(name, bytes, settings, now)
    }

    fn admit(
        &self,
        name: &ModuleName,
        bytes: &[u8],
        settings: ModuleSettings,
        now: Timestamp,
    ) -> Result<LoadedModule, CliError> {
        let nothing = tenter_model::Schema::default();
        let schema = self.site.as_ref().map_or(&nothing, |s| &s.schema);
        let schema_json = schema.to_json().to_string().into();
        let request = AdmitRequest { name: name.clone(), bytes, settings, schema, schema_json, now };
        let data = self.data();
        let admitted = match self.site {
            Some(_) => self.sandbox.admit(request, data),
            None => self.sandbox.admit_unspecified(request, data),
        };
        admitted.map_err(refused)
    }
}

fn refused(error: AdmitError) -> CliError {
    CliError::new(Kind::Invalid, format!("the component is refused ({}): {error}", error.code))
}

/// A sandbox with compiled code kept in that folder. Compiling a language runtime takes half a minute; where nothing can
/// be kept it is done each time.
fn sandbox(cache: Option<PathBuf>) -> anyhow::Result<Sandbox> {
    let options = |cache_dir| SandboxOptions { cache_dir, lanes: 1 };
    let sandbox = match cache.map(|dir| Sandbox::new(options(Some(dir)))) {
        Some(Ok(sandbox)) => sandbox,
        Some(Err(_)) | None => Sandbox::new(options(None))?,
    };
    Ok(sandbox.for_one_author(CACHE_BYTES))
}

/// `CAPABILITY SCOPE` of the command line.
///
/// # Errors
/// When there is no such capability.
pub(crate) fn grant(text: &str) -> Result<Grant, String> {
    let (name, scope) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    if capability::find(name).is_none() {
        let near = config::nearest(name, capability::TABLE.iter().map(|c| c.name));
        let near = near.map_or(String::new(), |n| format!(", did you mean {n:?}?"));
        return Err(format!("{name:?} is not a capability{near}"));
    }
    Ok(Grant { capability: name.to_owned(), scope: scope.trim().to_owned() })
}

/// A module's configuration from a file in JSON or YAML.
///
/// # Errors
/// When it cannot be read or is neither.
pub(crate) fn module_config(path: &Path, name: &ModuleName) -> Result<serde_json::Value, CliError> {
    let wrong = |why: String| CliError::new(Kind::Invalid, format!("cannot use {}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
    // Read by the rules of a site, which takes a file per module.
    let mut loaded = config::load(&[ConfigFile { path: format!("modules/{name}.yml"), text }]);
    if let Some(error) = loaded.errors.first() {
        return Err(wrong(format!("line {}: {}", error.line, error.message)));
    }
    let config = loaded.config.as_mut().and_then(|c| c.module_configs.remove(name.as_str()));
    Ok(config.unwrap_or_else(|| serde_json::json!({})))
}

fn read_site(dir: &Path) -> Result<SiteConfig, CliError> {
    let loaded = config::load(&site::read(dir)?);
    let first = loaded.errors.first().map(|e| crate::output::plain(&e.to_string()));
    loaded.config.ok_or_else(|| {
        CliError::new(Kind::Invalid, format!("the site {} is not valid: {}", dir.display(), first.unwrap_or_default()))
            .help(format!("`tenter check {}` lists everything", dir.display()))
    })
}

/// `$XDG_CACHE_HOME/tenter/components`, with `~/.cache` when the variable is not set.
pub(crate) fn cache_dir() -> Option<PathBuf> {
    let cache = match std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|p| p.is_absolute()) {
        Some(cache) => cache,
        None => std::env::home_dir().filter(|h| h.is_absolute())?.join(".cache"),
    };
    Some(cache.join("tenter/components"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_words_of_the_table() {
        assert_eq!(grant("write-entities ip.label").unwrap().scope, "ip.label");
        assert_eq!(grant("state").unwrap().scope, "");
        assert_eq!(grant("stat x").unwrap_err(), "\"stat\" is not a capability, did you mean \"state\"?");
    }

    #[test]
    fn configuration_is_json_or_yaml() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c");
        let name = ModuleName::new("m").unwrap();
        for text in ["{\"ports\": {\"a\": 1}}", "ports:\n  a: 1\n"] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(module_config(&path, &name).unwrap(), serde_json::json!({"ports": {"a": 1}}));
        }
        std::fs::write(&path, "a: [\n").unwrap();
        assert_eq!(module_config(&path, &name).unwrap_err().kind, Kind::Invalid);
    }
}
