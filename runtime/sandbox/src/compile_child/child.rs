//! The side of the process that compiles.

use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};

use tenter_model::limits::MAX_UPLOAD_BYTES;

use super::{ARGUMENT, EXIT_REFUSED, EXIT_UNCONFINED, MAGIC};

/// Compiles and ends the process, if it was started for that; else does nothing. Call it first in `main`, before
/// anything is opened or read.
pub fn run_if_child() {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|first| first == ARGUMENT) {
        std::process::exit(run(args));
    }
}

fn run(mut args: impl Iterator<Item = OsString>) -> i32 {
    let mut number = || args.next().and_then(|a| a.to_str()?.parse::<u64>().ok());
    let (Some(cpu_seconds), Some(memory_bytes)) = (number(), number()) else {
        say("the compiler is started by the server alone");
        return EXIT_UNCONFINED;
    };
    let held = match confine(cpu_seconds, memory_bytes) {
        Ok(held) => held,
        Err(error) => {
            say(&format!("cannot limit the compiler: {error}"));
            return EXIT_UNCONFINED;
        }
    };
    let code = match compile() {
        Ok(code) => code,
        Err(words) => {
            say(&words);
            return EXIT_REFUSED;
        }
    };
    let mut out = io::stdout().lock();
    let parts = [MAGIC, held.line(), &code];
    match parts.into_iter().try_for_each(|part| out.write_all(part)).and_then(|()| out.flush()) {
        Ok(()) => 0,
        // The server has stopped listening; nobody is left to be told.
        Err(_) => EXIT_REFUSED,
    }
}

fn compile() -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let most = u64::try_from(MAX_UPLOAD_BYTES).unwrap_or(u64::MAX);
    io::stdin().lock().take(most).read_to_end(&mut bytes).map_err(|e| format!("cannot read the component: {e}"))?;
    let engine = crate::engine::compiler().map_err(|e| format!("{e:#}"))?;
    engine.precompile_component(&bytes).map_err(|e| format!("{e:#}"))
}

fn say(words: &str) {
    // When standard error is gone nobody is left to be told.
    drop(io::stderr().write_all(words.as_bytes()));
}

/// What holds a process that has called [`confine`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Limits of the system, and a filter of system calls.
    Filtered,
    /// Limits of the system: this kernel, processor or system has no such filter.
    Limited,
}

impl Held {
    /// As it stands before the code.
    pub(super) fn line(self) -> &'static [u8] {
        match self {
            Self::Filtered => b"filtered\n",
            Self::Limited => b"limited\n",
        }
    }
}

/// Gives up all that compiling does not need, for good: hard limits cannot be raised again, and a filter of system calls
/// stays. The compiler calls it before it reads a byte; tests call it to look at what is left.
///
/// # Errors
/// A limit cannot be set. That there is no filter is no error.
#[cfg(unix)]
pub fn confine(cpu_seconds: u64, memory_bytes: u64) -> io::Result<Held> {
    use rustix::process::{Resource, Rlimit, setrlimit};

    let limit = |resource, soft: u64, hard: u64| {
        setrlimit(resource, Rlimit { current: Some(soft), maximum: Some(hard) }).map_err(io::Error::from)
    };
    // Over the soft limit comes SIGXCPU, which the server tells from other ends; a second later SIGKILL.
    limit(Resource::Cpu, cpu_seconds, cpu_seconds.saturating_add(1))?;
    limit(Resource::As, memory_bytes, memory_bytes)?;
    limit(Resource::Core, 0, 0)?;
    limit(Resource::Fsize, 0, 0)?;
    // The three pipes are open and nothing else can be: no file, no socket.
    limit(Resource::Nofile, 3, 3)?;
    // No thread and no process; root is exempt from this one.
    limit(Resource::Nproc, 0, 0)?;
    #[cfg(target_os = "linux")]
    {
        rustix::thread::set_no_new_privs(true)?;
        rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    }
    // Last, since it forbids what stands above.
    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    if super::filter::begin()? {
        return Ok(Held::Filtered);
    }
    Ok(Held::Limited)
}

/// Without limits of the system the wall time alone bounds the process.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn confine(_: u64, _: u64) -> io::Result<Held> {
    Ok(Held::Limited)
}
