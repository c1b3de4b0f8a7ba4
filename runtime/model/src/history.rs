//! The time logic of histories: what is current at a time, which points overlap an interval, how chunks split into
//! points, and how equal neighbours merge. Pure functions.
//!
//! An observation holds with its confidence from `t1` to `t2`, both included. Before and after that the confidence
//! falls linearly to zero over `pre_validity` and `post_validity`. `expire_time`, which DP³ documents and never built, is
//! how long after `t2` a value can be current at most: it cuts the fall off, 0 means that `t2` is obeyed strictly, and
//! nothing is removed from the history for it.

use crate::id::AttrName;
use crate::record::{Chunk, Observation};
use crate::schema::{HistoryParams, SeriesType, TimeseriesType};
use crate::time::Timestamp;
use crate::value::{Column, Scalar, Value};

/// A closed interval of time; an open end is unbounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TimeRange {
    /// Start, included.
    pub from: Option<Timestamp>,
    /// End, included.
    pub to: Option<Timestamp>,
}

impl TimeRange {
    /// Whether `[t1, t2]` and this share a moment.
    #[must_use]
    pub fn overlaps(&self, t1: Timestamp, t2: Timestamp) -> bool {
        self.to.is_none_or(|to| t1 <= to) && self.from.is_none_or(|from| t2 >= from)
    }
}

/// What is current of an observations attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Current {
    /// The value with the highest confidence.
    One(Value, f64),
    /// All values that hold, in order of first appearance, each with its highest confidence.
    Many(Vec<(Value, f64)>),
}

/// Confidence of a point at a time: 0 when it does not hold.
#[must_use]
pub fn confidence_at(point: &Observation, params: &HistoryParams, time: Timestamp) -> f64 {
    let (distance, reach) = if time < point.t1 {
        (point.t1.since(time), params.pre_validity)
    } else if time > point.t2 {
        if params.expire_time.is_some_and(|end| time.since(point.t2) >= end) {
            return 0.0;
        }
        (time.since(point.t2), params.post_validity)
    } else {
        return point.confidence;
    };
    if distance >= reach {
        return 0.0;
    }
    #[allow(clippy::cast_precision_loss, reason = "a ratio of durations")]
    let fraction = distance as f64 / reach as f64;
    point.confidence * (1.0 - fraction)
}

/// What is current at a time; `None` when nothing is.
#[must_use]
pub fn current(points: &[Observation], params: &HistoryParams, multi_value: bool, time: Timestamp) -> Option<Current> {
    let held = points.iter().map(|p| (p, confidence_at(p, params, time))).filter(|(_, c)| *c > 0.0);
    if multi_value {
        let mut found: Vec<(&Value, f64)> = Vec::new();
        for (point, confidence) in held {
            match found.iter_mut().find(|(value, _)| *value == &point.value) {
                Some((_, best)) => *best = best.max(confidence),
                None => found.push((&point.value, confidence)),
            }
        }
        return (!found.is_empty())
            .then(|| Current::Many(found.into_iter().map(|(value, c)| (value.clone(), c)).collect()));
    }
    let mut best: Option<(&Observation, f64)> = None;
    for (point, confidence) in held {
        // Strictly more, so that the first stored wins a tie.
        if best.is_none_or(|(_, c)| confidence > c) {
            best = Some((point, confidence));
        }
    }
    best.map(|(point, confidence)| Current::One(point.value.clone(), confidence))
}

/// The last time, from this one on, at which every point has the confidence that it has at this one; `None` when that
/// stays so for ever. What is [`current`] does not change up to then.
#[must_use]
pub fn unchanged_until(points: &[Observation], params: &HistoryParams, time: Timestamp) -> Option<Timestamp> {
    let one = |point: &Observation| {
        if point.confidence <= 0.0 {
            return None;
        }
        if time < point.t1 {
            // At the very start of the rise there is no confidence yet; without a rise it is there at `t1`.
            let last = point.t1.saturating_add(params.pre_validity.max(1).saturating_neg());
            return Some(last.max(time));
        }
        if time <= point.t2 {
            return Some(point.t2);
        }
        (time.since(point.t2) < params.expire_time.unwrap_or(i64::MAX).min(params.post_validity)).then_some(time)
    };
    points.iter().filter_map(one).min()
}

/// Merges neighbours of equal value whose extended validities touch; sorted by `t1` afterwards. The confidence of a
/// merged point is the mean of its parts. With `multi_value` each value has a chain of its own.
#[must_use]
pub fn aggregate(mut points: Vec<Observation>, params: &HistoryParams, multi_value: bool) -> Vec<Observation> {
    points.sort_by_key(|p| p.t1);
    let after = params.expire_time.map_or(params.post_validity, |end| end.min(params.post_validity));
    // Each open point with the sum of confidences and their number.
    let mut merged: Vec<(Observation, f64, f64)> = Vec::with_capacity(points.len());
    for point in points {
        let open = if multi_value {
            merged.iter_mut().rev().find(|(open, ..)| open.value == point.value)
        } else {
            merged.last_mut().filter(|(open, ..)| open.value == point.value)
        };
        match open {
            Some((open, sum, count))
                if open.t2.saturating_add(after) >= point.t1.saturating_add(params.pre_validity.saturating_neg()) =>
            {
                open.t2 = open.t2.max(point.t2);
                *sum += point.confidence;
                *count += 1.0;
            }
            _ => {
                let confidence = point.confidence;
                merged.push((point, confidence, 1.0));
            }
        }
    }
    let mean = |(point, sum, count)| Observation { confidence: sum / count, ..point };
    merged.into_iter().map(mean).collect()
}

/// One item of a timeseries.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Start.
    pub t1: Timestamp,
    /// End; the start for irregular ones.
    pub t2: Timestamp,
    /// Series by name; the implicit time series are in `t1` and `t2`.
    pub values: Vec<(String, Scalar)>,
}

/// The items of a chunk, in stored order.
#[must_use]
pub fn split(chunk: &Chunk, kind: TimeseriesType, time_step: Option<i64>) -> Vec<Point> {
    let len = chunk.series.first().map_or(0, |s| s.column.len());
    (0..len).map(|i| item(chunk, kind, time_step, i, len)).collect()
}

fn item(chunk: &Chunk, kind: TimeseriesType, time_step: Option<i64>, i: usize, len: usize) -> Point {
    let (t1, t2) = match kind {
        TimeseriesType::Regular => {
            // Without a step (an older specification) the chunk's own length tells it.
            let parts = i64::try_from(len).unwrap_or(i64::MAX);
            let step = time_step.unwrap_or_else(|| chunk.t2.since(chunk.t1).checked_div(parts).unwrap_or(0));
            let t1 = chunk.t1.saturating_add(step.saturating_mul(i64::try_from(i).unwrap_or(i64::MAX)));
            (t1, t1.saturating_add(step))
        }
        TimeseriesType::Irregular => {
            let time = time_of(chunk, "time", i).unwrap_or(chunk.t1);
            (time, time)
        }
        TimeseriesType::IrregularIntervals => {
            let first = time_of(chunk, "time_first", i).unwrap_or(chunk.t1);
            (first, time_of(chunk, "time_last", i).unwrap_or(first))
        }
    };
    let values = chunk
        .series
        .iter()
        .filter(|s| !implicit(kind).iter().any(|(name, _)| *name == s.name))
        .filter_map(|s| Some((s.name.clone(), scalar_at(&s.column, i)?)))
        .collect();
    Point { t1, t2, values }
}

/// The series that a kind of timeseries has by itself.
#[must_use]
pub fn implicit(kind: TimeseriesType) -> &'static [(&'static str, SeriesType)] {
    match kind {
        TimeseriesType::Regular => &[],
        TimeseriesType::Irregular => &[("time", SeriesType::Time)],
        TimeseriesType::IrregularIntervals => &[("time_first", SeriesType::Time), ("time_last", SeriesType::Time)],
    }
}

fn time_of(chunk: &Chunk, name: &str, i: usize) -> Option<Timestamp> {
    match &chunk.series.iter().find(|s| s.name == name)?.column {
        Column::Times(times) => times.get(i).copied(),
        Column::Ints(_) | Column::Floats(_) => None,
    }
}

fn scalar_at(column: &Column, i: usize) -> Option<Scalar> {
    match column {
        Column::Ints(v) => v.get(i).map(|n| Scalar::Int(*n)),
        Column::Floats(v) => v.get(i).map(|x| Scalar::Float(*x)),
        Column::Times(v) => v.get(i).map(|t| Scalar::Time(*t)),
    }
}

/// The key under which DP³ prints the confidence of an attribute's current value.
#[must_use]
pub fn confidence_key(attr: &AttrName) -> String {
    format!("{attr}#c")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(t1: i64, t2: i64, value: i64, confidence: f64) -> Observation {
        Observation { t1: Timestamp(t1), t2: Timestamp(t2), value: Value::Scalar(Scalar::Int(value)), confidence }
    }

    fn params() -> HistoryParams {
        HistoryParams { pre_validity: 10, post_validity: 20, ..HistoryParams::default() }
    }

    #[test]
    fn confidence_at_the_edges() {
        let p = point(100, 200, 1, 0.8);
        for (time, want) in
            [(89, 0.0), (90, 0.0), (95, 0.4), (100, 0.8), (150, 0.8), (200, 0.8), (210, 0.4), (220, 0.0), (221, 0.0)]
        {
            assert!((confidence_at(&p, &params(), Timestamp(time)) - want).abs() < 1e-12, "{time}");
        }
        let sharp = HistoryParams::default();
        assert_eq!(confidence_at(&p, &sharp, Timestamp(200)).to_bits(), 0.8f64.to_bits());
        assert_eq!(confidence_at(&p, &sharp, Timestamp(201)).to_bits(), 0f64.to_bits());
    }

    #[test]
    fn the_first_stored_wins_a_tie() {
        let points = [point(0, 9, 1, 0.5), point(0, 9, 2, 0.7), point(0, 9, 3, 0.7), point(0, 9, 1, 0.6)];
        let int = |n| Value::Scalar(Scalar::Int(n));
        assert_eq!(current(&points, &params(), false, Timestamp(5)), Some(Current::One(int(2), 0.7)));
        let many = Current::Many(vec![(int(1), 0.6), (int(2), 0.7), (int(3), 0.7)]);
        assert_eq!(current(&points, &params(), true, Timestamp(5)), Some(many));
        assert_eq!(current(&points, &params(), true, Timestamp(500)), None);
    }

    #[test]
    fn equal_neighbours_merge_when_their_validities_touch() {
        // 200 + 20 reaches 230 - 10; 300 + 20 does not reach 331 - 10.
        let points = vec![point(230, 300, 1, 0.4), point(100, 200, 1, 0.8), point(331, 340, 1, 1.0)];
        let merged = aggregate(points, &params(), false);
        assert_eq!(merged.len(), 2);
        assert_eq!((merged[0].t1, merged[0].t2), (Timestamp(100), Timestamp(300)));
        assert!((merged[0].confidence - 0.6).abs() < 1e-12);
        // Another value between ends the chain, unless several can be current.
        let points = vec![point(0, 5, 1, 1.0), point(1, 5, 2, 1.0), point(2, 5, 1, 1.0)];
        assert_eq!(aggregate(points.clone(), &params(), false).len(), 3);
        assert_eq!(aggregate(points, &params(), true).len(), 2);
    }

    #[test]
    fn a_range_includes_its_ends() {
        let range = TimeRange { from: Some(Timestamp(10)), to: Some(Timestamp(20)) };
        let overlaps = |t1, t2| range.overlaps(Timestamp(t1), Timestamp(t2));
        assert!(overlaps(0, 10) && overlaps(20, 30) && overlaps(0, 30) && overlaps(12, 13));
        assert!(!overlaps(0, 9) && !overlaps(21, 30));
        assert!(TimeRange::default().overlaps(Timestamp(i64::MIN), Timestamp(i64::MIN)));
    }
}
