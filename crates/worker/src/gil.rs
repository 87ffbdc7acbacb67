//! What the threads of a session share: the interpreter's lock guards it.

use std::cell::{RefCell, RefMut};
use std::fmt;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// A value for whoever holds the interpreter's lock.
///
/// It is borrowed for a few lines only, in which no code of Python can run. Where code of Python runs in between
/// nevertheless, such as a `__del__` that the garbage collector calls, a second borrow is an error and not a panic.
pub(crate) struct GilCell<T>(RefCell<T>);

// SAFETY: the flag of the `RefCell` is touched by `borrow`, which takes a token for the interpreter's lock, and where a
// borrow ends. A borrow does not outlive the token, and is not `Send`, so it does not get into code that runs without the
// lock either. So all accesses happen one after the other, and what is inside may be used by any thread.
unsafe impl<T: Send> Sync for GilCell<T> {}

impl<T> GilCell<T> {
    /// Holds `value`.
    pub(crate) const fn new(value: T) -> Self {
        Self(RefCell::new(value))
    }

    /// The value, until the borrow is dropped.
    ///
    /// # Errors
    /// [`Busy`], which is a RuntimeError in Python, if it is in use: the code that asks runs in the middle of ours.
    #[inline]
    pub(crate) fn borrow<'a>(&'a self, _py: Python<'a>) -> Result<RefMut<'a, T>, Busy> {
        self.0.try_borrow_mut().map_err(|_| Busy)
    }
}

/// A value is in use already. (An exception would be larger than most of what is borrowed.)
#[derive(Debug, Clone, Copy)]
pub(crate) struct Busy;

impl fmt::Display for Busy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the session is in the middle of something; a destructor cannot use it now")
    }
}

impl From<Busy> for PyErr {
    #[cold]
    fn from(busy: Busy) -> Self {
        PyRuntimeError::new_err(busy.to_string())
    }
}
