//! What can go wrong, in words that say what to do.
//!
//! Two sorts matter to the writer. A *fault of the store* (disk full, input or output error, damage) fails the whole
//! group that was to be committed and shows in [`crate::Health`]. Every other error concerns one piece of work, whose
//! savepoint is rolled back while the rest of the group goes on.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why the store did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// What was named does not exist.
    #[error("{0} does not exist")]
    NotFound(String),
    /// Something changed since it was read; read again and repeat.
    #[error("{0} was changed by another writer; read it again and repeat")]
    Conflict(String),
    /// A key of a request came again with another body.
    #[error(
        "key {0:?} was used before for a request with another body; repeat that request unchanged, or use a new key"
    )]
    KeyReused(String),
    /// The queues are at a high mark.
    #[error(
        "the queues hold {rows} tasks of at most {max_rows} and {bytes} bytes of at most {max_bytes}; nothing of this \
         request was accepted, send it again when some are worked off"
    )]
    Backlog {
        /// Tasks in the queues.
        rows: u64,
        /// The high mark in tasks.
        max_rows: u64,
        /// Bytes of tasks in the queues.
        bytes: u64,
        /// The high mark in bytes.
        max_bytes: u64,
    },
    /// Fields of a case object have values that they cannot have, as the present state is.
    #[error("{0}")]
    Fields(tenter_model::case::FieldErrors),
    /// What was given cannot be stored.
    #[error("{0}")]
    Invalid(String),
    /// A stored value cannot be read by this program.
    #[error("stored {what} cannot be read: {why}; it was written by another version or is damaged")]
    Unreadable {
        /// What it is.
        what: String,
        /// Why it cannot be read.
        why: String,
    },
    /// The database is damaged.
    #[error("the database is damaged: {0}; stop tenter, keep a copy of the data directory and restore a backup")]
    Corrupt(String),
    /// The disk is full.
    #[error("no room to write: {0}; free disk space or raise the quota, writing goes on by itself then")]
    Full(String),
    /// The database cannot be written or opened.
    #[error("the database cannot be opened for writing: {0}; check owner and permissions of the data directory")]
    ReadOnly(String),
    /// Another process uses the data directory.
    #[error(
        "{} is locked: another tenter process uses this data directory; stop it or choose another one with --data",
        .0.display()
    )]
    Locked(PathBuf),
    /// The database was written by a newer program.
    #[error(
        "{} has format {found}, this program knows formats up to {known}; \
         use a newer tenter or restore the backup made before the upgrade",
        .path.display()
    )]
    TooNew {
        /// The database file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// The file is a database of some other program.
    #[error("{} belongs to another program; choose an empty data directory with --data", .0.display())]
    Foreign(PathBuf),
    /// Reading or writing the disk failed.
    #[error("the disk failed: {0}; check the disk, then restart tenter")]
    Io(String),
    /// The store was closed.
    #[error("the store is closed; the work was not done")]
    Closed,
    /// Something else holds the database's write lock.
    #[error(
        "the database is busy: {0}; another program, such as a database shell, holds a lock on it: close that program"
    )]
    Busy(String),
    /// Anything else that the database says.
    #[error("the database refused: {0}")]
    Sqlite(String),
}

impl StoreError {
    /// Whether it concerns the store as a whole and not one piece of work.
    pub(crate) fn is_fault(&self) -> bool {
        matches!(self, Self::Corrupt(_) | Self::Full(_) | Self::ReadOnly(_) | Self::Busy(_) | Self::Io(_))
    }

    /// Whether the next write is worth a try. After a failed flush nobody knows what is on disk, so that only a
    /// restart, which reads the disk again, helps.
    pub(crate) fn may_pass(&self) -> bool {
        !matches!(self, Self::Corrupt(_) | Self::Io(_))
    }

    /// A file operation that failed.
    pub(crate) fn file(path: &Path, error: &std::io::Error) -> Self {
        let text = format!("{}: {error}", path.display());
        match error.kind() {
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly(text),
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full(text),
            _ => Self::Io(text),
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let text = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt(text),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy(text),
            Some(ErrorCode::DiskFull) => Self::Full(text),
            Some(ErrorCode::SystemIoFailure | ErrorCode::FileLockingProtocolFailed) => Self::Io(text),
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => Self::ReadOnly(text),
            _ => Self::Sqlite(text),
        }
    }
}
