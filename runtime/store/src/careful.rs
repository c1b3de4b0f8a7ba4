//! Careful starts: finding the task that stops the process.
//!
//! A process that dies cannot count its attempts. After a stop that was not in order the engine therefore writes down
//! its first tasks before it runs them, each durably; the commit of the task takes the note away again. A task
//! that was running at [`POISON_STOPS`] such stops becomes a dead letter when the store is opened, and all others go on.
//! After a stop in order nothing is written down, so normal running pays nothing.

use rusqlite::{Connection, OptionalExtension};
use tenter_model::task::Queue;
use tenter_model::{HookKind, ModuleName, Task, TaskId, Timestamp};

use crate::commit::{bury, column};
use crate::error::StoreError;
use crate::outcome::{DeadKind, DeadLetter, Done};
use crate::reader::stored_task;
use crate::store::{self, Store};
use crate::tally::{Count, NORMAL_BASE};
use crate::tx::Tx;

/// Stops at which a task was running before it becomes a dead letter. The stop that begins a row of them is not
/// counted: nobody had written down what was running.
pub const POISON_STOPS: u32 = 3;

/// Starts of which the ends are remembered.
const BOOTS_KEPT: i64 = 100;

impl Store {
    /// Whether the last stop was not in order, so that tasks are to be written down before they run.
    #[must_use]
    pub fn is_careful(&self) -> bool {
        !self.health().stopped_cleanly_before
    }

    /// Dead letters that the opening of this store made of tasks that stopped the process again and again.
    #[must_use]
    pub fn poisoned(&self) -> &[DeadLetter] {
        self.poison()
    }

    /// Writes down that a task is about to run, and in which hook of which module if that is known; a second call for
    /// the task replaces these. `done` is called once that is on disk. What ends the task or postpones it takes the
    /// note away.
    ///
    /// `done` may get [`StoreError::NotFound`]: the task is not in the queue any more.
    pub fn begin_careful(
        &self,
        seq: u64,
        id: TaskId,
        module: Option<ModuleName>,
        hook: Option<HookKind>,
        done: Done<()>,
    ) {
        self.send(false, done, move |tx| begin(tx, seq, id, module.as_ref(), hook));
    }

    /// [`Store::begin_careful`], waiting until it is on disk.
    ///
    /// # Errors
    /// As there.
    pub fn begin_careful_blocking(
        &self,
        seq: u64,
        id: TaskId,
        module: Option<ModuleName>,
        hook: Option<HookKind>,
    ) -> Result<(), StoreError> {
        store::wait(|done| self.begin_careful(seq, id, module, hook, done))
    }
}

fn begin(
    tx: &mut Tx<'_>,
    seq: u64,
    id: TaskId,
    module: Option<&ModuleName>,
    hook: Option<HookKind>,
) -> Result<(), StoreError> {
    let waits =
        tx.conn.prepare_cached("SELECT 1 FROM task WHERE seq = ?1 AND id = ?2")?.exists((column(seq), &id.0[..]))?;
    if !waits {
        return Err(StoreError::NotFound(format!("task {id}")));
    }
    let (module, hook) = (module.map(ModuleName::as_str), hook.map(|h| h.to_string()));
    let known = tx
        .conn
        .prepare_cached("UPDATE careful SET running = 1, module = ?2, hook = ?3 WHERE seq = ?1")?
        .execute((column(seq), module, &hook))?;
    if known == 0 {
        tx.conn
            .prepare_cached(
                "INSERT INTO careful (seq, id, module, hook, stops, running) VALUES (?1, ?2, ?3, ?4, 0, 1)",
            )?
            .execute((column(seq), &id.0[..], module, &hook))?;
        tx.tally.add(Count::Careful, 1);
    }
    tx.crash.at("careful-row");
    Ok(())
}

/// Takes the note of a task away, if there is one.
pub(crate) fn clear(tx: &mut Tx<'_>, seq: u64) -> Result<(), StoreError> {
    if tx.tally.get(Count::Careful) > 0 {
        let gone = tx.conn.prepare_cached("DELETE FROM careful WHERE seq = ?1")?.execute([column(seq)])?;
        tx.tally.add(Count::Careful, -i64::try_from(gone).unwrap_or(0));
    }
    Ok(())
}

/// Whether the last process that had the database ended in order. `true` if there was none.
pub(crate) fn ended_in_order(conn: &Connection) -> Result<bool, StoreError> {
    let clean: Option<bool> =
        conn.query_row("SELECT clean FROM boot ORDER BY seq DESC LIMIT 1", [], |r| r.get(0)).optional()?;
    Ok(clean.unwrap_or(true))
}

/// Notes a start, counts the stop before it against the tasks that were running, and makes dead letters of those that
/// have had their number of stops. Running tasks of a stop in order are no suspects.
pub(crate) fn start(tx: &mut Tx<'_>, clean: bool, now: Timestamp) -> Result<Vec<DeadLetter>, StoreError> {
    tx.conn.execute("INSERT INTO boot (at, clean) VALUES (?1, 0)", [now.0])?;
    tx.conn.execute("DELETE FROM boot WHERE seq <= ?1", [tx.conn.last_insert_rowid() - BOOTS_KEPT])?;
    tx.conn.execute("UPDATE careful SET stops = stops + (running AND NOT ?1), running = 0", [clean])?;
    let suspects: Vec<(i64, Option<String>, Option<String>, u32)> = tx
        .conn
        .prepare("SELECT seq, module, hook, stops FROM careful WHERE stops >= ?1 ORDER BY seq")?
        .query_map([POISON_STOPS], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)))?
        .collect::<Result<_, _>>()?;
    let mut letters = Vec::new();
    for (seq, module, hook, stops) in suspects {
        clear(tx, u64::try_from(seq).unwrap_or(0))?;
        let task = match take(tx, seq) {
            Ok(Some(task)) => task,
            Ok(None) => continue,
            Err(error @ StoreError::Unreadable { .. }) => {
                // Such a task is never run, so it is not the cause; and it must not keep the store from opening.
                tracing::error!(%error, "a task stays in the queue");
                continue;
            }
            Err(error) => return Err(error),
        };
        let module = module.and_then(|name| ModuleName::new(&name).ok());
        let message = format!(
            "the process stopped {stops} times while task {} about {} was running{}; the task was taken out so that \
             the others can go on: look at the log for how the process ended, then replay the task or discard it",
            task.id,
            task.body.entity,
            module.as_ref().map(|m| format!(", last in module {m}")).unwrap_or_default(),
        );
        let letter = DeadLetter {
            task,
            kind: DeadKind::Poison,
            module,
            hook: hook.and_then(|name| name.parse().ok()),
            reason: "poison".into(),
            message,
            at: now,
        };
        bury(tx, &letter)?;
        tracing::error!(task = %letter.task.id, entity = %letter.task.body.entity, "{}", letter.message);
        letters.push(letter);
    }
    Ok(letters)
}

/// Takes a task out of its queue.
fn take(tx: &mut Tx<'_>, seq: i64) -> Result<Option<Task>, StoreError> {
    let queue = if seq < NORMAL_BASE { Queue::Priority } else { Queue::Normal };
    let row: Option<(TaskId, Option<[u8; 16]>, Vec<u8>)> = tx
        .conn
        .prepare("SELECT id, root, body FROM task WHERE seq = ?1")?
        .query_row([seq], |r| Ok((TaskId(r.get(0)?), r.get(1)?, r.get(2)?)))
        .optional()?;
    let Some((id, root, body)) = row else { return Ok(None) };
    let task = stored_task(id, root, queue, &body)?;
    tx.conn.execute("DELETE FROM task WHERE seq = ?1", [seq])?;
    tx.tally.add(Count::Pending, -1);
    tx.tally.add(Count::PendingBytes, -i64::try_from(body.len()).unwrap_or(0));
    Ok(Some(task))
}
