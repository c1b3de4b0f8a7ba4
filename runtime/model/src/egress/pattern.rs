//! What a grant of `http` lets through: `METHOD[,METHOD] URL-pattern [at NETWORK[,NETWORK]]`.
//!
//! `*` as method is any. In the URL the host may be `*` (any) or begin with `*.` (any name below), the port may be `*`,
//! and the path may end in `*` (any rest); a pattern without a path is for all of them. Nothing else is special, and the
//! query is not looked at. `at` names networks beside the Internet at large that this grant opens, such as
//! `10.0.0.0/8` for an internal service; only an operator can say so, never a module.

use std::fmt;

use super::address::Network;
use super::url::{self, Host, Scheme, Url};
use super::{METHODS, url::Parts};

/// A pattern that was taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// None: any.
    methods: Vec<String>,
    scheme: Scheme,
    host: HostPattern,
    /// None: any.
    port: Option<u16>,
    path: PathPattern,
    at: Vec<Network>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum HostPattern {
    Any,
    /// Names below this one.
    Below(String),
    One(Host),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum PathPattern {
    Any,
    Beginning(String),
    One(String),
}

impl Pattern {
    /// Takes a scope apart.
    ///
    /// # Errors
    /// What is wrong, and what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut words = text.split_ascii_whitespace();
        let (Some(methods), Some(address)) = (words.next(), words.next()) else {
            return Err(format!("{text:?} is no scope of http; expected METHOD URL-pattern, such as {EXAMPLE:?}"));
        };
        let at = match (words.next(), words.next(), words.next()) {
            (None, ..) => Vec::new(),
            (Some("at"), Some(networks), None) => networks.split(',').map(str::parse).collect::<Result<_, _>>()?,
            _ => {
                return Err(format!(
                    "after the URL-pattern of {text:?} nothing may follow but \"at NETWORK\", such as \"at 10.0.0.0/8\""
                ));
            }
        };
        let Parts { scheme, host, port, rest } = url::split(address)?;
        let host = HostPattern::parse(host)?;
        let port = match port {
            None => Some(scheme.port()),
            Some("*") => None,
            Some(port) => Some(url::read_port(port)?),
        };
        Ok(Self { methods: read_methods(methods)?, scheme, host, port, path: read_path(rest)?, at })
    }

    /// Networks beside the Internet at large that it opens.
    #[must_use]
    pub fn networks(&self) -> &[Network] {
        &self.at
    }

    /// Whether a request may go there.
    #[must_use]
    pub fn allows(&self, method: &str, url: &Url) -> bool {
        (self.methods.is_empty() || self.methods.iter().any(|known| known == method))
            && self.scheme == url.scheme
            && self.host.covers(&HostPattern::One(url.host.clone()))
            && self.port.is_none_or(|port| port == url.port)
            && self.path.covers(&PathPattern::One(url.path.clone()))
    }

    /// Whether all that the other lets through is let through by this one. What `at` opens is no part of the question.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let methods = self.methods.is_empty()
            || (!other.methods.is_empty() && other.methods.iter().all(|method| self.methods.contains(method)));
        methods
            && self.scheme == other.scheme
            && self.host.covers(&other.host)
            && (self.port.is_none() || self.port == other.port)
            && self.path.covers(&other.path)
    }
}

/// A scope that messages show.
pub const EXAMPLE: &str = "POST https://hooks.example.org/incoming/*";

/// Whether a text can name hosts as patterns do: a host, `*.` and a name, or `*`.
///
/// # Errors
/// What was expected.
pub fn check_host(text: &str) -> Result<(), String> {
    HostPattern::parse(text).map(|_| ())
}

/// Whether a host is among those that a text names. A text that names none matches none.
#[must_use]
pub fn host_matches(text: &str, host: &Host) -> bool {
    HostPattern::parse(text).is_ok_and(|pattern| pattern.covers(&HostPattern::One(host.clone())))
}

impl HostPattern {
    fn parse(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self::Any);
        }
        match text.strip_prefix("*.") {
            Some(name) => {
                let name = name.to_ascii_lowercase();
                url::check_name(&name)?;
                Ok(Self::Below(name))
            }
            None => Ok(Self::One(url::read_host(text)?)),
        }
    }

    fn covers(&self, other: &Self) -> bool {
        let below = |name: &str, top: &str| name.strip_suffix(top).is_some_and(|rest| rest.ends_with('.'));
        match (self, other) {
            (Self::Any, _) => true,
            (Self::Below(top), Self::One(Host::Name(name))) => below(name, top),
            (Self::Below(top), Self::Below(name)) => name == top || below(name, top),
            (Self::One(a), Self::One(b)) => a == b,
            (Self::Below(_) | Self::One(_), _) => false,
        }
    }
}

impl PathPattern {
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (Self::Beginning(start), Self::Beginning(path) | Self::One(path)) => path.starts_with(start),
            (Self::One(a), Self::One(b)) => a == b,
            (Self::Beginning(_), Self::Any) | (Self::One(_), _) => false,
        }
    }
}

fn read_methods(text: &str) -> Result<Vec<String>, String> {
    if text == "*" {
        return Ok(Vec::new());
    }
    let one = |method: &str| match METHODS.iter().find(|known| known.eq_ignore_ascii_case(method)) {
        Some(known) => Ok((*known).to_owned()),
        None => Err(format!("{method:?} is no method; expected * or of {}", METHODS.join(", "))),
    };
    text.split(',').map(one).collect()
}

fn read_path(text: &str) -> Result<PathPattern, String> {
    if text.contains('?') {
        return Err("a pattern has no query: it is not looked at".to_owned());
    }
    let path = match text.strip_suffix('*') {
        Some(start) => PathPattern::Beginning(start.to_owned()),
        None if text.is_empty() => PathPattern::Any,
        None => PathPattern::One(text.to_owned()),
    };
    let shown = text.trim_end_matches('*');
    if shown.contains('*') {
        return Err("in a path * stands at the end alone".to_owned());
    }
    url::check_path(shown)?;
    Ok(path)
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods = if self.methods.is_empty() { "*".to_owned() } else { self.methods.join(",") };
        write!(f, "{methods} {}://", self.scheme.name())?;
        match &self.host {
            HostPattern::Any => f.write_str("*")?,
            HostPattern::Below(name) => write!(f, "*.{name}")?,
            HostPattern::One(host) => write!(f, "{host}")?,
        }
        match self.port {
            None => f.write_str(":*")?,
            Some(port) if port != self.scheme.port() => write!(f, ":{port}")?,
            Some(_) => {}
        }
        match &self.path {
            PathPattern::Any => {}
            PathPattern::Beginning(start) => write!(f, "{start}*")?,
            PathPattern::One(path) => f.write_str(path)?,
        }
        if !self.at.is_empty() {
            let networks: Vec<String> = self.at.iter().map(ToString::to_string).collect();
            write!(f, " at {}", networks.join(","))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(pattern: &str, method: &str, url: &str) -> bool {
        Pattern::parse(pattern).unwrap().allows(method, &Url::parse(url).unwrap())
    }

    #[test]
    fn a_pattern_lets_through_what_it_says() {
        let api = "GET,POST https://api.example.org/v1/*";
        assert!(allows(api, "GET", "https://api.example.org/v1/look?x=1"));
        assert!(allows(api, "POST", "https://API.example.org:443/v1/"));
        for (method, url) in [
            ("DELETE", "https://api.example.org/v1/look"),
            ("GET", "http://api.example.org/v1/look"),
            ("GET", "https://api.example.org:8443/v1/look"),
            ("GET", "https://api.example.org/v2/look"),
            ("GET", "https://api.example.org/"),
            ("GET", "https://xapi.example.org/v1/look"),
            ("GET", "https://api.example.org.evil.example/v1/look"),
            ("GET", "https://192.0.2.1/v1/look"),
        ] {
            assert!(!allows(api, method, url), "{method} {url}");
        }
        assert!(allows("* https://*.example.org", "PUT", "https://a.b.example.org/any"));
        assert!(!allows("* https://*.example.org", "PUT", "https://example.org/any"));
        assert!(!allows("* https://*.example.org", "PUT", "https://badexample.org/any"));
        assert!(allows("GET http://*:*", "GET", "http://127.0.0.1:9/x"));
        assert!(allows("GET https://example.org/exactly", "GET", "https://example.org/exactly?a"));
        assert!(!allows("GET https://example.org/exactly", "GET", "https://example.org/exactly/more"));
        assert!(!allows("GET https://example.org/", "GET", "https://example.org/x"));
        assert!(allows("GET https://example.org", "GET", "https://example.org/x"));
        assert!(allows("get https://[2001:db8::1]", "GET", "https://[2001:db8:0::1]/x"));
    }

    #[test]
    fn a_wish_is_covered_by_what_is_wider() {
        let covers = |grant: &str, wish: &str| Pattern::parse(grant).unwrap().covers(&Pattern::parse(wish).unwrap());
        let wish = "POST https://hooks.example.org/in/*";
        for wider in [
            wish,
            "* https://hooks.example.org",
            "POST https://*.example.org/*",
            "GET,POST https://*:*/in/*",
            "POST https://hooks.example.org/in/* at 10.0.0.0/8",
        ] {
            assert!(covers(wider, wish), "{wider}");
        }
        for narrower in [
            "GET https://hooks.example.org/in/*",
            "POST https://hooks.example.org/in/here",
            "POST https://hooks.example.org/in/here/*",
            "POST http://hooks.example.org",
            "POST https://*.hooks.example.org",
            "POST https://hooks.example.org:8443/in/*",
        ] {
            assert!(!covers(narrower, wish), "{narrower}");
        }
        assert!(!covers("POST https://example.org", "* https://example.org"));
        assert!(!covers("POST https://example.org/*", "POST https://example.org"));
        assert!(covers("* https://*.org", "* https://*.example.org"));
        assert!(!covers("* https://*.example.org", "* https://*"));
    }

    #[test]
    fn patterns_are_written_as_they_are_read() {
        for text in [
            "POST https://hooks.example.org/incoming/*",
            "* https://*.example.org:*",
            "GET,HEAD http://127.0.0.1:8080/x at 127.0.0.0/8,::1/128",
        ] {
            assert_eq!(Pattern::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Pattern::parse(EXAMPLE).unwrap().to_string(), EXAMPLE);
    }

    #[test]
    fn wrong_patterns_are_explained() {
        let wrong = |text: &str| Pattern::parse(text).unwrap_err();
        insta::assert_snapshot!(wrong("https://example.org"), @r#""https://example.org" is no scope of http; expected METHOD URL-pattern, such as "POST https://hooks.example.org/incoming/*""#);
        insta::assert_snapshot!(wrong("SEND https://example.org"), @r#""SEND" is no method; expected * or of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"#);
        insta::assert_snapshot!(wrong("GET https://example.org/a*b*"), @"in a path * stands at the end alone");
        insta::assert_snapshot!(wrong("GET https://exam*.org/"), @"the host is no name; expected labels of letters, digits and -, with dots between (names of other scripts in their xn-- form)");
        insta::assert_snapshot!(wrong("GET https://example.org/ to 10.0.0.0/8"), @r#"after the URL-pattern of "GET https://example.org/ to 10.0.0.0/8" nothing may follow but "at NETWORK", such as "at 10.0.0.0/8""#);
        insta::assert_snapshot!(wrong("GET https://example.org/ at 10.0.0.0/99"), @r#""10.0.0.0/99" is no network; expected such as 10.0.0.0/8, fd00::/8 or 127.0.0.1"#);
        insta::assert_snapshot!(wrong("GET https://example.org/x?y"), @"a pattern has no query: it is not looked at");
    }
}
