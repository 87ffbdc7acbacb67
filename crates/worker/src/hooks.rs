//! What the session asks of its Python half.

use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::moments::Moments;

/// The Python side of a session: `tortoise_worker.session.Hooks`.
pub(crate) struct Hooks {
    /// `describe(str | type) -> (class, fingerprint, bases, description)`.
    pub(crate) describe: Py<PyAny>,
    /// `php_name(type) -> str`.
    pub(crate) php_name: Py<PyAny>,
    /// `explain(BaseException) -> list` of an exception and its causes.
    pub(crate) explain: Py<PyAny>,
    /// `set_roots(list[str])`.
    pub(crate) set_roots: Py<PyAny>,
    /// `check_module(module)` raises if PHP may not use it.
    pub(crate) check_module: Py<PyAny>,
    /// `open_module(str)` imports one.
    pub(crate) open_module: Py<PyAny>,
    /// `script_function(str, str)` finds one.
    pub(crate) script_function: Py<PyAny>,
    /// `tortoise_worker.shared_objects.Connections`.
    pub(crate) shared: Py<PyAny>,
    /// `tortoise_worker.shared_errors.ConversionError`: an object where shared objects take and give only values.
    pub(crate) conversion: Py<PyType>,
    /// `enter(manager) -> (number, value)`.
    pub(crate) enter: Py<PyAny>,
    /// `leave(number, thrown) -> bool`.
    pub(crate) leave: Py<PyAny>,
    /// `leave_all()`.
    pub(crate) leave_all: Py<PyAny>,
    /// `types.CoroutineType`.
    pub(crate) coroutine: Py<PyType>,
    /// `tortoise_worker.coroutines.Coroutines`.
    pub(crate) coroutines: Py<PyAny>,
    /// `json(object) -> str`.
    pub(crate) json: Py<PyAny>,
    /// `copy(object) -> object`.
    pub(crate) copy: Py<PyAny>,
    /// The exception by which the Python side says "this is not for clients".
    pub(crate) refused: Py<PyType>,
    /// Types whose instances PHP sees without a class: functions and the like.
    pub(crate) classless: Vec<Py<PyType>>,
    /// `scalar_types() -> dict` of numpy's scalar types that are numbers of PHP.
    pub(crate) scalar_types: Py<PyAny>,
    /// The types of the iterators of Python's own containers.
    pub(crate) iterators: Vec<Py<PyType>>,
    /// `special(function)`: what its parameters want by their annotations.
    pub(crate) special: Py<PyAny>,
    /// `types.FunctionType`.
    pub(crate) function: Py<PyType>,
    /// `types.MethodType`.
    pub(crate) method: Py<PyType>,
    /// `datetime` and what reads and makes its objects: the module `tortoise_worker.moments`.
    pub(crate) moments: Moments,
    /// `php_class(name, parents, flags, methods, properties, traits) -> type` for the objects of a PHP class.
    pub(crate) php_class: Py<PyAny>,
    /// `shadow(parent, name, parents, flags, all_methods, methods, properties, traits) -> type` for a PHP class below one of
    /// Python.
    pub(crate) shadow: Py<PyAny>,
    /// `half(class, arguments, named) -> object` by its `__new__`.
    pub(crate) half: Py<PyAny>,
    /// `php_thrown(object, message, code, file, line) -> php.Exception`.
    pub(crate) php_thrown: Py<PyAny>,
    /// `php.Exception`.
    pub(crate) php_exception: Py<PyType>,
    /// `php.RequestOver`.
    pub(crate) php_over: Py<PyType>,
    /// `php.Exit`.
    pub(crate) php_exit: Py<PyType>,
    /// `has_changed() -> bool`: whether a file has that was loaded.
    pub(crate) has_changed: Py<PyAny>,
    /// Python's version, as `3.11.2`.
    pub(crate) version: String,
}

impl Hooks {
    /// Takes the hooks out of the Python object that holds them.
    ///
    /// # Errors
    /// If one is missing: the two halves are of different versions.
    pub(crate) fn of(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self {
            describe: object.getattr("describe")?.unbind(),
            php_name: object.getattr("php_name")?.unbind(),
            explain: object.getattr("explain")?.unbind(),
            set_roots: object.getattr("set_roots")?.unbind(),
            check_module: object.getattr("check_module")?.unbind(),
            open_module: object.getattr("open_module")?.unbind(),
            script_function: object.getattr("script_function")?.unbind(),
            shared: object.getattr("shared")?.unbind(),
            conversion: object.getattr("conversion")?.cast_into()?.unbind(),
            enter: object.getattr("enter")?.unbind(),
            leave: object.getattr("leave")?.unbind(),
            leave_all: object.getattr("leave_all")?.unbind(),
            coroutine: object.getattr("coroutine")?.cast_into()?.unbind(),
            coroutines: object.getattr("coroutines")?.unbind(),
            json: object.getattr("json")?.unbind(),
            copy: object.getattr("copy")?.unbind(),
            refused: object.getattr("refused")?.cast_into()?.unbind(),
            classless: object.getattr("classless")?.extract()?,
            scalar_types: object.getattr("scalar_types")?.unbind(),
            iterators: object.getattr("iterators")?.extract()?,
            special: object.getattr("special")?.unbind(),
            function: object.getattr("function")?.cast_into()?.unbind(),
            method: object.getattr("method")?.cast_into()?.unbind(),
            moments: Moments::new(&object.getattr("moments")?)?,
            php_class: object.getattr("php_class")?.unbind(),
            shadow: object.getattr("shadow")?.unbind(),
            half: object.getattr("half")?.unbind(),
            php_thrown: object.getattr("php_thrown")?.unbind(),
            php_exception: object.getattr("php_exception")?.cast_into()?.unbind(),
            php_over: object.getattr("php_over")?.cast_into()?.unbind(),
            php_exit: object.getattr("php_exit")?.cast_into()?.unbind(),
            has_changed: object.getattr("has_changed")?.unbind(),
            version: object.getattr("version")?.extract()?,
        })
    }

    /// Whether a file has changed that was loaded. What goes wrong there goes to the log: the session serves on.
    pub(crate) fn has_changed(&self, py: Python<'_>) -> bool {
        let answer = self.has_changed.bind(py).call0().and_then(|answer| answer.is_truthy());
        answer.unwrap_or_else(|error| {
            error.print(py);
            false
        })
    }
}
