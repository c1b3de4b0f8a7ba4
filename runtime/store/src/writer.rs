//! The writer: one thread, one connection, many pieces of work in one transaction.
//!
//! The thread takes the first waiting piece of work and whatever else waits behind it, up to the group's size. After the
//! commit each is answered, then listeners learn which queues got tasks. Thus one flush of the disk serves a whole
//! group, and under load groups grow by themselves, while a single piece of work on an idle store waits for nobody.
//!
//! A piece of work that fails must not spoil its group, for which it needs a savepoint to return to. Savepoints cost
//! about a quarter of the throughput and failures are rare, so that a group is first tried without; when one fails,
//! all is rolled back and the group runs again, each in a savepoint of its own. Work can therefore run twice and
//! must be the same both times.
//!
//! A fault of the store itself rolls the whole group back and all of it is told so. Whether the next group is tried
//! depends on the fault: room may come back, damage does not heal.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rusqlite::Connection;

use crate::checkpoint::Checkpoints;
use crate::connect;
use crate::crash::Crash;
use crate::error::StoreError;
use crate::names::Names;
use crate::options::StoreOptions;
use crate::outcome::{CommitNews, Done};
use crate::tally::Tally;
use crate::tx::Tx;

/// A listener for commits.
pub(crate) type Listener = Arc<dyn Fn(&CommitNews) + Send + Sync>;

/// What the writer's thread and the handles share.
#[derive(Default)]
pub(crate) struct Shared {
    /// The fault of the last group, if it had one.
    pub(crate) fault: Mutex<Option<StoreError>>,
    /// Why the disk has no room for new tasks from outside, if so.
    pub(crate) pressure: Mutex<Option<String>>,
    pub(crate) transactions: AtomicU64,
    pub(crate) work_done: AtomicU64,
    pub(crate) waiting: AtomicU64,
    pub(crate) listeners: RwLock<Vec<Listener>>,
}

/// A piece of work: runs inside a transaction, once or twice, then is answered.
pub(crate) trait Work: Send {
    /// Does it. After an error all that it did is rolled back.
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError>;
    /// Whether it wants its answer before the commit; a negative control.
    fn impatient(&self) -> bool;
    /// Answers, with the error given or with what came of `run`.
    fn answer(&mut self, error: Option<&StoreError>);
}

/// A piece of work made of a closure.
pub(crate) struct Call<T, F> {
    work: F,
    result: Option<T>,
    done: Option<Done<T>>,
    impatient: bool,
}

impl<T, F> Call<T, F>
where
    T: Send,
    F: FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send,
{
    pub(crate) fn new(impatient: bool, done: Done<T>, work: F) -> Self {
        Self { work, result: None, done: Some(done), impatient }
    }
}

impl<T, F> Work for Call<T, F>
where
    T: Send,
    F: FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        self.result = Some((self.work)(tx)?);
        Ok(())
    }

    fn impatient(&self) -> bool {
        self.impatient
    }

    fn answer(&mut self, error: Option<&StoreError>) {
        let Some(done) = self.done.take() else { return };
        let result = match (error, self.result.take()) {
            (Some(error), _) => Err(error.clone()),
            (None, Some(result)) => Ok(result),
            (None, None) => Err(StoreError::Closed),
        };
        guarded(|| done(result));
    }
}

impl<T, F> Drop for Call<T, F> {
    /// Nobody waits for ever: work that the writer never reached is answered as well.
    fn drop(&mut self) {
        if let Some(done) = self.done.take() {
            guarded(|| done(Err(StoreError::Closed)));
        }
    }
}

/// Runs a callback; a panic in it must not take the writer along.
fn guarded(callback: impl FnOnce()) {
    if std::panic::catch_unwind(AssertUnwindSafe(callback)).is_err() {
        tracing::error!("a callback of the store panicked");
    }
}

/// What is sent to the writer.
pub(crate) enum Message {
    Work(Box<dyn Work>),
    Close(Done<()>),
}

/// The writer's own.
pub(crate) struct Writer {
    pub(crate) conn: Connection,
    pub(crate) options: StoreOptions,
    pub(crate) shared: Arc<Shared>,
    pub(crate) tally: Tally,
    pub(crate) names: Names,
    pub(crate) room: Vec<u8>,
    pub(crate) crash: Crash,
    pub(crate) checkpoints: Checkpoints,
    /// The database file.
    pub(crate) path: PathBuf,
    /// The lock on the data directory, which goes after all else.
    pub(crate) lock: connect::DirLock,
}

impl Writer {
    /// Serves until it is told to close or all handles are gone. Work that was sent before is done first.
    pub(crate) fn serve(mut self, inbox: &Receiver<Message>) {
        let mut group: Vec<Box<dyn Work>> = Vec::new();
        let size = self.options.group_commit.max(1);
        let mut close = None;
        while close.is_none() {
            let Ok(first) = inbox.recv() else { break };
            let mut next = Some(first);
            while let Some(message) = next.take() {
                match message {
                    Message::Work(work) => group.push(work),
                    Message::Close(done) => {
                        close = Some(done);
                        break;
                    }
                }
                if group.len() < size {
                    next = inbox.try_recv().ok();
                }
            }
            let taken = group.len() as u64;
            self.run_group(&mut group);
            self.shared.waiting.fetch_sub(taken, Ordering::Relaxed);
        }
        let closed = self.finish();
        if let Some(done) = close {
            guarded(|| done(closed));
        }
    }

    fn run_group(&mut self, group: &mut Vec<Box<dyn Work>>) {
        if group.is_empty() {
            return;
        }
        self.look_for_room();
        let standing = lock(&self.shared.fault).clone().filter(|e| !e.may_pass());
        let mut news = CommitNews::default();
        let outcome = match standing {
            Some(fault) => Err(fault),
            None => self.transact(group, &mut news),
        };
        match &outcome {
            Ok(()) => {
                self.shared.transactions.fetch_add(1, Ordering::Relaxed);
                self.shared.work_done.fetch_add(group.len() as u64, Ordering::Relaxed);
                *lock(&self.shared.fault) = None;
            }
            Err(fault) => {
                let mut known = lock(&self.shared.fault);
                if known.as_ref() != Some(fault) {
                    tracing::error!(%fault, "the store cannot write");
                    *known = Some(fault.clone());
                }
            }
        }
        for mut work in group.drain(..) {
            work.answer(outcome.as_ref().err());
            self.crash.at("group-answered");
        }
        if outcome.is_ok() && !news.is_empty() {
            let listeners = self.shared.listeners.read().unwrap_or_else(PoisonError::into_inner).clone();
            for listener in listeners {
                guarded(|| listener(&news));
            }
        }
        if outcome.is_ok() {
            self.checkpoints.committed(&self.conn);
        }
    }

    /// One transaction. An error means that nothing of it is stored.
    fn transact(&mut self, group: &mut [Box<dyn Work>], news: &mut CommitNews) -> Result<(), StoreError> {
        let before = self.tally;
        let mut result = self.attempt(group, news, &before, Savepoints::None);
        if result.as_ref().is_err_and(|e| !e.is_fault()) {
            self.undo(&before, news);
            result = self.attempt(group, news, &before, Savepoints::Each);
        }
        match result {
            Ok(()) => self.names.keep(),
            Err(_) => self.undo(&before, news),
        }
        result
    }

    /// Returns to where the transaction began.
    fn undo(&mut self, before: &Tally, news: &mut CommitNews) {
        self.tally = *before;
        self.names.forget_since(0);
        *news = CommitNews::default();
        if !self.conn.is_autocommit() {
            // After some faults SQLite has rolled back already; the fault is what counts.
            let _ = self.conn.execute_batch("ROLLBACK");
        }
    }

    fn attempt(
        &mut self,
        group: &mut [Box<dyn Work>],
        news: &mut CommitNews,
        before: &Tally,
        savepoints: Savepoints,
    ) -> Result<(), StoreError> {
        let conn = &self.conn;
        let run = |sql| -> Result<(), StoreError> {
            conn.prepare_cached(sql)?.execute([])?;
            Ok(())
        };
        let pressure = lock(&self.shared.pressure).clone();
        run("BEGIN IMMEDIATE")?;
        self.crash.at("group-begin");
        for work in group.iter_mut() {
            if savepoints == Savepoints::Each {
                run("SAVEPOINT work")?;
            }
            let (tally, mark, news_before) = (self.tally, self.names.mark(), *news);
            let done = work.run(&mut Tx {
                conn,
                options: &self.options,
                tally: &mut self.tally,
                names: &mut self.names,
                news,
                room: &mut self.room,
                crash: &self.crash,
                pressure: pressure.as_deref(),
            });
            match (done, savepoints) {
                (Ok(()), _) => {}
                (Err(error), Savepoints::Each) if !error.is_fault() => {
                    run("ROLLBACK TO work")?;
                    self.tally = tally;
                    self.names.forget_since(mark);
                    *news = news_before;
                    work.answer(Some(&error));
                }
                (Err(error), _) => return Err(error),
            }
            if savepoints == Savepoints::Each {
                run("RELEASE work")?;
            }
            if work.impatient() {
                work.answer(None);
            }
        }
        self.tally.store(conn, before)?;
        self.crash.at("group-counted");
        run("COMMIT")?;
        self.crash.at("group-committed");
        Ok(())
    }

    /// Does one piece of work before the thread serves others.
    pub(crate) fn at_once<T: Send + 'static>(
        &mut self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = std::sync::mpsc::channel();
        let done: Done<T> = Box::new(move |result| {
            // The receiver stands in this function.
            let _ = sender.send(result);
        });
        let mut group: Vec<Box<dyn Work>> = vec![Box::new(Call::new(false, done, work))];
        let outcome = self.transact(&mut group, &mut CommitNews::default());
        for work in &mut group {
            work.answer(outcome.as_ref().err());
        }
        receiver.recv().unwrap_or(Err(StoreError::Closed))
    }

    /// Looks whether the disk has room for new tasks. Two calls of the operating system cost nothing beside a flush.
    fn look_for_room(&self) {
        let options = &self.options;
        let mut log = connect::log_bytes(&self.path);
        if log > options.max_log_bytes {
            // SQLite shrinks the log at a write, and while nothing is accepted there may be none. Readers may be in the
            // way, which is what the next look tells.
            connect::shrink_log(&self.conn);
            log = connect::log_bytes(&self.path);
        }
        let free = options.free_bytes.as_ref().and_then(|f| (f.0)(&self.path));
        let why = if log > options.max_log_bytes {
            Some(format!(
                "the write-ahead log has more than {} bytes: something keeps an old state of the database in use",
                options.max_log_bytes
            ))
        } else if free.is_some_and(|free| free < options.min_free_bytes) {
            Some(format!("the disk has less than {} bytes left", options.min_free_bytes))
        } else {
            None
        };
        let mut known = lock(&self.shared.pressure);
        if *known != why {
            match &why {
                Some(why) => tracing::warn!("no new tasks are accepted: {why}"),
                None => tracing::info!("new tasks are accepted again"),
            }
            *known = why;
        }
    }

    /// Notes that the end was in order, moves the log into the database and closes it.
    fn finish(self) -> Result<(), StoreError> {
        if let Some(fault) = lock(&self.shared.fault).clone() {
            return Err(fault);
        }
        self.crash.at("close-begin");
        self.conn.execute("UPDATE boot SET clean = 1 WHERE seq = (SELECT max(seq) FROM boot)", [])?;
        self.crash.at("close-marked");
        self.checkpoints.stop();
        self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        let closed = self.conn.close().map_err(|(_, e)| StoreError::from(e));
        self.crash.at("close-end");
        drop(self.lock);
        closed
    }
}

/// How a group is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Savepoints {
    /// The first failure ends the attempt.
    None,
    /// A failure is rolled back alone.
    Each,
}

/// Locks; a panic of another holder leaves nothing half done here.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
