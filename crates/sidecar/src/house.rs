//! A sidecar that is open: receives clients at every door, does what it is asked, and closes.

use std::convert::Infallible;
use std::fs::File;
use std::future::poll_fn;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use nix::fcntl::Flock;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::connection;
use crate::idle::{self, Leave};
use crate::keeper::KeeperHandle;
use crate::listener::Listener;
use crate::reception::Reception;
use crate::requests::{Answer, Request, error, stopping};
use crate::sessions::Sessions;
use crate::stream::Stream;
use crate::successor::{self, CommandLine};

/// The pause after an error of accept, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How many such errors pass between two lines of the log: ten seconds' worth.
const ACCEPT_ERRORS_A_LINE: u64 = 100;

/// How long clients that are not served any more may take to hear it.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// How a sidecar ends.
pub(crate) enum Ending {
    /// For good, with the lock that keeps PHP from starting another one in that moment.
    Stopped(Option<Flock<File>>),
    /// This process has taken over.
    Replaced(u32),
}

/// How to restart, if at all.
pub(crate) struct Restarts {
    pub(crate) command_line: Option<CommandLine>,
    /// How long a successor may take.
    pub(crate) limit: Duration,
}

impl Restarts {
    /// The command line of a successor.
    ///
    /// # Errors
    /// Why there can be none.
    fn allowed(&self) -> Result<&CommandLine, &'static str> {
        if std::process::id() == 1 {
            return Err("a sidecar that is process 1 cannot be replaced by another process; restart its container");
        }
        self.command_line.as_ref().ok_or(
            "a private sidecar is not restarted: end it (tortoise stop), and PHP starts another when it needs one",
        )
    }
}

/// One way in.
struct Door {
    listener: Listener,
    /// Places for handshakes. Each door has its own: those who may come to one, and those who only knock at it, keep
    /// nobody from coming to another.
    handshakes: Arc<Semaphore>,
}

impl Door {
    async fn place(&self) -> OwnedSemaphorePermit {
        match Arc::clone(&self.handshakes).acquire_owned().await {
            Ok(place) => place,
            // Nobody closes the semaphore.
            Err(_) => std::future::pending().await,
        }
    }
}

/// What a sidecar that is open has.
pub(crate) struct House {
    doors: Vec<Door>,
    sessions: Arc<Sessions>,
    reception: Arc<Reception>,
}

impl House {
    pub(crate) fn new(listeners: Vec<Listener>, sessions: Arc<Sessions>, reception: Arc<Reception>) -> Self {
        let door = |listener| Door { listener, handshakes: Arc::new(Semaphore::new(reception.limits.handshakes)) };
        Self { doors: listeners.into_iter().map(door).collect(), sessions, reception }
    }

    /// We are ready: what a predecessor left to us is ours, and what nobody asks for any more is closed.
    pub(crate) fn open(&mut self, surplus: Vec<Listener>) {
        for mut listener in surplus {
            listener.take_over();
            tracing::info!("not listening on {} any more: it is not set", listener.address());
            drop(listener.close());
        }
        for door in &mut self.doors {
            door.listener.take_over();
            tracing::info!("ready: listening on {}", door.listener.address());
        }
    }

    /// Does what is asked, until this sidecar is to end.
    pub(crate) async fn attend(
        &self,
        signals: &mut mpsc::Receiver<Request>,
        asked: &mut mpsc::Receiver<Request>,
        keeper: &KeeperHandle,
        restarts: &Restarts,
    ) -> Ending {
        // A successor that is starting, and who waits for it.
        let mut successor: Option<Pin<Box<_>>> = None;
        let mut waiting = Vec::new();
        loop {
            let request = tokio::select! {
                request = signals.recv() => request,
                request = asked.recv() => request,
                started = async { successor.as_mut().expect("it is starting").await }, if successor.is_some() => {
                    successor = None;
                    match started {
                        Ok(pid) => {
                            tracing::info!("leaving: process {pid} has taken over");
                            waiting.drain(..).for_each(|answer: Answer| answer.tell(json!({ "restarted": pid })));
                            return Ending::Replaced(pid);
                        }
                        Err(message) => {
                            tracing::error!("cannot restart, and process {} goes on: {message}", std::process::id());
                            waiting.drain(..).for_each(|answer| answer.tell(error(&message)));
                            continue;
                        }
                    }
                }
            };
            match request {
                None => return Ending::Stopped(None),
                Some(Request::Stop(answer)) => {
                    waiting.drain(..).for_each(|answer| answer.tell(error(&"the sidecar is leaving")));
                    answer.tell(stopping());
                    return Ending::Stopped(None);
                }
                Some(Request::Reload(answer)) => reload(keeper.clone(), answer),
                Some(Request::Restart(answer)) => match restarts.allowed() {
                    Ok(command_line) => {
                        waiting.push(answer);
                        if successor.is_none() {
                            tracing::info!("restarting: a successor is starting");
                            successor = Some(Box::pin(self.start_successor(command_line, restarts.limit)));
                        }
                    }
                    Err(reason) => {
                        tracing::error!("cannot restart: {reason}");
                        answer.tell(error(&reason));
                    }
                },
            }
        }
    }

    async fn start_successor(&self, command_line: &CommandLine, limit: Duration) -> Result<u32, String> {
        let (ours, managed) = successor::split(self.doors.iter().map(|door| &door.listener));
        successor::start(command_line, &ours, &managed, limit).await
    }

    /// Receives clients at every door.
    pub(crate) async fn accept(&self) -> Infallible {
        let mut doors: Vec<Pin<Box<_>>> = self.doors.iter().map(|door| Box::pin(self.accept_at(door))).collect();
        poll_fn(|context| {
            let open = doors.iter_mut().map(|door| door.as_mut().poll(context)).find(Poll::is_ready);
            open.unwrap_or(Poll::Pending)
        })
        .await
    }

    async fn accept_at(&self, door: &Door) -> Infallible {
        let mut errors = 0;
        loop {
            let place = door.place().await;
            match poll_fn(|context| door.listener.poll_accept(context)).await {
                Ok(stream) => self.receive(stream, place),
                Err(error) => {
                    if errors % ACCEPT_ERRORS_A_LINE == 0 {
                        tracing::error!("cannot accept clients at present: {error} (on {})", door.listener.address());
                    }
                    errors += 1;
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Serves a client in a task of its own: what goes wrong in it, even a panic, ends no other.
    fn receive(&self, stream: Stream, place: OwnedSemaphorePermit) {
        tokio::spawn(connection::receive(stream, self.sessions.visit(), place, Arc::clone(&self.reception)));
    }

    /// Waits until it is time to leave for want of clients, and gives the lock that keeps PHP from starting another
    /// sidecar in that moment.
    pub(crate) async fn idle(&self, after: Option<Duration>, lock: Option<&Path>) -> Option<Flock<File>> {
        let Some(after) = after else { return std::future::pending().await };
        let mut present = self.sessions.present();
        loop {
            idle::idle_for(after, &mut present).await;
            let Leave::Granted(lock) = idle::ask_leave(lock) else {
                tracing::debug!("staying: somebody is about to start a sidecar, and will connect to this one");
                continue;
            };
            let waiting: Vec<_> = self.doors.iter().map(|door| (door, door.listener.waiting())).collect();
            if waiting.iter().all(|(_, streams)| streams.is_empty()) {
                return lock;
            }
            drop(lock);
            for (door, streams) in waiting {
                for stream in streams {
                    self.receive(stream, door.place().await);
                }
            }
        }
    }

    /// Stops listening, tells those who came too late to try again, and sees the worker off.
    pub(crate) async fn close(self, keeper: &KeeperHandle, keeping: JoinHandle<()>, ending: Ending) {
        let is_replaced = matches!(ending, Ending::Replaced(_));
        let late = self.doors.into_iter().map(|Door { listener, handshakes }| {
            // Those who wait there are the successor's clients.
            let late = if is_replaced { Vec::new() } else { listener.close() };
            (late, handshakes)
        });
        let late: Vec<_> = late.collect();
        if let Ending::Stopped(lock) = ending {
            // From here on a new sidecar may take our place.
            drop(lock);
        }
        match self.sessions.count() {
            0 => {}
            count => tracing::info!("draining: {count} sessions leave, each at the end of its request"),
        }
        keeper.dismiss().await;
        let reception = self.reception;
        let all = u32::try_from(reception.limits.handshakes).unwrap_or(u32::MAX);
        let answer = async {
            for (streams, handshakes) in late {
                for stream in streams {
                    let turned_away = connection::turn_away(stream, Arc::clone(&reception));
                    let place = Arc::clone(&handshakes).acquire_owned().await;
                    tokio::spawn(async move {
                        turned_away.await;
                        drop(place);
                    });
                }
                // Nobody closes the semaphore.
                let _ = handshakes.acquire_many(all).await;
            }
        };
        let _ = tokio::join!(keeping, timeout(LAST_ANSWERS, answer));
        tracing::info!("left");
    }
}

/// Reloads, and tells who asked for it, whenever that is done.
fn reload(keeper: KeeperHandle, answer: Answer) {
    tokio::spawn(async move {
        let (reply, reloaded) = oneshot::channel();
        keeper.reload(Some(reply)).await;
        answer.tell(match reloaded.await {
            Ok(Ok(renewed)) => json!({ "reloaded": true, "worker": renewed.worker, "warnings": renewed.warnings }),
            Ok(Err(message)) => error(&message),
            Err(_) => error(&"the sidecar is leaving"),
        });
    });
}

#[cfg(test)]
mod tests {
    use tokio::sync::watch;
    use tokio::time::Instant;

    use super::*;
    use crate::address::Address;
    use crate::keeper::Presence;
    use crate::limits::Limits;

    #[tokio::test(start_paused = true)]
    async fn a_client_that_connects_in_the_last_moment_is_received() {
        let folder = tempfile::tempdir().expect("a folder");
        let address = Address::Unix(folder.path().join("t.sock"));
        let (_sender, workers) = watch::channel(Presence::Absent);
        let user = nix::unistd::geteuid().as_raw();
        let limits = Limits { handshakes: 1, ..Limits::default() };
        let reception = Reception::for_tests(workers, user, limits);
        let house = House::new(vec![Listener::bind(&address).expect("bound")], Sessions::new(1), Arc::new(reception));
        let client = std::os::unix::net::UnixStream::connect(folder.path().join("t.sock")).expect("connected");
        let begin = Instant::now();
        // Nobody accepts beside this, as in the moment before the runtime has heard of the client.
        let lock = house.idle(Some(Duration::from_secs(60)), None).await;
        assert!(lock.is_none());
        // Idle, then the client that says nothing, then idle again.
        assert_eq!(begin.elapsed(), 2 * Duration::from_secs(60) + Limits::default().hello);
        drop(client);
    }
}
