//! IRIS's routes for cases, at their own paths. Whoever reads needs a token that may read cases, whoever changes one that
//! may work on them; which cases, the user decides that the token stands for.

use axum::routing::{MethodRouter, get, post};
use tenter_model::case::{LookUpKind, ObjectKind};

use crate::api::iris::{Ask, Asking, cases, events, look_ups, notes, objects, session};
use crate::api::operation::ParamForm::{Json, Position};
use crate::api::operation::{Content, Param, may};
use crate::app::App;
use crate::auth::Area::{CaseRead, CaseWrite};

use super::{Route, read, send};

mod around;

/// Where a request may name its case; the other place is the body.
const CID: Param = may("cid", Position, "the case; the first one where neither query nor body names one");

/// The rows.
#[rustfmt::skip]
pub(super) fn table() -> Vec<Route> {
    use ObjectKind::{Asset, Case, Event, Evidence, GlobalTask, Ioc, Note, NoteDirectory, Task};
    let mut rows = vec![
        see("/api/ping", get(session::ping)).says("Whether the token is taken"),
        see("/api/versions", get(session::versions)).says("Which versions of IRIS's API are spoken"),

        see("/manage/cases/list", get(cases::list)).says("Cases that the user may see"),
        see("/manage/cases/{object_id}", get(cases::show)).says("One case"),
        work("/manage/cases/add", post(cases::add)).takes(Content::Fields(Case, true)).says("Make a case"),
        work("/manage/cases/update/{object_id}", post(cases::update)).takes(Content::Fields(Case, false)).says("Change a case"),
        work("/manage/cases/delete/{object_id}", post(cases::delete)).says("Delete a case with all that is in it"),
        work("/manage/cases/close/{object_id}", post(cases::close)).says("Close a case"),
        work("/manage/cases/reopen/{object_id}", post(cases::reopen)).says("Open a closed case again"),
        work("/case/update-status", post(cases::outcome)).says("Set what a case turned out to be").asks(&[CID]),
        see("/case/summary/fetch", get(cases::summary)).says("The description of a case with its checksum").asks(&[CID]),
        work("/case/summary/update", post(cases::set_summary)).says("Change the description of a case").asks(&[CID]),
        see("/case/activities/list", get(cases::activities)).says("The newest lines of a case's log").asks(&[CID]),
        work("/case/tasklog/add", post(cases::add_log)).says("Write a line into a case's log").asks(&[CID]),

        see("/case/notes/directories/filter", get(notes::directories)).says("The directories of notes as a tree").asks(&[CID]),
        see("/case/notes/directories/{object_id}", show(NoteDirectory)).says("One directory of notes").asks(&[CID]),
        work("/case/notes/directories/add", add(NoteDirectory)).takes(Content::Fields(NoteDirectory, true)).says("Make a directory of notes").asks(&[CID]),
        work("/case/notes/directories/update/{object_id}", update(NoteDirectory)).takes(Content::Fields(NoteDirectory, false)).says("Change a directory of notes").asks(&[CID]),
        work("/case/notes/directories/delete/{object_id}", delete(NoteDirectory)).says("Delete a directory with its notes").asks(&[CID]),
        see("/case/notes/{object_id}", show(Note)).says("One note with its comments").asks(&[CID]),
        work("/case/notes/add", add(Note)).takes(Content::Fields(Note, true)).says("Write a note").asks(&[CID]),
        work("/case/notes/update/{object_id}", update(Note)).takes(Content::Fields(Note, false)).says("Change a note").asks(&[CID]),
        work("/case/notes/delete/{object_id}", delete(Note)).says("Delete a note").asks(&[CID]),
        gone(see("/case/notes/groups/list", get(notes::groups))),
        gone(see("/case/notes/groups/{object_id}", get(notes::groups))),
        gone(work("/case/notes/groups/add", post(notes::groups))),
        gone(work("/case/notes/groups/update", post(notes::groups))),
        gone(work("/case/notes/groups/delete/{object_id}", post(notes::groups))),

        see("/case/assets/list", list(Asset)).says("Assets of a case").asks(&[CID]),
        see("/case/assets/{object_id}", show(Asset)).says("One asset").asks(&[CID]),
        work("/case/assets/add", add(Asset)).takes(Content::Fields(Asset, true)).says("Add an asset").asks(&[CID]),
        work("/case/assets/update/{object_id}", update(Asset)).takes(Content::Fields(Asset, false)).says("Change an asset").asks(&[CID]),
        work("/case/assets/delete/{object_id}", delete(Asset)).says("Delete an asset").asks(&[CID]),

        see("/case/ioc/list", list(Ioc)).says("Indicators of a case").asks(&[CID]),
        see("/case/ioc/{object_id}", show(Ioc)).says("One indicator").asks(&[CID]),
        work("/case/ioc/add", add(Ioc)).takes(Content::Fields(Ioc, true)).says("Add an indicator to a case").asks(&[CID]),
        work("/case/ioc/update/{object_id}", update(Ioc)).takes(Content::Fields(Ioc, false)).says("Change an indicator").asks(&[CID]),
        work("/case/ioc/delete/{object_id}", delete(Ioc)).says("Take an indicator out of a case").asks(&[CID]),

        see("/case/evidences/list", list(Evidence)).says("Registered files of a case").asks(&[CID]),
        see("/case/evidences/{object_id}", show(Evidence)).says("One registered file").asks(&[CID]),
        work("/case/evidences/add", add(Evidence)).takes(Content::Fields(Evidence, true)).says("Register a file").asks(&[CID]),
        work("/case/evidences/update/{object_id}", update(Evidence)).takes(Content::Fields(Evidence, false)).says("Change what is said of a file").asks(&[CID]),
        work("/case/evidences/delete/{object_id}", delete(Evidence)).says("Take a file out of the register").asks(&[CID]),

        see("/case/tasks/list", list(Task)).says("Tasks of a case").asks(&[CID]),
        see("/case/tasks/{object_id}", show(Task)).says("One task").asks(&[CID]),
        work("/case/tasks/add", add(Task)).takes(Content::Fields(Task, true)).says("Add a task").asks(&[CID]),
        work("/case/tasks/update/{object_id}", update(Task)).takes(Content::Fields(Task, false)).says("Change a task").asks(&[CID]),
        work("/case/tasks/delete/{object_id}", delete(Task)).says("Delete a task").asks(&[CID]),

        see("/case/timeline/events/list/filter/{object_id}", get(events::list)).says("Events of a timeline, of one asset or (0) of all").asks(&[CID]),
        see("/case/timeline/advanced-filter", get(events::filtered)).says("Events of a timeline that match a filter")
            .asks(&[CID, may("q", Json, "members with lists of texts: asset, asset_id, event_id, ioc, ioc_id, tag, description, category, raw, title, source, flag, startDate, endDate")]),
        see("/case/timeline/events/{object_id}", show(Event)).says("One event").asks(&[CID]),
        work("/case/timeline/events/add", add(Event)).takes(Content::Fields(Event, true)).says("Add an event").asks(&[CID]),
        work("/case/timeline/events/update/{object_id}", update(Event)).takes(Content::Fields(Event, false)).says("Change an event").asks(&[CID]),
        work("/case/timeline/events/delete/{object_id}", delete(Event)).says("Delete an event").asks(&[CID]),
        work("/case/timeline/events/duplicate/{object_id}", post(events::duplicate)).says("Copy an event").asks(&[CID]),

        see("/global/tasks/list", list(GlobalTask)).says("Tasks of no case"),
        see("/global/tasks/{object_id}", show(GlobalTask)).says("One task of no case"),
        work("/global/tasks/add", add(GlobalTask)).takes(Content::Fields(GlobalTask, true)).says("Add a task of no case"),
        work("/global/tasks/update/{object_id}", update(GlobalTask)).takes(Content::Fields(GlobalTask, false)).says("Change a task of no case"),
        work("/global/tasks/delete/{object_id}", delete(GlobalTask)).says("Delete a task of no case"),

        see("/manage/users/lookup/login/{login}", get(look_ups::user_by_login)).says("The user of a login"),
        see("/manage/users/lookup/id/{row_id}", get(look_ups::user_by_id)).says("The user of an id"),
        see("/manage/users/restricted/list", get(look_ups::users)).says("Who works here"),
    ];
    for (table, kind, summary, one) in LOOK_UPS {
        rows.push(see(table, rows_of(*kind)).says(summary));
        rows.push(see(one, row_of(*kind)).says("One row of that table"));
    }
    rows.extend(around::table());
    rows
}

/// Look-up tables: the path of all rows, what they are, and the path of one row.
#[rustfmt::skip]
const LOOK_UPS: &[(&str, LookUpKind, &str, &str)] = &[
    ("/manage/asset-type/list", LookUpKind::AssetType, "Types of assets", "/manage/asset-type/{row_id}"),
    ("/manage/analysis-status/list", LookUpKind::AnalysisStatus, "How far the analysis of an asset may be", "/manage/analysis-status/{row_id}"),
    ("/manage/compromise-status/list", LookUpKind::CompromiseStatus, "Whether an asset is compromised", "/manage/compromise-status/{row_id}"),
    ("/manage/task-status/list", LookUpKind::TaskStatus, "How far a task may be", "/manage/task-status/{row_id}"),
    ("/manage/tlp/list", LookUpKind::Tlp, "With whom an indicator may be shared", "/manage/tlp/{row_id}"),
    ("/manage/event-categories/list", LookUpKind::EventCategory, "Categories of events", "/manage/event-categories/{row_id}"),
    ("/manage/ioc-types/list", LookUpKind::IocType, "Types of indicators", "/manage/ioc-types/{row_id}"),
    ("/manage/case-classifications/list", LookUpKind::Classification, "What a case may be", "/manage/case-classifications/{row_id}"),
    ("/manage/customers/list", LookUpKind::Customer, "Customers", "/manage/customers/{row_id}"),
    ("/manage/outcome-status/list", LookUpKind::OutcomeStatus, "What a case may turn out to be", "/manage/outcome-status/{row_id}"),
    ("/manage/alert-status/list", LookUpKind::AlertStatus, "How far an alert may be", "/manage/alert-status/{row_id}"),
    ("/manage/severities/list", LookUpKind::Severity, "How bad a case may be", "/manage/severities/{row_id}"),
    ("/manage/case-states/list", LookUpKind::CaseState, "How far a case may be", "/manage/case-states/{row_id}"),
    ("/manage/evidence-types/list", LookUpKind::EvidenceType, "What a registered file may be", "/manage/evidence-types/{row_id}"),
];

/// A route that reads.
fn see(path: &'static str, handler: MethodRouter<App>) -> Route {
    read(path, CaseRead, handler).gives("IrisSuccess")
}

/// A route that changes something.
fn work(path: &'static str, handler: MethodRouter<App>) -> Route {
    send(path, CaseWrite, handler).takes(Content::MaybeJson("Object")).gives("IrisSuccess")
}

/// A route that is no more.
fn gone(row: Route) -> Route {
    row.says("Deprecated: directories took the place of groups of notes").or(410, "always")
}

fn list(kind: ObjectKind) -> MethodRouter<App> {
    get(move |asking: Asking| objects::list(kind, asking))
}

fn show(kind: ObjectKind) -> MethodRouter<App> {
    get(move |asking: Asking| objects::show(kind, asking))
}

fn add(kind: ObjectKind) -> MethodRouter<App> {
    post(move |ask: Ask| objects::add(kind, ask))
}

fn update(kind: ObjectKind) -> MethodRouter<App> {
    post(move |ask: Ask| objects::update(kind, ask))
}

fn delete(kind: ObjectKind) -> MethodRouter<App> {
    post(move |ask: Ask| objects::delete(kind, ask))
}

fn rows_of(kind: LookUpKind) -> MethodRouter<App> {
    get(move |asking: Asking| look_ups::list(kind, asking))
}

fn row_of(kind: LookUpKind) -> MethodRouter<App> {
    get(move |asking: Asking| look_ups::show(kind, asking))
}
