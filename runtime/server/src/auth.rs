//! Who may do what.
//!
//! On a loopback address anybody on the machine may do what DP³ offers, as with DP³; changing modules, grants and tokens
//! always needs the token of an operator. On any other address every request but the health checks needs a token.
//! Tokens are 256 random bits with a recognisable prefix; only their SHA-256 is stored, so no slow hash is needed.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};
use tenter_model::Timestamp;
use tenter_model::case::Acting;
use tenter_store::CaseActor;

pub(crate) mod scope;
mod tokens;

pub(crate) use scope::{Area, Scope, Scopes};
pub(crate) use tokens::{TokenError, Tokens, row};

/// What a token is for; each role includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// May read.
    Viewer,
    /// May send datapoints too.
    Ingester,
    /// May change entities too.
    Analyst,
    /// May look at modules' errors and dead letters in full too.
    Author,
    /// May do everything.
    Operator,
}

impl Role {
    /// All roles, from the least to the most.
    pub(crate) const ALL: [Self; 5] = [Self::Viewer, Self::Ingester, Self::Analyst, Self::Author, Self::Operator];

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Ingester => "ingester",
            Self::Analyst => "analyst",
            Self::Author => "author",
            Self::Operator => "operator",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|role| role.name() == text)
            .ok_or_else(|| format!("{text:?} is no role; roles are viewer, ingester, analyst, author, operator"))
    }
}

/// Who sent a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// What the sender may do; `None` on open routes, where nobody asks.
    pub(crate) role: Option<Role>,
    /// Digest and label of the token that came with it.
    pub(crate) token: Option<([u8; 32], String)>,
    /// What the token is restricted to, within its role.
    pub(crate) scopes: Scopes,
}

impl Caller {
    /// On a route that is open to all.
    pub(crate) fn nobody() -> Self {
        Self { role: None, token: None, scopes: Scopes::default() }
    }

    /// Without a token on loopback.
    pub(crate) fn at_this_machine() -> Self {
        Self { role: Some(Role::Analyst), token: None, scopes: Scopes::default() }
    }

    /// How the audit log names the sender: never by the token itself.
    pub(crate) fn actor(&self) -> String {
        match (&self.token, self.role) {
            (Some((digest, label)), Some(role)) => {
                format!("{role} {}{}{label}", short(digest), if label.is_empty() { "" } else { " " })
            }
            _ => "local".to_owned(),
        }
    }

    /// Keeps the idempotency keys of senders apart.
    pub(crate) fn scope(&self) -> String {
        self.token.as_ref().map_or_else(|| "local".to_owned(), |(digest, _)| hex(digest))
    }
}

/// The first digits of a token's digest: enough to tell tokens apart.
pub(crate) fn short(digest: &[u8; 32]) -> String {
    hex(digest).chars().take(12).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The role of a new token: the one that is wished, or the least in which its scopes can be used.
///
/// # Errors
/// When neither is given, or a scope could never be used in the role.
pub(crate) fn role_for(wished: Option<Role>, scopes: &Scopes) -> Result<Role, String> {
    match (wished, scopes.role()) {
        (Some(role), Some(least)) if role < least => {
            Err(format!("the scopes {scopes} need the role {least}, with the role {role} they could never be used"))
        }
        (Some(role), _) | (None, Some(role)) => Ok(role),
        (None, None) => Err("expected a role, or scopes; with both the token may do what both allow".to_owned()),
    }
}

/// Makes the text of a new token.
///
/// # Errors
/// When the operating system has no randomness.
pub(crate) fn new_token() -> Result<String, getrandom::Error> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes)?;
    let mut text = String::from("tenter_");
    for byte in bytes {
        text.push_str(&format!("{byte:02x}"));
    }
    Ok(text)
}

/// Who binds a token to a user, as the store records it.
pub(crate) fn binder(actor: &str, user_id: i64, now: Timestamp) -> CaseActor {
    CaseActor { acting: Acting { user_id, now }, name: actor.to_owned(), from_api: false }
}

/// What is stored of a token.
pub(crate) fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_ordered_and_named() {
        assert!(Role::Operator > Role::Viewer);
        for role in Role::ALL {
            assert_eq!(role.name().parse(), Ok(role));
        }
        assert!("root".parse::<Role>().is_err());
    }

    #[test]
    fn tokens_differ_and_digests_are_stable() {
        assert_ne!(new_token().unwrap(), new_token().unwrap());
        assert_eq!(digest("a")[..4], [0xca, 0x97, 0x81, 0x12]);
    }
}
