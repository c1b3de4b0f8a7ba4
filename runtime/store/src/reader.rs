//! Reading: connections that see the last commit and nothing of what is being written.

use std::collections::HashMap;
use std::sync::Mutex;

use rusqlite::{Connection, OptionalExtension, Row};
use tenter_model::host::HostData;
use tenter_model::task::Queue;
use tenter_model::{DataPoint, EntityId, EntityRef, EntityType, MasterRecord, ModuleName, Task, TaskId, Timestamp};

use crate::codec;
use crate::commit::column;
use crate::error::StoreError;
use crate::ledger::{self, DeadFilter, ErrorFilter};
use crate::modules::{self, ModuleRow};
use crate::names;
use crate::outcome::{DeadRow, ErrorRow, LinkRow, PendingTask, RawPoint, StoredPoint};
use crate::provenance;
use crate::tally::{Counters, NORMAL_BASE};
use crate::tokens::{self, TokenRow};
use crate::tx::StoredTask;
use crate::writer::lock;

/// A connection for reading. Calls from several threads take turns; who reads much opens one for each thread.
///
/// Beside it the numbers of names that were looked up; see [`names`].
pub struct Reader(Mutex<Connection>, Mutex<HashMap<String, i64>>);

impl Reader {
    pub(crate) fn new(conn: Connection) -> Self {
        Self(Mutex::new(conn), Mutex::default())
    }

    /// Tasks of a queue in order, after a place in it. A lane gets those whose partition (stable hash of the entity
    /// modulo [`crate::PARTS`]) modulo `lanes` is `lane`.
    ///
    /// A task that this program cannot read is left out, logged, and stays in the queue.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn pending(
        &self,
        queue: Queue,
        after_seq: Option<u64>,
        lane: u32,
        lanes: u32,
        limit: u32,
    ) -> Result<Vec<PendingTask>, StoreError> {
        let (first, end) = match queue {
            Queue::Priority => (0, NORMAL_BASE),
            Queue::Normal => (NORMAL_BASE, i64::MAX),
        };
        let after = after_seq.map_or(first, |s| column(s).max(first));
        let conn = lock(&self.0);
        let mut statement = conn.prepare_cached(
            "SELECT seq, id, root, attempts, not_before, body FROM task \
             WHERE seq > ?1 AND seq < ?2 AND part % ?3 = ?4 ORDER BY seq LIMIT ?5",
        )?;
        let mut rows = statement.query((after, end, lanes.max(1), lane, limit))?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            match pending_task(row, queue) {
                Ok(task) => out.push(task),
                Err(error @ StoreError::Unreadable { .. }) => tracing::error!(%error, "a task stays in the queue"),
                Err(other) => return Err(other),
            }
        }
        Ok(out)
    }

    /// Ids of entities of a type, in byte order, after one.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn entities(
        &self,
        etype: &EntityType,
        after: Option<&EntityId>,
        limit: u32,
    ) -> Result<Vec<EntityId>, StoreError> {
        let conn = lock(&self.0);
        let mut statement = conn.prepare_cached(
            "SELECT m.eid FROM name n JOIN master m ON m.etype = n.id WHERE n.text = ?1 AND m.eid > ?2 \
             ORDER BY m.eid LIMIT ?3",
        )?;
        let mut rows = statement.query((etype.as_str(), after.map_or("", EntityId::as_str), limit))?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(name(text(row, 0)?)?);
        }
        Ok(out)
    }

    /// Number of entities of a type.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn entity_count(&self, etype: &EntityType) -> Result<u64, StoreError> {
        let n: Option<i64> = lock(&self.0)
            .prepare_cached("SELECT c.n FROM name n JOIN entity_count c ON c.etype = n.id WHERE n.text = ?1")?
            .query_row([etype.as_str()], |r| r.get(0))
            .optional()?;
        Ok(n.and_then(|n| u64::try_from(n).ok()).unwrap_or(0))
    }

    /// Links that an entity has.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn links_from(&self, entity: &EntityRef) -> Result<Vec<LinkRow>, StoreError> {
        self.links(
            "SELECT etype, eid, attr, to_etype, to_eid, until FROM link WHERE etype = ?1 AND eid = ?2 \
             ORDER BY attr, to_etype, to_eid",
            entity,
        )
    }

    /// Links that lead to an entity.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn links_to(&self, entity: &EntityRef) -> Result<Vec<LinkRow>, StoreError> {
        self.links(
            "SELECT etype, eid, attr, to_etype, to_eid, until FROM link WHERE to_etype = ?1 AND to_eid = ?2 \
             ORDER BY etype, eid, attr",
            entity,
        )
    }

    fn links(&self, sql: &str, entity: &EntityRef) -> Result<Vec<LinkRow>, StoreError> {
        let conn = lock(&self.0);
        let Some(etype) = names::lookup(&conn, entity.etype.as_str())? else { return Ok(Vec::new()) };
        let mut statement = conn.prepare_cached(sql)?;
        let mut rows = statement.query((etype, entity.eid.as_str()))?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(LinkRow {
                from: entity_ref(&conn, row, 0)?,
                attr: name(&names::text(&conn, row.get(2)?)?)?,
                to: entity_ref(&conn, row, 3)?,
                until: row.get::<_, Option<i64>>(5)?.map(Timestamp),
            });
        }
        Ok(out)
    }

    /// A live value of a module's state with its version.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn state_get(
        &self,
        module: &ModuleName,
        key: &str,
        now: Timestamp,
    ) -> Result<Option<(Vec<u8>, u64)>, StoreError> {
        Ok(lock(&self.0)
            .prepare_cached(
                "SELECT value, version FROM kv WHERE module = ?1 AND key = ?2 AND (until IS NULL OR until > ?3)",
            )?
            .query_row((module.as_str(), key, now.0), |r| {
                Ok((r.get(0)?, u64::try_from(r.get::<_, i64>(1)?).unwrap_or(0)))
            })
            .optional()?)
    }

    /// Live keys with a prefix, in byte order, after a key.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn state_keys(
        &self,
        module: &ModuleName,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<String>, StoreError> {
        let conn = lock(&self.0);
        // From the prefix on, keys are in order until the first that lacks it.
        let mut statement = conn.prepare_cached(
            "SELECT key FROM kv WHERE module = ?1 AND key >= ?2 AND (?3 IS NULL OR key > ?3) \
             AND (until IS NULL OR until > ?4) ORDER BY key",
        )?;
        let mut rows = statement.query((module.as_str(), prefix, after, now.0))?;
        let mut out = Vec::new();
        while out.len() < limit as usize {
            let Some(row) = rows.next()? else { break };
            let key = text(row, 0)?;
            if !key.starts_with(prefix) {
                break;
            }
            out.push(key.to_owned());
        }
        Ok(out)
    }

    /// Bytes of all keys and values of a module, expired ones included until they are pruned.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn state_bytes(&self, module: &ModuleName) -> Result<u64, StoreError> {
        let n: Option<i64> = lock(&self.0)
            .prepare_cached("SELECT bytes FROM kv_size WHERE module = ?1")?
            .query_row([module.as_str()], |r| r.get(0))
            .optional()?;
        Ok(n.and_then(|n| u64::try_from(n).ok()).unwrap_or(0))
    }

    /// All counts, from one moment.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn counters(&self) -> Result<Counters, StoreError> {
        self.at_once(Counters::read)
    }

    /// The counts again, but with `pending`, `pending_bytes`, `raw_points` and `derived_points` counted row by row: must equal
    /// [`Reader::counters`] of the same moment. Reads whole tables.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn audit(&self) -> Result<Counters, StoreError> {
        self.at_once(Counters::count)
    }

    /// The number of an entity type. Those that were found are remembered: a name keeps its number for ever.
    pub(crate) fn etype(&self, conn: &Connection, etype: &EntityType) -> Result<Option<i64>, StoreError> {
        if let Some(number) = lock(&self.1).get(etype.as_str()) {
            return Ok(Some(*number));
        }
        let number = names::lookup(conn, etype.as_str())?;
        if let Some(number) = number {
            lock(&self.1).insert(etype.as_str().to_owned(), number);
        }
        Ok(number)
    }

    /// The connection itself, for the other files of this package.
    pub(crate) fn connection(&self) -> std::sync::MutexGuard<'_, Connection> {
        lock(&self.0)
    }

    pub(crate) fn at_once<T>(&self, read: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let conn = lock(&self.0);
        let tx = conn.unchecked_transaction()?;
        read(&tx)
    }

    /// Failures of hooks, newest first.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn errors(&self, filter: &ErrorFilter, limit: u32) -> Result<Vec<ErrorRow>, StoreError> {
        ledger::errors(&lock(&self.0), filter, limit)
    }

    /// Dead letters, newest first.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn dead(&self, filter: &DeadFilter, limit: u32) -> Result<Vec<DeadRow>, StoreError> {
        ledger::dead(&lock(&self.0), filter, limit)
    }

    /// Installed modules, in the order of first upload.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn modules(&self) -> Result<Vec<ModuleRow>, StoreError> {
        self.at_once(modules::modules)
    }

    /// The bytes of a component.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn component(&self, digest: &str) -> Result<Vec<u8>, StoreError> {
        modules::component(&lock(&self.0), digest)
    }

    /// All tokens, oldest first.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        tokens::tokens(&lock(&self.0))
    }
}

impl HostData for Reader {
    fn read_record(&self, entity: &EntityRef) -> Result<Option<MasterRecord>, String> {
        self.record(entity).map_err(|e| e.to_string())
    }

    fn is_known(&self, entity: &EntityRef) -> Result<bool, String> {
        Self::is_known(self, entity).map_err(|e| e.to_string())
    }

    fn state_get(&self, module: &ModuleName, key: &str, now: Timestamp) -> Result<Option<(Vec<u8>, u64)>, String> {
        Self::state_get(self, module, key, now).map_err(|e| e.to_string())
    }

    fn state_keys(
        &self,
        module: &ModuleName,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<String>, String> {
        Self::state_keys(self, module, prefix, after, limit, now).map_err(|e| e.to_string())
    }

    fn state_bytes(&self, module: &ModuleName) -> Result<u64, String> {
        Self::state_bytes(self, module).map_err(|e| e.to_string())
    }
}

fn pending_task(row: &Row<'_>, queue: Queue) -> Result<PendingTask, StoreError> {
    let seq = u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0);
    let id = TaskId(row.get(1)?);
    Ok(PendingTask {
        seq,
        attempts: row.get(3)?,
        not_before: row.get::<_, Option<i64>>(4)?.map(Timestamp),
        task: stored_task(id, row.get(2)?, queue, blob(row, 5)?)?,
    })
}

/// A task of its columns.
pub(crate) fn stored_task(id: TaskId, root: Option<[u8; 16]>, queue: Queue, body: &[u8]) -> Result<Task, StoreError> {
    let stored: StoredTask = codec::decode(body, || format!("task {id}"))?;
    Ok(Task { id, root: root.map_or(id, TaskId), depth: stored.depth, queue, origin: stored.origin, body: stored.body })
}

pub(crate) fn stored_point(conn: &Connection, row: &Row<'_>) -> Result<StoredPoint, StoreError> {
    let seq = u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0);
    let module: Option<ModuleName> = match row.get::<_, Option<i64>>(10)? {
        Some(id) => Some(name(&names::text(conn, id)?)?),
        None => None,
    };
    let made: Option<Vec<u8>> = row.get(12)?;
    let origin = match (&module, made) {
        (Some(module), Some(made)) => Some(provenance::decode(conn, module, &made)?),
        _ => None,
    };
    Ok(StoredPoint {
        seq,
        entity: entity_ref(conn, row, 1)?,
        point: RawPoint {
            datapoint: DataPoint {
                attr: name(&names::text(conn, row.get(3)?)?)?,
                src: row.get(4)?,
                t1: row.get::<_, Option<i64>>(5)?.map(Timestamp),
                t2: row.get::<_, Option<i64>>(6)?.map(Timestamp),
                confidence: row.get(7)?,
                value: codec::decode(blob(row, 8)?, || format!("value of datapoint {seq}"))?,
            },
            module,
        },
        task: TaskId(row.get(9)?),
        origin,
        at: Timestamp(row.get(11)?),
    })
}

/// The entity whose type's number and id stand at two columns in a row.
pub(crate) fn entity_ref(conn: &Connection, row: &Row<'_>, first: usize) -> Result<EntityRef, StoreError> {
    Ok(EntityRef { etype: name(&names::text(conn, row.get(first)?)?)?, eid: name(text(row, first + 1)?)? })
}

pub(crate) fn blob<'r>(row: &'r Row<'_>, column: usize) -> Result<&'r [u8], StoreError> {
    row.get_ref(column)?.as_blob().map_err(|e| StoreError::Sqlite(e.to_string()))
}

pub(crate) fn text<'r>(row: &'r Row<'_>, column: usize) -> Result<&'r str, StoreError> {
    row.get_ref(column)?.as_str().map_err(|e| StoreError::Sqlite(e.to_string()))
}

/// A stored name; it was checked when it was stored.
pub(crate) fn name<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|e: T::Err| StoreError::Unreadable { what: format!("name {text:?}"), why: e.to_string() })
}
