//! Does what one request asks for: one function for each kind of request.

use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple, PyType};
use tortoise_protocol::failure::Category;
use tortoise_protocol::frame::Kind;
use tortoise_protocol::limits::MAX_NAME_BYTES;
use tortoise_protocol::request::{
    Question, Selector, read_argument_count, read_describe, read_named_argument_count, read_roots,
};
use tortoise_protocol::{Depth, Malformed, Reader, Writer};

use crate::call::{Arguments, FEW, Positional};
use crate::failure::Fault;
use crate::from_wire::read_value;
use crate::gate::Gate;
use crate::hooks::Hooks;
use crate::names::type_name;
use crate::path::Root;
use crate::table::Table;
use crate::to_wire::Encoder;

/// What a session knows.
pub(crate) struct State<'py> {
    pub(crate) table: Table,
    pub(crate) gate: Gate,
    pub(crate) hooks: Hooks<'py>,
}

type Handled<T = ()> = Result<T, Fault>;

impl<'py> State<'py> {
    /// Does what a request of an answered kind asks for, and appends the answer's payload to `reply`.
    ///
    /// # Errors
    /// [`Fault`]; what `reply` then holds is worthless.
    pub(crate) fn handle(
        &mut self,
        py: Python<'py>,
        kind: Kind,
        reader: &mut Reader<'_>,
        reply: &mut Vec<u8>,
    ) -> Handled<Kind> {
        match kind {
            Kind::Call => self.call(py, reader, reply)?,
            Kind::Get => self.get(py, reader, reply)?,
            Kind::Construct => self.construct(py, reader, reply)?,
            Kind::Set => self.set(py, reader, reply)?,
            Kind::Has => self.has(py, reader, reply)?,
            Kind::Delete => self.delete(py, reader, reply)?,
            Kind::Roots => self.roots(reader, reply)?,
            Kind::Describe => {
                self.describe(py, reader, reply)?;
                return Ok(Kind::Described);
            }
            _ => return Err(Malformed::Unexpected { expected: "a request", found: "a message of another kind" }.into()),
        }
        Ok(Kind::Value)
    }

    fn describe(&mut self, py: Python<'py>, reader: &mut Reader<'_>, reply: &mut Vec<u8>) -> Handled {
        let (selector, held) = read_describe(reader)?;
        reader.end()?;
        let asked = match selector {
            Selector::Name(name) => PyString::new(py, name).into_any(),
            Selector::Class(id) => self.class(py, id)?.into_any(),
        };
        let answer = self.hooks.describe.call1((asked,)).map_err(|error| self.refusal_or_raised(py, error))?;
        let (class, fingerprint, bases, description): (
            Bound<'py, PyType>,
            Bound<'py, PyBytes>,
            Vec<Bound<'py, PyType>>,
            Bound<'py, PyBytes>,
        ) = answer.extract()?;

        let class = self.table.pin(&class);
        let mut writer = Writer::new(reply);
        writer.array(4);
        writer.unsigned(class);
        writer.binary(fingerprint.as_bytes());
        writer.array(bases.len());
        for base in &bases {
            writer.unsigned(self.table.pin(base));
        }
        match held {
            Some(held) if held == fingerprint.as_bytes() => writer.nil(),
            _ => writer.raw(description.as_bytes()),
        }
        Ok(())
    }

    fn construct(&mut self, py: Python<'py>, reader: &mut Reader<'_>, reply: &mut Vec<u8>) -> Handled {
        let class = reader.unsigned("a class id")?;
        let id = reader.unsigned("an id for the new object")?;
        if id % 2 == 0 || self.table.holds(id) {
            let found = "an even id, or one that is in use";
            return Err(Malformed::Unexpected { expected: "an odd and unused id for the new object", found }.into());
        }
        let class = self.class(py, class)?;
        let arguments = self.arguments(py, reader)?;
        let object = arguments.call(class.as_any())?;
        let reference = self.table.hand_out_as(id, &object);
        Writer::new(reply).object(reference);
        Ok(())
    }

    fn call(&mut self, py: Python<'py>, reader: &mut Reader<'_>, reply: &mut Vec<u8>) -> Handled {
        let target = self.target(py, reader)?;
        let name = reader.name("the name of a method")?;
        let result = if name.is_empty() {
            self.arguments(py, reader)?.call(&target)
        } else {
            let name = self.gate.pass(name, &target)?;
            self.arguments(py, reader)?.call_method(&target, &name)
        };
        self.answer(&result?, reply, || Root::ReturnValue)
    }

    fn get(&mut self, py: Python<'py>, reader: &mut Reader<'_>, reply: &mut Vec<u8>) -> Handled {
        let target = self.target(py, reader)?;
        let name = reader.name("the name of an attribute")?;
        reader.end()?;
        let value = target.getattr(self.gate.pass(name, &target)?)?;
        self.answer(&value, reply, || Root::Attribute(name.to_owned()))
    }

    fn set(&mut self, py: Python<'py>, reader: &mut Reader<'_>, reply: &mut Vec<u8>) -> Handled {
        let target = self.target(py, reader)?;
        let name = reader.name("the name of an attribute")?;
        let python_name = self.gate.pass(name, &target)?;
        let value = read_value(py, reader, &self.table, Depth::ROOT)
            .map_err(|error| Fault::unreadable(*error, || Root::NewValue(name.to_owned())))?;
        reader.end()?;
        target.setattr(python_name, value)?;
        Writer::new(reply).nil();
        Ok(())
    }

    /// A private name is answered like one that is not there: a question is no attempt.
    fn has(&mut self, py: Python<'py>, reader: &mut Reader<'_>, reply: &mut Vec<u8>) -> Handled {
        let target = self.target(py, reader)?;
        let name = reader.name("the name of an attribute")?;
        let question = Question::read(reader)?;
        reader.end()?;
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
    fn delete(&mut self, py: Python<'py>, reader: &mut Reader<'_>, reply: &mut Vec<u8>) -> Handled {
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

    fn roots(&mut self, reader: &mut Reader<'_>, reply: &mut Vec<u8>) -> Handled {
        let roots = read_roots(reader)?;
        reader.end()?;
        let py = self.hooks.set_roots.py();
        self.hooks.set_roots.call1((roots,)).map_err(|error| self.refusal_or_raised(py, error))?;
        Writer::new(reply).nil();
        Ok(())
    }

    /// The object that a request is about. Owned, so that user code runs without a borrow of the table.
    fn target(&self, py: Python<'py>, reader: &mut Reader<'_>) -> Handled<Bound<'py, PyAny>> {
        let id = reader.unsigned("an object id")?;
        self.table.get(py, id).cloned().ok_or_else(|| Fault::stale(id))
    }

    fn class(&self, py: Python<'py>, id: u64) -> Handled<Bound<'py, PyType>> {
        let object = self.table.get(py, id).ok_or_else(|| Fault::stale(id))?;
        object.cast::<PyType>().cloned().map_err(|_| {
            let message = format!("object {id} is no class but an object of {}", type_name(object));
            Fault::not_run(Category::Access, message)
        })
    }

    /// Reads the arguments, which end the payload.
    fn arguments(&self, py: Python<'py>, reader: &mut Reader<'_>) -> Handled<Arguments<'py>> {
        let count = read_argument_count(reader)?;
        let mut argument = |index| {
            read_value(py, reader, &self.table, Depth::ROOT)
                .map_err(|error| Fault::unreadable(*error, || Root::Argument(index)))
        };
        let positional = if count <= FEW {
            let mut few = [const { None }; FEW];
            for (index, slot) in few.iter_mut().enumerate().take(count) {
                *slot = Some(argument(index)?);
            }
            Positional::Few(few, count)
        } else {
            let arguments = (0..count).map(argument).collect::<Handled<Vec<_>>>()?;
            Positional::Many(PyTuple::new(py, arguments)?)
        };
        let named = match read_named_argument_count(reader)? {
            0 => None,
            count => Some(self.named_arguments(py, reader, count)?),
        };
        reader.end()?;
        Ok(Arguments { positional, named })
    }

    fn named_arguments(&self, py: Python<'py>, reader: &mut Reader<'_>, count: usize) -> Handled<Bound<'py, PyDict>> {
        let named = PyDict::new(py);
        for _ in 0..count {
            let name = reader.text("the name of an argument", MAX_NAME_BYTES)?;
            let value = read_value(py, reader, &self.table, Depth::ROOT)
                .map_err(|error| Fault::unreadable(*error, || Root::NamedArgument(name.to_owned())))?;
            named.set_item(name, value)?;
        }
        if named.len() == count {
            Ok(named)
        } else {
            Err(Malformed::Unexpected { expected: "different names of arguments", found: "one name twice" }.into())
        }
    }

    fn answer(&mut self, value: &Bound<'py, PyAny>, reply: &mut Vec<u8>, root: impl FnOnce() -> Root) -> Handled {
        Encoder::new(reply, Some(&mut self.table))
            .value(value, Depth::ROOT)
            .map_err(|error| Fault::unconvertible(&error, &root()))
    }

    fn refusal_or_raised(&self, py: Python<'py>, error: PyErr) -> Fault {
        if error.is_instance(py, &self.hooks.refused) {
            Fault::not_run(Category::Access, error.value(py).to_string())
        } else {
            Fault::Raised(error)
        }
    }
}
