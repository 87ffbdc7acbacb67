//! Signals: SIGTERM and SIGINT ask the sidecar to leave, and the second of them ends it; SIGHUP asks for a reload, SIGUSR2
//! for a restart.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use crate::requests::{Answer, Request};

/// Requests that may wait. Of many signals that come at once the system keeps one.
const BACKLOG: usize = 16;

/// The handlers, live from the moment this exists.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    user: Signal,
}

/// What a signal asks for.
enum Wish {
    Stop(&'static str),
    Reload,
    Restart,
}

impl Signals {
    pub(crate) fn install() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            user: signal(SignalKind::user_defined2())?,
        })
    }

    /// Makes requests of the signals that come.
    pub(crate) fn requests(mut self) -> mpsc::Receiver<Request> {
        let (sender, receiver) = mpsc::channel(BACKLOG);
        tokio::spawn(async move {
            let mut is_leaving = false;
            loop {
                let request = match self.next().await {
                    Wish::Stop(name) if is_leaving => {
                        tracing::warn!("ended at once: {name} for the second time");
                        // Workers see the end of their control socket, and leave.
                        std::process::exit(1);
                    }
                    Wish::Stop(name) => {
                        tracing::info!("leaving: {name}");
                        is_leaving = true;
                        let sender = sender.clone();
                        // Not kept from hearing the second one.
                        tokio::spawn(async move { sender.send(Request::Stop(Answer::nobody())).await });
                        continue;
                    }
                    Wish::Reload => Request::Reload(Answer::nobody()),
                    Wish::Restart => Request::Restart(Answer::nobody()),
                };
                // Where there is no room, so many wait already that this one changes nothing.
                let _ = sender.try_send(request);
            }
        });
        receiver
    }

    async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.terminate.recv() => Wish::Stop("SIGTERM"),
            _ = self.interrupt.recv() => Wish::Stop("SIGINT"),
            _ = self.hangup.recv() => Wish::Reload,
            _ = self.user.recv() => Wish::Restart,
        }
    }
}
