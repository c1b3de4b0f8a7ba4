//! How connections fare, for the metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the start, and what is open now.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    open: AtomicU64,
    /// By [`End`].
    ends: [AtomicU64; End::ALL.len()],
}

/// Why the server ended a connection, or did not take one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The head of a request took too long.
    Head,
    /// No request came.
    Idle,
    /// The rest of a body did not come.
    Body,
    /// An answer was not read.
    Unread,
    /// It waited longest when a new one needed room.
    Room,
    /// It was new, and each of the others was at a request.
    Full,
}

impl End {
    /// All of them.
    pub(crate) const ALL: [Self; 6] = [Self::Head, Self::Idle, Self::Body, Self::Unread, Self::Room, Self::Full];

    /// Its label.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Idle => "idle",
            Self::Body => "body",
            Self::Unread => "unread",
            Self::Room => "room",
            Self::Full => "full",
        }
    }
}

impl Tally {
    /// One more of this end.
    pub(super) fn ended(&self, end: End) {
        if let Some(count) = self.ends.get(end as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// One connection more.
    pub(super) fn opened(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    /// One connection less.
    pub(super) fn closed(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    /// Connections that are open.
    pub(crate) fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    /// How many had this end.
    pub(crate) fn count(&self, end: End) -> u64 {
        self.ends.get(end as usize).map_or(0, |count| count.load(Ordering::Relaxed))
    }
}
