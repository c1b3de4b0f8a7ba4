//! Views of snapshot hooks, and what these return.

use tenter_model::EntityRef;
use tenter_model::host::{HookFailure, Reason};
use tenter_model::id::AttrName;
use tenter_model::limits::CallLimits;
use tenter_model::view::{Change, Correlated, EntityView, RunContext, View};

use super::task::output_from_wit;
use super::value::{confidence_from_wit, entity_from_wit, entity_to_wit, value_from_wit, value_to_wit};
use super::{At, Bad, Checked};
use crate::bindings::exports::tenter::hooks::snapshot;
use crate::bindings::tenter::hooks::types as wit;

pub(crate) fn run_to_wit(run: &RunContext) -> snapshot::Run {
    snapshot::Run { id: run.id.clone(), time: run.time.0 }
}

pub(crate) fn entity_view_to_wit(view: &EntityView) -> wit::EntityView {
    let values = view.values.iter().map(|v| wit::CurrentValue {
        attr: v.attr.as_str().to_owned(),
        value: value_to_wit(&v.value),
        confidence: v.confidence,
    });
    wit::EntityView { entity: entity_to_wit(&view.entity), values: values.collect() }
}

pub(crate) fn view_to_wit(view: &View) -> snapshot::View {
    let linked = view.linked.iter().map(entity_view_to_wit).collect();
    snapshot::View { root: entity_view_to_wit(&view.root), linked }
}

/// The record of an entity that has none.
pub(crate) fn no_record(entity: &EntityRef) -> wit::MasterRecord {
    wit::MasterRecord {
        entity: entity_to_wit(entity),
        created: None,
        revision: 0,
        ttl_tokens: Vec::new(),
        attributes: Vec::new(),
    }
}

/// All of an output, or why it is refused as a whole. Changes have the same bound as tasks.
pub(crate) fn correlated_from_wit(
    correlated: snapshot::Correlated,
    limits: &CallLimits,
) -> Result<Correlated, HookFailure> {
    let (count, limit) = (correlated.changes.len(), limits.output_tasks as usize);
    if count > limit {
        let what = format!("returned {count} of {limit} changes; {}", Reason::OutputCount.hint());
        return Err(HookFailure::new(Reason::OutputCount, what));
    }
    let tasks = output_from_wit(correlated.tasks, limits)?;
    let changes = correlated.changes.into_iter().enumerate();
    let changes = changes.map(|(i, change)| change_from_wit(change).at_index("changes", i)).collect::<Checked<_>>();
    Ok(Correlated { changes: changes.map_err(Bad::into_failure)?, tasks })
}

pub(crate) fn change_from_wit(change: snapshot::Change) -> Checked<Change> {
    let value = |weighted: snapshot::Weighted| -> Checked<_> {
        let value = value_from_wit(weighted.value).at("value")?;
        Ok((value, weighted.confidence.map(confidence_from_wit).transpose().at("confidence")?))
    };
    let values = change.values.into_iter().enumerate();
    Ok(Change {
        entity: entity_from_wit(&change.entity).at("entity")?,
        attr: AttrName::new(&change.attr).at("attr")?,
        values: values.map(|(i, v)| value(v).at_index("values", i)).collect::<Checked<_>>()?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::option::of;
    use proptest::prelude::*;
    use tenter_model::hook::Family;
    use tenter_model::view::CurrentValue;

    use super::super::value::tests::{entity, value};
    use super::*;

    fn entity_view() -> impl Strategy<Value = EntityView> {
        let current = ("[a-z_]{1,9}", value(), of(0.0..=1.0)).prop_map(|(attr, value, confidence)| CurrentValue {
            attr: AttrName::new(&attr).unwrap(),
            value,
            confidence,
        });
        (entity(), vec(current, 0..5)).prop_map(|(entity, values)| EntityView { entity, values })
    }

    fn change() -> impl Strategy<Value = Change> {
        (entity(), "[a-z_]{1,9}", vec((value(), of(0.0..=1.0)), 0..4)).prop_map(|(entity, attr, values)| Change {
            entity,
            attr: AttrName::new(&attr).unwrap(),
            values,
        })
    }

    fn to_wit(change: &Change) -> snapshot::Change {
        let weighted =
            |(value, confidence): &_| snapshot::Weighted { value: value_to_wit(value), confidence: *confidence };
        snapshot::Change {
            entity: entity_to_wit(&change.entity),
            attr: change.attr.as_str().to_owned(),
            values: change.values.iter().map(weighted).collect(),
        }
    }

    proptest! {
        #[test]
        fn views_pass_whole(root in entity_view(), linked in vec(entity_view(), 0..3)) {
            let view = View { root, linked };
            let wit = view_to_wit(&view);
            let back = |e: wit::EntityView| EntityView {
                entity: entity_from_wit(&e.entity).unwrap(),
                values: e.values.into_iter().map(|v| CurrentValue {
                    attr: AttrName::new(&v.attr).unwrap(),
                    value: value_from_wit(v.value).unwrap(),
                    confidence: v.confidence,
                }).collect(),
            };
            prop_assert_eq!(View { root: back(wit.root), linked: wit.linked.into_iter().map(back).collect() }, view);
        }

        #[test]
        fn changes_survive_both_ways(change in change()) {
            prop_assert_eq!(change_from_wit(to_wit(&change)), Ok(change));
        }
    }

    fn good() -> snapshot::Change {
        let value = snapshot::Weighted { value: wit::Value::Boolean(true), confidence: Some(0.5) };
        let entity = wit::EntityRef { etype: "ip".into(), eid: "192.0.2.1".into() };
        snapshot::Change { entity, attr: "label".into(), values: vec![value.clone(), value] }
    }

    fn refusal(spoil: impl FnOnce(&mut snapshot::Change)) -> String {
        let mut bad = good();
        spoil(&mut bad);
        let output = snapshot::Correlated { changes: vec![good(), bad], tasks: Vec::new() };
        let failure = correlated_from_wit(output, &CallLimits::of(Family::Snapshot)).unwrap_err();
        assert_eq!(failure.reason, Reason::InvalidOutput);
        failure.message.replace(&format!("; {}", Reason::InvalidOutput.hint()), "")
    }

    #[test]
    fn refusals_name_index_and_field() {
        insta::assert_snapshot!(refusal(|c| c.attr = "a b".into()), @r#"changes[1].attr: attribute name "a b" is not valid: expected a letter or _, then letters, digits, _ or -, at most 128 characters"#);
        insta::assert_snapshot!(refusal(|c| c.entity.eid = String::new()), @r#"changes[1].entity.eid: entity id "" is not valid: expected 1 to 512 bytes without control characters"#);
        insta::assert_snapshot!(refusal(|c| c.values[1].confidence = Some(-0.5)), @"changes[1].values[1].confidence: -0.5 is not within 0 and 1");
        insta::assert_snapshot!(refusal(|c| c.values[1].confidence = Some(f64::NAN)), @"changes[1].values[1].confidence: NaN is not a finite number");
        insta::assert_snapshot!(refusal(|c| c.values[0].value = wit::Value::Json("[".repeat(99))), @"changes[1].values[0].value: JSON is nested deeper than 32 levels");
    }

    #[test]
    fn too_many_changes_are_refused_as_a_whole() {
        let limits = CallLimits { output_tasks: 2, ..CallLimits::of(Family::Snapshot) };
        let output = |n| snapshot::Correlated { changes: vec![good(); n], tasks: Vec::new() };
        assert_eq!(correlated_from_wit(output(2), &limits).unwrap().changes.len(), 2);
        let failure = correlated_from_wit(output(3), &limits).unwrap_err();
        assert_eq!(failure.reason, Reason::OutputCount);
        insta::assert_snapshot!(failure.message, @"returned 3 of 2 changes; the hook returned more than allowed in one call; return less");
    }
}
