//! What records have beside the stored fields, and what rows of lists have at all.

use serde_json::{Value, json};

use super::{Joins, Source, View, history, target};
use crate::case::kind::ObjectKind;
use crate::case::look_up::LookUpKind as Look;
use crate::case::object::{CaseObject, Relation};

type Columns = &'static [(&'static str, Source)];

use Source::{American, Column, Far, Field, Made, Name, Row};

const HISTORY: (&str, Source) = ("modification_history", Made(history));
const USER_NAME: &str = "user_name";

/// The columns of a kind in a view, beside id, uuid and, in records, the stored fields.
#[must_use]
pub fn columns(kind: ObjectKind, view: View) -> Columns {
    match (kind, view) {
        (ObjectKind::Case, View::Record) => CASE,
        (ObjectKind::Case, View::Row) => CASE_ROW,
        (ObjectKind::Asset, View::Record) => ASSET,
        (ObjectKind::Asset, View::Row) => ASSET_ROW,
        (ObjectKind::Note, View::Record) => NOTE,
        (ObjectKind::Note, View::Row) => NOTE_ROW,
        (ObjectKind::NoteDirectory, View::Record) => &[],
        (ObjectKind::NoteDirectory, View::Row) => DIRECTORY_ROW,
        (ObjectKind::Ioc, View::Record) => IOC,
        (ObjectKind::Ioc, View::Row) => IOC_ROW,
        (ObjectKind::Event, View::Record) => EVENT,
        (ObjectKind::Event, View::Row) => EVENT_ROW,
        (ObjectKind::Evidence, _) => EVIDENCE,
        (ObjectKind::Task, View::Record) => TASK,
        (ObjectKind::Task, View::Row) => TASK_ROW,
        (ObjectKind::GlobalTask, View::Record) => GLOBAL_TASK,
        (ObjectKind::GlobalTask, View::Row) => GLOBAL_TASK_ROW,
        (ObjectKind::Comment, _) => COMMENT,
    }
}

const CASE: Columns = &[
    ("customer_id", Field("case_customer")),
    ("customer_name", Name("case_customer", Look::Customer)),
    ("open_by_user", Column("user_id", Look::User, USER_NAME)),
    ("open_by_user_id", Field("user_id")),
    ("owner", Column("owner_id", Look::User, USER_NAME)),
    ("reviewer", Column("reviewer_id", Look::User, USER_NAME)),
    ("classification", Name("classification_id", Look::Classification)),
    ("state_name", Name("state_id", Look::CaseState)),
    ("status_name", Name("status_id", Look::OutcomeStatus)),
    ("severity_name", Name("severity_id", Look::Severity)),
    ("review_status", Name("review_status_id", Look::ReviewStatus)),
    HISTORY,
];

const CASE_ROW: Columns = &[
    ("case_name", Field("case_name")),
    ("case_description", Field("case_description")),
    ("client_name", Name("case_customer", Look::Customer)),
    ("case_open_date", American("open_date")),
    ("case_close_date", American("close_date")),
    ("case_soc_id", Field("case_soc_id")),
    ("opened_by", Column("user_id", Look::User, USER_NAME)),
    ("opened_by_user_id", Field("user_id")),
    ("owner", Column("owner_id", Look::User, USER_NAME)),
    ("owner_id", Field("owner_id")),
    ("classification", Name("classification_id", Look::Classification)),
    ("classification_id", Field("classification_id")),
    ("state_id", Field("state_id")),
    ("state_name", Name("state_id", Look::CaseState)),
    ("access_level", Made(|case, joins| json!(joins.access_level(case.target.id)))),
];

const ASSET: Columns = &[
    ("asset_type", Row("asset_type_id", Look::AssetType)),
    ("analysis_status", Row("analysis_status_id", Look::AnalysisStatus)),
    ("ioc_links", Far(Relation::AssetIoc)),
    ("linked_ioc", Made(linked_iocs)),
    HISTORY,
];

const ASSET_ROW: Columns = &[
    ("asset_name", Field("asset_name")),
    ("asset_type", Name("asset_type_id", Look::AssetType)),
    ("asset_type_id", Field("asset_type_id")),
    ("asset_icon_not_compromised", Column("asset_type_id", Look::AssetType, "asset_icon_not_compromised")),
    ("asset_icon_compromised", Column("asset_type_id", Look::AssetType, "asset_icon_compromised")),
    ("asset_description", Field("asset_description")),
    ("asset_domain", Field("asset_domain")),
    ("asset_ip", Field("asset_ip")),
    ("asset_compromise_status_id", Field("asset_compromise_status_id")),
    ("analysis_status", Name("analysis_status_id", Look::AnalysisStatus)),
    ("analysis_status_id", Field("analysis_status_id")),
    ("asset_tags", Field("asset_tags")),
    ("link", Made(same_assets)),
    ("ioc_links", Made(linked_iocs)),
];

const NOTE: Columns = &[("directory", Made(directory)), ("comments", Made(comments)), HISTORY];

const NOTE_ROW: Columns = &[("note_title", Field("note_title")), ("directory_id", Field("directory_id"))];

const DIRECTORY_ROW: Columns = &[("name", Field("name")), ("parent_id", Field("parent_id"))];

const IOC: Columns = &[("ioc_type", Row("ioc_type_id", Look::IocType)), ("tlp", Row("ioc_tlp_id", Look::Tlp)), HISTORY];

const IOC_ROW: Columns = &[
    ("ioc_value", Field("ioc_value")),
    ("ioc_type", Name("ioc_type_id", Look::IocType)),
    ("ioc_type_id", Field("ioc_type_id")),
    ("ioc_description", Field("ioc_description")),
    ("ioc_tags", Field("ioc_tags")),
    ("ioc_misp", Field("ioc_misp")),
    ("misp_link", Field("ioc_misp")),
    ("tlp_name", Name("ioc_tlp_id", Look::Tlp)),
    ("tlp_bscolor", Column("ioc_tlp_id", Look::Tlp, "tlp_bscolor")),
    ("ioc_tlp_id", Field("ioc_tlp_id")),
    ("link", Made(other_cases)),
];

const EVENT: Columns = &[
    ("event_assets", Far(Relation::EventAsset)),
    ("event_iocs", Far(Relation::EventIoc)),
    ("category_name", Name("event_category_id", Look::EventCategory)),
    ("event_comments_map", Made(|event, joins| json!(ids(&joins.comments(event.target))))),
    HISTORY,
];

const EVENT_ROW: Columns = &[
    ("event_title", Field("event_title")),
    ("event_date", Field("event_date")),
    ("event_tz", Field("event_tz")),
    ("event_date_wtz", Field("event_date_wtz")),
    ("event_content", Field("event_content")),
    ("event_raw", Field("event_raw")),
    ("event_source", Field("event_source")),
    ("event_color", Field("event_color")),
    ("event_tags", Field("event_tags")),
    ("event_in_graph", Field("event_in_graph")),
    ("event_in_summary", Field("event_in_summary")),
    ("event_is_flagged", Field("event_is_flagged")),
    ("event_added", Field("event_added")),
    ("parent_event_id", Field("parent_event_id")),
    ("event_category_id", Field("event_category_id")),
    ("category_name", Name("event_category_id", Look::EventCategory)),
    ("user", Column("user_id", Look::User, USER_NAME)),
    ("assets", Made(event_assets)),
    ("iocs", Made(event_iocs)),
];

const EVIDENCE: Columns = &[
    ("username", Column("user_id", Look::User, USER_NAME)),
    ("user", Made(|evidence, joins| person(evidence.integer("user_id"), joins))),
    ("type", Row("type_id", Look::EvidenceType)),
    HISTORY,
];

const TASK: Columns = &[
    ("task_assignees", Made(assignees)),
    ("task_assignees_id", Far(Relation::TaskUser)),
    ("status", Row("task_status_id", Look::TaskStatus)),
    HISTORY,
];

const TASK_ROW: Columns = &[
    ("task_id", Made(|task, _| json!(task.target.id))),
    ("task_title", Field("task_title")),
    ("task_description", Field("task_description")),
    ("task_open_date", Field("task_open_date")),
    ("task_tags", Field("task_tags")),
    ("task_status_id", Field("task_status_id")),
    ("status_name", Name("task_status_id", Look::TaskStatus)),
    ("status_bscolor", Column("task_status_id", Look::TaskStatus, "status_bscolor")),
    ("task_assignees", Made(assignees)),
];

const GLOBAL_TASK: Columns = &[
    ("user_name", Column("task_assignee_id", Look::User, USER_NAME)),
    ("status_name", Name("task_status_id", Look::TaskStatus)),
];

const GLOBAL_TASK_ROW: Columns = &[
    ("task_title", Field("task_title")),
    ("task_description", Field("task_description")),
    ("task_last_update", Field("task_last_update")),
    ("task_tags", Field("task_tags")),
    ("user_name", Column("task_assignee_id", Look::User, USER_NAME)),
    ("task_assignee_id", Field("task_assignee_id")),
    ("task_status_id", Field("task_status_id")),
    ("status_name", Name("task_status_id", Look::TaskStatus)),
    ("status_bscolor", Column("task_status_id", Look::TaskStatus, "status_bscolor")),
];

const COMMENT: Columns = &[
    ("user", Made(|comment, joins| person(comment.integer("comment_user_id"), joins))),
    ("name", Column("comment_user_id", Look::User, USER_NAME)),
];

fn person(id: Option<i64>, joins: &dyn Joins) -> Value {
    let Some(user) = id.and_then(|id| joins.row(Look::User, id)) else { return Value::Null };
    json!({"user_id": user.id, "user_login": user.name, "user_name": user.body.get("user_name")})
}

fn assignees(task: &CaseObject, joins: &dyn Joins) -> Value {
    let users = joins.far(Relation::TaskUser, task.target.id).into_iter();
    let users = users.filter_map(|id| joins.row(Look::User, id));
    users.map(|user| json!({"id": user.id, "user": user.name, "name": user.body.get("user_name")})).collect()
}

fn linked_iocs(asset: &CaseObject, joins: &dyn Joins) -> Value {
    let ids = joins.far(Relation::AssetIoc, asset.target.id).into_iter();
    let iocs = ids.filter_map(|id| joins.object(target(ObjectKind::Ioc, id)));
    iocs.map(|ioc| json!({"ioc_id": ioc.target.id, "ioc_value": ioc.label()})).collect()
}

fn same_assets(asset: &CaseObject, joins: &dyn Joins) -> Value {
    let mut out = Vec::new();
    for other in joins.namesakes(asset) {
        let case = other.case_id.and_then(|id| joins.object(target(ObjectKind::Case, id)));
        let Some(case) = case.filter(|case| joins.access_level(case.target.id) > NO_ACCESS) else { continue };
        out.push(json!({
            "case_id": case.target.id, "case_name": case.label(), "case_open_date": case.body.get("open_date"),
            "asset_id": other.target.id, "asset_description": other.body.get("asset_description"),
            "asset_compromise_status_id": other.body.get("asset_compromise_status_id"),
        }));
    }
    Value::Array(out)
}

/// The level of a case that somebody may not see.
const NO_ACCESS: i64 = 1;

fn other_cases(ioc: &CaseObject, joins: &dyn Joins) -> Value {
    let ids = joins.far(Relation::IocCase, ioc.target.id).into_iter();
    let ids = ids.filter(|id| Some(*id) != joins.case_id() && joins.access_level(*id) > NO_ACCESS);
    let cases = ids.filter_map(|id| joins.object(target(ObjectKind::Case, id)));
    let customer = |case: &CaseObject| joins.row(Look::Customer, case.integer("case_customer")?);
    cases
        .map(|case| {
            json!({
                "case_id": case.target.id, "case_name": case.label(),
                "client_name": customer(&case).map(|row| row.name),
            })
        })
        .collect()
}

fn directory(note: &CaseObject, joins: &dyn Joins) -> Value {
    let id = note.integer("directory_id");
    let Some(found) = id.and_then(|id| joins.object(target(ObjectKind::NoteDirectory, id))) else { return Value::Null };
    json!({
        "id": found.target.id, "name": found.label(), "parent_id": found.body.get("parent_id"),
        "case_id": found.case_id,
    })
}

fn comments(object: &CaseObject, joins: &dyn Joins) -> Value {
    let comments = joins.comments(object.target);
    comments.iter().map(|comment| super::render(comment, View::Record, joins)).collect()
}

fn ids(objects: &[CaseObject]) -> Vec<i64> {
    objects.iter().map(|object| object.target.id).collect()
}

fn event_assets(event: &CaseObject, joins: &dyn Joins) -> Value {
    let ids = joins.far(Relation::EventAsset, event.target.id).into_iter();
    let assets = ids.filter_map(|id| joins.object(target(ObjectKind::Asset, id)));
    assets
        .map(|asset| {
            let kind = asset.integer("asset_type_id").and_then(|id| joins.row(Look::AssetType, id));
            json!({
                "asset_id": asset.target.id,
                "name": format!("{} ({})", asset.label(), kind.map(|row| row.name).unwrap_or_default()),
                "ip": asset.body.get("asset_ip"), "description": asset.body.get("asset_description"),
                "compromised": asset.integer("asset_compromise_status_id") == Some(COMPROMISED),
            })
        })
        .collect()
}

/// The id of the status of a compromised asset.
const COMPROMISED: i64 = 1;

fn event_iocs(event: &CaseObject, joins: &dyn Joins) -> Value {
    let ids = joins.far(Relation::EventIoc, event.target.id).into_iter();
    let iocs = ids.filter_map(|id| joins.object(target(ObjectKind::Ioc, id)));
    iocs.map(
        |ioc| json!({"ioc_id": ioc.target.id, "name": ioc.label(), "description": ioc.body.get("ioc_description")}),
    )
    .collect()
}
