//! Which modules are slow at present, and which may be at any time.
//!
//! A slow module must not hold up a lane: half of all entities would wait behind it. Tasks that would call one are run
//! aside (see [`crate::aside`]), on few threads, so that a slow module has half of the workers at most and the entities
//! that do not concern it are served as if it were not there. Pace is measured, not declared, and forgotten when a
//! module becomes quick again.
//!
//! A module that may send requests or look names up waits for somebody else, who may be slow from the next call on and
//! needs no processor meanwhile. Tasks that would call one are run aside from the first, on threads that no others use.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tenter_model::host::Usage;
use tenter_model::{ModuleName, TaskBody};

use crate::registry::{Bound, Registry};

/// Mean time of a call above which a module is slow, in microseconds.
const SLOW_US: u64 = 3_000;
/// Mean time below which it is quick again.
const QUICK_US: u64 = 1_000;
/// Weight of the newest call in the mean is one in this many.
const MEMORY: u64 = 8;

/// Which threads run a task that must not hold up its lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Beside {
    /// Those for modules that are slow.
    Slow,
    /// Those for modules that may wait for somebody outside.
    Waiting,
}

/// The pace of all modules, shared by the lanes. As long as none is slow, asking costs one atomic read.
#[derive(Debug, Clone, Default)]
pub struct Pace(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// Means in microseconds, of modules that had a slow call lately.
    means: Mutex<HashMap<ModuleName, Mean>>,
    tracked: AtomicUsize,
    slow: AtomicUsize,
}

#[derive(Debug, Default)]
struct Mean {
    micros: u64,
    slow: bool,
}

impl Pace {
    /// Takes in what a call cost. The start of an instance does not count, unless the call failed: then the instance
    /// is gone, and the next call starts one again.
    pub fn note(&self, module: &ModuleName, usage: &Usage, failed: bool) {
        let slow_call = usage.micros > SLOW_US;
        if !(usage.warm || failed) || (!slow_call && self.0.tracked.load(Ordering::Relaxed) == 0) {
            return;
        }
        let mut means = self.0.means.lock().unwrap_or_else(PoisonError::into_inner);
        if !slow_call && !means.contains_key(module) {
            return;
        }
        let mean = means.entry(module.clone()).or_default();
        mean.micros = (mean.micros * (MEMORY - 1) + usage.micros) / MEMORY;
        if mean.micros > SLOW_US && !mean.slow {
            mean.slow = true;
            tracing::info!(%module, mean_us = mean.micros, "the module is slow, its tasks are run aside");
        }
        if mean.micros < QUICK_US && !slow_call {
            if mean.slow {
                tracing::info!(%module, "the module is quick again");
            }
            means.remove(module);
        }
        self.0.tracked.store(means.len(), Ordering::Relaxed);
        self.0.slow.store(means.values().filter(|m| m.slow).count(), Ordering::Relaxed);
    }

    /// Where a task is to be run, by the modules that it would call; `None`: in the lane. `is_known` is asked only when it
    /// matters.
    pub fn beside(&self, registry: &Registry, body: &TaskBody, is_known: impl FnOnce() -> bool) -> Option<Beside> {
        let slow = self.0.slow.load(Ordering::Relaxed) > 0;
        if !slow && !registry.may_wait() {
            return None;
        }
        let means = slow.then(|| self.0.means.lock().unwrap_or_else(PoisonError::into_inner));
        let is_slow = |bound: &Bound| {
            means.as_ref().is_some_and(|means| means.get(&bound.module.name).is_some_and(|mean| mean.slow))
        };
        let of = |hooks: &[Bound]| {
            let waits = hooks.iter().any(|bound| bound.module.settings.may_wait()).then_some(Beside::Waiting);
            waits.or_else(|| hooks.iter().any(is_slow).then_some(Beside::Slow))
        };
        let etype = &body.entity.etype;
        let mut found = of(registry.on_task_start());
        if body.delete {
            return found;
        }
        for datapoint in &body.datapoints {
            found = found.max(of(registry.on_new_attribute(etype, &datapoint.attr)));
        }
        let creation = of(registry.allow_entity_creation(etype)).max(of(registry.on_entity_creation(etype)));
        drop(means);
        if creation > found && !is_known() { creation } else { found }
    }

    /// The modules that are slow, with the mean time of a call in microseconds.
    #[must_use]
    pub fn slow(&self) -> Vec<(ModuleName, u64)> {
        let means = self.0.means.lock().unwrap_or_else(PoisonError::into_inner);
        means.iter().filter(|(_, mean)| mean.slow).map(|(name, mean)| (name.clone(), mean.micros)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(micros: u64) -> Usage {
        Usage { micros, warm: true, ..Usage::default() }
    }

    #[test]
    fn slow_calls_make_a_module_slow_and_quick_ones_forget_it() {
        let pace = Pace::default();
        let name = ModuleName::new("m").unwrap();
        pace.note(&name, &call(20_000), false);
        assert!(pace.slow().is_empty(), "one call of 20 ms is no habit");
        pace.note(&name, &call(20_000), false);
        assert_eq!(pace.slow().len(), 1);
        for _ in 0..40 {
            pace.note(&name, &call(50), false);
        }
        assert!(pace.slow().is_empty());
        assert_eq!(pace.0.tracked.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_start_is_not_a_habit_and_a_second_is_one_at_once() {
        let pace = Pace::default();
        let name = ModuleName::new("m").unwrap();
        let start = Usage { warm: false, ..call(5_000_000) };
        pace.note(&name, &start, false);
        assert!(pace.slow().is_empty());
        pace.note(&name, &call(1_000_000), false);
        assert_eq!(pace.slow().len(), 1);
    }

    #[test]
    fn a_module_whose_calls_all_fail_never_has_a_warm_one_and_is_slow_all_the_same() {
        let pace = Pace::default();
        let name = ModuleName::new("m").unwrap();
        for _ in 0..2 {
            pace.note(&name, &Usage { warm: false, ..call(20_000) }, true);
        }
        assert_eq!(pace.slow().len(), 1);
    }
}
