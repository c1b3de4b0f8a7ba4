//! Counts of hook calls since the start, by module and kind.
//!
//! Each lane counts for itself; readers add the lanes up.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tenter_model::host::{Reason, Usage};
use tenter_model::{HookKind, ModuleName};

/// What the calls of one hook of one module added up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HookStats {
    /// Calls.
    pub calls: u64,
    /// Calls without result because a rule was broken (trap, limit, invalid output).
    pub faults: u64,
    /// Calls in which the module said on purpose that it cannot.
    pub errors: u64,
    /// Tasks returned and accepted.
    pub tasks: u64,
    /// Calls left out because the hook is paused.
    pub skipped: u64,
    /// Verdicts that denied.
    pub denials: u64,
    /// Fuel used.
    pub fuel: u64,
    /// Wall time, in microseconds.
    pub micros: u64,
    /// Largest memory of one call, in bytes.
    pub memory_bytes: u64,
    /// Calls that began with a new instance.
    pub cold: u64,
    /// Calls without result, in the order of [`Reason::ALL`].
    reasons: [u64; Reason::ALL.len()],
}

impl HookStats {
    /// Counts a call that had no result.
    pub fn failed(&mut self, reason: Reason) {
        if reason.is_fault() {
            self.faults += 1;
        } else {
            self.errors += 1;
        }
        if let Some(slot) = self.reasons.get_mut(reason as usize) {
            *slot += 1;
        }
    }

    /// Calls without result by their reasons, those that occurred.
    pub fn by_reason(&self) -> impl Iterator<Item = (Reason, u64)> {
        Reason::ALL.iter().copied().zip(self.reasons).filter(|(_, count)| *count > 0)
    }

    fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.faults += other.faults;
        self.errors += other.errors;
        self.tasks += other.tasks;
        self.skipped += other.skipped;
        self.denials += other.denials;
        self.fuel += other.fuel;
        self.micros += other.micros;
        self.memory_bytes = self.memory_bytes.max(other.memory_bytes);
        self.cold += other.cold;
        for (sum, more) in self.reasons.iter_mut().zip(other.reasons) {
            *sum += more;
        }
    }
}

type Table = BTreeMap<(ModuleName, HookKind), HookStats>;

/// The counts of one lane. In two levels, so that the entry of a call is found without a copy of the module's name: such
/// a copy writes to memory that all lanes share.
#[derive(Debug, Clone, Default)]
pub struct LaneStats(Arc<Mutex<LaneTable>>);

type LaneTable = BTreeMap<ModuleName, BTreeMap<HookKind, HookStats>>;

impl LaneStats {
    /// Counts one call and gives its number in this lane, from 1; `more` sets what the usage does not tell.
    pub fn count(&self, module: &ModuleName, kind: HookKind, usage: &Usage, more: impl FnOnce(&mut HookStats)) -> u64 {
        self.with(module, kind, |stats| {
            stats.calls += 1;
            stats.fuel += usage.fuel;
            stats.micros += usage.micros;
            stats.memory_bytes = stats.memory_bytes.max(usage.memory_bytes);
            stats.cold += u64::from(!usage.warm);
            more(stats);
            stats.calls
        })
    }

    /// Adds what is known only after the call was counted.
    pub fn correct(&self, module: &ModuleName, kind: HookKind, more: impl FnOnce(&mut HookStats)) {
        self.with(module, kind, more);
    }

    fn with<T>(&self, module: &ModuleName, kind: HookKind, work: impl FnOnce(&mut HookStats) -> T) -> T {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match table.get_mut(module) {
            Some(kinds) => work(kinds.entry(kind).or_default()),
            None => work(table.entry(module.clone()).or_default().entry(kind).or_default()),
        }
    }
}

/// The counts of all lanes.
#[derive(Debug, Clone, Default)]
pub struct Stats(Arc<Mutex<Vec<LaneStats>>>);

impl Stats {
    /// Counts for one more lane.
    #[must_use]
    pub fn lane(&self) -> LaneStats {
        let lane = LaneStats::default();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(lane.clone());
        lane
    }

    /// All lanes together.
    #[must_use]
    pub fn total(&self) -> BTreeMap<(ModuleName, HookKind), HookStats> {
        let mut total = Table::new();
        for lane in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            for (module, kinds) in lane.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                for (kind, stats) in kinds {
                    total.entry((module.clone(), *kind)).or_default().add(stats);
                }
            }
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_its_own_count() {
        let (mut one, mut two) = (HookStats::default(), HookStats::default());
        for reason in Reason::ALL {
            one.failed(*reason);
        }
        two.failed(Reason::Fuel);
        two.add(&one);
        let counts: Vec<(Reason, u64)> = two.by_reason().collect();
        assert!(counts.iter().all(|(reason, n)| *n == 1 + u64::from(*reason == Reason::Fuel)), "{counts:?}");
        assert_eq!(counts.len(), Reason::ALL.len());
        assert_eq!(two.faults + two.errors, 1 + Reason::ALL.len() as u64);
    }
}
