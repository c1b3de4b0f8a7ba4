//! `resolver`: look-ups of names, by the servers that the operator chose. What is found is data: a request to an
//! address that came this way is held against the guard like any other.

use std::net::IpAddr;

use tenter_model::egress::{self, Asking, RECORDS};
use tenter_model::limits::MAX_LOOKUPS;
use wasmtime::Result;

use super::View;
use crate::bindings::tenter::hooks::resolver::{Host, ResolveError};
use crate::guest::Stage;
use crate::text::{escape, message};

type Answer = std::result::Result<Vec<String>, ResolveError>;

impl Host for View<'_> {
    fn lookup(&mut self, name: String, kind: String) -> Result<Answer> {
        self.call.charge(name.len() + kind.len())?;
        let Some(kind) = RECORDS.iter().find(|known| **known == kind) else {
            let text = format!("{:?} is no kind of record; expected one of {}", escape(&kind, 20), RECORDS.join(", "));
            return Ok(Err(ResolveError::Other(message(&text))));
        };
        Ok(self.looked_up(&name, kind))
    }

    fn reverse(&mut self, address: String) -> Result<Answer> {
        self.call.charge(address.len())?;
        if address.parse::<IpAddr>().is_err() {
            return Ok(Err(ResolveError::Other("an address is expected".into())));
        }
        Ok(self.looked_up(&address, "PTR"))
    }
}

impl View<'_> {
    fn looked_up(&mut self, name: &str, kind: &str) -> Answer {
        if self.call.stage == Stage::Start || !self.is_granted("resolver", "") {
            return Err(ResolveError::Denied);
        }
        self.call.lookups = self.call.lookups.saturating_add(1);
        if self.call.lookups > MAX_LOOKUPS {
            return Err(ResolveError::Other(format!("a call makes {MAX_LOOKUPS} look-ups at most")));
        }
        let asking = Asking { module: &self.facts.name, time: self.call.may_wait(None), internal: &[] };
        let (found, _) = self.call.waited(|| self.facts.outside.lookup(&asking, name, kind));
        found.map_err(|error| match error {
            egress::ResolveError::Denied => ResolveError::Denied,
            egress::ResolveError::NotFound => ResolveError::NotFound,
            egress::ResolveError::TimedOut => ResolveError::TimedOut,
            egress::ResolveError::Other(text) => ResolveError::Other(message(&text)),
        })
    }
}
