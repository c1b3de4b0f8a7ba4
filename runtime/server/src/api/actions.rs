//! Menu entries of case objects, and the jobs of hooks: what was clicked, how far it is, what came of it.
//!
//! A job is seen by whoever may read its case, and tried again or cancelled by whoever may change it. Those of no case,
//! such as of global tasks, are there for everybody who may use cases at all.

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};
use tenter_engine::case::{CaseError, ManualRequest, resumed};
use tenter_model::case::{ObjectKind, ObjectRef};
use tenter_store::{AccessLevel, CaseWorld, HookJob, JobFilter, JobState};

use crate::app::App;

use super::error::ApiError;
use super::iris::{Asking, Refusal};

/// Jobs that are looked through for a page at most, so that one of many foreign jobs ends.
const LOOKED_THROUGH: usize = 10_000;

#[derive(Deserialize)]
pub(super) struct OfObject {
    object: String,
}

/// `GET /api/v1/actions`: the menu of a kind of object.
pub(super) async fn menu(State(app): State<App>, Query(query): Query<OfObject>) -> Result<Json<Value>, ApiError> {
    let kind = kind_of(&query.object, "query")?;
    let menu = app.on_cases(move |cases| Ok(cases.menu(kind.name()))).await??;
    let actions: Vec<Value> = menu
        .into_iter()
        .map(|entry| {
            json!({"object": kind.name(), "hook": entry.hook, "module": entry.module,
                   "subscription": entry.subscription, "title": entry.title})
        })
        .collect();
    Ok(Json(json!({"actions": actions})))
}

/// What is clicked, and on what.
#[derive(Deserialize)]
pub(super) struct Click {
    object: String,
    targets: Vec<i64>,
    /// The module; without it each that has such an entry.
    #[serde(default)]
    module: Option<String>,
    /// The title of the entry; without it each.
    #[serde(default)]
    entry: Option<String>,
    /// The case; without it that of each object.
    #[serde(default)]
    case: Option<i64>,
}

/// `POST /api/v1/actions`: clicks menu entries. The answer names the jobs; they are under way.
pub(super) async fn run(asking: Result<Asking, Refusal>, Json(click): Json<Click>) -> Result<Json<Value>, ApiError> {
    let asking = asking?;
    let kind = kind_of(&click.object, "body")?;
    if click.targets.is_empty() {
        return Err(ApiError::invalid("body", "targets", "expected the id of at least one object"));
    }
    let (user, wanted) = (asking.user.id, click.entry.clone());
    let runs = asking
        .change(move |cases, context| {
            let runs = cases.manual(ManualRequest {
                hook: format!("on_manual_trigger_{}", kind.name().replace('-', "_")),
                module: click.module,
                entry: click.entry,
                targets: click.targets.into_iter().map(|id| ObjectRef { kind, id }).collect(),
                case_id: click.case,
                context,
            })?;
            let numbers: Vec<u64> = runs.jobs.iter().map(|run| run.job).collect();
            let jobs = cases.read(Some(user), None, |world| -> Vec<Value> {
                numbers.iter().filter_map(|number| Some(shown(&world.job(*number)?))).collect()
            })?;
            Ok((runs, jobs))
        })
        .await;
    let (runs, jobs) = runs?;
    if let Some(missing) = runs.missing.first().filter(|_| runs.found.is_empty()) {
        return Err(ApiError::not_found(format!("there is no {} {}", kind.name(), missing.id)));
    }
    if jobs.is_empty() {
        let what = wanted.map_or_else(|| "no entry".to_owned(), |title| format!("no entry {title:?}"));
        let detail = format!("the menu of {} has {what} as asked for; tenter action list {}", kind.name(), kind.name());
        return Err(ApiError::not_found(detail));
    }
    let ids = |refs: &[ObjectRef]| refs.iter().map(|it| it.id).collect::<Vec<_>>();
    Ok(Json(json!({"jobs": jobs, "found": ids(&runs.found), "missing": ids(&runs.missing)})))
}

/// Which jobs are wanted.
#[derive(Deserialize)]
pub(super) struct JobsQuery {
    #[serde(default)]
    module: Option<String>,
    #[serde(default)]
    case: Option<i64>,
    #[serde(default)]
    state: Option<String>,
    /// Number of the last row of the page before.
    #[serde(default)]
    before: Option<u64>,
    #[serde(default = "default_rows")]
    limit: u32,
}

fn default_rows() -> u32 {
    100
}

/// `GET /api/v1/jobs`: newest first.
pub(super) async fn jobs(
    asking: Result<Asking, Refusal>,
    Query(query): Query<JobsQuery>,
) -> Result<Json<Value>, ApiError> {
    let asking = asking?;
    let state = query.state.as_deref().map(state_of).transpose()?;
    let wanted = usize::try_from(query.limit.clamp(1, 1000)).unwrap_or(1000);
    let user = asking.user.id;
    let filter = JobFilter { state, case_id: query.case, module: query.module, before: query.before, target: None };
    let read = asking.look(move |world| Ok(visible(world, user, filter, wanted))).await?;
    Ok(Json(json!({"jobs": read.iter().map(shown).collect::<Vec<_>>()})))
}

/// Jobs that a user may see, newest first, of those that are wanted.
pub(super) fn visible(world: &CaseWorld<'_>, user: i64, mut filter: JobFilter, wanted: usize) -> Vec<HookJob> {
    let (mut jobs, mut looked) = (Vec::new(), 0);
    while jobs.len() < wanted && looked < LOOKED_THROUGH {
        let page = world.jobs(&filter, 1000);
        let Some(last) = page.last() else { break };
        filter.before = Some(last.id);
        looked += page.len();
        let left = wanted - jobs.len();
        jobs.extend(page.into_iter().filter(|job| is_open(job, user, AccessLevel::Read, world)).take(left));
    }
    jobs
}

/// `GET /api/v1/jobs/{id}`: one with its result.
pub(super) async fn job(asking: Result<Asking, Refusal>, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    let asking = asking?;
    Ok(Json(shown(&find(&asking, id, AccessLevel::Read).await?)))
}

/// `POST /api/v1/jobs/{id}/retry`: queues one that has ended once more.
pub(super) async fn retry(asking: Result<Asking, Refusal>, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    let asking = asking?;
    let job = find(&asking, id, AccessLevel::Full).await?;
    let by = asking.context().by();
    let job = asking.app.clone().write(move |store, _| store.retry_job(job.id, by)).await?;
    Ok(Json(shown(&job)))
}

/// `DELETE /api/v1/jobs/{id}`: cancels one that waits.
pub(super) async fn cancel(asking: Result<Asking, Refusal>, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    let asking = asking?;
    let job = find(&asking, id, AccessLevel::Full).await?;
    let by = asking.context().by();
    let job = asking.app.clone().write(move |store, _| store.cancel_job(job.id, by)).await?;
    Ok(Json(shown(&job)))
}

/// The job, if it exists and the user may do so much with its case. One that may be seen and not touched is a refusal.
async fn find(asking: &Asking, id: String, needed: AccessLevel) -> Result<HookJob, ApiError> {
    let user = asking.user.id;
    let missing = format!("there is no job {id}, or it is not kept any more; tenter action jobs");
    let found = asking
        .look(move |world| {
            let job = world.job_of_uuid(&id).filter(|job| is_open(job, user, AccessLevel::Read, world));
            match job {
                Some(job) if !is_open(&job, user, needed, world) => Err(Refusal::denied(user, job.case_id)),
                other => Ok(other),
            }
        })
        .await;
    found?.ok_or_else(|| ApiError::not_found(missing))
}

/// Whether a user may do so much with the case of a job. Jobs of no case, such as those of global tasks, are for all.
pub(super) fn is_open(job: &HookJob, user: i64, needed: AccessLevel, world: &CaseWorld<'_>) -> bool {
    job.case_id.is_none_or(|case| world.level(user, case) >= needed)
}

fn shown(job: &HookJob) -> Value {
    let objects: Vec<Value> = job
        .spec
        .written
        .iter()
        .map(|w| json!({"object": w.target.kind.name(), "id": w.target.id, "old_version": w.old, "new_version": w.new}))
        .collect();
    let time = |at: Option<tenter_model::Timestamp>| at.map(|at| at.to_string());
    let resumed = resumed(job).map(|resumed| {
        json!({"number": resumed.number, "after": resumed.after, "since": resumed.since.to_string(), "memo": resumed.memo})
    });
    json!({
        "seq": job.id, "id": job.uuid, "state": job.state.name(), "hook": job.hook, "module": job.module,
        "subscription": job.spec.subscription, "entry": job.spec.entry, "trigger": job.spec.trigger,
        "case": job.case_id, "user": job.user_id, "objects": objects, "attempts": job.attempts,
        "resumed": resumed, "due": job.not_before.to_string(),
        "queued": job.queued.to_string(), "started": time(job.started), "ended": time(job.ended),
        "result": job.result.as_ref().map(|r| json!({
            "code": r.code, "message": r.message, "data": r.data, "logs": r.logs, "reason": r.reason,
            "version": r.version, "digest": r.digest, "fuel": r.fuel, "micros": r.micros,
        })),
    })
}

fn kind_of(name: &str, place: &str) -> Result<ObjectKind, ApiError> {
    ObjectKind::parse(name).ok_or_else(|| {
        let known = ObjectKind::ALL.map(ObjectKind::name).join(", ");
        ApiError::invalid(place, "object", format!("{name:?} is no kind of object; expected one of {known}"))
    })
}

fn state_of(name: &str) -> Result<JobState, ApiError> {
    JobState::ALL.into_iter().find(|state| state.name() == name).ok_or_else(|| {
        let known = JobState::ALL.map(JobState::name).join(", ");
        ApiError::invalid("query", "state", format!("{name:?} is no state of a job; expected one of {known}"))
    })
}

impl From<CaseError> for ApiError {
    fn from(error: CaseError) -> Self {
        Refusal::of(error, 0).into()
    }
}
