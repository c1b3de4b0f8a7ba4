//! Case objects: each rule of what is one thing, what goes with what, what is kept; and versions under concurrency.

use serde_json::{Value, json};
use tenter_model::Timestamp;
use tenter_model::case::edit::Edit;
use tenter_model::case::object::{closing, reopening};
use tenter_model::case::render::Joins;
use tenter_model::case::render::{self, View};
use tenter_model::case::{
    Accepted, Acting, Body, CaseObject, LookUpKind, ObjectKind, ObjectRef, Relation, validate::validate_create,
    validate::validate_update,
};
use tenter_store::{
    AccessLevel, CaseActor, CaseWorld, Change, Changed, Created, FinishJob, JobEnd, JobFilter, JobResult, JobState,
    NewJob, NewObject, Novelty, ObjectChange, Produced, Reader, Removal, Store, StoreError, Who,
};

use crate::fixtures::*;

pub(crate) const CASE: Option<i64> = Some(1);

pub(crate) fn by(user_id: i64) -> CaseActor {
    CaseActor { acting: Acting { user_id, now: NOW }, name: format!("user:{user_id}"), from_api: true }
}

pub(crate) fn new_job(n: u8) -> NewJob {
    NewJob {
        random: [n; 16],
        hook: "on_postload_asset_create".into(),
        module: "tagger".into(),
        subscription: "tag".into(),
        entry: None,
        trigger: "api".into(),
        not_before: None,
        waited: false,
        payload: json!({"n": n}),
    }
}

pub(crate) fn look<T>(store: &Store, read: impl FnOnce(&CaseWorld<'_>) -> T) -> T {
    store.reader().unwrap().cases(Some(1), CASE, read).unwrap()
}

/// What a request asks for, with uuids that differ.
pub(crate) fn wanted(store: &Store, kind: ObjectKind, case_id: Option<i64>, request: Value) -> NewObject {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    let number = u128::from(NUMBER.fetch_add(1, Ordering::Relaxed));
    let accepted = look(store, |world| validate_create(kind, &request, case_id, world)).unwrap();
    let (random, jobs) = ((number << 32).to_be_bytes(), Vec::new());
    NewObject { kind, case_id, about: None, accepted, directory: None, random, jobs }
}

pub(crate) fn make(store: &Store, kind: ObjectKind, case_id: Option<i64>, request: Value) -> Created {
    store.create_object(wanted(store, kind, case_id, request), by(1)).unwrap()
}

fn asset(store: &Store, case_id: i64, name: &str) -> CaseObject {
    make(store, ObjectKind::Asset, Some(case_id), json!({"asset_name": name, "asset_type_id": 9})).object
}

fn ioc(store: &Store, case_id: i64, value: &str) -> Created {
    let request = json!({"ioc_value": value, "ioc_type_id": ioc_type(store, "domain"), "ioc_tlp_id": 2});
    make(store, ObjectKind::Ioc, Some(case_id), request)
}

fn ioc_type(store: &Store, name: &str) -> i64 {
    look(store, |world| world.row_by_name(LookUpKind::IocType, name)).unwrap().id
}

fn second_case(store: &Store) -> i64 {
    let request = json!({
        "case_name": "Second", "case_description": "Another one.", "case_soc_id": "s2", "case_customer": 1,
    });
    make(store, ObjectKind::Case, None, request).object.target.id
}

pub(crate) fn changing(target: ObjectRef, change: Change) -> ObjectChange {
    ObjectChange { target, case_id: CASE, expected_version: None, change, action: "updated".into(), jobs: Vec::new() }
}

fn change(store: &Store, object: &CaseObject, request: Value) -> Result<Changed, StoreError> {
    let accepted = look(store, |world| validate_update(object, &request, object.case_id, world)).unwrap();
    let change = ObjectChange { case_id: None, ..changing(object.target, Change::Request(accepted)) };
    store.change_object(change, by(1))
}

pub(crate) fn removal(target: ObjectRef, case_id: i64) -> Removal {
    Removal { target, case_id: Some(case_id), expected_version: None, jobs: Vec::new() }
}

fn remove(store: &Store, target: ObjectRef, case_id: i64) -> Vec<ObjectRef> {
    let removed = store.delete_object(removal(target, case_id), by(1)).unwrap();
    removed.gone.iter().map(|object| object.target).collect()
}

fn target(kind: ObjectKind, id: i64) -> ObjectRef {
    ObjectRef { kind, id }
}

/// The step of the history that is told at each death: an indicator with a job whose effects change it and make a note in
/// a directory, and a job that goes on from there later.
pub(crate) fn told(store: &Store, reader: &Reader) -> bool {
    let (objects, mut jobs, made) = reader
        .cases(None, None, |world| {
            let made = [ObjectKind::NoteDirectory, ObjectKind::Note].map(|kind| world.count(kind));
            (world.objects(ObjectKind::Ioc, CASE), world.jobs(&JobFilter::default(), 10), made)
        })
        .unwrap();
    jobs.reverse();
    assert_eq!(objects.len(), jobs.len().min(1), "an object without its job, or a job without its object");
    let seen = objects.iter().any(|ioc| ioc.text("ioc_tags") == "seen");
    let ended = |n: usize| jobs.get(n).is_some_and(|job| job.state == JobState::Succeeded);
    assert_eq!((ended(0), jobs.len() == 2, made), (seen, seen, [u64::from(seen); 2]), "a part of what came of a job");
    let done = ended(1);
    if objects.is_empty() {
        let request = json!({"ioc_value": "example.org", "ioc_type_id": ioc_type(store, "domain")});
        let new = wanted(store, ObjectKind::Ioc, CASE, request);
        let new = NewObject { random: [1; 16], jobs: vec![new_job(7)], ..new };
        store.create_object(new, by(1)).unwrap();
    }
    let later = Timestamp(NOW.0 + 60_000_000);
    while let Some(job) = store.claim_job(&[], later).unwrap() {
        let end = finished(job.id, job.attempts, Vec::new());
        let end = if job.spec.payload == json!({"n": 7}) {
            let effect = changing(target(ObjectKind::Ioc, 1), Change::Patch(vec![Edit::AddTag("seen".into())]));
            let next = NewJob { not_before: Some(later), ..new_job(8) };
            FinishJob { changes: vec![effect], creations: vec![noted("tagger", 2)], next: Some(next), ..end }
        } else {
            end
        };
        store.finish_job(end, by(1)).unwrap();
    }
    done
}

/// A note in a directory of that name.
pub(crate) fn noted(directory: &str, n: u8) -> NewObject {
    let accepted = Accepted { fields: Body::from_iter([("note_title".into(), json!("Seen"))]), ..Accepted::default() };
    let (kind, directory) = (ObjectKind::Note, Some(directory.to_owned()));
    NewObject { kind, case_id: CASE, about: None, accepted, directory, random: [n; 16], jobs: Vec::new() }
}

pub(crate) fn finished(id: u64, attempt: u32, changes: Vec<ObjectChange>) -> FinishJob {
    let result = JobResult { code: 2, message: "done".into(), ..JobResult::default() };
    FinishJob {
        id,
        attempt,
        end: JobEnd::Returned,
        result,
        changes,
        creations: Vec::new(),
        produced: Produced::default(),
        next: None,
    }
}

/// All of cases that can be read, as text. Attempts of jobs differ with the deaths.
pub(crate) fn dump(reader: &Reader, out: &mut Vec<String>) -> Result<(), StoreError> {
    reader.cases(None, None, |world| {
        for kind in ObjectKind::ALL {
            for object in world.objects(kind, None) {
                // What is seeded has the time of the first start.
                let seeded = object.target == target(ObjectKind::Case, 1);
                let body = if seeded { json!(object.label()) } else { json!(object.body) };
                out.push(format!("{} {} {body}", object.target, object.version));
                // In a damaged store a version may be gone.
                let former = (1..object.version).map(|v| world.version(object.target, v).map(|was| was.body));
                out.extend(former.map(|body| format!("{body:?}")));
                out.push(format!("{:?}", world.history(object.target).len()));
            }
        }
        for job in world.jobs(&JobFilter::default(), 100) {
            out.push(format!("{} {:?} {:?} {:?} {:?}", job.uuid, job.state, job.spec, job.ended, job.result));
        }
        out.push(format!("{:?} {:?}", world.state(1, "ioc"), world.activities(1, 100)));
        out.push(format!("{:?} {:?}", world.tagged("seen"), world.far(Relation::IocCase, 1)));
        let rows: usize = LookUpKind::ALL.iter().map(|kind| world.rows(*kind).len()).sum();
        out.push(format!("{rows}"));
        crate::files::dump(world, out);
    })
}

#[test]
fn a_new_store_has_what_clients_rely_on_and_gets_it_once() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let store = open(dir.path());
        look(&store, |world| {
            let case = world.object(target(ObjectKind::Case, 1)).unwrap();
            assert_eq!(case.label(), "#1 - Initial Demo");
            let row = render::render(&case, View::Row, world);
            assert_eq!((&row["client_name"], &row["access_level"]), (&json!("IrisInitialClient"), &json!(4)));
            assert_eq!(world.row_by_name(LookUpKind::User, "Administrator").map(|user| user.id), Some(1));
            assert_eq!((world.count(ObjectKind::Case), world.rows(LookUpKind::Tlp).len()), (1, 5));
            assert_eq!((world.level(1, 1), world.level(9, 1)), (AccessLevel::Full, AccessLevel::None));
            assert_eq!(world.level(1, 99), AccessLevel::None);
        });
        store.close().unwrap();
    }
}

#[test]
fn a_change_leaves_its_traces_with_the_object() {
    let store = store();
    let first = asset(&store, 1, "dc01");
    let changed = change(&store, &first, json!({"asset_ip": "192.0.2.1", "asset_tags": "a,b"})).unwrap();
    assert_eq!((changed.old.version, changed.new.version), (1, 2));
    look(&store, |world| {
        assert_eq!(world.version(first.target, 1).unwrap().body, first.body);
        assert_eq!(world.version(first.target, 2).unwrap(), changed.new);
        assert_eq!(world.tagged("a"), [first.target]);
        assert_eq!(world.state(1, "assets"), (2, Some(NOW)));
        let said: Vec<_> = world.activities(1, 40).into_iter().map(|line| line.text).collect();
        assert_eq!(said, ["Updated asset \"dc01\"", "Created asset \"dc01\""]);
        let history: Vec<_> = world.history(first.target).into_iter().map(|change| change.action).collect();
        assert_eq!(history, ["created", "updated"]);
    });
    assert_eq!(remove(&store, first.target, 1), [first.target]);
    look(&store, |world| {
        assert_eq!(world.object(first.target), None);
        assert_eq!(world.version(first.target, 2).unwrap(), changed.new, "what is deleted can be read");
        assert_eq!((world.state(1, "assets").0, world.tags()), (3, Vec::<String>::new()));
    });
    let audit = store.reader().unwrap().audit_log(0, 10).unwrap();
    let said: Vec<_> = audit.iter().map(|row| format!("{} {} {}", row.actor, row.action, row.subject)).collect();
    assert_eq!(
        said,
        [
            "user:1 case-object.created asset 1",
            "user:1 case-object.updated asset 1",
            "user:1 case-object.deleted asset 1",
        ]
    );
    assert_ne!(asset(&store, 1, "dc01").target, first.target, "no id is used again");
}

#[test]
fn an_asset_is_one_in_its_case() {
    let store = store();
    let other = second_case(&store);
    asset(&store, 1, "DC01");
    let second = asset(&store, 1, "dc02");
    let again = wanted(&store, ObjectKind::Asset, CASE, json!({"asset_name": "dc01", "asset_type_id": 9}));
    let refused = |result: Result<(), StoreError>| match result {
        Err(StoreError::Fields(errors)) => errors.to_json(),
        other => panic!("{other:?}"),
    };
    let want = json!({"asset_name": ["Asset name already exists in this case"]});
    assert_eq!(refused(store.create_object(again, by(1)).map(drop)), want);
    assert_eq!(refused(change(&store, &second, json!({"asset_name": "Dc01"})).map(drop)), want);
    make(&store, ObjectKind::Asset, CASE, json!({"asset_name": "dc01", "asset_type_id": 10}));
    let elsewhere = asset(&store, other, "dc01");
    look(&store, |world| {
        let row = render::render(&elsewhere, View::Row, world);
        assert_eq!(row["link"][0]["case_id"], json!(1), "the same asset of another case is shown");
    });
}

#[test]
fn an_indicator_is_one_for_all_cases_and_goes_with_the_last() {
    let store = store();
    let other = second_case(&store);
    let first = ioc(&store, 1, "example.org");
    let (linked, again) = (ioc(&store, other, "example.org"), ioc(&store, other, "example.org"));
    let id = first.object.target;
    assert_eq!((first.novelty, linked.novelty), (Novelty::New, Novelty::NowInCase));
    assert_eq!((again.novelty, again.object.target, linked.object.target), (Novelty::AlreadyInCase, id, id));
    let homeless = json!({"ioc_value": "example.com", "ioc_type_id": ioc_type(&store, "domain")});
    let homeless = store.create_object(wanted(&store, ObjectKind::Ioc, None, homeless), by(1));
    assert!(matches!(homeless, Err(StoreError::Invalid(_))), "{homeless:?}");
    let host = asset(&store, 1, "dc01");
    change(&store, &host, json!({"ioc_links": [id.id.to_string(), "77"]})).unwrap();
    assert_eq!(look(&store, |world| world.far(Relation::AssetIoc, host.target.id)), [id.id]);
    let outside = store.delete_object(removal(id, 77), by(1));
    assert!(matches!(outside, Err(StoreError::NotFound(_))), "{outside:?}");
    let with_job = Removal { jobs: vec![new_job(1)], ..removal(id, 1) };
    let removed = store.delete_object(with_job, by(1)).unwrap();
    assert!(removed.gone.is_empty() && removed.jobs.is_empty(), "another case has it");
    look(&store, |world| {
        assert!(world.object_in(id, Some(other)).is_some() && world.object_in(id, CASE).is_none());
        assert_eq!(world.far(Relation::AssetIoc, host.target.id), Vec::<i64>::new());
    });
    let with_job = Removal { jobs: vec![new_job(1)], ..removal(id, other) };
    assert_eq!(store.delete_object(with_job, by(1)).unwrap().jobs.len(), 1);
    assert_eq!(look(&store, |world| world.object(id)), None);
}

#[test]
fn a_directory_goes_with_all_below_and_never_stands_under_itself() {
    let store = store();
    let directory = |name: &str, parent: Value| {
        make(&store, ObjectKind::NoteDirectory, CASE, json!({"name": name, "parent_id": parent})).object
    };
    let top = directory("top", Value::Null);
    let below = directory("below", json!(top.target.id));
    let note = |d: &CaseObject| {
        let request = json!({"note_title": "n", "note_content": "c", "directory_id": d.target.id});
        make(&store, ObjectKind::Note, CASE, request).object
    };
    let (one, two) = (note(&top), note(&below));
    let cycle = change(&store, &top, json!({"parent_id": below.target.id}));
    assert!(matches!(&cycle, Err(StoreError::Fields(errors)) if errors.has("parent_id")), "{cycle:?}");
    let gone = remove(&store, top.target, 1);
    assert_eq!(gone, [two.target, below.target, one.target, top.target]);
    assert_eq!(look(&store, |world| world.count(ObjectKind::Note)), 0);
}

#[test]
fn a_note_keeps_what_it_was() {
    let store = store();
    let directory = make(&store, ObjectKind::NoteDirectory, CASE, json!({"name": "d"})).object.target.id;
    let request = json!({"note_title": "t", "note_content": "one", "directory_id": directory});
    let note = make(&store, ObjectKind::Note, CASE, request).object;
    let contents = || -> Vec<String> {
        look(&store, |world| world.note_revisions(note.target.id)).into_iter().map(|r| r.content).collect()
    };
    assert_eq!(contents(), ["one"]);
    change(&store, &note, json!({"note_content": "two"})).unwrap();
    assert_eq!(contents(), ["one"], "what is replaced is the last revision already");
    change(&store, &note, json!({"note_content": "three"})).unwrap();
    change(&store, &note, json!({"note_content": "four"})).unwrap();
    assert_eq!(contents(), ["one", "two", "three"]);
}

#[test]
fn an_event_is_linked_within_its_case_and_its_children_survive_it() {
    let store = store();
    let other = second_case(&store);
    let (mine, foreign) = (asset(&store, 1, "a").target.id, asset(&store, other, "b").target.id);
    let bad = ioc(&store, 1, "example.org").object.target.id;
    let event = |title: &str, parent: Value| {
        let request = json!({
            "event_title": title, "event_date": "2024-03-01T00:30:00.000000", "event_tz": "+02:00",
            "event_category_id": "5", "event_assets": [mine, foreign], "event_iocs": [bad],
            "event_sync_iocs_assets": true, "parent_event_id": parent,
        });
        make(&store, ObjectKind::Event, CASE, request).object
    };
    let parent = event("parent", Value::Null);
    let child = event("child", json!(parent.target.id));
    look(&store, |world| {
        let record = render::render(&parent, View::Record, world);
        assert_eq!((&record["event_assets"], &record["event_iocs"]), (&json!([mine]), &json!([bad])));
        assert_eq!(world.far(Relation::AssetIoc, mine), [bad], "listed indicators are linked with listed assets");
    });
    remove(&store, target(ObjectKind::Asset, mine), 1);
    remove(&store, parent.target, 1);
    look(&store, |world| {
        let orphan = world.object(child.target).unwrap();
        assert_eq!((orphan.integer("parent_event_id"), orphan.version), (None, 2));
        assert_eq!(world.far(Relation::EventAsset, child.target.id), Vec::<i64>::new());
    });
}

#[test]
fn who_has_no_access_is_not_assigned_and_comments_are_their_authors() {
    let store = store();
    let second = store.put_look_up(LookUpKind::User, None, "ann", Default::default(), by(1)).unwrap();
    assert_eq!(second.id, 2);
    let request = json!({"task_title": "Look", "task_status_id": 1, "task_assignees_id": [1, 2, 99]});
    let assignees = |id: i64| look(&store, |world| world.far(Relation::TaskUser, id));
    let task = make(&store, ObjectKind::Task, CASE, request.clone()).object.target;
    assert_eq!(assignees(task.id), [1]);
    store.set_case_access(Who::User(2), 1, Some(AccessLevel::Read), by(1)).unwrap();
    assert_eq!(assignees(make(&store, ObjectKind::Task, CASE, request).object.target.id), [1, 2]);
    store.set_memberships(Relation::UserGroup, 2, vec![1], by(1)).unwrap();
    store.set_case_access(Who::User(2), 1, None, by(1)).unwrap();
    assert_eq!(look(&store, |world| world.level(2, 1)), AccessLevel::Full, "the group's");
    store.set_case_access(Who::User(2), 1, Some(AccessLevel::None), by(1)).unwrap();
    assert_eq!(look(&store, |world| world.level(2, 1)), AccessLevel::None, "what is said of a user counts first");

    let remark = wanted(&store, ObjectKind::Comment, CASE, json!({"comment_text": "Look"}));
    let remark = store.create_object(NewObject { about: Some(task), ..remark }, by(2)).unwrap().object.target;
    assert!(matches!(store.delete_object(removal(remark, 1), by(1)), Err(StoreError::Invalid(_))));
    assert_eq!(look(&store, |world| world.comments(task).len()), 1);
    assert_eq!(remove(&store, task, 1), [remark, task], "comments go with what they are about");
    store.bind_token([7; 32], 2, by(1)).unwrap();
    assert_eq!(look(&store, |world| world.user_of_token(&[7; 32])), Some(2));
    store.remove_look_up(LookUpKind::User, 2, by(1)).unwrap();
    assert_eq!(look(&store, |world| world.user_of_token(&[7; 32])), Some(2), "of one who is gone, and not of nobody");
}

#[test]
fn a_look_takes_so_much_into_memory_and_no_more() {
    let store = store();
    let directory = make(&store, ObjectKind::NoteDirectory, CASE, json!({"name": "Long"})).object.target.id;
    // As long as a content may be, in letters of four bytes.
    let content = "\u{1f980}".repeat(4 << 20);
    for n in 0..5 {
        let note = json!({"note_title": format!("note {n}"), "note_content": content, "directory_id": directory});
        make(&store, ObjectKind::Note, CASE, note);
    }
    let reader = store.reader().unwrap();
    let all = reader.cases(None, CASE, |world| world.objects(ObjectKind::Note, CASE).len());
    insta::assert_snapshot!(all.unwrap_err(), @"this asks for more than 64 MiB of objects of cases at once; ask for them one by one");
    assert_eq!(look(&store, |world| world.containing(ObjectKind::Note, &["note_title"], "NOTE 3", None).len()), 1);
    let shelved = look(&store, |world| world.shelves(ObjectKind::Note, 1));
    let shelved: Vec<_> =
        shelved.iter().map(|note| (note.label(), note.integer("directory_id"), note.body.len())).collect();
    assert_eq!(shelved.len(), 5);
    assert_eq!(shelved[4], ("note 4", Some(directory), 2));
    assert_eq!(look(&store, |world| world.shelves(ObjectKind::NoteDirectory, 1)[0].label().to_owned()), "Long");
}

#[test]
fn a_case_goes_with_all_that_is_in_it_and_the_first_stays() {
    let store = store();
    let other = second_case(&store);
    assert_eq!(look(&store, |world| world.object(target(ObjectKind::Case, other))).unwrap().label(), "#2 - Second");
    let (shared, own) = (ioc(&store, 1, "example.org").object.target, ioc(&store, other, "example.net").object.target);
    ioc(&store, other, "example.org");
    let inside = asset(&store, other, "dc01").target;
    let remark = wanted(&store, ObjectKind::Comment, Some(other), json!({"comment_text": "Look"}));
    store.create_object(NewObject { about: Some(inside), ..remark }, by(1)).unwrap();
    let case = target(ObjectKind::Case, other);
    let gone = remove(&store, case, other);
    assert_eq!((gone.len(), gone.last()), (4, Some(&case)), "{gone:?}");
    look(&store, |world| {
        assert!(world.object(shared).is_some() && world.object(own).is_none() && world.object(inside).is_none());
        assert_eq!((world.level(1, other), world.state(other, "ioc").0), (AccessLevel::None, 0));
    });
    let first = store.delete_object(removal(target(ObjectKind::Case, 1), 1), by(1));
    assert!(matches!(first, Err(StoreError::Invalid(_))), "{first:?}");
    crate::script::assert_sound(&store);
}

#[test]
fn a_case_is_closed_and_opened_again_under_its_number() {
    let store = store();
    let case = target(ObjectKind::Case, 1);
    let set = |fields, action: &str| {
        let change = ObjectChange { action: action.into(), ..changing(case, Change::Server(fields)) };
        store.change_object(change, by(1)).unwrap().new
    };
    let closed = set(closing(NOW), "closed");
    assert_eq!((closed.integer("state_id"), closed.text("close_date")), (Some(9), "2023-11-14"));
    let open = set(reopening(), "reopened");
    assert_eq!((open.integer("state_id"), open.text("close_date")), (Some(3), ""));
    let renamed = change(&store, &open, json!({"case_name": "#1 - Phishing"})).unwrap().new;
    assert_eq!(renamed.label(), "#1 - Phishing");
    assert_eq!(change(&store, &open, json!({"case_name": "Spam"})).unwrap().new.label(), "#1 - Spam");
}

#[test]
fn what_a_request_refers_to_may_have_gone_meanwhile() {
    let store = store();
    let row = store.put_look_up(LookUpKind::AssetType, None, "Printer", Default::default(), by(1)).unwrap();
    let request = json!({"asset_name": "p1", "asset_type_id": row.id});
    let new = wanted(&store, ObjectKind::Asset, CASE, request);
    store.remove_look_up(LookUpKind::AssetType, row.id, by(1)).unwrap();
    let late = store.create_object(new, by(1));
    assert!(matches!(&late, Err(StoreError::Fields(errors)) if errors.has("asset_type_id")), "{late:?}");
    let used = asset(&store, 1, "dc01");
    let kept = store.remove_look_up(LookUpKind::AssetType, used.integer("asset_type_id").unwrap(), by(1));
    insta::assert_snapshot!(kept.unwrap_err(), @r#"asset-type "Windows - Computer" cannot be removed: asset 1 refers to it"#);
    let twice = store.put_look_up(LookUpKind::AssetType, None, "account", Default::default(), by(1));
    insta::assert_snapshot!(twice.unwrap_err(), @r#"asset_name: "account" exists already"#);
}

#[test]
fn of_writers_that_expect_a_version_one_wins_and_others_lose_nothing() {
    let store = store();
    let object = asset(&store, 1, "dc01").target;
    let tag = |n: usize| Change::Patch(vec![Edit::AddTag(format!("t{n}"))]);
    let wins: Vec<bool> = std::thread::scope(|scope| {
        let expecting = |n| ObjectChange { expected_version: Some(1), ..changing(object, tag(n)) };
        let threads: Vec<_> = (0..8)
            .map(|n| (store.clone(), expecting(n)))
            .map(|(s, c)| scope.spawn(move || s.change_object(c, by(1))))
            .collect();
        threads
            .into_iter()
            .map(|thread| match thread.join().unwrap() {
                Ok(_) => true,
                Err(StoreError::Conflict(_)) => false,
                Err(other) => panic!("{other}"),
            })
            .collect()
    });
    assert_eq!(wins.iter().filter(|won| **won).count(), 1);
    std::thread::scope(|scope| {
        for n in 10..18 {
            let (store, change) = (store.clone(), changing(object, tag(n)));
            scope.spawn(move || store.change_object(change, by(1)).unwrap());
        }
    });
    let now = look(&store, |world| world.object(object)).unwrap();
    assert_eq!(now.version, 10);
    assert_eq!(now.text("asset_tags").split(',').count(), 9, "{}", now.text("asset_tags"));
    let same = store.change_object(changing(object, tag(10)), by(1)).unwrap();
    assert_eq!(same.new.version, 10, "edits that change nothing are no change");
}

#[test]
fn objects_are_found_by_name_content_and_tag() {
    let store = store();
    ioc(&store, 1, "www.example.org");
    ioc(&store, 1, "example.net");
    let names = |pattern: &str| -> Vec<String> {
        look(&store, |world| world.search(ObjectKind::Ioc, pattern, 10)).iter().map(|o| o.label().to_owned()).collect()
    };
    assert_eq!(names("%EXAMPLE%"), ["example.net", "www.example.org"]);
    assert_eq!(names("example.net"), ["example.net"]);
    let directory = make(&store, ObjectKind::NoteDirectory, CASE, json!({"name": "d"})).object.target.id;
    let request = json!({"note_title": "t", "note_content": "Ärger here", "directory_id": directory});
    let note = make(&store, ObjectKind::Note, CASE, request).object;
    look(&store, |world| {
        let found = world.containing(ObjectKind::Note, &["note_title", "note_content"], "ärger", CASE);
        assert_eq!(found, std::slice::from_ref(&note));
        assert_eq!(world.objects(ObjectKind::Ioc, CASE).len(), 2);
    });
}
