//! Lets a thread wait until the conversation has changed, without the interpreter's lock.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

use pyo3::prelude::*;

/// Where threads wait. As long as nobody does, a change costs nothing.
#[derive(Default)]
pub(crate) struct Waiting {
    /// How often something has changed while somebody waited.
    changes: Mutex<u64>,
    changed: Condvar,
    waiters: AtomicUsize,
}

impl Waiting {
    /// Something has changed.
    #[inline]
    pub(crate) fn wake(&self, _py: Python<'_>) {
        // Waiters count themselves with the interpreter's lock held, so none is overlooked.
        if self.waiters.load(Ordering::Relaxed) > 0 {
            *self.changes.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            self.changed.notify_all();
        }
    }

    /// Waits for a change, and says whether there was one before the time was over. Who has held the interpreter's lock since
    /// it looked misses none. Another change than the one it waits for may wake it.
    pub(crate) fn wait(&self, py: Python<'_>, deadline: Option<Instant>) -> bool {
        self.waiters.fetch_add(1, Ordering::Relaxed);
        let seen = *self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let has_changed = py.detach(|| {
            let mut now = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
            while *now == seen {
                let Some(deadline) = deadline else {
                    now = self.changed.wait(now).unwrap_or_else(PoisonError::into_inner);
                    continue;
                };
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return false;
                }
                now = self.changed.wait_timeout(now, left).unwrap_or_else(PoisonError::into_inner).0;
            }
            true
        });
        self.waiters.fetch_sub(1, Ordering::Relaxed);
        has_changed
    }
}
