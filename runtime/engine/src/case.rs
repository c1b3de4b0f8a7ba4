//! Case management as callers see it: every change of a case object goes through [`Cases`].
//!
//! A change has one way, whoever asks for it: access is checked, the hooks before it judge and may replace the request,
//! the request is checked against the table of fields, the store writes object, links, logs and jobs in one transaction,
//! the hooks after it run. What the store does alone is not exported to callers of this crate as a way to change things:
//! who writes around this service writes around the hooks.
//!
//! Everything here blocks; requests call it from threads that may.

mod error;
mod manual;
mod objects;
mod place;
mod report;
mod request;

use std::sync::{Arc, Mutex, PoisonError};

use tenter_store::{AccessLevel, CaseWorld, Reader, Store};

use crate::registry::SharedRegistry;

pub use error::CaseError;
pub use request::{
    CaseContext, CreateRequest, ManualRequest, ManualRun, ManualRuns, MenuEntry, ObjectRequest, ReportKind, ReportMade,
    ReportRequest, UpdateRequest,
};

/// Makes random bytes, of which uuids are made.
pub type MakeRandom = Box<dyn Fn() -> [u8; 16] + Send + Sync>;

/// What the service is built from.
pub struct CaseParts {
    /// Where everything is kept.
    pub store: Store,
    /// Which modules are called when.
    pub registry: SharedRegistry,
    /// Randomness for uuids.
    pub random: MakeRandom,
}

/// The way to case objects. Copies are the same service.
#[derive(Clone)]
pub struct Cases(Arc<Inner>);

struct Inner {
    store: Store,
    registry: SharedRegistry,
    random: MakeRandom,
    /// Idle read connections.
    readers: Mutex<Vec<Reader>>,
}

impl Cases {
    /// Starts the service.
    #[must_use]
    pub fn start(parts: CaseParts) -> Self {
        let CaseParts { store, registry, random } = parts;
        Self(Arc::new(Inner { store, registry, random, readers: Mutex::default() }))
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
        let idle = self.0.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let reader = match idle {
            Some(reader) => reader,
            None => self.0.store.reader()?,
        };
        let result = reader.cases(user_id, case_id, read);
        self.0.readers.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
        Ok(result?)
    }

    /// Whether a user may do so much with a case. One that does not exist is one that nobody may see.
    ///
    /// # Errors
    /// [`CaseError::NoAccess`].
    pub fn enter(&self, user_id: i64, case_id: i64, needed: AccessLevel) -> Result<(), CaseError> {
        self.read(Some(user_id), Some(case_id), |world| place::may_enter(world, user_id, case_id, needed))?
    }

    /// Releases what it holds of the store, so that the store can be closed.
    pub fn close(&self) {
        self.0.readers.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn random(&self) -> [u8; 16] {
        (self.0.random)()
    }
}
