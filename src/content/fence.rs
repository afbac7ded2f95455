//! What the reading child may do: compute, read what it was given, write its answer, and end.
//!
//! # Why
//! The limits are set by the child itself, in its first lines and before it touches a byte of input:
//! doing it between fork and exec would need unsafe code. The list of system calls is an allowance, not a
//! ban: what is not on it fails with EPERM, so a child that was taken over can open no file, reach no
//! network and start no program. Where the kernel has no seccomp the limits stand alone. Landlock was left
//! out: with no call to open a file it has nothing left to forbid.

use crate::config;
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, setrlimit};
use seccompiler::SeccompCmpOp;

/// Open files: input, output, errors and a few to spare.
const FILES_MAX: u64 = 8;

/// Limits this process for good.
pub(crate) fn close(limits: &config::Content) -> std::io::Result<()> {
    let limit = |resource, most| setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) });
    // One second more than the parent waits: this is for a child whose parent is gone.
    let seconds = limits.seconds_max.saturating_add(1);
    limit(Resource::Core, 0)?;
    limit(Resource::Fsize, 0)?;
    limit(Resource::Nofile, FILES_MAX)?;
    limit(Resource::Cpu, seconds)?;
    limit(Resource::As, limits.memory_bytes_max)?;
    rustix::thread::set_no_new_privs(true)?;
    match forbid() {
        Ok(()) | Err(seccompiler::Error::Prctl(_) | seccompiler::Error::Seccomp(_)) => Ok(()),
        Err(_) => Err(Errno::INVAL.into()),
    }
}

/// The calls that memory, input, output, time and the end of a process need.
fn forbid() -> Result<(), seccompiler::Error> {
    let Ok(architecture) = std::env::consts::ARCH.try_into() else { return Ok(()) };
    let calls = [
        libc::SYS_read,
        libc::SYS_pread64,
        libc::SYS_readv,
        libc::SYS_write,
        libc::SYS_writev,
        libc::SYS_lseek,
        libc::SYS_fstat,
        libc::SYS_statx,
        libc::SYS_fcntl,
        libc::SYS_close,
        libc::SYS_mmap,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_mprotect,
        libc::SYS_madvise,
        libc::SYS_brk,
        libc::SYS_getrandom,
        libc::SYS_clock_gettime,
        libc::SYS_futex,
        libc::SYS_sched_yield,
        libc::SYS_sigaltstack,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_getpid,
        libc::SYS_gettid,
        libc::SYS_exit,
        libc::SYS_exit_group,
    ];
    // A process that aborts sends itself a signal; it must not reach another's.
    let pid = u64::from(std::process::id());
    let own = seccompiler::SeccompCondition::new(0, seccompiler::SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, pid)
        .and_then(|own| seccompiler::SeccompRule::new(vec![own]));
    let filter = seccompiler::SeccompFilter::new(
        calls.into_iter().map(|call| (call, Vec::new())).chain([(libc::SYS_tgkill, vec![own?])]).collect(),
        seccompiler::SeccompAction::Errno(Errno::PERM.raw_os_error().unsigned_abs()),
        seccompiler::SeccompAction::Allow,
        architecture,
    );
    let program: seccompiler::BpfProgram = filter.and_then(TryInto::try_into)?;
    seccompiler::apply_filter(&program)
}
