//! Python's protocols: the one place that does what an `Operate` asks for.
//!
//! No name comes from the client here: what an operation touches is what Python's own operator or built-in function
//! touches, on whatever objects.

mod comparison;
mod items;
mod numbers;

use pyo3::exceptions::{PyLookupError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PySlice, PyString};
use tortoise_protocol::Depth;
use tortoise_protocol::failure::{Category, Failure, Ran};
use tortoise_protocol::operation::Operation;

use crate::answer::Answer;
use crate::dispatch::{Handled, State};
use crate::failure::Fault;
use crate::from_wire::{Decoder, Request};
use crate::path::Root;

impl State {
    /// Answers an `Operate`.
    ///
    /// # Errors
    /// [`Fault`]; what Python raises goes to the client as it is, but for an operator that no operand has.
    pub(crate) fn operate(&self, py: Python<'_>, request: &mut Request<'_>, answer: &mut Answer) -> Handled {
        let operation = Operation::read(&mut request.reader)?;
        let none = py.None().into_bound(py);
        let mut operands = [none.clone(), none.clone(), none];
        for (index, operand) in operands.iter_mut().enumerate().take(operation.operands()) {
            *operand = Decoder::new(py, request, self)
                .value(Depth::ROOT)
                .map_err(|error| Fault::unreadable(*error, || Root::Argument(index)))?;
        }
        request.end()?;
        let result = self.result(operation, operands)?;
        self.write(&result, answer, || Root::ReturnValue)
    }

    fn result<'py>(&self, operation: Operation, operands: [Bound<'py, PyAny>; 3]) -> Handled<Bound<'py, PyAny>> {
        let [a, b, c] = operands;
        let py = a.py();
        let boolean = |truth: bool| PyBool::new(py, truth).to_owned().into_any();
        let none = || py.None().into_bound(py);
        Ok(match operation {
            Operation::GetItem => a.get_item(items::key(&a, b)?)?,
            Operation::FindItem => find(&a, b)?.unwrap_or_else(none),
            Operation::HasItem => boolean(find(&a, b)?.is_some_and(|found| !found.is_none())),
            Operation::SetItem => {
                a.set_item(items::key(&a, b)?, c)?;
                none()
            }
            Operation::DeleteItem => {
                a.del_item(items::key(&a, b)?)?;
                none()
            }
            Operation::Append => {
                let append = self.gate.borrow(py)?.pass("append", &a)?;
                a.call_method1(append, (b,))?;
                none()
            }
            Operation::Length => PyInt::new(py, a.len()?).into_any(),
            // A subclass of str would go by reference.
            Operation::Text => PyString::new(py, &a.str()?.to_cow()?).into_any(),
            Operation::Integer => numbers::converted(&a, &py.get_type::<PyInt>(), &["__int__", "__index__"])?,
            Operation::Float => numbers::converted(&a, &py.get_type::<PyFloat>(), &["__float__", "__index__"])?,
            Operation::Json => self.hooks.json.bind(py).call1((a,))?,
            Operation::Copy => self.hooks.copy.bind(py).call1((a,))?,
            Operation::Slice => py.get_type::<PySlice>().call1((a, b, c))?,
            Operation::Equal => boolean(comparison::are_equal(&a, &b)?),
            Operation::Order | Operation::Compare => comparison::order(&a, &b, operation == Operation::Compare)?
                .map_or_else(none, |order| PyInt::new(py, order).into_any()),
            Operation::Invert => numbers::unary(a.bitnot(), "~", &a)?,
            Operation::Multiply => numbers::product(&a, &b)?,
            Operation::Add => numbers::binary(a.add(&b), "+", &a, &b)?,
            Operation::Subtract => numbers::binary(a.sub(&b), "-", &a, &b)?,
            Operation::Divide => numbers::binary(a.div(&b), "/", &a, &b)?,
            Operation::Modulo => numbers::binary(a.rem(&b), "%", &a, &b)?,
            Operation::Power => numbers::binary(a.pow(&b, py.None()), "**", &a, &b)?,
            Operation::ShiftLeft => numbers::binary(a.lshift(&b), "<<", &a, &b)?,
            Operation::ShiftRight => numbers::binary(a.rshift(&b), ">>", &a, &b)?,
            Operation::And => numbers::commutative(|a, b| a.bitand(b), "&", &a, &b)?,
            Operation::Or => numbers::commutative(|a, b| a.bitor(b), "|", &a, &b)?,
            Operation::ExclusiveOr => numbers::commutative(|a, b| a.bitxor(b), "^", &a, &b)?,
        })
    }
}

/// `o[k]`; None where there is none.
fn find<'py>(target: &Bound<'py, PyAny>, key: Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    match target.get_item(items::key(target, key)?) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_instance_of::<PyLookupError>(target.py()) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What the client is told of an operator that its operands do not have.
fn unsupported(message: String) -> Fault {
    Fault::Told(Box::new(Failure::new(Category::Unsupported, Ran::Yes, message)))
}

/// Whether Python itself says that no operand has the operator. A TypeError out of user code has a traceback.
fn says_unsupported(error: &PyErr, py: Python<'_>, openings: &[&str]) -> bool {
    if !error.is_instance_of::<PyTypeError>(py) || error.traceback(py).is_some() {
        return false;
    }
    let message = error.value(py).str();
    message.is_ok_and(|message| {
        let message = message.to_string_lossy();
        openings.iter().any(|opening| message.starts_with(opening))
    })
}
