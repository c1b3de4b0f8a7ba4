//! The kinds of case objects, one row each: what identifies one, where it lives, which of its fields play a part that
//! the rest of the program asks for by role.

use serde::{Deserialize, Serialize};

use super::field::Field;
use super::table;

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectKind {
    /// A case itself.
    Case,
    /// A machine, account or other thing that a case is about.
    Asset,
    /// A note in a directory.
    Note,
    /// A directory of notes.
    NoteDirectory,
    /// An indicator, shared by all cases that have it.
    Ioc,
    /// An event of a case's timeline.
    Event,
    /// A registered file.
    Evidence,
    /// A task of a case.
    Task,
    /// A task of no case.
    GlobalTask,
    /// A remark on another object.
    Comment,
}

/// Where objects of a kind live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// It is a case.
    Itself,
    /// In one case.
    Case,
    /// In none; cases may be linked to it.
    Global,
}

/// What is known of a kind.
#[derive(Debug)]
pub struct KindInfo {
    /// The kind.
    pub kind: ObjectKind,
    /// Its name in kebab case, as in [`super::TABLE`].
    pub name: &'static str,
    /// The name of the id in records.
    pub id: &'static str,
    /// The name of the uuid in records.
    pub uuid: &'static str,
    /// The name of the case's id in records; empty where there is none.
    pub case: &'static str,
    /// Where it lives.
    pub home: Home,
    /// The field that people call it by.
    pub label: &'static str,
    /// The field that a module may append text to.
    pub description: Option<&'static str>,
    /// The field with tags.
    pub tags: Option<&'static str>,
    /// The counter of changes that lists return as `state`.
    pub state: Option<&'static str>,
    /// The word for it in the log of activities.
    pub word: &'static str,
    /// What is answered when there is none of that id.
    pub not_found: &'static str,
    /// The same for a deletion.
    pub not_deleted: &'static str,
    /// Its fields.
    pub fields: &'static [Field],
}

impl ObjectKind {
    /// All kinds.
    pub const ALL: [Self; 10] = [
        Self::Case,
        Self::Asset,
        Self::Note,
        Self::NoteDirectory,
        Self::Ioc,
        Self::Event,
        Self::Evidence,
        Self::Task,
        Self::GlobalTask,
        Self::Comment,
    ];

    /// What is known of it.
    #[must_use]
    pub fn info(self) -> &'static KindInfo {
        match self {
            Self::Case => &CASE,
            Self::Asset => &ASSET,
            Self::Note => &NOTE,
            Self::NoteDirectory => &NOTE_DIRECTORY,
            Self::Ioc => &IOC,
            Self::Event => &EVENT,
            Self::Evidence => &EVIDENCE,
            Self::Task => &TASK,
            Self::GlobalTask => &GLOBAL_TASK,
            Self::Comment => &COMMENT,
        }
    }

    /// The name in kebab case.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// The kind of that name; `global_task` as well as `global-task`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name || kind.name().replace('-', "_") == name)
    }

    /// Its field of that name.
    #[must_use]
    pub fn field(self, name: &str) -> Option<&'static Field> {
        self.info().fields.iter().find(|field| field.name == name)
    }
}

impl std::fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

const CASE: KindInfo = KindInfo {
    kind: ObjectKind::Case,
    name: "case",
    id: "case_id",
    uuid: "case_uuid",
    case: "",
    home: Home::Itself,
    label: "case_name",
    description: Some("case_description"),
    tags: Some("case_tags"),
    state: None,
    word: "case",
    not_found: "Invalid case ID",
    not_deleted: "Tried to delete a non-existing case",
    fields: table::CASE,
};

const ASSET: KindInfo = KindInfo {
    kind: ObjectKind::Asset,
    name: "asset",
    id: "asset_id",
    uuid: "asset_uuid",
    case: "case_id",
    home: Home::Case,
    label: "asset_name",
    description: Some("asset_description"),
    tags: Some("asset_tags"),
    state: Some("assets"),
    word: "asset",
    not_found: "Invalid asset ID for this case",
    not_deleted: "Invalid asset ID for this case",
    fields: table::ASSET,
};

const NOTE: KindInfo = KindInfo {
    kind: ObjectKind::Note,
    name: "note",
    id: "note_id",
    uuid: "note_uuid",
    case: "note_case_id",
    home: Home::Case,
    label: "note_title",
    description: Some("note_content"),
    tags: None,
    state: Some("notes"),
    word: "note",
    not_found: "Invalid note ID",
    not_deleted: "Invalid note ID for this case",
    fields: table::NOTE,
};

const NOTE_DIRECTORY: KindInfo = KindInfo {
    kind: ObjectKind::NoteDirectory,
    name: "note-directory",
    id: "id",
    uuid: "uuid",
    case: "case_id",
    home: Home::Case,
    label: "name",
    description: None,
    tags: None,
    state: Some("notes"),
    word: "notes directory",
    not_found: "Invalid directory",
    not_deleted: "Invalid directory",
    fields: table::NOTE_DIRECTORY,
};

const IOC: KindInfo = KindInfo {
    kind: ObjectKind::Ioc,
    name: "ioc",
    id: "ioc_id",
    uuid: "ioc_uuid",
    case: "",
    home: Home::Global,
    label: "ioc_value",
    description: Some("ioc_description"),
    tags: Some("ioc_tags"),
    state: Some("ioc"),
    word: "ioc",
    not_found: "Invalid IOC ID for this case",
    not_deleted: "Not a valid IOC for this case",
    fields: table::IOC,
};

const EVENT: KindInfo = KindInfo {
    kind: ObjectKind::Event,
    name: "event",
    id: "event_id",
    uuid: "event_uuid",
    case: "case_id",
    home: Home::Case,
    label: "event_title",
    description: Some("event_content"),
    tags: Some("event_tags"),
    state: Some("timeline"),
    word: "event",
    not_found: "Invalid event ID for this case",
    not_deleted: "Not a valid event ID for this case",
    fields: table::EVENT,
};

const EVIDENCE: KindInfo = KindInfo {
    kind: ObjectKind::Evidence,
    name: "evidence",
    id: "id",
    uuid: "file_uuid",
    case: "case_id",
    home: Home::Case,
    label: "filename",
    description: Some("file_description"),
    tags: None,
    state: Some("evidences"),
    word: "evidence",
    not_found: "Invalid evidence ID for this case",
    not_deleted: "Invalid evidence ID for this case",
    fields: table::EVIDENCE,
};

const TASK: KindInfo = KindInfo {
    kind: ObjectKind::Task,
    name: "task",
    id: "id",
    uuid: "task_uuid",
    case: "task_case_id",
    home: Home::Case,
    label: "task_title",
    description: Some("task_description"),
    tags: Some("task_tags"),
    state: Some("tasks"),
    word: "task",
    not_found: "Invalid task ID for this case",
    not_deleted: "Invalid task ID for this case",
    fields: table::TASK,
};

const GLOBAL_TASK: KindInfo = KindInfo {
    kind: ObjectKind::GlobalTask,
    name: "global-task",
    id: "task_id",
    uuid: "task_uuid",
    case: "",
    home: Home::Global,
    label: "task_title",
    description: Some("task_description"),
    tags: Some("task_tags"),
    state: None,
    word: "global task",
    not_found: "Invalid task ID",
    not_deleted: "Invalid task ID",
    fields: table::GLOBAL_TASK,
};

const COMMENT: KindInfo = KindInfo {
    kind: ObjectKind::Comment,
    name: "comment",
    id: "comment_id",
    uuid: "comment_uuid",
    case: "comment_case_id",
    home: Home::Case,
    label: "comment_text",
    description: None,
    tags: None,
    state: None,
    word: "comment",
    not_found: "Invalid comment ID",
    not_deleted: "Invalid comment ID",
    fields: table::COMMENT,
};
