//! Which session a thread belongs to.
//!
//! A process that serves one client has one session, and all its threads are of it. In one that serves many, each session
//! has a thread, and what user code starts is of the session that started it (`tortoise_worker.inheriting`).

use std::cell::RefCell;
use std::sync::{Arc, OnceLock, Weak};

use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::dispatch::State;

/// The session of a process that has only one.
static SOLE: OnceLock<Arc<State>> = OnceLock::new();

thread_local! {
    /// That of this thread, in a process that may have many. It may be over.
    static OF_THREAD: RefCell<Option<Weak<State>>> = const { RefCell::new(None) };
}

/// All threads of the process are of this session, for good.
pub(crate) fn is_sole(state: &Arc<State>) {
    // Where there is one already, that stays.
    let _ = SOLE.set(Arc::clone(state));
}

/// The session of this thread.
///
/// # Errors
/// RuntimeError if it is of none, `php.RequestOver` if that has ended.
pub(crate) fn running(py: Python<'_>) -> PyResult<Arc<State>> {
    match SOLE.get() {
        Some(sole) => Ok(Arc::clone(sole)),
        None => of_thread().map_or_else(|| Err(no_session()), |session| session.upgrade().ok_or_else(|| ended(py))),
    }
}

/// The session of this thread, if it has one that has not ended.
pub(crate) fn living() -> Option<Arc<State>> {
    SOLE.get().cloned().or_else(|| of_thread()?.upgrade())
}

/// As [`running`], for what is of this session. A thread that is of none becomes one of it as long as the guard lives.
///
/// # Errors
/// `php.RequestOver` if the session has ended; RuntimeError if the thread is of another one.
pub(crate) fn running_as(py: Python<'_>, session: &Weak<State>) -> PyResult<(Arc<State>, Option<Inside>)> {
    if let Some(sole) = SOLE.get() {
        return Ok((Arc::clone(sole), None));
    }
    let state = session.upgrade().ok_or_else(|| ended(py))?;
    let inside = match of_thread() {
        None => Some(Inside::of(session.clone())),
        Some(own) if Weak::ptr_eq(&own, session) => None,
        Some(_) => {
            return Err(PyRuntimeError::new_err(
                "this object lives in another PHP process, which shares this Python process (isolation = \"thread\"): only \
                 code that its own PHP has called can use it",
            ));
        }
    };
    Ok((state, inside))
}

/// As long as it lives, the thread is of another session, or of one at all.
pub(crate) struct Inside(Option<Weak<State>>);

impl Inside {
    /// The thread is of this session.
    pub(crate) fn of(session: Weak<State>) -> Self {
        Self(OF_THREAD.replace(Some(session)))
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        OF_THREAD.set(self.0.take());
    }
}

fn of_thread() -> Option<Weak<State>> {
    OF_THREAD.with_borrow(Clone::clone)
}

#[cold]
fn no_session() -> PyErr {
    PyRuntimeError::new_err(
        "this thread is of no PHP: where one process serves many (isolation = \"thread\"), PHP can be called by the threads \
         that it calls, and by those that they start with `threading` or `concurrent.futures`",
    )
}

/// What is raised where PHP has gone, and its session with it.
#[cold]
fn ended(py: Python<'_>) -> PyErr {
    let over = py.import(intern!(py, "tortoise_worker.php_classes")).and_then(|module| module.getattr("RequestOver"));
    match over.and_then(|class| class.call1(("PHP has gone",))) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}

/// A session, for what is to run in its name in another thread.
#[pyclass(frozen, name = "Session", module = "tortoise_worker._native")]
pub(crate) struct Session(Weak<State>);

#[pymethods]
impl Session {
    /// Calls a function in the name of the session: for its PHP.
    #[pyo3(signature = (function, /, *arguments, **named))]
    fn call<'py>(
        &self,
        function: &Bound<'py, PyAny>,
        arguments: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let _inside = Inside::of(self.0.clone());
        function.call(arguments, named)
    }
}

/// The session of this thread, if the process may have many and the thread is of one.
#[pyfunction]
pub(crate) fn current_session() -> Option<Session> {
    of_thread().map(Session)
}
