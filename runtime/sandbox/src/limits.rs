//! Memory and tables of an instance, summed, and the typed errors of all our limits.
//!
//! wasmtime's own limiter looks at each memory alone, so that many core instances get a multiple of the limit.

use wasmtime::ResourceLimiter;

use crate::engine::{MAX_MEMORIES, MAX_TABLES};

/// Core instances in one store. Half of what the pool admits, which counts before anything runs; a Python component has
/// 38.
const MAX_INSTANCES: usize = 64;

/// Why the host stopped a call. Travels through wasmtime as the cause of its error, and stands in the store's data
/// in case wasmtime wraps or drops it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stop {
    #[error("the wall time of the call is used up")]
    Deadline,
    #[error("linear memories would grow to {asked} of {limit} bytes")]
    Memory { asked: u64, limit: u64 },
    #[error("tables would grow to {asked} of {limit} elements")]
    Table { asked: u64, limit: u64 },
    #[error("the host was called more than {limit} times")]
    HostCalls { limit: u32 },
    #[error("calls of the host passed {asked} of {limit} bytes")]
    HostBytes { asked: u64, limit: u64 },
}

/// Sums memories and tables of one store; they never shrink.
#[derive(Debug, Default)]
pub(crate) struct Growth {
    pub(crate) memory_limit: u64,
    pub(crate) table_limit: u64,
    /// Bytes of all memories.
    pub(crate) memory: u64,
    /// Elements of all tables.
    pub(crate) table: u64,
    /// The limit that was hit, if any.
    pub(crate) stop: Option<Stop>,
}

/// The sum after one part grows from `current` to `desired`.
fn grown(sum: u64, current: usize, desired: usize) -> u64 {
    let (current, desired) = (u64::try_from(current).unwrap_or(u64::MAX), u64::try_from(desired).unwrap_or(u64::MAX));
    sum.saturating_add(desired.saturating_sub(current))
}

impl ResourceLimiter for Growth {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let asked = grown(self.memory, current, desired);
        if asked > self.memory_limit {
            let stop = Stop::Memory { asked, limit: self.memory_limit };
            self.stop = Some(stop);
            return Err(stop.into());
        }
        self.memory = asked;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let asked = grown(self.table, current, desired);
        if asked > self.table_limit {
            let stop = Stop::Table { asked, limit: self.table_limit };
            self.stop = Some(stop);
            return Err(stop.into());
        }
        self.table = asked;
        Ok(true)
    }

    fn instances(&self) -> usize {
        MAX_INSTANCES
    }

    fn tables(&self) -> usize {
        MAX_TABLES as usize
    }

    fn memories(&self) -> usize {
        MAX_MEMORIES as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_are_summed() {
        let mut g = Growth { memory_limit: 100, table_limit: 10, ..Growth::default() };
        assert!(g.memory_growing(0, 60, None).unwrap());
        assert!(g.memory_growing(0, 40, None).unwrap());
        let error = g.memory_growing(40, 41, None).unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Stop::Memory { asked: 101, limit: 100 }));
        assert_eq!(g.memory, 100);
        assert!(g.table_growing(0, 11, None).is_err());
    }
}
