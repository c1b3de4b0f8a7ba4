//! The threads that work jobs off, each on a seat of its own.
//!
//! A module has at most half of them at a time, so that one with many or long jobs does not starve the others. Threads
//! hear of new jobs from the store's commits; one that has to wait for the time of a job looks again when it has come.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tenter_store::HookJob;

use super::{CaseError, Cases, Seat};

/// How long a thread waits that has heard of no job.
const IDLE: Duration = Duration::from_secs(60);
/// How long it waits at most when a job waits for its time.
const SOON: Duration = Duration::from_secs(1);
/// How long it waits when all jobs are of modules that are busy, or the store fails.
const BUSY: Duration = Duration::from_millis(100);

/// Wakes threads.
#[derive(Default)]
pub(super) struct Signal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    stop: bool,
    /// Grows with each wake.
    news: u64,
}

impl Signal {
    /// There may be work.
    pub(super) fn wake(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).news += 1;
        self.changed.notify_all();
    }

    fn stop(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).stop = true;
        self.changed.notify_all();
    }

    /// The news so far; `None`: it is time to end.
    fn news(&self) -> Option<u64> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (!state.stop).then_some(state.news)
    }

    /// Waits for other news than these, or for that time.
    fn wait(&self, seen: u64, within: Duration) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |state: &mut State| !state.stop && state.news == seen;
        // Whether it was the time or the news does not matter: the thread looks anyhow.
        let _state = self.changed.wait_timeout_while(state, within, same);
    }
}

/// The threads.
pub(super) struct Lanes(Vec<JoinHandle<()>>);

/// Jobs at work, by module. Held while one is claimed, so that two threads do not both take a module's last place.
type Busy = Arc<Mutex<BTreeMap<String, usize>>>;

impl Lanes {
    pub(super) fn start(cases: &Cases, seats: Vec<Seat>) -> std::io::Result<Self> {
        let busy = Busy::default();
        let most = (seats.len() / 2).max(1);
        let thread = |(number, seat): (usize, Seat)| {
            let (cases, busy) = (cases.clone(), busy.clone());
            std::thread::Builder::new().name(format!("case-{number}")).spawn(move || work(&cases, seat, &busy, most))
        };
        seats.into_iter().enumerate().map(thread).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn stop(self, signal: &Signal) {
        signal.stop();
        for thread in self.0 {
            if thread.join().is_err() {
                tracing::error!("a thread for jobs of case hooks ended by a panic");
            }
        }
    }
}

fn work(cases: &Cases, mut seat: Seat, busy: &Busy, most: usize) {
    while let Some(news) = cases.0.signal.news() {
        match claim(cases, busy, most) {
            Ok(Some(job)) => {
                cases.work_off(&mut seat, &job, None);
                let mut busy = busy.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(count) = busy.get_mut(&job.module) {
                    *count = count.saturating_sub(1);
                }
                busy.retain(|_, count| *count > 0);
            }
            Ok(None) => {
                let wait = until_next(cases).unwrap_or(BUSY);
                cases.0.signal.wait(news, wait);
            }
            Err(error) => {
                tracing::error!("jobs of case hooks cannot be taken: {error}");
                cases.0.signal.wait(news, SOON);
            }
        }
    }
}

/// Takes a job of a module that is not busy.
fn claim(cases: &Cases, busy: &Busy, most: usize) -> Result<Option<HookJob>, CaseError> {
    let now = cases.0.shared.clock.now();
    let due = cases.read(None, None, |world| world.next_job())?.is_some_and(|next| next <= now);
    if !due {
        return Ok(None);
    }
    let mut busy = busy.lock().unwrap_or_else(PoisonError::into_inner);
    let except: Vec<&str> = busy.iter().filter(|(_, count)| **count >= most).map(|(name, _)| name.as_str()).collect();
    let job = cases.0.store.claim_job(&except, now)?;
    if let Some(job) = &job {
        *busy.entry(job.module.clone()).or_default() += 1;
    }
    Ok(job)
}

/// How long until the next job can be taken.
fn until_next(cases: &Cases) -> Result<Duration, CaseError> {
    let now = cases.0.shared.clock.now();
    Ok(match cases.read(None, None, |world| world.next_job())? {
        None => IDLE,
        Some(next) if next <= now => BUSY,
        Some(next) => Duration::from_micros(u64::try_from(next.since(now)).unwrap_or(0)).clamp(BUSY / 10, SOON),
    })
}
