//! What snapshot hooks see and change.

pub use crate::bindings::snapshot::exports::tenter::hooks::snapshot::{
    Change, Correlated, CurrentValue, EntityView, Run, View, Weighted,
};
use crate::error::Result;
use crate::task::Task;
use crate::value::{EntityRef, Value};

impl EntityView {
    /// The current value of an attribute; the first one where there are several.
    #[must_use]
    pub fn get(&self, attr: &str) -> Option<&Value> {
        self.values.iter().find(|v| v.attr == attr).map(|v| &v.value)
    }

    /// The current values of an attribute with their confidence.
    pub fn all<'a>(&'a self, attr: &'a str) -> impl Iterator<Item = &'a CurrentValue> {
        self.values.iter().filter(move |v| v.attr == attr)
    }
}

impl View {
    /// The current value of an attribute of the root; the first one where there are several.
    #[must_use]
    pub fn get(&self, attr: &str) -> Option<&Value> {
        self.root.get(attr)
    }

    /// An entity of the view. The root counts; an entity that was not loaded does not.
    #[must_use]
    pub fn entity(&self, entity: &EntityRef) -> Option<&EntityView> {
        std::iter::once(&self.root).chain(&self.linked).find(|e| e.entity == *entity)
    }

    /// The entities that a link attribute of the root leads to, as far as they are loaded: name the attribute in
    /// `depends_on` to load them.
    pub fn follow<'a>(&'a self, attr: &'a str) -> impl Iterator<Item = &'a EntityView> {
        self.follow_from(&self.root, attr)
    }

    /// The entities that a link attribute of an entity leads to, as far as they are loaded.
    pub fn follow_from<'a>(&'a self, from: &'a EntityView, attr: &'a str) -> impl Iterator<Item = &'a EntityView> {
        from.all(attr).flat_map(|v| v.value.as_links()).filter_map(|link| self.entity(&link.target))
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

    /// Sets an attribute of an entity to one value; what was there goes.
    #[must_use]
    pub fn set(self, entity: &EntityView, attr: impl Into<String>, value: impl Into<Value>) -> Self {
        self.replace(entity, attr, [(value.into(), None)])
    }

    /// Sets an attribute of an entity to one value with a confidence, 0 to 1.
    #[must_use]
    pub fn set_weighted(
        self,
        entity: &EntityView,
        attr: impl Into<String>,
        value: impl Into<Value>,
        confidence: f64,
    ) -> Self {
        self.replace(entity, attr, [(value.into(), Some(confidence))])
    }

    /// Sets an attribute with several values.
    #[must_use]
    pub fn replace(
        mut self,
        entity: &EntityView,
        attr: impl Into<String>,
        values: impl IntoIterator<Item = (Value, Option<f64>)>,
    ) -> Self {
        let values = values.into_iter().map(|(value, confidence)| Weighted { value, confidence }).collect();
        self.changes.push(Change { entity: entity.entity.clone(), attr: attr.into(), values });
        self
    }

    /// Removes the current values of an attribute.
    #[must_use]
    pub fn remove(self, entity: &EntityView, attr: impl Into<String>) -> Self {
        self.replace(entity, attr, [])
    }

    /// Adds a task, for the normal queue.
    #[must_use]
    pub fn task(mut self, task: Task) -> Self {
        self.tasks.push(task);
        self
    }
}

/// What a correlation hook may return: nothing or changes, with or without `Result`.
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

impl<T: IntoCorrelated> IntoCorrelated for Result<T> {
    fn into_correlated(self) -> Result<Correlated> {
        self.and_then(IntoCorrelated::into_correlated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entity(etype: &str, eid: &str, values: &[(&str, Value)]) -> EntityView {
        let values = values
            .iter()
            .map(|(a, v)| CurrentValue { attr: (*a).to_owned(), value: v.clone(), confidence: None })
            .collect();
        EntityView { entity: EntityRef::new(etype, eid), values }
    }

    #[test]
    fn links_are_followed_also_back_to_the_root() {
        let (ip, site) = (EntityRef::new("ip", "192.0.2.1"), EntityRef::new("site", "a"));
        let elsewhere = EntityRef::new("site", "not-loaded");
        let view = View {
            root: entity("ip", "192.0.2.1", &[("site", site.into()), ("site", elsewhere.into())]),
            linked: vec![entity("site", "a", &[("name", "north".into()), ("ips", vec![ip].into())])],
        };
        let sites: Vec<_> = view.follow("site").collect();
        assert_eq!(sites.len(), 1);
        assert_eq!(sites[0].get("name").and_then(Value::as_str), Some("north"));
        assert_eq!(view.follow_from(sites[0], "ips").next().map(|e| &e.entity), Some(&view.root.entity));
        let changed = Correlated::nothing().set(&view.root, "site_name", "north").remove(sites[0], "name");
        assert_eq!(changed.changes[0].values.len(), 1);
        assert!(changed.changes[1].values.is_empty());
    }
}
