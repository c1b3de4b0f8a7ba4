//! The server's side: starts the process, feeds it, waits for it, and says why it failed.

use std::io::{self, Read, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::{ARGUMENT, CompileLimits, EXIT_REFUSED, EXIT_UNCONFINED, Held, MAGIC, MAX_CODE, MAX_WORDS};

/// How often a process that has closed its output is looked at until it has ended.
const LOOK: Duration = Duration::from_millis(2);

/// Why there is no code.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    /// A limit, in words.
    Limit(String),
    /// The component is to blame; the compiler's words.
    Refused(String),
    /// The compiler broke on it; in words.
    Crashed(String),
    /// This machine is to blame.
    Host(String),
}

/// Compiles in a process of its own.
pub(crate) fn compile(program: &Path, limits: CompileLimits, bytes: &[u8]) -> Result<Vec<u8>, Failed> {
    let host = |e: io::Error| Failed::Host(format!("cannot run the compiler {}: {e}", program.display()));
    let mut child = Command::new(program)
        .arg(ARGUMENT)
        .args([limits.cpu_seconds.to_string(), limits.memory_bytes.to_string()])
        .env_clear()
        // The program's allocator would take more of the address space in advance than the limit leaves.
        .env("MIMALLOC_ARENA_RESERVE", "32MiB")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(host)?;
    let ended = attend(&mut child, limits.wall, bytes);
    if ended.is_err() {
        // It may have ended by itself in the meantime; either way it is gone and reaped after this.
        drop(child.kill());
        drop(child.wait());
    }
    let Ended { status, code, words } = ended.map_err(host)?;
    judge(status, code, &words, limits)
}

/// What is left of the process; no status when it ran too long.
struct Ended {
    status: Option<ExitStatus>,
    code: Vec<u8>,
    words: Vec<u8>,
}

fn attend(child: &mut Child, wall: Duration, bytes: &[u8]) -> io::Result<Ended> {
    let until = Instant::now() + wall;
    let gone = || io::Error::other("it has no pipes");
    let mut stdin = child.stdin.take().ok_or_else(gone)?;
    let stdout = child.stdout.take().ok_or_else(gone)?;
    let stderr = child.stderr.take().ok_or_else(gone)?;
    std::thread::scope(|scope| {
        // It may end before it has read everything; its status says why.
        scope.spawn(move || drop(stdin.write_all(bytes)));
        let words = scope.spawn(move || read(stderr, MAX_WORDS));
        let (done, finished) = mpsc::channel();
        let code = scope.spawn(move || {
            let code = read(stdout, MAX_CODE);
            // The receiver lives until this thread has been joined, so that this cannot fail.
            done.send(()).ok();
            code
        });
        let in_time = finished.recv_timeout(wall).is_ok();
        let mut status = None;
        while in_time && status.is_none() && Instant::now() < until {
            status = child.try_wait()?;
            if status.is_none() {
                std::thread::sleep(LOOK);
            }
        }
        if status.is_none() {
            child.kill()?;
            child.wait()?;
        }
        let lost = |_| io::Error::other("reading its output failed");
        Ok(Ended { status, code: code.join().map_err(lost)?, words: words.join().map_err(lost)? })
    })
}

/// All of it, but at most one byte more than `most`; what comes after that is not waited for.
fn read(from: impl Read, most: usize) -> Vec<u8> {
    let mut all = Vec::new();
    let most = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    // A pipe that breaks ends like one that closes: the status says more.
    drop(from.take(most).read_to_end(&mut all));
    all
}

fn judge(
    status: Option<ExitStatus>,
    mut code: Vec<u8>,
    words: &[u8],
    limits: CompileLimits,
) -> Result<Vec<u8>, Failed> {
    let CompileLimits { cpu_seconds, memory_bytes, wall } = limits;
    let words = String::from_utf8_lossy(words).trim().to_owned();
    let mib = memory_bytes >> 20;
    let memory = || Failed::Limit(format!("compiling it needs more than {mib} MiB of memory"));
    let Some(status) = status else {
        return Err(Failed::Limit(format!("compiling it takes longer than {} s", wall.as_secs())));
    };
    let out_of_memory = ["memory allocation of", "out of memory", "Cannot allocate memory"];
    let out_of_memory = out_of_memory.iter().any(|text| words.contains(text));
    match (status.code(), signal(status)) {
        (Some(0), _) if code.len() > MAX_CODE => {
            Err(Failed::Limit(format!("it becomes more than {MAX_CODE} bytes of native code")))
        }
        (Some(0), _) if code.starts_with(MAGIC) => {
            let rest = code.get(MAGIC.len()..).unwrap_or_default();
            let held = [Held::Filtered, Held::Limited].into_iter().find(|held| rest.starts_with(held.line()));
            if held == Some(Held::Limited) {
                tracing::warn!("this system has no filter of system calls: the compiler ran within limits alone");
            }
            code.drain(..MAGIC.len() + held.map_or(0, |held| held.line().len()));
            Ok(code)
        }
        (Some(EXIT_UNCONFINED), _) => Err(Failed::Host(words)),
        (_, Some(SIGXCPU)) => {
            Err(Failed::Limit(format!("compiling it takes more than {cpu_seconds} s of processor time")))
        }
        // Not ours, which comes with no status: the system's, when memory runs out.
        (_, Some(SIGKILL)) => Err(memory()),
        (Some(EXIT_REFUSED), _) if !out_of_memory => Err(Failed::Refused(words)),
        _ if out_of_memory => Err(memory()),
        (Some(0), _) => Err(Failed::Host("the program that is to compile is no compiler".to_owned())),
        _ => Err(Failed::Crashed(format!("the compiler ended with {status}: {words}"))),
    }
}

const SIGKILL: i32 = 9;
const SIGXCPU: i32 = 24;

#[cfg(unix)]
fn signal(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn signal(_: ExitStatus) -> Option<i32> {
    None
}
