//! The end of one operation.

use std::time::{Duration, Instant};

use crate::ChannelError;

/// How long one send or receive may take. A system call or a sleep has a bound of its own; this bounds their sum.
pub(crate) struct Deadline {
    timeout: Option<Duration>,
    end: Option<Instant>,
}

impl Deadline {
    /// A deadline that runs from now on.
    pub(crate) fn from_now(timeout: Option<Duration>) -> Self {
        Self { timeout, end: timeout.map(|timeout| Instant::now() + timeout) }
    }

    /// A deadline that runs from its first check on: what never waits does not look at the clock.
    pub(crate) fn from_first_check(timeout: Option<Duration>) -> Self {
        Self { timeout, end: None }
    }

    /// Fails if the time is over.
    pub(crate) fn check(&mut self) -> Result<(), ChannelError> {
        self.remaining(Instant::now()).map(drop)
    }

    /// The time that is left at `now`, if it is bounded.
    pub(crate) fn remaining(&mut self, now: Instant) -> Result<Option<Duration>, ChannelError> {
        let Some(timeout) = self.timeout else { return Ok(None) };
        let end = *self.end.get_or_insert(now + timeout);
        match end.checked_duration_since(now) {
            Some(left) if !left.is_zero() => Ok(Some(left)),
            _ => Err(self.passed()),
        }
    }

    /// The error of an operation that took too long.
    pub(crate) fn passed(&self) -> ChannelError {
        ChannelError::TimedOut(self.timeout.unwrap_or_default())
    }
}
