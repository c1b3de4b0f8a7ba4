//! A store in memory for one command.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tenter_model::host::{HostData, StateWrite};
use tenter_model::{EntityRef, MasterRecord, ModuleName, Timestamp};

/// A store of what it was given: entities, and of module state what calls have left.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    state: Mutex<BTreeMap<String, Entry>>,
    records: Mutex<BTreeMap<EntityRef, MasterRecord>>,
}

#[derive(Debug, Clone)]
struct Entry {
    value: Vec<u8>,
    until: Option<Timestamp>,
    version: u64,
}

impl Scratch {
    /// Applies what a call did to its state.
    pub(crate) fn apply(&self, writes: Vec<StateWrite>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for write in writes {
            match write {
                StateWrite::Put { key, value, until } => {
                    let version = state.get(&key).map_or(1, |e| e.version + 1);
                    state.insert(key, Entry { value, until, version });
                }
                StateWrite::Delete { key } => drop(state.remove(&key)),
                StateWrite::Add { key, by } => {
                    // A counter is decimal text; anything else counts as 0.
                    let entry = state.entry(key).or_insert(Entry { value: Vec::new(), until: None, version: 0 });
                    let number = std::str::from_utf8(&entry.value).ok().and_then(|t| t.parse::<i64>().ok());
                    entry.value = number.unwrap_or(0).saturating_add(by).to_string().into_bytes();
                    entry.version += 1;
                }
            }
        }
    }

    /// Puts an entity into the store.
    pub(crate) fn know(&self, entity: EntityRef, record: MasterRecord) {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).insert(entity, record);
    }

    /// All keys and values, these as text.
    pub(crate) fn state(&self) -> BTreeMap<String, String> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.iter().map(|(k, e)| (k.clone(), String::from_utf8_lossy(&e.value).into_owned())).collect()
    }

    /// Keys and values that have not ended.
    fn live(&self, now: Timestamp) -> BTreeMap<String, Entry> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let live = state.iter().filter(|(_, e)| e.until.is_none_or(|t| t > now));
        live.map(|(k, e)| (k.clone(), e.clone())).collect()
    }
}

impl HostData for Scratch {
    fn read_record(&self, entity: &EntityRef) -> Result<Option<MasterRecord>, String> {
        Ok(self.records.lock().unwrap_or_else(PoisonError::into_inner).get(entity).cloned())
    }

    fn is_known(&self, entity: &EntityRef) -> Result<bool, String> {
        Ok(self.records.lock().unwrap_or_else(PoisonError::into_inner).contains_key(entity))
    }

    fn state_get(&self, _: &ModuleName, key: &str, now: Timestamp) -> Result<Option<(Vec<u8>, u64)>, String> {
        Ok(self.live(now).remove(key).map(|e| (e.value, e.version)))
    }

    fn state_keys(
        &self,
        _: &ModuleName,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<String>, String> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let keys = self.live(now).into_keys();
        let wanted = keys.filter(|k| k.starts_with(prefix) && after.is_none_or(|a| k.as_str() > a));
        Ok(wanted.take(limit).collect())
    }

    fn state_bytes(&self, _: &ModuleName) -> Result<u64, String> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(state.iter().map(|(k, e)| (k.len() + e.value.len()) as u64).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scratch_state_is_that_of_a_store() {
        let scratch = Scratch::default();
        let name = ModuleName::new("m").unwrap();
        let put = |key: &str, until| StateWrite::Put { key: key.into(), value: b"1".to_vec(), until };
        scratch.apply(vec![put("a", None), put("b", Some(Timestamp(5))), put("c", None)]);
        scratch.apply(vec![
            StateWrite::Add { key: "a".into(), by: 2 },
            StateWrite::Add { key: "n".into(), by: -1 },
            StateWrite::Delete { key: "c".into() },
        ]);
        assert_eq!(scratch.state_get(&name, "a", Timestamp(9)), Ok(Some((b"3".to_vec(), 2))));
        assert_eq!(scratch.state_get(&name, "b", Timestamp(5)), Ok(None));
        assert_eq!(scratch.state_keys(&name, "", Some("a"), 9, Timestamp(4)), Ok(vec!["b".into(), "n".into()]));
        assert_eq!(scratch.state_bytes(&name), Ok(7));
        assert_eq!(scratch.state().get("n").map(String::as_str), Some("-1"));
    }
}
