//! Links to an entity that was deleted.

use crate::id::{AttrName, EntityRef};
use crate::record::{History, MasterRecord};
use crate::schema::EntitySpec;
use crate::value::Value;

/// Removes the links to a deleted entity from the record of an entity that links to it, and names the attributes that
/// changed.
///
/// A plain link goes with its attribute; a list of links loses the element, and goes with the last one. Of observations
/// each point that holds the link goes, and the history with its last point. Snapshots that are stored already stay.
pub fn unlink(spec: &EntitySpec, record: &mut MasterRecord, gone: &EntityRef) -> Vec<AttrName> {
    let linking: Vec<AttrName> = record
        .attributes
        .keys()
        .filter(|attr| {
            let link = spec.attribute(attr.as_str()).and_then(|a| a.kind.data_type()).and_then(|t| t.link());
            link.is_some_and(|link| link.to == gone.etype)
        })
        .cloned()
        .collect();
    linking.into_iter().filter(|attr| unlink_attribute(record, attr, gone)).collect()
}

/// [`unlink`] for one attribute that is known to hold links; tells whether it changed.
pub fn unlink_attribute(record: &mut MasterRecord, attr: &AttrName, gone: &EntityRef) -> bool {
    let holds = |value: &Value| value.links().iter().any(|link| link.target == *gone);
    let stays = match record.attributes.get_mut(attr) {
        Some(History::Plain { value, .. }) if holds(value) => match value {
            Value::Links(links) => {
                links.retain(|link| link.target != *gone);
                !links.is_empty()
            }
            _ => false,
        },
        Some(History::Observations(points)) if points.iter().any(|p| holds(&p.value)) => {
            points.retain(|p| !holds(&p.value));
            !points.is_empty()
        }
        _ => return false,
    };
    if !stays {
        record.attributes.remove(attr);
    }
    true
}
