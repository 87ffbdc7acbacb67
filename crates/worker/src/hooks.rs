//! What the session asks of its Python half.

use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::moments::Moments;

/// The Python side of a session: `tortoise_worker.session.Hooks`.
pub(crate) struct Hooks<'py> {
    /// `describe(str | type) -> (class, fingerprint, bases, description)`.
    pub(crate) describe: Bound<'py, PyAny>,
    /// `explain(BaseException) -> list` of an exception and its causes.
    pub(crate) explain: Bound<'py, PyAny>,
    /// `set_roots(list[str])`.
    pub(crate) set_roots: Bound<'py, PyAny>,
    /// `check_module(module)` raises if PHP may not use it.
    pub(crate) check_module: Bound<'py, PyAny>,
    /// `open_module(str)` imports one.
    pub(crate) open_module: Bound<'py, PyAny>,
    /// `script_function(str, str)` finds one.
    pub(crate) script_function: Bound<'py, PyAny>,
    /// `enter(manager) -> (number, value)`.
    pub(crate) enter: Bound<'py, PyAny>,
    /// `leave(number, thrown) -> bool`.
    pub(crate) leave: Bound<'py, PyAny>,
    /// `leave_all()`.
    pub(crate) leave_all: Bound<'py, PyAny>,
    /// `json(object) -> str`.
    pub(crate) json: Bound<'py, PyAny>,
    /// `copy(object) -> object`.
    pub(crate) copy: Bound<'py, PyAny>,
    /// The exception by which the Python side says "this is not for clients".
    pub(crate) refused: Bound<'py, PyType>,
    /// Types whose instances PHP sees without a class: functions and the like.
    pub(crate) classless: Vec<Bound<'py, PyType>>,
    /// `scalar_types() -> dict` of numpy's scalar types that are numbers of PHP.
    pub(crate) scalar_types: Bound<'py, PyAny>,
    /// The types of the iterators of Python's own containers.
    pub(crate) iterators: Vec<Bound<'py, PyType>>,
    /// `special(function)`: what its parameters want by their annotations.
    pub(crate) special: Bound<'py, PyAny>,
    /// `types.FunctionType`.
    pub(crate) function: Bound<'py, PyType>,
    /// `types.MethodType`.
    pub(crate) method: Bound<'py, PyType>,
    /// `datetime` and what reads and makes its objects: the module `tortoise_worker.moments`.
    pub(crate) moments: Moments<'py>,
    /// Python's version, as `3.11.2`.
    pub(crate) version: String,
}

impl<'py> Hooks<'py> {
    /// Takes the hooks out of the Python object that holds them.
    ///
    /// # Errors
    /// If one is missing: the two halves are of different versions.
    pub(crate) fn of(object: &Bound<'py, PyAny>) -> PyResult<Self> {
        Ok(Self {
            describe: object.getattr("describe")?,
            explain: object.getattr("explain")?,
            set_roots: object.getattr("set_roots")?,
            check_module: object.getattr("check_module")?,
            open_module: object.getattr("open_module")?,
            script_function: object.getattr("script_function")?,
            enter: object.getattr("enter")?,
            leave: object.getattr("leave")?,
            leave_all: object.getattr("leave_all")?,
            json: object.getattr("json")?,
            copy: object.getattr("copy")?,
            refused: object.getattr("refused")?.cast_into()?,
            classless: object.getattr("classless")?.extract()?,
            scalar_types: object.getattr("scalar_types")?,
            iterators: object.getattr("iterators")?.extract()?,
            special: object.getattr("special")?,
            function: object.getattr("function")?.cast_into()?,
            method: object.getattr("method")?.cast_into()?,
            moments: Moments::new(&object.getattr("moments")?)?,
            version: object.getattr("version")?.extract()?,
        })
    }
}
