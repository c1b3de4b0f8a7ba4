//! Case management: objects, what links them, who may see them, and the jobs that their changes bring.
//!
//! A change is one piece of work of the writer, so that it is one transaction with all that belongs to it: the object,
//! its links and tags, the body that it replaces, the line in the log of activities and the one in the audit log, the
//! counter that lists return, and the jobs of hooks. A job without its object, or an object without its jobs, cannot be
//! seen, whenever the process dies.
//!
//! What a request may say is the model's; here it is checked again only as far as something else could have changed
//! since: that what it refers to is there, and what must be unique. [`CaseWorld`] answers the model's questions from
//! one moment of the database. Jobs name versions of objects and hold no copies, since each version can be read again.

mod access;
mod content;
mod create;
mod delete;
mod files;
mod jobs;
mod log;
mod lookups;
mod people;
mod read;
mod rows;
mod same;
mod seed;
mod update;
mod world;

use serde_json::Value;
use tenter_model::case::{Accepted, Acting, CaseObject, Edit, ObjectKind, ObjectRef};

pub use access::{AccessLevel, Who};
pub use content::FileUpload;
pub use files::{FileRow, FileWords, FolderRow};
pub use jobs::{FinishJob, HookJob, JobEnd, JobFilter, JobResult, JobSpec, JobState, Written};
pub use log::ActivityRow;
pub use read::NoteRevision;
pub use world::CaseWorld;

pub(crate) use seed::start;

/// Who changes something, as what it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseActor {
    /// The user and the time.
    pub acting: Acting,
    /// The name in the audit log, such as `user:administrator` or `module:tagger`.
    pub name: String,
    /// Whether it came through the API.
    pub from_api: bool,
}

/// A hook that is to be called once a change is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// Random bytes, of which its public id is made.
    pub random: [u8; 16],
    /// The name of the hook in IRIS.
    pub hook: String,
    /// The module.
    pub module: String,
    /// The module's subscription.
    pub subscription: String,
    /// The menu entry, for manual triggers.
    pub entry: Option<String>,
    /// What caused it: `api`, `manual`, `csv`, `template` or `module`.
    pub trigger: String,
    /// Not before this time; `None`: at once.
    pub not_before: Option<tenter_model::Timestamp>,
    /// Whether who writes it works it off himself, at once: nobody else can claim it, unless the process ends before.
    pub waited: bool,
    /// What the hook gets beside the objects.
    pub payload: Value,
}

/// An object that is to be created.
#[derive(Debug, Clone, PartialEq)]
pub struct NewObject {
    /// Its kind.
    pub kind: ObjectKind,
    /// The case; `None` for cases and global tasks.
    pub case_id: Option<i64>,
    /// What a comment is about.
    pub about: Option<ObjectRef>,
    /// What was asked for.
    pub accepted: Accepted,
    /// For a note: the name of the directory at the top of the case that it goes into, whatever was asked for. It is
    /// created if there is none.
    pub directory: Option<String>,
    /// Random bytes, of which its uuid is made.
    pub random: [u8; 16],
    /// Hooks to be called then.
    pub jobs: Vec<NewJob>,
}

/// What became of a [`NewObject`].
#[derive(Debug, Clone, PartialEq)]
pub struct Created {
    /// The object.
    pub object: CaseObject,
    /// Whether it is new.
    pub novelty: Novelty,
    /// The jobs of hooks.
    pub jobs: Vec<u64>,
}

/// Whether an object is new. Only indicators can be known already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Novelty {
    /// It is.
    New,
    /// Another case had it; now this one has it too. It stays as it was.
    NowInCase,
    /// This case had it. Nothing was done, and no hook is called.
    AlreadyInCase,
}

/// What a change does to the body.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// What a request asks for.
    Request(Accepted),
    /// What a module asks for. Edits that change nothing are no change.
    Patch(Vec<Edit>),
    /// Fields that only the server makes, such as the date at which a case was closed.
    Server(tenter_model::case::Body),
}

/// A change of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectChange {
    /// Which one.
    pub target: ObjectRef,
    /// The case in which it is changed; an object that is not in it does not exist.
    pub case_id: Option<i64>,
    /// The version that it must have; `None`: the last write wins.
    pub expected_version: Option<u64>,
    /// The change.
    pub change: Change,
    /// The word for it, such as `updated` or `closed`.
    pub action: String,
    /// Hooks to be called then.
    pub jobs: Vec<NewJob>,
}

/// What became of an [`ObjectChange`].
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// As it was.
    pub old: CaseObject,
    /// As it is.
    pub new: CaseObject,
    /// The jobs of hooks.
    pub jobs: Vec<u64>,
}

/// An object that is to go.
#[derive(Debug, Clone, PartialEq)]
pub struct Removal {
    /// Which one.
    pub target: ObjectRef,
    /// The case from which it goes. An indicator stays while another case has it.
    pub case_id: Option<i64>,
    /// The version that it must have.
    pub expected_version: Option<u64>,
    /// Hooks to be called if it is really gone.
    pub jobs: Vec<NewJob>,
}

/// What went.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Removed {
    /// All objects that are gone, that which was named last. Empty: an indicator that another case still has.
    pub gone: Vec<CaseObject>,
    /// The jobs of hooks.
    pub jobs: Vec<u64>,
}
