//! Master records, on their way to a guest. Histories travel as columns: a list of records would cross the border
//! item by item.

use tenter_model::id::EntityRef;
use tenter_model::record::{Chunk, History, MasterRecord, Observation};
use tenter_model::value::{Scalar, Value};

use super::value::{entity_to_wit, series_to_wit, value_to_wit};
use crate::bindings::tenter::hooks::types as wit;

pub(crate) fn record_to_wit(entity: &EntityRef, record: &MasterRecord) -> wit::MasterRecord {
    let history = |h: &History| match h {
        History::Plain { value, updated } => {
            wit::History::Plain(wit::StoredPlain { value: value_to_wit(value), updated: updated.0 })
        }
        History::Observations(points) => wit::History::Observations(observations_to_wit(points)),
        History::Timeseries(chunks) => wit::History::Timeseries(chunks.iter().map(chunk_to_wit).collect()),
    };
    wit::MasterRecord {
        entity: entity_to_wit(entity),
        created: Some(record.created.0),
        revision: record.revision,
        ttl_tokens: record
            .ttl
            .iter()
            .map(|(name, until)| wit::TtlToken { name: name.clone(), until: Some(until.0) })
            .collect(),
        attributes: record
            .attributes
            .iter()
            .map(|(attr, h)| wit::StoredAttribute { attr: attr.as_str().to_owned(), history: history(h) })
            .collect(),
    }
}

pub(crate) fn chunk_to_wit(chunk: &Chunk) -> wit::Chunk {
    wit::Chunk { t1: chunk.t1.0, t2: chunk.t2.0, columns: series_to_wit(&chunk.series) }
}

fn observations_to_wit(points: &[Observation]) -> wit::Observations {
    wit::Observations {
        t1: points.iter().map(|p| p.t1.0).collect(),
        t2: points.iter().map(|p| p.t2.0).collect(),
        confidence: points.iter().map(|p| p.confidence).collect(),
        values: column_of(points),
    }
}

/// One column of the kind that all values share, else a mixed one.
fn column_of(points: &[Observation]) -> wit::ValueColumn {
    fn all<T>(points: &[Observation], pick: impl Fn(&Scalar) -> Option<T>) -> Option<Vec<T>> {
        let scalar = |p: &Observation| match &p.value {
            Value::Scalar(s) => pick(s),
            _ => None,
        };
        points.iter().map(scalar).collect()
    }
    let address = |s: &Scalar| match s {
        Scalar::Ip(a) => Some(a.to_string()),
        Scalar::Mac(m) => Some(m.to_string()),
        _ => None,
    };
    let column = match points.first().map(|p| &p.value) {
        Some(Value::Scalar(Scalar::Int(_))) => {
            all(points, |s| if let Scalar::Int(n) = s { Some(*n) } else { None }).map(wit::ValueColumn::Integers)
        }
        Some(Value::Scalar(Scalar::Float(_))) => {
            all(points, |s| if let Scalar::Float(x) = s { Some(*x) } else { None }).map(wit::ValueColumn::Reals)
        }
        Some(Value::Scalar(Scalar::Text(_))) => {
            all(points, |s| if let Scalar::Text(t) = s { Some(t.clone()) } else { None }).map(wit::ValueColumn::Texts)
        }
        Some(Value::Scalar(Scalar::Time(_))) => {
            all(points, |s| if let Scalar::Time(t) = s { Some(t.0) } else { None }).map(wit::ValueColumn::Times)
        }
        Some(Value::Scalar(Scalar::Ip(_) | Scalar::Mac(_))) => all(points, address).map(wit::ValueColumn::Addresses),
        _ => None,
    };
    column.unwrap_or_else(|| wit::ValueColumn::Mixed(points.iter().map(|p| value_to_wit(&p.value)).collect()))
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;
    use tenter_model::id::AttrName;
    use tenter_model::time::Timestamp;

    use super::super::value::tests::{entity, scalar, series, time, value};
    use super::super::value::{entity_from_wit, scalar_from_wit, series_from_wit, value_from_wit};
    use super::*;

    fn history() -> impl Strategy<Value = History> {
        let of = |value: BoxedStrategy<Value>| {
            let point = (time(), time(), value, 0.0..=1.0).prop_map(|(t1, t2, value, confidence)| Observation {
                t1,
                t2,
                value,
                confidence,
            });
            vec(point, 0..5).prop_map(History::Observations)
        };
        prop_oneof![
            (value(), time()).prop_map(|(value, updated)| History::Plain { value, updated }),
            of(value().boxed()),
            of(scalar().prop_map(Value::Scalar).boxed()),
            of(any::<i64>().prop_map(|n| Value::Scalar(Scalar::Int(n))).boxed()),
            of(".*".prop_map(|t| Value::Scalar(Scalar::Text(t))).boxed()),
            of(time().prop_map(|t| Value::Scalar(Scalar::Time(t))).boxed()),
            vec((time(), time(), series()).prop_map(|(t1, t2, series)| Chunk { t1, t2, series }), 0..3)
                .prop_map(History::Timeseries),
        ]
    }

    fn record() -> impl Strategy<Value = MasterRecord> {
        let attributes = btree_map("[a-z]{1,5}".prop_map(|n| AttrName::new(&n).unwrap()), history(), 0..4);
        (time(), any::<u64>(), btree_map("[a-z]{1,5}", time(), 0..3), attributes)
            .prop_map(|(created, revision, ttl, attributes)| MasterRecord { created, revision, ttl, attributes })
    }

    fn back(record: wit::MasterRecord) -> (EntityRef, MasterRecord) {
        let values = |column: wit::ValueColumn| -> Vec<Value> {
            let one = |s| Value::Scalar(scalar_from_wit(s).unwrap());
            match column {
                wit::ValueColumn::Integers(v) => v.into_iter().map(wit::Scalar::Integer).map(one).collect(),
                wit::ValueColumn::Reals(v) => v.into_iter().map(wit::Scalar::Real).map(one).collect(),
                wit::ValueColumn::Texts(v) => v.into_iter().map(wit::Scalar::Text).map(one).collect(),
                wit::ValueColumn::Times(v) => v.into_iter().map(wit::Scalar::Time).map(one).collect(),
                wit::ValueColumn::Addresses(v) => v.into_iter().map(wit::Scalar::Address).map(one).collect(),
                wit::ValueColumn::Mixed(v) => v.into_iter().map(|v| value_from_wit(v).unwrap()).collect(),
            }
        };
        let history = |h| match h {
            wit::History::Plain(p) => {
                History::Plain { value: value_from_wit(p.value).unwrap(), updated: Timestamp(p.updated) }
            }
            wit::History::Observations(o) => {
                let times = o.t1.into_iter().zip(o.t2).zip(o.confidence).zip(values(o.values));
                let point = |(((t1, t2), confidence), value)| Observation {
                    t1: Timestamp(t1),
                    t2: Timestamp(t2),
                    value,
                    confidence,
                };
                History::Observations(times.map(point).collect())
            }
            wit::History::Timeseries(chunks) => {
                let chunk = |c: wit::Chunk| Chunk {
                    t1: Timestamp(c.t1),
                    t2: Timestamp(c.t2),
                    series: series_from_wit(c.columns).unwrap(),
                };
                History::Timeseries(chunks.into_iter().map(chunk).collect())
            }
        };
        let model = MasterRecord {
            created: Timestamp(record.created.unwrap()),
            revision: record.revision,
            ttl: record.ttl_tokens.into_iter().map(|t| (t.name, Timestamp(t.until.unwrap()))).collect(),
            attributes: record
                .attributes
                .into_iter()
                .map(|a| (AttrName::new(&a.attr).unwrap(), history(a.history)))
                .collect(),
        };
        (entity_from_wit(&record.entity).unwrap(), model)
    }

    proptest! {
        #[test]
        fn records_survive_both_ways(entity in entity(), record in record()) {
            prop_assert_eq!(back(record_to_wit(&entity, &record)), (entity, record));
        }
    }

    #[test]
    fn a_history_of_one_type_is_one_column() {
        let point = |n| Observation {
            t1: Timestamp(n),
            t2: Timestamp(n),
            value: Value::Scalar(Scalar::Int(n)),
            confidence: 1.0,
        };
        assert_eq!(column_of(&[point(1), point(2)]), wit::ValueColumn::Integers(vec![1, 2]));
        assert_eq!(column_of(&[]), wit::ValueColumn::Mixed(vec![]));
    }
}
