//! Who vouches for a component.
//!
//! A signature is a small JSON document beside the component. It states the module's name, its version, the digest of
//! the component and the capabilities it asks for, and signs this statement with ed25519. An upload is held to it: the
//! component must be the stated one, under the stated name and version, and may ask for nothing beyond the statement.
//! Which keys count for which module stands in `tenter.yml` (`signatures`, `signers`); keys never come with the upload.

use ed25519_dalek::{Signature as Ed25519, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use tenter_model::ModuleName;
use tenter_model::capability::Grant;
use tenter_model::config::Signatures;

use tenter_store::ModuleRow;

use super::{ModuleError, Modules, State};

/// Before each key as text.
const SCHEME: &str = "ed25519:";
/// First item of what is signed, so that a signature made for something else never counts.
const PURPOSE: &str = "tenter module 1";

/// A statement about a component, signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signature {
    /// What the module is to be called.
    pub(crate) name: ModuleName,
    /// The version that the component gives itself.
    pub(crate) version: String,
    /// SHA-256 of the component, 64 hexadecimal digits.
    pub(crate) digest: String,
    /// All that it asks for.
    pub(crate) requests: Vec<Grant>,
    /// The public key: `ed25519:` and 64 hexadecimal digits.
    pub(crate) key: String,
    /// 128 hexadecimal digits.
    pub(crate) signature: String,
}

impl Signature {
    /// Signs a statement.
    pub(crate) fn make(
        secret: &[u8; 32],
        name: ModuleName,
        version: String,
        digest: String,
        mut requests: Vec<Grant>,
    ) -> Self {
        let key = SigningKey::from_bytes(secret);
        requests.sort();
        let mut made = Self { name, version, digest, requests, key: public_key(secret), signature: String::new() };
        made.signature = hex(&key.sign(made.statement().as_bytes()).to_bytes());
        made
    }

    /// Whether its key signed this very statement.
    fn is_genuine(&self) -> bool {
        let key = self.key.strip_prefix(SCHEME).and_then(bytes::<32>).and_then(|k| VerifyingKey::from_bytes(&k).ok());
        let Some((key, signature)) = key.zip(bytes::<64>(&self.signature)) else { return false };
        // Strict: no weak keys, no second form of the same signature.
        key.verify_strict(self.statement().as_bytes(), &Ed25519::from_bytes(&signature)).is_ok()
    }

    /// Whether what the component says of itself keeps to the statement.
    ///
    /// # Errors
    /// What does not, in words.
    pub(crate) fn covers(&self, version: &str, requests: &[Grant]) -> Result<(), String> {
        if self.version != version {
            return Err(format!("the signature is for version {}, the component is version {version}", self.version));
        }
        match requests.iter().find(|request| !self.requests.contains(request)) {
            None => Ok(()),
            Some(more) => Err(format!(
                "the component asks for {more}, which the signature does not state; sign it with the configuration \
                 that it gets (tenter module sign FILE --site DIR)"
            )),
        }
    }

    /// What is signed: JSON, so that no two statements have the same text.
    fn statement(&self) -> String {
        let requests: Vec<[&str; 2]> =
            self.requests.iter().map(|g| [g.capability.as_str(), g.scope.as_str()]).collect();
        serde_json::json!([PURPOSE, self.name, self.version, self.digest, requests]).to_string()
    }
}

impl Modules {
    /// Checks all of a signature that needs no look into the component. Gives the key that counts, if one was asked for.
    ///
    /// # Errors
    /// Code `signature`.
    pub(super) fn check_signature(
        &self,
        name: &ModuleName,
        digest: &str,
        signature: Option<&Signature>,
    ) -> Result<Option<String>, ModuleError> {
        check(self.site.tenter.signatures, &self.trusted(name), name, digest, signature)
            .map_err(|message| ModuleError::Refused { code: "signature", message })
    }

    /// Whether the version in use may serve: where signatures are required, one that was uploaded before they were, or
    /// whose key does not count any more, may not.
    ///
    /// # Errors
    /// Why not, and what to do.
    pub(super) fn vouched(&self, state: &State, row: &ModuleRow) -> Result<(), String> {
        self.vouched_for(state, &row.name, &row.active.digest)
    }

    /// The same of any version.
    ///
    /// # Errors
    /// Why it may not serve.
    pub(super) fn vouched_for(&self, state: &State, name: &ModuleName, digest: &str) -> Result<(), String> {
        if self.site.tenter.signatures != Signatures::Required {
            return Ok(());
        }
        let what = match state.history.signer(name, digest) {
            Some(key) if self.trusted(name).iter().any(|trusted| trusted == key) => return Ok(()),
            Some(key) => format!("was signed with {key}, which does not count for it any more"),
            None => "was uploaded without a signature".to_owned(),
        };
        let digest = digest.get(..12).unwrap_or(digest);
        Err(format!(
            "version {digest} of module {name} {what}, and signatures are required here (signatures: required in \
             tenter.yml); upload the same component with one: tenter module upload FILE --signature FILE"
        ))
    }

    /// The keys that count for a module: those pinned to its name, else those for all.
    fn trusted(&self, name: &ModuleName) -> Vec<String> {
        self.site
            .tenter
            .signers
            .get(name.as_str())
            .or_else(|| self.site.tenter.signers.get("*"))
            .cloned()
            .unwrap_or_default()
    }
}

fn check(
    policy: Signatures,
    trusted: &[String],
    name: &ModuleName,
    digest: &str,
    signature: Option<&Signature>,
) -> Result<Option<String>, String> {
    let signature = match (policy, signature) {
        (Signatures::Off, _) | (Signatures::Optional, None) => return Ok(None),
        (Signatures::Required, None) => {
            return Err(format!(
                "uploads need a signature here (signatures: required in tenter.yml), and {name} came without one; \
                 `tenter module sign FILE --key KEY` makes one, `tenter module upload --signature FILE` sends it"
            ));
        }
        (_, Some(signature)) => signature,
    };
    if !signature.is_genuine() {
        return Err("the signature is not valid: its text was changed after it was signed, or is not complete".into());
    }
    if signature.name != *name {
        return Err(format!("the signature is for a module called {}, not {name}", signature.name));
    }
    if signature.digest != digest {
        return Err(format!("the signature is for another component: {}, not {digest}", signature.digest));
    }
    if !trusted.contains(&signature.key) {
        return Err(format!(
            "the key {} does not count for module {name}; tenter.yml lists the keys that do (signers.{name}, or \
             signers.\"*\" for modules without keys of their own)",
            signature.key
        ));
    }
    Ok(Some(signature.key.clone()))
}

/// The public half of a key, as `tenter.yml` takes it.
pub(crate) fn public_key(secret: &[u8; 32]) -> String {
    format!("{SCHEME}{}", hex(SigningKey::from_bytes(secret).verifying_key().as_bytes()))
}

/// That many bytes of hexadecimal text.
pub(crate) fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.is_ascii() {
        return None;
    }
    let mut out = [0; N];
    for (place, slot) in out.iter_mut().enumerate() {
        *slot = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(out)
}

/// Bytes as hexadecimal text.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: [u8; 32] = [7; 32];

    fn name(text: &str) -> ModuleName {
        ModuleName::new(text).unwrap()
    }

    fn made() -> Signature {
        let wish = Grant { capability: "http".into(), scope: "GET https://a.example/*".into() };
        Signature::make(&SECRET, name("geo"), "1.2.0".into(), "ab".repeat(32), vec![wish])
    }

    #[test]
    fn every_part_of_the_statement_is_signed() {
        assert!(made().is_genuine());
        let other = || Grant { capability: "state".into(), scope: String::new() };
        let changes: [fn(&mut Signature); 6] = [
            |s| s.name = name("geo2"),
            |s| s.version = "1.2.1".into(),
            |s| s.digest = "cd".repeat(32),
            |s| s.requests.clear(),
            |s| s.key = public_key(&[8; 32]),
            |s| s.signature = "00".repeat(64),
        ];
        for change in changes {
            let mut changed = made();
            change(&mut changed);
            assert!(!changed.is_genuine(), "{changed:?}");
        }
        let mut more = made();
        more.requests.push(other());
        assert!(!more.is_genuine());
        // A scope that looks like two does not stand for two.
        let forged = Signature {
            requests: vec![Grant { scope: "GET https://a.example/*\",\"x".into(), ..made().requests[0].clone() }],
            ..made()
        };
        assert!(!forged.is_genuine());
    }

    #[test]
    fn the_policy_decides_what_must_be_there() {
        let (key, digest, geo) = (public_key(&SECRET), "ab".repeat(32), name("geo"));
        let trusted = [key.clone()];
        let made = made();
        let ask = |policy, trusted: &[String], name: &ModuleName, digest: &str, s: Option<&Signature>| {
            check(policy, trusted, name, digest, s)
        };
        use Signatures::{Off, Optional, Required};
        assert_eq!(ask(Off, &[], &geo, &digest, Some(&made)), Ok(None));
        assert_eq!(ask(Optional, &trusted, &geo, &digest, None), Ok(None));
        assert_eq!(ask(Required, &trusted, &geo, &digest, Some(&made)), Ok(Some(key)));
        for policy in [Optional, Required] {
            assert!(
                ask(policy, &[], &geo, &digest, Some(&made)).unwrap_err().contains("does not count for module geo")
            );
            assert!(ask(policy, &trusted, &name("x"), &digest, Some(&made)).unwrap_err().contains("called geo"));
            assert!(
                ask(policy, &trusted, &geo, &"00".repeat(32), Some(&made)).unwrap_err().contains("another component")
            );
            let broken = Signature { version: "9.0.0".into(), ..made.clone() };
            assert!(ask(policy, &trusted, &geo, &digest, Some(&broken)).unwrap_err().contains("not valid"));
        }
        assert!(ask(Required, &trusted, &geo, &digest, None).unwrap_err().contains("--signature FILE"));
    }

    #[test]
    fn a_component_keeps_to_the_statement() {
        let made = made();
        assert_eq!(made.covers("1.2.0", &made.requests), Ok(()));
        assert_eq!(made.covers("1.2.0", &[]), Ok(()), "less is no harm");
        assert!(made.covers("1.1.0", &[]).is_err());
        let more = Grant { capability: "http".into(), scope: "*".into() };
        assert!(made.covers("1.2.0", &[more]).unwrap_err().contains("asks for http *"));
    }
}
