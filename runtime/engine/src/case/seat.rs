//! Seats: hosts for case hooks, each with its own instances of the modules.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tenter_model::HookHost;

use crate::registry::{LastTold, Registry};
use crate::stats::LaneStats;

/// One host.
pub(crate) struct Seat {
    pub(crate) host: Box<dyn HookHost>,
    pub(crate) stats: LaneStats,
    told: LastTold,
}

impl Seat {
    pub(crate) fn new(host: Box<dyn HookHost>, stats: LaneStats) -> Self {
        Self { host, stats, told: LastTold::default() }
    }

    /// Before calls by this registry.
    pub(crate) fn ready(&mut self, registry: &Arc<Registry>) {
        self.told.tell(self.host.as_mut(), registry);
    }
}

/// Seats that are lent to whoever needs one.
pub(super) struct Seats {
    free: Mutex<Vec<Seat>>,
    freed: Condvar,
}

impl Seats {
    pub(super) fn new(free: Vec<Seat>) -> Self {
        Self { free: Mutex::new(free), freed: Condvar::new() }
    }

    /// Works on a seat, or on none when none became free in that time.
    pub(super) fn with<T>(&self, within: Duration, work: impl FnOnce(Option<&mut Seat>) -> T) -> T {
        let until = Instant::now() + within;
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seat = loop {
            if let Some(seat) = free.pop() {
                break Some(seat);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break None;
            }
            free = self.freed.wait_timeout(free, left).unwrap_or_else(PoisonError::into_inner).0;
        };
        drop(free);
        let done = work(seat.as_mut());
        if let Some(seat) = seat {
            // The one whose instances are warm goes out again first.
            self.free.lock().unwrap_or_else(PoisonError::into_inner).push(seat);
            self.freed.notify_one();
        }
        done
    }
}
