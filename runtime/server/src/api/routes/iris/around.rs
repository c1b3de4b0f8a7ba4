//! What stands around the objects of cases: remarks, files, reports, searches, clicks, modules and administration.

use axum::Extension;
use axum::extract::DefaultBodyLimit;
use axum::routing::{MethodRouter, get, post};
use tenter_engine::case::ReportKind;
use tenter_model::case::{LookUpKind, ObjectKind, Relation};
use tenter_model::limits::{MAX_FILE_BYTES, MAX_TEMPLATE_BYTES};

use crate::api::iris::{Ask, Asking, admin, comments, dim, files, modules, people, reports, search};
use crate::api::operation::ParamForm::{Text, Word};
use crate::api::operation::{Content, Param, may};
use crate::api::routes::{Route, read, send};
use crate::app::App;
use crate::auth::Area::{CaseAdmin, CaseRead, CaseWrite, Modules};
use crate::auth::{Area, Caller};

use super::{CID, see, work};

/// What a form takes beside its file, in bytes.
const FORM: usize = 2 << 20;
const SAFE: Param =
    may("safe-mode", Word(&["false", "true"]), "nothing that people wrote into the case becomes markup");

/// The rows.
#[rustfmt::skip]
pub(super) fn table() -> Vec<Route> {
    let mut rows = vec![
        form("/datastore/file/add/{node_id}", CaseWrite, MAX_FILE_BYTES, post(files::add_file)).says("Put a file into a folder of the datastore").asks(&[CID]),
        form("/datastore/file/update/{node_id}", CaseWrite, 0, post(files::update_file)).says("Change what is said of a file").asks(&[CID]),
        see("/datastore/list/tree", get(files::tree)).says("Folders and files of a case").asks(&[CID]),
        see("/datastore/file/info/{node_id}", get(files::info)).says("What is known of a file").asks(&[CID]),
        see("/datastore/file/view/{node_id}", get(files::view)).says("The content of a file").asks(&[CID]).gives_media("application/octet-stream"),
        work("/datastore/file/move/{node_id}", post(files::move_file)).says("Move a file into another folder").asks(&[CID]),
        work("/datastore/file/delete/{node_id}", post(files::delete_file)).says("Delete a file").asks(&[CID]),
        work("/datastore/folder/add", post(files::add_folder)).says("Add a folder").asks(&[CID]),
        work("/datastore/folder/rename/{node_id}", post(files::rename_folder)).says("Give a folder another name").asks(&[CID]),
        work("/datastore/folder/move/{node_id}", post(files::move_folder)).says("Move a folder with all in it").asks(&[CID]),
        work("/datastore/folder/delete/{node_id}", post(files::delete_folder)).says("Delete a folder with all in it").asks(&[CID]),

        report("/case/report/generate-investigation/{template_id}", ReportKind::Investigation).says("Make a report of an investigation").asks(&[CID, SAFE]),
        report("/case/report/generate-activities/{template_id}", ReportKind::Activities).says("Make a report of what was done in a case").asks(&[CID, SAFE]),
        see("/manage/templates/list", get(reports::list)).says("Templates of reports"),
        see("/manage/templates/{row_id}", get(reports::show)).says("One template with its text"),
        form("/manage/templates/add", CaseAdmin, MAX_TEMPLATE_BYTES as u64, post(reports::add)).says("Add a template of reports"),
        govern("/manage/templates/delete/{row_id}", post(reports::delete)).says("Delete a template"),

        ask("/search", post(search::everywhere)).says("Look for indicators, notes or comments in all cases that the user may see"),
        ask("/case/notes/search", post(search::notes)).says("Look for notes in a case").asks(&[CID, may("search_input", Text, "the text, where the body has none")]),

        work("/dim/hooks/call", post(dim::call)).says("Call what a menu offers on objects of a case"),
        see("/dim/hooks/options/{object}/list", get(dim::options)).says("The menu of a kind of object"),
        see("/dim/tasks/list/{count}", get(dim::list)).says("The newest calls of hooks on cases that the user may see"),
        see("/dim/tasks/status/{task_id}", get(dim::status)).says("A page about a call").gives_media("text/html"),

        read("/manage/modules/list", Modules, get(modules::list)).gives("IrisSuccess").says("Modules with their parameters"),
        read("/manage/modules/hooks/list", Modules, get(modules::hooks)).gives("IrisSuccess").says("Which hooks are called in which module"),
        read("/manage/modules/export-config/{module}", Modules, get(modules::export)).gives("IrisSuccess").says("The parameters of a module"),
        manage("/manage/modules/add", post(modules::add)).says("Always refused: says how a module is installed"),
        manage("/manage/modules/set-parameter/{parameter}", post(modules::set_parameter)).says("Set a parameter of a module"),
        manage("/manage/modules/enable/{module}", switch(true)).says("Switch a module on").or(409, "its hooks and those in use wait for each other"),
        manage("/manage/modules/disable/{module}", switch(false)).says("Switch a module off"),
        manage("/manage/modules/remove/{module}", post(modules::remove)).says("Remove a module with all its versions"),
        manage("/manage/modules/import-config/{module}", post(modules::import)).says("Set parameters of a module at once").or(409, "it asks for what is not granted"),

        govern_see("/manage/users/list", get(people::users)).says("Users"),
        govern_see("/manage/users/{row_id}", get(people::show_user)).says("One user, with groups and access to cases"),
        govern("/manage/users/add", post(people::add_user)).says("Add a user, with a token"),
        govern("/manage/users/update/{row_id}", post(people::update_user)).says("Change a user"),
        govern("/manage/users/delete/{row_id}", delete_row(LookUpKind::User)).says("Remove a user that nothing refers to"),
        govern_see("/manage/users/activate/{row_id}", active(true)).says("Let tokens of a user count again"),
        govern_see("/manage/users/deactivate/{row_id}", active(false)).says("Refuse the tokens of a user"),
        govern("/manage/users/{row_id}/groups/update", memberships(Relation::UserGroup)).says("Set the groups of a user"),
        govern("/manage/users/{row_id}/customers/update", memberships(Relation::UserCustomer)).says("Set the customers of a user"),
        govern("/manage/users/{row_id}/cases-access/update", post(people::set_user_access)).says("Set which cases a user may see or change"),
        govern_see("/manage/groups/list", get(people::groups)).says("Groups"),
        govern_see("/manage/groups/{row_id}", get(people::show_group)).says("One group"),
        govern("/manage/groups/add", post(people::add_group)).says("Add a group"),
        govern("/manage/groups/update/{row_id}", post(people::update_group)).says("Change a group"),
        govern("/manage/groups/delete/{row_id}", post(people::delete_group)).says("Remove a group"),
        govern("/manage/groups/{row_id}/members/update", post(people::set_members)).says("Set the members of a group"),
        govern("/manage/groups/{row_id}/cases-access/update", post(people::set_group_access)).says("Set which cases a group may see or change"),
        govern_see("/manage/access-control/audit/users/{row_id}", get(people::trace)).says("Which cases a user may see, and why"),
        govern_see("/manage/access-control/recompute-effective-users-ac", get(people::recompute)).says("Nothing is to be recomputed: access is looked up at each request"),
        govern_see("/manage/access-control/recompute-effective-user-ac/{row_id}", get(people::recompute)).says("The same for one user"),
        ask("/user/has-permission", post(people::has_permission)).says("Whether the token has a permission"),
    ];
    for ([list, add, edit, delete], kind) in COMMENTED {
        rows.push(see(list, remarks(*kind)).says("Remarks on an object").asks(&[CID]));
        // The official client asks so.
        rows.push(ask(list, remarks_asked_for(*kind)).says("The same").asks(&[CID]));
        rows.push(work(add, remark(*kind)).says("Add a remark").asks(&[CID]));
        rows.push(work(edit, change_remark(*kind)).says("Change a remark of one's own").asks(&[CID]));
        rows.push(work(delete, delete_remark(*kind)).says("Delete a remark of one's own").asks(&[CID]));
    }
    for (kind, [add, update, remove]) in GOVERNED {
        rows.push(govern(add, add_row(*kind)).says("Add a row to the look-up table"));
        rows.push(govern(update, update_row(*kind)).says("Change a row of the look-up table"));
        rows.push(govern(remove, delete_row(*kind)).says("Remove a row that nothing refers to"));
    }
    rows
}

/// The paths of remarks on a kind of object: list, add, edit, delete.
macro_rules! remarks_at {
    ($start:literal) => {
        [
            concat!($start, "/{object_id}/comments/list"),
            concat!($start, "/{object_id}/comments/add"),
            concat!($start, "/{object_id}/comments/{comment_id}/edit"),
            concat!($start, "/{object_id}/comments/{comment_id}/delete"),
        ]
    };
}

/// Kinds that have remarks. Those on events have IRIS's own path and the one that its client asks at.
const COMMENTED: &[([&str; 4], ObjectKind)] = &[
    (remarks_at!("/case/assets"), ObjectKind::Asset),
    (remarks_at!("/case/notes"), ObjectKind::Note),
    (remarks_at!("/case/ioc"), ObjectKind::Ioc),
    (remarks_at!("/case/evidences"), ObjectKind::Evidence),
    (remarks_at!("/case/tasks"), ObjectKind::Task),
    (remarks_at!("/case/timeline/events"), ObjectKind::Event),
    (remarks_at!("/case/events"), ObjectKind::Event),
];

/// The paths at which a look-up table is administered: add, update, delete.
macro_rules! governed_at {
    ($start:literal) => {
        [concat!($start, "/add"), concat!($start, "/update/{row_id}"), concat!($start, "/delete/{row_id}")]
    };
}

/// Look-up tables that operators change.
const GOVERNED: &[(LookUpKind, [&str; 3])] = &[
    (LookUpKind::Customer, governed_at!("/manage/customers")),
    (LookUpKind::IocType, governed_at!("/manage/ioc-types")),
    (LookUpKind::AssetType, governed_at!("/manage/asset-type")),
    (LookUpKind::Classification, governed_at!("/manage/case-classifications")),
    (LookUpKind::EvidenceType, governed_at!("/manage/evidence-types")),
];

/// A route that reads and takes what it asks for in its body.
fn ask(path: &'static str, handler: MethodRouter<App>) -> Route {
    send(path, CaseRead, handler).takes(Content::MaybeJson("Object")).gives("IrisSuccess")
}

/// A route that takes a form with a file of so many bytes.
fn form(path: &'static str, needs: Area, file: u64, handler: MethodRouter<App>) -> Route {
    let most = usize::try_from(file).unwrap_or(usize::MAX).saturating_add(FORM);
    let handler = handler.layer(DefaultBodyLimit::max(most));
    send(path, needs, handler).takes(Content::Media("multipart/form-data")).gives("IrisSuccess")
}

fn report(path: &'static str, kind: ReportKind) -> Route {
    see(path, get(move |asking: Asking| reports::generate(kind, asking))).gives_media("text/markdown")
}

fn govern(path: &'static str, handler: MethodRouter<App>) -> Route {
    send(path, CaseAdmin, handler).takes(Content::MaybeJson("Object")).gives("IrisSuccess")
}

fn govern_see(path: &'static str, handler: MethodRouter<App>) -> Route {
    read(path, CaseAdmin, handler).gives("IrisSuccess")
}

fn manage(path: &'static str, handler: MethodRouter<App>) -> Route {
    send(path, Modules, handler).takes(Content::MaybeJson("Object")).gives("IrisSuccess")
}

fn switch(on: bool) -> MethodRouter<App> {
    post(move |caller: Extension<Caller>, ask: Ask| modules::set_enabled(on, caller, ask))
}

fn active(active: bool) -> MethodRouter<App> {
    get(move |asking: Asking| people::set_active(active, asking))
}

fn memberships(relation: Relation) -> MethodRouter<App> {
    post(move |ask: Ask| people::set_memberships(relation, ask))
}

fn add_row(kind: LookUpKind) -> MethodRouter<App> {
    post(move |ask: Ask| admin::add(kind, ask))
}

fn update_row(kind: LookUpKind) -> MethodRouter<App> {
    post(move |ask: Ask| admin::update(kind, ask))
}

fn delete_row(kind: LookUpKind) -> MethodRouter<App> {
    post(move |ask: Ask| admin::delete(kind, ask))
}

fn remarks(kind: ObjectKind) -> MethodRouter<App> {
    get(move |asking: Asking| comments::list(kind, asking))
}

fn remarks_asked_for(kind: ObjectKind) -> MethodRouter<App> {
    post(move |ask: Ask| comments::list(kind, ask.asking))
}

fn remark(kind: ObjectKind) -> MethodRouter<App> {
    post(move |ask: Ask| comments::add(kind, ask))
}

fn change_remark(kind: ObjectKind) -> MethodRouter<App> {
    post(move |ask: Ask| comments::edit(kind, ask))
}

fn delete_remark(kind: ObjectKind) -> MethodRouter<App> {
    post(move |ask: Ask| comments::delete(kind, ask))
}
