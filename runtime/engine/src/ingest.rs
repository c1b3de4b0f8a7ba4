//! The flow of one task, readable from top to bottom in [`Ingest::run`].
//!
//! Nothing is written here: hooks are called, their output is checked like any stranger's input, and all effects are
//! collected into one [`TaskOutcome`] that the store commits or not at all. A run may be repeated (after a crash, a
//! conflict or a fault that passes); only the outputs of the run that commits count.

use tenter_model::host::{CallCause, HookCall, HookFailure, Invocation, Verdict};
use tenter_model::limits::{MAX_ATTEMPTS, MAX_DEPTH, RETRY_BACKOFF_MS};
use tenter_model::module::OnAdmissionFault;
use tenter_model::schema::{EntitySpec, Lifetime};
use tenter_model::task::{Origin, Queue, Task, TaskBody, TaskId};
use tenter_model::{DataPoint, HookHost, HookKind, MasterRecord, Schema, Timestamp};
use tenter_store::{DeadKind, DeadLetter, Effect, ErrorRow, PendingTask, RawPoint, Store, TaskOutcome};

use crate::breakers::Breakers;
use crate::call::note::{self, Shown};
use crate::call::{Desk, Notes, Subject, check};
use crate::links;
use crate::pace::Pace;
use crate::registry::{Bound, Registry};
use crate::stats::LaneStats;

/// What is to become of a task.
#[derive(Debug)]
pub enum Processed {
    /// Commit this.
    Commit(Box<TaskOutcome>),
    /// Run it again later: something failed that may pass by itself.
    Postpone {
        /// When.
        not_before: Timestamp,
        /// What failed.
        errors: Vec<ErrorRow>,
    },
}

impl Processed {
    /// What became of the task, in a word for logs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Postpone { .. } => "postponed",
            Self::Commit(outcome) => match &outcome.effect {
                Effect::Apply { .. } => "applied",
                Effect::Delete => "removed",
                Effect::Denied { .. } => "denied",
                Effect::Dead(_) => "dead",
                Effect::Nothing => "nothing",
            },
        }
    }
}

/// Runs tasks for one lane.
pub struct Ingest<'a> {
    /// The entity specification.
    pub schema: &'a Schema,
    /// Which modules are called when.
    pub registry: &'a Registry,
    /// Enters guests.
    pub host: &'a mut dyn HookHost,
    /// Counts calls.
    pub stats: &'a LaneStats,
    /// Which hooks are paused.
    pub breakers: &'a Breakers,
    /// Which modules are slow.
    pub pace: &'a Pace,
    /// After a stop that was not in order: where each call is written down before it is made.
    pub careful: Option<&'a Store>,
    /// Set when a call was written down.
    pub written_down: std::cell::Cell<bool>,
    /// The time of the run.
    pub now: Timestamp,
}

/// Stage number of outputs of `on-entity-creation`; datapoints count from 0.
const CREATION_STAGE: u32 = u32::MAX;

/// One call of one hook.
struct Entry<'b> {
    bound: &'b Bound,
    call: HookCall<'b>,
    /// The datapoint's number, or [`CREATION_STAGE`].
    stage: u32,
}

/// The run ends here, before its end.
enum Stop {
    /// With this effect.
    With(Box<Effect>),
    /// To be repeated.
    Postpone,
}

/// What a run has collected.
struct Run<'t> {
    pending: &'t PendingTask,
    follow_ups: Vec<Task>,
    dead: Vec<DeadLetter>,
    notes: Notes,
}

impl Ingest<'_> {
    /// Runs one task against the record that was read for it.
    pub fn run(&mut self, pending: &PendingTask, record: Option<MasterRecord>) -> Processed {
        let mut run = Run { pending, follow_ups: Vec::new(), dead: Vec::new(), notes: Notes::default() };
        let seen_revision = record.as_ref().map(|r| r.revision);
        let effect = match self.flow(&mut run, record) {
            Ok(effect) => effect,
            Err(Stop::With(effect)) => *effect,
            Err(Stop::Postpone) => return self.postpone(run),
        };
        if !matches!(effect, Effect::Apply { .. }) {
            run.follow_ups.clear();
        }
        let task = &pending.task;
        let Notes { errors, state, invocations } = run.notes;
        Processed::Commit(Box::new(TaskOutcome {
            seq: pending.seq,
            id: task.id,
            entity: task.body.entity.clone(),
            at: self.now,
            seen_revision,
            origin: task.origin.clone(),
            effect,
            follow_ups: run.follow_ups,
            dead: run.dead,
            errors,
            state,
            invocations,
        }))
    }

    fn flow(&mut self, run: &mut Run<'_>, record: Option<MasterRecord>) -> Result<Effect, Stop> {
        let registry = self.registry;
        let body = &run.pending.task.body;
        let etype = &body.entity.etype;

        for bound in registry.on_task_start() {
            if self.paused(bound, HookKind::OnTaskStart).is_some() {
                continue;
            }
            let entry = self.begin(run, bound, HookKind::OnTaskStart, 0);
            let invocation = self.host.on_task_start(&entry.call, body);
            // A failure is recorded and the task goes on.
            let _recorded = self.finish(run, &entry, invocation, |_, ()| Ok(()));
        }

        if body.delete {
            return Ok(if record.is_some() { Effect::Delete } else { Effect::Nothing });
        }
        let Some(spec) = self.schema.entity(etype.as_str()) else {
            let message = format!(
                "entity type {etype} is not in the specification any more; add db_entities/{etype}.yml or drop the letter"
            );
            return Err(Stop::With(Box::new(Effect::Dead(self.letter(run.pending, DeadKind::Invalid, None, message)))));
        };
        // Of a letter that is tried again after the specification changed; its values would come back otherwise.
        if let Some(unknown) = body.datapoints.iter().find(|dp| spec.attribute(dp.attr.as_str()).is_none()) {
            let message = format!(
                "attribute {etype}.{attr} is not in the specification any more; add it to db_entities/{etype}.yml or drop \
                 the letter",
                attr = unknown.attr
            );
            return Err(Stop::With(Box::new(Effect::Dead(self.letter(run.pending, DeadKind::Invalid, None, message)))));
        }

        let created = record.is_none();
        let mut record = match record {
            Some(record) => record,
            None => {
                self.admit_entity(run)?;
                self.create_entity(run)?;
                MasterRecord::new(self.now)
            }
        };

        record.extend_ttl(&body.ttl_tokens);
        extend_lifetime(&mut record, spec, created, &body.datapoints, self.now);
        let module = run.pending.task.origin.as_ref();
        let mut raw = Vec::with_capacity(body.datapoints.len());
        let mut link_changes = Vec::new();
        for datapoint in &body.datapoints {
            record.stage(datapoint, self.now);
            links::changes(spec, datapoint, &mut link_changes);
            raw.push(RawPoint { datapoint: datapoint.clone(), module: module.map(|o| o.module.clone()) });
        }

        for (number, datapoint) in (0u32..).zip(&body.datapoints) {
            for bound in registry.on_new_attribute(etype, &datapoint.attr) {
                if self.paused(bound, HookKind::OnNewAttribute).is_some() {
                    continue;
                }
                let entry = self.begin(run, bound, HookKind::OnNewAttribute, number);
                let invocation = self.host.on_new_attribute(&entry.call, &body.entity, datapoint);
                self.take_tasks(run, &entry, invocation)?;
            }
        }
        Ok(Effect::Apply { record, raw, links: link_changes, created })
    }

    /// Asks every admission hook; the first denial ends the task.
    fn admit_entity(&mut self, run: &mut Run<'_>) -> Result<(), Stop> {
        let registry = self.registry;
        let body = &run.pending.task.body;
        for bound in registry.allow_entity_creation(&body.entity.etype) {
            let entry = self.begin(run, bound, HookKind::AllowEntityCreation, 0);
            // A paused admission hook counts as a faulty one: nobody comes in unasked, and nobody is turned away.
            let verdict = match self.paused(bound, HookKind::AllowEntityCreation) {
                Some(failure) => Err(failure),
                None => {
                    let invocation = self.host.allow_entity_creation(&entry.call, body);
                    self.finish(run, &entry, invocation, |_, verdict| Ok(verdict))
                }
            };
            match verdict {
                Ok(Verdict::Allow) => {}
                Ok(Verdict::Deny(reason)) => {
                    self.stats.denied(&bound.module.name, HookKind::AllowEntityCreation, &bound.subscription);
                    tracing::info!(module = %bound.module.name, entity = %body.entity, "denied: {}", note::printable(&reason));
                    return Err(Stop::With(Box::new(Effect::Denied { module: bound.module.name.clone(), reason })));
                }
                Err(_) if bound.module.settings.on_admission_fault == OnAdmissionFault::Open => {}
                Err(_) if run.pending.attempts + 1 < MAX_ATTEMPTS => return Err(Stop::Postpone),
                Err(failure) => {
                    let letter = self.letter(
                        run.pending,
                        DeadKind::Admission,
                        Some((&entry.call, &failure)),
                        failure.to_string(),
                    );
                    return Err(Stop::With(Box::new(Effect::Dead(letter))));
                }
            }
        }
        Ok(())
    }

    fn create_entity(&mut self, run: &mut Run<'_>) -> Result<(), Stop> {
        let registry = self.registry;
        let body = &run.pending.task.body;
        for bound in registry.on_entity_creation(&body.entity.etype) {
            if self.paused(bound, HookKind::OnEntityCreation).is_some() {
                continue;
            }
            let entry = self.begin(run, bound, HookKind::OnEntityCreation, CREATION_STAGE);
            let invocation = self.host.on_entity_creation(&entry.call, body);
            self.take_tasks(run, &entry, invocation)?;
        }
        Ok(())
    }

    /// Checks the tasks that a hook returned and adds them to the run.
    fn take_tasks(
        &mut self,
        run: &mut Run<'_>,
        entry: &Entry<'_>,
        invocation: Invocation<Vec<TaskBody>>,
    ) -> Result<(), Stop> {
        let call = &entry.call;
        match self.finish(run, entry, invocation, |schema, bodies| check::tasks(schema, call, bodies)) {
            Ok(bodies) => {
                if !bodies.is_empty() {
                    let count = bodies.len() as u64;
                    self.stats.tasks(&call.module.name, call.kind, call.subscription, count);
                }
                for (ordinal, body) in (0u32..).zip(bodies) {
                    self.follow_up(run, call, entry.stage, ordinal, body);
                }
                Ok(())
            }
            Err(failure) if failure.reason.is_transient() && run.pending.attempts + 1 < MAX_ATTEMPTS => {
                Err(Stop::Postpone)
            }
            Err(_) => Ok(()),
        }
    }

    fn follow_up(&self, run: &mut Run<'_>, call: &HookCall<'_>, stage: u32, ordinal: u32, body: TaskBody) {
        let parent = &run.pending.task;
        let task = Task {
            id: TaskId::follow_up(parent.id, &call.module.name, call.subscription, stage, ordinal),
            root: parent.root,
            depth: parent.depth.saturating_add(1),
            queue: Queue::Priority,
            origin: Some(Origin {
                module: call.module.name.clone(),
                version: call.module.descriptor.version.clone(),
                hook: call.kind,
                subscription: call.subscription.clone(),
                parent: parent.id,
                number: stage,
                attempt: u16::try_from(run.pending.attempts + 1).unwrap_or(u16::MAX),
            }),
            body,
        };
        if task.depth <= MAX_DEPTH {
            run.follow_ups.push(task);
            return;
        }
        let message = format!(
            "module {} returned a task at depth {}, the limit is {MAX_DEPTH}: its hook feeds itself or another one; \
             return a task only when it changes something",
            call.module.name, task.depth
        );
        run.dead.push(DeadLetter {
            task,
            kind: DeadKind::Depth,
            module: Some(call.module.name.clone()),
            hook: Some(call.kind),
            reason: DeadKind::Depth.name().into(),
            message,
            at: self.now,
        });
    }

    fn begin<'b>(&self, run: &Run<'_>, bound: &'b Bound, kind: HookKind, stage: u32) -> Entry<'b> {
        let (task, seq) = (&run.pending.task, run.pending.seq);
        if let Some(store) = self.careful {
            self.written_down.set(true);
            let module = Some(bound.module.name.clone());
            if let Err(error) = store.begin_careful_blocking(seq, task.id, module, Some(kind)) {
                tracing::warn!(task = %task.id, "cannot write down what is about to run: {error}");
            }
        }
        let call = HookCall {
            module: &bound.module,
            kind,
            subscription: &bound.subscription,
            id: format!("{}:{}:{}:{stage}", task.id, bound.module.name, bound.subscription),
            time: self.now,
            cause: if run.pending.attempts == 0 { CallCause::Normal } else { CallCause::Retry },
        };
        Entry { bound, call, stage }
    }

    fn desk(&self) -> Desk<'_> {
        let Self { schema, stats, breakers, pace, now, .. } = *self;
        Desk { schema, stats, breakers, pace, now }
    }

    fn paused(&self, bound: &Bound, kind: HookKind) -> Option<HookFailure> {
        self.desk().paused(bound, kind)
    }

    /// Checks, counts and records a call.
    fn finish<T, U: Shown>(
        &self,
        run: &mut Run<'_>,
        entry: &Entry<'_>,
        invocation: Invocation<T>,
        check: impl FnOnce(&Schema, T) -> Result<U, HookFailure>,
    ) -> Result<U, HookFailure> {
        let task = &run.pending.task;
        let subject = Subject {
            work: task.id,
            task: Some(task.id),
            entity: Some(&task.body.entity),
            stage: entry.stage,
            attempt: run.pending.attempts + 1,
        };
        self.desk().finish(&mut run.notes, subject, (entry.bound, &entry.call), invocation, check)
    }

    fn letter(
        &self,
        pending: &PendingTask,
        kind: DeadKind,
        by: Option<(&HookCall<'_>, &HookFailure)>,
        message: String,
    ) -> DeadLetter {
        DeadLetter {
            task: pending.task.clone(),
            kind,
            module: by.map(|(call, _)| call.module.name.clone()),
            hook: by.map(|(call, _)| call.kind),
            reason: by.map_or(kind.name(), |(_, failure)| failure.reason.code()).into(),
            message,
            at: self.now,
        }
    }

    fn postpone(&self, run: Run<'_>) -> Processed {
        let doublings = run.pending.attempts.min(10);
        let pause_ms = RETRY_BACKOFF_MS << doublings;
        // Up to a quarter more, from the id, so that tasks that failed together do not come back together.
        let [.., spread] = run.pending.task.id.0;
        let jitter_ms = pause_ms * u64::from(spread) / 1024;
        let micros = i64::try_from((pause_ms + jitter_ms) * 1000).unwrap_or(i64::MAX);
        Processed::Postpone { not_before: self.now.saturating_add(micros), errors: run.notes.errors }
    }
}

/// Tokens that the entity type's lifetime asks for: `base` at creation, `data` by its datapoints.
fn extend_lifetime(
    record: &mut MasterRecord,
    spec: &EntitySpec,
    created: bool,
    datapoints: &[DataPoint],
    now: Timestamp,
) {
    let Lifetime::Ttl { on_create, mirror_data } = spec.lifetime else { return };
    if created {
        record.extend_ttl(&[("base".to_owned(), Some(now.saturating_add(on_create)))]);
    }
    for datapoint in datapoints {
        let Some(attribute) = spec.attribute(datapoint.attr.as_str()) else { continue };
        let until = match datapoint.t2.or(datapoint.t1) {
            None => now.saturating_add(attribute.ttl),
            Some(end) => {
                let kept = if mirror_data { attribute.kind.max_age().unwrap_or(0) } else { 0 };
                end.saturating_add(attribute.ttl.max(kept))
            }
        };
        record.extend_ttl(&[("data".to_owned(), Some(until))]);
    }
}
