//! The two system calls by which processes sleep and wake on a word that they share.

use std::time::Duration;

use nix::libc;

use crate::sync::AtomicU32;

/// Sleeps while `word` holds `expected`, until it is woken, a signal comes, or `limit` is over.
pub(crate) fn wait(word: &AtomicU32, expected: u32, limit: Duration) {
    let limit = libc::timespec {
        // Limits here are below a second.
        tv_sec: limit.as_secs() as libc::time_t,
        tv_nsec: libc::c_long::from(limit.subsec_nanos() as i32),
    };
    // SAFETY: the word and the limit outlive the call. Whatever its result, the caller looks for itself.
    unsafe {
        libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT, expected, &raw const limit, 0, 0);
    }
}

/// Wakes who sleeps on `word`.
pub(crate) fn wake(word: &AtomicU32) {
    // SAFETY: the system uses the word's address only.
    unsafe {
        libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, 1, 0, 0, 0);
    }
}
