//! Requests for an attribute: read it, write it, ask after it, delete it.

use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use tortoise_protocol::Depth;
use tortoise_protocol::request::Question;

use super::{Handled, State};
use crate::answer::Answer;
use crate::failure::Fault;
use crate::from_wire::{Decoder, Request};
use crate::gate::Gate;
use crate::path::Root;

impl State {
    pub(super) fn get(&self, py: Python<'_>, request: &mut Request<'_>, answer: &mut Answer) -> Handled {
        let target = self.target(py, &mut request.reader)?;
        let name = request.reader.name("the name of an attribute")?;
        request.end()?;
        let python_name = self.passed(name, &target)?;
        let value = target.getattr(python_name)?;
        self.write(&value, answer, || Root::Attribute(name.to_owned()))
    }

    pub(super) fn set(&self, py: Python<'_>, request: &mut Request<'_>, answer: &mut Answer) -> Handled {
        let target = self.target(py, &mut request.reader)?;
        let name = request.reader.name("the name of an attribute")?;
        let python_name = self.passed(name, &target)?;
        let value = Decoder::new(py, request, self)
            .value(Depth::ROOT)
            .map_err(|error| Fault::unreadable(*error, || Root::NewValue(name.to_owned())))?;
        request.end()?;
        target.setattr(python_name, value)?;
        answer.writer().nil();
        Ok(())
    }

    /// A private name is answered like one that is not there, and so are those of a module that is not open: a question is
    /// no attempt.
    pub(super) fn has(&self, py: Python<'_>, request: &mut Request<'_>, answer: &mut Answer) -> Handled {
        let target = self.target(py, &mut request.reader);
        let name = request.reader.name("the name of an attribute")?;
        let question = Question::read(&mut request.reader)?;
        request.end()?;
        let target = match target {
            // PHP asks this before a call: whoever calls is to be told.
            Err(fault) if fault.is_access() && question != Question::IsCallable => {
                answer.writer().boolean(false);
                return Ok(());
            }
            target => target?,
        };
        let found = if Gate::is_open(name) || Gate::opens(name, &target) {
            let python_name = self.passed(name, &target)?;
            match target.getattr(python_name) {
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
        answer.writer().boolean(found);
        Ok(())
    }

    /// What is not there counts as deleted: PHP's `unset` does not complain.
    pub(super) fn delete(&self, py: Python<'_>, request: &mut Request<'_>, answer: &mut Answer) -> Handled {
        let target = self.target(py, &mut request.reader)?;
        let name = request.reader.name("the name of an attribute")?;
        request.end()?;
        let python_name = self.passed(name, &target)?;
        if let Err(error) = target.delattr(&python_name) {
            let is_absent = error.is_instance_of::<PyAttributeError>(py) && !target.hasattr(python_name)?;
            if !is_absent {
                return Err(error.into());
            }
        }
        answer.writer().nil();
        Ok(())
    }
}
