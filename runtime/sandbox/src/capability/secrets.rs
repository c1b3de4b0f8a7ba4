//! `secrets`: secrets by name. This host holds none, so none is available.

use wasmtime::Result;

use super::View;
use crate::bindings::tenter::hooks::secrets::{Host, SecretError};
use crate::guest::Refusal;

impl Host for View<'_> {
    fn available(&mut self) -> Result<Vec<String>> {
        self.call.charge(0)?;
        Ok(Vec::new())
    }

    fn hmac_sha256(&mut self, name: String, message: Vec<u8>) -> Result<std::result::Result<Vec<u8>, SecretError>> {
        self.call.charge(name.len() + message.len())?;
        self.call.refusal = Some(Refusal::NotGranted("secret"));
        Ok(Err(SecretError::Denied))
    }
}
