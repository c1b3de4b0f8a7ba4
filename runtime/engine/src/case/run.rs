//! Working one job off: the call, the check of what came of it, the end with all effects in one transaction.
//!
//! | what came of it | a job of `after` | a job of `manual` |
//! |---|---|---|
//! | the module returned, and its effects can be applied | succeeded | succeeded |
//! | the module says that it failed, or blames the data | failed | failed |
//! | what it returned cannot be used, or is not granted | dead | failed |
//! | another fault, something did not answer, the hook is paused, the module is not in use, an object had changed | again, after a while; after four attempts dead, or timed out | failed, or timed out |
//!
//! A person waits for the result of a click, so that is told at once instead of being tried again.

use serde_json::{Value, json};
use tenter_model::case::call::{CallContext, CaseOutcome, Report, Resume, Trigger};
use tenter_model::case::{self, Acting, CaseHook, Phase};
use tenter_model::host::{CallCause, HookCall, HookFailure, Invocation, Reason};
use tenter_model::limits::{MAX_ATTEMPTS, RETRY_BACKOFF_MS};
use tenter_model::task::{Origin, Queue, Task};
use tenter_model::{HookKind, Schema, TaskBody, TaskId, Timestamp};
use tenter_store::{CaseActor, FinishJob, HookJob, JobEnd, JobResult, Produced, StoreError};

use super::effects::Checked;
use super::resume::{over, resumable, resumed};
use super::{CaseError, Cases, Seat, data};
use crate::call::note::Shown;
use crate::call::{Desk, Notes, Subject, check};
use crate::registry::Bound;

/// The code of a status that says that all went well.
const SUCCESS: u32 = 0x2;
/// First pause before a paused hook or a module that is not in use is tried again, in milliseconds.
const PAUSED_BACKOFF_MS: u64 = 30_000;

/// What a call came to, checked.
struct Done {
    effects: Checked,
    tasks: Vec<TaskBody>,
    report: Option<Report>,
    resume: Option<Resume>,
}

impl Shown for Done {
    fn json(&self, schema: &Schema) -> Value {
        json!({
            "changes": self.effects.changes.len(), "creations": self.effects.creations.len(),
            "tasks": self.tasks.json(schema), "report": self.report,
            "again": self.resume.as_ref().map(|resume| json!({"seconds": resume.seconds, "memo": resume.memo})),
        })
    }
}

/// What an attempt left.
struct Attempt {
    outcome: Result<Done, HookFailure>,
    result: JobResult,
    notes: Notes,
    origin: Option<Origin>,
}

impl Cases {
    /// Works a claimed job off. `within_ms` is what is left of the time of the request that waits for it.
    pub(super) fn work_off(&self, seat: &mut Seat, job: &HookJob, within_ms: Option<u64>) {
        if self.is_over(job) {
            return;
        }
        let Attempt { outcome, mut result, notes, origin } = self.attempt(seat, job, within_ms);
        let now = self.0.shared.clock.now();
        let Notes { errors, state, invocations } = notes;
        let mut finish = FinishJob {
            id: job.id,
            attempt: job.attempts,
            end: JobEnd::Returned,
            result: JobResult::default(),
            changes: Vec::new(),
            creations: Vec::new(),
            produced: Produced { errors, state, invocations, ..Produced::default() },
            next: None,
        };
        match outcome {
            Ok(Done { effects, tasks, report, resume }) => {
                let (changed, created, new) = (effects.changes.len(), effects.creations.len(), tasks.len());
                let counts = || format!("{changed} changed, {created} created, {new} tasks");
                result.code = SUCCESS;
                result.message = report.as_ref().map_or_else(counts, |report| report.message.clone());
                let again = resume.as_ref().map(|resume| resume.seconds);
                if let Some(seconds) = again {
                    result.message.push_str(&format!(", again in {seconds} s"));
                }
                result.data =
                    json!({"changed": changed, "created": created, "tasks": new, "report": report, "again": again});
                finish.next = resume.map(|resume| self.next_job(job, resume, now));
                finish.changes = effects.changes;
                finish.creations = effects.creations;
                if let Some(origin) = &origin {
                    finish.produced.tasks = tasks_of(origin, tasks);
                    seat.stats.tasks(&origin.module, origin.hook, &origin.subscription, new as u64);
                }
            }
            Err(failure) => {
                finish.end = end(job, failure.reason, within_ms.is_some(), now);
                describe(&mut result, job, &failure);
            }
        }
        finish.result = result;
        self.finish(job, finish, now);
    }

    /// Ends a job that a call asked for and that has nothing left to be about. Whether it was so.
    fn is_over(&self, job: &HookJob) -> bool {
        if resumed(job).is_none() {
            return false;
        }
        // A store that cannot be asked now is asked again by the call.
        let over = self.read(Some(job.user_id), job.case_id, |world| over(job, world));
        let Ok(Some(why)) = over else { return false };
        let finish = FinishJob {
            id: job.id,
            attempt: job.attempts,
            end: JobEnd::Returned,
            result: JobResult { code: SUCCESS, message: format!("not called again: {why}"), ..JobResult::default() },
            changes: Vec::new(),
            creations: Vec::new(),
            produced: Produced::default(),
            next: None,
        };
        self.finish(job, finish, self.0.shared.clock.now());
        true
    }

    /// Hands the end to the store. Effects that cannot be applied any more make the attempt one that failed.
    fn finish(&self, job: &HookJob, finish: FinishJob, now: Timestamp) {
        let by = self.by_module(job);
        let refused = match self.0.store.finish_job(finish.clone(), by.clone()) {
            Ok(_) => return,
            Err(StoreError::NotFound(what)) if what.starts_with("job ") => return,
            Err(StoreError::Closed) => return,
            Err(error) => error,
        };
        let passes = matches!(refused, StoreError::Conflict(_));
        let reason = if passes { Reason::Unavailable } else { Reason::InvalidOutput };
        let failure = HookFailure::new(reason, format!("its effects were refused: {refused}"));
        let mut result = finish.result;
        describe(&mut result, job, &failure);
        let produced = Produced { errors: finish.produced.errors, ..Produced::default() };
        let (changes, creations) = (Vec::new(), Vec::new());
        let end = end(job, reason, false, now);
        let finish = FinishJob { end, result, changes, creations, produced, next: None, ..finish };
        if let Err(error) = self.0.store.finish_job(finish, by) {
            // A restart puts it back.
            tracing::error!(job = job.id, module = job.module, "the job cannot be ended: {error}");
        }
    }

    fn attempt(&self, seat: &mut Seat, job: &HookJob, within_ms: Option<u64>) -> Attempt {
        let registry = self.0.registry.current();
        seat.ready(&registry);
        let mut result = JobResult::default();
        let failed = |outcome, result| Attempt { outcome: Err(outcome), result, notes: Notes::default(), origin: None };
        let found = case::find(&job.hook)
            .and_then(|hook| Some((hook, registry.cases().find(hook.phase, &job.module, &job.spec.subscription)?)));
        let Some((hook, bound)) = found else {
            let what = format!("module {} is not in use, or has no subscription {}", job.module, job.spec.subscription);
            return failed(HookFailure::new(Reason::Quarantined, what), result);
        };
        result.version.clone_from(&bound.module.descriptor.version);
        result.digest.clone_from(&bound.module.digest);
        let kind = if hook.phase == Phase::Manual { HookKind::Manual } else { HookKind::After };
        let shared = &self.0.shared;
        let desk = Desk {
            schema: &shared.schema,
            stats: &seat.stats,
            breakers: &shared.breakers,
            pace: &shared.pace,
            now: shared.clock.now(),
        };
        if let Some(paused) = desk.paused(bound, kind) {
            return failed(paused, result);
        }
        let work = TaskId::of_job(&job.uuid, job.queued);
        let call = HookCall {
            module: &bound.module,
            kind,
            subscription: &bound.subscription,
            id: format!("{work}:{}:{}:{kind}", bound.module.name, bound.subscription),
            time: desk.now,
            cause: if job.attempts == 1 { CallCause::Normal } else { CallCause::Retry },
        };
        let invocation = match self.call(seat.host.as_mut(), &call, hook, job, within_ms) {
            Ok(invocation) => invocation,
            Err(error) => return failed(HookFailure::new(Reason::Unavailable, error.to_string()), result),
        };
        result.fuel = invocation.usage.fuel;
        result.micros = invocation.usage.micros;
        result.logs = invocation.logs.iter().map(|line| line.message.clone()).collect();
        let mut notes = Notes::default();
        let subject = Subject { work, task: None, entity: None, stage: 0, attempt: job.attempts };
        let outcome = desk.finish(&mut notes, subject, (bound, &call), invocation, |schema, (outcome, report)| {
            let CaseOutcome { effects, tasks, resume } = outcome;
            let tasks = check::tasks(schema, &call, tasks)?;
            let checked = self.read(Some(job.user_id), job.case_id, |world| {
                // The case may have been closed while the call ran.
                let resume = resume.filter(|resume| resumable(job, world, call.time).takes(resume));
                (self.check_effects(&call, job, &effects, world), resume)
            });
            match checked {
                Ok((effects, resume)) => Ok(Done { effects: effects?, tasks, report, resume }),
                Err(error) => Err(HookFailure::new(Reason::Unavailable, error.to_string())),
            }
        });
        let origin = origin(bound, kind, work, job.attempts);
        Attempt { outcome, result, notes, origin: Some(origin) }
    }

    /// Enters the guest with what the job is about.
    fn call(
        &self,
        host: &mut dyn tenter_model::HookHost,
        call: &HookCall<'_>,
        hook: &'static CaseHook,
        job: &HookJob,
        within_ms: Option<u64>,
    ) -> Result<Invocation<(CaseOutcome, Option<Report>)>, CaseError> {
        let trigger = Trigger::parse(&job.spec.trigger).unwrap_or(Trigger::Api);
        let around = self.read(Some(job.user_id), job.case_id, |world| CallContext {
            resumable: resumable(job, world, call.time),
            ..data::context(world, data::user(world, job.user_id), job.case_id, trigger)
        })?;
        if hook.phase == Phase::Manual {
            let objects = self.read(Some(job.user_id), job.case_id, |world| data::objects(job, world))?;
            let done = host.manual(call, &around, hook.into(), &objects);
            return Ok(map(done, |manual| (manual.outcome, manual.report)));
        }
        let as_it_is = within_ms.is_some() || job.attempts > 1 || resumed(job).is_some();
        let changes = self.read(Some(job.user_id), job.case_id, |world| data::changes(job, as_it_is, world))?;
        let done = host.after(call, &around, hook.into(), &changes, within_ms.unwrap_or(u64::MAX));
        Ok(map(done, |outcome| (outcome, None)))
    }

    /// Who a module is in the logs: itself, for the user who caused the call.
    pub(super) fn by_module(&self, job: &HookJob) -> CaseActor {
        CaseActor {
            acting: Acting { user_id: job.user_id, now: self.0.shared.clock.now() },
            name: format!("module:{}", job.module),
            from_api: false,
        }
    }
}

/// How an attempt without result ends. One that a request waited for had less time than is its due.
fn end(job: &HookJob, reason: Reason, waited: bool, now: Timestamp) -> JobEnd {
    let said = matches!(reason, Reason::Failed | Reason::InvalidInput);
    let manual = case::find(&job.hook).is_some_and(|hook| hook.phase == Phase::Manual);
    let timed_out = reason == Reason::Deadline && !waited;
    // The same would come of it again.
    let useless = matches!(reason, Reason::InvalidOutput | Reason::OutputCount | Reason::NotGranted);
    if !said && !useless && !manual && job.attempts < MAX_ATTEMPTS {
        let first = if reason == Reason::Quarantined { PAUSED_BACKOFF_MS } else { RETRY_BACKOFF_MS };
        let pause = first << (job.attempts.max(1) - 1);
        let pause = i64::try_from(pause).unwrap_or(i64::MAX).saturating_mul(1_000);
        return JobEnd::Again(now.saturating_add(pause));
    }
    match (timed_out, said || manual) {
        (true, _) => JobEnd::TimedOut,
        (false, true) => JobEnd::Returned,
        (false, false) => JobEnd::GivenUp,
    }
}

/// Tells a failure in the words and codes of IRIS.
fn describe(result: &mut JobResult, job: &HookJob, failure: &HookFailure) {
    result.code = match failure.reason {
        Reason::InvalidOutput | Reason::OutputCount | Reason::NotGranted => 0xFF01,
        Reason::Unavailable | Reason::Quarantined => 0xFF03,
        Reason::Failed | Reason::InvalidInput => 0xFFFE,
        _ => 0xFF05,
    };
    result.message = format!("Failed to run hook {} with module {}. Error {}", job.hook, job.module, failure.message);
    result.reason = Some(failure.reason.code().to_owned());
    result.data = Value::Null;
}

fn origin(bound: &Bound, hook: HookKind, parent: TaskId, attempt: u32) -> Origin {
    Origin {
        module: bound.module.name.clone(),
        version: bound.module.descriptor.version.clone(),
        hook,
        subscription: bound.subscription.clone(),
        parent,
        number: 0,
        attempt: u16::try_from(attempt).unwrap_or(u16::MAX),
    }
}

/// Each task is the root of its own family; its id is a function of the job and its place, so that it enters once.
fn tasks_of(origin: &Origin, bodies: Vec<TaskBody>) -> Vec<Task> {
    let task = |(ordinal, body)| {
        let id = TaskId::follow_up(origin.parent, &origin.module, &origin.subscription, 0, ordinal);
        Task { id, root: id, depth: 1, queue: Queue::Normal, origin: Some(origin.clone()), body }
    };
    (0u32..).zip(bodies).map(task).collect()
}

fn map<T, U>(invocation: Invocation<T>, f: impl FnOnce(T) -> U) -> Invocation<U> {
    let Invocation { outcome, usage, logs, logs_dropped, state, reads } = invocation;
    Invocation { outcome: outcome.map(f), usage, logs, logs_dropped, state, reads }
}
