//! What others say to the keeper, and what it tells them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use crate::control::Control;
use crate::sessions::WorkerId;
use crate::settings::Settings;
use crate::status::KeeperStatus;
use crate::worker::Launch;

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
pub(super) enum Command {
    Reload(Reply),
    /// A client waits for a place.
    MakeRoom,
    Describe(oneshot::Sender<KeeperStatus>),
    Dismiss,
}

/// Where others say what they want of the keeper.
#[derive(Debug, Clone)]
pub(crate) struct KeeperHandle(pub(super) mpsc::Sender<Command>);

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
