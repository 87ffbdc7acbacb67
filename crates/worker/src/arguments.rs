//! Reads the arguments of a call.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use tortoise_protocol::limits::MAX_NAME_BYTES;
use tortoise_protocol::request::{read_argument_count, read_named_argument_count};
use tortoise_protocol::{Depth, Malformed};

use crate::call::{Arguments, Callee, FEW, Positional};
use crate::dispatch::State;
use crate::failure::Fault;
use crate::from_wire::{Decoder, Request};
use crate::parameters::Wishes;
use crate::path::Root;

/// The arguments of a call that is about to be made.
struct Reading<'a, 'py, 'r> {
    decoder: Decoder<'a, 'py, 'r>,
    callee: &'a mut Callee<'py>,
    state: &'a State,
    /// What the parameters want. None until there is an argument that could be wanted as something else: most calls
    /// have none, and need not be looked at.
    wishes: Option<Wishes>,
}

impl<'py> Arguments<'py> {
    /// Reads the arguments for `callee`, which end the payload.
    ///
    /// # Errors
    /// [`Fault`]; nothing has been called then.
    pub(crate) fn read(
        py: Python<'py>,
        request: &mut Request<'_>,
        state: &State,
        callee: &mut Callee<'py>,
    ) -> Result<Self, Fault> {
        let mut reading = Reading { decoder: Decoder::new(py, request, state), callee, state, wishes: None };
        let count = read_argument_count(reading.decoder.reader())?;
        let positional = if count <= FEW {
            let mut few = [const { None }; FEW];
            for (index, slot) in few.iter_mut().enumerate().take(count) {
                *slot = Some(reading.positional(index)?);
            }
            Positional::Few(few, count)
        } else {
            let arguments = (0..count).map(|index| reading.positional(index)).collect::<Result<Vec<_>, Fault>>()?;
            Positional::Many(PyTuple::new(py, arguments)?)
        };
        let named = match read_named_argument_count(reading.decoder.reader())? {
            0 => None,
            count => Some(reading.named(py, count)?),
        };
        drop(reading);
        request.end()?;
        Ok(Self { positional, named })
    }
}

impl<'py> Reading<'_, 'py, '_> {
    fn positional(&mut self, index: usize) -> Result<Bound<'py, PyAny>, Fault> {
        let wishes = if self.has_wishes()? { self.wishes.as_ref() } else { None };
        match wishes.and_then(|wishes| wishes.positional(index)) {
            Some(wanted) => self.decoder.wanted(wanted),
            None => self.decoder.element(),
        }
        .map_err(|error| Fault::unreadable(*error, || Root::Argument(index)))
    }

    fn named(&mut self, py: Python<'py>, count: usize) -> Result<Bound<'py, PyDict>, Fault> {
        let named = PyDict::new(py);
        for _ in 0..count {
            let name = self.decoder.reader().text("the name of an argument", MAX_NAME_BYTES)?;
            let wishes = if self.has_wishes()? { self.wishes.as_ref() } else { None };
            let value = match wishes.and_then(|wishes| wishes.named(name)) {
                Some(wanted) => self.decoder.wanted(wanted),
                None => self.decoder.value(Depth::ROOT),
            }
            .map_err(|error| Fault::unreadable(*error, || Root::NamedArgument(name.to_owned())))?;
            named.set_item(name, value)?;
        }
        if named.len() == count {
            Ok(named)
        } else {
            Err(Malformed::Unexpected { expected: "different names of arguments", found: "one name twice" }.into())
        }
    }

    /// Whether the next argument could be wanted as something else. What the parameters want is looked up then.
    fn has_wishes(&mut self) -> Result<bool, Fault> {
        if !self.decoder.may_be_wanted() {
            return Ok(false);
        }
        if self.wishes.is_none() {
            self.wishes = Some(self.state.known.of(self.callee.resolve()?));
        }
        Ok(true)
    }
}
