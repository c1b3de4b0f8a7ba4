//! The filter of system calls that the process which compiles runs behind, where the kernel has one.
//!
//! What compiling needs is listed; everything else fails with EPERM, as if it were forbidden by permissions, so that a
//! library which tries something and does without goes on. No file or socket is opened, no process or thread is started,
//! nobody is signalled but the process itself, and no memory becomes executable: the code that it writes is bytes to it.

use std::collections::BTreeMap;
use std::io;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

/// Calls with any arguments.
const FREE: &[i64] = &[
    // The three pipes.
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_lseek,
    libc::SYS_ppoll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    // Memory that is not executable; see below for the two that could make it so.
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    // The process itself.
    libc::SYS_futex,
    libc::SYS_getrandom,
    libc::SYS_clock_gettime,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Begins to filter; there is no way back. Whether the kernel does it: false is no error, but a weaker wall.
pub(super) fn begin() -> io::Result<bool> {
    if rustix::thread::secure_computing_mode().is_err() {
        return Ok(false);
    }
    let program = program().map_err(io::Error::other)?;
    seccompiler::apply_filter(&program).map_err(io::Error::other)?;
    Ok(true)
}

fn program() -> Result<BpfProgram, seccompiler::BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = FREE.iter().map(|call| (*call, Vec::new())).collect();
    let mut only = |call: i64, argument: u8, op: SeccompCmpOp, value: u64| {
        let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, op, value)?;
        rules.insert(call, vec![SeccompRule::new(vec![condition])?]);
        Ok::<(), seccompiler::BackendError>(())
    };
    // The third argument says what the memory may be used for.
    let executable = u64::from(libc::PROT_EXEC.cast_unsigned());
    only(libc::SYS_mmap, 2, SeccompCmpOp::MaskedEq(executable), 0)?;
    only(libc::SYS_mprotect, 2, SeccompCmpOp::MaskedEq(executable), 0)?;
    // How a program aborts, which is what it does when memory is used up.
    only(libc::SYS_tgkill, 0, SeccompCmpOp::Eq, u64::from(std::process::id()))?;
    let denied = SeccompAction::Errno(libc::EPERM.cast_unsigned());
    let arch = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules, denied, SeccompAction::Allow, arch)?.try_into()
}
