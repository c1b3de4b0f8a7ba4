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
    let mut changed = Vec::new();
    record.attributes.retain(|attr, stored| {
        let leads_there = spec
            .attribute(attr.as_str())
            .and_then(|a| a.kind.data_type())
            .and_then(|t| t.link())
            .is_some_and(|link| link.to == gone.etype);
        if !leads_there {
            return true;
        }
        let holds = |value: &Value| value.links().iter().any(|link| link.target == *gone);
        match stored {
            History::Plain { value, .. } if holds(value) => {
                changed.push(attr.clone());
                let Value::Links(links) = value else { return false };
                links.retain(|link| link.target != *gone);
                !links.is_empty()
            }
            History::Observations(points) if points.iter().any(|p| holds(&p.value)) => {
                changed.push(attr.clone());
                points.retain(|p| !holds(&p.value));
                !points.is_empty()
            }
            History::Plain { .. } | History::Observations(_) | History::Timeseries(_) => true,
        }
    });
    changed
}
