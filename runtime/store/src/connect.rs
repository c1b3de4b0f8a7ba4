//! Opening: the lock on the data directory, connections and their settings.
//!
//! The lock is an operating system's lock on a file of its own, so that it goes with the process however that ends.
//! SQLite's locks would let two processes share the database; the queue, whose claims live in memory, would not
//! survive that.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use crate::error::StoreError;
use crate::options::{StoreOptions, Synchronous};

/// `TENT`, in the database's header.
const APPLICATION_ID: i64 = 0x5445_4e54;

/// How long a connection waits for a lock that another holds.
const BUSY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);

/// The database file of a data directory.
pub(crate) fn database_path(dir: &Path) -> PathBuf {
    dir.join("tenter.db")
}

/// The lock on a data directory. It is given back in words and not by closing the file alone: a process that is just
/// being started by another thread has a copy of the open file for a moment.
#[derive(Debug)]
pub(crate) struct DirLock(File);

impl Drop for DirLock {
    fn drop(&mut self) {
        // Closing the file does the same, if a little later.
        let _ = self.0.unlock();
    }
}

/// Makes the directory if need be and locks it for this process.
pub(crate) fn lock(dir: &Path) -> Result<DirLock, StoreError> {
    private_dir(dir, true).map_err(|e| StoreError::file(dir, &e))?;
    let path = dir.join("tenter.lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|e| StoreError::file(&path, &e))?;
    match file.try_lock() {
        Ok(()) => Ok(DirLock(file)),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked(path)),
        Err(TryLockError::Error(e)) => Err(StoreError::file(&path, &e)),
    }
}

/// Makes a directory that its owner alone can enter; one that exists keeps its permissions.
pub(crate) fn private_dir(dir: &Path, parents_too: bool) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(parents_too);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// The connection that writes.
pub(crate) fn writer(path: &Path, options: &StoreOptions) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    let id: i64 = conn.pragma_query_value(None, "application_id", |r| r.get(0))?;
    let tables: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0))?;
    if id != 0 || tables != 0 {
        must_be_ours(&conn, path)?;
    }
    let mode: String = conn.pragma_update_and_check(None, "journal_mode", "WAL", |r| r.get(0))?;
    if mode != "wal" {
        return Err(StoreError::ReadOnly(format!(
            "{} cannot use a write-ahead log, it is in mode {mode}",
            path.display()
        )));
    }
    if id == 0 {
        conn.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    common(&conn)?;
    conn.pragma_update(
        None,
        "synchronous",
        match options.synchronous {
            Synchronous::Full => "FULL",
            Synchronous::Normal => "NORMAL",
        },
    )?;
    conn.pragma_update(None, "cache_size", -kib(options.cache_mib))?;
    // Savepoints keep old pages here; on disk they would cost more than the work itself.
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.pragma_update(None, "journal_size_limit", 64 << 20)?;
    conn.pragma_update(None, "wal_autocheckpoint", 4_000)?;
    limit_pages(&conn, options.max_pages)?;
    Ok(conn)
}

/// Lets the database have at most so many pages, or as many as SQLite can manage. It keeps those that it has.
pub(crate) fn limit_pages(conn: &Connection, max_pages: Option<u32>) -> Result<(), StoreError> {
    conn.pragma_update_and_check(None, "max_page_count", max_pages.unwrap_or(u32::MAX - 1), |_| Ok(()))?;
    Ok(())
}

/// Refuses databases of other programs.
pub(crate) fn must_be_ours(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let id: i64 = conn.pragma_query_value(None, "application_id", |r| r.get(0))?;
    if id == APPLICATION_ID { Ok(()) } else { Err(StoreError::Foreign(path.to_owned())) }
}

/// Bytes of the write-ahead log of a database.
pub(crate) fn log_bytes(database: &Path) -> u64 {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    std::fs::metadata(PathBuf::from(name)).map_or(0, |m| m.len())
}

/// Moves the log into the database and empties it, unless a reader is in the way; waits for nobody.
pub(crate) fn shrink_log(conn: &Connection) {
    let shrink = || -> Result<(), rusqlite::Error> {
        conn.busy_timeout(std::time::Duration::ZERO)?;
        conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    };
    let shrunk = shrink();
    if let Err(error) = shrunk.and_then(|()| conn.busy_timeout(BUSY_TIMEOUT)) {
        tracing::debug!("the log was not shrunk: {error}");
        let _ = conn.busy_timeout(BUSY_TIMEOUT);
    }
}

/// A connection that only reads. Its cache is a quarter of the writer's.
pub(crate) fn reader(path: &Path, cache_mib: u32) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    common(&conn)?;
    conn.pragma_update(None, "query_only", true)?;
    conn.pragma_update(None, "cache_size", -kib(cache_mib) / 4)?;
    Ok(conn)
}

/// As many as SQLite can count.
fn kib(mib: u32) -> i64 {
    (i64::from(mib) << 10).min(i32::MAX.into())
}

fn common(conn: &Connection) -> Result<(), StoreError> {
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    conn.pragma_update(None, "cell_size_check", true)?;
    conn.pragma_update(None, "mmap_size", 0)?;
    conn.set_prepared_statement_cache_capacity(128);
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_library_has_the_repair_of_the_log_reset_race() {
        assert!(rusqlite::version_number() >= 3_051_003, "{}", rusqlite::version());
    }
}
