//! Keeps a process that user code forks off the session's sockets: only the session itself may speak there.

use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::libc;
use pyo3::prelude::*;

use crate::gil::{Busy, GilCell};

static FORKED: AtomicBool = AtomicBool::new(false);

/// Of each session its own descriptor of the client, the watcher's, and those of the supervisor and the zygote.
///
/// A fork of Python's copies it whole: who changes it holds the interpreter's lock, and so does who forks.
static SOCKETS: GilCell<Vec<Vec<RawFd>>> = GilCell::new(Vec::new());

/// Remembers what a forked process must not hold.
pub(crate) fn guard(py: Python<'_>, sockets: Vec<RawFd>) -> Result<(), Busy> {
    SOCKETS.borrow(py)?.push(sockets);
    Ok(())
}

/// Those are closed, or will be soon, of which this is the first: their numbers may then be those of other files.
pub(crate) fn forget(py: Python<'_>, first: RawFd) {
    if let Ok(mut all) = SOCKETS.borrow(py) {
        all.retain(|sockets| sockets.first() != Some(&first));
    }
}

/// Runs in a process that user code has just forked.
pub(crate) fn in_child(py: Python<'_>) {
    FORKED.store(true, Ordering::Relaxed);
    let sockets = SOCKETS.borrow(py).map(|mut all| std::mem::take(&mut *all)).unwrap_or_default();
    sockets.into_iter().flatten().for_each(replace_by_nothing);
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
