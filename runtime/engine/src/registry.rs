//! Which module is called at which moment.
//!
//! A [`Registry`] is compiled from the loaded modules into lookup tables and never changes; a change of any module
//! builds a new one. Hooks of one kind are called in the order of `enabled_modules`, then of upload, then of declaration:
//! whoever builds the registry passes the modules in that order.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock, Weak};

use tenter_model::case::{CaseHook, Phase};
use tenter_model::hook::{CaseFilter, Moment, Subscription, Sweep, Timer};
use tenter_model::id::{AttrName, EntityType, ModuleName, SubscriptionId};
use tenter_model::module::LoadedModule;
use tenter_model::{HookHost, HookKind};

/// A subscription that can be called.
#[derive(Debug, Clone)]
pub struct Bound {
    /// The module.
    pub module: Arc<LoadedModule>,
    /// Its subscription.
    pub subscription: SubscriptionId,
}

/// Lookup tables from moments to subscriptions.
#[derive(Debug, Default)]
pub struct Registry {
    modules: Vec<Arc<LoadedModule>>,
    /// Whether any of them may wait for somebody outside.
    may_wait: bool,
    task_start: Vec<Bound>,
    allow: HashMap<EntityType, Vec<Bound>>,
    creation: HashMap<EntityType, Vec<Bound>>,
    attribute: HashMap<EntityType, HashMap<AttrName, Vec<Bound>>>,
    snapshot: SnapshotHooks,
    timers: Vec<(Bound, Timer)>,
    sweeps: Vec<(Bound, HookKind, Sweep)>,
    cases: CaseHooks,
}

/// Who is called about case objects, each list in calling order.
#[derive(Debug, Default)]
pub struct CaseHooks {
    before: Vec<(Bound, CaseFilter)>,
    after: Vec<(Bound, CaseFilter, bool)>,
    manual: Vec<CaseEntry>,
}

/// An entry of a menu.
#[derive(Debug, Clone)]
pub struct CaseEntry {
    /// Whom to call.
    pub bound: Bound,
    /// The kind of object, in kebab case.
    pub object: String,
    /// The title.
    pub title: String,
}

impl CaseHooks {
    /// Whom to ask before it.
    pub fn before(&self, hook: &CaseHook) -> impl Iterator<Item = &Bound> {
        self.before.iter().filter(move |(_, filter)| fits(filter, hook)).map(|(bound, _)| bound)
    }

    /// Whom to call after it, and whether the request waits for that.
    pub fn after(&self, hook: &CaseHook) -> impl Iterator<Item = (&Bound, bool)> {
        self.after.iter().filter(move |(_, filter, _)| fits(filter, hook)).map(|(bound, _, waits)| (bound, *waits))
    }

    /// The subscription of a module that a job names, if it is still there.
    #[must_use]
    pub fn find(&self, phase: Phase, module: &str, subscription: &str) -> Option<&Bound> {
        let is = |bound: &&Bound| bound.module.name.as_str() == module && bound.subscription.as_str() == subscription;
        match phase {
            Phase::Before => self.before.iter().map(|(bound, _)| bound).find(is),
            Phase::After => self.after.iter().map(|(bound, _, _)| bound).find(is),
            Phase::Manual => self.manual.iter().map(|entry| &entry.bound).find(is),
        }
    }

    /// The menu of a kind of object.
    pub fn menu(&self, object: &str) -> impl Iterator<Item = &CaseEntry> {
        self.manual.iter().filter(move |entry| entry.object == object)
    }
}

fn fits(filter: &CaseFilter, hook: &CaseHook) -> bool {
    filter.object.as_ref().is_none_or(|object| object == hook.object)
        && filter.action.as_ref().is_none_or(|action| action == hook.action)
}

/// What a snapshot run calls.
#[derive(Debug, Default)]
pub struct SnapshotHooks {
    /// At the start of a run.
    pub init: Vec<Bound>,
    /// At the end of a run.
    pub finalize: Vec<Bound>,
    /// For stored timeseries.
    pub timeseries: HashMap<EntityType, HashMap<AttrName, Vec<Bound>>>,
    /// Subscriptions to `correlate` and `correlate-with-record`, and those to ingestion that refresh.
    pub steps: Vec<(Bound, Subscription)>,
}

impl Registry {
    /// Compiles the tables. `off` lists subscriptions that the operator switched off.
    #[must_use]
    pub fn new(modules: Vec<Arc<LoadedModule>>, off: &HashSet<(ModuleName, SubscriptionId)>) -> Self {
        let mut registry = Self::default();
        for module in &modules {
            for subscription in &module.subscriptions {
                if off.contains(&(module.name.clone(), subscription.id.clone())) {
                    continue;
                }
                let bound = Bound { module: module.clone(), subscription: subscription.id.clone() };
                if let Moment::OnEntityCreation { refresh: true, .. } | Moment::OnNewAttribute { refresh: true, .. } =
                    &subscription.moment
                {
                    registry.snapshot.steps.push((bound.clone(), subscription.clone()));
                }
                match &subscription.moment {
                    Moment::OnTaskStart => registry.task_start.push(bound),
                    Moment::AllowEntityCreation { etype } => {
                        registry.allow.entry(etype.clone()).or_default().push(bound);
                    }
                    Moment::OnEntityCreation { etype, .. } => {
                        registry.creation.entry(etype.clone()).or_default().push(bound);
                    }
                    Moment::OnNewAttribute { etype, attr, .. } => registry
                        .attribute
                        .entry(etype.clone())
                        .or_default()
                        .entry(attr.clone())
                        .or_default()
                        .push(bound),
                    Moment::SnapshotInit => registry.snapshot.init.push(bound),
                    Moment::SnapshotFinalize => registry.snapshot.finalize.push(bound),
                    Moment::Timeseries { etype, attr } => registry
                        .snapshot
                        .timeseries
                        .entry(etype.clone())
                        .or_default()
                        .entry(attr.clone())
                        .or_default()
                        .push(bound),
                    Moment::Correlate(_) | Moment::CorrelateWithRecord(_) => {
                        registry.snapshot.steps.push((bound, subscription.clone()));
                    }
                    Moment::UpdateRecord(sweep) | Moment::UpdateEntity(sweep) => {
                        registry.sweeps.push((bound, subscription.moment.kind(), sweep.clone()));
                    }
                    Moment::Cron(timer) => registry.timers.push((bound, timer.clone())),
                    Moment::Before(filter) => registry.cases.before.push((bound, filter.clone())),
                    Moment::After { filter, synchronous } => {
                        registry.cases.after.push((bound, filter.clone(), *synchronous));
                    }
                    Moment::Manual { object, title } => {
                        let (object, title) = (object.clone(), title.clone());
                        registry.cases.manual.push(CaseEntry { bound, object, title });
                    }
                }
            }
        }
        registry.may_wait = modules.iter().any(|module| module.settings.may_wait());
        registry.modules = modules;
        registry
    }

    /// The modules, in calling order.
    #[must_use]
    pub fn modules(&self) -> &[Arc<LoadedModule>] {
        &self.modules
    }

    /// Whether any module may wait for somebody outside of this host.
    #[must_use]
    pub fn may_wait(&self) -> bool {
        self.may_wait
    }

    /// Called first for every task.
    #[must_use]
    pub fn on_task_start(&self) -> &[Bound] {
        &self.task_start
    }

    /// Called for an unknown entity of that type.
    #[must_use]
    pub fn allow_entity_creation(&self, etype: &EntityType) -> &[Bound] {
        self.allow.get(etype).map_or(&[], Vec::as_slice)
    }

    /// Called for an accepted new entity of that type.
    #[must_use]
    pub fn on_entity_creation(&self, etype: &EntityType) -> &[Bound] {
        self.creation.get(etype).map_or(&[], Vec::as_slice)
    }

    /// Called for each datapoint of that attribute.
    #[must_use]
    pub fn on_new_attribute(&self, etype: &EntityType, attr: &AttrName) -> &[Bound] {
        self.attribute.get(etype).and_then(|by_attr| by_attr.get(attr)).map_or(&[], Vec::as_slice)
    }

    /// Called in snapshot runs.
    #[must_use]
    pub fn snapshot(&self) -> &SnapshotHooks {
        &self.snapshot
    }

    /// Called by the clock.
    #[must_use]
    pub fn timers(&self) -> &[(Bound, Timer)] {
        &self.timers
    }

    /// Called by sweeps over stored entities.
    #[must_use]
    pub fn sweeps(&self) -> &[(Bound, HookKind, Sweep)] {
        &self.sweeps
    }

    /// Called about case objects.
    #[must_use]
    pub fn cases(&self) -> &CaseHooks {
        &self.cases
    }

    /// Whether the module of that generation is loaded.
    #[must_use]
    pub fn has(&self, name: &ModuleName, generation: u64) -> bool {
        self.modules.iter().any(|m| m.generation == generation && m.name == *name)
    }
}

/// The current registry, shared by all lanes and swapped as a whole.
#[derive(Debug, Clone, Default)]
pub struct SharedRegistry(Arc<RwLock<Arc<Registry>>>);

impl SharedRegistry {
    /// Begins with this registry.
    #[must_use]
    pub fn new(registry: Registry) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(registry))))
    }

    /// The registry now. Keep it for the length of one task.
    #[must_use]
    pub fn current(&self) -> Arc<Registry> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another one in its place.
    pub fn swap(&self, registry: Registry) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(registry);
    }
}

/// The registry that a host was last told of.
///
/// What it holds keeps the registry's place in memory, not its modules, so that no later one is taken for it.
#[derive(Debug, Default)]
pub(crate) struct LastTold(Weak<Registry>);

impl LastTold {
    /// Lets the host drop instances of modules that were replaced, if this is another registry than the last.
    pub(crate) fn tell(&mut self, host: &mut dyn HookHost, registry: &Arc<Registry>) {
        if self.0.as_ptr() != Arc::as_ptr(registry) {
            self.0 = Arc::downgrade(registry);
            host.retain(&|name, generation| registry.has(name, generation));
        }
    }
}
