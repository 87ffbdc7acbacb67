//! Requests for an attribute: read it, write it, ask after it, delete it.

use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use tortoise_protocol::request::Question;
use tortoise_protocol::{Depth, Writer};

use super::{Handled, State};
use crate::failure::Fault;
use crate::from_wire::{Decoder, Request};
use crate::gate::Gate;
use crate::path::Root;

impl<'py> State<'py> {
    pub(super) fn get(&mut self, py: Python<'py>, request: &mut Request<'_>, reply: &mut Vec<u8>) -> Handled {
        let reader = &mut request.reader;
        let target = self.target(py, reader)?;
        let name = reader.name("the name of an attribute")?;
        reader.end()?;
        let value = target.getattr(self.gate.pass(name, &target)?)?;
        self.answer(&value, reply, || Root::Attribute(name.to_owned()))
    }

    pub(super) fn set(&mut self, py: Python<'py>, request: &mut Request<'_>, reply: &mut Vec<u8>) -> Handled {
        let reader = &mut request.reader;
        let target = self.target(py, reader)?;
        let name = reader.name("the name of an attribute")?;
        let python_name = self.gate.pass(name, &target)?;
        let value = Decoder::new(py, request, &self.table, &self.hooks.moments)
            .value(Depth::ROOT)
            .map_err(|error| Fault::unreadable(*error, || Root::NewValue(name.to_owned())))?;
        request.reader.end()?;
        target.setattr(python_name, value)?;
        Writer::new(reply).nil();
        Ok(())
    }

    /// A private name is answered like one that is not there, and so are those of a module that is not open: a question is
    /// no attempt.
    pub(super) fn has(&mut self, py: Python<'py>, request: &mut Request<'_>, reply: &mut Vec<u8>) -> Handled {
        let reader = &mut request.reader;
        let target = self.target(py, reader);
        let name = reader.name("the name of an attribute")?;
        let question = Question::read(reader)?;
        reader.end()?;
        let target = match target {
            // PHP asks this before a call: whoever calls is to be told.
            Err(fault) if fault.is_access() && question != Question::IsCallable => {
                Writer::new(reply).boolean(false);
                return Ok(());
            }
            target => target?,
        };
        let found = if Gate::is_open(name) {
            match target.getattr(self.gate.pass(name, &target)?) {
                Ok(value) => match question {
                    Question::IsSet => !value.is_none(),
                    Question::IsCallable => value.is_callable(),
                    Question::Exists => true,
                },
                Err(error) if error.is_instance_of::<PyAttributeError>(py) => false,
                Err(error) => return Err(error.into()),
            }
        } else {
            false
        };
        Writer::new(reply).boolean(found);
        Ok(())
    }

    /// What is not there counts as deleted: PHP's `unset` does not complain.
    pub(super) fn delete(&mut self, py: Python<'py>, request: &mut Request<'_>, reply: &mut Vec<u8>) -> Handled {
        let reader = &mut request.reader;
        let target = self.target(py, reader)?;
        let name = reader.name("the name of an attribute")?;
        reader.end()?;
        let python_name = self.gate.pass(name, &target)?;
        if let Err(error) = target.delattr(&python_name) {
            let is_absent = error.is_instance_of::<PyAttributeError>(py) && !target.hasattr(python_name)?;
            if !is_absent {
                return Err(error.into());
            }
        }
        Writer::new(reply).nil();
        Ok(())
    }
}
