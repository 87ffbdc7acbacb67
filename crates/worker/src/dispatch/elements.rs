//! Requests for what an object holds: item by item, or all of it by value.

use pyo3::ffi;
use pyo3::prelude::*;
use tortoise_protocol::Writer;
use tortoise_protocol::request::read_iteration;

use super::{Handled, State};
use crate::failure::Fault;
use crate::from_wire::Request;
use crate::iterate::Items;
use crate::path::Root;

impl<'py> State<'py> {
    pub(super) fn iterate(&mut self, py: Python<'py>, request: &mut Request<'_>, reply: &mut Vec<u8>) -> Handled {
        let (target, most) = read_iteration(&mut request.reader)?;
        request.reader.end()?;
        let iterator = self.object(py, target)?.try_iter()?;
        let Items { list, more } = self.take(iterator.as_any(), most)?;
        if more {
            let reference = self.table.hand_out(iterator.as_any());
            Writer::new(reply).object(reference);
        } else {
            Writer::new(reply).nil();
        }
        self.answer(list.as_any(), reply, || Root::Items)
    }

    pub(super) fn next(&mut self, py: Python<'py>, request: &mut Request<'_>, reply: &mut Vec<u8>) -> Handled {
        let (iterator, most) = read_iteration(&mut request.reader)?;
        request.reader.end()?;
        let iterator = self.object(py, iterator)?;
        let Items { list, more } = self.take(&iterator, most)?;
        Writer::new(reply).boolean(more);
        self.answer(list.as_any(), reply, || Root::Items)
    }

    /// The next items. What somebody else holds too could be seen to have moved on, so it gives one at a time.
    fn take(&self, iterator: &Bound<'py, PyAny>, most: usize) -> PyResult<Items<'py>> {
        // SAFETY: the object is live.
        let references = unsafe { ffi::Py_REFCNT(iterator.as_ptr()) };
        let ours = if self.table.has(iterator) { 2 } else { 1 };
        self.iterators.take(iterator, if references > ours { most.min(1) } else { most })
    }

    pub(super) fn values(&mut self, py: Python<'py>, request: &mut Request<'_>, reply: &mut Vec<u8>) -> Handled {
        let object = self.target(py, &mut request.reader)?;
        request.reader.end()?;
        self.encoder(reply).elements(&object)?.map_err(|error| Fault::unconvertible(&error, &Root::Elements))
    }
}
