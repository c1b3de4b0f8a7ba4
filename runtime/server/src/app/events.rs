//! What a server counts of itself while it runs: intervals of events, and until when sources told something.

use std::time::Duration;

use tenter_store::{Counters, Store};

use super::App;
use crate::api::ApiError;
use crate::events::{Events, Totals};

/// How often the ends of intervals are looked for.
const LOOK: Duration = Duration::from_secs(1);
/// Looks between two notes on sources: DP³ takes half a minute too.
const LOOKS_PER_NOTE: u32 = 30;

impl App {
    /// The intervals of events.
    pub(crate) fn events(&self) -> &Events {
        &self.0.events
    }

    /// What happened since the start.
    pub(crate) fn event_totals(&self, counters: &Counters) -> Totals {
        self.0.events.totals(counters, &self.0.engine, &self.0.schema)
    }

    /// Hands to the store until when sources told something.
    pub(crate) fn note_sources(&self) {
        let sources = self.0.engine.stats().take_validity();
        if sources.is_empty() {
            return;
        }
        let done = |noted| {
            if let Err(error) = noted {
                tracing::warn!("until when sources told something is not stored: {error}");
            }
        };
        self.0.store.note_sources(sources, Box::new(done));
    }

    /// The same, and waits until they are stored.
    ///
    /// # Errors
    /// What the store says.
    pub(crate) async fn note_sources_now(&self) -> Result<(), ApiError> {
        let sources = self.0.engine.stats().take_validity();
        if sources.is_empty() {
            return Ok(());
        }
        let (sender, stored) = tokio::sync::oneshot::channel();
        let done = move |noted| {
            // Who asked may be gone.
            let _gone = sender.send(noted);
        };
        self.0.store.note_sources(sources, Box::new(done));
        Ok(stored.await.map_err(ApiError::internal)??)
    }

    /// The store itself, for work of its own on the blocking pool.
    pub(crate) fn store(&self) -> Store {
        self.0.store.clone()
    }

    /// Begins intervals when they are due, and notes sources, until the server ends.
    pub(crate) async fn keep_count(self) {
        let mut looks = 0u32;
        loop {
            tokio::time::sleep(LOOK).await;
            looks = looks.wrapping_add(1);
            if looks.is_multiple_of(LOOKS_PER_NOTE) {
                self.note_sources();
            }
            if !self.0.events.is_due(self.now()) {
                continue;
            }
            match self.read(|reader| reader.counters()).await {
                Ok(counters) => self.0.events.roll(&self.event_totals(&counters), self.now()),
                Err(_) => tracing::warn!("an interval of events could not be ended, the store is not read"),
            }
        }
    }
}
