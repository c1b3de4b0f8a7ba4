//! Which links a datapoint of a relation makes.

use tenter_model::schema::{AttributeKind, EntitySpec};
use tenter_model::{DataPoint, EntityRef, Value};
use tenter_store::LinkChange;

/// Adds the changes that an accepted datapoint makes to the table of links: a plain relation has exactly these targets
/// from now on, an observation extends each target to the end of its validity.
pub fn changes(spec: &EntitySpec, datapoint: &DataPoint, out: &mut Vec<LinkChange>) {
    let Some(attribute) = spec.attribute(datapoint.attr.as_str()) else { return };
    if attribute.kind.data_type().and_then(|data_type| data_type.link()).is_none() {
        return;
    }
    let targets: Vec<EntityRef> = match &datapoint.value {
        Value::Link(link) => vec![link.target.clone()],
        Value::Links(links) => links.iter().map(|link| link.target.clone()).collect(),
        Value::Scalar(_) | Value::Items(_) | Value::Members(_) | Value::Chunk(_) => return,
    };
    match &attribute.kind {
        AttributeKind::Plain { .. } => out.push(LinkChange::Replace { attr: datapoint.attr.clone(), targets }),
        AttributeKind::Observations { history, .. } => {
            let Some(end) = datapoint.t2.or(datapoint.t1) else { return };
            let until = end.saturating_add(history.post_validity);
            out.extend(targets.into_iter().map(|target| LinkChange::Extend {
                attr: datapoint.attr.clone(),
                target,
                until,
            }));
        }
        AttributeKind::Timeseries { .. } => {}
    }
}
