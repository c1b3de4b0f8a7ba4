//! Counts of hook calls since the start, by module and kind and by subscription, and of tasks by source.
//!
//! Each lane counts for itself; readers add the lanes up.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tenter_model::host::{HookCall, Reason, Usage};
use tenter_model::{DataPoint, HookKind, ModuleName, SubscriptionId, Timestamp};

mod sources;

pub use sources::OTHER_SOURCES;
use sources::{KnownSources, LaneSources};

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

/// What the calls for one subscription added up to: what DP³ counts of a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SubscriptionStats {
    /// Calls.
    pub executions: u64,
    /// Of these, the ones without result.
    pub failures: u64,
    /// Wall time, in microseconds.
    pub micros: u64,
    /// Tasks returned and accepted.
    pub tasks: u64,
    /// Verdicts that denied.
    pub denials: u64,
}

impl SubscriptionStats {
    fn add(&mut self, other: &Self) {
        self.executions += other.executions;
        self.failures += other.failures;
        self.micros += other.micros;
        self.tasks += other.tasks;
        self.denials += other.denials;
    }
}

/// Most subscriptions of a kind of hook of a module that are counted one by one; versions may rename theirs.
const MAX_SUBSCRIPTIONS: usize = 256;

type Table = BTreeMap<(ModuleName, HookKind), HookStats>;

/// The counts of one lane. In two levels, so that the entry of a call is found without a copy of the module's name: such
/// a copy writes to memory that all lanes share.
#[derive(Debug, Clone, Default)]
pub struct LaneStats {
    hooks: Arc<Mutex<LaneTable>>,
    sources: Arc<Mutex<LaneSources>>,
    known: KnownSources,
}

type LaneTable = BTreeMap<ModuleName, BTreeMap<HookKind, KindStats>>;

#[derive(Debug, Clone, Default)]
struct KindStats {
    sum: HookStats,
    /// A handful, so that looking through them is the quickest way to one.
    each: Vec<(SubscriptionId, SubscriptionStats)>,
}

impl KindStats {
    fn subscription(&mut self, id: &SubscriptionId) -> Option<&mut SubscriptionStats> {
        if let Some(found) = self.each.iter().position(|(known, _)| known == id) {
            return self.each.get_mut(found).map(|(_, stats)| stats);
        }
        if self.each.len() == MAX_SUBSCRIPTIONS {
            return None;
        }
        self.each.push((id.clone(), SubscriptionStats::default()));
        self.each.last_mut().map(|(_, stats)| stats)
    }
}

impl LaneStats {
    /// Counts one call and gives its number in this lane, from 1; `failure` is why it has no result.
    pub fn count(&self, call: &HookCall<'_>, usage: &Usage, failure: Option<Reason>) -> u64 {
        self.with(&call.module.name, call.kind, |kind| {
            let stats = &mut kind.sum;
            stats.calls += 1;
            stats.fuel += usage.fuel;
            stats.micros += usage.micros;
            stats.memory_bytes = stats.memory_bytes.max(usage.memory_bytes);
            stats.cold += u64::from(!usage.warm);
            if let Some(reason) = failure {
                stats.failed(reason);
            }
            let calls = stats.calls;
            if let Some(one) = kind.subscription(call.subscription) {
                one.executions += 1;
                one.failures += u64::from(failure.is_some());
                one.micros += usage.micros;
            }
            calls
        })
    }

    /// Counts tasks that a call returned and that were accepted.
    pub fn tasks(&self, module: &ModuleName, kind: HookKind, subscription: &SubscriptionId, count: u64) {
        self.with(module, kind, |stats| {
            stats.sum.tasks += count;
            if let Some(one) = stats.subscription(subscription) {
                one.tasks += count;
            }
        });
    }

    /// Counts a verdict that denied.
    pub fn denied(&self, module: &ModuleName, kind: HookKind, subscription: &SubscriptionId) {
        self.with(module, kind, |stats| {
            stats.sum.denials += 1;
            if let Some(one) = stats.subscription(subscription) {
                one.denials += 1;
            }
        });
    }

    /// Counts a call that was left out.
    pub fn skipped(&self, module: &ModuleName, kind: HookKind) {
        self.with(module, kind, |stats| stats.sum.skipped += 1);
    }

    /// Counts a task that was processed for each source of its datapoints.
    pub fn processed(&self, datapoints: &[DataPoint]) {
        if datapoints.iter().any(|dp| dp.src.is_some()) {
            self.sources.lock().unwrap_or_else(PoisonError::into_inner).count(datapoints, &self.known);
        }
    }

    fn with<T>(&self, module: &ModuleName, kind: HookKind, work: impl FnOnce(&mut KindStats) -> T) -> T {
        let mut table = self.hooks.lock().unwrap_or_else(PoisonError::into_inner);
        match table.get_mut(module) {
            Some(kinds) => work(kinds.entry(kind).or_default()),
            None => work(table.entry(module.clone()).or_default().entry(kind).or_default()),
        }
    }
}

/// The counts of all lanes.
#[derive(Debug, Clone, Default)]
pub struct Stats {
    lanes: Arc<Mutex<Vec<LaneStats>>>,
    known: KnownSources,
}

impl Stats {
    /// Counts for one more lane.
    #[must_use]
    pub fn lane(&self) -> LaneStats {
        let lane = LaneStats { known: self.known.clone(), ..LaneStats::default() };
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner).push(lane.clone());
        lane
    }

    /// All lanes together.
    #[must_use]
    pub fn total(&self) -> BTreeMap<(ModuleName, HookKind), HookStats> {
        let mut total = Table::new();
        self.each(|module, kind, stats| total.entry((module.clone(), kind)).or_default().add(&stats.sum));
        total
    }

    /// All lanes together, by subscription.
    #[must_use]
    pub fn by_subscription(&self) -> BTreeMap<(ModuleName, HookKind, SubscriptionId), SubscriptionStats> {
        let mut total = BTreeMap::<_, SubscriptionStats>::new();
        self.each(|module, kind, stats| {
            for (id, one) in &stats.each {
                total.entry((module.clone(), kind, id.clone())).or_default().add(one);
            }
        });
        total
    }

    /// Tasks processed, by source. A task that has to be run again, since another wrote its entity, counts again.
    #[must_use]
    pub fn tasks_by_source(&self) -> BTreeMap<String, u64> {
        let mut total = BTreeMap::new();
        for lane in self.lanes.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            lane.sources.lock().unwrap_or_else(PoisonError::into_inner).add_to(&mut total);
        }
        total
    }

    /// Until when sources told something, of those that did since this was asked for last.
    #[must_use]
    pub fn take_validity(&self) -> Vec<(String, Timestamp)> {
        let mut latest = BTreeMap::new();
        for lane in self.lanes.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            lane.sources.lock().unwrap_or_else(PoisonError::into_inner).take_validity(&mut latest);
        }
        latest.into_iter().collect()
    }

    fn each(&self, mut see: impl FnMut(&ModuleName, HookKind, &KindStats)) {
        for lane in self.lanes.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            for (module, kinds) in lane.hooks.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                for (kind, stats) in kinds {
                    see(module, *kind, stats);
                }
            }
        }
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
