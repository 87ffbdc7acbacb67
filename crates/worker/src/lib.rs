//! The Python session of Tortoise: `tortoise_worker._native`, the part of a worker that PHP speaks to.
//!
//! - [`seat`]: how a session begins; [`serve`]: its loop, and [`dispatch`]: what each request does.
//! - [`operate`]: Python's protocols: items, comparison, operators.
//! - [`table`]: the objects that the client holds; [`gate`]: the names that it may touch.
//! - [`modules`]: opening modules, and which of them it may use; [`contexts`]: context managers.
//! - [`from_wire`], [`to_wire`]: values; [`path`]: where in a value something is wrong; [`iterate`]: items of iterators.
//! - [`arguments`]: those of a call, and [`parameters`]: what their annotations want; [`numpy`]: its scalars and arrays.
//! - [`moments`]: points and spans of time, and integers of any size.
//! - [`failure`]: what the client is told when something goes wrong.
//! - [`conversation`]: who may speak to PHP next; [`callback`]: asking it for something; [`php`]: its objects in Python.
//! - [`coroutines`]: those that PHP calls, and what they give.
//! - [`requests`]: from the first byte of a request to the last of its answer; [`answer`]: a frame that is being written.
//! - [`shared`]: values of shared objects, from Python to Python, and the watch over who calls them.
//! - [`sessions`]: which session a thread belongs to; [`gil`]: what the threads of a session share.
//! - [`call`], [`raw`], [`buffer`], [`fork`], [`watch`], [`stack`]: the rooms of `unsafe`, one job each.
//! - [`watch`]: what happens while user code runs; [`signs`]: what its thread and the session's own tell each other.
//! - [`thread`]: how a session is interrupted that shares its process.
//! - [`tenure`]: how long a session serves; [`board`]: where it says what it does.
//! - [`spinning`]: how many sessions may wait without sleeping.
//! - [`hooks`]: what is left to Python: finding, describing, explaining; [`names`]: classes in messages.

mod answer;
mod arguments;
mod board;
mod buffer;
mod call;
mod callback;
mod contexts;
mod conversation;
mod coroutines;
mod dispatch;
mod failure;
mod fork;
mod from_wire;
mod gate;
mod gil;
mod hooks;
mod iterate;
mod modules;
mod moments;
mod names;
mod numpy;
mod operate;
mod parameters;
mod path;
mod php;
mod process;
mod raw;
mod requests;
mod seat;
mod serve;
mod sessions;
mod shared;
mod signs;
mod spinning;
mod stack;
mod table;
mod tenure;
mod thread;
mod to_wire;
mod traceback;
mod watch;

use pyo3::prelude::*;

/// `tortoise_worker._native`; its functions are documented for Python in `_native.pyi`.
#[pymodule]
mod _native {
    use std::os::fd::{FromRawFd, OwnedFd, RawFd};

    use pyo3::exceptions::PyValueError;
    use pyo3::prelude::*;
    use pyo3::types::{PyBytes, PyList};
    use tortoise_channel::SpinPolicy;
    use tortoise_protocol::frame::{Header, Kind, begin, finish};
    use tortoise_protocol::handshake::Refusal;
    use tortoise_protocol::{Depth, description, limits};

    use crate::hooks::Hooks;
    use crate::path::Root;
    use crate::seat::{Rules, Seat};
    use crate::sessions::running;
    use crate::to_wire::Encoder;
    use crate::watch::Alarm;
    use crate::{board, coroutines, fork, process, sessions, shared, spinning};

    #[pymodule_export]
    use crate::php::{
        PhpFunction, PhpMethod, PhpMethodOf, PhpObject, PhpProperty, has_property, is_half, new_half, operate,
        php_class, php_request,
    };

    #[pymodule_export]
    use crate::sessions::{Session, current_session};

    #[pymodule_export]
    use crate::shared::{Caller, Watch};

    #[pymodule_export]
    const PRODUCT_VERSION: &str = tortoise_protocol::PRODUCT_VERSION;
    #[pymodule_export]
    const MAX_NAME_BYTES: usize = limits::MAX_NAME_BYTES;
    #[pymodule_export]
    const MAX_PATH_BYTES: usize = limits::MAX_PATH_BYTES;
    #[pymodule_export]
    const MAX_BASES: usize = limits::MAX_BASES;
    #[pymodule_export]
    const MAX_METHODS: usize = limits::MAX_METHODS;
    #[pymodule_export]
    const MAX_PARAMETERS: usize = limits::MAX_PARAMETERS;
    #[pymodule_export]
    const MAX_CONSTANTS: usize = limits::MAX_CONSTANTS;
    #[pymodule_export]
    const MAX_DOCUMENTATION_BYTES: usize = limits::MAX_DOCUMENTATION_BYTES;
    #[pymodule_export]
    const MAX_CAUSES: usize = limits::MAX_CAUSES;
    #[pymodule_export]
    const MAX_FRAMES: usize = limits::MAX_FRAMES;
    #[pymodule_export]
    const MAX_MESSAGE_BYTES: usize = limits::MAX_MESSAGE_BYTES;
    #[pymodule_export]
    const MAX_FRAME_BYTES: usize = limits::MAX_FRAME_BYTES;
    #[pymodule_export]
    const MAX_ROOTS: usize = limits::MAX_ROOTS;
    #[pymodule_export]
    const MAX_SHARED_OBJECTS: usize = limits::MAX_SHARED_OBJECTS;

    /// Serves a client over its socket until it leaves, or the session does.
    #[pyfunction]
    fn serve(
        py: Python<'_>,
        seat: Seat,
        hooks: &Bound<'_, PyAny>,
        rules: Rules,
        alarm: Alarm,
    ) -> PyResult<Option<String>> {
        seat.serve(py, Hooks::of(hooks)?, rules, alarm)
    }

    /// Whether the call that is being done is to be interrupted.
    #[pyfunction]
    fn take_interrupt(py: Python<'_>) -> bool {
        running(py).is_ok_and(|state| state.conversation.signs.take_interrupt())
    }

    /// Opens the board behind a descriptor.
    #[pyfunction]
    fn open_board(descriptor: RawFd) -> PyResult<usize> {
        if descriptor < 0 {
            return Err(PyValueError::new_err("a board needs a descriptor"));
        }
        // SAFETY: the process was started with it, for this alone.
        let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor) };
        Ok(board::open(descriptor)?)
    }

    /// Takes a slot of the board for this process, or a thread of it.
    #[pyfunction]
    #[pyo3(signature = (number, thread=None))]
    fn take_slot(number: usize, thread: Option<u32>) {
        if let Some(slot) = board::slot(number) {
            let process = std::process::id();
            slot.take(process, thread.unwrap_or(process));
        }
    }

    /// Frees a slot of the board.
    #[pyfunction]
    fn free_slot(number: usize) -> (u32, u64) {
        board::free(number).map_or((0, 0), |seen| (seen.requests, seen.calls))
    }

    /// Makes the process the parent of those of its descendants whose parents end.
    #[pyfunction]
    fn adopt_orphans() -> PyResult<()> {
        Ok(process::adopt_orphans()?)
    }

    /// Lets so many of the sessions that are forked from this process spin at once.
    #[pyfunction]
    #[pyo3(signature = (sessions))]
    fn limit_spinning(sessions: Option<usize>) {
        spinning::limit(sessions.unwrap_or_else(SpinPolicy::cpus));
    }

    /// Remembers descriptors that a process that user code forks must not have.
    #[pyfunction]
    fn keep_from_forks(py: Python<'_>, descriptors: Vec<RawFd>) -> PyResult<()> {
        Ok(fork::guard(py, descriptors)?)
    }

    /// Forgets those of which this was the first.
    #[pyfunction]
    fn forget_kept(py: Python<'_>, first: RawFd) {
        fork::forget(py, first);
    }

    /// Takes the session's sockets from a process that user code forked.
    #[pyfunction]
    fn in_forked_child(py: Python<'_>) {
        fork::in_child(py);
    }

    /// Says that the thread it is called in runs the loop of PHP's coroutines.
    #[pyfunction]
    fn enter_loop() {
        coroutines::enter_loop();
    }

    /// What names the classes of Python's own in PHP, for the session of this thread; None where there is no session.
    #[pyfunction]
    fn naming(py: Python<'_>) -> Option<Py<PyAny>> {
        running(py).ok().map(|state| state.hooks.php_name.clone_ref(py))
    }

    /// Sends PHP what the coroutine of a call has come to.
    #[pyfunction]
    fn answer_coroutine(
        py: Python<'_>,
        call: u64,
        value: Bound<'_, PyAny>,
        error: Option<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let outcome = error.map_or(Ok(value), |error| Err(PyErr::from_value(error)));
        // Where the session has ended there is nobody to be told.
        sessions::living().map_or(Ok(()), |state| state.finish_coroutine(py, call, outcome))
    }

    /// Raises RuntimeError if the loop of PHP's coroutines cannot run anything, because it waits for PHP.
    #[pyfunction]
    fn check_loop(py: Python<'_>) -> PyResult<()> {
        running(py)?.check_loop(py)
    }

    /// A value as MessagePack; ValueError if an object is in it.
    #[pyfunction]
    fn encode<'py>(py: Python<'py>, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        let mut buffer = Vec::new();
        Encoder::plain(&mut buffer).value(value, Depth::ROOT).map_err(|error| {
            let place = error.path.from(&Root::NewValue("encode".to_owned()));
            PyValueError::new_err(format!("{place}: {}", error.reason))
        })?;
        Ok(PyBytes::new(py, &buffer))
    }

    /// A value for another Python. What MessagePack has no word for, `reduce(value)` says how to write: `(tag, parts)`, or why it
    /// is not. ValueError if it is not; `root` is what the value is to a call.
    #[pyfunction]
    fn encode_shared<'py>(
        py: Python<'py>,
        value: &Bound<'py, PyAny>,
        root: String,
        reduce: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        shared::encode(value, &Root::Called(root), reduce).map(|bytes| PyBytes::new(py, &bytes))
    }

    /// The values that stand one behind the other. `rebuild(tag, parts)` makes what MessagePack has no word for. ValueError if
    /// they are none.
    #[pyfunction]
    fn decode_shared<'py>(py: Python<'py>, values: &[u8], rebuild: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        shared::decode(py, values, rebuild)
    }

    /// How the session of this thread reaches the shared objects. RuntimeError if the thread is of none.
    #[pyfunction]
    fn shared_objects(py: Python<'_>) -> PyResult<Py<PyAny>> {
        Ok(running(py)?.hooks.shared.clone_ref(py))
    }

    /// Whether the wire takes a name for an identifier.
    #[pyfunction]
    fn is_identifier(name: &str) -> bool {
        description::is_identifier(name)
    }

    /// The frame by which a client is told that it gets no session.
    #[pyfunction]
    fn refusal<'py>(py: Python<'py>, message: &str, retry: bool) -> PyResult<Bound<'py, PyBytes>> {
        let mut frame = Vec::new();
        begin(&mut frame);
        Refusal { message: message.to_owned(), retry }.write(&mut frame);
        finish(&mut frame, Header::new(Kind::Refusal, 0)).map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(PyBytes::new(py, &frame))
    }
}
