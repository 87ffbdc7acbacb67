//! Takes leave of orphans: as process 1 of a container the sidecar inherits every process whose parent has gone.
//!
//! The children that it has started itself are left to those who wait for them.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::Pid;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

/// How long to let somebody else take leave of a child of ours, before orphans behind it are looked for again.
const PAUSE: Duration = Duration::from_millis(10);

/// The children that this process has started.
static OWN: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// A child that this process has started, and waits for, until this is dropped.
#[derive(Debug)]
pub(crate) struct Own(i32);

impl Own {
    pub(crate) fn new(process: Option<u32>) -> Self {
        let process = process.map_or(0, u32::cast_signed);
        own().insert(process);
        Self(process)
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        own().remove(&self.0);
    }
}

fn own() -> MutexGuard<'static, BTreeSet<i32>> {
    OWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether orphans come to this process.
fn is_their_parent() -> bool {
    std::process::id() == 1 || nix::sys::prctl::get_child_subreaper().unwrap_or(false)
}

/// Takes leave of orphans from now on, if they come to this process.
///
/// # Errors
/// If signals cannot be heard.
pub(crate) fn bury() -> io::Result<()> {
    if !is_their_parent() {
        return Ok(());
    }
    let mut ended = signal(SignalKind::child())?;
    tokio::spawn(async move {
        loop {
            while let Some(process) = next() {
                if own().contains(&process.as_raw()) {
                    // It hides those behind it.
                    sleep(PAUSE).await;
                } else if let Ok(status) = waitpid(process, Some(WaitPidFlag::WNOHANG)) {
                    tracing::debug!("an orphan has ended: {status:?}");
                }
            }
            if ended.recv().await.is_none() {
                return;
            }
        }
    });
    Ok(())
}

/// A child that has ended, and that nobody has taken leave of.
fn next() -> Option<Pid> {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    match waitid(Id::All, flags).ok()? {
        WaitStatus::Exited(process, _) | WaitStatus::Signaled(process, ..) => Some(process),
        _ => None,
    }
}
