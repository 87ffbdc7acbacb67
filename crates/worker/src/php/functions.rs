//! PHP functions by name, and the arguments of whatever is called in PHP.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use tortoise_protocol::frame::Kind;
use tortoise_protocol::limits::MAX_ARGUMENTS;

use super::object::encode;
use crate::answer::Answer;
use crate::dispatch::State;
use crate::path::Root;
use crate::sessions::running;

/// A PHP function, or a static method as `Class::method`. Whether there is one PHP says when it is called.
#[pyclass(frozen, weakref, name = "Function", module = "php")]
pub(crate) struct PhpFunction {
    name: String,
}

#[pymethods]
impl PhpFunction {
    #[new]
    fn new(name: String) -> Self {
        Self { name }
    }

    #[getter]
    fn __name__(&self) -> &str {
        &self.name
    }

    #[pyo3(signature = (*arguments, **named))]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        arguments: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let state = &*running(py)?;
        state.call_back(py, Kind::PhpFunction, state.php.request(), |frame| {
            frame.writer().text(&self.name);
            write_arguments(state, frame, arguments, named)
        })
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().name == self.name)
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        PyString::new(py, &self.name).hash()
    }

    fn __repr__(&self) -> String {
        format!("<PHP function {}>", self.name)
    }
}

/// Appends arguments and named arguments.
pub(super) fn write_arguments(
    state: &State,
    frame: &mut Answer,
    arguments: &Bound<'_, PyTuple>,
    named: Option<&Bound<'_, PyDict>>,
) -> PyResult<()> {
    let count = named.map_or(0, PyDictMethods::len);
    if arguments.len().max(count) > MAX_ARGUMENTS {
        return Err(PyTypeError::new_err(format!("PHP can be given {MAX_ARGUMENTS} arguments at most")));
    }
    frame.writer().array(arguments.len());
    for (index, argument) in arguments.iter_borrowed().enumerate() {
        encode(state, frame, &argument, || Root::Argument(index))?;
    }
    frame.writer().map(count);
    for (name, argument) in named.into_iter().flatten() {
        let name = name.cast_into::<PyString>()?;
        let name = name.to_str()?;
        frame.writer().text(name);
        encode(state, frame, &argument, || Root::NamedArgument(name.to_owned()))?;
    }
    Ok(())
}
