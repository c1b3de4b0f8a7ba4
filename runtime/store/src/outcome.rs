//! What callers hand over and get back: the words of the interface.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use tenter_model::host::{LogLine, StateRead, StateWrite, Usage};
use tenter_model::task::{Origin, Queue};
use tenter_model::{
    AttrName, DataPoint, EntityId, EntityRef, EntityType, HookKind, MasterRecord, ModuleName, SubscriptionId, Task,
    TaskId, Timestamp,
};

use crate::error::StoreError;
use crate::invocations::{InvocationId, InvocationRow};

/// Called once, on the writer's thread and after the commit, with what came of a piece of work. It must not block;
/// it may hand further work to the store.
pub type Done<T> = Box<dyn FnOnce(Result<T, StoreError>) + Send>;

/// Partitions of the queues: the stable hash of the entity modulo this. A lane serves those whose number modulo the
/// number of lanes is its own.
pub const PARTS: u32 = 64;

/// The partition of an entity.
pub(crate) fn part(entity: &EntityRef) -> u32 {
    u32::try_from(entity.stable_hash() % u64::from(PARTS)).unwrap_or(0)
}

/// What came of one task that was to be admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Admission {
    /// It is in the queue.
    Accepted,
    /// Its id was taken in before; nothing was done.
    Duplicate,
}

/// What a commit brought into the queues: one bit for each of the [`PARTS`] partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CommitNews {
    /// Partitions with new tasks in the priority queue.
    pub priority: u64,
    /// Partitions with new tasks in the normal queue.
    pub normal: u64,
    /// Whether jobs of case hooks wait that did not before.
    pub jobs: bool,
}

impl CommitNews {
    /// Whether a lane has new tasks in either queue.
    #[must_use]
    pub fn concerns(&self, lane: u32, lanes: u32) -> bool {
        let both = self.priority | self.normal;
        (0..PARTS).any(|p| both >> p & 1 == 1 && p % lanes.max(1) == lane)
    }

    /// Whether there is no news.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.priority | self.normal == 0 && !self.jobs
    }

    pub(crate) fn note(&mut self, queue: Queue, part: u32) {
        let bit = 1u64.checked_shl(part).unwrap_or(0);
        match queue {
            Queue::Priority => self.priority |= bit,
            Queue::Normal => self.normal |= bit,
        }
    }
}

/// A task in a queue.
#[derive(Debug, Clone, PartialEq)]
pub struct PendingTask {
    /// Its place: grows in the order of admission, never used twice.
    pub seq: u64,
    /// How often it was postponed after a failure.
    pub attempts: u32,
    /// It must not be tried earlier.
    pub not_before: Option<Timestamp>,
    /// The task.
    pub task: Task,
}

/// One accepted datapoint on its way into the log.
#[derive(Debug, Clone, PartialEq)]
pub struct RawPoint {
    /// The datapoint.
    pub datapoint: DataPoint,
    /// The module that wrote it; `None`: it came from outside.
    pub module: Option<ModuleName>,
}

/// One datapoint of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredPoint {
    /// Its place in the log; grows in the order of arrival.
    pub seq: u64,
    /// The entity it is about.
    pub entity: EntityRef,
    /// The datapoint with its provenance.
    pub point: RawPoint,
    /// The task that brought it.
    pub task: TaskId,
    /// The call that made it, whether or not the call itself is kept; `None`: it came from outside, or was stored
    /// before this was noted.
    pub origin: Option<Origin>,
    /// When it was committed, by the clock of that task.
    pub at: Timestamp,
}

/// Which datapoints of the log are wanted; an absent field means all. Without index: a rare match reads much.
#[derive(Debug, Clone, Default)]
pub struct RawFilter {
    /// Of this entity type.
    pub etype: Option<EntityType>,
    /// Of this entity id.
    pub eid: Option<EntityId>,
    /// Of this attribute.
    pub attr: Option<AttrName>,
    /// Of this source.
    pub src: Option<String>,
    /// Matches left out at the start.
    pub skip: u32,
    /// Matches given at most.
    pub limit: u32,
}

/// In which order datapoints of the log are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RawOrder {
    /// What came last first.
    #[default]
    NewestFirst,
    /// By `t1`, the latest first; what came last first where it is equal, and what has none last.
    LatestFirst,
}

/// A change of the table of links that relation datapoints keep.
#[derive(Debug, Clone, PartialEq)]
pub enum LinkChange {
    /// A plain attribute: these targets and no others.
    Replace {
        /// The attribute.
        attr: AttrName,
        /// All its targets.
        targets: Vec<EntityRef>,
    },
    /// An observation: this target until then, or longer if it was known for longer.
    Extend {
        /// The attribute.
        attr: AttrName,
        /// The target.
        target: EntityRef,
        /// End of validity, later validity included.
        until: Timestamp,
    },
}

/// A link as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRow {
    /// The entity that has the attribute.
    pub from: EntityRef,
    /// The attribute.
    pub attr: AttrName,
    /// The target.
    pub to: EntityRef,
    /// End of validity; `None`: until replaced.
    pub until: Option<Timestamp>,
}

/// What a task does to its entity.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// The record takes this shape. Its `revision` is ignored: the store counts from the revision that was seen.
    Apply {
        /// The record, all of it.
        record: MasterRecord,
        /// Datapoints for the log.
        raw: Vec<RawPoint>,
        /// Changes of links.
        links: Vec<LinkChange>,
        /// Whether the entity came into being; counted.
        created: bool,
    },
    /// The entity goes, with its links in both directions. The log of its datapoints stays.
    Delete,
    /// A module refused the entity.
    Denied {
        /// The module.
        module: ModuleName,
        /// Its reason, for people.
        reason: String,
    },
    /// The task ends without effect through a fault. The revision is not checked.
    Dead(DeadLetter),
    /// The task asked for nothing, such as the removal of an unknown entity. Counts as applied; the revision is not
    /// checked.
    Nothing,
}

/// Changes of one module's state by one call, and what that call read from the store. All reads of an outcome are
/// checked before its first write; a call does not see what an earlier call of the same task wrote.
pub type StateChange = (ModuleName, Vec<StateWrite>, Vec<StateRead>);

/// All that came of processing one task.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskOutcome {
    /// The task's place in the queue.
    pub seq: u64,
    /// The task.
    pub id: TaskId,
    /// Its entity.
    pub entity: EntityRef,
    /// The time of processing.
    pub at: Timestamp,
    /// Revision of the record that the hooks were given; `None`: there was no record.
    pub seen_revision: Option<u64>,
    /// The hook that made the task, and so its datapoints; `None`: it came from outside.
    pub origin: Option<Origin>,
    /// What happens to the entity.
    pub effect: Effect,
    /// Tasks that hooks returned, for the queues.
    pub follow_ups: Vec<Task>,
    /// Tasks that hooks returned and that may not enter.
    pub dead: Vec<DeadLetter>,
    /// Failures of hooks.
    pub errors: Vec<ErrorRow>,
    /// Changes of module state, call by call.
    pub state: Vec<StateChange>,
    /// Calls of hooks, as far as they are to be kept.
    pub invocations: Vec<InvocationRow>,
}

/// What came of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitResult {
    /// All of it is stored.
    Committed {
        /// Tasks that entered the queues.
        follow_ups: usize,
        /// Tasks whose id was taken in before.
        duplicates: usize,
        /// Tasks that became dead letters because the root's budget is spent.
        over_budget: usize,
    },
    /// The record, or a state key that was read and written, has changed since. Nothing is stored; process the task
    /// again.
    Conflict,
    /// The task is not in the queue any more: it was done before. Nothing is stored.
    Gone,
}

/// Why a task is a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeadKind {
    /// A hook that decides on admission failed at each attempt.
    Admission,
    /// Processing failed at each attempt.
    Failed,
    /// The task from outside has had its number of descendants.
    Budget,
    /// Too many hooks lie between it and the task from outside.
    Depth,
    /// It does not fit the entity specification.
    Invalid,
    /// It stopped the process again and again.
    Poison,
}

impl DeadKind {
    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Admission => "admission",
            Self::Failed => "failed",
            Self::Budget => "budget",
            Self::Depth => "depth",
            Self::Invalid => "invalid",
            Self::Poison => "poison",
        }
    }
}

/// A task that ended through a fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The whole task, so that it can be replayed.
    pub task: Task,
    /// Why, for programs.
    pub kind: DeadKind,
    /// The module at fault.
    pub module: Option<ModuleName>,
    /// The hook at fault.
    pub hook: Option<HookKind>,
    /// Stable code of the fault, such as one of [`tenter_model::host::Reason`].
    pub reason: Cow<'static, str>,
    /// Why, for people.
    pub message: String,
    /// When.
    pub at: Timestamp,
}

/// A stored dead letter.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadRow {
    /// Its number.
    pub seq: u64,
    /// The letter.
    pub letter: DeadLetter,
}

/// A failure of a hook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorRow {
    /// The module.
    pub module: ModuleName,
    /// SHA-256 of its component, 64 hexadecimal digits.
    pub digest: String,
    /// Its version.
    pub version: String,
    /// The kind of hook.
    pub hook: HookKind,
    /// The subscription.
    pub subscription: Option<SubscriptionId>,
    /// The task that was processed.
    pub task: Option<TaskId>,
    /// The entity it was about.
    pub entity: Option<EntityRef>,
    /// Stable code, such as one of [`tenter_model::host::Reason`].
    pub reason: Cow<'static, str>,
    /// For the operator.
    pub message: String,
    /// For the author.
    pub detail: Option<String>,
    /// What the call cost.
    pub usage: Usage,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// When.
    pub at: Timestamp,
    /// What the module logged in the call.
    pub logs: Vec<LogLine>,
    /// The call, if it is kept.
    #[serde(default)]
    pub invocation: Option<InvocationId>,
}
