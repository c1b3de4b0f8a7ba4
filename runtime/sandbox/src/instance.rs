//! Instances: made, configured, called.

use std::sync::Arc;

use tenter_model::host::{CallCause, HookFailure, HostData, Invocation, Reason};
use tenter_model::time::Timestamp;
use wasmtime::component::ResourceTable;
use wasmtime::{Engine, Store};

use crate::capability::state::Draft;
use crate::component::{Exports, ModuleCode};
use crate::entry::Room;
use crate::failure;
use crate::guest::{CallState, Guest, Reading, Stage};
use crate::limits::Growth;
use crate::wasi;

/// A component in a store of its own.
pub(crate) struct Instance {
    pub(crate) room: Room,
    pub(crate) exports: Arc<Exports>,
}

/// Names a call to the guest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallFacts<'a> {
    pub(crate) id: &'a str,
    pub(crate) time: Timestamp,
    pub(crate) cause: CallCause,
}

/// An instance that could not be made, with what it left.
pub(crate) struct Stillborn {
    pub(crate) failure: HookFailure,
    pub(crate) room: Room,
}

impl Instance {
    /// Instantiates; nothing is configured yet.
    pub(crate) fn new(
        engine: &Engine,
        code: &ModuleCode,
        data: &Arc<dyn HostData>,
        call: CallFacts<'_>,
    ) -> Result<Self, Box<Stillborn>> {
        let (clock, printed) = (wasi::CallClock::default(), wasi::Printed::default());
        let seen = code.folders.look();
        let (wasi, said) = wasi::context(&clock, &printed, seen.as_deref());
        let guest = Guest {
            wasi,
            folders: Reading { seen, said },
            table: ResourceTable::new(),
            growth: Growth::default(),
            call: CallState::new(clock, printed),
            facts: Arc::clone(&code.facts),
            data: Arc::clone(data),
        };
        let mut room = Room::new(engine, guest);
        room.guest_mut().begin(call.id, call.time, call.cause);
        let limits = code.facts.settings.call_limits(None);
        let made = room.enter(Stage::Start, limits, |store| {
            let instance = code.pre.instantiate(&mut *store)?;
            code.indices.load(store, &instance)
        });
        match made {
            Ok(exports) => Ok(Self { room, exports: Arc::new(exports) }),
            Err(failure) => Err(Box::new(Stillborn { failure, room })),
        }
    }

    /// Whether the folders that it reads are as they were when it was made.
    pub(crate) fn is_current(&self, code: &ModuleCode) -> bool {
        match (&self.room.guest().folders.seen, code.folders.look()) {
            (None, None) => true,
            (Some(before), Some(now)) => Arc::ptr_eq(before, &now),
            _ => false,
        }
    }

    /// Instantiates and configures, as every instance that serves hooks must be.
    pub(crate) fn configured(
        engine: &Engine,
        code: &ModuleCode,
        data: &Arc<dyn HostData>,
        call: CallFacts<'_>,
    ) -> Result<Self, Box<Stillborn>> {
        let mut instance = Self::new(engine, code, data, call)?;
        let result = instance.start(code, |store, exports| exports.module.call_configure(store, &code.config));
        let failure = match result {
            Ok(Ok(_)) => return Ok(instance),
            Ok(Err(error)) => failure::returned(error, instance.room.guest().call.refusal),
            Err(failure) => failure,
        };
        let message = format!("configure failed in a new instance ({}): {}", failure.reason, failure.message);
        let failure = HookFailure { reason: Reason::Configure, message, detail: failure.detail };
        Err(Box::new(Stillborn { failure, room: instance.room }))
    }

    /// Calls one of the functions that belong to the start of an instance.
    pub(crate) fn start<R>(
        &mut self,
        code: &ModuleCode,
        work: impl FnOnce(&mut Store<Guest>, &Exports) -> wasmtime::Result<R>,
    ) -> Result<R, HookFailure> {
        let exports = Arc::clone(&self.exports);
        let limits = code.facts.settings.call_limits(None);
        self.room.enter(Stage::Start, limits, |store| work(store, &exports))
    }
}

impl Room {
    /// Turns what is left of a call into its record. After a failure nothing of the state counts.
    pub(crate) fn finish<T>(&mut self, outcome: Result<T, HookFailure>, warm: bool) -> Invocation<T> {
        let mut usage = self.take_usage();
        usage.warm = warm;
        let call = &mut self.guest_mut().call;
        let Draft { writes, reads, .. } = std::mem::take(&mut call.state);
        let (logs, logs_dropped) = call.take_logs();
        let (state, reads) = if outcome.is_ok() { (writes, reads) } else { (Vec::new(), Vec::new()) };
        Invocation { outcome, usage, logs, logs_dropped, state, reads }
    }
}
