//! WASI with nothing behind it: no arguments, environment, folders or sockets.
//!
//! Language runtimes import all of WASI, so it is linked whole, with wasmtime-wasi and a closed context. Three parts
//! are our own, since there the closed context would still answer from the real world: the clock stands at the time of
//! the call, randomness is seeded from the id of the call, and waiting ends at the call's deadline.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tenter_model::host::LogLevel;
use tenter_model::time::Timestamp;
use wasmtime::Result;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::bindings::io::poll as waiting;
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};
use wasmtime_wasi::p2::bindings::sync::io::poll;
use wasmtime_wasi::p2::{DynPollable, OutputStream, Pollable, StreamResult};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView, async_trait};

use crate::guest::{CallState, Guest};
use crate::limits::Stop;

/// Most bytes that are kept of what a guest prints in one call.
const MAX_PRINTED: usize = 256 << 10;
/// Most random bytes of one call of the import.
const MAX_RANDOM: u64 = 64 << 10;

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// Links WASI 0.2.
pub(crate) fn add_to_linker(linker: &mut Linker<Guest>) -> Result<()> {
    wasmtime_wasi::p2::add_to_linker_sync(linker)?;
    linker.allow_shadowing(true);
    poll::add_to_linker::<_, HasPoll>(linker, |g| PollView { table: &mut g.table, call: &mut g.call })?;
    random::add_to_linker::<_, HasRandom>(linker, |g| RandomView { call: &mut g.call })?;
    insecure::add_to_linker::<_, HasRandom>(linker, |g| RandomView { call: &mut g.call })?;
    insecure_seed::add_to_linker::<_, HasRandom>(linker, |g| RandomView { call: &mut g.call })?;
    linker.allow_shadowing(false);
    Ok(())
}

/// The closed context.
pub(crate) fn context(clock: &CallClock, printed: &Printed) -> WasiCtx {
    WasiCtx::builder()
        .wall_clock(clock.clone())
        .monotonic_clock(clock.clone())
        .stdout(Console { printed: printed.clone(), level: LogLevel::Info })
        .stderr(Console { printed: printed.clone(), level: LogLevel::Warning })
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .build()
}

/// Stands still at the time of the call.
#[derive(Debug, Clone, Default)]
pub(crate) struct CallClock(Arc<AtomicI64>);

impl CallClock {
    pub(crate) fn set(&self, time: Timestamp) {
        self.0.store(time.0, Ordering::Relaxed);
    }

    fn micros(&self) -> u64 {
        u64::try_from(self.0.load(Ordering::Relaxed)).unwrap_or(0)
    }
}

impl HostWallClock for CallClock {
    fn resolution(&self) -> Duration {
        Duration::from_micros(1)
    }

    fn now(&self) -> Duration {
        Duration::from_micros(self.micros())
    }
}

impl HostMonotonicClock for CallClock {
    fn resolution(&self) -> u64 {
        1_000
    }

    fn now(&self) -> u64 {
        self.micros().saturating_mul(1_000)
    }
}

struct HasRandom;

impl HasData for HasRandom {
    type Data<'a> = RandomView<'a>;
}

struct RandomView<'a> {
    call: &'a mut CallState,
}

impl RandomView<'_> {
    fn bytes(&mut self, len: u64) -> Result<Vec<u8>> {
        self.call.charge(0)?;
        let len = usize::try_from(len.min(MAX_RANDOM + 1))?;
        if len > usize::try_from(MAX_RANDOM)? {
            wasmtime::bail!("the guest asked for more than {MAX_RANDOM} random bytes at once");
        }
        Ok(self.call.random().bytes(len))
    }

    fn word(&mut self) -> Result<u64> {
        self.call.charge(0)?;
        Ok(self.call.random().next())
    }
}

impl random::Host for RandomView<'_> {
    fn get_random_bytes(&mut self, len: u64) -> Result<Vec<u8>> {
        self.bytes(len)
    }

    fn get_random_u64(&mut self) -> Result<u64> {
        self.word()
    }
}

impl insecure::Host for RandomView<'_> {
    fn get_insecure_random_bytes(&mut self, len: u64) -> Result<Vec<u8>> {
        self.bytes(len)
    }

    fn get_insecure_random_u64(&mut self) -> Result<u64> {
        self.word()
    }
}

impl insecure_seed::Host for RandomView<'_> {
    fn insecure_seed(&mut self) -> Result<(u64, u64)> {
        Ok((self.word()?, self.word()?))
    }
}

struct HasPoll;

impl HasData for HasPoll {
    type Data<'a> = PollView<'a>;
}

/// `wasi:io/poll` is where a guest sleeps: nothing else in WASI can wait, since all streams are memory.
struct PollView<'a> {
    table: &'a mut ResourceTable,
    call: &'a mut CallState,
}

impl PollView<'_> {
    /// Waits for the future, at most until the call's deadline.
    fn wait<T>(&mut self, work: impl AsyncFnOnce(&mut ResourceTable) -> Result<T>) -> Result<T> {
        self.call.charge(0)?;
        let left = self.call.deadline.saturating_duration_since(Instant::now());
        let table = &mut *self.table;
        let done = wasmtime_wasi::runtime::in_tokio(async move { tokio::time::timeout(left, work(table)).await });
        match done {
            Ok(result) => result,
            Err(_) => Err(self.call.stopped(Stop::Deadline)),
        }
    }
}

impl poll::Host for PollView<'_> {
    fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> Result<Vec<u32>> {
        self.wait(async |table: &mut ResourceTable| waiting::Host::poll(table, pollables).await)
    }
}

impl poll::HostPollable for PollView<'_> {
    fn ready(&mut self, pollable: Resource<DynPollable>) -> Result<bool> {
        self.wait(async |table: &mut ResourceTable| waiting::HostPollable::ready(table, pollable).await)
    }

    fn block(&mut self, pollable: Resource<DynPollable>) -> Result<()> {
        self.wait(async |table: &mut ResourceTable| waiting::HostPollable::block(table, pollable).await)
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> Result<()> {
        waiting::HostPollable::drop(self.table, pollable)
    }
}

/// What a guest has printed and nobody has read. Shared with the streams that the guest holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Printed(Arc<Mutex<Buffer>>);

#[derive(Debug, Default)]
struct Buffer {
    kept: usize,
    out: Vec<u8>,
    err: Vec<u8>,
}

impl Printed {
    fn with<T>(&self, f: impl FnOnce(&mut Buffer) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn clear(&self) {
        self.with(|b| {
            b.kept = 0;
            b.out.clear();
            b.err.clear();
        });
    }

    fn push(&self, level: LogLevel, bytes: &[u8]) {
        self.with(|b| {
            let room = MAX_PRINTED.saturating_sub(b.kept);
            let bytes = bytes.get(..room.min(bytes.len())).unwrap_or_default();
            b.kept += bytes.len();
            if level == LogLevel::Info { b.out.extend_from_slice(bytes) } else { b.err.extend_from_slice(bytes) }
        });
    }

    /// Complete lines that are not blank, and with `all` the rest too.
    pub(crate) fn take_lines(&self, all: bool) -> Vec<(LogLevel, String)> {
        self.with(|b| {
            let mut lines = Vec::new();
            for (level, bytes) in [(LogLevel::Info, &mut b.out), (LogLevel::Warning, &mut b.err)] {
                let end = if all { bytes.len() } else { bytes.iter().rposition(|c| *c == b'\n').map_or(0, |i| i + 1) };
                let rest = bytes.split_off(end);
                let text = String::from_utf8_lossy(bytes);
                lines.extend(text.lines().filter(|l| !l.trim().is_empty()).map(|l| (level, l.to_owned())));
                *bytes = rest;
            }
            lines
        })
    }
}

/// stdout or stderr.
#[derive(Clone)]
struct Console {
    printed: Printed,
    level: LogLevel,
}

impl IsTerminal for Console {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Console {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        // Only interfaces of WASI 0.3 ask for this, and they are not linked.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for Console {
    async fn ready(&mut self) {}
}

impl OutputStream for Console {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        self.printed.push(self.level, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 << 10)
    }
}
