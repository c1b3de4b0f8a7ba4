//! Calls that ask to be made again: what they see, what bounds them, what ends them.

use serde_json::{Value, json};
use tenter_engine::case::{ReportKind, ReportMade, ReportRequest, resumed};
use tenter_model::case::ObjectKind;
use tenter_model::case::call::{Attachment, CaseOutcome, ManualOutcome, Media, Report, Resumable, Resume};
use tenter_model::host::{HookFailure, Reason};
use tenter_model::limits::{MAX_RESUMPTIONS, RESUME_SPAN_SECONDS};
use tenter_model::module::LoadedModule;
use tenter_model::time::Clock;
use tenter_store::{HookJob, JobState};

use crate::common::{granted, module};
use crate::support::*;

const MINUTE: i64 = 60_000;

fn writer(name: &str, moments: Vec<tenter_model::hook::Moment>) -> LoadedModule {
    granted(module(name, moments), "case-write", "*")
}

fn again(seconds: u32, memo: &str) -> Option<Resume> {
    Some(Resume { seconds, memo: memo.into() })
}

/// A place whose module asks at each call for the next in a minute, and counts in the memo.
fn asking() -> Place {
    let place = Place::new(vec![writer("asks", vec![after(Some("asset"), Some("create"), false)])]);
    let calls = place.player.calls.clone();
    place.player.after("asks", move |_, _| {
        let called = calls.lock().unwrap().len();
        Ok(CaseOutcome { resume: again(60, &called.to_string()), ..CaseOutcome::default() })
    });
    place
}

impl Place {
    /// The job of that number once it has ended.
    #[track_caller]
    fn ended(&self, number: usize) -> HookJob {
        for _ in 0..10_000 {
            if let Some(job) = self.jobs().get(number).filter(|job| job.ended.is_some()) {
                return job.clone();
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        panic!("job {number} does not end: {:#?}", self.jobs());
    }

    fn resumables(&self) -> Vec<Resumable> {
        self.calls().into_iter().map(|call| call.context.resumable).collect()
    }
}

fn message(job: &HookJob) -> &str {
    &job.result.as_ref().unwrap().message
}

#[test]
fn a_call_is_made_again_with_its_memo_and_the_objects_as_they_are() {
    let place = asking();
    let asset = place.asset("a");
    let first = place.ended(0);
    assert_eq!(message(&first), "0 changed, 0 created, 0 tasks, again in 60 s");
    let waits = place.jobs().remove(1);
    let said = resumed(&waits).unwrap();
    assert_eq!((waits.state, said.number, &said.after, said.memo.as_str()), (JobState::Queued, 1, &first.uuid, "1"));
    assert_eq!(waits.not_before.since(first.ended.unwrap()), MINUTE * 1_000);
    place.update(asset.target, json!({"asset_name": "b", "asset_type_id": 9})).unwrap();
    // Not before its time.
    place.clock.advance_ms(MINUTE - 1);
    assert_eq!(place.store.claim_job(&[], place.clock.now()).unwrap(), None);
    place.clock.advance_ms(1);
    place.ended(1);
    let calls = place.calls();
    let memos: Vec<_> = calls.iter().map(|call| call.context.resumable.memo.as_deref()).collect();
    assert_eq!(memos, [None, Some("1")]);
    let named = |n: usize| &calls[n].data[0]["new"]["body"]["asset_name"];
    assert_eq!((named(0), named(1)), (&json!("a"), &json!("b")));
    assert_eq!(calls[1].hook, "on_postload_asset_create");
    // Time since the first of them is what counts.
    let left = |n: usize| calls[n].context.resumable.within_seconds;
    assert_eq!((left(0), left(0) - left(1)), (RESUME_SPAN_SECONDS, 60));
    assert_eq!(resumed(&place.jobs()[2]).map(|said| (said.number, said.since)), Some((2, first.queued)));
}

#[test]
fn who_does_not_ask_is_not_called_again() {
    let place = Place::new(vec![writer("quiet", vec![after(Some("asset"), None, false)])]);
    place.asset("a");
    let job = place.settle().remove(0);
    assert_eq!((place.jobs().len(), message(&job)), (1, "0 changed, 0 created, 0 tasks"));
    assert_eq!(job.result.unwrap().data["again"], Value::Null);
}

#[test]
fn it_ends_with_its_case_or_its_object() {
    let place = asking();
    let gone = place.asset("gone");
    place.ended(0);
    place.asset("stays");
    place.ended(2);
    place.delete(gone.target).unwrap();
    place.clock.advance_ms(MINUTE);
    let over = place.ended(1);
    assert_eq!((over.state, message(&over)), (JobState::Succeeded, "not called again: asset 1 is gone"));
    place.ended(3);
    assert_eq!(place.jobs().len(), 5, "the other one goes on");
    place.cases.close_case(1, &place.context(1)).unwrap();
    place.clock.advance_ms(MINUTE);
    assert_eq!(message(&place.ended(4)), "not called again: the case is closed");
    assert_eq!((place.jobs().len(), place.calls().len()), (5, 3));
    // What happens in a closed case can ask for nothing more.
    place.cases.reopen_case(1, &place.context(1)).unwrap();
    place.asset("late");
    place.ended(5);
    assert_eq!(place.resumables()[0].within_seconds, RESUME_SPAN_SECONDS);
    place.cases.close_case(1, &place.context(1)).unwrap();
    place.asset("too late");
    place.settle();
    assert_eq!(place.resumables().last(), Some(&Resumable::default()));
}

#[test]
fn a_row_of_calls_is_bounded_in_number_and_time() {
    let place = asking();
    place.asset("a");
    place.ended(0);
    place.clock.advance_ms(i64::from(RESUME_SPAN_SECONDS) * 1_000 - 10_000);
    place.ended(1);
    let late = place.resumables().pop().unwrap();
    assert_eq!((late.memo.as_deref(), late.within_seconds), (Some("1"), 10));
    assert_eq!(place.jobs().len(), 2, "a minute is too long by now");
    // The number, where a job stands that has come that far.
    let job = place.jobs().remove(1);
    let new = |number: u32| tenter_store::NewJob {
        random: [7; 16],
        hook: job.hook.clone(),
        module: job.module.clone(),
        subscription: job.spec.subscription.clone(),
        entry: None,
        trigger: "api".into(),
        not_before: None,
        waited: false,
        payload: json!({"resumed": {"number": number, "since": place.clock.now().0, "memo": "x", "after": "y"}}),
    };
    for (number, within) in [(MAX_RESUMPTIONS - 1, RESUME_SPAN_SECONDS), (MAX_RESUMPTIONS, 0)] {
        let random = [u8::try_from(number % 251).unwrap(); 16];
        let job = tenter_store::NewJob { random, ..new(number) };
        let targets = vec![place.jobs()[0].spec.written[0].target];
        place.store.queue_jobs(vec![job], targets, CASE, place.context(1).by()).unwrap();
        for _ in 0..10_000 {
            if !place.player.calls.lock().unwrap().is_empty() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        assert_eq!(place.resumables()[0].within_seconds, within, "{number}");
    }
}

#[test]
fn a_call_that_fails_or_is_refused_asks_for_nothing() {
    let place = Place::new(vec![
        writer("fails", vec![after(Some("asset"), None, false)]),
        module("writes", vec![after(Some("asset"), None, false)]),
    ]);
    place.player.after("fails", |_, _| Err(HookFailure::new(Reason::Failed, "no")));
    place.player.after("writes", |_, changes| {
        Ok(CaseOutcome { resume: again(60, ""), ..tag(target(&changes[0]), "not granted") })
    });
    place.asset("a");
    let states: Vec<_> = place.settle().iter().map(|job| job.state).collect();
    assert_eq!(states, [JobState::Failed, JobState::Dead]);
}

#[test]
fn a_job_that_waits_for_its_time_can_be_cancelled() {
    let place = asking();
    place.asset("a");
    place.ended(0);
    let waits = place.jobs().remove(1);
    place.store.cancel_job(waits.id, place.context(1).by()).unwrap();
    place.clock.advance_ms(10 * MINUTE);
    assert_eq!(place.settle().len(), 2);
    assert_eq!(place.calls().len(), 1);
}

#[test]
fn a_click_has_its_result_at_once_and_may_go_on() {
    let place = Place::new(vec![writer("scans", vec![manual("asset", "Scan")])]);
    let asset = place.asset("a");
    let calls = place.player.calls.clone();
    place.player.manual("scans", move |objects| {
        let target = tenter_model::case::ObjectRef { kind: ObjectKind::Asset, id: objects[0].id };
        if calls.lock().unwrap().len() > 1 {
            return Ok(ManualOutcome { outcome: tag(target, "scanned"), report: None });
        }
        let report = Report { message: "begun".into(), media: Media::Text, content: String::new() };
        let outcome = CaseOutcome { resume: again(5, "scan 7"), ..CaseOutcome::default() };
        Ok(ManualOutcome { outcome, report: Some(report) })
    });
    let run = place.cases.manual(place.click(asset.target)).unwrap().jobs.remove(0);
    let clicked = place.ended(0);
    assert_eq!((clicked.id, clicked.state, message(&clicked)), (run.job, JobState::Succeeded, "begun, again in 5 s"));
    let jobs = place.settle();
    assert_eq!((jobs.len(), jobs[1].spec.entry.as_deref()), (2, Some("Scan")));
    assert_eq!(place.resumables()[1].memo.as_deref(), Some("scan 7"));
    assert_eq!(place.object(asset.target).unwrap().text("asset_tags"), "scanned");
}

#[test]
fn the_document_of_a_report_is_not_kept_for_later_calls() {
    let place = Place::new(vec![writer("asks", vec![after(Some("report"), None, false)])]);
    place.player.after("asks", |_, _| Ok(CaseOutcome { resume: again(1, ""), ..CaseOutcome::default() }));
    let request =
        ReportRequest { kind: ReportKind::Investigation, case_id: 1, template_id: 7, context: place.context(1) };
    let file = Attachment { name: "r.md".into(), media_type: "text/markdown".into(), content: b"# R".to_vec() };
    place.cases.after_report(&ReportMade { request, file }).unwrap();
    place.ended(0);
    place.clock.advance_ms(1_000);
    place.ended(1);
    let calls = place.calls();
    assert_eq!(calls[0].data[0]["files"].as_array().unwrap().len(), 1);
    assert_eq!(calls[1].data[0]["files"], json!([]));
    assert_eq!(calls[1].data[0]["new"]["body"], calls[0].data[0]["new"]["body"]);
    place.cases.close_case(1, &place.context(1)).unwrap();
}
