//! T3 and T4: what one finished or failed task changes, all of it or nothing.
//!
//! The order matters. First the task's row goes; if it is not there, the task was done before and nothing else may
//! happen. Then the record's revision is compared with the one that the hooks were given. What follows can only add.

use rusqlite::OptionalExtension;
use tenter_model::{EntityRef, MasterRecord, Task, TaskId, Timestamp};

use crate::careful;
use crate::codec;
use crate::delete;
use crate::error::StoreError;
use crate::invocations;
use crate::outcome::{CommitResult, DeadKind, DeadLetter, Done, Effect, ErrorRow, LinkChange, RawPoint, TaskOutcome};
use crate::provenance;
use crate::state;
use crate::tally::Count;
use crate::tx::Tx;

/// Turns the two errors that undo a commit into results.
pub(crate) fn answered(done: Done<CommitResult>) -> Done<CommitResult> {
    Box::new(move |result| {
        done(match result {
            Err(StoreError::Conflict(_)) => Ok(CommitResult::Conflict),
            Err(StoreError::NotFound(_)) => Ok(CommitResult::Gone),
            other => other,
        });
    })
}

/// Stores an outcome. [`StoreError::Conflict`] and [`StoreError::NotFound`] stand for the results of these names.
pub(crate) fn commit(tx: &mut Tx<'_>, outcome: &TaskOutcome) -> Result<CommitResult, StoreError> {
    tx.crash.at("commit-begin");
    let own_root = take_row(tx, outcome)?;
    tx.crash.at("commit-taken");
    apply(tx, outcome)?;
    for (module, _, reads) in &outcome.state {
        state::check_reads(tx, module, reads, &outcome.state, outcome.at)?;
    }
    for (module, writes, _) in &outcome.state {
        state::write(tx, module, writes, outcome.at)?;
        tx.crash.at("commit-state");
    }
    let result = follow_up(tx, own_root.unwrap_or(outcome.id), &outcome.follow_ups, outcome.at)?;
    tx.crash.at("commit-follow-ups");
    for letter in &outcome.dead {
        if tx.remember(letter.task.id, outcome.at)? {
            tx.tally.add(Count::Accepted, 1);
            bury(tx, letter)?;
        } else {
            tx.tally.add(Count::Duplicates, 1);
        }
    }
    tx.record_errors(&outcome.errors)?;
    invocations::record(tx, &outcome.invocations)?;
    tx.crash.at("commit-errors");
    careful::clear(tx, outcome.seq)?;
    tx.crash.at("commit-end");
    Ok(result)
}

/// Keeps a task for a later attempt.
pub(crate) fn postpone(
    tx: &mut Tx<'_>,
    seq: u64,
    id: TaskId,
    attempts: u32,
    not_before: Timestamp,
    errors: &[ErrorRow],
) -> Result<CommitResult, StoreError> {
    tx.crash.at("postpone-begin");
    let changed = tx
        .conn
        .prepare_cached("UPDATE task SET attempts = ?3, not_before = ?4 WHERE seq = ?1 AND id = ?2")?
        .execute((column(seq), &id.0[..], attempts, not_before.0))?;
    if changed != 1 {
        return Err(StoreError::NotFound(format!("task {id}")));
    }
    tx.crash.at("postpone-row");
    tx.tally.add(Count::Postponed, 1);
    tx.record_errors(errors)?;
    careful::clear(tx, seq)?;
    tx.crash.at("postpone-end");
    Ok(CommitResult::Committed { follow_ups: 0, duplicates: 0, over_budget: 0 })
}

/// A sequence number as stored.
pub(crate) fn column(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

/// Takes the task out of its queue and gives its root, if that is another task.
fn take_row(tx: &mut Tx<'_>, outcome: &TaskOutcome) -> Result<Option<TaskId>, StoreError> {
    let row: Option<(Option<[u8; 16]>, i64)> = tx
        .conn
        .prepare_cached("DELETE FROM task WHERE seq = ?1 AND id = ?2 RETURNING root, length(body)")?
        .query_row((column(outcome.seq), &outcome.id.0[..]), |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    let (root, bytes) = row.ok_or_else(|| StoreError::NotFound(format!("task {}", outcome.id)))?;
    tx.tally.add(Count::Pending, -1);
    tx.tally.add(Count::PendingBytes, -bytes);
    Ok(root.map(TaskId))
}

fn apply(tx: &mut Tx<'_>, outcome: &TaskOutcome) -> Result<(), StoreError> {
    let entity = &outcome.entity;
    match &outcome.effect {
        Effect::Apply { record, raw, links, created } => {
            let etype = tx.etype(entity)?;
            write_record(tx, etype, entity, record, outcome.seen_revision)?;
            tx.crash.at("commit-record");
            write_raw(tx, etype, outcome, raw)?;
            tx.crash.at("commit-raw");
            write_links(tx, etype, entity, links)?;
            tx.crash.at("commit-links");
            tx.tally.add(Count::Created, i64::from(*created));
            tx.tally.add(Count::Applied, 1);
        }
        Effect::Delete => {
            delete(tx, entity, outcome.seen_revision)?;
            tx.tally.add(Count::Applied, 1);
        }
        Effect::Denied { module, reason } => {
            check_revision(tx, entity, outcome.seen_revision)?;
            tracing::debug!(%module, %entity, reason, "denied");
            tx.tally.add(Count::Denied, 1);
        }
        Effect::Dead(letter) => bury(tx, letter)?,
        Effect::Nothing => tx.tally.add(Count::Applied, 1),
    }
    Ok(())
}

fn changed(entity: &EntityRef) -> StoreError {
    StoreError::Conflict(format!("the record of {entity}"))
}

fn write_record(
    tx: &mut Tx<'_>,
    etype: i64,
    entity: &EntityRef,
    record: &MasterRecord,
    seen: Option<u64>,
) -> Result<(), StoreError> {
    codec::encode_into(tx.room, record)?;
    let eid = entity.eid.as_str();
    let written = match seen {
        Some(revision) => tx
            .conn
            .prepare_cached(
                "UPDATE master SET revision = revision + 1, body = ?4 WHERE etype = ?1 AND eid = ?2 AND revision = ?3",
            )?
            .execute((etype, eid, column(revision), &tx.room[..]))?,
        None => {
            let written = tx
                .conn
                .prepare_cached(
                    "INSERT INTO master (etype, eid, revision, body) VALUES (?1, ?2, 1, ?3) ON CONFLICT DO NOTHING",
                )?
                .execute((etype, eid, &tx.room[..]))?;
            count_entity(tx, etype, 1)?;
            written
        }
    };
    if written == 1 { Ok(()) } else { Err(changed(entity)) }
}

pub(crate) fn count_entity(tx: &Tx<'_>, etype: i64, n: i64) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached(
            "INSERT INTO entity_count (etype, n) VALUES (?1, ?2) ON CONFLICT (etype) DO UPDATE SET n = n + ?2",
        )?
        .execute((etype, n))?;
    Ok(())
}

fn check_revision(tx: &mut Tx<'_>, entity: &EntityRef, seen: Option<u64>) -> Result<(), StoreError> {
    let etype = tx.etype(entity)?;
    let stored: Option<i64> = tx
        .conn
        .prepare_cached("SELECT revision FROM master WHERE etype = ?1 AND eid = ?2")?
        .query_row((etype, entity.eid.as_str()), |r| r.get(0))
        .optional()?;
    if stored == seen.map(column) { Ok(()) } else { Err(changed(entity)) }
}

fn delete(tx: &mut Tx<'_>, entity: &EntityRef, seen: Option<u64>) -> Result<(), StoreError> {
    check_revision(tx, entity, seen)?;
    if seen.is_some() { delete::remove(tx, entity) } else { Ok(()) }
}

fn write_raw(tx: &mut Tx<'_>, etype: i64, outcome: &TaskOutcome, raw: &[RawPoint]) -> Result<(), StoreError> {
    let mut insert = tx.conn.prepare_cached(
        "INSERT INTO raw (etype, eid, attr, src, t1, t2, c, v, task, module, at, made) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    let made = match &outcome.origin {
        Some(origin) if !raw.is_empty() => Some(provenance::encode(tx.conn, tx.names, origin)?),
        _ => None,
    };
    for point in raw {
        let dp = &point.datapoint;
        let attr = tx.names.number(tx.conn, dp.attr.as_str())?;
        let module = match &point.module {
            Some(module) => Some(tx.names.number(tx.conn, module.as_str())?),
            None => None,
        };
        codec::encode_into(tx.room, &dp.value)?;
        insert.execute(rusqlite::params![
            etype,
            outcome.entity.eid.as_str(),
            attr,
            dp.src,
            dp.t1.map(|t| t.0),
            dp.t2.map(|t| t.0),
            dp.confidence,
            &tx.room[..],
            &outcome.id.0[..],
            module,
            outcome.at.0,
            made.as_ref().filter(|_| module.is_some()),
        ])?;
        tx.tally.add(Count::RawPoints, 1);
        tx.tally.add(Count::DerivedPoints, i64::from(module.is_some()));
    }
    Ok(())
}

fn write_links(tx: &mut Tx<'_>, etype: i64, entity: &EntityRef, links: &[LinkChange]) -> Result<(), StoreError> {
    let eid = entity.eid.as_str();
    for change in links {
        let (attr, targets, until) = match change {
            LinkChange::Replace { attr, targets } => {
                let attr = tx.names.number(tx.conn, attr.as_str())?;
                tx.conn
                    .prepare_cached("DELETE FROM link WHERE etype = ?1 AND eid = ?2 AND attr = ?3")?
                    .execute((etype, eid, attr))?;
                (attr, targets.as_slice(), None)
            }
            LinkChange::Extend { attr, target, until } => {
                (tx.names.number(tx.conn, attr.as_str())?, std::slice::from_ref(target), Some(until.0))
            }
        };
        for target in targets {
            let to_etype = tx.etype(target)?;
            tx.conn
                .prepare_cached(
                    "INSERT INTO link (etype, eid, attr, to_etype, to_eid, until) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
                     ON CONFLICT DO UPDATE SET until = max(until, excluded.until)",
                )?
                .execute((etype, eid, attr, to_etype, target.eid.as_str(), until))?;
        }
    }
    Ok(())
}

/// Puts tasks into the queues, those over the root's budget among the dead letters.
pub(crate) fn follow_up(
    tx: &mut Tx<'_>,
    root: TaskId,
    tasks: &[Task],
    at: Timestamp,
) -> Result<CommitResult, StoreError> {
    let (mut entered, mut duplicates, mut over_budget) = (0usize, 0usize, 0usize);
    if !tasks.is_empty() {
        let had: i64 = tx
            .conn
            .prepare_cached("SELECT descendants FROM root WHERE id = ?1")?
            .query_row([&root.0[..]], |r| r.get(0))
            .optional()?
            .unwrap_or(0);
        let room = tx.options.max_descendants.saturating_sub(u64::try_from(had).unwrap_or(0));
        for task in tasks {
            if !tx.remember(task.id, at)? {
                tx.tally.add(Count::Duplicates, 1);
                duplicates += 1;
                continue;
            }
            tx.tally.add(Count::Accepted, 1);
            if (entered as u64) < room {
                tx.enqueue(task, root)?;
                entered += 1;
            } else {
                bury(tx, &over(task, root, tx.options.max_descendants, at))?;
                tx.tally.add(Count::OverBudget, 1);
                over_budget += 1;
            }
        }
        if entered > 0 {
            tx.conn
                .prepare_cached(
                    "INSERT INTO root (id, descendants, seen_at) VALUES (?1, ?2, ?3) \
                     ON CONFLICT (id) DO UPDATE SET descendants = descendants + ?2, seen_at = ?3",
                )?
                .execute((&root.0[..], i64::try_from(entered).unwrap_or(i64::MAX), at.0))?;
        }
    }
    Ok(CommitResult::Committed { follow_ups: entered, duplicates, over_budget })
}

fn over(task: &Task, root: TaskId, limit: u64, at: Timestamp) -> DeadLetter {
    let origin = task.origin.as_ref();
    let who = origin.map_or_else(|| "a hook".to_owned(), |o| format!("module {}", o.module));
    DeadLetter {
        task: task.clone(),
        kind: DeadKind::Budget,
        module: origin.map(|o| o.module.clone()),
        hook: origin.map(|o| o.hook),
        reason: "budget".into(),
        message: format!(
            "{who} returned a task after the {limit} descendants that task {root} may have; \
             hooks that answer each other's tasks without end are the usual cause"
        ),
        at,
    }
}

/// Keeps a dead letter. The task was counted as accepted before.
pub(crate) fn bury(tx: &mut Tx<'_>, letter: &DeadLetter) -> Result<(), StoreError> {
    codec::encode_into(tx.room, letter)?;
    let entity = &letter.task.body.entity;
    tx.conn
        .prepare_cached(
            "INSERT INTO dead (at, kind, module, id, etype, eid, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute((
            letter.at.0,
            letter.kind.name(),
            letter.module.as_ref().map(|m| m.as_str()),
            &letter.task.id.0[..],
            entity.etype.as_str(),
            entity.eid.as_str(),
            &tx.room[..],
        ))?;
    tx.tally.add(Count::Dead, 1);
    Ok(())
}
