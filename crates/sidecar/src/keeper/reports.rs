//! What is done about what workers report.

use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;
use nix::unistd::Pid;
use tokio::time::Instant;

use super::handle::Presence;
use super::{Keeper, Overdue};
use crate::control::{Order, Received, Report};
use crate::followed::Followed;
use crate::sessions::WorkerId;
use crate::worker::describe_status;

impl Keeper {
    pub(super) fn take(&mut self, worker: WorkerId, Received { report, descriptor }: Received) {
        let sessions = Arc::clone(&self.sessions);
        match report {
            Report::Ready { ready } => tracing::warn!("worker {} says again that it is ready", ready.pid),
            Report::Started { started, client, process } => {
                sessions.started(worker, started, process.unwrap_or(started), client);
                tracing::debug!("session {started} of PHP process {client} has started");
            }
            Report::Failed { failed, client } => {
                sessions.failed(worker);
                tracing::error!("no session for PHP process {client}: {failed}");
            }
            Report::Ended { ended, status, done } => {
                let gone = sessions.ended(worker, ended, done, was_killed(status));
                let reason = describe_status(status);
                for session in &gone {
                    let (number, client) = (session.session, session.client);
                    if status == 0 {
                        tracing::debug!("session {number} of PHP process {client} has ended");
                    } else {
                        tracing::warn!("session {number} of PHP process {client} has ended: {reason}");
                    }
                }
                if gone.is_empty() && status != 0 {
                    tracing::warn!("process {ended}, which had no client, has ended: {reason}");
                }
                if let Some(retiring) = self.retiring.iter_mut().find(|retiring| retiring.worker.id == worker) {
                    retiring.hurry_if_empty(&sessions, self.limits.leave);
                }
            }
            Report::Overdue { overdue, process, client } => {
                if sessions.is_overdue(worker, overdue) {
                    tracing::warn!(
                        "session {overdue} (process {process}): its client, PHP process {client}, left in the middle of a \
                         call, and the call is interrupted"
                    );
                    let until = Instant::now() + self.plan.grace + Duration::from_secs(1);
                    self.overdue.push(Overdue { worker, session: overdue, until });
                }
            }
            Report::Changed { changed } => self.renew(worker, &changed),
            Report::Share { share } => match (self.worker(worker), descriptor) {
                (Some(worker), Some(descriptor)) => worker.control.order(&Order::Shared(&share), Some(descriptor)),
                _ => tracing::warn!("a session asked for the shared objects without a descriptor"),
            },
        }
    }

    /// A preloaded module's file has changed: clients wait for a worker that has the new one.
    pub(super) fn renew(&mut self, worker: WorkerId, file: &str) {
        // Others have noticed it too, or a later worker has it already.
        if self.current.as_ref().is_some_and(|current| current.id == worker)
            && self.next.is_none()
            && !self.is_dismissed
        {
            tracing::info!("{file} has changed");
            self.present.send_replace(Presence::Absent);
            self.reload_for(Vec::new());
        }
    }

    pub(super) fn worker(&self, id: WorkerId) -> Option<&Followed> {
        let retiring = self.retiring.iter().map(|retiring| &retiring.worker);
        self.current.iter().chain(retiring).find(|worker| worker.id == id)
    }

    /// Kills a session that an interrupt did not end, nor its own watcher: it may be stopped.
    pub(super) fn end_overdue(&self, overdue: &Overdue) {
        if let Some(process) = self.sessions.process_of(overdue.worker, overdue.session)
            && let Some(worker) = self.worker(overdue.worker)
        {
            tracing::warn!("session {} did not end after its interrupt; process {process} is killed", overdue.session);
            worker.control.order(&Order::Kill(process), None);
        }
    }
}

fn was_killed(status: i32) -> bool {
    matches!(WaitStatus::from_raw(Pid::from_raw(1), status), Ok(WaitStatus::Signaled(_, Signal::SIGKILL, _)))
}
