//! `tenter case`: cases of incident response.

use serde_json::{Value, json};

use crate::cli::Context;
use crate::cli::cases::{self, data, named};
use crate::output::{field, members, pairs};

/// What can be done.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List the cases that the token's user may see.
    List,
    /// Show a case with what is in it.
    Show {
        /// Its number.
        id: i64,
    },
    /// Open a case.
    Create {
        /// Its name.
        name: String,
        /// What it is about.
        #[arg(long, value_name = "TEXT")]
        description: String,
        /// Its id in the operations centre.
        #[arg(long, value_name = "TEXT", default_value = "")]
        soc_id: String,
        /// The customer, by name or number.
        #[arg(long, value_name = "CUSTOMER", default_value = "1")]
        customer: String,
        /// The classification, by name or number, such as `malicious-code:ransomware`.
        #[arg(long, value_name = "CLASSIFICATION")]
        classification: Option<String>,
    },
    /// Close a case.
    Close {
        /// Its number.
        id: i64,
    },
    /// Open a closed case again.
    Reopen {
        /// Its number.
        id: i64,
    },
    /// Delete a case with all that is in it.
    Delete {
        /// Its number.
        id: i64,
    },
}

/// Asks the server and prints what it says.
///
/// # Errors
/// When there is no server or it refuses.
pub(crate) fn run(command: &Command, context: &Context) -> anyhow::Result<()> {
    let client = context.client()?;
    match command {
        Command::List => {
            let answer = client.get("/manage/cases/list")?;
            context.out.list(
                members(&answer, "data"),
                &[
                    ("id", &|c| field(c, "case_id")),
                    ("name", &|c| field(c, "case_name")),
                    ("customer", &|c| field(c, "client_name")),
                    ("classification", &|c| field(c, "classification")),
                    ("owner", &|c| field(c, "owner")),
                    ("state", &|c| field(c, "state_name")),
                    ("opened", &|c| field(c, "case_open_date")),
                    ("closed", &|c| field(c, "case_close_date")),
                ],
            )
        }
        Command::Show { id } => {
            let mut case = data(client.get(&format!("/manage/cases/{id}"))?);
            let counts: Result<Vec<(&str, usize)>, _> = cases::LISTS
                .iter()
                .map(|(name, path, list)| {
                    let rows = data(client.get(&format!("{path}?cid={id}"))?);
                    Ok::<_, anyhow::Error>((*name, members(&rows, list).len()))
                })
                .collect();
            let counts: serde_json::Map<String, Value> =
                counts?.into_iter().map(|(name, count)| (name.to_owned(), json!(count))).collect();
            if let Some(case) = case.as_object_mut() {
                case.insert("counts".to_owned(), Value::Object(counts));
            }
            context.out.one(&case, human)
        }
        Command::Create { name, description, soc_id, customer, classification } => {
            let customer = named(&client, "/manage/customers/list", "customer", customer)?;
            let classification = classification
                .as_deref()
                .map(|name| named(&client, "/manage/case-classifications/list", "classification", name))
                .transpose()?;
            let body = json!({
                "case_name": name, "case_description": description, "case_soc_id": soc_id, "case_customer": customer,
                "classification_id": classification, "custom_attributes": null,
            });
            let case = data(client.send("POST", "/manage/cases/add", Some(&body))?);
            context.out.one(&case, human)?;
            context.out.next(&format!("tenter ioc create --case {} --type domain VALUE", field(&case, "case_id")));
            Ok(())
        }
        Command::Close { id } => change(context, &client, "close", *id),
        Command::Reopen { id } => change(context, &client, "reopen", *id),
        Command::Delete { id } => {
            client.send("POST", &format!("/manage/cases/delete/{id}?cid={id}"), Some(&json!({})))?;
            context.out.note(&format!("case {id} is deleted"));
            Ok(())
        }
    }
}

fn change(context: &Context, client: &crate::client::Client, what: &str, id: i64) -> anyhow::Result<()> {
    let case = data(client.send("POST", &format!("/manage/cases/{what}/{id}?cid={id}"), Some(&json!({})))?);
    context.out.one(&case, human)
}

fn human(case: &Value) -> String {
    let rows: Vec<(&str, String)> = [
        ("id", "case_id"),
        ("name", "case_name"),
        ("description", "case_description"),
        ("soc id", "case_soc_id"),
        ("customer", "customer_name"),
        ("classification", "classification"),
        ("state", "state_name"),
        ("outcome", "status_name"),
        ("owner", "owner"),
        ("opened", "open_date"),
        ("closed", "close_date"),
        ("tags", "case_tags"),
    ]
    .into_iter()
    .map(|(name, key)| (name, field(case, key)))
    .filter(|(_, value)| !value.is_empty())
    .collect();
    let counts = case.get("counts").and_then(Value::as_object);
    let holds: Vec<String> = counts.into_iter().flatten().map(|(name, count)| format!("{count} {name}")).collect();
    let holds = if holds.is_empty() { String::new() } else { format!("holds {}\n", holds.join(", ")) };
    format!("{}{holds}", pairs(&rows))
}
