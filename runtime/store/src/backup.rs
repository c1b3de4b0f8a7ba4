//! Backups: taking one while work goes on, looking at one, and going back to it.
//!
//! A backup is the whole database as of one commit, in one file. It is taken through a read connection that holds its
//! snapshot, so that writing goes on and the copy need not start again when something is written. A file under its
//! final name is complete and on disk.
//!
//! What was accepted after the backup was taken is not in it. Senders who repeat such requests with their keys after
//! a restore are served as for the first time.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};

use crate::audit::{self, AuditCheck};
use crate::error::StoreError;
use crate::reader::Reader;
use crate::store::Store;
use crate::tally::Counters;
use crate::{connect, migrate, verify};

/// Pages copied between two looks at the world.
const STEP_PAGES: i32 = 4_096;

/// What a look at a database found.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Its format.
    pub format: i64,
    /// What SQLite's integrity check says; empty: in order.
    pub integrity: Vec<String>,
    /// Rows whose foreign key leads nowhere.
    pub foreign_keys: u64,
    /// What does not fit between tables, in words; empty: in order.
    pub misfits: Vec<String>,
    /// The counts as stored.
    pub counters: Counters,
    /// The counts that can be had from the rows, from the rows.
    pub counted: Counters,
    /// Stored values that were read.
    pub values_read: u64,
    /// Stored values that cannot be read; at most 20 are named.
    pub unreadable: Vec<String>,
    /// The chain of the audit log.
    pub audit: AuditCheck,
}

impl Report {
    /// All that is wrong, in words; empty: in order.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems: Vec<String> = self.integrity.iter().map(|line| format!("integrity check: {line}")).collect();
        if self.foreign_keys > 0 {
            problems.push(format!("{} rows refer to rows that are missing", self.foreign_keys));
        }
        problems.extend(self.misfits.iter().cloned());
        if self.counters != self.counted {
            problems.push(format!("counts and rows differ: counts {:?}, rows {:?}", self.counters, self.counted));
        }
        if !self.counters.reconciles() {
            problems.push(format!("accepted is not applied + denied + dead + pending: {:?}", self.counters));
        }
        problems.extend(self.unreadable.iter().cloned());
        if let Some(seq) = self.audit.first_broken {
            problems.push(format!("the audit log is broken at row {seq}: it was altered, or rows are missing"));
        }
        problems
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.problems().is_empty()
    }
}

impl Store {
    /// Copies the database, as of one commit, to a file that must not exist. Other work goes on.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when the file exists, and what the disks may say; then there is no file of that name.
    pub fn backup(&self, to: &Path) -> Result<(), StoreError> {
        let source = self.connection()?;
        copy(&source, to)
    }

    /// Reads a whole database file, such as a backup, and tells what is wrong with it. Nothing is written.
    ///
    /// # Errors
    /// When it cannot be read far enough to tell: damage of the first page, another program's file, a newer format.
    pub fn verify(path: &Path) -> Result<Report, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(path, flags)?;
        connect::must_be_ours(&conn, path)?;
        let format: i64 = conn.pragma_query_value(None, "user_version", |r| r.get(0))?;
        if format != migrate::newest() {
            return Err(if format > migrate::newest() {
                StoreError::TooNew { path: path.to_owned(), found: format, known: migrate::newest() }
            } else {
                StoreError::Invalid(format!(
                    "{} has format {format}, older than {} of this program; restore it, the start brings it up to date",
                    path.display(),
                    migrate::newest()
                ))
            });
        }
        let tx = conn.unchecked_transaction()?;
        let (values_read, unreadable) = verify::read_all_values(&tx)?;
        Ok(Report {
            format,
            integrity: verify::integrity(&tx)?,
            misfits: verify::misfits(&tx)?,
            foreign_keys: verify::foreign_keys(&tx)?,
            counters: Counters::read(&tx)?,
            counted: Counters::count(&tx)?,
            values_read,
            unreadable,
            audit: audit::verify(&tx)?,
        })
    }

    /// Makes a data directory of a backup: looks at it as [`Store::verify`] does, then copies it. The directory must be
    /// empty or absent, and no store may be open on it.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when the directory holds anything, [`StoreError::Corrupt`] when the backup is not in
    /// order, and what the disks may say. The directory has no database then.
    pub fn restore(from: &Path, dir: &Path) -> Result<Report, StoreError> {
        let holds_something = match std::fs::read_dir(dir) {
            Ok(mut entries) => entries.next().is_some(),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => false,
            Err(e) => return Err(StoreError::file(dir, &e)),
        };
        if holds_something {
            return Err(StoreError::Invalid(format!(
                "{} is not empty; restore into an empty or new directory, then serve from there",
                dir.display()
            )));
        }
        let report = Self::verify(from)?;
        if let Some(problem) = report.problems().into_iter().next() {
            return Err(StoreError::Corrupt(format!("{}: {problem}", from.display())));
        }
        connect::private_dir(dir, true).map_err(|e| StoreError::file(dir, &e))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        copy(&Connection::open_with_flags(from, flags)?, &connect::database_path(dir))?;
        Ok(report)
    }
}

impl Reader {
    /// SQLite's check of the whole database, and what does not fit between its tables; empty: in order. Reads all of it.
    ///
    /// # Errors
    /// When it cannot even be read.
    pub fn check(&self) -> Result<Vec<String>, StoreError> {
        self.at_once(|conn| Ok([verify::integrity(conn)?, verify::misfits(conn)?].concat()))
    }

    /// What does not fit between tables, in words, as of one moment; empty: in order. Reads snapshots, links to their
    /// documents, and the ids of records.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn misfits(&self) -> Result<Vec<String>, StoreError> {
        self.at_once(verify::misfits)
    }
}

fn copy(source: &Connection, to: &Path) -> Result<(), StoreError> {
    if to.exists() {
        return Err(StoreError::Invalid(format!("{} exists; choose a name that is free", to.display())));
    }
    let mut name = to.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    let copied = copy_to(source, &part, to);
    if copied.is_err() {
        // The error of the copy is the one to tell.
        let _ = std::fs::remove_file(&part);
    }
    copied
}

fn copy_to(source: &Connection, part: &Path, to: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(part).map_err(|e| StoreError::file(part, &e))?;
    // Until its end the snapshot of this transaction is the source.
    let snapshot = source.unchecked_transaction()?;
    snapshot.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get::<_, i64>(0))?;
    let mut target = Connection::open(part)?;
    Backup::new(source, &mut target)?.run_to_completion(STEP_PAGES, Duration::ZERO, None)?;
    // A file of its own: without a log beside it, and readable where nothing can be written.
    target.pragma_update(None, "journal_mode", "DELETE")?;
    target.close().map_err(|(_, e)| StoreError::from(e))?;
    file.sync_all().map_err(|e| StoreError::file(part, &e))?;
    std::fs::rename(part, to).map_err(|e| StoreError::file(to, &e))?;
    if let Some(parent) = to.parent().filter(|p| !p.as_os_str().is_empty()) {
        OpenOptions::new()
            .read(true)
            .open(parent)
            .and_then(|dir| dir.sync_all())
            .map_err(|e| StoreError::file(parent, &e))?;
    }
    Ok(())
}
