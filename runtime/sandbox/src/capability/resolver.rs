//! `resolver`: look-ups of names, by the servers that the operator chose. What is found is data: a request to an
//! address that came this way is held against the guard like any other.

use std::net::{IpAddr, SocketAddr};

use tenter_model::capability::DNS_PORT;
use tenter_model::egress::{self, Asking, Lookup, RECORDS};
use tenter_model::limits::MAX_LOOKUPS;
use wasmtime::Result;

use super::View;
use crate::bindings::tenter::hooks::resolver::{Host, ResolveError};
use crate::guest::{Refusal, Stage};
use crate::text::{escape, message};

type Answer = std::result::Result<Vec<String>, ResolveError>;

impl Host for View<'_> {
    fn lookup(&mut self, name: String, kind: String, server: Option<String>) -> Result<Answer> {
        self.call.charge(name.len() + kind.len() + server.as_ref().map_or(0, String::len))?;
        let Some(kind) = RECORDS.iter().find(|known| **known == kind) else {
            let text = format!("{:?} is no kind of record; expected one of {}", escape(&kind, 20), RECORDS.join(", "));
            return Ok(Err(ResolveError::Other(message(&text))));
        };
        Ok(self.looked_up(&name, kind, server.as_deref()))
    }

    fn reverse(&mut self, address: String, server: Option<String>) -> Result<Answer> {
        self.call.charge(address.len() + server.as_ref().map_or(0, String::len))?;
        if address.parse::<IpAddr>().is_err() {
            return Ok(Err(ResolveError::Other("an address is expected".into())));
        }
        Ok(self.looked_up(&address, "PTR", server.as_deref()))
    }
}

impl View<'_> {
    fn looked_up(&mut self, name: &str, kind: &str, server: Option<&str>) -> Answer {
        if self.call.stage == Stage::Start {
            return Err(ResolveError::Denied);
        }
        let server = server.map(chosen).transpose()?;
        let allowed = match server {
            None => self.is_granted("resolver", ""),
            Some(server) => self.may_ask(server),
        };
        if !allowed {
            return Err(ResolveError::Denied);
        }
        self.call.lookups = self.call.lookups.saturating_add(1);
        if self.call.lookups > MAX_LOOKUPS {
            return Err(ResolveError::Other(format!("a call makes {MAX_LOOKUPS} look-ups at most")));
        }
        let asking = Asking { module: &self.facts.name, time: self.call.may_wait(None), internal: &[] };
        let (found, _) = self.call.waited(|| self.facts.outside.lookup(&asking, Lookup { name, kind, server }));
        found.map_err(|error| match error {
            egress::ResolveError::Denied => ResolveError::Denied,
            egress::ResolveError::NotFound => ResolveError::NotFound,
            egress::ResolveError::TimedOut => ResolveError::TimedOut,
            egress::ResolveError::Other(text) => ResolveError::Other(message(&text)),
        })
    }

    /// Whether a grant opens a server that is none of the operator's.
    fn may_ask(&mut self, server: SocketAddr) -> bool {
        let opened = self.facts.settings.grants.iter().any(|grant| grant.opens(server));
        if !opened {
            self.call.refusal = Some(Refusal::NotGranted("resolver"));
        }
        opened
    }
}

/// A server as modules name it: an address, with or without a port.
fn chosen(server: &str) -> std::result::Result<SocketAddr, ResolveError> {
    let address = server.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, DNS_PORT));
    address.or_else(|_| server.parse()).map_err(|_| {
        let text = format!(
            "{:?} is no server; expected an address, such as 192.0.2.53 or [2001:db8::53]:53",
            escape(server, 60)
        );
        ResolveError::Other(message(&text))
    })
}
