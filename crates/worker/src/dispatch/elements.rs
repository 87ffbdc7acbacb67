//! Requests for what an object holds: item by item, or all of it by value.

use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyIterator;
use tortoise_protocol::request::read_iteration;

use super::{Handled, State};
use crate::answer::Answer;
use crate::failure::Fault;
use crate::from_wire::Request;
use crate::iterate::Items;
use crate::path::Root;

impl State {
    pub(super) fn iterate(&self, py: Python<'_>, request: &mut Request<'_>, answer: &mut Answer) -> Handled {
        let (target, most) = read_iteration(&mut request.reader)?;
        request.end()?;
        let iterator = self.iterator(self.usable(py, target)?)?;
        let Items { list, more } = self.take(iterator.as_any(), most)?;
        if more {
            let reference = self.table.borrow(py)?.hand_out(iterator.as_any(), &mut answer.given);
            answer.writer().object(reference);
        } else {
            answer.writer().nil();
        }
        self.write(list.as_any(), answer, || Root::Items)
    }

    /// The target is let go of: an iterator is its own, and is taken ahead only where nobody else holds it.
    fn iterator<'py>(&self, target: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyIterator>> {
        let py = target.py();
        target.try_iter().or_else(|error| {
            // What `async for` takes is awaited, item by item.
            let is_async = error.is_instance_of::<PyTypeError>(py) && target.get_type().hasattr("__aiter__")?;
            if !is_async {
                return Err(error);
            }
            self.hooks.coroutines.bind(py).call_method1("iterate", (&target,))?.try_iter()
        })
    }

    pub(super) fn next(&self, py: Python<'_>, request: &mut Request<'_>, answer: &mut Answer) -> Handled {
        let (iterator, most) = read_iteration(&mut request.reader)?;
        request.end()?;
        let iterator = self.usable(py, iterator)?;
        let Items { list, more } = self.take(&iterator, most)?;
        answer.writer().boolean(more);
        self.write(list.as_any(), answer, || Root::Items)
    }

    /// The next items. What somebody else holds too could be seen to have moved on, so it gives one at a time.
    fn take<'py>(&self, iterator: &Bound<'py, PyAny>, most: usize) -> PyResult<Items<'py>> {
        // SAFETY: the object is live.
        let references = unsafe { ffi::Py_REFCNT(iterator.as_ptr()) };
        let ours = if self.table.borrow(iterator.py())?.keeps(iterator) { 2 } else { 1 };
        self.iterators.take(iterator, if references > ours { most.min(1) } else { most })
    }

    pub(super) fn values(&self, py: Python<'_>, request: &mut Request<'_>, answer: &mut Answer) -> Handled {
        let object = self.target(py, &mut request.reader)?;
        request.end()?;
        answer.encoder(self).elements(&object)?.map_err(|error| Fault::unconvertible(&error, &Root::Elements))
    }
}
