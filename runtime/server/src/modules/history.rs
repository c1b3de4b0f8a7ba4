//! Which version of a module was active before, and which one never was.
//!
//! The audit log holds every activation in the transaction that made it, so it is what was active when, over restarts
//! too; it is read once at the start and kept up with afterwards. Activations are a stack: going back to the version
//! under the top takes the top away, so that two rollbacks go back by two and do not swing to and fro. It also holds
//! which key vouched for each upload, for sites that require signatures later.

use std::collections::{BTreeMap, BTreeSet};

use tenter_model::ModuleName;
use tenter_store::{ModuleRow, Reader, StoreError, VersionRow};

/// Rows of the audit log read at once.
const PAGE: u32 = 1000;

/// Activations by module.
#[derive(Debug, Default)]
pub(super) struct History(BTreeMap<String, Activations>);

#[derive(Debug, Default)]
struct Activations {
    stack: Vec<String>,
    ever: BTreeSet<String>,
    /// Key that vouched for a version, by digest.
    signed: BTreeMap<String, String>,
}

impl History {
    /// Of the audit log.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) fn read(reader: &Reader) -> Result<Self, StoreError> {
        let mut history = Self::default();
        let mut after = 0;
        loop {
            let rows = reader.audit_log(after, PAGE)?;
            let Some(last) = rows.last() else { return Ok(history) };
            after = last.seq;
            for row in &rows {
                let digest = row.detail.get("digest").and_then(|d| d.as_str()).unwrap_or_default();
                // The first version of a module is active whatever was asked for.
                let first = history.0.get(&row.subject).is_none_or(|known| known.ever.is_empty());
                let activates = row.detail.get("activate").and_then(serde_json::Value::as_bool) == Some(true);
                match row.action.as_str() {
                    "module.install" if activates || first => history.push(&row.subject, digest),
                    "module.activate" => history.push(&row.subject, digest),
                    "module.signature" => {
                        let key = row.detail.get("key").and_then(|k| k.as_str()).unwrap_or_default();
                        history.sign(&row.subject, digest, key);
                    }
                    "module.remove" => {
                        history.0.remove(&row.subject);
                    }
                    _ => {}
                }
            }
        }
    }

    /// A version became active.
    pub(super) fn activated(&mut self, name: &ModuleName, digest: &str) {
        self.push(name.as_str(), digest);
    }

    /// A key that counts vouched for a version.
    pub(super) fn signed(&mut self, name: &ModuleName, digest: &str, key: &str) {
        self.sign(name.as_str(), digest, key);
    }

    /// The key that vouched for a version when it was uploaded.
    pub(super) fn signer(&self, name: &ModuleName, digest: &str) -> Option<&str> {
        self.0.get(name.as_str())?.signed.get(digest).map(String::as_str)
    }

    /// The module is gone.
    pub(super) fn forget(&mut self, name: &ModuleName) {
        self.0.remove(name.as_str());
    }

    /// The newest version, when it was never active: it waits for grants.
    pub(super) fn waiting<'a>(&self, row: &'a ModuleRow) -> Option<&'a VersionRow> {
        let newest = row.versions.last().filter(|version| version.digest != row.active.digest)?;
        let was_active = self.0.get(row.name.as_str()).is_some_and(|a| a.ever.contains(&newest.digest));
        (!was_active).then_some(newest)
    }

    /// The version that was active before the one that is; without a history, the one uploaded before it.
    pub(super) fn previous<'a>(&self, row: &'a ModuleRow) -> Option<&'a VersionRow> {
        let find = |digest: &String| row.versions.iter().find(|version| version.digest == *digest);
        let stack = self.0.get(row.name.as_str()).map_or(&[][..], |a| a.stack.as_slice());
        match stack.split_last() {
            Some((top, rest)) if *top == row.active.digest => rest.iter().rev().find_map(find),
            _ => {
                let active = row.versions.iter().position(|version| version.digest == row.active.digest)?;
                row.versions.get(active.checked_sub(1)?)
            }
        }
    }

    fn sign(&mut self, name: &str, digest: &str, key: &str) {
        self.0.entry(name.to_owned()).or_default().signed.insert(digest.to_owned(), key.to_owned());
    }

    fn push(&mut self, name: &str, digest: &str) {
        let activations = self.0.entry(name.to_owned()).or_default();
        activations.ever.insert(digest.to_owned());
        let stack = &mut activations.stack;
        if stack.last().is_some_and(|top| top == digest) {
            return;
        }
        let below = stack.len().checked_sub(2).and_then(|place| stack.get(place));
        if below.is_some_and(|below| below == digest) {
            stack.pop();
        } else {
            stack.push(digest.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(digests: &[&str]) -> Vec<String> {
        let mut history = History::default();
        for digest in digests {
            history.push("m", digest);
        }
        history.0.remove("m").unwrap().stack
    }

    #[test]
    fn going_back_twice_goes_back_by_two() {
        assert_eq!(stack(&["a", "b", "c"]), ["a", "b", "c"]);
        assert_eq!(stack(&["a", "b", "c", "b"]), ["a", "b"]);
        assert_eq!(stack(&["a", "b", "c", "b", "a"]), ["a"]);
        // Activating what is further down is a step of its own, which can be taken back.
        assert_eq!(stack(&["a", "b", "c", "a"]), ["a", "b", "c", "a"]);
        assert_eq!(stack(&["a", "a", "b", "b"]), ["a", "b"]);
    }
}
