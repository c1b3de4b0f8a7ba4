//! Case management as callers see it: every change of a case object goes through [`Cases`].
//!
//! A change has one way, whoever asks for it: access is checked (`place.rs`), the hooks before it judge and may replace
//! the request (`before.rs`), the request is checked against the table of fields, the store writes object, links, logs
//! and the jobs of the hooks after it in one transaction (`objects.rs`), the jobs that the request waits for are worked
//! off (`after.rs`), the others by threads of their own (`jobs.rs`). What one job does is in `run.rs`, what a module may
//! do to objects in `effects.rs`. Who writes to the store around this service writes around the hooks.
//!
//! Guests are entered through *seats*: hosts with instances of their own, so that no case hook runs in an ingest lane.
//! Requests take a seat for their hooks, the threads of jobs have one each. Everything here blocks; requests call it from
//! threads that may.

mod after;
mod before;
mod data;
mod deed;
mod effects;
mod error;
mod jobs;
mod manual;
mod objects;
mod place;
mod report;
mod request;
mod resume;
mod run;
mod seat;

use std::sync::{Arc, Mutex, PoisonError};

use tenter_store::{AccessLevel, CaseWorld, Reader, Readers, Store};

use crate::registry::SharedRegistry;
use crate::worker::Shared;

pub use error::CaseError;
use jobs::{Lanes, Signal};
pub use request::{
    CaseContext, CreateRequest, ManualRequest, ManualRun, ManualRuns, MenuEntry, ObjectRequest, ReportKind, ReportMade,
    ReportRequest, UpdateRequest,
};
pub use resume::{Resumed, resumed};
pub(crate) use seat::Seat;
use seat::Seats;

/// Makes random bytes, of which uuids are made.
pub type MakeRandom = Box<dyn Fn() -> [u8; 16] + Send + Sync>;

/// Seats that the service needs in an engine with so many lanes: half of them for requests, half for jobs.
#[must_use]
pub fn seats(lanes: u32) -> u32 {
    lanes.max(2).saturating_mul(2)
}

/// What the engine gives the service.
pub(crate) struct Kit {
    pub(crate) shared: Shared,
    pub(crate) registry: SharedRegistry,
    pub(crate) seats: Vec<Seat>,
}

/// The way to case objects. Copies are the same service.
#[derive(Clone)]
pub struct Cases(Arc<Inner>);

struct Inner {
    store: Store,
    shared: Shared,
    registry: SharedRegistry,
    random: MakeRandom,
    /// Idle read connections.
    readers: Readers,
    /// For requests.
    seats: Seats,
    signal: Arc<Signal>,
    lanes: Mutex<Option<Lanes>>,
}

impl Cases {
    /// Starts the service; jobs that wait are taken up at once.
    pub(crate) fn start(kit: Kit, random: MakeRandom) -> std::io::Result<Self> {
        let Kit { shared, registry, seats: mut front } = kit;
        let back = front.split_off(front.len() / 2);
        let signal = Arc::new(Signal::default());
        let cases = Self(Arc::new(Inner {
            store: shared.store.clone(),
            shared,
            registry,
            random,
            readers: Readers::default(),
            seats: Seats::new(front),
            signal: signal.clone(),
            lanes: Mutex::default(),
        }));
        cases.0.store.subscribe_commits(Box::new(move |news| {
            if news.jobs {
                signal.wake();
            }
        }));
        let lanes = Lanes::start(&cases, back)?;
        *cases.0.lanes.lock().unwrap_or_else(PoisonError::into_inner) = Some(lanes);
        Ok(cases)
    }

    /// Reads cases at one moment, as a user who looks at a case, or at none. It does not ask whether the user may:
    /// [`Cases::enter`] does.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn read<T>(
        &self,
        user_id: Option<i64>,
        case_id: Option<i64>,
        read: impl FnOnce(&CaseWorld<'_>) -> T,
    ) -> Result<T, CaseError> {
        let read = |reader: &Reader| reader.cases(user_id, case_id, read);
        Ok(self.0.readers.with(&self.0.store, read)??)
    }

    /// Whether a user may do so much with a case. One that does not exist is one that nobody may see.
    ///
    /// # Errors
    /// [`CaseError::NoAccess`].
    pub fn enter(&self, user_id: i64, case_id: i64, needed: AccessLevel) -> Result<(), CaseError> {
        self.read(Some(user_id), Some(case_id), |world| place::may_enter(world, user_id, case_id, needed))?
    }

    /// Lets each job that runs come to its end, stops working jobs off, and releases what it holds of the store. What
    /// waits stays on disk. Later calls do nothing.
    pub fn close(&self) {
        let lanes = self.0.lanes.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(lanes) = lanes {
            lanes.stop(&self.0.signal);
        }
        self.0.readers.clear();
    }

    fn random(&self) -> [u8; 16] {
        (self.0.random)()
    }
}
