//! Whether the correlation hooks of all modules go together: their paths and their order are one plan.
//!
//! A component whose hooks close a cycle with those in use is refused at upload and activation, and a subscription that
//! would close one is not switched on. What gets that far without being asked, such as a module that is enabled again
//! after others have come, is left out with a problem in its view. In any case the modules in use stay in use.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use tenter_model::hook::Subscription;
use tenter_model::module::LoadedModule;
use tenter_model::snapshot::plan::Plan;
use tenter_model::{ModuleName, Schema, SubscriptionId};
use tenter_store::ModuleRow;

use super::grants::missing_grants;
use super::{ModuleError, Modules, State};

/// Subscriptions that are switched off.
pub(super) type Off = HashSet<(ModuleName, SubscriptionId)>;

impl Modules {
    /// Checks the modules in use, with a candidate in its place of the calling order, against one another.
    ///
    /// # Errors
    /// [`ModuleError::Refused`] names the hooks that do not go together.
    pub(super) fn check_together(
        &self,
        state: &State,
        rows: &[ModuleRow],
        candidate: Option<&LoadedModule>,
        off: &Off,
    ) -> Result<(), ModuleError> {
        let mut rows = rows.to_vec();
        self.sort(&mut rows);
        let in_use: Vec<_> =
            self.callable(state, &rows).filter(|module| !state.misfits.contains_key(&module.name)).collect();
        let position =
            |name: &ModuleName| rows.iter().find(|row| row.name == *name).map_or(u64::MAX, |row| row.position);
        let mut modules: Vec<&LoadedModule> = in_use.iter().map(AsRef::as_ref).collect();
        if let Some(candidate) = candidate {
            modules.retain(|module| module.name != candidate.name);
            modules.push(candidate);
            modules.sort_by_key(|module| self.place(&module.name, position(&module.name)));
        }
        plan(&self.schema, &modules, off)
            .map(drop)
            .map_err(|message| ModuleError::Refused { code: "correlation", message })
    }

    /// Modules that are enabled, could be loaded, are configured and have all that they ask for.
    pub(super) fn callable<'a>(
        &self,
        state: &'a State,
        rows: &'a [ModuleRow],
    ) -> impl Iterator<Item = &'a Arc<LoadedModule>> {
        rows.iter()
            .filter(|row| row.enabled)
            .filter_map(|row| state.loaded.get(&row.name)?.as_ref().ok())
            .filter(|module| module.lacks.is_empty())
            .filter(|module| missing_grants(&module.requests, &module.settings.grants).is_empty())
    }
}

/// Splits modules, given in calling order, into those that go together, in the same order, and the others with the reason.
/// Where one of two has to go, the one in use stays.
pub(super) fn together(
    schema: &Schema,
    modules: Vec<Arc<LoadedModule>>,
    off: &Off,
    is_in_use: impl Fn(&LoadedModule) -> bool,
) -> (Vec<Arc<LoadedModule>>, BTreeMap<ModuleName, String>) {
    let mut misfits = BTreeMap::new();
    // Nearly always everything fits.
    if let Ok(plan) = plan(schema, &modules.iter().map(AsRef::as_ref).collect::<Vec<_>>(), off) {
        plan.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        return (modules, misfits);
    }
    let mut fits = vec![false; modules.len()];
    let mut order: Vec<usize> = (0..modules.len()).collect();
    order.sort_by_key(|i| modules.get(*i).is_none_or(|module| !is_in_use(module)));
    for i in order {
        let Some(module) = modules.get(i) else { continue };
        let chosen =
            |(k, module): (usize, &Arc<LoadedModule>)| (k == i || fits.get(k) == Some(&true)).then(|| module.clone());
        let tried: Vec<_> = modules.iter().enumerate().filter_map(chosen).collect();
        match plan(schema, &tried.iter().map(AsRef::as_ref).collect::<Vec<_>>(), off) {
            Ok(_) => fits.get_mut(i).into_iter().for_each(|fit| *fit = true),
            Err(problem) => {
                tracing::error!(module = %module.name, "the module is left out: {problem}");
                misfits.insert(module.name.clone(), problem);
            }
        }
    }
    (modules.into_iter().filter(|module| !misfits.contains_key(&module.name)).collect(), misfits)
}

fn plan(schema: &Schema, modules: &[&LoadedModule], off: &Off) -> Result<Plan, String> {
    let is_on = |(name, s): &(&ModuleName, &Subscription)| !off.contains(&((*name).clone(), s.id.clone()));
    let registered = modules.iter().flat_map(|module| module.subscriptions.iter().map(|s| (&module.name, s)));
    let plan = Plan::new(schema, registered.filter(is_on));
    plan.map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use tenter_model::config::{self, ConfigFile};
    use tenter_model::hook::{Correlation, Moment};
    use tenter_model::module::{Descriptor, ModuleSettings};

    use super::*;

    const IP: &str = "
entity: {id: ip, name: IP, snapshot: true}
attribs:
  a: {name: A, type: plain, data_type: int}
  b: {name: B, type: plain, data_type: int}
  c: {name: C, type: plain, data_type: int}
";

    fn schema() -> Schema {
        let file = ConfigFile { path: "db_entities/ip.yml".into(), text: IP.into() };
        config::load(&[file]).config.unwrap().schema
    }

    /// A module with one hook that reads one attribute and sets another.
    fn module(name: &str, generation: u64, reads: &str, sets: &str) -> Arc<LoadedModule> {
        let path = |attr: &str| vec![vec![attr.parse().unwrap()]];
        let (depends_on, may_change) = (path(reads), path(sets));
        let moment =
            Moment::Correlate(Correlation { etype: "ip".parse().unwrap(), depends_on, may_change, whole: false });
        Arc::new(LoadedModule {
            name: name.parse().unwrap(),
            descriptor: Descriptor::default(),
            digest: String::new(),
            generation,
            settings: ModuleSettings::default(),
            requests: Vec::new(),
            families: Vec::new(),
            subscriptions: vec![Subscription { id: "h".parse().unwrap(), moment }],
            lacks: Vec::new(),
            code: Arc::new(()),
        })
    }

    fn names(modules: &[Arc<LoadedModule>]) -> Vec<&str> {
        modules.iter().map(|m| m.name.as_str()).collect()
    }

    #[test]
    fn a_module_that_closes_a_cycle_is_left_out_and_the_running_ones_stay() {
        let modules = || vec![module("new", 9, "c", "a"), module("one", 1, "a", "b"), module("two", 2, "b", "c")];
        let (fits, misfits) = together(&schema(), modules(), &Off::new(), |m| m.generation < 9);
        assert_eq!(names(&fits), ["one", "two"]);
        let problem = misfits.values().next().unwrap();
        assert!(problem.contains("two/h -> ip.c -> new/h -> ip.a -> one/h -> ip.b -> two/h"), "{problem}");
        // With nothing in use yet, as at start, the calling order decides.
        let (fits, misfits) = together(&schema(), modules(), &Off::new(), |_| false);
        assert_eq!((names(&fits), misfits.len()), (vec!["new", "one"], 1));
        // A hook that is switched off closes nothing.
        let off = Off::from([("two".parse().unwrap(), "h".parse().unwrap())]);
        let (fits, misfits) = together(&schema(), modules(), &off, |_| false);
        assert_eq!((names(&fits), misfits.len()), (vec!["new", "one", "two"], 0));
    }
}
