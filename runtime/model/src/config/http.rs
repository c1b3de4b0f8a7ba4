//! `http` of `tenter.yml`: what a client of the HTTP API may take.
//!
//! The defaults are wide where DP³'s clients could meet them: a query of a thousand ids is a long address, and a collector
//! on a slow line sends for minutes. They are narrow only against who sends or reads next to nothing for a long time.

use super::section::{Report, Section, a_duration, at_least};
use crate::limits::MAX_BODY_BYTES;

/// Longest address that the parser of requests can hold.
const MOST_URL_BYTES: u64 = 65_534;
const SECOND: i64 = 1_000_000;

/// `http`. Times are microseconds, and 0 is no limit; numbers have bounds, and what is beyond them is taken for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Http {
    /// `max_body_mib`, in bytes: a body, decompressed. Uploads of components have their own limit.
    pub max_body_bytes: u64,
    /// `max_url_bytes`: path and query.
    pub max_url_bytes: u64,
    /// `max_header_bytes`: names and values of all headers together.
    pub max_header_bytes: u64,
    /// `max_headers`: their number.
    pub max_headers: u64,
    /// `max_connections`: those open at once.
    pub max_connections: u64,
    /// `header_timeout`: from the first byte of a request, or the start of a connection, to the end of the headers.
    pub header_timeout: i64,
    /// `idle_timeout`: how long a connection stays open without a request.
    pub idle_timeout: i64,
    /// `progress_timeout`: how long a client may take for the next part of what it sends or reads.
    pub progress_timeout: i64,
    /// `request_timeout`: how long a reading request may be worked on.
    pub request_timeout: i64,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            max_body_bytes: MAX_BODY_BYTES as u64,
            max_url_bytes: 60 << 10,
            max_header_bytes: 32 << 10,
            max_headers: 100,
            max_connections: 2048,
            header_timeout: 10 * SECOND,
            idle_timeout: 75 * SECOND,
            progress_timeout: 30 * SECOND,
            request_timeout: 60 * SECOND,
        }
    }
}

pub(super) fn read(report: &mut Report, section: Section<'_>) -> Http {
    let usual = Http::default();
    let mut number = |key, low, high: u64, usual| section.read(report, key, at_least(low)).unwrap_or(usual).min(high);
    let out = Http {
        max_body_bytes: number("max_body_mib", 1, 1024, usual.max_body_bytes >> 20) << 20,
        max_url_bytes: number("max_url_bytes", 256, MOST_URL_BYTES, usual.max_url_bytes),
        max_header_bytes: number("max_header_bytes", 1024, 1 << 20, usual.max_header_bytes),
        max_headers: number("max_headers", 16, 1000, usual.max_headers),
        max_connections: number("max_connections", 8, 1_000_000, usual.max_connections),
        ..usual
    };
    let mut time = |key, usual| section.read(report, key, a_duration).unwrap_or(usual);
    let out = Http {
        header_timeout: time("header_timeout", usual.header_timeout),
        idle_timeout: time("idle_timeout", usual.idle_timeout),
        progress_timeout: time("progress_timeout", usual.progress_timeout),
        request_timeout: time("request_timeout", usual.request_timeout),
        ..out
    };
    section.close(report);
    out
}
