//! Tasks: what enters the pipeline.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::datapoint::DataPoint;
use crate::hook::HookKind;
use crate::id::{EntityRef, ModuleName, SubscriptionId};
use crate::time::Timestamp;

/// Names a task for ever. The first 48 bits are the milliseconds at which the root of its family was admitted, so
/// that ids of one time lie together in the store; the rest is random for roots and a hash for follow-ups.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskId(pub [u8; 16]);

impl TaskId {
    /// Id of a root task: the time of admission and ten random bytes.
    #[must_use]
    pub fn root(now: Timestamp, random: [u8; 10]) -> Self {
        let millis = u64::try_from(now.0 / 1000).unwrap_or(0).to_be_bytes();
        let mut id = [0u8; 16];
        for (slot, byte) in id.iter_mut().zip(millis.into_iter().skip(2).chain(random)) {
            *slot = byte;
        }
        Self(id)
    }

    /// Id of a task that a hook returned: a function of the parent, the subscription, the stage (such as the
    /// datapoint's number) and the place in the output. The module's digest is left out, so that a re-run after an
    /// upgrade gives the same ids.
    #[must_use]
    pub fn follow_up(
        parent: Self,
        module: &ModuleName,
        subscription: &SubscriptionId,
        stage: u32,
        ordinal: u32,
    ) -> Self {
        let mut hash = Sha256::new();
        for part in [&b"tenter.v1"[..], &parent.0, module.as_str().as_bytes(), &[0], subscription.as_str().as_bytes()] {
            hash.update(part);
        }
        hash.update(stage.to_be_bytes());
        hash.update(ordinal.to_be_bytes());
        let mut id = parent.0;
        for (slot, byte) in id.iter_mut().skip(6).zip(hash.finalize()) {
            *slot = byte;
        }
        Self(id)
    }

    /// Stands for one slot of a timer, as parent and root of what its calls submit: the task `n` of the submission `s`
    /// is `TaskId::follow_up(slot, module, subscription, s, n)`. A function of the slot's time, which is the time of
    /// the call, and not of the lane, so that the same task enters once however many lanes submit it.
    #[must_use]
    pub fn of_slot(module: &ModuleName, subscription: &SubscriptionId, slot: Timestamp) -> Self {
        let mut hash = Sha256::new();
        for part in [&b"tenter.slot.v1"[..], module.as_str().as_bytes(), &[0], subscription.as_str().as_bytes()] {
            hash.update(part);
        }
        hash.update(slot.0.to_be_bytes());
        let mut rest = [0u8; 10];
        for (slot, byte) in rest.iter_mut().zip(hash.finalize()) {
            *slot = byte;
        }
        Self::root(slot, rest)
    }

    /// Stands for the work on one entity within larger work, such as a snapshot run, as parent and root of what its
    /// hooks return: a function of both, so that work that is done again gives the same ids.
    #[must_use]
    pub fn part_of(whole: Self, entity: &EntityRef) -> Self {
        let mut hash = Sha256::new();
        for part in [&b"tenter.part.v1"[..], &whole.0, entity.etype.as_str().as_bytes(), &[0]] {
            hash.update(part);
        }
        hash.update(entity.eid.as_str().as_bytes());
        let mut id = whole.0;
        for (slot, byte) in id.iter_mut().skip(6).zip(hash.finalize()) {
            *slot = byte;
        }
        Self(id)
    }

    /// Stands for one sweep of a group of hooks over stored entities, as the whole of [`TaskId::part_of`]: a function of
    /// the group, the sweep's number and its begin.
    #[must_use]
    pub fn of_sweep(group: &str, number: u64, began: Timestamp) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"tenter.sweep.v1");
        hash.update(number.to_be_bytes());
        hash.update(group.as_bytes());
        let mut rest = [0u8; 10];
        for (slot, byte) in rest.iter_mut().zip(hash.finalize()) {
            *slot = byte;
        }
        Self::root(began, rest)
    }

    /// Stands for a job of a case hook, as parent and root of what its calls return: a function of the job, so that one
    /// that is tried again gives the same ids.
    #[must_use]
    pub fn of_job(job: &str, queued: Timestamp) -> Self {
        let hash = Sha256::new().chain_update(b"tenter.job.v1").chain_update(job.as_bytes()).finalize();
        let mut rest = [0u8; 10];
        for (slot, byte) in rest.iter_mut().zip(hash) {
            *slot = byte;
        }
        Self::root(queued, rest)
    }

    /// Parses 32 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        u128::from_str_radix(text, 16).ok().map(|n| Self(n.to_be_bytes()))
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Which queue a task waits in. Tasks that ingestion hooks return go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Queue {
    /// What hooks of ingestion returned.
    Priority,
    /// What came from outside, and from snapshot, update and schedule hooks.
    Normal,
}

/// What a client or a hook asks for. A hook's output is a proposal until the engine has checked it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskBody {
    /// The entity that all of this is about.
    pub entity: EntityRef,
    /// In order.
    pub datapoints: Vec<DataPoint>,
    /// Tokens that keep the entity alive; `None` is DP³'s null token, which is stored nowhere.
    pub ttl_tokens: Vec<(String, Option<Timestamp>)>,
    /// Free text, never used by the runtime.
    pub tags: Vec<String>,
    /// Remove the entity; the rest is ignored then.
    pub delete: bool,
}

impl TaskBody {
    /// A task with nothing in it yet.
    #[must_use]
    pub fn new(entity: EntityRef) -> Self {
        Self { entity, datapoints: Vec::new(), ttl_tokens: Vec::new(), tags: Vec::new(), delete: false }
    }
}

/// Who made a task or wrote a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The module.
    pub module: ModuleName,
    /// Its version.
    pub version: String,
    /// The kind of hook that returned it.
    pub hook: HookKind,
    /// The subscription called.
    pub subscription: SubscriptionId,
    /// The task whose processing called it.
    pub parent: TaskId,
    /// Which of that task's calls it was: with the rest it names the call in the records of calls.
    #[serde(default)]
    pub number: u32,
    /// Number of the attempt, from 1; 0 for tasks of a version that did not note it.
    #[serde(default)]
    pub attempt: u16,
}

/// A task in the pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Its name for ever.
    pub id: TaskId,
    /// The task from outside that this one descends from; itself for such a task.
    pub root: TaskId,
    /// 0 for a task from outside, one more for each hook between.
    pub depth: u8,
    /// Where it waits.
    pub queue: Queue,
    /// The hook that made it; absent for a task from outside.
    pub origin: Option<Origin>,
    /// What is asked for.
    pub body: TaskBody,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follow_ups_are_deterministic_and_distinct() {
        let root = TaskId::root(Timestamp(1_700_000_000_000_000), [7; 10]);
        let m = ModuleName::new("label").unwrap();
        let s = SubscriptionId::new("a").unwrap();
        let one = TaskId::follow_up(root, &m, &s, 0, 0);
        assert_eq!(one, TaskId::follow_up(root, &m, &s, 0, 0));
        assert_ne!(one, TaskId::follow_up(root, &m, &s, 0, 1));
        assert_ne!(one, TaskId::follow_up(root, &m, &s, 1, 0));
        assert_eq!(one.0[..6], root.0[..6]);
        assert_eq!(TaskId::parse(&one.to_string()), Some(one));
    }

    #[test]
    fn parts_are_told_apart_by_entity_and_whole() {
        let of = |etype: &str, eid: &str| EntityRef { etype: etype.parse().unwrap(), eid: eid.parse().unwrap() };
        let whole = TaskId::root(Timestamp(1_700_000_000_000_000), [7; 10]);
        let one = TaskId::part_of(whole, &of("ip", "a"));
        assert_eq!(one, TaskId::part_of(whole, &of("ip", "a")));
        assert_eq!(one.0[..6], whole.0[..6]);
        let others = [TaskId::part_of(whole, &of("ip", "b")), TaskId::part_of(whole, &of("i", "pa")), whole];
        assert!(!others.contains(&one) && TaskId::part_of(others[0], &of("ip", "a")) != one);
    }

    #[test]
    fn slots_are_told_apart_by_module_subscription_and_time() {
        let (m, n) = (ModuleName::new("label").unwrap(), ModuleName::new("labe").unwrap());
        let (s, t) = (SubscriptionId::new("a").unwrap(), SubscriptionId::new("la").unwrap());
        let at = Timestamp(1_700_000_000_000_000);
        let one = TaskId::of_slot(&m, &s, at);
        assert_eq!(one, TaskId::of_slot(&m, &s, at));
        assert_eq!(one.0[..6], TaskId::root(at, [0; 10]).0[..6]);
        assert_ne!(one, TaskId::of_slot(&n, &t, at));
        assert_ne!(one, TaskId::of_slot(&m, &t, at));
        assert_ne!(one, TaskId::of_slot(&m, &s, Timestamp(at.0 + 1)));
    }
}
