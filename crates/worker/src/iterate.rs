//! Iteration: an iterator for the client, and items of it ahead of time where that cannot be seen.

use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyType};
use rustc_hash::FxHashSet;

use crate::names::type_name;

/// The iterators of Python's own containers: nothing can be told from when they give their items.
pub(crate) struct Iterators {
    /// The addresses of their types, which live as long as the interpreter.
    of_containers: FxHashSet<usize>,
}

/// Items of an iterator, and whether more may come.
pub(crate) struct Items<'py> {
    /// The items.
    pub(crate) list: Bound<'py, PyList>,
    /// False if the iterator has said that it has no more.
    pub(crate) more: bool,
}

impl Iterators {
    /// `types` are exact: a subclass may do anything.
    pub(crate) fn new(types: &[Py<PyType>]) -> Self {
        Self { of_containers: types.iter().map(|kind| kind.as_ptr() as usize).collect() }
    }

    /// The next items of an iterator: up to `most`, but only one where it runs code to make them.
    ///
    /// # Errors
    /// What the iterator raises, and TypeError if it is none.
    pub(crate) fn take<'py>(&self, iterator: &Bound<'py, PyAny>, most: usize) -> PyResult<Items<'py>> {
        let py = iterator.py();
        // SAFETY: the object is live. Whoever calls the next item of what is no iterator calls a null pointer.
        if unsafe { ffi::PyIter_Check(iterator.as_ptr()) } == 0 {
            return Err(PyTypeError::new_err(format!("{} is no iterator", type_name(iterator))));
        }
        let is_ahead = self.of_containers.contains(&(iterator.get_type().as_ptr() as usize));
        let list = PyList::empty(py);
        let most = if is_ahead { most } else { most.min(1) };
        while list.len() < most {
            // SAFETY: it is an iterator; null comes with an exception, or without one at the end.
            let item = unsafe { Bound::from_owned_ptr_or_opt(py, ffi::PyIter_Next(iterator.as_ptr())) };
            match (item, PyErr::take(py)) {
                (Some(item), _) => list.append(item)?,
                (None, None) => return Ok(Items { list, more: false }),
                (None, Some(error)) if list.is_empty() => return Err(error),
                // A container that has changed says so again when it is asked again.
                (None, Some(_)) => break,
            }
        }
        Ok(Items { list, more: true })
    }
}
