//! PHP's classes for Python code that asks for them by name: `from php import Basket`.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyType};
use tortoise_protocol::frame::Kind;

use crate::dispatch::State;
use crate::failure::Fault;
use crate::sessions::running;

/// The Python class of the PHP class of a name, which PHP loads if need be; None if there is no such class.
///
/// Raises RequestOver where no request of PHP's is under way.
#[pyfunction]
pub(crate) fn php_class<'py>(py: Python<'py>, name: &str) -> PyResult<Option<Bound<'py, PyType>>> {
    let state = running(py)?;
    if !state.conversation.levels.borrow(py)?.is_in_request() {
        return Err(state.over(py));
    }
    let answer = state.call_back(py, Kind::PhpClass, state.php.request(), |frame| {
        frame.writer().text(name);
        Ok(())
    })?;
    if answer.is_none() {
        return Ok(None);
    }
    // A class that is Python's own comes as itself.
    answer.cast_into::<PyType>().or_else(|error| state.answered_class(&error.into_inner())).map(Some)
}

/// The number of PHP's request, which grows from one to the next.
#[pyfunction]
pub(crate) fn php_request(py: Python<'_>) -> PyResult<u64> {
    Ok(running(py)?.php.request())
}

impl State {
    fn answered_class<'py>(&self, answer: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyType>> {
        let py = answer.py();
        let (number, traits, description): (u32, u8, Option<Bound<'py, PyBytes>>) = match &answer.extract::<Vec<_>>()?[..]
        {
            [number, traits, description] => {
                let (number, traits): (&Bound<'py, PyAny>, &Bound<'py, PyAny>) = (number, traits);
                (number.extract()?, traits.extract()?, description.extract()?)
            }
            _ => return Err(PyTypeError::new_err("PHP answered with no class")),
        };
        let known = description.map_or(Ok(()), |description| self.learn(py, number, traits, description.as_bytes()));
        known.and_then(|()| self.numbered(py, number)).map_err(|fault| match fault {
            Fault::Raised(error) => error,
            Fault::Malformed(malformed) => PyTypeError::new_err(malformed.to_string()),
            Fault::Lost(error) => PyTypeError::new_err(error.to_string()),
            Fault::Told(failure) => PyTypeError::new_err(failure.message),
        })
    }
}
