//! Requests for what an object holds: item by item, or all of it by value.

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
        let Items { list, more } = self.iterators.take(iterator.as_any(), most)?;
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
        let Items { list, more } = self.iterators.take(&self.object(py, iterator)?, most)?;
        Writer::new(reply).boolean(more);
        self.answer(list.as_any(), reply, || Root::Items)
    }

    pub(super) fn values(&mut self, py: Python<'py>, request: &mut Request<'_>, reply: &mut Vec<u8>) -> Handled {
        let object = self.target(py, &mut request.reader)?;
        request.reader.end()?;
        self.encoder(reply).elements(&object)?.map_err(|error| Fault::unconvertible(&error, &Root::Elements))
    }
}
