//! What the commands on cases have in common.

use serde_json::Value;

use crate::client::Client;
use crate::error::{CliError, Kind};
use crate::output::members;

/// Lists of a case: what they hold, their path, and the name of the list in the answer.
pub(crate) const LISTS: [(&str, &str, &str); 5] = [
    ("assets", "/case/assets/list", "assets"),
    ("indicators", "/case/ioc/list", "ioc"),
    ("events", "/case/timeline/events/list/filter/0", "tim"),
    ("evidences", "/case/evidences/list", "evidences"),
    ("tasks", "/case/tasks/list", "tasks"),
];

/// Names under which look-up tables have the number and the name of a row.
const NUMBERS: [&str; 5] = ["id", "type_id", "tlp_id", "customer_id", "asset_id"];
const NAMES: [&str; 5] = ["name", "type_name", "tlp_name", "customer_name", "asset_name"];

/// What the envelope of an answer holds.
pub(crate) fn data(mut answer: Value) -> Value {
    answer.get_mut("data").map_or(Value::Null, Value::take)
}

/// The number of a row of a look-up table that a person gave by number or name; upper and lower case are one.
///
/// # Errors
/// When there is no such row; the error names those there are.
pub(crate) fn named(client: &Client, path: &str, what: &str, given: &str) -> anyhow::Result<i64> {
    let answer = client.get(path)?;
    let rows = members(&answer, "data");
    let number = |row: &Value| NUMBERS.iter().find_map(|key| row.get(*key)).and_then(Value::as_i64);
    let name = |row: &Value| NAMES.iter().find_map(|key| row.get(*key)).and_then(Value::as_str).map(str::to_owned);
    let fits = |row: &&Value| match given.parse::<i64>() {
        Ok(wanted) => number(row) == Some(wanted),
        Err(_) => name(row).is_some_and(|name| name.eq_ignore_ascii_case(given)),
    };
    if let Some(found) = rows.iter().find(fits).and_then(number) {
        return Ok(found);
    }
    let known: Vec<String> = rows.iter().filter_map(name).take(20).collect();
    let more = if rows.len() > known.len() { ", …" } else { "" };
    Err(CliError::new(Kind::Usage, format!("there is no {what} {given:?}"))
        .help(format!("there are {}{more}", known.join(", ")))
        .into())
}
