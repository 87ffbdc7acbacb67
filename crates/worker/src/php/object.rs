//! A PHP object in Python: `php.Object`.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::exceptions::{PyAttributeError, PyTypeError};
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
use crate::path::Root;
use crate::serve::running;

thread_local! {
    /// Id and request of the object that this thread is making.
    static NEXT: Cell<Option<(u64, u64)>> = const { Cell::new(None) };
}

/// An object that lives in PHP. Its attributes are PHP's public properties and methods; Python's classes of them have
/// the protocols that PHP's class has.
#[pyclass(frozen, subclass, weakref, name = "Object", module = "php")]
pub(crate) struct PhpObject {
    id: u64,
    request: u64,
    received: AtomicU64,
}

impl PhpObject {
    /// A new Python object, of a class that is derived from this one.
    pub(super) fn make<'py>(class: &Bound<'py, PyType>, id: u64, request: u64) -> PyResult<Bound<'py, PyAny>> {
        NEXT.set(Some((id, request)));
        let made = class.call0();
        NEXT.set(None);
        made
    }

    /// It was received once more.
    pub(super) fn receive(&self) {
        self.received.fetch_add(1, Ordering::Relaxed);
    }

    /// Its id, if PHP still has it.
    pub(crate) fn id(&self, state: &State) -> Option<u64> {
        (self.request == state.php.request()).then_some(self.id)
    }

    /// Asks PHP for something about this object: `write` appends what stands behind the id.
    pub(super) fn ask<'py>(
        &self,
        py: Python<'py>,
        kind: Kind,
        write: impl FnOnce(&State, &mut Answer) -> PyResult<()>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let state = running()?;
        state.call_back(py, kind, self.request, |frame| {
            frame.writer().unsigned(self.id);
            write(state, frame)
        })
    }

    /// Calls a method, or the object itself by an empty name.
    pub(super) fn call<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        arguments: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.ask(py, Kind::PhpCall, |state, frame| {
            frame.writer().text(method);
            write_arguments(state, frame, arguments, named)
        })
    }
}

impl Drop for PhpObject {
    fn drop(&mut self) {
        // Not where the interpreter is about to end: nobody is there to be told.
        let _ = Python::try_attach(|py| {
            if let Ok(state) = running() {
                state.php.let_go(py, self.id, self.request, self.received.load(Ordering::Relaxed));
            }
        });
    }
}

#[pymethods]
impl PhpObject {
    #[new]
    fn new() -> PyResult<Self> {
        let (id, request) =
            NEXT.take().ok_or_else(|| PyTypeError::new_err("an object of a PHP class cannot be made in Python"))?;
        Ok(Self { id, request, received: AtomicU64::new(1) })
    }

    /// A property, or a method that only PHP's `__call` knows.
    fn __getattr__<'py>(slf: &Bound<'py, Self>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        refuse_special(slf, name)?;
        let property = slf.get().ask(py, Kind::PhpGet, |_, frame| {
            frame.writer().text(name);
            Ok(())
        });
        match property {
            Err(error)
                if error.is_instance_of::<PyAttributeError>(py)
                    && slf.get_type().getattr(intern!(py, "_php_has_call"))?.is_truthy()? =>
            {
                Ok(Bound::new(py, PhpMethod::new(slf, &PyString::new(py, name)))?.into_any())
            }
            property => property,
        }
    }

    fn __setattr__(slf: &Bound<'_, Self>, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        refuse_special(slf, name)?;
        slf.get().ask(slf.py(), Kind::PhpSet, |state, frame| {
            frame.writer().text(name);
            encode(state, frame, value, || Root::NewValue(name.to_owned()))
        })?;
        Ok(())
    }

    fn __delattr__(slf: &Bound<'_, Self>, name: &str) -> PyResult<()> {
        refuse_special(slf, name)?;
        slf.get().ask(slf.py(), Kind::PhpDelete, |_, frame| {
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
        Ok(format!("<PHP {} #{}>", class.str()?, slf.get().id))
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
    let state = running()?;
    let object = object.get();
    state.call_back(py, Kind::PhpOperate, object.request, |frame| {
        operation.write(&mut Writer::new(&mut frame.frame), object.id);
        operands
            .iter_borrowed()
            .enumerate()
            .try_for_each(|(index, operand)| encode(state, frame, &operand, || Root::Argument(index)))
    })
}

/// Whether a property is set, as PHP's `isset` says.
#[pyfunction]
pub(crate) fn has_property<'py>(
    py: Python<'py>,
    object: &Bound<'py, PhpObject>,
    name: &str,
) -> PyResult<Bound<'py, PyAny>> {
    object.get().ask(py, Kind::PhpHas, |_, frame| {
        frame.writer().text(name);
        Ok(())
    })
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

/// Python looks for its own names on any object; PHP is not asked for them.
fn refuse_special(object: &Bound<'_, PhpObject>, name: &str) -> PyResult<()> {
    if name.starts_with("__") && name.ends_with("__") {
        let class = object.get_type().name()?;
        return Err(PyAttributeError::new_err(format!("a PHP object of {class} has no attribute {name:?}")));
    }
    Ok(())
}
