//! Compiles strangers' components in a process of its own.
//!
//! A compiler is the largest program that an upload reaches before anything of it is known, and a small upload can
//! cost it minutes and gigabytes. So the server runs itself again with a hidden argument: that process limits itself
//! before it reads a byte, compiles what comes on its standard input, writes native code to its standard output, and
//! ends. It opens no database and gets no environment, no folder of its own and no file beside the three pipes; what
//! it may use is bounded by the system (see [`CompileLimits`]), and the server kills it when the wall time is over.
//! Where the kernel filters system calls, it can do nothing but compute, read and write those pipes.
//!
//! This holds resources and crashes away from the server. It is no wall against a compiler that can be taken over:
//! the server loads the code that the process gives. That code is looked at (form, version, engine) and kept in the
//! cache under the server's own MAC, but native code cannot be judged.

mod child;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod filter;
mod parent;

use std::path::PathBuf;
use std::time::Duration;

pub use child::{Held, confine, run_if_child};
pub(crate) use parent::{Failed, compile};

/// The hidden argument.
const ARGUMENT: &str = "__compile";
/// What the native code on standard output begins with, so that the output of another program is not taken for it. A line
/// with the name of a [`Held`] follows.
const MAGIC: &[u8] = b"tenter-code-2\n";
/// Most bytes of native code; the largest measured, of a StarlingMonkey component, has 43 MB.
const MAX_CODE: usize = 512 << 20;
/// Most bytes of words on standard error.
const MAX_WORDS: usize = 16 << 10;
/// How the process ends when the component is to blame, and its words say why.
const EXIT_REFUSED: i32 = 1;
/// How it ends when it cannot limit itself.
const EXIT_UNCONFINED: i32 = 3;

/// Who compiles uploads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Compiler {
    /// This process, without limits: for the author's own tools and for tests.
    #[default]
    InProcess,
    /// A process of its own for each upload, one at a time: for servers.
    Child {
        /// The program; its `main` calls [`run_if_child`] first.
        program: PathBuf,
        /// What it may use.
        limits: CompileLimits,
    },
}

impl Compiler {
    /// A process of its own with the default limits.
    #[must_use]
    pub fn child(program: PathBuf) -> Self {
        Self::Child { program, limits: CompileLimits::default() }
    }
}

/// What compiling one component may use. `docs/limits.md` has the measured needs of each language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompileLimits {
    /// Processor time in seconds.
    pub cpu_seconds: u64,
    /// Address space in bytes.
    pub memory_bytes: u64,
    /// Wall time.
    pub wall: Duration,
}

/// Measured on two shared cores, processor time and address space: Rust 0.6 s and 50 MiB, QuickJS 2.6 s and 101 MiB, Python
/// 15 s and 399 MiB, StarlingMonkey 17 s and 406 MiB; 100 KB of 20 000 branches inside each other 20 s and 4340 MiB. Slow
/// or busy machines take a multiple of the time, none of the memory.
impl Default for CompileLimits {
    fn default() -> Self {
        Self { cpu_seconds: 120, memory_bytes: 1 << 30, wall: Duration::from_secs(300) }
    }
}
