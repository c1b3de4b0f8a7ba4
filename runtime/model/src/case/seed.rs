//! What a new store has: look-up tables, the first customer, user and group, the first case.
//!
//! Ids are places in lists, from 1 or, for statuses that are numbers in the API, from 0; new rows go to the ends. An
//! operator may change what was seeded, so that a store takes these rows once, when a table is new to it.

mod classifications;
mod ioc_types;
mod templates;

use serde_json::{Value, json};

use super::look_up::{LookUpKind as Look, LookUpRow};
use super::object::{Acting, Body, uuid};
use super::{ObjectKind, moment};

/// The id of the first user, customer, group and case.
pub const FIRST: i64 = 1;
/// The state of cases that are worked on.
pub const OPEN: i64 = 3;
/// The state of cases that are done with.
pub const CLOSED: i64 = 9;
/// The login of the first user.
pub const ADMINISTRATOR: &str = "administrator";

/// The rows of a table in a new store. `random` makes the uuids of people.
#[must_use]
pub fn rows(kind: Look, acting: &Acting, random: &mut dyn FnMut() -> [u8; 16]) -> Vec<LookUpRow> {
    let first = i64::from(!kind.info().from_zero);
    let rows = bodies(kind, acting, random);
    (first..).zip(rows).map(|(id, (name, body))| LookUpRow { kind, id, name, body }).collect()
}

/// The request that makes the first case.
#[must_use]
pub fn first_case() -> Value {
    json!({
        "case_name": "Initial Demo", "case_description": "This is a demonstration.", "case_soc_id": "soc_id_demo",
        "case_customer": FIRST, "classification_id": FIRST,
    })
}

fn bodies(kind: Look, acting: &Acting, random: &mut dyn FnMut() -> [u8; 16]) -> Vec<(String, Body)> {
    let today = moment::date(acting.now);
    match kind {
        Look::Customer => vec![row("IrisInitialClient", &[("customer_uuid", json!(uuid(random())))])],
        Look::User => vec![row(
            ADMINISTRATOR,
            &[
                ("user_uuid", json!(uuid(random()))),
                ("user_name", json!(ADMINISTRATOR)),
                ("user_email", json!("administrator@localhost")),
                ("user_active", json!(true)),
                ("user_is_service_account", json!(false)),
            ],
        )],
        Look::Group => [("Administrators", "Administrators"), ("Analysts", "Standard analysts")]
            .map(|(name, description)| {
                row(
                    name,
                    &[
                        ("group_uuid", json!(uuid(random()))),
                        ("group_description", json!(description)),
                        ("group_auto_follow", json!(true)),
                        ("group_auto_follow_access_level", json!(4)),
                    ],
                )
            })
            .into(),
        Look::Classification => classifications(&today),
        Look::IocType => ioc_types::IOC_TYPES
            .iter()
            .map(|(name, description, pattern, expected)| {
                row(
                    name,
                    &[
                        ("type_description", json!(description)),
                        ("type_validation_regex", text_or_null(pattern)),
                        ("type_validation_expect", text_or_null(expected)),
                    ],
                )
            })
            .collect(),
        Look::AssetType => asset_types(),
        Look::CustomAttributes => ObjectKind::ALL
            .iter()
            .filter(|kind| kind.field("custom_attributes").is_some())
            .map(|kind| row(kind.name(), &[("attribute_content", json!({}))]))
            .collect(),
        Look::EvidenceType => named("description", EVIDENCE_TYPES, &[("creation_date", json!(today))]),
        Look::Tlp => named("tlp_bscolor", TLPS, &[]),
        Look::TaskStatus => named("status_bscolor", TASK_STATUSES, &[("status_description", json!(""))]),
        Look::Severity => named("severity_description", SEVERITIES, &[]),
        Look::CaseState => named("state_description", CASE_STATES, &[("protected", json!(true))]),
        Look::AlertStatus => named("status_description", ALERT_STATUSES, &[]),
        Look::AnalysisStatus => bare(&["Unspecified", "To be done", "Started", "Pending", "Canceled", "Done"]),
        Look::OutcomeStatus => bare(&OUTCOMES),
        Look::ReviewStatus => bare(&REVIEWS),
        Look::EventCategory => bare(&EVENT_CATEGORIES),
        Look::CompromiseStatus => bare(&["To be determined", "Compromised", "Not compromised", "Unknown"]),
        Look::ReportType => bare(&["Investigation", "Activities"]),
        Look::ReportTemplate => templates::rows(&today),
    }
}

const TLPS: &[(&str, &str)] =
    &[("red", "danger"), ("amber", "warning"), ("green", "success"), ("clear", "black"), ("amber+strict", "warning")];

const TASK_STATUSES: &[(&str, &str)] = &[
    ("To do", "danger"),
    ("In progress", "warning"),
    ("On hold", "muted"),
    ("Done", "success"),
    ("Canceled", "muted"),
];

const SEVERITIES: &[(&str, &str)] = &[
    ("Unspecified", "Not assessed yet"),
    ("Informational", "Worth knowing"),
    ("Low", "Little harm"),
    ("Medium", "Some harm"),
    ("High", "Great harm"),
    ("Critical", "The greatest harm"),
];

const CASE_STATES: &[(&str, &str)] = &[
    ("Unspecified", "Not stated"),
    ("In progress", "Being worked on"),
    ("Open", "Open"),
    ("Containment", "The spread is being stopped"),
    ("Eradication", "The cause is being removed"),
    ("Recovery", "Systems are being brought back"),
    ("Post-Incident", "Lessons are being drawn"),
    ("Reporting", "The report is being written"),
    ("Closed", "Closed"),
];

const ALERT_STATUSES: &[(&str, &str)] = &[
    ("Unspecified", "Not stated"),
    ("New", "Nobody has looked at it"),
    ("Assigned", "Somebody is to look at it"),
    ("In progress", "Being looked at"),
    ("Pending", "Waits for something"),
    ("Closed", "Done with"),
    ("Merged", "Became a part of a case"),
    ("Escalated", "Became a case"),
];

const OUTCOMES: [&str; 6] = [
    "Unknown",
    "False positive",
    "True positive with impact",
    "Not applicable",
    "True positive without impact",
    "Legitimate",
];

const REVIEWS: [&str; 5] = ["Not reviewed", "Pending review", "Review in progress", "Reviewed", "No review required"];

const EVENT_CATEGORIES: [&str; 15] = [
    "Unspecified",
    "Legitimate",
    "Remediation",
    "Initial Access",
    "Execution",
    "Persistence",
    "Privilege Escalation",
    "Defense Evasion",
    "Credential Access",
    "Discovery",
    "Lateral Movement",
    "Collection",
    "Command and Control",
    "Exfiltration",
    "Impact",
];

const EVIDENCE_TYPES: &[(&str, &str)] = &[
    ("Unspecified", "Not stated"),
    ("HDD image - Generic", "Image of a hard disk"),
    ("HDD image - Windows", "Image of a hard disk with Windows"),
    ("HDD image - Unix", "Image of a hard disk with a Unix"),
    ("Memory image", "Image of working memory"),
    ("Phone image", "Image of a phone"),
    ("Logs - Generic", "Logs"),
    ("Logs - Windows events", "Event logs of Windows"),
    ("Logs - Network", "Logs of the network"),
    ("Network capture", "Recorded traffic"),
    ("E-mail", "A message with its headers"),
    ("Malware sample", "A program that does harm"),
    ("Document", "A document"),
    ("Other", "Anything else"),
];

fn asset_types() -> Vec<(String, Body)> {
    const TYPES: [(&str, &str, &str); 21] = [
        ("Account", "Generic account", "user"),
        ("Firewall", "Firewall", "firewall"),
        ("Linux - Server", "Server with Linux", "server"),
        ("Linux - Computer", "Computer with Linux", "desktop"),
        ("Linux Account", "Account of a Linux", "user"),
        ("Mac - Computer", "Computer with macOS", "desktop"),
        ("Phone - Android", "Phone with Android", "phone"),
        ("Phone - IOS", "Phone with iOS", "phone"),
        ("Windows - Computer", "Computer with Windows", "desktop"),
        ("Windows - Server", "Server with Windows", "server"),
        ("Windows - DC", "Domain controller", "server"),
        ("Router", "Router", "router"),
        ("Switch", "Switch", "router"),
        ("VPN", "VPN", "vpn"),
        ("WAF", "Web application firewall", "firewall"),
        ("Windows Account - Local", "Account of one Windows", "user"),
        ("Windows Account - Local - Admin", "Administrator of one Windows", "user"),
        ("Windows Account - AD", "Account of a domain", "user"),
        ("Windows Account - AD - Admin", "Administrator of a domain", "user"),
        ("Windows Account - AD - krbtgt", "The account of the domain's tickets", "user"),
        ("Windows Account - AD - Service", "Account of a service", "user"),
    ];
    TYPES
        .map(|(name, description, icon)| {
            row(
                name,
                &[
                    ("asset_description", json!(description)),
                    ("asset_icon_not_compromised", json!(format!("{icon}.png"))),
                    ("asset_icon_compromised", json!(format!("ioc_{icon}.png"))),
                ],
            )
        })
        .into()
}

fn classifications(today: &str) -> Vec<(String, Body)> {
    let mut out = Vec::new();
    for (predicate, words, values) in classifications::CLASSIFICATIONS {
        for (value, expanded) in *values {
            out.push(row(
                &format!("{predicate}:{value}"),
                &[
                    ("name_expanded", json!(format!("{words}: {expanded}"))),
                    ("description", json!(expanded)),
                    ("creation_date", json!(today)),
                ],
            ));
        }
    }
    out
}

fn row(name: &str, columns: &[(&str, Value)]) -> (String, Body) {
    (name.to_owned(), columns.iter().map(|(column, value)| ((*column).to_owned(), value.clone())).collect())
}

fn bare(names: &[&str]) -> Vec<(String, Body)> {
    names.iter().map(|name| row(name, &[])).collect()
}

fn named(column: &str, pairs: &[(&str, &str)], more: &[(&str, Value)]) -> Vec<(String, Body)> {
    pairs
        .iter()
        .map(|(name, value)| {
            let (name, mut body) = row(name, more);
            body.insert(column.to_owned(), json!(value));
            (name, body)
        })
        .collect()
}

fn text_or_null(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { json!(text) }
}

#[cfg(test)]
mod tests;
