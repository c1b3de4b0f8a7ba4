//! Settings of a store, and how it fares.

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
        }
    }
}

/// How the store fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Whether the last write succeeded. A full disk may recover: the next write tries again.
    pub writable: bool,
    /// Why it is not writable, and what to do.
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
