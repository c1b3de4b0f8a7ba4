//! The values of one component while hooks run over it, and what a hook sees of them.
//!
//! A view is flat: each entity that the paths of a subscription reach stands in it once. Values refer to entities by
//! type and id, so that a cycle of links is no cycle of data, and a hook never gets more than its own paths name, however
//! large the component is.

use std::collections::{HashMap, HashSet, VecDeque};

use super::path::PathTree;
use super::plan::Step;
use crate::id::EntityRef;
use crate::view::{CurrentValue, EntityView, View, ViewSource};

/// Current values of the entities of a component, in the order in which hooks are called for them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Group {
    views: Vec<EntityView>,
    places: HashMap<EntityRef, usize>,
}

impl Group {
    /// Puts views together; a later view of the same entity replaces an earlier one.
    #[must_use]
    pub fn new(views: impl IntoIterator<Item = EntityView>) -> Self {
        let mut group = Self::default();
        for view in views {
            match group.places.get(&view.entity).and_then(|place| group.views.get_mut(*place)) {
                Some(slot) => *slot = view,
                None => {
                    group.places.insert(view.entity.clone(), group.views.len());
                    group.views.push(view);
                }
            }
        }
        group
    }

    /// The values of an entity as they are now.
    #[must_use]
    pub fn get(&self, entity: &EntityRef) -> Option<&EntityView> {
        self.views.get(*self.places.get(entity)?)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, entity: &EntityRef) -> Option<&mut EntityView> {
        self.views.get_mut(*self.places.get(entity)?)
    }

    /// All entities, in order.
    #[must_use]
    pub fn views(&self) -> &[EntityView] {
        &self.views
    }

    /// The values, to be written.
    #[must_use]
    pub fn into_views(self) -> Vec<EntityView> {
        self.views
    }

    /// What the hook of a step sees for an entity of the group. `None` when the entity is not of the group.
    ///
    /// The root has all its values, or those that paths name; each entity that paths reach is there once, in the order of
    /// reaching (nearest first), with the values that paths name. Where a path comes back to the root, what it names of
    /// it is in the root. Links to entities outside of the group, or of another type than the path expects, end there.
    #[must_use]
    pub fn view(&self, root: &EntityRef, step: &Step) -> Option<View> {
        let start = *self.places.get(root)?;
        if step.reach.is_flat() {
            let view = self.views.get(start)?;
            let root = if step.whole { view.clone() } else { named(&step.reach, &[PathTree::ROOT], view) };
            return Some(View { root, linked: Vec::new() });
        }
        let mut stands: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut reached = Vec::new();
        let mut seen = HashSet::from([(start, PathTree::ROOT)]);
        let mut queue = VecDeque::from([(start, PathTree::ROOT)]);
        while let Some((place, node)) = queue.pop_front() {
            let Some(view) = self.views.get(place) else { continue };
            stands.entry(place).or_insert_with(|| {
                reached.push(place);
                Vec::new()
            });
            stands.entry(place).or_default().push(node);
            for value in &view.values {
                let Some(next) = step.reach.step(node, &value.attr) else { continue };
                let Some(expected) = step.reach.etype(next) else { continue };
                for link in value.value.links().iter().filter(|l| l.target.etype == *expected) {
                    if let Some(target) = self.places.get(&link.target)
                        && seen.insert((*target, next))
                    {
                        queue.push_back((*target, next));
                    }
                }
            }
        }
        let part = |place: &usize| {
            let view = self.views.get(*place)?;
            if *place == start && step.whole {
                return Some(view.clone());
            }
            Some(named(&step.reach, stands.get(place)?, view))
        };
        let linked = reached.iter().filter(|place| **place != start).filter_map(part).collect();
        Some(View { root: part(&start)?, linked })
    }
}

/// Of a view what paths name at some of their nodes.
fn named(reach: &PathTree, nodes: &[usize], view: &EntityView) -> EntityView {
    let is_named = |value: &&CurrentValue| nodes.iter().any(|node| reach.step(*node, &value.attr).is_some());
    EntityView { entity: view.entity.clone(), values: view.values.iter().filter(is_named).cloned().collect() }
}

impl ViewSource for Group {
    fn entity_view(&self, entity: &EntityRef) -> Option<EntityView> {
        self.get(entity).cloned()
    }
}
