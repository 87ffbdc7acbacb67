//! Enters and leaves context managers for PHP. Which are entered is kept in Python (`tortoise_worker.contexts`).

use std::sync::atomic::Ordering;

use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyInt, PyString};
use tortoise_protocol::Depth;
use tortoise_protocol::failure::Category;
use tortoise_protocol::thrown::{Code, PhpException, Thrown};

use crate::answer::Answer;
use crate::dispatch::{Handled, State};
use crate::failure::Fault;
use crate::from_wire::Request;
use crate::path::Root;

/// The number of no context: `tortoise_worker.contexts` counts from 1.
const NO_CONTEXT: u64 = 0;

impl State {
    /// `Enter`: the number of the context, and the value of `__enter__`.
    pub(crate) fn enter(&self, py: Python<'_>, request: &mut Request<'_>, answer: &mut Answer) -> Handled {
        let manager = self.target(py, &mut request.reader)?;
        request.end()?;
        let (number, value): (u64, Bound<'_, PyAny>) = self.hooks.enter.bind(py).call1((manager,))?.extract()?;
        self.has_entered.store(true, Ordering::Relaxed);
        let mut writer = answer.writer();
        writer.array(2);
        writer.unsigned(number);
        let written = answer.encoder(self).value(&value, Depth::ROOT);
        written.map_err(|error| {
            // PHP does not get into the body, so nobody else would leave it.
            match self.hooks.leave.bind(py).call1((number, true)) {
                Ok(_) => Fault::unconvertible(&error, &Root::EnteredValue),
                Err(error) => Fault::Raised(error),
            }
        })
    }

    /// `Exit`: whether `__exit__` took what was thrown upon itself. In no context nobody does: a Python exception is
    /// answered by the failure that it is.
    pub(crate) fn exit(&self, py: Python<'_>, request: &mut Request<'_>, answer: &mut Answer) -> Handled {
        let number = request.reader.unsigned("the number of a context")?;
        let thrown = Thrown::read(&mut request.reader)?;
        request.end()?;
        let is_python = matches!(thrown, Thrown::Python(_));
        let thrown = self.python_of(py, thrown)?;
        if number == NO_CONTEXT && is_python {
            return Err(match thrown.cast_into::<PyBaseException>() {
                Ok(exception) => Fault::Raised(PyErr::from_value(exception.into_any())),
                Err(_) => Fault::not_run(Category::Access, "what was thrown is no exception of Python"),
            });
        }
        let left =
            self.hooks.leave.bind(py).call1((number, thrown)).map_err(|error| self.refusal_or_raised(py, error))?;
        answer.writer().boolean(left.extract()?);
        Ok(())
    }

    /// What was thrown, as `tortoise_worker.contexts.Thrown`.
    fn python_of<'py>(&self, py: Python<'py>, thrown: Thrown<'_>) -> Handled<Bound<'py, PyAny>> {
        Ok(match thrown {
            Thrown::Nothing => py.None().into_bound(py),
            Thrown::Left => PyBool::new(py, true).to_owned().into_any(),
            Thrown::Python(id) => self.object(py, id)?.ok_or_else(|| Fault::stale(id))?,
            Thrown::Php(PhpException { class, message, code, file, line }) => {
                let code = match code {
                    Code::Integer(code) => PyInt::new(py, code).into_any(),
                    Code::Text(code) => PyString::new(py, code).into_any(),
                };
                (class, message, code, file, line).into_pyobject(py)?.into_any()
            }
        })
    }

    /// PHP's request is over: contexts that it did not leave are left, and then its objects go.
    pub(crate) fn end_request(&self, py: Python<'_>) -> PyResult<()> {
        if self.has_entered.swap(false, Ordering::Relaxed) {
            // It prints what goes wrong; an interrupt in the middle of that has nobody to be told to.
            let _ = self.hooks.leave_all.bind(py).call0();
        }
        self.table.borrow(py)?.end_request();
        Ok(())
    }
}
