//! What becomes of the changes that a correlation hook returns.
//!
//! Two steps: [`check`] brings every change to the types of the specification or refuses the whole output, and
//! [`Group::apply`](super::group::Group::apply) takes them in, declared ones before the others, since only those were
//! part of the order of hooks.

use super::document::RESERVED;
use super::group::Group;
use super::path::Attribute;
use super::plan::Step;
use crate::accept::{InputError, LocStep};
use crate::id::EntityRef;
use crate::schema::{AttributeKind, EntitySpec, Schema};
use crate::task::TaskBody;
use crate::value::Value;
use crate::view::{Change, CurrentValue, EntityView, View};

/// Changes that may be applied.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Checked {
    changes: Vec<Change>,
    /// Attributes that `may_change` does not declare, each once, in order of their first change. They are applied all the
    /// same, and to be reported once per module.
    pub undeclared: Vec<Attribute>,
}

impl Checked {
    /// In the order of application.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }
}

/// Checks the changes of one call. `view` is what the call saw: a change is about its root or one of its linked
/// entities. With `strict` (`may_change: strict`) an undeclared change is refused.
///
/// Values of configured attributes are brought to their type as those of tasks are, several only where the attribute
/// takes several. An observation without confidence has 1; one of a plain attribute is dropped. A name that the
/// specification does not know is kept with its values as they are.
///
/// # Errors
/// Everything that is wrong, at places such as `changes[2].values[0].v.eid`. Then none of the changes counts.
pub fn check(
    schema: &Schema,
    step: &Step,
    view: &View,
    changes: Vec<Change>,
    strict: bool,
) -> Result<Checked, Vec<InputError>> {
    let (mut declared, mut others) = (Vec::new(), Vec::new());
    let mut undeclared: Vec<Attribute> = Vec::new();
    let mut errors = Vec::new();
    for (i, change) in changes.into_iter().enumerate() {
        let change = match check_one(schema, view, change) {
            Ok(change) => change,
            Err(list) => {
                let outer = [LocStep::Str("changes".to_owned()), LocStep::Int(i)];
                errors.extend(list.into_iter().map(|e| e.within(outer.clone())));
                continue;
            }
        };
        if step.declares(change.entity.etype.as_str(), change.attr.as_str()) {
            declared.push(change);
            continue;
        }
        let attribute = (change.entity.etype.clone(), change.attr.clone());
        if strict {
            let message = format!(
                "'{}.{}' is not in `may-change` of hook {}, which is strict; declare it",
                attribute.0, attribute.1, step.hook
            );
            let outer = [LocStep::Str("changes".to_owned()), LocStep::Int(i)];
            errors.push(InputError::value("attr", message).within(outer));
        }
        if !undeclared.contains(&attribute) {
            undeclared.push(attribute);
        }
        others.push(change);
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    declared.append(&mut others);
    Ok(Checked { changes: declared, undeclared })
}

fn check_one(schema: &Schema, view: &View, change: Change) -> Result<Change, Vec<InputError>> {
    let one = |e: InputError| vec![e];
    let Change { entity, attr, values } = change;
    let spec = schema.known_entity(entity.etype.as_str()).map_err(|e| one(InputError::value("entity", e)))?;
    let eid = spec.id_type.parse(entity.eid.as_str()).map_err(|e| one(InputError::value("entity", e)))?;
    let entity = EntityRef { etype: spec.id.clone(), eid };
    let is_seen = view.root.entity == entity || view.linked.iter().any(|linked| linked.entity == entity);
    if !is_seen {
        let message = format!(
            "{entity} is neither the root ({}) nor linked to it by a path of the subscription; \
             return a task for it, or name a path to it in `may-change`",
            view.root.entity
        );
        return Err(one(InputError::value("entity", message)));
    }
    let Some(attribute) = spec.attribute(attr.as_str()) else {
        if RESERVED.contains(&attr.as_str()) {
            let message = format!("'{attr}' is a name of the document itself; choose another");
            return Err(one(InputError::value("attr", message)));
        }
        return confidences(values, None).map(|values| Change { entity, attr, values });
    };
    let (data_type, several, default) = match &attribute.kind {
        AttributeKind::Plain { data_type, .. } => (data_type, false, None),
        AttributeKind::Observations { data_type, multi_value, .. } => (data_type, *multi_value, Some(1.0)),
        AttributeKind::Timeseries { .. } => {
            let message =
                format!("'{}.{attr}' is a timeseries, which has no current value; return a task for it", spec.id);
            return Err(one(InputError::value("attr", message)));
        }
    };
    if values.len() > 1 && !several {
        let message = format!("'{}.{attr}' takes one value, found {}", spec.id, values.len());
        return Err(one(InputError::value("values", message)));
    }
    let mut values = confidences(values, default)?;
    let mut errors = Vec::new();
    for (i, (value, confidence)) in values.iter_mut().enumerate() {
        if default.is_none() {
            *confidence = None;
        }
        match data_type.accept(schema, std::mem::replace(value, Value::Items(Vec::new()))) {
            Ok(accepted) => *value = accepted,
            Err(e) => {
                let outer = [LocStep::Str("values".to_owned()), LocStep::Int(i)];
                errors.push(InputError::from(e).within(outer));
            }
        }
    }
    if errors.is_empty() { Ok(Change { entity, attr, values }) } else { Err(errors) }
}

type Weighted = Vec<(Value, Option<f64>)>;

fn confidences(mut values: Weighted, default: Option<f64>) -> Result<Weighted, Vec<InputError>> {
    let mut errors = Vec::new();
    for (i, (_, confidence)) in values.iter_mut().enumerate() {
        if let Some(c) = confidence.filter(|c| !(0.0..=1.0).contains(c)) {
            let message = format!("expected a confidence from 0 to 1, found {c}");
            errors.push(
                InputError::value("confidence", message).within([LocStep::Str("values".to_owned()), LocStep::Int(i)]),
            );
        }
        *confidence = confidence.or(default);
    }
    if errors.is_empty() { Ok(values) } else { Err(errors) }
}

impl Group {
    /// Takes checked changes in, in their order: a later one of the same attribute replaces an earlier one.
    pub fn apply(&mut self, schema: &Schema, checked: Checked) {
        for change in checked.changes {
            if let Some(view) = self.get_mut(&change.entity) {
                set(schema, view, change);
            }
        }
    }
}

/// Replaces the values of one attribute; the order of attributes stays that of the specification, and what it does not
/// know comes last.
fn set(schema: &Schema, view: &mut EntityView, change: Change) {
    let Change { attr, values, .. } = change;
    let spec = schema.entity(view.entity.etype.as_str());
    let rank = |name: &str| spec.and_then(|s| s.position(name)).unwrap_or(usize::MAX);
    let old = view.values.iter().position(|v| v.attr == attr);
    view.values.retain(|v| v.attr != attr);
    let place = old.unwrap_or_else(|| {
        let own = rank(attr.as_str());
        view.values.iter().position(|v| rank(v.attr.as_str()) > own).unwrap_or(view.values.len())
    });
    let new = values.into_iter().map(|(value, confidence)| CurrentValue { attr: attr.clone(), value, confidence });
    view.values.splice(place..place, new);
}

/// Current values that come of the tasks of a refresh: the plain datapoints of the entity itself, as changes. The tasks
/// are accepted already.
#[must_use]
pub fn of_refresh(schema: &Schema, entity: &EntityRef, tasks: &[TaskBody]) -> Vec<Change> {
    let is_plain = |spec: &EntitySpec, attr: &str| {
        spec.attribute(attr).is_some_and(|a| matches!(a.kind, AttributeKind::Plain { .. }))
    };
    let Some(spec) = schema.entity(entity.etype.as_str()) else { return Vec::new() };
    let own = tasks.iter().filter(|task| task.entity == *entity && !task.delete);
    own.flat_map(|task| &task.datapoints)
        .filter(|dp| is_plain(spec, dp.attr.as_str()))
        .map(|dp| Change { entity: entity.clone(), attr: dp.attr.clone(), values: vec![(dp.value.clone(), None)] })
        .collect()
}
