//! Current values of a whole record at one time.

use crate::history::{self, Current};
use crate::id::{AttrName, EntityRef};
use crate::record::{History, MasterRecord};
use crate::schema::{AttributeKind, Schema};
use crate::time::Timestamp;
use crate::value::{Link, Value};
use crate::view::{CurrentValue, EntityView};

/// Sources of links to an entity, by the mirror attribute of the entity that shows them.
pub type Mirrors = [(AttrName, Vec<EntityRef>)];

/// What holds of an entity at a time: configured plain attributes and observations in the order of the specification,
/// then mirrors.
///
/// A mirror is always there, with an empty list ([`Value::Links`]) when nothing links to the entity. Timeseries have no
/// current value. What is stored of an attribute that is not configured any more, or of another kind than configured, is
/// left out. `record` is `None` for an entity that others link to and that has no record of its own.
#[must_use]
pub fn current_values(
    schema: &Schema,
    entity: &EntityRef,
    record: Option<&MasterRecord>,
    mirrors: &Mirrors,
    time: Timestamp,
) -> EntityView {
    let attributes = schema.entity(entity.etype.as_str()).map_or(&[][..], |spec| spec.attributes());
    let mut values = Vec::with_capacity(attributes.len());
    for spec in attributes {
        let stored = || record.and_then(|r| r.attributes.get(&spec.id));
        let mut push = |value, confidence| values.push(CurrentValue { attr: spec.id.clone(), value, confidence });
        match &spec.kind {
            AttributeKind::Plain { mirror_of: Some(_), .. } => {
                let sources = mirrors.iter().filter(|(attr, _)| *attr == spec.id).flat_map(|(_, sources)| sources);
                push(Value::Links(sources.map(|s| Link { target: s.clone(), data: None }).collect()), None);
            }
            AttributeKind::Plain { mirror_of: None, .. } => {
                if let Some(History::Plain { value, .. }) = stored() {
                    push(value.clone(), None);
                }
            }
            AttributeKind::Observations { multi_value, history, .. } => {
                let Some(History::Observations(points)) = stored() else { continue };
                match history::current(points, history, *multi_value, time) {
                    None => {}
                    Some(Current::One(value, c)) => push(value, Some(c)),
                    Some(Current::Many(all)) => all.into_iter().for_each(|(value, c)| push(value, Some(c))),
                }
            }
            AttributeKind::Timeseries { .. } => {}
        }
    }
    EntityView { entity: entity.clone(), values }
}

/// Removes used links to entities that do not exist, for `keep_empty: false`.
///
/// `is_used` tells the attributes whose links the run follows, `exists` whether an entity has a record. A link of an
/// attribute with one or several values goes with its confidence; a list of links stays whole while one of its targets
/// exists, and a mirror stays with those sources that exist.
pub fn drop_links_to_nothing(
    schema: &Schema,
    view: &mut EntityView,
    is_used: impl Fn(&AttrName) -> bool,
    exists: impl Fn(&EntityRef) -> bool,
) {
    let EntityView { entity, values } = view;
    values.retain_mut(|current| {
        if !is_used(&current.attr) {
            return true;
        }
        let spec = schema.attribute(entity.etype.as_str(), current.attr.as_str());
        let is_mirror = spec.is_some_and(|s| matches!(s.kind, AttributeKind::Plain { mirror_of: Some(_), .. }));
        match &mut current.value {
            Value::Links(links) if is_mirror => {
                links.retain(|link| exists(&link.target));
                true
            }
            Value::Links(links) => links.iter().any(|link| exists(&link.target)),
            Value::Link(link) => exists(&link.target),
            Value::Scalar(_) | Value::Items(_) | Value::Members(_) | Value::Chunk(_) => true,
        }
    });
}

/// Whether a view holds nothing but the identity: with `keep_empty: false` it gets no document. Mirrors without
/// sources are nothing.
#[must_use]
pub fn is_empty(view: &EntityView) -> bool {
    view.values.iter().all(|v| matches!(&v.value, Value::Links(links) if links.is_empty()))
}
