//! Moves what was committed from the write-ahead log into the database, beside the thread that commits.
//!
//! SQLite would do it within a commit, whenever the log has so many pages: some milliseconds in which nothing else is
//! stored. A thread with a connection of its own does it while commits go on, a part at a time. What is committed
//! meanwhile keeps the log from beginning anew, so that under load it grows; from [`GUARD`] pages on the writer moves the
//! rest itself, which is little. Nothing is promised here: a checkpoint that fails leaves everything in the log.

use std::cell::Cell;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use crate::connect;
use crate::error::StoreError;
use crate::options::StoreOptions;

/// Pages that come to the log between two checkpoints.
const PART: u32 = 1_000;
/// Pages of the log from which on the writer does it itself: a little less than what the file of the log may keep.
const GUARD: u32 = 15_000;

thread_local! {
    /// Pages of the log after the last commit of this thread.
    static LOGGED: Cell<u32> = const { Cell::new(0) };
}

/// The thread, and what the writer remembers of the log.
pub(crate) struct Checkpoints {
    ask: SyncSender<()>,
    thread: JoinHandle<()>,
    /// Pages of the log when the thread was asked last.
    asked_at: u32,
}

impl Checkpoints {
    /// Starts the thread; the writer's connection does no checkpoints by itself from here on.
    ///
    /// # Errors
    /// When the operating system refuses a thread.
    pub(crate) fn start(writer: &Connection, path: &Path, options: &StoreOptions) -> Result<Self, StoreError> {
        writer.wal_hook(Some(|_, pages| {
            LOGGED.set(u32::try_from(pages).unwrap_or(0));
            Ok(())
        }));
        let (ask, asked) = sync_channel(1);
        let (path, options) = (path.to_owned(), options.clone());
        let thread = std::thread::Builder::new()
            .name("tenter-checkpoint".into())
            .spawn(move || serve(&path, &options, &asked))
            .map_err(|e| StoreError::Io(format!("cannot start the thread of checkpoints: {e}")))?;
        Ok(Self { ask, thread, asked_at: 0 })
    }

    /// To be called by the writer's thread after each of its commits.
    pub(crate) fn committed(&mut self, writer: &Connection) {
        let logged = LOGGED.get();
        if logged < self.asked_at {
            // The log has begun anew.
            self.asked_at = 0;
        }
        if logged >= GUARD {
            move_on(writer);
        } else if logged - self.asked_at >= PART {
            self.asked_at = logged;
            // One that is asked for and not begun will do this one's work too.
            let _ = self.ask.try_send(());
        }
    }

    /// Ends the thread, so that nobody is in the way of the last checkpoint.
    pub(crate) fn stop(self) {
        drop(self.ask);
        // A panic there has no state to spoil.
        let _ = self.thread.join();
    }
}

fn serve(path: &Path, options: &StoreOptions, asked: &Receiver<()>) {
    let mut own = None;
    while asked.recv().is_ok() {
        if own.is_none() {
            own = connect::writer(path, options).inspect_err(|e| tracing::debug!("no checkpoints beside: {e}")).ok();
        }
        if let Some(conn) = &own {
            move_on(conn);
        }
    }
}

/// Moves what no reader needs in the log, and waits for nobody.
fn move_on(conn: &Connection) {
    if let Err(error) = conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
        tracing::debug!("no checkpoint: {error}");
    }
}
