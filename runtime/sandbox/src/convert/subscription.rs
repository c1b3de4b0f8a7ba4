//! Subscriptions of all families, and descriptors. Names are checked here, what they name in [`crate::admit`].

use tenter_model::hook::{CaseFilter, Correlation, Moment, Path, Subscription, Sweep, Timer};
use tenter_model::id::{AttrName, EntityType, SubscriptionId};
use tenter_model::module::{Descriptor, Parameter};

use super::{At, Bad, Checked, line};
use crate::bindings::exports::tenter::hooks::{cases, ingest, module, schedule, snapshot, update};
use crate::text::escape;

/// Longest descriptive text, in characters; the rest is cut.
const MAX_PROSE: usize = 2000;
/// Longest short text, such as a title or a cron field, in bytes.
const MAX_SHORT: usize = 200;
/// Longest JSON text in a subscription or descriptor, in bytes.
const MAX_JSON: usize = 16 << 10;

fn etype(name: &str) -> Checked<EntityType> {
    EntityType::new(name).at("etype")
}

fn attr(name: &str) -> Checked<AttrName> {
    AttrName::new(name).at("attr")
}

fn paths(field: &str, paths: Vec<Vec<String>>) -> Checked<Vec<Path>> {
    let path = |(i, steps): (usize, Vec<String>)| {
        let steps = steps.iter().enumerate().map(|(j, step)| AttrName::new(step).at_index("", j));
        steps.collect::<Checked<Path>>().at_index(field, i)
    };
    paths.into_iter().enumerate().map(path).collect()
}

fn json_text(text: String) -> Checked<String> {
    if text.len() > MAX_JSON {
        return Err(Bad::new(format!("{} bytes, expected at most {MAX_JSON}", text.len())));
    }
    match serde_json::from_str::<serde_json::Value>(&text) {
        Ok(_) => Ok(text),
        Err(e) => Err(Bad::new(format!("{:?} is not JSON: {e}", escape(&text, 40)))),
    }
}

pub(crate) fn ingest_from_wit(s: ingest::Subscription) -> Checked<Subscription> {
    let moment = match s.moment {
        ingest::Moment::OnTaskStart => Moment::OnTaskStart,
        ingest::Moment::AllowEntityCreation(name) => Moment::AllowEntityCreation { etype: etype(&name)? },
        ingest::Moment::OnEntityCreation(c) => Moment::OnEntityCreation {
            etype: etype(&c.etype)?,
            refresh: c.refresh,
            may_change: paths("may-change", c.may_change)?,
        },
        ingest::Moment::OnNewAttribute(w) => Moment::OnNewAttribute {
            etype: etype(&w.etype)?,
            attr: attr(&w.attr)?,
            refresh: w.refresh,
            may_change: paths("may-change", w.may_change)?,
        },
    };
    subscription(&s.id, moment)
}

pub(crate) fn snapshot_from_wit(s: snapshot::Subscription) -> Checked<Subscription> {
    let correlation = |c: snapshot::Correlation| -> Checked<Correlation> {
        Ok(Correlation {
            etype: etype(&c.etype)?,
            depends_on: paths("depends-on", c.depends_on)?,
            may_change: paths("may-change", c.may_change)?,
            whole: c.whole,
        })
    };
    let moment = match s.moment {
        snapshot::Moment::SnapshotInit => Moment::SnapshotInit,
        snapshot::Moment::SnapshotFinalize => Moment::SnapshotFinalize,
        snapshot::Moment::Timeseries(a) => Moment::Timeseries { etype: etype(&a.etype)?, attr: attr(&a.attr)? },
        snapshot::Moment::Correlate(c) => Moment::Correlate(correlation(c)?),
        snapshot::Moment::CorrelateWithRecord(c) => Moment::CorrelateWithRecord(correlation(c)?),
    };
    subscription(&s.id, moment)
}

pub(crate) fn update_from_wit(s: update::Subscription) -> Checked<Subscription> {
    let sweep = |s: update::Sweep| -> Checked<Sweep> {
        if s.period_seconds == 0 {
            return Err(Bad::new("0, expected at least 1").within("period-seconds"));
        }
        Ok(Sweep { etype: etype(&s.etype)?, period_seconds: s.period_seconds })
    };
    let moment = match s.moment {
        update::Moment::UpdateRecord(s) => Moment::UpdateRecord(sweep(s)?),
        update::Moment::UpdateEntity(s) => Moment::UpdateEntity(sweep(s)?),
    };
    subscription(&s.id, moment)
}

pub(crate) fn schedule_from_wit(s: schedule::Subscription) -> Checked<Subscription> {
    let schedule::Moment::Cron(timer) = s.moment;
    let (fields, timezone) = match timer.timing {
        schedule::Timing::OnceAtStart => (None, String::from("UTC")),
        schedule::Timing::Fields(f) => {
            let named = [
                ("year", f.year),
                ("month", f.month),
                ("day", f.day),
                ("week", f.week),
                ("day_of_week", f.day_of_week),
                ("hour", f.hour),
                ("minute", f.minute),
                ("second", f.second),
            ];
            let given = named.into_iter().filter_map(|(name, text)| text.map(|t| (name, t)));
            let fields = given.map(|(name, text)| Ok((name.to_owned(), line(text, MAX_SHORT).at(name)?)));
            (Some(fields.collect::<Checked<_>>()?), line(f.timezone, MAX_SHORT).at("timezone")?)
        }
    };
    let arguments = json_text(timer.arguments).at("arguments")?;
    subscription(&s.id, Moment::Cron(Timer { fields, timezone, grace_seconds: timer.grace_seconds, arguments }))
}

pub(crate) fn cases_from_wit(s: cases::Subscription) -> Checked<Subscription> {
    let name = |field: &str, text: Option<String>| text.map(|t| line(t, MAX_SHORT)).transpose().at(field);
    let moment = match s.moment {
        cases::Moment::Before(f) => {
            Moment::Before(CaseFilter { object: name("object", f.object)?, action: name("action", f.action)? })
        }
        cases::Moment::After(f) => Moment::After {
            filter: CaseFilter { object: name("object", f.object)?, action: name("action", f.action)? },
            synchronous: f.synchronous,
        },
        cases::Moment::Manual(m) => Moment::Manual {
            object: line(m.object, MAX_SHORT).at("object")?,
            title: line(m.title, MAX_SHORT).at("title")?,
        },
    };
    subscription(&s.id, moment)
}

fn subscription(id: &str, moment: Moment) -> Checked<Subscription> {
    Ok(Subscription { id: SubscriptionId::new(id).at("id")?, moment })
}

pub(crate) fn descriptor_from_wit(d: module::Descriptor) -> Checked<Descriptor> {
    let parameters = d.parameters.into_iter().enumerate();
    Ok(Descriptor {
        title: line(d.title, MAX_SHORT).at("title")?,
        description: escape_prose(&d.description),
        version: version(d.version).at("version")?,
        parameters: parameters.map(|(i, p)| parameter(p).at_index("parameters", i)).collect::<Checked<_>>()?,
    })
}

/// Kinds of parameter.
pub(crate) const KINDS: [&str; 8] = ["string", "secret", "boolean", "integer", "float", "json", "html", "markdown"];

fn parameter(p: module::Parameter) -> Checked<Parameter> {
    if !KINDS.contains(&p.kind.as_str()) {
        let near = crate::text::did_you_mean(&p.kind, KINDS);
        let kind = escape(&p.kind, 40);
        return Err(Bad::new(format!("{kind:?} is not one of {}{near}", KINDS.join(", "))).within("kind"));
    }
    if p.name.is_empty() {
        return Err(Bad::new("empty, expected the key in the configuration").within("name"));
    }
    Ok(Parameter {
        name: line(p.name, MAX_SHORT).at("name")?,
        title: line(p.title, MAX_SHORT).at("title")?,
        description: escape_prose(&p.description),
        kind: p.kind,
        section: p.section.map(|s| line(s, MAX_SHORT)).transpose().at("section")?,
        mandatory: p.mandatory,
        default: p.default_value.map(json_text).transpose().at("default-value")?,
    })
}

/// Prose may have lines; nothing else that controls a terminal.
fn escape_prose(text: &str) -> String {
    text.lines().map(|l| escape(l, MAX_PROSE)).collect::<Vec<_>>().join("\n")
}

/// `MAJOR.MINOR.PATCH`, with the usual additions.
fn version(text: String) -> Checked<String> {
    let text = line(text, 64)?;
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let parts: Vec<&str> = core.split('.').collect();
    let number = |p: &&str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit());
    if parts.len() == 3 && parts.iter().all(number) {
        return Ok(text);
    }
    Err(Bad::new(format!("{text:?} is not a semantic version, expected such as \"1.0.0\"")))
}
