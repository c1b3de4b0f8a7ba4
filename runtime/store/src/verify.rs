//! Looking whether a database is in order: its structure, its values, and what its tables say of one another.

use rusqlite::Connection;
use tenter_model::MasterRecord;

use crate::codec;
use crate::error::StoreError;
use crate::outcome::ErrorRow;
use crate::tx::StoredTask;

/// Reads every stored value; gives their number, and those that cannot be read, of which at most 20 are named.
pub(crate) fn read_all_values(conn: &Connection) -> Result<(u64, Vec<String>), StoreError> {
    let (mut read, mut unreadable) = (0, Vec::new());
    let mut each = |sql: &str, what: &str, decode: fn(&[u8]) -> Result<(), String>| -> Result<(), StoreError> {
        let mut statement = conn.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            read += 1;
            let value = row.get_ref(0)?;
            if let Err(error) = decode(value.as_bytes().unwrap_or_default())
                && unreadable.len() < 20
            {
                unreadable.push(format!("{what}: {error}"));
            }
        }
        Ok(())
    };
    fn of<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<(), String> {
        codec::decode::<T>(body, || "value".into()).map(|_| ()).map_err(|e| e.to_string())
    }
    fn json<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<(), String> {
        serde_json::from_slice::<T>(body).map(|_| ()).map_err(|e| e.to_string())
    }
    each("SELECT body FROM task", "a task", of::<StoredTask>)?;
    each("SELECT body FROM master", "a record", of::<MasterRecord>)?;
    each("SELECT v FROM raw", "a datapoint", of::<tenter_model::Value>)?;
    each("SELECT body FROM error", "an error row", of::<ErrorRow>)?;
    each("SELECT body FROM dead", "a dead letter", of::<crate::outcome::DeadLetter>)?;
    each("SELECT body FROM invocation", "an invocation", of::<crate::invocations::InvocationRow>)?;
    each("SELECT body FROM document", "a snapshot", of::<Vec<crate::snapshots::StoredValue>>)?;
    each("SELECT settings FROM run", "settings of a snapshot run", json::<serde_json::Value>)?;
    each("SELECT counts FROM run", "counts of a snapshot run", json::<crate::runs::RunCounts>)?;
    each("SELECT body FROM sweep", "a sweep", json::<crate::sweeps::SweepState>)?;
    each(
        "SELECT body FROM schema_version",
        "a version of the entity specification",
        json::<tenter_model::schema::version::SchemaVersion>,
    )?;
    each("SELECT body FROM job", "a job", json::<serde_json::Value>)?;
    each("SELECT body FROM case_object", "a case object", of::<tenter_model::case::Body>)?;
    each("SELECT body FROM case_revision", "a former case object", of::<tenter_model::case::CaseObject>)?;
    each("SELECT body FROM case_look_up", "a row of a look-up table", json::<tenter_model::case::Body>)?;
    each("SELECT body FROM hook_job", "a job of a hook", of::<crate::cases::JobSpec>)?;
    each("SELECT result FROM hook_job WHERE result IS NOT NULL", "a result of a hook", of::<crate::cases::JobResult>)?;
    each("SELECT bytes FROM case_content_piece", "a piece of a file", |sealed| codec::unseal(sealed).map(drop))?;
    each("SELECT body FROM report", "a report", json::<serde_json::Value>)?;
    Ok((read, unreadable))
}

pub(crate) fn integrity(conn: &Connection) -> Result<Vec<String>, StoreError> {
    let lines: Vec<String> =
        conn.prepare("PRAGMA integrity_check(20)")?.query_map([], |r| r.get(0))?.collect::<Result<_, _>>()?;
    Ok(lines.into_iter().filter(|line| line != "ok").collect())
}

/// What SQLite cannot know: rows of one table that rows of another stand for.
pub(crate) fn misfits(conn: &Connection) -> Result<Vec<String>, StoreError> {
    let mut out = Vec::new();
    for (sql, what) in [
        (
            "SELECT count(*) FROM snapshot s LEFT JOIN document d ON d.id = s.document WHERE d.id IS NULL",
            "snapshots name documents that are missing",
        ),
        (
            "SELECT count(*) FROM document WHERE id NOT IN (SELECT document FROM snapshot)",
            "documents that no snapshot names",
        ),
        (
            "SELECT count(*) FROM snapshot s LEFT JOIN run r ON r.number = s.run WHERE r.number IS NULL",
            "snapshots of runs that are missing",
        ),
        ("SELECT count(*) - 1 FROM run WHERE state = 'running'", "snapshot runs too many are under way"),
        (
            "SELECT count(*) FROM case_object o WHERE case_id IS NOT NULL AND NOT EXISTS \
             (SELECT 1 FROM case_object c WHERE c.kind = 'case' AND c.id = o.case_id)",
            "objects of cases that are missing",
        ),
        (
            "SELECT count(*) FROM case_object o WHERE about_kind IS NOT NULL AND NOT EXISTS \
             (SELECT 1 FROM case_object c WHERE c.kind = o.about_kind AND c.id = o.about_id)",
            "comments on objects that are missing",
        ),
        (
            "SELECT count(*) FROM case_object o WHERE version - 1 <> \
             (SELECT count(*) FROM case_revision r WHERE r.kind = o.kind AND r.id = o.id)",
            "case objects of which a version is missing",
        ),
        (
            "SELECT count(*) FROM case_object o WHERE kind = 'ioc' AND NOT EXISTS \
             (SELECT 1 FROM case_link l WHERE l.relation = 'ioc-case' AND l.near = o.id)",
            "indicators of no case",
        ),
        (
            "WITH ends (relation, near, far) AS (VALUES ('ioc-case', 'ioc', 'case'), ('asset-ioc', 'asset', 'ioc'), \
             ('event-asset', 'event', 'asset'), ('event-ioc', 'event', 'ioc')) \
             SELECT count(*) FROM case_link l JOIN ends e ON e.relation = l.relation WHERE \
             NOT EXISTS (SELECT 1 FROM case_object o WHERE o.kind = e.near AND o.id = l.near) OR \
             NOT EXISTS (SELECT 1 FROM case_object o WHERE o.kind = e.far AND o.id = l.far)",
            "links of case objects that are missing",
        ),
        (
            "SELECT count(*) FROM case_file f WHERE NOT EXISTS \
             (SELECT 1 FROM case_content c WHERE c.id = f.content AND c.state = 'whole') OR NOT EXISTS \
             (SELECT 1 FROM case_folder d WHERE d.id = f.folder AND d.case_id = f.case_id)",
            "files without their content or folder",
        ),
        (
            "SELECT count(*) FROM case_content c WHERE state = 'whole' AND (size <> \
             (SELECT coalesce(sum(length(bytes) - 4), 0) FROM case_content_piece p WHERE p.content = c.id) OR \
             NOT EXISTS (SELECT 1 FROM case_file f WHERE f.content = c.id))",
            "contents that are cut off or that no file has",
        ),
    ] {
        let n: i64 = conn.query_row(sql, [], |r| r.get(0))?;
        if n > 0 {
            out.push(format!("{n} {what}"));
        }
    }
    let mut statement = conn.prepare(
        "SELECT coalesce(n.text, t.etype), coalesce(c.n, 0), t.rows FROM (SELECT etype, sum(rows) AS rows FROM \
         (SELECT etype, count(*) AS rows FROM master GROUP BY etype UNION ALL SELECT etype, 0 FROM entity_count) \
         GROUP BY etype) t LEFT JOIN entity_count c ON c.etype = t.etype LEFT JOIN name n ON n.id = t.etype \
         WHERE coalesce(c.n, 0) <> t.rows",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (etype, counted, there): (String, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        out.push(format!("{counted} entities of type {etype} are counted and {there} are there"));
    }
    Ok(out)
}

pub(crate) fn foreign_keys(conn: &Connection) -> Result<u64, StoreError> {
    let mut statement = conn.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    let mut n = 0;
    while rows.next()?.is_some() {
        n += 1;
    }
    Ok(n)
}
