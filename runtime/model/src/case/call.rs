//! What crosses the border in calls of case hooks: who did what to which object, and what a module makes of it.
//!
//! What a module returns is a proposal. Its form was checked at the border; whether it may be is for the engine to say.

use serde::{Deserialize, Serialize};

use super::edit::Edit;
use super::kind::ObjectKind;
use super::object::{Body, ObjectRef};
use super::{CaseHook, Phase, TABLE};
use crate::limits::{MAX_MEMO_BYTES, MAX_RESUME_SECONDS};
use crate::task::TaskBody;

/// The user who changes something or clicks a menu entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseUser {
    /// The id.
    pub id: i64,
    /// The name to log in with.
    pub login: String,
    /// The name for people.
    pub name: String,
}

/// What caused a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trigger {
    /// A request.
    Api,
    /// A menu entry.
    Manual,
    /// A row of an upload.
    Csv,
    /// A case template.
    Template,
    /// A module.
    Module,
}

impl Trigger {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Api, Self::Manual, Self::Csv, Self::Template, Self::Module];

    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Manual => "manual",
            Self::Csv => "csv",
            Self::Template => "template",
            Self::Module => "module",
        }
    }

    /// The trigger of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trigger| trigger.name() == name)
    }
}

/// Around what a call is made; every call has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallContext {
    /// The case, if it is about one.
    pub case_id: Option<i64>,
    /// Its name.
    pub case_name: Option<String>,
    /// Who caused it.
    pub user: Option<CaseUser>,
    /// What caused it.
    pub trigger: Trigger,
    /// The call before it, if that asked for this one, and whether this one may ask for another.
    pub resumable: Resumable,
}

/// How a call stands in a row of calls of which each asked for the next.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resumable {
    /// What the call that asked for this one left; `None`: none did.
    pub memo: Option<String>,
    /// Seconds within which the next may be made; 0: this one can ask for none.
    pub within_seconds: u32,
}

impl Resumable {
    /// Whether the call may ask for this.
    #[must_use]
    pub fn takes(&self, resume: &Resume) -> bool {
        (1..=self.within_seconds.min(MAX_RESUME_SECONDS)).contains(&resume.seconds)
            && resume.memo.len() <= MAX_MEMO_BYTES
    }
}

/// What a call asks for that wants to be made again later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resume {
    /// Not before so many seconds have passed.
    pub seconds: u32,
    /// What the next call can read then.
    pub memo: String,
}

/// What happens to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaseEvent {
    /// The kind of object, in kebab case.
    pub object: &'static str,
    /// The action, in kebab case; `None` for manual triggers.
    pub action: Option<&'static str>,
}

impl CaseEvent {
    /// The hook of a phase for an object and an action, if there is one.
    #[must_use]
    pub fn hook(phase: Phase, object: &str, action: &str) -> Option<&'static CaseHook> {
        TABLE.iter().find(|hook| hook.phase == phase && hook.object == object && hook.action == action)
    }
}

impl From<&'static CaseHook> for CaseEvent {
    fn from(hook: &'static CaseHook) -> Self {
        Self { object: hook.object, action: Some(hook.action).filter(|action| !action.is_empty()) }
    }
}

/// What a `before` hook judges.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The object; `None` when it is to be created.
    pub id: Option<i64>,
    /// The request, or the object that is to go or to be copied.
    pub body: Body,
}

/// The answer of a `before` hook.
#[derive(Debug, Clone, PartialEq)]
pub enum Judgement {
    /// The data stays as it is.
    Unchanged,
    /// The data becomes this.
    Replaced(Body),
    /// It may not be, for this reason.
    Denied(String),
}

/// An object as hooks see it: the record that the API shows.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenObject {
    /// Its kind, in kebab case. Reports are no stored objects, so it is not an [`ObjectKind`].
    pub object: &'static str,
    /// Its id.
    pub id: i64,
    /// Its uuid, if it has one.
    pub uuid: Option<String>,
    /// From 1, one more with each change.
    pub version: u64,
    /// Its record.
    pub body: Body,
}

/// A file that goes with an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// What it is, such as `text/html`.
    pub media_type: String,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// What an `after` hook sees of a change.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SeenChange {
    /// As it was; `None`: it was created, or did not change.
    pub old: Option<SeenObject>,
    /// As it is; `None`: it was deleted.
    pub new: Option<SeenObject>,
    /// Files that go with it.
    pub attachments: Vec<Attachment>,
}

/// What a module wants done to objects.
#[derive(Debug, Clone, PartialEq)]
pub enum CaseEffect {
    /// Changes one.
    Patch {
        /// Which one.
        target: ObjectRef,
        /// The version that it must have; `None`: the last write wins.
        expected_version: Option<u64>,
        /// The changes, all or none.
        edits: Vec<Edit>,
    },
    /// Makes one.
    Create {
        /// Its kind.
        kind: ObjectKind,
        /// The case; `None`: that of the call.
        case_id: Option<i64>,
        /// What a request to create it would say.
        body: Body,
        /// Files that go with it.
        attachments: Vec<Attachment>,
    },
}

/// What an `after` hook returns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CaseOutcome {
    /// What is to be done to objects.
    pub effects: Vec<CaseEffect>,
    /// Tasks for the entity side.
    pub tasks: Vec<TaskBody>,
    /// Whether the call is to be made again.
    pub resume: Option<Resume>,
}

/// In which form a report is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Media {
    /// Plain text.
    Text,
    /// Markdown.
    Markdown,
    /// JSON.
    Json,
}

/// What the person who clicked gets to see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// In a sentence.
    pub message: String,
    /// The form of the content.
    pub media: Media,
    /// The content.
    pub content: String,
}

/// What a `manual` hook returns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ManualOutcome {
    /// What is to be done.
    pub outcome: CaseOutcome,
    /// What is shown.
    pub report: Option<Report>,
}
