//! Counts that are committed with what they count.
//!
//! The writer keeps them in memory, saves a copy before each piece of work and writes the changed ones once per
//! transaction. Sequence numbers live here too: since they are stored in the transaction that uses them, none is used
//! twice, not even after a restart.

use rusqlite::{Connection, OptionalExtension};
use tenter_model::task::Queue;

use crate::error::StoreError;

/// The first sequence number of the normal queue; those of the priority queue are below.
pub(crate) const NORMAL_BASE: i64 = 1 << 62;

macro_rules! counts {
    ($($(#[doc = $doc:literal])* $name:ident = $key:literal,)*) => {
        /// What is counted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Count { $($name,)* }

        const KEYS: [&str; [$($key),*].len()] = [$($key),*];
    };
}

counts! {
    Accepted = "accepted",
    Applied = "applied",
    Denied = "denied",
    Dead = "dead",
    Pending = "pending",
    Duplicates = "duplicates",
    OverBudget = "over_budget",
    ReceivedPoints = "received_points",
    RawPoints = "raw_points",
    DerivedPoints = "derived_points",
    Created = "created",
    Removed = "removed",
    Postponed = "postponed",
    NextPriority = "next_priority",
    NextNormal = "next_normal",
    StateVersion = "state_version",
    PendingBytes = "pending_bytes",
    Careful = "careful",
    AuditRows = "audit_rows",
    Invocations = "invocations",
    InvocationBytes = "invocation_bytes",
    Archived = "archived_points",
}

/// All counts as of the last commit, from one moment.
///
/// Each task that ever entered is in exactly one of four states, so that
/// `accepted = applied + denied + dead + pending` holds always; see [`Counters::reconciles`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Tasks taken in: from outside, and from hooks, those over a bound included.
    pub accepted: u64,
    /// Tasks whose effects are stored, or that had none to store.
    pub applied: u64,
    /// Tasks that a module denied.
    pub denied: u64,
    /// Tasks that ended as dead letters. Replaying one moves it back to `pending`.
    pub dead: u64,
    /// Tasks in the queues.
    pub pending: u64,
    /// Bytes of the tasks in the queues.
    pub pending_bytes: u64,
    /// Tasks left out because their id was known.
    pub duplicates: u64,
    /// Of the dead letters, those over a root's budget.
    pub over_budget: u64,
    /// Datapoints in accepted tasks from outside, those of denied and dead-lettered tasks included.
    pub received_points: u64,
    /// Datapoints in the log.
    pub raw_points: u64,
    /// Of these, the ones that modules wrote.
    pub derived_points: u64,
    /// Datapoints that were moved from the log to archives.
    pub archived_points: u64,
    /// Entities that came into being.
    pub created: u64,
    /// Entities removed.
    pub removed: u64,
    /// Times that a task was put back after a failure.
    pub postponed: u64,
}

impl Counters {
    /// Whether no task is lost and none counted twice.
    #[must_use]
    pub fn reconciles(&self) -> bool {
        self.accepted == self.applied + self.denied + self.dead + self.pending
    }

    /// Reads them as of the connection's snapshot.
    pub(crate) fn read(conn: &Connection) -> Result<Self, StoreError> {
        let t = Tally::load(conn)?;
        let get = |c| u64::try_from(t.get(c)).unwrap_or(0);
        Ok(Self {
            accepted: get(Count::Accepted),
            applied: get(Count::Applied),
            denied: get(Count::Denied),
            dead: get(Count::Dead),
            pending: get(Count::Pending),
            pending_bytes: get(Count::PendingBytes),
            duplicates: get(Count::Duplicates),
            over_budget: get(Count::OverBudget),
            received_points: get(Count::ReceivedPoints),
            raw_points: get(Count::RawPoints),
            derived_points: get(Count::DerivedPoints),
            archived_points: get(Count::Archived),
            created: get(Count::Created),
            removed: get(Count::Removed),
            postponed: get(Count::Postponed),
        })
    }

    /// The counts again, with those that rows can tell counted row by row.
    pub(crate) fn count(conn: &Connection) -> Result<Self, StoreError> {
        let count = |sql| -> Result<u64, StoreError> {
            Ok(u64::try_from(conn.query_row(sql, [], |r| r.get::<_, i64>(0))?).unwrap_or(0))
        };
        Ok(Self {
            pending: count("SELECT count(*) FROM task")?,
            pending_bytes: count("SELECT coalesce(sum(length(body)), 0) FROM task")?,
            raw_points: count("SELECT count(*) FROM raw")?,
            derived_points: count("SELECT count(*) FROM raw WHERE module IS NOT NULL")?,
            ..Self::read(conn)?
        })
    }
}

/// The writer's copy of the counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally([i64; KEYS.len()]);

impl Tally {
    /// Reads the stored counts; those never written start at 0, sequence numbers at the base of their queue.
    pub(crate) fn load(conn: &Connection) -> Result<Self, StoreError> {
        let mut tally = Self([0; KEYS.len()]);
        let mut statement = conn.prepare_cached("SELECT n FROM counter WHERE name = ?1")?;
        for (slot, key) in tally.0.iter_mut().zip(KEYS) {
            *slot = statement.query_row([key], |r| r.get(0)).optional()?.unwrap_or(0);
        }
        Ok(tally)
    }

    pub(crate) fn get(&self, count: Count) -> i64 {
        self.0.get(count as usize).copied().unwrap_or(0)
    }

    pub(crate) fn add(&mut self, count: Count, n: i64) {
        if let Some(slot) = self.0.get_mut(count as usize) {
            *slot = slot.saturating_add(n);
        }
    }

    /// The next place in a queue.
    pub(crate) fn next_seq(&mut self, queue: Queue) -> i64 {
        let (count, base) = match queue {
            Queue::Priority => (Count::NextPriority, 0),
            Queue::Normal => (Count::NextNormal, NORMAL_BASE),
        };
        self.add(count, 1);
        base + self.get(count)
    }

    /// A version for a state key, never used before.
    pub(crate) fn next_version(&mut self) -> i64 {
        self.add(Count::StateVersion, 1);
        self.get(Count::StateVersion)
    }

    /// Writes what differs from `before`.
    pub(crate) fn store(&self, conn: &Connection, before: &Self) -> Result<(), StoreError> {
        let mut statement = conn.prepare_cached(
            "INSERT INTO counter (name, n) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET n = excluded.n",
        )?;
        for ((key, now), was) in KEYS.iter().zip(self.0).zip(before.0) {
            if now != was {
                statement.execute((key, now))?;
            }
        }
        Ok(())
    }
}
