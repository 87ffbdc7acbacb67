//! Why a value cannot go to the client.

use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::path::{Path, Step};
use crate::raw::{self, Kind, Seen};

/// Why a value cannot go to the client.
pub(crate) struct Unconvertible {
    /// What is wrong with the element.
    pub(crate) reason: String,
    /// Where it stands.
    pub(crate) path: Path,
}

/// An element is wrong; where it stands is added on the way out.
pub(crate) fn refused(reason: impl Into<String>) -> Box<Unconvertible> {
    Box::new(Unconvertible { reason: reason.into(), path: Path::default() })
}

/// The element stood there in its container.
pub(crate) fn below(mut error: Box<Unconvertible>, step: impl FnOnce() -> Step) -> Box<Unconvertible> {
    error.path.push(step());
    error
}

/// The step of a key of a dict.
pub(crate) fn step_of(key: Seen<'_, '_>) -> Step {
    match key.cast::<PyString>() {
        Ok(text) => Step::key(&text.to_string_lossy()),
        Err(_) if raw::kind(key) == Kind::Integer => raw::integer(key).map_or_else(|| Step::key("?"), Step::Number),
        Err(_) => Step::key("?"),
    }
}
