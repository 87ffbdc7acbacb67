//! Methods of PHP objects, and of the PHP half of objects of two halves.

use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use tortoise_protocol::frame::Kind;

use super::functions::write_arguments;
use super::object::{PhpObject, ask};

/// What PHP calls the object itself as a method.
const INVOKE: &str = "__invoke";

/// A method of a PHP object: it can be called, kept and passed on.
#[pyclass(frozen, weakref, name = "Method", module = "php")]
pub(crate) struct PhpMethod {
    object: Py<PyAny>,
    /// Empty for the object itself, which is called then.
    name: Py<PyString>,
    /// The PHP class whose own method it is; None where PHP decides by the object.
    class: Option<Py<PyString>>,
}

/// What the Python class of a PHP class has under the name of a method.
#[pyclass(frozen, name = "MethodDescriptor", module = "php")]
pub(crate) struct PhpMethodOf {
    name: Py<PyString>,
    class: Option<Py<PyString>>,
    is_protected: bool,
}

impl PhpMethod {
    pub(super) fn new(
        object: &Bound<'_, PyAny>,
        name: &Bound<'_, PyString>,
        class: Option<&Bound<'_, PyString>>,
    ) -> Self {
        let class = class.map(|class| class.clone().unbind());
        Self { object: object.clone().unbind(), name: name.clone().unbind(), class }
    }

    fn call<'py>(
        &self,
        py: Python<'py>,
        arguments: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (object, name) = (self.object.bind(py), self.name.bind(py).to_str()?);
        let Some(class) = &self.class else { return PhpObject::call(object.cast()?, name, arguments, named) };
        let class = class.bind(py).to_str()?;
        ask(object, Kind::PhpCallOwn, |state, frame| {
            frame.writer().text(class);
            frame.writer().text(if name.is_empty() { INVOKE } else { name });
            write_arguments(state, frame, arguments, named)
        })
    }
}

#[pymethods]
impl PhpMethod {
    /// The method of an object, whether PHP has one of that name or not.
    #[new]
    fn of(object: &Bound<'_, PhpObject>, name: &Bound<'_, PyString>) -> Self {
        Self::new(object, name, None)
    }

    #[getter]
    fn __self__(&self, py: Python<'_>) -> Py<PyAny> {
        self.object.clone_ref(py)
    }

    #[getter]
    fn __name__(&self, py: Python<'_>) -> Py<PyString> {
        self.name.clone_ref(py)
    }

    #[pyo3(signature = (*arguments, **named))]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        arguments: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.call(py, arguments, named)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = other.py();
        let Ok(other) = other.cast::<Self>() else { return Ok(false) };
        let other = other.get();
        let is_same = match (&self.class, &other.class) {
            (None, None) => true,
            (Some(class), Some(other)) => class.bind(py).as_any().eq(other)?,
            _ => false,
        };
        Ok(is_same && other.object.is(&self.object) && other.name.bind(py).as_any().eq(&self.name)?)
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        // As of any method: an object may say that it cannot be hashed.
        Ok(self.object.as_ptr() as isize ^ self.name.bind(py).hash()?)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<PHP method {} of {}>", self.name, self.object.bind(py).repr()?))
    }
}

#[pymethods]
impl PhpMethodOf {
    /// `class` is the PHP class whose own method it is on the half of an object. A protected one is for those only.
    #[new]
    #[pyo3(signature = (name, class=None, is_protected=false))]
    fn new(name: Py<PyString>, class: Option<Py<PyString>>, is_protected: bool) -> Self {
        Self { name, class, is_protected }
    }

    fn __get__<'py>(
        slf: &Bound<'py, Self>,
        object: Option<&Bound<'py, PyAny>>,
        _class: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match object {
            Some(object) => Ok(Bound::new(slf.py(), slf.get().bound(object)?)?.into_any()),
            None => Ok(slf.clone().into_any()),
        }
    }

    /// As Python's functions: the object comes first.
    #[pyo3(signature = (object, /, *arguments, **named))]
    fn __call__<'py>(
        &self,
        object: &Bound<'py, PyAny>,
        arguments: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.bound(object)?.call(object.py(), arguments, named)
    }

    fn __repr__(&self) -> String {
        format!("<PHP method {}>", self.name)
    }
}

impl PhpMethodOf {
    fn bound(&self, object: &Bound<'_, PyAny>) -> PyResult<PhpMethod> {
        let py = object.py();
        let name = self.name.bind(py);
        if object.cast::<PhpObject>().is_ok_and(|object| !object.get().is_half()) {
            if self.is_protected {
                return Err(PyAttributeError::new_err(format!("the PHP method {name} is protected")));
            }
            return Ok(PhpMethod::new(object, name, None));
        }
        Ok(PhpMethod::new(object, name, self.class.as_ref().map(|class| class.bind(py))))
    }
}
