//! Reads the arguments of a call.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use tortoise_protocol::limits::MAX_NAME_BYTES;
use tortoise_protocol::request::{read_argument_count, read_named_argument_count};
use tortoise_protocol::{Depth, Malformed};

use crate::call::{Arguments, FEW, Positional};
use crate::failure::Fault;
use crate::from_wire::{Decoder, Request};
use crate::path::Root;
use crate::table::Table;

impl<'py> Arguments<'py> {
    /// Reads the arguments, which end the payload.
    ///
    /// # Errors
    /// [`Fault`]; nothing has been called then.
    pub(crate) fn read(py: Python<'py>, request: &mut Request<'_>, table: &Table) -> Result<Self, Fault> {
        let mut decoder = Decoder::new(py, request, table);
        let count = read_argument_count(decoder.reader())?;
        let mut argument =
            |index| decoder.element().map_err(|error| Fault::unreadable(*error, || Root::Argument(index)));
        let positional = if count <= FEW {
            let mut few = [const { None }; FEW];
            for (index, slot) in few.iter_mut().enumerate().take(count) {
                *slot = Some(argument(index)?);
            }
            Positional::Few(few, count)
        } else {
            let arguments = (0..count).map(argument).collect::<Result<Vec<_>, Fault>>()?;
            Positional::Many(PyTuple::new(py, arguments)?)
        };
        let named = match read_named_argument_count(decoder.reader())? {
            0 => None,
            count => Some(named(py, &mut decoder, count)?),
        };
        decoder.reader().end()?;
        Ok(Self { positional, named })
    }
}

fn named<'py>(py: Python<'py>, decoder: &mut Decoder<'_, 'py, '_>, count: usize) -> Result<Bound<'py, PyDict>, Fault> {
    let named = PyDict::new(py);
    for _ in 0..count {
        let name = decoder.reader().text("the name of an argument", MAX_NAME_BYTES)?;
        let value = decoder
            .value(Depth::ROOT)
            .map_err(|error| Fault::unreadable(*error, || Root::NamedArgument(name.to_owned())))?;
        named.set_item(name, value)?;
    }
    if named.len() == count {
        Ok(named)
    } else {
        Err(Malformed::Unexpected { expected: "different names of arguments", found: "one name twice" }.into())
    }
}
