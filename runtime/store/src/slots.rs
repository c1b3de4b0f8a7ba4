//! Slots of timers: each is dealt with once, and what its call left enters with it.

use rusqlite::OptionalExtension;
use tenter_model::{ModuleName, SubscriptionId, Timestamp};

use crate::error::StoreError;
use crate::outcome::Done;
use crate::produce::{self, Entered, Produced};
use crate::reader::{Reader, name, text};
use crate::store::{self, Store};

/// A timer: a subscription of a module on a lane.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TimerKey {
    /// The module.
    pub module: ModuleName,
    /// The subscription.
    pub subscription: SubscriptionId,
    /// The lane, from 0.
    pub lane: u32,
}

/// The last slot of a timer that was dealt with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotRow {
    /// The timer.
    pub timer: TimerKey,
    /// The time of the slot.
    pub slot: Timestamp,
    /// When it was dealt with.
    pub at: Timestamp,
}

impl Store {
    /// Notes that a slot was dealt with, and stores what its call left, together. A slot that was skipped is noted with
    /// nothing. `done` gets `None`, and nothing is stored, when this slot or a later one was dealt with before.
    ///
    /// `done` may get [`StoreError::Conflict`] when a state key that was read and written has changed since.
    pub fn fire_slot(
        &self,
        timer: TimerKey,
        slot: Timestamp,
        produced: Produced,
        now: Timestamp,
        done: Done<Option<Entered>>,
    ) {
        self.send(false, done, move |tx| {
            let noted = tx
                .conn
                .prepare_cached(
                    "INSERT INTO slot (module, subscription, lane, slot, at) VALUES (?1, ?2, ?3, ?4, ?5) \
                     ON CONFLICT DO UPDATE SET slot = excluded.slot, at = excluded.at WHERE slot < excluded.slot",
                )?
                .execute((timer.module.as_str(), timer.subscription.as_str(), timer.lane, slot.0, now.0))?;
            if noted == 0 {
                return Ok(None);
            }
            tx.crash.at("slot-noted");
            let entered = produce::store(tx, &produced, now)?;
            tx.crash.at("slot-end");
            Ok(Some(entered))
        });
    }

    /// [`Store::fire_slot`], waiting for the answer.
    ///
    /// # Errors
    /// As told there.
    pub fn fire_slot_blocking(
        &self,
        timer: TimerKey,
        slot: Timestamp,
        produced: Produced,
        now: Timestamp,
    ) -> Result<Option<Entered>, StoreError> {
        store::wait(|done| self.fire_slot(timer, slot, produced, now, done))
    }
}

impl Reader {
    /// The last slot of a timer that was dealt with.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn last_slot(&self, timer: &TimerKey) -> Result<Option<Timestamp>, StoreError> {
        Ok(self
            .connection()
            .prepare_cached("SELECT slot FROM slot WHERE module = ?1 AND subscription = ?2 AND lane = ?3")?
            .query_row((timer.module.as_str(), timer.subscription.as_str(), timer.lane), |r| r.get(0).map(Timestamp))
            .optional()?)
    }

    /// The last slots of all timers, of modules that are gone as well.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn slots(&self) -> Result<Vec<SlotRow>, StoreError> {
        let conn = self.connection();
        let mut statement = conn.prepare_cached(
            "SELECT module, subscription, lane, slot, at FROM slot ORDER BY module, subscription, lane",
        )?;
        let mut rows = statement.query([])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(SlotRow {
                timer: TimerKey { module: name(text(row, 0)?)?, subscription: name(text(row, 1)?)?, lane: row.get(2)? },
                slot: Timestamp(row.get(3)?),
                at: Timestamp(row.get(4)?),
            });
        }
        Ok(out)
    }
}
