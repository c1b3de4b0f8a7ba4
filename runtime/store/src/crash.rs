//! Named places at which a test can let the process die.
//!
//! A guarantee about crashes is only as good as the moments at which crashes were tried. Random kills find the long
//! moments; these places are the short ones, between two statements of a transaction or between a commit and its
//! answer. A store that is told of none pays one comparison at each.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::StoreError;

/// All places, in the order in which work passes them. `NAME` stands for the first time that work comes by, `NAME#3`
/// for the third.
pub const CRASH_POINTS: &[&str] = &[
    "migrate-begin",
    "migrate-step",
    "migrate-end",
    "migrate-committed",
    "open-marked",
    "group-begin",
    "admit-begin",
    "admit-key",
    "admit-id",
    "admit-task",
    "admit-end",
    "commit-begin",
    "commit-taken",
    "commit-record",
    "commit-raw",
    "commit-links",
    "commit-state",
    "commit-follow-ups",
    "commit-errors",
    "commit-end",
    "postpone-begin",
    "postpone-row",
    "postpone-end",
    "careful-row",
    "run-begun",
    "run-documents",
    "run-unchanged",
    "produced",
    "run-saved",
    "run-kept",
    "run-completed",
    "run-aborted",
    "delete-record",
    "delete-sources",
    "delete-end",
    "rewrite-record",
    "sweep-begun",
    "sweep-moved",
    "sweep-saved",
    "slot-noted",
    "slot-end",
    "schema-stored",
    "schema-attribute",
    "schema-entities",
    "schema-documents",
    "raw-removed",
    "clean-rows",
    "clean-run",
    "clean-entities",
    "job-begun",
    "job-updated",
    "case-begin",
    "case-object",
    "case-link",
    "case-audited",
    "case-end",
    "file-begun",
    "file-piece",
    "file-end",
    "file-removed",
    "hook-job-queued",
    "hook-job-claimed",
    "hook-job-finished",
    "install-begin",
    "install-component",
    "install-version",
    "install-module",
    "install-end",
    "group-counted",
    "group-committed",
    "group-answered",
    "close-begin",
    "close-marked",
    "close-end",
];

/// The place at which this process dies, if any.
#[derive(Debug, Clone, Default)]
pub(crate) struct Crash(Option<Arc<Armed>>);

#[derive(Debug)]
struct Armed {
    name: String,
    passes_left: AtomicU32,
}

impl Crash {
    /// Reads `NAME` or `NAME#TIMES`.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when there is no such place.
    pub(crate) fn parse(text: Option<&str>) -> Result<Self, StoreError> {
        let Some(text) = text else { return Ok(Self::default()) };
        let (name, times) = text.split_once('#').unwrap_or((text, "1"));
        match times.parse::<u32>() {
            Ok(times) if times > 0 && CRASH_POINTS.contains(&name) => {
                Ok(Self(Some(Arc::new(Armed { name: name.to_owned(), passes_left: AtomicU32::new(times) }))))
            }
            _ => Err(StoreError::Invalid(format!(
                "{text:?} is no place to crash at; write NAME or NAME#TIMES with one of: {}",
                CRASH_POINTS.join(", ")
            ))),
        }
    }

    /// Dies here if this is the place and the time.
    pub(crate) fn at(&self, name: &'static str) {
        if let Some(armed) = &self.0
            && armed.name == name
            && armed.passes_left.fetch_sub(1, Ordering::SeqCst) == 1
        {
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_place_is_refused() {
        assert!(Crash::parse(Some("commit-raw#2")).is_ok());
        for text in ["commit-war", "commit-raw#", "commit-raw#0", ""] {
            let error = Crash::parse(Some(text)).unwrap_err();
            assert!(error.to_string().contains("is no place to crash at"), "{error}");
        }
    }
}
