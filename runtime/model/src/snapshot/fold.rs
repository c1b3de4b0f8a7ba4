//! Records and datapoints on their way into and out of a run.

use crate::datapoint::DataPoint;
use crate::history::confidence_at;
use crate::id::EntityRef;
use crate::record::{History, MasterRecord};
use crate::schema::{AttributeKind, AttributeSpec};
use crate::task::TaskBody;
use crate::time::Timestamp;
use crate::value::Value;

/// Takes what timeseries hooks returned for an entity into its record in memory, so that current values of this run
/// show it: a plain datapoint is the value, an observation is appended. Tasks for other entities, tasks that delete, and
/// timeseries, of which there is no current value, are passed over. The tasks are accepted already; they go their way
/// through the queue all the same. Gives the number of datapoints taken in.
pub fn fold(record: &mut MasterRecord, entity: &EntityRef, tasks: &[TaskBody], now: Timestamp) -> usize {
    let own = tasks.iter().filter(|task| task.entity == *entity && !task.delete);
    let mut folded = 0;
    for dp in own.flat_map(|task| &task.datapoints).filter(|dp| !matches!(dp.value, Value::Chunk(_))) {
        record.stage(dp, now);
        folded += 1;
    }
    folded
}

/// What an `on-new-attribute` hook gets when it is called again for what is stored: a plain value, each observation that
/// holds at the time, or the last chunk of a timeseries. Nothing when the history is of another kind than configured.
#[must_use]
pub fn stored_datapoints(spec: &AttributeSpec, record: &MasterRecord, time: Timestamp) -> Vec<DataPoint> {
    let dp = |value: &Value, t1, t2, confidence| DataPoint {
        attr: spec.id.clone(),
        value: value.clone(),
        src: None,
        t1,
        t2,
        confidence,
    };
    match (&spec.kind, record.attributes.get(&spec.id)) {
        (AttributeKind::Plain { .. }, Some(History::Plain { value, .. })) => vec![dp(value, None, None, None)],
        (AttributeKind::Observations { history, .. }, Some(History::Observations(points))) => points
            .iter()
            .filter(|p| confidence_at(p, history, time) > 0.0)
            .map(|p| dp(&p.value, Some(p.t1), Some(p.t2), Some(p.confidence)))
            .collect(),
        (AttributeKind::Timeseries { .. }, Some(History::Timeseries(chunks))) => {
            let last = chunks.iter().max_by_key(|c| c.t2);
            last.map(|c| dp(&Value::Chunk(c.series.clone()), Some(c.t1), Some(c.t2), None)).into_iter().collect()
        }
        _ => Vec::new(),
    }
}
