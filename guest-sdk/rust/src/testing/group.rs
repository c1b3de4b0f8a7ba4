//! Linked entities as data, and a snapshot run over them.
//!
//! What a host gives to a correlation hook is cut to what the paths of the subscription name. So is what
//! [`Group::view`] gives: a hook that reads a value which it forgot to name in `depends_on` does not find it here either.

use serde_json::{Map, Value as Json};

use crate::raw::snapshot::Correlation;
use crate::testing::expect::expect_json;
use crate::testing::read::read_value;
use crate::testing::wire::value_to_json;
use crate::value::EntityRef;
use crate::view::{Correlated, CurrentValue, EntityView, View};

/// Entities with their current values, as a snapshot run holds them while hooks run.
///
/// In JSON an entity is named `TYPE/ID`, and its values are given as DP³ shows them: an observation has its confidence
/// beside it, under its name and `#c`; where that is a list, the attribute has several values. [`link`] makes a link.
///
/// ```
/// use tenter_sdk::testing::{Group, json, link};
/// let group = Group::new(json!({
///     "ip/192.0.2.1": {
///         "label": "private",
///         "open_ports": [22, 80], "open_ports#c": [1.0, 0.5],
///         "domains": [link("domain/a.example")], "domains#c": [0.9],
///     },
///     "domain/a.example": {"entropy": 3.7},
/// }));
/// assert_eq!(group.entity("domain/a.example").value::<f64>("entropy"), Some(3.7));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    entities: Vec<EntityView>,
}

/// A link to `TYPE/ID`, as JSON.
#[must_use]
pub fn link(target: &str) -> Json {
    let target = named(target);
    serde_json::json!({"etype": target.etype, "eid": target.eid})
}

/// The entity that `TYPE/ID` names.
#[track_caller]
#[allow(clippy::panic, reason = "the way in which a test fails")]
pub(crate) fn named(name: &str) -> EntityRef {
    match name.split_once('/') {
        Some((etype, eid)) => EntityRef::new(etype, eid),
        None => panic!("{name:?} names no entity: expected TYPE/ID, such as \"ip/192.0.2.1\""),
    }
}

impl Group {
    /// Entities from JSON.
    ///
    /// # Panics
    /// When it is not of the form above, with what is wrong.
    #[must_use]
    #[track_caller]
    #[allow(clippy::panic, clippy::needless_pass_by_value, reason = "tests; called with json!(..)")]
    pub fn new(entities: Json) -> Self {
        let Json::Object(entities) = entities else { panic!("a group is an object of entities, named TYPE/ID") };
        let entities = entities.iter().map(|(name, values)| {
            let values = values.as_object().map_or_else(|| Err("expected an object of values".to_owned()), read_values);
            let values = values.unwrap_or_else(|why| panic!("{name}: {why}"));
            EntityView { entity: named(name), values }
        });
        Self { entities: entities.collect() }
    }

    /// All values of an entity.
    ///
    /// # Panics
    /// When there is none of that name.
    #[must_use]
    #[track_caller]
    #[allow(clippy::panic, reason = "the way in which a test fails")]
    pub fn entity(&self, name: &str) -> &EntityView {
        self.find(&named(name)).unwrap_or_else(|| panic!("the group has no {name}"))
    }

    /// All entities.
    #[must_use]
    pub fn entities(&self) -> &[EntityView] {
        &self.entities
    }

    /// What a subscription with these paths sees of the entity of that name, as the host cuts it.
    ///
    /// # Panics
    /// When there is none of that name.
    #[must_use]
    #[track_caller]
    pub fn view(&self, root: &str, paths: &[&str]) -> View {
        let paths: Vec<Vec<String>> = paths.iter().map(|p| p.split('.').map(str::to_owned).collect()).collect();
        self.cut(self.entity(root), &paths, false)
    }

    /// Takes changes over, as a run does: later hooks see them.
    pub fn apply(&mut self, correlated: &Correlated) {
        for change in &correlated.changes {
            let Some(entity) = self.entities.iter_mut().find(|e| e.entity == change.entity) else { continue };
            let at = entity.values.iter().position(|v| v.attr == change.attr).unwrap_or(entity.values.len());
            entity.values.retain(|v| v.attr != change.attr);
            let new = change.values.iter().map(|w| CurrentValue {
                attr: change.attr.clone(),
                value: w.value.clone(),
                confidence: w.confidence,
            });
            let at = at.min(entity.values.len());
            entity.values.splice(at..at, new);
        }
    }

    /// Expects that the group holds what is named, in the form of [`Group::new`]; what is not named does not matter,
    /// and `null` is an attribute without value.
    ///
    /// # Panics
    /// When something differs, with its place.
    #[track_caller]
    #[allow(clippy::needless_pass_by_value, reason = "called with json!(..)")]
    pub fn expect(&self, expected: Json) {
        let actual = self.entities.iter().map(|e| (e.entity.to_string(), values_to_json(e))).collect::<Map<_, _>>();
        let absent = |name: &str, attr: &str| self.find(&named(name)).is_none_or(|e| !e.has(attr));
        expect_json(&Json::from(actual), &without_absent(&expected, absent));
    }

    pub(crate) fn find(&self, entity: &EntityRef) -> Option<&EntityView> {
        self.entities.iter().find(|e| e.entity == *entity)
    }

    /// What a subscription sees of an entity.
    pub(crate) fn seen(&self, root: &EntityView, subscription: &Correlation) -> View {
        let paths = [&subscription.depends_on[..], &subscription.may_change].concat();
        self.cut(root, &paths, subscription.whole)
    }

    fn cut(&self, root: &EntityView, paths: &[Vec<String>], whole: bool) -> View {
        // Entity and attribute of each step of each path, in the order in which they are reached.
        let mut reached: Vec<(&EntityView, Vec<&str>)> = vec![(root, Vec::new())];
        for path in paths {
            let mut at = vec![root];
            for (step, attr) in path.iter().enumerate() {
                for entity in &at {
                    match reached.iter_mut().find(|(e, _)| e.entity == entity.entity) {
                        Some((_, attrs)) => attrs.push(attr),
                        None => reached.push((entity, vec![attr])),
                    }
                }
                if step + 1 < path.len() {
                    at = at.into_iter().flat_map(|e| e.targets(attr)).filter_map(|t| self.find(t)).collect();
                }
            }
        }
        let mut views = reached.into_iter().enumerate().map(|(n, (entity, attrs))| {
            let keep = |v: &&CurrentValue| (n == 0 && whole) || attrs.contains(&v.attr.as_str());
            EntityView { entity: entity.entity.clone(), values: entity.values.iter().filter(keep).cloned().collect() }
        });
        let root = views.next().unwrap_or_else(|| root.clone());
        View { root, linked: views.collect() }
    }
}

/// Current values in DP³'s form.
fn read_values(values: &Map<String, Json>) -> Result<Vec<CurrentValue>, String> {
    let mut out = Vec::new();
    for (attr, json) in values.iter().filter(|(attr, _)| !attr.ends_with("#c")) {
        let under = |why: String| format!("{attr}: {why}");
        let mut push = |json: &Json, confidence| {
            let value = read_value(json).map_err(under)?;
            out.push(CurrentValue { attr: attr.clone(), value, confidence });
            Ok::<_, String>(())
        };
        match values.get(&format!("{attr}#c")) {
            None => push(json, None)?,
            Some(Json::Array(confidences)) => {
                let items = json.as_array().filter(|items| items.len() == confidences.len());
                let items = items.ok_or_else(|| under("expected as many values as confidences".into()))?;
                for (item, confidence) in items.iter().zip(confidences) {
                    push(item, confidence.as_f64())?;
                }
            }
            Some(confidence) => push(json, confidence.as_f64())?,
        }
    }
    Ok(out)
}

/// The inverse of [`read_values`].
fn values_to_json(entity: &EntityView) -> Json {
    let mut out = Map::new();
    for value in &entity.values {
        if !out.contains_key(&value.attr) {
            let all = entity.all(&value.attr).map(|v| (value_to_json(&v.value), v.confidence));
            insert(&mut out, &value.attr, all.collect());
        }
    }
    out.into()
}

/// Puts the values of an attribute in DP³'s form.
fn insert(out: &mut Map<String, Json>, attr: &str, values: Vec<(Json, Option<f64>)>) {
    let key = format!("{attr}#c");
    out.remove(&key);
    let (mut values, mut confidences): (Vec<_>, Vec<_>) = values.into_iter().unzip();
    let (value, confidence) = match values.len() {
        0 => (Json::Null, None),
        1 => (values.remove(0), confidences.remove(0).map(Json::from)),
        _ => (values.into(), Some(confidences.into())),
    };
    out.insert(attr.to_owned(), value);
    out.extend(confidence.map(|c| (key, c)));
}

/// Changes in the form of `PROTOCOL.md`, by entity and attribute in DP³'s form; one that removes is null.
pub(crate) fn by_entity(changes: &[Json]) -> Json {
    let mut out: Map<String, Json> = Map::new();
    let text = |json: &Json, name: &str| json.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
    for change in changes {
        let name = format!("{}/{}", text(change, "etype"), text(change, "eid"));
        let entity = out.entry(name).or_insert_with(|| Map::new().into());
        let values = change.get("values").and_then(Json::as_array).into_iter().flatten();
        let values =
            values.map(|w| (w.get("v").cloned().unwrap_or_default(), w.get("c").and_then(Json::as_f64))).collect();
        if let Some(entity) = entity.as_object_mut() {
            insert(entity, &text(change, "attr"), values);
        }
    }
    out.into()
}

/// The expectation without those nulls that are met: an attribute that is absent cannot be compared.
fn without_absent(expected: &Json, absent: impl Fn(&str, &str) -> bool) -> Json {
    let mut expected = expected.clone();
    for (name, values) in expected.as_object_mut().into_iter().flatten() {
        if let Some(values) = values.as_object_mut() {
            values.retain(|attr, v| !(v.is_null() && absent(name, attr)));
        }
    }
    expected
}

#[cfg(test)]
mod tests;
