//! Formats of the database: numbered SQL files, applied in order and in one transaction.
//!
//! The number of the last one stands in `user_version`. A crash in between leaves the old format whole.

use std::path::Path;

use rusqlite::Connection;

use crate::crash::Crash;
use crate::error::StoreError;

const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_initial.sql"),
    include_str!("../migrations/0002_operation.sql"),
    include_str!("../migrations/0003_provenance.sql"),
    include_str!("../migrations/0004_jobs.sql"),
    include_str!("../migrations/0005_cases.sql"),
    include_str!("../migrations/0006_files.sql"),
    include_str!("../migrations/0007_registrations.sql"),
];

/// The newest format that this program knows.
pub(crate) fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// Brings the database to the newest format.
pub(crate) fn run(conn: &Connection, path: &Path, crash: &Crash) -> Result<(), StoreError> {
    apply(conn, path, MIGRATIONS, crash)
}

fn apply(conn: &Connection, path: &Path, migrations: &[&str], crash: &Crash) -> Result<(), StoreError> {
    let known = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
    let found: i64 = conn.pragma_query_value(None, "user_version", |r| r.get(0))?;
    if found > known {
        return Err(StoreError::TooNew { path: path.to_owned(), found, known });
    }
    if found == known {
        return Ok(());
    }
    conn.execute_batch("BEGIN IMMEDIATE")?;
    crash.at("migrate-begin");
    let done = (|| -> Result<(), StoreError> {
        for sql in migrations.iter().skip(usize::try_from(found).unwrap_or(0)) {
            conn.execute_batch(sql)?;
            crash.at("migrate-step");
        }
        conn.pragma_update(None, "user_version", known)?;
        crash.at("migrate-end");
        conn.execute_batch("COMMIT")?;
        crash.at("migrate-committed");
        Ok(())
    })();
    if done.is_err() && !conn.is_autocommit() {
        // The first error is the one to tell; SQLite rolls back by itself when the connection goes.
        let _ = conn.execute_batch("ROLLBACK");
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(conn: &Connection) -> i64 {
        conn.pragma_query_value(None, "user_version", |r| r.get(0)).unwrap()
    }

    #[test]
    fn applies_only_what_is_missing() {
        let conn = Connection::open_in_memory().unwrap();
        let one = "CREATE TABLE a (x); INSERT INTO a VALUES (7);";
        apply(&conn, Path::new("t"), &[one], &Crash::default()).unwrap();
        assert_eq!(version(&conn), 1);
        apply(&conn, Path::new("t"), &[one, "ALTER TABLE a ADD COLUMN y DEFAULT 1"], &Crash::default()).unwrap();
        assert_eq!(version(&conn), 2);
        assert_eq!(conn.query_row("SELECT x + y FROM a", [], |r| r.get::<_, i64>(0)).unwrap(), 8);
    }

    #[test]
    fn a_failing_migration_leaves_the_old_format() {
        let conn = Connection::open_in_memory().unwrap();
        let one = "CREATE TABLE a (x);";
        apply(&conn, Path::new("t"), &[one], &Crash::default()).unwrap();
        let broken = "CREATE TABLE b (x); INSERT INTO nowhere VALUES (1);";
        assert!(apply(&conn, Path::new("t"), &[one, broken], &Crash::default()).is_err());
        assert_eq!(version(&conn), 1);
        assert!(conn.prepare("SELECT * FROM b").is_err());
        assert!(conn.is_autocommit());
    }
}
