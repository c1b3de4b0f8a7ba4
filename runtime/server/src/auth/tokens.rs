//! The tokens that this server knows: made, revoked, and looked up by digest for each request.
//!
//! The store keeps them; a copy in memory answers requests, and nobody else writes the store while this process has it.
//! A first operator's token always exists: at each start it is read from its file in the data directory or made and
//! written there for the owner alone. So a server that listens beyond loopback is never without a token, and an
//! operator who can read the data directory can never be locked out.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use anyhow::Context as _;
use tenter_model::Timestamp;
use tenter_store::{Store, StoreError, TokenRow};

use super::{Caller, Role, Scopes};

/// File in the data directory with the token of the first operator.
const OPERATOR_TOKEN_FILE: &str = "operator-token";
/// Uses closer together than this are noted as one, in microseconds.
const NOTED_EVERY: i64 = 60_000_000;
/// Fewest digits by which a token can be named.
const FEWEST_DIGITS: usize = 6;

/// Why a token was not revoked or made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenError {
    /// None has these digits.
    #[error("no token has the digest {0}; tenter token list shows them")]
    Unknown(String),
    /// The digits do not tell which.
    #[error("{0}")]
    Unclear(String),
    /// Nobody could make a new one then.
    #[error("this is the last token of an operator; make another one first: tenter token create --role operator")]
    Last,
    /// The system gave no randomness.
    #[error("the system has no randomness for a token: {0}")]
    Randomness(#[from] getrandom::Error),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// All tokens.
pub(crate) struct Tokens {
    store: Store,
    known: RwLock<HashMap<[u8; 32], Known>>,
    first: String,
}

struct Known {
    role: Role,
    scopes: Scopes,
    label: String,
    expires: Option<Timestamp>,
    noted: AtomicI64,
}

impl Known {
    /// Whether its bearer may do everything.
    fn is_operator(&self, now: Timestamp) -> bool {
        self.role == Role::Operator && self.scopes.is_all() && self.holds(now)
    }

    fn holds(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|end| end > now)
    }
}

impl Tokens {
    /// Reads them, and makes the first operator's when there is none.
    ///
    /// # Errors
    /// When the store or the token's file cannot be read or written.
    pub(crate) fn open(store: Store, data_dir: &Path, now: Timestamp) -> anyhow::Result<Self> {
        let mut known = HashMap::new();
        for token in store.reader()?.tokens()? {
            match known_of(&token) {
                Ok(found) => {
                    known.insert(token.digest, found);
                }
                // One that is not understood may do nothing: a restriction that is left out would be a right.
                Err(error) => tracing::warn!("a stored token is ignored: {error}"),
            }
        }
        let mut tokens = Self { store, known: RwLock::new(known), first: String::new() };
        let path = data_dir.join(OPERATOR_TOKEN_FILE);
        let found = std::fs::read_to_string(&path).unwrap_or_default().trim().to_owned();
        if tokens.read().get(&super::digest(&found)).is_some_and(|k| k.is_operator(now)) {
            tokens.first = found;
            return Ok(tokens);
        }
        let token = super::new_token()?;
        crate::token_file::write(&path, &token)
            .with_context(|| format!("cannot write the operator's token to {}", path.display()))?;
        tokens.add(
            &tokens.store,
            &token,
            row(&token, Role::Operator, &Scopes::default(), "made at first start", None, now),
        )?;
        tokens.first = token;
        Ok(tokens)
    }

    /// The token in the data directory's file.
    pub(crate) fn first_operator(&self) -> &str {
        &self.first
    }

    /// Who sends this token, if it is known and has not expired. Notes now and then that it was used.
    pub(crate) fn caller(&self, token: &str, now: Timestamp) -> Option<Caller> {
        let digest = super::digest(token);
        let known = self.read();
        let found = known.get(&digest).filter(|k| k.holds(now))?;
        let before = found.noted.load(Ordering::Relaxed);
        if now.0.saturating_sub(before) >= NOTED_EVERY
            && found.noted.compare_exchange(before, now.0, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            let store = self.store.clone();
            // The request does not wait for the note, and does not fail with it.
            std::thread::spawn(move || store.note_token_use(digest, now));
        }
        Some(Caller {
            role: Some(found.role),
            token: Some((digest, found.label.clone())),
            scopes: found.scopes.clone(),
        })
    }

    /// Makes a token, stores its digest and gives its text, which is nowhere else.
    ///
    /// # Errors
    /// When the system has no randomness or the store refuses.
    pub(crate) fn create(
        &self,
        actor: &str,
        role: Role,
        scopes: &Scopes,
        label: &str,
        expires: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<String, TokenError> {
        let token = super::new_token()?;
        self.add(&self.store.acting(actor, now), &token, row(&token, role, scopes, label, expires, now))?;
        Ok(token)
    }

    /// Lets a token stand for a user of case management from now on.
    ///
    /// # Errors
    /// When there is no such user; the token is taken back then.
    pub(crate) fn bind(&self, actor: &str, token: &str, user: i64, now: Timestamp) -> Result<(), TokenError> {
        let digest = super::digest(token);
        let bound = self.store.bind_token(digest, user, super::binder(actor, user, now));
        bound.or_else(|why| {
            self.store.acting(actor, now).remove_token(digest)?;
            self.write().remove(&digest);
            Err(why.into())
        })
    }

    /// Removes the token whose digest begins with these digits. It is refused from then on.
    ///
    /// # Errors
    /// When not exactly one token is meant, or it is the last one of an operator.
    pub(crate) fn revoke(&self, actor: &str, digits: &str, now: Timestamp) -> Result<String, TokenError> {
        if digits.len() < FEWEST_DIGITS {
            return Err(TokenError::Unclear(format!(
                "{digits:?} is too short; give at least {FEWEST_DIGITS} digits of the digest that tenter token list shows"
            )));
        }
        let mut known = self.write();
        let meant: Vec<[u8; 32]> = known.keys().filter(|d| super::hex(&**d).starts_with(digits)).copied().collect();
        let digest = match meant.as_slice() {
            [] => return Err(TokenError::Unknown(digits.to_owned())),
            [one] => *one,
            more => {
                let text = format!("{} tokens have digests that begin with {digits}; give more digits", more.len());
                return Err(TokenError::Unclear(text));
            }
        };
        let operator = |k: &Known| k.is_operator(now);
        if !known.iter().any(|(d, k)| *d != digest && operator(k)) && known.get(&digest).is_some_and(operator) {
            return Err(TokenError::Last);
        }
        self.store.acting(actor, now).remove_token(digest)?;
        known.remove(&digest);
        Ok(super::short(&digest))
    }

    fn add(&self, store: &Store, token: &str, row: TokenRow) -> Result<(), StoreError> {
        let known = known_of(&row).map_err(StoreError::Invalid)?;
        store.add_token(row)?;
        self.write().insert(super::digest(token), known);
        Ok(())
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<[u8; 32], Known>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<[u8; 32], Known>> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a stored token means.
fn known_of(row: &TokenRow) -> Result<Known, String> {
    Ok(Known {
        role: row.role.parse()?,
        scopes: Scopes::parse(row.scopes.iter().map(String::as_str))?,
        label: row.label.clone(),
        expires: row.expires,
        noted: AtomicI64::new(row.last_used.map_or(i64::MIN, |t| t.0)),
    })
}

/// What is stored of a new token.
pub(crate) fn row(
    token: &str,
    role: Role,
    scopes: &Scopes,
    label: &str,
    expires: Option<Timestamp>,
    now: Timestamp,
) -> TokenRow {
    TokenRow {
        digest: super::digest(token),
        role: role.name().to_owned(),
        label: label.to_owned(),
        created: now,
        expires,
        last_used: None,
        scopes: scopes.texts(),
    }
}

#[cfg(test)]
mod tests {
    use tenter_store::StoreOptions;

    use super::*;

    fn tokens(dir: &Path, now: Timestamp) -> Tokens {
        Tokens::open(Store::open(dir, StoreOptions::default(), now).unwrap(), dir, now).unwrap()
    }

    #[test]
    fn a_token_ends_when_it_expires_or_is_revoked() {
        let dir = tempfile::tempdir().unwrap();
        let (now, later, all) = (Timestamp(1_000), Timestamp(2_000), Scopes::default());
        let tokens = tokens(dir.path(), now);
        let short_lived = tokens.create("test", Role::Viewer, &all, "a", Some(later), now).unwrap();
        let lasting = tokens.create("test", Role::Ingester, &all, "b", None, now).unwrap();
        let role = |token: &str, at| tokens.caller(token, at).and_then(|c| c.role);
        assert_eq!(role(&short_lived, now), Some(Role::Viewer));
        assert_eq!(role(&short_lived, later), None);
        assert_eq!(role(&lasting, later), Some(Role::Ingester));
        let digits = super::super::short(&super::super::digest(&lasting));
        assert_eq!(tokens.revoke("test", &digits, later).unwrap(), digits);
        assert_eq!(role(&lasting, later), None);
        assert!(matches!(tokens.revoke("test", &digits, later), Err(TokenError::Unknown(_))));
        assert!(matches!(tokens.revoke("test", "ab", later), Err(TokenError::Unclear(_))));
        assert_eq!(role("tenter_0", now), None);
    }

    #[test]
    fn scopes_survive_a_restart_and_unknown_ones_allow_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let now = Timestamp(1_000);
        let (held, strange) = {
            let tokens = tokens(dir.path(), now);
            let some = Scopes::parse(["ingest:ip"]).unwrap();
            let held = tokens.create("test", Role::Ingester, &some, "", None, now).unwrap();
            let strange = super::super::new_token().unwrap();
            let newer = TokenRow {
                scopes: vec!["of-a-newer-version".into()],
                ..row(&strange, Role::Operator, &some, "", None, now)
            };
            tokens.store.add_token(newer).unwrap();
            tokens.store.close().unwrap();
            (held, strange)
        };
        let again = tokens(dir.path(), now);
        assert_eq!(again.caller(&held, now).unwrap().scopes.texts(), ["ingest:ip"]);
        assert_eq!(again.caller(&strange, now), None);
    }

    #[test]
    fn an_operator_is_never_locked_out() {
        let dir = tempfile::tempdir().unwrap();
        let (now, all) = (Timestamp(1_000), Scopes::default());
        let first = {
            let tokens = tokens(dir.path(), now);
            let first = tokens.first_operator().to_owned();
            let digits = super::super::short(&super::super::digest(&first));
            assert!(matches!(tokens.revoke("test", &digits, now), Err(TokenError::Last)));
            // One that has ended does not count.
            tokens.create("test", Role::Operator, &all, "ended", Some(now), now).unwrap();
            assert!(matches!(tokens.revoke("test", &digits, now), Err(TokenError::Last)));
            // Nor does one that is restricted.
            let some = Scopes::parse(["tokens", "modules"]).unwrap();
            tokens.create("test", Role::Operator, &some, "restricted", None, now).unwrap();
            assert!(matches!(tokens.revoke("test", &digits, now), Err(TokenError::Last)));
            tokens.create("test", Role::Operator, &all, "second", None, now).unwrap();
            tokens.revoke("test", &digits, now).unwrap();
            assert_eq!(tokens.caller(&first, now), None);
            tokens.store.close().unwrap();
            first
        };
        let again = tokens(dir.path(), now);
        assert_ne!(again.first_operator(), first);
        assert_eq!(again.caller(again.first_operator(), now).unwrap().role, Some(Role::Operator));
        let text = std::fs::read_to_string(dir.path().join(OPERATOR_TOKEN_FILE)).unwrap();
        assert_eq!(text.trim(), again.first_operator());
    }
}
