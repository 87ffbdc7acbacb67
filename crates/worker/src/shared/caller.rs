//! One connection to the shared objects: where its call stands, so that it is ended if nobody waits for it.

use std::ffi::{c_long, c_ulong};
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::ffi;
use pyo3::prelude::*;

use super::watch::Shared;

/// What a connection is doing. Nothing was asked that has been read.
const IDLE: u8 = 0;
/// A call is to be made, but for its turn.
const WAITING: u8 = 1;
/// A call is being made.
const RUNNING: u8 = 2;
/// The call is over, and its answer is on the way.
const DONE: u8 = 3;
/// The process is about to end: what waited is not made any more.
const ENDED: u8 = 4;

/// What a connection is doing, for its own thread and the watcher.
pub(super) struct State {
    pub(super) number: u64,
    pub(super) socket: RawFd,
    doing: AtomicU8,
    has_left: AtomicBool,
    /// Counts calls, so that one is not taken for the next.
    calls: AtomicU64,
    label: Mutex<String>,
}

impl State {
    /// Of a connection that asks nothing yet.
    pub(super) fn new(number: u64, socket: RawFd) -> Self {
        Self {
            number,
            socket,
            doing: AtomicU8::new(IDLE),
            has_left: AtomicBool::new(false),
            calls: AtomicU64::new(0),
            label: Mutex::default(),
        }
    }

    /// It has left. Gives the number of the call that may be made for it.
    pub(super) fn leave(&self) -> u64 {
        self.has_left.store(true, Ordering::SeqCst);
        self.calls.load(Ordering::SeqCst)
    }

    /// Whether that call is being made.
    pub(super) fn is_running(&self, call: u64) -> bool {
        self.calls.load(Ordering::SeqCst) == call && self.doing.load(Ordering::SeqCst) == RUNNING
    }

    /// Whether a call is being made, or answered. Where the interpreter's lock is held that does not change.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self.doing.load(Ordering::SeqCst), RUNNING | DONE)
    }

    /// The process ends. Whether what was asked for, if anything, has not begun; then it does not.
    pub(super) fn end_process(&self) -> bool {
        let not_run = |doing| matches!(doing, WAITING | IDLE).then_some(ENDED);
        self.doing.fetch_update(Ordering::SeqCst, Ordering::SeqCst, not_run).is_ok()
    }

    /// What the log calls its call.
    pub(super) fn label(&self) -> String {
        self.label.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One connection, and the thread that serves it.
#[pyclass(frozen, module = "tortoise_worker._native")]
pub(crate) struct Caller {
    pub(super) state: Arc<State>,
    pub(super) shared: Arc<Shared>,
    /// What Python calls the thread.
    pub(super) thread: c_ulong,
}

#[pymethods]
impl Caller {
    /// The number that is written where it leaves.
    #[getter]
    fn number(&self) -> u64 {
        self.state.number
    }

    /// Whether it has left.
    #[getter]
    fn has_left(&self) -> bool {
        self.state.has_left.load(Ordering::SeqCst)
    }

    /// A call has been asked for. `label` is what the log calls it.
    fn wait(&self, label: String) {
        *self.state.label.lock().unwrap_or_else(PoisonError::into_inner) = label;
        let _ = self.state.doing.compare_exchange(IDLE, WAITING, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// The call begins. False if it must not: the caller has left, or the process ends.
    fn begin(&self) -> bool {
        self.state.calls.fetch_add(1, Ordering::SeqCst);
        let begun = self.state.doing.compare_exchange(WAITING, RUNNING, Ordering::SeqCst, Ordering::SeqCst).is_ok();
        // The watcher first says that it has left and then looks whether there is a call: one of the two sees the other.
        begun && !self.has_left()
    }

    /// Whatever was asked for is over. No exception comes from [`Self::interrupt`] any more.
    fn end(&self, _py: Python<'_>) {
        self.state.calls.fetch_add(1, Ordering::SeqCst);
        let done = |doing| (doing != ENDED).then_some(DONE);
        let _ = self.state.doing.fetch_update(Ordering::SeqCst, Ordering::SeqCst, done);
        // SAFETY: the interpreter's lock is held. Null takes back what was set and not yet raised.
        unsafe { ffi::PyThreadState_SetAsyncExc(self.thread as c_long, std::ptr::null_mut()) };
    }

    /// The answer has been sent.
    fn rest(&self) {
        let _ = self.state.doing.compare_exchange(DONE, IDLE, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// Raises an exception in the call, if one is being made.
    fn interrupt(&self, exception: &Bound<'_, PyAny>) {
        if self.state.doing.load(Ordering::SeqCst) == RUNNING {
            // SAFETY: the interpreter's lock is held, which `end` needs: the call is still being made. The function takes
            // its own reference.
            unsafe { ffi::PyThreadState_SetAsyncExc(self.thread as c_long, exception.as_ptr()) };
        }
    }

    /// Does not watch it any more.
    fn close(&self) {
        self.shared.forget(&self.state);
    }
}
