//! Menu entries, and what a click on one sets going: a job for each entry that was meant, on all objects at once.

use tenter_model::case::moment::iso;
use tenter_model::case::{self, ObjectKind, Phase, Trigger};
use tenter_store::{AccessLevel, NewJob};

use super::{CaseError, Cases, ManualRequest, ManualRun, ManualRuns, MenuEntry, place};
use crate::registry::CaseEntry;

impl Cases {
    /// The menu of a kind of object, given in kebab case or as in IRIS.
    #[must_use]
    pub fn menu(&self, object: &str) -> Vec<MenuEntry> {
        let object = object.replace('_', "-");
        let registry = self.0.registry.current();
        registry.cases().menu(&object).map(entry).collect()
    }

    /// Queues the jobs of a click and says which. A wait for their end is the caller's.
    ///
    /// An object that does not exist is left out and named in the answer; one that the user may not change refuses the
    /// whole request.
    ///
    /// # Errors
    /// [`CaseError::Invalid`] for a hook that is none of a menu, [`CaseError::NoAccess`].
    pub fn manual(&self, request: ManualRequest) -> Result<ManualRuns, CaseError> {
        let ManualRequest { hook, module, entry, targets, case_id, context } = request;
        let hook = case::find(&hook)
            .filter(|found| found.phase == Phase::Manual)
            .ok_or_else(|| CaseError::Invalid(format!("Hook {hook} is unknown: it is none that a menu calls")))?;
        let mut runs = ManualRuns::default();
        if let Some(case_id) = case_id {
            self.enter(context.user.id, case_id, AccessLevel::Full)?;
        }
        for target in targets {
            // An indicator is looked up in all cases: whoever has one of them may act on it.
            let within = case_id.filter(|_| !matches!(target.kind, ObjectKind::Ioc | ObjectKind::Case));
            let found = self.see(&context, within, |world| {
                place::reach(world, context.user.id, target, within, AccessLevel::Full)
            })?;
            match found {
                Ok(_) => runs.found.push(target),
                Err(CaseError::NotFound(_)) => runs.missing.push(target),
                Err(other) => return Err(other),
            }
        }
        if runs.found.is_empty() {
            return Ok(runs);
        }
        let registry = self.0.registry.current();
        let wanted = |e: &&CaseEntry| {
            module.as_ref().is_none_or(|name| name == e.bound.module.name.as_str())
                && entry.as_ref().is_none_or(|title| *title == e.title)
        };
        let entries: Vec<&CaseEntry> = registry.cases().menu(hook.object).filter(wanted).collect();
        let name = hook.iris_name();
        let job = |e: &&CaseEntry| NewJob {
            random: self.random(),
            hook: name.clone(),
            module: e.bound.module.name.to_string(),
            subscription: e.bound.subscription.to_string(),
            entry: Some(e.title.clone()),
            trigger: Trigger::Manual.name().into(),
            not_before: None,
            waited: false,
            payload: serde_json::json!({"clicked": iso(context.now)}),
        };
        let jobs = entries.iter().map(job).collect();
        let numbers = self.0.store.queue_jobs(jobs, runs.found.clone(), case_id, context.by())?;
        let run = |(job, e): (u64, &&CaseEntry)| ManualRun {
            job,
            module: e.bound.module.name.to_string(),
            entry: e.title.clone(),
        };
        runs.jobs = numbers.into_iter().zip(&entries).map(run).collect();
        Ok(runs)
    }
}

fn entry(entry: &CaseEntry) -> MenuEntry {
    MenuEntry {
        hook: format!("on_manual_trigger_{}", entry.object.replace('-', "_")),
        module: entry.bound.module.name.to_string(),
        subscription: entry.bound.subscription.to_string(),
        title: entry.title.clone(),
    }
}
