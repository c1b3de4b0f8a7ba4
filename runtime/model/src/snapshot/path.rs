//! Paths of correlation hooks, resolved: each step with the entity type it starts from.

use std::collections::HashMap;

use crate::datatype::DataType;
use crate::hook::Path;
use crate::id::{AttrName, EntityType};
use crate::schema::{AttributeKind, AttributeSpec, EntitySpec, Schema};

/// An attribute of an entity type.
pub type Attribute = (EntityType, AttrName);

/// A path whose steps exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedPath {
    steps: Vec<Attribute>,
    last: Attribute,
}

/// Why a path leads nowhere; DP³'s words, then what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// No such entity type.
    #[error("Entity '{0}' does not exist.")]
    NoEntity(EntityType),
    /// No steps.
    #[error("Invalid path '', expected at least one attribute.")]
    Empty,
    /// A step that is not there.
    #[error("Invalid path '{path}', failed on '{step}': entity '{etype}' has no such attribute{near}")]
    NoAttribute {
        /// The whole path.
        path: String,
        /// The step.
        step: AttrName,
        /// The type it was looked for in.
        etype: EntityType,
        /// ", did you mean …?" or a full stop.
        near: String,
    },
    /// A step that leads to no other entity.
    #[error(
        "Invalid path '{path}', failed on '{step}': '{etype}.{step}' is no relation, and only the last step may be none."
    )]
    NoRelation {
        /// The whole path.
        path: String,
        /// The step.
        step: AttrName,
        /// The type it belongs to.
        etype: EntityType,
    },
    /// A timeseries, which has no current value.
    #[error(
        "Invalid path '{path}', failed on '{step}': '{etype}.{step}' is a timeseries, which has no current value; \
         let a timeseries hook return an observation and name that one."
    )]
    Timeseries {
        /// The whole path.
        path: String,
        /// The step.
        step: AttrName,
        /// The type it belongs to.
        etype: EntityType,
    },
}

/// The entity type that a relation leads to.
fn target(spec: &AttributeSpec) -> Option<&EntityType> {
    spec.kind.data_type().and_then(DataType::link).map(|link| &link.to)
}

impl ResolvedPath {
    /// Checks a path from an entity type. Mirrors are relations like any other.
    ///
    /// # Errors
    /// [`PathError`] names the step that failed.
    pub fn new(schema: &Schema, etype: &EntityType, path: &Path) -> Result<Self, PathError> {
        let mut here = schema.entity(etype.as_str()).ok_or_else(|| PathError::NoEntity(etype.clone()))?;
        let (last, inner) = path.split_last().ok_or(PathError::Empty)?;
        let mut steps = Vec::with_capacity(inner.len());
        for step in inner {
            let spec = find(here, step, path)?;
            let next = target(spec).and_then(|to| schema.entity(to.as_str()));
            steps.push((here.id.clone(), step.clone()));
            let no_relation =
                || PathError::NoRelation { path: shown(path), step: step.clone(), etype: here.id.clone() };
            here = next.ok_or_else(no_relation)?;
        }
        find(here, last, path)?;
        Ok(Self { steps, last: (here.id.clone(), last.clone()) })
    }

    /// What it leads to.
    #[must_use]
    pub fn destination(&self) -> &Attribute {
        &self.last
    }

    /// The links on the way, from the outside in.
    #[must_use]
    pub fn links(&self) -> &[Attribute] {
        &self.steps
    }
}

fn find<'a>(here: &'a EntitySpec, step: &AttrName, path: &Path) -> Result<&'a AttributeSpec, PathError> {
    let etype = here.id.clone();
    let Some(spec) = here.attribute(step.as_str()) else {
        let near = crate::config::nearest(step.as_str(), here.attributes().iter().map(|a| a.id.as_str()));
        let near = near.map_or(".".to_owned(), |n| format!(", did you mean {n:?}?"));
        return Err(PathError::NoAttribute { path: shown(path), step: step.clone(), etype, near });
    };
    match spec.kind {
        AttributeKind::Timeseries { .. } => Err(PathError::Timeseries { path: shown(path), step: step.clone(), etype }),
        AttributeKind::Plain { .. } | AttributeKind::Observations { .. } => Ok(spec),
    }
}

fn shown(path: &Path) -> String {
    path.iter().map(AttrName::as_str).collect::<Vec<_>>().join("->")
}

/// Paths of one subscription put together as a tree, so that a walk over entities goes along all of them at once. A
/// node is a place to stand on; its children are the attributes that paths name there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathTree {
    nodes: Vec<Node>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Node {
    etype: Option<EntityType>,
    children: HashMap<AttrName, usize>,
}

impl PathTree {
    /// The root of every tree.
    pub const ROOT: usize = 0;

    /// Puts paths together.
    #[must_use]
    pub fn new<'a>(paths: impl IntoIterator<Item = &'a ResolvedPath>) -> Self {
        let mut nodes = vec![Node::default()];
        for path in paths {
            let mut at = Self::ROOT;
            for (etype, attr) in path.steps.iter().chain(std::iter::once(&path.last)) {
                let fresh = nodes.len();
                let Some(node) = nodes.get_mut(at) else { break };
                node.etype = Some(etype.clone());
                at = *node.children.entry(attr.clone()).or_insert(fresh);
                if at == fresh {
                    nodes.push(Node::default());
                }
            }
        }
        Self { nodes }
    }

    /// Whether no path leaves the root.
    #[must_use]
    pub fn is_flat(&self) -> bool {
        self.nodes.first().is_none_or(|root| root.children.iter().all(|(_, child)| self.etype(*child).is_none()))
    }

    /// The node that a step leads to; `None` when no path takes it.
    #[must_use]
    pub fn step(&self, node: usize, attr: &AttrName) -> Option<usize> {
        self.nodes.get(node)?.children.get(attr).copied()
    }

    /// The type of the entities that stand on a node; `None` at the end of paths, where nothing is looked at.
    #[must_use]
    pub fn etype(&self, node: usize) -> Option<&EntityType> {
        self.nodes.get(node)?.etype.as_ref()
    }
}
