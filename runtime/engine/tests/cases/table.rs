//! Every hook of the table whose object exists: it fires once, at its moment, with its data, and its return does what it
//! is to do.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tenter_engine::case::{CaseError, ReportKind, ReportMade, ReportRequest};
use tenter_model::case::call::{Attachment, Judgement};
use tenter_model::case::{CaseEvent, Edit, ObjectKind, ObjectRef, Phase, TABLE};

use crate::common::{granted, module};
use crate::support::*;

/// Called about everything.
fn place() -> Place {
    let moments = [before(None, None), after(None, None, false)].into_iter().chain(menus()).collect();
    Place::new(vec![granted(module("all", moments), "case-write", "*")])
}

/// Kinds with hooks of their own, and what makes and changes one.
fn kinds(place: &Place) -> Vec<(ObjectKind, Value, Value)> {
    let (asset, ioc) = (ObjectKind::Asset, ObjectKind::Ioc);
    let directory = place.make(ObjectKind::NoteDirectory, CASE, json!({"name": "d"})).unwrap().object.target.id;
    let domain = place.ioc_type("domain");
    let event = json!({
        "event_title": "first", "event_date": "2024-03-01T12:00:00.000000", "event_tz": "+00:00",
        "event_category_id": 1, "event_assets": [], "event_iocs": [],
    });
    let task = json!({"task_title": "first", "task_status_id": 1, "task_assignees_id": []});
    let global = json!({"task_title": "first", "task_status_id": 1, "task_assignee_id": 1});
    let case = json!({"case_name": "first", "case_description": "Words.", "case_soc_id": "", "case_customer": 1});
    vec![
        (ObjectKind::Case, case, json!({"case_name": "second"})),
        (
            asset,
            json!({"asset_name": "first", "asset_type_id": 9}),
            json!({"asset_name": "second", "asset_type_id": 9}),
        ),
        (ObjectKind::Note, json!({"note_title": "first", "directory_id": directory}), json!({"note_title": "second"})),
        (ioc, json!({"ioc_value": "first", "ioc_type_id": domain}), json!({"ioc_value": "second"})),
        (ObjectKind::Event, event, json!({"event_title": "second"})),
        (ObjectKind::Evidence, json!({"filename": "first"}), json!({"filename": "second"})),
        (ObjectKind::Task, task, json!({"task_title": "second", "task_assignees_id": []})),
        (ObjectKind::GlobalTask, global, json!({"task_title": "second"})),
    ]
}

fn home(kind: ObjectKind) -> Option<i64> {
    CASE.filter(|_| !matches!(kind, ObjectKind::Case | ObjectKind::GlobalTask))
}

fn has_comments(kind: ObjectKind) -> bool {
    CaseEvent::hook(Phase::After, kind.name(), "commented").is_some()
}

/// What was called since, as rows: step, hook, data, number of stored objects at the call.
fn rows(place: &Place, step: &str) -> Vec<String> {
    place.settle();
    let label = |body: &Value, object: &str| {
        let kind = ObjectKind::parse(object);
        let label = kind.map(|kind| body[kind.info().label].clone()).unwrap_or_default();
        label.as_str().unwrap_or("-").to_owned()
    };
    let one = |value: &Value| match value {
        Value::Null => "-".to_owned(),
        value => {
            let object = value["object"].as_str().unwrap();
            format!("{object} {} v{} {:?}", value["id"], value["version"], label(&value["body"], object))
        }
    };
    let row = |call: Called| {
        let object = call.hook.trim_start_matches("on_preload_").to_owned();
        let kind = ObjectKind::ALL.into_iter().rev().find(|k| object.starts_with(&k.name().replace('-', "_")));
        let data = match &call.data {
            Value::Array(all) if call.hook.starts_with("on_manual") => {
                all.iter().map(one).collect::<Vec<_>>().join(", ")
            }
            Value::Array(all) => {
                let change = |c: &Value| format!("{} => {} {}", one(&c["old"]), one(&c["new"]), c["files"]);
                all.iter().map(change).collect::<Vec<_>>().join(", ")
            }
            asked => format!("id {} {:?}", asked["id"], label(&asked["body"], kind.map_or("", ObjectKind::name))),
        };
        let case = call.context.case_id.map_or("-".to_owned(), |id| id.to_string());
        format!("{step}: {} | {data} | case {case} | {} stored", call.hook, call.stored)
    };
    place.calls().into_iter().map(row).collect()
}

/// Does everything once to each kind of object.
fn scenario() -> Vec<String> {
    let place = place();
    let mut all = Vec::new();
    for (kind, new, change) in kinds(&place) {
        place.calls();
        let target = place.make(kind, home(kind), new).unwrap().object.target;
        all.extend(rows(&place, "create"));
        place.update(target, change).unwrap();
        all.extend(rows(&place, "update"));
        if kind == ObjectKind::Event {
            let copy = place.cases.duplicate_event(place.on(target)).unwrap().object.target;
            all.extend(rows(&place, "duplicate"));
            place.delete(copy).unwrap();
            rows(&place, "");
        }
        if has_comments(kind) {
            let comment = place.comment(target, "words").target;
            all.extend(rows(&place, "comment"));
            place.update(comment, json!({"comment_text": "others"})).unwrap();
            all.extend(rows(&place, "edit comment"));
            place.delete(comment).unwrap();
            all.extend(rows(&place, "delete comment"));
        }
        let click = place.click(target);
        let inside = if kind == ObjectKind::Case { Some(target.id) } else { CASE };
        place.cases.manual(tenter_engine::case::ManualRequest { case_id: inside, ..click }).unwrap();
        all.extend(rows(&place, "click"));
        place.delete(target).unwrap();
        all.extend(rows(&place, "delete"));
    }
    for kind in [ReportKind::Investigation, ReportKind::Activities] {
        let request = ReportRequest { kind, case_id: 1, template_id: 7, context: place.context(1) };
        place.cases.before_report(&request).unwrap();
        all.extend(rows(&place, "report"));
        let file = Attachment { name: "r.md".into(), media_type: "text/markdown".into(), content: vec![0; 3] };
        place.cases.after_report(&ReportMade { request, file }).unwrap();
        all.extend(rows(&place, "made"));
    }
    all
}

/// What each step calls, in order.
const EXPECTED: &str = r##"
    create: on_preload_case_create | id null "first" | case - | 1 stored
    create: on_postload_case_create | - => case 2 v1 "#2 - first" [] | case 2 | 2 stored
    update: on_postload_case_update | case 2 v1 "#2 - first" => case 2 v2 "#2 - second" [] | case 2 | 2 stored
    click: on_manual_trigger_case | case 2 v2 "#2 - second" | case 2 | 2 stored
    delete: on_preload_case_delete | id 2 "#2 - second" | case 2 | 2 stored
    delete: on_postload_case_delete | case 2 v2 "#2 - second" => - [] | case 2 | 1 stored
    create: on_preload_asset_create | id null "first" | case 1 | 0 stored
    create: on_postload_asset_create | - => asset 1 v1 "first" [] | case 1 | 1 stored
    update: on_preload_asset_update | id 1 "second" | case 1 | 1 stored
    update: on_postload_asset_update | asset 1 v1 "first" => asset 1 v2 "second" [] | case 1 | 1 stored
    comment: on_postload_asset_commented | - => comment 1 v1 "words" [], - => asset 1 v2 "second" [] | case 1 | 1 stored
    edit comment: on_postload_asset_comment_update | comment 1 v1 "words" => comment 1 v2 "others" [], - => asset 1 v2 "second" [] | case 1 | 1 stored
    delete comment: on_postload_asset_comment_delete | comment 1 v2 "others" => - [], - => asset 1 v2 "second" [] | case 1 | 1 stored
    click: on_manual_trigger_asset | asset 1 v2 "second" | case 1 | 1 stored
    delete: on_preload_asset_delete | id 1 "second" | case 1 | 1 stored
    delete: on_postload_asset_delete | asset 1 v2 "second" => - [] | case 1 | 0 stored
    create: on_preload_note_create | id null "first" | case 1 | 0 stored
    create: on_postload_note_create | - => note 1 v1 "first" [] | case 1 | 1 stored
    update: on_preload_note_update | id 1 "second" | case 1 | 1 stored
    update: on_postload_note_update | note 1 v1 "first" => note 1 v2 "second" [] | case 1 | 1 stored
    comment: on_postload_note_commented | - => comment 2 v1 "words" [], - => note 1 v2 "second" [] | case 1 | 1 stored
    edit comment: on_postload_note_comment_update | comment 2 v1 "words" => comment 2 v2 "others" [], - => note 1 v2 "second" [] | case 1 | 1 stored
    delete comment: on_postload_note_comment_delete | comment 2 v2 "others" => - [], - => note 1 v2 "second" [] | case 1 | 1 stored
    click: on_manual_trigger_note | note 1 v2 "second" | case 1 | 1 stored
    delete: on_preload_note_delete | id 1 "second" | case 1 | 1 stored
    delete: on_postload_note_delete | note 1 v2 "second" => - [] | case 1 | 0 stored
    create: on_preload_ioc_create | id null "first" | case 1 | 0 stored
    create: on_postload_ioc_create | - => ioc 1 v1 "first" [] | case 1 | 1 stored
    update: on_preload_ioc_update | id 1 "second" | case 1 | 1 stored
    update: on_postload_ioc_update | ioc 1 v1 "first" => ioc 1 v2 "second" [] | case 1 | 1 stored
    comment: on_postload_ioc_commented | - => comment 3 v1 "words" [], - => ioc 1 v2 "second" [] | case 1 | 1 stored
    edit comment: on_postload_ioc_comment_update | comment 3 v1 "words" => comment 3 v2 "others" [], - => ioc 1 v2 "second" [] | case 1 | 1 stored
    delete comment: on_postload_ioc_comment_delete | comment 3 v2 "others" => - [], - => ioc 1 v2 "second" [] | case 1 | 1 stored
    click: on_manual_trigger_ioc | ioc 1 v2 "second" | case 1 | 1 stored
    delete: on_preload_ioc_delete | id 1 "second" | case 1 | 1 stored
    delete: on_postload_ioc_delete | ioc 1 v2 "second" => - [] | case 1 | 0 stored
    create: on_preload_event_create | id null "first" | case 1 | 0 stored
    create: on_postload_event_create | - => event 1 v1 "first" [] | case 1 | 1 stored
    update: on_preload_event_update | id 1 "second" | case 1 | 1 stored
    update: on_postload_event_update | event 1 v1 "first" => event 1 v2 "second" [] | case 1 | 1 stored
    duplicate: on_preload_event_duplicate | id 1 "second" | case 1 | 1 stored
    duplicate: on_postload_event_create | - => event 2 v1 "[DUPLICATED] - second" [] | case 1 | 2 stored
    comment: on_postload_event_commented | - => comment 4 v1 "words" [], - => event 1 v2 "second" [] | case 1 | 1 stored
    edit comment: on_postload_event_comment_update | comment 4 v1 "words" => comment 4 v2 "others" [], - => event 1 v2 "second" [] | case 1 | 1 stored
    delete comment: on_postload_event_comment_delete | comment 4 v2 "others" => - [], - => event 1 v2 "second" [] | case 1 | 1 stored
    click: on_manual_trigger_event | event 1 v2 "second" | case 1 | 1 stored
    delete: on_preload_event_delete | id 1 "second" | case 1 | 1 stored
    delete: on_postload_event_delete | event 1 v2 "second" => - [] | case 1 | 0 stored
    create: on_preload_evidence_create | id null "first" | case 1 | 0 stored
    create: on_postload_evidence_create | - => evidence 1 v1 "first" [] | case 1 | 1 stored
    update: on_preload_evidence_update | id 1 "second" | case 1 | 1 stored
    update: on_postload_evidence_update | evidence 1 v1 "first" => evidence 1 v2 "second" [] | case 1 | 1 stored
    comment: on_postload_evidence_commented | - => comment 5 v1 "words" [], - => evidence 1 v2 "second" [] | case 1 | 1 stored
    edit comment: on_postload_evidence_comment_update | comment 5 v1 "words" => comment 5 v2 "others" [], - => evidence 1 v2 "second" [] | case 1 | 1 stored
    delete comment: on_postload_evidence_comment_delete | comment 5 v2 "others" => - [], - => evidence 1 v2 "second" [] | case 1 | 1 stored
    click: on_manual_trigger_evidence | evidence 1 v2 "second" | case 1 | 1 stored
    delete: on_preload_evidence_delete | id 1 "second" | case 1 | 1 stored
    delete: on_postload_evidence_delete | evidence 1 v2 "second" => - [] | case 1 | 0 stored
    create: on_preload_task_create | id null "first" | case 1 | 0 stored
    create: on_postload_task_create | - => task 1 v1 "first" [] | case 1 | 1 stored
    update: on_preload_task_update | id 1 "second" | case 1 | 1 stored
    update: on_postload_task_update | task 1 v1 "first" => task 1 v2 "second" [] | case 1 | 1 stored
    comment: on_postload_task_commented | - => comment 6 v1 "words" [], - => task 1 v2 "second" [] | case 1 | 1 stored
    edit comment: on_postload_task_comment_update | comment 6 v1 "words" => comment 6 v2 "others" [], - => task 1 v2 "second" [] | case 1 | 1 stored
    delete comment: on_postload_task_comment_delete | comment 6 v2 "others" => - [], - => task 1 v2 "second" [] | case 1 | 1 stored
    click: on_manual_trigger_task | task 1 v2 "second" | case 1 | 1 stored
    delete: on_preload_task_delete | id 1 "second" | case 1 | 1 stored
    delete: on_postload_task_delete | task 1 v2 "second" => - [] | case 1 | 0 stored
    create: on_preload_global_task_create | id null "first" | case - | 0 stored
    create: on_postload_global_task_create | - => global-task 1 v1 "first" [] | case - | 1 stored
    update: on_preload_global_task_update | id 1 "second" | case - | 1 stored
    update: on_postload_global_task_update | global-task 1 v1 "first" => global-task 1 v2 "second" [] | case - | 1 stored
    click: on_manual_trigger_global_task | global-task 1 v2 "second" | case 1 | 1 stored
    delete: on_preload_global_task_delete | id 1 "second" | case - | 1 stored
    delete: on_postload_global_task_delete | global-task 1 v2 "second" => - [] | case - | 0 stored
    report: on_preload_report_create | id 7 "-" | case 1 | 0 stored
    made: on_postload_report_create | - => report 7 v1 "-" [["r.md",3]] | case 1 | 0 stored
    report: on_preload_activities_report_create | id 7 "-" | case 1 | 0 stored
    made: on_postload_activities_report_create | - => activities-report 7 v1 "-" [] | case 1 | 0 stored
"##;

fn differs(seen: &[String], expected: &[&str]) -> Option<String> {
    let n = seen.len().max(expected.len());
    (0..n).find_map(|i| {
        let (seen, expected) = (seen.get(i).map(String::as_str), expected.get(i).copied());
        (seen != expected).then(|| format!("row {i}: {seen:?}, expected {expected:?}"))
    })
}

#[test]
fn each_hook_fires_once_with_its_data_at_its_moment() {
    let seen = scenario();
    let mut expected: Vec<&str> = EXPECTED.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(differs(&seen, &expected), None, "\n{}", seen.join("\n"));
    let name = |row: &String| row.split(" | ").next().unwrap().split(": ").nth(1).unwrap().to_owned();
    let fired: BTreeSet<String> = seen.iter().map(name).collect();
    // An event that is copied is created a second time; all else once.
    assert_eq!(seen.len(), fired.len() + 1, "a hook fired twice");
    let exist: BTreeSet<String> = TABLE.iter().filter(|h| h.object != "alert").map(|h| h.iris_name()).collect();
    assert_eq!(fired, exist, "of alerts there are none yet");
    assert_eq!(TABLE.iter().filter(|h| h.in_reference && fired.contains(&h.iris_name())).count(), 58);
    // The control: a table with two rows in each other's place is another one.
    let last = expected.len() - 1;
    for (a, b) in [(0, 1), (3, 20), (last - 1, last)] {
        expected.swap(a, b);
        assert!(differs(&seen, &expected).is_some(), "rows {a} and {b} may be exchanged");
        expected.swap(a, b);
    }
}

#[test]
fn what_hooks_before_return_is_what_is_written() {
    let place = place();
    for (kind, new, change) in kinds(&place) {
        let label = kind.info().label;
        place.player.before("all", move |_, proposal| {
            let mut body = proposal.body.clone();
            let text = body[label].as_str().unwrap().to_owned();
            body.insert(label.to_owned(), json!(text + "!"));
            Ok(Judgement::Replaced(body))
        });
        let object = place.make(kind, home(kind), new.clone()).unwrap().object;
        let made = if kind == ObjectKind::Case { format!("#{} - first!", object.target.id) } else { "first!".into() };
        assert_eq!(object.label(), made, "{kind}");
        let changed = place.update(object.target, change.clone()).unwrap().new;
        if kind != ObjectKind::Case {
            assert_eq!(changed.label(), "second!", "{kind}");
        }
        place.player.before("all", |hook, _| Ok(Judgement::Denied(hook.to_owned())));
        let denied = |result: Result<(), CaseError>, action: &str| {
            let words = format!("module all denies it: on_preload_{}_{action}", kind.name().replace('-', "_"));
            assert_eq!(result.unwrap_err().to_string(), words);
        };
        let count = || place.cases.read(None, None, |world| world.count(kind)).unwrap();
        let before = count();
        denied(place.make(kind, home(kind), new).map(drop), "create");
        if kind != ObjectKind::Case {
            denied(place.update(object.target, change).map(drop), "update");
        }
        denied(place.delete(object.target).map(drop), "delete");
        if kind == ObjectKind::Event {
            denied(place.cases.duplicate_event(place.on(object.target)).map(drop), "duplicate");
        }
        let now = place.object(object.target).unwrap();
        assert_eq!((count(), now.version), (before, changed.version), "{kind}");
    }
    for kind in [ReportKind::Investigation, ReportKind::Activities] {
        let request = ReportRequest { kind, case_id: 1, template_id: 7, context: place.context(1) };
        assert!(matches!(place.cases.before_report(&request), Err(CaseError::Denied { .. })));
    }
}

#[test]
fn what_hooks_after_and_clicks_want_is_done() {
    let place = place();
    place.player.after("all", |hook, changes| {
        Ok(match changes.first().and_then(|change| change.new.as_ref()) {
            // A report is no stored object, a remark has no description, and what is gone is not patched.
            Some(new) if new.uuid.is_some() && new.object != "comment" => {
                patch(target(&changes[0]), None, vec![Edit::AppendDescription(hook.to_owned())])
            }
            _ => Default::default(),
        })
    });
    place.player.manual("all", |objects| {
        let target = ObjectRef { kind: ObjectKind::parse(objects[0].object).unwrap(), id: objects[0].id };
        let outcome = patch(target, None, vec![Edit::AppendDescription("clicked".into())]);
        Ok(tenter_model::case::call::ManualOutcome { outcome, report: None })
    });
    for (kind, new, change) in kinds(&place) {
        let target = place.make(kind, home(kind), new).unwrap().object.target;
        place.settle();
        place.update(target, change).unwrap();
        place.settle();
        let inside = if kind == ObjectKind::Case { Some(target.id) } else { CASE };
        let click = tenter_engine::case::ManualRequest { case_id: inside, ..place.click(target) };
        place.cases.manual(click).unwrap();
        let jobs = place.settle();
        assert!(jobs.iter().all(|job| job.result.as_ref().is_some_and(|result| result.code == 2)), "{jobs:#?}");
        let name = kind.name().replace('-', "_");
        let text = place.object(target).unwrap().text(kind.info().description.unwrap()).to_owned();
        let added = format!("on_postload_{name}_create\non_postload_{name}_update\nclicked");
        assert!(text.ends_with(&added), "{kind}: {text}");
    }
}
