//! The hooks after a change, and clicks: jobs, retries, results.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tenter_engine::case::ManualRequest;
use tenter_model::case::call::{CaseOutcome, ManualOutcome, Media, Report};
use tenter_model::case::{Edit, ObjectKind};
use tenter_model::host::{HookFailure, Reason};
use tenter_store::{ErrorFilter, JobState};

use crate::common::{entity, granted, module, plain, registry};
use crate::support::*;

fn writer(name: &str, moments: Vec<tenter_model::hook::Moment>) -> tenter_model::module::LoadedModule {
    granted(module(name, moments), "case-write", "*")
}

#[test]
fn an_asynchronous_hook_is_a_job_with_a_result() {
    let place = Place::new(vec![writer("tagger", vec![after(Some("asset"), Some("create"), false)])]);
    place.player.after("tagger", |_, changes| {
        let mut task = tenter_model::TaskBody::new(entity("from-a-case"));
        task.datapoints.push(plain("note", "seen"));
        Ok(CaseOutcome { tasks: vec![task], ..tag(target(&changes[0]), "seen") })
    });
    let asset = place.asset("a");
    let job = place.settle().remove(0);
    let result = job.result.clone().unwrap();
    assert_eq!((job.state, job.attempts, job.hook.as_str()), (JobState::Succeeded, 1, "on_postload_asset_create"));
    assert_eq!((result.code, result.message.as_str()), (2, "1 changed, 0 created, 1 tasks"));
    assert_eq!((result.version.as_str(), result.digest.len()), ("1.0.0", 64));
    let tagged = place.object(asset.target).unwrap();
    assert_eq!((tagged.text("asset_tags"), tagged.version), ("seen", 2));
    let audit = place.store.reader().unwrap().audit_log(0, 100).unwrap();
    assert!(audit.iter().any(|line| line.actor == "module:tagger" && line.action == "case-object.updated"));
    // No hook is called for what a module did, and its task is processed once.
    assert_eq!(place.called(), ["tagger on_postload_asset_create"]);
    let reader = place.store.reader().unwrap();
    for _ in 0..5_000 {
        if reader.record(&entity("from-a-case")).unwrap().is_some() {
            return;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    panic!("the task was not processed");
}

#[test]
fn a_synchronous_hook_is_done_before_the_answer() {
    let moments = vec![after(Some("asset"), None, true)];
    let place = Place::new(vec![writer("one", moments.clone()), writer("two", moments)]);
    place.player.after("one", |_, changes| Ok(tag(target(&changes[0]), "one")));
    place.player.after("two", |hook, changes| {
        let new = changes[0].new.as_ref().unwrap();
        if hook.ends_with("create") {
            assert_eq!((new.version, &new.body["asset_tags"]), (2, &json!("one")), "it sees what the first one did");
        }
        Ok(patch(target(&changes[0]), Some(new.version), vec![Edit::AddTag("two".into())]))
    });
    let asset = place.asset("a");
    assert_eq!((asset.text("asset_tags"), asset.version), ("one,two", 3));
    let states: Vec<_> = place.jobs().iter().map(|job| job.state).collect();
    assert_eq!(states, [JobState::Succeeded; 2]);
    let changed = place.update(asset.target, json!({"asset_name": "b", "asset_type_id": 9})).unwrap();
    assert_eq!((changed.old.version, changed.new.version), (3, 4), "tags that are there are no change");
}

#[test]
fn a_synchronous_hook_that_has_no_time_left_goes_on_without_the_request() {
    let place = Place::new(vec![
        writer("slow", vec![after(Some("asset"), None, true)]),
        writer("late", vec![after(Some("asset"), None, true)]),
    ]);
    place.player.after("slow", |_, _| {
        std::thread::sleep(Duration::from_millis(2_100));
        Ok(CaseOutcome::default())
    });
    place.player.after("late", |_, changes| Ok(tag(target(&changes[0]), "late")));
    let asset = place.asset("a");
    let states: Vec<_> = place.settle().iter().map(|job| (job.state, job.attempts)).collect();
    assert_eq!(states, [(JobState::Succeeded, 1), (JobState::Succeeded, 2)]);
    assert_eq!(place.object(asset.target).unwrap().text("asset_tags"), "late");
}

#[test]
fn faults_are_tried_again_and_what_a_module_says_is_not() {
    let place = Place::new(vec![
        module("faulty", vec![after(Some("asset"), None, false)]),
        module("passing", vec![after(Some("asset"), None, false)]),
        module("slow", vec![after(Some("asset"), None, false)]),
        module("honest", vec![after(Some("asset"), None, false)]),
    ]);
    let tries = Arc::new(AtomicU32::new(0));
    let counted = tries.clone();
    place.player.after("faulty", |_, _| Err(HookFailure::new(Reason::Trap, "by script")));
    place.player.after("passing", move |_, _| match counted.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => Err(HookFailure::new(Reason::Unavailable, "not yet")),
        _ => Ok(CaseOutcome::default()),
    });
    place.player.after("slow", |_, _| Err(HookFailure::new(Reason::Deadline, "by script")));
    place.player.after("honest", |_, _| Err(HookFailure::new(Reason::Failed, "I cannot")));
    place.asset("a");
    let ended: Vec<_> = place
        .settle()
        .into_iter()
        .map(|job| {
            let result = job.result.unwrap();
            format!(
                "{} {} {} {:#x} {:?} {}",
                job.module,
                job.state.name(),
                job.attempts,
                result.code,
                result.reason,
                result.message
            )
        })
        .collect();
    insta::assert_snapshot!(ended.join("\n"), @r#"
    faulty dead 4 0xff05 Some("trap") Failed to run hook on_postload_asset_create with module faulty. Error by script
    passing succeeded 3 0x2 None 0 changed, 0 created, 0 tasks
    slow timed-out 4 0xff05 Some("deadline") Failed to run hook on_postload_asset_create with module slow. Error by script
    honest failed 1 0xfffe Some("failed") Failed to run hook on_postload_asset_create with module honest. Error I cannot
    "#);
    // An operator may let it run again.
    place.player.after("faulty", |_, _| Ok(CaseOutcome::default()));
    let dead = place.jobs().remove(0);
    place.store.retry_job(dead.id, place.context(1).by()).unwrap();
    assert_eq!(place.settle().remove(0).state, JobState::Succeeded);
}

#[test]
fn a_click_runs_the_entries_that_were_meant_on_all_objects_at_once() {
    let menu = |titles: &[&str]| titles.iter().map(|title| manual("asset", title)).collect::<Vec<_>>();
    let place = Place::new(vec![writer("one", menu(&["Look up", "Scan"])), writer("two", menu(&["Look up"]))]);
    let entries = place.cases.menu("asset");
    let shown: Vec<_> = entries.iter().map(|e| format!("{} {} {}", e.module, e.hook, e.title)).collect();
    let hook = "on_manual_trigger_asset";
    assert_eq!(shown, [format!("one {hook} Look up"), format!("one {hook} Scan"), format!("two {hook} Look up")]);
    assert!(place.cases.menu("global_task").is_empty());
    let assets = [place.asset("a").target, place.asset("b").target];
    let click = |module: Option<&str>, entry: Option<&str>| {
        let (module, entry) = (module.map(Into::into), entry.map(Into::into));
        let request = ManualRequest { module, entry, targets: assets.to_vec(), ..place.click(assets[0]) };
        place
            .cases
            .manual(request)
            .unwrap()
            .jobs
            .iter()
            .map(|run| format!("{} {}", run.module, run.entry))
            .collect::<Vec<_>>()
    };
    assert_eq!(click(None, None).len(), 3);
    assert_eq!(click(Some("one"), Some("Scan")), ["one Scan"]);
    assert_eq!(click(None, Some("Look up")), ["one Look up", "two Look up"]);
    assert_eq!(click(Some("three"), None), [""; 0]);
    place.settle();
    let calls = place.calls();
    assert_eq!(calls.len(), 6);
    assert!(calls.iter().all(|call| call.data.as_array().unwrap().len() == 2), "{calls:?}");
    let wrong = place.cases.manual(ManualRequest { hook: "on_postload_asset_create".into(), ..place.click(assets[0]) });
    assert_eq!(
        wrong.unwrap_err().to_string(),
        "Hook on_postload_asset_create is unknown: it is none that a menu calls"
    );
}

#[test]
fn the_result_of_a_click_is_kept_for_who_clicked() {
    let place = Place::new(vec![writer("one", vec![manual("asset", "Look up")])]);
    let asset = place.asset("a");
    place.player.manual("one", |objects| {
        let report = Report { message: "3 hits".into(), media: Media::Markdown, content: "# Hits".into() };
        let target = tenter_model::case::ObjectRef { kind: ObjectKind::Asset, id: objects[0].id };
        Ok(ManualOutcome { outcome: tag(target, "hit"), report: Some(report) })
    });
    let run = place.cases.manual(place.click(asset.target)).unwrap().jobs.remove(0);
    place.settle();
    let job = place.job(run.job);
    let result = job.result.unwrap();
    assert_eq!((job.state, result.message.as_str()), (JobState::Succeeded, "3 hits"));
    assert_eq!(result.data["report"], json!({"message": "3 hits", "media": "markdown", "content": "# Hits"}));
    assert_eq!(place.object(asset.target).unwrap().text("asset_tags"), "hit");
    place.player.manual("one", |_| Err(HookFailure::new(Reason::Unavailable, "their server is down")));
    let run = place.cases.manual(place.click(asset.target)).unwrap().jobs.remove(0);
    place.settle();
    let job = place.job(run.job);
    assert_eq!((job.state, job.attempts), (JobState::Failed, 1), "a person waits for it");
    let words = "Failed to run hook on_manual_trigger_asset with module one. Error their server is down";
    assert_eq!(job.result.unwrap().message, words);
}

#[test]
fn a_module_with_many_long_jobs_does_not_starve_the_others() {
    let place = Place::new(vec![
        module("long", vec![after(Some("asset"), None, false)]),
        module("quick", vec![after(Some("asset"), None, false)]),
    ]);
    let gate = Arc::new(Mutex::new(()));
    let closed = gate.lock().unwrap();
    let waiting = gate.clone();
    place.player.after("long", move |_, _| {
        drop(waiting.lock().unwrap());
        Ok(CaseOutcome::default())
    });
    (0..4).for_each(|n| drop(place.asset(&format!("a{n}"))));
    for _ in 0..10_000 {
        let quick = place.jobs().iter().filter(|job| job.module == "quick" && job.state == JobState::Succeeded).count();
        if quick == 4 {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let of = |module: &str, state| place.jobs().iter().filter(|job| job.module == module && job.state == state).count();
    assert_eq!(
        (of("quick", JobState::Succeeded), of("long", JobState::Running), of("long", JobState::Queued)),
        (4, 1, 3)
    );
    drop(closed);
    assert!(place.settle().iter().all(|job| job.state == JobState::Succeeded));
}

#[test]
fn a_job_of_a_module_that_is_gone_ends_and_says_so() {
    let place = Place::new(vec![module("gone", vec![after(Some("asset"), None, false)])]);
    let gate = Arc::new(Mutex::new(()));
    let closed = gate.lock().unwrap();
    let waiting = gate.clone();
    place.player.after("gone", move |_, _| {
        drop(waiting.lock().unwrap());
        Ok(CaseOutcome::default())
    });
    place.asset("a");
    place.asset("b");
    place.engine.registry().swap(registry(Vec::new()));
    drop(closed);
    let jobs = place.settle();
    let dead = &jobs[1];
    let result = dead.result.clone().unwrap();
    assert_eq!((dead.state, dead.attempts, result.code), (JobState::Dead, 4, 0xFF03));
    assert!(
        result.message.ends_with("Error module gone is not in use, or has no subscription s0"),
        "{}",
        result.message
    );
    assert!(place.store.reader().unwrap().errors(&ErrorFilter::default(), 10).unwrap().is_empty());
}
