//! Durable storage in SQLite; the only SQL.
//!
//! A [`Store`] owns one data directory. All writes go through one thread, which gathers what is waiting and commits it
//! together, each piece of work whole or not at all: one flush of the disk serves many. Whoever asked is answered after
//! that commit and not before. [`Reader`]s have connections of their own and see the last commit.
//!
//! The interface speaks of admitting, committing and postponing tasks, never of rows, and no type of the database
//! library leaves the package, so that another database can take this one's place. Nothing here reads a clock: times
//! are arguments.
//!
//! Start reading at `writer.rs` (how work is grouped), `commit.rs` (what one finished task changes) and `runs.rs` (how
//! snapshots are kept). `cases.rs` is the store of case management.

mod admit;
mod archive;
mod audit;
mod backup;
pub mod bench;
mod breakers;
mod careful;
mod cases;
mod checkpoint;
mod clean;
mod codec;
mod commit;
mod connect;
mod crash;
mod delete;
mod error;
mod invocations;
mod jobs;
mod keys;
mod ledger;
mod migrate;
mod modules;
mod names;
mod options;
mod outcome;
mod picture;
mod produce;
mod provenance;
mod prune;
mod raw;
mod reader;
mod readers;
mod records;
mod registrations;
mod rewrite;
mod runs;
mod scan;
mod schemas;
mod slots;
mod snapshots;
mod state;
mod store;
mod sweeps;
mod switches;
mod tally;
mod tokens;
mod tx;
mod verify;
mod writer;

pub use audit::{AuditCheck, AuditRow};
pub use backup::Report;
pub use breakers::BreakerRow;
pub use careful::POISON_STOPS;
pub use cases::{
    AccessLevel, ActivityRow, CaseActor, CaseWorld, Change, Changed, Created, FileRow, FileUpload, FileWords,
    FinishJob, FolderRow, HookJob, JobEnd, JobFilter, JobResult, JobSpec, JobState, NewJob, NewObject, NoteRevision,
    Novelty, ObjectChange, Removal, Removed, Who, Written,
};
pub use crash::CRASH_POINTS;
pub use delete::{Deleted, Deletion};
pub use error::StoreError;
pub use invocations::{
    InvocationFilter, InvocationId, InvocationOutcome, InvocationRow, MAX_OUTPUT_BYTES, StoredInvocation,
};
pub use jobs::JobRow;
pub use keys::{AdmitKey, KeyedAdmission, MAX_KEY_BYTES};
pub use ledger::{DeadFilter, ErrorFilter};
pub use modules::{InstallModule, ModuleRow, VersionRow};
pub use options::{FreeBytes, FreeBytesFn, Health, StoreOptions, Synchronous};
pub use outcome::{
    Admission, CommitNews, CommitResult, DeadKind, DeadLetter, DeadRow, Done, Effect, ErrorRow, LinkChange, LinkRow,
    PARTS, PendingTask, RawFilter, RawOrder, RawPoint, StateChange, StoredPoint, TaskOutcome,
};
pub use picture::{Picture, PictureRow};
pub use produce::{Entered, Produced};
pub use reader::Reader;
pub use readers::Readers;
pub use registrations::Registration;
pub use rewrite::Rewrite;
pub use runs::{BeginRun, Document, RunBatch, RunCounts, RunNumber, RunRow, RunState};
pub use scan::{Page, Share};
pub use schemas::SchemaRow;
pub use slots::{SlotRow, TimerKey};
pub use snapshots::{Snapshot, SnapshotMark};
pub use store::Store;
pub use sweeps::{SweepGroup, SweepRow, SweepState};
pub use tally::Counters;
pub use tokens::TokenRow;
