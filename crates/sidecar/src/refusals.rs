//! The log of refused clients, bounded: over TCP anybody on this machine can be refused as often as he likes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Refusals that are logged in one second.
const MAX_LINES_PER_SECOND: u32 = 20;

const SECOND: Duration = Duration::from_secs(1);

/// Counts refusals.
#[derive(Debug)]
pub(crate) struct Refusals {
    count: Mutex<Count>,
    all: AtomicU64,
}

#[derive(Debug)]
struct Count {
    since: Instant,
    lines: u32,
    suppressed: u64,
}

impl Refusals {
    pub(crate) fn new() -> Self {
        Self { count: Mutex::new(Count { since: Instant::now(), lines: 0, suppressed: 0 }), all: AtomicU64::new(0) }
    }

    /// How many there were in all.
    pub(crate) fn all(&self) -> u64 {
        self.all.load(Ordering::Relaxed)
    }

    /// Logs a refusal, and how many were left out before it.
    pub(crate) fn log(&self, line: &str) {
        self.all.fetch_add(1, Ordering::Relaxed);
        if let Some(suppressed) = self.count(Instant::now()) {
            if suppressed > 0 {
                tracing::warn!("({suppressed} refused clients are not in this log: more than is logged in one second)");
            }
            tracing::warn!("{line}");
        }
    }

    /// Counts a refusal. If it is to be logged: how many before it were not.
    fn count(&self, now: Instant) -> Option<u64> {
        // Every change is whole before anything can panic.
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        if now.duration_since(count.since) >= SECOND {
            (count.since, count.lines) = (now, 0);
        }
        if count.lines == MAX_LINES_PER_SECOND {
            count.suppressed += 1;
            return None;
        }
        count.lines += 1;
        Some(std::mem::take(&mut count.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_counted_and_said_with_the_next_one() {
        let refusals = Refusals::new();
        let now = Instant::now();
        for _ in 0..MAX_LINES_PER_SECOND {
            assert_eq!(refusals.count(now), Some(0));
        }
        assert_eq!([(); 7].map(|()| refusals.count(now)), [None; 7]);
        assert_eq!(refusals.count(now + SECOND), Some(7));
        assert_eq!(refusals.count(now + SECOND), Some(0));
    }
}
