//! How a session begins: what the Python side gives for it, and the threads and sockets that it gets.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use tortoise_channel::Slot;

use crate::hooks::Hooks;
use crate::serve::{Process, Service, serve};
use crate::signs::Signs;
use crate::tenure::Bounds;
use crate::thread::OwnThread;
use crate::watch::{Alarm, Deadline, Watcher};
use crate::{board, fork};

/// A hundred years: what is added to a moment must be one.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// Where a session runs, and for whom: `tortoise_worker.session.Seat`.
#[derive(FromPyObject)]
pub(crate) struct Seat {
    /// The client's socket.
    client: RawFd,
    /// The supervisor's.
    control: RawFd,
    /// The zygote's.
    line: RawFd,
    /// The process id of PHP.
    php: u64,
    /// On the board.
    slot: Option<usize>,
    /// Whether the client takes shared memory.
    shared_memory: bool,
    /// The process's own line to the zygote, where it has other sessions too: `line` ends in the process then.
    zygote: Option<RawFd>,
}

/// How it behaves: `tortoise_worker.settings.Settings`, where a bound of 0 is none.
#[derive(FromPyObject)]
pub(crate) struct Rules {
    max_requests: u64,
    max_age: f64,
    max_memory: u64,
    grace: f64,
    reload: String,
    slow_log: Option<PathBuf>,
}

impl Seat {
    /// Serves the client until it leaves, or the session does. What comes back is why the connection had to be closed, if it
    /// had to.
    ///
    /// # Errors
    /// ValueError if the numbers make no sense, OSError if the system gives no thread or file.
    pub(crate) fn serve(self, py: Python<'_>, hooks: Hooks, rules: Rules, alarm: Alarm) -> PyResult<Option<String>> {
        let Self { client, control, line, php, shared_memory, .. } = self;
        if client < 0 || control < 0 || line < 0 || client == control || client == line || control == line {
            return Err(PyValueError::new_err("a session needs the descriptors of three sockets"));
        }
        let service = Service {
            process: if self.zygote.is_some() { Process::Shared } else { Process::Own },
            shared_memory,
            bounds: rules.bounds(),
            looks_for_changes: rules.reload == "on-change",
        };
        let deadline = Deadline { grace: seconds(rules.grace), slow_log: rules.slow_log, alarm };
        // SAFETY: the Python side received or made these numbers for this session, and uses none again.
        let [client, control, line] = unsafe { [client, control, line].map(|each| OwnedFd::from_raw_fd(each)) };
        let thread = match self.zygote {
            // SAFETY: the process keeps it open as long as it lives.
            Some(zygote) => Some(OwnThread::this(py, &hooks, unsafe { BorrowedFd::borrow_raw(zygote) })?),
            None => None,
        };
        let watched = client.as_fd().try_clone_to_owned()?;
        let mut sockets = vec![client.as_raw_fd(), watched.as_raw_fd(), control.as_raw_fd(), line.as_raw_fd()];
        sockets.extend(thread.as_ref().map(|thread| thread.zygote.as_raw_fd()));
        fork::guard(py, sockets)?;
        let slot = self.slot.and_then(board::slot).unwrap_or_else(Slot::unseen);
        slot.serve(php);
        let signs = Arc::new(Signs::new(slot, control, line)?);
        Watcher { client: watched, php, signs: Arc::clone(&signs), deadline, thread }.start()?;
        Ok(serve(py, client, signs, hooks, &service))
    }
}

impl Rules {
    fn bounds(&self) -> Bounds {
        Bounds {
            requests: Some(self.max_requests).filter(|most| *most > 0),
            age: Some(seconds(self.max_age)).filter(|most| !most.is_zero()),
            memory: Some(self.max_memory).filter(|most| *most > 0),
        }
    }
}

/// A span of time from a number of seconds. What is none is the shortest, and longer than can be said is for ever.
fn seconds(number: f64) -> Duration {
    Duration::try_from_secs_f64(number.max(0.0)).unwrap_or(LONGEST).min(LONGEST)
}
