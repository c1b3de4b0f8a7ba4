//! Secrets of modules: set, listed, forgotten. Their texts are kept apart; see [`crate::egress::secrets`].

use serde_json::json;
use tenter_model::ModuleName;
use zeroize::Zeroizing;

use super::{ModuleError, Modules};
use crate::egress::secrets;

/// What may be told of a secret.
#[derive(Debug, Clone)]
pub(crate) struct SecretView {
    pub(crate) name: String,
    /// When it was set, if it was.
    pub(crate) set_at: Option<tenter_model::Timestamp>,
    /// Hosts that it may be sent to; empty: all that the module may reach.
    pub(crate) hosts: Vec<String>,
    /// Whether the module may use it.
    pub(crate) granted: bool,
    /// Whether the module has a parameter of that name which is a secret.
    pub(crate) parameter: bool,
}

impl Modules {
    /// The secrets of a module that are set, and those that it could have.
    ///
    /// # Errors
    /// [`ModuleError::Unknown`].
    pub(crate) fn secrets(&self, name: &ModuleName) -> Result<Vec<SecretView>, ModuleError> {
        let row = self.row(name)?;
        let settings = self.settings(name, &row.grants, None);
        let parameters = &row.active.descriptor.parameters;
        let parameter = |name: &str| parameters.iter().any(|p| p.kind == "secret" && p.name == name);
        let mut views: Vec<SecretView> = Vec::new();
        for secret in self.secrets.list(name) {
            views.push(SecretView {
                granted: settings.is_granted("secret", &secret.name),
                parameter: parameter(&secret.name),
                set_at: Some(secret.set_at),
                hosts: secret.hosts,
                name: secret.name,
            });
        }
        let requests = row.active.requests.iter().filter(|wish| wish.capability == "secret").map(|wish| &wish.scope);
        let wished = parameters.iter().filter(|p| p.kind == "secret").map(|p| &p.name).chain(requests);
        for wish in wished {
            if wish != "*" && views.iter().all(|view| view.name != *wish) {
                views.push(SecretView {
                    name: wish.clone(),
                    set_at: None,
                    hosts: Vec::new(),
                    granted: settings.is_granted("secret", wish),
                    parameter: parameter(wish),
                });
            }
        }
        Ok(views)
    }

    /// Sets a secret of a module; the audit log tells that, and not its text.
    ///
    /// # Errors
    /// For an unknown module, a name or text that cannot be one, or what the disk says.
    pub(crate) fn set_secret(
        &self,
        actor: &str,
        name: &ModuleName,
        secret: &str,
        text: Zeroizing<String>,
        hosts: Vec<String>,
    ) -> Result<(), ModuleError> {
        let mut state = self.lock();
        self.row(name)?;
        secrets::check(secret, &text, &hosts).map_err(ModuleError::Invalid)?;
        let detail = json!({"secret": secret, "hosts": &hosts});
        self.acting(actor).record_audit("secret.set", name.as_str(), detail)?;
        self.secrets.set(name, secret, text, hosts, self.clock.now()).map_err(ModuleError::Secrets)?;
        tracing::info!(module = %name, secret, "secret set");
        self.changed(&mut state, name)?;
        Ok(())
    }

    /// Forgets a secret of a module.
    ///
    /// # Errors
    /// For an unknown module or secret, or what the disk says.
    pub(crate) fn remove_secret(&self, actor: &str, name: &ModuleName, secret: &str) -> Result<(), ModuleError> {
        let mut state = self.lock();
        self.row(name)?;
        if !self.secrets.names(name).iter().any(|known| known == secret) {
            return Err(ModuleError::Unknown(format!(
                "module {name} has no secret {secret:?}; tenter secret list {name} shows what is set"
            )));
        }
        self.acting(actor).record_audit("secret.remove", name.as_str(), json!({"secret": secret}))?;
        self.secrets.remove(name, secret).map_err(ModuleError::Secrets)?;
        tracing::info!(module = %name, secret, "secret removed");
        self.changed(&mut state, name)?;
        Ok(())
    }
}
