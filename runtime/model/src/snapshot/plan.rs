//! The order of correlation hooks and the links they use, over all loaded modules together.
//!
//! A hook that sets an attribute runs before each hook that reads it. Where that leaves a choice, hooks run in the order
//! of registration (modules in calling order, then declaration). Hooks of ingestion with `refresh` are steps too: in the
//! run after a change of configuration they are called again, and what they `may_change` is ready for later hooks.
//!
//! A plan is made whole or not at all: when one module's paths are wrong or close a cycle, the caller refuses that module
//! and keeps the plan it has.

mod order;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;

use super::path::{Attribute, PathError, PathTree, ResolvedPath};
use crate::hook::{HookKind, Moment, Path, Subscription};
use crate::id::{AttrName, EntityType, ModuleName, SubscriptionId};
use crate::schema::{AttributeKind, Schema};

/// Names a hook of a module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HookName {
    /// The module.
    pub module: ModuleName,
    /// Its subscription.
    pub subscription: SubscriptionId,
}

impl fmt::Display for HookName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.module, self.subscription)
    }
}

/// One hook to call for each entity of its type.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The hook.
    pub hook: HookName,
    /// `correlate`, `correlate-with-record`, or `on-entity-creation` and `on-new-attribute` with `refresh`, which run
    /// only after a change of configuration.
    pub kind: HookKind,
    /// The entity type.
    pub etype: EntityType,
    /// The attribute of an `on-new-attribute` hook.
    pub attr: Option<AttrName>,
    /// What it reads.
    pub depends_on: Vec<ResolvedPath>,
    /// What it sets.
    pub may_change: Vec<ResolvedPath>,
    /// Whether all values of the root are passed.
    pub whole: bool,
    /// All its paths as a tree, for [`super::group::Group::view`].
    pub reach: PathTree,
}

impl Step {
    /// Whether it runs only after a change of its module's configuration.
    #[must_use]
    pub fn is_refresh(&self) -> bool {
        matches!(self.kind, HookKind::OnEntityCreation | HookKind::OnNewAttribute)
    }

    /// Whether `may_change` leads to this attribute.
    #[must_use]
    pub fn declares(&self, etype: &str, attr: &str) -> bool {
        self.may_change.iter().map(ResolvedPath::destination).any(|(e, a)| e.as_str() == etype && a.as_str() == attr)
    }
}

/// Links that hooks follow: each step but the last of any path, mirrors among them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UsedLinks {
    named: BTreeMap<EntityType, BTreeSet<AttrName>>,
    stored: BTreeMap<EntityType, BTreeSet<AttrName>>,
}

impl UsedLinks {
    /// Puts links together.
    #[must_use]
    pub fn new<'a>(schema: &Schema, links: impl IntoIterator<Item = &'a Attribute>) -> Self {
        let mut used = Self::default();
        links.into_iter().for_each(|link| used.add(schema, link));
        used
    }

    fn add(&mut self, schema: &Schema, (etype, attr): &Attribute) {
        self.named.entry(etype.clone()).or_default().insert(attr.clone());
        let spec = schema.attribute(etype.as_str(), attr.as_str());
        let (etype, attr) = match spec.map(|s| &s.kind) {
            Some(AttributeKind::Plain { mirror_of: Some((source, attr)), .. }) => (source, attr),
            _ => (etype, attr),
        };
        self.stored.entry(etype.clone()).or_default().insert(attr.clone());
    }

    /// Whether a path steps over this attribute, which may be a mirror.
    #[must_use]
    pub fn contains(&self, etype: &EntityType, attr: &AttrName) -> bool {
        self.named.get(etype).is_some_and(|attrs| attrs.contains(attr))
    }

    /// Whether links of this stored attribute connect entities: it is used itself, or a mirror of it is.
    #[must_use]
    pub fn connects(&self, etype: &EntityType, attr: &AttrName) -> bool {
        self.stored.get(etype).is_some_and(|attrs| attrs.contains(attr))
    }

    /// The stored attributes whose links connect entities, in alphabetical order. Of a used mirror this is the attribute
    /// that it mirrors: only that one is stored.
    pub fn stored(&self) -> impl Iterator<Item = (&EntityType, &AttrName)> {
        self.stored.iter().flat_map(|(etype, attrs)| attrs.iter().map(move |attr| (etype, attr)))
    }

    /// The attributes as paths name them, in alphabetical order.
    pub fn named(&self) -> impl Iterator<Item = (&EntityType, &AttrName)> {
        self.named.iter().flat_map(|(etype, attrs)| attrs.iter().map(move |attr| (etype, attr)))
    }

    /// Whether no hook follows a link.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }
}

/// Something the operator should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedOutput {
    /// The attribute.
    pub attribute: Attribute,
    /// The hooks that set it, in order of registration; the last one to run wins.
    pub writers: Vec<HookName>,
}

impl fmt::Display for SharedOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (etype, attr) = &self.attribute;
        let writers: Vec<String> = self.writers.iter().map(ToString::to_string).collect();
        write!(f, "several hooks set '{etype}.{attr}': {}; the last one to run wins", writers.join(", "))
    }
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A path of a hook is wrong.
    #[error("hook {hook}, `{list}`: {error}")]
    Path {
        /// The hook.
        hook: HookName,
        /// `depends-on` or `may-change`.
        list: &'static str,
        /// What is wrong.
        error: PathError,
    },
    /// The entity type of a hook is not configured.
    #[error("hook {hook}: Entity '{etype}' does not exist.")]
    NoEntity {
        /// The hook.
        hook: HookName,
        /// The type.
        etype: EntityType,
    },
    /// A hook was registered twice.
    #[error("hook {0} is already registered; ids are unique in a module")]
    Duplicate(HookName),
    /// Hooks wait for each other.
    #[error("Hook {hook} introduces a circular dependency: {}. Let one of these hooks set another attribute than the next one reads", shown(.members))]
    Cycle {
        /// The member that was registered last: without it there is no such cycle.
        hook: HookName,
        /// The hooks around the cycle from `hook` on, each with the attribute it sets and the next one reads.
        members: Vec<(HookName, Attribute)>,
    },
}

impl PlanError {
    /// The hook to blame.
    #[must_use]
    pub fn hook(&self) -> &HookName {
        match self {
            Self::Path { hook, .. }
            | Self::NoEntity { hook, .. }
            | Self::Cycle { hook, .. }
            | Self::Duplicate(hook) => hook,
        }
    }
}

fn shown(members: &[(HookName, Attribute)]) -> String {
    let mut text: String =
        members.iter().map(|(hook, (etype, attr))| format!("{hook} -> {etype}.{attr} -> ")).collect();
    if let Some((first, _)) = members.first() {
        text.push_str(&first.to_string());
    }
    text
}

/// The order of hooks and the links they use.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// In the order in which to call them: each for all entities of its type before the next one.
    pub steps: Vec<Step>,
    /// Links to follow.
    pub used_links: UsedLinks,
    /// What should be said to the operator.
    pub warnings: Vec<SharedOutput>,
}

impl Plan {
    /// Plans all subscriptions of all modules, given in calling order; moments that are no correlation are passed over.
    ///
    /// # Errors
    /// Everything that is wrong with single hooks; if nothing is, one cycle.
    pub fn new<'a>(
        schema: &Schema,
        registered: impl IntoIterator<Item = (&'a ModuleName, &'a Subscription)>,
    ) -> Result<Self, Vec<PlanError>> {
        let (mut steps, mut errors, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
        for (module, subscription) in registered {
            let hook = HookName { module: module.clone(), subscription: subscription.id.clone() };
            match Self::step(schema, hook.clone(), &subscription.moment) {
                Ok(None) => {}
                Ok(Some(_)) | Err(_) if !seen.insert(hook.clone()) => errors.push(PlanError::Duplicate(hook)),
                Ok(Some(step)) => steps.push(step),
                Err(mut wrong) => errors.append(&mut wrong),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let paths = steps.iter().flat_map(|s| s.depends_on.iter().chain(&s.may_change));
        let used_links = UsedLinks::new(schema, paths.flat_map(ResolvedPath::links));
        let warnings = shared_outputs(&steps);
        let order = order::order(&steps)?;
        let mut slots: Vec<Option<Step>> = steps.into_iter().map(Some).collect();
        let steps = order.into_iter().filter_map(|i| slots.get_mut(i)?.take()).collect();
        Ok(Self { steps, used_links, warnings })
    }

    fn step(schema: &Schema, hook: HookName, moment: &Moment) -> Result<Option<Step>, Vec<PlanError>> {
        let (etype, depends_on, may_change, whole, attr): (_, &[Path], &[Path], _, _) = match moment {
            Moment::Correlate(c) | Moment::CorrelateWithRecord(c) => {
                (&c.etype, &c.depends_on, &c.may_change, c.whole, None)
            }
            Moment::OnEntityCreation { etype, refresh: true, may_change } => (etype, &[], may_change, false, None),
            Moment::OnNewAttribute { etype, attr, refresh: true, may_change } => {
                // A timeseries is not read through current values, so there is nothing to wait for.
                let spec = schema.attribute(etype.as_str(), attr.as_str());
                let is_current = !spec.is_some_and(|s| matches!(s.kind, AttributeKind::Timeseries { .. }));
                let own = vec![vec![attr.clone()]];
                let depends_on = if is_current { own.as_slice() } else { &[] };
                return Self::resolved(schema, hook, moment, (etype, depends_on, may_change, false, Some(attr)));
            }
            _ => return Ok(None),
        };
        Self::resolved(schema, hook, moment, (etype, depends_on, may_change, whole, attr))
    }

    fn resolved(
        schema: &Schema,
        hook: HookName,
        moment: &Moment,
        (etype, depends_on, may_change, whole, attr): (&EntityType, &[Path], &[Path], bool, Option<&AttrName>),
    ) -> Result<Option<Step>, Vec<PlanError>> {
        if schema.entity(etype.as_str()).is_none() {
            return Err(vec![PlanError::NoEntity { hook, etype: etype.clone() }]);
        }
        let mut errors = Vec::new();
        let mut resolve = |list: &'static str, paths: &[Path]| -> Vec<ResolvedPath> {
            let mut resolved = Vec::with_capacity(paths.len());
            for path in paths {
                match ResolvedPath::new(schema, etype, path) {
                    Ok(path) => resolved.push(path),
                    Err(error) => errors.push(PlanError::Path { hook: hook.clone(), list, error }),
                }
            }
            resolved
        };
        let (depends_on, may_change) = (resolve("depends-on", depends_on), resolve("may-change", may_change));
        if !errors.is_empty() {
            return Err(errors);
        }
        let reach = PathTree::new(depends_on.iter().chain(&may_change));
        let (kind, etype, attr) = (moment.kind(), etype.clone(), attr.cloned());
        Ok(Some(Step { hook, kind, etype, attr, depends_on, may_change, whole, reach }))
    }

    /// The step of a hook.
    #[must_use]
    pub fn find(&self, module: &ModuleName, subscription: &SubscriptionId) -> Option<&Step> {
        self.steps.iter().find(|s| s.hook.module == *module && s.hook.subscription == *subscription)
    }
}

fn destinations(paths: &[ResolvedPath]) -> BTreeSet<&Attribute> {
    paths.iter().map(ResolvedPath::destination).collect()
}

fn shared_outputs(steps: &[Step]) -> Vec<SharedOutput> {
    let mut writers: BTreeMap<&Attribute, Vec<HookName>> = BTreeMap::new();
    for step in steps {
        for attribute in destinations(&step.may_change) {
            writers.entry(attribute).or_default().push(step.hook.clone());
        }
    }
    let shared = writers.into_iter().filter(|(_, hooks)| hooks.len() > 1);
    shared.map(|(attribute, writers)| SharedOutput { attribute: attribute.clone(), writers }).collect()
}
