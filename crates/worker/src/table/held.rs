//! How the table holds an object: for the client, or only as long as somebody else does.

use pyo3::prelude::*;
use pyo3::types::{PyWeakrefMethods, PyWeakrefReference};

/// An object of the table.
pub(super) enum Held {
    /// The client has it.
    Strong(Py<PyAny>),
    /// The client's half is kept for what Python code still holds.
    Weak {
        /// The object, as long as it lives.
        reference: Py<PyWeakrefReference>,
        /// Where it lies.
        address: usize,
    },
}

impl Held {
    /// The object, if it lives.
    #[inline]
    pub(super) fn get<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        match self {
            Self::Strong(object) => Some(object.bind(py).clone()),
            Self::Weak { reference, .. } => reference.bind(py).upgrade(),
        }
    }

    /// Whether it is this object.
    #[inline]
    pub(super) fn is(&self, object: &Bound<'_, PyAny>) -> bool {
        match self {
            Self::Strong(held) => held.is(object),
            Self::Weak { reference, .. } => reference.bind(object.py()).upgrade().is_some_and(|held| held.is(object)),
        }
    }

    /// The client has the object again.
    #[inline]
    pub(super) fn hold(&mut self, object: &Bound<'_, PyAny>) {
        // A reference that goes calls nobody: the object lives.
        if let Self::Weak { .. } = self {
            *self = Self::Strong(object.clone().unbind());
        }
    }

    /// Where the object lies, or lay.
    pub(super) fn address(&self) -> usize {
        match self {
            Self::Strong(object) => object.as_ptr() as usize,
            Self::Weak { address, .. } => *address,
        }
    }

    /// What is to be dropped with it.
    pub(super) fn into_any(self) -> Py<PyAny> {
        match self {
            Self::Strong(object) => object,
            Self::Weak { reference, .. } => reference.into_any(),
        }
    }
}
