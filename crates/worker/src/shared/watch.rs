//! Sees that a caller of a shared object has left in mid-call, and ends the process if the call does not end.
//!
//! The thread that looks never holds the interpreter's lock, so that no user code can keep it from looking.

use std::fs::File;
use std::io::Write;
use std::os::fd::{BorrowedFd, RawFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::libc;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::signal::{SigSet, SigmaskHow};
use nix::sys::socket::{MsgFlags, send};
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use rustc_hash::FxHashMap;

use super::caller::{Caller, State};

/// The watcher does next to nothing.
const STACK_BYTES: usize = 64 << 10;

/// Events that are taken at once.
const EVENTS: usize = 64;

/// What stands for the line to the zygote among the numbers of callers.
const LINE: u64 = u64::MAX;

/// Watches the callers of a process of shared objects.
#[pyclass(frozen, module = "tortoise_worker._native")]
pub(crate) struct Watch {
    shared: Arc<Shared>,
}

/// What the watcher and the threads of the connections have in common.
pub(super) struct Shared {
    epoll: Epoll,
    callers: Mutex<FxHashMap<u64, Arc<State>>>,
    next: AtomicU64,
    /// Gets the number of a caller that has left, 8 bytes each.
    left: File,
    grace: Duration,
    /// A frame that says "not run": the caller asks again, the next process.
    not_run: Vec<u8>,
}

#[pymethods]
impl Watch {
    /// Begins to watch. `line` is the socket of the zygote: where it ends, the process ends after `grace` seconds. The numbers
    /// of callers that leave are written into `left`, a pipe. `not_run` is what those are sent whose calls are not made
    /// because the process ends.
    #[new]
    fn new(line: RawFd, left: RawFd, grace: f64, not_run: Vec<u8>) -> PyResult<Self> {
        let failed = |errno: Errno| PyOSError::new_err(errno as i32);
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).map_err(failed)?;
        // SAFETY: the caller keeps both open for as long as the process lives.
        let (line, left) = unsafe { (BorrowedFd::borrow_raw(line), BorrowedFd::borrow_raw(left)) };
        epoll.add(line, EpollEvent::new(hang_up() | EpollFlags::EPOLLONESHOT, LINE)).map_err(failed)?;
        let shared = Arc::new(Shared {
            epoll,
            callers: Mutex::default(),
            next: AtomicU64::new(0),
            left: File::from(left.try_clone_to_owned()?),
            grace: Duration::try_from_secs_f64(grace).unwrap_or(Duration::MAX),
            not_run,
        });
        let watched = Arc::clone(&shared);
        // Signals are for the main thread, where Python handles them.
        let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK).map_err(failed)?;
        let started = thread::Builder::new()
            .name("tortoise-watch".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || watched.run());
        before.thread_set_mask().map_err(failed)?;
        started?;
        Ok(Self { shared })
    }

    /// Ends the process, unless a call is being made. Who waits is told to ask again.
    fn renew(&self, _py: Python<'_>) {
        let is_busy = self.shared.callers().values().any(|state| state.is_busy());
        if !is_busy {
            self.shared.end(None);
        }
    }

    /// Watches a connection that the calling thread serves, till [`Caller`] is closed.
    fn add(&self, py: Python<'_>, socket: RawFd) -> PyResult<Caller> {
        // SAFETY: the socket is open, and is taken out again by `close` before it is closed.
        let borrowed = unsafe { BorrowedFd::borrow_raw(socket) };
        let state = Arc::new(State::new(self.shared.next.fetch_add(1, Ordering::Relaxed), socket));
        let thread = py.import("threading")?.getattr("get_ident")?.call0()?.extract()?;
        self.shared.callers().insert(state.number, Arc::clone(&state));
        let event = EpollEvent::new(hang_up() | EpollFlags::EPOLLONESHOT, state.number);
        self.shared.epoll.add(borrowed, event).map_err(|errno| PyOSError::new_err(errno as i32))?;
        Ok(Caller { state, shared: Arc::clone(&self.shared), thread })
    }
}

impl Shared {
    /// Does not watch a connection any more, which is still open.
    pub(super) fn forget(&self, state: &State) {
        if self.callers().remove(&state.number).is_some() {
            // SAFETY: it is still open; whoever closes it calls `Caller::close` first.
            let _ = self.epoll.delete(unsafe { BorrowedFd::borrow_raw(state.socket) });
        }
    }

    fn callers(&self) -> MutexGuard<'_, FxHashMap<u64, Arc<State>>> {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut overdue: Vec<Overdue> = Vec::new();
        let mut events = [EpollEvent::empty(); EVENTS];
        loop {
            overdue.retain(Overdue::is_running);
            let next = overdue.iter().map(|overdue| overdue.deadline).min();
            let timeout = next.map_or(EpollTimeout::NONE, until);
            let count = match self.epoll.wait(&mut events, timeout) {
                Ok(count) => count,
                Err(Errno::EINTR) => 0,
                Err(_) => end_group(),
            };
            for event in &events[..count] {
                overdue.extend(self.left(event.data()));
            }
            let now = Instant::now();
            if let Some(late) = overdue.iter().find(|overdue| overdue.deadline <= now && overdue.is_running()) {
                self.end(late.caller.as_ref().map(|(state, _)| &**state));
            }
        }
    }

    /// Something has left: what must end now, in a while.
    fn left(&self, number: u64) -> Option<Overdue> {
        let deadline = Instant::now().checked_add(self.grace).unwrap_or_else(far_away);
        if number == LINE {
            return Some(Overdue { deadline, caller: None });
        }
        let state = Arc::clone(self.callers().get(&number)?);
        // It is said first, and then looked whether there is a call: `Caller::begin` does it the other way round.
        let call = state.leave();
        // Full only if nobody reads, and then nobody could interrupt either.
        let _ = (&self.left).write(&number.to_le_bytes());
        Some(Overdue { deadline, caller: Some((state, call)) })
    }

    /// Ends the process, where `late` has left and its call goes on. Who waits hears that its call was not made; who asks
    /// nothing may have sent a request that nobody has read, and is told too.
    fn end(&self, late: Option<&State>) -> ! {
        for state in self.callers().values() {
            if state.end_process() {
                let _ = send(state.socket, &self.not_run, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL);
            }
        }
        if let Some(state) = late {
            let label = state.label();
            let seconds = self.grace.as_secs_f64();
            let _ = writeln!(
                std::io::stderr(),
                "tortoise: {label} went on for {seconds} s after its caller had left; the process of the shared objects is \
                 ended, and they are made anew where they are used next"
            );
        }
        if late.is_some() { end_group() } else { end_process(0) }
    }
}

/// Something that must be over at its deadline.
struct Overdue {
    deadline: Instant,
    /// The caller that has left, and its call; None: the zygote has.
    caller: Option<(Arc<State>, u64)>,
}

impl Overdue {
    fn is_running(&self) -> bool {
        self.caller.as_ref().is_none_or(|(state, call)| state.is_running(*call))
    }
}

fn until(deadline: Instant) -> EpollTimeout {
    // A millisecond more, so that the deadline is over then.
    let left = deadline.saturating_duration_since(Instant::now()) + Duration::from_millis(1);
    EpollTimeout::try_from(left).unwrap_or(EpollTimeout::MAX)
}

fn far_away() -> Instant {
    Instant::now() + Duration::from_secs(1 << 30)
}

/// A peer that shut down one direction is gone too: it never sends again.
fn hang_up() -> EpollFlags {
    EpollFlags::EPOLLRDHUP
}

/// Ends the process and those that the objects' code started.
fn end_group() -> ! {
    // SAFETY: these take no lock and run no handler. Group 0 is our own, and as its leader we know that the zygote made it for
    // this process alone.
    unsafe {
        if libc::getpgrp() == libc::getpid() {
            libc::kill(0, libc::SIGKILL);
        }
    }
    end_process(1)
}

/// Ends the process. The zygote ends those that it has started.
fn end_process(status: i32) -> ! {
    // SAFETY: `_exit` takes no lock, runs no handler and does not return.
    unsafe { libc::_exit(status) }
}
