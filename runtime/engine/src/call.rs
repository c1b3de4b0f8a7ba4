//! What holds for every call of a hook, whichever part of the engine makes it: paused hooks are left out, output is
//! checked like any stranger's, the call is counted, and failures are written down.
//!
//! Whoever calls a hook asks [`Desk::paused`], makes the call through its host, and gives the invocation to
//! [`Desk::finish`], which fills [`Notes`]; these are committed together with the effects of the work.

pub(crate) mod check;
pub(crate) mod note;

use tenter_model::host::{HookCall, HookFailure, Invocation};
use tenter_model::{EntityRef, Family, HookKind, Schema, TaskId, Timestamp};
use tenter_store::{ErrorRow, InvocationRow, StateChange};

use crate::breakers::Breakers;
use crate::pace::Pace;
use crate::registry::Bound;
use crate::stats::LaneStats;
use note::{Noted, Shown};

/// What a call is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    /// Names the work; ids of calls are made from it.
    pub(crate) work: TaskId,
    /// The task, where the work is one.
    pub(crate) task: Option<TaskId>,
    /// The entity, where the work is about one.
    pub(crate) entity: Option<&'a EntityRef>,
    /// Tells calls of one subscription in this work apart, such as the datapoint's number.
    pub(crate) stage: u32,
    /// Number of the attempt, from 1.
    pub(crate) attempt: u32,
}

/// What calls leave behind, for the commit of the work.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) errors: Vec<ErrorRow>,
    pub(crate) state: Vec<StateChange>,
    pub(crate) invocations: Vec<InvocationRow>,
}

/// Where calls are judged and counted.
#[derive(Clone, Copy)]
pub(crate) struct Desk<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) stats: &'a LaneStats,
    pub(crate) breakers: &'a Breakers,
    pub(crate) pace: &'a Pace,
    pub(crate) now: Timestamp,
}

impl Desk<'_> {
    /// The failure that a call of a paused hook is; it is counted as left out.
    pub(crate) fn paused(&self, bound: &Bound, kind: HookKind) -> Option<HookFailure> {
        let failure = self.breakers.admits(bound, kind, self.now).err()?;
        self.stats.skipped(&bound.module.name, kind);
        Some(failure)
    }

    /// Checks, counts and records a call.
    pub(crate) fn finish<T, U: Shown>(
        &self,
        notes: &mut Notes,
        subject: Subject<'_>,
        (bound, call): (&Bound, &HookCall<'_>),
        invocation: Invocation<T>,
        check: impl FnOnce(&Schema, T) -> Result<U, HookFailure>,
    ) -> Result<U, HookFailure> {
        let Invocation { outcome, usage, logs, logs_dropped, state, reads } = invocation;
        note::forward_logs(call, &logs, logs_dropped);
        let outcome = outcome.and_then(|value| check(self.schema, value));
        let failed = outcome.as_ref().is_err_and(|failure| failure.reason.is_fault());
        // Snapshots, sweeps and case hooks have threads of their own; what takes long there holds up no lane of ingestion.
        if !matches!(call.kind.family(), Family::Snapshot | Family::Update | Family::Case) {
            self.pace.note(&call.module.name, &usage, failed);
        }
        self.breakers.count(bound, call.kind, outcome.as_ref().err(), self.now);
        let number = self.stats.count(call, &usage, outcome.as_ref().err().map(|failure| failure.reason));
        let noted = Noted { subject, call, now: self.now, usage };
        if note::is_recorded(&outcome, &call.module.settings, number) {
            notes.invocations.push(noted.row(self.schema, &outcome, &logs, logs_dropped > 0));
        }
        match outcome {
            Ok(value) => {
                if !state.is_empty() {
                    notes.state.push((call.module.name.clone(), state, reads));
                }
                Ok(value)
            }
            Err(failure) => {
                notes.errors.push(noted.error(&failure, logs));
                Err(failure)
            }
        }
    }
}
