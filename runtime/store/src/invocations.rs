//! Calls of hooks: what was called, with what, and what came of it. For people who look into a module's behaviour.
//!
//! The table is bounded in rows and in bytes; the oldest rows go first. A call that failed has a row among the errors
//! with the same id.

use rusqlite::OptionalExtension;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tenter_model::host::{LogLine, Usage};
use tenter_model::task::Origin;
use tenter_model::{EntityRef, HookKind, ModuleName, SubscriptionId, TaskId, Timestamp};

use crate::codec;
use crate::commit::column;
use crate::error::StoreError;
use crate::reader::Reader;
use crate::tally::Count;
use crate::tx::Tx;

/// Bytes kept of an output, and of the texts of all log lines together; the rest is cut off.
pub const MAX_OUTPUT_BYTES: usize = 16 << 10;

/// The id of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InvocationId(pub [u8; 16]);

impl InvocationId {
    /// The id of a call for a task: the same for the same attempt, another for each call and attempt.
    #[must_use]
    pub fn of(task: TaskId, module: &ModuleName, subscription: &SubscriptionId, number: u32, attempt: u32) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(task.0);
        for text in [module.as_str(), subscription.as_str()] {
            hasher.update((text.len() as u64).to_be_bytes());
            hasher.update(text);
        }
        hasher.update(number.to_be_bytes());
        hasher.update(attempt.to_be_bytes());
        let digest = hasher.finalize();
        let mut id = [0; 16];
        for (slot, byte) in id.iter_mut().zip(digest) {
            *slot = byte;
        }
        Self(id)
    }
}

impl InvocationId {
    /// The id of the call that made a task.
    #[must_use]
    pub fn of_origin(origin: &Origin) -> Self {
        Self::of(origin.parent, &origin.module, &origin.subscription, origin.number, u32::from(origin.attempt))
    }
}

impl std::fmt::Display for InvocationId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::str::FromStr for InvocationId {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let wrong =
            || StoreError::Invalid(format!("{text:?} is no id of an invocation; 32 hexadecimal digits are expected"));
        let number = u128::from_str_radix(text, 16).map_err(|_| wrong())?;
        let id = Self(number.to_be_bytes());
        if id.to_string() == text { Ok(id) } else { Err(wrong()) }
    }
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InvocationOutcome {
    /// It returned.
    Ok,
    /// It returned, and refused the entity or the task.
    Denied,
    /// It failed; the errors have a row of the same id.
    Failed,
    /// It was not made: the hook was paused or switched off.
    Skipped,
}

impl InvocationOutcome {
    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// A call of a hook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InvocationRow {
    /// Its id.
    pub id: InvocationId,
    /// When.
    pub at: Timestamp,
    /// The module.
    pub module: ModuleName,
    /// Its version.
    pub version: String,
    /// SHA-256 of its component, 64 hexadecimal digits.
    pub digest: String,
    /// The kind of hook.
    pub hook: HookKind,
    /// The subscription.
    pub subscription: SubscriptionId,
    /// The task that was processed.
    pub task: Option<TaskId>,
    /// The datapoint of that task that the call was about, from 0.
    pub datapoint: Option<u32>,
    /// The entity it was about.
    pub entity: Option<EntityRef>,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// How it ended.
    pub outcome: InvocationOutcome,
    /// Stable code of a failure or a refusal's reason.
    pub reason: Option<String>,
    /// What it cost.
    pub usage: Usage,
    /// What the module logged in the call.
    pub logs: Vec<LogLine>,
    /// What it returned, as JSON text or other bytes; at most [`MAX_OUTPUT_BYTES`].
    pub output: Vec<u8>,
    /// Whether something of the output or the log was cut off.
    pub cut: bool,
}

/// A stored call.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredInvocation {
    /// Its place; grows in the order of commits.
    pub seq: u64,
    /// The call.
    pub row: InvocationRow,
}

/// Which calls are wanted; an absent field means all.
#[derive(Debug, Clone, Default)]
pub struct InvocationFilter {
    /// Of this module.
    pub module: Option<ModuleName>,
    /// Of this kind of hook.
    pub hook: Option<HookKind>,
    /// With this end.
    pub outcome: Option<InvocationOutcome>,
    /// For this task.
    pub task: Option<TaskId>,
    /// About this entity.
    pub entity: Option<EntityRef>,
    /// Not before this time.
    pub since: Option<Timestamp>,
}

impl Reader {
    /// Calls, newest first; `before` is the place of the last one of the page before.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn invocations(
        &self,
        filter: &InvocationFilter,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<StoredInvocation>, StoreError> {
        let conn = self.connection();
        let mut statement = conn.prepare_cached(
            "SELECT seq, body FROM invocation WHERE (?1 IS NULL OR module = ?1) AND (?2 IS NULL OR hook = ?2) \
             AND (?3 IS NULL OR outcome = ?3) AND (?4 IS NULL OR task = ?4) \
             AND (?5 IS NULL OR (etype = ?5 AND eid = ?6)) AND (?7 IS NULL OR at >= ?7) AND (?8 IS NULL OR seq < ?8) \
             ORDER BY seq DESC LIMIT ?9",
        )?;
        let entity = filter.entity.as_ref();
        let mut rows = statement.query((
            filter.module.as_ref().map(ModuleName::as_str),
            filter.hook.map(|h| h.to_string()),
            filter.outcome.map(InvocationOutcome::name),
            filter.task.as_ref().map(|t| &t.0[..]),
            entity.map(|e| e.etype.as_str()),
            entity.map(|e| e.eid.as_str()),
            filter.since.map(|t| t.0),
            before.map(column),
            limit,
        ))?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(stored(row)?);
        }
        Ok(out)
    }

    /// The call of that id, if it is still kept; the newest if there are several.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn invocation(&self, id: InvocationId) -> Result<Option<StoredInvocation>, StoreError> {
        let conn = self.connection();
        let mut statement =
            conn.prepare_cached("SELECT seq, body FROM invocation WHERE id = ?1 ORDER BY seq DESC LIMIT 1")?;
        let mut rows = statement.query([&id.0[..]])?;
        rows.next()?.map(stored).transpose()
    }
}

fn stored(row: &rusqlite::Row<'_>) -> Result<StoredInvocation, StoreError> {
    let seq: i64 = row.get(0)?;
    let row = codec::decode(row.get_ref(1)?.as_blob().unwrap_or_default(), || format!("invocation {seq}"))?;
    Ok(StoredInvocation { seq: u64::try_from(seq).unwrap_or(0), row })
}

/// Keeps calls, and no more of them than the bounds.
pub(crate) fn record(tx: &mut Tx<'_>, rows: &[InvocationRow]) -> Result<(), StoreError> {
    for row in rows {
        codec::encode_into(tx.room, &cut(row))?;
        let entity = row.entity.as_ref();
        tx.conn
            .prepare_cached(
                "INSERT INTO invocation (id, at, module, hook, outcome, task, etype, eid, body) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute((
                &row.id.0[..],
                row.at.0,
                row.module.as_str(),
                row.hook.to_string(),
                row.outcome.name(),
                row.task.as_ref().map(|t| &t.0[..]),
                entity.map(|e| e.etype.as_str()),
                entity.map(|e| e.eid.as_str()),
                &tx.room[..],
            ))?;
        tx.tally.add(Count::InvocationBytes, i64::try_from(tx.room.len()).unwrap_or(0));
        tx.tally.add(Count::Invocations, 1);
    }
    let max = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let (max_rows, max_bytes) = (max(tx.options.max_invocation_rows), max(tx.options.max_invocation_bytes));
    while tx.tally.get(Count::Invocations) > max_rows || tx.tally.get(Count::InvocationBytes) > max_bytes {
        let gone: Option<i64> = tx
            .conn
            .prepare_cached(
                "DELETE FROM invocation WHERE seq = (SELECT min(seq) FROM invocation) RETURNING length(body)",
            )?
            .query_row([], |r| r.get(0))
            .optional()?;
        let Some(bytes) = gone else { break };
        tx.tally.add(Count::InvocationBytes, -bytes);
        tx.tally.add(Count::Invocations, -1);
    }
    Ok(())
}

/// The row with its output and log within bounds.
fn cut(row: &InvocationRow) -> std::borrow::Cow<'_, InvocationRow> {
    let log: usize = row.logs.iter().map(|l| l.message.len()).sum();
    if row.output.len() <= MAX_OUTPUT_BYTES && log <= MAX_OUTPUT_BYTES {
        return std::borrow::Cow::Borrowed(row);
    }
    let mut row = row.clone();
    row.output.truncate(MAX_OUTPUT_BYTES);
    let mut room = MAX_OUTPUT_BYTES;
    row.logs.retain(|line| {
        let fits = line.message.len() <= room;
        room = if fits { room - line.message.len() } else { 0 };
        fits
    });
    row.cut = true;
    std::borrow::Cow::Owned(row)
}
