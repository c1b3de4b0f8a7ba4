//! What modules reach outside of the host, for real: requests, look-ups of names, and the secrets that go with them.
//!
//! The sandbox has decided by the grants whether a request may leave; here it is decided to which address, and it is
//! done. A name is resolved once, every address is held against the guard, and the connection goes to one that passed:
//! what the name means a moment later does not matter. No redirect is followed, no proxy is taken from the environment,
//! and no connection is kept, so nothing of one request is left for the next.
//!
//! All of it blocks, for the time that the call has left, and runs on the threads that run guests: tasks of modules
//! that may wait are run aside (see `tenter_engine`), never in a lane.

mod dns;
mod fetch;
mod names;
pub(crate) mod secrets;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};
use tenter_model::ModuleName;
use tenter_model::config::Egress as Settings;
use tenter_model::egress::{Asking, HttpError, HttpRequest, HttpResponse, Lookup, Outside, ResolveError, SecretError};
use ureq::Proxy;
use ureq::tls::{Certificate, PemItem, RootCerts, parse_pem};
use zeroize::Zeroizing;

pub(crate) use fetch::encode;
use names::{Names, System};
use secrets::Secrets;

/// The way out of this server.
pub(crate) struct Egress {
    secrets: Arc<Secrets>,
    names: Arc<dyn Names>,
    /// What the operator put between this server and the world.
    proxy: Option<Proxy>,
    roots: RootCerts,
    /// Servers of names; empty: those of the system.
    servers: Vec<SocketAddr>,
}

impl Egress {
    /// As `tenter.yml` says.
    ///
    /// # Errors
    /// When the file of certificates cannot be used.
    pub(crate) fn open(settings: &Settings, secrets: Arc<Secrets>) -> anyhow::Result<Self> {
        let proxy = match &settings.proxy {
            Some(text) => Some(Proxy::new(text).ok().context("tenter.yml: egress.proxy is no address of a proxy")?),
            None => None,
        };
        let roots = match &settings.ca_file {
            Some(path) => roots_with(Path::new(path)).with_context(|| format!("tenter.yml: egress.ca_file {path}"))?,
            None => RootCerts::WebPki,
        };
        Ok(Self { secrets, names: Arc::new(System::default()), proxy, roots, servers: settings.dns.clone() })
    }
}

/// The certificates that browsers trust, and those of a file.
fn roots_with(path: &Path) -> anyhow::Result<RootCerts> {
    let pem = std::fs::read(path).context("cannot be read")?;
    let mut own = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.context("is no PEM")? {
            own.push(certificate);
        }
    }
    anyhow::ensure!(!own.is_empty(), "holds no certificate");
    let bundled = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(|der| Certificate::from_der(der).to_owned());
    Ok(RootCerts::from(bundled.chain(own)))
}

impl Outside for Egress {
    fn send(&self, asking: &Asking<'_>, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        fetch::send(self, asking, request)
    }

    fn lookup(&self, asking: &Asking<'_>, lookup: Lookup<'_>) -> Result<Vec<String>, ResolveError> {
        let chosen = lookup.server.as_ref().map(std::slice::from_ref);
        dns::lookup(chosen.unwrap_or(&self.servers), asking.time, lookup.name, lookup.kind)
    }

    fn secrets(&self, module: &ModuleName) -> Vec<String> {
        self.secrets.names(module)
    }

    fn hmac_sha256(&self, module: &ModuleName, name: &str, message: &[u8]) -> Result<Vec<u8>, SecretError> {
        let secret = self.secrets.find(module, name).ok_or(SecretError::NotSet)?;
        Ok(hmac(secret.text().as_bytes(), message).to_vec())
    }
}

/// HMAC (RFC 2104) with SHA-256.
pub(crate) fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = Zeroizing::new([0; 64]);
    let digest;
    let key = if key.len() > block.len() {
        digest = Zeroizing::new(<[u8; 32]>::from(Sha256::digest(key)));
        &digest[..]
    } else {
        key
    };
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let padded = |pad: u8| Zeroizing::new(block.map(|byte| byte ^ pad));
    let inner = Sha256::new().chain_update(&padded(0x36)[..]).chain_update(message).finalize();
    Sha256::new().chain_update(&padded(0x5c)[..]).chain_update(inner).finalize().into()
}

#[cfg(test)]
mod tests;
