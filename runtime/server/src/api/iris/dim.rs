//! Manual triggers and the jobs of hooks, where clients of IRIS look for them.

use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use axum::response::Response;
use serde_json::{Value, json};
use tenter_engine::case::{ManualRequest, ManualRuns};
use tenter_model::case::moment::iso;
use tenter_model::case::{LookUpKind, Lookups as _, ObjectKind, ObjectRef};
use tenter_store::{AccessLevel, CaseWorld, HookJob, JobFilter, JobState};

use crate::api::actions::{is_open, visible};

use super::{Answer, Ask, Asking, Refusal, Success};

/// Jobs that a list has at most.
const MOST: u32 = 1_000;
/// From this code on a module says that it failed.
const FAILED: u32 = 0xFF00;

/// `POST /dim/hooks/call`: a person clicked a menu entry.
///
/// The official client names the hook of indicators whatever it is about, so that what counts is `type`.
pub(in crate::api) async fn call(ask: Ask) -> Answer {
    let text =
        |name: &str| ask.body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    if ask.body.is_empty() {
        return Err(Refusal::bad("Invalid data"));
    }
    text("hook_name").ok_or_else(|| Refusal::bad("Missing hook_name"))?;
    let targets = match ask.body.get("targets") {
        Some(Value::Array(targets)) if !targets.is_empty() => targets,
        _ => return Err(Refusal::bad("Missing targets")),
    };
    let sort = text("type").ok_or_else(|| Refusal::bad("Missing data type"))?;
    let number = |target: &Value| target.as_i64().or_else(|| target.as_str()?.trim().parse().ok());
    let targets: Option<Vec<i64>> = targets.iter().map(number).collect();
    let targets = targets.ok_or_else(|| Refusal::bad("Invalid target"))?;
    let case_id = ask.case_id;
    let kind = ObjectKind::parse(&sort).filter(|kind| !matches!(kind, ObjectKind::NoteDirectory | ObjectKind::Comment));
    let Some(kind) = kind else {
        ask.may_change().await?;
        return Err(queued(0, vec![format!("Data type {sort} not supported")]));
    };
    let ids = if kind == ObjectKind::Case { vec![case_id] } else { targets };
    let (module, entry) = (text("module_name"), text("hook_ui_name"));
    let runs: ManualRuns = ask
        .change(move |cases, context| {
            cases.manual(ManualRequest {
                hook: format!("on_manual_trigger_{}", kind.name().replace('-', "_")),
                module,
                entry,
                targets: ids.into_iter().map(|id| ObjectRef { kind, id }).collect(),
                case_id: Some(case_id),
                context,
            })
        })
        .await?;
    if !runs.missing.is_empty() {
        return Err(queued(
            runs.found.len(),
            runs.missing.iter().map(|it| format!("Object ID {} not found", it.id)).collect(),
        ));
    }
    Ok(Success::done(message(runs.found.len())))
}

fn message(objects: usize) -> String {
    format!("Queued task with {objects} objects")
}

fn queued(objects: usize, problems: Vec<String>) -> Refusal {
    let text = format!("Errors encountered during processing of data. {}", message(objects));
    Refusal::bad_with(text, json!(problems))
}

/// `GET /dim/hooks/options/{object}/list`: the menu of a kind of object.
pub(in crate::api) async fn options(asking: Asking) -> Answer {
    let object = asking.text("object").to_owned();
    let menu = asking.change(move |cases, _| Ok(cases.menu(&object))).await?;
    let entries = menu
        .into_iter()
        .map(|entry| json!({"manual_hook_ui_name": entry.title, "hook_name": entry.hook, "module_name": entry.module}));
    Ok(Success::of(entries.collect::<Value>()))
}

/// `GET /dim/tasks/list/{count}`: the newest jobs of cases that the user may see, running and waiting ones too.
pub(in crate::api) async fn list(asking: Asking) -> Answer {
    let count = asking.id("count")?.clamp(0, i64::from(MOST));
    let user = asking.user.id;
    asking
        .look(move |world| {
            let wanted = usize::try_from(count).unwrap_or(0);
            let jobs = visible(world, user, JobFilter::default(), wanted);
            let rows = jobs.iter().map(|job| row(job, world)).collect();
            Ok(Success::of(Value::Array(rows)))
        })
        .await
}

/// `GET /dim/tasks/status/{task_id}`: a page about a job.
pub(in crate::api) async fn status(asking: Asking) -> Result<Response, Refusal> {
    let (id, user) = (asking.text("task_id").to_owned(), asking.user.id);
    let page = asking
        .look(move |world| {
            let job = world.job_of_uuid(&id).filter(|job| is_open(job, user, AccessLevel::Read, world));
            Ok(page(&job.ok_or_else(|| Refusal::unknown("Unknown task"))?, world))
        })
        .await?;
    let mut response = Response::new(axum::body::Body::from(page));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    Ok(response)
}

fn row(job: &HookJob, world: &CaseWorld<'_>) -> Value {
    json!({
        "state": state(job), "case": case(job), "module": format!("{}::{}", job.module, job.hook),
        "task_id": job.uuid, "date_done": job.ended.map(iso), "user": user(job, world),
    })
}

/// `success`, or how far it is and why.
fn state(job: &HookJob) -> String {
    if job.state == JobState::Succeeded {
        return "success".to_owned();
    }
    let why = job.result.as_ref().map(|result| result.message.as_str()).filter(|text| !text.is_empty());
    why.map_or_else(|| job.state.name().to_owned(), |why| format!("{}: {why}", job.state.name()))
}

fn case(job: &HookJob) -> String {
    job.case_id.map_or_else(|| "no case".to_owned(), |id| format!("Case #{id}"))
}

fn user(job: &HookJob, world: &CaseWorld<'_>) -> String {
    let row = world.row(LookUpKind::User, job.user_id);
    row.map_or_else(|| "Shadow Iris".to_owned(), |row| row.text("user_name").to_owned())
}

fn page(job: &HookJob, world: &CaseWorld<'_>) -> String {
    let result = job.result.as_ref();
    let verdict = match (job.state, result) {
        (JobState::Succeeded, Some(result)) if result.code < FAILED => "Success".to_owned(),
        (JobState::Queued | JobState::Running, _) => job.state.name().to_owned(),
        _ => "Failure".to_owned(),
    };
    let mut rows = vec![
        ("Task ID", job.uuid.clone()),
        ("Task finished on", job.ended.map_or_else(|| "not yet".to_owned(), iso)),
        ("Module name", job.module.clone()),
        ("Hook name", job.hook.clone()),
        ("User", user(job, world)),
        ("Case ID", case(job)),
        ("Attempts", job.attempts.to_string()),
        ("Success", verdict),
    ];
    if let Some(result) = result {
        rows.push(("Message", result.message.clone()));
        rows.push(("Logs", result.logs.join("\n")));
        rows.push(("Reason", result.reason.clone().unwrap_or_default()));
        rows.push(("Module version", result.version.clone()));
    }
    let rows: String = rows
        .iter()
        .map(|(name, value)| format!("<tr><th>{name}</th><td><pre>{}</pre></td></tr>\n", escaped(value)))
        .collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Task</title></head><body>\n<table>\n{rows}</table>\n</body></html>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
