//! Outputs at random, as a hostile guest would make them: each is taken whole or refused whole, and nothing panics.
//! `TENTER_EXTENT=full` makes 10 000 of them.

#![allow(clippy::disallowed_methods, reason = "the extent of a test comes from the environment")]

use std::cell::Cell;

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tenter_model::hook::Family;
use tenter_model::host::Reason;
use tenter_model::limits::CallLimits;

use super::task::{bytes_of, output_from_wit, task_from_wit};
use super::view::{change_from_wit, correlated_from_wit};
use crate::bindings::exports::tenter::hooks::snapshot;
use crate::bindings::tenter::hooks::types as wit;

/// Often good, often nearly good, sometimes anything.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec!["ip", "hostname", "192.0.2.1", "label", "a"]).prop_map(str::to_owned),
        1 => prop::sample::select(vec!["", "\0", "..", "\u{1b}[2J", "192.0.2.256", "{", "[[1]]", "\u{202e}", "a/b"]).prop_map(str::to_owned),
        1 => ".*",
        1 => (0usize..3000).prop_map(|n| "[".repeat(n)),
    ]
}

fn number() -> impl Strategy<Value = i64> {
    prop_oneof![3 => 0i64..2_000_000_000_000_000, 1 => any::<i64>(), 1 => prop::sample::select(vec![i64::MIN, -1, 0, i64::MAX])]
}

fn real() -> impl Strategy<Value = f64> {
    prop_oneof![3 => 0.0..=1.0, 1 => any::<u64>().prop_map(f64::from_bits)]
}

fn entity() -> impl Strategy<Value = wit::EntityRef> {
    (text(), text()).prop_map(|(etype, eid)| wit::EntityRef { etype, eid })
}

fn scalar() -> impl Strategy<Value = wit::Scalar> {
    prop_oneof![
        any::<bool>().prop_map(wit::Scalar::Boolean),
        number().prop_map(wit::Scalar::Integer),
        real().prop_map(wit::Scalar::Real),
        text().prop_map(wit::Scalar::Text),
        number().prop_map(wit::Scalar::Time),
        text().prop_map(wit::Scalar::Address),
        text().prop_map(wit::Scalar::Json),
    ]
}

fn members() -> impl Strategy<Value = Vec<wit::Member>> {
    vec((text(), scalar()).prop_map(|(name, value)| wit::Member { name, value }), 0..4)
}

fn link() -> impl Strategy<Value = wit::Link> {
    let data = prop_oneof![
        scalar().prop_map(wit::LinkData::One),
        vec(scalar(), 0..4).prop_map(wit::LinkData::Items),
        members().prop_map(wit::LinkData::Members),
    ];
    (entity(), of(data)).prop_map(|(target, data)| wit::Link { target, data })
}

fn series() -> impl Strategy<Value = wit::Series> {
    let column = prop_oneof![
        vec(number(), 0..4).prop_map(wit::Column::Integers),
        vec(real(), 0..4).prop_map(wit::Column::Reals),
        vec(number(), 0..4).prop_map(wit::Column::Times),
    ];
    (text(), column).prop_map(|(name, column)| wit::Series { name, column })
}

fn value() -> impl Strategy<Value = wit::Value> {
    prop_oneof![
        any::<bool>().prop_map(wit::Value::Boolean),
        number().prop_map(wit::Value::Integer),
        real().prop_map(wit::Value::Real),
        text().prop_map(wit::Value::Text),
        number().prop_map(wit::Value::Time),
        text().prop_map(wit::Value::Address),
        vec(scalar(), 0..4).prop_map(wit::Value::Items),
        members().prop_map(wit::Value::Members),
        link().prop_map(wit::Value::Link),
        vec(link(), 0..3).prop_map(wit::Value::Links),
        vec(series(), 0..3).prop_map(wit::Value::Chunk),
        text().prop_map(wit::Value::Json),
    ]
}

fn datapoint() -> impl Strategy<Value = wit::Datapoint> {
    (text(), value(), of(text()), of(number()), of(number()), of(real()))
        .prop_map(|(attr, value, src, t1, t2, confidence)| wit::Datapoint { attr, value, src, t1, t2, confidence })
}

fn task() -> impl Strategy<Value = wit::Task> {
    let tokens = vec((text(), of(number())).prop_map(|(name, until)| wit::TtlToken { name, until }), 0..2);
    (entity(), vec(datapoint(), 0..2), tokens, vec(text(), 0..2), any::<bool>()).prop_map(
        |(entity, datapoints, ttl_tokens, tags, remove_entity)| wit::Task {
            entity,
            datapoints,
            ttl_tokens,
            tags,
            remove_entity,
        },
    )
}

#[test]
fn outputs_are_taken_whole_or_refused_whole() {
    let full = std::env::var("TENTER_EXTENT").is_ok_and(|extent| extent == "full");
    let cases = if full { 10_000 } else { 2_000 };
    let limits = CallLimits { output_tasks: 4, ..CallLimits::of(Family::Ingest) };
    let (taken, refused, too_many) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    // On a failure proptest prints the smallest output that shows it.
    let result = runner.run(&vec(task(), 0..6), |tasks| {
        let count = tasks.len();
        let bad = tasks.iter().position(|task| task_from_wit(task.clone()).is_err());
        match (output_from_wit(tasks, &limits), bad) {
            (Ok(all), None) => {
                prop_assert_eq!(all.len(), count);
                taken.set(taken.get() + 1);
            }
            (Err(failure), _) if count > 4 => {
                prop_assert_eq!(failure.reason, Reason::OutputCount);
                too_many.set(too_many.get() + 1);
            }
            (Err(failure), Some(index)) => {
                prop_assert_eq!(failure.reason, Reason::InvalidOutput);
                let place = format!("tasks[{index}].");
                prop_assert!(failure.message.starts_with(&place), "{}", failure.message);
                prop_assert!(failure.message.len() <= crate::text::MAX_MESSAGE);
                prop_assert!(!failure.message.chars().any(char::is_control));
                refused.set(refused.get() + 1);
            }
            (other, bad) => return Err(TestCaseError::fail(format!("{other:?} with bad {bad:?}"))),
        }
        Ok(())
    });
    result.unwrap();
    let (taken, refused, too_many) = (taken.get(), refused.get(), too_many.get());
    println!("{taken} taken, {refused} refused, {too_many} with too many tasks");
    assert!(taken > 50 && refused > 50 && too_many > 50, "{taken} {refused} {too_many}");
}

fn change() -> impl Strategy<Value = snapshot::Change> {
    let weighted = (value(), of(real())).prop_map(|(value, confidence)| snapshot::Weighted { value, confidence });
    (entity(), text(), vec(weighted, 0..3)).prop_map(|(entity, attr, values)| snapshot::Change { entity, attr, values })
}

#[test]
fn changes_are_taken_whole_or_refused_whole() {
    let limits = CallLimits { output_tasks: 4, ..CallLimits::of(Family::Snapshot) };
    let (taken, refused, too_many) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(Config { cases: 2_000, failure_persistence: None, ..Config::default() });
    let result = runner.run(&(vec(change(), 0..6), vec(task(), 0..2)), |(changes, tasks)| {
        let (count, bytes) = (changes.len(), bytes_of(&tasks));
        prop_assert!(tasks.is_empty() || bytes > 0);
        let bad = changes.iter().position(|change| change_from_wit(change.clone()).is_err());
        let bad_task = tasks.iter().any(|task| task_from_wit(task.clone()).is_err());
        match (correlated_from_wit(snapshot::Correlated { changes, tasks }, &limits), bad) {
            (Ok(all), None) if !bad_task => {
                prop_assert_eq!(all.changes.len(), count);
                taken.set(taken.get() + 1);
            }
            (Err(failure), _) if count > 4 => {
                prop_assert_eq!(failure.reason, Reason::OutputCount);
                too_many.set(too_many.get() + 1);
            }
            (Err(failure), bad) if bad_task || bad.is_some() => {
                prop_assert_eq!(failure.reason, Reason::InvalidOutput);
                let place = bad.filter(|_| !bad_task).map_or("tasks[".to_owned(), |index| format!("changes[{index}]."));
                prop_assert!(failure.message.starts_with(&place), "{}", failure.message);
                prop_assert!(failure.message.len() <= crate::text::MAX_MESSAGE);
                prop_assert!(!failure.message.chars().any(char::is_control));
                refused.set(refused.get() + 1);
            }
            (other, bad) => return Err(TestCaseError::fail(format!("{other:?} with bad {bad:?}"))),
        }
        Ok(())
    });
    result.unwrap();
    let (taken, refused, too_many) = (taken.get(), refused.get(), too_many.get());
    println!("{taken} taken, {refused} refused, {too_many} with too many changes");
    assert!(taken > 50 && refused > 50 && too_many > 50, "{taken} {refused} {too_many}");
}
