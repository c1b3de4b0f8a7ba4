//! The handle of a store: opening, closing, and the way to the writer.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tenter_model::{ModuleName, Task, TaskId, Timestamp};

use crate::audit::Actor;
use crate::checkpoint::Checkpoints;
use crate::crash::Crash;
use crate::error::StoreError;
use crate::names::Names;
use crate::options::{Health, StoreOptions};
use crate::outcome::{Admission, CommitNews, CommitResult, DeadLetter, Done, ErrorRow, TaskOutcome};
use crate::reader::Reader;
use crate::tally::Tally;
use crate::tx::Tx;
use crate::writer::{Call, Message, Shared, Writer, lock};
use crate::{admit, careful, cases, commit, connect, migrate};

/// A store. Clones are handles of the same one; when the last goes, what was handed over is still done, then the
/// database is closed.
#[derive(Clone)]
pub struct Store(Arc<Inner>, Actor);

struct Inner {
    dir: PathBuf,
    sender: Sender<Message>,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
    acknowledge_before_commit: bool,
    cache_mib: u32,
    stopped_cleanly_before: bool,
    poisoned: Vec<DeadLetter>,
    remove_dir: bool,
}

impl Store {
    /// Opens the data directory, which is made if need be, and brings its database to the newest format.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process or store uses it, [`StoreError::TooNew`] when a newer program wrote
    /// it, and what the disk may say.
    pub fn open(dir: &Path, options: StoreOptions, now: Timestamp) -> Result<Self, StoreError> {
        Self::open_in(dir.to_owned(), options, now, false)
    }

    /// Whether a directory holds a store.
    #[must_use]
    pub fn is_in(dir: &Path) -> bool {
        connect::database_path(dir).is_file()
    }

    /// Names of the modules that a directory holds, by looking only: also while another process uses it.
    ///
    /// # Errors
    /// What the disk may say; [`StoreError::Sqlite`] as well when the format is not that of this program.
    pub fn look_for_modules(dir: &Path) -> Result<Vec<ModuleName>, StoreError> {
        let rows =
            Reader::new(connect::reader(&connect::database_path(dir), StoreOptions::default().cache_mib)?).modules()?;
        Ok(rows.into_iter().map(|row| row.name).collect())
    }

    /// A store in a new directory of the system's place for temporary files; it goes with the last handle. For tests
    /// and for trying things out: nothing is flushed at commits.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn temporary(options: StoreOptions, now: Timestamp) -> Result<Self, StoreError> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let base = std::env::temp_dir();
        loop {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let dir = base.join(format!("tenter-{}-{number}", std::process::id()));
            match connect::private_dir(&dir, false) {
                Ok(()) => {
                    let options = StoreOptions { synchronous: crate::Synchronous::Normal, ..options };
                    return Self::open_in(dir, options, now, true);
                }
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(StoreError::file(&dir, &e)),
            }
        }
    }

    fn open_in(dir: PathBuf, options: StoreOptions, now: Timestamp, remove_dir: bool) -> Result<Self, StoreError> {
        let lock = connect::lock(&dir)?;
        let path = connect::database_path(&dir);
        let crash = Crash::parse(options.crash_at.as_deref())?;
        let conn = connect::writer(&path, &options)?;
        migrate::run(&conn, &path, &crash)?;
        let clean = careful::ended_in_order(&conn)?;
        let shared = Arc::new(Shared::default());
        let checkpoints = Checkpoints::start(&conn, &path, &options)?;
        let mut writer = Writer {
            checkpoints,
            tally: Tally::load(&conn)?,
            conn,
            shared: shared.clone(),
            names: Names::default(),
            room: Vec::new(),
            lock,
            options: options.clone(),
            crash,
            path,
        };
        let poisoned = writer.at_once(move |tx| {
            let poisoned = careful::start(tx, clean, now)?;
            cases::start(tx, now)?;
            Ok(poisoned)
        })?;
        writer.crash.at("open-marked");
        let (sender, inbox) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("tenter-writer".into())
            .spawn(move || writer.serve(&inbox))
            .map_err(|e| StoreError::Io(format!("cannot start the writer's thread: {e}")))?;
        let inner = Inner {
            dir,
            sender,
            shared,
            thread: Mutex::new(Some(thread)),
            acknowledge_before_commit: options.acknowledge_before_commit,
            cache_mib: options.cache_mib,
            stopped_cleanly_before: clean,
            poisoned,
            remove_dir,
        };
        Ok(Self(Arc::new(inner), Actor { name: "tenter".into(), at: now }))
    }

    /// The data directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.0.dir
    }

    /// A connection of its own for reading.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn reader(&self) -> Result<Reader, StoreError> {
        Ok(Reader::new(self.connection()?))
    }

    /// What a reader has.
    pub(crate) fn connection(&self) -> Result<Connection, StoreError> {
        connect::reader(&connect::database_path(&self.0.dir), self.0.cache_mib)
    }

    /// Has a listener called on the writer's thread after each commit that brought tasks into the queues. It must not
    /// block, and must not own a [`Store`], which would then never close.
    pub fn subscribe_commits(&self, listener: Box<dyn Fn(&CommitNews) + Send + Sync>) {
        self.0.shared.listeners.write().unwrap_or_else(PoisonError::into_inner).push(listener.into());
    }

    /// Takes tasks in (T0). All of one call enter in one transaction or none does; one whose id is known is left out.
    ///
    /// `done` may get [`StoreError::Backlog`] when the queues are at a high mark, and [`StoreError::Full`] when the
    /// disk is; nothing was taken in then.
    pub fn admit(&self, tasks: Vec<Task>, now: Timestamp, done: Done<Vec<Admission>>) {
        self.send(self.answers_early(), admit::flat(done), move |tx| admit::admit(tx, &tasks, now));
    }

    /// [`Store::admit`], waiting for the answer.
    ///
    /// # Errors
    /// When nothing was taken in.
    pub fn admit_blocking(&self, tasks: Vec<Task>, now: Timestamp) -> Result<Vec<Admission>, StoreError> {
        wait(|done| self.admit(tasks, now, done))
    }

    /// Stores all that came of one task and takes it out of its queue (T3).
    pub fn commit(&self, outcome: TaskOutcome, done: Done<CommitResult>) {
        self.send(false, commit::answered(done), move |tx| commit::commit(tx, &outcome));
    }

    /// [`Store::commit`], waiting for the answer.
    ///
    /// # Errors
    /// When nothing was stored for another reason than [`CommitResult`] names.
    pub fn commit_blocking(&self, outcome: TaskOutcome) -> Result<CommitResult, StoreError> {
        wait(|done| self.commit(outcome, done))
    }

    /// Keeps a task in its place for a later attempt (T4).
    pub fn postpone(
        &self,
        seq: u64,
        id: TaskId,
        attempts: u32,
        not_before: Timestamp,
        errors: Vec<ErrorRow>,
        done: Done<CommitResult>,
    ) {
        self.send(false, commit::answered(done), move |tx| {
            commit::postpone(tx, seq, id, attempts, not_before, &errors)
        });
    }

    /// [`Store::postpone`], waiting for the answer.
    ///
    /// # Errors
    /// When nothing was stored.
    pub fn postpone_blocking(
        &self,
        seq: u64,
        id: TaskId,
        attempts: u32,
        not_before: Timestamp,
        errors: Vec<ErrorRow>,
    ) -> Result<CommitResult, StoreError> {
        wait(|done| self.postpone(seq, id, attempts, not_before, errors, done))
    }

    /// How the store fares.
    #[must_use]
    pub fn health(&self) -> Health {
        let shared = &self.0.shared;
        let fault = lock(&shared.fault).clone();
        let pressure = lock(&shared.pressure).clone();
        Health {
            writable: fault.is_none(),
            accepts: fault.is_none() && pressure.is_none(),
            reason: fault.or(pressure.map(StoreError::Full)).map(|f| f.to_string()),
            transactions: shared.transactions.load(Ordering::Relaxed),
            work_done: shared.work_done.load(Ordering::Relaxed),
            waiting: shared.waiting.load(Ordering::Relaxed),
            stopped_cleanly_before: self.0.stopped_cleanly_before,
        }
    }

    /// Does what was handed over before, moves the log into the database and closes it. What is handed over later is
    /// answered with [`StoreError::Closed`].
    ///
    /// # Errors
    /// When the last writes did not succeed.
    pub fn close(&self) -> Result<(), StoreError> {
        let result = wait(|done| {
            if let Err(mpsc::SendError(Message::Close(done))) = self.0.sender.send(Message::Close(done)) {
                done(Ok(()));
            }
        });
        self.0.join();
        result
    }

    /// Lets the database have at most so many pages from now on, or any number; it keeps those that it has. For tests
    /// of full disks.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn limit_pages(&self, max_pages: Option<u32>) -> Result<(), StoreError> {
        self.call(move |tx| connect::limit_pages(tx.conn, max_pages))
    }

    pub(crate) fn with_actor(&self, actor: Actor) -> Self {
        Self(self.0.clone(), actor)
    }

    pub(crate) fn actor(&self) -> &Actor {
        &self.1
    }

    pub(crate) fn poison(&self) -> &[DeadLetter] {
        &self.0.poisoned
    }

    /// Whether tasks are acknowledged before their commit; a negative control.
    pub(crate) fn answers_early(&self) -> bool {
        self.0.acknowledge_before_commit
    }

    /// Hands a piece of work over.
    pub(crate) fn send<T: Send + 'static>(
        &self,
        impatient: bool,
        done: Done<T>,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) {
        let shared = &self.0.shared;
        shared.waiting.fetch_add(1, Ordering::Relaxed);
        if self.0.sender.send(Message::Work(Box::new(Call::new(impatient, done, work)))).is_err() {
            // The work was dropped and so answered that the store is closed.
            shared.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Hands a piece of work over and waits for the answer.
    pub(crate) fn call<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        wait(|done| self.send(false, done, work))
    }
}

impl Inner {
    /// Waits for the writer's thread, which gives the directory free.
    fn join(&self) {
        let thread = lock(&self.thread).take();
        if let Some(thread) = thread {
            // The last handle may go in a callback, which runs on the very thread.
            if thread.thread().id() != std::thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let _ = self.sender.send(Message::Close(Box::new(|_| {})));
        self.join();
        if self.remove_dir {
            let _ = std::fs::remove_dir_all(&self.dir);
        }
    }
}

/// Turns a call with an answer later into one that waits.
pub(crate) fn wait<T: Send + 'static>(call: impl FnOnce(Done<T>)) -> Result<T, StoreError> {
    let (sender, receiver) = mpsc::channel();
    call(Box::new(move |result| {
        // The one who waits is in this very function.
        let _ = sender.send(result);
    }));
    receiver.recv().unwrap_or(Err(StoreError::Closed))
}
