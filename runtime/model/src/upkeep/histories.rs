//! Aggregation and cleaning of histories.

use crate::history;
use crate::record::{History, MasterRecord, Observation};
use crate::schema::{AttributeKind, EntitySpec};
use crate::time::Timestamp;

/// Merges equal neighbours in all observations with `aggregate: true`, see [`history::aggregate`]. The confidence of a
/// merged point is the mean of the points of this pass. True when anything was merged or put in order.
pub fn aggregate(spec: &EntitySpec, record: &mut MasterRecord) -> bool {
    let mut changed = false;
    for attribute in spec.attributes() {
        let AttributeKind::Observations { multi_value, history: params, .. } = &attribute.kind else { continue };
        let Some(History::Observations(points)) = record.attributes.get_mut(&attribute.id) else { continue };
        if !params.aggregate {
            continue;
        }
        // Nothing merges into one point, and sorting keeps the order of equals: both show in number and order.
        let is_sorted = points.is_sorted_by_key(|p| p.t1);
        let before = points.len();
        *points = history::aggregate(std::mem::take(points), params, *multi_value);
        changed |= !is_sorted || points.len() != before;
    }
    changed
}

/// Removes what is too old (`t2` before `now - max_age`) or too much (`max_items`: the points that end last are kept).
/// A history of which nothing is left goes as a whole. Histories of attributes that are not configured any more stay as
/// they are: removing them is a change of the specification. True when anything was removed.
pub fn clean(spec: &EntitySpec, record: &mut MasterRecord, now: Timestamp) -> bool {
    let mut changed = false;
    record.attributes.retain(|attr, stored| {
        let Some(attribute) = spec.attribute(attr.as_str()) else { return true };
        let oldest = attribute.kind.max_age().map(|age| now.saturating_add(age.saturating_neg()));
        let is_young = |t2: Timestamp| oldest.is_none_or(|oldest| t2 >= oldest);
        let (before, after) = match (&attribute.kind, stored) {
            (AttributeKind::Observations { history: params, .. }, History::Observations(points)) => {
                let before = points.len();
                points.retain(|p| is_young(p.t2));
                if let Some(most) = params.max_items {
                    keep_newest(points, usize::try_from(most).unwrap_or(usize::MAX));
                }
                (before, points.len())
            }
            (AttributeKind::Timeseries { .. }, History::Timeseries(chunks)) => {
                let before = chunks.len();
                chunks.retain(|c| is_young(c.t2));
                (before, chunks.len())
            }
            _ => return true,
        };
        changed |= after != before;
        after > 0 || before == 0
    });
    changed
}

/// Keeps the points with the latest ends, in the order in which they stand; of equal ends the later starts, then the
/// later arrivals.
fn keep_newest(points: &mut Vec<Observation>, most: usize) {
    let Some(surplus) = points.len().checked_sub(most).filter(|n| *n > 0) else { return };
    let mut by_age: Vec<usize> = (0..points.len()).collect();
    by_age.sort_by_key(|i| points.get(*i).map(|p| (p.t2, p.t1)));
    let mut goes = vec![false; points.len()];
    for i in by_age.into_iter().take(surplus) {
        goes.get_mut(i).into_iter().for_each(|g| *g = true);
    }
    let mut goes = goes.into_iter();
    points.retain(|_| goes.next() != Some(true));
}

/// The earliest end of any point or chunk of an attribute: cleaning has nothing to do by age before it is older than
/// `max_age`. `None` for plain attributes and empty histories.
#[must_use]
pub fn earliest_end(stored: &History) -> Option<Timestamp> {
    match stored {
        History::Plain { .. } => None,
        History::Observations(points) => points.iter().map(|p| p.t2).min(),
        History::Timeseries(chunks) => chunks.iter().map(|c| c.t2).min(),
    }
}
