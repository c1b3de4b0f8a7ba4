//! Joins indicators of cases and profiles of entities: an indicator gets a profile, its profile is shown on it, and what
//! becomes known of it later is a note in the case.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;
use serde_json::{Value as Json, json};
use tenter_sdk::case::{CustomField, Edit};
use tenter_sdk::prelude::*;

/// What marks an indicator whose profile is in a list of threats.
const TAG: &str = "in-threat-list";
/// Longest pause between two looks at a profile, in seconds.
const LONGEST: u32 = 6 * 3_600;

#[derive(Deserialize)]
struct IocProfile {
    /// Entity types by the kind of value that they hold.
    entity_types: BTreeMap<String, String>,
    /// The attribute that gets the name of the case.
    seen_attribute: String,
    /// The attribute that is there when the entity is in a list of threats.
    threat_attribute: String,
    /// Seconds until a profile that says nothing of threats is looked at again; 0 for never. Each pause is twice the one
    /// before.
    look_again: u32,
}

impl Module for IocProfile {
    const TITLE: &'static str = "Profiles of indicators";

    fn parameters() -> Vec<Parameter> {
        vec![
            Parameter::new("json", "entity_types")
                .title("Entity types")
                .description("Which entity type holds a kind of value: address, domain, hash.")
                .default_json(r#"{"address": "ip"}"#),
            Parameter::new("string", "seen_attribute")
                .title("Seen in")
                .description("The plain attribute that gets the name of the case.")
                .default_json("\"in_case\""),
            Parameter::new("string", "threat_attribute")
                .title("Threats")
                .description("The attribute that is there when the entity is in a list of threats.")
                .default_json("\"threat_list\""),
            Parameter::new("integer", "look_again")
                .title("Look again")
                .description("Seconds until a profile is looked at again, at first; 0 for never.")
                .default_json("60"),
        ]
    }

    fn new(config: &Config) -> Result<Self> {
        config.parse()
    }

    fn register(&self, on: &mut Registrar<Self>) {
        on.after("ioc", "create", Self::begin);
        on.manual("ioc", "Profile", Self::show).id("profile");
        on.request("case-write", "ioc");
        on.request("case-write", "note");
        for etype in self.entity_types.values() {
            on.request("read-entities", etype);
            on.request("write-entities", format!("{etype}.{}", self.seen_attribute));
        }
    }
}

impl IocProfile {
    /// A datapoint makes the profile, if there is none; one that is there may say something already. Where it does not,
    /// it is looked at again, until it does or the case is closed.
    fn begin(&mut self, context: &Context, _: &Event, written: &[Written]) -> Result<Outcome> {
        let case = context.case_name.clone().or_else(|| context.case_id.map(|id| format!("#{id}"))).unwrap_or_default();
        // What a call left for this one is the pause between them.
        let pause = call::memo().and_then(|memo| memo.parse::<u32>().ok());
        let (mut outcome, mut harmless) = (Outcome::nothing(), false);
        for ioc in written.iter().filter_map(|written| written.new.as_ref()) {
            let value = value_of(ioc)?;
            let Some(entity) = self.entity(&value) else { continue };
            match entities::read_record(&entity)?.filter(|record| self.is_threat(record)) {
                None => harmless = true,
                Some(record) => {
                    outcome = outcome.patch(Patch::of(ioc).of_any_version().add_tag(TAG));
                    if pause.is_some() {
                        outcome = outcome.create("note", context.case_id, &news(&value, &record));
                    }
                }
            }
            if pause.is_none() {
                outcome = outcome.task(Task::on(entity).plain(self.seen_attribute.clone(), case.clone()));
            }
        }
        if harmless && self.look_again > 0 {
            let pause = pause.map_or(self.look_again, |pause| pause.saturating_mul(2)).min(LONGEST);
            if !call::resume_after(pause, &pause.to_string()) {
                log::info!("the profile is looked at no more");
            }
        }
        Ok(outcome)
    }

    fn show(&mut self, _: &Context, _: &Event, chosen: &[CaseObject]) -> Result<ManualOutcome> {
        let (mut outcome, mut shown, mut found) = (ManualOutcome::nothing(), Vec::new(), 0);
        for ioc in chosen {
            let value = value_of(ioc)?;
            let record = match self.entity(&value) {
                Some(entity) => entities::read_record(&entity)?,
                None => None,
            };
            let Some(record) = record else {
                shown.push(format!("* `{value}` has no profile."));
                continue;
            };
            found += 1;
            let lines = described(&record);
            let items: String = lines.iter().map(|line| format!("<li>{}</li>", escaped(line))).collect();
            let field = CustomField {
                tab: "Profile".into(),
                name: format!("{} {}", record.entity.etype, record.entity.eid),
                kind: "html".into(),
                json: Json::from(format!("<ul>{items}</ul>")).to_string(),
            };
            let mut patch = Patch::of(ioc).edit(Edit::SetCustomField(field));
            if self.is_threat(&record) {
                patch = patch.add_tag(TAG);
            }
            outcome = outcome.patch(patch);
            shown.push(format!("* `{value}`: {}", lines.join("; ")));
        }
        let message = format!("{found} of {} have a profile", chosen.len());
        Ok(outcome.report(message, Media::Markdown, shown.join("\n")))
    }

    /// The entity that a value is the id of.
    fn entity(&self, value: &str) -> Option<EntityRef> {
        let etype = self.entity_types.get(kind_of(value)?)?;
        Some(EntityRef { etype: etype.clone(), eid: value.to_owned() })
    }

    fn is_threat(&self, record: &MasterRecord) -> bool {
        record.history(&self.threat_attribute).is_some()
    }
}

fn value_of(ioc: &CaseObject) -> Result<String> {
    let body: Json = ioc.parse()?;
    Ok(body.get("ioc_value").and_then(Json::as_str).unwrap_or_default().trim().to_lowercase())
}

/// The note about an indicator whose profile has come to be in a list of threats.
fn news(value: &str, record: &MasterRecord) -> Json {
    let lines: String = described(record).iter().map(|line| format!("* {}\n", escaped(line))).collect();
    json!({
        "note_title": format!("{value:.100} is in a list of threats"),
        "note_content": format!("What is known of `{value}` by now:\n\n{lines}"),
    })
}

/// What sort of thing a value names.
fn kind_of(value: &str) -> Option<&'static str> {
    let label = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if value.parse::<IpAddr>().is_ok() {
        Some("address")
    } else if [32, 40, 64].contains(&value.len()) && value.bytes().all(|b| b.is_ascii_hexdigit()) {
        Some("hash")
    } else if value.contains('.') && value.split('.').all(label) {
        Some("domain")
    } else {
        None
    }
}

/// A line for each attribute that has a value: the plain one, or the newest that was observed.
fn described(record: &MasterRecord) -> Vec<String> {
    let newest = |attr: &str| record.observations(attr).max_by_key(|point| point.t2).map(|point| point.value);
    let lines = record.attributes.iter().filter_map(|attribute| {
        let name = attribute.attr.as_str();
        let value = record.plain(name).cloned().or_else(|| newest(name))?;
        Some(format!("{name} = {}", text(&value)?))
    });
    lines.collect()
}

/// A simple value for people.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) | Value::Address(text) | Value::Json(text) => Some(text.clone()),
        Value::Boolean(truth) => Some(truth.to_string()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Real(number) => Some(number.to_string()),
        Value::Time(_) => value.as_time().map(|time| time.to_string()),
        Value::Link(_) => value.as_entity().map(|entity| entity.eid.clone()),
        _ => None,
    }
}

/// What others wrote is no markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

tenter_sdk::export!(IocProfile: cases);

#[cfg(test)]
mod tests;
