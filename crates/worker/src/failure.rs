//! What goes wrong in a request, and how the client is told.

use pyo3::exceptions::PyRecursionError;
use pyo3::prelude::*;
use pyo3::types::PyString;
use tortoise_channel::ChannelError;
use tortoise_protocol::Malformed;
use tortoise_protocol::failure::{Category, Failure, RaisedException, Ran};
use tortoise_protocol::limits::MAX_CAUSES;

use crate::answer::Answer;
use crate::dispatch::State;
use crate::from_wire::Unreadable;
use crate::gil::Busy;
use crate::names::type_name;
use crate::path::Root;
use crate::to_wire::Unconvertible;
use crate::traceback;

/// Why a request has no value for an answer.
pub(crate) enum Fault {
    /// Python code raised.
    Raised(PyErr),
    /// Anything else that the client is told, and that leaves the session in order.
    Told(Box<Failure>),
    /// The client broke the rules of the wire: it is told, and the connection is closed.
    Malformed(Malformed),
    /// The client is lost: there is nobody to tell.
    Lost(ChannelError),
}

impl From<PyErr> for Fault {
    fn from(error: PyErr) -> Self {
        Self::Raised(error)
    }
}

impl From<Busy> for Fault {
    fn from(busy: Busy) -> Self {
        Self::Raised(busy.into())
    }
}

impl From<Malformed> for Fault {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl From<Box<Failure>> for Fault {
    fn from(failure: Box<Failure>) -> Self {
        Self::Told(failure)
    }
}

impl Fault {
    /// A failure with nothing run.
    pub(crate) fn not_run(category: Category, message: impl Into<String>) -> Self {
        Self::Told(Box::new(Failure::new(category, Ran::No, message)))
    }

    /// An object that is not of this session.
    pub(crate) fn stale(id: u64) -> Self {
        Self::not_run(Category::Stale, stale_message(id))
    }

    /// Whether the gate refused something.
    pub(crate) fn is_access(&self) -> bool {
        matches!(self, Self::Told(failure) if failure.category == Category::Access)
    }

    /// A value of the client that could not be made. `root` says which.
    pub(crate) fn unreadable(error: Unreadable, root: impl FnOnce() -> Root) -> Self {
        match error {
            Unreadable::Malformed(malformed) => Self::Malformed(malformed),
            Unreadable::Raised(error) => Self::Raised(error),
            Unreadable::Lost(error) => Self::Lost(error),
            Unreadable::Unfit { reason, path } => {
                Self::not_run(Category::Conversion, format!("{}: {reason}", path.from(&root())))
            }
            Unreadable::Stale { id, path } => {
                Self::not_run(Category::Stale, format!("{}: {}", path.from(&root()), stale_message(id)))
            }
        }
    }

    /// A value of Python that cannot go to the client. `root` says which.
    pub(crate) fn unconvertible(error: &Unconvertible, root: &Root) -> Self {
        let message = format!("{}: {}", error.path.from(root), error.reason);
        Self::Told(Box::new(Failure::new(Category::Conversion, Ran::Yes, message)))
    }
}

pub(crate) fn stale_message(id: u64) -> String {
    format!(
        "object {id} is not one of this session: it was never handed out, or has been released, or is of an earlier request"
    )
}

/// The message of Python's own error at the limit of its recursion, where nothing of Python can be called to ask for it.
fn own_message(exception: &Bound<'_, PyAny>) -> Option<String> {
    let arguments = exception.cast_exact::<PyRecursionError>().ok()?.getattr("args").ok()?;
    Some(arguments.get_item(0).ok()?.cast_exact::<PyString>().ok()?.to_string_lossy().into_owned())
}

/// One exception as `errors.explain` gives it: itself, class name, message, file, line, traceback.
type Explained<'py> = (Bound<'py, PyAny>, String, String, Option<String>, u64, traceback::Told);

/// The failure of a Python exception and its causes. The exceptions go into the table like any other object.
pub(crate) fn of_exception(py: Python<'_>, error: PyErr, state: &State, answer: &mut Answer) -> PyResult<Failure> {
    // Before Python 3.12 the traceback stands beside the exception; this puts it in.
    let exception = error.into_value(py).into_bound(py).into_any();
    let explained: Vec<Explained<'_>> =
        state.hooks.explain.bind(py).call1((&exception,)).and_then(|chain| chain.extract()).unwrap_or_else(|second| {
            // Out of memory or interrupted in the middle of explaining: what can be said without Python is said.
            let unread = || format!("(its message could not be read: {})", type_name(second.value(py).as_any()));
            let message = own_message(&exception).unwrap_or_else(unread);
            vec![(exception.clone(), type_name(&exception), message, None, 0, traceback::Told::default())]
        });
    // Asked before the table is borrowed: an exception's attributes may be user code's.
    let php_id = |object| state.php_object(object).and_then(|php| php.get().id(state)).unwrap_or_default();
    let php_ids: Vec<u64> = explained.iter().map(|(object, ..)| php_id(object)).collect();
    let mut table = state.table.borrow(py)?;
    let exceptions: Vec<_> = explained
        .into_iter()
        .zip(php_ids)
        .take(MAX_CAUSES)
        .map(|((object, class_name, message, file, line, traceback), php)| RaisedException {
            object: table.hand_out(&object, &mut answer.given),
            class_name,
            message,
            file,
            line,
            traceback: traceback.on_wire(),
            php,
        })
        .collect();
    let message = exceptions.first().map_or_else(String::new, |first| first.message.clone());
    Ok(Failure { category: Category::Python, ran: Ran::Yes, message, exceptions })
}
