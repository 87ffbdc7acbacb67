//! Knows whether this process is still the one that made a connection: a fork has neither its memory nor a say in it.

use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::libc;

/// Forks between this process and the one that loaded the library.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// A process, as long as it is not a fork of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process(u32);

impl Process {
    /// This one.
    #[must_use]
    pub fn current() -> Self {
        extern "C" fn count() {
            FORKS.fetch_add(1, Ordering::Relaxed);
        }
        static WATCH: Once = Once::new();
        WATCH.call_once(|| {
            // SAFETY: the handler only adds to an atomic, which is allowed between fork and exec.
            unsafe { libc::pthread_atfork(None, None, Some(count)) };
        });
        Self(FORKS.load(Ordering::Relaxed))
    }

    /// Whether we are in it, and not in a fork of it. No system call.
    #[must_use]
    pub fn is_current(self) -> bool {
        FORKS.load(Ordering::Relaxed) == self.0
    }
}
