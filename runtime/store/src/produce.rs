//! What calls of hooks leave beside their effect on an entity: tasks, state, errors, notes of the calls.

use tenter_model::{Task, Timestamp};

use crate::commit::{bury, follow_up};
use crate::error::StoreError;
use crate::invocations::{self, InvocationRow};
use crate::outcome::{CommitResult, DeadLetter, ErrorRow, StateChange};
use crate::state;
use crate::store::Store;
use crate::tally::Count;
use crate::tx::Tx;

/// What calls of hooks left, for one transaction with the cursor of the job that made them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Produced {
    /// Tasks, for the queues that they name. One whose id is known is left out. A task that is its own root has the
    /// whole budget of descendants before it; others count towards their root's.
    pub tasks: Vec<Task>,
    /// Tasks that may not enter.
    pub dead: Vec<DeadLetter>,
    /// Failures of hooks.
    pub errors: Vec<ErrorRow>,
    /// Changes of module state, call by call.
    pub state: Vec<StateChange>,
    /// Calls of hooks, as far as they are to be kept.
    pub invocations: Vec<InvocationRow>,
}

/// How many tasks of a [`Produced`] entered, and where the others went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Entered {
    /// Tasks that entered the queues.
    pub tasks: usize,
    /// Tasks whose id was taken in before.
    pub duplicates: usize,
    /// Tasks that became dead letters because their root's budget is spent.
    pub over_budget: usize,
}

impl Store {
    /// Stores what calls of hooks left that belong to no task and no job.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a state key that was read and written has changed since; nothing is stored then.
    pub fn save_produced_blocking(&self, produced: Produced, now: Timestamp) -> Result<Entered, StoreError> {
        self.call(move |tx| store(tx, &produced, now))
    }
}

/// Stores it. [`StoreError::Conflict`] when a state key that was read and written has changed since.
pub(crate) fn store(tx: &mut Tx<'_>, produced: &Produced, at: Timestamp) -> Result<Entered, StoreError> {
    for (module, _, reads) in &produced.state {
        state::check_reads(tx, module, reads, &produced.state, at)?;
    }
    for (module, writes, _) in &produced.state {
        state::write(tx, module, writes, at)?;
    }
    let mut entered = Entered::default();
    let mut rest = produced.tasks.as_slice();
    while let Some(first) = rest.first() {
        let family = rest.iter().take_while(|t| t.root == first.root).count();
        let (tasks, others) = rest.split_at_checked(family).unwrap_or((rest, &[]));
        rest = others;
        let (tasks, duplicates, over_budget) = enter(tx, first, tasks, at)?;
        entered.tasks += tasks;
        entered.duplicates += duplicates;
        entered.over_budget += over_budget;
    }
    for letter in &produced.dead {
        if tx.remember(letter.task.id, at)? {
            tx.tally.add(Count::Accepted, 1);
            bury(tx, letter)?;
        } else {
            tx.tally.add(Count::Duplicates, 1);
        }
    }
    tx.record_errors(&produced.errors)?;
    invocations::record(tx, &produced.invocations)?;
    tx.crash.at("produced");
    Ok(entered)
}

/// Puts tasks of one root into the queues.
fn enter(tx: &mut Tx<'_>, first: &Task, tasks: &[Task], at: Timestamp) -> Result<(usize, usize, usize), StoreError> {
    if first.root == first.id {
        let (mut entered, mut duplicates) = (0, 0);
        for task in tasks {
            if tx.remember(task.id, at)? {
                tx.tally.add(Count::Accepted, 1);
                tx.enqueue(task, task.root)?;
                entered += 1;
            } else {
                tx.tally.add(Count::Duplicates, 1);
                duplicates += 1;
            }
        }
        return Ok((entered, duplicates, 0));
    }
    match follow_up(tx, first.root, tasks, at)? {
        CommitResult::Committed { follow_ups, duplicates, over_budget } => Ok((follow_ups, duplicates, over_budget)),
        CommitResult::Conflict | CommitResult::Gone => Ok((0, 0, 0)),
    }
}
