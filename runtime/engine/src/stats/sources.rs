//! Tasks by the source of their datapoints.
//!
//! What a source is called is free text from outside, and becomes the name of a counter. So there is a bound on how many
//! are told apart, over all lanes and for the life of the process: those that come first have a counter each, all others
//! share one. A lane asks the list of all lanes only about a source that it has not seen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use tenter_model::{DataPoint, Timestamp};

/// Most sources that are told apart.
const MAX_SOURCES: usize = 256;
/// Longest name of one, in bytes.
const MAX_NAME: usize = 128;
/// The counter of all others.
pub const OTHER_SOURCES: &str = "(other)";

/// The sources that are told apart, shared by all lanes.
#[derive(Debug, Clone, Default)]
pub(super) struct KnownSources(Arc<Mutex<BTreeSet<String>>>);

impl KnownSources {
    fn admits(&self, name: &str) -> bool {
        if name.len() > MAX_NAME {
            return false;
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.contains(name) || (known.len() < MAX_SOURCES && known.insert(name.to_owned()))
    }
}

/// The counts of one lane.
#[derive(Debug, Default)]
pub(super) struct LaneSources {
    by_name: BTreeMap<String, Source>,
    others: Source,
    /// Number of the task that is being counted.
    task: u64,
}

#[derive(Debug, Default)]
struct Source {
    tasks: u64,
    /// The task that was counted last; one with many datapoints counts once.
    last: u64,
    /// Latest end of a datapoint that is valid for a time, since it was asked for.
    until: Option<Timestamp>,
}

impl LaneSources {
    /// Counts a task.
    pub(super) fn count(&mut self, datapoints: &[DataPoint], known: &KnownSources) {
        self.task += 1;
        for dp in datapoints {
            let Some(name) = &dp.src else { continue };
            let source = match self.by_name.get_mut(name) {
                Some(source) => source,
                None if known.admits(name) => self.by_name.entry(name.clone()).or_default(),
                None => &mut self.others,
            };
            if source.last != self.task {
                source.last = self.task;
                source.tasks += 1;
            }
            // Plain datapoints have no end.
            source.until = source.until.max(dp.t2);
        }
    }

    pub(super) fn add_to(&self, total: &mut BTreeMap<String, u64>) {
        for (name, source) in &self.by_name {
            *total.entry(name.clone()).or_default() += source.tasks;
        }
        if self.others.tasks > 0 {
            *total.entry(OTHER_SOURCES.to_owned()).or_default() += self.others.tasks;
        }
    }

    pub(super) fn take_validity(&mut self, latest: &mut BTreeMap<String, Timestamp>) {
        for (name, source) in &mut self.by_name {
            if let Some(until) = source.until.take() {
                let known = latest.entry(name.clone()).or_insert(until);
                *known = (*known).max(until);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tenter_model::AttrName;
    use tenter_model::value::{Scalar, Value};

    use super::*;

    fn point(src: &str, t2: Option<i64>) -> DataPoint {
        DataPoint {
            attr: AttrName::new("a").unwrap(),
            value: Value::Scalar(Scalar::Int(1)),
            src: Some(src.to_owned()),
            t1: t2.map(Timestamp),
            t2: t2.map(Timestamp),
            confidence: None,
        }
    }

    #[test]
    fn a_task_counts_once_for_each_of_its_sources() {
        let (known, mut lane) = (KnownSources::default(), LaneSources::default());
        lane.count(&[point("a", Some(5)), point("b", None), point("a", Some(3))], &known);
        lane.count(&[point("a", None)], &known);
        let (mut total, mut latest) = (BTreeMap::new(), BTreeMap::new());
        lane.add_to(&mut total);
        assert_eq!(total, BTreeMap::from([("a".to_owned(), 2), ("b".to_owned(), 1)]));
        lane.take_validity(&mut latest);
        assert_eq!(latest, BTreeMap::from([("a".to_owned(), Timestamp(5))]));
        latest.clear();
        lane.take_validity(&mut latest);
        assert!(latest.is_empty(), "what was taken is not told again");
    }

    #[test]
    fn the_number_of_counters_is_bounded_over_all_lanes() {
        let known = KnownSources::default();
        let (mut one, mut two) = (LaneSources::default(), LaneSources::default());
        let long = "x".repeat(MAX_NAME + 1);
        one.count(&[point("first", None), point(&long, None)], &known);
        for number in 0..1_000 {
            one.count(&[point(&format!("one-{number}"), None)], &known);
            two.count(&[point(&format!("two-{number}"), None), point("first", None)], &known);
        }
        let mut total = BTreeMap::new();
        one.add_to(&mut total);
        two.add_to(&mut total);
        assert_eq!(total.len(), MAX_SOURCES + 1);
        assert_eq!(total["first"], 1_001);
        assert_eq!(total.values().sum::<u64>(), 3_002, "none is lost");
    }
}
