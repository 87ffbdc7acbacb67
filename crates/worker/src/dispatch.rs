//! Does what one request asks for: one function for each kind of request.

mod attributes;
mod elements;
mod inheritance;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Weak};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyType};
use tortoise_protocol::failure::Category;
use tortoise_protocol::frame::Kind;
use tortoise_protocol::request::{MethodName, Selector, read_describe, read_roots};
use tortoise_protocol::{Depth, Malformed, Reader};

use crate::answer::Answer;
use crate::call::{Arguments, Callee};
use crate::callback::Room;
use crate::conversation::Conversation;
use crate::coroutines::Coroutines;
use crate::failure::Fault;
use crate::from_wire::Request;
use crate::gate::{Gate, Method, refused};
use crate::gil::{Busy, GilCell};
use crate::hooks::Hooks;
use crate::iterate::Iterators;
use crate::names::type_name;
use crate::numpy::Numpy;
use crate::parameters::Known;
use crate::path::Root;
use crate::php::PhpObjects;
use crate::table::Table;
use crate::to_wire::Encoder;

/// What `Hooks::describe` gives.
type Described<'py> = (Bound<'py, PyType>, Bound<'py, PyBytes>, Vec<Option<Bound<'py, PyType>>>, Bound<'py, PyBytes>);

/// What a session knows. Several threads may be at work in it, one of them at a time, and one request inside another.
pub(crate) struct State {
    /// Itself, for what lives as long as Python code wants.
    pub(crate) itself: Weak<State>,
    pub(crate) table: GilCell<Table>,
    pub(crate) gate: GilCell<Gate>,
    pub(crate) numpy: Numpy,
    pub(crate) iterators: Iterators,
    pub(crate) known: Known,
    pub(crate) hooks: Hooks,
    pub(crate) conversation: Conversation,
    pub(crate) php: PhpObjects,
    pub(crate) coroutines: Coroutines,
    /// What callbacks were written and read in.
    pub(crate) rooms: GilCell<Vec<Room>>,
    /// Whether context managers were entered in this request.
    pub(crate) has_entered: AtomicBool,
}

pub(crate) type Handled<T = ()> = Result<T, Fault>;

impl State {
    /// Of a session that has just begun.
    pub(crate) fn new(py: Python<'_>, hooks: Hooks, conversation: Conversation) -> Arc<Self> {
        let (special, function) = (hooks.special.clone_ref(py), hooks.function.clone_ref(py));
        Arc::new_cyclic(|itself| Self {
            itself: Weak::clone(itself),
            table: GilCell::new(Table::new(&hooks.classless)),
            gate: GilCell::new(Gate::default()),
            numpy: Numpy::new(hooks.scalar_types.clone_ref(py)),
            iterators: Iterators::new(&hooks.iterators),
            known: Known::new(special, function, hooks.method.clone_ref(py)),
            hooks,
            conversation,
            php: PhpObjects::new(),
            coroutines: Coroutines::default(),
            rooms: GilCell::new(Vec::new()),
            has_entered: AtomicBool::new(false),
        })
    }

    /// The session is over: its objects go.
    pub(crate) fn forget(&self, py: Python<'_>) {
        if let Ok(mut table) = self.table.borrow(py) {
            table.forget();
        }
        self.drop_doomed(py);
    }

    /// Does what a request of an answered kind asks for, and appends the answer's payload.
    ///
    /// # Errors
    /// [`Fault`]; what `answer` then holds is worthless.
    pub(crate) fn handle(
        &self,
        py: Python<'_>,
        kind: Kind,
        request: &mut Request<'_>,
        answer: &mut Answer,
    ) -> Handled<Kind> {
        match kind {
            Kind::Call => self.call(py, request, answer)?,
            Kind::Get => self.get(py, request, answer)?,
            Kind::Construct => self.construct(py, request, answer)?,
            Kind::Set => self.set(py, request, answer)?,
            Kind::Has => self.has(py, request, answer)?,
            Kind::Delete => self.delete(py, request, answer)?,
            Kind::Roots => self.roots(py, request, answer)?,
            Kind::Iterate => self.iterate(py, request, answer)?,
            Kind::Next => self.next(py, request, answer)?,
            Kind::Values => self.values(py, request, answer)?,
            Kind::Import => self.import(py, request, answer)?,
            Kind::Script => self.script(py, request, answer)?,
            Kind::Share => self.share(py, request, answer)?,
            Kind::Enter => self.enter(py, request, answer)?,
            Kind::Exit => self.exit(py, request, answer)?,
            Kind::Operate => self.operate(py, request, answer)?,
            Kind::Extend => self.extend(py, request, answer)?,
            Kind::Halve => self.halve(py, request, answer)?,
            Kind::Initialize => self.initialize(py, request, answer)?,
            Kind::CallFrom => self.call_from(py, request, answer)?,
            Kind::LetGo => self.let_go(py, request, answer)?,
            Kind::Hold => {
                request.end()?;
                if self.conversation.is_shared() {
                    self.conversation.levels.borrow(py)?.hold();
                }
                answer.writer().nil();
            }
            Kind::Describe => {
                self.describe(py, request, answer)?;
                return Ok(Kind::Described);
            }
            _ => return Err(Malformed::Unexpected { expected: "a request", found: "a message of another kind" }.into()),
        }
        Ok(Kind::Value)
    }

    fn describe(&self, py: Python<'_>, request: &mut Request<'_>, answer: &mut Answer) -> Handled {
        let (selector, held) = read_describe(&mut request.reader)?;
        request.end()?;
        let asked = match selector {
            Selector::Name(name) => PyString::new(py, name).into_any(),
            Selector::Class(id) => self.class(py, id)?.into_any(),
        };
        let described =
            self.hooks.describe.bind(py).call1((asked,)).map_err(|error| self.refusal_or_raised(py, error))?;
        let (class, fingerprint, bases, description): Described<'_> = described.extract()?;

        let mut table = self.table.borrow(py)?;
        let class = table.pin(&class);
        let mut writer = answer.writer();
        writer.array(4);
        writer.unsigned(class);
        writer.binary(fingerprint.as_bytes());
        writer.array(bases.len());
        for base in &bases {
            // A PHP class is named in the description.
            writer.unsigned(base.as_ref().map_or(0, |base| table.pin(base)));
        }
        match held {
            Some(held) if held == fingerprint.as_bytes() => writer.nil(),
            _ => writer.raw(description.as_bytes()),
        }
        Ok(())
    }

    fn construct(&self, py: Python<'_>, request: &mut Request<'_>, answer: &mut Answer) -> Handled {
        let class = request.reader.unsigned("a class id")?;
        let id = request.reader.unsigned("an id for the new object")?;
        if id % 2 == 0 || self.table.borrow(py)?.holds(id) {
            let found = "an even id, or one that is in use";
            return Err(Malformed::Unexpected { expected: "an odd and unused id for the new object", found }.into());
        }
        let mut callee = Callee::Object(self.class(py, class)?.into_any());
        let arguments = Arguments::read(py, request, self, &mut callee)?;
        let object = callee.call(&arguments)?;
        let reference = self.table.borrow(py)?.hand_out_as(id, &object, &mut answer.given);
        answer.writer().object(reference);
        Ok(())
    }

    fn call(&self, py: Python<'_>, request: &mut Request<'_>, answer: &mut Answer) -> Handled {
        let id = request.reader.unsigned("an object id")?;
        let method = self.gate.borrow(py)?.method(py, MethodName::read(&mut request.reader)?)?;
        let target = self.usable(py, id)?;
        let mut callee = match method {
            Method::Open(name) => Callee::Method(target, name),
            Method::Itself => Callee::Object(target),
            Method::Refused(name) if Gate::opens(&name, &target) => {
                let name = PyString::intern(py, &name);
                Callee::Method(target, name)
            }
            Method::Refused(name) => return Err(refused(&name, &target).into()),
        };
        let arguments = Arguments::read(py, request, self, &mut callee)?;
        let result = callee.call(&arguments)?;
        let written = Encoder::of_call(answer, self).value(&result, Depth::ROOT);
        written.map_err(|error| Fault::unconvertible(&error, &Root::ReturnValue))?;
        if answer.coroutine.is_some() { self.attend(py, answer) } else { Ok(()) }
    }

    fn roots(&self, py: Python<'_>, request: &mut Request<'_>, answer: &mut Answer) -> Handled {
        let roots = read_roots(&mut request.reader)?;
        request.end()?;
        self.hooks.set_roots.bind(py).call1((roots,)).map_err(|error| self.refusal_or_raised(py, error))?;
        answer.writer().nil();
        Ok(())
    }

    /// The object that a request is about.
    pub(crate) fn target<'py>(&self, py: Python<'py>, reader: &mut Reader<'_>) -> Handled<Bound<'py, PyAny>> {
        let id = reader.unsigned("an object id")?;
        self.usable(py, id)
    }

    /// The object of an id, if there is one.
    pub(crate) fn object<'py>(&self, py: Python<'py>, id: u64) -> Result<Option<Bound<'py, PyAny>>, Busy> {
        Ok(self.table.borrow(py)?.get(py, id))
    }

    /// The object of an id that is about to be used. A module must be one that PHP may use.
    fn usable<'py>(&self, py: Python<'py>, id: u64) -> Handled<Bound<'py, PyAny>> {
        let (object, is_gated) = match self.table.borrow(py)?.target(py, id) {
            Some(target) => target,
            None => return Err(Fault::stale(id)),
        };
        if is_gated {
            self.pass_module(py, id, &object)?;
        }
        Ok(object)
    }

    fn class<'py>(&self, py: Python<'py>, id: u64) -> Handled<Bound<'py, PyType>> {
        let object = self.object(py, id)?.ok_or_else(|| Fault::stale(id))?;
        object.cast_into::<PyType>().map_err(|error| {
            let message = format!("object {id} is no class but an object of {}", type_name(&error.into_inner()));
            Fault::not_run(Category::Access, message)
        })
    }

    pub(crate) fn write(&self, value: &Bound<'_, PyAny>, answer: &mut Answer, root: impl FnOnce() -> Root) -> Handled {
        answer.encoder(self).value(value, Depth::ROOT).map_err(|error| Fault::unconvertible(&error, &root()))
    }

    pub(crate) fn refusal_or_raised(&self, py: Python<'_>, error: PyErr) -> Fault {
        if error.is_instance(py, self.hooks.refused.bind(py)) {
            Fault::not_run(Category::Access, error.value(py).to_string())
        } else {
            Fault::Raised(error)
        }
    }
}
