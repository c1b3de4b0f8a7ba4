//! T0: taking tasks in, within bounds.
//!
//! The queues have high marks, in rows and in bytes. Above one, new tasks from outside are refused as a whole and
//! nothing of them is stored, while what was accepted is worked off. A request that arrives below the mark enters
//! whole, so the queues may exceed a mark by one request: a strict bound would never let a large request in. Tasks that
//! hooks return are never refused, since refusing them would stop the lanes that make room; they count all the same.
//!
//! A refusal is decided before the first write, so that it costs no rollback when there is least time for one.

use tenter_model::{Task, Timestamp};

use crate::error::StoreError;
use crate::outcome::{Admission, Done};
use crate::tally::Count;
use crate::tx::Tx;

/// Takes in all tasks whose ids are new. The inner error is a refusal that wrote nothing.
pub(crate) fn admit(
    tx: &mut Tx<'_>,
    tasks: &[Task],
    now: Timestamp,
) -> Result<Result<Vec<Admission>, StoreError>, StoreError> {
    tx.crash.at("admit-begin");
    if let Some(refusal) = refusal(tx)
        && any_new(tx, tasks)?
    {
        return Ok(Err(refusal));
    }
    let mut answers = Vec::with_capacity(tasks.len());
    for task in tasks {
        answers.push(if tx.remember(task.id, now)? {
            tx.crash.at("admit-id");
            tx.enqueue(task, task.root)?;
            tx.crash.at("admit-task");
            tx.tally.add(Count::Accepted, 1);
            tx.tally.add(Count::ReceivedPoints, i64::try_from(task.body.datapoints.len()).unwrap_or(i64::MAX));
            Admission::Accepted
        } else {
            tx.tally.add(Count::Duplicates, 1);
            Admission::Duplicate
        });
    }
    tx.crash.at("admit-end");
    Ok(Ok(answers))
}

/// Turns a result that holds a refusal into one.
pub(crate) fn flat<T: Send + 'static>(done: Done<T>) -> Done<Result<T, StoreError>> {
    Box::new(move |result| done(result.and_then(|inner| inner)))
}

/// Why nothing new may enter at present.
fn refusal(tx: &Tx<'_>) -> Option<StoreError> {
    let amount = |count| u64::try_from(tx.tally.get(count)).unwrap_or(0);
    let (rows, bytes) = (amount(Count::Pending), amount(Count::PendingBytes));
    let (max_rows, max_bytes) = (tx.options.max_pending_rows, tx.options.max_pending_bytes);
    if rows >= max_rows || bytes >= max_bytes {
        return Some(StoreError::Backlog { rows, max_rows, bytes, max_bytes });
    }
    tx.pressure.map(|why| StoreError::Full(why.to_owned()))
}

fn any_new(tx: &Tx<'_>, tasks: &[Task]) -> Result<bool, StoreError> {
    let mut known = tx.conn.prepare_cached("SELECT 1 FROM task_id WHERE id = ?1")?;
    for task in tasks {
        if !known.exists([&task.id.0[..]])? || !tx.options.deduplicate {
            return Ok(true);
        }
    }
    Ok(false)
}
