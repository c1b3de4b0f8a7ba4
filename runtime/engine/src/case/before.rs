//! The hooks before a change: a chain in calling order, each seeing the request as those before it left it.
//!
//! A module gets a copy and hands a copy back. One that fails, takes too long or returns what the object cannot be has
//! said nothing: the data stays as it was, unless the operator wants a fault to count as a denial. All modules together
//! have two seconds; whom they do not suffice for has failed too.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tenter_model::case::call::{CallContext, Judgement, Proposal};
use tenter_model::case::validate::{validate_create, validate_update};
use tenter_model::case::{Body, CaseHook, CaseObject, FieldErrors, ObjectKind};
use tenter_model::host::{CallCause, HookCall, HookFailure, Invocation, Reason};
use tenter_model::limits::{BEFORE_CHAIN_MS, BEFORE_DEADLINE_MS};
use tenter_model::module::OnBeforeFault;
use tenter_model::{HookKind, Schema, TaskId};
use tenter_store::{CaseWorld, Produced, StoreError};

use super::{CaseContext, CaseError, Cases, Seat, data};
use crate::call::note::printable;
use crate::call::{Desk, Notes, Subject};
use crate::registry::{Bound, Registry};

/// What modules are asked about.
pub(super) struct Asked<'a> {
    /// The hook; `None`: there is none before such a change.
    pub(super) hook: Option<&'static CaseHook>,
    pub(super) context: &'a CaseContext,
    pub(super) case_id: Option<i64>,
    pub(super) subject: AskedOf<'a>,
}

/// What the data of a request is.
#[derive(Clone, Copy)]
pub(super) enum AskedOf<'a> {
    /// A request to make an object of a kind.
    New(ObjectKind),
    /// A request to change an object.
    Change(&'a CaseObject),
    /// Something that only is or is not to be, of this id.
    Fixed(i64),
}

impl Cases {
    /// Asks all modules, and gives the data as they left it.
    ///
    /// # Errors
    /// [`CaseError::Denied`], [`CaseError::Store`].
    pub(super) fn before(&self, asked: &Asked<'_>, body: Body) -> Result<Body, CaseError> {
        let Some((hook, registry)) = self.askers(asked.hook) else { return Ok(body) };
        let context = asked.context;
        let user = Some(context.user.clone());
        let around =
            self.see(context, asked.case_id, |world| data::context(world, user, asked.case_id, context.trigger))?;
        let mut notes = Notes::default();
        let within = Duration::from_millis(BEFORE_CHAIN_MS);
        let until = Instant::now() + within;
        let answer = self.0.seats.with(within, |seat| {
            let chain = Chain { cases: self, asked, hook, around, until, work: self.new_work() };
            chain.run(&registry, seat, body, &mut notes)
        });
        self.keep(notes)?;
        answer
    }

    /// The hook and who knows its modules, if there is a hook and any module to ask.
    pub(super) fn askers(&self, hook: Option<&'static CaseHook>) -> Option<(&'static CaseHook, Arc<Registry>)> {
        let (hook, registry) = (hook?, self.0.registry.current());
        registry.cases().before(hook).next()?;
        Some((hook, registry))
    }

    /// A name for work that no task and no job is.
    fn new_work(&self) -> TaskId {
        let mut rest = [0; 10];
        for (slot, byte) in rest.iter_mut().zip(self.random()) {
            *slot = byte;
        }
        TaskId::root(self.0.shared.clock.now(), rest)
    }

    /// Stores what calls left that belong to no job.
    fn keep(&self, notes: Notes) -> Result<(), CaseError> {
        let Notes { errors, state, invocations } = notes;
        if errors.is_empty() && state.is_empty() && invocations.is_empty() {
            return Ok(());
        }
        let now = self.0.shared.clock.now();
        let produced = Produced { errors, state, invocations, ..Produced::default() };
        match self.0.store.save_produced_blocking(produced.clone(), now) {
            Err(StoreError::Conflict(what)) => {
                // The answer counts all the same: state is a module's own affair, what it said is not.
                tracing::warn!("state of a module changed while it was asked, its change is left out: {what}");
                let produced = Produced { state: Vec::new(), ..produced };
                self.0.store.save_produced_blocking(produced, now)?;
            }
            other => drop(other?),
        }
        Ok(())
    }
}

/// One chain of calls.
struct Chain<'a> {
    cases: &'a Cases,
    asked: &'a Asked<'a>,
    hook: &'static CaseHook,
    around: CallContext,
    until: Instant,
    work: TaskId,
}

impl Chain<'_> {
    fn run(
        &self,
        registry: &Arc<Registry>,
        mut seat: Option<&mut Seat>,
        body: Body,
        notes: &mut Notes,
    ) -> Result<Body, CaseError> {
        if let Some(seat) = seat.as_deref_mut() {
            seat.ready(registry);
        }
        let id = match self.asked.subject {
            AskedOf::New(_) => None,
            AskedOf::Change(object) => Some(object.target.id),
            AskedOf::Fixed(id) => Some(id),
        };
        let mut proposal = Proposal { id, body };
        for (stage, bound) in (0u32..).zip(registry.cases().before(self.hook)) {
            let module = &bound.module;
            match self.ask(bound, seat.as_deref_mut(), &proposal, stage, notes) {
                Ok(Judgement::Unchanged) => {}
                Ok(Judgement::Replaced(body)) => {
                    if !matches!(self.asked.subject, AskedOf::Fixed(_)) {
                        proposal.body = body;
                    }
                }
                Ok(Judgement::Denied(reason)) => {
                    return Err(CaseError::Denied { module: module.name.clone(), reason: printable(&reason) });
                }
                Err(failure) if module.settings.on_before_fault == OnBeforeFault::Deny => {
                    let reason = format!("it could not be asked ({}), which counts as no", failure.reason);
                    return Err(CaseError::Denied { module: module.name.clone(), reason });
                }
                Err(_) => {}
            }
        }
        Ok(proposal.body)
    }

    fn ask(
        &self,
        bound: &Bound,
        seat: Option<&mut Seat>,
        proposal: &Proposal,
        stage: u32,
        notes: &mut Notes,
    ) -> Result<Judgement, HookFailure> {
        let shared = &self.cases.0.shared;
        let unseated = crate::stats::LaneStats::default();
        let stats = seat.as_ref().map_or(&unseated, |seat| &seat.stats).clone();
        let desk = Desk {
            schema: &shared.schema,
            stats: &stats,
            breakers: &shared.breakers,
            pace: &shared.pace,
            now: shared.clock.now(),
        };
        if let Some(paused) = desk.paused(bound, HookKind::Before) {
            return Err(paused);
        }
        let left = self.until.saturating_duration_since(Instant::now()).as_millis();
        let left = u64::try_from(left).unwrap_or(u64::MAX);
        let own = bound.module.settings.limits.get("deadline_ms").copied().unwrap_or(BEFORE_DEADLINE_MS);
        let call = HookCall {
            module: &bound.module,
            kind: HookKind::Before,
            subscription: &bound.subscription,
            id: format!("{}:{}:{}:before", self.work, bound.module.name, bound.subscription),
            time: desk.now,
            cause: CallCause::Normal,
        };
        let invocation = match seat {
            Some(seat) if left > 0 => seat.host.before(&call, &self.around, self.hook.into(), proposal, own.min(left)),
            Some(_) => late(&format!("the modules before it used up the {BEFORE_CHAIN_MS} ms of this request")),
            None => late(&format!("no instance was free within {BEFORE_CHAIN_MS} ms")),
        };
        let subject = Subject { work: self.work, task: None, entity: None, stage, attempt: 1 };
        desk.finish(notes, subject, (bound, &call), invocation, |_: &Schema, judgement| match judgement {
            Judgement::Replaced(body) => self.fits(&proposal.body, body).map(Judgement::Replaced),
            other => Ok(other),
        })
    }

    /// What a module made of a request must be one. Errors that the request had before are not the module's.
    fn fits(&self, before: &Body, after: Body) -> Result<Body, HookFailure> {
        let asked = self.asked;
        let (before, after) = (Value::Object(before.clone()), Value::Object(after));
        let wrong = self.cases.see(asked.context, asked.case_id, |world| {
            let wrong = |request| errors(asked.subject, asked.case_id, request, world);
            wrong(&after).beyond(&wrong(&before))
        });
        match (wrong, after) {
            (Ok(wrong), _) if !wrong.is_empty() => {
                let message = format!("the data that the hook returned cannot be used: {wrong}");
                Err(HookFailure::new(Reason::InvalidOutput, message))
            }
            // Where the store cannot say, whoever checks the request itself will hear of it.
            (_, Value::Object(after)) => Ok(after),
            _ => Err(HookFailure::new(Reason::InvalidOutput, "the data that the hook returned is no JSON object")),
        }
    }
}

fn errors(subject: AskedOf<'_>, case_id: Option<i64>, request: &Value, world: &CaseWorld<'_>) -> FieldErrors {
    match subject {
        AskedOf::New(kind) => validate_create(kind, request, case_id, world).err(),
        AskedOf::Change(object) => validate_update(object, request, case_id, world).err(),
        AskedOf::Fixed(_) => None,
    }
    .unwrap_or_default()
}

/// A call that was not made.
fn late(why: &str) -> Invocation<Judgement> {
    Invocation::of(Err(HookFailure::new(Reason::Unavailable, why)))
}
