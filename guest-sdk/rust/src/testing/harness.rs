//! Calls the hooks of a module as a host does: all subscriptions of the kind that fit, in order of declaration.

use serde_json::Value as Json;

use crate::case::{CaseObject, Context, Event, Judgement, ManualOutcome, Outcome, Proposal, Written};
use crate::error::{HookError, Result};
use crate::export::{Exported, Live, describe, fits};
use crate::module::{Config, Descriptor, Request};
use crate::record::MasterRecord;
use crate::register::{Hook, find_case};
use crate::task::{Datapoint, EntityRef, Task, Verdict};
use crate::testing::fake::{Host, host};

mod snapshot;

/// A configured module under test. Making one resets the host of this thread.
///
/// Each method fails with [`HookError::Failed`] when the module has no subscription that fits, and names those that
/// it has: a test of a hook that is never called would prove nothing.
pub struct Harness<M> {
    live: Live<M>,
}

impl<M: Exported> Harness<M> {
    /// Configures the module. Defaults of its parameters are filled in, as a host does.
    ///
    /// # Errors
    /// What [`crate::Module::new`] answers, a mandatory parameter that is missing, ids of subscriptions that come
    /// twice, a family that is not exported.
    pub fn new(config: Json) -> Result<Self> {
        host(|h| *h = Host::default());
        Self::again(config)
    }

    /// As [`Self::new`], but on the host as it is: what a host does with an instance that it dropped.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn again(mut config: Json) -> Result<Self> {
        let settings =
            config.as_object_mut().ok_or_else(|| HookError::invalid("the configuration must be an object"))?;
        for parameter in M::parameters() {
            if settings.contains_key(&parameter.name) {
                continue;
            }
            if let Some(default) = &parameter.default_value {
                let value = serde_json::from_str(default)
                    .map_err(|e| HookError::failed(format_args!("default of {:?} is not JSON: {e}", parameter.name)))?;
                settings.insert(parameter.name, value);
            } else if parameter.mandatory {
                return Err(HookError::invalid(format_args!("the configuration lacks {:?}", parameter.name)));
            }
        }
        Ok(Self { live: Live::new(&Config::new(config.to_string()))? })
    }

    /// The module itself, to look into.
    pub fn module(&mut self) -> &mut M {
        &mut self.live.module
    }

    /// Ids of all subscriptions, kind by kind.
    #[must_use]
    pub fn subscriptions(&self) -> Vec<String> {
        self.live.on.ids().into_iter().map(|(_, _, id)| id.to_owned()).collect()
    }

    /// The capabilities asked for.
    #[must_use]
    pub fn requests(&self) -> &[Request] {
        &self.live.on.requests
    }

    /// What `describe` answers.
    #[must_use]
    pub fn describe(&self) -> Descriptor {
        describe::<M>()
    }

    /// The module sees a task.
    ///
    /// # Errors
    /// The hook's, or no subscription.
    #[allow(clippy::needless_pass_by_value, reason = "tests build the argument in the call")]
    pub fn on_task_start(&mut self, task: Task) -> Result<()> {
        let Live { module, on } = &mut self.live;
        all("on-task-start", &on.on_task_start, |()| true, |call| call(module, &task)).map(drop)
    }

    /// The module is asked whether an entity may come into being; the first denial counts.
    ///
    /// # Errors
    /// The hook's, or no subscription.
    #[allow(clippy::needless_pass_by_value, reason = "tests build the argument in the call")]
    pub fn allow_entity_creation(&mut self, task: Task) -> Result<Verdict> {
        let Live { module, on } = &mut self.live;
        let verdicts = all(
            "allow-entity-creation",
            &on.allow_entity_creation,
            |etype| *etype == task.entity.etype,
            |call| call(module, &task),
        )?;
        Ok(verdicts.into_iter().find(|v| *v != Verdict::Allow).unwrap_or(Verdict::Allow))
    }

    /// The module sees a new entity.
    ///
    /// # Errors
    /// The hook's, or no subscription.
    #[allow(clippy::needless_pass_by_value, reason = "tests build the argument in the call")]
    pub fn on_entity_creation(&mut self, task: Task) -> Result<Vec<Task>> {
        let Live { module, on } = &mut self.live;
        let fits = |d: &crate::raw::ingest::Creation| d.etype == task.entity.etype;
        flat(all("on-entity-creation", &on.on_entity_creation, fits, |call| call(module, &task)))
    }

    /// The module sees a datapoint.
    ///
    /// # Errors
    /// The hook's, or no subscription.
    #[allow(clippy::needless_pass_by_value, reason = "tests build the argument in the call")]
    pub fn on_new_attribute(&mut self, entity: impl Into<EntityRef>, datapoint: Datapoint) -> Result<Vec<Task>> {
        let Live { module, on } = &mut self.live;
        let entity = entity.into();
        let fits = |d: &crate::raw::ingest::AttributeWatch| d.etype == entity.etype && d.attr == datapoint.attr;
        flat(all("on-new-attribute", &on.on_new_attribute, fits, |call| call(module, &entity, &datapoint)))
    }

    /// The sweep reaches an entity; hooks with the master record.
    ///
    /// # Errors
    /// The hook's, or no subscription.
    pub fn update_record(&mut self, record: &MasterRecord) -> Result<Vec<Task>> {
        let Live { module, on } = &mut self.live;
        let fits = |d: &crate::raw::update::Sweep| d.etype == record.entity.etype;
        flat(all("update-record", &on.update_record, fits, |call| call(module, record)))
    }

    /// The sweep reaches an entity; hooks without the master record.
    ///
    /// # Errors
    /// The hook's, or no subscription.
    pub fn update_entity(&mut self, entity: impl Into<EntityRef>) -> Result<Vec<Task>> {
        let Live { module, on } = &mut self.live;
        let entity = entity.into();
        let fits = |d: &crate::raw::update::Sweep| d.etype == entity.etype;
        flat(all("update-entity", &on.update_entity, fits, |call| call(module, &entity)))
    }

    /// A slot of the timer with that id, with its own arguments. Returns the tasks submitted.
    ///
    /// # Errors
    /// The hook's, or no subscription.
    pub fn cron(&mut self, id: &str) -> Result<Vec<Task>> {
        let Live { module, on } = &mut self.live;
        let hook = crate::register::find(&on.cron, "cron", id)?;
        host(|h| h.may_submit = true);
        let result = (hook.call)(module, &hook.details.arguments);
        let submitted = host(|h| {
            h.may_submit = false;
            std::mem::take(&mut h.submitted)
        });
        result.map(|()| submitted)
    }

    /// An object is about to be written; replaced data is handed from one subscription to the next.
    ///
    /// # Errors
    /// The hook's, or no subscription.
    pub fn before(&mut self, context: &Context, event: &Event, proposal: &Proposal) -> Result<Judgement> {
        let Live { module, on } = &mut self.live;
        let mut proposal = proposal.clone();
        let mut judgement = Judgement::Unchanged;
        let filter = |d: &crate::raw::cases::CaseFilter| fits(&d.object, &d.action, event);
        for hook in chosen("before", &on.before, filter)? {
            match (hook.call)(module, context, event, &proposal)? {
                Judgement::Unchanged => {}
                Judgement::Replaced(body) => {
                    proposal.body.clone_from(&body);
                    judgement = Judgement::Replaced(body);
                }
                denied @ Judgement::Denied(_) => return Ok(denied),
            }
        }
        Ok(judgement)
    }

    /// Objects were written.
    ///
    /// # Errors
    /// The hook's, or no subscription.
    pub fn after(&mut self, context: &Context, event: &Event, objects: &[Written]) -> Result<Outcome> {
        let Live { module, on } = &mut self.live;
        let filter = |d: &crate::raw::cases::AfterFilter| fits(&d.object, &d.action, event);
        let mut joined = Outcome::nothing();
        let outcomes = resumable(|| all("after", &on.after, filter, |call| call(module, context, event, objects)));
        for outcome in outcomes? {
            joined.effects.extend(outcome.effects);
            joined.tasks.extend(outcome.tasks);
        }
        Ok(joined)
    }

    /// A person clicks the menu entry of that subscription id.
    ///
    /// # Errors
    /// The hook's, or no subscription.
    pub fn manual(
        &mut self,
        id: &str,
        context: &Context,
        event: &Event,
        objects: &[CaseObject],
    ) -> Result<ManualOutcome> {
        let Live { module, on } = &mut self.live;
        let hook = find_case(&on.manual, "manual", id, |d| d.object == event.object)?;
        resumable(|| (hook.call)(module, context, event, objects))
    }
}

/// A call that may ask to be made again.
fn resumable<R>(call: impl FnOnce() -> R) -> R {
    host(|h| h.may_resume = true);
    let result = call();
    host(|h| h.may_resume = false);
    result
}

/// The subscriptions that fit, at least one.
fn chosen<'a, D, F: ?Sized>(
    kind: &str,
    hooks: &'a [Hook<D, F>],
    fits: impl Fn(&D) -> bool,
) -> Result<Vec<&'a Hook<D, F>>> {
    let chosen: Vec<_> = hooks.iter().filter(|h| fits(&h.details)).collect();
    if chosen.is_empty() {
        let ids: Vec<_> = hooks.iter().map(|h| h.id.as_str()).collect();
        return Err(HookError::failed(format_args!(
            "no {kind} subscription of the module fits; it has {}",
            if ids.is_empty() { "none of this kind".to_owned() } else { ids.join(", ") }
        )));
    }
    Ok(chosen)
}

fn all<D, F: ?Sized, R>(
    kind: &str,
    hooks: &[Hook<D, F>],
    fits: impl Fn(&D) -> bool,
    mut call: impl FnMut(&F) -> Result<R>,
) -> Result<Vec<R>> {
    chosen(kind, hooks, fits)?.into_iter().map(|h| call(&h.call)).collect()
}

fn flat(tasks: Result<Vec<Vec<Task>>>) -> Result<Vec<Task>> {
    tasks.map(|t| t.into_iter().flatten().collect())
}
