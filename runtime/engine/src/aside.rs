//! Threads beside the lanes, for tasks that call slow modules, and others for tasks that call modules which may wait for
//! somebody outside.
//!
//! For the slow ones there are half as many as there are lanes, at least one; for those that wait, which need no
//! processor meanwhile, [`WAITING`]. Each has instances of its own. A task that is run aside keeps its entity busy in its
//! lane, so nothing about order changes; the lane goes on with other entities.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tenter_store::PendingTask;

use crate::lane::Event;
use crate::pace::Beside;
use crate::registry::Registry;
use crate::worker::Worker;

/// Threads for modules that may wait for somebody outside.
pub const WAITING: usize = 4;

/// One task to be run aside.
pub(crate) struct Job {
    pub(crate) pending: PendingTask,
    pub(crate) registry: Arc<Registry>,
    pub(crate) events: Sender<Event>,
    pub(crate) beside: Beside,
}

/// Where jobs go.
#[derive(Clone)]
pub(crate) struct Jobs {
    pub(crate) slow: Sender<Job>,
    pub(crate) waiting: Sender<Job>,
}

impl Jobs {
    /// The way to the threads that are meant.
    pub(crate) fn of(&self, beside: Beside) -> &Sender<Job> {
        match beside {
            Beside::Slow => &self.slow,
            Beside::Waiting => &self.waiting,
        }
    }
}

/// The threads. They end when every sender of jobs is gone.
pub(crate) struct Aside {
    pub(crate) jobs: Jobs,
    pub(crate) threads: Vec<JoinHandle<()>>,
}

impl Aside {
    /// Starts one thread for each worker.
    pub(crate) fn start(slow: Vec<Worker>, waiting: Vec<Worker>) -> std::io::Result<Self> {
        let mut threads = Vec::new();
        let jobs =
            Jobs { slow: begin("aside", slow, &mut threads)?, waiting: begin("waiting", waiting, &mut threads)? };
        Ok(Self { jobs, threads })
    }
}

fn begin(name: &str, workers: Vec<Worker>, threads: &mut Vec<JoinHandle<()>>) -> std::io::Result<Sender<Job>> {
    let (jobs, queue) = channel();
    let queue = Arc::new(Mutex::new(queue));
    for (number, mut worker) in workers.into_iter().enumerate() {
        let queue = queue.clone();
        let run = move || {
            while let Some(Job { pending, registry, events, beside }) = next(&queue) {
                worker.run(pending, None, &registry, move |report| {
                    // A lane that has ended needs no news.
                    let _gone = events.send(Event::HandledAside(report, beside));
                });
            }
        };
        threads.push(std::thread::Builder::new().name(format!("{name}-{number}")).spawn(run)?);
    }
    Ok(jobs)
}

/// The lock is held while waiting: the threads take turns, and a job goes to the one whose turn it is.
fn next(queue: &Mutex<Receiver<Job>>) -> Option<Job> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}
