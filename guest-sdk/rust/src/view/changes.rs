//! What a correlation hook returns.

use crate::error::Result;
use crate::task::Task;
use crate::value::{EntityRef, Value};
use crate::view::{Change, Correlated, EntityView, Weighted};

/// Changes of current values, and tasks; [`crate::view::View::changes`] begins one. A change is part of the snapshot
/// and of what later hooks of the run see; it is not stored as a datapoint. For that, return a task.
///
/// ```
/// use tenter_sdk::prelude::*;
/// fn name_sites(view: &View) -> Changes {
///     let mut changes = view.changes().set("checked", true);
///     for site in view.follow("site") {
///         changes = changes.set_on(site, "used", true);
///     }
///     changes.task(Task::on(view.entity().clone()).plain("seen", true))
/// }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a hook returns its changes"]
pub struct Changes {
    root: EntityRef,
    correlated: Correlated,
}

impl Changes {
    /// None yet, of this entity as the root.
    pub(crate) fn of(root: EntityRef) -> Self {
        Self { root, correlated: Correlated { changes: Vec::new(), tasks: Vec::new() } }
    }

    /// Sets an attribute of the root to one value; what was there goes.
    pub fn set(self, attr: impl Into<String>, value: impl Into<Value>) -> Self {
        self.replace(attr, [(value.into(), None)])
    }

    /// Sets an attribute of the root to one value with a confidence, 0 to 1.
    pub fn set_weighted(self, attr: impl Into<String>, value: impl Into<Value>, confidence: f64) -> Self {
        self.replace(attr, [(value.into(), Some(confidence))])
    }

    /// Sets an attribute of the root to several values, each with its confidence or without; what was there goes.
    pub fn replace(self, attr: impl Into<String>, values: impl IntoIterator<Item = (Value, Option<f64>)>) -> Self {
        let root = self.root.clone();
        self.push(root, attr.into(), values)
    }

    /// Removes the current values of an attribute of the root.
    pub fn remove(self, attr: impl Into<String>) -> Self {
        self.replace(attr, [])
    }

    /// Sets an attribute of a linked entity to one value; what was there goes.
    pub fn set_on(self, entity: &EntityView, attr: impl Into<String>, value: impl Into<Value>) -> Self {
        self.replace_on(entity, attr, [(value.into(), None)])
    }

    /// Sets an attribute of a linked entity to one value with a confidence, 0 to 1.
    pub fn set_weighted_on(
        self,
        entity: &EntityView,
        attr: impl Into<String>,
        value: impl Into<Value>,
        confidence: f64,
    ) -> Self {
        self.replace_on(entity, attr, [(value.into(), Some(confidence))])
    }

    /// Sets an attribute of a linked entity to several values; what was there goes.
    pub fn replace_on(
        self,
        entity: &EntityView,
        attr: impl Into<String>,
        values: impl IntoIterator<Item = (Value, Option<f64>)>,
    ) -> Self {
        self.push(entity.entity.clone(), attr.into(), values)
    }

    /// Removes the current values of an attribute of a linked entity.
    pub fn remove_on(self, entity: &EntityView, attr: impl Into<String>) -> Self {
        self.replace_on(entity, attr, [])
    }

    /// Adds a task, for the normal queue.
    pub fn task(mut self, task: Task) -> Self {
        self.correlated.tasks.push(task);
        self
    }

    fn push(mut self, entity: EntityRef, attr: String, values: impl IntoIterator<Item = (Value, Option<f64>)>) -> Self {
        let values = values.into_iter().map(|(value, confidence)| Weighted { value, confidence }).collect();
        self.correlated.changes.push(Change { entity, attr, values });
        self
    }
}

impl From<Changes> for Correlated {
    fn from(changes: Changes) -> Self {
        changes.correlated
    }
}

impl Default for Correlated {
    fn default() -> Self {
        Self::nothing()
    }
}

impl Correlated {
    /// Changes nothing.
    #[must_use]
    pub fn nothing() -> Self {
        Self { changes: Vec::new(), tasks: Vec::new() }
    }
}

/// What a correlation hook may return: nothing, or changes, or perhaps changes, or tasks alone; with or without `Result`.
pub trait IntoCorrelated {
    /// The changes, or why there are none.
    ///
    /// # Errors
    /// The hook's own.
    fn into_correlated(self) -> Result<Correlated>;
}

impl IntoCorrelated for () {
    fn into_correlated(self) -> Result<Correlated> {
        Ok(Correlated::nothing())
    }
}

impl IntoCorrelated for Correlated {
    fn into_correlated(self) -> Result<Correlated> {
        Ok(self)
    }
}

impl IntoCorrelated for Changes {
    fn into_correlated(self) -> Result<Correlated> {
        Ok(self.correlated)
    }
}

impl IntoCorrelated for Task {
    fn into_correlated(self) -> Result<Correlated> {
        Ok(Correlated { changes: Vec::new(), tasks: vec![self] })
    }
}

impl IntoCorrelated for Vec<Task> {
    fn into_correlated(self) -> Result<Correlated> {
        Ok(Correlated { changes: Vec::new(), tasks: self })
    }
}

impl<T: IntoCorrelated> IntoCorrelated for Option<T> {
    fn into_correlated(self) -> Result<Correlated> {
        self.map_or_else(|| Ok(Correlated::nothing()), IntoCorrelated::into_correlated)
    }
}

impl<T: IntoCorrelated> IntoCorrelated for Result<T> {
    fn into_correlated(self) -> Result<Correlated> {
        self.and_then(IntoCorrelated::into_correlated)
    }
}
