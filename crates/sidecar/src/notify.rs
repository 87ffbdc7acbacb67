//! The service manager: what it is told, and what it gives. systemd's protocol, which others speak too.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::process::Command;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::process;

/// By which the service manager and its services find each other.
const VARIABLES: [&str; 6] =
    ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"];

/// Messages that may wait to be heard.
const BACKLOG: usize = 16;

/// How long to wait at the end for the service manager to hear the last of them.
const PATIENCE: Duration = Duration::from_secs(1);

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

/// Who watches over this process, if anybody does. What he is told goes through a thread of its own: one who does not
/// listen must not keep us from our clients.
#[derive(Debug, Clone)]
pub struct Manager(Option<SyncSender<Message>>);

/// Says something to the service manager.
type Message = Box<dyn FnOnce() -> io::Result<()> + Send>;

impl Manager {
    /// That of the environment.
    #[must_use]
    pub fn of_environment() -> Self {
        if std::env::var_os("NOTIFY_SOCKET").is_none() {
            return Self::nobody();
        }
        let (sender, messages) = sync_channel::<Message>(BACKLOG);
        thread::spawn(move || {
            for say in messages {
                if let Err(error) = say() {
                    tracing::debug!("the service manager does not listen: {error}");
                }
            }
        });
        Self(Some(sender))
    }

    /// Nobody: this process is not the one that he knows.
    #[must_use]
    pub fn nobody() -> Self {
        Self(None)
    }

    /// Clients can come.
    pub(crate) fn ready(&self, status: &'static str) {
        self.tell(move || sd_notify::notify(&[NotifyState::Ready, NotifyState::Status(status)]));
    }

    /// A reload begins. It ends with `ready`.
    pub(crate) fn reloading(&self) {
        // Without the time he waits for ever.
        if let Ok(NotifyState::MonotonicUsec(now)) = NotifyState::monotonic_usec_now() {
            let status = NotifyState::Status("reloading");
            self.tell(move || sd_notify::notify(&[NotifyState::Reloading, NotifyState::MonotonicUsec(now), status]));
        }
    }

    /// We leave.
    pub(crate) fn stopping(&self) {
        self.tell(|| sd_notify::notify(&[NotifyState::Stopping, NotifyState::Status("draining")]));
    }

    /// Another process takes our place.
    pub(crate) fn replaced(&self, successor: u32) {
        self.tell(move || sd_notify::notify(&[NotifyState::MainPid(successor), NotifyState::Ready]));
    }

    /// What to show of us.
    pub(crate) fn status(&self, status: &'static str) {
        self.tell(move || sd_notify::notify(&[NotifyState::Status(status)]));
    }

    /// Says that we live, as often as he wants to hear it, until the task is ended.
    pub(crate) fn watch(&self) -> Option<JoinHandle<()>> {
        let interval = sd_notify::watchdog_enabled().filter(|interval| self.0.is_some() && !interval.is_zero())? / 2;
        let manager = self.clone();
        Some(tokio::spawn(async move {
            let mut ticks = tokio::time::interval(interval.max(Duration::from_millis(1)));
            loop {
                ticks.tick().await;
                manager.tell(|| sd_notify::notify(&[NotifyState::Watchdog]));
            }
        }))
    }

    /// Waits until he has heard all, if he listens.
    pub(crate) async fn flush(&self) {
        let (said, heard) = oneshot::channel();
        self.tell(move || {
            // Who has lost patience does not need to know.
            let _ = said.send(());
            Ok(())
        });
        let _ = timeout(PATIENCE, heard).await;
    }

    fn tell(&self, say: impl FnOnce() -> io::Result<()> + Send + 'static) {
        if let Some(sender) = &self.0 {
            // One who has not heard so many does not listen.
            let _ = sender.try_send(Box::new(say));
        }
    }
}
