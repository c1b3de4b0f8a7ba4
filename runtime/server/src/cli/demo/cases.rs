//! The second act of the demonstration: a case with what the first act found.
//!
//! An analyst forgets the number of the SOC and is denied by a module, opens the case properly, and adds indicators of the
//! demonstration list that were found in the traffic. A module that lives on both sides marks them from their profiles, and
//! answers a click with the profile itself.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use crate::cli::Context;
use crate::cli::cases::{data, named};
use crate::client::{Client, part};
use crate::error::{CliError, Kind};
use crate::output::{field, members, plain};

/// Indicators of the case.
const INDICATORS: usize = 3;
/// Longest wait for a job.
const PATIENCE: Duration = Duration::from_secs(60);

/// Plays it, and gives what came of it.
///
/// # Errors
/// When the server refuses what it should take, or does not get on.
pub(super) fn play(client: &Client, found: &[Value], without: &[String], context: &Context) -> anyhow::Result<Value> {
    let mut wish = json!({
        "case_name": "Beaconing  hosts", "case_description": "Hosts of the demonstration list in our traffic",
        "case_soc_id": "", "case_customer": 1, "classification_id": null, "custom_attributes": null,
    });
    let denied = match client.send("POST", "/manage/cases/add", Some(&wish)) {
        Err(error) if error.to_string().contains("case-rules") => Value::from(error.to_string()),
        Err(other) => return Err(other.into()),
        Ok(_) if without.iter().any(|module| module == "case-rules") => Value::Null,
        Ok(made) => anyhow::bail!("the case without a number was not denied: {made}"),
    };
    if let Some(object) = wish.as_object_mut() {
        object.insert("case_soc_id".to_owned(), "SOC-4711".into());
    }
    let case = data(client.send("POST", "/manage/cases/add", Some(&wish))?);
    let case_id = case.get("case_id").and_then(Value::as_i64).unwrap_or(0);
    let mut iocs = Vec::new();
    for mark in found.iter().take(INDICATORS) {
        let kind = if field(mark, "etype") == "ip" { "ip-any" } else { "domain" };
        let body = json!({
            "ioc_value": field(mark, "eid"), "ioc_description": field(mark, "indicator.note"), "cid": case_id,
            "ioc_type_id": named(client, "/manage/ioc-types/list", "type of indicators", kind)?, "ioc_tlp_id": 2,
            "ioc_tags": "demonstration", "custom_attributes": {},
        });
        iocs.push(data(client.send("POST", "/case/ioc/add", Some(&body))?));
    }
    wait_for_jobs(client, case_id)?;
    context.out.note(&format!("opened case {case_id} with {} indicators of the list", iocs.len()));
    let action = match iocs.first().and_then(|ioc| ioc.get("ioc_id")).and_then(Value::as_i64) {
        Some(ioc) if !without.iter().any(|module| module == "ioc-profile") => click(client, case_id, ioc)?,
        _ => Value::Null,
    };
    let mut shown = Vec::new();
    for ioc in &iocs {
        let ioc = data(client.get(&format!("/case/ioc/{}?cid={case_id}", field(ioc, "ioc_id")))?);
        shown.push(json!({"id": ioc.get("ioc_id"), "value": ioc.get("ioc_value"), "tags": ioc.get("ioc_tags")}));
    }
    Ok(json!({
        "id": case_id, "name": case.get("case_name"), "denied": denied, "indicators": shown, "action": action,
    }))
}

/// Clicks the profile of an indicator and gives the job when it has ended.
fn click(client: &Client, case_id: i64, ioc: i64) -> anyhow::Result<Value> {
    let body = json!({"object": "ioc", "targets": [ioc], "entry": "Profile", "case": case_id});
    let clicked = client.send("POST", "/api/v1/actions", Some(&body))?;
    wait_for_jobs(client, case_id)?;
    let id = members(&clicked, "jobs").first().map_or(String::new(), |job| field(job, "id"));
    Ok(client.get(&format!("/api/v1/jobs/{}", part(&id)))?)
}

/// Waits until no job of the case is under way. Those that a call asked for come later than anybody waits here.
fn wait_for_jobs(client: &Client, case_id: i64) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        let answer = client.get(&format!("/api/v1/jobs?case={case_id}"))?;
        let busy = |job: &&Value| {
            let later = job.get("resumed").is_some_and(Value::is_object);
            !later && ["queued", "running"].contains(&field(job, "state").as_str())
        };
        let Some(job) = members(&answer, "jobs").iter().find(busy).cloned() else { return Ok(()) };
        if began.elapsed() > PATIENCE {
            let message = format!("a job of {} is still {}", field(&job, "module"), field(&job, "state"));
            return Err(CliError::new(Kind::Timeout, message)
                .help("tenter demo --keep, then tenter action jobs")
                .into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The act for people.
pub(super) fn human(case: &Value) -> String {
    let mut lines = Vec::new();
    if let Some(denied) = case.get("denied").and_then(Value::as_str) {
        lines.push(format!("a case without a number: {}", plain(denied)));
    }
    lines.push(format!("case {}: {}", field(case, "id"), plain(&field(case, "name"))));
    for ioc in members(case, "indicators") {
        lines.push(format!("  {} [{}]", plain(&field(ioc, "value")), plain(&field(ioc, "tags"))));
    }
    if case.get("action").is_some_and(Value::is_object) {
        lines.push(format!(
            "action {:?} of {}: {}",
            field(case, "action.entry"),
            field(case, "action.module"),
            plain(&field(case, "action.result.message"))
        ));
        let content = case.pointer("/action/result/data").and_then(content_of).unwrap_or_default();
        lines.extend(content.lines().map(|line| format!("  {}", plain(line))));
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// What a module showed, wherever it stands in the result.
fn content_of(data: &Value) -> Option<String> {
    match data {
        Value::String(text) => Some(text.clone()),
        Value::Object(object) => object.get("content").and_then(content_of).or_else(|| nested(object)),
        _ => None,
    }
}

fn nested(object: &Map<String, Value>) -> Option<String> {
    object.get("report").and_then(content_of)
}
