//! Methods of PHP objects.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use super::object::PhpObject;

/// A method of a PHP object: it can be called, kept and passed on.
#[pyclass(frozen, weakref, name = "Method", module = "php")]
pub(crate) struct PhpMethod {
    object: Py<PhpObject>,
    /// Empty for the object itself, which is called then.
    name: Py<PyString>,
}

/// What the Python class of a PHP class has under the name of a method.
#[pyclass(frozen, name = "MethodDescriptor", module = "php")]
pub(crate) struct PhpMethodOf {
    name: Py<PyString>,
}

impl PhpMethod {
    pub(super) fn new(object: &Bound<'_, PhpObject>, name: &Bound<'_, PyString>) -> Self {
        Self { object: object.clone().unbind(), name: name.clone().unbind() }
    }
}

#[pymethods]
impl PhpMethod {
    /// The method of an object, whether PHP has one of that name or not.
    #[new]
    fn of(object: &Bound<'_, PhpObject>, name: &Bound<'_, PyString>) -> Self {
        Self::new(object, name)
    }

    #[getter]
    fn __self__(&self, py: Python<'_>) -> Py<PhpObject> {
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
        self.object.get().call(py, self.name.bind(py).to_str()?, arguments, named)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        let Ok(other) = other.cast::<Self>() else { return Ok(false) };
        let is_same = other.get().object.is(&self.object);
        Ok(is_same && other.get().name.bind(other.py()).as_any().eq(&self.name)?)
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        Ok(self.object.bind(py).hash()? ^ self.name.bind(py).hash()?)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<PHP method {} of {}>", self.name, self.object.bind(py).repr()?))
    }
}

#[pymethods]
impl PhpMethodOf {
    #[new]
    fn new(name: Py<PyString>) -> Self {
        Self { name }
    }

    fn __get__<'py>(
        slf: &Bound<'py, Self>,
        object: Option<&Bound<'py, PhpObject>>,
        _class: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match object {
            Some(object) => Ok(Bound::new(slf.py(), PhpMethod::new(object, slf.get().name.bind(slf.py())))?.into_any()),
            None => Ok(slf.clone().into_any()),
        }
    }

    fn __repr__(&self) -> String {
        format!("<PHP method {}>", self.name)
    }
}
