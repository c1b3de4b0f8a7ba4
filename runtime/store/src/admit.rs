//! T0: taking tasks in.

use tenter_model::{Task, Timestamp};

use crate::error::StoreError;
use crate::outcome::Admission;
use crate::tally::Count;
use crate::tx::Tx;

/// Takes in all tasks whose ids are new.
pub(crate) fn admit(tx: &mut Tx<'_>, tasks: &[Task], now: Timestamp) -> Result<Vec<Admission>, StoreError> {
    let mut answers = Vec::with_capacity(tasks.len());
    for task in tasks {
        answers.push(if tx.remember(task.id, now)? {
            tx.enqueue(task, task.root)?;
            tx.tally.add(Count::Accepted, 1);
            tx.tally.add(Count::ReceivedPoints, i64::try_from(task.body.datapoints.len()).unwrap_or(i64::MAX));
            Admission::Accepted
        } else {
            tx.tally.add(Count::Duplicates, 1);
            Admission::Duplicate
        });
    }
    Ok(answers)
}
