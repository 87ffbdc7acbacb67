//! Ends the session when nobody is left to serve, even if Python never comes back from the user's code.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::thread;

use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow};

/// Milliseconds that user code, destructors and exit handlers get after the client has gone.
const GRACE_MILLISECONDS: u16 = 5000;

/// The watcher does next to nothing, and a session may have a thousand siblings.
const STACK_BYTES: usize = 64 << 10;

/// Watches from a thread of its own, which never holds the interpreter's lock and never reads.
///
/// When the supervisor has gone, the process ends at once; when the client has gone, as soon as the session is
/// done with it, or when the grace is over.
///
/// # Errors
/// If the system gives no thread.
pub(crate) fn start(client: OwnedFd, supervisor: OwnedFd) -> std::io::Result<()> {
    // Signals are for the main thread, where Python handles them and where they end a system call.
    let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK)?;
    let started = thread::Builder::new()
        .name("tortoise-watch".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || watch(client.as_fd(), supervisor.as_fd()));
    before.thread_set_mask()?;
    started.map(drop)
}

fn watch(client: BorrowedFd<'_>, supervisor: BorrowedFd<'_>) {
    // A peer that shut down one direction is gone too: it never sends again.
    let hang_up = PollFlags::from_bits_retain(libc::POLLRDHUP);
    let mut both = [PollFd::new(supervisor, PollFlags::empty()), PollFd::new(client, hang_up)];
    loop {
        match poll(&mut both, PollTimeout::NONE) {
            Err(Errno::EINTR | Errno::EAGAIN) => {}
            Err(_) => end_group(),
            Ok(_) if both[0].any().unwrap_or(true) => end_group(),
            Ok(_) if both[1].any().unwrap_or(true) => break,
            Ok(_) => {}
        }
    }
    let mut one = [PollFd::new(supervisor, PollFlags::empty())];
    loop {
        match poll(&mut one, PollTimeout::from(GRACE_MILLISECONDS)) {
            Err(Errno::EINTR) => {}
            Ok(0) => end_process(),
            _ => end_group(),
        }
    }
}

/// Ends the session. The zygote sees it, and ends the processes that the user's code started.
fn end_process() -> ! {
    // SAFETY: `_exit` takes no lock, runs no handler and does not return.
    unsafe { libc::_exit(1) }
}

/// Ends the session and the processes that the user's code started with it: the supervisor is gone, and the zygote goes.
fn end_group() -> ! {
    // SAFETY: these take no lock and run no handler. Group 0 is our own, and as its leader we know that the zygote made
    // it for this session alone.
    unsafe {
        if libc::getpgrp() == libc::getpid() {
            libc::kill(0, libc::SIGKILL);
        }
    }
    end_process()
}
