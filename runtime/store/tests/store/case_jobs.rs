//! Jobs of case hooks: written with their change or not at all, ended once, never lost.

use serde_json::json;
use tenter_model::Timestamp;
use tenter_model::case::edit::Edit;
use tenter_model::case::{ObjectKind, ObjectRef};
use tenter_store::{
    Change, FinishJob, HookJob, JobEnd, JobFilter, JobResult, JobState, NewJob, NewObject, ObjectChange, Store,
    StoreError,
};

use crate::cases::{CASE, by, changing, finished, look, make, new_job, noted, removal, wanted};
use crate::fixtures::*;

/// A store with one asset and its job.
fn with_job() -> (Store, ObjectRef, u64) {
    let store = store();
    let new = wanted(&store, ObjectKind::Asset, CASE, json!({"asset_name": "dc01", "asset_type_id": 9}));
    let created = store.create_object(NewObject { jobs: vec![new_job(1)], ..new }, by(1)).unwrap();
    (store, created.object.target, created.jobs[0])
}

fn job(store: &Store, id: u64) -> HookJob {
    look(store, |world| world.job(id)).unwrap()
}

fn end(job: &HookJob, end: JobEnd, code: u32) -> FinishJob {
    let result = JobResult { code, message: "said".into(), ..JobResult::default() };
    FinishJob { end, result, ..finished(job.id, job.attempts, Vec::new()) }
}

#[test]
fn a_change_that_fails_leaves_neither_object_nor_job() {
    let (store, _, _) = with_job();
    let count = |store: &Store| {
        look(store, |world| (world.count(ObjectKind::Asset), world.jobs(&JobFilter::default(), 100).len()))
    };
    let before = (count(&store), store.reader().unwrap().audit_log(0, 100).unwrap().len());
    assert_eq!(before.0, (1, 1));
    let refused = wanted(&store, ObjectKind::Asset, CASE, json!({"asset_name": "dc01", "asset_type_id": 9}));
    store.create_object(NewObject { jobs: vec![new_job(2)], ..refused }, by(1)).unwrap_err();
    // The last row that is written is the one that cannot be: the object is undone with it.
    let late = wanted(&store, ObjectKind::Asset, CASE, json!({"asset_name": "dc02", "asset_type_id": 9}));
    let jobs = vec![new_job(3), new_job(1)];
    store.create_object(NewObject { jobs: jobs.clone(), ..late }, by(1)).unwrap_err();
    let object = ObjectRef { kind: ObjectKind::Asset, id: 1 };
    let patch = changing(object, Change::Patch(vec![Edit::AddTag("x".into())]));
    store.change_object(ObjectChange { jobs: jobs.clone(), ..patch }, by(1)).unwrap_err();
    let mut gone = removal(object, 1);
    gone.jobs = jobs;
    store.delete_object(gone, by(1)).unwrap_err();
    assert_eq!((count(&store), store.reader().unwrap().audit_log(0, 100).unwrap().len()), before);
    look(&store, |world| {
        assert_eq!(world.object_in(object, CASE).unwrap().version, 1);
        assert_eq!((world.state(1, "assets").0, world.tags().len()), (1, 0));
    });
    crate::script::assert_sound(&store);
}

#[test]
fn a_job_names_the_versions_that_its_change_was_between() {
    let (store, object, created) = with_job();
    let patch = changing(object, Change::Patch(vec![Edit::AddTag("x".into())]));
    let changed = store.change_object(ObjectChange { jobs: vec![new_job(2)], ..patch }, by(1)).unwrap();
    let mut gone = removal(object, 1);
    gone.jobs = vec![new_job(3)];
    let deleted = store.delete_object(gone, by(1)).unwrap();
    let versions = |id: u64| {
        let written = job(&store, id).spec.written[0];
        look(&store, |world| [written.old, written.new].map(|v| v.map(|v| world.version(object, v).unwrap())))
    };
    assert_eq!(versions(created)[1].as_ref().unwrap().text("asset_tags"), "");
    let [old, new] = versions(changed.jobs[0]).map(Option::unwrap);
    assert_eq!((old.text("asset_tags"), new.text("asset_tags")), ("", "x"));
    assert_eq!(versions(deleted.jobs[0]), [Some(new), None]);
}

#[test]
fn a_job_that_a_request_waits_for_is_nobody_elses_until_the_process_ends() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let new = wanted(&store, ObjectKind::Asset, CASE, json!({"asset_name": "dc01", "asset_type_id": 9}));
    let jobs = vec![NewJob { waited: true, ..new_job(1) }, NewJob { waited: true, ..new_job(2) }];
    let ids = store.create_object(NewObject { jobs, ..new }, by(1)).unwrap().jobs;
    let waited = job(&store, ids[0]);
    assert_eq!((waited.state, waited.attempts, waited.started), (JobState::Running, 1, Some(NOW)));
    assert_eq!(store.claim_job(&[], NOW).unwrap(), None);
    store.finish_job(end(&waited, JobEnd::Returned, 2), by(1)).unwrap();
    drop(store);
    let store = open(dir.path());
    assert_eq!(job(&store, ids[0]).state, JobState::Succeeded);
    let again = store.claim_job(&[], NOW).unwrap().unwrap();
    assert_eq!((again.id, again.attempts), (ids[1], 2), "whoever was to work it off is gone");
}

#[test]
fn a_job_is_claimed_once_and_ends_with_its_effects() {
    let (store, object, id) = with_job();
    assert_eq!(store.claim_job(&["other", "tagger"], NOW).unwrap(), None, "the module is busy");
    let claimed = store.claim_job(&["other"], NOW).unwrap().unwrap();
    assert_eq!((claimed.id, claimed.state, claimed.attempts), (id, JobState::Running, 1));
    assert_eq!(store.claim_job(&[], NOW).unwrap(), None);
    assert_eq!(store.prune_hook_jobs(Timestamp::from_secs(1 << 40)).unwrap(), 0, "it has not ended");

    let good = changing(object, Change::Patch(vec![Edit::AddTag("seen".into())]));
    let bad = changing(object, Change::Patch(vec![Edit::AddTag("a,b".into())]));
    store.finish_job(finished(id, 1, vec![good.clone(), bad]), by(1)).unwrap_err();
    let tags = || look(&store, |world| world.object_in(object, CASE)).unwrap().text("asset_tags").to_owned();
    assert_eq!((tags().as_str(), job(&store, id).state), ("", JobState::Running), "all effects or none");

    let stale = store.finish_job(finished(id, 2, vec![good.clone()]), by(1));
    assert!(matches!(stale, Err(StoreError::Conflict(_))), "{stale:?}");
    let ended = store.finish_job(finished(id, 1, vec![good.clone()]), by(1)).unwrap();
    assert_eq!((ended.state, tags().as_str()), (JobState::Succeeded, "seen"));
    assert!(store.finish_job(finished(id, 1, vec![good]), by(1)).is_err(), "an attempt ends once");
    assert_eq!(job(&store, id), ended);
    assert_eq!(look(&store, |world| world.job_of_uuid(&ended.uuid)), Some(ended));
    assert_eq!(store.prune_hook_jobs(NOW).unwrap(), 0);
    assert_eq!(store.prune_hook_jobs(Timestamp(NOW.0 + 1)).unwrap(), 1);
}

#[test]
fn a_job_ends_in_a_state_that_tells_why_and_can_be_tried_again() {
    let later = Timestamp(NOW.0 + 5);
    for (how, code, state) in [
        (JobEnd::Returned, 0xFF02, JobState::Failed),
        (JobEnd::TimedOut, 0xFFFF, JobState::TimedOut),
        (JobEnd::GivenUp, 0xFFFF, JobState::Dead),
        (JobEnd::Again(later), 0xFFFF, JobState::Queued),
    ] {
        let (store, _, id) = with_job();
        let claimed = store.claim_job(&[], NOW).unwrap().unwrap();
        let ended = store.finish_job(end(&claimed, how, code), by(1)).unwrap();
        assert_eq!((ended.state, ended.ended.is_some()), (state, state != JobState::Queued));
        assert_eq!(ended.result.unwrap().message, "said");
        if state == JobState::Queued {
            assert_eq!(store.claim_job(&[], NOW).unwrap(), None, "its time has not come");
            assert_eq!(look(&store, |world| world.next_job()), Some(later));
            assert_eq!(store.claim_job(&[], later).unwrap().unwrap().attempts, 2);
            assert!(store.retry_job(id, by(1)).is_err(), "it runs");
        } else {
            assert_eq!(store.retry_job(id, by(1)).unwrap().attempts, 0);
            assert_eq!(store.claim_job(&[], NOW).unwrap().unwrap().attempts, 1);
        }
    }
}

#[test]
fn a_job_goes_on_later_with_the_same_objects_or_not_at_all() {
    let (store, object, id) = with_job();
    let claimed = store.claim_job(&[], NOW).unwrap().unwrap();
    let later = Timestamp(NOW.0 + 5);
    let next = Some(NewJob { not_before: Some(later), ..new_job(2) });
    let bad = changing(object, Change::Patch(vec![Edit::AddTag("a,b".into())]));
    let count = || look(&store, |world| world.jobs(&JobFilter::default(), 9)).len();
    store.finish_job(FinishJob { next: next.clone(), ..finished(id, claimed.attempts, vec![bad]) }, by(1)).unwrap_err();
    assert_eq!((job(&store, id).state, count()), (JobState::Running, 1), "what is refused asks for nothing");
    store.finish_job(FinishJob { next, ..end(&claimed, JobEnd::Returned, 2) }, by(1)).unwrap();
    assert_eq!((job(&store, id).state, count()), (JobState::Succeeded, 2));
    assert_eq!(store.claim_job(&[], NOW).unwrap(), None, "its time has not come");
    let again = store.claim_job(&[], later).unwrap().unwrap();
    assert_eq!((&again.spec.written, again.case_id, again.user_id), (&claimed.spec.written, CASE, claimed.user_id));
    assert_eq!((again.attempts, again.spec.payload), (1, json!({"n": 2})));
}

#[test]
fn a_note_goes_into_the_directory_of_that_name_which_is_made_once() {
    let store = store();
    let other = make(&store, ObjectKind::NoteDirectory, CASE, json!({"name": "Other"})).object.target.id;
    // One of that name below another directory is another one.
    make(&store, ObjectKind::NoteDirectory, CASE, json!({"name": "tagger", "parent_id": other}));
    let directory = |note: NewObject| store.create_object(note, by(1)).unwrap().object.integer("directory_id").unwrap();
    let made = directory(noted("tagger", 1));
    assert_eq!((made, directory(noted("tagger", 2)), directory(noted("Other", 3))), (other + 2, made, other));
    look(&store, |world| {
        let made = world.object_in(ObjectRef { kind: ObjectKind::NoteDirectory, id: made }, CASE).unwrap();
        assert_eq!((made.label(), made.version), ("tagger", 1));
        assert_eq!(world.count(ObjectKind::NoteDirectory), 3);
    });
    let nowhere = NewObject { case_id: None, ..noted("tagger", 4) };
    assert!(matches!(store.create_object(nowhere, by(1)), Err(StoreError::Invalid(_))));
}

#[test]
fn a_waiting_job_can_be_cancelled_and_says_so() {
    let (store, _, id) = with_job();
    let gone = store.cancel_job(id, by(1)).unwrap();
    assert_eq!((gone.state, gone.result.unwrap().message.as_str()), (JobState::Dead, "cancelled by user:1"));
    assert_eq!(store.claim_job(&[], NOW).unwrap(), None);
    let twice = store.cancel_job(id, by(1)).unwrap_err();
    insta::assert_snapshot!(twice, @"job 1, which is dead, was changed by another writer; read it again and repeat");
    assert!(matches!(store.cancel_job(9, by(1)), Err(StoreError::NotFound(_))));
}

#[test]
fn a_job_that_runs_at_each_end_of_the_process_is_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let new = |store: &Store| {
        let new = wanted(store, ObjectKind::Asset, CASE, json!({"asset_name": "dc01", "asset_type_id": 9}));
        store.create_object(NewObject { jobs: vec![new_job(1)], ..new }, by(1)).unwrap();
    };
    for start in 0..tenter_model::limits::MAX_ATTEMPTS {
        let store = open(dir.path());
        if start == 0 {
            new(&store);
        }
        assert_eq!(store.claim_job(&[], NOW).unwrap().unwrap().attempts, start + 1);
        store.close().unwrap();
    }
    let store = open(dir.path());
    assert_eq!(store.claim_job(&[], NOW).unwrap(), None);
    let dead = job(&store, 1);
    assert_eq!((dead.state, dead.result.unwrap().reason.as_deref()), (JobState::Dead, Some("process-ended")));
}

#[test]
fn a_manual_trigger_is_one_job_about_several_objects() {
    let store = store();
    let targets: Vec<_> = ["a", "b"]
        .map(|name| {
            make(&store, ObjectKind::Asset, CASE, json!({"asset_name": name, "asset_type_id": 9})).object.target
        })
        .into();
    let ids = store.queue_jobs(vec![new_job(1)], targets.clone(), CASE, by(1)).unwrap();
    let written = job(&store, ids[0]).spec.written;
    assert_eq!(
        written.iter().map(|w| (w.target, w.new)).collect::<Vec<_>>(),
        [(targets[0], Some(1)), (targets[1], Some(1))]
    );
    let filter = JobFilter { target: Some(targets[0]), case_id: CASE, ..JobFilter::default() };
    assert_eq!(look(&store, |world| world.jobs(&filter, 9)).len(), 1);
    let missing = ObjectRef { kind: ObjectKind::Asset, id: 99 };
    assert!(matches!(store.queue_jobs(vec![new_job(2)], vec![missing], CASE, by(1)), Err(StoreError::NotFound(_))));
}
