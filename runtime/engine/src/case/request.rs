//! What callers ask for, and as whom.

use tenter_model::Timestamp;
use tenter_model::case::call::{Attachment, CaseUser, Trigger};
use tenter_model::case::{Acting, Body, ObjectKind, ObjectRef};
use tenter_store::CaseActor;

/// Who asks, and how it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseContext {
    /// The user that objects and the log of activities name, and whose access counts.
    pub user: CaseUser,
    /// The name in the audit log, such as `user:administrator`.
    pub actor: String,
    /// Whether it came through the API.
    pub from_api: bool,
    /// What caused it.
    pub trigger: Trigger,
    /// The time of the request.
    pub now: Timestamp,
}

impl CaseContext {
    /// As the store records it.
    #[must_use]
    pub fn by(&self) -> CaseActor {
        CaseActor {
            acting: Acting { user_id: self.user.id, now: self.now },
            name: self.actor.clone(),
            from_api: self.from_api,
        }
    }
}

/// An object is to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateRequest {
    /// Its kind.
    pub kind: ObjectKind,
    /// The case; `None` for cases and global tasks.
    pub case_id: Option<i64>,
    /// What a comment is about.
    pub about: Option<ObjectRef>,
    /// The request as it came, without the case's id.
    pub body: Body,
    /// Who asks.
    pub context: CaseContext,
}

/// An object is to be changed.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateRequest {
    /// Which one.
    pub target: ObjectRef,
    /// The case in which it is changed; `None` for global tasks. Of a case its own id or `None`.
    pub case_id: Option<i64>,
    /// The request as it came. Fields that it does not have stay.
    pub body: Body,
    /// Who asks.
    pub context: CaseContext,
}

/// An object is named, such as one that is to go or to be copied.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectRequest {
    /// Which one.
    pub target: ObjectRef,
    /// The case; `None` for global tasks. Of a case its own id or `None`.
    pub case_id: Option<i64>,
    /// Who asks.
    pub context: CaseContext,
}

/// Which sort of report is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportKind {
    /// Of the investigation.
    Investigation,
    /// Of activities.
    Activities,
}

impl ReportKind {
    /// The object of its hooks, in kebab case.
    #[must_use]
    pub fn object(self) -> &'static str {
        match self {
            Self::Investigation => "report",
            Self::Activities => "activities-report",
        }
    }
}

/// A report is made.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportRequest {
    /// Which sort.
    pub kind: ReportKind,
    /// The case.
    pub case_id: i64,
    /// The template.
    pub template_id: i64,
    /// Who asks.
    pub context: CaseContext,
}

/// A report that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportMade {
    /// The request that [`super::Cases::before_report`] let pass.
    pub request: ReportRequest,
    /// The document.
    pub file: Attachment,
}

/// A person clicked a menu entry.
#[derive(Debug, Clone, PartialEq)]
pub struct ManualRequest {
    /// The name of the hook, such as `on_manual_trigger_ioc`.
    pub hook: String,
    /// The module; `None`: each that has such an entry.
    pub module: Option<String>,
    /// The title of the entry; `None`: each of the module's.
    pub entry: Option<String>,
    /// On which objects it was clicked.
    pub targets: Vec<ObjectRef>,
    /// The case.
    pub case_id: Option<i64>,
    /// Who clicked.
    pub context: CaseContext,
}

/// What a click set going.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ManualRuns {
    /// One job for each entry. None: no module has such an entry, or no object was found.
    pub jobs: Vec<ManualRun>,
    /// The objects that were found.
    pub found: Vec<ObjectRef>,
    /// Those that were not, in the order of the request.
    pub missing: Vec<ObjectRef>,
}

/// One of the jobs of a click.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManualRun {
    /// The number of the job.
    pub job: u64,
    /// The module.
    pub module: String,
    /// The title of the entry.
    pub entry: String,
}

/// An entry of a menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MenuEntry {
    /// The name of the hook, such as `on_manual_trigger_ioc`.
    pub hook: String,
    /// The module.
    pub module: String,
    /// Its subscription.
    pub subscription: String,
    /// The title, unique per module and object.
    pub title: String,
}
