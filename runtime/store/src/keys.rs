//! Keys that senders give to requests: the same key is the same request, however often it arrives.
//!
//! The key, the digest of the body and the answer are stored in the transaction of the tasks, so that there is no
//! moment at which one is there without the other. A key belongs to a scope, such as the sender's token: nobody can use
//! up a key of somebody else. Keys are known as long as ids of tasks; then a repeated request is a new one.

use rusqlite::OptionalExtension;
use tenter_model::{Task, TaskId, Timestamp};

use crate::admit;
use crate::codec;
use crate::error::StoreError;
use crate::outcome::{Admission, Done};
use crate::store::{self, Store};
use crate::tx::Tx;

/// Longest key and longest scope, in bytes.
pub const MAX_KEY_BYTES: usize = 255;

/// The key of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdmitKey {
    /// Whose key it is, such as the digest of a token, or `local`.
    pub scope: String,
    /// The key, 1 to [`MAX_KEY_BYTES`] bytes.
    pub key: String,
    /// SHA-256 of the body that came with it.
    pub body_digest: [u8; 32],
}

/// What came of a request with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedAdmission {
    /// Whether the request was known: nothing was admitted and `tasks` is the first answer.
    pub repeated: bool,
    /// The tasks of the first such request, and what came of each.
    pub tasks: Vec<(TaskId, Admission)>,
}

impl Store {
    /// [`Store::admit`] for a request with a key: the tasks and the key enter in one transaction.
    ///
    /// Errors that `done` may get besides those of `admit`: [`StoreError::KeyReused`] when the key came with another
    /// body before, [`StoreError::Invalid`] when the key is empty or too long.
    pub fn admit_keyed(&self, key: AdmitKey, tasks: Vec<Task>, now: Timestamp, done: Done<KeyedAdmission>) {
        let impatient = self.answers_early();
        self.send(impatient, admit::flat(done), move |tx| admit_keyed(tx, &key, &tasks, now));
    }

    /// [`Store::admit_keyed`], waiting for the answer.
    ///
    /// # Errors
    /// As there.
    pub fn admit_keyed_blocking(
        &self,
        key: AdmitKey,
        tasks: Vec<Task>,
        now: Timestamp,
    ) -> Result<KeyedAdmission, StoreError> {
        store::wait(|done| self.admit_keyed(key, tasks, now, done))
    }
}

fn admit_keyed(
    tx: &mut Tx<'_>,
    key: &AdmitKey,
    tasks: &[Task],
    now: Timestamp,
) -> Result<Result<KeyedAdmission, StoreError>, StoreError> {
    for (what, text) in [("key", &key.key), ("scope of the key", &key.scope)] {
        if text.is_empty() || text.len() > MAX_KEY_BYTES {
            return Ok(Err(StoreError::Invalid(format!(
                "the {what} of the request has {} bytes; 1 to {MAX_KEY_BYTES} are expected",
                text.len()
            ))));
        }
    }
    let known: Option<([u8; 32], Vec<u8>)> = tx
        .conn
        .prepare_cached("SELECT digest, answer FROM request_key WHERE scope = ?1 AND key = ?2")?
        .query_row((&key.scope, &key.key), |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    if let Some((digest, answer)) = known {
        if digest != key.body_digest {
            return Ok(Err(StoreError::KeyReused(key.key.clone())));
        }
        let tasks = codec::decode(&answer, || format!("answer to the request with key {:?}", key.key))?;
        return Ok(Ok(KeyedAdmission { repeated: true, tasks }));
    }
    let answers = match admit::admit(tx, tasks, now)? {
        Ok(answers) => answers,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let tasks: Vec<(TaskId, Admission)> = tasks.iter().map(|t| t.id).zip(answers).collect();
    codec::encode_into(tx.room, &tasks)?;
    tx.conn
        .prepare_cached("INSERT INTO request_key (scope, key, digest, answer, at) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute((&key.scope, &key.key, &key.body_digest[..], &tx.room[..], now.0))?;
    tx.crash.at("admit-key");
    Ok(Ok(KeyedAdmission { repeated: false, tasks }))
}
