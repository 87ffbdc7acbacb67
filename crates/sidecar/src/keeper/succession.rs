//! Which worker follows which: starting, taking over, failing, retiring.

use std::sync::Arc;

use tokio::time::Instant;

use super::handle::{Presence, Renewed, Reply, Taker};
use super::{Keeper, Next, Reload, Start, tell};
use crate::followed::{Followed, News, What};
use crate::retiring::Retiring;
use crate::sessions::WorkerId;
use crate::states::{Happening, WorkerState};
use crate::worker::Launch;

impl Keeper {
    /// Starts a worker in the place of one that is gone.
    pub(super) fn restart(&mut self) {
        self.state.turn(Happening::Launched);
        self.restarts += 1;
        self.begin(self.plan.launch.clone(), None);
    }

    pub(super) fn begin(&mut self, launch: Launch, reload: Option<Reload>) {
        let id = self.new_id();
        let sender = self.sender.clone();
        let task = tokio::spawn(async move {
            let started = launch.start().await.map(Box::new);
            // A keeper that is gone wants no worker.
            let _ = sender.send(News { worker: id, what: What::Started(started) }).await;
        });
        self.next = Some(Next { id, start: Start(task.abort_handle()), reload });
    }

    /// Starts a worker with new settings beside the current one.
    pub(super) fn reload(&mut self, reply: Reply) {
        if self.is_dismissed {
            return tell(vec![reply], &Err("the sidecar is leaving".to_owned()));
        }
        if self.next.is_some() {
            // What it reads may be older than what this one wants to be read.
            self.pending.get_or_insert_default().push(reply);
            return;
        }
        self.reload_for(vec![reply]);
    }

    pub(super) fn reload_for(&mut self, replies: Vec<Reply>) {
        let settings = match self.renewal.read() {
            Ok(settings) => settings,
            Err(error) => {
                tracing::error!("cannot reload, and nothing has changed: {error}");
                self.is_stale = true;
                self.present_current();
                return tell(replies, &Err(error));
            }
        };
        tracing::info!("reloading: a new worker is starting");
        self.manager.reloading();
        let plan = self.renewal.plan(&settings);
        if matches!(self.state, WorkerState::Backoff | WorkerState::Broken) {
            self.state.turn(Happening::Launched);
            // What was wrong may just have been put right.
            self.present.send_replace(Presence::Absent);
        }
        self.begin(plan.launch.clone(), Some(Reload { replies, settings, plan }));
    }

    /// A new worker is ready: clients go to it from now on, and the old one retires.
    pub(super) fn take_over(&mut self, worker: Followed, reload: Option<Reload>) {
        let pid = worker.ready.pid;
        if let Some(old) = self.current.take() {
            tracing::info!("worker {} retires: worker {pid} takes its place", old.ready.pid);
            self.retire(old);
            // That of the new one, since it was launched.
            self.state = WorkerState::Starting;
        }
        let Some(Reload { replies, settings, plan }) = reload else { return self.install(worker) };
        self.plan = plan;
        // Somebody has put something right, and that has worked.
        (self.failures, self.backoff) = (0, self.limits.least_backoff);
        let warnings = self.renewal.adopt(settings);
        warnings.iter().for_each(|warning| tracing::warn!("reloaded, but {warning}"));
        self.reloads += 1;
        self.install(worker);
        tell(replies, &Ok(Renewed { worker: pid, warnings }));
    }

    /// Lets a worker that is ready take sessions.
    pub(super) fn install(&mut self, worker: Followed) {
        self.state.turn(Happening::IsReady);
        tracing::info!(
            "worker {} is ready: Python {} at {}",
            worker.ready.pid,
            worker.ready.python,
            self.plan.launch.python.display()
        );
        for warning in &worker.ready.warnings {
            tracing::warn!("worker {}: {warning}", worker.ready.pid);
        }
        self.sessions.open(worker.id);
        self.current = Some(worker);
        self.is_stale = false;
        self.present_current();
    }

    /// Clients go to the current worker, if there is one.
    pub(super) fn present_current(&self) {
        if let Some(current) = &self.current {
            let taker = Taker { id: current.id, control: Arc::clone(&current.control), is_stale: self.is_stale };
            self.present.send_replace(Presence::Ready(Arc::new(taker)));
        }
    }

    /// A worker did not become ready.
    pub(super) fn give_up(&mut self, error: &str, reload: Option<Reload>) {
        if let Some(Reload { replies, .. }) = reload {
            self.is_stale = true;
            match &self.current {
                Some(current) => {
                    tracing::error!("cannot reload, and worker {} goes on as it is: {error}", current.ready.pid);
                    // It may have been kept from its clients while they waited for the new one.
                    self.present_current();
                }
                None => tracing::error!("cannot reload: {error}"),
            }
            self.manager.ready("ready; the last reload failed");
            tell(replies, &Err(error.to_owned()));
        } else {
            tracing::error!("{error}");
        }
        if self.current.is_none() {
            self.fail(Happening::Failed, error);
        }
    }

    /// The place of the current worker stays empty for a while: a short one, or a long one after many failures.
    pub(super) fn fail(&mut self, happening: Happening, reason: &str) {
        self.failures += 1;
        self.last_failure = Some(reason.to_owned());
        if self.failures >= self.limits.failures {
            self.state.turn(Happening::Tripped);
            self.again = Instant::now() + self.limits.broken;
            self.present.send_replace(Presence::Broken(reason.into()));
            self.manager.status("broken: Python workers do not start; the log says why");
            tracing::error!(
                "broken: {} workers have failed in a row; clients are refused until one starts, which is tried every {} s \
                 and at a reload",
                self.failures,
                self.limits.broken.as_secs_f64()
            );
        } else {
            self.state.turn(happening);
            self.again = Instant::now() + self.backoff;
            self.backoff = (2 * self.backoff).min(self.limits.most_backoff);
            self.present.send_replace(Presence::Absent);
        }
    }

    /// A worker has died. One that retires was to.
    pub(super) fn bury(&mut self, id: WorkerId, reason: &str) {
        if let Some(place) = self.retiring.iter().position(|retiring| retiring.worker.id == id) {
            let mut retired = self.retiring.swap_remove(place);
            retired.ended();
            match self.sessions.forget(id) {
                0 => tracing::info!("worker {} has left", retired.worker.ready.pid),
                lost => tracing::warn!(
                    "worker {} has left ({reason}); {lost} sessions end with it",
                    retired.worker.ready.pid
                ),
            }
            self.parting.spawn(retired.worker.seen_off());
            return;
        }
        let Some(dead) = self.current.take_if(|current| current.id == id) else { return };
        let lost = self.sessions.forget(id);
        if dead.since.elapsed() >= self.limits.sound {
            self.backoff = self.limits.least_backoff;
            self.failures = 0;
        }
        let (pid, backoff) = (dead.ready.pid, self.backoff);
        self.parting.spawn(dead.seen_off());
        tracing::error!(
            "worker {pid} died ({reason}) and is replaced in {} ms; {lost} sessions end with it",
            backoff.as_millis()
        );
        self.fail(Happening::Ended, &format!("worker {pid} died ({reason})"));
        if self.next.is_some() {
            // The one that starts for a reload comes in its place.
            self.state.turn(Happening::Launched);
        }
    }

    pub(super) fn retire(&mut self, worker: Followed) {
        let retiring = Retiring::begin(worker, self.state, &self.sessions, self.plan.drain, self.limits.leave);
        self.retiring.push(retiring);
    }
}
