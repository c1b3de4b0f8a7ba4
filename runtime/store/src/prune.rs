//! Forgetting what is not needed any more.
//!
//! Ids of a task from outside and of all its descendants begin with the same six bytes (see
//! [`TaskId`](tenter_model::TaskId)), so that one look at the queues tells which families are unfinished; their ids
//! and budgets stay, however old.

use std::collections::HashSet;
use std::sync::Arc;

use tenter_model::Timestamp;

use crate::error::StoreError;
use crate::reader::Reader;
use crate::store::Store;
use crate::tx::Tx;

/// Ids looked at in one piece of work, so that others need not wait long.
const CHUNK: i64 = 20_000;

/// Microseconds for which a budget rests before it may go. A family that entered after the look at the queues is not
/// known as unfinished, but it is younger than this.
const ROOT_REST: i64 = 3_600_000_000;

/// Bytes that all ids of a family begin with.
const FAMILY: usize = 6;

type Families = HashSet<[u8; FAMILY]>;

impl Store {
    /// Forgets ids of tasks that were finished long ago, keys of requests as old, budgets of finished families, and state and links
    /// whose time has come.
    /// Gives the number of rows removed. Other work goes on in between.
    ///
    /// # Errors
    /// What the disk may say; what was removed before that stays removed.
    pub fn prune(&self, now: Timestamp) -> Result<u64, StoreError> {
        // Looked up outside the writer, since it reads the whole queue. A family that is old and finished at this
        // moment cannot get new tasks, unless an operator replays a dead letter of it, which needs neither id nor
        // budget.
        let unfinished = Arc::new(self.reader()?.unfinished_families()?);
        let mut removed = self.call(move |tx| prune_expired(tx, now))?;
        for table in [Table::Root, Table::TaskId] {
            let mut after = Some(Vec::new());
            while let Some(from) = after {
                let unfinished = unfinished.clone();
                let (gone, next) = self.call(move |tx| prune_ids(tx, table, &from, &unfinished, now))?;
                removed += gone;
                after = next;
            }
        }
        Ok(removed as u64)
    }
}

impl Reader {
    /// Families with tasks in the queues.
    fn unfinished_families(&self) -> Result<Families, StoreError> {
        let conn = self.connection();
        let mut statement = conn.prepare_cached("SELECT DISTINCT substr(id, 1, 6) FROM task")?;
        let rows = statement.query_map([], |r| r.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn prune_expired(tx: &mut Tx<'_>, now: Timestamp) -> Result<usize, StoreError> {
    tx.conn.execute(
        "UPDATE kv_size SET bytes = bytes - gone.n FROM \
         (SELECT module, sum(octet_length(key) + length(value)) AS n FROM kv WHERE until <= ?1 GROUP BY module) gone \
         WHERE kv_size.module = gone.module",
        [now.0],
    )?;
    let keys = tx.conn.execute("DELETE FROM kv WHERE until <= ?1", [now.0])?;
    let days = tx.options.task_id_days.saturating_mul(86_400_000_000);
    let requests = tx.conn.execute("DELETE FROM request_key WHERE at < ?1", [now.0.saturating_sub(days)])?;
    Ok(keys + requests + tx.conn.execute("DELETE FROM link WHERE until <= ?1", [now.0])?)
}

/// Tables whose rows go with their family.
#[derive(Debug, Clone, Copy)]
enum Table {
    /// Budgets; needed no longer than there are tasks that could have descendants.
    Root,
    /// Ids; kept for some days after they were seen.
    TaskId,
}

/// Looks at the next ids after `from`; gives how many went and where to go on.
fn prune_ids(
    tx: &mut Tx<'_>,
    table: Table,
    from: &[u8],
    unfinished: &Families,
    now: Timestamp,
) -> Result<(usize, Option<Vec<u8>>), StoreError> {
    let (select, delete, oldest) = match table {
        Table::Root => (
            "SELECT id, seen_at FROM root WHERE id > ?1 ORDER BY id LIMIT ?2",
            "DELETE FROM root WHERE id = ?1",
            ROOT_REST,
        ),
        Table::TaskId => (
            "SELECT id, seen_at FROM task_id WHERE id > ?1 ORDER BY id LIMIT ?2",
            "DELETE FROM task_id WHERE id = ?1",
            tx.options.task_id_days.saturating_mul(86_400_000_000),
        ),
    };
    let seen: Vec<(Vec<u8>, i64)> = tx
        .conn
        .prepare_cached(select)?
        .query_map((from, CHUNK), |r| Ok((r.get(0)?, r.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut removed = 0;
    let mut delete = tx.conn.prepare_cached(delete)?;
    for (id, seen_at) in &seen {
        let kept = id.first_chunk::<FAMILY>().is_some_and(|family| unfinished.contains(family));
        if !kept && now.since(Timestamp(*seen_at)) > oldest {
            removed += delete.execute([id])?;
        }
    }
    let full = i64::try_from(seen.len()).is_ok_and(|n| n == CHUNK);
    Ok((removed, seen.into_iter().next_back().map(|(id, _)| id).filter(|_| full)))
}
