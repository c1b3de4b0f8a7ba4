//! What a store holds beside the instance: the call that runs, and what host imports need.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tenter_model::Schema;
use tenter_model::egress::Outside;
use tenter_model::host::{CallCause, HostData, LogLevel, LogLine};
use tenter_model::id::ModuleName;
use tenter_model::limits::CallLimits;
use tenter_model::module::ModuleSettings;
use tenter_model::time::Timestamp;
use tenter_model::view::ViewSource;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::WasiCtx;

use crate::capability::call::Resumption;
use crate::capability::state::Draft;
use crate::capability::tasks::Submission;
use crate::files::Seen;
use crate::limits::{Growth, Stop};
use crate::text::escape;
use crate::wasi::{CallClock, Printed};

/// What host imports may know of the module.
pub(crate) struct ModuleFacts {
    pub(crate) name: ModuleName,
    pub(crate) settings: ModuleSettings,
    pub(crate) schema: Schema,
    pub(crate) schema_json: Arc<str>,
    /// What its requests and look-ups go through.
    pub(crate) outside: Arc<dyn Outside>,
}

/// The data of a store.
pub(crate) struct Guest {
    pub(crate) wasi: WasiCtx,
    pub(crate) table: ResourceTable,
    pub(crate) growth: Growth,
    pub(crate) call: CallState,
    pub(crate) facts: Arc<ModuleFacts>,
    pub(crate) folders: Reading,
    pub(crate) data: Arc<dyn HostData>,
}

impl Guest {
    /// An invocation begins.
    pub(crate) fn begin(&mut self, id: &str, time: Timestamp, cause: CallCause) {
        self.call.begin(id, time, cause);
        for said in &self.folders.said {
            self.call.log(LogLevel::Debug, said);
        }
    }
}

/// The folders that an instance reads.
#[derive(Default)]
pub(crate) struct Reading {
    /// Their state when the instance was made.
    pub(crate) seen: Option<Arc<Seen>>,
    /// What each call's log begins with.
    pub(crate) said: Vec<String>,
}

/// Which part of an instance's life a call belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Instantiation, `describe`, `configure`, `subscriptions`: what happens here must be a function of the
    /// configuration, so nothing can be written and no entity read.
    Start,
    /// A hook.
    Hook,
}

/// What the host refused to a guest that may give up because of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// This capability is not granted.
    NotGranted(&'static str),
    /// There is no room for more state.
    StateQuota,
    /// A rule of the host was against what a request wanted to reach.
    Egress,
}

/// What imports answer in calls of some kinds alone.
#[derive(Default)]
pub(crate) struct Offer {
    /// `views`, in correlations.
    pub(crate) views: Option<Arc<dyn ViewSource>>,
    /// `tasks`, in calls of a timer.
    pub(crate) tasks: Option<Submission>,
    /// `call.resume-after` and `call.memo`, in calls after a change of a case object and of a click.
    pub(crate) resumption: Option<Resumption>,
}

/// One invocation: a hook with the start of the instance that it may need.
pub(crate) struct CallState {
    pub(crate) id: String,
    pub(crate) time: Timestamp,
    pub(crate) cause: CallCause,
    pub(crate) stage: Stage,
    pub(crate) limits: CallLimits,
    pub(crate) deadline: Instant,
    pub(crate) host_calls: u32,
    pub(crate) host_bytes: u64,
    /// Requests to outside services.
    pub(crate) requests: u32,
    /// Look-ups of names.
    pub(crate) lookups: u32,
    pub(crate) stop: Option<Stop>,
    pub(crate) refusal: Option<Refusal>,
    pub(crate) state: Draft,
    pub(crate) offer: Offer,
    /// Made when it is asked for.
    random: Option<Random>,
    pub(crate) logs: Vec<LogLine>,
    pub(crate) logs_dropped: u32,
    pub(crate) clock: CallClock,
    pub(crate) printed: Printed,
}

impl CallState {
    pub(crate) fn new(clock: CallClock, printed: Printed) -> Self {
        Self {
            id: String::new(),
            time: Timestamp(0),
            cause: CallCause::Normal,
            stage: Stage::Start,
            limits: CallLimits::start(),
            deadline: Instant::now(),
            host_calls: 0,
            host_bytes: 0,
            requests: 0,
            lookups: 0,
            stop: None,
            refusal: None,
            state: Draft::default(),
            offer: Offer::default(),
            random: None,
            logs: Vec::new(),
            logs_dropped: 0,
            clock,
            printed,
        }
    }

    /// An invocation begins: its facts, and nothing left of the one before.
    pub(crate) fn begin(&mut self, id: &str, time: Timestamp, cause: CallCause) {
        id.clone_into(&mut self.id);
        self.time = time;
        self.cause = cause;
        self.clock.set(time);
        self.offer = Offer::default();
        self.random = None;
        self.logs.clear();
        self.logs_dropped = 0;
        self.printed.clear();
    }

    /// One entry into the guest begins.
    pub(crate) fn enter(&mut self, stage: Stage, limits: CallLimits, now: Instant) {
        self.stage = stage;
        self.limits = limits;
        // An operator may write any number; a year is for ever here.
        let wall = Duration::from_millis(limits.deadline_ms).min(Duration::from_secs(365 * 86_400));
        self.deadline = now + wall;
        self.host_calls = 0;
        self.host_bytes = 0;
        self.requests = 0;
        self.lookups = 0;
        self.stop = None;
        self.refusal = None;
        self.state = Draft::default();
    }

    /// Counts a host call and the bytes that it passes; every import does this first.
    pub(crate) fn charge(&mut self, bytes: usize) -> wasmtime::Result<()> {
        self.host_calls = self.host_calls.saturating_add(1);
        self.host_bytes = self.host_bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        if self.host_calls > self.limits.host_calls {
            return Err(self.stopped(Stop::HostCalls { limit: self.limits.host_calls }));
        }
        if self.host_bytes > self.limits.hostcall_bytes {
            let stop = Stop::HostBytes { asked: self.host_bytes, limit: self.limits.hostcall_bytes };
            return Err(self.stopped(stop));
        }
        // The deadline is looked at when the guest goes on: asking for the time would cost more than most imports.
        Ok(())
    }

    /// How long a host function may block: what is left of the call, less a little for the guest to make something of
    /// the answer, and no longer than the guest wishes.
    pub(crate) fn may_wait(&self, wish_ms: Option<u32>) -> Duration {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let left = left.saturating_sub((left / 10).min(Duration::from_millis(100)));
        wish_ms.map_or(left, |wish| left.min(Duration::from_millis(u64::from(wish))))
    }

    /// Does what blocks, and tells how long it took.
    pub(crate) fn waited<T>(&self, work: impl FnOnce() -> T) -> (T, Duration) {
        let begun = Instant::now();
        let done = work();
        (done, begun.elapsed())
    }

    /// A name for something that the call does, the same when the call is repeated.
    pub(crate) fn key_of(&self, what: &str) -> String {
        let mut hasher = Sha256::new();
        hasher.update((self.id.len() as u64).to_be_bytes());
        hasher.update(&self.id);
        hasher.update(what);
        hasher.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The call's random numbers.
    pub(crate) fn random(&mut self) -> &mut Random {
        self.random.get_or_insert_with(|| Random::seeded(&self.id))
    }

    /// Remembers why the call ends.
    pub(crate) fn stopped(&mut self, stop: Stop) -> wasmtime::Error {
        self.stop = Some(stop);
        stop.into()
    }

    /// Adds a line to the log, escaped and bounded; lines over the limit are counted.
    pub(crate) fn log(&mut self, level: LogLevel, message: &str) {
        if self.logs.len() >= self.limits.log_lines as usize {
            self.logs_dropped = self.logs_dropped.saturating_add(1);
            return;
        }
        let message = escape(message, self.limits.log_line_chars as usize);
        self.logs.push(LogLine { level, message });
    }

    /// The log so far and the number of lines dropped; both begin anew.
    pub(crate) fn take_logs(&mut self) -> (Vec<LogLine>, u32) {
        (std::mem::take(&mut self.logs), std::mem::take(&mut self.logs_dropped))
    }

    /// Moves what the guest printed into the log. `all`: also a last line without an end.
    pub(crate) fn collect_printed(&mut self, all: bool) {
        for (level, line) in self.printed.take_lines(all) {
            self.log(level, &line);
        }
    }
}

/// SplitMix64: good enough to spread, never a secret, and the same for the same seed for ever.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// Seeded from the id of a call.
    pub(crate) fn seeded(id: &str) -> Self {
        let digest = Sha256::digest(id.as_bytes());
        Self(digest.iter().take(8).fold(0, |seed, byte| (seed << 8) | u64::from(*byte)))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(len);
        while out.len() < len {
            let word = self.next().to_le_bytes();
            out.extend(word.into_iter().take(len - out.len()));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_is_a_function_of_the_id() {
        let (mut a, mut b, mut c) = (Random::seeded("x"), Random::seeded("x"), Random::seeded("y"));
        let first = a.bytes(20);
        assert_eq!(first, b.bytes(20));
        assert_ne!(first, c.bytes(20));
        assert_eq!(first.len(), 20);
    }
}
