//! What a run will call, and what it may leave alone.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use tenter_model::schema::AttributeKind;
use tenter_model::snapshot::plan::{Plan, PlanError, Step, UsedLinks};
use tenter_model::{EntityType, HookKind, ModuleName, Schema};

use crate::registry::{Bound, Registry};

/// The hooks of a run in their order.
pub(super) struct RunPlan {
    steps: Vec<(Step, Bound)>,
    by_type: HashMap<EntityType, Vec<usize>>,
    /// Links that hooks follow.
    pub(super) used: UsedLinks,
    /// Types whose values depend on more than the record and the time.
    busy: HashSet<EntityType>,
    /// Two runs with one signature compute the same from the same data.
    pub(super) signature: String,
}

impl RunPlan {
    /// Plans a run. Refresh steps take part for the modules in `refreshed` alone.
    ///
    /// # Errors
    /// What is wrong with the hooks; the admission of modules keeps this from happening.
    pub(super) fn new(
        schema: &Schema,
        registry: &Registry,
        refreshed: &BTreeSet<ModuleName>,
        keep_empty: bool,
    ) -> Result<Self, Vec<PlanError>> {
        let hooks = registry.snapshot();
        let registered = hooks.steps.iter().map(|(bound, subscription)| (&bound.module.name, subscription));
        let Plan { steps, used_links, .. } = Plan::new(schema, registered)?;
        let bound_of: HashMap<_, _> =
            hooks.steps.iter().map(|(bound, _)| ((&bound.module.name, &bound.subscription), bound)).collect();
        let steps: Vec<(Step, Bound)> = steps
            .into_iter()
            .filter(|step| !step.is_refresh() || refreshed.contains(&step.hook.module))
            .filter_map(|step| {
                let bound = (*bound_of.get(&(&step.hook.module, &step.hook.subscription))?).clone();
                Some((step, bound))
            })
            .collect();
        let mut by_type: HashMap<EntityType, Vec<usize>> = HashMap::new();
        for (place, (step, _)) in steps.iter().enumerate() {
            by_type.entry(step.etype.clone()).or_default().push(place);
        }
        let mut busy: HashSet<EntityType> = by_type.keys().cloned().collect();
        busy.extend(hooks.timeseries.keys().cloned());
        busy.extend(schema.entities().iter().filter(|spec| mirrors(spec)).map(|spec| spec.id.clone()));
        let signature = signature(schema, registry, refreshed, keep_empty);
        Ok(Self { steps, by_type, used: used_links, busy, signature })
    }

    /// The steps for entities of these types, in order. No type is given twice.
    pub(super) fn steps_of<'a>(&'a self, types: &[&EntityType]) -> Vec<&'a (Step, Bound)> {
        let mut places: Vec<usize> =
            types.iter().filter_map(|etype| self.by_type.get(*etype)).flatten().copied().collect();
        if types.len() > 1 {
            places.sort_unstable();
        }
        places.into_iter().filter_map(|place| self.steps.get(place)).collect()
    }

    /// Whether there are steps for entities of this type.
    pub(super) fn has_steps(&self, etype: &EntityType) -> bool {
        self.by_type.contains_key(etype)
    }

    /// Whether a hook of this type is given the master record.
    pub(super) fn needs_record(&self, etype: &EntityType) -> bool {
        let kinds = self.by_type.get(etype).into_iter().flatten().filter_map(|place| self.steps.get(*place));
        kinds.into_iter().any(|(step, _)| matches!(step.kind, HookKind::CorrelateWithRecord | HookKind::OnNewAttribute))
    }

    /// Whether values of entities of this type are a function of the record and the time alone.
    pub(super) fn is_idle(&self, etype: &EntityType) -> bool {
        !self.busy.contains(etype)
    }
}

fn mirrors(spec: &tenter_model::schema::EntitySpec) -> bool {
    spec.attributes().iter().any(|a| matches!(a.kind, AttributeKind::Plain { mirror_of: Some(_), .. }))
}

/// Of everything beside the data that values depend on. Another version of the compiler may give another signature for
/// the same, which costs one run that computes all anew.
fn signature(schema: &Schema, registry: &Registry, refreshed: &BTreeSet<ModuleName>, keep_empty: bool) -> String {
    let mut hash = DefaultHasher::new();
    keep_empty.hash(&mut hash);
    for spec in schema.entities() {
        (spec.id.as_str(), spec.id_type, spec.snapshot).hash(&mut hash);
        format!("{:?}", spec.attributes()).hash(&mut hash);
    }
    let hooks = registry.snapshot();
    let mut bound = |bound: &Bound, moment: &str| {
        let module = &bound.module;
        (module.name.as_str(), &module.digest, bound.subscription.as_str(), moment).hash(&mut hash);
        module.settings.config.to_string().hash(&mut hash);
        format!("{:?}{:?}{:?}", module.settings.grants, module.settings.limits, module.settings.may_change)
            .hash(&mut hash);
    };
    for (step, subscription) in &hooks.steps {
        bound(step, &format!("{:?}", subscription.moment));
    }
    for hook in hooks.init.iter().chain(&hooks.finalize) {
        bound(hook, "run");
    }
    let mut timeseries: Vec<_> =
        hooks.timeseries.iter().flat_map(|(e, by)| by.iter().map(move |(a, b)| (e, a, b))).collect();
    timeseries.sort_by_key(|(etype, attr, _)| (*etype, *attr));
    for (etype, attr, hooks) in timeseries {
        hooks.iter().for_each(|hook| bound(hook, &format!("{etype}.{attr}")));
    }
    refreshed.iter().for_each(|name| name.as_str().hash(&mut hash));
    format!("{:016x}", hash.finish())
}
