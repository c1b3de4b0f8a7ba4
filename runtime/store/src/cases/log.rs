//! What was done: the log of activities that analysts read, the counters of lists, the lines of the audit log.

use serde_json::Value;
use tenter_model::Timestamp;
use tenter_model::case::{CaseObject, ObjectKind, Relation};

use super::{CaseActor, CaseWorld, rows};
use crate::audit::{self, Actor};
use crate::error::StoreError;
use crate::store::Store;
use crate::tx::Tx;

/// A line of the log of activities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityRow {
    /// Its number; later ones have higher ones.
    pub seq: u64,
    /// The case, if it was about one.
    pub case_id: Option<i64>,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub user_id: i64,
    /// What, as a sentence.
    pub text: String,
    /// Whether a person wrote it.
    pub typed: bool,
    /// Whether it came through the API.
    pub from_api: bool,
    /// Whether lists show it.
    pub shown: bool,
}

impl Store {
    /// Adds a line that a person wrote about a case. Gives it.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn log_activity(&self, case_id: Option<i64>, text: &str, by: CaseActor) -> Result<ActivityRow, StoreError> {
        let text = text.to_owned();
        self.call(move |tx| activity(tx, case_id, &text, true, &by))
    }
}

impl CaseWorld<'_> {
    /// The newest lines about a case, newest first.
    #[must_use]
    pub fn activities(&self, case_id: i64, limit: u32) -> Vec<ActivityRow> {
        let read = || -> Result<Vec<ActivityRow>, StoreError> {
            let mut statement = self.conn.prepare_cached(
                "SELECT seq, case_id, at, user_id, text, typed, from_api, shown FROM case_activity \
                 WHERE case_id = ?1 ORDER BY seq DESC LIMIT ?2",
            )?;
            let lines = statement.query_map((case_id, limit), |r| {
                Ok(ActivityRow {
                    seq: u64::try_from(r.get::<_, i64>(0)?).unwrap_or(0),
                    case_id: r.get(1)?,
                    at: Timestamp(r.get(2)?),
                    user_id: r.get(3)?,
                    text: r.get(4)?,
                    typed: r.get(5)?,
                    from_api: r.get(6)?,
                    shown: r.get(7)?,
                })
            })?;
            Ok(lines.collect::<Result<_, _>>()?)
        };
        self.ask(read())
    }

    /// How often objects of a kind changed in a case, and when they last did: the `state` of lists. From 0.
    #[must_use]
    pub fn state(&self, case_id: i64, name: &str) -> (u64, Option<Timestamp>) {
        let sql = "SELECT n, at FROM case_state WHERE case_id = ?1 AND name = ?2";
        let read = || -> Result<Option<(i64, i64)>, StoreError> {
            use rusqlite::OptionalExtension as _;
            let mut statement = self.conn.prepare_cached(sql)?;
            Ok(statement.query_row((case_id, name), |r| Ok((r.get(0)?, r.get(1)?))).optional()?)
        };
        self.ask(read()).map_or((0, None), |(n, at)| (u64::try_from(n).unwrap_or(0), Some(Timestamp(at))))
    }
}

/// Records a change of an object in all three places.
pub(super) fn record(
    tx: &mut Tx<'_>,
    object: &CaseObject,
    case_id: Option<i64>,
    action: &str,
    by: &CaseActor,
) -> Result<(), StoreError> {
    let kind = object.target.kind;
    let case_id = case_id.or(object.case_id).or((kind == ObjectKind::Case).then_some(object.target.id));
    let text = format!("{action} {} \"{}\"", kind.info().word, object.label().chars().take(200).collect::<String>());
    activity(tx, case_id, &text, false, by)?;
    let detail = serde_json::json!({"case": case_id, "version": object.version});
    audit(tx, by, &format!("case-object.{action}"), &object.target.to_string(), &detail)?;
    let cases = match kind {
        ObjectKind::Ioc => rows::ends(tx.conn, Relation::IocCase, object.target.id, true)?,
        _ => case_id.into_iter().collect(),
    };
    for case_id in cases {
        bump(tx, case_id, kind, by)?;
    }
    Ok(())
}

/// Counts a change of an object in a case.
pub(super) fn bump(tx: &Tx<'_>, case_id: i64, kind: ObjectKind, by: &CaseActor) -> Result<(), StoreError> {
    let Some(name) = kind.info().state else { return Ok(()) };
    tx.conn
        .prepare_cached(
            "INSERT INTO case_state (case_id, name, n, at) VALUES (?1, ?2, 1, ?3) \
             ON CONFLICT DO UPDATE SET n = n + 1, at = excluded.at",
        )?
        .execute((case_id, name, by.acting.now.0))?;
    Ok(())
}

/// A line of the audit log.
pub(super) fn audit(
    tx: &mut Tx<'_>,
    by: &CaseActor,
    action: &str,
    subject: &str,
    detail: &Value,
) -> Result<(), StoreError> {
    let actor = Actor { name: by.name.as_str().into(), at: by.acting.now };
    audit::append(tx, &actor, action, subject, &detail.to_string())?;
    tx.crash.at("case-audited");
    Ok(())
}

/// A line of the log of activities.
pub(super) fn activity(
    tx: &Tx<'_>,
    case_id: Option<i64>,
    text: &str,
    typed: bool,
    by: &CaseActor,
) -> Result<ActivityRow, StoreError> {
    let mut letters = text.chars();
    let text: String = letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default();
    tx.conn
        .prepare_cached(
            "INSERT INTO case_activity (case_id, at, user_id, text, typed, from_api, shown) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1)",
        )?
        .execute((case_id, by.acting.now.0, by.acting.user_id, &text, typed, by.from_api))?;
    Ok(ActivityRow {
        seq: u64::try_from(tx.conn.last_insert_rowid()).unwrap_or(0),
        case_id,
        at: by.acting.now,
        user_id: by.acting.user_id,
        text,
        typed,
        from_api: by.from_api,
        shown: true,
    })
}
