//! What snapshot hooks see and change: current values of an entity and of those that it is linked with.
//!
//! ```
//! use tenter_sdk::prelude::*;
//!
//! /// The risk of an address is that of the worst domain that resolves to it.
//! fn risk(view: &View) -> Changes {
//!     let worst = view.follow("domains").filter_map(|domain| domain.value::<f64>("risk")).reduce(f64::max);
//!     match worst {
//!         Some(risk) => view.changes().set("risk", risk),
//!         None => view.changes().remove("risk"),
//!     }
//! }
//! ```

pub use crate::bindings::imports::tenter::hooks::types::{CurrentValue, EntityView};
pub use crate::bindings::snapshot::exports::tenter::hooks::snapshot::{Change, Correlated, Run, View, Weighted};
use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::error::Result;
use crate::host::views;
use crate::read::FromValue;
use crate::register::IntoPath;
use crate::time::Timestamp;
use crate::value::{EntityRef, Value};

mod changes;
mod finder;
pub use changes::{Changes, IntoCorrelated};
use finder::Finder;

impl Run {
    /// The time that the values are computed for.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        Timestamp(self.time)
    }
}

impl EntityView {
    /// The current value of an attribute; the first one where there are several.
    #[must_use]
    pub fn get(&self, attr: &str) -> Option<&Value> {
        self.values.iter().find(|v| v.attr == attr).map(|v| &v.value)
    }

    /// The current values of an attribute with their confidence.
    pub fn all(&self, attr: &str) -> impl Iterator<Item = &CurrentValue> {
        self.values.iter().filter(move |v| v.attr == attr)
    }

    /// Whether the attribute has a current value.
    #[must_use]
    pub fn has(&self, attr: &str) -> bool {
        self.get(attr).is_some()
    }

    /// The current value of an attribute as a type, such as `view.value::<f64>("score")`; the first one where there
    /// are several, nothing where it is of another kind.
    #[must_use]
    pub fn value<'a, T: FromValue<'a>>(&'a self, attr: &str) -> Option<T> {
        self.get(attr)?.read()
    }

    /// The current values of an attribute as a type: of an observation with several values each of them, of an array
    /// or set of links each link's target is followed with [`View::follow`] instead.
    pub fn values<'a, T: FromValue<'a>>(&'a self, attr: &str) -> impl Iterator<Item = T> {
        self.all(attr).filter_map(|v| v.value.read())
    }

    /// As [`Self::value`], with its confidence; 1 where it has none, as plain attributes have.
    #[must_use]
    pub fn weighted<'a, T: FromValue<'a>>(&'a self, attr: &str) -> Option<(T, f64)> {
        let first = self.all(attr).next()?;
        Some((first.value.read()?, first.certainty()))
    }

    /// The confidence of the current value, the first one where there are several; nothing for plain attributes.
    #[must_use]
    pub fn confidence(&self, attr: &str) -> Option<f64> {
        self.all(attr).next()?.confidence
    }

    /// The targets of the links of an attribute, in order: of a link, of one with several values, of an array or set,
    /// and of a mirror. Loaded or not; [`View::follow`] gives the views of those that are.
    pub fn targets(&self, attr: &str) -> impl Iterator<Item = &EntityRef> {
        self.all(attr).flat_map(|v| v.value.as_links()).map(|link| &link.target)
    }
}

impl CurrentValue {
    /// The confidence; 1 where it has none, as plain attributes have.
    #[must_use]
    pub fn certainty(&self) -> f64 {
        self.confidence.unwrap_or(1.0)
    }
}

impl View {
    /// The entity that the hook runs for.
    #[must_use]
    pub fn entity(&self) -> &EntityRef {
        &self.root.entity
    }

    /// The current value of an attribute of the root; the first one where there are several.
    #[must_use]
    pub fn get(&self, attr: &str) -> Option<&Value> {
        self.root.get(attr)
    }

    /// As [`EntityView::value`], of the root.
    #[must_use]
    pub fn value<'a, T: FromValue<'a>>(&'a self, attr: &str) -> Option<T> {
        self.root.value(attr)
    }

    /// As [`EntityView::values`], of the root.
    pub fn values<'a, T: FromValue<'a>>(&'a self, attr: &str) -> impl Iterator<Item = T> {
        self.root.values(attr)
    }

    /// As [`EntityView::weighted`], of the root.
    #[must_use]
    pub fn weighted<'a, T: FromValue<'a>>(&'a self, attr: &str) -> Option<(T, f64)> {
        self.root.weighted(attr)
    }

    /// As [`EntityView::confidence`], of the root.
    #[must_use]
    pub fn confidence(&self, attr: &str) -> Option<f64> {
        self.root.confidence(attr)
    }

    /// An entity of the view. The root counts; an entity that was not loaded does not.
    #[must_use]
    pub fn find(&self, entity: &EntityRef) -> Option<&EntityView> {
        std::iter::once(&self.root).chain(&self.linked).find(|e| e.entity == *entity)
    }

    /// The entities that a link attribute of the root leads to, as far as they are loaded: name an attribute of theirs
    /// in `depends_on`, such as `"site.name"`, to load them.
    pub fn follow(&self, attr: &str) -> impl Iterator<Item = &EntityView> {
        self.follow_from(&self.root, attr)
    }

    /// The entities that a link attribute of an entity of the view leads to, as far as they are loaded.
    pub fn follow_from<'a>(&'a self, from: &'a EntityView, attr: &str) -> impl Iterator<Item = &'a EntityView> {
        let mut finder = Finder::of(self);
        from.targets(attr).filter_map(move |target| finder.find(target))
    }

    /// The entities at the end of a walk over links from the root, each once, such as `"site.owner"`. What the view does
    /// not hold is asked of the host, as far as the capability `read-entities` is granted for its type; without it the
    /// walk ends there. `depends_on` needs no grant, and is cheaper for what the hook always needs.
    ///
    /// # Errors
    /// [`crate::HookError::Unavailable`] when the host cannot tell.
    pub fn walk(&self, path: impl IntoPath) -> Result<Vec<Cow<'_, EntityView>>> {
        let mut at: Vec<Cow<'_, EntityView>> = vec![Cow::Borrowed(&self.root)];
        let mut finder = Finder::of(self);
        for attr in path.into_path() {
            let mut next: Vec<Cow<'_, EntityView>> = Vec::new();
            let mut seen = BTreeSet::new();
            for entity in at {
                // The view holds what paths name: the link that is walked now may be missing from it.
                let asked = if entity.has(&attr) { None } else { granted(&entity.entity)? };
                for target in asked.as_ref().unwrap_or(&entity).targets(&attr) {
                    if !seen.insert((target.etype.clone(), target.eid.clone())) {
                        continue;
                    }
                    next.extend(match finder.find(target) {
                        Some(held) => Some(Cow::Borrowed(held)),
                        None => granted(target)?.map(Cow::Owned),
                    });
                }
            }
            at = next;
        }
        Ok(at)
    }

    /// Changes of the root and of linked entities, none yet.
    pub fn changes(&self) -> Changes {
        Changes::of(self.root.entity.clone())
    }
}

/// The view of an entity, if the module may ask for it.
fn granted(entity: &EntityRef) -> Result<Option<EntityView>> {
    match views::fetch(entity) {
        Err(views::ViewError::Denied) => Ok(None),
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests;
