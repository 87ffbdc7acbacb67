//! SIGTERM and SIGINT: the first asks the sidecar to leave, the second ends it.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The handlers, live from the moment this exists.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(crate) fn install() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for the first signal; from then on a second one ends the process at once.
    pub(crate) async fn first(mut self) {
        let name = self.next().await;
        tracing::info!("leaving: {name}");
        tokio::spawn(async move {
            let name = self.next().await;
            tracing::warn!("ended at once: {name} for the second time");
            // Workers see the end of their control socket, and leave.
            std::process::exit(1);
        });
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
