//! What a module subscribes to, checked against the entity specification and the table of case hooks.

use std::collections::HashSet;

use tenter_model::case::{self, Phase};
use tenter_model::cron::Schedule;
use tenter_model::datatype::{DataType, ElementType, LinkType};
use tenter_model::hook::{CaseFilter, Family, Moment, Path, Subscription, Timer};
use tenter_model::id::{AttrName, EntityType};
use tenter_model::schema::{AttributeKind, AttributeSpec, EntitySpec};
use tenter_model::{Schema, Timestamp};
use wasmtime::Store;

use super::{AdmitError, Admitted, failed};
use crate::component::{Exports, ModuleCode};
use crate::convert::subscription as convert;
use crate::convert::{At, Checked};
use crate::guest::Guest;
use crate::instance::Instance;
use crate::text::{did_you_mean, escape};

/// Most subscriptions of one module.
const MAX_SUBSCRIPTIONS: usize = 1000;

/// Asks every exported family; languages whose components export all of them leave most without a wish. Without a
/// specification, what only it can tell is not checked.
pub(crate) fn collect(
    instance: &mut Instance,
    code: &ModuleCode,
    families: &[Family],
    schema: Option<&Schema>,
) -> Admitted<Vec<Subscription>> {
    let mut all = Vec::new();
    let mut ids = HashSet::new();
    for family in families {
        let function = format!("`{}.subscriptions`", family.interface());
        let given = instance.start(code, |store, exports| ask(store, exports, *family));
        let given = given
            .map_err(|f| failed("subscriptions", &format!("{function} failed"), &f, &instance.room))?
            .map_err(|bad| AdmitError::new("subscription", format!("{function} returned {bad}")))?;
        if all.len() + given.len() > MAX_SUBSCRIPTIONS {
            let text = format!("{function}: more than {MAX_SUBSCRIPTIONS} subscriptions; subscribe to fewer moments");
            return Err(AdmitError::new("subscriptions", text));
        }
        for subscription in given {
            if !ids.insert(subscription.id.clone()) {
                let text = format!(
                    "{function} returned the id {:?} twice; ids are unique in a module, since stored rows name them",
                    subscription.id
                );
                return Err(AdmitError::new("subscription", text));
            }
            let checked = match schema {
                Some(schema) => check(&subscription, schema),
                None => check_alone(&subscription),
            };
            checked.map_err(|what| {
                let text =
                    format!("{function}, subscription {:?} to {}: {what}", subscription.id, subscription.moment.kind());
                AdmitError::new("subscription", text)
            })?;
            all.push(subscription);
        }
    }
    if all.is_empty() {
        let asked: Vec<String> =
            families.iter().map(|family| format!("`{}.subscriptions`", family.interface())).collect();
        let text = format!(
            "the module subscribes to nothing: {} returned nothing; subscribe to at least one hook",
            asked.join(", ")
        );
        return Err(AdmitError::new("subscriptions", text));
    }
    Ok(all)
}

fn ask(store: &mut Store<Guest>, exports: &Exports, family: Family) -> wasmtime::Result<Checked<Vec<Subscription>>> {
    fn each<S>(given: Vec<S>, convert: fn(S) -> Checked<Subscription>) -> Checked<Vec<Subscription>> {
        given.into_iter().enumerate().map(|(i, s)| convert(s).at_index("subscriptions", i)).collect()
    }
    Ok(match family {
        Family::Ingest => match &exports.ingest {
            Some(guest) => each(guest.call_subscriptions(store)?, convert::ingest_from_wit),
            None => Ok(Vec::new()),
        },
        Family::Snapshot => match &exports.snapshot {
            Some(guest) => each(guest.call_subscriptions(store)?, convert::snapshot_from_wit),
            None => Ok(Vec::new()),
        },
        Family::Update => match &exports.update {
            Some(guest) => each(guest.call_subscriptions(store)?, convert::update_from_wit),
            None => Ok(Vec::new()),
        },
        Family::Schedule => match &exports.schedule {
            Some(guest) => each(guest.call_subscriptions(store)?, convert::schedule_from_wit),
            None => Ok(Vec::new()),
        },
        Family::Case => match &exports.cases {
            Some(guest) => each(guest.call_subscriptions(store)?, convert::cases_from_wit),
            None => Ok(Vec::new()),
        },
    })
}

/// What needs no specification: the table of case hooks and the forms of schedules are the same everywhere.
fn check_alone(subscription: &Subscription) -> Result<(), String> {
    match subscription.moment.kind().family() {
        Family::Case | Family::Schedule => check(subscription, &Schema::default()),
        Family::Ingest | Family::Snapshot | Family::Update => Ok(()),
    }
}

/// A schedule that can be read, and that fires at least once in the calendar.
fn schedule(timer: &Timer) -> Result<(), String> {
    match Schedule::of_timer(timer).map_err(|error| error.to_string())? {
        Some(schedule) if schedule.next(Timestamp(0)).is_none() => {
            let fields: Vec<_> = timer.fields.iter().flatten().map(|(name, text)| format!("{name}={text}")).collect();
            Err(format!("the schedule {} never fires: there is no such date", fields.join(" ")))
        }
        _ => Ok(()),
    }
}

fn check(subscription: &Subscription, schema: &Schema) -> Result<(), String> {
    match &subscription.moment {
        Moment::OnTaskStart | Moment::SnapshotInit | Moment::SnapshotFinalize => Ok(()),
        Moment::Cron(timer) => schedule(timer),
        Moment::AllowEntityCreation { etype: name } => etype(schema, name).map(drop),
        Moment::OnEntityCreation { etype: name, refresh, may_change } => {
            refreshable(*refresh, may_change)?;
            paths(schema, etype(schema, name)?, may_change)
        }
        Moment::OnNewAttribute { etype: name, attr, refresh, may_change } => {
            let spec = etype(schema, name)?;
            attribute(spec, attr)?;
            refreshable(*refresh, may_change)?;
            paths(schema, spec, may_change)
        }
        Moment::Timeseries { etype: name, attr } => {
            let found = attribute(etype(schema, name)?, attr)?;
            match &found.kind {
                AttributeKind::Timeseries { .. } => Ok(()),
                other => Err(format!("'{name}.{attr}' holds {}, expected a timeseries attribute", other.name())),
            }
        }
        Moment::Correlate(c) | Moment::CorrelateWithRecord(c) => {
            let spec = etype(schema, &c.etype)?;
            paths(schema, spec, &c.depends_on)?;
            paths(schema, spec, &c.may_change)
        }
        Moment::UpdateRecord(s) | Moment::UpdateEntity(s) => etype(schema, &s.etype).map(drop),
        Moment::Before(filter) | Moment::After { filter, .. } => {
            let before = matches!(subscription.moment, Moment::Before(_));
            case_filter(if before { Phase::Before } else { Phase::After }, filter)
        }
        Moment::Manual { object, .. } => {
            case_filter(Phase::Manual, &CaseFilter { object: Some(object.clone()), action: None })
        }
    }
}

fn etype<'a>(schema: &'a Schema, name: &EntityType) -> Result<&'a EntitySpec, String> {
    schema.entity(name.as_str()).ok_or_else(|| {
        let near = did_you_mean(name.as_str(), schema.entities().iter().map(|e| e.id.as_str()));
        format!("Entity '{name}' does not exist{near}")
    })
}

fn attribute<'a>(spec: &'a EntitySpec, name: &AttrName) -> Result<&'a AttributeSpec, String> {
    spec.attribute(name.as_str()).ok_or_else(|| {
        let near = did_you_mean(name.as_str(), spec.attributes().iter().map(|a| a.id.as_str()));
        format!("Attribute '{name}' of entity '{}' does not exist{near}", spec.id)
    })
}

fn refreshable(refresh: bool, may_change: &[Path]) -> Result<(), String> {
    if refresh && may_change.is_empty() {
        return Err("`refresh` is set, but `may-change` is empty; name what a re-run may set".into());
    }
    Ok(())
}

/// Every step but the last must be a relation, and every step must exist.
fn paths(schema: &Schema, spec: &EntitySpec, paths: &[Path]) -> Result<(), String> {
    for path in paths {
        let shown = || path.iter().map(AttrName::as_str).collect::<Vec<_>>().join("->");
        let Some((_, inner)) = path.split_last() else {
            return Err("Invalid path '', expected at least one attribute".into());
        };
        let mut here = spec;
        for (i, step) in path.iter().enumerate() {
            let wrong = || {
                let near = did_you_mean(step.as_str(), here.attributes().iter().map(|a| a.id.as_str()));
                let end = if near.is_empty() { "." } else { &near };
                format!("Invalid path '{}', failed on '{step}'{end}", shown())
            };
            let found = here.attribute(step.as_str()).ok_or_else(wrong)?;
            if i < inner.len() {
                let link = found.kind.data_type().and_then(relation);
                here = link
                    .and_then(|l| schema.entity(l.to.as_str()))
                    .ok_or_else(|| format!("Invalid path '{}', failed on '{step}': it is no relation.", shown()))?;
            }
        }
    }
    Ok(())
}

fn relation(data_type: &DataType) -> Option<&LinkType> {
    match data_type {
        DataType::Link(link) | DataType::Array(ElementType::Link(link)) | DataType::Set(ElementType::Link(link)) => {
            Some(link)
        }
        _ => None,
    }
}

fn case_filter(phase: Phase, filter: &CaseFilter) -> Result<(), String> {
    let (object, action) = (filter.object.as_deref(), filter.action.as_deref());
    if case::exists(phase, object, action) {
        return Ok(());
    }
    let rows = || case::TABLE.iter().filter(move |h| h.phase == phase);
    if let Some(object) = object.filter(|o| !case::exists(phase, Some(o), None)) {
        let near = did_you_mean(object, rows().map(|h| h.object));
        return Err(format!("no case hook of this phase is about the object {:?}{near}", escape(object, 60)));
    }
    let action = action.unwrap_or_default();
    let near = did_you_mean(action, rows().filter(|h| object.is_none_or(|o| o == h.object)).map(|h| h.action));
    let of = object.map_or(String::new(), |o| format!(" of {o:?}"));
    Err(format!("no case hook of this phase is about the action {:?}{of}{near}", escape(action, 60)))
}

#[cfg(test)]
#[path = "subscriptions_tests.rs"]
mod tests;
