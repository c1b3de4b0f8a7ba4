//! The breakers of all hooks, shared by the lanes.
//!
//! Only hooks that broke a rule lately have an entry, so as long as nothing is wrong a call costs one atomic read.

mod stored;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tenter_model::breaker::{Breaker, State};
use tenter_model::host::{HookFailure, Reason};
use tenter_model::module::Quarantine;
use tenter_model::{HookKind, ModuleName, Timestamp};

use crate::registry::Bound;
pub(crate) use stored::stored;

/// Called when a breaker's state changes, to store it and tell people. Must not block for long.
pub type OnChange = Box<dyn Fn(&ModuleName, HookKind, &Breaker) + Send + Sync>;

type Table = BTreeMap<(ModuleName, HookKind), Breaker>;

/// The breakers of all hooks.
#[derive(Clone)]
pub struct Breakers(Arc<Inner>);

struct Inner {
    table: Mutex<Table>,
    /// Entries of the table.
    tracked: AtomicUsize,
    on_change: OnChange,
}

impl std::fmt::Debug for Breakers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Breakers").field("tracked", &self.0.tracked).finish_non_exhaustive()
    }
}

impl Breakers {
    /// Begins with what was stored.
    #[must_use]
    pub fn new(stored: impl IntoIterator<Item = ((ModuleName, HookKind), Breaker)>, on_change: OnChange) -> Self {
        let table: Table = stored.into_iter().collect();
        let tracked = AtomicUsize::new(table.len());
        Self(Arc::new(Inner { table: Mutex::new(table), tracked, on_change }))
    }

    /// Whether the hook may be called now.
    ///
    /// # Errors
    /// A failure with the reason `quarantined` that says why and until when it is paused.
    pub fn admits(&self, bound: &Bound, kind: HookKind, now: Timestamp) -> Result<(), HookFailure> {
        if self.0.tracked.load(Ordering::Relaxed) == 0 || bound.module.settings.quarantine == Quarantine::Off {
            return Ok(());
        }
        let name = &bound.module.name;
        let mut table = self.lock();
        let Some(breaker) = table.get_mut(&(name.clone(), kind)) else { return Ok(()) };
        let before = breaker.state;
        if breaker.admits(now) {
            if breaker.state != before {
                (self.0.on_change)(name, kind, breaker);
            }
            return Ok(());
        }
        let until = match breaker.state {
            State::Open { until } => format!("until {until}"),
            State::Closed | State::HalfOpen { .. } | State::Quarantined => {
                format!("until an operator releases it (tenter module release {name})")
            }
        };
        Err(HookFailure::new(
            Reason::Quarantined,
            format!("{kind} of module {name} is paused {until}; its last fault was {}", breaker.reason),
        ))
    }

    /// Takes in how a call ended.
    pub fn count(&self, bound: &Bound, kind: HookKind, failure: Option<&HookFailure>, now: Timestamp) {
        let fault = failure.filter(|f| f.reason.is_fault());
        if fault.is_none() && self.0.tracked.load(Ordering::Relaxed) == 0 {
            return;
        }
        if bound.module.settings.quarantine == Quarantine::Off {
            return;
        }
        let key = (bound.module.name.clone(), kind);
        let mut table = self.lock();
        let changed = match fault {
            None => table.get_mut(&key).is_some_and(|breaker| breaker.good(now)),
            Some(failure) => {
                let breaker = table.entry(key.clone()).or_default();
                if failure.reason == Reason::Host {
                    breaker.quarantine(failure.reason.code(), now);
                    true
                } else {
                    breaker.fault(failure.reason.code(), now)
                }
            }
        };
        self.settle(&mut table, &key, changed);
    }

    /// Lets the hooks of a module go; with `kind` only that one. Returns how many were paused.
    pub fn release(&self, name: &ModuleName, kind: Option<HookKind>, now: Timestamp) -> usize {
        let mut table = self.lock();
        let keys: Vec<_> =
            table.keys().filter(|(module, k)| module == name && kind.is_none_or(|kind| kind == *k)).cloned().collect();
        let mut paused = 0;
        for key in keys {
            if let Some(breaker) = table.get_mut(&key) {
                paused += usize::from(breaker.state != State::Closed);
                breaker.release(now);
            }
            self.settle(&mut table, &key, true);
        }
        paused
    }

    /// All breakers that are not closed, and those that were lately.
    #[must_use]
    pub fn all(&self) -> BTreeMap<(ModuleName, HookKind), Breaker> {
        self.lock().clone()
    }

    fn settle(&self, table: &mut Table, key: &(ModuleName, HookKind), changed: bool) {
        if let Some(breaker) = table.get(key) {
            if changed {
                let (module, hook) = (&key.0, key.1);
                tracing::warn!(%module, %hook, state = breaker.state.name(), reason = breaker.reason, "breaker");
                (self.0.on_change)(module, hook, breaker);
            }
            if breaker.is_forgotten() {
                table.remove(key);
            }
        }
        self.0.tracked.store(table.len(), Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
