//! Calls that asked to be made again later.
//!
//! What a call asks for becomes a job of its own, in the transaction that ends the job of the call: the same hook,
//! module, objects and user, not before its time, with the memo. So it survives restarts, stands in lists of jobs and can
//! be cancelled like any other. Such a row of jobs is bounded in number and time, and it ends by itself once its case is
//! closed or nothing of what it is about is left: a job whose time comes then succeeds without a call, and says why.

use serde_json::{Value, json};
use tenter_model::Timestamp;
use tenter_model::case::call::{Resumable, Resume};
use tenter_model::case::{CaseObject, ObjectKind, ObjectRef};
use tenter_model::limits::{MAX_RESUMPTIONS, RESUME_SPAN_SECONDS};
use tenter_store::{CaseWorld, HookJob, NewJob};

use super::Cases;

/// Where the payload of a job says what went before it.
const RESUMED: &str = "resumed";
/// The document of a report, which only the first call gets: copies of it would fill the store.
const DOCUMENT: &str = "/report/body/content";
const MICROS: i64 = 1_000_000;

/// Where a job stands in a row of calls of which each asked for the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resumed {
    /// From 1.
    pub number: u32,
    /// The id for clients of the job that asked for this one.
    pub after: String,
    /// When the first job of the row was written.
    pub since: Timestamp,
    /// What the call before left.
    pub memo: String,
}

/// Where a job stands in such a row; `None`: no call asked for it.
#[must_use]
pub fn resumed(job: &HookJob) -> Option<Resumed> {
    let kept = job.spec.payload.get(RESUMED)?;
    let text = |name: &str| kept.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(Resumed {
        number: kept.get("number").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok()).unwrap_or(u32::MAX),
        after: text("after"),
        since: Timestamp(kept.get("since").and_then(Value::as_i64).unwrap_or(0)),
        memo: text("memo"),
    })
}

/// What the call of a job may know and ask for.
pub(super) fn resumable(job: &HookJob, world: &CaseWorld<'_>, now: Timestamp) -> Resumable {
    let before = resumed(job);
    let number = before.as_ref().map_or(0, |before| before.number);
    let since = before.as_ref().map_or(job.queued, |before| before.since);
    let left = i64::from(RESUME_SPAN_SECONDS) - now.since(since) / MICROS;
    let ends = number >= MAX_RESUMPTIONS || over(job, world).is_some();
    let within_seconds = if ends { 0 } else { u32::try_from(left).unwrap_or(0) };
    Resumable { memo: before.map(|before| before.memo), within_seconds }
}

/// Why a job is not to be called again, if so.
pub(super) fn over(job: &HookJob, world: &CaseWorld<'_>) -> Option<String> {
    let case = job.case_id.map(|id| world.object_in(ObjectRef { kind: ObjectKind::Case, id }, None));
    match case {
        Some(None) => return Some("the case is gone".into()),
        Some(Some(case)) if is_closed(&case) => return Some("the case is closed".into()),
        _ => {}
    }
    let objects = &job.spec.written;
    // An indicator can be clicked on in a case that does not have it.
    let within = job.case_id.filter(|_| job.spec.entry.is_none());
    // A report is no stored object: it stays as long as its case.
    let left = objects.is_empty() || objects.iter().any(|written| world.object_in(written.target, within).is_some());
    (!left).then(|| match objects.as_slice() {
        [one] => format!("{} is gone", one.target),
        _ => "the objects are gone".into(),
    })
}

fn is_closed(case: &CaseObject) -> bool {
    case.body.get("close_date").is_some_and(|date| !date.is_null())
}

impl Cases {
    /// The job that goes on where the call of another one left off.
    pub(super) fn next_job(&self, job: &HookJob, resume: Resume, now: Timestamp) -> NewJob {
        let before = resumed(job);
        let mut payload = match &job.spec.payload {
            Value::Object(members) => Value::Object(members.clone()),
            _ => json!({}),
        };
        if let Some((body, member)) = DOCUMENT.rsplit_once('/')
            && let Some(report) = payload.pointer_mut(body).and_then(Value::as_object_mut)
        {
            report.remove(member);
        }
        if let Some(members) = payload.as_object_mut() {
            let resumed = json!({
                "number": before.as_ref().map_or(0, |before| before.number).saturating_add(1),
                "after": job.uuid, "since": before.map_or(job.queued, |before| before.since).0, "memo": resume.memo,
            });
            members.insert(RESUMED.into(), resumed);
        }
        NewJob {
            random: self.random(),
            hook: job.hook.clone(),
            module: job.module.clone(),
            subscription: job.spec.subscription.clone(),
            entry: job.spec.entry.clone(),
            trigger: job.spec.trigger.clone(),
            not_before: Some(now.saturating_add(i64::from(resume.seconds) * MICROS)),
            waited: false,
            payload,
        }
    }
}
