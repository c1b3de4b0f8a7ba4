//! When a client is given up: the decision alone, without sockets or clocks.
//!
//! A connection waits for its client in three ways. It waits for a request: then the whole head must come within a time of
//! its first byte, however the bytes are spread, and nothing at all may come for a longer one. It waits for the rest of a
//! body: that is [`super::pace`]'s. Or the client owes it to read: then some kilobytes must be taken in each stretch of
//! time. What the server itself takes long for is nobody's debt and no reason to cut.

use std::time::{Duration, Instant};

use tenter_model::config::Http;

use super::tally::End;

/// Bytes that must move within `progress_timeout`: enough that a byte now and then does not count.
pub(super) const LEAST_BYTES: u64 = 4096;

/// Times after which a client is given up; none = never.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Patience {
    /// For the head of a request.
    pub(super) head: Option<Duration>,
    /// For a request at all.
    pub(super) idle: Option<Duration>,
    /// For the next [`LEAST_BYTES`] of what is sent or read.
    pub(super) progress: Option<Duration>,
}

impl Patience {
    /// As configured.
    pub(super) fn of(http: &Http) -> Self {
        let time = |micros: i64| u64::try_from(micros).ok().filter(|m| *m > 0).map(Duration::from_micros);
        Self { head: time(http.header_timeout), idle: time(http.idle_timeout), progress: time(http.progress_timeout) }
    }

    /// How often to look: often enough that nobody stays much longer than allowed.
    pub(super) fn interval(&self) -> Duration {
        let shortest = [self.head, self.idle, self.progress].into_iter().flatten().min();
        shortest.map_or(Duration::from_secs(1), |t| (t / 4).clamp(Duration::from_millis(10), Duration::from_secs(1)))
    }
}

/// What a connection has seen until now.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen {
    /// Bytes from the client.
    pub(super) read: u64,
    /// Bytes that the system took for the client.
    pub(super) written: u64,
    /// Requests begun.
    pub(super) requests: u64,
    /// Requests begun whose answer has not left.
    pub(super) open: u64,
    /// Whether something waits for the client to read.
    pub(super) owed: bool,
    /// Whether it is HTTP/2, where bytes without a request are normal.
    pub(super) multiplexed: bool,
}

impl Seen {
    /// Whether no request is under way.
    pub(super) fn waits(&self) -> bool {
        self.open == 0 && !self.owed
    }
}

/// Looks at one connection from time to time.
#[derive(Debug)]
pub(super) struct Watch {
    patience: Patience,
    /// Since when no request is under way.
    since: Instant,
    busy: bool,
    requests: u64,
    read: u64,
    /// When bytes of a next request were first seen.
    begun: Option<Instant>,
    /// Since when the client owes reading, and what had been written then.
    debt: Option<(Instant, u64)>,
}

impl Watch {
    /// Of a connection that was made now.
    pub(super) fn new(patience: Patience, now: Instant) -> Self {
        Self { patience, since: now, busy: false, requests: 0, read: 0, begun: None, debt: None }
    }

    /// Since when it waits for a request.
    pub(super) fn since(&self) -> Instant {
        self.since
    }

    /// Whether to give the client up.
    pub(super) fn look(&mut self, seen: Seen, now: Instant) -> Option<End> {
        let over = |limit: Option<Duration>, since: Instant| limit.is_some_and(|limit| now - since >= limit);
        if seen.owed {
            let (since, written) = *self.debt.get_or_insert((now, seen.written));
            if seen.written.saturating_sub(written) >= LEAST_BYTES {
                self.debt = Some((now, seen.written));
            } else if over(self.patience.progress, since) {
                return Some(End::Unread);
            }
        } else {
            self.debt = None;
        }
        let busy = !seen.waits();
        if busy || self.busy || seen.requests != self.requests {
            // Something was under way since the last look: waiting begins anew.
            (self.since, self.begun) = (now, None);
            (self.busy, self.requests, self.read) = (busy, seen.requests, seen.read);
            return None;
        }
        if seen.requests == 0 {
            return over(self.patience.head, self.since).then_some(End::Head);
        }
        if seen.read > self.read && !seen.multiplexed && over(self.patience.head, *self.begun.get_or_insert(now)) {
            return Some(End::Head);
        }
        over(self.patience.idle, self.since).then_some(End::Idle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: u64 = 10;
    const IDLE: u64 = 75;
    const PROGRESS: u64 = 30;

    /// Looks each second; the second of the cut, if there is one within the given time.
    fn cut_after(patience: Patience, seconds: u64, seen: impl Fn(u64) -> Seen) -> Option<(u64, End)> {
        let start = Instant::now();
        let mut watch = Watch::new(patience, start);
        (0..=seconds).find_map(|s| Some(s).zip(watch.look(seen(s), start + Duration::from_secs(s))))
    }

    fn usual() -> Patience {
        let s = |s| Some(Duration::from_secs(s));
        Patience { head: s(HEAD), idle: s(IDLE), progress: s(PROGRESS) }
    }

    #[test]
    fn a_head_must_be_whole_in_time_however_its_bytes_are_spread() {
        let drip = |s| Seen { read: s, ..Seen::default() };
        assert_eq!(cut_after(usual(), 300, drip), Some((HEAD, End::Head)));
        assert_eq!(cut_after(usual(), 300, |_| Seen::default()), Some((HEAD, End::Head)));
        // The second request of a connection, begun at 20 s.
        let second = |s: u64| Seen { read: 100 + s.saturating_sub(20), requests: 1, ..Seen::default() };
        assert_eq!(cut_after(usual(), 300, second), Some((21 + HEAD, End::Head)));
        // With limits off nobody is cut.
        assert_eq!(cut_after(Patience::default(), 300, drip), None);
    }

    #[test]
    fn a_connection_without_a_request_ends_after_a_while() {
        let kept = |s: u64| Seen { read: 100, requests: 1, open: u64::from(s < 5), ..Seen::default() };
        assert_eq!(cut_after(usual(), 300, kept), Some((5 + IDLE, End::Idle)));
        // Pings of HTTP/2 are no request, and neither are they a slow head.
        let pings = |s: u64| Seen { read: 100 + 17 * s, requests: 1, multiplexed: true, ..Seen::default() };
        assert_eq!(cut_after(usual(), 300, pings), Some((IDLE, End::Idle)));
        // A request now and then keeps it.
        let now_and_then = |s: u64| Seen { read: 100 * s, requests: 1 + s / 60, ..Seen::default() };
        let patient = Patience { head: None, ..usual() };
        assert_eq!(cut_after(patient, 1000, now_and_then), None);
    }

    #[test]
    fn who_reads_next_to_nothing_is_cut_and_who_reads_slowly_is_not() {
        let reads = |per_s: u64| move |s: u64| Seen { requests: 1, written: per_s * s, owed: true, ..Seen::default() };
        assert_eq!(cut_after(usual(), 1000, reads(0)), Some((PROGRESS, End::Unread)));
        assert_eq!(cut_after(usual(), 1000, reads(10)), Some((PROGRESS, End::Unread)));
        assert_eq!(cut_after(usual(), 1000, reads(200)), None);
        assert_eq!(cut_after(Patience { progress: None, ..usual() }, 1000, reads(0)), None);
    }

    #[test]
    fn what_the_server_takes_long_for_is_nobodys_debt() {
        let working = |_| Seen { read: 100, requests: 1, open: 1, ..Seen::default() };
        assert_eq!(cut_after(usual(), 10_000, working), None);
    }
}
