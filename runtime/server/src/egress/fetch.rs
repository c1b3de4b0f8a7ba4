//! One request, to an address that passed the guard.

use std::io::Read as _;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use tenter_model::egress::{Asking, Host, HttpError, HttpRequest, HttpResponse, Sensitive, address};
use tenter_model::limits::{MAX_HTTP_RESPONSE_BYTES, MAX_HTTP_RESPONSE_HEADER_BYTES};
use ureq::config::{AutoHeaderValue, Config};
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Request, Uri};
use ureq::tls::TlsConfig;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Body};
use zeroize::Zeroizing;

use super::Egress;
use super::names::Unfound;
use super::secrets::Secret;

/// What stands in an answer where a secret stood.
const MASK: &[u8] = b"***";

/// Sends a request and reads its answer.
pub(super) fn send(egress: &Egress, asking: &Asking<'_>, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
    let until = Instant::now() + asking.time;
    let mut used = Used { egress, asking, request, secrets: Vec::new() };
    let uri = used.uri()?;
    let headers = used.headers()?;
    // Services of the operator's own networks are reached as they are; the proxy is for the rest.
    let proxy = egress.proxy.as_ref().filter(|_| asking.internal.is_empty());
    let addresses = match (&request.url.host, proxy) {
        (Host::Address(ip), _) => passed(vec![*ip], request, asking)?,
        (Host::Name(name), None) => passed(resolved(egress, name, left(until)?)?, request, asking)?,
        // What the name means is then for the proxy to say, and what it may mean too.
        (Host::Name(_), Some(_)) => Vec::new(),
    };
    let config = Config::builder()
        .http_status_as_error(false)
        .max_redirects(0)
        // A body with DELETE or OPTIONS is unusual, and allowed.
        .allow_non_standard_methods(true)
        .proxy(proxy.cloned())
        .timeout_global(Some(left(until)?))
        .max_response_header_size(MAX_HTTP_RESPONSE_HEADER_BYTES)
        .max_idle_connections(0)
        .user_agent(AutoHeaderValue::None)
        .accept_encoding(AutoHeaderValue::None)
        .tls_config(TlsConfig::builder().root_certs(egress.roots.clone()).build())
        .build();
    let pinned = Pinned { port: request.url.port, addresses, proxied: proxy.is_some() };
    let agent = Agent::with_parts(config, DefaultConnector::default(), pinned);
    let answer = answered(&agent, request, uri, headers).map_err(explained)?;
    let (head, body) = answer.into_parts();
    let headers = used.masked_headers(&head.headers);
    let body = used.masked(read(body)?);
    Ok(HttpResponse { status: head.status.as_u16(), headers, body })
}

fn left(until: Instant) -> Result<Duration, HttpError> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(HttpError::TimedOut) } else { Ok(left) }
}

fn resolved(egress: &Egress, name: &str, time: Duration) -> Result<Vec<IpAddr>, HttpError> {
    egress.names.addresses(name, time).map_err(|unfound| match unfound {
        Unfound::NoSuchHost => HttpError::Unreachable("there is no such host".to_owned()),
        Unfound::TimedOut => HttpError::TimedOut,
    })
}

/// The addresses that may be connected to.
fn passed(all: Vec<IpAddr>, request: &HttpRequest, asking: &Asking<'_>) -> Result<Vec<IpAddr>, HttpError> {
    let mut refused = None;
    let mut passed = Vec::new();
    for ip in all {
        match address::check(ip, asking.internal) {
            Ok(()) => passed.push(ip),
            Err(kind) => refused = refused.or(Some((ip, kind))),
        }
    }
    match refused {
        Some((ip, kind)) if passed.is_empty() => Err(HttpError::Denied(format!(
            "egress-denied: {} is at {ip}, which is {kind}; if module {} may reach it, grant http with a scope that ends \
             with \"at {ip}\"",
            request.url.host, asking.module
        ))),
        _ => Ok(passed),
    }
}

fn answered(
    agent: &Agent,
    request: &HttpRequest,
    uri: Uri,
    headers: HeaderMap,
) -> Result<ureq::http::Response<Body>, ureq::Error> {
    let mut made = Request::builder().method(request.method.as_str()).uri(uri);
    if let Some(to) = made.headers_mut() {
        *to = headers;
    }
    let takes_body = matches!(request.method.as_str(), "POST" | "PUT" | "PATCH");
    match &request.body {
        None if !takes_body => agent.run(made.body(())?),
        body => agent.run(made.body(body.clone().unwrap_or_default())?),
    }
}

fn read(body: Body) -> Result<Vec<u8>, HttpError> {
    let most = MAX_HTTP_RESPONSE_BYTES as u64;
    if body.content_length().is_some_and(|length| length > most) {
        return Err(HttpError::TooLarge);
    }
    let mut bytes = Vec::new();
    body.into_reader().take(most + 1).read_to_end(&mut bytes).map_err(|error| explained(error.into()))?;
    if bytes.len() > MAX_HTTP_RESPONSE_BYTES { Err(HttpError::TooLarge) } else { Ok(bytes) }
}

/// What went wrong, without the address: its query may hold a secret.
fn explained(error: ureq::Error) -> HttpError {
    match error {
        ureq::Error::Timeout(_) => HttpError::TimedOut,
        ureq::Error::HostNotFound => HttpError::Unreachable("there is no such host".to_owned()),
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => HttpError::TimedOut,
        ureq::Error::Io(error) => HttpError::Unreachable(error.to_string()),
        ureq::Error::Rustls(error) => HttpError::Unreachable(format!("TLS: {error}")),
        ureq::Error::Tls(error) => HttpError::Unreachable(format!("TLS: {error}")),
        ureq::Error::ConnectProxyFailed(why) => HttpError::Unreachable(format!("the proxy of this server: {why}")),
        ureq::Error::ConnectionFailed => HttpError::Unreachable("no connection".to_owned()),
        ureq::Error::LargeResponseHeader(..) => HttpError::TooLarge,
        ureq::Error::Protocol(error) => HttpError::Other(format!("the answer is no HTTP: {error}")),
        ureq::Error::Http(_) => HttpError::Invalid("the request cannot be written as HTTP".to_owned()),
        _ => HttpError::Other("the request failed".to_owned()),
    }
}

/// Answers with the addresses that passed, whatever is asked for; with a proxy it finds that.
#[derive(Debug)]
struct Pinned {
    port: u16,
    addresses: Vec<IpAddr>,
    proxied: bool,
}

impl Resolver for Pinned {
    fn resolve(&self, uri: &Uri, config: &Config, time: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        if self.proxied {
            return ureq::unversioned::resolver::DefaultResolver::default().resolve(uri, config, time);
        }
        let mut found = self.empty();
        // As many as the array holds.
        for ip in self.addresses.iter().take(16) {
            found.push(SocketAddr::new(*ip, self.port));
        }
        if self.addresses.is_empty() { Err(ureq::Error::HostNotFound) } else { Ok(found) }
    }
}

/// A request while its secrets are put in.
struct Used<'a> {
    egress: &'a Egress,
    asking: &'a Asking<'a>,
    request: &'a HttpRequest,
    /// Those it uses, to take them out of the answer again.
    secrets: Vec<Secret>,
}

impl Used<'_> {
    /// The address with its whole query.
    fn uri(&mut self) -> Result<Uri, HttpError> {
        let url = &self.request.url;
        let mut text = Zeroizing::new(url.to_string());
        let mut joint = '?';
        if let Some(query) = &url.query {
            text.push('?');
            text.push_str(query);
            joint = '&';
        }
        for (name, value) in &self.request.query {
            let value = self.text(value)?;
            text.push(joint);
            encode(&mut text, name);
            text.push('=');
            encode(&mut text, &value);
            joint = '&';
        }
        text.parse().map_err(|_| HttpError::Invalid("the address cannot be sent".to_owned()))
    }

    fn headers(&mut self) -> Result<HeaderMap, HttpError> {
        let mut map = HeaderMap::new();
        let mut agent = format!("tenter/{} (module {})", env!("CARGO_PKG_VERSION"), self.asking.module);
        for (name, value) in &self.request.headers {
            if name.eq_ignore_ascii_case("user-agent")
                && let Sensitive::Clear(text) = value
            {
                agent.clone_from(text);
                continue;
            }
            let wrong = || HttpError::Invalid(format!("the header {name} cannot be sent"));
            let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
            let mut text = HeaderValue::from_str(&self.text(value)?).map_err(|_| wrong())?;
            text.set_sensitive(matches!(value, Sensitive::Secret { .. }));
            map.append(header, text);
        }
        if let Ok(agent) = HeaderValue::from_str(&agent) {
            map.insert("user-agent", agent);
        }
        Ok(map)
    }

    /// The text of a value, with the secret in its place.
    fn text(&mut self, value: &Sensitive) -> Result<Zeroizing<String>, HttpError> {
        let (prefix, name) = match value {
            Sensitive::Clear(text) => return Ok(Zeroizing::new(text.clone())),
            Sensitive::Secret { prefix, name } => (prefix, name),
        };
        let module = self.asking.module;
        let Some(secret) = self.egress.secrets.find(module, name) else {
            let text = format!("the secret {name} is not set; tenter secret set {module} {name} sets it");
            return Err(HttpError::Invalid(text));
        };
        let host = &self.request.url.host;
        if !secret.is_for(host) {
            return Err(HttpError::Denied(format!(
                "the secret {name} of module {module} is not for {host}, but for {}",
                secret.hosts().join(", ")
            )));
        }
        let text = Zeroizing::new(format!("{prefix}{}", secret.text()));
        self.secrets.push(secret);
        Ok(text)
    }

    fn masked_headers(&self, headers: &HeaderMap) -> Vec<(String, String)> {
        let text = |value: &HeaderValue| String::from_utf8(self.masked(value.as_bytes().to_vec())).ok();
        headers.iter().filter_map(|(name, value)| Some((name.as_str().to_owned(), text(value)?))).collect()
    }

    /// Some services answer with what they were asked. What was secret stays so, as far as it comes back as it is.
    fn masked(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        for secret in &self.secrets {
            let text = secret.text().as_bytes();
            let mut from = 0;
            while let Some(at) = find(bytes.get(from..).unwrap_or_default(), text) {
                bytes.splice(from + at..from + at + text.len(), MASK.iter().copied());
                from += at + MASK.len();
            }
        }
        bytes
    }
}

fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    let first = *text.first()?;
    let starts = bytes.iter().enumerate().filter(|(_, byte)| **byte == first).map(|(at, _)| at);
    starts.into_iter().find(|at| bytes.get(*at..).is_some_and(|rest| rest.starts_with(text)))
}

/// Percent-encodes what is not unreserved.
pub(crate) fn encode(to: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => to.push(char::from(byte)),
            _ => {
                const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
                let digit = |n: u8| DIGITS.get(usize::from(n)).map_or('0', |d| char::from(*d));
                to.push('%');
                to.push(digit(byte >> 4));
                to.push(digit(byte & 15));
            }
        }
    }
}
