//! Keeps one worker that takes sessions: starts it, replaces it when it dies or is to be reloaded, and sees the old ones off.
//!
//! It owns every worker and is a task of its own. What others want of it they say through a [`KeeperHandle`]; what
//! workers do comes as [`News`]. It never waits for a worker: one that is stopped must not keep it from the others.

mod handle;
mod reports;
mod succession;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

#[cfg(test)]
pub(crate) use self::handle::Taker;
use self::handle::{Command, Reloaded, Reply};
pub(crate) use self::handle::{KeeperHandle, Plan, Presence, Present, Renewal};
use crate::followed::{Followed, News, What};
use crate::limits::Limits;
use crate::notify::Manager;
use crate::recall;
use crate::retiring::Retiring;
use crate::sessions::{Sessions, WorkerId};
use crate::settings::Settings;
use crate::states::{Happening, WorkerState};
use crate::status::{KeeperStatus, WorkerStatus};
use crate::worker::WorkerError;

/// News and commands that may wait to be heard.
const BACKLOG: usize = 64;

/// How often places are looked for while clients wait for one.
const RECALL_PAUSE: Duration = Duration::from_millis(20);

/// Owns the workers.
pub(crate) struct Keeper {
    plan: Plan,
    limits: Limits,
    sessions: Arc<Sessions>,
    renewal: Box<dyn Renewal>,
    manager: Manager,
    commands: mpsc::Receiver<Command>,
    sender: mpsc::Sender<News>,
    news: mpsc::Receiver<News>,
    present: watch::Sender<Presence>,
    /// The state of the worker that takes sessions, or should.
    state: WorkerState,
    current: Option<Followed>,
    /// A reload has failed since the current one was ready.
    is_stale: bool,
    /// The one that is starting, to take the place of the current one, or of none.
    next: Option<Next>,
    /// Those who asked for a reload while one was going on: one more follows, for all of them.
    pending: Option<Vec<Reply>>,
    retiring: Vec<Retiring>,
    /// Tasks that see workers off that are gone.
    parting: JoinSet<()>,
    /// Sessions that were interrupted, and when they must have gone.
    overdue: Vec<Overdue>,
    backoff: Duration,
    /// Failures in a row.
    failures: u32,
    /// When a worker is started again.
    again: Instant,
    last_id: WorkerId,
    reloads: u64,
    restarts: u64,
    last_failure: Option<String>,
    /// When places were looked for last.
    looked: Instant,
    /// Somebody can still command.
    is_commanded: bool,
    is_dismissed: bool,
}

/// A worker that is starting.
struct Next {
    id: WorkerId,
    start: Start,
    /// Those who wait for a reload; None: it replaces one that died.
    reload: Option<Reload>,
}

/// The task that starts a worker. Dropping it kills the worker.
struct Start(AbortHandle);

impl Drop for Start {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Reload {
    replies: Vec<Reply>,
    settings: Settings,
    plan: Plan,
}

struct Overdue {
    worker: WorkerId,
    session: i32,
    until: Instant,
}

impl Keeper {
    /// Starts the first worker. That it cannot be started is an error; later it will be tried again.
    pub(crate) async fn start(
        plan: Plan,
        limits: Limits,
        sessions: Arc<Sessions>,
        renewal: Box<dyn Renewal>,
        manager: Manager,
    ) -> Result<(Self, KeeperHandle), WorkerError> {
        let worker = plan.launch.start().await?;
        let (commander, commands) = mpsc::channel(BACKLOG);
        let (sender, news) = mpsc::channel(BACKLOG);
        let mut keeper = Self {
            plan,
            sessions,
            renewal,
            manager,
            commands,
            sender,
            news,
            present: watch::Sender::new(Presence::Absent),
            state: WorkerState::Starting,
            current: None,
            is_stale: false,
            next: None,
            pending: None,
            retiring: Vec::new(),
            parting: JoinSet::new(),
            overdue: Vec::new(),
            backoff: limits.least_backoff,
            failures: 0,
            again: Instant::now(),
            last_id: 0,
            reloads: 0,
            restarts: 0,
            last_failure: None,
            looked: Instant::now(),
            is_commanded: true,
            is_dismissed: false,
            limits,
        };
        let id = keeper.new_id();
        let worker = Followed::new(id, worker, keeper.sender.clone(), keeper.limits.leave);
        keeper.install(worker);
        Ok((keeper, KeeperHandle(commander)))
    }

    /// Follows who takes sessions.
    pub(crate) fn present(&self) -> Present {
        self.present.subscribe()
    }

    /// Keeps a worker alive until told to see it off, and until that is done.
    pub(crate) fn run(mut self) -> JoinHandle<()> {
        tokio::spawn(async move {
            while !(self.is_dismissed && self.retiring.is_empty() && self.parting.is_empty()) {
                let due = self.due();
                tokio::select! {
                    Some(news) = self.news.recv() => self.hear(news),
                    command = self.commands.recv(), if self.is_commanded => match command {
                        Some(command) => self.obey(command),
                        None => {
                            self.is_commanded = false;
                            self.dismiss();
                        }
                    },
                    Some(_) = self.parting.join_next() => {}
                    () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => self.act(),
                }
            }
        })
    }

    fn new_id(&mut self) -> WorkerId {
        self.last_id += 1;
        self.last_id
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Reload(reply) => self.reload(reply),
            Command::MakeRoom => self.make_room(),
            Command::Describe(reply) => drop(reply.send(self.describe())),
            Command::Dismiss => self.dismiss(),
        }
    }

    /// When something must be done without anybody saying so.
    fn due(&self) -> Option<Instant> {
        let again = matches!(self.state, WorkerState::Backoff | WorkerState::Broken).then_some(self.again);
        let room = (self.sessions.wanted() > 0).then(|| self.looked + RECALL_PAUSE);
        let retiring = self.retiring.iter().filter_map(|retiring| retiring.until);
        let overdue = self.overdue.iter().map(|overdue| overdue.until);
        retiring.chain(overdue).chain(again).chain(room).min()
    }

    fn act(&mut self) {
        let now = Instant::now();
        if matches!(self.state, WorkerState::Backoff | WorkerState::Broken) && self.again <= now {
            self.restart();
        }
        self.make_room();
        for retiring in &mut self.retiring {
            if retiring.until.is_some_and(|until| until <= now) {
                retiring.press(&self.sessions, self.limits.leave);
            }
        }
        let due: Vec<_> = self.overdue.extract_if(.., |overdue| overdue.until <= now).collect();
        due.into_iter().for_each(|overdue| self.end_overdue(&overdue));
    }

    fn hear(&mut self, News { worker, what }: News) {
        match what {
            What::Started(started) => {
                // One that is not wanted any more is dropped, which kills it.
                if let Some(next) = self.next.take_if(|next| next.id == worker) {
                    match started {
                        Ok(worker) => {
                            let worker = Followed::new(next.id, *worker, self.sender.clone(), self.limits.leave);
                            self.take_over(worker, next.reload);
                            self.manager.ready("ready");
                        }
                        Err(error) => self.give_up(&error.to_string(), next.reload),
                    }
                    drop(next.start);
                    if let Some(replies) = self.pending.take() {
                        self.reload_for(replies);
                    }
                }
            }
            What::Said(received) => self.take(worker, received),
            What::Died(reason) => self.bury(worker, &reason),
        }
    }

    fn dismiss(&mut self) {
        if self.is_dismissed {
            return;
        }
        self.is_dismissed = true;
        // Clients that wait for a worker are told to try again.
        self.present.send_replace(Presence::Leaving);
        if let Some(Next { reload: Some(reload), .. }) = self.next.take() {
            tell(reload.replies, &Err("the sidecar is leaving".to_owned()));
        }
        if let Some(replies) = self.pending.take() {
            tell(replies, &Err("the sidecar is leaving".to_owned()));
        }
        if let Some(current) = self.current.take() {
            self.retire(current);
        }
        self.state.turn(Happening::Dismissed);
    }

    /// Lets sessions leave that have been idle longest, as many as clients wait for.
    fn make_room(&mut self) {
        self.looked = Instant::now();
        let wanted = self.sessions.wanted();
        if wanted > 0 {
            let retiring = self.retiring.iter().map(|retiring| &retiring.worker);
            recall::longest_idle(self.current.iter().chain(retiring), &self.sessions, wanted);
        }
    }

    fn describe(&self) -> KeeperStatus {
        let current = self.current.iter().map(|worker| (self.state, worker));
        let retiring = self.retiring.iter().map(|retiring| (retiring.state, &retiring.worker));
        KeeperStatus {
            state: self.state,
            reloads: self.reloads,
            restarts: self.restarts,
            is_reloading: self.next.as_ref().is_some_and(|next| next.reload.is_some()),
            last_failure: self.last_failure.clone(),
            python: self.plan.launch.python.clone(),
            workers: current.chain(retiring).map(|(state, worker)| WorkerStatus::of(state, worker)).collect(),
        }
    }
}

fn tell(replies: Vec<Reply>, reloaded: &Reloaded) {
    for reply in replies.into_iter().flatten() {
        // Who has left does not need to know.
        let _ = reply.send(reloaded.clone());
    }
}
