//! A worker that is ready, and the task that follows what it says until it is gone.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tortoise_channel::Board;

use crate::control::{Control, Ready, Received};
use crate::sessions::WorkerId;
use crate::worker::{Event, Worker, WorkerError};

/// What comes from workers, with the number of the worker.
#[derive(Debug)]
pub(crate) struct News {
    pub(crate) worker: WorkerId,
    pub(crate) what: What,
}

/// What happened to a worker.
#[derive(Debug)]
pub(crate) enum What {
    /// It is ready, or will never be.
    Started(Result<Box<Worker>, WorkerError>),
    /// It reports.
    Said(Received),
    /// It is gone: how.
    Died(String),
}

/// A worker that is followed. Dropping it kills the worker.
#[derive(Debug)]
pub(crate) struct Followed {
    pub(crate) id: WorkerId,
    pub(crate) control: Arc<Control>,
    pub(crate) board: Arc<Board>,
    pub(crate) ready: Ready,
    pub(crate) since: Instant,
    kill: Option<oneshot::Sender<()>>,
    task: Task,
}

/// Ends with its handle.
#[derive(Debug)]
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Followed {
    /// Begins to follow a worker. It is seen off within `leave` when it has said its last.
    pub(crate) fn new(id: WorkerId, worker: Worker, news: mpsc::Sender<News>, leave: Duration) -> Self {
        let (kill, killed) = oneshot::channel();
        let (control, board) = (Arc::clone(&worker.control), Arc::clone(&worker.board));
        let (ready, since) = (worker.ready.clone(), worker.since);
        let task = Task(tokio::spawn(follow(id, worker, news, killed, leave)));
        Self { id, control, board, ready, since, kill: Some(kill), task }
    }

    /// Kills the zygote; its sessions see that their control socket is closed, and end.
    pub(crate) fn kill(&mut self) {
        if let Some(kill) = self.kill.take() {
            // It may have died in this moment, which is as good.
            let _ = kill.send(());
        }
    }

    /// Waits until a worker that has died is seen off.
    pub(crate) async fn seen_off(mut self) {
        let _ = (&mut self.task.0).await;
    }
}

async fn follow(
    id: WorkerId,
    mut worker: Worker,
    news: mpsc::Sender<News>,
    mut killed: oneshot::Receiver<()>,
    leave: Duration,
) {
    let reason = loop {
        let event = tokio::select! {
            event = worker.next() => event,
            killed = &mut killed => {
                if killed.is_err() {
                    // Nobody follows it any more.
                    return;
                }
                worker.kill().await;
                break "killed".to_owned();
            }
        };
        match event {
            Event::Report(received) => {
                if news.send(News { worker: id, what: What::Said(received) }).await.is_err() {
                    return;
                }
            }
            Event::Dead(reason) => break reason,
        }
    };
    worker.close();
    if news.send(News { worker: id, what: What::Died(reason) }).await.is_ok() {
        worker.see_off(leave).await;
    }
}
