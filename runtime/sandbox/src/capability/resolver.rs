//! `resolver`: name look-ups. This host makes none, so every one is denied.

use wasmtime::Result;

use super::View;
use crate::bindings::tenter::hooks::resolver::{Host, ResolveError};
use crate::guest::Refusal;

impl View<'_> {
    fn no_names(&mut self, bytes: usize) -> Result<std::result::Result<Vec<String>, ResolveError>> {
        self.call.charge(bytes)?;
        self.call.refusal = Some(Refusal::NotGranted("resolver"));
        Ok(Err(ResolveError::Denied))
    }
}

impl Host for View<'_> {
    fn lookup(&mut self, name: String, kind: String) -> Result<std::result::Result<Vec<String>, ResolveError>> {
        self.no_names(name.len() + kind.len())
    }

    fn reverse(&mut self, address: String) -> Result<std::result::Result<Vec<String>, ResolveError>> {
        self.no_names(address.len())
    }
}
