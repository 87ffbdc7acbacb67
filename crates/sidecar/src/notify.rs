//! The service manager: what it is told, and what it gives. systemd's protocol, which others speak too.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::process::Command;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::task::JoinHandle;

use crate::process;

/// By which the service manager and its services find each other.
const VARIABLES: [&str; 6] =
    ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"];

/// Those that name one process. A successor is another.
const OF_ONE_PROCESS: [&str; 2] = ["WATCHDOG_PID", "LISTEN_PID"];

/// Keeps user code from speaking to the service manager in our name.
pub(crate) fn hide_from(command: &mut Command) {
    for name in VARIABLES {
        command.env_remove(name);
    }
}

/// Lets a successor speak to the service manager as we do.
pub(crate) fn prepare_successor(command: &mut Command) {
    for name in OF_ONE_PROCESS {
        command.env_remove(name);
    }
}

/// Whether the service manager passed sockets to this process, or to the one whose successor it is.
pub(crate) fn is_activated() -> bool {
    std::env::var_os("LISTEN_FDS").is_some_and(|count| count != OsStr::new("0"))
}

/// The sockets that the service manager passed to this process. Must be called once, before anything is opened.
///
/// # Errors
/// If what it says does not hold.
pub(crate) fn passed() -> io::Result<Vec<OwnedFd>> {
    Ok(process::passed(sd_notify::listen_fds()?))
}

/// Who watches over this process, if anybody does.
#[derive(Debug, Clone, Copy)]
pub struct Manager {
    is_there: bool,
}

impl Manager {
    /// That of the environment.
    #[must_use]
    pub fn of_environment() -> Self {
        Self { is_there: std::env::var_os("NOTIFY_SOCKET").is_some() }
    }

    /// Nobody: this process is not the one that he knows.
    #[must_use]
    pub fn nobody() -> Self {
        Self { is_there: false }
    }

    /// Clients can come.
    pub(crate) fn ready(self, status: &str) {
        self.tell(&[NotifyState::Ready, NotifyState::Status(status)]);
    }

    /// A reload begins. It ends with `ready`.
    pub(crate) fn reloading(self) {
        // Without the time he waits for ever.
        if let Ok(now) = NotifyState::monotonic_usec_now() {
            self.tell(&[NotifyState::Reloading, now, NotifyState::Status("reloading")]);
        }
    }

    /// We leave.
    pub(crate) fn stopping(self, status: &str) {
        self.tell(&[NotifyState::Stopping, NotifyState::Status(status)]);
    }

    /// Another process takes our place.
    pub(crate) fn replaced(self, successor: u32) {
        self.tell(&[NotifyState::MainPid(successor), NotifyState::Ready]);
    }

    /// What to show of us.
    pub(crate) fn status(self, status: &str) {
        self.tell(&[NotifyState::Status(status)]);
    }

    /// Says that we live, as often as he wants to hear it, until the task is ended.
    pub(crate) fn watch(self) -> Option<JoinHandle<()>> {
        let interval = sd_notify::watchdog_enabled().filter(|interval| self.is_there && !interval.is_zero())? / 2;
        Some(tokio::spawn(async move {
            let mut ticks = tokio::time::interval(interval.max(Duration::from_millis(1)));
            loop {
                ticks.tick().await;
                self.tell(&[NotifyState::Watchdog]);
            }
        }))
    }

    fn tell(self, states: &[NotifyState<'_>]) {
        if self.is_there
            && let Err(error) = sd_notify::notify(states)
        {
            tracing::debug!("the service manager does not listen: {error}");
        }
    }
}
