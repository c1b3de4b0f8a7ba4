//! `secrets`: secrets by name. A guest uses them, in headers and queries of requests and for signatures, and never
//! sees them.

use tenter_model::egress;
use wasmtime::Result;

use super::View;
use crate::bindings::tenter::hooks::secrets::{Host, SecretError};

impl Host for View<'_> {
    fn available(&mut self) -> Result<Vec<String>> {
        self.call.charge(0)?;
        let mut names = self.facts.outside.secrets(&self.facts.name);
        names.retain(|name| self.facts.settings.is_granted("secret", name));
        Ok(names)
    }

    fn hmac_sha256(&mut self, name: String, message: Vec<u8>) -> Result<std::result::Result<Vec<u8>, SecretError>> {
        self.call.charge(name.len() + message.len())?;
        if !self.is_granted("secret", &name) {
            return Ok(Err(SecretError::Denied));
        }
        Ok(self.facts.outside.hmac_sha256(&self.facts.name, &name, &message).map_err(|error| match error {
            egress::SecretError::NotSet => SecretError::NotSet,
            egress::SecretError::Other(text) => SecretError::Other(crate::text::message(&text)),
        }))
    }
}
