//! The one table of limits. Product and tests share it; the operator can change some per module.

use serde::{Deserialize, Serialize};

use crate::hook::Family;

/// Bounds of one guest call and of the instance it runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallLimits {
    /// Units of wasmtime fuel, about one per instruction and per byte of bulk operations.
    pub fuel: u64,
    /// Wall time, host calls included, in milliseconds.
    pub deadline_ms: u64,
    /// Sum of all linear memories of the instance, in bytes.
    pub memory_bytes: u64,
    /// Sum of all tables of the instance, in elements.
    pub table_elements: u64,
    /// Bytes that may cross from guest to host in one call, arguments of host calls and results.
    pub hostcall_bytes: u64,
    /// Resource handles that may be open.
    pub handles: u32,
    /// Calls of host functions.
    pub host_calls: u32,
    /// Tasks in the output.
    pub output_tasks: u32,
    /// Lines of log kept; more are counted.
    pub log_lines: u32,
    /// Characters kept of a line of log.
    pub log_line_chars: u32,
}

impl CallLimits {
    /// The defaults of a family. Fuel comes from the dearest language.
    #[must_use]
    pub fn of(family: Family) -> Self {
        let ingest = Self {
            fuel: 50_000_000,
            deadline_ms: 1_000,
            memory_bytes: 64 << 20,
            table_elements: 20_000,
            hostcall_bytes: 1 << 20,
            handles: 1_000,
            host_calls: 10_000,
            output_tasks: 256,
            log_lines: 100,
            log_line_chars: 2_000,
        };
        match family {
            Family::Ingest => ingest,
            Family::Snapshot | Family::Update | Family::Schedule | Family::Case => {
                Self { fuel: 500_000_000, deadline_ms: 10_000, hostcall_bytes: 4 << 20, output_tasks: 10_000, ..ingest }
            }
        }
    }

    /// For `describe`, `configure` and `subscriptions`, and for instantiation: language runtimes start here.
    #[must_use]
    pub fn start() -> Self {
        Self { fuel: 500_000_000, deadline_ms: 10_000, ..Self::of(Family::Ingest) }
    }
}

/// Wall time of a `before` hook, in milliseconds, unless the operator sets a deadline: a request waits for it.
pub const BEFORE_DEADLINE_MS: u64 = 250;
/// Wall time of all hooks that one request waits for before its object is written, in milliseconds.
pub const BEFORE_CHAIN_MS: u64 = 2_000;
/// Wall time of all synchronous `after` hooks that one request waits for, in milliseconds.
pub const AFTER_CHAIN_MS: u64 = 2_000;
/// Depth of a task that a hook may still return; a root task has depth 0.
pub const MAX_DEPTH: u8 = 8;
/// Descendants of one task from outside.
pub const MAX_DESCENDANTS: u64 = 10_000;
/// Attempts of a task or hook in all when a fault passes or an admission hook fails.
pub const MAX_ATTEMPTS: u32 = 4;
/// First pause before a retry, in milliseconds; doubled each time.
pub const RETRY_BACKOFF_MS: u64 = 200;
/// Times in all that calls of case hooks ask, one after the other, to be made again later.
pub const MAX_RESUMPTIONS: u32 = 1_000;
/// Time from the first of such calls to the last, in seconds.
pub const RESUME_SPAN_SECONDS: u32 = 90 * 86_400;
/// Longest pause between two of them, in seconds; the shortest is one.
pub const MAX_RESUME_SECONDS: u32 = 7 * 86_400;
/// What one of them leaves for the next, in bytes.
pub const MAX_MEMO_BYTES: usize = 4 << 10;
/// Days for which ids of finished tasks are known.
pub const TASK_ID_DAYS: i64 = 7;
/// Body of an HTTP request, in bytes.
pub const MAX_BODY_BYTES: usize = 8 << 20;
/// Body of an upload, in bytes. A trivial Python component has 18 MB.
pub const MAX_UPLOAD_BYTES: usize = 64 << 20;
/// What one look at cases may take into memory of the bodies of objects, in bytes.
pub const MAX_CASE_BYTES: usize = 64 << 20;
/// Nesting of JSON from outside or from guests.
pub const MAX_JSON_DEPTH: usize = 32;
/// Tasks in one write transaction.
pub const GROUP_COMMIT_TASKS: usize = 256;
/// Key of module state, in bytes.
pub const MAX_STATE_KEY_BYTES: usize = 512;
/// Value of module state, in bytes.
pub const MAX_STATE_VALUE_BYTES: usize = 256 << 10;
/// All state of one module, in bytes.
pub const MAX_STATE_BYTES: u64 = 64 << 20;
/// A file of a case, in bytes.
pub const MAX_FILE_BYTES: u64 = 256 << 20;
/// All files of a case, in bytes.
pub const MAX_CASE_FILE_BYTES: u64 = 16 << 30;
/// Files and folders of a case.
pub const MAX_CASE_NODES: u64 = 10_000;
/// Folders above a folder.
pub const MAX_FOLDER_DEPTH: usize = 16;
/// What of a file is written in one piece of work, in bytes: some milliseconds of a disk.
pub const FILE_PIECE_BYTES: usize = 1 << 20;
/// A template of reports, in bytes.
pub const MAX_TEMPLATE_BYTES: usize = 1 << 20;
/// Steps of a template's language for one document.
pub const REPORT_STEPS: u64 = 5_000_000;
/// A document that a template makes, in bytes.
pub const MAX_REPORT_BYTES: usize = 32 << 20;
/// Requests to outside services in one call of a hook.
pub const MAX_HTTP_REQUESTS: u32 = 16;
/// Body of a request to an outside service, in bytes.
pub const MAX_HTTP_REQUEST_BYTES: usize = 1 << 20;
/// Body of an answer of an outside service, in bytes as they come over the line; nothing is decompressed.
pub const MAX_HTTP_RESPONSE_BYTES: usize = 1 << 20;
/// All headers of an answer of an outside service, in bytes.
pub const MAX_HTTP_RESPONSE_HEADER_BYTES: usize = 32 << 10;
/// Look-ups of names in one call of a hook.
pub const MAX_LOOKUPS: u32 = 64;
/// Text of a secret, in bytes: shorter ones could not be told from ordinary text where answers are masked.
pub const MIN_SECRET_BYTES: usize = 8;
/// See [`MIN_SECRET_BYTES`].
pub const MAX_SECRET_BYTES: usize = 16 << 10;
