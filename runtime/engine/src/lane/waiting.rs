//! Tasks that a lane has read from the queue and not yet run.
//!
//! Kept per entity: a task of an entity is given out only when no other of that entity is in flight or parked before
//! it. Across entities priority goes first, then the order of arrival.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};

use tenter_model::task::Queue;
use tenter_model::{EntityRef, Timestamp};
use tenter_store::PendingTask;

#[derive(Default)]
struct Slot {
    priority: VecDeque<PendingTask>,
    normal: VecDeque<PendingTask>,
    /// A task of the entity was given out and is not finished.
    busy: bool,
    /// The first task of this queue waits for its time; the other queue may go on.
    parked: [Option<Timestamp>; 2],
}

impl Slot {
    fn queue(&mut self, queue: Queue) -> &mut VecDeque<PendingTask> {
        match queue {
            Queue::Priority => &mut self.priority,
            Queue::Normal => &mut self.normal,
        }
    }

    fn is_ready(&self, queue: Queue) -> bool {
        let [priority, normal] = self.parked;
        let (tasks, parked) =
            if queue == Queue::Priority { (&self.priority, priority) } else { (&self.normal, normal) };
        !self.busy && parked.is_none() && !tasks.is_empty()
    }

    fn set_parked(&mut self, queue: Queue, until: Option<Timestamp>) {
        let [priority, normal] = &mut self.parked;
        *(if queue == Queue::Priority { priority } else { normal }) = until;
    }
}

/// The waiting room of a lane.
#[derive(Default)]
pub(super) struct Waiting {
    slots: HashMap<EntityRef, Slot>,
    /// Entities that may have something to give out, by queue; entries can be stale.
    ready_priority: VecDeque<EntityRef>,
    ready_normal: VecDeque<EntityRef>,
    parked: BinaryHeap<Reverse<(Timestamp, EntityRef)>>,
    priority_len: usize,
    normal_len: usize,
}

impl Waiting {
    /// Tasks of that queue that wait here.
    pub(super) fn len(&self, queue: Queue) -> usize {
        match queue {
            Queue::Priority => self.priority_len,
            Queue::Normal => self.normal_len,
        }
    }

    /// Whether any entity waits for a time.
    pub(super) fn has_parked(&self) -> bool {
        !self.parked.is_empty()
    }

    /// A task newly read from the queue.
    pub(super) fn add(&mut self, pending: PendingTask) {
        let queue = pending.task.queue;
        let entity = pending.task.body.entity.clone();
        *self.len_mut(queue) += 1;
        let slot = self.slots.entry(entity.clone()).or_default();
        slot.queue(queue).push_back(pending);
        self.announce(&entity);
    }

    /// A task newly read that must not run before a time.
    pub(super) fn add_parked(&mut self, pending: PendingTask, until: Timestamp) {
        let queue = pending.task.queue;
        let entity = pending.task.body.entity.clone();
        let first = self.slots.get_mut(&entity).is_none_or(|slot| slot.queue(queue).is_empty());
        self.add(pending);
        if first {
            self.mark_parked(&entity, queue, until);
        }
    }

    /// Gives the next task out; its entity is busy until [`Self::release`], [`Self::put_back`] or [`Self::park`].
    pub(super) fn next(&mut self) -> Option<PendingTask> {
        for queue in [Queue::Priority, Queue::Normal] {
            loop {
                let ready = match queue {
                    Queue::Priority => &mut self.ready_priority,
                    Queue::Normal => &mut self.ready_normal,
                };
                let Some(entity) = ready.pop_front() else { break };
                let Some(slot) = self.slots.get_mut(&entity) else { continue };
                if !slot.is_ready(queue) {
                    continue;
                }
                if let Some(pending) = slot.queue(queue).pop_front() {
                    slot.busy = true;
                    *self.len_mut(queue) -= 1;
                    return Some(pending);
                }
            }
        }
        None
    }

    /// Entities, in order, whose task [`Self::next`] would give out next if none were to come or go, that one excluded
    /// which it gave out last. Of the first so many places, without those that `skip` names.
    pub(super) fn upcoming(&self, places: usize, skip: impl Fn(&EntityRef) -> bool) -> Vec<EntityRef> {
        let mut seen = HashSet::new();
        let ready = [(&self.ready_priority, Queue::Priority), (&self.ready_normal, Queue::Normal)];
        let entities = ready.into_iter().flat_map(|(ready, queue)| ready.iter().map(move |entity| (entity, queue)));
        entities
            .take(places)
            .filter(|(entity, queue)| self.slots.get(*entity).is_some_and(|slot| slot.is_ready(*queue)))
            .filter(|(entity, _)| !skip(entity) && seen.insert(*entity))
            .map(|(entity, _)| entity.clone())
            .collect()
    }

    /// The entity's task is finished.
    pub(super) fn release(&mut self, entity: &EntityRef) {
        if let Some(slot) = self.slots.get_mut(entity) {
            slot.busy = false;
            if slot.priority.is_empty() && slot.normal.is_empty() {
                self.slots.remove(entity);
            } else {
                self.announce(entity);
            }
        }
    }

    /// The task was given out and is to run again at once.
    pub(super) fn put_back(&mut self, pending: PendingTask) {
        let queue = pending.task.queue;
        let entity = pending.task.body.entity.clone();
        *self.len_mut(queue) += 1;
        let slot = self.slots.entry(entity.clone()).or_default();
        slot.queue(queue).push_front(pending);
        slot.busy = false;
        self.announce(&entity);
    }

    /// The task was given out and is to run again after a time; later tasks of its entity and queue wait behind it.
    pub(super) fn park(&mut self, pending: PendingTask, until: Timestamp) {
        let queue = pending.task.queue;
        let entity = pending.task.body.entity.clone();
        self.put_back(pending);
        self.mark_parked(&entity, queue, until);
    }

    /// Lets those whose time has come go on.
    pub(super) fn unpark(&mut self, now: Timestamp) {
        while self.parked.peek().is_some_and(|Reverse((until, _))| *until <= now) {
            let Some(Reverse((_, entity))) = self.parked.pop() else { return };
            if let Some(slot) = self.slots.get_mut(&entity) {
                for parked in &mut slot.parked {
                    *parked = parked.filter(|until| *until > now);
                }
                self.announce(&entity);
            }
        }
    }

    fn mark_parked(&mut self, entity: &EntityRef, queue: Queue, until: Timestamp) {
        if let Some(slot) = self.slots.get_mut(entity) {
            slot.set_parked(queue, Some(until));
            self.parked.push(Reverse((until, entity.clone())));
        }
    }

    fn announce(&mut self, entity: &EntityRef) {
        let Some(slot) = self.slots.get_mut(entity) else { return };
        if slot.is_ready(Queue::Priority) {
            self.ready_priority.push_back(entity.clone());
        }
        if slot.is_ready(Queue::Normal) {
            self.ready_normal.push_back(entity.clone());
        }
    }

    fn len_mut(&mut self, queue: Queue) -> &mut usize {
        match queue {
            Queue::Priority => &mut self.priority_len,
            Queue::Normal => &mut self.normal_len,
        }
    }
}

#[cfg(test)]
mod tests {
    use tenter_model::task::{Task, TaskBody, TaskId};
    use tenter_model::{EntityId, EntityType};

    use super::*;

    fn task(seq: u64, eid: &str, queue: Queue) -> PendingTask {
        let entity = EntityRef { etype: EntityType::new("ip").unwrap(), eid: EntityId::new(eid).unwrap() };
        let mut id = [0; 16];
        id[8..].copy_from_slice(&seq.to_be_bytes());
        let id = TaskId(id);
        PendingTask {
            seq,
            attempts: 0,
            not_before: None,
            task: Task { id, root: id, depth: 0, queue, origin: None, body: TaskBody::new(entity) },
        }
    }

    fn seqs(waiting: &mut Waiting) -> Vec<u64> {
        std::iter::from_fn(|| waiting.next()).map(|p| p.seq).collect()
    }

    #[test]
    fn one_task_of_an_entity_at_a_time_in_order() {
        let mut w = Waiting::default();
        for (seq, eid) in [(1, "a"), (2, "a"), (3, "b")] {
            w.add(task(seq, eid, Queue::Normal));
        }
        assert_eq!(seqs(&mut w), [1, 3]);
        w.release(&task(1, "a", Queue::Normal).task.body.entity);
        assert_eq!(seqs(&mut w), [2]);
        assert_eq!(w.len(Queue::Normal), 0);
    }

    #[test]
    fn upcoming_are_those_without_a_task_given_out_in_the_order_of_giving_out() {
        let mut w = Waiting::default();
        for (seq, eid) in [(1, "a"), (2, "a"), (3, "b"), (4, "c")] {
            w.add(task(seq, eid, Queue::Normal));
        }
        w.add(task(5, "d", Queue::Priority));
        let upcoming = |w: &Waiting, places| -> Vec<String> {
            w.upcoming(places, |entity| entity.eid.as_str() == "c").iter().map(ToString::to_string).collect()
        };
        assert_eq!(upcoming(&w, 9), ["ip/d", "ip/a", "ip/b"]);
        assert_eq!(upcoming(&w, 2), ["ip/d", "ip/a"]);
        let _d = w.next().unwrap();
        let a = w.next().unwrap();
        assert_eq!(upcoming(&w, 9), ["ip/b"], "the second task of a waits for the first");
        w.park(a, Timestamp(100));
        assert_eq!(upcoming(&w, 9), ["ip/b"], "a waits for its time");
        w.unpark(Timestamp(100));
        assert_eq!(upcoming(&w, 9), ["ip/a", "ip/b"]);
        assert_eq!(seqs(&mut w), [1, 3, 4]);
    }

    #[test]
    fn priority_goes_first_and_overtakes_within_an_entity() {
        let mut w = Waiting::default();
        w.add(task(1, "a", Queue::Normal));
        w.add(task(2, "b", Queue::Normal));
        w.add(task(3, "a", Queue::Priority));
        assert_eq!(seqs(&mut w), [3, 2]);
        w.release(&task(3, "a", Queue::Normal).task.body.entity);
        assert_eq!(seqs(&mut w), [1]);
    }

    #[test]
    fn a_parked_task_holds_back_its_entity_and_queue_only() {
        let mut w = Waiting::default();
        for (seq, eid) in [(1, "a"), (2, "a"), (3, "b")] {
            w.add(task(seq, eid, Queue::Normal));
        }
        let first = w.next().unwrap();
        w.park(first, Timestamp(100));
        w.add(task(9, "a", Queue::Priority));
        assert_eq!(seqs(&mut w), [9, 3]);
        w.release(&task(9, "a", Queue::Priority).task.body.entity);
        w.unpark(Timestamp(99));
        assert_eq!(seqs(&mut w), Vec::<u64>::new());
        w.unpark(Timestamp(100));
        assert_eq!(seqs(&mut w), [1]);
        w.release(&task(1, "a", Queue::Normal).task.body.entity);
        assert_eq!(seqs(&mut w), [2]);
    }
}
