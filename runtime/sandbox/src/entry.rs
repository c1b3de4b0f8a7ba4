//! The one function that enters a guest.
//!
//! A [`Room`] keeps its store private. The only way to a `&mut Store` is [`Room::enter`], which sets fuel, deadline and
//! all other limits first (instantiation included: start functions run there), holds a panic of the host back, and
//! says afterwards why the guest ended and what it cost.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use tenter_model::host::{HookFailure, Usage};
use tenter_model::limits::CallLimits;
use wasmtime::{Engine, Store, UpdateDeadline};

use crate::failure::{self, Facts};
use crate::guest::{Guest, Stage};
use crate::limits::Stop;

/// A store that is entered through one door.
pub(crate) struct Room {
    store: Store<Guest>,
    used: Usage,
}

impl Room {
    pub(crate) fn new(engine: &Engine, guest: Guest) -> Self {
        let mut store = Store::new(engine, guest);
        store.limiter(|guest| &mut guest.growth);
        store.epoch_deadline_callback(|mut store| {
            let call = &mut store.data_mut().call;
            if Instant::now() < call.deadline {
                return Ok(UpdateDeadline::Continue(1));
            }
            Err(call.stopped(Stop::Deadline))
        });
        Self { store, used: Usage::default() }
    }

    /// What host imports left and may read.
    pub(crate) fn guest(&self) -> &Guest {
        self.store.data()
    }

    /// See [`Room::guest`].
    pub(crate) fn guest_mut(&mut self) -> &mut Guest {
        self.store.data_mut()
    }

    /// Cost of all entries since the last call of this.
    pub(crate) fn take_usage(&mut self) -> Usage {
        let memory_bytes = self.store.data().growth.memory;
        Usage { memory_bytes, ..std::mem::take(&mut self.used) }
    }

    /// Adds what was spent elsewhere for the same call.
    pub(crate) fn add_usage(&mut self, spent: Usage) {
        self.used.fuel = self.used.fuel.saturating_add(spent.fuel);
        self.used.micros = self.used.micros.saturating_add(spent.micros);
    }

    /// Enters the guest.
    pub(crate) fn enter<T>(
        &mut self,
        stage: Stage,
        limits: CallLimits,
        work: impl FnOnce(&mut Store<Guest>) -> wasmtime::Result<T>,
    ) -> Result<T, HookFailure> {
        let begun = Instant::now();
        self.arm(stage, limits, begun).map_err(|e| failure::classify(&e, &self.facts(limits, begun)))?;
        let result = catch_unwind(AssertUnwindSafe(|| work(&mut self.store)));
        let facts = self.facts(limits, begun);
        self.used.fuel = self.used.fuel.saturating_add(facts.fuel);
        let micros = u64::try_from(facts.elapsed.as_micros()).unwrap_or(u64::MAX);
        self.used.micros = self.used.micros.saturating_add(micros);
        self.store.data_mut().call.collect_printed(true);
        match result {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(failure::classify(&error, &facts)),
            Err(payload) => Err(failure::panicked(&*payload)),
        }
    }

    fn arm(&mut self, stage: Stage, limits: CallLimits, begun: Instant) -> wasmtime::Result<()> {
        let handles = usize::try_from(limits.handles)?;
        let guest = self.store.data_mut();
        guest.growth.memory_limit = limits.memory_bytes;
        guest.growth.table_limit = limits.table_elements;
        guest.growth.stop = None;
        guest.table.set_max_capacity(handles);
        guest.call.enter(stage, limits, begun);
        self.store.set_fuel(limits.fuel)?;
        self.store.set_epoch_deadline(1);
        self.store.set_hostcall_fuel(usize::try_from(limits.hostcall_bytes)?);
        self.store.set_max_component_handles(handles);
        Ok(())
    }

    fn facts(&self, limits: CallLimits, begun: Instant) -> Facts {
        let guest = self.store.data();
        Facts {
            limits,
            fuel: limits.fuel.saturating_sub(self.store.get_fuel().unwrap_or(0)),
            elapsed: begun.elapsed(),
            stop: guest.call.stop.or(guest.growth.stop),
            refusal: guest.call.refusal,
        }
    }
}

#[cfg(test)]
#[path = "entry_tests.rs"]
pub(crate) mod tests;

#[cfg(test)]
#[path = "entry_zoo_tests.rs"]
mod zoo_tests;
