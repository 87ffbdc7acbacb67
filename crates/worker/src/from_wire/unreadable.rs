//! Why a value of the client could not be made.

use pyo3::prelude::*;
use tortoise_channel::ChannelError;
use tortoise_protocol::{Malformed, Token};

use crate::failure::Fault;
use crate::gil::Busy;
use crate::path::{Path, Step};

/// Why a value from the client could not be made.
pub(crate) enum Unreadable {
    /// The client broke the rules of the wire.
    Malformed(Malformed),
    /// The client, or the way to it, was lost in the middle of a segment.
    Lost(ChannelError),
    /// A handle of no object.
    Stale {
        /// What the client sent.
        id: u64,
        /// Where in the value.
        path: Path,
    },
    /// A value that Python cannot hold, or that is not what a parameter wants.
    Unfit {
        /// What is wrong with it.
        reason: String,
        /// Where in the value.
        path: Path,
    },
    /// Python refused: out of memory, in practice.
    Raised(PyErr),
}

impl From<Malformed> for Box<Unreadable> {
    fn from(malformed: Malformed) -> Self {
        Self::new(Unreadable::Malformed(malformed))
    }
}

impl From<Busy> for Box<Unreadable> {
    fn from(busy: Busy) -> Self {
        PyErr::from(busy).into()
    }
}

impl From<PyErr> for Box<Unreadable> {
    fn from(error: PyErr) -> Self {
        Self::new(Unreadable::Raised(error))
    }
}

impl From<ChannelError> for Box<Unreadable> {
    fn from(error: ChannelError) -> Self {
        Self::new(match error {
            ChannelError::Malformed(malformed) => Unreadable::Malformed(malformed),
            error => Unreadable::Lost(error),
        })
    }
}

/// Python has no such value.
pub(super) fn unfit(py: Python<'_>, what: &str, error: &PyErr) -> Box<Unreadable> {
    Box::new(Unreadable::Unfit { reason: format!("{what}: {}", error.value(py)), path: Path::default() })
}

/// The element stood there in its container.
pub(super) fn below(mut error: Box<Unreadable>, step: impl FnOnce() -> Step) -> Box<Unreadable> {
    if let Unreadable::Stale { path, .. } | Unreadable::Unfit { path, .. } = &mut *error {
        path.push(step());
    }
    error
}

/// A PHP object could not be made.
pub(super) fn unreceivable(fault: Fault) -> Box<Unreadable> {
    match fault {
        Fault::Malformed(malformed) => malformed.into(),
        Fault::Raised(error) => error.into(),
        Fault::Lost(error) => error.into(),
        Fault::Told(failure) => Box::new(Unreadable::Unfit { reason: failure.message, path: Path::default() }),
    }
}

/// Something else was due.
pub(super) fn unexpected(expected: &'static str, found: &Token<'_>) -> Box<Unreadable> {
    Malformed::Unexpected { expected, found: found.describe() }.into()
}
