//! stdout and stderr of guests, on their way into the module's log.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tenter_model::host::LogLevel;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// Most bytes that are kept of what a guest prints in one call.
const MAX_PRINTED: usize = 256 << 10;

/// What a guest has printed and nobody has read. Shared with the streams that the guest holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Printed(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Whether the buffer may hold something: most calls print nothing, and need not lock then. The guest prints on the
    /// thread that calls it.
    used: AtomicBool,
    buffer: Mutex<Buffer>,
}

#[derive(Debug, Default)]
struct Buffer {
    kept: usize,
    out: Vec<u8>,
    err: Vec<u8>,
}

impl Printed {
    fn with<T>(&self, f: impl FnOnce(&mut Buffer) -> T) -> T {
        f(&mut self.0.buffer.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn is_unused(&self) -> bool {
        !self.0.used.load(Ordering::Relaxed)
    }

    pub(crate) fn clear(&self) {
        if self.is_unused() {
            return;
        }
        self.0.used.store(false, Ordering::Relaxed);
        self.with(|b| {
            b.kept = 0;
            b.out.clear();
            b.err.clear();
        });
    }

    fn push(&self, level: LogLevel, bytes: &[u8]) {
        self.0.used.store(true, Ordering::Relaxed);
        self.with(|b| {
            let room = MAX_PRINTED.saturating_sub(b.kept);
            let bytes = bytes.get(..room.min(bytes.len())).unwrap_or_default();
            b.kept += bytes.len();
            if level == LogLevel::Info { b.out.extend_from_slice(bytes) } else { b.err.extend_from_slice(bytes) }
        });
    }

    /// Complete lines that are not blank, and with `all` the rest too.
    pub(crate) fn take_lines(&self, all: bool) -> Vec<(LogLevel, String)> {
        if self.is_unused() {
            return Vec::new();
        }
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
pub(super) struct Console {
    pub(super) printed: Printed,
    pub(super) level: LogLevel,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_lines_are_kept_up_to_a_bound() {
        let printed = Printed::default();
        printed.push(LogLevel::Info, b"one\n\ntw");
        assert_eq!(printed.take_lines(false), [(LogLevel::Info, "one".to_owned())]);
        printed.push(LogLevel::Info, b"o");
        printed.push(LogLevel::Warning, &vec![b'x'; 2 * MAX_PRINTED]);
        let lines = printed.take_lines(true);
        assert_eq!(lines[0], (LogLevel::Info, "two".to_owned()));
        assert!(lines[1].1.len() < MAX_PRINTED);
        printed.clear();
        assert_eq!(printed.take_lines(true), []);
    }
}
