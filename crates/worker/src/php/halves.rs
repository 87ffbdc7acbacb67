//! The PHP half of an object that has one in each language.

use std::sync::Weak;
use std::sync::atomic::Ordering;

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyWeakrefReference;
use tortoise_protocol::frame::Kind;
use tortoise_protocol::{Malformed, Reader, Token};

use super::PhpObjects;
use super::object::PhpObject;
use crate::dispatch::State;
use crate::names::type_name;

impl State {
    /// The id of an object's half in PHP, which PHP makes if there is none yet.
    ///
    /// # Errors
    /// TypeError for an object that can have none, and as [`State::call_back`].
    pub(super) fn half_in_php(&self, object: &Bound<'_, PyAny>) -> PyResult<u64> {
        let py = object.py();
        match object.cast::<PhpObject>() {
            Ok(half) if half.get().is_over(self.php.request()) => return Err(self.over(py)),
            Ok(_) => {}
            Err(_) if is_of_two(object) => {}
            Err(_) => {
                let message =
                    format!("an object of {} has no half in PHP: its class extends none of PHP's", type_name(object));
                return Err(PyTypeError::new_err(message));
            }
        }
        if let Some(id) = self.table.borrow(py)?.php_of(object) {
            return Ok(id);
        }
        let (reference, is_new) = {
            let mut table = self.table.borrow(py)?;
            let is_new = !table.keeps(object);
            (table.name_uncounted(object), is_new)
        };
        if is_new {
            self.hold_weakly(object, reference.id)?;
        }
        let answer = self.call_back(py, Kind::PhpHalve, self.php.request(), |frame| {
            frame.writer().object(reference);
            Ok(())
        })?;
        let php = answer.extract::<u64>()?;
        if !self.table.borrow(py)?.tie(reference.id, php) {
            return Err(PyRuntimeError::new_err(format!(
                "PHP made a second half for an object of {}",
                type_name(object)
            )));
        }
        self.tied(object);
        Ok(php)
    }

    /// PHP has named its half of an object.
    pub(crate) fn tied(&self, object: &Bound<'_, PyAny>) {
        if let Ok(half) = object.cast::<PhpObject>() {
            half.get().tie(self.php.request());
        }
    }

    /// The table holds an object only as long as somebody else does. False: it cannot be referred to in that way, and is held.
    pub(crate) fn hold_weakly(&self, object: &Bound<'_, PyAny>, id: u64) -> PyResult<bool> {
        let py = object.py();
        let Ok(reference) =
            PyWeakrefReference::new_with(object, Bound::new(py, HalfGone { id, session: Weak::clone(&self.itself) })?)
        else {
            return Ok(false);
        };
        self.table.borrow(py)?.weaken(id, reference);
        Ok(true)
    }

    /// Forgets the objects whose end was told while the table was in use.
    #[cold]
    pub(crate) fn drop_gone(&self, py: Python<'_>) {
        let gone = self.php.gone.borrow(py).map(|mut gone| std::mem::take(&mut *gone)).unwrap_or_default();
        self.php.has_gone.store(false, Ordering::Relaxed);
        gone.into_iter().for_each(|id| self.half_is_gone(py, id));
    }

    fn half_is_gone(&self, py: Python<'_>, id: u64) {
        let Ok(mut table) = self.table.borrow(py) else { return self.php.remember_gone(py, id) };
        let half = table.forget_half(id);
        drop(table);
        if let Some(half) = half {
            self.php.release(py, half.id, half.received);
        }
    }
}

impl PhpObjects {
    /// PHP is told that Python has let go of an object that it received so often.
    pub(crate) fn release(&self, py: Python<'_>, id: u64, received: u64) {
        if let Ok(mut releases) = self.releases.borrow(py) {
            releases.push((id, received));
        }
    }

    fn remember_gone(&self, py: Python<'_>, id: u64) {
        if let Ok(mut gone) = self.gone.borrow(py) {
            gone.push(id);
            self.has_gone.store(true, Ordering::Relaxed);
        }
    }
}

/// Reads the PHP object that is the half of an object which the frame is about. Its class needs no description.
///
/// # Errors
/// [`Malformed`].
pub(crate) fn read_half(reader: &mut Reader<'_>) -> Result<u64, Malformed> {
    match reader.token()? {
        Token::PhpObject(reference) => Ok(reference.id),
        other => Err(Malformed::Unexpected { expected: "a PHP object", found: other.describe() }),
    }
}

/// Whether an object's class stands for a PHP class that extends one of Python's, or is below such a class.
pub(crate) fn is_of_two(object: &Bound<'_, PyAny>) -> bool {
    object.get_type().getattr_opt(intern!(object.py(), "php_open")).is_ok_and(|names| names.is_some())
}

/// What a weak reference calls when its object is gone.
#[pyclass(frozen, name = "HalfGone", module = "tortoise_worker._native")]
struct HalfGone {
    id: u64,
    /// Whose table had it: the end comes in any thread.
    session: Weak<State>,
}

#[pymethods]
impl HalfGone {
    fn __call__(&self, py: Python<'_>, _reference: &Bound<'_, PyAny>) {
        if let Some(state) = self.session.upgrade() {
            state.half_is_gone(py, self.id);
        }
    }
}
