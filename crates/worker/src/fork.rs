//! Keeps a process that user code forks off the session's sockets: only the session itself may speak there.

use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use nix::libc;

static FORKED: AtomicBool = AtomicBool::new(false);

/// The session's own descriptor of the client, the watcher's, and those of the supervisor and the zygote.
static SOCKETS: [AtomicI32; 4] = [const { AtomicI32::new(-1) }; 4];

/// Remembers what a forked process must not hold.
pub(crate) fn guard(sockets: [RawFd; 4]) {
    for (place, socket) in SOCKETS.iter().zip(sockets) {
        place.store(socket, Ordering::Relaxed);
    }
}

/// Runs in a process that user code has just forked.
pub(crate) fn in_child() {
    FORKED.store(true, Ordering::Relaxed);
    for number in &SOCKETS {
        replace_by_nothing(number.swap(-1, Ordering::Relaxed));
    }
}

/// Whether the process is a fork of the session.
pub(crate) fn is_forked() -> bool {
    FORKED.load(Ordering::Relaxed)
}

/// Ends the process if it is a fork of the session that came back from the user's code into ours.
pub(crate) fn end_if_forked() {
    if FORKED.load(Ordering::Relaxed) {
        let message =
            b"tortoise: a process that a method forked came back from it and ends here; end it with os._exit()\n";
        // SAFETY: the bytes outlive the call, and `_exit` does not return; the parent's buffers are not flushed twice.
        unsafe {
            libc::write(2, message.as_ptr().cast(), message.len());
            libc::_exit(1);
        }
    }
}

/// Puts `/dev/null` under the number, which the session's channel still owns: closing it would leave the number to the
/// next file that the user's code opens.
fn replace_by_nothing(number: RawFd) {
    if number < 0 {
        return;
    }
    // SAFETY: system calls on numbers only; the path is a literal that ends with a NUL.
    unsafe {
        let nothing = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR | libc::O_CLOEXEC);
        if nothing < 0 || libc::dup3(nothing, number, libc::O_CLOEXEC) < 0 {
            libc::close(number);
        }
        if nothing >= 0 {
            libc::close(nothing);
        }
    }
}
