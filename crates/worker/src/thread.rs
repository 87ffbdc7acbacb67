//! The thread of a session that shares its process: how it is interrupted, where a signal would reach the main thread only.

use std::ffi::c_long;
use std::io;
use std::iter;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;

use nix::libc::pid_t;
use nix::unistd::gettid;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;

use crate::hooks::Hooks;
use crate::signs::Signs;
use crate::watch::spawn;

/// Python code runs there: a few lines of ours.
const STACK_BYTES: usize = 1 << 20;

/// A session's own thread.
pub(crate) struct OwnThread {
    /// Python's number of it.
    ident: c_long,
    /// The system's.
    pub(crate) id: pid_t,
    /// `Coroutines.interrupt`, and that of `shared_objects.Connections`: what the thread may wait for.
    cancels: Arc<[Py<PyAny>; 2]>,
    /// The end of this line is that of the zygote.
    pub(crate) zygote: OwnedFd,
}

impl OwnThread {
    /// The calling thread, in a process that is the zygote's child at the other end of this line.
    ///
    /// # Errors
    /// If the system gives no more files.
    pub(crate) fn this(py: Python<'_>, hooks: &Hooks, zygote: BorrowedFd<'_>) -> PyResult<Self> {
        // SAFETY: asks for the number of the calling thread, which Python knows.
        let ident = unsafe { ffi::PyThread_get_thread_ident() };
        let interrupt = intern!(py, "interrupt");
        let cancels = [hooks.coroutines.getattr(py, interrupt)?, hooks.shared.getattr(py, interrupt)?];
        Ok(Self {
            ident: ident.cast_signed(),
            id: gettid().as_raw(),
            cancels: Arc::new(cancels),
            zygote: zygote.try_clone_to_owned()?,
        })
    }

    /// Raises `tortoise_worker.Interrupted` in what the thread does, if it still does what was to be interrupted when the
    /// interpreter's lock can be had. That may be never, so another thread waits for it.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub(crate) fn interrupt(&self, signs: &Arc<Signs>) -> io::Result<()> {
        let (ident, cancels, signs) = (self.ident, Arc::clone(&self.cancels), Arc::clone(signs));
        spawn("tortoise-interrupt", STACK_BYTES, move || {
            // Not where the interpreter is about to end.
            let _ = Python::try_attach(|py| {
                if signs.take_interrupt() {
                    // Raised first: what the thread waits for then ends in it.
                    let cancelled = cancels.iter().map(|cancel| cancel.bind(py).call0().map(drop));
                    for outcome in iter::once(raise_in(py, ident)).chain(cancelled) {
                        outcome.unwrap_or_else(|error| error.print(py));
                    }
                }
                drop(cancels);
            });
        })
    }
}

fn raise_in(py: Python<'_>, thread: c_long) -> PyResult<()> {
    let interrupted = py.import(intern!(py, "tortoise_worker"))?.getattr(intern!(py, "Interrupted"))?;
    // SAFETY: the interpreter's lock is held; the class is live, and Python takes a reference of its own. A number that no
    // thread has any more is none of its threads.
    unsafe { ffi::PyThreadState_SetAsyncExc(thread, interrupted.as_ptr()) };
    Ok(())
}

/// Takes back what was to be raised in this thread and has not been: what was to be interrupted is over.
pub(crate) fn forget_interrupt(_py: Python<'_>) {
    // SAFETY: as above; null takes back.
    unsafe {
        ffi::PyThreadState_SetAsyncExc(ffi::PyThread_get_thread_ident().cast_signed(), std::ptr::null_mut());
    }
}
