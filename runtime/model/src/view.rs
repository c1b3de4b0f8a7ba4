//! What snapshot hooks see and give back: current values of entities at one time.
//!
//! Views are flat: a link is a value, and the view of its target stands beside, found by its reference. A hook never
//! changes a view; it returns [`Change`]s, which the run checks and applies.

use serde::{Deserialize, Serialize};

use crate::id::{AttrName, EntityRef};
use crate::task::TaskBody;
use crate::time::Timestamp;
use crate::value::Value;

/// A snapshot run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunContext {
    /// Names the run.
    pub id: String,
    /// The time that the values are computed for.
    pub time: Timestamp,
}

/// One current value of one attribute. An attribute with several values has several of these, one after another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CurrentValue {
    /// The attribute.
    pub attr: AttrName,
    /// The value.
    pub value: Value,
    /// 0..1; absent for plain attributes, mirrors and values that a hook set without one.
    pub confidence: Option<f64>,
}

/// Current values of one entity, ordered by attribute as the entity specification orders them; attributes that only a
/// hook knows come last, in the order in which they were set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EntityView {
    /// The entity.
    pub entity: EntityRef,
    /// Its values.
    pub values: Vec<CurrentValue>,
}

impl EntityView {
    /// The values of an attribute: none, one, or several of a multi-value attribute.
    pub fn values_of<'a>(&'a self, attr: &'a str) -> impl Iterator<Item = &'a CurrentValue> {
        self.values.iter().filter(move |v| v.attr.as_str() == attr)
    }
}

/// What a correlation hook sees.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// The entity that the hook runs for.
    pub root: EntityView,
    /// Each entity on a path of the subscription once, never the root, and of it only the attributes that paths name.
    pub linked: Vec<EntityView>,
}

/// A change of the values of one attribute of one entity of the view.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The root or a linked entity.
    pub entity: EntityRef,
    /// The attribute; one that the entity specification does not know is kept as it is.
    pub attr: AttrName,
    /// Replace what was there; none removes the attribute.
    pub values: Vec<(Value, Option<f64>)>,
}

/// What a correlation hook returns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Correlated {
    /// Changes, in order.
    pub changes: Vec<Change>,
    /// Tasks, for the normal queue.
    pub tasks: Vec<TaskBody>,
}

/// Views of entities of the component at hand beyond those of the view, for the import `views`.
pub trait ViewSource: Send + Sync {
    /// All current values of an entity of the component, as earlier hooks of the run left them. `None`: the entity is
    /// not of this component.
    fn entity_view(&self, entity: &EntityRef) -> Option<EntityView>;
}
