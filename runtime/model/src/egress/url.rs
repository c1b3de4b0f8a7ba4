//! Addresses of the web, in the one form in which this host understands them.
//!
//! Two readers of one address that disagree are how a guard is passed: so everything odd is refused rather than
//! repaired. No user information, no fragment, no backslash, no number that stands for an address, and no path that
//! another reader would fold into a different one.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// Longest address in bytes.
const MOST_BYTES: usize = 8 << 10;

/// How it is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// In clear.
    Http,
    /// With TLS.
    Https,
}

impl Scheme {
    /// As in an address.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that need not be named.
    #[must_use]
    pub fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Http, Self::Https].into_iter().find(|scheme| text.eq_ignore_ascii_case(scheme.name()))
    }
}

/// Who is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// A name in lower case.
    Name(String),
    /// An address.
    Address(IpAddr),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(ip)) => write!(f, "{ip}"),
            Self::Address(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
        }
    }
}

/// An address that was taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// How.
    pub scheme: Scheme,
    /// Who.
    pub host: Host,
    /// Where.
    pub port: u16,
    /// What: begins with `/`.
    pub path: String,
    /// What comes after the question mark, as it was given.
    pub query: Option<String>,
}

/// Without the query, which may hold what is nobody's business.
impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.name(), self.host)?;
        if self.port != self.scheme.port() {
            write!(f, ":{}", self.port)?;
        }
        f.write_str(&self.path)
    }
}

impl Url {
    /// Takes an address apart.
    ///
    /// # Errors
    /// What is wrong with it, in words; the address itself is not in them.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MOST_BYTES {
            return Err(format!("the address has more than {MOST_BYTES} bytes"));
        }
        let Parts { scheme, host, port, rest } = split(text)?;
        let host = read_host(host)?;
        let port = match port {
            None => scheme.port(),
            Some(text) => read_port(text)?,
        };
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (rest, None),
        };
        let path = if path.is_empty() { "/" } else { path };
        check_path(path)?;
        Ok(Self { scheme, host, port, path: path.to_owned(), query })
    }
}

/// The parts of an address or a pattern, not looked into.
pub(super) struct Parts<'a> {
    pub(super) scheme: Scheme,
    pub(super) host: &'a str,
    pub(super) port: Option<&'a str>,
    /// Empty, or what begins with `/` or `?`.
    pub(super) rest: &'a str,
}

pub(super) fn split(text: &str) -> Result<Parts<'_>, String> {
    if let Some(odd) = text.chars().find(|c| !c.is_ascii_graphic() || "\\\"<>^`{|}#".contains(*c)) {
        return Err(format!("{odd:?} cannot stand in an address"));
    }
    let (scheme, rest) = text.split_once("://").ok_or("an address begins with https:// or http://")?;
    let scheme = Scheme::parse(scheme).ok_or("only https:// and http:// are spoken")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
    if authority.contains('@') {
        return Err("names and passwords in an address are not taken; use a header".to_owned());
    }
    let (host, port) = match authority.rfind(']') {
        Some(at) => {
            let (host, port) = authority.split_at_checked(at + 1).unwrap_or((authority, ""));
            (host, if port.is_empty() { None } else { Some(port.strip_prefix(':').ok_or("a port follows a colon")?) })
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    Ok(Parts { scheme, host, port, rest })
}

pub(super) fn read_port(text: &str) -> Result<u16, String> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0).ok_or_else(|| "a port is 1 to 65535".to_owned())
}

pub(super) fn read_host(text: &str) -> Result<Host, String> {
    if let Some(inner) = text.strip_prefix('[') {
        let inner = inner.strip_suffix(']').ok_or("an IPv6 address stands in brackets")?;
        let address: Ipv6Addr = inner.parse().map_err(|_| "what is in the brackets is no IPv6 address")?;
        return Ok(Host::Address(IpAddr::V6(address)));
    }
    if let Ok(address) = text.parse() {
        return Ok(Host::Address(IpAddr::V4(address)));
    }
    let name = text.to_ascii_lowercase();
    check_name(&name)?;
    Ok(Host::Name(name))
}

/// A name of a host in lower case.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    let good = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
    };
    if name.is_empty() || name.len() > 253 || !name.split('.').all(good) {
        return Err("the host is no name; expected labels of letters, digits and -, with dots between \
                    (names of other scripts in their xn-- form)"
            .to_owned());
    }
    let last = name.rsplit('.').next().unwrap_or(name);
    if last.bytes().all(|b| b.is_ascii_digit()) || last.strip_prefix("0x").is_some() {
        return Err("the host is a number; write an IPv4 address as four decimal numbers".to_owned());
    }
    Ok(())
}

/// Refuses what another reader may take for a different path: `..` in any spelling.
pub(super) fn check_path(path: &str) -> Result<(), String> {
    let mut text = path.to_owned();
    // Encoded twice is decoded twice by some.
    for _ in 0..3 {
        let decoded = decode(&text);
        if decoded == text {
            break;
        }
        text = decoded;
    }
    let dots = |segment: &str| matches!(segment.split(';').next(), Some("." | ".."));
    if text.split(['/', '\\']).any(dots) {
        return Err("a path with . or .. as a part is not sent".to_owned());
    }
    Ok(())
}

/// Decodes the characters that paths are folded by.
fn decode(text: &str) -> String {
    let mut text = text.to_owned();
    for (code, plain) in [("%2e", "."), ("%2f", "/"), ("%5c", "\\"), ("%3b", ";"), ("%25", "%")] {
        text = text.replace(code, plain).replace(&code.to_uppercase(), plain);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let url = Url::parse("HTTPS://Api.Example.org:8443/v1/look?ip=192.0.2.1&x").unwrap();
        assert_eq!((url.scheme, url.port), (Scheme::Https, 8443));
        assert_eq!(url.host, Host::Name("api.example.org".into()));
        assert_eq!((url.path.as_str(), url.query.as_deref()), ("/v1/look", Some("ip=192.0.2.1&x")));
        assert_eq!(url.to_string(), "https://api.example.org:8443/v1/look");
        assert_eq!(Url::parse("http://192.0.2.1").unwrap().to_string(), "http://192.0.2.1/");
        let six = Url::parse("http://[2001:db8::1]:81?q").unwrap();
        assert_eq!((six.to_string().as_str(), six.query.as_deref()), ("http://[2001:db8::1]:81/", Some("q")));
        // What a path means to its server is its own affair, as long as it folds to nothing else.
        Url::parse("https://example.org/api/group%2Fproject/a..b/...").unwrap();
    }

    #[test]
    fn what_two_readers_may_understand_differently_is_refused() {
        for odd in [
            "ftp://example.org/",
            "example.org/",
            "//example.org/",
            "https:///x",
            "https://",
            "http://good.example@evil.example/",
            "http://good.example\\@evil.example/",
            "http://example.org/#x",
            "http://example.org/ x",
            "http://example.org/\u{7}",
            "http://exämple.org/",
            "http://example.org:0/",
            "http://example.org:+80/",
            "http://example.org:99999/",
            "http://example.org:/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://127.1/",
            "http://0177.0.0.1/",
            "http://127.0.0.1./",
            "http://[::1/",
            "http://[::1%25eth0]/",
            "http://[::1]x/",
            "http://example..org/",
            "http://example.org/v1/../admin",
            "http://example.org/v1/%2e%2E/admin",
            "http://example.org/v1/..%2fadmin",
            "http://example.org/v1/..%5Cadmin",
            "http://example.org/v1/%252e%252e/admin",
            "http://example.org/v1/..;/admin",
            "http://example.org/v1/.",
        ] {
            assert!(Url::parse(odd).is_err(), "{odd}: {:?}", Url::parse(odd));
        }
    }
}
