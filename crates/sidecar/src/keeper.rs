//! Keeps one worker that takes sessions: starts it, replaces it when it dies or is to be reloaded, and sees the old ones off.
//!
//! It owns every worker and is a task of its own. What others want of it they say through a [`KeeperHandle`]; what
//! workers do comes as [`News`]. It never waits for a worker: one that is stopped must not keep it from the others.

use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;
use nix::unistd::Pid;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{AbortHandle, JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use crate::control::{Control, Order, Received, Report};
use crate::followed::{Followed, News, What};
use crate::limits::Limits;
use crate::notify::Manager;
use crate::recall;
use crate::retiring::Retiring;
use crate::sessions::{Sessions, WorkerId};
use crate::settings::Settings;
use crate::states::{Happening, WorkerState};
use crate::status::{KeeperStatus, WorkerStatus};
use crate::worker::{Launch, WorkerError, describe_status};

/// News and commands that may wait to be heard.
const BACKLOG: usize = 64;

/// How often places are looked for while clients wait for one.
const RECALL_PAUSE: Duration = Duration::from_millis(20);

/// Who takes sessions.
#[derive(Debug, Clone)]
pub(crate) enum Presence {
    /// Nobody at present: it is worth waiting.
    Absent,
    /// This worker.
    Ready(Arc<Taker>),
    /// Nobody, after many failures: the last of them.
    Broken(Arc<str>),
    /// Nobody any more.
    Leaving,
}

/// Follows who takes sessions.
pub(crate) type Present = watch::Receiver<Presence>;

/// A worker that takes sessions.
#[derive(Debug)]
pub(crate) struct Taker {
    pub(crate) id: WorkerId,
    pub(crate) control: Arc<Control>,
    /// A reload has failed since: its code may be older than its files.
    pub(crate) is_stale: bool,
}

/// What a reload came to.
pub(crate) type Reloaded = Result<Renewed, String>;

/// A reload that went well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Renewed {
    /// The process of the new worker.
    pub(crate) worker: i32,
    /// What of the settings counts only after a restart.
    pub(crate) warnings: Vec<String>,
}

/// Who is told what a reload came to.
pub(crate) type Reply = Option<oneshot::Sender<Reloaded>>;

/// What others want of the keeper.
#[derive(Debug)]
enum Command {
    Reload(Reply),
    /// A client waits for a place.
    MakeRoom,
    Describe(oneshot::Sender<KeeperStatus>),
    Dismiss,
}

/// Where others say what they want of the keeper.
#[derive(Debug, Clone)]
pub(crate) struct KeeperHandle(mpsc::Sender<Command>);

impl KeeperHandle {
    /// A handle of a keeper that hears nothing.
    #[cfg(test)]
    pub(crate) fn deaf() -> Self {
        Self(mpsc::channel(1).0)
    }

    /// Asks for a new worker with new settings and new code.
    pub(crate) async fn reload(&self, reply: Reply) {
        // A keeper that is gone drops the reply, which says so.
        let _ = self.0.send(Command::Reload(reply)).await;
    }

    /// Asks for a place, for a client that waits. If the keeper is busy it will look anyway.
    pub(crate) fn make_room(&self) {
        let _ = self.0.try_send(Command::MakeRoom);
    }

    /// What the workers do. None: the keeper is gone.
    pub(crate) async fn describe(&self) -> Option<KeeperStatus> {
        let (reply, described) = oneshot::channel();
        self.0.send(Command::Describe(reply)).await.ok()?;
        described.await.ok()
    }

    /// Tells the keeper to see all workers off, and to end.
    pub(crate) async fn dismiss(&self) {
        let _ = self.0.send(Command::Dismiss).await;
    }
}

/// Where the settings of a reload come from, and who takes them up.
pub(crate) trait Renewal: Send {
    /// Reads the settings again.
    ///
    /// # Errors
    /// What is wrong with them, for a person.
    fn read(&self) -> Result<Settings, String>;

    /// What these settings say about workers.
    fn plan(&self, settings: &Settings) -> Plan;

    /// Lets them count for clients that come from now on; gives what counts only after a restart.
    fn adopt(&self, settings: Settings) -> Vec<String>;
}

/// What the settings say about workers.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// How to start them.
    pub(crate) launch: Launch,
    /// How long the sessions of one that retires may go on.
    pub(crate) drain: Duration,
    /// How long a session may take to end that was interrupted.
    pub(crate) grace: Duration,
}

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

    /// Starts a worker in the place of one that is gone.
    fn restart(&mut self) {
        self.state.turn(Happening::Launched);
        self.restarts += 1;
        self.begin(self.plan.launch.clone(), None);
    }

    fn begin(&mut self, launch: Launch, reload: Option<Reload>) {
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
    fn reload(&mut self, reply: Reply) {
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

    fn reload_for(&mut self, replies: Vec<Reply>) {
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

    /// A new worker is ready: clients go to it from now on, and the old one retires.
    fn take_over(&mut self, worker: Followed, reload: Option<Reload>) {
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
    fn install(&mut self, worker: Followed) {
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
    fn present_current(&self) {
        if let Some(current) = &self.current {
            let taker = Taker { id: current.id, control: Arc::clone(&current.control), is_stale: self.is_stale };
            self.present.send_replace(Presence::Ready(Arc::new(taker)));
        }
    }

    /// A worker did not become ready.
    fn give_up(&mut self, error: &str, reload: Option<Reload>) {
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
    fn fail(&mut self, happening: Happening, reason: &str) {
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
    fn bury(&mut self, id: WorkerId, reason: &str) {
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

    fn retire(&mut self, worker: Followed) {
        let retiring = Retiring::begin(worker, self.state, &self.sessions, self.plan.drain, self.limits.leave);
        self.retiring.push(retiring);
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

    fn take(&mut self, worker: WorkerId, Received { report, descriptor }: Received) {
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
    fn renew(&mut self, worker: WorkerId, file: &str) {
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

    fn worker(&self, id: WorkerId) -> Option<&Followed> {
        let retiring = self.retiring.iter().map(|retiring| &retiring.worker);
        self.current.iter().chain(retiring).find(|worker| worker.id == id)
    }

    /// Kills a session that an interrupt did not end, nor its own watcher: it may be stopped.
    fn end_overdue(&self, overdue: &Overdue) {
        if let Some(process) = self.sessions.process_of(overdue.worker, overdue.session)
            && let Some(worker) = self.worker(overdue.worker)
        {
            tracing::warn!("session {} did not end after its interrupt; process {process} is killed", overdue.session);
            worker.control.order(&Order::Kill(process), None);
        }
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

fn was_killed(status: i32) -> bool {
    matches!(WaitStatus::from_raw(Pid::from_raw(1), status), Ok(WaitStatus::Signaled(_, Signal::SIGKILL, _)))
}
