//! What is asked of a run and what is told of it.

use tenter_model::snapshot::components::MAX_MEMBERS;
use tenter_model::snapshot::plan::PlanError;
use tenter_model::{EntityType, Timestamp};
use tenter_store::{RunRow, StoreError};

/// How a run is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotOptions {
    /// The time that values are computed for; `None` = now.
    pub time: Option<Timestamp>,
    /// Compute entities anew whose values cannot have changed.
    pub full: bool,
    /// Whether entities with nothing but an id get documents (`snapshots.keep_empty`).
    pub keep_empty: bool,
    /// Entities of one component at most.
    pub max_members: usize,
}

impl Default for SnapshotOptions {
    fn default() -> Self {
        Self { time: None, full: false, keep_empty: true, max_members: MAX_MEMBERS }
    }
}

/// A run that is complete.
#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotReport {
    /// The run as stored, with its counts.
    pub run: RunRow,
    /// Whether it was begun before by a process that did not finish it.
    pub resumed: bool,
}

/// A run that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotProgress {
    /// Its id.
    pub id: String,
    /// The time that values are computed for.
    pub time: Timestamp,
    /// When this process took it up.
    pub since: Timestamp,
    /// Entities done by this process.
    pub entities: u64,
}

/// Why there is no complete run.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Another one is under way.
    #[error(
        "a snapshot run is under way since {since}, and one runs at a time; wait for it (`tenter snapshot list` shows \
         where it is) and ask again"
    )]
    Active {
        /// When it was taken up.
        since: Timestamp,
    },
    /// The engine stops. The run goes on after the next start.
    #[error("the server is stopping; the run goes on after the next start")]
    Stopped,
    /// The hooks of all modules together make no sense.
    #[error("the correlation hooks of the loaded modules cannot be put in order: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Plan(Vec<PlanError>),
    /// The store refused. What is saved stays, and the next run goes on from there.
    #[error("the snapshot run is interrupted and the next one goes on with it: {0}")]
    Store(#[from] StoreError),
    /// A fault of the runtime itself.
    #[error(
        "a lane of the snapshot run panicked, which is a fault of the runtime: please report it; the next run goes on"
    )]
    Panicked,
    /// The hooks of a type that is not there cannot be called again.
    #[error("entity type {:?} is not in the specification; `tenter check` lists the types", .0.as_str())]
    NoEntityType(EntityType),
    /// The operating system refused a thread.
    #[error("cannot start a thread for the snapshot run: {0}")]
    Thread(std::io::Error),
}
