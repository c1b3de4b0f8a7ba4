//! Grants: what a module asks for, and what an operator gives it.

use tenter_model::ModuleName;
use tenter_model::capability::{self, Grant};
use tenter_model::config::nearest;

use super::{ModuleError, ModuleView, Modules};

impl Modules {
    /// Grants a capability; a version that waited for it becomes active.
    ///
    /// # Errors
    /// For an unknown module or capability, or what the store says.
    pub(crate) fn grant(&self, actor: &str, name: &ModuleName, grant: &Grant) -> Result<ModuleView, ModuleError> {
        let mut state = self.lock();
        check_grant(grant)?;
        self.row(name)?;
        self.acting(actor).add_grant(name, grant.clone())?;
        let row = self.row(name)?;
        let settings = self.settings(name, &row.grants, row.config.clone());
        if let Some(waiting) = state.history.waiting(&row)
            && missing_grants(&waiting.requests, &settings.grants).is_empty()
        {
            self.acting(actor).activate(name, &waiting.digest)?;
            state.history.activated(name, &waiting.digest);
        }
        self.changed(&mut state, name)
    }

    /// Takes a grant back; no error when it was not given.
    ///
    /// # Errors
    /// For an unknown module, for a grant that the configuration directory gives, or what the store says.
    pub(crate) fn revoke(&self, actor: &str, name: &ModuleName, grant: &Grant) -> Result<ModuleView, ModuleError> {
        let mut state = self.lock();
        let row = self.row(name)?;
        if self.site.tenter.modules.get(name).is_some_and(|section| section.grants.contains(grant)) {
            return Err(ModuleError::Invalid(format!(
                "{grant} is granted to {name} by tenter.yml; take it out there (modules.{name}.grants) and restart"
            )));
        }
        if row.grants.contains(grant) {
            self.acting(actor).remove_grant(name, grant.clone())?;
        }
        self.changed(&mut state, name)
    }
}

/// What is asked for and not covered by any grant.
pub(super) fn missing_grants(requests: &[Grant], grants: &[Grant]) -> Vec<Grant> {
    requests
        .iter()
        .filter(|wish| !grants.iter().any(|grant| grant.covers(&wish.capability, &wish.scope)))
        .cloned()
        .collect()
}

fn check_grant(grant: &Grant) -> Result<(), ModuleError> {
    if capability::find(&grant.capability).is_none() {
        let names = capability::TABLE.iter().map(|c| c.name);
        let near = nearest(&grant.capability, names).map_or(String::new(), |n| format!(", did you mean {n:?}?"));
        return Err(ModuleError::Invalid(format!(
            "{:?} is no capability{near}; tenter grant --help lists them",
            grant.capability
        )));
    }
    grant.check().map_err(ModuleError::Invalid)
}
