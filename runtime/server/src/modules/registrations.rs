//! `register_to_hook` and `deregister_from_hook` as calls of the operator: by the name of a case hook, with IRIS's rules.
//!
//! A registration is a subscription beside those that the module has itself. Where the module has one of its own for just
//! that hook, registering switches it on and deregistering switches it off.

use std::sync::Arc;

use tenter_model::case::{self, CaseHook, Phase};
use tenter_model::hook::{Moment, Subscription};
use tenter_model::module::LoadedModule;
use tenter_model::{Family, ModuleName};
use tenter_store::Registration;

use super::{ModuleError, Modules};

/// What is asked for.
#[derive(Debug)]
pub(crate) struct RegisterHook<'a> {
    /// Who asks.
    pub(crate) actor: &'a str,
    /// The module.
    pub(crate) module: &'a ModuleName,
    /// The name of the hook in IRIS.
    pub(crate) hook: &'a str,
    /// The title of the menu entry; what is no hook of a menu has none.
    pub(crate) title: Option<&'a str>,
    /// Whether requests do not wait for it.
    pub(crate) asynchronous: bool,
}

impl Modules {
    /// Registers a module for a case hook. What is registered stays as it is, so that another way of running needs a
    /// deregistration first. Gives what was done, in IRIS's words.
    ///
    /// # Errors
    /// [`ModuleError::Unknown`]; [`ModuleError::Invalid`] for a hook that does not exist, and for a module that has no
    /// hooks for cases.
    pub(crate) fn register_hook(&self, wish: &RegisterHook<'_>) -> Result<String, ModuleError> {
        let RegisterHook { actor, module, hook, title, asynchronous } = *wish;
        let mut state = self.lock();
        let row = self.row(module)?;
        let found = case::find(hook).ok_or_else(|| ModuleError::Invalid(format!("Hook {hook} is unknown")))?;
        if !row.active.families.contains(&Family::Case) {
            return Err(ModuleError::Invalid(format!("module {module} has no hooks for cases")));
        }
        let title = match (found.phase, title) {
            (Phase::Manual, Some(title)) => title.to_owned(),
            (Phase::Manual, None) => format!("{module}::{hook}"),
            // As the manual of IRIS says, a title counts for menus alone.
            (Phase::Before | Phase::After, _) => String::new(),
        };
        if title.len() > MAX_TITLE || title.chars().any(char::is_control) {
            return Err(ModuleError::Invalid(format!(
                "a title has at most {MAX_TITLE} bytes and no control characters"
            )));
        }
        let own: Vec<_> = row.active.subscriptions.iter().filter(|s| is_just(s, found, Some(&title))).collect();
        let off: Vec<_> =
            own.iter().map(|s| (module.clone(), s.id.clone())).filter(|k| state.off.contains(k)).collect();
        let new = if own.is_empty() {
            let new = Registration { module: module.clone(), hook: hook.to_owned(), title, asynchronous };
            self.acting(actor).register_hook(new)?
        } else {
            for key in &off {
                self.acting(actor).switch_subscription(&key.0, &key.1, true)?;
                state.off.remove(key);
            }
            !off.is_empty()
        };
        if !new {
            return Ok(format!("Hook {hook} already registered"));
        }
        state.registered = self.reader.registrations()?;
        self.publish(&mut state, &self.reader.modules()?);
        Ok(format!("Hook {hook} registered"))
    }

    /// Takes back all that registers a module for a case hook, under whatever title. It succeeds whether there was anything
    /// or not.
    ///
    /// # Errors
    /// What the store says.
    pub(crate) fn deregister_hook(&self, actor: &str, module: &ModuleName, hook: &str) -> Result<String, ModuleError> {
        let done = || Ok("Hook deregistered".to_owned());
        let mut state = self.lock();
        let (Ok(row), Some(found)) = (self.row(module), case::find(hook)) else { return done() };
        self.acting(actor).deregister_hook(module, hook)?;
        for own in row.active.subscriptions.iter().filter(|s| is_just(s, found, None)) {
            let key = (module.clone(), own.id.clone());
            if state.off.insert(key) {
                self.acting(actor).switch_subscription(module, &own.id, false)?;
            }
        }
        state.registered = self.reader.registrations()?;
        self.publish(&mut state, &self.reader.modules()?);
        done()
    }

    /// Whether a name is a case hook that the module has no subscription of its own by that id for.
    pub(crate) fn is_case_hook(&self, module: &ModuleName, name: &str) -> bool {
        let own = self.row(module).is_ok_and(|row| row.active.subscriptions.iter().any(|s| s.id.as_str() == name));
        !own && name.starts_with("on_")
    }
}

/// Longest title, in bytes, as of what modules subscribe to themselves.
const MAX_TITLE: usize = 200;

/// The module with what it is registered for.
pub(super) fn with(module: Arc<LoadedModule>, registered: &[Registration]) -> Arc<LoadedModule> {
    let mine = registered.iter().filter(|registration| registration.module == module.name);
    let more: Vec<Subscription> = mine
        .filter_map(|r| case::operator_subscription(case::find(&r.hook)?, &r.title, r.asynchronous))
        .filter(|_| module.families.contains(&Family::Case))
        .collect();
    if more.is_empty() {
        return module;
    }
    let mut module = LoadedModule::clone(&module);
    module.subscriptions.extend(more);
    Arc::new(module)
}

/// Whether a subscription is for one hook and no other; `title` of menu entries, `None`: any.
fn is_just(subscription: &Subscription, hook: &CaseHook, title: Option<&str>) -> bool {
    let filter = match (&subscription.moment, hook.phase) {
        (Moment::Before(filter), Phase::Before) | (Moment::After { filter, .. }, Phase::After) => filter,
        (Moment::Manual { object, title: own }, Phase::Manual) => {
            return object == hook.object && title.is_none_or(|title| title == own);
        }
        _ => return false,
    };
    filter.object.as_deref() == Some(hook.object) && filter.action.as_deref() == Some(hook.action)
}
