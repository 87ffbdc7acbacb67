//! A PHP object in Python: `php.Object`.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use pyo3::exceptions::{PyAttributeError, PyTypeError};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};
use tortoise_protocol::callback::PhpOperation;
use tortoise_protocol::frame::Kind;
use tortoise_protocol::{Depth, Writer};

use super::functions::write_arguments;
use super::methods::PhpMethod;
use crate::answer::Answer;
use crate::dispatch::State;
use crate::names::type_name;
use crate::path::Root;
use crate::sessions::{self, Inside};

/// What an object is to be that is about to be made.
enum Next {
    /// One that PHP has named by this id in this request of this session.
    Named { id: u64, request: u64, session: Weak<State> },
    /// The Python half of an object of two.
    Half,
}

thread_local! {
    /// What this thread is making.
    static NEXT: Cell<Option<Next>> = const { Cell::new(None) };
}

/// An object that lives in PHP. Its attributes are PHP's public properties and methods; Python's classes of them have
/// the protocols that PHP's class has.
#[pyclass(frozen, subclass, weakref, name = "Object", module = "php")]
pub(crate) struct PhpObject {
    /// Its id; 0 for a half, of which the session's table knows the other.
    id: u64,
    /// The number of PHP's request that it is of; 0 for a half that has no other yet.
    request: AtomicU64,
    received: AtomicU64,
    /// Whose PHP it lives in; nobody's for a half, which is of the session that first uses it as one.
    session: Weak<State>,
}

impl PhpObject {
    /// A new Python object, of a class that is derived from this one.
    pub(super) fn make<'py>(class: &Bound<'py, PyType>, id: u64, state: &State) -> PyResult<Bound<'py, PyAny>> {
        let (request, session) = (state.php.request(), Weak::clone(&state.itself));
        Self::new_of(class, Next::Named { id, request, session })
    }

    /// By `__new__` alone: what a class does beyond that, it does to objects that are made in Python.
    fn new_of<'py>(class: &Bound<'py, PyType>, next: Next) -> PyResult<Bound<'py, PyAny>> {
        let py = class.py();
        let new = py.get_type::<Self>().getattr(intern!(py, "__new__"))?;
        NEXT.set(Some(next));
        let made = new.call1((class,));
        NEXT.set(None);
        made
    }

    /// It was received once more.
    pub(super) fn receive(&self) {
        self.received.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether it is the Python half of an object of two.
    pub(crate) const fn is_half(&self) -> bool {
        self.id == 0
    }

    /// Its other half is one of this request.
    pub(crate) fn tie(&self, request: u64) {
        self.request.store(request, Ordering::Relaxed);
    }

    /// Whether it is of a request that is over.
    pub(crate) fn is_over(&self, request: u64) -> bool {
        ![0, request].contains(&self.request.load(Ordering::Relaxed))
    }

    /// Its id, if PHP still has it.
    pub(crate) fn id(&self, state: &State) -> Option<u64> {
        (!self.is_half() && !self.is_over(state.php.request())).then_some(self.id)
    }

    /// Why PHP does not have it.
    #[cold]
    pub(crate) fn absence(&self, state: &State) -> &'static str {
        if self.session.as_ptr() == std::ptr::from_ref(state) {
            "a PHP object of an earlier request"
        } else {
            "an object of another PHP process, which shares this Python process"
        }
    }

    /// Calls a method, or the object itself by an empty name.
    pub(super) fn call<'py>(
        slf: &Bound<'py, Self>,
        method: &str,
        arguments: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        ask(slf, Kind::PhpCall, |state, frame| {
            frame.writer().text(method);
            write_arguments(state, frame, arguments, named)
        })
    }
}

/// Asks PHP for something about an object that it has, or has a half of: `write` appends what stands behind the id.
pub(super) fn ask<'py>(
    object: &Bound<'py, PyAny>,
    kind: Kind,
    write: impl FnOnce(&State, &mut Answer) -> PyResult<()>,
) -> PyResult<Bound<'py, PyAny>> {
    let (state, _inside) = session_of(object)?;
    let (id, request) = named(&state, object)?;
    state.call_back(object.py(), kind, request, |frame| {
        frame.writer().unsigned(id);
        write(&state, frame)
    })
}

/// The session whose PHP an object is asked of: its own, or that of the thread for a half.
fn session_of(object: &Bound<'_, PyAny>) -> PyResult<(Arc<State>, Option<Inside>)> {
    match object.cast::<PhpObject>().map(Bound::get) {
        Ok(php) if !php.is_half() => sessions::running_as(object.py(), &php.session),
        _ => Ok((sessions::running(object.py())?, None)),
    }
}

/// What PHP calls an object, and in which request.
fn named(state: &State, object: &Bound<'_, PyAny>) -> PyResult<(u64, u64)> {
    Ok(match object.cast::<PhpObject>().map(Bound::get) {
        Ok(php) if !php.is_half() => (php.id, php.request.load(Ordering::Relaxed)),
        _ => (state.half_in_php(object)?, state.php.request()),
    })
}

impl Drop for PhpObject {
    fn drop(&mut self) {
        if self.is_half() {
            return;
        }
        // Not where the interpreter is about to end: nobody is there to be told.
        let _ = Python::try_attach(|py| {
            if let Some(state) = self.session.upgrade() {
                state.php.let_go(py, self.id, *self.request.get_mut(), *self.received.get_mut());
            }
        });
    }
}

#[pymethods]
impl PhpObject {
    #[new]
    fn new() -> PyResult<Self> {
        let (id, request, session) = match NEXT.take() {
            Some(Next::Named { id, request, session }) => (id, request, session),
            Some(Next::Half) => (0, 0, Weak::new()),
            None => return Err(PyTypeError::new_err("an object of this PHP class cannot be made in Python")),
        };
        Ok(Self { id, request: AtomicU64::new(request), received: AtomicU64::new(1), session })
    }

    /// A property, or a method that only PHP's `__call` knows.
    fn __getattr__<'py>(slf: &Bound<'py, Self>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        refuse_special(slf, name)?;
        if slf.get().is_half() {
            return absent(slf, name);
        }
        let property = ask(slf, Kind::PhpGet, |_, frame| {
            frame.writer().text(name);
            Ok(())
        });
        match property {
            Err(error)
                if error.is_instance_of::<PyAttributeError>(py)
                    && slf.get_type().getattr(intern!(py, "_php_has_call"))?.is_truthy()? =>
            {
                Ok(Bound::new(py, PhpMethod::new(slf, &PyString::new(py, name), None))?.into_any())
            }
            property => property,
        }
    }

    fn __setattr__(slf: &Bound<'_, Self>, name: &Bound<'_, PyString>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        if slf.get().is_half() {
            return set_generic(slf, name, Some(value));
        }
        let name = name.to_str()?;
        refuse_special(slf, name)?;
        ask(slf, Kind::PhpSet, |state, frame| {
            frame.writer().text(name);
            encode(state, frame, value, || Root::NewValue(name.to_owned()))
        })?;
        Ok(())
    }

    fn __delattr__(slf: &Bound<'_, Self>, name: &Bound<'_, PyString>) -> PyResult<()> {
        if slf.get().is_half() {
            return set_generic(slf, name, None);
        }
        let name = name.to_str()?;
        refuse_special(slf, name)?;
        ask(slf, Kind::PhpDelete, |_, frame| {
            frame.writer().text(name);
            Ok(())
        })?;
        Ok(())
    }

    /// As in PHP, where an object is true whatever it holds.
    fn __bool__(&self) -> bool {
        true
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let class = slf.get_type().getattr(intern!(slf.py(), "php_name"))?;
        Ok(match slf.get().id {
            0 => format!("<{} object, of PHP {} too>", type_name(slf), class.str()?),
            id => format!("<PHP {} #{id}>", class.str()?),
        })
    }
}

/// One of PHP's protocols, by the number that it has on the wire: `operate(object, number, *operands)`.
#[pyfunction]
#[pyo3(signature = (object, operation, *operands))]
pub(crate) fn operate<'py>(
    py: Python<'py>,
    object: &Bound<'py, PhpObject>,
    operation: usize,
    operands: &Bound<'py, PyTuple>,
) -> PyResult<Bound<'py, PyAny>> {
    let operation = PhpOperation::ALL.get(operation).filter(|operation| operation.operands() == operands.len());
    let operation = operation.ok_or_else(|| PyTypeError::new_err("there is no such operation of so many operands"))?;
    let (state, _inside) = session_of(object)?;
    let (id, request) = named(&state, object)?;
    state.call_back(py, Kind::PhpOperate, request, |frame| {
        operation.write(&mut Writer::new(&mut frame.frame), id);
        operands
            .iter_borrowed()
            .enumerate()
            .try_for_each(|(index, operand)| encode(&state, frame, &operand, || Root::Argument(index)))
    })
}

/// Whether a property is set, as PHP's `isset` says.
#[pyfunction]
pub(crate) fn has_property<'py>(object: &Bound<'py, PhpObject>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    ask(object, Kind::PhpHas, |_, frame| {
        frame.writer().text(name);
        Ok(())
    })
}

/// The Python half of an object of two. `class` is one that extends a PHP class.
#[pyfunction]
pub(crate) fn new_half<'py>(class: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyAny>> {
    PhpObject::new_of(class, Next::Half)
}

/// Appends a value.
pub(super) fn encode(
    state: &State,
    frame: &mut Answer,
    value: &Bound<'_, PyAny>,
    root: impl FnOnce() -> Root,
) -> PyResult<()> {
    let written = frame.encoder(state).value(value, Depth::ROOT);
    written.map_err(|error| PyTypeError::new_err(format!("{}: {}", error.path.from(&root()), error.reason)))
}

/// What Python itself raises where there is no such attribute.
fn absent<'py>(object: &Bound<'py, PhpObject>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    Err(PyAttributeError::new_err(format!("'{}' object has no attribute '{name}'", type_name(object))))
}

/// Sets an attribute as Python's own objects do it; None: deletes it.
fn set_generic(
    object: &Bound<'_, PhpObject>,
    name: &Bound<'_, PyString>,
    value: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    let value = value.map_or(std::ptr::null_mut(), Bound::as_ptr);
    // SAFETY: the object, its name and the value, which may be null, are borrowed from owners that outlive the call.
    let status = unsafe { ffi::PyObject_GenericSetAttr(object.as_ptr(), name.as_ptr(), value) };
    if status == 0 { Ok(()) } else { Err(PyErr::fetch(object.py())) }
}

/// Python looks for its own names on any object; PHP is not asked for them.
fn refuse_special(object: &Bound<'_, PhpObject>, name: &str) -> PyResult<()> {
    if name.starts_with("__") && name.ends_with("__") {
        let class = object.get_type().name()?;
        return Err(PyAttributeError::new_err(format!("a PHP object of {class} has no attribute {name:?}")));
    }
    Ok(())
}
