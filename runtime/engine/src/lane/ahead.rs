//! Records that were read before their tasks run.
//!
//! Reading many at once costs far less for each (see [`Reader::records_at_once`]). A record that was read ahead is as good as one
//! read when the task begins: only tasks of its entity, of which the lane gives out one at a time, write it in the
//! ordinary course of things, and the first of them to be given out takes it from here. Hence what this file rests on:
//! a record is read only while no task of its entity is out, and is gone from here when one is. If somebody else wrote
//! it meanwhile, such as whoever removes old entities, then the commit finds another revision, and the task runs again
//! with a record that is read anew.

use std::collections::HashMap;

use tenter_model::{EntityRef, MasterRecord};
use tenter_store::{Reader, StoreError};

/// Records read at once.
pub(super) const AT_ONCE: usize = 64;
/// Bytes of records, as stored, after which no more are read at once.
const MAX_BYTES: usize = 1 << 20;
/// Records held. Tasks take them in the order in which they were read, so that few are left when more are read, unless
/// many tasks of the priority queue come between.
const MAX_HELD: usize = 4 * AT_ONCE;

/// What is known of an entity: its record, or that it has none.
pub(crate) type Known = Option<MasterRecord>;

/// Records that wait for their tasks.
#[derive(Default)]
pub(super) struct Ahead(HashMap<EntityRef, Known>);

impl Ahead {
    /// Whether the entity was read.
    pub(super) fn has(&self, entity: &EntityRef) -> bool {
        self.0.contains_key(entity)
    }

    /// Gives out what was read of an entity and forgets it.
    pub(super) fn take(&mut self, entity: &EntityRef) -> Option<Known> {
        self.0.remove(entity)
    }

    /// Reads the entities, of which none may have a task that is given out and begun.
    ///
    /// # Errors
    /// What the disk may say. Nothing is known then that was not before.
    pub(super) fn fill(&mut self, reader: &Reader, entities: Vec<EntityRef>) -> Result<(), StoreError> {
        if self.0.len() + entities.len() > MAX_HELD {
            self.0.clear();
        }
        let records = reader.records_at_once(&entities, MAX_BYTES)?;
        self.0.extend(entities.into_iter().zip(records));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tenter_model::{EntityId, EntityType, Timestamp};
    use tenter_store::{Store, StoreOptions};

    use super::*;

    #[test]
    fn what_is_held_is_bounded_and_given_out_once() {
        let store = Store::temporary(StoreOptions::default(), Timestamp(1)).unwrap();
        let reader = store.reader().unwrap();
        let entity = |n: usize| EntityRef {
            etype: EntityType::new("ip").unwrap(),
            eid: EntityId::new(&format!("e{n}")).unwrap(),
        };
        let mut ahead = Ahead::default();
        for batch in 0..100 {
            let entities = (0..=AT_ONCE).map(|n| entity(batch * 1000 + n)).collect();
            ahead.fill(&reader, entities).unwrap();
            assert!(ahead.0.len() <= MAX_HELD);
            assert_eq!(ahead.take(&entity(batch * 1000)), Some(None), "the newest are there");
            assert_eq!(ahead.take(&entity(batch * 1000)), None);
        }
        assert!(!ahead.has(&entity(1)), "the oldest went");
    }
}
