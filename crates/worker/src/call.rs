//! Calls Python with the arguments of a client, without a tuple or a bound method where few are given.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

/// Positional arguments that travel without a tuple.
pub(crate) const FEW: usize = 4;

/// The arguments of one call.
pub(crate) struct Arguments<'py> {
    /// The positional ones.
    pub(crate) positional: Positional<'py>,
    /// The named ones; None if there are none.
    pub(crate) named: Option<Bound<'py, PyDict>>,
}

/// Positional arguments.
pub(crate) enum Positional<'py> {
    /// The first so many of the array.
    Few([Option<Bound<'py, PyAny>>; FEW], usize),
    /// Any number.
    Many(Bound<'py, PyTuple>),
}

impl<'py> Arguments<'py> {
    /// Calls `callable`.
    pub(crate) fn call(&self, callable: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = callable.py();
        match (&self.positional, &self.named) {
            (Positional::Few(few, _), None) => {
                let (callable, [a, b, c, d]) = (callable.as_ptr(), pointers(few));
                // SAFETY: `callable` and the arguments are borrowed from owners that outlive the call; the list ends
                // at its first null, so it names exactly the arguments given. A new reference or an error comes back.
                unsafe {
                    let null = std::ptr::null_mut::<ffi::PyObject>();
                    let result = ffi::PyObject_CallFunctionObjArgs(callable, a, b, c, d, null);
                    Bound::from_owned_ptr_or_err(py, result)
                }
            }
            _ => callable.call(self.tuple(py)?, self.named.as_ref()),
        }
    }

    /// Calls a method of `target`.
    pub(crate) fn call_method(
        &self,
        target: &Bound<'py, PyAny>,
        name: &Bound<'py, PyString>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = target.py();
        match (&self.positional, &self.named) {
            (Positional::Few(few, _), None) => {
                let (target, name, [a, b, c, d]) = (target.as_ptr(), name.as_ptr(), pointers(few));
                // SAFETY: as in `call`.
                unsafe {
                    let null = std::ptr::null_mut::<ffi::PyObject>();
                    let result = ffi::PyObject_CallMethodObjArgs(target, name, a, b, c, d, null);
                    Bound::from_owned_ptr_or_err(py, result)
                }
            }
            _ => target.getattr(name)?.call(self.tuple(py)?, self.named.as_ref()),
        }
    }

    fn tuple(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        match &self.positional {
            Positional::Few(few, count) => {
                let given: Vec<_> = few.iter().take(*count).flatten().collect();
                PyTuple::new(py, given)
            }
            Positional::Many(tuple) => Ok(tuple.clone()),
        }
    }
}

/// The arguments' addresses, and null behind the last.
fn pointers(few: &[Option<Bound<'_, PyAny>>; FEW]) -> [*mut ffi::PyObject; FEW] {
    few.each_ref().map(|argument| argument.as_ref().map_or(std::ptr::null_mut(), Bound::as_ptr))
}
