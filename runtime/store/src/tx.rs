//! The running transaction, and what several pieces of work do in it.

use rusqlite::Connection;
use tenter_model::Timestamp;
use tenter_model::{EntityRef, Task, TaskId};

use crate::codec;
use crate::crash::Crash;
use crate::error::StoreError;
use crate::names::Names;
use crate::options::StoreOptions;
use crate::outcome::{CommitNews, ErrorRow, part};
use crate::tally::{Count, Tally};

/// The running transaction, as one piece of work sees it.
pub(crate) struct Tx<'a> {
    pub(crate) conn: &'a Connection,
    pub(crate) options: &'a StoreOptions,
    pub(crate) tally: &'a mut Tally,
    pub(crate) names: &'a mut Names,
    pub(crate) news: &'a mut CommitNews,
    /// Room for blobs, used again and again.
    pub(crate) room: &'a mut Vec<u8>,
    pub(crate) crash: &'a Crash,
    /// Why the disk has no room for new tasks from outside, if so.
    pub(crate) pressure: Option<&'a str>,
}

impl Tx<'_> {
    /// Remembers the id of a task; tells whether it is new.
    pub(crate) fn remember(&mut self, id: TaskId, now: Timestamp) -> Result<bool, StoreError> {
        let added = self
            .conn
            .prepare_cached("INSERT INTO task_id (id, seen_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
            .execute((&id.0[..], now.0))?;
        Ok(added == 1 || !self.options.deduplicate)
    }

    /// Puts a task of a family into its queue. The caller has counted it as accepted.
    pub(crate) fn enqueue(&mut self, task: &Task, root: TaskId) -> Result<(), StoreError> {
        let seq = self.tally.next_seq(task.queue);
        let part = part(&task.body.entity);
        codec::encode_into(self.room, &StoredTaskRef { depth: task.depth, origin: &task.origin, body: &task.body })?;
        self.conn
            .prepare_cached("INSERT INTO task (seq, id, root, part, attempts, body) VALUES (?1, ?2, ?3, ?4, 0, ?5)")?
            .execute((seq, &task.id.0[..], root_column(&task.id, &root), part, &self.room[..]))?;
        self.tally.add(Count::Pending, 1);
        self.tally.add(Count::PendingBytes, i64::try_from(self.room.len()).unwrap_or(0));
        self.news.note(task.queue, part);
        Ok(())
    }

    /// Keeps failures of hooks, and no more of them than the limit.
    pub(crate) fn record_errors(&mut self, rows: &[ErrorRow]) -> Result<(), StoreError> {
        for row in rows {
            codec::encode_into(self.room, row)?;
            let entity = row.entity.as_ref();
            self.conn
                .prepare_cached(
                    "INSERT INTO error (at, module, hook, reason, etype, eid, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                )?
                .execute((
                    row.at.0,
                    row.module.as_str(),
                    row.hook.to_string(),
                    &*row.reason,
                    entity.map(|e| e.etype.as_str()),
                    entity.map(|e| e.eid.as_str()),
                    &self.room[..],
                ))?;
        }
        if !rows.is_empty() {
            let keep = i64::try_from(self.options.max_error_rows).unwrap_or(i64::MAX);
            let oldest = self.conn.last_insert_rowid().saturating_sub(keep);
            self.conn.prepare_cached("DELETE FROM error WHERE seq <= ?1")?.execute([oldest])?;
        }
        Ok(())
    }

    /// The number of an entity's type.
    pub(crate) fn etype(&mut self, entity: &EntityRef) -> Result<i64, StoreError> {
        self.names.number(self.conn, entity.etype.as_str())
    }
}

/// The root as stored: absent for a task that is its own.
fn root_column<'a>(id: &TaskId, root: &'a TaskId) -> Option<&'a [u8]> {
    (root != id).then_some(&root.0[..])
}

/// What of a task is not in columns, borrowed.
#[derive(serde::Serialize)]
pub(crate) struct StoredTaskRef<'a> {
    depth: u8,
    origin: &'a Option<tenter_model::task::Origin>,
    body: &'a tenter_model::TaskBody,
}

/// The same, owned.
#[derive(serde::Deserialize)]
pub(crate) struct StoredTask {
    pub(crate) depth: u8,
    pub(crate) origin: Option<tenter_model::task::Origin>,
    pub(crate) body: tenter_model::TaskBody,
}
