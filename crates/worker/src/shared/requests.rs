//! What PHP asks about shared objects.

use pyo3::prelude::*;
use tortoise_protocol::failure::{Category, Failure, Ran};
use tortoise_protocol::request::read_share;

use crate::answer::Answer;
use crate::call::{Arguments, Callee};
use crate::dispatch::{Handled, State};
use crate::from_wire::Request;

impl State {
    /// `Share`: the object that stands for a shared one.
    pub(crate) fn share(&self, py: Python<'_>, request: &mut Request<'_>, answer: &mut Answer) -> Handled {
        let (name, class) = read_share(&mut request.reader)?;
        let maker = self.hooks.shared.bind(py).call_method1("function", (name, class))?;
        let mut callee = Callee::Object(maker);
        let arguments = Arguments::read(py, request, self, &mut callee)?;
        let shared = callee.call(&arguments).map_err(|error| self.refusal_or_raised(py, error))?;
        let reference = self.table.borrow(py)?.hand_out(&shared, &mut answer.given);
        answer.writer().object(reference);
        Ok(())
    }

    /// What PHP is told if an object stood where shared objects take and give only values, and PHP itself asked: nothing of
    /// the user's in this session has seen the exception.
    pub(crate) fn conversion_failure(&self, py: Python<'_>, error: &PyErr) -> Option<Failure> {
        if !error.is_instance(py, self.hooks.conversion.bind(py)) {
            return None;
        }
        // Before Python 3.12 the traceback stands beside the exception; this puts it in.
        let exception = error.clone_ref(py).into_value(py).into_bound(py);
        let is_from_client = exception.call_method0("is_from_client").and_then(|answer| answer.extract());
        let failure = || Failure::new(Category::Conversion, Ran::Yes, exception.to_string());
        if is_from_client.unwrap_or(false) { Some(failure()) } else { None }
    }
}
