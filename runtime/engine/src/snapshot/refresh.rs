//! Which modules a run calls again.
//!
//! A module's `refresh` hooks take part in the run that follows a change of its configuration. The run before has a
//! fingerprint of each configuration among its settings, so that no change is missed, be the server down meanwhile; an
//! operator can ask for it without a change as well. A run that goes on after a stop calls what it was begun with.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc;

use serde_json::{Value, json};
use tenter_model::{Family, ModuleName, Timestamp};
use tenter_store::{Reader, RunRow, Store, StoreError};

use super::begin::Settings;
use crate::registry::Registry;

/// Name of the report that holds what operators asked for: times by module.
const ASKED: &str = "refresh";

/// Fingerprints of the configurations of modules that have `refresh` hooks.
pub(super) fn configurations(registry: &Registry) -> BTreeMap<ModuleName, String> {
    let steps = registry.snapshot().steps.iter();
    let refreshing = steps.filter(|(_, subscription)| subscription.moment.kind().family() == Family::Ingest);
    refreshing.map(|(bound, _)| (bound.module.name.clone(), fingerprint(&bound.module.settings.config))).collect()
}

/// 64-bit FNV-1a of the JSON text: the same in all versions of the program.
fn fingerprint(config: &Value) -> String {
    let hash = config
        .to_string()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("{hash:016x}")
}

/// The modules that a new run calls again.
pub(super) fn wanted(reader: &Reader, registry: &Registry) -> Result<BTreeSet<ModuleName>, StoreError> {
    let before = reader.latest_run()?.map(|row| Settings::of(&row).configurations).unwrap_or_default();
    let asked = asked(reader)?;
    let is_wanted = |(name, now): &(ModuleName, String)| {
        asked.contains_key(name) || before.get(name).is_some_and(|before| before != now)
    };
    Ok(configurations(registry).into_iter().filter(is_wanted).map(|(name, _)| name).collect())
}

fn asked(reader: &Reader) -> Result<BTreeMap<ModuleName, Timestamp>, StoreError> {
    let stored = reader.report(ASKED)?;
    Ok(stored.and_then(|(body, _)| serde_json::from_value(body).ok()).unwrap_or_default())
}

/// Notes that the next run is to call a module's `refresh` hooks. The caller sees to it that one at a time notes.
pub(super) fn ask(store: &Store, module: &ModuleName, now: Timestamp) -> Result<(), StoreError> {
    let mut asked = asked(&store.reader()?)?;
    asked.insert(module.clone(), now);
    put(store, &asked, now)
}

/// Forgets what was asked for before a run that is now complete began.
pub(super) fn done(store: &Store, reader: &Reader, row: &RunRow, now: Timestamp) -> Result<(), StoreError> {
    let mut asked = asked(reader)?;
    let before = asked.len();
    let called = Settings::of(row).refreshed;
    asked.retain(|name, at| *at > row.began || !called.contains(name));
    if asked.len() == before { Ok(()) } else { put(store, &asked, now) }
}

fn put(store: &Store, asked: &BTreeMap<ModuleName, Timestamp>, now: Timestamp) -> Result<(), StoreError> {
    let (sender, receiver) = mpsc::channel();
    let done = move |result| {
        // The one who waits is in this very function.
        let _ = sender.send(result);
    };
    store.put_report(ASKED, json!(asked), now, Box::new(done));
    receiver.recv().unwrap_or(Err(StoreError::Closed))
}
