//! Read connections for many threads: one is taken for each look and put back after it.

use std::sync::{Mutex, PoisonError};

use crate::error::StoreError;
use crate::reader::Reader;
use crate::store::Store;

/// Idle read connections. There are as many as there were looks at the same time.
#[derive(Default)]
pub struct Readers(Mutex<Vec<Reader>>);

impl Readers {
    /// Lends an idle connection, or a new one.
    ///
    /// # Errors
    /// When the store cannot be opened once more.
    pub fn with<T>(&self, store: &Store, read: impl FnOnce(&Reader) -> T) -> Result<T, StoreError> {
        let idle = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let reader = match idle {
            Some(reader) => reader,
            None => store.reader()?,
        };
        let result = read(&reader);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
        Ok(result)
    }

    /// Closes those that are idle, so that the store can be closed.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
