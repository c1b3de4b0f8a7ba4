//! Threads beside the lanes, for tasks that call slow modules.
//!
//! Half as many as there are lanes, at least one. A task that is run aside keeps its entity busy in its lane, so nothing
//! about order changes; the lane goes on with other entities.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tenter_store::PendingTask;

use crate::lane::Event;
use crate::registry::Registry;
use crate::worker::Worker;

/// One task to be run aside.
pub(crate) struct Job {
    pub(crate) pending: PendingTask,
    pub(crate) registry: Arc<Registry>,
    pub(crate) events: Sender<Event>,
}

/// The threads. They end when every sender of jobs is gone.
pub(crate) struct Aside {
    pub(crate) jobs: Sender<Job>,
    pub(crate) threads: Vec<JoinHandle<()>>,
}

impl Aside {
    /// Starts one thread for each worker.
    pub(crate) fn start(workers: Vec<Worker>) -> std::io::Result<Self> {
        let (jobs, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        let mut threads = Vec::new();
        for (number, mut worker) in workers.into_iter().enumerate() {
            let queue = queue.clone();
            let run = move || {
                while let Some(Job { pending, registry, events }) = next(&queue) {
                    worker.run(pending, None, &registry, move |report| {
                        // A lane that has ended needs no news.
                        let _gone = events.send(Event::HandledAside(report));
                    });
                }
            };
            threads.push(std::thread::Builder::new().name(format!("aside-{number}")).spawn(run)?);
        }
        Ok(Self { jobs, threads })
    }
}

/// The lock is held while waiting: the threads take turns, and a job goes to the one whose turn it is.
fn next(queue: &Mutex<Receiver<Job>>) -> Option<Job> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}
