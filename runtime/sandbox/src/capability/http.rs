//! `http`: requests to outside services. This host makes none, so every request is denied.

use wasmtime::Result;

use super::View;
use crate::bindings::tenter::hooks::http::{Host, HttpError, Request, Response};
use crate::guest::Refusal;

impl Host for View<'_> {
    fn send(&mut self, request: Request) -> Result<std::result::Result<Response, HttpError>> {
        self.call.charge(request.url.len() + request.body.map_or(0, |b| b.len()))?;
        self.call.refusal = Some(Refusal::NotGranted("http"));
        Ok(Err(HttpError::Denied("denied: this host grants no outbound HTTP".into())))
    }
}
