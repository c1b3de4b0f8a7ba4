//! What a module can be granted. Default: nothing but log, call facts, configuration and its own outputs.

use serde::{Deserialize, Serialize};

/// One row of the table of capabilities.
#[derive(Debug, Clone, Copy)]
pub struct Capability {
    /// Name, in `configure`, `tenter grant` and stored grants.
    pub name: &'static str,
    /// What the scope means; empty where there is none.
    pub scope: &'static str,
    /// What it lets a module do.
    pub what: &'static str,
}

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
    Capability { name: "http", scope: "METHOD URL-pattern", what: "send requests to outside services" },
    Capability { name: "resolver", scope: "", what: "look names up" },
    Capability { name: "secret", scope: "name of the secret", what: "use a secret without seeing it" },
    Capability { name: "files", scope: "name of the folder", what: "read a folder that the operator named" },
    Capability { name: "case-write", scope: "kind of object, or *", what: "change case objects" },
];

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
    /// `TYPE.ATTRIBUTE`.
    #[must_use]
    pub fn covers(&self, capability: &str, scope: &str) -> bool {
        self.capability == capability
            && (self.scope == "*"
                || self.scope == scope
                || (capability == "write-entities"
                    && scope.strip_prefix(self.scope.as_str()).is_some_and(|rest| rest.starts_with('.'))))
    }
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
}
