//! A lane: one worker's warm instances, and the [`HookHost`] that the engine calls.
//!
//! A lane shares nothing with other lanes but the engine and compiled code, and takes no lock on the way into a warm
//! guest. An instance goes back to its place only after a call that ended well or with an error that the guest returned
//! on purpose; after anything else it is dropped, and the next call makes and configures a new one, and repeats what
//! had prepared the old one (`lane/prepared.rs`).

mod hooks;
mod prepared;

use std::sync::Arc;

use tenter_model::hook::HookKind;
use tenter_model::host::{HookCall, HookFailure, HostData, Invocation, Reason};
use tenter_model::id::ModuleName;
use tenter_model::limits::CallLimits;
use tenter_model::module::Isolation;
use wasmtime::{Engine, Store};

use crate::bindings::tenter::hooks::types::HookError;
use crate::component::{Exports, ModuleCode, code_of};
use crate::failure;
use crate::guest::{Guest, Offer, Stage};
use crate::instance::{CallFacts, Instance, Stillborn};
use prepared::Preparations;

/// The instances of one worker.
pub struct Lane {
    engine: Engine,
    data: Arc<dyn HostData>,
    places: Vec<Place>,
    prepared: Preparations,
    room: hooks::Arguments,
}

/// Where the instance of a module waits between calls. Few modules are loaded at a time, so looking through all places is
/// quicker than a table.
struct Place {
    module: ModuleName,
    generation: u64,
    instance: Option<Instance>,
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let warm = self.places.iter().filter(|place| place.instance.is_some());
        let warm: Vec<_> = warm.map(|place| (&place.module, place.generation)).collect();
        f.debug_struct("Lane").field("warm", &warm).finish_non_exhaustive()
    }
}

/// What a hook function gives: its answer, or the error that it returns on purpose.
type Answer<R> = wasmtime::Result<Result<R, HookError>>;

impl Lane {
    pub(crate) fn new(engine: Engine, data: Arc<dyn HostData>) -> Self {
        Self { engine, data, places: Vec::new(), prepared: Preparations::default(), room: hooks::Arguments::default() }
    }

    /// Calls a hook: `offer` gives what imports answer and may narrow the limits, `pick` finds its family's functions, `work` calls one, `accept` checks its answer and takes what
    /// the call left in its offer.
    fn invoke<G, R, T>(
        &mut self,
        call: &HookCall<'_>,
        kind: HookKind,
        offer: impl FnOnce(&mut CallLimits) -> Offer,
        pick: impl FnOnce(&Exports) -> Option<&G>,
        work: impl FnOnce(&G, &mut Store<Guest>) -> Answer<R>,
        accept: impl FnOnce(R, Offer, &CallLimits) -> Result<T, HookFailure>,
    ) -> Invocation<T> {
        let (module, digest) = (call.module.name.as_str(), call.module.digest.as_str());
        let span = tracing::debug_span!(
            "call",
            module,
            hook = kind.name(),
            subscription = call.subscription.as_str(),
            digest,
            outcome = tracing::field::Empty,
            fuel = tracing::field::Empty
        );
        let invocation = span.in_scope(|| self.invoked(call, kind, offer, pick, work, accept));
        span.record("outcome", invocation.outcome.as_ref().map_or_else(|failure| failure.reason.code(), |_| "ok"));
        span.record("fuel", invocation.usage.fuel);
        invocation
    }

    fn invoked<G, R, T>(
        &mut self,
        call: &HookCall<'_>,
        kind: HookKind,
        offer: impl FnOnce(&mut CallLimits) -> Offer,
        pick: impl FnOnce(&Exports) -> Option<&G>,
        work: impl FnOnce(&G, &mut Store<Guest>) -> Answer<R>,
        accept: impl FnOnce(R, Offer, &CallLimits) -> Result<T, HookFailure>,
    ) -> Invocation<T> {
        let code = match callable(call, kind) {
            Ok(code) => code,
            Err(failure) => return Invocation::of(Err(failure)),
        };
        let place = self.place(call);
        let (mut instance, warm) = match self.instance(place, code, call) {
            Ok(found) => found,
            Err(dead) => {
                let Stillborn { failure, mut room } = *dead;
                return room.finish(Err(failure), false);
            }
        };
        let exports = Arc::clone(&instance.exports);
        let Some(functions) = pick(&exports) else {
            let what = format!("module {} does not export the family {}", call.module.name, kind.family());
            return Invocation::of(Err(HookFailure::new(Reason::Host, what)));
        };
        let mut limits = call.module.settings.call_limits(Some(kind.family()));
        instance.room.guest_mut().call.offer = offer(&mut limits);
        let answer = instance.room.enter(Stage::Hook, limits, |store| work(functions, store));
        let offer = std::mem::take(&mut instance.room.guest_mut().call.offer);
        let mut healthy = true;
        let outcome = match answer {
            Ok(Ok(answer)) => accept(answer, offer, &limits).inspect_err(|_| healthy = false),
            Ok(Err(error)) => Err(failure::returned(error, instance.room.guest().call.refusal)),
            Err(failure) => {
                healthy = false;
                Err(failure)
            }
        };
        let invocation = instance.room.finish(outcome, warm);
        let place = self.places.get_mut(place).filter(|_| healthy);
        if let Some(place) = place.filter(|_| call.module.settings.isolation == Isolation::Warm) {
            place.instance = Some(instance);
        }
        invocation
    }

    /// The number of the module's place, which it has until [`tenter_model::HookHost::retain`] drops it.
    fn place(&mut self, call: &HookCall<'_>) -> usize {
        let (module, generation) = (&call.module.name, call.module.generation);
        let found = self.places.iter().position(|p| p.generation == generation && p.module == *module);
        found.unwrap_or_else(|| {
            self.places.push(Place { module: module.clone(), generation, instance: None });
            self.places.len() - 1
        })
    }

    /// The warm instance, or a new one; and which it is.
    fn instance(
        &mut self,
        place: usize,
        code: &ModuleCode,
        call: &HookCall<'_>,
    ) -> Result<(Instance, bool), Box<Stillborn>> {
        if let Some(mut instance) = self.places.get_mut(place).and_then(|place| place.instance.take())
            && instance.is_current(code)
        {
            instance.room.guest_mut().begin(&call.id, call.time, call.cause);
            return Ok((instance, true));
        }
        let facts = CallFacts { id: &call.id, time: call.time, cause: call.cause };
        let mut instance = Instance::configured(&self.engine, code, &self.data, facts)?;
        if let Err(failure) = self.prepared.repeat(&mut instance, code, call) {
            let spent = instance.room.take_usage();
            instance = Instance::configured(&self.engine, code, &self.data, facts)?;
            instance.room.add_usage(spent);
            let (level, text) = prepared::warning(&failure);
            instance.room.guest_mut().call.log(level, &text);
        }
        Ok((instance, false))
    }
}

/// The code to call, when the module has subscribed so.
fn callable<'a>(call: &HookCall<'a>, kind: HookKind) -> Result<&'a ModuleCode, HookFailure> {
    let module = call.module;
    let subscribed = module.subscriptions.iter().any(|s| s.id == *call.subscription && s.moment.kind() == kind);
    if call.kind != kind || !subscribed {
        let what = format!("module {} has no subscription {:?} to {kind}", module.name, call.subscription);
        return Err(HookFailure::new(Reason::Host, what));
    }
    code_of(module)
}
