//! Settings of a store, and how it fares.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use tenter_model::limits;

/// When the disk must have what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// At each commit: an answer survives loss of power.
    #[default]
    Full,
    /// At checkpoints: an answer survives a crash of the process, not loss of power.
    Normal,
}

/// Settings of a store. [`Default`] is what a server uses.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// When the disk must have what was written.
    pub synchronous: Synchronous,
    /// Answers `admit` before its commit. A negative control: tests of durability must fail with it.
    pub acknowledge_before_commit: bool,
    /// Whether a task id enters once only. Off is a negative control: tests of "once" must fail with it.
    pub deduplicate: bool,
    /// Descendants of one task from outside; more become dead letters.
    pub max_descendants: u64,
    /// Error rows kept; the oldest go first.
    pub max_error_rows: u64,
    /// Pieces of work in one transaction.
    pub group_commit: usize,
    /// Days for which ids of finished tasks are known.
    pub task_id_days: i64,
    /// High mark of the queues in rows: at or above it nothing new enters from outside. The default holds what an
    /// outage of some minutes brings at full rate, and is worked off within as many.
    pub max_pending_rows: u64,
    /// High mark of the queues in bytes of tasks. The default is a tenth of the disk that a small machine has.
    pub max_pending_bytes: u64,
    /// Bytes of the write-ahead log above which nothing new enters: something, such as a reader that never ends, keeps
    /// it from being moved into the database.
    pub max_log_bytes: u64,
    /// Free bytes of the disk below which nothing new enters, where `free_bytes` tells them.
    pub min_free_bytes: u64,
    /// How to learn the free bytes of the data directory's disk; asked once per transaction.
    pub free_bytes: Option<FreeBytes>,
    /// Calls of hooks kept; the oldest go first.
    pub max_invocation_rows: u64,
    /// Bytes of calls of hooks kept; the oldest go first.
    pub max_invocation_bytes: u64,
    /// Mebibytes of the database that the writer keeps in memory; each connection for reading keeps a quarter of it. They
    /// fill as more of the database is touched.
    pub cache_mib: u32,
    /// Pages that the database may have, as on a disk of that size. For tests of full disks.
    pub max_pages: Option<u32>,
    /// The place, one of [`crate::CRASH_POINTS`], at which the process is to die. For tests of crashes.
    pub crash_at: Option<String>,
}

/// Tells the free bytes of the disk that holds a path, if it can.
#[derive(Clone)]
pub struct FreeBytes(pub Arc<FreeBytesFn>);

/// Gives the free bytes of the disk that holds a path, or `None` if it cannot tell.
pub type FreeBytesFn = dyn Fn(&Path) -> Option<u64> + Send + Sync;

impl fmt::Debug for FreeBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FreeBytes")
    }
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            synchronous: Synchronous::Full,
            acknowledge_before_commit: false,
            deduplicate: true,
            max_descendants: limits::MAX_DESCENDANTS,
            max_error_rows: 100_000,
            group_commit: limits::GROUP_COMMIT_TASKS,
            task_id_days: limits::TASK_ID_DAYS,
            max_pending_rows: 1_000_000,
            max_pending_bytes: 1 << 30,
            max_log_bytes: 1 << 30,
            min_free_bytes: 256 << 20,
            free_bytes: None,
            max_invocation_rows: 100_000,
            max_invocation_bytes: 256 << 20,
            cache_mib: 64,
            max_pages: None,
            crash_at: None,
        }
    }
}

/// How the store fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Whether the last write succeeded. A full disk may recover: the next write tries again.
    pub writable: bool,
    /// Whether new tasks from outside are taken in as far as the disk is concerned. `false` with `writable`: what was
    /// accepted is worked off. Queues above their marks do not show here, since they empty by themselves.
    pub accepts: bool,
    /// Why it is not writable or does not accept, and what to do.
    pub reason: Option<String>,
    /// Transactions committed since the store was opened.
    pub transactions: u64,
    /// Pieces of work done since the store was opened; divided by `transactions` it tells how well they group.
    pub work_done: u64,
    /// Pieces of work that wait for the writer.
    pub waiting: u64,
    /// Whether the process that used the directory before closed it in order. `true` for a new directory.
    pub stopped_cleanly_before: bool,
}
