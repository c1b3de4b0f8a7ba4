//! The fields of all kinds. The one truth: validation, defaults, what modules may set and what is stored derive from it.

use super::field::{Field, Made, Shape};
use super::kind::ObjectKind;
use super::look_up::LookUpKind as Look;
use super::object::Relation;

const TAGS: Shape = Shape::Tags { max: 512 };
const STATUS: &str = "Invalid task status ID";

/// Of a case. The name is stored behind the case's number.
pub(super) const CASE: &[Field] = &[
    Field::text("case_name", 2, 256).required(),
    Field::text("case_description", 2, super::field::LONG).required().settable(),
    Field::text("case_soc_id", 0, 256).required().settable(),
    Field::look_up("case_customer", Look::Customer, "Invalid customer ID").required(),
    Field::look_up("classification_id", Look::Classification, "Invalid classification ID").settable(),
    Field::look_up("state_id", Look::CaseState, "Invalid case state ID")
        .or(Made::Integer(super::seed::OPEN))
        .settable(),
    Field::look_up("severity_id", Look::Severity, "Invalid severity ID").or(Made::Integer(4)).settable(),
    Field::look_up("status_id", Look::OutcomeStatus, "Invalid outcome status ID").or(Made::Integer(0)).settable(),
    Field::look_up("owner_id", Look::User, "Invalid user ID").or(Made::User),
    Field::look_up("reviewer_id", Look::User, "Invalid reviewer ID"),
    Field::look_up("review_status_id", Look::ReviewStatus, "Invalid review status ID"),
    Field::of("protagonists", Shape::People).or(Made::NoItems),
    Field::of("case_tags", TAGS).or(Made::Text("")).settable(),
    Field::long("closing_note").settable(),
    Field::custom(),
    Field::server("open_date", Made::Today),
    Field::server("close_date", Made::Null),
    Field::server("initial_date", Made::Now),
    Field::server("user_id", Made::User),
];

/// Of an asset.
pub(super) const ASSET: &[Field] = &[
    Field::text("asset_name", 1, 1024).required(),
    Field::look_up("asset_type_id", Look::AssetType, "Invalid asset type ID").required(),
    Field::look_up("analysis_status_id", Look::AnalysisStatus, "Invalid analysis status ID").settable(),
    Field::long("asset_description").settable(),
    Field::text("asset_domain", 0, 1024).settable(),
    Field::text("asset_ip", 0, 1024).settable(),
    Field::long("asset_info").settable(),
    Field::look_up("asset_compromise_status_id", Look::CompromiseStatus, "Invalid compromise status ID").settable(),
    Field::of("asset_tags", TAGS).settable(),
    Field::of("asset_enrichment", Shape::Json).settable(),
    Field::of("ioc_links", Shape::Links(Relation::AssetIoc)),
    Field::custom(),
    Field::server("user_id", Made::User),
    Field::server("date_added", Made::Now),
    Field::server("date_update", Made::Now).touched(Made::Now),
];

/// Of a note.
pub(super) const NOTE: &[Field] = &[
    Field::text("note_title", 1, 155).required().settable(),
    Field::long("note_content").or(Made::Text("")).settable(),
    Field::object("directory_id", ObjectKind::NoteDirectory, "Invalid directory id for the case").required(),
    Field::custom(),
    Field::server("note_user", Made::User),
    Field::server("note_creationdate", Made::Now),
    Field::server("note_lastupdate", Made::Now).touched(Made::Now),
];

/// Of a directory of notes.
pub(super) const NOTE_DIRECTORY: &[Field] = &[
    Field::text("name", 1, 255).required(),
    Field::object("parent_id", ObjectKind::NoteDirectory, "Invalid parent directory for the case"),
];

/// Of an indicator.
pub(super) const IOC: &[Field] = &[
    Field::text("ioc_value", 1, 65_536).required(),
    Field::look_up("ioc_type_id", Look::IocType, "Invalid ioc type ID").required(),
    Field::look_up("ioc_tlp_id", Look::Tlp, "Invalid TLP ID").settable(),
    Field::long("ioc_description").settable(),
    Field::of("ioc_tags", TAGS).settable(),
    Field::long("ioc_misp").settable(),
    Field::of("ioc_enrichment", Shape::Json).settable(),
    Field::custom(),
    Field::server("user_id", Made::User),
];

/// Of an event. `event_date` is kept in UTC; `event_date_wtz` is the date as it was typed.
pub(super) const EVENT: &[Field] = &[
    Field::text("event_title", 2, 1024).required().missing("Missing field event_title").settable(),
    Field::of("event_date", Shape::LocalTime).required().missing("Missing field event_date"),
    Field::of("event_tz", Shape::Zone).required().missing("Missing field event_tz"),
    Field::look_up("event_category_id", Look::EventCategory, "Invalid event category ID")
        .required()
        .missing("Missing field event_category_id")
        .settable(),
    Field::of("event_assets", Shape::Links(Relation::EventAsset)).required().missing("Missing field event_assets"),
    Field::of("event_iocs", Shape::Links(Relation::EventIoc)).required().missing("Missing field event_iocs"),
    Field::of("event_sync_iocs_assets", Shape::Truth).input(),
    Field::object("parent_event_id", ObjectKind::Event, "Invalid parent event ID"),
    Field::long("event_content").settable(),
    Field::long("event_raw").settable(),
    Field::text("event_source", 0, 65_536).settable(),
    Field::of("event_color", Shape::Colour).or(Made::Text("")).settable(),
    Field::of("event_tags", TAGS).or(Made::Text("")).settable(),
    Field::of("event_in_graph", Shape::Truth).or(Made::Truth(true)).settable(),
    Field::of("event_in_summary", Shape::Truth).or(Made::Truth(false)).settable(),
    Field::of("event_is_flagged", Shape::Truth).or(Made::Truth(false)).settable(),
    Field::custom(),
    Field::server("event_date_wtz", Made::Null),
    Field::server("event_added", Made::Now),
    Field::server("user_id", Made::User),
];

/// Of a registered file.
pub(super) const EVIDENCE: &[Field] = &[
    Field::text("filename", 2, 1024).required(),
    Field::of("file_size", Shape::Count),
    Field::text("file_hash", 0, 1024).settable(),
    Field::long("file_description").settable(),
    Field::look_up("type_id", Look::EvidenceType, "Invalid evidence type ID").settable(),
    Field::of("acquisition_date", Shape::Moment).settable(),
    Field::of("start_date", Shape::Moment).settable(),
    Field::of("end_date", Shape::Moment).settable(),
    Field::of("chain_of_custody", Shape::Json),
    Field::custom(),
    Field::server("date_added", Made::Now),
    Field::server("user_id", Made::User),
];

/// Of a task.
pub(super) const TASK: &[Field] = &[
    Field::text("task_title", 2, 1024).required().settable(),
    Field::look_up("task_status_id", Look::TaskStatus, STATUS).required().settable(),
    Field::of("task_assignees_id", Shape::Links(Relation::TaskUser)).always(),
    Field::long("task_description").settable(),
    Field::of("task_tags", TAGS).settable(),
    Field::custom(),
    Field::server("task_open_date", Made::Now),
    Field::server("task_close_date", Made::Null),
    Field::server("task_last_update", Made::Now).touched(Made::Now),
    Field::server("task_userid_open", Made::User),
    Field::server("task_userid_close", Made::Null),
    Field::server("task_userid_update", Made::User).touched(Made::User),
];

/// Of a task of no case.
pub(super) const GLOBAL_TASK: &[Field] = &[
    Field::text("task_title", 2, 1024).required().settable(),
    Field::look_up("task_assignee_id", Look::User, "Invalid user id for assignee")
        .required()
        .told_as("task_assignees_id"),
    Field::look_up("task_status_id", Look::TaskStatus, STATUS).required().settable(),
    Field::long("task_description").settable(),
    Field::of("task_tags", TAGS).settable(),
    Field::server("task_open_date", Made::Now),
    Field::server("task_close_date", Made::Null),
    Field::server("task_last_update", Made::Now).touched(Made::Now),
    Field::server("task_userid_open", Made::User),
    Field::server("task_userid_close", Made::Null),
    Field::server("task_userid_update", Made::User).touched(Made::User),
];

/// Of a remark.
pub(super) const COMMENT: &[Field] = &[
    Field::text("comment_text", 1, super::field::LONG).required(),
    Field::server("comment_user_id", Made::User),
    Field::server("comment_date", Made::Now),
    Field::server("comment_update_date", Made::Now).touched(Made::Now),
];
