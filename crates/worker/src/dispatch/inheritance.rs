//! Requests about objects whose class has ancestors of both languages (see [`tortoise_protocol::inheritance`]).

use pyo3::exceptions::PyAttributeError;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PySuper, PyType, PyWeakrefReference};
use tortoise_protocol::failure::Category;
use tortoise_protocol::inheritance::Extension;
use tortoise_protocol::php_class::PhpClass;

use super::{Handled, State};
use crate::answer::Answer;
use crate::call::{Arguments, Callee};
use crate::failure::Fault;
use crate::from_wire::Request;
use crate::names::{class_name, type_name};
use crate::path::Root;
use crate::php::read_half;

/// Python's protocols that PHP's interfaces stand for: what PHP's `parent::count()` may ask for.
const PROTOCOLS: &[&str] =
    &["__len__", "__getitem__", "__setitem__", "__delitem__", "__contains__", "__iter__", "__str__", "__call__"];

impl State {
    pub(super) fn extend(&self, py: Python<'_>, request: &mut Request<'_>, answer: &mut Answer) -> Handled {
        let Extension { parent, class, methods, properties } = Extension::read(&mut request.reader)?;
        request.end()?;
        let parent = self.class(py, parent)?;
        if !class.description.is_empty() {
            let PhpClass { name, flags, parents, methods: all, properties: _ } = PhpClass::read(class.description)?;
            let all: Vec<&str> = all.0.into_iter().map(|(name, _)| name).collect();
            let arguments = (parent, name, parents, flags, all, methods.0, properties.0, class.traits.0);
            let shadow = self.hooks.shadow.bind(py).call1(arguments)?;
            self.number(py, class.class, shadow.cast_into::<PyType>().map_err(PyErr::from)?)?;
        }
        let shadow = self.numbered(py, class.class)?;
        let id = self.table.borrow(py)?.pin(&shadow);
        answer.writer().unsigned(id);
        Ok(())
    }

    pub(super) fn halve(&self, py: Python<'_>, request: &mut Request<'_>, answer: &mut Answer) -> Handled {
        let class = request.reader.unsigned("a class id")?;
        let id = request.reader.unsigned("an id for the new object")?;
        let php = read_half(&mut request.reader)?;
        request.end()?;
        let object = self.half(py, id, || {
            let class = self.class(py, class)?;
            Ok(self.hooks.half.bind(py).call1((class,))?)
        });
        let object = object.inspect_err(|_| self.php.release(py, php, 1))?;
        self.tie(id, &object, php, answer)
    }

    pub(super) fn initialize(&self, py: Python<'_>, request: &mut Request<'_>, answer: &mut Answer) -> Handled {
        let meant = request.reader.unsigned("a class id")?;
        let class = request.reader.unsigned("a class id")?;
        let id = request.reader.unsigned("an id for the new object")?;
        let php = read_half(&mut request.reader)?;
        let is_new = !self.table.borrow(py)?.holds(id);
        let read = self.class(py, meant).and_then(|meant| {
            let mut callee = Callee::Object(meant.clone().into_any());
            let arguments = Arguments::read(py, request, self, &mut callee)?;
            let object = self.half(py, id, || {
                let class = self.class(py, class)?;
                let (positional, named) = (arguments.tuple(py)?, &arguments.named);
                Ok(self.hooks.half.bind(py).call1((class, positional, named.as_ref()))?)
            })?;
            Ok((meant, arguments, object))
        });
        let (meant, arguments, object) = read.inspect_err(|_| self.php.release(py, php, 1))?;
        // It is known before its `__init__` runs, which may reach into PHP.
        self.tie(id, &object, php, answer)?;
        let outcome = found_from(&meant, &object, intern!(py, "__init__"))
            .and_then(|init| Ok(Callee::Object(init).call(&arguments)?));
        if outcome.is_err() && is_new {
            let half = self.table.borrow(py)?.forget_half(id);
            half.into_iter().for_each(|half| self.php.release(py, half.id, half.received));
        }
        outcome.map(drop)
    }

    pub(super) fn call_from(&self, py: Python<'_>, request: &mut Request<'_>, answer: &mut Answer) -> Handled {
        let class = request.reader.unsigned("a class id")?;
        let target = self.target(py, &mut request.reader)?;
        let name = request.reader.name("the name of a method")?;
        let class = self.class(py, class)?;
        let python_name =
            if PROTOCOLS.contains(&name) { PyString::intern(py, name) } else { self.passed(name, &target)? };
        let mut callee = Callee::Object(found_from(&class, &target, &python_name)?);
        let arguments = Arguments::read(py, request, self, &mut callee)?;
        let result = callee.call(&arguments)?;
        self.write(&result, answer, || Root::ReturnValue)
    }

    pub(super) fn let_go(&self, py: Python<'_>, request: &mut Request<'_>, answer: &mut Answer) -> Handled {
        let id = request.reader.unsigned("an object id")?;
        request.end()?;
        let is_gone = self.let_go_of(py, id)?;
        answer.writer().boolean(is_gone);
        Ok(())
    }

    /// PHP has no reference to its half left. Whether nobody in Python has one to the other either.
    fn let_go_of(&self, py: Python<'_>, id: u64) -> Handled<bool> {
        let Some(object) = self.object(py, id)? else { return Ok(true) };
        let Ok(reference) = PyWeakrefReference::new(&object) else {
            // The table has one reference, and here is the other. What is kept is kept until the request ends.
            // SAFETY: the object is live.
            let is_gone = unsafe { ffi::Py_REFCNT(object.as_ptr()) } <= 2;
            if is_gone {
                self.table.borrow(py)?.forget_half(id);
            }
            return Ok(is_gone);
        };
        // Its destructor may run here: both halves are still there for it.
        self.table.borrow(py)?.weaken(id, reference);
        drop(object);
        self.drop_doomed(py);
        match self.object(py, id)? {
            Some(object) => {
                self.hold_weakly(&object, id)?;
                Ok(false)
            }
            None => {
                self.table.borrow(py)?.forget_half(id);
                Ok(true)
            }
        }
    }

    /// The object of an id, which is made if there is none.
    fn half<'py>(
        &self,
        py: Python<'py>,
        id: u64,
        make: impl FnOnce() -> Handled<Bound<'py, PyAny>>,
    ) -> Handled<Bound<'py, PyAny>> {
        if let Some(object) = self.object(py, id)? {
            return Ok(object);
        }
        if id.is_multiple_of(2) {
            // One of ours: it was forgotten.
            return Err(Fault::stale(id));
        }
        make()
    }

    /// Ties the halves of an object together, and names it to the client.
    fn tie(&self, id: u64, object: &Bound<'_, PyAny>, php: u64, answer: &mut Answer) -> Handled {
        let py = object.py();
        let mut table = self.table.borrow(py)?;
        let reference = table.hand_out_as(id, object, &mut answer.given);
        if reference.id != id || !table.tie(id, php) {
            drop(table);
            self.php.release(py, php, 1);
            let message =
                format!("the object of {} that `__new__` gave has another half in PHP already", type_name(object));
            return Err(Fault::not_run(Category::Access, message));
        }
        drop(table);
        self.tied(object);
        answer.writer().object(reference);
        Ok(())
    }
}

/// What an object has under a name as it is found from a class on: its own class and those before `class` are passed over.
fn found_from<'py>(
    class: &Bound<'py, PyType>,
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> Handled<Bound<'py, PyAny>> {
    let py = object.py();
    let itself = object.cast::<PyType>().ok().filter(|itself| itself.mro().iter().any(|base| base.is(class)));
    let order = itself.map_or_else(|| object.get_type().mro(), PyTypeMethods::mro);
    let Some(place) = order.iter().position(|base| base.is(class)) else {
        let message = format!("{} is no class of an object of {}", class_name(class), type_name(object));
        return Err(Fault::not_run(Category::Access, message));
    };
    let Some(before) = place.checked_sub(1) else { return Ok(object.getattr(name)?) };
    let before = order.get_item(before)?.cast_into::<PyType>().map_err(PyErr::from)?;
    let rest = PySuper::new(&before, object)?;
    match rest.getattr(name) {
        // What `super()` does not do: a class may know methods that it does not list.
        Err(error) if error.is_instance_of::<PyAttributeError>(py) => {
            match rest.getattr_opt(intern!(py, "__getattr__"))? {
                Some(unlisted) => Ok(unlisted.call1((name,))?),
                None => Err(error.into()),
            }
        }
        found => Ok(found?),
    }
}
