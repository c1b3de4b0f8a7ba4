//! WASI with nothing behind it: no arguments, environment or sockets, and no folders but those that the operator grants.
//!
//! Language runtimes import all of WASI, so it is linked whole, with wasmtime-wasi and a closed context. Three parts
//! are our own, since there the closed context would still answer from the real world: the clock stands at the time of
//! the call, randomness is seeded from the id of the call, and waiting ends at the call's deadline.

mod console;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tenter_model::host::LogLevel;
use tenter_model::time::Timestamp;
use wasmtime::Result;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::io::poll as waiting;
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};
use wasmtime_wasi::p2::bindings::sync::io::poll;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView};

use crate::files::Seen;
use crate::guest::{CallState, Guest};
use crate::limits::Stop;
use console::Console;
pub(crate) use console::Printed;

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

/// The closed context, with no more in it than the folders that were granted; and what the log says of these.
pub(crate) fn context(clock: &CallClock, printed: &Printed, folders: Option<&Seen>) -> (WasiCtx, Vec<String>) {
    let mut builder = WasiCtx::builder();
    let said = folders.map_or(Vec::new(), |folders| folders.open(&mut builder));
    let context = builder
        .wall_clock(clock.clone())
        .monotonic_clock(clock.clone())
        .stdout(Console { printed: printed.clone(), level: LogLevel::Info })
        .stderr(Console { printed: printed.clone(), level: LogLevel::Warning })
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .build();
    (context, said)
}

/// Stands still at the time of the call. The monotonic one never goes back, even when a call is made for an earlier time
/// than the one before it, and always goes on between calls.
#[derive(Debug, Clone, Default)]
pub(crate) struct CallClock(Arc<Hands>);

#[derive(Debug, Default)]
struct Hands {
    wall: AtomicI64,
    monotonic: AtomicU64,
}

impl CallClock {
    /// A call begins. Only its own thread sets and reads the hands.
    pub(crate) fn set(&self, time: Timestamp) {
        self.0.wall.store(time.0, Ordering::Relaxed);
        let least = self.0.monotonic.load(Ordering::Relaxed).saturating_add(1);
        let nanos = u64::try_from(time.0).unwrap_or(0).saturating_mul(1_000);
        self.0.monotonic.store(nanos.max(least), Ordering::Relaxed);
    }
}

impl HostWallClock for CallClock {
    fn resolution(&self) -> Duration {
        Duration::from_micros(1)
    }

    fn now(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.wall.load(Ordering::Relaxed)).unwrap_or(0))
    }
}

impl HostMonotonicClock for CallClock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        self.0.monotonic.load(Ordering::Relaxed)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_stand_still_and_the_monotonic_one_never_goes_back() {
        let clock = CallClock::default();
        clock.set(Timestamp(10));
        assert_eq!((HostWallClock::now(&clock), HostMonotonicClock::now(&clock)), (Duration::from_micros(10), 10_000));
        clock.set(Timestamp(5));
        assert_eq!((HostWallClock::now(&clock), HostMonotonicClock::now(&clock)), (Duration::from_micros(5), 10_001));
        clock.set(Timestamp(-5));
        assert_eq!((HostWallClock::now(&clock), HostMonotonicClock::now(&clock)), (Duration::ZERO, 10_002));
        clock.set(Timestamp(20));
        assert_eq!(HostMonotonicClock::now(&clock), 20_000);
    }
}
