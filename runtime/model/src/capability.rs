//! What a module can be granted. Default: nothing but log, call facts, configuration and its own outputs.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::egress::{Network, Pattern, Url, address};

/// One row of the table of capabilities.
#[derive(Debug, Clone, Copy)]
pub struct Capability {
    /// Name, in `configure`, `tenter grant` and stored grants.
    pub name: &'static str,
    /// What the scope means; empty where there is none, in brackets where it may be left out.
    pub scope: &'static str,
    /// What it lets a module do.
    pub what: &'static str,
}

/// Where servers of names listen.
pub const DNS_PORT: u16 = 53;

/// All capabilities that modules can ask for. Unknown names are refused at upload.
pub const TABLE: &[Capability] = &[
    Capability { name: "state", scope: "", what: "keep private keys and values" },
    Capability {
        name: "read-entities",
        scope: "entity type, or *",
        what: "read master records, and current values beyond a view",
    },
    Capability {
        name: "write-entities",
        scope: "entity type, TYPE.ATTRIBUTE, or *",
        what: "return tasks that write these",
    },
    Capability { name: "delete-entity", scope: "entity type, or *", what: "return tasks that remove entities" },
    Capability { name: "http", scope: "METHOD URL-pattern [at NETWORK]", what: "send requests to outside services" },
    Capability { name: "resolver", scope: "[NETWORK of servers, or *]", what: "look names up" },
    Capability { name: "secret", scope: "name of the secret", what: "use a secret without seeing it" },
    Capability { name: "files", scope: "name of the folder", what: "read a folder that the operator named" },
    Capability { name: "case-write", scope: "kind of object, or *", what: "change case objects" },
];

impl Capability {
    /// Whether it cannot do without a scope.
    #[must_use]
    pub fn needs_scope(&self) -> bool {
        !self.scope.is_empty() && !self.scope.starts_with('[')
    }
}

/// The row of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Capability> {
    TABLE.iter().find(|c| c.name == name)
}

/// A capability with its scope: asked for by a module or granted by the operator.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Grant {
    /// Name in the table.
    pub capability: String,
    /// Its argument; empty where there is none.
    #[serde(default)]
    pub scope: String,
}

impl Grant {
    /// Whether this grant covers a use of `capability` on `scope`. `*` covers all; a scope `TYPE` covers
    /// `TYPE.ATTRIBUTE`, patterns of `http` cover narrower ones, networks of `resolver` those within and the operator's
    /// servers.
    #[must_use]
    pub fn covers(&self, capability: &str, scope: &str) -> bool {
        self.capability == capability
            && (self.scope == "*"
                || self.scope == scope
                || (capability == "write-entities"
                    && scope.strip_prefix(self.scope.as_str()).is_some_and(|rest| rest.starts_with('.')))
                || (capability == "http" && self.is_wider(scope))
                || (capability == "resolver" && (scope.is_empty() || holds(&self.scope, scope))))
    }

    /// Whether this grant lets a request through.
    #[must_use]
    pub fn allows(&self, method: &str, url: &Url) -> bool {
        self.capability == "http"
            && (self.scope == "*" || Pattern::parse(&self.scope).is_ok_and(|pattern| pattern.allows(method, url)))
    }

    /// Whether this grant lets a server of names be asked that is none of the operator's: one in the network of its
    /// scope, or with `*` any of the Internet at large at the port of DNS.
    #[must_use]
    pub fn opens(&self, server: SocketAddr) -> bool {
        if self.capability != "resolver" {
            return false;
        }
        if self.scope == "*" {
            return server.port() == DNS_PORT && address::check(server.ip(), &[]).is_ok();
        }
        self.scope.parse::<Network>().is_ok_and(|network| network.contains(server.ip()))
    }

    /// Networks beside the Internet at large that it opens.
    #[must_use]
    pub fn networks(&self) -> Vec<Network> {
        let pattern = if self.capability == "http" { Pattern::parse(&self.scope).ok() } else { None };
        pattern.map(|pattern| pattern.networks().to_vec()).unwrap_or_default()
    }

    /// Whether an operator may give it: its capability exists, and the scope is of its form.
    ///
    /// # Errors
    /// What is wrong, and what was expected.
    pub fn check(&self) -> Result<(), String> {
        let Some(known) = find(&self.capability) else {
            return Err(format!("{:?} is no capability", self.capability));
        };
        match (self.scope.as_str(), known.name) {
            ("", _) if known.needs_scope() => Err(format!("{} needs a scope: {}", known.name, known.scope)),
            ("" | "*", _) if !known.scope.is_empty() => Ok(()),
            (scope, _) if known.scope.is_empty() && !scope.is_empty() => {
                Err(format!("{} has no scope, found {scope:?}", known.name))
            }
            (scope, "http") => Pattern::parse(scope).map(drop),
            (scope, "resolver") => scope.parse::<Network>().map(drop),
            _ => Ok(()),
        }
    }

    fn is_wider(&self, scope: &str) -> bool {
        let patterns = (Pattern::parse(&self.scope), Pattern::parse(scope));
        matches!(patterns, (Ok(grant), Ok(wish)) if grant.covers(&wish))
    }
}

/// Whether one network holds another.
fn holds(wide: &str, narrow: &str) -> bool {
    matches!((wide.parse::<Network>(), narrow.parse::<Network>()), (Ok(wide), Ok(narrow)) if wide.holds(&narrow))
}

impl std::fmt::Display for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.scope.is_empty() {
            f.write_str(&self.capability)
        } else {
            write!(f, "{} {}", self.capability, self.scope)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_cover() {
        let g = |s: &str| Grant { capability: "write-entities".into(), scope: s.into() };
        assert!(g("*").covers("write-entities", "ip.hostname"));
        assert!(g("ip").covers("write-entities", "ip.hostname"));
        assert!(g("ip.hostname").covers("write-entities", "ip.hostname"));
        assert!(!g("ip.hostname").covers("write-entities", "ip.ports"));
        assert!(!g("i").covers("write-entities", "ip.hostname"));
        assert!(!g("*").covers("read-entities", "ip"));
    }

    #[test]
    fn a_wider_pattern_covers_a_narrower_one_and_opens_networks() {
        let g = |s: &str| Grant { capability: "http".into(), scope: s.into() };
        let wide = g("* https://*.example.org at 10.0.0.0/8");
        assert!(wide.covers("http", "POST https://hooks.example.org/in"));
        assert!(!wide.covers("http", "POST https://example.com/in"));
        assert_eq!(wide.networks(), ["10.0.0.0/8".parse().unwrap()]);
        let url = Url::parse("https://a.example.org/").unwrap();
        assert!(wide.allows("GET", &url) && g("*").allows("GET", &url));
        assert!(!g("POST https://a.example.org").allows("GET", &url));
        assert_eq!(g("*").networks(), []);
        let secret = Grant { capability: "secret".into(), scope: "*".into() };
        assert!(!secret.allows("GET", &url));
    }

    #[test]
    fn servers_of_names_are_the_operators_those_of_a_network_or_any() {
        let g = |s: &str| Grant { capability: "resolver".into(), scope: s.into() };
        let opens = |scope: &str, server: &str| g(scope).opens(server.parse().unwrap());
        for scope in ["", "*", "10.0.0.0/8"] {
            assert!(g(scope).covers("resolver", ""), "{scope}");
        }
        assert!(g("10.0.0.0/8").covers("resolver", "10.1.0.0/16") && g("10.0.0.0/8").covers("resolver", "10.0.0.1"));
        assert!(!g("10.1.0.0/16").covers("resolver", "10.0.0.0/8") && !g("10.0.0.0/8").covers("resolver", "*"));
        assert!(!g("").covers("resolver", "10.0.0.1"));
        assert!(opens("10.0.0.0/8", "10.1.2.3:5353") && !opens("10.0.0.0/8", "11.1.2.3:53"));
        assert!(opens("*", "8.8.8.8:53") && !opens("*", "8.8.8.8:25") && !opens("*", "127.0.0.1:53"));
        assert!(!opens("", "8.8.8.8:53"));
        assert!(!Grant { capability: "http".into(), scope: "*".into() }.opens("8.8.8.8:53".parse().unwrap()));
    }

    #[test]
    fn scopes_have_the_form_of_their_capability() {
        let check =
            |capability: &str, scope: &str| Grant { capability: capability.into(), scope: scope.into() }.check();
        assert_eq!(check("http", "*"), Ok(()));
        assert_eq!(check("http", "GET https://example.org"), Ok(()));
        assert!(check("http", "example.org").unwrap_err().contains("expected METHOD URL-pattern"));
        assert!(check("http", "").unwrap_err().contains("needs a scope"));
        assert!(check("state", "x").unwrap_err().contains("has no scope"));
        assert_eq!(
            [check("resolver", ""), check("resolver", "*"), check("resolver", "192.0.2.53")],
            [Ok(()), Ok(()), Ok(())]
        );
        assert!(check("resolver", "dns.example.org").unwrap_err().contains("is no network"));
        assert!(check("htp", "x").is_err());
    }
}
