//! Keeps one worker alive: follows its reports, and replaces it when it dies.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use crate::control::{Control, Report};
use crate::limits::Limits;
use crate::sessions::Sessions;
use crate::worker::{Event, Launch, Worker, WorkerError, describe_status};

/// The worker that takes sessions at present; None while there is none.
pub(crate) type Present = watch::Receiver<Option<Arc<Control>>>;

/// Owns the worker.
#[derive(Debug)]
pub(crate) struct Keeper {
    launch: Launch,
    limits: Limits,
    sessions: Arc<Sessions>,
    worker: Option<Worker>,
    present: watch::Sender<Option<Arc<Control>>>,
    backoff: Duration,
}

impl Keeper {
    /// Starts the first worker. That it cannot be started is an error; later it will be tried again.
    pub(crate) async fn start(launch: Launch, limits: Limits, sessions: Arc<Sessions>) -> Result<Self, WorkerError> {
        let backoff = limits.least_backoff;
        let mut keeper = Self { launch, limits, sessions, worker: None, present: watch::Sender::new(None), backoff };
        keeper.replace().await?;
        Ok(keeper)
    }

    /// Follows who takes sessions.
    pub(crate) fn present(&self) -> Present {
        self.present.subscribe()
    }

    /// Keeps the worker alive until this future is dropped.
    pub(crate) async fn keep(&mut self) -> Infallible {
        loop {
            if let Some(worker) = &mut self.worker {
                match worker.next().await {
                    Event::Report(report) => take(&self.sessions, report),
                    Event::Dead(reason) => self.bury(&reason),
                }
            } else {
                sleep(self.backoff).await;
                self.backoff = (2 * self.backoff).min(self.limits.most_backoff);
                if let Err(error) = self.replace().await {
                    tracing::error!("{error}");
                }
            }
        }
    }

    /// Tells the worker and its sessions to leave.
    pub(crate) async fn leave(mut self) {
        // Clients that wait for a worker are told to try again.
        drop(self.present);
        if let Some(worker) = self.worker.take() {
            worker.leave(self.limits.leave).await;
        }
    }

    async fn replace(&mut self) -> Result<(), WorkerError> {
        let worker = self.launch.start().await?;
        tracing::info!(
            "worker {} is ready: Python {} at {}",
            worker.ready.pid,
            worker.ready.python,
            self.launch.python.display()
        );
        self.present.send_replace(Some(Arc::clone(&worker.control)));
        self.worker = Some(worker);
        Ok(())
    }

    fn bury(&mut self, reason: &str) {
        self.present.send_replace(None);
        let lost = self.sessions.forget();
        let Some(worker) = self.worker.take() else { return };
        if worker.since.elapsed() >= self.limits.sound {
            self.backoff = self.limits.least_backoff;
        }
        tracing::error!(
            "worker {} died ({reason}) and is replaced in {} ms; {lost} sessions end with it",
            worker.ready.pid,
            self.backoff.as_millis()
        );
    }
}

fn take(sessions: &Sessions, report: Report) {
    match report {
        Report::Ready { ready } => tracing::warn!("worker {} says again that it is ready", ready.pid),
        Report::Started { started, client } => {
            sessions.started(started, client);
            tracing::debug!("session {started} of PHP process {client} has started");
        }
        Report::Failed { failed, client } => {
            sessions.failed();
            tracing::error!("no session for PHP process {client}: {failed}");
        }
        Report::Ended { ended, status } => {
            let client =
                sessions.ended(ended).map_or_else(|| "an unknown client".into(), |id| format!("PHP process {id}"));
            let reason = describe_status(status);
            if status == 0 {
                tracing::debug!("session {ended} of {client} has ended");
            } else {
                tracing::warn!("session {ended} of {client} has ended: {reason}");
            }
        }
    }
}
