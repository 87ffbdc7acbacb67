//! What PHP threw in a callback, as what Python raises; and PHP's exceptions that come home.

use pyo3::exceptions::{PyAttributeError, PyBaseException, PyReferenceError, PyRuntimeError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyInt, PyString};
use tortoise_protocol::failure::Category;
use tortoise_protocol::rebound::{PhpThrowable, Rebound};
use tortoise_protocol::thrown::Code;

use super::object::PhpObject;
use crate::dispatch::State;
use crate::failure::{Fault, stale_message};
use crate::from_wire::Request;

impl State {
    /// What a `Threw` raises.
    ///
    /// # Errors
    /// [`Fault`] if it makes no sense.
    pub(crate) fn thrown(&self, py: Python<'_>, request: &mut Request<'_>) -> Result<PyErr, Fault> {
        Ok(match Rebound::read(&mut request.reader)? {
            Rebound::Python(id) => match self.object(py, id)? {
                Some(object) if object.is_instance_of::<PyBaseException>() => PyErr::from_value(object),
                Some(_) => PyTypeError::new_err(format!("PHP threw object {id} of Python, which is no exception")),
                None => PyReferenceError::new_err(stale_message(id)),
            },
            Rebound::Php(PhpThrowable { object, message, code, file, line }) => {
                let object = self.receive(py, object)?;
                let code = match code {
                    Code::Integer(code) => PyInt::new(py, code).into_any(),
                    Code::Text(code) => PyString::new(py, code).into_any(),
                };
                PyErr::from_value(self.hooks.php_thrown.bind(py).call1((object, message, code, file, line))?)
            }
            Rebound::Exit => PyErr::from_type(
                self.hooks.php_exit.bind(py).clone(),
                "PHP ends its request: exit() was called in a callback",
            ),
            Rebound::Refused(category, message) => {
                let message = message.to_owned();
                match category {
                    Category::Access => PyAttributeError::new_err(message),
                    Category::Stale => PyReferenceError::new_err(message),
                    Category::Conversion | Category::Unsupported => PyTypeError::new_err(message),
                    Category::Python | Category::Protocol => PyRuntimeError::new_err(message),
                }
            }
        })
    }

    /// The PHP object that is behind a Python object: the object itself, or what a PHP exception holds.
    pub(crate) fn php_object<'py>(&self, object: &Bound<'py, PyAny>) -> Option<Bound<'py, PhpObject>> {
        if let Ok(object) = object.cast::<PhpObject>() {
            return (!object.get().is_half()).then(|| object.clone());
        }
        let py = object.py();
        if object.is_instance_of::<PyBaseException>()
            && object.is_instance(self.hooks.php_exception.bind(py)).unwrap_or(false)
        {
            return object.getattr(intern!(py, "object")).ok()?.cast_into().ok();
        }
        None
    }
}
