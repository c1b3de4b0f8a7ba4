//! When a module's hook is paused because it keeps breaking rules.
//!
//! One breaker per module and kind of hook. *Faults* count (a trap, a limit, an invalid output), errors that a hook
//! returns on purpose do not. A breaker opens after [`CONSECUTIVE`] faults in a row or when half of the last [`WINDOW`]
//! calls were faults; while it is open the hook is not called. After a pause some calls go through on probation:
//! [`GOOD_TO_CLOSE`] good ones close it, a fault opens it again for twice as long. Opened [`OPENS_TO_QUARANTINE`] times
//! in a day it is quarantined, and only an operator lets it go.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Faults in a row that open a breaker.
pub const CONSECUTIVE: u32 = 5;
/// Calls looked back at.
pub const WINDOW: u32 = 20;
/// Faults among them that open a breaker.
pub const FAULTS_IN_WINDOW: u32 = 10;
/// First pause, in seconds; doubled each time.
pub const FIRST_PAUSE_S: i64 = 30;
/// Longest pause, in seconds.
pub const LONGEST_PAUSE_S: i64 = 3600;
/// Good calls on probation that close it.
pub const GOOD_TO_CLOSE: u32 = 3;
/// Times that it may open within a day before an operator must look.
pub const OPENS_TO_QUARANTINE: usize = 3;
/// What counts as a day, in seconds.
const DAY_S: i64 = 86_400;

/// Whether calls go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum State {
    /// All.
    Closed,
    /// None until then.
    Open {
        /// When probation begins.
        until: Timestamp,
    },
    /// On probation: calls go through, and this many were good.
    HalfOpen {
        /// Good calls so far.
        good: u32,
    },
    /// None until an operator releases it.
    Quarantined,
}

impl State {
    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open { .. } => "open",
            Self::HalfOpen { .. } => "half-open",
            Self::Quarantined => "quarantined",
        }
    }
}

/// The breaker of one hook of one module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breaker {
    /// Whether calls go through.
    #[serde(flatten)]
    pub state: State,
    /// When it opened, within the last day.
    pub opened: Vec<Timestamp>,
    /// The fault that changed the state last.
    pub reason: String,
    /// When the state changed last.
    pub since: Timestamp,
    #[serde(default)]
    in_row: u32,
    /// The last calls, newest in the lowest bit; 1 = fault.
    #[serde(default)]
    window: u32,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            state: State::Closed,
            opened: Vec::new(),
            reason: String::new(),
            since: Timestamp(0),
            in_row: 0,
            window: 0,
        }
    }
}

impl Breaker {
    /// Whether a call may be made now. An open breaker whose pause is over goes on probation.
    pub fn admits(&mut self, now: Timestamp) -> bool {
        match self.state {
            State::Closed | State::HalfOpen { .. } => true,
            State::Quarantined => false,
            State::Open { until } if now < until => false,
            State::Open { .. } => {
                self.state = State::HalfOpen { good: 0 };
                self.since = now;
                true
            }
        }
    }

    /// Takes in a call that broke no rule. True when the state has changed.
    pub fn good(&mut self, now: Timestamp) -> bool {
        self.in_row = 0;
        self.window = (self.window << 1) & window_mask();
        let State::HalfOpen { good } = self.state else { return false };
        if good + 1 < GOOD_TO_CLOSE {
            self.state = State::HalfOpen { good: good + 1 };
            return false;
        }
        self.state = State::Closed;
        self.since = now;
        self.window = 0;
        true
    }

    /// Takes in a fault. True when the state has changed.
    pub fn fault(&mut self, reason: &str, now: Timestamp) -> bool {
        self.in_row += 1;
        self.window = ((self.window << 1) | 1) & window_mask();
        let opens = match self.state {
            State::Closed => self.in_row >= CONSECUTIVE || self.window.count_ones() >= FAULTS_IN_WINDOW,
            State::HalfOpen { .. } => true,
            // A call that began before the breaker opened.
            State::Open { .. } | State::Quarantined => false,
        };
        if !opens {
            return false;
        }
        self.opened.retain(|at| now.since(*at) < DAY_S * 1_000_000);
        self.opened.push(now);
        self.reason = reason.to_owned();
        self.since = now;
        self.in_row = 0;
        self.window = 0;
        if self.opened.len() >= OPENS_TO_QUARANTINE {
            self.state = State::Quarantined;
            return true;
        }
        let doublings = u32::try_from(self.opened.len().saturating_sub(1)).unwrap_or(u32::MAX).min(20);
        let pause = (FIRST_PAUSE_S << doublings).min(LONGEST_PAUSE_S);
        self.state = State::Open { until: now.saturating_add(pause * 1_000_000) };
        true
    }

    /// Quarantines at once, whatever was before: for what must never happen, such as a panic of the host in the call.
    pub fn quarantine(&mut self, reason: &str, now: Timestamp) {
        *self = Self { state: State::Quarantined, reason: reason.to_owned(), since: now, ..Self::default() };
    }

    /// Whether it knows nothing that a new one would not.
    #[must_use]
    pub fn is_forgotten(&self) -> bool {
        self.state == State::Closed && self.opened.is_empty() && self.in_row == 0 && self.window == 0
    }

    /// An operator lets it go: closed, with nothing remembered.
    pub fn release(&mut self, now: Timestamp) {
        *self = Self { since: now, ..Self::default() };
    }
}

fn window_mask() -> u32 {
    (1 << WINDOW) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1_700_000_000 + seconds)
    }

    fn opened_at(t: i64) -> Breaker {
        let mut b = Breaker::default();
        for n in 0..CONSECUTIVE {
            assert_eq!(b.fault("fuel", at(t)), n + 1 == CONSECUTIVE);
        }
        b
    }

    #[test]
    fn opens_after_faults_in_a_row_and_lets_nothing_through() {
        let mut b = opened_at(0);
        assert_eq!(b.state, State::Open { until: at(30) });
        assert!(!b.admits(at(29)));
        assert!(b.admits(at(30)));
        assert_eq!(b.state, State::HalfOpen { good: 0 });
    }

    #[test]
    fn a_good_call_between_faults_starts_the_row_again() {
        let mut b = Breaker::default();
        for _ in 0..3 {
            for _ in 0..CONSECUTIVE - 2 {
                b.fault("trap", at(0));
            }
            for _ in 0..4 {
                b.good(at(0));
            }
        }
        assert_eq!(b.state, State::Closed);
    }

    #[test]
    fn every_second_call_a_fault_opens_by_rate() {
        let mut b = Breaker::default();
        let mut calls = 0;
        while b.state == State::Closed {
            b.fault("trap", at(0));
            b.good(at(0));
            calls += 2;
            assert!(calls <= WINDOW, "half of the last {WINDOW} calls were faults");
        }
        assert!(calls >= WINDOW - 2);
    }

    #[test]
    fn good_calls_on_probation_close_it() {
        let mut b = opened_at(0);
        assert!(b.admits(at(31)));
        assert!(!b.good(at(31)));
        assert!(!b.good(at(31)));
        assert!(b.good(at(31)));
        assert_eq!(b.state, State::Closed);
    }

    #[test]
    fn pauses_double_and_the_third_time_needs_an_operator() {
        let mut b = opened_at(0);
        assert!(b.admits(at(30)));
        assert!(b.fault("fuel", at(40)), "a fault on probation opens at once");
        assert_eq!(b.state, State::Open { until: at(100) });
        assert!(b.admits(at(100)));
        b.fault("fuel", at(101));
        assert_eq!(b.state, State::Quarantined);
        assert!(!b.admits(at(1_000_000)));
        b.release(at(5));
        assert!(b.admits(at(5)));
        assert!(b.opened.is_empty());
    }

    #[test]
    fn what_opened_days_ago_is_forgotten() {
        let mut b = opened_at(0);
        for day in 1..10 {
            let t = day * DAY_S + 10;
            assert!(b.admits(at(t)));
            b.good(at(t));
            b.good(at(t));
            b.good(at(t));
            for _ in 0..CONSECUTIVE {
                b.fault("fuel", at(t));
            }
            assert!(matches!(b.state, State::Open { .. }), "day {day}");
        }
    }

    #[test]
    fn it_survives_storage() {
        let b = opened_at(3);
        let text = serde_json::to_string(&b).unwrap();
        assert_eq!(serde_json::from_str::<Breaker>(&text).unwrap(), b);
    }
}
