//! The hooks after a change: a job for each, written with it. Those that the request waits for it works off itself.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tenter_model::Timestamp;
use tenter_model::case::{CaseHook, Trigger};
use tenter_model::limits::AFTER_CHAIN_MS;
use tenter_store::{FinishJob, HookJob, JobEnd, JobResult, NewJob, Produced};

use super::{CaseContext, Cases};

/// How deep effects of modules have called hooks that brought a job about.
const DEPTH: &str = "depth";

/// Jobs of hooks after a change, and which of them the request waits for.
#[derive(Default)]
pub(super) struct After {
    pub(super) jobs: Vec<NewJob>,
    waits: Vec<bool>,
}

/// How deep a job is: 0 for one that no module brought about.
pub(super) fn depth(job: &HookJob) -> u64 {
    job.spec.payload.get(DEPTH).and_then(Value::as_u64).unwrap_or(0)
}

impl Cases {
    /// The jobs of a hook, in calling order.
    pub(super) fn after(&self, hook: Option<&'static CaseHook>, context: &CaseContext, payload: &Value) -> After {
        let mut after = After::default();
        let Some(hook) = hook else { return after };
        for (mut job, waits) in self.jobs_of(hook, context.trigger, payload) {
            job.waited = waits;
            after.waits.push(waits);
            after.jobs.push(job);
        }
        after
    }

    /// The jobs of a hook that an effect of a module calls: nobody waits for them.
    pub(super) fn after_effect(&self, hook: Option<&'static CaseHook>, depth: u64) -> Vec<NewJob> {
        let payload = json!({ DEPTH: depth });
        let jobs = hook.into_iter().flat_map(|hook| self.jobs_of(hook, Trigger::Module, &payload));
        jobs.map(|(job, _)| job).collect()
    }

    fn jobs_of(&self, hook: &'static CaseHook, trigger: Trigger, payload: &Value) -> Vec<(NewJob, bool)> {
        let registry = self.0.registry.current();
        let name = hook.iris_name();
        let job = |(bound, waits): (&crate::registry::Bound, bool)| {
            let job = NewJob {
                random: self.random(),
                hook: name.clone(),
                module: bound.module.name.to_string(),
                subscription: bound.subscription.to_string(),
                entry: None,
                trigger: trigger.name().into(),
                not_before: None,
                waited: false,
                payload: payload.clone(),
            };
            (job, waits)
        };
        registry.cases().after(hook).map(job).collect()
    }

    /// Works off the jobs that the request waits for, of those that were written; the numbers come in the order of the
    /// jobs. One that cannot be ended in time, or has to be tried again, is left to the threads of jobs. Says whether there
    /// was one.
    pub(super) fn wait_for(&self, waits: &[bool], numbers: &[u64]) -> bool {
        let until = Instant::now() + Duration::from_millis(AFTER_CHAIN_MS);
        let mut any = false;
        for (_, number) in waits.iter().zip(numbers).filter(|(waits, _)| **waits) {
            any = true;
            let job = match self.read(None, None, |world| world.job(*number)) {
                Ok(Some(job)) => job,
                Ok(None) => continue,
                Err(error) => {
                    // It is running for the store, and a restart puts it back.
                    tracing::error!(job = number, "a job that a request waits for cannot be read: {error}");
                    continue;
                }
            };
            let left = until.saturating_duration_since(Instant::now());
            self.0.seats.with(left, |seat| {
                let left = u64::try_from(until.saturating_duration_since(Instant::now()).as_millis()).unwrap_or(0);
                match seat {
                    Some(seat) if left > 0 => self.work_off(seat, &job, Some(left)),
                    _ => self.put_back(&job, self.0.shared.clock.now()),
                }
            });
        }
        any
    }

    /// Lets the threads of jobs have a job that was claimed, not before a time.
    pub(super) fn put_back(&self, job: &HookJob, not_before: Timestamp) {
        let message = "the request that waited for it had no time left; it goes on without".to_owned();
        let result = JobResult { code: 0xFF03, message, reason: Some("waited".into()), ..JobResult::default() };
        let finish = FinishJob {
            id: job.id,
            attempt: job.attempts,
            end: JobEnd::Again(not_before),
            result,
            changes: Vec::new(),
            creations: Vec::new(),
            produced: Produced::default(),
            next: None,
        };
        if let Err(error) = self.0.store.finish_job(finish, self.by_module(job)) {
            tracing::error!(job = job.id, "a job is not put back: {error}");
        }
    }
}

impl After {
    /// The jobs, and which of them the request waits for.
    pub(super) fn split(self) -> (Vec<NewJob>, Vec<bool>) {
        (self.jobs, self.waits)
    }
}
