//! Master records: all that is stored of one entity.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::datapoint::DataPoint;
use crate::id::AttrName;
use crate::time::Timestamp;
use crate::value::{Series, Value};

/// One point of an observations attribute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Start of validity.
    pub t1: Timestamp,
    /// End of validity.
    pub t2: Timestamp,
    /// The value.
    pub value: Value,
    /// 0..1.
    pub confidence: f64,
}

/// One chunk of a timeseries attribute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chunk {
    /// Start.
    pub t1: Timestamp,
    /// End.
    pub t2: Timestamp,
    /// The columns, all of one length.
    pub series: Vec<Series>,
}

/// All that is stored of one attribute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum History {
    /// The last value and when it was staged.
    Plain {
        /// The value.
        value: Value,
        /// When it was staged.
        updated: Timestamp,
    },
    /// In order of arrival.
    Observations(Vec<Observation>),
    /// In order of arrival.
    Timeseries(Vec<Chunk>),
}

/// All that is stored of one entity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MasterRecord {
    /// When the entity came into being.
    pub created: Timestamp,
    /// Grows by one with each write; 0 for a record that was never written.
    pub revision: u64,
    /// TTL tokens.
    pub ttl: BTreeMap<String, Timestamp>,
    /// What is stored of each attribute.
    pub attributes: BTreeMap<AttrName, History>,
}

impl MasterRecord {
    /// A record of an entity that comes into being now.
    #[must_use]
    pub fn new(created: Timestamp) -> Self {
        Self { created, revision: 0, ttl: BTreeMap::new(), attributes: BTreeMap::new() }
    }

    /// Takes in one accepted datapoint. Plain: the last write wins; observations and timeseries: appended.
    ///
    /// A stored history of another kind than the datapoint's (left over from an older specification) is replaced.
    pub fn stage(&mut self, dp: &DataPoint, now: Timestamp) {
        let (Some(t1), value) = (dp.t1, &dp.value) else {
            self.attributes.insert(dp.attr.clone(), History::Plain { value: dp.value.clone(), updated: now });
            return;
        };
        let t2 = dp.t2.unwrap_or(t1);
        if let Value::Chunk(series) = value {
            let chunk = Chunk { t1, t2, series: series.clone() };
            match self.attributes.get_mut(&dp.attr) {
                Some(History::Timeseries(chunks)) => chunks.push(chunk),
                _ => {
                    self.attributes.insert(dp.attr.clone(), History::Timeseries(vec![chunk]));
                }
            }
            return;
        }
        let point = Observation { t1, t2, value: value.clone(), confidence: dp.confidence.unwrap_or(1.0) };
        match self.attributes.get_mut(&dp.attr) {
            Some(History::Observations(points)) => points.push(point),
            _ => {
                self.attributes.insert(dp.attr.clone(), History::Observations(vec![point]));
            }
        }
    }

    /// Moves TTL tokens forward; a token never moves back, and a null token is not stored.
    pub fn extend_ttl(&mut self, tokens: &[(String, Option<Timestamp>)]) {
        for (name, until) in tokens {
            if let Some(until) = until {
                let slot = self.ttl.entry(name.clone()).or_insert(*until);
                *slot = (*slot).max(*until);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Scalar;

    fn dp(attr: &str, value: i64, t1: Option<i64>) -> DataPoint {
        DataPoint {
            attr: AttrName::new(attr).unwrap(),
            value: Value::Scalar(Scalar::Int(value)),
            src: None,
            t1: t1.map(Timestamp),
            t2: t1.map(Timestamp),
            confidence: None,
        }
    }

    #[test]
    fn plain_replaces_and_observations_append() {
        let mut r = MasterRecord::new(Timestamp(1));
        r.stage(&dp("p", 1, None), Timestamp(5));
        r.stage(&dp("p", 2, None), Timestamp(6));
        r.stage(&dp("o", 1, Some(9)), Timestamp(5));
        r.stage(&dp("o", 1, Some(3)), Timestamp(5));
        let p = r.attributes.get("p").unwrap();
        assert_eq!(*p, History::Plain { value: Value::Scalar(Scalar::Int(2)), updated: Timestamp(6) });
        let Some(History::Observations(points)) = r.attributes.get("o") else { panic!("no history") };
        assert_eq!(points.iter().map(|p| p.t1.0).collect::<Vec<_>>(), [9, 3]);
    }

    #[test]
    fn tokens_only_move_forward() {
        let mut r = MasterRecord::new(Timestamp(1));
        r.extend_ttl(&[("base".into(), Some(Timestamp(10))), ("none".into(), None)]);
        r.extend_ttl(&[("base".into(), Some(Timestamp(4)))]);
        assert_eq!(r.ttl.get("base"), Some(&Timestamp(10)));
        assert_eq!(r.ttl.len(), 1);
    }
}
