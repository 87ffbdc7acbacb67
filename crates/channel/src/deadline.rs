//! The end of one operation.

use std::time::{Duration, Instant};

use crate::ChannelError;

/// What bounds the operations of a channel.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Limit {
    /// How long each may take.
    pub(crate) timeout: Option<Duration>,
    /// When all must have ended. The timeout does not count then.
    pub(crate) end: Option<Instant>,
}

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

    /// A deadline at this moment.
    pub(crate) fn at(end: Instant) -> Self {
        Self { timeout: None, end: Some(end) }
    }

    /// A deadline that runs from its first check on: what never waits does not look at the clock.
    pub(crate) fn from_first_check(limit: Limit) -> Self {
        Self { timeout: limit.timeout, end: limit.end }
    }

    /// Fails if the time is over.
    pub(crate) fn check(&mut self) -> Result<(), ChannelError> {
        self.remaining(Instant::now()).map(drop)
    }

    /// The time that is left at `now`, if it is bounded.
    pub(crate) fn remaining(&mut self, now: Instant) -> Result<Option<Duration>, ChannelError> {
        let end = match (self.end, self.timeout) {
            (Some(end), _) => end,
            (None, Some(timeout)) => *self.end.insert(now + timeout),
            (None, None) => return Ok(None),
        };
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
