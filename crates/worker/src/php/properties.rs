//! Properties that a PHP class declares, as attributes of its objects in Python.

use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};
use tortoise_protocol::frame::Kind;

use super::object::{PhpObject, ask, encode};
use crate::path::Root;

/// What the Python class of a PHP class has under the name of a property: its value lives in PHP.
#[pyclass(frozen, name = "Property", module = "php")]
pub(crate) struct PhpProperty {
    /// The name of the property.
    #[pyo3(get)]
    name: Py<PyString>,
    /// The PHP class as which it is read and written on the half of an object.
    #[pyo3(get)]
    php_class: Py<PyString>,
    /// What a Python class gives as the default.
    default: Option<Py<PyAny>>,
}

#[pymethods]
impl PhpProperty {
    /// A property; `default` is what the class itself has under its name.
    #[new]
    #[pyo3(signature = (name, php_class, *default))]
    fn new(name: Py<PyString>, php_class: Py<PyString>, default: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let default = if default.is_empty() { None } else { Some(default.get_item(0)?.unbind()) };
        Ok(Self { name, php_class, default })
    }

    /// The default, or nothing.
    #[getter]
    fn defaults<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.default.as_ref())
    }

    fn __get__<'py>(
        slf: &Bound<'py, Self>,
        object: Option<&Bound<'py, PyAny>>,
        _class: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, property) = (slf.py(), slf.get());
        let Some(object) = object else {
            return Ok(property
                .default
                .as_ref()
                .map_or_else(|| slf.clone().into_any(), |value| value.bind(py).clone()));
        };
        let name = property.name.bind(py).to_str()?;
        if is_reference(object) {
            return ask(object, Kind::PhpGet, |_, frame| {
                frame.writer().text(name);
                Ok(())
            });
        }
        let class = property.php_class.bind(py).to_str()?;
        ask(object, Kind::PhpGetOwn, |_, frame| {
            frame.writer().text(class);
            frame.writer().text(name);
            Ok(())
        })
    }

    fn __set__(&self, object: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = object.py();
        let (class, name) = (self.php_class.bind(py).to_str()?, self.name.bind(py).to_str()?);
        let is_own = !is_reference(object);
        ask(object, if is_own { Kind::PhpSetOwn } else { Kind::PhpSet }, |state, frame| {
            if is_own {
                frame.writer().text(class);
            }
            frame.writer().text(name);
            encode(state, frame, value, || Root::NewValue(name.to_owned()))
        })?;
        Ok(())
    }

    fn __delete__(&self, object: &Bound<'_, PyAny>) -> PyResult<()> {
        let name = self.name.bind(object.py()).to_str()?;
        ask(object, Kind::PhpDelete, |_, frame| {
            frame.writer().text(name);
            Ok(())
        })?;
        Ok(())
    }

    fn __repr__(&self) -> String {
        format!("<PHP property {}::${}>", self.php_class, self.name)
    }
}

/// Whether an object has one half in PHP and one here; False: PHP has all of it.
#[pyfunction]
pub(crate) fn is_half(object: &Bound<'_, PyAny>) -> bool {
    !is_reference(object)
}

/// Whether PHP has all of the object: what Python may do is what is public then.
fn is_reference(object: &Bound<'_, PyAny>) -> bool {
    object.cast::<PhpObject>().is_ok_and(|object| !object.get().is_half())
}
