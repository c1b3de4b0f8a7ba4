//! What modules may reach outside of the host, and the border between the sandbox, which asks, and the server, which
//! does.
//!
//! The rules are here, and need no IO: [`Url`] is the one form in which an address is understood, [`Pattern`] says what
//! a grant lets through, [`address`] which addresses are of the Internet at large. Whoever implements [`Outside`]
//! resolves a name once, holds every address against the rules, and connects to one that passed.

pub mod address;
pub mod pattern;
pub mod url;

use std::net::SocketAddr;
use std::time::Duration;

use crate::id::ModuleName;

pub use address::Network;
pub use pattern::Pattern;
pub use url::{Host, Scheme, Url};

/// Methods that modules may use.
pub const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// A text that is clear, or a secret that the host puts in behind the module's back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sensitive {
    /// As it is.
    Clear(String),
    /// `prefix` and then the text of the secret of that name.
    Secret {
        /// What comes before it, such as `Bearer `.
        prefix: String,
        /// Its name.
        name: String,
    },
}

/// A request that the grants let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// One of [`METHODS`].
    pub method: String,
    /// Where to.
    pub url: Url,
    /// More of the query, not encoded yet.
    pub query: Vec<(String, Sensitive)>,
    /// Headers by name.
    pub headers: Vec<(String, Sensitive)>,
    /// The body, if there is one.
    pub body: Option<Vec<u8>>,
}

/// An answer, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status, 100 to 999.
    pub status: u16,
    /// Headers in order; those that are no text are left out.
    pub headers: Vec<(String, String)>,
    /// The body as it was sent: nothing is decompressed.
    pub body: Vec<u8>,
}

/// Why there is no answer. Texts never hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// A rule of the host or of the operator is against it.
    #[error("denied: {0}")]
    Denied(String),
    /// The request makes no sense.
    #[error("invalid: {0}")]
    Invalid(String),
    /// The time of the request or of the call was used up.
    #[error("timed out")]
    TimedOut,
    /// The request or the answer is larger than allowed.
    #[error("too large")]
    TooLarge,
    /// Nobody answered.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// Something else.
    #[error("{0}")]
    Other(String),
}

/// Why a name was not found out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// This host looks no names up.
    #[error("denied")]
    Denied,
    /// There is no such name, or it has no such record.
    #[error("not found")]
    NotFound,
    /// No server answered in time.
    #[error("timed out")]
    TimedOut,
    /// Something else.
    #[error("{0}")]
    Other(String),
}

/// Why a secret was not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The operator has not set it.
    #[error("the secret is not set")]
    NotSet,
    /// Something else.
    #[error("{0}")]
    Other(String),
}

/// Kinds of records that can be looked up.
pub const RECORDS: &[&str] = &["A", "AAAA", "PTR", "TXT", "MX", "NS", "CNAME"];

/// A question to a server of names.
#[derive(Debug, Clone, Copy)]
pub struct Lookup<'a> {
    /// The name; for `PTR` it may be an address.
    pub name: &'a str,
    /// One of [`RECORDS`].
    pub kind: &'a str,
    /// Who is asked; absent: the operator's servers.
    pub server: Option<SocketAddr>,
}

/// Who asks, and within what bounds.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// The module.
    pub module: &'a ModuleName,
    /// How long it may wait.
    pub time: Duration,
    /// Networks beside the Internet at large that its grants open for this request.
    pub internal: &'a [Network],
}

/// What lies outside of the host. Called from plain threads, and allowed to block for the time of the asking.
pub trait Outside: Send + Sync {
    /// Sends a request. Follows no redirect.
    ///
    /// # Errors
    /// [`HttpError`], as the module is to see it.
    fn send(&self, asking: &Asking<'_>, request: &HttpRequest) -> Result<HttpResponse, HttpError>;

    /// Looks a name up.
    ///
    /// # Errors
    /// [`ResolveError`], as the module is to see it.
    fn lookup(&self, asking: &Asking<'_>, lookup: Lookup<'_>) -> Result<Vec<String>, ResolveError>;

    /// Names of a module's secrets that are set, in order.
    fn secrets(&self, module: &ModuleName) -> Vec<String>;

    /// HMAC-SHA-256 of a message under a secret.
    ///
    /// # Errors
    /// [`SecretError::NotSet`].
    fn hmac_sha256(&self, module: &ModuleName, name: &str, message: &[u8]) -> Result<Vec<u8>, SecretError>;
}

/// For tools and tests: nothing can be reached and no secret is set.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nowhere;

impl Outside for Nowhere {
    fn send(&self, _: &Asking<'_>, _: &HttpRequest) -> Result<HttpResponse, HttpError> {
        Err(HttpError::Denied("no request leaves this host: it is a tool, not a server".to_owned()))
    }

    fn lookup(&self, _: &Asking<'_>, _: Lookup<'_>) -> Result<Vec<String>, ResolveError> {
        Err(ResolveError::Denied)
    }

    fn secrets(&self, _: &ModuleName) -> Vec<String> {
        Vec::new()
    }

    fn hmac_sha256(&self, _: &ModuleName, _: &str, _: &[u8]) -> Result<Vec<u8>, SecretError> {
        Err(SecretError::NotSet)
    }
}
