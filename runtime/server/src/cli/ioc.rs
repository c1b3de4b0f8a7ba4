//! `tenter ioc`: indicators of compromise in cases.

use serde_json::{Value, json};

use crate::cli::Context;
use crate::cli::cases::{data, named};
use crate::output::{field, members, pairs};

/// What can be done.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List the indicators of a case.
    List {
        /// The case.
        #[arg(long, value_name = "NUMBER")]
        case: i64,
    },
    /// Show one with what modules wrote to it.
    Show {
        /// Its number.
        id: i64,
        /// The case.
        #[arg(long, value_name = "NUMBER")]
        case: i64,
    },
    /// Add an indicator to a case.
    Create {
        /// Its value.
        value: String,
        /// The case.
        #[arg(long, value_name = "NUMBER")]
        case: i64,
        /// The type, by name or number, such as `domain`, `ip-dst`, `sha256`.
        #[arg(long = "type", value_name = "TYPE")]
        kind: String,
        /// The traffic light, by name or number.
        #[arg(long, value_name = "TLP", default_value = "amber")]
        tlp: String,
        /// What is known of it.
        #[arg(long, value_name = "TEXT", default_value = "")]
        description: String,
        /// Tags, separated by commas.
        #[arg(long, value_name = "TAGS", default_value = "")]
        tags: String,
    },
}

/// Asks the server and prints what it says.
///
/// # Errors
/// When there is no server or it refuses.
pub(crate) fn run(command: &Command, context: &Context) -> anyhow::Result<()> {
    let client = context.client()?;
    match command {
        Command::List { case } => {
            let answer = data(client.get(&format!("/case/ioc/list?cid={case}"))?);
            context.out.list(
                members(&answer, "ioc"),
                &[
                    ("id", &|i| field(i, "ioc_id")),
                    ("type", &|i| field(i, "ioc_type")),
                    ("value", &|i| field(i, "ioc_value")),
                    ("tlp", &|i| field(i, "tlp_name")),
                    ("tags", &|i| field(i, "ioc_tags")),
                    ("description", &|i| field(i, "ioc_description")),
                ],
            )
        }
        Command::Show { id, case } => {
            let ioc = data(client.get(&format!("/case/ioc/{id}?cid={case}"))?);
            context.out.one(&ioc, human)
        }
        Command::Create { value, case, kind, tlp, description, tags } => {
            let body = json!({
                "ioc_value": value,
                "ioc_type_id": named(&client, "/manage/ioc-types/list", "type of indicators", kind)?,
                "ioc_tlp_id": named(&client, "/manage/tlp/list", "traffic light", tlp)?,
                "ioc_description": description, "ioc_tags": tags, "custom_attributes": {}, "cid": case,
            });
            let ioc = data(client.send("POST", "/case/ioc/add", Some(&body))?);
            context.out.one(&ioc, human)?;
            context.out.next("tenter action list ioc");
            Ok(())
        }
    }
}

fn human(ioc: &Value) -> String {
    let rows: Vec<(&str, String)> = [
        ("id", "ioc_id"),
        ("type", "ioc_type.type_name"),
        ("value", "ioc_value"),
        ("tags", "ioc_tags"),
        ("description", "ioc_description"),
    ]
    .into_iter()
    .map(|(name, key)| (name, field(ioc, key)))
    .filter(|(_, value)| !value.is_empty())
    .collect();
    format!("{}{}", pairs(&rows), tabs(ioc.get("custom_attributes")))
}

/// Tabs of custom attributes, as a person would see them.
fn tabs(attributes: Option<&Value>) -> String {
    let mut out = String::new();
    for (tab, fields) in attributes.and_then(Value::as_object).into_iter().flatten() {
        out.push_str(&format!("\n{tab}\n"));
        for (name, field_of_tab) in fields.as_object().into_iter().flatten() {
            out.push_str(&format!("  {name}: {}\n", field(field_of_tab, "value").replace('\n', "\n    ")));
        }
    }
    out
}
