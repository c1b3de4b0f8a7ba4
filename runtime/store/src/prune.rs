//! Forgetting what is not needed any more.
//!
//! Ids of a task from outside and of all its descendants begin with the same six bytes (see
//! [`TaskId`](tenter_model::TaskId)), so that one look at the queues tells which families are unfinished; their ids
//! and budgets stay, however old.

use std::collections::HashSet;

use tenter_model::Timestamp;

use crate::error::StoreError;
use crate::store::Store;
use crate::tx::Tx;

/// Ids looked at in one piece of work, so that others need not wait long.
const CHUNK: i64 = 20_000;

/// What six bytes a family's ids begin with.
const FAMILY: usize = 6;

impl Store {
    /// Forgets ids of tasks that were finished long ago, budgets of finished families and state whose time has come.
    /// Gives the number of rows removed.
    ///
    /// # Errors
    /// What the disk may say; what was removed before that stays removed.
    pub fn prune(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut removed = self.call(move |tx| Ok(prune_state(tx, now)? + prune_roots(tx)?))?;
        let mut after = Some(Vec::new());
        while let Some(from) = after {
            let (gone, next) = self.call(move |tx| prune_ids(tx, &from, now))?;
            removed += gone;
            after = next;
        }
        Ok(removed as u64)
    }
}

fn prune_state(tx: &mut Tx<'_>, now: Timestamp) -> Result<usize, StoreError> {
    tx.conn.execute(
        "UPDATE kv_size SET bytes = bytes - gone.n FROM \
         (SELECT module, sum(octet_length(key) + length(value)) AS n FROM kv WHERE until <= ?1 GROUP BY module) gone \
         WHERE kv_size.module = gone.module",
        [now.0],
    )?;
    Ok(tx.conn.execute("DELETE FROM kv WHERE until <= ?1", [now.0])?)
}

/// Families with tasks in the queues.
fn unfinished(tx: &Tx<'_>) -> Result<HashSet<[u8; FAMILY]>, StoreError> {
    let mut statement = tx.conn.prepare_cached("SELECT DISTINCT substr(id, 1, 6) FROM task")?;
    let rows = statement.query_map([], |r| r.get::<_, [u8; FAMILY]>(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn is_unfinished(id: &[u8], unfinished: &HashSet<[u8; FAMILY]>) -> bool {
    id.first_chunk::<FAMILY>().is_some_and(|family| unfinished.contains(family))
}

fn prune_roots(tx: &mut Tx<'_>) -> Result<usize, StoreError> {
    let unfinished = unfinished(tx)?;
    let ids: Vec<Vec<u8>> =
        tx.conn.prepare_cached("SELECT id FROM root")?.query_map([], |r| r.get(0))?.collect::<Result<_, _>>()?;
    let mut removed = 0;
    let mut delete = tx.conn.prepare_cached("DELETE FROM root WHERE id = ?1")?;
    for id in ids.iter().filter(|id| !is_unfinished(id, &unfinished)) {
        removed += delete.execute([id])?;
    }
    Ok(removed)
}

/// Looks at the next ids after `from`; gives how many went and where to go on.
fn prune_ids(tx: &mut Tx<'_>, from: &[u8], now: Timestamp) -> Result<(usize, Option<Vec<u8>>), StoreError> {
    let days = tx.options.task_id_days.saturating_mul(86_400_000_000);
    let unfinished = unfinished(tx)?;
    let seen: Vec<(Vec<u8>, i64)> = tx
        .conn
        .prepare_cached("SELECT id, seen_at FROM task_id WHERE id > ?1 ORDER BY id LIMIT ?2")?
        .query_map((from, CHUNK), |r| Ok((r.get(0)?, r.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut removed = 0;
    let mut delete = tx.conn.prepare_cached("DELETE FROM task_id WHERE id = ?1")?;
    for (id, seen_at) in &seen {
        if now.since(Timestamp(*seen_at)) > days && !is_unfinished(id, &unfinished) {
            removed += delete.execute([id])?;
        }
    }
    let full = i64::try_from(seen.len()).is_ok_and(|n| n == CHUNK);
    Ok((removed, seen.into_iter().next_back().map(|(id, _)| id).filter(|_| full)))
}
