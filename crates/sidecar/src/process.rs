//! Everything about processes that needs `unsafe`: fork, what stands between fork and exec, inherited descriptors.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::libc;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, signal, sigprocmask};
use nix::unistd::{ForkResult, fork};

/// Stack of a worker's main thread, which runs the sessions: Python's own recursion limit shall be hit first.
const WORKER_STACK_BYTES: u64 = 64 << 20;

/// The first descriptor after standard input, output and error.
const FIRST_INHERITED: RawFd = 3;

/// Which side of a fork we are on.
pub(crate) enum Side {
    Parent,
    Child,
}

/// Forks. Must be called before the process has a second thread.
pub(crate) fn fork_single_threaded() -> io::Result<Side> {
    if std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() > 1) {
        return Err(io::Error::other("the process has started a thread already"));
    }
    // SAFETY: the process has one thread (checked above; without /proc, `run` calls this before it starts anything),
    // so no lock can be held by a thread that the child lacks.
    match unsafe { fork() }? {
        ForkResult::Parent { .. } => Ok(Side::Parent),
        ForkResult::Child => Ok(Side::Child),
    }
}

/// Takes the descriptor `number` that our parent process left open for us. None: there is no such one.
pub(crate) fn inherited(number: RawFd) -> Option<OwnedFd> {
    if number < FIRST_INHERITED {
        return None;
    }
    // SAFETY: F_GETFD reads a flag of whatever `number` is and fails on a number that is not open. The borrow ends
    // with the statement.
    let flags = unsafe { fcntl(BorrowedFd::borrow_raw(number), FcntlArg::F_GETFD) };
    // What this process opens itself is closed on exec, so this one is not ours but inherited.
    let open = flags.is_ok_and(|flags| !FdFlag::from_bits_retain(flags).contains(FdFlag::FD_CLOEXEC));
    // SAFETY: `number` is open (checked above), and no other owner can exist: everything that Rust's library and
    // our dependencies open carries FD_CLOEXEC. `run` calls this once, before any descriptor is opened.
    let fd = open.then(|| unsafe { OwnedFd::from_raw_fd(number) })?;
    fcntl(&fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).ok()?;
    Some(fd)
}

/// Owns descriptors that the system has just given us beside a packet.
pub(crate) fn received(numbers: Vec<RawFd>) -> impl Iterator<Item = OwnedFd> {
    // SAFETY: `numbers` come from the control message of a `recvmsg`, which made them for us alone; the only caller is
    // `control::receive_packet`, which hands each over once.
    numbers.into_iter().map(|number| unsafe { OwnedFd::from_raw_fd(number) })
}

/// Takes the descriptors that the service manager passed, whose numbers it named in our environment.
pub(crate) fn passed(numbers: impl Iterator<Item = RawFd>) -> Vec<OwnedFd> {
    // SAFETY: the manager's environment names this process and these numbers, each of which was found open; `serve` calls
    // this once, before any descriptor is opened, so that none has another owner.
    numbers.map(|number| unsafe { OwnedFd::from_raw_fd(number) }).collect()
}

/// Closes every inherited descriptor but the standard ones and `keep`.
pub(crate) fn close_inherited(keep: &OwnedFd) -> io::Result<()> {
    let keep = keep.as_raw_fd();
    // One entry is the listing's own descriptor, which is closed when the listing ends: closing it again is an
    // error that nobody sees, as nothing is opened in between.
    let open: Vec<RawFd> = std::fs::read_dir("/proc/self/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|number| *number >= FIRST_INHERITED && *number != keep)
        .collect();
    for number in open {
        // SAFETY: called once, right after the fork and before anything is opened, so no live object of this process
        // owns the descriptor: it belongs to whoever started us.
        unsafe { libc::close(number) };
    }
    Ok(())
}

/// Undoes what an unusual parent may have left us: blocked signals, and an ignored SIGCHLD, with which the system
/// would swallow the exit status of our children.
pub(crate) fn reset_signals() -> io::Result<()> {
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?;
    // SAFETY: the default action runs no code of ours.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }?;
    Ok(())
}

/// Lets the system answer a file over the limit of RLIMIT_FSIZE with an error, where it would end the process.
pub(crate) fn ignore_file_size_signal() -> io::Result<()> {
    // SAFETY: to ignore a signal runs no code of ours.
    unsafe { signal(Signal::SIGXFSZ, SigHandler::SigIgn) }?;
    Ok(())
}

/// Makes `command` start a worker: it inherits `kept` under their present numbers and nothing else but the standard
/// descriptors, has its own process group and a large stack. `kept` must stay open until the command is spawned.
pub(crate) fn prepare_worker(command: &mut Command, kept: [BorrowedFd<'_>; 2]) {
    let kept = kept.map(|descriptor| descriptor.as_raw_fd());
    // A terminal's Ctrl-C reaches every process of a group: whether to leave is the supervisor's decision.
    command.process_group(0);
    let after_fork = move || {
        // Everything that is open is closed at exec, and then two are not.
        // SAFETY: sets a flag on descriptors, closes none; one syscall, so async-signal-safe.
        // A kernel before 5.11 refuses it, and then only what our own parent left open without FD_CLOEXEC remains.
        unsafe { libc::syscall(libc::SYS_close_range, FIRST_INHERITED, RawFd::MAX, libc::CLOSE_RANGE_CLOEXEC) };
        for number in kept {
            // SAFETY: the parent keeps the descriptor open until the spawn has returned; one syscall.
            unsafe { fcntl(BorrowedFd::borrow_raw(number), FcntlArg::F_SETFD(FdFlag::empty())) }?;
        }
        let (soft, hard) = getrlimit(Resource::RLIMIT_STACK)?;
        if soft < WORKER_STACK_BYTES {
            setrlimit(Resource::RLIMIT_STACK, WORKER_STACK_BYTES.min(hard), hard)?;
        }
        Ok(())
    };
    // SAFETY: between fork and exec the closure makes five syscalls and converts an errno: no allocation, no lock.
    unsafe { command.pre_exec(after_fork) };
}

/// Makes `command` start a successor, which inherits `kept` under their present numbers. They must stay open until the
/// command is spawned.
pub(crate) fn prepare_successor(command: &mut Command, kept: &[BorrowedFd<'_>]) {
    let kept: Vec<_> = kept.iter().map(AsRawFd::as_raw_fd).collect();
    let after_fork = move || {
        for number in &kept {
            // SAFETY: the parent keeps the descriptor open until the spawn has returned; one syscall.
            unsafe { fcntl(BorrowedFd::borrow_raw(*number), FcntlArg::F_SETFD(FdFlag::empty())) }?;
        }
        Ok(())
    };
    // SAFETY: between fork and exec the closure makes syscalls and converts an errno: no allocation, no lock.
    unsafe { command.pre_exec(after_fork) };
}
