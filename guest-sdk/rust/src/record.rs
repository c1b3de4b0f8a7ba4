//! Reading what is stored: master records and their histories.

pub use crate::bindings::imports::tenter::hooks::types::{
    Chunk, History, MasterRecord, Observations, StoredAttribute, StoredPlain, ValueColumn,
};
use crate::time::Timestamp;
use crate::value::{Column, Value};

/// One point of an observations history.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Start of validity.
    pub t1: Timestamp,
    /// End of validity.
    pub t2: Timestamp,
    /// 0 to 1.
    pub confidence: f64,
    /// The value.
    pub value: Value,
}

impl MasterRecord {
    /// All that is stored of an attribute.
    #[must_use]
    pub fn history(&self, attr: &str) -> Option<&History> {
        self.attributes.iter().find(|a| a.attr == attr).map(|a| &a.history)
    }

    /// The value of a plain attribute.
    #[must_use]
    pub fn plain(&self, attr: &str) -> Option<&Value> {
        if let Some(History::Plain(p)) = self.history(attr) { Some(&p.value) } else { None }
    }

    /// The points of an observations attribute, in stored order.
    pub fn observations(&self, attr: &str) -> impl Iterator<Item = Observation> {
        let stored = if let Some(History::Observations(o)) = self.history(attr) { Some(o) } else { None };
        stored.into_iter().flat_map(Observations::points)
    }

    /// The points of an observations attribute that hold at a time.
    pub fn observed_at(&self, attr: &str, time: Timestamp) -> impl Iterator<Item = Observation> {
        self.observations(attr).filter(move |o| o.t1 <= time && time <= o.t2)
    }

    /// The chunks of a timeseries attribute, in stored order.
    #[must_use]
    pub fn timeseries(&self, attr: &str) -> &[Chunk] {
        if let Some(History::Timeseries(chunks)) = self.history(attr) { chunks } else { &[] }
    }
}

impl Observations {
    /// The points, in stored order.
    pub fn points(&self) -> impl Iterator<Item = Observation> {
        let times = self.t1.iter().zip(&self.t2).zip(&self.confidence).enumerate();
        times.filter_map(|(at, ((t1, t2), confidence))| {
            let value = self.values.at(at)?;
            Some(Observation { t1: Timestamp(*t1), t2: Timestamp(*t2), confidence: *confidence, value })
        })
    }
}

impl ValueColumn {
    /// The value at a place.
    #[must_use]
    pub fn at(&self, at: usize) -> Option<Value> {
        match self {
            Self::Integers(v) => v.get(at).map(|i| Value::Integer(*i)),
            Self::Reals(v) => v.get(at).map(|x| Value::Real(*x)),
            Self::Texts(v) => v.get(at).map(|t| Value::Text(t.clone())),
            Self::Times(v) => v.get(at).map(|t| Value::Time(*t)),
            Self::Addresses(v) => v.get(at).map(|a| Value::Address(a.clone())),
            Self::Mixed(v) => v.get(at).cloned(),
        }
    }
}

impl Chunk {
    /// A column of the chunk.
    #[must_use]
    pub fn series(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|s| s.name == name).map(|s| &s.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{EntityRef, Series};

    #[test]
    fn a_record_is_read() {
        let stored = |attr: &str, history| StoredAttribute { attr: attr.into(), history };
        let record = MasterRecord {
            entity: EntityRef::new("ip", "192.0.2.1"),
            created: None,
            revision: 1,
            ttl_tokens: vec![],
            attributes: vec![
                stored("label", History::Plain(StoredPlain { value: "x".into(), updated: 1 })),
                stored(
                    "open_ports",
                    History::Observations(Observations {
                        t1: vec![0, 10],
                        t2: vec![5, 20],
                        confidence: vec![1.0, 0.5],
                        values: ValueColumn::Integers(vec![22, 80]),
                    }),
                ),
                stored(
                    "traffic",
                    History::Timeseries(vec![Chunk { t1: 0, t2: 1, columns: vec![Series::integers("bytes", [1])] }]),
                ),
            ],
        };
        assert_eq!(record.plain("label").and_then(Value::as_str), Some("x"));
        assert_eq!(record.plain("open_ports"), None);
        let at: Vec<_> = record.observed_at("open_ports", Timestamp(12)).collect();
        assert_eq!(at.len(), 1);
        assert_eq!((at[0].value.as_i64(), at[0].confidence), (Some(80), 0.5));
        assert_eq!(record.observations("open_ports").count(), 2);
        assert_eq!(record.timeseries("traffic")[0].series("bytes").map(Column::to_f64), Some(vec![1.0]));
        assert!(record.timeseries("label").is_empty());
    }
}
