//! When the timers of modules fire: no threads, no clock of its own, so that each rule is tested by itself.
//!
//! * A slot is a time at which the schedule of a subscription fires. Each is dealt with once, in time order; of several
//!   that have passed, during a downtime or behind a slow hook, the last one counts and the others are passed over.
//! * A slot that comes later than the subscription's grace is missed: it is counted and not called.
//! * While a slot of a subscription is still at work in some lane, the next one waits.
//! * A clock that was put back by more than a day is believed; by less, slots wait for it, so that none comes twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};

use tenter_model::cron::Schedule;
use tenter_model::hook::Timer;
use tenter_model::{ModuleName, SubscriptionId, Timestamp};

use super::Firing;
use crate::listening::Slot;
use crate::registry::{Bound, Registry};

/// A timer, over versions of its module.
pub(super) type Key = (ModuleName, SubscriptionId);
/// The last slot that each lane has dealt with.
pub(super) type Dealt = BTreeMap<u32, Timestamp>;

/// The clock was wrong when a slot lies further ahead of it than this; microseconds.
const CLOCK_ERROR_US: i64 = 86_400_000_000;
/// No wait is exact, so a grace under a second would miss everything.
const LEAST_GRACE_S: u32 = 1;

/// A timer for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimerInfo {
    /// The module.
    pub module: ModuleName,
    /// Its subscription.
    pub subscription: SubscriptionId,
    /// When it fires, or why it does not.
    pub schedule: String,
    /// The last slot that was given to the lanes since the start.
    pub last: Option<Timestamp>,
    /// When it fires next.
    pub next: Option<Timestamp>,
    /// Slots given to the lanes since the start.
    pub fired: u64,
    /// Slots that came too late since the start.
    pub missed: u64,
    /// Whether a slot is at work.
    pub running: bool,
}

struct Entry {
    bound: Bound,
    timer: Timer,
    /// `None`: once at the start, or unreadable.
    schedule: Option<Schedule>,
    /// Slots up to here are dealt with.
    dealt: Timestamp,
    /// The lanes that are further; those that are not named are as far as `dealt`.
    lanes: Dealt,
    next: Option<Timestamp>,
    running: Weak<Firing>,
    last: Option<Timestamp>,
    fired: u64,
    missed: u64,
}

/// A slot that is to be called.
pub(super) struct Due {
    pub(super) key: Key,
    pub(super) slot: Slot,
    /// Lanes that need not be told.
    pub(super) lanes: Dealt,
}

/// All timers of the loaded modules.
#[derive(Default)]
pub(super) struct Timers {
    entries: BTreeMap<Key, Entry>,
    /// All timers that there were since the start of the process.
    seen: BTreeSet<Key>,
    registry: Option<Arc<Registry>>,
}

impl Timers {
    /// Takes in which timers there are; gives those that nothing was known of, with the time from which they count.
    pub(super) fn update(
        &mut self,
        registry: &Arc<Registry>,
        stored: &dyn Fn(&Key) -> Dealt,
        now: Timestamp,
    ) -> Vec<(Key, Timestamp)> {
        if self.registry.as_ref().is_some_and(|seen| Arc::ptr_eq(seen, registry)) {
            return Vec::new();
        }
        self.registry = Some(registry.clone());
        let mut before = std::mem::take(&mut self.entries);
        let mut new = Vec::new();
        for (bound, timer) in registry.timers() {
            let key = (bound.module.name.clone(), bound.subscription.clone());
            if self.entries.contains_key(&key) {
                // A second subscription of the same id would be called twice for each slot.
                continue;
            }
            let entry = match before.remove(&key) {
                Some(entry) if entry.timer.fields == timer.fields && entry.timer.timezone == timer.timezone => {
                    entry.follow(bound, timer, now)
                }
                _ => {
                    // What is stored is for the start of the process. A timer that comes back after it was switched
                    // off, or with another schedule, counts from now.
                    let lanes = if self.seen.insert(key.clone()) { stored(&key) } else { Dealt::new() };
                    if lanes.is_empty() && timer.fields.is_some() {
                        new.push((key.clone(), now));
                    }
                    Entry::new(bound, timer, lanes, now)
                }
            };
            self.entries.insert(key, entry);
        }
        new
    }

    /// The slots that are to be called now.
    pub(super) fn due(&mut self, now: Timestamp) -> Vec<Due> {
        let mut due = Vec::new();
        for (key, entry) in &mut self.entries {
            if let Some((slot, lanes)) = entry.due(now) {
                due.push(Due { key: key.clone(), slot, lanes });
            }
        }
        due
    }

    /// The slot is at work as long as this lives.
    pub(super) fn started(&mut self, key: &Key, firing: &Arc<Firing>) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.running = Arc::downgrade(firing);
        }
    }

    /// When the next timer that is not at work fires.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.entries.values().filter(|entry| !entry.is_running()).filter_map(|entry| entry.next).min()
    }

    /// Slots that are due and wait for an earlier one of their timer.
    pub(super) fn waiting(&self, now: Timestamp) -> usize {
        self.entries.values().filter(|entry| entry.is_running() && entry.next.is_some_and(|next| next <= now)).count()
    }

    pub(super) fn info(&self) -> Vec<TimerInfo> {
        let info = |((module, subscription), entry): (&Key, &Entry)| TimerInfo {
            module: module.clone(),
            subscription: subscription.clone(),
            schedule: entry.describe(),
            last: entry.last,
            next: entry.next,
            fired: entry.fired,
            missed: entry.missed,
            running: entry.is_running(),
        };
        self.entries.iter().map(info).collect()
    }
}

impl Entry {
    fn new(bound: &Bound, timer: &Timer, mut lanes: Dealt, now: Timestamp) -> Self {
        lanes.retain(|_, slot| slot.since(now) <= CLOCK_ERROR_US);
        let dealt = lanes.values().min().copied().unwrap_or(now);
        let schedule = Schedule::of_timer(timer).unwrap_or_else(|error| {
            // Admission refuses this; it can come from a version that was admitted by other rules.
            tracing::error!(module = %bound.module.name, subscription = %bound.subscription, "no schedule: {error}");
            None
        });
        let next = match &schedule {
            Some(schedule) => schedule.next(dealt),
            None => timer.fields.is_none().then_some(now),
        };
        Self {
            bound: bound.clone(),
            timer: timer.clone(),
            schedule,
            dealt,
            lanes,
            next,
            running: Weak::new(),
            last: None,
            fired: 0,
            missed: 0,
        }
    }

    /// The same timer of another version or configuration of its module.
    fn follow(mut self, bound: &Bound, timer: &Timer, now: Timestamp) -> Self {
        if self.timer.fields.is_none() && self.bound.module.generation != bound.module.generation {
            self.next = Some(now);
        }
        self.bound = bound.clone();
        self.timer = timer.clone();
        self
    }

    fn due(&mut self, now: Timestamp) -> Option<(Slot, Dealt)> {
        if self.dealt.since(now) > CLOCK_ERROR_US {
            self.dealt = now;
            self.lanes.clear();
            self.next = self.schedule.as_ref().and_then(|schedule| schedule.next(now));
        }
        if self.is_running() {
            return None;
        }
        let first = self.next.filter(|next| *next <= now)?;
        let at = match &self.schedule {
            Some(schedule) => schedule.latest(self.dealt, now).unwrap_or(first),
            None => first,
        };
        let lanes = std::mem::take(&mut self.lanes);
        self.dealt = at;
        self.next = self.schedule.as_ref().and_then(|schedule| schedule.next(at));
        let grace = i64::from(self.timer.grace_seconds.max(LEAST_GRACE_S)) * 1_000_000;
        if self.schedule.is_some() && now.since(at) > grace {
            self.missed += 1;
            tracing::warn!(
                module = %self.bound.module.name, subscription = %self.bound.subscription, slot = %at,
                "a slot is missed: it comes later than its grace of {} s", self.timer.grace_seconds
            );
            return None;
        }
        self.last = Some(at);
        self.fired += 1;
        Some((Slot { bound: self.bound.clone(), at, arguments: self.timer.arguments.clone() }, lanes))
    }

    fn is_running(&self) -> bool {
        self.running.strong_count() > 0
    }

    fn describe(&self) -> String {
        match (&self.timer.fields, &self.schedule) {
            (None, _) => "once at start".to_owned(),
            (Some(_), None) => "never: the schedule cannot be read".to_owned(),
            (Some(fields), Some(_)) => {
                let fields: Vec<String> = fields.iter().map(|(name, text)| format!("{name}={text}")).collect();
                format!("{} {}", fields.join(" "), self.timer.timezone)
            }
        }
    }
}
