//! The trait that a module implements, and its configuration.

use serde::de::DeserializeOwned;

pub use crate::bindings::module::exports::tenter::hooks::module::{Descriptor, Parameter, Request};
use crate::error::{HookError, Result};
use crate::register::Registrar;

/// A module. [`crate::export!`] makes a component of it.
///
/// The host makes an instance with [`Module::new`] before it calls any hook, and MAY drop it between any two calls:
/// what the fields hold is a cache, never the truth. What must last belongs into [`crate::state`].
pub trait Module: Sized + 'static {
    /// For people, one line.
    const TITLE: &'static str;

    /// What the configuration may hold; the host fills defaults in and refuses what is missing.
    #[must_use]
    fn parameters() -> Vec<Parameter> {
        Vec::new()
    }

    /// Sets the module up from its configuration.
    ///
    /// # Errors
    /// A configuration that makes no sense: say which entry, and what was expected.
    fn new(config: &Config) -> Result<Self>;

    /// Names the moments that the module wants, and asks for capabilities. MUST be a function of the configuration
    /// alone: the same subscriptions with the same ids in every instance.
    fn register(&self, on: &mut Registrar<Self>);
}

/// The operator's settings for this module with the defaults of [`Module::parameters`] filled in, without secrets.
#[derive(Debug)]
pub struct Config {
    text: String,
}

impl Config {
    /// From JSON text. Hosts do this; tests use the harness.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self { text }
    }

    /// As a type of the module's own.
    ///
    /// # Errors
    /// [`HookError::InvalidInput`] which names what does not fit.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.text).map_err(|e| HookError::InvalidInput(format!("configuration: {e}")))
    }

    /// The JSON text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Parameter {
    /// A parameter of a kind: string, secret, boolean, integer, float, json, html or markdown.
    pub fn new(kind: impl Into<String>, name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            title: name.clone(),
            name,
            description: String::new(),
            kind: kind.into(),
            section: None,
            mandatory: false,
            default_value: None,
        }
    }

    /// Sets the title, for forms; the name without it.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Sets the description.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Groups it with others of the same section.
    #[must_use]
    pub fn section(mut self, section: impl Into<String>) -> Self {
        self.section = Some(section.into());
        self
    }

    /// There is no module without it.
    #[must_use]
    pub fn mandatory(mut self) -> Self {
        self.mandatory = true;
        self
    }

    /// Sets the default, as JSON text such as `"\"text\""`, `"5"` or `"[]"`.
    #[must_use]
    pub fn default_json(mut self, json: impl Into<String>) -> Self {
        self.default_value = Some(json.into());
        self
    }
}
