//! Current values, confidence and aggregation against the words of the specification, written out naively.

use tenter_model::history::{aggregate, confidence_at, unchanged_until};
use tenter_model::record::{History, MasterRecord, Observation};
use tenter_model::schema::{AttributeKind, HistoryParams};
use tenter_model::snapshot::current::current_values;
use tenter_model::view::CurrentValue;
use tenter_model::{Timestamp, Value};

use crate::support::*;

const SECOND: i64 = 1_000_000;

fn points(random: &mut Random, unit: i64) -> Vec<Observation> {
    let len = random.below(10);
    (0..len)
        .map(|_| {
            let t1 = random.between(0, 60) * unit;
            let c = [0.0, 0.25, 0.5, 0.5, 0.9, 1.0][random.below(6)];
            point(t1, t1 + random.between(0, 25) * unit, random.between(0, 3), c)
        })
        .collect()
}

/// The words of the specification, one sentence a line.
#[allow(clippy::cast_precision_loss, reason = "small numbers")]
fn slow_confidence(p: &Observation, params: &HistoryParams, time: i64) -> f64 {
    let (t1, t2, c, pre, post) = (p.t1.0, p.t2.0, p.confidence, params.pre_validity, params.post_validity);
    if t1 <= time && time <= t2 {
        c
    } else if time < t1 {
        if time <= t1 - pre { 0.0 } else { c * (1.0 - (t1 - time) as f64 / pre as f64) }
    } else if time >= t2 + post || params.expire_time.is_some_and(|expire| time >= t2 + expire) {
        0.0
    } else {
        c * (1.0 - (time - t2) as f64 / post as f64)
    }
}

fn slow_current(points: &[Observation], params: &HistoryParams, multi: bool, time: i64) -> Vec<(Value, f64)> {
    let mut all: Vec<(Value, f64)> =
        points.iter().map(|p| (p.value.clone(), slow_confidence(p, params, time))).collect();
    all.retain(|(_, c)| *c > 0.0);
    let best_of = |list: &[(Value, f64)]| list.iter().map(|(_, c)| *c).fold(0.0, f64::max);
    if !multi {
        let best = best_of(&all);
        return all.into_iter().find(|(_, c)| *c == best).into_iter().collect();
    }
    let mut out = Vec::new();
    while let Some((value, _)) = all.first().cloned() {
        let (same, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|(v, _)| *v == value);
        out.push((value, best_of(&same)));
        all = rest;
    }
    out
}

#[test]
fn current_values_are_those_of_the_slow_way() {
    let schema = schema();
    let spec = schema.entity("a").unwrap();
    cases("current values", |random| {
        let mut record = MasterRecord::new(Timestamp(0));
        for attr in ["o", "m", "e"] {
            if !random.chance(8) {
                record.attributes.insert(name(attr), History::Observations(points(random, SECOND)));
            }
        }
        if random.chance(2) {
            record.attributes.insert(name("p"), plain(int(random.between(0, 9))));
        }
        // Half of the times lie on an edge.
        let mut time = random.between(-20, 110) * SECOND / 2;
        if let Some(History::Observations(list)) = record.attributes.get("o")
            && let Some(p) = list.first()
            && random.chance(2)
        {
            time = [p.t1.0 - 10 * SECOND, p.t1.0, p.t2.0, p.t2.0 + 1, p.t2.0 + 20 * SECOND][random.below(5)];
        }
        let mut expected: Vec<(String, Value, Option<f64>)> = Vec::new();
        let mut is_telling = false;
        for attribute in spec.attributes() {
            let id = attribute.id.to_string();
            match (&attribute.kind, record.attributes.get(&attribute.id)) {
                (AttributeKind::Plain { mirror_of: Some(_), .. }, _) => expected.push((id, links(&[]), None)),
                (AttributeKind::Plain { .. }, Some(History::Plain { value, .. })) => {
                    expected.push((id, value.clone(), None));
                }
                (AttributeKind::Observations { multi_value, history, .. }, Some(History::Observations(list))) => {
                    let current = slow_current(list, history, *multi_value, time);
                    let faded = |c: &f64| list.iter().all(|p| p.confidence != *c);
                    is_telling |= current.len() > 1 || current.iter().any(|(_, c)| faded(c));
                    expected.extend(current.into_iter().map(|(v, c)| (id.clone(), v, Some(c))));
                }
                _ => {}
            }
        }
        let of = entity("a/1");
        let found = current_values(&schema, &of, Some(&record), &[], Timestamp(time));
        let found: Vec<_> = found.values.into_iter().map(|v| (v.attr.to_string(), v.value, v.confidence)).collect();
        assert_eq!(found, expected, "at {time} of {record:?}");
        is_telling
    });
}

#[test]
fn confidence_is_that_of_exact_fractions() {
    cases("confidence", |random| {
        let (pre, post) = (random.between(0, 30), random.between(0, 30));
        let expire_time = random.chance(3).then(|| random.between(0, 30));
        let params = HistoryParams { pre_validity: pre, post_validity: post, expire_time, ..HistoryParams::default() };
        let t1 = random.between(0, 50);
        let (t2, percent) = (t1 + random.between(0, 20), random.between(1, 100));
        let time = random.between(t1 - 35, t2 + 35);
        #[allow(clippy::cast_precision_loss, reason = "small numbers")]
        let as_float = |n: i64, of: i64| n as f64 / of as f64;
        let p = point(t1, t2, 1, as_float(percent, 100));
        // The distance outside of the interval and how far it may be, as a fraction of a fraction.
        let (left, reach) = match time {
            t if t < t1 => (pre - (t1 - t), pre),
            t if t > t2 && expire_time.is_some_and(|e| t - t2 >= e) => (0, 1),
            t if t > t2 => (post - (t - t2), post),
            _ => (1, 1),
        };
        let exact = if left <= 0 { 0.0 } else { as_float(percent * left, 100 * reach) };
        let found = confidence_at(&p, &params, Timestamp(time));
        assert!((found - exact).abs() < 1e-12, "{found} is not {exact} at {time} of {p:?} with {params:?}");
        assert_eq!(found == 0.0, exact == 0.0);
        0.0 < exact && exact < p.confidence
    });
}

/// A document is not computed again before this time: it must never be too late, and rarely too early.
#[test]
fn nothing_changes_before_it_is_said_to() {
    cases("unchanged until", |random| {
        let points = points(random, 1);
        let (pre, post) = (random.between(0, 6), random.between(0, 6));
        let expire_time = random.chance(3).then(|| random.between(0, 6));
        let params = HistoryParams { pre_validity: pre, post_validity: post, expire_time, ..HistoryParams::default() };
        let time = random.between(-10, 100);
        let at = |time: i64| points.iter().map(|p| slow_confidence(p, &params, time)).collect::<Vec<_>>();
        // All that can change has changed by then.
        let first = (time + 1..200).find(|t| at(*t) != at(time));
        let found = unchanged_until(&points, &params, Timestamp(time)).map(|t| t.0);
        assert_eq!(found, first.map(|t| t - 1), "at {time} of {points:?} with {params:?}");
        found.is_some_and(|until| until > time)
    });
}

/// One value after another: points in order of `t1`; a point joins the last group when it has its value and touches it.
fn slow_chain(mut points: Vec<Observation>, pre: i64, post: i64) -> Vec<Observation> {
    points.sort_by_key(|p| p.t1);
    let mut groups: Vec<Vec<Observation>> = Vec::new();
    for p in points {
        let end = |group: &Vec<Observation>| group.iter().map(|g| g.t2.0).max().unwrap();
        match groups.last_mut() {
            Some(group) if group[0].value == p.value && end(group) + post >= p.t1.0 - pre => group.push(p),
            _ => groups.push(vec![p]),
        }
    }
    #[allow(clippy::cast_precision_loss, reason = "small numbers")]
    let merge = |group: Vec<Observation>| Observation {
        t1: group[0].t1,
        t2: group.iter().map(|g| g.t2).max().unwrap(),
        value: group[0].value.clone(),
        confidence: group.iter().map(|g| g.confidence).sum::<f64>() / group.len() as f64,
    };
    groups.into_iter().map(merge).collect()
}

/// Each value alone, then all together in order of `t1`.
fn slow_chains(points: &[Observation], pre: i64, post: i64) -> Vec<Observation> {
    let mut all: Vec<Observation> = Vec::new();
    for value in 0..=3 {
        let own = points.iter().filter(|p| p.value == int(value)).cloned().collect();
        all.extend(slow_chain(own, pre, post));
    }
    all.sort_by_key(|p| p.t1);
    all
}

#[test]
fn aggregation_is_that_of_the_slow_way() {
    cases("aggregation", |random| {
        let points = points(random, 1);
        let (pre, post) = (random.between(0, 8), random.between(0, 8));
        let params = HistoryParams { pre_validity: pre, post_validity: post, ..HistoryParams::default() };
        assert_eq!(aggregate(points.clone(), &params, false), slow_chain(points.clone(), pre, post));
        // Points of different values that begin together may stand in either order.
        let key = |p: &Observation| (p.t1, format!("{:?}", p.value));
        let (mut found, mut expected) = (aggregate(points.clone(), &params, true), slow_chains(&points, pre, post));
        found.sort_by_key(key);
        expected.sort_by_key(key);
        assert_eq!(found, expected, "{points:?}");
        1 < found.len() && found.len() < points.len()
    });
}

/// `expire_time` is built, as DP³ documents it: 0 obeys `t2` strictly, and nothing extends a value beyond it.
#[test]
fn expire_time_ends_what_is_current() {
    let p = point(0, 100, 1, 1.0);
    let with = |expire_time| HistoryParams { post_validity: 50, expire_time, ..HistoryParams::default() };
    let at = |expire_time, time| confidence_at(&p, &with(expire_time), Timestamp(time));
    assert_eq!((at(Some(0), 100), at(Some(0), 101)), (1.0, 0.0));
    assert_eq!((at(Some(10), 109), at(Some(10), 110)), (at(None, 109), 0.0));
    assert_eq!((at(Some(1000), 149), at(Some(1000), 150)), (at(None, 149), 0.0));
    // What may not be current in between does not merge.
    let apart = vec![point(0, 10, 1, 1.0), point(40, 50, 1, 1.0)];
    assert_eq!(aggregate(apart.clone(), &with(None), false).len(), 1);
    assert_eq!(aggregate(apart, &with(Some(10)), false).len(), 2);
}

#[test]
fn a_second_pass_takes_the_mean_of_its_own_points() {
    let params = HistoryParams::default();
    let once = aggregate(vec![point(0, 5, 1, 1.0), point(3, 8, 1, 0.0)], &params, false);
    assert_eq!(once, [point(0, 8, 1, 0.5)]);
    assert_eq!(aggregate(vec![once[0].clone(), point(8, 9, 1, 1.0)], &params, false), [point(0, 9, 1, 0.75)]);
}

#[test]
fn mirrors_are_always_there_and_stale_histories_never() {
    let schema = schema();
    let mut stored = record(vec![("p", History::Observations(vec![point(0, 9, 1, 1.0)])), ("gone", plain(int(1)))]);
    stored.attributes.insert(name("tag"), plain(int(3)));
    let of = entity("b/1");
    let found = current_values(&schema, &of, Some(&stored), &[(name("as"), vec![entity("a/x")])], Timestamp(5));
    let mirror = CurrentValue { attr: name("as"), value: links(&["a/x"]), confidence: None };
    let tag = CurrentValue { attr: name("tag"), value: int(3), confidence: None };
    assert_eq!(found.values, [tag, mirror]);
    let nothing = current_values(&schema, &of, None, &[], Timestamp(5));
    assert_eq!(nothing.values, [CurrentValue { attr: name("as"), value: links(&[]), confidence: None }]);
    let unknown = current_values(&schema, &entity("x/1"), Some(&stored), &[], Timestamp(5));
    assert!(unknown.values.is_empty());
}
