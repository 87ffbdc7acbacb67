//! Does what one request asks for: one function for each kind of request.

mod attributes;
mod elements;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyType};
use tortoise_protocol::failure::Category;
use tortoise_protocol::frame::{Header, Kind};
use tortoise_protocol::request::{MethodName, Selector, read_describe, read_roots};
use tortoise_protocol::{Depth, Malformed, Reader, Writer};

use crate::call::{Arguments, Callee};
use crate::failure::Fault;
use crate::from_wire::Request;
use crate::gate::{Gate, Method, refused};
use crate::hooks::Hooks;
use crate::iterate::Iterators;
use crate::names::type_name;
use crate::numpy::Numpy;
use crate::parameters::Known;
use crate::path::Root;
use crate::table::Table;
use crate::to_wire::{Context, Encoder, Segments};

/// What `Hooks::describe` gives.
type Described<'py> = (Bound<'py, PyType>, Bound<'py, PyBytes>, Vec<Option<Bound<'py, PyType>>>, Bound<'py, PyBytes>);

/// What a session knows.
pub(crate) struct State<'py> {
    pub(crate) table: Table,
    pub(crate) gate: Gate,
    /// What goes behind the payload of the answer that is being written.
    pub(crate) segments: Segments,
    pub(crate) numpy: Numpy,
    /// Whether the client of this request takes integers of more than 64 bits.
    pub(crate) takes_big_integers: bool,
    pub(crate) iterators: Iterators,
    pub(crate) known: Known<'py>,
    pub(crate) hooks: Hooks<'py>,
    /// Whether context managers were entered in this request.
    pub(crate) has_entered: bool,
}

pub(crate) type Handled<T = ()> = Result<T, Fault>;

impl<'py> State<'py> {
    /// Of a session that has just begun.
    pub(crate) fn new(hooks: Hooks<'py>) -> Self {
        Self {
            table: Table::new(&hooks.classless),
            gate: Gate::default(),
            segments: Segments::default(),
            numpy: Numpy::new(&hooks.scalar_types),
            takes_big_integers: false,
            iterators: Iterators::new(&hooks.iterators),
            known: Known::new(hooks.special.clone(), hooks.function.clone(), hooks.method.clone()),
            hooks,
            has_entered: false,
        }
    }

    /// Does what a request of an answered kind asks for, and appends the answer's payload to `reply`.
    ///
    /// # Errors
    /// [`Fault`]; what `reply` then holds is worthless.
    pub(crate) fn handle(
        &mut self,
        py: Python<'py>,
        kind: Kind,
        request: &mut Request<'_>,
        reply: &mut Vec<u8>,
    ) -> Handled<Kind> {
        match kind {
            Kind::Call => self.call(py, request, reply)?,
            Kind::Get => self.get(py, request, reply)?,
            Kind::Construct => self.construct(py, request, reply)?,
            Kind::Set => self.set(py, request, reply)?,
            Kind::Has => self.has(py, request, reply)?,
            Kind::Delete => self.delete(py, request, reply)?,
            Kind::Roots => self.roots(request, reply)?,
            Kind::Iterate => self.iterate(py, request, reply)?,
            Kind::Next => self.next(py, request, reply)?,
            Kind::Values => self.values(py, request, reply)?,
            Kind::Import => self.import(py, &mut request.reader, reply)?,
            Kind::Script => self.script(py, &mut request.reader, reply)?,
            Kind::Enter => self.enter(py, &mut request.reader, reply)?,
            Kind::Exit => self.exit(py, &mut request.reader, reply)?,
            Kind::Operate => self.operate(py, request, reply)?,
            Kind::Describe => {
                self.describe(py, request, reply)?;
                return Ok(Kind::Described);
            }
            _ => return Err(Malformed::Unexpected { expected: "a request", found: "a message of another kind" }.into()),
        }
        Ok(Kind::Value)
    }

    /// The header of the answer that was written.
    pub(crate) fn header(&self, kind: Kind, call: u64) -> Header {
        // What is too much for a frame was refused when it was written.
        Header { segment_bytes: self.segments.bytes() as u32, ..Header::new(kind, call) }
    }

    /// The answer that was being written does not go out.
    pub(crate) fn take_back(&mut self) {
        self.table.roll_back();
        self.segments.clear();
    }

    fn describe(&mut self, py: Python<'py>, request: &mut Request<'_>, reply: &mut Vec<u8>) -> Handled {
        let (selector, held) = read_describe(&mut request.reader)?;
        request.reader.end()?;
        let asked = match selector {
            Selector::Name(name) => PyString::new(py, name).into_any(),
            Selector::Class(id) => self.class(py, id)?.into_any(),
        };
        let answer = self.hooks.describe.call1((asked,)).map_err(|error| self.refusal_or_raised(py, error))?;
        let (class, fingerprint, bases, description): Described<'py> = answer.extract()?;

        let class = self.table.pin(&class);
        let mut writer = Writer::new(reply);
        writer.array(4);
        writer.unsigned(class);
        writer.binary(fingerprint.as_bytes());
        writer.array(bases.len());
        for base in &bases {
            // A PHP class is named in the description.
            writer.unsigned(base.as_ref().map_or(0, |base| self.table.pin(base)));
        }
        match held {
            Some(held) if held == fingerprint.as_bytes() => writer.nil(),
            _ => writer.raw(description.as_bytes()),
        }
        Ok(())
    }

    fn construct(&mut self, py: Python<'py>, request: &mut Request<'_>, reply: &mut Vec<u8>) -> Handled {
        let class = request.reader.unsigned("a class id")?;
        let id = request.reader.unsigned("an id for the new object")?;
        if id % 2 == 0 || self.table.holds(id) {
            let found = "an even id, or one that is in use";
            return Err(Malformed::Unexpected { expected: "an odd and unused id for the new object", found }.into());
        }
        let mut callee = Callee::Object(self.class(py, class)?.into_any());
        let arguments = Arguments::read(py, request, &self.table, &self.hooks.moments, &mut callee, &mut self.known)?;
        let object = callee.call(&arguments)?;
        let reference = self.table.hand_out_as(id, &object);
        Writer::new(reply).object(reference);
        Ok(())
    }

    fn call(&mut self, py: Python<'py>, request: &mut Request<'_>, reply: &mut Vec<u8>) -> Handled {
        let id = request.reader.unsigned("an object id")?;
        let method = self.gate.method(py, MethodName::read(&mut request.reader)?)?;
        let target = self.object(py, id)?;
        let mut callee = match method {
            Method::Open(name) => Callee::Method(target, name),
            Method::Itself => Callee::Object(target),
            Method::Refused(name) => return Err(refused(&name, &target).into()),
        };
        let arguments = Arguments::read(py, request, &self.table, &self.hooks.moments, &mut callee, &mut self.known)?;
        let result = callee.call(&arguments)?;
        self.answer(&result, reply, || Root::ReturnValue)
    }

    fn roots(&mut self, request: &mut Request<'_>, reply: &mut Vec<u8>) -> Handled {
        let roots = read_roots(&mut request.reader)?;
        request.reader.end()?;
        let py = self.hooks.set_roots.py();
        self.hooks.set_roots.call1((roots,)).map_err(|error| self.refusal_or_raised(py, error))?;
        Writer::new(reply).nil();
        Ok(())
    }

    /// The object that a request is about. Owned, so that user code runs without a borrow of the table.
    pub(crate) fn target(&mut self, py: Python<'py>, reader: &mut Reader<'_>) -> Handled<Bound<'py, PyAny>> {
        let id = reader.unsigned("an object id")?;
        self.object(py, id)
    }

    /// The object of an id that is about to be used. A module must be one that PHP may use.
    fn object(&mut self, py: Python<'py>, id: u64) -> Handled<Bound<'py, PyAny>> {
        match self.table.target(py, id) {
            Some((object, false)) => Ok(object.clone()),
            Some((module, true)) => {
                let module = module.clone();
                self.pass_module(py, id, &module)?;
                Ok(module)
            }
            None => Err(Fault::stale(id)),
        }
    }

    fn class(&self, py: Python<'py>, id: u64) -> Handled<Bound<'py, PyType>> {
        let object = self.table.get(py, id).ok_or_else(|| Fault::stale(id))?;
        object.cast::<PyType>().cloned().map_err(|_| {
            let message = format!("object {id} is no class but an object of {}", type_name(object));
            Fault::not_run(Category::Access, message)
        })
    }

    pub(crate) fn answer(
        &mut self,
        value: &Bound<'py, PyAny>,
        reply: &mut Vec<u8>,
        root: impl FnOnce() -> Root,
    ) -> Handled {
        self.encoder(reply).value(value, Depth::ROOT).map_err(|error| Fault::unconvertible(&error, &root()))
    }

    pub(crate) fn encoder<'a>(&'a mut self, reply: &'a mut Vec<u8>) -> Encoder<'a, 'py> {
        let Self { table, segments, numpy, takes_big_integers, .. } = self;
        let (moments, takes_big_integers) = (&self.hooks.moments, *takes_big_integers);
        Encoder::new(reply, Some(Context { table, segments, numpy, moments, takes_big_integers }))
    }

    pub(crate) fn refusal_or_raised(&self, py: Python<'py>, error: PyErr) -> Fault {
        if error.is_instance(py, &self.hooks.refused) {
            Fault::not_run(Category::Access, error.value(py).to_string())
        } else {
            Fault::Raised(error)
        }
    }
}
