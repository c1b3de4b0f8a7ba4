//! `state`: keys and values private to the module.
//!
//! Nothing is written here: writes are collected in a [`Draft`], which the engine commits with the effects of the call
//! or not at all. Reads see the draft first, then the last commit; what was read from the store is recorded with its
//! version, so that the commit can notice a change in between.

use std::collections::HashMap;

use tenter_model::host::{StateRead, StateWrite};
use tenter_model::limits::{MAX_STATE_BYTES, MAX_STATE_KEY_BYTES, MAX_STATE_VALUE_BYTES};
use wasmtime::Result;

use super::View;
use crate::bindings::tenter::hooks::state::{Host, StateError};
use crate::guest::{Refusal, Stage};

type Answer<T> = std::result::Result<T, StateError>;

/// What a call did to its module's state so far.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    /// In order, for the commit.
    pub(crate) writes: Vec<StateWrite>,
    /// Keys read from the store.
    pub(crate) reads: Vec<StateRead>,
    /// The same writes by key, for reads of this call.
    pending: HashMap<String, Pending>,
    /// Bytes that the writes add.
    added: u64,
    /// Bytes in the store, once asked.
    stored: Option<u64>,
}

#[derive(Debug)]
enum Pending {
    Set(Vec<u8>),
    Gone,
    /// On top of what is stored.
    Added(i64),
}

impl View<'_> {
    fn allowed(&mut self, key: &str) -> Answer<()> {
        if !self.is_granted("state", "") {
            return Err(StateError::Denied);
        }
        if key.is_empty() || key.len() > MAX_STATE_KEY_BYTES {
            return Err(StateError::TooLarge);
        }
        Ok(())
    }

    fn writable(&mut self, key: &str) -> Answer<()> {
        self.allowed(key)?;
        if self.call.stage == Stage::Start {
            return Err(StateError::Other("state can be written in hooks alone".into()));
        }
        Ok(())
    }

    /// The committed value; the read is recorded once.
    fn committed(&mut self, key: &str) -> Answer<Option<Vec<u8>>> {
        let found = match self.data.state_get(&self.facts.name, key, self.call.time) {
            Ok(found) => found,
            Err(error) => return Err(StateError::Other(self.store_failed(&error))),
        };
        let version = found.as_ref().map(|(_, version)| *version);
        let reads = &mut self.call.state.reads;
        if !reads.iter().any(|r| r.key == key) {
            reads.push(StateRead { key: key.to_owned(), version });
        }
        Ok(found.map(|(value, _)| value))
    }

    /// Takes room for a write, or refuses it.
    fn reserve(&mut self, bytes: usize) -> Answer<()> {
        let stored = match self.call.state.stored {
            Some(stored) => stored,
            None => match self.data.state_bytes(&self.facts.name) {
                Ok(stored) => *self.call.state.stored.insert(stored),
                Err(error) => return Err(StateError::Other(self.store_failed(&error))),
            },
        };
        let added = self.call.state.added.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        if stored.saturating_add(added) > MAX_STATE_BYTES {
            self.call.refusal = Some(Refusal::StateQuota);
            return Err(StateError::Quota);
        }
        self.call.state.added = added;
        Ok(())
    }

    fn fetch_value(&mut self, key: &str) -> Answer<Option<Vec<u8>>> {
        self.allowed(key)?;
        let by = match self.call.state.pending.get(key) {
            Some(Pending::Set(value)) => return Ok(Some(value.clone())),
            Some(Pending::Gone) => return Ok(None),
            Some(Pending::Added(by)) => Some(*by),
            None => None,
        };
        let base = self.committed(key)?;
        Ok(match by {
            Some(by) => Some(sum(base.as_deref(), by)),
            None => base,
        })
    }

    fn store_value(&mut self, key: String, value: Vec<u8>, keep_seconds: Option<u64>) -> Answer<()> {
        self.writable(&key)?;
        if value.len() > MAX_STATE_VALUE_BYTES {
            return Err(StateError::TooLarge);
        }
        self.reserve(key.len() + value.len())?;
        let keep = |s: u64| i64::try_from(s).unwrap_or(i64::MAX).saturating_mul(1_000_000);
        let until = keep_seconds.map(|s| self.call.time.saturating_add(keep(s)));
        self.call.state.pending.insert(key.clone(), Pending::Set(value.clone()));
        self.call.state.writes.push(StateWrite::Put { key, value, until });
        Ok(())
    }

    fn discard_value(&mut self, key: String) -> Answer<()> {
        self.writable(&key)?;
        self.call.state.pending.insert(key.clone(), Pending::Gone);
        self.call.state.writes.push(StateWrite::Delete { key });
        Ok(())
    }

    fn add_value(&mut self, key: String, by: i64) -> Answer<()> {
        self.writable(&key)?;
        // A counter has at most 20 digits.
        self.reserve(key.len() + 20)?;
        let pending = match self.call.state.pending.get(&key) {
            Some(Pending::Set(value)) => Pending::Set(sum(Some(value), by)),
            Some(Pending::Gone) => Pending::Set(sum(None, by)),
            Some(Pending::Added(before)) => Pending::Added(before.saturating_add(by)),
            None => Pending::Added(by),
        };
        self.call.state.pending.insert(key.clone(), pending);
        self.call.state.writes.push(StateWrite::Add { key, by });
        Ok(())
    }

    fn key_names(&mut self, prefix: &str, after: Option<&str>, limit: u32) -> Answer<Vec<String>> {
        if !self.is_granted("state", "") {
            return Err(StateError::Denied);
        }
        let limit = limit.clamp(1, 1000);
        match self.data.state_keys(&self.facts.name, prefix, after, limit, self.call.time) {
            Ok(keys) => Ok(keys),
            Err(error) => Err(StateError::Other(self.store_failed(&error))),
        }
    }
}

/// A counter after an addition, as decimal text; what is no decimal text counts as 0.
fn sum(base: Option<&[u8]>, by: i64) -> Vec<u8> {
    let base = base.and_then(|b| std::str::from_utf8(b).ok()).and_then(|t| t.parse::<i64>().ok()).unwrap_or(0);
    base.saturating_add(by).to_string().into_bytes()
}

impl Host for View<'_> {
    fn fetch(&mut self, key: String) -> Result<Answer<Option<Vec<u8>>>> {
        self.call.charge(key.len())?;
        Ok(self.fetch_value(&key))
    }

    fn store(&mut self, key: String, value: Vec<u8>, keep_seconds: Option<u64>) -> Result<Answer<()>> {
        self.call.charge(key.len() + value.len())?;
        Ok(self.store_value(key, value, keep_seconds))
    }

    fn discard(&mut self, key: String) -> Result<Answer<()>> {
        self.call.charge(key.len())?;
        Ok(self.discard_value(key))
    }

    fn increment(&mut self, key: String, by: i64) -> Result<Answer<()>> {
        self.call.charge(key.len())?;
        Ok(self.add_value(key, by))
    }

    fn keys(&mut self, prefix: String, after: Option<String>, limit: u32) -> Result<Answer<Vec<String>>> {
        self.call.charge(prefix.len() + after.as_ref().map_or(0, String::len))?;
        Ok(self.key_names(&prefix, after.as_deref(), limit))
    }
}
