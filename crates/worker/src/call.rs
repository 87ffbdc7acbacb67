//! Calls Python with the arguments of a client, without a tuple or a bound method where few are given.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

/// Positional arguments that travel without a tuple.
pub(crate) const FEW: usize = 4;

/// What is called.
pub(crate) enum Callee<'py> {
    /// An object itself.
    Object(Bound<'py, PyAny>),
    /// A method that has not been looked up: Python can call it without a bound method in between.
    Method(Bound<'py, PyAny>, Bound<'py, PyString>),
}

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

impl<'py> Callee<'py> {
    /// The object that will be called; a method is looked up for good.
    ///
    /// # Errors
    /// What Python raises if there is no such method.
    pub(crate) fn resolve(&mut self) -> PyResult<&Bound<'py, PyAny>> {
        if let Self::Method(target, name) = self {
            *self = Self::Object(target.getattr(&*name)?);
        }
        match self {
            Self::Object(object) | Self::Method(object, _) => Ok(object),
        }
    }

    /// Calls.
    ///
    /// # Errors
    /// What Python raises.
    pub(crate) fn call(&self, arguments: &Arguments<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (Self::Object(object) | Self::Method(object, _)) = self;
        let py = object.py();
        match (self, &arguments.positional, &arguments.named) {
            (_, Positional::Few(few, _), None) => {
                let (object, [a, b, c, d]) = (object.as_ptr(), pointers(few));
                // SAFETY: the object, the name and the arguments are borrowed from owners that outlive the call; the
                // list ends at its first null, so it names exactly the arguments given. A new reference or an error
                // comes back.
                unsafe {
                    let null = std::ptr::null_mut::<ffi::PyObject>();
                    let result = match self {
                        Self::Object(_) => ffi::PyObject_CallFunctionObjArgs(object, a, b, c, d, null),
                        Self::Method(_, name) => {
                            ffi::PyObject_CallMethodObjArgs(object, name.as_ptr(), a, b, c, d, null)
                        }
                    };
                    Bound::from_owned_ptr_or_err(py, result)
                }
            }
            (Self::Object(_), ..) => object.call(arguments.tuple(py)?, arguments.named.as_ref()),
            (Self::Method(_, name), ..) => object.getattr(name)?.call(arguments.tuple(py)?, arguments.named.as_ref()),
        }
    }
}

impl<'py> Arguments<'py> {
    /// The positional ones.
    ///
    /// # Errors
    /// If Python is out of memory.
    pub(crate) fn tuple(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
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
